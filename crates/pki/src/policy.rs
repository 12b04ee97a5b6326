//! The certificate policy for phones: which certificate proves a MAC address, and why another does not.
//!
//! Decides from the certificate's own bytes and the time. Never builds a chain, follows a link or looks at a
//! User-Agent; that the phone holds the certificate's key is proved before, in the TLS handshake. A leaf counts when
//! the pinned key of an authority that issues phones' certificates made its signature. The subject's organization is
//! never required: makers changed theirs.
//! Rules: docs/THREATS.md, identity 1-3.

mod refusal;
mod remembered;

use crate::certificate::{self, RSA_LEAST_BITS, RSA_STRONG_BITS};
use crate::trust::{Authority, TrustStore};
use provost_core::identity::{CertificateStatus, Verdict};
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use refusal::Refusal;
use remembered::{Proven, Remembered};
use rustls::pki_types::CertificateDer;
use std::sync::{Arc, PoisonError, RwLock};
use x509_parser::error::X509Error;
use x509_parser::oid_registry::{OID_PKCS1_SHA1WITHRSA, OID_SHA1_WITH_RSA, Oid};
use x509_parser::prelude::{ExtendedKeyUsage, X509Certificate};

/// ecdsa-with-SHA1, which the registry of the parser does not name.
const ECDSA_WITH_SHA1: Oid<'static> = x509_parser::der_parser::oid!(1.2.840.10045.4.1);

/// What the administrator chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyRules {
    /// Accepts a leaf after its last day, with a note: makers issued short-lived ones that nobody can renew.
    pub accept_expired_leaf: bool,
    /// Accepts SHA-1 signatures and RSA keys of 1024 to 2047 bits, with a note.
    pub legacy: bool,
}

/// The policy over one set of authorities; replaced whole when trust or rules change.
#[derive(Debug)]
pub struct DevicePolicy {
    trust: Arc<TrustStore>,
    rules: PolicyRules,
    remembered: Remembered,
    /// Pinned issuing authorities that a phone sent and nobody imported; never more than there are pins.
    learned: RwLock<Vec<Arc<Authority>>>,
    none_presented: Arc<Verdict>,
}

impl DevicePolicy {
    /// The policy over these authorities.
    pub fn new(trust: Arc<TrustStore>, rules: PolicyRules) -> Self {
        Self {
            trust,
            rules,
            remembered: Remembered::default(),
            learned: RwLock::default(),
            none_presented: Arc::new(Verdict::none_presented()),
        }
    }

    /// The authorities behind it.
    pub fn trust(&self) -> &TrustStore {
        &self.trust
    }

    /// What the administrator chose.
    pub const fn rules(&self) -> PolicyRules {
        self.rules
    }

