//! Whether a request makes sense before anybody looks at what it wants.
//!
//! Rules: RFC 3261 §§8.1.1, 8.2, 20; RFC 4475 for what malice and haste make of them.

use super::field::{self, CSeq, NameAddr, Via};
use super::message::{Message, Name, Start};
use super::uri::{Scheme, Uri, UriError};

/// No phone comes near; a bound on what is kept of a call.
const MAX_ID_BYTES: usize = 256;

/// A request whose every part that matters could be read.
pub(crate) struct Request<'a> {
    pub(crate) message: &'a Message<'a>,
    pub(crate) method: &'a str,
    pub(crate) uri: Uri<'a>,
    pub(crate) via: Via<'a>,
    pub(crate) from: NameAddr<'a>,
    pub(crate) to: NameAddr<'a>,
    pub(crate) call_id: &'a str,
    pub(crate) cseq: u32,
    pub(crate) body: &'a [u8],
}

/// The status a senseless request is answered with, and one more header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) status: u16,
    pub(crate) header: Option<(&'static str, String)>,
}

impl From<u16> for Fault {
    fn from(status: u16) -> Self {
        Self { status, header: None }
    }
}

impl<'a> Request<'a> {
    pub(crate) fn check(message: &'a Message<'a>) -> Result<Self, Fault> {
        let Start::Request { method, uri, version } = message.start else { return Err(400.into()) };
        check_version(version)?;
        let mut vias = message.listed(Name::Via).map(Via::parse);
        let via = vias.next().flatten().ok_or(400)?;
        let short = via.sent_by.len() <= MAX_ID_BYTES && via.branch().is_none_or(|branch| branch.len() <= MAX_ID_BYTES);
        if !short || !vias.all(|via| via.is_some()) {
            return Err(400.into());
        }
        let from = address(message, Name::From)?;
        let to = address(message, Name::To)?;
        let call_id = only(message, Name::CallId)?.filter(|id| is_call_id(id)).ok_or(400)?;
        let cseq = only(message, Name::CSeq)?.and_then(CSeq::parse).filter(|cseq| cseq.method == method).ok_or(400)?;
        if [from.tag(), to.tag()].into_iter().flatten().any(|tag| !field::is_token(tag) || tag.len() > MAX_ID_BYTES) {
            return Err(400.into());
        }
        let hops = only(message, Name::MaxForwards)?;
        if hops.is_some_and(|hops| field::decimal(hops).is_none_or(|hops| hops > 255)) {
            return Err(400.into());
        }
        let body = body(message)?;
        check_contacts(message, method)?;
        let uri = request_uri(uri)?;
        check_required(message, method)?;
        Ok(Self { message, method, uri, via, from, to, call_id, cseq: cseq.number, body })
    }

    /// Whom the request is about: To of REGISTER, From of the rest. Proves nothing.
    pub(crate) fn claimed_user(&self) -> Option<String> {
        let address = if self.method == "REGISTER" { &self.to } else { &self.from };
        Uri::parse(address.uri).ok()?.user_text()
    }

    /// The number dialed; that of a `tel:` counts like the user of a `sip:`. What means one of the emergency numbers
    /// in `emergency` - with visual separators (RFC 3966 §5.1.1), or as `urn:service:sos` (RFC 5031) - is that number.
    pub(crate) fn dialed(&self, emergency: &[String]) -> Option<String> {
        let user = self.uri.user_text()?;
        match self.uri.scheme {
            Scheme::Urn => Some(sos(&user, emergency).unwrap_or_else(|| format!("urn:{user}"))),
            // A number may carry parameters of its own (`911;phone-context=...`, RFC 3966), other users may not.
            Scheme::Sip | Scheme::Sips | Scheme::Tel => {
                let number = user.split(';').next().unwrap_or("");
                let bare = number.replace(['-', '.', '(', ')', ' '], "");
                if emergency.contains(&bare) {
                    return Some(bare);
                }
                let digits = number.bytes().all(|byte| byte.is_ascii_digit() || b"+*#-.()".contains(&byte));
                Some(if digits { number.to_owned() } else { user })
            }
        }
    }

