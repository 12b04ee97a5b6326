//! SIP for phones that wait to be claimed: registrar, answering agent and NOTIFY, without sockets and clocks.
//!
//! Decides what every message means and what goes back; asks its driver for passwords and for answers to calls. Never
//! reads a clock, never opens a socket, holds a bounded number of everything, and panics on no bytes whatever.
//! Rules: RFC 3261 with 6026 (transactions), 3581 (rport), 7616 and 8760 (digest), 5626 §3.5.1 (keep-alive), 4475
//! (the tests). It is no proxy: whatever is addressed to it is for it.

mod agent;
mod calls;
mod credential;
mod dialog;
pub mod digest;
mod endpoint;
mod event;
pub mod field;
pub mod framing;
mod inbound;
pub mod message;
mod nonce;
mod proof;
mod registrar;
mod reply;
mod request;
mod requests;
mod secrets;
mod settings;
mod streams;
mod timers;
mod transactions;
pub mod uri;
pub mod write;

pub use credential::Credential;
pub use endpoint::{Counts, Endpoint, Registration};
pub use event::{
    AskId, Body, CallId, CommandError, Dialed, EndReason, Event, Flow, IncomingCall, Millis, Output, Rejection,
    StreamId, UnregisterReason,
};
pub use settings::{Expires, Limits, Settings};
