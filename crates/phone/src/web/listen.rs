//! Connections to the phone's web server.
//!
//! Decides how many there are at once, how long they may take and how much is read; never what is answered.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use openssl::ssl::{Ssl, SslContext};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_openssl::SslStream;

use crate::web::answer::Answer;
use crate::web::asked::Asked;
use crate::web::route;
use crate::web::site::Site;

/// Connections at once; a phone is no large computer.
const CONNECTIONS: usize = 32;
/// How long a handshake, the head of a request, or its body may take.
const STEP_LIMIT: Duration = Duration::from_secs(10);
/// How long a connection may last in all.
const CONNECTION_LIMIT: Duration = Duration::from_secs(300);
/// How much of the head of a request is read.
const HEAD_BYTES: usize = 32 * 1024;
/// How much of its body is read: the largest file of settings a phone takes in.
const BODY_BYTES: usize = 1024 * 1024;
/// How long to wait when the machine gives no more connections.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);

/// How a connection speaks.
#[derive(Clone)]
pub(crate) enum Door {
    Tls(SslContext),
    Plain,
}

/// Lets connections in until it is dropped.
pub(crate) async fn admit(listener: TcpListener, door: Door, site: Arc<Site>) {
    let mut connections = JoinSet::new();
    loop {
        // Both arms lose nothing when the other wins: accepting and joining are cancel-safe.
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if connections.len() < CONNECTIONS => {
                    connections.spawn(attend(stream, door.clone(), Arc::clone(&site)));
                }
                // Full: whoever came is hung up on and may come again.
                Ok(_) => {}
                Err(_) => tokio::time::sleep(REFUSED_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn attend(stream: TcpStream, door: Door, site: Arc<Site>) {
    let tls = matches!(door, Door::Tls(_));
    if !site.is_open(tls).await {
        return;
    }
    let Ok(here) = stream.local_addr() else { return };
    let place = Place { tls, here: here.ip() };
    let work = async {
        match door {
            Door::Plain => speak(stream, place, site).await,
            Door::Tls(context) => {
                if let Some(stream) = shake_hands(stream, &context).await {
                    speak(stream, place, site).await;
                }
            }
        }
    };
    // Out of time is out: the connection is dropped where it is.
    let _ = timeout(CONNECTION_LIMIT, work).await;
}

async fn shake_hands(stream: TcpStream, context: &SslContext) -> Option<SslStream<TcpStream>> {
    let mut stream = SslStream::new(Ssl::new(context).ok()?, stream).ok()?;
    timeout(STEP_LIMIT, Pin::new(&mut stream).accept()).await.ok()?.ok()?;
    Some(stream)
}

/// Where a connection came in.
#[derive(Debug, Clone, Copy)]
struct Place {
    tls: bool,
    here: IpAddr,
}

async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin, place: Place, site: Arc<Site>) {
    let service = service_fn(|request| serve(request, place, Arc::clone(&site)));
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(STEP_LIMIT).max_buf_size(HEAD_BYTES);
    // A broken connection concerns only who broke it.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}

async fn serve(request: Request<Incoming>, place: Place, site: Arc<Site>) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    // Said before a client that asks first has sent anything: an answer behind a broken upload is rarely read.
    if body.size_hint().lower() > u64::try_from(BODY_BYTES).unwrap_or(u64::MAX) {
        return Ok(Answer::text(413, "too large").into_response());
    }
    let body = match timeout(STEP_LIMIT, Limited::new(body, BODY_BYTES).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => return Ok(Answer::text(413, "too large").into_response()),
        Err(_) => return Err(io::ErrorKind::TimedOut.into()),
    };
    let asked = Asked::new(head, body, (place.tls, place.here));
    match route::answer(&site, &asked).await {
        Some(answer) => Ok(answer.into_response()),
        // The phone went down meanwhile: nobody answers.
        None => Err(io::ErrorKind::ConnectionAborted.into()),
    }
}
