//! The SIP machine from outside: bytes and time in, bytes and events out.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests: a failure here is a failed test, and what cannot run is said"
)]

mod calls;
mod change;
mod ends;
mod golden;
mod identity;
mod lossy;
mod refusals;
mod registrar;
mod strangers;
mod streams;
mod syntax;
mod torture;
mod world;
