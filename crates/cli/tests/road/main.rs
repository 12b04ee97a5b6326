//! The road from outside: the real binary, driven by curl, OpenSSL's certificates and the virtual phone.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests: a failure here is a failed test"
)]

mod activation;
mod command_line;
mod doors;
mod full_disk;
mod kills;
mod lab_images;
mod moving;
mod phone_boot;
mod refusals;
mod requests;
mod start;
mod time;
mod up;

use provost_testkit::Provost;

/// The binary under test.
fn provost() -> Provost {
    Provost::new(env!("CARGO_BIN_EXE_provost"))
}
