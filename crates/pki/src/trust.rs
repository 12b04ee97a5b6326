//! The authorities whose signature makes a phone's certificate a factory certificate.
//!
//! Decides which certificates become authorities: the makers' by the fingerprints the catalog pins, an
//! administrator's own by being imported as such. Never reads a file ([`folder`] does), never downloads, never builds
//! a chain: a maker's authority is trusted because its bytes are the pinned bytes, and for nothing else.

pub mod folder;

use crate::certificate::{self, CertificateTextError, Fingerprint, fingerprint_text};
use provost_core::time::UnixMillis;
use rustls::pki_types::CertificateDer;
use std::sync::Arc;
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo, X509Certificate};

/// A maker's authority as the catalog knows it: the fingerprint decides, the rest is for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The catalog's name for it.
    pub id: String,
    /// Its common name.
    pub name: String,
    /// SHA-256 of its DER bytes.
    pub sha256: Fingerprint,
    /// Whether it signs phones' certificates itself, as roots and policy authorities do not.
    pub issuing: bool,
}

/// On whose word a certificate file is an authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The catalog's: the fingerprint must be pinned.
    Maker,
    /// An administrator's, who imported it with `--custom`.
    Custom,
}

/// A certificate file that has been read.
#[derive(Debug, Clone, Copy)]
pub struct CertificateFile<'a> {
    /// The name that errors repeat.
    pub name: &'a str,
    /// PEM with any number of certificates, or the DER of one.
    pub bytes: &'a [u8],
    /// On whose word it is an authority.
    pub origin: Origin,
}

/// One authority that may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// Its common name, or its subject when it has none.
    pub name: String,
    /// The catalog's name for it; `None` for an administrator's own.
    pub pin: Option<String>,
    /// SHA-256 of its DER bytes.
    pub fingerprint: Fingerprint,
    /// Whether phones' certificates may be signed by it directly.
    pub issuing: bool,
    /// First moment it is valid.
    pub not_before: UnixMillis,
    /// Last moment it is valid.
    pub not_after: UnixMillis,
    der: CertificateDer<'static>,
    subject: Vec<u8>,
    key: Vec<u8>,
}

/// What is wrong with one certificate offered as an authority.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file holds no usable certificate.
    #[error("{file}: {problem}")]
    Text {
        /// The file.
        file: String,
        /// What is wrong with it.
        problem: CertificateTextError,
    },
    /// No maker's authority has these bytes.
    #[error(
        "{file}: `{name}` has SHA-256 {}, which is no phone maker's authority in the catalog; if you trust it yourself, \
         import it with --custom",
        fingerprint_text(found)
    )]
    NotPinned {
        /// The file.
        file: String,
        /// The certificate's name.
        name: String,
        /// The fingerprint it has.
        found: Fingerprint,
    },
    /// A certificate that may not sign others.
    #[error("{file}: `{name}` is not an authority (it lacks basicConstraints CA:TRUE); import the one that signed it")]
    NotAnAuthority {
        /// The file.
        file: String,
        /// The certificate's name.
        name: String,
    },
    /// Its key can be broken, and then anybody could make factory certificates.
    #[error("{file}: the key of `{name}` is RSA with {found} bits, expected {} or more", certificate::RSA_STRONG_BITS)]
    WeakKey {
        /// The file.
        file: String,
        /// The certificate's name.
        name: String,
        /// The size it has.
        found: usize,
    },
    /// The trust folder can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// The authorities that are present, and the makers' fingerprints that would be accepted.
#[derive(Debug, Clone, Default)]
pub struct TrustStore {
    pins: Vec<Pin>,
    authorities: Vec<Arc<Authority>>,
}

