//! The modern stack: rustls for TLS 1.3 and for TLS 1.2 with ephemeral keys.

use super::TlsError;
use super::possession::PossessionOnly;
use provost_pki::server::ServerCertificates;
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ProducesTickets, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{NamedGroup, ServerConfig, SignatureScheme};
use std::sync::Arc;

/// The configuration for these certificates.
///
/// `tickets` outlives a change of certificates, so that phones can go on resuming; every configuration it is given to
/// must ask for the client's certificate in the same way.
pub(super) fn config(
    server: &ServerCertificates,
    subjects: Vec<Vec<u8>>,
    tickets: Arc<dyn ProducesTickets>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(Arc::new(PossessionOnly::new(subjects)))
        .with_cert_resolver(Arc::new(EitherKind::of(server)));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.ticketer = tickets;
    // A phone keeps one session; a second ticket is only bytes.
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}

/// Shows P-256 to clients that can verify it, RSA to the others.
#[derive(Debug)]
pub(super) struct EitherKind {
    rsa: Option<Arc<CertifiedKey>>,
    p256: Option<Arc<CertifiedKey>>,
}

impl EitherKind {
    pub(super) fn of(server: &ServerCertificates) -> Self {
        Self {
            rsa: server.rsa().map(|pair| Arc::clone(&pair.certified)),
            p256: server.p256().map(|pair| Arc::clone(&pair.certified)),
        }
    }
}

impl ResolvesServerCert for EitherKind {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // rustls leaves ECDSA out of the schemes when no ECDSA suite is offered, so these two tests are enough.
        let p256_known = hello.named_groups().is_none_or(|groups| groups.contains(&NamedGroup::secp256r1))
            && hello.signature_schemes().contains(&SignatureScheme::ECDSA_NISTP256_SHA256);
        let (first, second) = if p256_known { (&self.p256, &self.rsa) } else { (&self.rsa, &self.p256) };
        first.as_ref().or(second.as_ref()).cloned()
    }
}
