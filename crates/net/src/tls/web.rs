//! TLS for browsers and the command line: rustls alone, TLS 1.2 and 1.3, no certificate asked for.
//!
//! Whoever comes proves nothing by the connection; who signs in is decided above.

use super::TlsError;
use super::modern::EitherKind;
use provost_pki::server::ServerCertificates;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::ProducesTickets;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Ends TLS for browsers; certificates can be replaced while it runs.
pub struct WebTls {
    current: RwLock<Arc<ServerConfig>>,
    tickets: Arc<dyn ProducesTickets>,
}

impl WebTls {
    /// Shows these certificates.
    ///
    /// # Errors
    /// [`TlsError`] when the library refuses them.
    pub fn new(server: &ServerCertificates) -> Result<Self, TlsError> {
        // Never those of the phones' port: a session begun there was judged by other rules.
        let tickets = aws_lc_rs::Ticketer::new()?;
        let current = config(server, Arc::clone(&tickets))?;
        Ok(Self { current: RwLock::new(current), tickets })
    }

    /// Shows other certificates from the next connection on.
    ///
    /// # Errors
    /// [`TlsError`] when the library refuses them; then everything stays as it was.
    pub fn replace(&self, server: &ServerCertificates) -> Result<(), TlsError> {
        let next = config(server, Arc::clone(&self.tickets))?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    /// Completes one handshake. Has no deadline of its own: the caller gives it one.
    pub(crate) async fn accept(&self, socket: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let current = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        TlsAcceptor::from(current).accept(socket).await
    }
}

fn config(server: &ServerCertificates, tickets: Arc<dyn ProducesTickets>) -> Result<Arc<ServerConfig>, TlsError> {
    if server.pairs().next().is_none() {
        return Err(TlsError::NoCertificate);
    }
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(EitherKind::of(server)));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.ticketer = tickets;
    Ok(Arc::new(config))
}