    /// The `host:port` the phone knows us by.
    pub(crate) fn addressed_as(&self) -> String {
        match self.uri.port {
            Some(port) => format!("{}:{port}", self.uri.host),
            None => self.uri.host.to_owned(),
        }
    }

    pub(crate) fn user_agent(&self) -> Option<String> {
        let agent = self.message.header(Name::UserAgent)?;
        Some(agent.chars().filter(|char| !char.is_control()).take(256).collect())
    }

    /// The media type of the body in lower case.
    pub(crate) fn content_type(&self) -> String {
        let text = self.message.header(Name::ContentType).unwrap_or("");
        field::trim(text.split(';').next().unwrap_or("")).chars().take(64).collect::<String>().to_ascii_lowercase()
    }
}

/// The number that `urn:service:sos`, or a kind of it as `urn:service:sos.fire`, stands for; none for other services.
fn sos(name: &str, emergency: &[String]) -> Option<String> {
    let name = name.to_ascii_lowercase();
    let kind = name.strip_prefix("service:sos")?;
    let number = emergency.iter().find(|number| *number == "112").or(emergency.first())?;
    (kind.is_empty() || kind.starts_with('.')).then(|| number.clone())
}

fn check_version(version: &str) -> Result<(), Fault> {
    if version.eq_ignore_ascii_case("SIP/2.0") {
        return Ok(());
    }
    let other = version.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("SIP/"))
        && version
            .get(4..)
            .and_then(|number| number.split_once('.'))
            .is_some_and(|(major, minor)| field::decimal(major).is_some() && field::decimal(minor).is_some());
    Err(if other { 505 } else { 400 }.into())
}

/// The header that must not be there twice.
fn only<'a>(message: &Message<'a>, name: Name<'static>) -> Result<Option<&'a str>, Fault> {
    let mut all = message.all(name);
    let first = all.next();
    if all.next().is_some() { Err(400.into()) } else { Ok(first) }
}

fn address<'a>(message: &Message<'a>, name: Name<'static>) -> Result<NameAddr<'a>, Fault> {
    let address = only(message, name)?.and_then(NameAddr::parse).ok_or(400)?;
    match Uri::parse(address.uri) {
        Ok(_) | Err(UriError::Scheme) => Ok(address),
        Err(UriError::Malformed) => Err(400.into()),
    }
}

fn is_call_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_ID_BYTES && text.bytes().all(|byte| byte > b' ' && byte != 0x7f)
}

fn body<'a>(message: &Message<'a>) -> Result<&'a [u8], Fault> {
    let Some(len) = only(message, Name::ContentLength)? else { return Ok(message.body) };
    let len = field::decimal(len).and_then(|len| usize::try_from(len).ok()).ok_or(400)?;
    message.body.get(..len).ok_or_else(|| 400.into())
}

fn check_contacts(message: &Message<'_>, method: &str) -> Result<(), Fault> {
    for contact in message.listed(Name::Contact) {
        let fine = match NameAddr::parse(contact) {
            Some(NameAddr { uri: "*", .. }) => method == "REGISTER",
            Some(contact) => contact.uri.len() <= 512 && !matches!(Uri::parse(contact.uri), Err(UriError::Malformed)),
            None => false,
        };
        if !fine {
            return Err(400.into());
        }
    }
    Ok(())
}

fn request_uri(text: &str) -> Result<Uri<'_>, Fault> {
    match Uri::parse(text) {
        // Headers are forbidden in a Request-URI, and obeying them would be worse.
        Ok(uri) if uri.has_headers => Err(400.into()),
        Ok(uri) => Ok(uri),
        Err(UriError::Scheme) => Err(416.into()),
        Err(UriError::Malformed) => Err(400.into()),
    }
}

/// No extension is known here; ACK and CANCEL must not be refused for one (RFC 3261 §8.2.2.3).
fn check_required(message: &Message<'_>, method: &str) -> Result<(), Fault> {
    let mut unknown = message.listed(Name::Require).filter(|option| !option.is_empty()).take(16).peekable();
    if unknown.peek().is_none() || matches!(method, "ACK" | "CANCEL") {
        return Ok(());
    }
    let list = unknown.collect::<Vec<_>>().join(", ");
    Err(Fault { status: 420, header: Some(("Unsupported", list)) })
}
