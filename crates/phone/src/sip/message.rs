//! SIP messages as this phone reads and writes them.
//!
//! Decides which bytes are a message and what its headers say; knows nothing of transactions. A message
//! the phone cannot read is dropped, as a phone does: there is nobody to complain to.
//! Rules: RFC 3261, 7 and 20; compact names by 7.3.3.

use std::fmt::{self, Write};

/// The most bytes of one message; a datagram holds no more.
pub(crate) const MESSAGE_LIMIT: usize = 65_535;

/// A message's first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Start {
    Request { method: String, uri: String },
    Answer { status: u16, reason: String },
}

/// A message that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) start: Start,
    /// Long names in lower case, and values without their outer blanks.
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Message {
    /// Reads one whole message; the body ends with its declared length.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let end = head_end(bytes)?;
        let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
        let mut lines = head.split("\r\n");
        let start = Start::read(lines.next()?)?;
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines.filter(|line| !line.is_empty()) {
            if line.starts_with([' ', '\t']) {
                let (_, value) = headers.last_mut()?;
                value.push(' ');
                value.push_str(line.trim());
            } else {
                let (name, value) = line.split_once(':')?;
                headers.push((long_name(name.trim()), value.trim().to_owned()));
            }
        }
        let mut message = Self { start, headers, body: bytes.get(end..)?.to_vec() };
        if let Some(length) = message.header("content-length") {
            message.body.truncate(length.parse().ok()?);
        }
        Some(message)
    }

    /// The first header of this long, lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every header of this name, each as its line came.
    pub(crate) fn all<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.headers.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The number and method of CSeq.
    pub(crate) fn cseq(&self) -> Option<(u32, &str)> {
        let (number, method) = self.header("cseq")?.split_once([' ', '\t'])?;
        Some((number.parse().ok()?, method.trim()))
    }

    /// The topmost Via.
    pub(crate) fn via(&self) -> Option<&str> {
        self.header("via")?.split(',').next().map(str::trim)
    }

    /// The branch of the topmost Via.
    pub(crate) fn branch(&self) -> Option<&str> {
        parameter(self.via()?, "branch")
    }
}

impl Start {
    fn read(line: &str) -> Option<Self> {
        if let Some(rest) = line.strip_prefix("SIP/2.0 ") {
            let (status, reason) = rest.split_once(' ').unwrap_or((rest, ""));
            let status = status.parse().ok().filter(|status| (100..700).contains(status))?;
            return Some(Self::Answer { status, reason: reason.to_owned() });
        }
        let (method, rest) = line.split_once(' ')?;
        let uri = rest.strip_suffix(" SIP/2.0")?;
        Some(Self::Request { method: method.to_owned(), uri: uri.to_owned() })
    }
}

/// A message being written.
#[derive(Debug, Clone)]
pub(crate) struct Draft(String);

impl Draft {
    pub(crate) fn request(method: &str, uri: &str) -> Self {
        Self(format!("{method} {uri} SIP/2.0\r\n"))
    }

    pub(crate) fn answer(status: u16, reason: &str) -> Self {
        Self(format!("SIP/2.0 {status} {reason}\r\n"))
    }

    pub(crate) fn header(mut self, name: &str, value: impl fmt::Display) -> Self {
        // Writing into a string cannot fail.
        let _ = write!(self.0, "{name}: {value}\r\n");
        self
    }

    /// Ends the head without a body.
    pub(crate) fn bare(self) -> Vec<u8> {
        self.header("Content-Length", 0).0.into_bytes().into_iter().chain(*b"\r\n").collect()
    }

    /// Ends the head and adds a body of this type.
    pub(crate) fn body(self, kind: &str, body: &str) -> Vec<u8> {
        let head = self.header("Content-Type", kind).header("Content-Length", body.len());
        format!("{}\r\n{body}", head.0).into_bytes()
    }
}

