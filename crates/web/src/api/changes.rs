//! What is the same for every change: it is refused when its sender has read something older (`If-Match`), and a second
//! one with the same `Idempotency-Key` is answered as the first was.
//!
//! Only what was done is answered again: whatever was refused changed nothing, so its key is free again.

use super::openapi::readable;
use super::{ApiError, Endpoint, MAX_BODY_BYTES, ROOT};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use provost_app::{Actor, App, Keyed};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tower::ServiceExt as _;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const MOST_KEY_BYTES: usize = 255;
/// The changes whose body is read as it comes and may be of any length.
const STREAMED: [&str; 2] = ["/imports", IMAGES];
const IMAGES: &str = "/firmware/images";
/// What waits for somebody else, the sender of a file or a PBX, and must not hold up the changes of others meanwhile.
pub(super) const WAITING: [&str; 4] =
    [STREAMED[0], STREAMED[1], "/accounts/{id}/connectors/{connector}/test", "/devices/{id}/check-sync"];
/// What changes by itself is not what people change: a phone that asks must not refuse its administrator.
const LIVE: [&str; 10] = [
    "last-signed-in-at",
    "found",
    "last-seen",
    "missed-polls",
    "registered",
    "awaited",
    "firmware",
    "certificate",
    "reaches",
    "welcome-mail",
];

/// What is asked for by POST and only shows something: reports and values with secrets, and what would be.
const SHOWING: [&str; 3] = ["/secrets", "/passwords", "/preview"];
/// Why a streamed file with a key is refused: the answer to another file would be given for it.
const BODY_UNKNOWN: &str = "idempotency-key: a file is not read before it is begun, so nothing tells that it is the same; leave \
                            the header out, or say the file's SHA-256 (sha256=)";
/// How long a change waits for others.
const TURN: Duration = Duration::from_secs(5);

/// What the changes need beside their handlers.
#[derive(Clone)]
pub(super) struct Changes {
    pub(super) app: Arc<App>,
    /// The same addresses without this layer, to read what is to be changed.
    pub(super) reader: Router,
    pub(super) endpoints: Arc<[Endpoint]>,
}

type Refusable<T> = Result<T, ApiError>;

pub(super) async fn guard(State(changes): State<Changes>, request: Request, next: Next) -> Response {
    let template = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let template = template.as_deref().map_or("", |path| path.strip_prefix(ROOT).unwrap_or(path));
    if request.method() == Method::GET || request.method() == Method::HEAD {
        let single = changes
            .endpoints
            .iter()
            .any(|one| one.method != Method::GET && readable(one, &changes.endpoints) == Some(template));
        let response = next.run(request).await;
        return if single { tagged(response).await } else { response };
    }
    let read = changes.endpoints.iter().find(|one| one.path == template && one.method == *request.method());
    let read = read.and_then(|endpoint| readable(endpoint, &changes.endpoints));
    changes.change(request, next, (template, read)).await.unwrap_or_else(ApiError::into_response)
}

