//! Addresses: `sip:user@host:port;params`, and the little that is needed of `tel:` and `urn:`.
//!
//! Rules: RFC 3261 §19.1, RFC 3966, RFC 5031.

use std::fmt;

use super::field::{self, Params};

/// An address taken apart. The user may be a dialed code, so it prints as `***`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Uri<'a> {
    /// What kind.
    pub scheme: Scheme,
    /// The part before the `@` without password, escapes and all; the number of `tel:`, the name of `urn:`.
    pub user: Option<&'a str>,
    /// A name, an IPv4 address, or an IPv6 address in brackets; empty for `tel:` and `urn:`.
    pub host: &'a str,
    /// The port, when one is named.
    pub port: Option<u16>,
    /// `;transport=tcp`.
    pub params: Params<'a>,
    /// Whether headers follow (`?Route=...`), which a Request-URI must not have.
    pub has_headers: bool,
}

/// The schemes that mean something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
    /// `tel:`
    Tel,
    /// `urn:`, of which emergency services are some.
    Urn,
}

/// What is wrong with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// A well-formed address of another kind.
    #[error("the scheme is none of sip, sips, tel and urn")]
    Scheme,
    /// No address at all.
    #[error("the address is malformed")]
    Malformed,
}

impl<'a> Uri<'a> {
    /// Takes an address apart.
    ///
    /// # Errors
    /// [`UriError::Scheme`] for another scheme, [`UriError::Malformed`] for the rest.
    pub fn parse(text: &'a str) -> Result<Self, UriError> {
        if !text.bytes().all(|byte| byte > b' ' && byte != 0x7f && !b"<>\"\\".contains(&byte)) {
            return Err(UriError::Malformed);
        }
        let (scheme, rest) = text.split_once(':').ok_or(UriError::Malformed)?;
        let scheme = match scheme {
            _ if scheme.eq_ignore_ascii_case("sip") => Scheme::Sip,
            _ if scheme.eq_ignore_ascii_case("sips") => Scheme::Sips,
            _ if scheme.eq_ignore_ascii_case("tel") => Scheme::Tel,
            _ if scheme.eq_ignore_ascii_case("urn") => Scheme::Urn,
            _ if is_scheme(scheme) => return Err(UriError::Scheme),
            _ => return Err(UriError::Malformed),
        };
        match scheme {
            Scheme::Sip | Scheme::Sips => Self::sip(scheme, rest).ok_or(UriError::Malformed),
            Scheme::Tel | Scheme::Urn => Self::opaque(scheme, rest).ok_or(UriError::Malformed),
        }
    }

    fn opaque(scheme: Scheme, rest: &'a str) -> Option<Self> {
        let (user, params) = rest.split_at_checked(rest.find(';').unwrap_or(rest.len()))?;
        let params = Params::parse(params)?;
        (!user.is_empty()).then_some(Self {
            scheme,
            user: Some(user),
            host: "",
            port: None,
            params,
            has_headers: false,
        })
    }

    fn sip(scheme: Scheme, rest: &'a str) -> Option<Self> {
        let (user, rest) = match rest.split_once('@') {
            Some((user, rest)) => (Some(user.split_once(':').map_or(user, |(user, _)| user)), rest),
            None => (None, rest),
        };
        let (rest, has_headers) = rest.split_once('?').map_or((rest, false), |(rest, _)| (rest, true));
        let (host_port, params) = rest.split_at_checked(rest.find(';').unwrap_or(rest.len()))?;
        let (host, port) = host_and_port(host_port)?;
        let params = Params::parse(params)?;
        (user != Some("")).then_some(Self { scheme, user, host, port, params, has_headers })
    }

    /// The user with escapes undone; none when there is none or what is escaped is not UTF-8.
    #[must_use]
    pub fn user_text(&self) -> Option<String> {
        unescape(self.user?)
    }
}

impl fmt::Debug for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ***@{}", self.scheme, self.host)
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    let end =
        if text.starts_with('[') { text.find(']')?.checked_add(1)? } else { text.find(':').unwrap_or(text.len()) };
    let (host, port) = text.split_at_checked(end)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
    if host.is_empty() || !host.bytes().all(allowed) {
        return None;
    }
    if port.is_empty() {
        return Some((host, None));
    }
    let port = u16::try_from(field::decimal(port.strip_prefix(':')?)?).ok()?;
    Some((host, Some(port)))
}

/// Undoes `%41`; none when an escape is broken or the outcome is not UTF-8.
fn unescape(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = text.bytes();
    let mut plain = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let (high, low) = (hex_digit_value(bytes.next()?)?, hex_digit_value(bytes.next()?)?);
            plain.push(high << 4 | low);
        } else {
            plain.push(byte);
        }
    }
    String::from_utf8(plain).ok()
}

/// The value of a hexadecimal digit.
pub(crate) const fn hex_digit_value(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(byte.wrapping_sub(b'a').wrapping_add(10)),
        b'A'..=b'F' => Some(byte.wrapping_sub(b'A').wrapping_add(10)),
        _ => None,
    }
}
