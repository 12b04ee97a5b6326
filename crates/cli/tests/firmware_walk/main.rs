//! Virtual phones are led over real sockets from what they run to what they are to run, with the power failing on the way.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests: a failure here is a failed test")]

mod fleet;
mod old;
mod refused;
mod walks;

use provost_testkit::Provost;

/// The binary under test.
fn provost() -> Provost {
    Provost::new(env!("CARGO_BIN_EXE_provost"))
}
