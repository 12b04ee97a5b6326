//! The address phones are told: `public-url`.
//!
//! Decides what such an address may be and whether a request came in at it. It never resolves a
//! name. A missing port means 443, both in the address and in a Host header (contract).

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// An `https` address without path: host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    host: String,
    port: u16,
}

/// Text that is no address phones can be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublicUrlError {
    /// Not `https://`.
    #[error("`{found}` does not start with https://; phones get secrets from this address")]
    Scheme {
        /// The text.
        found: String,
    },
    /// A path, query or user information.
    #[error("`{found}` holds more than a host and a port; phones ask at the root, so write https://HOST[:PORT]")]
    More {
        /// The text.
        found: String,
    },
    /// Not a host name or address.
    #[error("`{found}` has no host that a phone could look up; use letters, digits, dots and dashes, or an IP address")]
    Host {
        /// The text.
        found: String,
    },
    /// A port that is no number from 1 to 65535.
    #[error("`{found}` has a port that is not a number from 1 to 65535")]
    Port {
        /// The text.
        found: String,
    },
}

impl PublicUrl {
    /// The address `https://host:port`; `host` as [`FromStr`] would take it.
    pub fn new(host: &str, port: u16) -> Result<Self, PublicUrlError> {
        let host = host.to_ascii_lowercase();
        if !host_is_plausible(&host) {
            return Err(PublicUrlError::Host { found: host });
        }
        Ok(Self { host, port })
    }

    /// The host: a name in lower case, an IPv4 address, or an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// `host` or `host:port`, without the port when it is 443: what a phone's server address field takes.
    pub fn authority(&self) -> String {
        if self.port == 443 { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }

    /// `host:port`, with the port even when it is 443.
    pub fn authority_with_port(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The host as certificates hold it: an IPv6 address without brackets.
    pub fn bare_host(&self) -> &str {
        self.host.trim_matches(['[', ']'])
    }

    /// Whether a certificate for these names and addresses is one for this host (RFC 6125, wildcard as the whole
    /// first label only).
    pub fn is_covered_by(&self, names: &[String]) -> bool {
        let host = self.bare_host();
        let address = host.parse::<IpAddr>();
        names.iter().any(|name| match &address {
            Ok(address) => name.parse() == Ok(*address),
            Err(_) => {
                let wild = name.strip_prefix("*.").zip(host.split_once('.'));
                name.eq_ignore_ascii_case(host)
                    || wild.is_some_and(|(domain, (_, rest))| domain.eq_ignore_ascii_case(rest))
            }
        })
    }

    /// Whether a request with this Host header came in at this very address.
    pub fn matches_host_header(&self, header: &str) -> bool {
        split_authority(header.trim())
            .is_some_and(|(host, port)| host.eq_ignore_ascii_case(&self.host) && port.unwrap_or(443) == self.port)
    }
}

/// Host and optional port of `host[:port]`; `None` when the port is no number.
fn split_authority(text: &str) -> Option<(&str, Option<u16>)> {
    let after_bracket = text.rfind(']').map_or(0, |at| at.saturating_add(1));
    let colon = text.get(after_bracket..).and_then(|rest| rest.find(':')).map(|at| at.saturating_add(after_bracket));
    match colon {
        None => Some((text, None)),
        Some(at) => {
            let (host, port) = text.split_at_checked(at)?;
            let digits = port.strip_prefix(':')?;
            // `parse` alone would take "+443".
            let port = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u16>().ok())??;
            Some((host, Some(port)))
        }
    }
}

fn host_is_plausible(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return inner.parse::<std::net::Ipv6Addr>().is_ok();
    }
    !host.is_empty()
        && host.len() <= 253
        && host.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        })
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, PublicUrlError> {
        let found = || text.to_owned();
        let Some(rest) = text.strip_prefix("https://") else {
            return Err(PublicUrlError::Scheme { found: found() });
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains('@') {
            // What stands before the @ may be a password: it is not repeated.
            return Err(PublicUrlError::More { found: "https://…@…".to_owned() });
        }
        if rest.contains(['/', '?', '#']) {
            return Err(PublicUrlError::More { found: found() });
        }
        let Some((host, port)) = split_authority(rest) else {
            return Err(PublicUrlError::Port { found: found() });
        };
        let port = port.unwrap_or(443);
        if port == 0 {
            return Err(PublicUrlError::Port { found: found() });
        }
        Self::new(host, port).map_err(|_| PublicUrlError::Host { found: found() })
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "https://{}", self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> PublicUrl {
        text.parse().unwrap()
    }

    #[test]
    fn a_missing_port_means_443_on_both_sides() {
        assert!(url("https://p.example").matches_host_header("P.example:443"));
        assert!(url("https://p.example:443").matches_host_header("p.example"));
        assert!(!url("https://p.example:8443").matches_host_header("p.example"));
        assert_eq!(url("https://p.example:443/").to_string(), "https://p.example");
    }

    #[test]
    fn ipv6_addresses_stand_in_brackets() {
        let six = url("https://[2001:db8::1]:8443");
        assert!(six.matches_host_header("[2001:DB8::1]:8443"));
        assert_eq!(six.host(), "[2001:db8::1]");
    }

    #[test]
    fn a_certificate_covers_its_names_their_wildcards_and_addresses_however_written() {
        let covered = |text: &str, name: &str| url(text).is_covered_by(&["other.example".to_owned(), name.to_owned()]);

        assert!(covered("https://p.example:8443", "P.Example") && covered("https://a.p.example", "*.p.example"));
        assert!(covered("https://[2001:db8::1]", "2001:0db8:0:0:0:0:0:1") && covered("https://192.0.2.1", "192.0.2.1"));
        for (text, name) in [
            ("https://p.example", "*.p.example"),
            ("https://a.b.p.example", "*.p.example"),
            ("https://a.p.example", "a*.p.example"),
            ("https://192.0.2.1", "*.0.2.1"),
        ] {
            assert!(!covered(text, name), "{text} by {name}");
        }
    }

    #[test]
    fn what_a_phone_could_not_use_is_refused_in_words() {
        for (text, part) in [
            ("http://p.example", "https://"),
            ("https://p.example/path", "more than a host"),
            ("https://", "no host"),
            ("https://p.example:0", "port"),
            ("https://p.example:x", "port"),
            ("https://p.example:+443", "port"),
            ("https://user:secret@p.example", "more than a host"),
            ("https://p_x.example", "no host"),
        ] {
            assert!(text.parse::<PublicUrl>().unwrap_err().to_string().contains(part), "{text}");
        }
    }

    #[test]
    fn odd_host_headers_do_not_match_and_do_not_panic() {
        for header in ["", ":", "]:", "[", "p.example:", "p.example:99999", "é", "a:b:c"] {
            assert!(!url("https://p.example").matches_host_header(header), "{header}");
        }
    }
}
