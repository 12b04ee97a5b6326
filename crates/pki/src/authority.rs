//! Authorities that Provost makes itself: one in a phone maker's shape for virtual phones and tests, and one for its
//! own server certificate where no public name exists.
//!
//! Decides shape, sizes and dates of these certificates; `now` enters as [`Validity`]. Never trusts what it makes: a
//! test maker counts only where its issuing authority is imported as an administrator's own.
//! RSA everywhere it meets an old phone: many know no other signature. Making an RSA key takes a tenth of a second.

mod request;

use crate::certificate;
use provost_core::mac::MacAddr;
use provost_core::secret::Secret;
use provost_core::time::UnixMillis;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, RsaKeySize,
};
pub use request::SigningRequest;
use time::OffsetDateTime;

/// The days a certificate is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// First moment.
    pub not_before: UnixMillis,
    /// Last moment.
    pub not_after: UnixMillis,
}

impl Validity {
    /// From a day before `now`, so that a phone whose clock is a little late accepts it, for `days` days.
    pub const fn days_from(now: UnixMillis, days: i64) -> Self {
        Self { not_before: now.plus_days(-1), not_after: now.plus_days(days) }
    }
}

/// A certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The library refused.
    #[error("making a certificate: {0}")]
    Making(#[from] rcgen::Error),
    /// A point in time no certificate can hold.
    #[error("{at} cannot stand in a certificate")]
    Time {
        /// The point in time.
        at: UnixMillis,
    },
    /// A server certificate for nobody.
    #[error("a server certificate needs a name")]
    NoName,
}

/// A certificate, the certificates between it and its root, and its key.
#[derive(Debug, Clone)]
pub struct KeyAndChain {
    /// PEM, its own certificate first, the root left out.
    pub chain_pem: String,
    /// PKCS #8 PEM.
    pub key_pem: Secret,
}

/// An authority in the shape of a phone maker's: Root -> Policy -> Issuing.
#[derive(Debug, Clone)]
pub struct TestMaker {
    /// The root's certificate.
    pub root_pem: String,
    /// The policy authority's certificate.
    pub policy_pem: String,
    /// The certificate of the authority that signs phones' certificates.
    pub issuing_pem: String,
    /// Its key.
    pub issuing_key_pem: Secret,
}

/// What a phone's certificate says.
#[derive(Debug, Clone, Copy)]
pub struct PhoneSubject<'a> {
    /// The common name, written in upper case without separators as makers do.
    pub mac: MacAddr,
    /// The organization.
    pub organization: &'a str,
    /// The days it is good for.
    pub validity: Validity,
}

impl TestMaker {
    /// Makes the three authorities, named after `maker` ("`maker` Root CA" and so on).
    ///
    /// # Errors
    /// [`AuthorityError`] when the dates cannot stand in a certificate.
    pub fn generate(maker: &str, validity: Validity) -> Result<Self, AuthorityError> {
        let (root_key, policy_key, issuing_key) = (rsa_key()?, rsa_key()?, rsa_key()?);
        let root = authority_params(&format!("{maker} Root CA"), validity)?;
        let policy = authority_params(&format!("{maker} Equipment Policy CA"), validity)?;
        let issuing = authority_params(&format!("{maker} Equipment Issuing CA 1"), validity)?;
        let root_certificate = root.self_signed(&root_key)?;
        let policy_certificate = policy.signed_by(&policy_key, &Issuer::from_params(&root, &root_key))?;
        let issuing_certificate = issuing.signed_by(&issuing_key, &Issuer::from_params(&policy, &policy_key))?;
        Ok(Self {
            root_pem: pem(&root_certificate),
            policy_pem: pem(&policy_certificate),
            issuing_pem: pem(&issuing_certificate),
            issuing_key_pem: Secret::new(issuing_key.serialize_pem()),
        })
    }

