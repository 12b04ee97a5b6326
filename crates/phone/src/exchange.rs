//! One HTTP request of the phone, over TCP or TLS.
//!
//! Decides how a request is framed, how long the phone waits and how much it reads. Never follows a
//! redirect and never repeats a request: what phones do there is not known (domain notes 1.5).

use std::future::Future;
use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use url::Url;

use crate::tls::{Handshake, Shows, TlsClient, TlsFailure};

/// How long a phone waits for one file, connection included.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// How long it waits for the server to take the connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long a finished connection may take to say goodbye.
const CLOSE_LIMIT: Duration = Duration::from_millis(200);
/// The largest configuration file a phone reads.
const FILE_LIMIT: usize = 4 * 1024 * 1024;
/// What is read of an image before the phone hangs up: its header.
const IMAGE_LIMIT: usize = 64 * 1024;

/// What to do with the answer's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// All of it, or the file is too large.
    Whole,
    /// Only the beginning, then hang up: early closes are normal for images.
    Head,
}

/// A request ready to go.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: http::Method,
    pub(crate) url: &'a Url,
    pub(crate) user_agent: &'a str,
    pub(crate) body: Bytes,
    pub(crate) reading: Reading,
    pub(crate) shows: Shows,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The address is not one this phone can ask.
    #[error("`{url}` is no address this phone can ask; write http:// or https:// with a host")]
    Address {
        /// The address.
        url: String,
    },
    /// No TCP connection.
    #[error("cannot connect to {host}:{port}: {source}")]
    Connect {
        /// The host asked for.
        host: String,
        /// Its port.
        port: u16,
        /// The reason.
        source: io::Error,
    },
    /// No TLS connection.
    #[error(transparent)]
    Tls(#[from] TlsFailure),
    /// The connection broke, or what came is no HTTP.
    #[error("the server's answer broke off: {0}")]
    Broken(#[from] hyper::Error),
    /// The request cannot be written.
    #[error("the request cannot be written: {0}")]
    Request(#[from] http::Error),
    /// The file is larger than the phone's memory.
    #[error("the file is larger than {limit} bytes")]
    TooLarge {
        /// The most that is read.
        limit: usize,
    },
    /// Nothing came in time.
    #[error("no answer within {} s", limit.as_secs())]
    Late {
        /// How long the phone waited.
        limit: Duration,
    },
}

/// Sends `request`; `now` is the phone's time in seconds since 1970, for the server's certificate.
pub(crate) async fn send(tls: &TlsClient, request: &Request<'_>, now: i64) -> Result<Answer, Failure> {
    within(REQUEST_LIMIT, exchange(tls, request, now)).await
}

async fn exchange(tls: &TlsClient, request: &Request<'_>, now: i64) -> Result<Answer, Failure> {
    let unusable = || Failure::Address { url: request.url.to_string() };
    let host = request.url.host_str().ok_or_else(unusable)?;
    let port = request.url.port_or_known_default().ok_or_else(unusable)?;
    match request.url.scheme() {
        "http" => {
            let stream = within(CONNECT_LIMIT, dial(host, port)).await?;
            talk(stream, request).await
        }
        "https" => {
            let stream = within(CONNECT_LIMIT, dial(host, port)).await?;
            let shows = request.shows;
            let stream = tls.connect(stream, Handshake { host, now, shows }).await?;
            talk(stream, request).await
        }
        _ => Err(unusable()),
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done,
        Err(_) => Err(Failure::Late { limit }),
    }
}

async fn dial(host: &str, port: u16) -> Result<TcpStream, Failure> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    TcpStream::connect((bare, port)).await.map_err(|source| Failure::Connect { host: host.to_owned(), port, source })
}

async fn talk<S>(stream: S, request: &Request<'_>) -> Result<Answer, Failure>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    TokioIo<S>: Read + Write,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut connection = std::pin::pin!(connection);
    let message = message(request)?;
    let work = async move {
        let response = sender.send_request(message).await?;
        let status = response.status().as_u16();
        let body = body(response.into_body(), request.reading).await?;
        Ok(Answer { status, body })
    };
    let mut work = std::pin::pin!(work);
    // Both are only polled here and end here; nothing is lost when one branch wins.
    let answer = tokio::select! {
        biased;
        answer = &mut work => answer,
        ended = &mut connection => {
            ended?;
            return work.await;
        }
    };
    if request.reading == Reading::Whole {
        let _ = tokio::time::timeout(CLOSE_LIMIT, connection).await;
    }
    answer
}

fn message(request: &Request<'_>) -> Result<http::Request<Full<Bytes>>, http::Error> {
    let target = match request.url.query() {
        Some(query) => format!("{}?{query}", request.url.path()),
        None => request.url.path().to_owned(),
    };
    let host = request.url.host_str().unwrap_or_default();
    let host = match request.url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    http::Request::builder()
        .method(&request.method)
        .uri(target)
        .header(http::header::HOST, host)
        .header(http::header::ACCEPT, "*/*")
        .header(http::header::USER_AGENT, request.user_agent)
        .body(Full::new(request.body.clone()))
}

async fn body(mut incoming: Incoming, reading: Reading) -> Result<Bytes, Failure> {
    let mut whole = BytesMut::new();
    while let Some(frame) = incoming.frame().await {
        if let Ok(part) = frame?.into_data() {
            whole.extend_from_slice(&part);
        }
        match reading {
            Reading::Whole if whole.len() > FILE_LIMIT => return Err(Failure::TooLarge { limit: FILE_LIMIT }),
            Reading::Head if whole.len() >= IMAGE_LIMIT => break,
            Reading::Whole | Reading::Head => {}
        }
    }
    Ok(whole.freeze())
}
