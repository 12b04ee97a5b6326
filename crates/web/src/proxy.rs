//! A console behind a proxy that speaks HTTPS to browsers.
//!
//! Decides whose word about the client's address counts: that of a proxy on this machine or in the ranges that are
//! configured, and of `X-Forwarded-For` only the last entry, which the proxy itself wrote. Everybody else is who the
//! connection says.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use http::{HeaderMap, HeaderName};
use provost_core::address_range::AddressRange;
use provost_core::identity::Peer;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The routes, which see the address of the client and not that of the proxy.
pub fn behind_proxy(routes: Router, proxies: Vec<AddressRange>) -> Router {
    let proxies: Arc<[AddressRange]> = proxies.into();
    routes.layer(from_fn(move |request: Request, next: Next| {
        let proxies = Arc::clone(&proxies);
        async move { with_client(request, &proxies, next).await }
    }))
}

async fn with_client(mut request: Request, proxies: &[AddressRange], next: Next) -> Response {
    if let Some(peer) = request.extensions().get::<Peer>()
        && is_proxy(peer.address, proxies)
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

    #[test]
    fn a_proxy_is_on_this_machine_or_configured() {
        let ranges = ["10.1.0.0/16".parse().unwrap()];
        for (address, is) in [("127.0.0.1", true), ("::1", true), ("10.1.2.3", true), ("::ffff:10.1.2.3", true)] {
            assert_eq!(is_proxy(address.parse().unwrap(), &ranges), is, "{address}");
        }
        assert!(!is_proxy("10.2.0.1".parse().unwrap(), &ranges));
    }
}