impl TrustStore {
    /// Takes every certificate of `files`.
    ///
    /// # Errors
    /// Everything that is wrong with any of them, each with its file.
    pub fn new(pins: Vec<Pin>, files: &[CertificateFile<'_>]) -> Result<Self, Vec<TrustError>> {
        let mut store = Self { pins, authorities: Vec::new() };
        let mut errors = Vec::new();
        for file in files {
            match authorities_in(file, &store.pins) {
                Ok(found) => found.into_iter().for_each(|authority| store.add(authority)),
                Err(wrong) => errors.extend(wrong),
            }
        }
        if errors.is_empty() { Ok(store) } else { Err(errors) }
    }

    fn add(&mut self, authority: Authority) {
        if !self.authorities.iter().any(|known| known.fingerprint == authority.fingerprint) {
            self.authorities.push(Arc::new(authority));
        }
    }

    /// Every authority present.
    pub fn authorities(&self) -> impl Iterator<Item = &Arc<Authority>> {
        self.authorities.iter()
    }

    /// The pinned authorities whose certificate is not present.
    pub fn missing(&self) -> impl Iterator<Item = &Pin> {
        self.pins.iter().filter(|pin| !self.authorities.iter().any(|known| known.fingerprint == pin.sha256))
    }

    /// The subjects (DER) that a TLS server names when it asks for a certificate; without them a phone may send none.
    pub fn subjects(&self) -> Vec<Vec<u8>> {
        let mut subjects: Vec<Vec<u8>> = self.authorities.iter().map(|known| known.subject.clone()).collect();
        subjects.sort_unstable();
        subjects.dedup();
        subjects
    }

    pub(crate) fn pins(&self) -> &[Pin] {
        &self.pins
    }
}

impl Authority {
    /// Its certificate.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    pub(crate) fn is_named(&self, raw_subject: &[u8]) -> bool {
        self.subject == raw_subject
    }

    /// Checks that this authority's key made the signature on `leaf`.
    pub(crate) fn signed(&self, leaf: &X509Certificate<'_>) -> Result<(), x509_parser::error::X509Error> {
        let (_, key) =
            SubjectPublicKeyInfo::from_der(&self.key).map_err(|_| x509_parser::error::X509Error::InvalidSPKI)?;
        leaf.verify_signature(Some(&key))
    }

    pub(crate) fn from_pinned(der: &CertificateDer<'_>, pin: &Pin) -> Option<Self> {
        let parsed = certificate::parse(der)?;
        Some(Self::new(der, &parsed, Some(pin)))
    }

    fn new(der: &CertificateDer<'_>, parsed: &X509Certificate<'_>, pin: Option<&Pin>) -> Self {
        Self {
            name: certificate::display_name(parsed.subject()),
            pin: pin.map(|pin| pin.id.clone()),
            fingerprint: certificate::fingerprint(der),
            issuing: pin.is_none_or(|pin| pin.issuing),
            not_before: certificate::at(parsed.validity().not_before),
            not_after: certificate::at(parsed.validity().not_after),
            der: der.clone().into_owned(),
            subject: parsed.subject().as_raw().to_vec(),
            key: parsed.public_key().raw.to_vec(),
        }
    }
}

/// The authorities in one file, or everything that is wrong with it.
fn authorities_in(file: &CertificateFile<'_>, pins: &[Pin]) -> Result<Vec<Authority>, Vec<TrustError>> {
    let text_error = |problem| vec![TrustError::Text { file: file.name.to_owned(), problem }];
    let certificates = certificate::read_certificates(file.bytes).map_err(text_error)?;
    let mut errors = Vec::new();
    let mut found = Vec::new();
    for (position, der) in (1..).zip(&certificates) {
        let Some(parsed) = certificate::parse(der) else {
            errors.extend(text_error(CertificateTextError::NotX509 { position }));
            continue;
        };
        match admit(file, der, &parsed, pins) {
            Ok(authority) => found.push(authority),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(found) } else { Err(errors) }
}

fn admit(
    file: &CertificateFile<'_>,
    der: &CertificateDer<'_>,
    parsed: &X509Certificate<'_>,
    pins: &[Pin],
) -> Result<Authority, TrustError> {
    let name = certificate::display_name(parsed.subject());
    let found = certificate::fingerprint(der);
    let pin = pins.iter().find(|pin| pin.sha256 == found);
    if pin.is_none() && file.origin == Origin::Maker {
        return Err(TrustError::NotPinned { file: file.name.to_owned(), name, found });
    }
    if !parsed.is_ca() {
        return Err(TrustError::NotAnAuthority { file: file.name.to_owned(), name });
    }
    match certificate::rsa_bits(parsed.public_key()) {
        Some(bits) if bits < certificate::RSA_STRONG_BITS => {
            Err(TrustError::WeakKey { file: file.name.to_owned(), name, found: bits })
        }
        _ => Ok(Authority::new(der, parsed, pin)),
    }
}

#[cfg(test)]
mod tests;
