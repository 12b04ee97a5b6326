//! Ends a connection on which no byte moves though one is wanted: a phone that vanished, or a client that reads a
//! firmware image and stops.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// `io` that fails with `TimedOut` after `patience` without progress.
#[derive(Debug)]
pub(super) struct Progress<S> {
    io: S,
    patience: Duration,
    deadline: Pin<Box<Sleep>>,
    /// Whether the deadline belongs to the present wait; reset lazily, so that a busy connection sets no timers.
    waiting: bool,
}

impl<S> Progress<S> {
    pub(super) fn new(io: S, patience: Duration) -> Self {
        Self { io, patience, deadline: Box::pin(sleep(patience)), waiting: false }
    }

    /// Passes on the result of moving bytes, and turns a wait that has lasted too long into an error.
    fn moved<T>(&mut self, result: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.waiting = false;
        }
        self.watched(result, cx)
    }

    /// The same for what may be ready without a byte having moved.
    fn watched<T>(&mut self, result: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            return result;
        }
        if !self.waiting {
            self.waiting = true;
            if let Some(deadline) = Instant::now().checked_add(self.patience) {
                self.deadline.as_mut().reset(deadline);
            }
        }
        ready!(self.deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Progress<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.io).poll_read(cx, into);
        self.moved(result, cx)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Progress<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.moved(result, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.io).poll_write_vectored(cx, bytes);
        self.moved(result, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.io).poll_flush(cx);
        self.watched(result, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.io).poll_shutdown(cx);
        self.watched(result, cx)
    }
}
