//! The device plane: what phones speak.
//!
//! One handler for every path but those of the pages for people. A "no" is built in one place, so all of them are the same bytes
//! (docs/THREATS.md, rule 2). No cookies, no redirects (phones of some firmware do not follow them).

mod activate;
mod challenges;
mod image;
mod page;
mod range;
mod welcome;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::{Extension, Router};
pub use challenges::{Challenges, OpenChallenge};
use http_body_util::{BodyExt, Limited};
use percent_encoding::percent_decode_str;
use provost_app::{App, Kept, PhoneAnswer, PhoneMethod, PhoneRequest};
use provost_core::identity::Peer;
use range::Slice;
use std::sync::Arc;

/// Largest upload taken: the largest logs seen are half of it.
const MAX_UPLOAD_BYTES: usize = 1024 * 1024;

/// What a phone is told to wait after a failure, in seconds.
const RETRY_AFTER_S: &str = "60";

/// The routes of the device plane. Every request must carry the connection's [`Peer`].
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route(activate::PATH, activate::road())
        .route(welcome::PATH, welcome::road())
        .fallback(answer)
        .with_state(app)
}

/// The same without TLS, where certificate authorities ask too.
pub fn plain_router(app: Arc<App>, challenges: Arc<Challenges>) -> Router {
    router(app).layer(Extension(challenges))
}

async fn answer(State(app): State<Arc<App>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Some(peer) = head.extensions.get::<Peer>().cloned() else {
        return come_back_later();
    };
    if let Some(answer) = challenge(&head) {
        return answer;
    }
    let method = match head.method {
        Method::GET => PhoneMethod::Get,
        Method::HEAD => PhoneMethod::Head,
        // What a stranger sends is not even read.
        Method::PUT if peer.verdict.mac.is_none() => PhoneMethod::Put(Bytes::new()),
        // Said before it is read: a client that waits for 100 Continue then sends nothing.
        Method::PUT if is_too_large(&head.headers) => return too_large(),
        Method::PUT => match Limited::new(body, MAX_UPLOAD_BYTES).collect().await {
            Ok(content) => PhoneMethod::Put(content.to_bytes()),
            Err(_) => return too_large(),
        },
        _ => return method_not_allowed(),
    };
    let path = percent_decode_str(head.uri.path()).decode_utf8_lossy();
    let is_get = matches!(method, PhoneMethod::Get);
    let asked = PhoneRequest {
        peer: &peer,
        method,
        path: &path,
        user_agent: text(&head.headers, header::USER_AGENT),
        host: text(&head.headers, header::HOST).or_else(|| head.uri.authority().map(|authority| authority.as_str())),
    };
    match app.phone_request(asked).await {
        PhoneAnswer::File(bytes) => file(bytes, head.headers.get(header::RANGE).filter(|_| is_get)),
        PhoneAnswer::Image(image) => image::answer(&app, *image, (&head.headers, is_get)).await,
        PhoneAnswer::Kept(Kept::New) => plain(StatusCode::CREATED, ""),
        PhoneAnswer::Kept(Kept::Known) => plain(StatusCode::OK, ""),
        PhoneAnswer::NotFound => not_found(),
        PhoneAnswer::ComeBackLater => come_back_later(),
    }
}

/// What an authority is told while a certificate is ordered; nobody else is told anything (RFC 8555, 8.3).
fn challenge(head: &Parts) -> Option<Response> {
    let challenges = head.extensions.get::<Arc<Challenges>>().filter(|_| head.method == Method::GET)?;
    let mut response = Response::new(Body::from(challenges.answer(head.uri.path())?));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    Some(response)
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The one refusal, and the answer for every file that is not there.
fn not_found() -> Response {
    plain(StatusCode::NOT_FOUND, "not found\n")
}

fn is_too_large(headers: &HeaderMap) -> bool {
    let said = text(headers, header::CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    said.is_some_and(|length| usize::try_from(length).map_or(true, |length| length > MAX_UPLOAD_BYTES))
}

fn too_large() -> Response {
    plain(StatusCode::PAYLOAD_TOO_LARGE, "the upload is too large or broke off\n")
}

fn come_back_later() -> Response {
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, "come back later\n");
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
    response
}

fn method_not_allowed() -> Response {
    let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "phones use GET, HEAD and PUT\n");
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, PUT"));
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

/// A file, or the part of it that was asked for (RFC 9110, 14).
fn file(bytes: Bytes, range: Option<&HeaderValue>) -> Response {
    let total = bytes.len();
    let slice = range.and_then(|value| value.to_str().ok()).map_or(Slice::Whole, |text| range::read(text, total));
    let (status, body, content_range) = match slice {
        Slice::Whole => (StatusCode::OK, bytes, None),
        Slice::Part { first, last } => {
            (StatusCode::PARTIAL_CONTENT, bytes.slice(first..=last), Some(format!("bytes {first}-{last}/{total}")))
        }
        Slice::Unsatisfiable => (StatusCode::RANGE_NOT_SATISFIABLE, Bytes::new(), Some(format!("bytes */{total}"))),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=utf-8"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(value) = content_range.and_then(|text| HeaderValue::from_str(&text).ok()) {
        headers.insert(header::CONTENT_RANGE, value);
    }
    response
}
