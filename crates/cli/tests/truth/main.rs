//! People, devices, rights and reports from outside: the real binary, by its API and its command line.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests: a failure here is a failed test"
)]

mod backup;
mod changes;
mod configuration;
mod description;
mod import;
mod lifecycle;
mod live;
mod report;
mod rights;
mod sign_in;

use provost_testkit::Provost;

/// The binary under test.
fn provost() -> Provost {
    Provost::new(env!("CARGO_BIN_EXE_provost"))
}
