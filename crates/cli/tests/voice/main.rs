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
mod ear;
mod emergency;
mod ends;
mod heard;
mod hostile;
mod inside;
mod keypad;
mod kills;
mod line;
mod loss;
mod network;
mod races;
mod sipp;
mod wire;

use provost_testkit::Provost;

/// The binary under test.
fn provost() -> Provost {
    Provost::new(env!("CARGO_BIN_EXE_provost"))
}
