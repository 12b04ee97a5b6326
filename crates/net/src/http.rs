//! HTTP/1.1 accept loops: for phones over TLS, for browsers over TLS, and plain.
//!
//! Decides who may connect how often and for how long, and puts the proven [`Peer`] into each request's extensions.
//! Never looks into a request: a malformed one gets the library's plain 400 and the connection closes.
//! Every connection has a deadline at each step, every task is joined, and nothing here grows with what strangers do.

pub(crate) mod gate;
mod limits;
mod progress;
mod rate;
mod source;

pub use limits::Limits;

use crate::Clock;
use crate::shutdown::Shutdown;
use crate::tls::{HandshakeFailure, PhoneTls, WebTls};
use gate::{Gate, Slot};
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use progress::Progress;
use provost_core::identity::{Peer, Transport, Verdict};
use rate::Rate;
use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tower::Service;

/// A request head, or what is buffered of an answer; a phone's request is below 1 kB.
const BUFFER_LIMIT: usize = 64 * 1024;
/// Out of file descriptors or memory: waiting lets connections end, trying again at once spins.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Told of each handshake that failed, from which address; a flood calls it often, so it must be quick and bounded.
pub type OnFailedHandshake = Arc<dyn Fn(IpAddr, &HandshakeFailure) + Send + Sync>;

/// What answers requests, within which limits, until when.
#[derive(Debug, Clone)]
pub struct HttpServer<S> {
    /// Cloned for each request.
    pub service: S,
    /// Numbers and times.
    pub limits: Limits,
    /// Ends the loop: connections may finish the request they are in, within [`Limits::drain`].
    pub shutdown: Shutdown,
}

/// What the TLS port for phones needs besides.
#[derive(Clone)]
pub struct PhonePort {
    /// Certificates and policy.
    pub tls: Arc<PhoneTls>,
    /// Judges certificates' dates.
    pub clock: Clock,
    /// Told of failures.
    pub on_failed_handshake: OnFailedHandshake,
}

/// How the connections of a listener begin.
#[derive(Clone)]
enum Port {
    Plain,
    Phones(PhonePort),
    Web(Arc<WebTls>),
}

/// Serves phones over TLS until shut down; returns once every connection has ended.
pub async fn serve_phones_tls<S, B>(listener: TcpListener, port: PhonePort, server: HttpServer<S>)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    accept_loop(listener, Port::Phones(port), server).await;
}

/// Serves plain HTTP until shut down; returns once every connection has ended.
pub async fn serve_plain<S, B>(listener: TcpListener, server: HttpServer<S>)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    accept_loop(listener, Port::Plain, server).await;
}

/// Serves browsers over TLS until shut down; returns once every connection has ended.
pub async fn serve_web_tls<S, B>(listener: TcpListener, tls: Arc<WebTls>, server: HttpServer<S>)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    accept_loop(listener, Port::Web(tls), server).await;
}

