//! What is known of a line and of a call, in words.
//!
//! Decides nothing: the agent writes it, handles and the screen read it.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// A line's registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineState {
    /// The configuration tells the line not to register.
    Off,
    /// The first answer is awaited.
    Registering,
    /// The server took it.
    Registered {
        /// For how long.
        granted: Duration,
    },
    /// It is not registered, though it should be.
    Unregistered(LineTrouble),
    /// It was given up; a phone without power.
    Closed,
}

/// Why a line is not registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineTrouble {
    /// The server said no.
    Refused {
        /// The status.
        status: u16,
        /// Its words.
        reason: String,
    },
    /// The first challenge is one this phone cannot answer.
    Challenge,
    /// The server said nothing.
    NoAnswer,
    /// The server cannot be found or connected to.
    Unreachable {
        /// The reason in words.
        reason: String,
    },
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndedBy {
    /// This phone hung up, before or after it was connected.
    Phone,
    /// The other end hung up.
    Server,
    /// The call was refused.
    Refused {
        /// The status.
        status: u16,
        /// Its words.
        reason: String,
    },
    /// Nobody answered in time.
    NoAnswer,
    /// Every redirection led to another.
    Redirections,
    /// The first challenge is one this phone cannot answer.
    Challenge,
    /// The answer offers no sound this phone can use.
    NoSound,
    /// The way to the server broke.
    Lost,
    /// The line was in another call.
    LineBusy,
}

/// How far a call is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallState {
    /// Nothing but 100 came yet.
    Dialing,
    /// The other end rings.
    Ringing,
    /// Both ends can speak.
    Connected,
    /// It is over.
    Ended(EndedBy),
}

/// What the agent knows, as everybody else sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) line: u32,
    pub(crate) state: LineState,
    /// The phone's address towards the server.
    pub(crate) local: Option<SocketAddr>,
    /// Times the server took the registration.
    pub(crate) registrations: u64,
    /// Times the phone was told to read its configuration.
    pub(crate) check_syncs: u64,
    pub(crate) in_call: bool,
    /// Why the last call did not come about.
    pub(crate) failed_call: Option<EndedBy>,
}

impl Status {
    pub(crate) fn new(line: u32, registers: bool) -> Self {
        Self {
            line,
            state: if registers { LineState::Registering } else { LineState::Off },
            local: None,
            registrations: 0,
            check_syncs: 0,
            in_call: false,
            failed_call: None,
        }
    }
}

impl fmt::Display for LineState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => write!(out, "does not register"),
            Self::Registering => write!(out, "is registering"),
            Self::Registered { granted } => write!(out, "is registered for {} s", granted.as_secs()),
            Self::Unregistered(why) => write!(out, "is not registered: {why}"),
            Self::Closed => write!(out, "is closed"),
        }
    }
}

impl fmt::Display for LineTrouble {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { status, reason } => write!(out, "the server answered {status} {reason}"),
            Self::Challenge => write!(out, "the server's first challenge is not one this phone can answer"),
            Self::NoAnswer => write!(out, "the server does not answer"),
            Self::Unreachable { reason } => write!(out, "the server cannot be reached: {reason}"),
        }
    }
}

impl fmt::Display for EndedBy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phone => write!(out, "the phone hung up"),
            Self::Server => write!(out, "the other end hung up"),
            Self::Refused { status, reason } => write!(out, "{status} {reason}"),
            Self::NoAnswer => write!(out, "no answer"),
            Self::Redirections => write!(out, "redirected too often"),
            Self::Challenge => write!(out, "the first challenge is not one this phone can answer"),
            Self::NoSound => write!(out, "the answer offers no sound this phone can use"),
            Self::Lost => write!(out, "the way to the server broke"),
            Self::LineBusy => write!(out, "the line is in another call"),
        }
    }
}
