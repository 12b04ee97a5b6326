//! Listen addresses as an operator writes them; names are looked up when they are bound.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use super::problem::Refusal;

/// Where a listener is opened, if it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// Not opened.
    Off,
    /// At this address.
    At {
        /// A name or an address, IPv6 without brackets.
        host: String,
        /// The port; 0 takes a free one.
        port: u16,
    },
}

impl Listen {
    /// This port of the loopback address.
    pub fn loopback(port: u16) -> Self {
        Self::At { host: "127.0.0.1".to_owned(), port }
    }

    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let refused = || Refusal::NotAnAddress { found: text.to_owned() };
        let (host, port) = text.rsplit_once(':').ok_or_else(refused)?;
        let host = bare_host(host).ok_or_else(refused)?;
        let port = parse_port(port).ok_or_else(refused)?;
        Ok(Self::At { host: host.to_owned(), port })
    }

    /// Whether nobody but this machine can reach it.
    pub fn is_off_or_loopback(&self) -> bool {
        match self {
            Self::Off => true,
            Self::At { host, .. } => match host.parse::<IpAddr>() {
                Ok(address) => address.is_loopback(),
                Err(_) => host.eq_ignore_ascii_case("localhost"),
            },
        }
    }
}

/// As it is written in `provost.toml`.
impl fmt::Display for Listen {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => out.write_str("off"),
            Self::At { host, port } if host.contains(':') => write!(out, "[{host}]:{port}"),
            Self::At { host, port } => write!(out, "{host}:{port}"),
        }
    }
}

/// A port in digits only; `u16::from_str` would take a `+` as well.
pub(super) fn parse_port(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Whether a phone or the resolver can take `text` for a host: a name or an address.
pub(super) fn is_host(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok() || is_name(text)
}

/// The host of `host:port` without the brackets an IPv6 address needs there.
fn bare_host(text: &str) -> Option<&str> {
    match text.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').filter(|address| address.parse::<Ipv6Addr>().is_ok()),
        None => is_name(text).then_some(text),
    }
}

/// Letters, digits, dots, hyphens and the underscores of container networks (RFC 1123 2.1).
fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !text.is_empty() && text.len() <= 253 && text.bytes().all(allowed)
}
