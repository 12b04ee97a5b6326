//! A form's bytes at the pace of whoever reads it, with a bound on what may come before the file.
//!
//! The reader of forms takes all that is there before it looks at any of it. So each piece is followed by a pause in which it
//! looks, and the fields and headers before the file, which it holds in memory, cannot grow without end.

use axum::body::{Body, BodyDataStream, Bytes};
use futures_util::Stream;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

/// More than the fields before the file ever hold, with the first piece of the file, which comes along.
const MOST_BEFORE_FILE: usize = 1024 * 1024;

/// Says that the file has begun, or that the rest is thrown away: from now on any number of bytes may come.
#[derive(Debug, Clone, Default)]
pub(super) struct Gate(Arc<AtomicBool>);

impl Gate {
    pub(super) fn open(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_open(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The body with the bound in front of the gate.
pub(super) fn paced(body: Body, gate: &Gate) -> Body {
    let (pieces, gate) = (body.into_data_stream(), gate.clone());
    Body::from_stream(Paced { pieces, gate, before: 0, must_pause: false })
}

struct Paced {
    pieces: BodyDataStream,
    gate: Gate,
    before: usize,
    must_pause: bool,
}

impl Stream for Paced {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if std::mem::take(&mut self.must_pause) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let piece = match Pin::new(&mut self.pieces).poll_next(context) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(io::Error::other(error)))),
            Poll::Ready(Some(Ok(piece))) => piece,
        };
        self.must_pause = true;
        if !self.gate.is_open() {
            self.before = self.before.saturating_add(piece.len());
            if self.before > MOST_BEFORE_FILE {
                return Poll::Ready(Some(Err(io::Error::other("more than a form holds came before its file"))));
            }
        }
        Poll::Ready(Some(Ok(piece)))
    }
}