/// Where the body begins: behind the first empty line.
pub(crate) fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").and_then(|at| at.checked_add(4))
}

/// The length of the message at the beginning of a stream; `None` until its head has come.
///
/// A message without a length ends with its head (RFC 3261, 20.14 demands one on streams).
pub(crate) fn framed_length(bytes: &[u8]) -> Option<usize> {
    let end = head_end(bytes)?;
    let head = String::from_utf8_lossy(bytes.get(..end)?).into_owned();
    let length = head
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .find_map(|(name, value)| (long_name(name.trim()) == "content-length").then(|| value.trim().parse().ok()));
    end.checked_add(length.flatten().unwrap_or(0))
}

/// The URI of a From, To, Contact or Route value.
pub(crate) fn uri_of(value: &str) -> &str {
    match value.split_once('<') {
        Some((_, rest)) => rest.split('>').next().unwrap_or(rest),
        None => value.split([';', ',']).next().unwrap_or(value).trim(),
    }
}

/// A parameter of a header value, outside of its URI.
pub(crate) fn parameter<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let behind = value.rsplit_once('>').map_or(value, |(_, behind)| behind);
    behind.split(';').skip(1).find_map(|parameter| {
        let (found, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        found.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// The host and port of a SIP URI.
pub(crate) fn host_of(uri: &str) -> Option<(&str, Option<u16>)> {
    let (scheme, rest) = uri.split_once(':')?;
    if !scheme.eq_ignore_ascii_case("sip") {
        return None;
    }
    let rest = rest.split([';', '?']).next()?;
    host_and_port(rest.rsplit_once('@').map_or(rest, |(_, host)| host))
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`.
pub(crate) fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, behind) = rest.split_once(']')?;
            (host, behind.strip_prefix(':'))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    match port {
        Some(port) => Some((host, Some(port.trim().parse().ok()?))),
        None => Some((host.trim(), None)),
    }
}

fn long_name(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "v" => "via",
        "f" => "from",
        "t" => "to",
        "i" => "call-id",
        "m" => "contact",
        "l" => "content-length",
        "c" => "content-type",
        "o" => "event",
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_names_folded_lines_and_a_long_datagram_are_read() {
        let text = b"SIP/2.0 200 OK\r\nv: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx;rport=5\r\n\
            t: \"A;tag=no\"\r\n <sip:a@b;tag=none>;tag=yes\r\nl: 2\r\n\r\nokrest";

        let message = Message::read(text).unwrap();

        assert_eq!(message.branch(), Some("z9hG4bKx"));
        assert_eq!(parameter(message.header("to").unwrap(), "tag"), Some("yes"));
        assert_eq!(message.body, b"ok");
    }

    #[test]
    fn what_is_no_message_is_dropped() {
        for bytes in [&b"\r\n\r\n"[..], b"", b"GET / HTTP/1.1\r\n\r\n", b"SIP/2.0 99 x\r\n\r\n", b"\xff\xfe\r\n\r\n"] {
            assert_eq!(Message::read(bytes), None);
        }
    }

    #[test]
    fn hosts_and_ports_are_found_in_uris() {
        let cases = [
            ("sip:a@192.0.2.1:5070;transport=tcp", Some(("192.0.2.1", Some(5070)))),
            ("sip:pbx.example.net", Some(("pbx.example.net", None))),
            ("sip:a@[2001:db8::1]:5060", Some(("2001:db8::1", Some(5060)))),
            ("tel:+123", None),
        ];
        for (uri, host) in cases {
            assert_eq!(host_of(uri), host, "{uri}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let bytes = Draft::request("INFO", "sip:x@y").header("CSeq", "7 INFO").body("text/plain", "hello");

        let message = Message::read(&bytes).unwrap();

        assert_eq!(message.cseq(), Some((7, "INFO")));
        assert_eq!(message.body, b"hello");
        assert_eq!(framed_length(&bytes), Some(bytes.len()));
    }
}
