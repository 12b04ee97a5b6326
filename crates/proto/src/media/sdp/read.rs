//! Reads a description line by line.

use super::{Audio, Description, Direction, MAX_LEN, MAX_MEDIA, MediaLine, SdpError};
use crate::media::g711::Law;
use std::net::{IpAddr, SocketAddr};

/// Milliseconds in a packet unless the other side says otherwise (RFC 3551 §4.5).
const PACKET_MS: u16 = 20;
/// What we send whatever is asked for: less is a flood, more is a gap when one is lost.
const PACKET_MS_RANGE: std::ops::RangeInclusive<u16> = 10..=60;

/// A media line with its attributes, while reading.
struct Media<'a> {
    kind: &'a str,
    port: u16,
    protocol: &'a str,
    formats: &'a str,
    connection: Option<IpAddr>,
    direction: Option<Direction>,
    packet_ms: Option<u16>,
    /// Payload type and encoding, as `PCMU/8000`.
    names: Vec<(u8, &'a str)>,
}

pub(super) fn description(body: &[u8]) -> Result<Description, SdpError> {
    let text = std::str::from_utf8(body).ok().filter(|_| body.len() <= MAX_LEN).ok_or(SdpError::NotText(body.len()))?;
    let mut session = Session::default();
    for (index, line) in text.lines().enumerate() {
        let number = index.saturating_add(1);
        let line = line.trim_end();
        if number == 1 {
            if line.trim() != "v=0" {
                return Err(SdpError::Version);
            }
        } else if let Some((name, value)) = line.split_once('=') {
            session.line(name, value, number)?;
        }
        // A line without `=` decides nothing; old firmware ends its descriptions with one.
    }
    if text.is_empty() {
        return Err(SdpError::Version);
    }
    session.finish()
}

#[derive(Default)]
struct Session<'a> {
    connection: Option<IpAddr>,
    direction: Option<Direction>,
    media: Vec<Media<'a>>,
}

