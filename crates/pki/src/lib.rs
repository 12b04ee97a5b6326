//! Certificates: which phones are what they say, whom Provost trusts, and what it shows of itself.
//!
//! Decides: the certificate policy for phones ([`policy`]), the authorities behind it ([`trust`]), whether a server
//! certificate can be served ([`server`]); makes authorities for tests and small installations ([`authority`]).
//! Never does: sockets, clocks, chain building, revocation look-ups. `now` is an argument everywhere.
//! Rules: docs/THREATS.md, identity 1-4.

pub mod authority;
pub mod certificate;
pub mod policy;
pub mod server;
pub mod trust;

#[cfg(test)]
mod fixtures;
