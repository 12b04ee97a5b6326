//! Trust from outside: who gets in by which certificate and protocol, what phones see of the server, and what strangers
//! can do to it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests: a failure here is a failed test, and what was measured is said"
)]

mod acme;
mod authorities;
mod fetch;
mod hostile;
mod matrix;
mod phone;
mod replaced;
mod timing;

use provost_testkit::Provost;

/// The binary under test.
fn provost() -> Provost {
    Provost::new(env!("CARGO_BIN_EXE_provost"))
}

/// Tries until `found` finds something, or fails with what `otherwise` says.
fn within<T>(seconds: u64, mut found: impl FnMut() -> Option<T>, otherwise: impl FnOnce() -> String) -> T {
    for _ in 0..seconds * 50 {
        if let Some(found) = found() {
            return found;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("not within {seconds} s: {}", otherwise())
}

/// Whether the large sizes were asked for.
#[expect(clippy::disallowed_methods, reason = "a test is told its size by it")]
fn is_slow() -> bool {
    std::env::var("PROVOST_SLOW").is_ok()
}
