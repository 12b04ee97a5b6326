//! Requests to the authority's own server: HTTP/1.1 over TLS, one connection each.
//!
//! An order takes a dozen requests in two months, so nothing is kept open. The server must prove itself by the
//! machine's roots or by `acme-authority`. Never waits longer than its deadline, reads more than its limit or follows
//! a redirect.

use http::header::{HeaderValue, RETRY_AFTER};
use http::uri::Scheme;
use http::{Request, Response, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use openssl::ssl::{SslConnector, SslMethod};
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

const DEADLINE: Duration = Duration::from_secs(30);
/// Chains are a few kilobytes.
const MAX_BYTES: usize = 1024 * 1024;
/// What an authority may ask to wait; more would overflow the library's clock, and nobody waits that long.
const MAX_RETRY_AFTER_S: u64 = 24 * 60 * 60;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    #[error("{uri} is no https:// address")]
    Address { uri: Uri },
    #[error("cannot connect to {host}: {error}")]
    Connect { host: String, error: std::io::Error },
    #[error("no TLS with {host}: {error}")]
    Tls { host: String, error: openssl::ssl::Error },
    #[error("no TLS: {0}")]
    Setup(#[from] openssl::error::ErrorStack),
    #[error("the exchange with {host} broke off: {error}")]
    Broken { host: String, error: hyper::Error },
    #[error("the answer of {host} is larger than {limit} bytes, or broke off")]
    TooLarge { host: String, limit: usize },
    #[error("no whole answer from {host} within {} s", limit.as_secs())]
    Late { host: String, limit: Duration },
}

/// What an ACME library asks through.
#[derive(Clone)]
pub(super) struct Https {
    tls: SslConnector,
}

impl Https {
    /// Trusts the machine's roots, and those in `authority`.
    pub(super) fn new(authority: Option<&Path>) -> Result<Self, openssl::error::ErrorStack> {
        let mut tls = SslConnector::builder(SslMethod::tls_client())?;
        if let Some(file) = authority {
            tls.set_ca_file(file)?;
        }
        Ok(Self { tls: tls.build() })
    }

    async fn exchange(self, request: Request<BodyWrapper<Bytes>>, host: String) -> Result<Response<Bytes>, NoAnswer> {
        let uri = request.uri().clone();
        if uri.scheme() != Some(&Scheme::HTTPS) {
            return Err(NoAnswer::Address { uri });
        }
        let address = (host.trim_matches(['[', ']']), uri.port_u16().unwrap_or(443));
        let connect = |error| NoAnswer::Connect { host: host.clone(), error };
        let stream = TcpStream::connect(address).await.map_err(connect)?;
        let ssl = self.tls.configure()?.into_ssl(address.0)?;
        let mut stream = SslStream::new(ssl, stream)?;
        let tls = |error| NoAnswer::Tls { host: host.clone(), error };
        Pin::new(&mut stream).connect().await.map_err(tls)?;
        let broken = |error| NoAnswer::Broken { host: host.clone(), error };
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(broken)?;
        let answer = async {
            let response = sender.send_request(at_origin(request, &uri)).await.map_err(broken)?;
            let (mut parts, body) = response.into_parts();
            let body = Limited::new(body, MAX_BYTES).collect().await;
            let body = body.map_err(|_| NoAnswer::TooLarge { host: host.clone(), limit: MAX_BYTES })?;
            limit_retry_after(&mut parts.headers);
            Ok(Response::from_parts(parts, body.to_bytes()))
        };
        let mut connection = std::pin::pin!(connection);
        let mut answer = std::pin::pin!(answer);
        // The connection only moves bytes for the answer; when it ends first, the answer has all it will get.
        tokio::select! {
            answer = answer.as_mut() => answer,
            _ = connection.as_mut() => answer.await,
        }
    }
}

impl HttpClient for Https {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let client = self.clone();
        Box::pin(async move {
            let host = request.uri().host().unwrap_or_default().to_owned();
            let late = NoAnswer::Late { host: host.clone(), limit: DEADLINE };
            let answer = tokio::time::timeout(DEADLINE, client.exchange(request, host)).await;
            match answer.unwrap_or(Err(late)) {
                Ok(response) => Ok(BytesResponse::from(response.map(Full::new))),
                Err(why) => Err(Error::Other(Box::new(why))),
            }
        })
    }
}

/// The request as an origin server takes it: path and query alone, the rest in `Host`.
fn at_origin(mut request: Request<BodyWrapper<Bytes>>, uri: &Uri) -> Request<BodyWrapper<Bytes>> {
    if let Some(host) = uri.authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok()) {
        request.headers_mut().insert(header::HOST, host);
    }
    request.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    *request.uri_mut() = uri.path_and_query().map(|path| Uri::from(path.clone())).unwrap_or_default();
    request
}

fn limit_retry_after(headers: &mut http::HeaderMap) {
    let asked = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
    if asked.is_some_and(|seconds| seconds > MAX_RETRY_AFTER_S) {
        headers.insert(RETRY_AFTER, HeaderValue::from(MAX_RETRY_AFTER_S));
    }
}
