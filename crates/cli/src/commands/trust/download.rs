//! One small file over plain HTTP.
//!
//! Never follows a redirect, reads more than its limit or waits longer than its deadline.

use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::net::TcpStream;
use url::{Position, Url};

/// How much and how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) bytes: usize,
    pub(super) deadline: Duration,
}

/// Why the file was not had.
#[derive(Debug, thiserror::Error)]
pub(super) enum DownloadError {
    #[error("is no http:// address")]
    Address,
    #[error("cannot connect: {0}")]
    Connect(#[from] std::io::Error),
    #[error("the answer broke off: {0}")]
    Broken(#[from] hyper::Error),
    #[error("cannot be asked for: {0}")]
    Request(#[from] http::Error),
    #[error("answered {found}, expected 200; redirects are not followed")]
    Status { found: StatusCode },
    #[error("the file is larger than {limit} bytes, or broke off")]
    TooLarge { limit: usize },
    #[error("no whole answer within {} s", limit.as_secs())]
    Late { limit: Duration },
}

/// The file at `url`.
pub(super) async fn get(url: &Url, limits: Limits) -> Result<Bytes, DownloadError> {
    let late = DownloadError::Late { limit: limits.deadline };
    tokio::time::timeout(limits.deadline, exchange(url, limits.bytes)).await.unwrap_or(Err(late))
}

async fn exchange(url: &Url, limit: usize) -> Result<Bytes, DownloadError> {
    let (Some(host), Some(port), "http") = (url.host(), url.port_or_known_default(), url.scheme()) else {
        return Err(DownloadError::Address);
    };
    let stream = match host {
        url::Host::Domain(name) => TcpStream::connect((name, port)).await?,
        url::Host::Ipv4(address) => TcpStream::connect((address, port)).await?,
        url::Host::Ipv6(address) => TcpStream::connect((address, port)).await?,
    };
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get(&url[Position::BeforePath..Position::AfterQuery])
        .header(header::HOST, &url[Position::BeforeHost..Position::AfterPort])
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())?;
    let answer = async {
        let response = sender.send_request(request).await?;
        if response.status() != StatusCode::OK {
            return Err(DownloadError::Status { found: response.status() });
        }
        let body = Limited::new(response.into_body(), limit).collect().await;
        body.map(|whole| whole.to_bytes()).map_err(|_| DownloadError::TooLarge { limit })
    };
    let mut connection = std::pin::pin!(connection);
    let mut answer = std::pin::pin!(answer);
    // The connection only moves bytes for the answer; when it ends first, the answer has all it will get.
    tokio::select! {
        answer = answer.as_mut() => answer,
        _ = connection.as_mut() => answer.await,
    }
}
