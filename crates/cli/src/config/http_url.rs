//! The plain-HTTP address phones without TLS may be told: a host and a port, nothing after them.

use std::fmt;

use provost_core::public_url::PublicUrl;

use super::problem::Refusal;

/// What `http://` means without a port.
const HTTP_PORT: u16 = 80;

/// The plain-HTTP counterpart of [`PublicUrl`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpUrl {
    host: String,
    port: u16,
}

impl HttpUrl {
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let refused = || Refusal::NotAnHttpUrl { found: text.to_owned() };
        let rest = text.strip_prefix("http://").ok_or_else(refused)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        // Hosts and ports follow the same rules under both schemes; only the implied port differs.
        let url: PublicUrl = format!("https://{rest}").parse().map_err(|_| refused())?;
        let port = if rest.len() == url.host().len() { HTTP_PORT } else { url.port() };
        Ok(Self { host: url.host().to_owned(), port })
    }

    /// The same host as `url` has, at this port.
    pub fn at(url: &PublicUrl, port: u16) -> Self {
        Self { host: url.host().to_owned(), port }
    }

    /// The host: a name in lower case, an IPv4 address, or an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, written or not.
    pub const fn port(&self) -> u16 {
        self.port
    }
}

/// Scheme, host, and the port unless it is 80; no slash at the end.
impl fmt::Display for HttpUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "http://{}", self.host)?;
        if self.port == HTTP_PORT { Ok(()) } else { write!(out, ":{}", self.port) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_without_a_port_means_80_and_is_shown_without_it() {
        for text in ["http://Phones.Example.com", "http://phones.example.com:80/"] {
            let url = HttpUrl::parse(text).unwrap();

            assert_eq!((url.host(), url.port()), ("phones.example.com", 80));
            assert_eq!(url.to_string(), "http://phones.example.com");
        }
        for text in ["http://phones.example.com:443", "http://[2001:db8::1]:8080", "http://[2001:db8::1]"] {
            assert_eq!(HttpUrl::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_phones_could_not_ask_at_is_refused() {
        for text in
            ["phones.example.com", "https://h", "http://", "http://h/path", "http://h/?q", "http://h:0", "http://u@h"]
        {
            assert!(HttpUrl::parse(text).is_err(), "{text}");
        }
    }
}
