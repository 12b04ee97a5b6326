//! What two ends agree on about sound.
//!
//! Decides the phone's offer and what of the other end's words the phone can use: G.711 of either law and
//! telephone events. Rules: RFC 3264, RFC 4566, RFC 4733. The shape of the offer is remembered from VVX
//! phones: session-level direction, G.722 first, events as 127.

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

/// Payload type of telephone events in the phone's own offers.
const EVENTS: u8 = 127;

/// How samples are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// G.711 µ-law, as in North America and Japan.
    Mu,
    /// G.711 A-law, as elsewhere.
    A,
}

/// Who speaks, seen from whoever wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Both,
    SendOnly,
    ReceiveOnly,
    Inactive,
}

/// What the phone does with sound now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MediaPlan {
    pub(crate) remote: SocketAddr,
    pub(crate) law: Law,
    pub(crate) payload: u8,
    pub(crate) events: Option<u8>,
    /// What the other end does.
    pub(crate) direction: Direction,
}

/// The phone's own end.
#[derive(Debug, Clone)]
pub(crate) struct Ours {
    pub(crate) address: SocketAddr,
    pub(crate) session: u32,
    pub(crate) version: u32,
}

impl Law {
    fn word(self) -> &'static str {
        match self {
            Self::Mu => "PCMU",
            Self::A => "PCMA",
        }
    }
}

impl Direction {
    fn word(self) -> &'static str {
        match self {
            Self::Both => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::ReceiveOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    fn read(word: &str) -> Option<Self> {
        [Self::Both, Self::SendOnly, Self::ReceiveOnly, Self::Inactive].into_iter().find(|one| one.word() == word)
    }

    /// What one end answers when the other says this.
    fn answered(self) -> Self {
        match self {
            Self::Both => Self::Both,
            Self::SendOnly => Self::ReceiveOnly,
            Self::ReceiveOnly => Self::SendOnly,
            Self::Inactive => Self::Inactive,
        }
    }

    pub(crate) fn hears(self) -> bool {
        matches!(self, Self::Both | Self::ReceiveOnly)
    }
}

impl Ours {
    pub(crate) fn offer(&self, direction: Direction) -> String {
        let mut text = self.head(direction);
        let _ = write!(
            text,
            "m=audio {} RTP/AVP 9 0 8 18 {EVENTS}\r\na=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\n\
             a=rtpmap:8 PCMA/8000\r\na=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\n\
             a=rtpmap:{EVENTS} telephone-event/8000\r\n",
            self.address.port()
        );
        text
    }

    /// Takes what `plan` says of the other end's offer.
    pub(crate) fn answer(&self, plan: &MediaPlan) -> String {
        let mut text = self.head(plan.direction.answered());
        let events = plan.events.map(|events| format!(" {events}")).unwrap_or_default();
        let MediaPlan { payload, law, .. } = plan;
        let port = self.address.port();
        let _ = write!(text, "m=audio {port} RTP/AVP {payload}{events}\r\na=rtpmap:{payload} {}/8000\r\n", law.word());
        if let Some(events) = plan.events {
            let _ = write!(text, "a=rtpmap:{events} telephone-event/8000\r\n");
        }
        text
    }

    fn head(&self, direction: Direction) -> String {
        let ip = self.address.ip();
        let kind = if ip.is_ipv4() { "IP4" } else { "IP6" };
        let Self { session, version, .. } = self;
        format!(
            "v=0\r\no=- {session} {version} IN {kind} {ip}\r\ns=Polycom IP Phone\r\nc=IN {kind} {ip}\r\nt=0 0\r\n\
             a={}\r\n",
            direction.word()
        )
    }
}

impl MediaPlan {
    /// Reads the other end's offer or answer; `None` when the phone can use nothing of it.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let mut reading = Reading::default();
        text.lines().filter_map(|line| line.trim_end().split_once('=')).for_each(|(kind, value)| {
            reading.line(kind, value);
        });
        let (law, payload) = reading.formats.iter().find_map(|format| Some((reading.law(*format)?, *format)))?;
        let events = reading.formats.iter().copied().find(|format| reading.named(*format, "telephone-event"));
        let port = reading.port.filter(|port| *port != 0)?;
        let ip = reading.media_ip.or(reading.session_ip)?;
        let direction = if ip.is_unspecified() { Direction::Inactive } else { reading.direction };
        Some(Self { remote: (ip, port).into(), law, payload, events, direction })
    }
}

