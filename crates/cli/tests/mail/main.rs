//! Mail from outside: a mail server that Provost did not write (Debian's python3-aiosmtpd) counts what arrives while it
//! refuses, stalls, dies and returns, and while Provost is killed.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests: a failure here is a failed test"
)]

mod alarms;
mod faults;
mod kills;
mod scene;
mod secured;
mod smtp;
mod templates;
mod welcome;
