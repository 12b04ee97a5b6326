//! What the server shows of itself: its certificates, checked before a phone sees them.
//!
//! Decides whether a certificate file and a key file can be served together, and for how long. Never reads a file;
//! takes the bytes and repeats the file's name in what it finds wrong.
//! One RSA and one P-256 pair at most: old phones exclude ECDSA, new ones are cheaper with it.

use crate::certificate::{self, CertificateTextError, RSA_STRONG_BITS};
use provost_core::time::UnixMillis;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use x509_parser::prelude::{GeneralName, X509Certificate};
use x509_parser::public_key::PublicKey;

/// The two files of one pair, already read.
#[derive(Clone, Copy)]
pub struct PairFiles<'a> {
    /// Names the certificate file in errors.
    pub certificate_name: &'a str,
    /// PEM: the server's own certificate, then the ones between it and the root.
    pub certificate: &'a [u8],
    /// Names the key file in errors.
    pub key_name: &'a str,
    /// PEM: PKCS #8, PKCS #1 or SEC 1, not encrypted.
    pub key: &'a [u8],
}

/// Kinds of server key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA of 2048 bits or more.
    Rsa,
    /// ECDSA on P-256.
    P256,
}

impl std::fmt::Display for KeyKind {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Rsa => "RSA",
            Self::P256 => "P-256",
        })
    }
}

/// What is wrong with a server's certificate or key.
#[derive(Debug, thiserror::Error)]
pub enum ServerCertificateError {
    /// No pair at all.
    #[error("no server certificate is configured")]
    NoPair,
    /// The certificate file holds no usable certificate.
    #[error("{file}: {problem}")]
    Text {
        /// The file.
        file: String,
        /// What is wrong with it.
        problem: CertificateTextError,
    },
    /// The key file holds no usable private key.
    #[error("{file}: no private key in it; expected PEM that is not encrypted (PKCS #8, PKCS #1 or SEC 1)")]
    NoKey {
        /// The file.
        file: String,
    },
    /// A key phones cannot be served with.
    #[error("{file}: the key of `{name}` is {found}; expected RSA with {RSA_STRONG_BITS} bits or more, or P-256")]
    KeyKind {
        /// The file.
        file: String,
        /// The certificate's name.
        name: String,
        /// The key it has.
        found: String,
    },
    /// Two pairs of one kind.
    #[error("{file}: a second {kind} certificate; give one RSA and one P-256 certificate at most")]
    SecondOfAKind {
        /// The file.
        file: String,
        /// The kind that was there already.
        kind: KeyKind,
    },
    /// The key belongs to another certificate.
    #[error("{key_file}: this key does not belong to the certificate `{name}` in {file}")]
    Mismatch {
        /// The certificate file.
        file: String,
        /// The key file.
        key_file: String,
        /// The certificate's name.
        name: String,
    },
    /// A certificate that did not sign the one before it.
    #[error("{file}: certificate {position} (`{found}`) did not issue the one before it, whose issuer is `{expected}`")]
    Order {
        /// The file.
        file: String,
        /// Which certificate, from 1.
        position: usize,
        /// Its subject.
        found: String,
        /// The issuer that should stand there.
        expected: String,
    },
    /// A date in the past.
    #[error("{file}: `{name}` expired on {}; renew it", certificate::day(*.on))]
    Expired {
        /// The file.
        file: String,
        /// The certificate's name.
        name: String,
        /// When.
        on: UnixMillis,
    },
    /// A date in the future.
    #[error("{file}: `{name}` is not valid before {}", certificate::day(*.from))]
    NotYetValid {
        /// The file.
        file: String,
        /// The certificate's name.
        name: String,
        /// From when on.
        from: UnixMillis,
    },
}

