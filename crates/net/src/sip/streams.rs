//! SIP over TCP: connections as numbered streams of bytes.
//!
//! Decides how many connections one address may have; what the bytes mean is the machine's. A connection that waits
//! holds a socket and a small task and no buffer.

use super::LEAVE;
use crate::http::gate::{Gate, Slot};
use crate::shutdown::Shutdown;
use provost_proto::sip::StreamId;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// As the machine's own limit; past it connections are closed at once.
const CONNECTIONS: usize = 16_384;
/// A site behind one translated address.
const CONNECTIONS_PER_ADDRESS: usize = 1_024;
/// Messages that wait for a phone which does not read; after those its connection is closed.
const OUTGOING: usize = 16;
/// Pieces that wait for the machine; a connection stops being read meanwhile.
const INCOMING: usize = 512;
/// Read at once; the longest messages of phones come in one or two pieces.
const PIECE: usize = 4_096;
/// A phone that does not take a message within this time is gone.
const WRITE: Duration = Duration::from_secs(10);
/// Out of file descriptors: waiting lets connections end, trying again at once spins.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What happened on the connections.
#[derive(Debug)]
pub(super) enum StreamEvent {
    /// Somebody connected.
    Opened(StreamId, SocketAddr, mpsc::Sender<Arc<[u8]>>),
    /// Bytes came; they may hold dialed digits, so nothing prints them.
    Bytes(StreamId, Received),
    /// It is gone.
    Closed(StreamId),
}

/// Bytes of a connection.
pub(super) struct Received(pub(super) Vec<u8>);

impl std::fmt::Debug for Received {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} bytes", self.0.len())
    }
}

/// The way out on each open connection.
#[derive(Debug, Default)]
pub(super) struct Writers(HashMap<StreamId, mpsc::Sender<Arc<[u8]>>>);

impl Writers {
    pub(super) fn opened(&mut self, stream: StreamId, writer: mpsc::Sender<Arc<[u8]>>) {
        self.0.insert(stream, writer);
    }

    /// Forgets a connection, which closes it after what waits was written.
    pub(super) fn close(&mut self, stream: StreamId) {
        self.0.remove(&stream);
    }

    /// Hands bytes to a connection; false when it takes no more and was closed.
    pub(super) fn send(&mut self, stream: StreamId, bytes: Arc<[u8]>) -> bool {
        let taken = self.0.get(&stream).is_some_and(|writer| writer.try_send(bytes).is_ok());
        if !taken {
            self.0.remove(&stream);
        }
        taken
    }
}

/// The channel between connections and the machine.
pub(super) fn channel() -> (mpsc::Sender<StreamEvent>, mpsc::Receiver<StreamEvent>) {
    mpsc::channel(INCOMING)
}

/// Accepts until shut down; returns once every connection has ended, which it does when its [`Writers`] are gone and
/// what they were given is written.
pub(super) async fn accept(listener: TcpListener, events: mpsc::Sender<StreamEvent>, mut stop: Shutdown) {
    let gate = Gate::new(CONNECTIONS, CONNECTIONS_PER_ADDRESS);
    let mut tasks = JoinSet::new();
    let mut last = 0u64;
    loop {
        let accepted = tokio::select! {
            () = stop.pulled() => break,
            Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((socket, from)) = accepted else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Over the limit the connection is closed without a word.
        let from = SocketAddr::new(from.ip().to_canonical(), from.port());
        let Some(slot) = gate.enter(from.ip()) else { continue };
        last = last.saturating_add(1);
        tasks.spawn(run((socket, from), StreamId(last), events.clone(), slot));
    }
    let ended = async { while tasks.join_next().await.is_some() {} };
    if timeout(LEAVE, ended).await.is_err() {
        tasks.shutdown().await;
    }
}

async fn run(
    (mut socket, from): (TcpStream, SocketAddr),
    stream: StreamId,
    events: mpsc::Sender<StreamEvent>,
    _slot: Slot,
) {
    let (writer, mut outgoing) = mpsc::channel::<Arc<[u8]>>(OUTGOING);
    // Answers are small and wanted now.
    let _ = socket.set_nodelay(true);
    if events.send(StreamEvent::Opened(stream, from, writer)).await.is_err() {
        return;
    }
    loop {
        // Both arms are cancel-safe: readiness is asked again, a message is taken whole.
        tokio::select! {
            message = outgoing.recv() => {
                // None: the machine closed this connection.
                let Some(message) = message else { break };
                if !matches!(timeout(WRITE, socket.write_all(&message)).await, Ok(Ok(()))) {
                    break;
                }
            }
            ready = socket.readable() => {
                if ready.is_err() {
                    break;
                }
                match read(&socket) {
                    Ok(Some(bytes)) => {
                        // A machine that stops takes no more, but its last words are still to be written.
                        let _ = events.send(StreamEvent::Bytes(stream, Received(bytes))).await;
                    }
                    Ok(None) => {}
                    Err(_) => break,
                }
            }
        }
    }
    let _ = timeout(WRITE, socket.shutdown()).await;
    // An error means that the machine is gone.
    let _ = events.send(StreamEvent::Closed(stream)).await;
}

/// What is there to be read; the buffer lives no longer than this call, so that silent connections hold none.
fn read(socket: &TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut piece = [0; PIECE];
    match socket.try_read(&mut piece) {
        Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
        Ok(length) => Ok(piece.get(..length).map(<[u8]>::to_vec)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
