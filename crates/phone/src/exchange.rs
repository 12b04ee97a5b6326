//! One HTTP request of the phone, over TCP or TLS.
//!
//! Decides how a request is framed, how long the phone waits and how much it reads; an image is handed on
//! piece by piece, so that none is held in memory. Never follows a
//! redirect and never repeats a request by itself: what phones do there is not known (domain notes 1.5).

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

use crate::image::Taking;
use crate::tls::{Handshake, Shows, TlsClient, TlsFailure};

/// How long a phone waits for one file, connection included.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// How long it waits for the server to take the connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long a finished connection may take to say goodbye.
const CLOSE_LIMIT: Duration = Duration::from_millis(200);
/// The largest configuration file a phone reads.
const FILE_LIMIT: usize = 4 * 1024 * 1024;
/// How long an image may take in all: 60 MB at 128 kbit/s are an hour.
const IMAGE_LIMIT: Duration = Duration::from_secs(2 * 3600);

/// Who takes an answer's body piece by piece, and says when it has enough.
pub(crate) type Sink<'a> = dyn FnMut(&[u8]) -> Taking + Send + 'a;

/// What to do with the answer's body.
pub(crate) enum Reading<'a> {
    /// Keep it, or the file is too large.
    Whole,
    /// Hand it on, and hang up once there is enough: early closes are normal for images.
    Stream(&'a mut Sink<'a>),
}

/// A request ready to go.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: http::Method,
    pub(crate) url: &'a Url,
    pub(crate) user_agent: &'a str,
    pub(crate) body: Bytes,
    pub(crate) shows: Shows,
    /// The answer to a challenge.
    pub(crate) authorization: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// What was kept; empty when the body was handed on.
    pub(crate) body: Bytes,
    /// Bytes of the body that came.
    pub(crate) received: usize,
    /// Why a body that was handed on ended before its time.
    pub(crate) broke: Option<Failure>,
    /// What a server asks that wants credentials.
    pub(crate) challenge: Option<String>,
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
pub(crate) async fn send(
    tls: &TlsClient,
    request: &Request<'_>,
    reading: Reading<'_>,
    now: i64,
) -> Result<Answer, Failure> {
    let limit = match &reading {
        Reading::Whole => REQUEST_LIMIT,
        Reading::Stream(_) => IMAGE_LIMIT,
    };
    within(limit, exchange(tls, request, reading, now)).await
}

async fn exchange(tls: &TlsClient, request: &Request<'_>, reading: Reading<'_>, now: i64) -> Result<Answer, Failure> {
    let unusable = || Failure::Address { url: request.url.to_string() };
    let host = request.url.host_str().ok_or_else(unusable)?;
    let port = request.url.port_or_known_default().ok_or_else(unusable)?;
    match request.url.scheme() {
        "http" => {
            let stream = within(CONNECT_LIMIT, dial(host, port)).await?;
            talk(stream, request, reading).await
        }
        "https" => {
            let stream = within(CONNECT_LIMIT, dial(host, port)).await?;
            let shows = request.shows;
            let handshake = async { Ok(tls.connect(stream, Handshake { host, now, shows }).await?) };
            talk(within(REQUEST_LIMIT, handshake).await?, request, reading).await
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

async fn talk<S>(stream: S, request: &Request<'_>, reading: Reading<'_>) -> Result<Answer, Failure>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    TokioIo<S>: Read + Write,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut connection = std::pin::pin!(connection);
    let message = message(request)?;
    let whole = matches!(reading, Reading::Whole);
    let work = async move {
        let response = within(REQUEST_LIMIT, async { Ok(sender.send_request(message).await?) }).await?;
        let status = response.status().as_u16();
        let asked = response.headers().get(http::header::WWW_AUTHENTICATE).filter(|_| status == 401);
        let challenge = asked.and_then(|asked| asked.to_str().ok()).map(str::to_owned);
        match reading {
            Reading::Stream(sink) if (200..300).contains(&status) => {
                let (received, broke) = hand_on(response.into_body(), sink).await;
                Ok(Answer { status, body: Bytes::new(), received, broke, challenge })
            }
            Reading::Whole | Reading::Stream(_) => {
                let body = body(response.into_body()).await?;
                Ok(Answer { status, received: body.len(), body, broke: None, challenge })
            }
        }
    };
    let mut work = std::pin::pin!(work);
    // Both are only polled here and end here; nothing is lost when one branch wins.
    let answer = tokio::select! {
        biased;
        answer = &mut work => answer,
        ended = &mut connection => {
            // A body that is handed on counts as far as it came; reading it says how it ended.
            if whole {
                ended?;
            }
            return work.await;
        }
    };
    if whole {
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
    let builder = http::Request::builder().method(&request.method).uri(target);
    let builder = match &request.authorization {
        Some(proof) => builder.header(http::header::AUTHORIZATION, proof),
        None => builder,
    };
    builder
        .header(http::header::HOST, host)
        .header(http::header::ACCEPT, "*/*")
        .header(http::header::USER_AGENT, request.user_agent)
        .body(Full::new(request.body.clone()))
}

async fn body(mut incoming: Incoming) -> Result<Bytes, Failure> {
    let mut whole = BytesMut::new();
    while let Some(frame) = incoming.frame().await {
        if let Ok(part) = frame?.into_data() {
            whole.extend_from_slice(&part);
        }
        if whole.len() > FILE_LIMIT {
            return Err(Failure::TooLarge { limit: FILE_LIMIT });
        }
    }
    Ok(whole.freeze())
}

/// Hands the body on until there is enough or no more; says how much came and what broke it off.
async fn hand_on(mut incoming: Incoming, sink: &mut Sink<'_>) -> (usize, Option<Failure>) {
    let mut received = 0_usize;
    loop {
        let next = within(REQUEST_LIMIT, async { Ok(incoming.frame().await.transpose()?) }).await;
        let frame = match next {
            Ok(Some(frame)) => frame,
            Ok(None) => return (received, None),
            Err(failure) => return (received, Some(failure)),
        };
        let Ok(part) = frame.into_data() else { continue };
        received = received.saturating_add(part.len());
        if sink(&part) == Taking::Enough {
            return (received, None);
        }
    }
}
