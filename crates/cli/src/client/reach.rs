//! The way to a console by its address: plain HTTP on this machine, HTTPS everywhere.

use crate::failure::Failure;
use http::Uri;
use openssl::ssl::{SslConnector, SslMethod};
use std::net::IpAddr;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

/// From the first packet to the end of the handshake.
const DEADLINE: Duration = Duration::from_secs(15);

/// Where a console answers.
pub(crate) struct Address {
    host: String,
    port: u16,
    tls: Option<SslConnector>,
}

/// Bytes both ways, encrypted or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Address {
    /// Reads an address; `ca` are authorities to trust beside those of this machine.
    pub(super) fn read(url: &str, ca: Option<&Path>) -> Result<Self, Failure> {
        let usage = |why: &str| {
            Failure::Usage(format!(
                "--server {url}: {why}; write https://HOST[:PORT] of the console, or http://127.0.0.1:PORT"
            ))
        };
        let uri: Uri = url.parse().map_err(|_| usage("is no address"))?;
        let host = uri.host().ok_or_else(|| usage("names no host"))?.trim_matches(['[', ']']).to_owned();
        let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        match uri.scheme_str() {
            Some("https") => {
                let port = uri.port_u16().unwrap_or(443);
                Ok(Self { host, port, tls: Some(connector(ca)?) })
            }
            Some("http") if ca.is_some() => Err(usage("has no certificate that --ca could be for")),
            Some("http") if is_here => Ok(Self { host, port: uri.port_u16().unwrap_or(80), tls: None }),
            Some("http") => Err(usage("is not this machine, and the token would cross the network in clear")),
            _ => Err(usage("is neither https:// nor http://")),
        }
    }

    /// A connection on which the token can be shown.
    pub(super) async fn connect(&self) -> Result<Box<dyn Stream>, Failure> {
        let Self { host, port, .. } = self;
        let late = || Failure::Runtime(format!("{host}:{port} did not answer within {} s", DEADLINE.as_secs()));
        tokio::time::timeout(DEADLINE, self.connected()).await.unwrap_or_else(|_| Err(late()))
    }

    async fn connected(&self) -> Result<Box<dyn Stream>, Failure> {
        let Self { host, port, tls } = self;
        let unreachable = |error| Failure::Runtime(format!("cannot reach {host}:{port}: {error}"));
        let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(unreachable)?;
        let Some(tls) = tls else { return Ok(Box::new(stream)) };
        let ssl = tls.configure().and_then(|tls| tls.into_ssl(host)).map_err(Failure::runtime)?;
        let mut stream = SslStream::new(ssl, stream).map_err(Failure::runtime)?;
        let untrusted = |error| {
            Failure::Runtime(format!(
                "{host}:{port} did not prove to be that server ({error}); the token was not sent; name the authority of \
                 its certificate with --ca FILE if this machine does not know it"
            ))
        };
        Pin::new(&mut stream).connect().await.map_err(untrusted)?;
        Ok(Box::new(stream))
    }
}

fn connector(ca: Option<&Path>) -> Result<SslConnector, Failure> {
    let mut tls = SslConnector::builder(SslMethod::tls_client()).map_err(Failure::runtime)?;
    if let Some(file) = ca {
        let at_fault =
            |error| Failure::Usage(format!("--ca {}: {error}; name a PEM file of certificates", file.display()));
        tls.set_ca_file(file).map_err(at_fault)?;
    }
    Ok(tls.build())
}
