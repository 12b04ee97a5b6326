//! Answers: the headers every response takes over from its request.
//!
//! Rules: RFC 3261 §8.2.6, RFC 3581 §4.

use std::fmt;
use std::net::SocketAddr;

use super::event::Flow;
use super::field::{self, NameAddr, Via};
use super::message::{Message, Name};
use super::write::Writer;

/// What we do and understand (RFC 3261 §§20.5, 20.1).
pub(crate) const ALLOW: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS, REGISTER, INFO, UPDATE";
pub(crate) const ACCEPT: &str = "application/sdp, application/dtmf-relay, application/dtmf";

/// Where a message came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) flow: Flow,
    pub(crate) peer: SocketAddr,
}

/// Begins the response to `message`; none when it names no hop that could receive one.
pub(crate) fn reply(message: &Message<'_>, source: Source, to_tag: u64, status: u16, reason: &str) -> Option<Writer> {
    let mut vias = message.all(Name::Via);
    let first = vias.next()?;
    let mut elements = field::list(first);
    let top = elements.next()?;
    let via = Via::parse(top)?;
    let mut writer = Writer::response(status, reason).header("Via", Returned { via, peer: source.peer });
    // The same separator list() looks for; more than one element in one header is rare.
    for more in elements.chain(vias) {
        writer = writer.header("Via", more);
    }
    if let Some(from) = message.header(Name::From) {
        writer = writer.header("From", from);
    }
    if let Some(to) = message.header(Name::To) {
        let tagged = NameAddr::parse(to).is_some_and(|to| to.tag().is_some());
        writer = if tagged || status == 100 {
            writer.header("To", to)
        } else {
            writer.header("To", format_args!("{to};tag={to_tag:016x}"))
        };
    }
    for (name, text) in [(Name::CallId, "Call-ID"), (Name::CSeq, "CSeq")] {
        if let Some(value) = message.header(name) {
            writer = writer.header(text, value);
        }
    }
    Some(writer)
}

/// The top Via with the address its request really came from.
struct Returned<'a> {
    via: Via<'a>,
    peer: SocketAddr,
}

impl fmt::Display for Returned<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}", self.via.transport, self.via.sent_by)?;
        let mut asked = false;
        for (name, value) in self.via.params.iter() {
            match (name, value) {
                _ if name.eq_ignore_ascii_case("received") => {}
                _ if name.eq_ignore_ascii_case("rport") => asked = true,
                (name, Some(value)) => write!(f, ";{name}={value}")?,
                (name, None) => write!(f, ";{name}")?,
            }
        }
        let ip = self.peer.ip().to_canonical();
        if asked {
            write!(f, ";received={ip};rport={}", self.peer.port())
        } else if sent_from(self.via.sent_by, ip) {
            Ok(())
        } else {
            write!(f, ";received={ip}")
        }
    }
}

/// Whether the host in `sent_by` is the address `ip`.
fn sent_from(sent_by: &str, ip: std::net::IpAddr) -> bool {
    let host = match sent_by.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(""),
        None => sent_by.split(':').next().unwrap_or(""),
    };
    field::trim(host).parse() == Ok(ip)
}
