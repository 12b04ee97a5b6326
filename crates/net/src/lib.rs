//! Socket drivers: TLS for every phone at one address, the HTTP accept loops, the time socket.
//!
//! Decides how long, how many and how large; hands each request inward with the proven [`Peer`] of its connection.
//! Never routes, renders or stores, and never decides what a certificate is worth (the pki crate does).
//!
//! [`Peer`]: provost_core::identity::Peer

pub mod http;
pub mod rtp;
pub mod shutdown;
pub mod sip;
pub mod sntp;
pub mod tls;

use provost_core::time::UnixMillis;
use std::sync::Arc;

/// The clock as an argument.
pub type Clock = Arc<dyn Fn() -> UnixMillis + Send + Sync>;

#[cfg(test)]
#[path = "../../pki/src/fixtures.rs"]
mod fixtures;

#[cfg(test)]
mod lab;