impl Changes {
    async fn change(
        self,
        request: Request,
        next: Next,
        (template, read): (&str, Option<&'static str>),
    ) -> Refusable<Response> {
        let (mut parts, body) = request.into_parts();
        let (body, bytes) = if STREAMED.contains(&template) {
            (body, Bytes::new())
        } else {
            let bytes = whole(body).await?;
            (Body::from(bytes.clone()), bytes)
        };
        let wanted = one_header(&parts.headers, &header::IF_MATCH)?;
        let key = one_header(&parts.headers, &KEY)?.map(checked_key).transpose()?;
        let by = parts.extensions.get::<Actor>().cloned();
        let Some((key, mut actor)) = key.filter(|_| is_keyed(template)).zip(by) else {
            let request = Request::from_parts(parts, body);
            return self.in_turn(request, next, (wanted, read, WAITING.contains(&template))).await;
        };
        if template == IMAGES && !names_its_body(parts.uri.query()) {
            return Err(ApiError::bad_request(BODY_UNKNOWN));
        }
        let waits = WAITING.contains(&template);
        // In a task of its own, from the first word about it on: a client that hangs up must not leave a request of which
        // nobody says how it ended.
        let done = tokio::spawn(async move {
            let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
            let asked: [&[u8]; 3] = [parts.method.as_str().as_bytes(), target.as_bytes(), &bytes];
            let begun = match self.app.begin_request(&actor, &key, &asked).await? {
                Keyed::New(request) => request,
                known => return answered_before(known),
            };
            actor.request = Some(begun.id().to_owned());
            parts.extensions.insert(actor);
            let request = Request::from_parts(parts, body);
            let done = self.in_turn(request, next, (wanted, read, waits)).await;
            self.kept(&begun, done.unwrap_or_else(ApiError::into_response)).await
        });
        done.await.unwrap_or_else(|_| {
            Err(ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the request ended without an answer"))
        })
    }

    /// Does it while nobody compares, or alone when this one compares.
    async fn in_turn(
        &self,
        request: Request,
        next: Next,
        (wanted, read, waits): (Option<String>, Option<&'static str>, bool),
    ) -> Refusable<Response> {
        match wanted {
            None if waits => Ok(next.run(request).await),
            None => {
                let _shared = timeout(TURN, self.app.changes().read()).await.map_err(|_| busy())?;
                Ok(next.run(request).await)
            }
            Some(wanted) => {
                let _alone = timeout(TURN, self.app.changes().write()).await.map_err(|_| busy())?;
                let by = request.extensions().get::<Actor>().cloned();
                match self.matches(&wanted, request.uri().path(), (read, by)).await? {
                    None => Ok(next.run(request).await),
                    Some(not_there) => Ok(not_there),
                }
            }
        }
    }

    /// Whether what is to be changed is still as its sender read it; what cannot be read is answered as reading it is.
    async fn matches(
        &self,
        wanted: &str,
        path: &str,
        (read, by): (Option<&'static str>, Option<Actor>),
    ) -> Refusable<Option<Response>> {
        let tags = tags(wanted)?;
        let Some(read) = read else {
            let words = "If-Match: here is nothing to compare; leave the header out";
            return Err(ApiError::bad_request(words));
        };
        let segments = read.split('/').count();
        let path = path.strip_prefix(ROOT).unwrap_or(path);
        let path: Vec<&str> = path.split('/').take(segments).collect();
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = path.join("/").parse().map_err(|_| ApiError::bad_request("the address cannot be read"))?;
        if let Some(by) = by {
            request.extensions_mut().insert(by);
        }
        let Ok(response) = self.reader.clone().oneshot(request).await;
        if response.status() != StatusCode::OK {
            return Ok(Some(response));
        }
        let present = tagged(response).await.headers().get(header::ETAG).cloned();
        if present.is_some_and(|present| tags.iter().any(|tag| *tag == "*" || present == *tag)) {
            return Ok(None);
        }
        let words = "somebody changed this since you read it; read it again, and change what is there now";
        Err(ApiError::new(StatusCode::PRECONDITION_FAILED, "changed-meanwhile", words))
    }

    /// Keeps what was answered, if something was done.
    async fn kept(&self, begun: &provost_app::Request, response: Response) -> Refusable<Response> {
        let is_done = response.status().is_success();
        let (parts, body) = response.into_parts();
        // Without a limit: it is our own answer.
        let bytes = to_bytes(body, usize::MAX).await.map_err(|_| broken_off())?;
        let text = std::str::from_utf8(&bytes).ok().filter(|_| is_done && bytes.len() <= MAX_BODY_BYTES);
        let kept = match text {
            Some(text) => self.app.answer_request(begun, parts.status.as_u16(), text).await,
            None => self.app.forget_request(begun).await,
        };
        if let Err(error) = kept {
            // What was done stands in the audit log, so whoever asks again is told.
            tracing::error!(%error, "how a request with a key ended could not be kept");
        }
        Ok(Response::from_parts(parts, Body::from(bytes)))
    }
}

/// Whether the address of a streamed file says which bytes it must have.
fn names_its_body(query: Option<&str>) -> bool {
    let mut pairs = query.unwrap_or_default().split('&');
    pairs.any(|pair| pair.strip_prefix("sha256=").is_some_and(|digest| !digest.is_empty()))
}

/// Whether a repeated request is answered as the first was. What only shows something is shown anew, with its right
/// asked again and another entry in the audit log.
pub(super) fn is_keyed(path: &str) -> bool {
    !SHOWING.iter().any(|end| path.ends_with(end))
}

fn busy() -> ApiError {
    let words = "others are changing things just now; nothing was done, try again in a moment";
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "busy", words)
}

fn broken_off() -> ApiError {
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the answer broke off")
}

fn answered_before(known: Keyed) -> Refusable<Response> {
    let conflict = |code, words: String| Err(ApiError::new(StatusCode::CONFLICT, code, words));
    match known {
        Keyed::New(_) | Keyed::Running => {
            let words = "a request with this Idempotency-Key is being done; ask again in a moment";
            conflict("request-running", words.to_owned())
        }
        Keyed::Other => {
            let words = "this Idempotency-Key came with another request; use a new key for each new request";
            Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key", words))
        }
        Keyed::Unanswered { what, at } => {
            let words = format!(
                "this request was done at {at} ({what}), but the server stopped before it answered; look at what is there now"
            );
            conflict("done-unanswered", words)
        }
        Keyed::Answered { status, body } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            let kind = HeaderValue::from_static("application/json");
            let replayed = [(header::CONTENT_TYPE, kind), (REPLAYED, HeaderValue::from_static("true"))];
            Ok((status, replayed, body.reveal().to_owned()).into_response())
        }
    }
}

/// The tags of an `If-Match`: a star, or each in quotation marks (RFC 9110, 8.8.3). Weak ones never match.
fn tags(wanted: &str) -> Refusable<Vec<&str>> {
    let is_opaque = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    let is_tag = |tag: &str| {
        let quoted = tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        quoted.is_some_and(is_opaque)
    };
    let tags: Vec<&str> = wanted.split(',').map(str::trim).collect();
    if tags.as_slice() == ["*"] || tags.iter().all(|tag| is_tag(tag)) {
        return Ok(tags);
    }
    let shown: String = wanted.chars().take(60).collect();
    let words = format!("If-Match: `{shown}` is no ETag; send what GET answered, with its quotation marks, or *");
    Err(ApiError::bad_request(words))
}

/// The value of a header that may stand once.
fn one_header(headers: &HeaderMap, name: &HeaderName) -> Refusable<Option<String>> {
    let mut values = headers.get_all(name).iter();
    let value = values.next();
    if values.next().is_some() {
        return Err(ApiError::bad_request(format!("{name}: write it once")));
    }
    let Some(value) = value else { return Ok(None) };
    let text = value.to_str().map_err(|_| ApiError::bad_request(format!("{name}: write it in ASCII")))?;
    Ok(Some(text.to_owned()))
}

fn checked_key(key: String) -> Refusable<String> {
    if key.is_empty() || key.len() > MOST_KEY_BYTES || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let words = format!("idempotency-key: 1 to {MOST_KEY_BYTES} ASCII characters without spaces");
        return Err(ApiError::bad_request(words));
    }
    Ok(key)
}

async fn whole(body: Body) -> Refusable<Bytes> {
    let too_large = || {
        let words = format!("the body did not come in whole, or is larger than {MAX_BODY_BYTES} bytes");
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", words)
    };
    to_bytes(body, MAX_BODY_BYTES).await.map_err(|_| too_large())
}

fn is_json(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

/// The answer with an `ETag` of what people can change in it.
async fn tagged(response: Response) -> Response {
    if response.status() != StatusCode::OK || !is_json(&response) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // Without a limit: it is our own answer about one thing.
    let Ok(bytes) = to_bytes(body, usize::MAX).await else { return broken_off().into_response() };
    if let Some(tag) = tag(&bytes) {
        parts.headers.insert(header::ETAG, tag);
    }
    Response::from_parts(parts, Body::from(bytes))
}

fn tag(bytes: &[u8]) -> Option<HeaderValue> {
    let mut value: Value = serde_json::from_slice(bytes).ok()?;
    if let Some(members) = value.as_object_mut() {
        members.retain(|name, _| !LIVE.contains(&name.as_str()));
    }
    let digest = Sha256::digest(value.to_string().as_bytes());
    let short = digest.get(..16)?;
    HeaderValue::try_from(format!("\"{}\"", hex::encode(short))).ok()
}
