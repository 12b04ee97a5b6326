//! Activation by a call, from outside: the real binary, called by SIPp and baresip, and by a caller of these tests' own
//! where a message has to be lost, repeated or cut.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests: a failure here is a failed test"
)]

mod activation;
mod baresip;
mod caller;
mod emergency;
mod hostile;
mod line;
mod races;
mod sipp;

use provost_testkit::Provost;

/// The binary under test.
fn provost() -> Provost {
    Provost::new(env!("CARGO_BIN_EXE_provost"))
}
