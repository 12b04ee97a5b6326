//! The older stack: OpenSSL for TLS 1.2 with static RSA or CBC, and for TLS 1.0 and 1.1 where `legacy-tls` is on.
//!
//! Never decides what a certificate is worth: OpenSSL's own verdict is ignored, the bytes are judged as everywhere.

use super::TlsError;
use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{
    AlpnError, SslContext, SslContextBuilder, SslMethod, SslMode, SslOptions, SslVerifyMode, SslVersion,
    select_next_proto,
};
use openssl::x509::X509;
use provost_pki::server::{ServerCertificates, ServerPair};
use provost_pki::trust::TrustStore;

/// Static RSA without its export, null and stream relatives; for clients that offer no SHA-2 signature.
pub(super) const STATIC_RSA_SUITES: &str = "kRSA+AES:@SECLEVEL=0";
/// Everything with a certificate and a cipher that is not broken; 3DES is left out (Sweet32).
const SUITES: &str = "ALL:!aNULL:!eNULL:!PSK:!SRP:!EXP:!LOW:!MD5:!RC4:!3DES:!SEED:!IDEA:@SECLEVEL=0";

/// Sessions kept for phones that know no tickets: a site's worth while it boots. Each holds the chain the phone sent,
/// which a stranger may make 100 kB long, so the library's own 20,480 would be 2 GB.
const SESSIONS: i32 = 1_024;

/// The context for these certificates.
pub(super) fn context(server: &ServerCertificates, trust: &TrustStore, legacy: bool) -> Result<SslContext, TlsError> {
    // RSA first: what comes here is old, and old phones know RSA at least.
    let pair = server.rsa().or_else(|| server.p256()).ok_or(TlsError::NoCertificate)?;
    Ok(build(pair, trust, legacy)?)
}

fn build(pair: &ServerPair, trust: &TrustStore, legacy: bool) -> Result<SslContext, ErrorStack> {
    let mut context = SslContext::builder(SslMethod::tls_server())?;
    // Phones of 2010 have 1024-bit keys and SHA-1 signatures; the policy judges them, not this library.
    context.set_security_level(0);
    context.set_min_proto_version(Some(if legacy { SslVersion::TLS1 } else { SslVersion::TLS1_2 }))?;
    context.set_max_proto_version(Some(SslVersion::TLS1_2))?;
    context.set_cipher_list(SUITES)?;
    context
        .set_options(SslOptions::NO_RENEGOTIATION | SslOptions::NO_COMPRESSION | SslOptions::CIPHER_SERVER_PREFERENCE);
    // An idle phone should not hold 34 kB of empty buffers.
    context.set_mode(SslMode::RELEASE_BUFFERS);
    set_pair(&mut context, pair)?;
    context.set_verify_callback(SslVerifyMode::PEER, |_, _| true);
    // Without it OpenSSL refuses to resume sessions that hold a client certificate.
    context.set_session_id_context(b"provost phones")?;
    context.set_session_cache_size(SESSIONS);
    for authority in trust.authorities() {
        context.add_client_ca(X509::from_der(authority.der())?.as_ref())?;
    }
    context.set_alpn_select_callback(|_, offered| select_next_proto(b"\x08http/1.1", offered).ok_or(AlpnError::NOACK));
    Ok(context.build())
}

fn set_pair(context: &mut SslContextBuilder, pair: &ServerPair) -> Result<(), ErrorStack> {
    for (at, der) in pair.chain().iter().enumerate() {
        let certificate = X509::from_der(der)?;
        if at == 0 {
            context.set_certificate(&certificate)?;
        } else {
            context.add_extra_chain_cert(certificate)?;
        }
    }
    let key = PKey::private_key_from_der(pair.key_der())?;
    context.set_private_key(&key)?;
    context.check_private_key()
}
