//! Certificates for tests, good and bad, in a phone maker's shape; made by OpenSSL, which still signs with SHA-1.
//!
//! Shared with the net crate's tests by path.

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage};
use openssl::x509::{X509, X509Name};
use provost_core::time::UnixMillis;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// 2026-09-21T14:13:20Z, the day every fixture is made for.
pub(crate) const NOW: UnixMillis = UnixMillis(1_790_000_000_000);
pub(crate) const MAC: &str = "0004F2AABBCC";

pub(crate) type Key = PKey<Private>;

/// A certificate and its key.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) certificate: X509,
    pub(crate) key: Key,
}

impl Pair {
    pub(crate) fn der(&self) -> Vec<u8> {
        self.certificate.to_der().unwrap()
    }

    pub(crate) fn pem(&self) -> Vec<u8> {
        self.certificate.to_pem().unwrap()
    }

    pub(crate) fn sha256(&self) -> [u8; 32] {
        (&*self.certificate.digest(MessageDigest::sha256()).unwrap()).try_into().unwrap()
    }
}

/// What a leaf says; the default is a good one.
#[derive(Clone)]
pub(crate) struct Leaf<'a> {
    pub(crate) names: Vec<&'a str>,
    pub(crate) key: &'a Key,
    pub(crate) digest: MessageDigest,
    pub(crate) authority: bool,
    pub(crate) purposes: Vec<&'a str>,
    pub(crate) days: (i64, i64),
}

impl Default for Leaf<'_> {
    fn default() -> Self {
        Self {
            names: vec![MAC],
            key: &LEAF_KEY,
            digest: MessageDigest::sha256(),
            authority: false,
            purposes: vec!["clientAuth", "serverAuth"],
            days: (-400, 4_000),
        }
    }
}

pub(crate) static LEAF_KEY: LazyLock<Key> = LazyLock::new(|| rsa(2_048));
pub(crate) static OTHER_KEY: LazyLock<Key> = LazyLock::new(|| rsa(2_048));
pub(crate) static KEY_1024: LazyLock<Key> = LazyLock::new(|| rsa(1_024));
pub(crate) static KEY_512: LazyLock<Key> = LazyLock::new(|| rsa(512));
static ROOT_KEY: LazyLock<Key> = LazyLock::new(|| rsa(2_048));
static ISSUING_KEY: LazyLock<Key> = LazyLock::new(|| rsa(2_048));

/// The maker's policy authority, which signs no phones.
pub(crate) static POLICY: LazyLock<Pair> = LazyLock::new(|| authority("Maker Policy CA", None, &ROOT_KEY));
/// The maker's issuing authority.
pub(crate) static ISSUING: LazyLock<Pair> =
    LazyLock::new(|| authority("Maker Issuing CA", Some(&POLICY), &ISSUING_KEY));

pub(crate) fn rsa(bits: u32) -> Key {
    PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap()
}

pub(crate) fn authority(name: &str, issuer: Option<&Pair>, key: &Key) -> Pair {
    authority_for(name, issuer, key, (-4_000, 8_000))
}

pub(crate) fn authority_for(name: &str, issuer: Option<&Pair>, key: &Key, days: (i64, i64)) -> Pair {
    let says = Leaf { names: vec![name], key, authority: true, purposes: vec![], days, ..Leaf::default() };
    signed(&says, issuer)
}

/// A phone's certificate from the maker's issuing authority.
pub(crate) fn phone(says: &Leaf<'_>) -> Pair {
    signed(says, Some(&ISSUING))
}

/// A certificate by `issuer`, or by its own key.
pub(crate) fn signed(says: &Leaf<'_>, issuer: Option<&Pair>) -> Pair {
    static SERIAL: AtomicU32 = AtomicU32::new(1);
    let mut subject = X509Name::builder().unwrap();
    for name in &says.names {
        subject.append_entry_by_text("CN", name).unwrap();
    }
    if !says.authority {
        subject.append_entry_by_text("O", "Test Maker Inc.").unwrap();
    }
    let subject = subject.build();
    let mut certificate = X509::builder().unwrap();
    certificate.set_version(2).unwrap();
    let serial = BigNum::from_u32(SERIAL.fetch_add(1, Ordering::Relaxed)).unwrap();
    certificate.set_serial_number(&Asn1Integer::from_bn(&serial).unwrap()).unwrap();
    certificate.set_subject_name(&subject).unwrap();
    certificate.set_issuer_name(issuer.map_or(&*subject, |issuer| issuer.certificate.subject_name())).unwrap();
    certificate.set_pubkey(says.key).unwrap();
    certificate.set_not_before(&Asn1Time::from_unix(NOW.plus_days(says.days.0).seconds()).unwrap()).unwrap();
    certificate.set_not_after(&Asn1Time::from_unix(NOW.plus_days(says.days.1).seconds()).unwrap()).unwrap();
    if says.authority {
        certificate.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
    }
    if !says.purposes.is_empty() {
        let mut usage = ExtendedKeyUsage::new();
        for purpose in &says.purposes {
            usage.other(purpose);
        }
        certificate.append_extension(usage.build().unwrap()).unwrap();
    }
    certificate.sign(issuer.map_or(says.key, |issuer| &issuer.key), says.digest).unwrap();
    Pair { certificate: certificate.build(), key: says.key.clone() }
}
