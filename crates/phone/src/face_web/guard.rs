//! Who may ask: only the page itself, under an address and not under a name.
//!
//! Decides by the headers a browser sets and no page can forge. A name other than `localhost` is refused: somebody
//! else could let it point here (DNS rebinding). What changes something must come from this page's own origin.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

pub(super) async fn only_the_page(request: Request, next: Next) -> Response {
    match refusal(request.method(), request.headers()) {
        None => next.run(request).await,
        Some(reason) => (StatusCode::FORBIDDEN, reason).into_response(),
    }
}

fn refusal(method: &Method, headers: &HeaderMap) -> Option<&'static str> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(host) = text(header::HOST) else { return Some("no Host header") };
    if !is_address(host) {
        return Some("open this page by its address or as localhost");
    }
    if method == Method::GET || method == Method::HEAD {
        return None;
    }
    let own = text(header::ORIGIN).is_some_and(|origin| origin.strip_prefix("http://") == Some(host));
    (!own).then_some("keys are taken from this page only")
}

/// Whether a Host header is `localhost` or an IP address, with or without a port.
fn is_address(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &Method, pairs: &[(header::HeaderName, &str)]) -> Option<&'static str> {
        refusal(method, &pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect())
    }

    #[test]
    fn a_page_of_another_name_is_refused() {
        for host in ["127.0.0.1:8090", "localhost:8090", "LOCALHOST", "[::1]:8090", "192.0.2.7"] {
            assert_eq!(asked(&Method::GET, &[(header::HOST, host)]), None, "{host}");
        }
        for host in ["evil.example:8090", "127.0.0.1.evil.example", "localhost.evil.example:1", "", ":80"] {
            assert!(asked(&Method::GET, &[(header::HOST, host)]).is_some(), "{host}");
        }
        assert!(asked(&Method::GET, &[]).is_some());
    }

    #[test]
    fn keys_come_from_the_page_itself() {
        let own = [(header::HOST, "127.0.0.1:8090"), (header::ORIGIN, "http://127.0.0.1:8090")];
        assert_eq!(asked(&Method::POST, &own), None);
        for origin in ["http://127.0.0.1:9090", "https://127.0.0.1:8090", "null", "http://evil.example"] {
            let other = [(header::HOST, "127.0.0.1:8090"), (header::ORIGIN, origin)];
            assert!(asked(&Method::POST, &other).is_some(), "{origin}");
        }
        assert!(asked(&Method::POST, &own[..1]).is_some());
    }
}
