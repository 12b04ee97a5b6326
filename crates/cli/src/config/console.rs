//! `[console]`: how browsers reach the web interface, and whether it may be reached from elsewhere.

use super::certificates::{CertificatePair, certificate_pairs};
use super::document::{Document, Key};
use super::problem::{Place, Refusal};
use super::public_urls::public_url;
use super::{Listen, Tls, default};
use provost_core::address_range::AddressRange;
use provost_core::public_url::PublicUrl;

/// `[console]`: the web interface for administrators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Console {
    /// `certificate` and `key`: the console's own pair, or lists of equal length; empty means the
    /// pair of `[tls]`.
    pub pairs: Vec<CertificatePair>,
    /// `behind-proxy`: a proxy in front speaks HTTPS to browsers, so that the console may speak
    /// plain HTTP to it.
    pub behind_proxy: bool,
    /// `proxies`: ranges of addresses that proxies on other machines have; what they say of the
    /// client's address is believed, as it is of one on this machine. Behind a proxy and without a
    /// certificate of its own, the console answers nobody else.
    pub proxies: Vec<AddressRange>,
    /// `public-url`: the `https://` address that browsers reach, which links in mails begin with.
    ///
    /// Left out, it is the address that `listen.console` was bound to.
    pub public_url: Option<PublicUrl>,
}

impl Console {
    /// Whether it speaks plain HTTP to proxies on other machines, and knows of none.
    pub fn is_behind_nobody(&self) -> bool {
        self.behind_proxy && self.pairs.is_empty() && self.proxies.is_empty()
    }
}

/// Reads the section, and judges where the console listens by it: passwords must not cross a network in clear.
pub(super) fn read(document: &mut Document, (listen, place): (&Listen, Option<Place>), tls: &Tls) -> Console {
    let console = Console {
        pairs: certificate_pairs(document, "console"),
        behind_proxy: document.flag("console", "behind-proxy").unwrap_or_else(default::behind_proxy),
        proxies: proxies(document),
        public_url: document.parsed("console", "public-url", public_url),
    };
    let has_certificate = !console.pairs.is_empty() || !tls.pairs.is_empty() || tls.acme.is_some();
    if let Some(place) = place.clone()
        && !listen.is_off_or_loopback()
        && !has_certificate
        && !console.behind_proxy
    {
        let refusal = Refusal::ConsoleBeyondLoopback { found: listen.to_string() };
        document.refuse(place, &Key::new("listen", "console"), refusal);
    } else if let Some(place) = place
        && !listen.is_off_or_loopback()
        && console.is_behind_nobody()
    {
        let refusal = Refusal::ConsoleBehindNobody { found: listen.to_string() };
        document.refuse(place, &Key::new("listen", "console"), refusal);
    }
    console
}

fn proxies(document: &mut Document) -> Vec<AddressRange> {
    let Some((texts, place)) = document.list("console", "proxies") else { return Vec::new() };
    let mut ranges = Vec::new();
    for text in texts {
        match text.parse() {
            Ok(range) => ranges.push(range),
            Err(error) => document.refuse(place.clone(), &Key::new("console", "proxies"), Refusal::NotARange { error }),
        }
    }
    ranges
}
