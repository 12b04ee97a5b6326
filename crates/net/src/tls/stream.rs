//! One connection after its handshake, whichever stack made it.

use super::rewind::Rewind;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;
use tokio_rustls::server::TlsStream;

/// Plain bytes to and from a phone.
#[derive(Debug)]
pub struct PhoneStream(Stack);

/// Boxed, because the two differ in size and live long.
#[derive(Debug)]
enum Stack {
    Modern(Box<TlsStream<Rewind<TcpStream>>>),
    Older(Box<SslStream<Rewind<TcpStream>>>),
}

impl PhoneStream {
    pub(super) fn modern(stream: TlsStream<Rewind<TcpStream>>) -> Self {
        Self(Stack::Modern(Box::new(stream)))
    }

    pub(super) fn older(stream: SslStream<Rewind<TcpStream>>) -> Self {
        Self(Stack::Older(Box::new(stream)))
    }

    /// Protocol version and cipher suite, for the log.
    pub fn protocol(&self) -> String {
        match &self.0 {
            Stack::Modern(stream) => {
                let session = stream.get_ref().1;
                let version = session.protocol_version().and_then(|version| version.as_str()).unwrap_or("TLS");
                let suite = session.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str());
                format!("{version} {}", suite.unwrap_or("unknown suite"))
            }
            Stack::Older(stream) => {
                let suite = stream.ssl().current_cipher().map_or("unknown suite", |cipher| cipher.name());
                format!("{} {suite}", stream.ssl().version_str())
            }
        }
    }
}

impl AsyncRead for PhoneStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Stack::Modern(stream) => Pin::new(stream).poll_read(cx, into),
            Stack::Older(stream) => Pin::new(stream).poll_read(cx, into),
        }
    }
}

impl AsyncWrite for PhoneStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Stack::Modern(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stack::Older(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Stack::Modern(stream) => Pin::new(stream).poll_write_vectored(cx, bytes),
            Stack::Older(stream) => Pin::new(stream).poll_write_vectored(cx, bytes),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.0 {
            Stack::Modern(stream) => stream.is_write_vectored(),
            Stack::Older(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Stack::Modern(stream) => Pin::new(stream).poll_flush(cx),
            Stack::Older(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Stack::Modern(stream) => Pin::new(stream).poll_shutdown(cx),
            Stack::Older(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