impl<'a> Session<'a> {
    fn line(&mut self, name: &str, value: &'a str, number: usize) -> Result<(), SdpError> {
        match name {
            "m" => {
                if self.media.len() == MAX_MEDIA {
                    return Err(SdpError::TooManyMedia);
                }
                let wanted = "m=<media> <port> <protocol> <formats>";
                self.media.push(media_line(value).ok_or(SdpError::Line { line: number, wanted })?);
            }
            "c" => match self.media.last_mut() {
                Some(media) => media.connection = connection(value),
                None => self.connection = connection(value),
            },
            "a" => {
                if let Some(direction) = direction(value) {
                    match self.media.last_mut() {
                        Some(media) => media.direction = Some(direction),
                        None => self.direction = Some(direction),
                    }
                } else if let Some(media) = self.media.last_mut() {
                    attribute(media, value);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<Description, SdpError> {
        let mut why = SdpError::NoAudio;
        let mut found: Option<(usize, Audio)> = None;
        for (index, media) in self.media.iter().enumerate() {
            if found.is_some() || media.port == 0 || !media.kind.eq_ignore_ascii_case("audio") {
                continue;
            }
            match self.audio(media) {
                Ok(audio) => found = Some((index, audio)),
                Err(error) => why = error,
            }
        }
        let (chosen, audio) = found.ok_or(why)?;
        let lines = self.media.iter().enumerate().map(|(index, media)| MediaLine {
            kind: media.kind.to_owned(),
            protocol: media.protocol.to_owned(),
            formats: media.formats.to_owned(),
            chosen: index == chosen,
        });
        Ok(Description { audio, lines: lines.collect() })
    }

    fn audio(&self, media: &Media<'_>) -> Result<Audio, SdpError> {
        let protocol = media.protocol.to_ascii_uppercase();
        if protocol.contains("SAVP") {
            return Err(SdpError::Encrypted);
        }
        if protocol != "RTP/AVP" && protocol != "RTP/AVPF" {
            return Err(SdpError::NoAudio);
        }
        let types = || media.formats.split_ascii_whitespace().filter_map(|format| format.parse::<u8>().ok());
        let (payload_type, law) =
            types().find_map(|number| Some((number, media.law(number)?))).ok_or(SdpError::NoCodec)?;
        let ip = media.connection.or(self.connection).ok_or(SdpError::NoAddress)?;
        Ok(Audio {
            address: SocketAddr::new(ip, media.port),
            law,
            payload_type,
            events: types().find(|number| media.is_events(*number)),
            packet_ms: media.packet_ms.unwrap_or(PACKET_MS),
            direction: media.direction.or(self.direction).unwrap_or_default(),
            held: ip.is_unspecified(),
        })
    }
}

impl Media<'_> {
    fn named(&self, number: u8) -> Option<(&str, &str)> {
        let (_, encoding) = self.names.iter().find(|(named, _)| *named == number)?;
        let (name, clock) = encoding.split_once('/').unwrap_or((*encoding, "8000"));
        // One channel may be said or not.
        Some((name, clock.strip_suffix("/1").unwrap_or(clock)))
    }

    /// The law of a payload type; 0 and 8 need no rtpmap line, but if there is one, it counts.
    fn law(&self, number: u8) -> Option<Law> {
        match self.named(number) {
            Some((name, "8000")) if name.eq_ignore_ascii_case("PCMU") => Some(Law::Mu),
            Some((name, "8000")) if name.eq_ignore_ascii_case("PCMA") => Some(Law::A),
            Some(_) => None,
            None => [Law::Mu, Law::A].into_iter().find(|law| law.payload_type() == number),
        }
    }

    /// Whether these are keys with the audio's own clock; phones with wideband codecs name a second one with theirs.
    fn is_events(&self, number: u8) -> bool {
        matches!(self.named(number), Some((name, "8000")) if name.eq_ignore_ascii_case("telephone-event"))
    }
}

/// `audio 2222 RTP/AVP 0 8 101`; the port may have a count after a slash.
fn media_line(value: &str) -> Option<Media<'_>> {
    let (kind, rest) = value.trim().split_once(' ')?;
    let (port, rest) = rest.trim_start().split_once(' ')?;
    let (protocol, formats) = rest.trim_start().split_once(' ')?;
    let port = port.split('/').next()?.parse().ok()?;
    // These words come back in the answer.
    let plain = [kind, protocol, formats].iter().all(|word| !word.is_empty() && word.bytes().all(is_shown));
    plain.then(|| Media {
        kind,
        port,
        protocol,
        formats: formats.trim(),
        connection: None,
        direction: None,
        packet_ms: None,
        names: Vec::new(),
    })
}

const fn is_shown(byte: u8) -> bool {
    byte == b' ' || byte.is_ascii_graphic()
}

/// `IN IP4 10.0.0.7`; nothing for a name, which is not looked up.
fn connection(value: &str) -> Option<IpAddr> {
    let mut words = value.split_ascii_whitespace();
    let address = words.nth(2)?;
    // A time to live may follow a slash.
    address.split('/').next()?.parse().ok()
}

fn direction(attribute: &str) -> Option<Direction> {
    let all = [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive];
    all.into_iter().find(|direction| attribute.trim().eq_ignore_ascii_case(direction.word()))
}

fn attribute<'a>(media: &mut Media<'a>, attribute: &'a str) {
    let Some((name, value)) = attribute.split_once(':') else { return };
    let value = value.trim();
    if name.eq_ignore_ascii_case("ptime") {
        // Some phones write 20.0.
        let whole = value.split('.').next().and_then(|whole| whole.parse::<u16>().ok());
        media.packet_ms = whole.map(|ms| ms.clamp(*PACKET_MS_RANGE.start(), *PACKET_MS_RANGE.end()));
    } else if name.eq_ignore_ascii_case("rtpmap") {
        let named = value.split_once(' ').and_then(|(number, encoding)| Some((number.parse().ok()?, encoding.trim())));
        media.names.extend(named);
    }
}
