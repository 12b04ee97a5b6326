//! One request of a browser at a phone: cookies, the anti-CSRF token, a certificate nobody's browser knows.
//!
//! Decides what goes along with a request and which redirects are followed. Never goes to another host than the
//! phone. The phone shows its factory certificate, which no browser can check against its address: like a person
//! who clicks the warning away, this one takes any.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use openssl::ssl::{Ssl, SslContext, SslMethod, SslVerifyMode};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;
use url::Url;

use super::WebTrouble;

const LIMIT: Duration = Duration::from_secs(30);
const LARGEST_PAGE: usize = 8 * 1024 * 1024;
const REDIRECTS: u32 = 5;

/// What a click sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sending {
    pub(super) method: Method,
    pub(super) url: Url,
    /// Content type and body.
    pub(super) body: Option<(String, Vec<u8>)>,
}

impl Sending {
    pub(super) fn open(url: Url) -> Self {
        Self { method: Method::GET, url, body: None }
    }
}

/// The page that came.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) address: Url,
    pub(super) status: u16,
    pub(super) body: String,
}

/// What a browser remembers between pages.
#[derive(Debug, Default)]
pub(super) struct Browser {
    cookies: BTreeMap<String, String>,
    token: Option<String>,
    referrer: Option<Url>,
}

impl Browser {
    /// What scripts of newer pages send along with each request from now on.
    pub(super) fn note_token(&mut self, token: Option<String>) {
        self.token = token.or(self.token.take());
    }

    /// Sends and follows where the phone leads.
    pub(super) async fn send(&mut self, mut sending: Sending) -> Result<Answer, WebTrouble> {
        for _ in 0..REDIRECTS {
            let url = sending.url.clone();
            let (status, headers, body) = self.once(&sending).await?;
            self.keep_cookies(&headers);
            self.referrer = Some(url.clone());
            match headers.get(header::LOCATION).filter(|_| (300..400).contains(&status)) {
                None => return Ok(Answer { address: url, status, body }),
                Some(place) => {
                    let next = place.to_str().ok().and_then(|place| url.join(place).ok());
                    let here = next.filter(|next| next.host_str() == url.host_str());
                    let lost = || trouble(&url, "it leads to another host");
                    sending = Sending::open(here.ok_or_else(lost)?);
                }
            }
        }
        Err(trouble(&sending.url, "it leads from page to page without end"))
    }

    async fn once(&self, sending: &Sending) -> Result<(u16, HeaderMap, String), WebTrouble> {
        match tokio::time::timeout(LIMIT, self.exchange(sending)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(reason)) => Err(trouble(&sending.url, reason)),
            Err(_) => Err(trouble(&sending.url, format!("no answer within {} s", LIMIT.as_secs()))),
        }
    }

    async fn exchange(
        &self,
        sending: &Sending,
    ) -> Result<(u16, HeaderMap, String), Box<dyn std::error::Error + Send + Sync>> {
        let url = &sending.url;
        let host = url.host_str().ok_or("no host")?;
        let port = url.port_or_known_default().ok_or("no port")?;
        let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
        let request = self.request(sending)?;
        let response = match url.scheme() {
            "https" => {
                let mut context = SslContext::builder(SslMethod::tls_client())?;
                context.set_verify(SslVerifyMode::NONE);
                let mut stream = SslStream::new(Ssl::new(&context.build())?, stream)?;
                Pin::new(&mut stream).connect().await?;
                talk(TokioIo::new(stream), request).await?
            }
            _ => talk(TokioIo::new(stream), request).await?,
        };
        let (head, body) = response.into_parts();
        let body = Limited::new(body, LARGEST_PAGE).collect().await?.to_bytes();
        Ok((head.status.as_u16(), head.headers, String::from_utf8_lossy(&body).into_owned()))
    }

    fn request(&self, sending: &Sending) -> Result<Request<Full<Bytes>>, http::Error> {
        let url = &sending.url;
        let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let host = url.port().map_or_else(
            || url.host_str().unwrap_or_default().to_owned(),
            |port| format!("{}:{port}", url.host_str().unwrap_or_default()),
        );
        let mut request = Request::builder().method(&sending.method).uri(path).header(header::HOST, host);
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        if let Some(token) = &self.token {
            request = request.header("anti-csrf-token", token);
        }
        if let Some(referrer) = &self.referrer {
            request = request.header(header::REFERER, referrer.as_str());
        }
        if sending.method == Method::POST {
            request = request.header(header::ORIGIN, url.origin().ascii_serialization());
        }
        let (kind, body) = sending.body.clone().unwrap_or_default();
        if !kind.is_empty() {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        request.body(Full::new(body.into()))
    }

    fn keep_cookies(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(header::SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok()) {
            let pair = cookie.split(';').next().and_then(|pair| pair.split_once('='));
            if let Some((name, value)) = pair {
                self.cookies.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }
}

async fn talk<S>(stream: S, request: Request<Full<Bytes>>) -> hyper::Result<http::Response<Incoming>>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(stream).await?;
    // Ends with the request: its sender is dropped below.
    tokio::spawn(connection);
    sender.send_request(request).await
}

fn trouble(url: &Url, reason: impl ToString) -> WebTrouble {
    WebTrouble::Unreachable { url: url.to_string(), reason: reason.to_string() }
}
