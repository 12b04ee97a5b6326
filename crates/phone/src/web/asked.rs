//! One request to the phone's web server, as everything behind the connection sees it.
//!
//! Decides nothing but how headers, cookies and queries are read.

use std::net::IpAddr;

use bytes::Bytes;
use http::{Method, request};

use crate::web::form::Form;

/// A request.
pub(crate) struct Asked {
    head: request::Parts,
    body: Bytes,
    tls: bool,
    here: IpAddr,
}

impl Asked {
    pub(crate) fn new(head: request::Parts, body: Bytes, (tls, here): (bool, IpAddr)) -> Self {
        Self { head, body, tls, here }
    }

    pub(crate) fn method(&self) -> &Method {
        &self.head.method
    }

    pub(crate) fn is_get(&self) -> bool {
        matches!(self.head.method, Method::GET | Method::HEAD)
    }

    pub(crate) fn path(&self) -> &str {
        self.head.uri.path()
    }

    /// Path and query as they were sent.
    pub(crate) fn target(&self) -> &str {
        self.head.uri.path_and_query().map_or("/", |target| target.as_str())
    }

    pub(crate) fn query(&self) -> Form {
        Form::read(self.head.uri.query().unwrap_or_default().as_bytes())
    }

    /// The body of a form, however a browser or a tool sends it.
    pub(crate) fn form(&self) -> Form {
        Form::read(&self.body)
    }

    pub(crate) fn body(&self) -> &Bytes {
        &self.body
    }

    /// Whether the connection is encrypted.
    pub(crate) fn tls(&self) -> bool {
        self.tls
    }

    /// The address the phone was reached at.
    pub(crate) fn here(&self) -> IpAddr {
        self.here
    }

    /// A header that is there once and is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.head.headers.get_all(name).iter();
        let value = values.next()?.to_str().ok()?;
        values.next().is_none().then_some(value)
    }

    /// Whether a header is there, whatever it says.
    pub(crate) fn has_header(&self, name: &str) -> bool {
        self.head.headers.contains_key(name)
    }

    /// The media type without its parameters, in lower case.
    pub(crate) fn content_type(&self) -> String {
        let whole = self.header("content-type").unwrap_or_default();
        whole.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// A cookie's value.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let cookies = self.head.headers.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
        cookies.flat_map(|line| line.split(';')).find_map(|cookie| {
            let (found, value) = cookie.split_once('=')?;
            (found.trim() == name).then(|| value.trim().trim_matches('"'))
        })
    }

    /// Where the client believes it is, `host:port`.
    pub(crate) fn host(&self) -> &str {
        self.header("host").unwrap_or_default()
    }

    /// Whether it says to come from a page of this very server.
    pub(crate) fn is_from_own_page(&self) -> bool {
        let scheme = if self.tls { "https" } else { "http" };
        let own = format!("{scheme}://{}/", self.host());
        self.header("referer").is_some_and(|from| from.starts_with(&own))
    }
}