/// A description read line by line.
struct Reading {
    session_ip: Option<IpAddr>,
    media_ip: Option<IpAddr>,
    port: Option<u16>,
    formats: Vec<u8>,
    names: Vec<(u8, String)>,
    direction: Direction,
    /// Which media the lines belong to: none yet, the first sound, or something else.
    part: Part,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Session,
    Sound,
    Other,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            session_ip: None,
            media_ip: None,
            port: None,
            formats: Vec::new(),
            names: Vec::new(),
            direction: Direction::Both,
            part: Part::Session,
        }
    }
}

impl Reading {
    fn line(&mut self, kind: &str, value: &str) {
        match (kind, self.part) {
            ("m", _) => self.media(value),
            ("c", Part::Session) => self.session_ip = ip_of(value),
            ("c", Part::Sound) => self.media_ip = ip_of(value),
            ("a", Part::Session | Part::Sound) => self.attribute(value),
            _ => {}
        }
    }

    fn media(&mut self, value: &str) {
        let mut words = value.split_ascii_whitespace();
        if words.next() != Some("audio") || self.port.is_some() {
            self.part = Part::Other;
            return;
        }
        self.part = Part::Sound;
        self.port = words.next().and_then(|port| port.parse().ok());
        self.formats = words.skip(1).filter_map(|format| format.parse().ok()).collect();
    }

    fn attribute(&mut self, value: &str) {
        if let Some(direction) = Direction::read(value) {
            self.direction = direction;
        } else if let Some((format, name)) = value.strip_prefix("rtpmap:").and_then(|map| map.split_once(' ')) {
            self.names.extend(format.parse().ok().map(|format| (format, name.trim().to_owned())));
        }
    }

    fn law(&self, format: u8) -> Option<Law> {
        let named = self.names.iter().any(|(found, _)| *found == format);
        match format {
            0 if !named => Some(Law::Mu),
            8 if !named => Some(Law::A),
            _ => [Law::Mu, Law::A].into_iter().find(|law| self.named(format, law.word())),
        }
    }

    fn named(&self, format: u8, name: &str) -> bool {
        let wanted = format!("{name}/8000");
        let fits = |found: &str| found.strip_suffix("/1").unwrap_or(found).eq_ignore_ascii_case(&wanted);
        self.names.iter().any(|(found, name)| *found == format && fits(name))
    }
}

fn ip_of(value: &str) -> Option<IpAddr> {
    value.split_ascii_whitespace().nth(2)?.split('/').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_names_the_law_the_port_and_the_events() {
        let text = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\n\
            a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\nm=video 0 RTP/AVP 96\r\na=inactive\r\n";

        let plan = MediaPlan::read(text.as_bytes()).unwrap();

        assert_eq!(plan.remote, "192.0.2.9:4000".parse().unwrap());
        assert_eq!((plan.law, plan.payload, plan.events, plan.direction), (Law::A, 8, Some(101), Direction::Both));
    }

    #[test]
    fn a_refused_or_unknown_sound_is_no_plan() {
        for sound in ["m=audio 0 RTP/AVP 0", "m=audio 4000 RTP/AVP 9", "m=video 4000 RTP/AVP 0", "m=audio 4000 RTP/AVP"]
        {
            let text = format!("v=0\r\nc=IN IP4 192.0.2.9\r\n{sound}\r\n");
            assert_eq!(MediaPlan::read(text.as_bytes()), None, "{sound}");
        }
    }

    #[test]
    fn the_phone_reads_its_own_offer_and_answers_a_hold() {
        let ours = Ours { address: "192.0.2.1:2222".parse().unwrap(), session: 1, version: 1 };

        let plan = MediaPlan::read(ours.offer(Direction::SendOnly).as_bytes()).unwrap();

        assert_eq!((plan.law, plan.events), (Law::Mu, Some(127)));
        assert!(ours.answer(&plan).contains("a=recvonly\r\n"));
    }
}
