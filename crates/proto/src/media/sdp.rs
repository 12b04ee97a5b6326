//! Session descriptions: what a phone offers, and the answer.
//!
//! Decides whether there is audio both sides can speak, and who sends what where. Tolerant of what phones write: any
//! order of attributes, unknown lines, bare line feeds. Refuses what cannot be a call, with the status SIP answers.
//! Rules: RFC 8866 (syntax), RFC 3264 (offer and answer), RFC 4733 §2.4 (telephone-event); hold by the address 0.0.0.0
//! is RFC 2543's, which old phones still use.

mod read;
mod write;

use super::g711::Law;
use std::net::SocketAddr;

pub use write::Local;

/// Longest description that is read; a phone's has one to two thousand bytes.
pub const MAX_LEN: usize = 16 * 1024;
/// Most media lines that are read.
pub const MAX_MEDIA: usize = 16;

/// What the other side says about the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The first audio line that both sides can speak.
    pub audio: Audio,
    /// All media lines in their order; an answer has as many.
    lines: Vec<MediaLine>,
}

/// The audio both sides can speak, as the other side describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audio {
    /// Where to send packets, and whence they are expected unless a router translates.
    pub address: SocketAddr,
    /// The law the other side named first of the two.
    pub law: Law,
    /// The payload type of that law, both ways.
    pub payload_type: u8,
    /// The payload type of keys, both ways; none if the phone sends keys by SIP INFO only.
    pub events: Option<u8>,
    /// Milliseconds of audio in a packet: what the other side wants, 10 to 60; 20 if it does not say.
    pub packet_ms: u16,
    /// What the other side wants to do. [`Audio::we_send`] is what follows from it.
    pub direction: Direction,
    /// The address was 0.0.0.0 or `::`: on hold in the old way, nothing may be sent.
    pub held: bool,
}

impl Audio {
    /// Whether the other side wants to hear anything.
    pub fn we_send(&self) -> bool {
        !self.held && matches!(self.direction, Direction::SendRecv | Direction::RecvOnly)
    }

    /// Bytes of audio in a packet.
    pub fn packet_samples(&self) -> usize {
        usize::from(self.packet_ms).saturating_mul(8)
    }
}

/// Who sends, seen from the side that says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Both.
    #[default]
    SendRecv,
    /// The one who says it.
    SendOnly,
    /// The other one.
    RecvOnly,
    /// Nobody.
    Inactive,
}

/// A media line as it has to come back in the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct MediaLine {
    /// `audio`, `video` and so on, protocol and formats, as they came.
    kind: String,
    protocol: String,
    formats: String,
    /// This is the line of [`Description::audio`].
    chosen: bool,
}

/// A description that cannot become a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// No text, or longer than [`MAX_LEN`].
    #[error("a session description of {0} bytes, or one that is no text")]
    NotText(usize),
    /// Does not begin with `v=0`.
    #[error("a session description that does not begin with v=0")]
    Version,
    /// More than [`MAX_MEDIA`] media lines.
    #[error("more than {MAX_MEDIA} media lines")]
    TooManyMedia,
    /// A line that decides something cannot be read.
    #[error("line {line} of the session description cannot be read: {wanted}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What it should be.
        wanted: &'static str,
    },
    /// No media line is audio with a port.
    #[error("the session description offers no audio")]
    NoAudio,
    /// Audio is offered only encrypted.
    #[error("the phone insists on encrypted audio (SRTP), which is not spoken here")]
    Encrypted,
    /// Neither law of G.711 is among the codecs.
    #[error("neither PCMU nor PCMA is offered")]
    NoCodec,
    /// No address stands where the audio should go, or a name does.
    #[error("the audio has no numeric address")]
    NoAddress,
}

impl SdpError {
    /// The SIP status to refuse with: 400 for what cannot be read, 488 for what cannot be spoken.
    pub const fn status(self) -> u16 {
        match self {
            Self::NotText(_) | Self::Version | Self::TooManyMedia | Self::Line { .. } => 400,
            Self::NoAudio | Self::Encrypted | Self::NoCodec | Self::NoAddress => 488,
        }
    }
}

/// Reads the description in a request's or an answer's body.
///
/// # Errors
/// [`SdpError`], whose [`status`](SdpError::status) says how to refuse.
pub fn parse(body: &[u8]) -> Result<Description, SdpError> {
    read::description(body)
}

#[cfg(test)]
mod tests;
