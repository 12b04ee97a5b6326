//! Pairs a list of certificate files with a list of key files.

use std::path::PathBuf;

use super::document::{Document, Key};
use super::problem::{Place, Refusal};

/// A certificate with its chain and the key it belongs to, both PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificatePair {
    /// The certificate, followed by the authorities between it and the root.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
    /// Where the configuration names the certificate; messages about its contents start with it.
    pub place: Place,
}

/// Reads `certificate` and `key` of `section`: none of the two, or as many of one as of the other.
pub(super) fn certificate_pairs(document: &mut Document, section: &str) -> Vec<CertificatePair> {
    let certificates = document.paths(section, "certificate");
    let keys = document.paths(section, "key");
    let (certificates, keys, place, named) = match (certificates, keys) {
        (None, None) => return Vec::new(),
        (Some((certificates, place)), keys) => {
            (certificates, keys.map(|(keys, _)| keys).unwrap_or_default(), place, "certificate")
        }
        (None, Some((keys, place))) => (Vec::new(), keys, place, "key"),
    };
    if certificates.len() != keys.len() {
        let refusal = Refusal::UnpairedKeys { certificates: certificates.len(), keys: keys.len() };
        document.refuse(place, &Key::new(section, named), refusal);
        return Vec::new();
    }
    let pairs = certificates.into_iter().zip(keys);
    pairs.map(|(certificate, key)| CertificatePair { certificate, key, place: place.clone() }).collect()
}
