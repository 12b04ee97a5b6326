//! What goes into and comes out of the machine: ids, flows, outputs, events, and what a caller may be told.
//!
//! Whatever may hold an activation code - a dialed string, the body of an INFO, a datagram - prints no content.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

/// Milliseconds of a clock that never runs back; where it starts does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Millis(pub u64);

impl Millis {
    /// The moment `ms` later; stops at the end of time instead of wrapping.
    #[must_use]
    pub const fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// How many milliseconds passed since `earlier`, 0 when it is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// One TCP connection, numbered by whoever owns the sockets; a number is used once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

/// Where a message came from, and so where its answer goes: through any NAT, the way it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flow {
    /// The datagram's source.
    Udp(SocketAddr),
    /// The connection.
    Stream(StreamId),
}

/// One incoming call, from its INVITE to its [`Event::Ended`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// One question for a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId(pub(crate) u64);

/// What somebody dialed. It may hold an activation code, so it prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Dialed(pub(crate) String);

impl Dialed {
    /// The user part of the address called, with escapes undone. Never to be logged.
    ///
    /// One of [`Settings::unproven_numbers`](super::Settings::unproven_numbers) stands here as written there, however
    /// it was dialed: with separators (`9-1-1`), or as `urn:service:sos` and its kinds, which are 112 (RFC 5031).
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Dialed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The body of a message. It may hold dialed digits, so it prints its length only.
#[derive(Clone, PartialEq, Eq)]
pub struct Body(pub(crate) Vec<u8>);

impl Body {
    /// The bytes. Never to be logged.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// What the owner of the sockets does next.
#[derive(Clone, PartialEq, Eq)]
pub enum Output {
    /// Send these bytes.
    Transmit {
        /// Where to.
        to: Flow,
        /// One whole message, or a keep-alive.
        bytes: Arc<[u8]>,
    },
    /// Close this connection after what was transmitted before; no `stream_closed` is needed afterwards.
    CloseStream(StreamId),
    /// Tell the application.
    Event(Event),
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transmit { to, bytes } => write!(f, "Transmit {} bytes to {to:?}", bytes.len()),
            Self::CloseStream(stream) => write!(f, "CloseStream {}", stream.0),
            Self::Event(event) => write!(f, "{event:?}"),
        }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Somebody says to be `user` and shows a digest under a nonce of ours: look the password up and call
    /// [`Endpoint::credentials`](super::Endpoint::credentials), at once or later.
    Credentials {
        /// Answer with this.
        ask: AskId,
        /// The name as sent, at most 128 bytes; anybody can send any.
        user: String,
    },
    /// The digest did not match the password, or there is no such user.
    Unproven {
        /// The name as sent; anybody can send any.
        user: String,
        /// Where it came from.
        from: SocketAddr,
    },
    /// A phone proved to be `user` and may be reached until the registration ends.
    Registered {
        /// The proven identity.
        user: String,
        /// Where it came from.
        from: SocketAddr,
        /// The address the phone gave.
        contact: String,
        /// Seconds granted.
        expires_s: u32,
        /// The phone's software, at most 256 bytes.
        user_agent: Option<String>,
    },
    /// The registration of `user` is gone.
    Unregistered {
        /// The identity.
        user: String,
        /// How it ended.
        why: UnregisterReason,
    },
    /// A call waits for [`Endpoint::accept`](super::Endpoint::accept) or [`Endpoint::reject`](super::Endpoint::reject).
    /// Exactly one [`Event::Ended`] follows sometime.
    Incoming(IncomingCall),
    /// The call's re-INVITE or UPDATE waits for [`Endpoint::answer_offer`](super::Endpoint::answer_offer) or
    /// [`Endpoint::refuse_offer`](super::Endpoint::refuse_offer).
    Offer {
        /// The call.
        call: CallId,
        /// The new offer; none when the phone wants ours in the answer.
        offer: Option<Body>,
    },
    /// The phone sent INFO in the call, answered already.
    Info {
        /// The call.
        call: CallId,
        /// In lower case, without parameters: `application/dtmf-relay`.
        content_type: String,
        /// The content.
        body: Body,
    },
    /// The phone has our 200 and confirmed it.
    Established {
        /// The call.
        call: CallId,
        /// The phone's answer when the offer was ours.
        answer: Option<Body>,
    },
    /// The call is over; its id means nothing from now on.
    Ended {
        /// The call.
        call: CallId,
        /// How it ended.
        why: EndReason,
    },
    /// What became of a NOTIFY.
    NotifyDone {
        /// Whom it was for.
        user: String,
        /// The final status, or none when no answer came.
        status: Option<u16>,
    },
}

/// An INVITE that may be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingCall {
    /// Names the call in commands and events.
    pub call: CallId,
    /// The proven identity; none only for a number that needs no proof.
    pub user: Option<String>,
    /// Whom the From header names. Proves nothing.
    pub claimed_user: Option<String>,
    /// The number called.
    pub dialed: Dialed,
    /// Where the call came from.
    pub from: SocketAddr,
    /// The session description; none when the phone wants ours first, so that `accept` gives an offer.
    pub offer: Option<Body>,
    /// The phone's software, at most 256 bytes.
    pub user_agent: Option<String>,
}

/// How a registration ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnregisterReason {
    /// The phone asked for it.
    Asked,
    /// Nobody renewed it in time.
    Expired,
    /// [`Endpoint::forget`](super::Endpoint::forget).
    Forgotten,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// The phone hung up (BYE).
    PhoneHungUp,
    /// The phone hung up before the answer (CANCEL).
    Cancelled,
    /// The phone never confirmed our answer (RFC 3261 §13.3.1.4).
    NeverConfirmed,
    /// We hung up.
    HungUp,
    /// We rejected it.
    Rejected,
    /// Nobody accepted or rejected it in time.
    Unanswered,
    /// It lasted longer than [`Limits::call_ms`](super::Limits::call_ms).
    TooLong,
    /// The same user called anew.
    Replaced,
}

/// A final answer other than 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// 300 to 699; anything else is sent as 500.
    pub status: u16,
    /// Said after the status; the usual words when empty.
    pub reason: String,
    /// More headers, as name and value: `Contact` of a 302, `Retry-After`, `Warning`.
    pub headers: Vec<(String, String)>,
}

impl Rejection {
    /// A rejection with the usual words and no more headers.
    #[must_use]
    pub const fn new(status: u16) -> Self {
        Self { status, reason: String::new(), headers: Vec::new() }
    }
}

/// Why a command came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// It ended, perhaps a moment ago.
    #[error("the call is over")]
    NoSuchCall,
    /// It was answered already, or nothing is offered.
    #[error("the call does not wait for this")]
    NotNow,
}
