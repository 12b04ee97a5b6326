//! One message, taken apart into its start line, headers and body; all borrowed from the bytes that came.
//!
//! Decides only whether the bytes have the shape of a message; whether a request makes sense is for the machine. Lines
//! end with CRLF and nothing else, the head is UTF-8, folded lines are kept folded. Rules: RFC 3261 §§7, 25.1.

use std::fmt;

use super::field;

/// More headers than any phone sends; a bound on what a stranger can make us collect.
const MAX_HEADERS: usize = 256;

/// A request or response. It may hold a dialed code or a proof, so it prints its first line only, and of that no URI.
#[derive(Clone, PartialEq, Eq)]
pub struct Message<'a> {
    /// What the first line says.
    pub start: Start<'a>,
    /// Everything after the empty line.
    pub body: &'a [u8],
    headers: Vec<(Name<'a>, &'a str)>,
}

/// The first line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Start<'a> {
    /// A request; the parts are unchecked.
    Request {
        /// `INVITE`; case matters.
        method: &'a str,
        /// The Request-URI.
        uri: &'a str,
        /// `SIP/2.0`, one hopes.
        version: &'a str,
    },
    /// A response of version 2.0.
    Response {
        /// 100 to 699.
        status: u16,
        /// For people.
        reason: &'a str,
    },
}

/// What is wrong with bytes that should be a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxError {
    /// Nothing but line ends.
    #[error("the message is empty")]
    Empty,
    /// A head in another encoding than UTF-8.
    #[error("the head is not UTF-8")]
    NotText,
    /// A line that does not end with CRLF.
    #[error("a line ends with something else than CRLF")]
    LineEnd,
    /// The first line is neither a request's nor a response's.
    #[error("the first line is neither a request nor a response")]
    StartLine,
    /// A line without colon or with a name that is none.
    #[error("a header has no name")]
    HeaderName,
    /// More than 256 headers.
    #[error("there are more than {MAX_HEADERS} headers")]
    TooManyHeaders,
}

/// The name of a header, whatever its case and whether in its short form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is named as the header is")]
pub enum Name<'a> {
    Accept,
    Allow,
    Authorization,
    CallId,
    Contact,
    ContentEncoding,
    ContentLength,
    ContentType,
    CSeq,
    Event,
    Expires,
    From,
    MaxForwards,
    MinExpires,
    ProxyAuthenticate,
    ProxyRequire,
    RecordRoute,
    Require,
    RetryAfter,
    Route,
    Server,
    SubscriptionState,
    Supported,
    To,
    Unsupported,
    UserAgent,
    Via,
    WwwAuthenticate,
    /// Any other, as sent.
    Other(&'a str),
}

/// The long form, the short form if there is one, the name. Source: RFC 3261 §20, RFC 6665 §8.2.1.
const NAMES: [(&str, &str, Name<'static>); 28] = [
    ("Via", "v", Name::Via),
    ("From", "f", Name::From),
    ("To", "t", Name::To),
    ("Call-ID", "i", Name::CallId),
    ("CSeq", "", Name::CSeq),
    ("Contact", "m", Name::Contact),
    ("Max-Forwards", "", Name::MaxForwards),
    ("Content-Length", "l", Name::ContentLength),
    ("Authorization", "", Name::Authorization),
    ("User-Agent", "", Name::UserAgent),
    ("Expires", "", Name::Expires),
    ("Content-Type", "c", Name::ContentType),
    ("Supported", "k", Name::Supported),
    ("Allow", "", Name::Allow),
    ("Accept", "", Name::Accept),
    ("Content-Encoding", "e", Name::ContentEncoding),
    ("Event", "o", Name::Event),
    ("Min-Expires", "", Name::MinExpires),
    ("Proxy-Authenticate", "", Name::ProxyAuthenticate),
    ("Proxy-Require", "", Name::ProxyRequire),
    ("Record-Route", "", Name::RecordRoute),
    ("Require", "", Name::Require),
    ("Retry-After", "", Name::RetryAfter),
    ("Route", "", Name::Route),
    ("Server", "", Name::Server),
    ("Subscription-State", "", Name::SubscriptionState),
    ("Unsupported", "", Name::Unsupported),
    ("WWW-Authenticate", "", Name::WwwAuthenticate),
];

impl<'a> Name<'a> {
    /// The header that `text` names.
    #[must_use]
    pub fn of(text: &'a str) -> Self {
        let is = |form: &str| !form.is_empty() && text.eq_ignore_ascii_case(form);
        NAMES.iter().find(|(long, short, _)| is(long) || is(short)).map_or(Self::Other(text), |(_, _, name)| *name)
    }

    /// The long form.
    #[must_use]
    pub fn text(self) -> &'a str {
        match self {
            Self::Other(text) => text,
            name => NAMES.iter().find(|(_, _, known)| *known == name).map_or("", |(long, _, _)| long),
        }
    }
}

