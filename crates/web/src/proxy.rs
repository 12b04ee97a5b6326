//! A console behind a proxy that speaks HTTPS to browsers.
//!
//! Decides whose word about the client's address counts: that of a proxy on this machine or in the ranges that are
//! configured, and of `X-Forwarded-For` only the last entry, which the proxy itself wrote. Everybody else is who the
//! connection says. Over plain HTTP, nobody else is answered at all: passwords and links would cross a network in clear.

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName};
use provost_core::address_range::AddressRange;
use provost_core::identity::Peer;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What becomes of those who come past the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// They are answered: the console speaks HTTPS itself.
    Answered,
    /// They are told where to go, and nothing else.
    Refused,
}

const NOT_HERE: &str = "This is the console's side of its proxy. Open the address of the proxy instead.\n";

/// The routes, which see the address of the client and not that of the proxy.
pub fn behind_proxy(routes: Router, proxies: Vec<AddressRange>, others: Others) -> Router {
    let proxies: Arc<[AddressRange]> = proxies.into();
    routes.layer(from_fn(move |request: Request, next: Next| {
        let proxies = Arc::clone(&proxies);
        async move { with_client(request, (&proxies, others), next).await }
    }))
}

async fn with_client(mut request: Request, (proxies, others): (&[AddressRange], Others), next: Next) -> Response {
    let peer = request.extensions().get::<Peer>();
    let is_by_proxy = peer.is_some_and(|peer| is_proxy(peer.address, proxies));
    if !is_by_proxy && others == Others::Refused {
        return (StatusCode::FORBIDDEN, NOT_HERE).into_response();
    }
    if let Some(peer) = peer.filter(|_| is_by_proxy)
        && let Some(address) = client(request.headers())
    {
        let peer = Peer { address, ..peer.clone() };
        request.extensions_mut().insert(peer);
    }
    next.run(request).await
}

fn is_proxy(address: IpAddr, proxies: &[AddressRange]) -> bool {
    address.to_canonical().is_loopback() || proxies.iter().any(|range| range.contains(address))
}

/// The last entry of the last such header: whatever stands before it the client may have written himself.
fn client(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all(FORWARDED_FOR).iter().next_back()?.to_str().ok()?;
    let entry = last.rsplit(',').next()?.trim();
    let bare = entry.trim_matches(['[', ']']);
    let found = bare.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|address| address.ip()));
    found.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(lines: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        client(&headers).map(|address| address.to_string())
    }

    #[test]
    fn the_last_entry_counts_and_what_is_no_address_does_not() {
        assert_eq!(said(&["203.0.113.9"]).as_deref(), Some("203.0.113.9"));
        assert_eq!(said(&["10.0.0.1, 203.0.113.9"]).as_deref(), Some("203.0.113.9"));
        assert_eq!(said(&["10.0.0.1", "10.0.0.2 , 2001:db8::1"]).as_deref(), Some("2001:db8::1"));
        assert_eq!(said(&["[2001:db8::1]:4711"]).as_deref(), Some("2001:db8::1"));
        assert_eq!(said(&["203.0.113.9:4711"]).as_deref(), Some("203.0.113.9"));
        assert_eq!(said(&["203.0.113.9, unknown"]), None);
        assert_eq!(said(&[]), None);
    }

    /// Who the routes believe it is, or the status of a refusal.
    async fn seen(address: &str, others: Others) -> Result<String, StatusCode> {
        use axum::routing::get;
        use http_body_util::BodyExt;
        use provost_core::identity::{Transport, Verdict};
        use tower::ServiceExt;

        let routes = Router::new().route(
            "/",
            get(|request: Request| async move {
                request.extensions().get::<Peer>().map(|peer| peer.address.to_string()).unwrap_or_default()
            }),
        );
        let verdict = Arc::new(Verdict::none_presented());
        let peer = Peer { address: address.parse().unwrap(), transport: Transport::Plain, verdict };
        let request = axum::http::Request::get("/").header(FORWARDED_FOR, "203.0.113.9").extension(peer);
        let routes = behind_proxy(routes, vec!["10.1.0.0/16".parse().unwrap()], others);
        let answer = routes.oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
        if answer.status() != StatusCode::OK {
            return Err(answer.status());
        }
        Ok(String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap())
    }

    #[tokio::test]
    async fn who_comes_past_the_proxy_is_not_believed_and_over_plain_http_not_answered() {
        for others in [Others::Answered, Others::Refused] {
            assert_eq!(seen("127.0.0.1", others).await.as_deref(), Ok("203.0.113.9"));
            assert_eq!(seen("10.1.2.3", others).await.as_deref(), Ok("203.0.113.9"));
        }
        assert_eq!(seen("10.2.0.1", Others::Answered).await.as_deref(), Ok("10.2.0.1"));
        assert_eq!(seen("10.2.0.1", Others::Refused).await, Err(StatusCode::FORBIDDEN));
    }

    #[test]
    fn a_proxy_is_on_this_machine_or_configured() {
        let ranges = ["10.1.0.0/16".parse().unwrap()];
        for (address, is) in [("127.0.0.1", true), ("::1", true), ("10.1.2.3", true), ("::ffff:10.1.2.3", true)] {
            assert_eq!(is_proxy(address.parse().unwrap(), &ranges), is, "{address}");
        }
        assert!(!is_proxy("10.2.0.1".parse().unwrap(), &ranges));
    }
}
