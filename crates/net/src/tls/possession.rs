//! Proof that a phone holds the key of the certificate it shows; nothing else is decided in the handshake.
//!
//! Any certificate, or none, completes the handshake, so that the reason why one is refused can be recorded; what it
//! is worth is judged afterwards. A certificate shown without its key ends the handshake, on TLS 1.2 and 1.3.
//! Not the library's own check: that one refuses version 1 certificates and keys below 2048 bits, which real phones
//! have.

use aws_lc_rs::signature::{self, UnparsedPublicKey, VerificationAlgorithm};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rsa::Padding;
use openssl::sign::{RsaPssSaltlen, Verifier};
use provost_pki::certificate::{RSA_LEAST_BITS, RSA_STRONG_BITS, rsa_bits};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo, X509Certificate};

/// Asks for a certificate by the names of the authorities, and checks its key.
#[derive(Debug)]
pub(super) struct PossessionOnly {
    authorities: Vec<DistinguishedName>,
}

impl PossessionOnly {
    /// Names these subjects (DER) when asking: many phones send no certificate to a server that names nobody they
    /// know.
    pub(super) fn new(subjects: Vec<Vec<u8>>) -> Self {
        Self { authorities: subjects.into_iter().map(DistinguishedName::from).collect() }
    }
}

impl ClientCertVerifier for PossessionOnly {
    fn offer_client_auth(&self) -> bool {
        true
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.authorities
    }

    fn verify_client_cert(
        &self,
        _leaf: &CertificateDer<'_>,
        _sent: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        prove(message, leaf, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        prove(message, leaf, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![
            // First, because phones take the first one they know.
            SignatureScheme::RSA_PKCS1_SHA256,
            SignatureScheme::RSA_PSS_SHA256,
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::RSA_PKCS1_SHA384,
            SignatureScheme::RSA_PKCS1_SHA512,
            SignatureScheme::RSA_PSS_SHA384,
            SignatureScheme::RSA_PSS_SHA512,
            SignatureScheme::ECDSA_NISTP384_SHA384,
            SignatureScheme::RSA_PKCS1_SHA1,
        ]
    }
}

const BAD_SIGNATURE: Error = Error::InvalidCertificate(CertificateError::BadSignature);

fn prove(
    message: &[u8],
    leaf: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    let bad_encoding = |_| Error::InvalidCertificate(CertificateError::BadEncoding);
    let (_, leaf) = X509Certificate::from_der(leaf).map_err(bad_encoding)?;
    let key = leaf.public_key();
    let proven = match rsa_bits(key) {
        Some(bits) if bits < RSA_LEAST_BITS => false,
        Some(bits) if bits < RSA_STRONG_BITS => short_rsa_signed(message, key, signed),
        _ => algorithm(signed.scheme).is_some_and(|algorithm| {
            let key = UnparsedPublicKey::new(algorithm, &key.subject_public_key.data);
            key.verify(message, signed.signature()).is_ok()
        }),
    };
    if proven { Ok(HandshakeSignatureValid::assertion()) } else { Err(BAD_SIGNATURE) }
}

fn algorithm(scheme: SignatureScheme) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match scheme {
        SignatureScheme::RSA_PKCS1_SHA1 => &signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        SignatureScheme::RSA_PKCS1_SHA256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        SignatureScheme::RSA_PKCS1_SHA384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        SignatureScheme::RSA_PKCS1_SHA512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        SignatureScheme::RSA_PSS_SHA256 => &signature::RSA_PSS_2048_8192_SHA256,
        SignatureScheme::RSA_PSS_SHA384 => &signature::RSA_PSS_2048_8192_SHA384,
        SignatureScheme::RSA_PSS_SHA512 => &signature::RSA_PSS_2048_8192_SHA512,
        SignatureScheme::ECDSA_NISTP256_SHA256 => &signature::ECDSA_P256_SHA256_ASN1,
        SignatureScheme::ECDSA_NISTP384_SHA384 => &signature::ECDSA_P384_SHA384_ASN1,
        _ => return None,
    })
}

/// The same for RSA keys of 1024 to 2047 bits: aws-lc-rs has no PSS for them, and OpenSSL is linked anyway.
fn short_rsa_signed(message: &[u8], key: &SubjectPublicKeyInfo<'_>, signed: &DigitallySignedStruct) -> bool {
    let (digest, padding) = match signed.scheme {
        SignatureScheme::RSA_PKCS1_SHA1 => (MessageDigest::sha1(), Padding::PKCS1),
        SignatureScheme::RSA_PKCS1_SHA256 => (MessageDigest::sha256(), Padding::PKCS1),
        SignatureScheme::RSA_PKCS1_SHA384 => (MessageDigest::sha384(), Padding::PKCS1),
        SignatureScheme::RSA_PKCS1_SHA512 => (MessageDigest::sha512(), Padding::PKCS1),
        SignatureScheme::RSA_PSS_SHA256 => (MessageDigest::sha256(), Padding::PKCS1_PSS),
        SignatureScheme::RSA_PSS_SHA384 => (MessageDigest::sha384(), Padding::PKCS1_PSS),
        SignatureScheme::RSA_PSS_SHA512 => (MessageDigest::sha512(), Padding::PKCS1_PSS),
        _ => return false,
    };
    let verify = || {
        let key = PKey::public_key_from_der(key.raw)?;
        let mut verifier = Verifier::new(digest, &key)?;
        verifier.set_rsa_padding(padding)?;
        if padding == Padding::PKCS1_PSS {
            verifier.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
            verifier.set_rsa_mgf1_md(digest)?;
        }
        verifier.verify_oneshot(signed.signature(), message)
    };
    verify().unwrap_or(false)
}