    /// Pinned issuing authorities that phones sent: worth importing, so that phones which send only their own
    /// certificate are accepted after the next start too.
    pub fn learned(&self) -> Vec<Arc<Authority>> {
        self.learned.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Judges what a phone presented, its own certificate first; an empty chain is a phone that presented none.
    ///
    /// An accepted leaf is remembered by its SHA-256, so that a phone costs one signature check; dates are compared
    /// with `now` each time.
    pub fn judge(&self, chain: &[&[u8]], now: UnixMillis) -> Arc<Verdict> {
        let Some((leaf, sent)) = chain.split_first() else {
            return Arc::clone(&self.none_presented);
        };
        let fingerprint = certificate::fingerprint(leaf);
        let proven = match self.remembered.find(&fingerprint) {
            Some(proven) => Ok(proven),
            None => {
                self.prove(leaf, sent).map(|facts| self.remembered.keep(fingerprint, Proven::new(facts, fingerprint)))
            }
        };
        let verdict = proven.and_then(|proven| proven.at(now, self.rules.accept_expired_leaf));
        verdict.unwrap_or_else(|refusal| Arc::new(refused(&refusal, fingerprint)))
    }

    /// Everything about a leaf that does not change with time.
    fn prove(&self, der: &[u8], sent: &[&[u8]]) -> Result<Facts, Refusal> {
        let leaf = certificate::parse(der).ok_or(Refusal::Unreadable)?;
        let authority = self.issuer_of(&leaf, sent)?;
        if !certificate::is_canonical(der, &leaf) {
            return Err(Refusal::Altered);
        }
        let mut weaknesses = Vec::new();
        if is_sha1(&leaf.signature_algorithm.algorithm) {
            weaknesses.push(Weakness::Sha1);
        }
        match certificate::rsa_bits(leaf.public_key()) {
            Some(found) if found < RSA_LEAST_BITS => return Err(Refusal::KeyTooShort { found }),
            Some(bits) if bits < RSA_STRONG_BITS => weaknesses.push(Weakness::ShortKey { bits }),
            _ => {}
        }
        if let (false, Some(weakness)) = (self.rules.legacy, weaknesses.first()) {
            return Err(Refusal::Weak { weakness: *weakness });
        }
        Ok(Facts {
            mac: mac_of(&leaf)?,
            weaknesses,
            not_before: certificate::at(leaf.validity().not_before),
            not_after: certificate::at(leaf.validity().not_after),
            authority,
        })
    }

    /// The authority that signed the leaf.
    fn issuer_of(&self, leaf: &X509Certificate<'_>, sent: &[&[u8]]) -> Result<Arc<Authority>, Refusal> {
        let issuer = leaf.issuer().as_raw();
        if leaf.subject().as_raw() == issuer {
            return Err(Refusal::SelfSigned);
        }
        let learned = self.learned();
        let mut named = self.trust.authorities().chain(&learned).filter(|known| known.is_named(issuer)).peekable();
        let any_named = named.peek().is_some();
        let mut not_issuing = None;
        for authority in named {
            match authority.signed(leaf) {
                Ok(()) if authority.issuing => return Ok(Arc::clone(authority)),
                Ok(()) => not_issuing = Some(Refusal::NotIssuing { issuer: authority.name.clone() }),
                Err(X509Error::SignatureUnsupportedAlgorithm) => {
                    let found = leaf.signature_algorithm.algorithm.to_id_string();
                    return Err(Refusal::SignatureAlgorithm { found });
                }
                Err(_) => {}
            }
        }
        if let Some(authority) = self.learn(issuer, sent) {
            if authority.signed(leaf).is_ok() {
                return Ok(authority);
            }
            return Err(Refusal::LookAlike { issuer: authority.name.clone() });
        }
        Err(not_issuing.unwrap_or_else(|| self.no_issuer(leaf, sent, any_named)))
    }

    /// Takes an issuing authority from the chain a phone sent, when its bytes are exactly the pinned ones.
    fn learn(&self, issuer: &[u8], sent: &[&[u8]]) -> Option<Arc<Authority>> {
        let found = sent.iter().find_map(|der| {
            let parsed = certificate::parse(der)?;
            if parsed.subject().as_raw() != issuer {
                return None;
            }
            let fingerprint = certificate::fingerprint(der);
            let pin = self.trust.pins().iter().find(|pin| pin.issuing && pin.sha256 == fingerprint)?;
            Authority::from_pinned(&CertificateDer::from(*der), pin)
        })?;
        let mut learned = self.learned.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = learned.iter().find(|known| known.fingerprint == found.fingerprint) {
            return Some(Arc::clone(known));
        }
        let found = Arc::new(found);
        learned.push(Arc::clone(&found));
        Some(found)
    }

    /// Why no authority signed the leaf.
    fn no_issuer(&self, leaf: &X509Certificate<'_>, sent: &[&[u8]], any_named: bool) -> Refusal {
        let issuer = certificate::display_name(leaf.issuer());
        let names = certificate::common_names(leaf.issuer());
        let missing = self.trust.missing().any(|pin| pin.issuing && names.contains(&pin.name));
        // A phone that sends an issuer of the right name and the wrong bytes shows that it is not the maker's.
        let sent_another = sent
            .iter()
            .filter_map(|der| certificate::parse(der))
            .any(|parsed| parsed.subject().as_raw() == leaf.issuer().as_raw());
        match (any_named, missing, sent_another) {
            (true, false, _) | (_, true, true) => Refusal::LookAlike { issuer },
            (_, true, false) => Refusal::NotImported { issuer },
            (false, false, _) => Refusal::UnknownIssuer { issuer },
        }
    }
}

/// What a proven leaf says.
#[derive(Debug)]
struct Facts {
    mac: MacAddr,
    weaknesses: Vec<Weakness>,
    not_before: UnixMillis,
    not_after: UnixMillis,
    authority: Arc<Authority>,
}

/// Something that only `legacy-tls` lets pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Weakness {
    /// The signature on the leaf.
    #[error("it is signed with SHA-1")]
    Sha1,
    /// The leaf's key.
    #[error("its RSA key has only {bits} bits")]
    ShortKey {
        /// The size it has.
        bits: usize,
    },
}

fn is_sha1(algorithm: &Oid<'_>) -> bool {
    [OID_PKCS1_SHA1WITHRSA, OID_SHA1_WITH_RSA, ECDSA_WITH_SHA1].contains(algorithm)
}

/// The MAC a leaf names, if it may name one at all.
fn mac_of(leaf: &X509Certificate<'_>) -> Result<MacAddr, Refusal> {
    // Extensions that can't be read, or appear twice, may hide a CA flag or a purpose.
    let constraints = leaf.basic_constraints().map_err(|_| Refusal::Unreadable)?;
    if constraints.is_some_and(|found| found.value.ca) {
        return Err(Refusal::IsAuthority);
    }
    let usage = leaf.extended_key_usage().map_err(|_| Refusal::Unreadable)?;
    if let Some(usage) = usage.map(|found| found.value)
        && !usage.client_auth
        && !usage.any
    {
        return Err(Refusal::Purpose { found: purposes(usage) });
    }
    let names = certificate::common_names(leaf.subject());
    let [name] = names.as_slice() else {
        return Err(Refusal::NameCount { found: names.len() });
    };
    // All zeros means "any phone" in file names: it must never be somebody's identity.
    match MacAddr::from_hex12(name) {
        Some(mac) if !mac.is_zero() => Ok(mac),
        _ => Err(Refusal::NotAMac { found: certificate::shown(name) }),
    }
}

/// The purposes a certificate lists, in the words of RFC 5280.
fn purposes(usage: &ExtendedKeyUsage<'_>) -> String {
    let named = [
        (usage.server_auth, "serverAuth"),
        (usage.code_signing, "codeSigning"),
        (usage.email_protection, "emailProtection"),
        (usage.time_stamping, "timeStamping"),
        (usage.ocsp_signing, "OCSPSigning"),
    ];
    let named = named.into_iter().filter(|(has, _)| *has).map(|(_, name)| name.to_owned());
    let all: Vec<String> = named.chain(usage.other.iter().map(Oid::to_id_string)).collect();
    certificate::shown(&all.join(", "))
}

fn refused(refusal: &Refusal, fingerprint: certificate::Fingerprint) -> Verdict {
    let status = match refusal {
        Refusal::SelfSigned => CertificateStatus::SelfSigned,
        _ => CertificateStatus::Invalid,
    };
    Verdict { status, mac: None, reason: Some(refusal.to_string()), note: None, fingerprint: Some(fingerprint) }
}

#[cfg(test)]
mod tests;