    /// Makes one phone's key and certificate; the chain holds issuing and policy authority, as a phone sends it.
    ///
    /// # Errors
    /// [`AuthorityError`] when the issuing pair is damaged or the dates cannot stand in a certificate.
    pub fn issue(&self, phone: &PhoneSubject<'_>) -> Result<KeyAndChain, AuthorityError> {
        let issuer = Issuer::from_ca_cert_pem(&self.issuing_pem, KeyPair::from_pem(self.issuing_key_pem.reveal())?)?;
        let key = rsa_key()?;
        let mut params = params(&phone.mac.to_string().to_uppercase(), phone.validity)?;
        params.distinguished_name.push(DnType::OrganizationName, phone.organization);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        // Both purposes, because phones show the same certificate on their own web page.
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        let leaf = params.signed_by(&key, &issuer)?;
        Ok(KeyAndChain {
            chain_pem: [pem(&leaf).as_str(), &self.issuing_pem, &self.policy_pem].concat(),
            key_pem: Secret::new(key.serialize_pem()),
        })
    }

    /// Root, policy and issuing authority in one text.
    pub fn bundle_pem(&self) -> String {
        [self.root_pem.as_str(), &self.policy_pem, &self.issuing_pem].concat()
    }
}

/// Our own authority for server certificates.
#[derive(Debug, Clone)]
pub struct ServerAuthority {
    /// The certificate phones must be given.
    pub root_pem: String,
    /// Its key.
    pub root_key_pem: Secret,
}

/// The kinds of key a phone may want.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerKeyKind {
    /// For every phone; many know nothing else.
    Rsa2048,
    /// For new phones: a third of the processor time.
    P256,
}

impl ServerAuthority {
    /// Makes a root with this common name.
    ///
    /// # Errors
    /// [`AuthorityError`] when the dates cannot stand in a certificate.
    pub fn generate(name: &str, validity: Validity) -> Result<Self, AuthorityError> {
        let key = rsa_key()?;
        let root = authority_params(name, validity)?.self_signed(&key)?;
        Ok(Self { root_pem: pem(&root), root_key_pem: Secret::new(key.serialize_pem()) })
    }

    /// Makes a server's key and certificate for these DNS names and IP addresses; the first is the common name too,
    /// which is all some old phones compare.
    ///
    /// # Errors
    /// [`AuthorityError`] when there is no name, the root pair is damaged, or the dates cannot stand in a certificate.
    pub fn issue(
        &self,
        names: &[String],
        kind: ServerKeyKind,
        validity: Validity,
    ) -> Result<KeyAndChain, AuthorityError> {
        let issuer = Issuer::from_ca_cert_pem(&self.root_pem, KeyPair::from_pem(self.root_key_pem.reveal())?)?;
        let key = server_key(kind)?;
        let mut params = params(names.first().ok_or(AuthorityError::NoName)?, validity)?;
        params.subject_alt_names = CertificateParams::new(names)?.subject_alt_names;
        params.key_usages = match kind {
            // The client encrypts to the key itself when it offers static RSA only.
            ServerKeyKind::Rsa2048 => vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment],
            ServerKeyKind::P256 => vec![KeyUsagePurpose::DigitalSignature],
        };
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let leaf = params.signed_by(&key, &issuer)?;
        Ok(KeyAndChain { chain_pem: pem(&leaf), key_pem: Secret::new(key.serialize_pem()) })
    }
}

fn server_key(kind: ServerKeyKind) -> Result<KeyPair, AuthorityError> {
    match kind {
        ServerKeyKind::Rsa2048 => rsa_key(),
        ServerKeyKind::P256 => Ok(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?),
    }
}

fn rsa_key() -> Result<KeyPair, AuthorityError> {
    Ok(KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?)
}

fn authority_params(name: &str, validity: Validity) -> Result<CertificateParams, AuthorityError> {
    let mut params = params(name, validity)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn params(name: &str, validity: Validity) -> Result<CertificateParams, AuthorityError> {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date(validity.not_before)?;
    params.not_after = date(validity.not_after)?;
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn date(at: UnixMillis) -> Result<OffsetDateTime, AuthorityError> {
    OffsetDateTime::from_unix_timestamp(at.seconds()).map_err(|_| AuthorityError::Time { at })
}

fn pem(certificate: &Certificate) -> String {
    certificate::pem_text(certificate.der())
}

#[cfg(test)]
mod tests;
