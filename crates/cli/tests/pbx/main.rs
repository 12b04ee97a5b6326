//! Customers' PBXs from outside: Debian's Kamailio with SIPp's phones, and doubles of Asterisk's manager and FreeSWITCH's
//! event socket, neither of which Debian has.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests: a failure here is a failed test"
)]

mod doubles;
mod guarded;
mod kamailio;
mod scene;
mod sipp;
mod with_doubles;
mod with_kamailio;
