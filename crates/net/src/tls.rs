//! TLS for every phone at one address, old or new: one hello is read, and the stack that can serve it answers.
//!
//! Decides the protocol rules: TLS 1.2 and 1.3 always, static RSA and CBC at 1.2 included; TLS 1.0 and 1.1, hellos in
//! the SSLv2 format and SHA-1-only clients with `legacy-tls`. The handshake completes without a good certificate, so
//! that the reason can be recorded; the verdict comes from the policy afterwards, on resumed sessions too.
//! Never retries a failed handshake on the other stack: a middle man could then choose the stack.

mod failure;
mod hello;
mod modern;
mod older;
mod possession;
mod rewind;
mod stream;
mod web;

pub use failure::HandshakeFailure;
pub use stream::PhoneStream;
pub use web::WebTls;

use bytes::BytesMut;
use hello::{HELLO_LIMIT, Hello, LegacyNeed};
use openssl::ssl::{Ssl, SslContext};
use provost_core::identity::Verdict;
use provost_core::time::UnixMillis;
use provost_pki::certificate::{RSA_LEAST_BITS, rsa_bits};
use provost_pki::policy::DevicePolicy;
use provost_pki::server::ServerCertificates;
use rewind::Rewind;
use rustls::ServerConfig;
use rustls::server::ProducesTickets;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;
use tokio_rustls::TlsAcceptor;
use x509_parser::prelude::{FromDer, X509Certificate};

