//! What the phone's web server shows when TLS begins.
//!
//! Decides which certificate: the factory's, as real phones do, or one the phone made itself when it has none
//! (domain notes 4.2). The checks of the phone's own TLS client are in `tls`.

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::ssl::{SslContext, SslContextBuilder, SslMethod, SslVersion};
use openssl::x509::{X509, X509NameBuilder};

use crate::mac::Mac;
use crate::tls::{self, CredentialError, DeviceCertificate};

/// From 1999 on, when the clock of a phone without time begins, for fifty years.
const SELF_MADE: (i64, i64) = (915_148_800, 2_493_072_000);
const RSA_BITS: u32 = 2048;

/// A server context that shows the phone's certificate.
pub(crate) fn context(device: Option<&DeviceCertificate>, mac: Mac) -> Result<SslContext, CredentialError> {
    let mut builder = offering().map_err(|source| tls::refused("TLS of the web pages", source))?;
    match device {
        Some(device) => factory_made(&mut builder, device)?,
        None => self_made(&mut builder, mac).map_err(|source| tls::refused("self-made certificate", source))?,
    }
    Ok(builder.build())
}

fn offering() -> Result<SslContextBuilder, ErrorStack> {
    let mut builder = SslContext::builder(SslMethod::tls_server())?;
    builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
    // Leaf certificates of phones may be weaker than a current OpenSSL likes.
    builder.set_security_level(0);
    builder.set_session_id_context(b"phone")?;
    Ok(builder)
}

fn factory_made(builder: &mut SslContextBuilder, device: &DeviceCertificate) -> Result<(), CredentialError> {
    const WHAT: &str = "device certificate";
    let mut chain = tls::certificates(&device.chain, WHAT)?.into_iter();
    let leaf = chain.next().ok_or(CredentialError::NoCertificate { what: WHAT })?;
    builder.set_certificate(&leaf).map_err(|source| tls::refused(WHAT, source))?;
    for authority in chain {
        builder.add_extra_chain_cert(authority).map_err(|source| tls::refused(WHAT, source))?;
    }
    let key = PKey::private_key_from_pem(&tls::read(&device.key)?);
    key.and_then(|key| builder.set_private_key(&key))
        .and_then(|()| builder.check_private_key())
        .map_err(|source| tls::refused("device key", source))
}

fn self_made(builder: &mut SslContextBuilder, mac: Mac) -> Result<(), ErrorStack> {
    let key = PKey::from_rsa(Rsa::generate(RSA_BITS)?)?;
    let certificate = signed_by_itself(&mac.to_string().to_ascii_uppercase(), &key)?;
    builder.set_certificate(&certificate)?;
    builder.set_private_key(&key)
}

fn signed_by_itself(common_name: &str, key: &PKey<Private>) -> Result<X509, ErrorStack> {
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_text("CN", common_name)?;
    let name = name.build();
    let mut certificate = X509::builder()?;
    certificate.set_version(2)?;
    let serial = BigNum::from_u32(1)?.to_asn1_integer()?;
    certificate.set_serial_number(&serial)?;
    certificate.set_subject_name(&name)?;
    certificate.set_issuer_name(&name)?;
    certificate.set_pubkey(key)?;
    let (begins, ends) = (Asn1Time::from_unix(SELF_MADE.0)?, Asn1Time::from_unix(SELF_MADE.1)?);
    certificate.set_not_before(&begins)?;
    certificate.set_not_after(&ends)?;
    certificate.sign(key, MessageDigest::sha256())?;
    Ok(certificate.build())
}