impl<'a> Message<'a> {
    /// Takes one whole message apart. The body is all that follows the head, whatever Content-Length says.
    ///
    /// # Errors
    /// [`SyntaxError`] when the shape is wrong.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, SyntaxError> {
        let bytes = without_leading_line_ends(bytes);
        let (head, body) = split_head(bytes);
        let head = std::str::from_utf8(head).map_err(|_| SyntaxError::NotText)?;
        let (first, mut rest) = line(head)?;
        let start = start(first)?;
        let mut headers = Vec::with_capacity(16);
        while !rest.is_empty() {
            let (text, after) = logical_line(rest)?;
            rest = after;
            if headers.len() >= MAX_HEADERS {
                return Err(SyntaxError::TooManyHeaders);
            }
            let (name, value) = text.split_once(':').ok_or(SyntaxError::HeaderName)?;
            let name = name.trim_end_matches([' ', '\t']);
            if !field::is_token(name) {
                return Err(SyntaxError::HeaderName);
            }
            headers.push((Name::of(name), field::trim(value)));
        }
        Ok(Self { start, body, headers })
    }

    /// What can be read of a broken request, so that it can be answered.
    pub(crate) fn salvage(text: &'a str) -> Option<Self> {
        let mut lines = text.trim_start_matches(['\r', '\n']).lines();
        let (method, _) = lines.next()?.split_once([' ', '\t'])?;
        let lines = lines.take_while(|line| !field::trim(line).is_empty()).take(MAX_HEADERS);
        let headers = lines.filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (Name::of(field::trim(name)), field::trim(value))).collect();
        let start = Start::Request { method, uri: "", version: "" };
        field::is_token(method).then_some(Self { start, body: &[], headers })
    }

    /// The first header of that name, trimmed, perhaps folded.
    #[must_use]
    pub fn header(&self, name: Name<'_>) -> Option<&'a str> {
        self.all(name).next()
    }

    /// Every header of that name, in order.
    pub fn all<'m>(&'m self, name: Name<'m>) -> impl Iterator<Item = &'a str> + 'm {
        self.headers.iter().filter(move |(found, _)| same(*found, name)).map(|(_, value)| *value)
    }

    /// The elements of every header of that name, where a comma is as good as another header.
    pub fn listed<'m>(&'m self, name: Name<'m>) -> impl Iterator<Item = &'a str> + 'm {
        self.all(name).flat_map(field::list)
    }

    /// The method of a request.
    #[must_use]
    pub const fn method(&self) -> Option<&'a str> {
        match self.start {
            Start::Request { method, .. } => Some(method),
            Start::Response { .. } => None,
        }
    }

    /// The status of a response.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self.start {
            Start::Request { .. } => None,
            Start::Response { status, .. } => Some(status),
        }
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} with {} headers and {} bytes", self.start, self.headers.len(), self.body.len())
    }
}

impl fmt::Debug for Start<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request { method, version, .. } => write!(f, "{method} *** {version}"),
            Self::Response { status, reason } => write!(f, "{status} {reason}"),
        }
    }
}

fn same(found: Name<'_>, wanted: Name<'_>) -> bool {
    match (found, wanted) {
        (Name::Other(found), Name::Other(wanted)) => found.eq_ignore_ascii_case(wanted),
        (found, wanted) => found == wanted,
    }
}

/// Line ends before a message are skipped (RFC 3261 §7.5); two of them alone are a keep-alive.
fn without_leading_line_ends(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while let Some(after) = rest.strip_prefix(b"\r\n") {
        rest = after;
    }
    rest
}

/// The head with the CRLF of its last line, and the body. A datagram that ends with its head is complete.
fn split_head(bytes: &[u8]) -> (&[u8], &[u8]) {
    match field::end_of_head(bytes) {
        Some(at) => {
            let (head, rest) = bytes.split_at_checked(at.saturating_add(2)).unwrap_or((bytes, &[]));
            (head, rest.get(2..).unwrap_or(&[]))
        }
        None => (bytes, &[]),
    }
}

/// The next line and what follows it.
fn line(text: &str) -> Result<(&str, &str), SyntaxError> {
    if text.is_empty() {
        return Err(SyntaxError::Empty);
    }
    let (line, rest) = text.split_once('\n').ok_or(SyntaxError::LineEnd)?;
    let line = line.strip_suffix('\r').ok_or(SyntaxError::LineEnd)?;
    if line.contains('\r') { Err(SyntaxError::LineEnd) } else { Ok((line, rest)) }
}

/// The next line with the lines that continue it, and what follows them.
fn logical_line(text: &str) -> Result<(&str, &str), SyntaxError> {
    let (first, mut rest) = line(text)?;
    let mut len = first.len();
    while rest.starts_with([' ', '\t']) {
        let (more, after) = line(rest)?;
        len = len.saturating_add(2).saturating_add(more.len());
        rest = after;
    }
    Ok((text.get(..len).unwrap_or(first), rest))
}

fn start(line: &str) -> Result<Start<'_>, SyntaxError> {
    if let Some(status) = line.strip_prefix("SIP/2.0 ") {
        let (code, reason) = status.split_once(' ').unwrap_or((status, ""));
        let digits = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit());
        let status = code.parse::<u16>().ok().filter(|code| digits && (100..700).contains(code));
        return status.map(|status| Start::Response { status, reason }).ok_or(SyntaxError::StartLine);
    }
    let (method, rest) = line.split_once(' ').ok_or(SyntaxError::StartLine)?;
    let (uri, version) = rest.rsplit_once(' ').ok_or(SyntaxError::StartLine)?;
    if field::is_token(method) { Ok(Start::Request { method, uri, version }) } else { Err(SyntaxError::StartLine) }
}
