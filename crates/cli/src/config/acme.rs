//! Reads the keys of `[tls]` that make Provost get its certificate by itself (ACME, RFC 8555).

use std::net::IpAddr;
use std::path::PathBuf;

use provost_core::public_url::PublicUrl;
use url::Url;

use super::document::{Document, Key};
use super::problem::{Place, Refusal};
use super::{CertificatePair, Listen};

/// `acme-directory` and what belongs to it: where Provost gets its certificate by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acme {
    /// `acme-directory`: the `https://` address of the authority's directory. Setting it agrees to that
    /// authority's terms of service.
    pub directory: Url,
    /// `acme-contact`: where the authority may write to, as `mailto:` address.
    pub contact: Option<String>,
    /// `acme-authority`: a PEM file of roots that prove the authority's own server, beside the system's.
    pub authority: Option<PathBuf>,
    /// The names the certificates are for: the host of `public-url`, and of the one before it.
    pub names: Vec<String>,
    /// Where the configuration names the directory.
    pub place: Place,
}

/// What of the rest of the configuration decides whether ACME can work.
pub(super) struct Around<'a> {
    pub(super) public_url: Option<&'a PublicUrl>,
    pub(super) former_url: Option<&'a PublicUrl>,
    pub(super) phones_http: &'a Listen,
    pub(super) pairs: &'a [CertificatePair],
}

/// Reads the keys; `None` without a directory, or when something about them is refused.
pub(super) fn read(document: &mut Document, around: &Around<'_>) -> Option<Acme> {
    let directory = document.parsed_at("tls", "acme-directory", directory);
    let contact = document.parsed_at("tls", "acme-contact", contact);
    let authority = document.path_at("tls", "acme-authority");
    let Some((directory, place)) = directory else {
        let unused =
            [("acme-contact", contact.map(|(_, place)| place)), ("acme-authority", authority.map(|(_, place)| place))];
        for (name, place) in unused {
            if let Some(place) = place {
                document.warn(place, &Key::new("tls", name), Refusal::AcmeWithoutDirectory);
            }
        }
        return None;
    };
    let name = around.public_url.and_then(dns_name);
    let refusals = [
        (!around.pairs.is_empty()).then_some(Refusal::AcmeBesideCertificate),
        name.is_none().then_some(Refusal::AcmeWithoutName),
        around.former_url.is_some_and(|url| dns_name(url).is_none()).then_some(Refusal::AcmeWithFormerAddress),
        (*around.phones_http == Listen::Off).then_some(Refusal::AcmeWithoutHttp),
    ];
    for refusal in refusals.into_iter().flatten() {
        document.refuse(place.clone(), &Key::new("tls", "acme-directory"), refusal);
    }
    let (contact, authority) = (contact.map(|(text, _)| text), authority.map(|(path, _)| path));
    let mut names = vec![name?.to_owned()];
    names.extend(around.former_url.and_then(dns_name).map(ToOwned::to_owned));
    names.dedup();
    Some(Acme { directory, contact, authority, names, place })
}

/// The host, unless it is an address: authorities ask for names only.
fn dns_name(url: &PublicUrl) -> Option<&str> {
    let is_address = |host: &str| host.starts_with('[') || host.parse::<IpAddr>().is_ok();
    Some(url.host()).filter(|host| !is_address(host))
}

fn directory(text: &str) -> Result<Url, Refusal> {
    // Not repeated: what stands before an @ may be a password.
    let refused = || Refusal::NotADirectory;
    let url = Url::parse(text).map_err(|_| refused())?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if url.scheme() == "https" && url.has_host() && is_plain { Ok(url) } else { Err(refused()) }
}

fn contact(text: &str) -> Result<String, Refusal> {
    let is_mail = |rest: &str| {
        let halves = rest.split_once('@');
        halves.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
            && rest.chars().all(|each| each.is_ascii_graphic() && each != ',' && each != '?')
    };
    match text.strip_prefix("mailto:") {
        Some(rest) if is_mail(rest) => Ok(text.to_owned()),
        _ => Err(Refusal::NotAContact { found: text.to_owned() }),
    }
}