async fn accept_loop<S, B>(listener: TcpListener, port: Port, server: HttpServer<S>)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let limits = server.limits;
    let connections = Gate::new(limits.connections, limits.connections_per_address);
    let handshakes = Gate::new(limits.handshakes, limits.handshakes_per_address);
    let rate = match &port {
        Port::Plain => None,
        Port::Phones(_) | Port::Web(_) => {
            Some(Rate::new(limits.handshake_burst_per_address, limits.handshakes_per_second_per_address))
        }
    };
    let is_limited = |from: IpAddr| limits.rate_on_loopback || !from.is_loopback();
    // With every handshake slot taken the next connection waits in the kernel's queue: phones that start together
    // are served a little later instead of being turned away.
    let turns = Arc::new(Semaphore::new(limits.handshakes));
    let mut shutdown = server.shutdown.clone();
    let mut tasks = JoinSet::new();
    loop {
        let next = async {
            let turn = Arc::clone(&turns).acquire_owned().await;
            (turn, listener.accept().await)
        };
        // Each arm is cancel-safe: a permit comes back when dropped, an accepted socket is returned at once.
        let (turn, accepted) = tokio::select! {
            () = shutdown.pulled() => break,
            Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
            next = next => next,
        };
        let (socket, from) = match accepted {
            Ok((socket, from)) => (socket, from.ip().to_canonical()),
            Err(error) => {
                if !is_about_one_connection(&error) {
                    sleep(ACCEPT_PAUSE).await;
                }
                continue;
            }
        };
        // Over a limit the connection is closed without a word: an answer would cost more than the question.
        if rate.as_ref().is_some_and(|rate| is_limited(from) && !rate.admits(from, Instant::now())) {
            continue;
        }
        let (Some(connection), Some(handshake)) = (connections.enter(from), handshakes.enter(from)) else { continue };
        let newcomer = Newcomer { socket, from, connection, handshake: (handshake, turn) };
        tasks.spawn(run_connection(newcomer, port.clone(), server.clone()));
    }
    drop(listener);
    let all_ended = async { while tasks.join_next().await.is_some() {} };
    if timeout(limits.drain, all_ended).await.is_err() {
        tasks.shutdown().await;
    }
}

/// Whether an accept error concerns the connection that would have been accepted, not this process.
fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

/// A connection that was let in, with the places it takes.
struct Newcomer<T> {
    socket: TcpStream,
    from: IpAddr,
    connection: Slot,
    handshake: (Slot, T),
}

async fn run_connection<S, B, T>(newcomer: Newcomer<T>, port: Port, server: HttpServer<S>)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let Newcomer { socket, from: address, connection, handshake } = newcomer;
    // Answers are written whole, so waiting for more only delays their end. An error means that the phone has left.
    let _ = socket.set_nodelay(true);
    let nobody = |transport| Peer { address, transport, verdict: Arc::new(Verdict::none_presented()) };
    let mut shutdown = server.shutdown.clone();
    match port {
        Port::Plain => {
            drop(handshake);
            serve_connection(socket, nobody(Transport::Plain), server).await;
        }
        Port::Web(tls) => {
            let accepted = tokio::select! {
                () = shutdown.pulled() => return,
                accepted = timeout(server.limits.handshake, tls.accept(socket)) => accepted,
            };
            drop(handshake);
            // One that fails is a browser that does not trust us, or a scanner: neither is told about.
            if let Ok(Ok(stream)) = accepted {
                serve_connection(stream, nobody(Transport::Tls), server).await;
            }
        }
        Port::Phones(port) => {
            let accepted = tokio::select! {
                // A handshake has promised nothing yet: it is dropped.
                () = shutdown.pulled() => return,
                accepted = timeout(server.limits.handshake, port.tls.accept(socket, (port.clock)())) => accepted,
            };
            drop(handshake);
            match accepted.unwrap_or(Err(HandshakeFailure::Deadline)) {
                Ok(accepted) => {
                    let peer = Peer { address, transport: Transport::Tls, verdict: accepted.verdict };
                    serve_connection(accepted.stream, peer, server).await;
                }
                Err(failure) => (port.on_failed_handshake)(address, &failure),
            }
        }
    }
    drop(connection);
}

/// Answers requests on one connection until either end closes it.
async fn serve_connection<S, B, I>(io: I, peer: Peer, server: HttpServer<S>)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let HttpServer { service, limits, mut shutdown } = server;
    let answer = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        // The services used here are always ready (routers and functions).
        service.clone().call(request)
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            // Runs from the end of one request to the end of the next one's head, so it closes idle connections too.
            .header_read_timeout(limits.idle)
            .max_buf_size(BUFFER_LIMIT)
            .serve_connection(TokioIo::new(Progress::new(io, limits.stall)), answer)
    );
    // An error here is the phone's: malformed, slow or gone. It has had its answer, and nobody waits for ours.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = shutdown.pulled() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

#[cfg(test)]
mod tests;
