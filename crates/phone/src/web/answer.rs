//! What goes back to a browser or a tool.
//!
//! Decides the headers every answer carries; never what is said.

use askama::Template;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;

/// What a page of ours may load: its own style, and nothing else.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    status: u16,
    media: &'static str,
    body: Bytes,
    headers: Vec<(&'static str, String)>,
}

impl Answer {
    pub(crate) fn new(status: u16, media: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, media, body: body.into(), headers: Vec::new() }
    }

    pub(crate) fn text(status: u16, text: impl Into<String>) -> Self {
        Self::new(status, "text/plain; charset=utf-8", text.into())
    }

    pub(crate) fn xml(text: impl Into<String>) -> Self {
        Self::new(200, "text/xml; charset=utf-8", text.into())
    }

    pub(crate) fn json(value: &serde_json::Value) -> Self {
        Self::new(200, "application/json", value.to_string())
    }

    /// A page of ours.
    pub(crate) fn page(status: u16, page: &impl Template) -> Self {
        match page.render() {
            Ok(html) => Self::new(status, "text/html; charset=utf-8", html),
            Err(_) => Self::text(500, "the page cannot be drawn"),
        }
    }

    pub(crate) fn not_found() -> Self {
        Self::text(404, "not found")
    }

    /// Sends the browser on; `to` begins with a slash or a scheme.
    pub(crate) fn see(to: &str) -> Self {
        Self::text(303, "").with("location", to)
    }

    /// The same, for everything asked from now on.
    pub(crate) fn moved(to: &str) -> Self {
        Self::text(301, "").with("location", to)
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        let fixed = [
            ("content-type", self.media),
            ("cache-control", "no-store"),
            ("content-security-policy", POLICY),
            ("referrer-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
        ];
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
        for (name, value) in self.headers {
            // What cannot stand in a header is left out rather than sent broken.
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.append(name, value);
            }
        }
        response
    }
}
