//! The phone's SIP: a user agent of its own that shares no line with the server's.
//!
//! Decides what a phone says on the wire when it registers, calls, keys digits and is told to read its
//! configuration. Start at [`Line`]; the line's task is `agent`, messages are in `message`, sound in
//! `media`. Everything waits with a deadline, and a line is a task that ends with its handle.

mod account;
mod action;
mod agent;
mod answering;
mod call;
mod calling;
mod digest;
mod heard;
mod keys;
mod leg;
mod line;
mod media;
mod message;
mod pending;
pub(crate) mod random;
mod registration;
mod sdp;
mod state;
mod wire;

pub(crate) use account::LineWords;
pub use account::{Account, AccountError, Password};
pub use action::Action;
pub use call::{Call, CallError, CallReport};
pub(crate) use digest::{Challenge, Proof, Session};
pub use heard::Heard;
pub(crate) use line::Told;
pub use line::{Line, LineError};
pub(crate) use random::token;
pub use sdp::Law;
pub(crate) use state::Status;
pub use state::{CallState, EndedBy, LineState, LineTrouble};
pub use wire::Transport;