/// A certificate with its key, ready to be served.
#[derive(Debug)]
pub struct ServerPair {
    /// The kind of key.
    pub kind: KeyKind,
    /// The DNS names and IP addresses it is for, as text.
    pub names: Vec<String>,
    /// The common names along its chain: its own, each issuer it is served with, and the issuer of the last of them,
    /// which is the authority that phones must know.
    pub path: Vec<String>,
    /// When its own certificate began to be valid.
    pub not_before: UnixMillis,
    /// When the first certificate of its chain expires.
    pub not_after: UnixMillis,
    /// Chain and key for rustls.
    pub certified: Arc<CertifiedKey>,
    key: PrivateKeyDer<'static>,
}

impl ServerPair {
    /// The chain, the server's own certificate first.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.certified.cert
    }

    /// The private key in the encoding of its file.
    pub fn key_der(&self) -> &[u8] {
        self.key.secret_der()
    }

    /// Whole days until the chain expires; negative afterwards.
    pub const fn days_left(&self, now: UnixMillis) -> i64 {
        self.not_after.0.saturating_sub(now.0).div_euclid(86_400_000)
    }
}

/// What the server shows: one pair of either kind or both.
#[derive(Debug)]
pub struct ServerCertificates {
    rsa: Option<ServerPair>,
    p256: Option<ServerPair>,
}

