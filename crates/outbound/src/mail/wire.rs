//! A connection that knows whether its reader waits: then all that was written is on its way.

use lettre::transport::smtp::client::AsyncTokioStream;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_openssl::SslStream;

#[derive(Debug, Default)]
struct Reading {
    is_reading: AtomicBool,
    began: Notify,
}

/// Tells when an answer is waited for.
#[derive(Debug, Clone)]
pub(super) struct Waits(Arc<Reading>);

impl Waits {
    /// Until whoever uses the connection has written everything and reads.
    pub(super) async fn for_an_answer(&self) {
        while !self.0.is_reading.load(Ordering::Acquire) {
            self.0.began.notified().await;
        }
    }
}

/// The connection.
#[derive(Debug)]
pub(super) struct Wire {
    tcp: TcpStream,
    reading: Arc<Reading>,
}

impl Wire {
    pub(super) fn new(tcp: TcpStream) -> (Self, Waits) {
        let reading = Arc::<Reading>::default();
        (Self { tcp, reading: Arc::clone(&reading) }, Waits(reading))
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.reading.is_reading.store(true, Ordering::Release);
        self.reading.began.notify_one();
        Pin::new(&mut self.tcp).poll_read(cx, into)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.reading.is_reading.store(false, Ordering::Release);
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

/// What lettre speaks over: the connection, in clear or not, with something to read before it.
#[derive(Debug)]
pub(super) struct Stream {
    /// What is read first: the greeting, where it was read in clear already.
    first: io::Cursor<&'static [u8]>,
    on: On,
}

#[derive(Debug)]
enum On {
    Plain(Wire),
    Tls(SslStream<Wire>),
}

impl Stream {
    pub(super) const fn plain(wire: Wire) -> Self {
        Self { first: io::Cursor::new(b""), on: On::Plain(wire) }
    }

    pub(super) const fn tls(stream: SslStream<Wire>, first: &'static [u8]) -> Self {
        Self { first: io::Cursor::new(first), on: On::Tls(stream) }
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let first = Pin::new(&mut self.first).poll_read(cx, into);
        if into.filled().len() > before {
            return first;
        }
        match &mut self.on {
            On::Plain(wire) => Pin::new(wire).poll_read(cx, into),
            On::Tls(stream) => Pin::new(stream).poll_read(cx, into),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.on {
            On::Plain(wire) => Pin::new(wire).poll_write(cx, bytes),
            On::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.on {
            On::Plain(wire) => Pin::new(wire).poll_flush(cx),
            On::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.on {
            On::Plain(wire) => Pin::new(wire).poll_shutdown(cx),
            On::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

impl AsyncTokioStream for Stream {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &self.on {
            On::Plain(wire) => wire.tcp.peer_addr(),
            On::Tls(stream) => stream.get_ref().tcp.peer_addr(),
        }
    }
}