/// TLS cannot be set up with these certificates.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// There is nothing to show.
    #[error("no server certificate to show")]
    NoCertificate,
    /// The modern stack refuses the configuration.
    #[error("the TLS library refuses the configuration: {0}")]
    Modern(#[from] rustls::Error),
    /// The older stack refuses the configuration.
    #[error("OpenSSL refuses the configuration: {0}")]
    Older(#[from] openssl::error::ErrorStack),
}

/// Ends TLS for phones; certificates and trust can be replaced while it runs.
pub struct PhoneTls {
    current: RwLock<Arc<Current>>,
    /// One for the life of the process, so that a renewed certificate does not end every session.
    tickets: Arc<dyn ProducesTickets>,
}

struct Current {
    modern: Arc<ServerConfig>,
    older: SslContext,
    policy: Arc<DevicePolicy>,
}

/// A phone whose handshake is complete.
#[derive(Debug)]
pub struct Accepted {
    /// Plain bytes in and out.
    pub stream: PhoneStream,
    /// What its certificate is worth.
    pub verdict: Arc<Verdict>,
    /// Whether an earlier session was resumed.
    pub resumed: bool,
}

impl PhoneTls {
    /// Sets up both stacks.
    ///
    /// # Errors
    /// [`TlsError`] when a library refuses the certificates.
    pub fn new(server: &ServerCertificates, policy: Arc<DevicePolicy>) -> Result<Self, TlsError> {
        let tickets = rustls::crypto::aws_lc_rs::Ticketer::new()?;
        let current = Current::new(server, policy, Arc::clone(&tickets))?;
        Ok(Self { current: RwLock::new(Arc::new(current)), tickets })
    }

    /// Serves other certificates or trust from the next connection on; connections that stand keep what they have.
    ///
    /// # Errors
    /// [`TlsError`] when a library refuses the certificates; then everything stays as it was.
    pub fn replace(&self, server: &ServerCertificates, policy: Arc<DevicePolicy>) -> Result<(), TlsError> {
        let next = Arc::new(Current::new(server, policy, Arc::clone(&self.tickets))?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    /// The policy that judges phones now.
    pub fn policy(&self) -> Arc<DevicePolicy> {
        Arc::clone(&self.current().policy)
    }

    /// Completes one handshake and judges the phone as of `now`.
    ///
    /// Has no deadline of its own: the caller gives it one. Not cancel-safe, and need not be: a dropped handshake is
    /// a closed connection.
    ///
    /// # Errors
    /// [`HandshakeFailure`], in words for an administrator.
    pub async fn accept(&self, mut socket: TcpStream, now: UnixMillis) -> Result<Accepted, HandshakeFailure> {
        let current = self.current();
        let mut first = BytesMut::with_capacity(2_048);
        let hello = read_hello(&mut socket, &mut first).await?;
        let legacy = current.policy.rules().legacy;
        match hello {
            Hello::NotTls => Err(HandshakeFailure::NotTls),
            Hello::Modern => current.accept_modern(Rewind::new(first.freeze(), socket), now).await,
            Hello::Older { static_rsa_only } => {
                current.accept_older(Rewind::new(first.freeze(), socket), static_rsa_only, now).await
            }
            Hello::Legacy(_) if legacy => current.accept_older(Rewind::new(first.freeze(), socket), false, now).await,
            Hello::Legacy(need) => {
                refuse(&mut socket, need).await;
                Err(HandshakeFailure::NeedsLegacy { need: need.into() })
            }
        }
    }

    fn current(&self) -> Arc<Current> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Current {
    fn new(
        server: &ServerCertificates,
        policy: Arc<DevicePolicy>,
        tickets: Arc<dyn ProducesTickets>,
    ) -> Result<Self, TlsError> {
        let modern = modern::config(server, policy.trust().subjects(), tickets)?;
        let older = older::context(server, policy.trust(), policy.rules().legacy)?;
        Ok(Self { modern, older, policy })
    }

    async fn accept_modern(&self, io: Rewind<TcpStream>, now: UnixMillis) -> Result<Accepted, HandshakeFailure> {
        let accepted = TlsAcceptor::from(Arc::clone(&self.modern)).accept(io).await;
        let stream = accepted.map_err(HandshakeFailure::from_modern)?;
        let (_, session) = stream.get_ref();
        let chain: Vec<&[u8]> = session.peer_certificates().unwrap_or_default().iter().map(AsRef::as_ref).collect();
        let verdict = self.policy.judge(&chain, now);
        let resumed = session.handshake_kind() == Some(rustls::HandshakeKind::Resumed);
        Ok(Accepted { stream: PhoneStream::modern(stream), verdict, resumed })
    }

    async fn accept_older(
        &self,
        io: Rewind<TcpStream>,
        static_rsa_only: bool,
        now: UnixMillis,
    ) -> Result<Accepted, HandshakeFailure> {
        let mut ssl = Ssl::new(&self.older).map_err(HandshakeFailure::from_stack)?;
        if static_rsa_only {
            ssl.set_cipher_list(older::STATIC_RSA_SUITES).map_err(HandshakeFailure::from_stack)?;
        }
        let mut stream = SslStream::new(ssl, io).map_err(HandshakeFailure::from_stack)?;
        Pin::new(&mut stream).accept().await.map_err(|error| HandshakeFailure::from_older(&error))?;
        let session = stream.ssl();
        // OpenSSL leaves the phone's own certificate out of the chain on this side, and the rest on resumption.
        let sent = session.peer_cert_chain().into_iter().flatten().filter_map(|each| each.to_der().ok());
        let leaf = session.peer_certificate().and_then(|leaf| leaf.to_der().ok());
        let chain: Vec<Vec<u8>> = leaf.into_iter().chain(sent).collect();
        if let Some(found) = chain.first().and_then(|leaf| short_key(leaf)) {
            return Err(HandshakeFailure::ShortKey { found });
        }
        let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
        let verdict = self.policy.judge(&chain, now);
        let resumed = session.session_reused();
        Ok(Accepted { stream: PhoneStream::older(stream), verdict, resumed })
    }
}

/// The size of an RSA key too short to prove anything: its proof could have been made by anybody.
fn short_key(leaf: &[u8]) -> Option<usize> {
    let (_, leaf) = X509Certificate::from_der(leaf).ok()?;
    rsa_bits(leaf.public_key()).filter(|bits| *bits < RSA_LEAST_BITS)
}

/// Reads until the hello is complete. Never peeks: a partial hello would keep the socket readable and spin.
async fn read_hello(socket: &mut TcpStream, into: &mut BytesMut) -> Result<Hello, HandshakeFailure> {
    loop {
        if socket.read_buf(into).await? == 0 {
            return Err(if into.is_empty() { HandshakeFailure::Silent } else { HandshakeFailure::Hello });
        }
        if let Some(hello) = hello::classify(into) {
            return Ok(hello);
        }
        if into.len() > HELLO_LIMIT {
            return Err(HandshakeFailure::Hello);
        }
    }
}

/// Tells the phone why, in its own language, so that its log says more than "connection closed".
async fn refuse(socket: &mut TcpStream, need: LegacyNeed) {
    const PROTOCOL_VERSION: u8 = 70;
    const HANDSHAKE_FAILURE: u8 = 40;
    let reason = match need {
        LegacyNeed::Version(_) | LegacyNeed::SslV2Hello => PROTOCOL_VERSION,
        LegacyNeed::Sha1 => HANDSHAKE_FAILURE,
    };
    // Alert record, TLS 1.0, two bytes, fatal. The phone may be gone already: then nobody misses it.
    let _ = socket.write_all(&[21, 3, 1, 0, 2, 2, reason]).await;
    let _ = socket.shutdown().await;
}

#[cfg(test)]
mod tests;