impl ServerCertificates {
    /// Checks and takes the pairs.
    ///
    /// # Errors
    /// Everything that is wrong with any of them, each with its file.
    pub fn read(files: &[PairFiles<'_>], now: UnixMillis) -> Result<Self, Vec<ServerCertificateError>> {
        let mut found = Self { rsa: None, p256: None };
        let mut errors = Vec::new();
        for pair_files in files {
            match read_pair(pair_files, now) {
                Ok(pair) => errors.extend(found.add(pair, pair_files.certificate_name)),
                Err(wrong) => errors.extend(wrong),
            }
        }
        if files.is_empty() {
            errors.push(ServerCertificateError::NoPair);
        }
        if errors.is_empty() { Ok(found) } else { Err(errors) }
    }

    fn add(&mut self, pair: ServerPair, file: &str) -> Option<ServerCertificateError> {
        let kind = pair.kind;
        let place = match kind {
            KeyKind::Rsa => &mut self.rsa,
            KeyKind::P256 => &mut self.p256,
        };
        if place.is_some() {
            return Some(ServerCertificateError::SecondOfAKind { file: file.to_owned(), kind });
        }
        *place = Some(pair);
        None
    }

    /// The RSA pair.
    pub const fn rsa(&self) -> Option<&ServerPair> {
        self.rsa.as_ref()
    }

    /// The P-256 pair.
    pub const fn p256(&self) -> Option<&ServerPair> {
        self.p256.as_ref()
    }

    /// Every pair there is.
    pub fn pairs(&self) -> impl Iterator<Item = &ServerPair> {
        self.rsa.iter().chain(&self.p256)
    }
}

fn read_pair(files: &PairFiles<'_>, now: UnixMillis) -> Result<ServerPair, Vec<ServerCertificateError>> {
    let file = files.certificate_name.to_owned();
    let mut errors = Vec::new();
    let chain = certificate::read_certificates(files.certificate)
        .map_err(|problem| errors.push(ServerCertificateError::Text { file: file.clone(), problem }));
    let key = PrivateKeyDer::from_pem_slice(files.key)
        .map_err(|_| errors.push(ServerCertificateError::NoKey { file: files.key_name.to_owned() }));
    let Ok(chain) = chain else { return Err(errors) };
    let parsed: Vec<X509Certificate<'_>> = chain.iter().filter_map(|der| certificate::parse(der)).collect();
    let Some(own) = parsed.first() else { return Err(errors) };
    let name = certificate::display_name(own.subject());
    let kind = key_kind(own).map_err(|found| {
        errors.push(ServerCertificateError::KeyKind { file: file.clone(), name: name.clone(), found });
    });
    errors.extend(chain_errors(&file, &parsed, now));
    let names = names(own);
    let path = path(&parsed);
    let not_before = certificate::at(own.validity().not_before);
    let not_after = parsed.iter().map(|each| certificate::at(each.validity().not_after)).min().unwrap_or_default();
    let (Ok(key), Ok(kind)) = (key, kind) else { return Err(errors) };
    let provider = aws_lc_rs::default_provider();
    match CertifiedKey::from_der(chain, key.clone_key(), &provider) {
        Ok(certified) if errors.is_empty() => {
            Ok(ServerPair { kind, names, path, not_before, not_after, certified: Arc::new(certified), key })
        }
        Ok(_) => Err(errors),
        Err(rustls::Error::InconsistentKeys(_)) => {
            errors.push(ServerCertificateError::Mismatch { file, key_file: files.key_name.to_owned(), name });
            Err(errors)
        }
        Err(_) => {
            errors.push(ServerCertificateError::NoKey { file: files.key_name.to_owned() });
            Err(errors)
        }
    }
}

/// The kind of the certificate's key, or words for what it has instead.
fn key_kind(own: &X509Certificate<'_>) -> Result<KeyKind, String> {
    match own.public_key().parsed() {
        Ok(PublicKey::RSA(_)) => match certificate::rsa_bits(own.public_key()) {
            Some(bits) if bits < RSA_STRONG_BITS => Err(format!("RSA with {bits} bits")),
            _ => Ok(KeyKind::Rsa),
        },
        Ok(PublicKey::EC(point)) if point.key_size() == 256 => Ok(KeyKind::P256),
        Ok(PublicKey::EC(point)) => Err(format!("ECDSA with {} bits", point.key_size())),
        _ => Err(own.public_key().algorithm.algorithm.to_id_string()),
    }
}

/// Dates and order of the whole chain.
fn chain_errors(file: &str, chain: &[X509Certificate<'_>], now: UnixMillis) -> Vec<ServerCertificateError> {
    let mut errors = Vec::new();
    for each in chain {
        let (from, on) = (certificate::at(each.validity().not_before), certificate::at(each.validity().not_after));
        let (file, name) = (file.to_owned(), certificate::display_name(each.subject()));
        if now > on {
            errors.push(ServerCertificateError::Expired { file, name, on });
        } else if now < from {
            errors.push(ServerCertificateError::NotYetValid { file, name, from });
        }
    }
    for ((position, issued), issuer) in (2..).zip(chain).zip(chain.iter().skip(1)) {
        if issued.issuer().as_raw() != issuer.subject().as_raw() {
            errors.push(ServerCertificateError::Order {
                file: file.to_owned(),
                position,
                found: certificate::display_name(issuer.subject()),
                expected: certificate::display_name(issued.issuer()),
            });
        }
    }
    errors
}

/// The names a phone may call the server by; a certificate without alternative names has its common name.
fn names(own: &X509Certificate<'_>) -> Vec<String> {
    let alternative = own.subject_alternative_name().ok().flatten();
    let Some(alternative) = alternative else { return certificate::common_names(own.subject()) };
    let text = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => ip_address(bytes).map(|address| address.to_string()),
        _ => None,
    };
    alternative.value.general_names.iter().filter_map(text).collect()
}

/// Who vouches for whom, the server's own certificate first; a root that is served is named once.
fn path(chain: &[X509Certificate<'_>]) -> Vec<String> {
    let mut path: Vec<String> = chain.iter().map(|each| certificate::display_name(each.subject())).collect();
    path.extend(
        chain
            .last()
            .filter(|last| last.issuer().as_raw() != last.subject().as_raw())
            .map(|last| certificate::display_name(last.issuer())),
    );
    path
}

fn ip_address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = || <[u8; 4]>::try_from(bytes).ok().map(|v4| IpAddr::V4(Ipv4Addr::from(v4)));
    let v6 = || <[u8; 16]>::try_from(bytes).ok().map(|v6| IpAddr::V6(Ipv6Addr::from(v6)));
    v4().or_else(v6)
}

#[cfg(test)]
mod tests;
