//! Answers and offers.

use super::{Audio, Description, Direction};
use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

/// The event payload type of an offer of ours, and for phones that name none of their own.
const EVENTS: u8 = 101;

/// Our side of one call's description.
#[derive(Debug, Clone)]
pub struct Local {
    address: SocketAddr,
    session: u64,
    version: u64,
}

impl Local {
    /// `address` is where phones send audio (the external one behind NAT), `session` random.
    pub const fn new(address: SocketAddr, session: u64) -> Self {
        // Below 2^62: some phones read these numbers as signed.
        Self { address, session: session >> 2, version: 0 }
    }

    /// The answer to an offer; each has a higher version than the one before.
    pub fn answer(&mut self, offer: &Description) -> String {
        let mut text = self.head();
        for line in &offer.lines {
            if line.chosen {
                self.audio(&mut text, &line.protocol, &offer.audio);
            } else {
                // A refused line comes back with port 0 (RFC 3264 §6).
                line_of(&mut text, format_args!("m={} 0 {} {}", line.kind, line.protocol, line.formats));
            }
        }
        text
    }

    /// An offer, for an INVITE that brought none; the answer to it is read with [`super::parse`].
    pub fn offer(&mut self) -> String {
        let mut text = self.head();
        let port = self.address.port();
        line_of(&mut text, format_args!("m=audio {port} RTP/AVP 0 8 {EVENTS}"));
        line_of(&mut text, format_args!("a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000"));
        events(&mut text, EVENTS);
        line_of(&mut text, format_args!("a=ptime:20\r\na=sendrecv"));
        text
    }

    /// Everything before the first media line.
    fn head(&mut self) -> String {
        self.version = self.version.saturating_add(1);
        let (session, version, ip) = (self.session, self.version, self.address.ip());
        let kind = match ip {
            IpAddr::V4(_) => "IP4",
            IpAddr::V6(_) => "IP6",
        };
        format!("v=0\r\no=provost {session} {version} IN {kind} {ip}\r\ns=-\r\nc=IN {kind} {ip}\r\nt=0 0\r\n")
    }

    /// The line that is taken, with the transport it was offered with (RFC 3264 §6).
    fn audio(&self, text: &mut String, protocol: &str, audio: &Audio) {
        let (port, payload_type) = (self.address.port(), audio.payload_type);
        let law = audio.law;
        match audio.events {
            Some(number) => line_of(text, format_args!("m=audio {port} {protocol} {payload_type} {number}")),
            None => line_of(text, format_args!("m=audio {port} {protocol} {payload_type}")),
        }
        line_of(text, format_args!("a=rtpmap:{payload_type} {law}/8000"));
        if let Some(number) = audio.events {
            events(text, number);
        }
        line_of(text, format_args!("a=ptime:{}", audio.packet_ms));
        line_of(text, format_args!("a={}", answered(audio).word()));
    }
}

/// What we do, given what the other side wants (RFC 3264 §6.1).
const fn answered(audio: &Audio) -> Direction {
    match (audio.direction, audio.held) {
        (Direction::SendRecv, false) => Direction::SendRecv,
        (Direction::SendRecv, true) | (Direction::SendOnly, _) => Direction::RecvOnly,
        (Direction::RecvOnly, false) => Direction::SendOnly,
        (Direction::RecvOnly, true) | (Direction::Inactive, _) => Direction::Inactive,
    }
}

fn events(text: &mut String, number: u8) {
    line_of(text, format_args!("a=rtpmap:{number} telephone-event/8000\r\na=fmtp:{number} 0-15"));
}

fn line_of(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing into a string cannot fail.
    let _ = write!(text, "{line}\r\n");
}

impl Direction {
    /// The attribute's name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }
}
