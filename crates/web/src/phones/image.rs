//! Sends a firmware image: whole, in one part, or only its size (RFC 9110, 14).
//!
//! Bytes go out as the image store reads them, in large pieces that nobody copies. A phone that closes the connection after
//! the beginning has seen what it wanted.

use super::range::{self, Slice};
use super::{come_back_later, text};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use futures_util::stream::unfold;
use provost_app::{App, PhoneImage};
use std::sync::Arc;

pub(super) async fn answer(app: &Arc<App>, image: PhoneImage, (asked, is_get): (&HeaderMap, bool)) -> Response {
    let total = image.bytes;
    let tag = format!("\"{}\"", image.sha256);
    let slice = slice(asked, (total, &tag), is_get);
    let (status, bytes, content_range) = match slice {
        Slice::Whole => (StatusCode::OK, 0..total, None),
        Slice::Part { first, last } => {
            let (first, end) = (wide(first), wide(last).saturating_add(1));
            let range = format!("bytes {first}-{last}/{total}");
            (StatusCode::PARTIAL_CONTENT, first..end, Some(range))
        }
        Slice::Unsatisfiable => (StatusCode::RANGE_NOT_SATISFIABLE, 0..0, Some(format!("bytes */{total}"))),
    };
    let length = bytes.end.saturating_sub(bytes.start);
    let body = if is_get && length > 0 {
        match app.load_image(image, bytes).await {
            Ok(load) => Body::from_stream(unfold(load, async |mut load| load.next().await.map(|piece| (piece, load)))),
            // Said on the timeline and in the alarm of the image; the phone keeps what it runs and asks again.
            Err(_) => return come_back_later(),
        }
    } else {
        Body::empty()
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    for (name, value) in [(header::ETAG, Some(tag)), (header::CONTENT_RANGE, content_range)] {
        if let Some(value) = value.and_then(|text| HeaderValue::from_str(&text).ok()) {
            headers.insert(name, value);
        }
    }
    response
}

/// The part that is asked for; of another image than the one meant, all of this one.
fn slice(asked: &HeaderMap, (total, tag): (u64, &str), is_get: bool) -> Slice {
    let Some(range) = text(asked, header::RANGE).filter(|_| is_get) else { return Slice::Whole };
    if text(asked, header::IF_RANGE).is_some_and(|known| known != tag) {
        return Slice::Whole;
    }
    usize::try_from(total).map_or(Slice::Whole, |total| range::read(range, total))
}

fn wide(place: usize) -> u64 {
    u64::try_from(place).unwrap_or(u64::MAX)
}
