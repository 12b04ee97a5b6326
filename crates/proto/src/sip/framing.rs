//! Cuts a TCP stream into messages.
//!
//! Holds only bytes of a message that is not complete yet, never more than the limit and one piece; an idle
//! connection holds nothing. Rules: RFC 3261 §18.3 (Content-Length is required on streams), RFC 5626 §3.5.1 (CRLF
//! keep-alives).

use std::fmt;

use super::field;
use super::message::{Message, Name};

/// The bytes of one connection that are not a whole message yet.
#[derive(Clone)]
pub struct Framer {
    held: Vec<u8>,
    /// What was handed out already, cut off with the next piece: many small messages in one piece are not copied twice.
    taken: usize,
    /// Up to here, counted from `taken`, there is no end of a head.
    searched: usize,
    /// The length of the message that begins at `taken`, once its head is here.
    whole: Option<usize>,
    limit: usize,
}

/// What a stream brought.
#[derive(Clone, PartialEq, Eq)]
pub enum Frame {
    /// A double line end: answer with [`PONG`].
    Ping,
    /// One whole message.
    Message(Vec<u8>),
}

/// The answer to a [`Frame::Ping`].
pub const PONG: &[u8] = b"\r\n";

/// Why nothing more can be read from a stream. What came of the message is handed back, so that it can be answered
/// before the connection is closed.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Longer than the limit, or said to become so.
    #[error("the message is longer than allowed")]
    TooLong(Vec<u8>),
    /// Nobody can tell where the message ends.
    #[error("Content-Length is missing, repeated or no number")]
    NoLength(Vec<u8>),
}

// What people dial goes through here: lengths are printed, never content.
impl fmt::Debug for Framer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.held())
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ping => f.write_str("Ping"),
            Self::Message(bytes) => write!(f, "Message of {} bytes", bytes.len()),
        }
    }
}

impl fmt::Debug for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Framer {
    /// For messages of at most `limit` bytes.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { held: Vec::new(), taken: 0, searched: 0, whole: None, limit }
    }

    /// Adds what came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.held.drain(..self.taken.min(self.held.len()));
        self.taken = 0;
        self.held.extend_from_slice(bytes);
    }

    /// The next thing in the stream; none when more must come first. After an error the stream cannot be read on.
    ///
    /// # Errors
    /// [`FrameError`] with the bytes of the message.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        while self.whole.is_none() && matches!(self.left(), [b'\r' | b'\n', ..]) {
            if self.left().starts_with(b"\r\n\r\n") {
                self.skip(4);
                return Ok(Some(Frame::Ping));
            }
            // One line end alone is an answer to a ping or the begin of one: more must come to tell.
            if !self.has_begun() {
                return Ok(None);
            }
            // Line ends before a message mean nothing (RFC 3261 §7.5).
            self.skip(if self.left().starts_with(b"\r\n") { 2 } else { 1 });
        }
        let Some(len) = self.whole_len()? else {
            return if self.left().len() > self.limit {
                Err(FrameError::TooLong(self.left().to_vec()))
            } else {
                Ok(None)
            };
        };
        if len > self.limit {
            return Err(FrameError::TooLong(self.left().to_vec()));
        }
        let Some(message) = self.left().get(..len) else { return Ok(None) };
        let message = message.to_vec();
        self.skip(len);
        Ok(Some(Frame::Message(message)))
    }

    /// How many bytes wait for the rest of their message.
    #[must_use]
    pub fn held(&self) -> usize {
        self.left().len()
    }

    /// Whether a message is begun: a line end that may become a ping is none.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        !b"\r\n\r\n".starts_with(self.left())
    }

    fn left(&self) -> &[u8] {
        self.held.get(self.taken..).unwrap_or(&[])
    }

    /// The length of the message that begins here, once its head with the empty line is here.
    fn whole_len(&mut self) -> Result<Option<usize>, FrameError> {
        if self.whole.is_some() {
            return Ok(self.whole);
        }
        let from = self.searched.saturating_sub(3);
        self.searched = self.left().len();
        let Some(at) = self.left().get(from..).and_then(field::end_of_head) else {
            return Ok(None);
        };
        let head_len = from.saturating_add(at).saturating_add(4);
        match content_length(self.left().get(..head_len).unwrap_or(&[])) {
            Length::Bytes(body_len) => self.whole = Some(head_len.saturating_add(body_len)),
            Length::Unreadable => return Err(FrameError::NoLength(self.left().to_vec())),
        }
        Ok(self.whole)
    }

    fn skip(&mut self, len: usize) {
        self.taken = self.taken.saturating_add(len).min(self.held.len());
        self.searched = 0;
        self.whole = None;
        if self.taken == self.held.len() {
            self.held = Vec::new();
            self.taken = 0;
        }
    }
}

enum Length {
    Bytes(usize),
    Unreadable,
}

fn content_length(head: &[u8]) -> Length {
    let Ok(message) = Message::parse(head) else { return Length::Unreadable };
    let mut lengths = message.all(Name::ContentLength);
    let len = lengths.next().and_then(field::decimal).and_then(|len| usize::try_from(len).ok());
    match (len, lengths.next()) {
        (Some(len), None) => Length::Bytes(len),
        _ => Length::Unreadable,
    }
}
