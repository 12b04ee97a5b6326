//! The page behind the link of a welcome mail: shows its reader their activation codes, once.
//!
//! GET shows a button and asks nobody, so whoever follows the link to look whether it is bad uses nothing up and learns
//! nothing; the button uses it up. It stands where phones ask, since that is the one address everybody reaches. Over TLS
//! only: a code is a secret.

use super::page;
use askama::Template;
use axum::extract::{DefaultBodyLimit, RawPathParams, Request, State};
use axum::handler::Handler;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use axum::routing::{MethodRouter, any};
use provost_app::{App, CodesAtPage, LinkRefusal, error_reference};
use provost_core::identity::{Peer, Transport};
use std::sync::Arc;

/// Where the page is.
pub(super) const PATH: &str = "/welcome/{token}";

const MOST_BYTES: usize = 1024;

/// The page's handler; what is not for the page goes on to the phones.
pub(super) fn road() -> MethodRouter<Arc<App>> {
    any(answer.layer(DefaultBodyLimit::max(MOST_BYTES)))
}

#[derive(Template, Default)]
#[template(path = "welcome.html", whitespace = "minimize")]
struct Page {
    nonce: String,
    codes: Option<CodesAtPage>,
    refused: Option<&'static str>,
    reference: Option<String>,
}

async fn answer(State(app): State<Arc<App>>, params: RawPathParams, request: Request) -> Response {
    let peer = request.extensions().get::<Peer>().cloned();
    let is_page = matches!(*request.method(), Method::GET | Method::HEAD | Method::POST);
    let Some(peer) = peer.filter(|peer| is_page && peer.transport == Transport::Tls) else {
        return super::answer(State(app), request).await;
    };
    if *request.method() != Method::POST {
        return shown(StatusCode::OK, Page::default());
    }
    if page::from_another_site(request.headers()) {
        return refused(
            StatusCode::FORBIDDEN,
            "This was sent by another web page. Open the link in your mail instead.",
        );
    }
    let token = params.iter().find(|(name, _)| *name == "token").map(|(_, token)| token.to_owned()).unwrap_or_default();
    match app.codes_by_link(&token, peer.address).await {
        Ok(codes) => shown(StatusCode::OK, Page { codes: Some(codes), ..Page::default() }),
        Err(refusal) => said_no(&refusal),
    }
}

fn said_no(refusal: &LinkRefusal) -> Response {
    match refusal {
        LinkRefusal::Unknown => refused(
            StatusCode::NOT_FOUND,
            "This link shows nothing. Compare it with your newest mail: a newer mail ends the links of older ones.",
        ),
        LinkRefusal::Used => refused(
            StatusCode::GONE,
            "This link was used already; it shows your codes once. They stand in your mail as well. If it was not you \
             who used it, tell your phone administrator now.",
        ),
        LinkRefusal::Expired => refused(
            StatusCode::GONE,
            "This link is too old. Your codes stand in your mail as well; or ask your phone administrator to send it again.",
        ),
        LinkRefusal::Failed(error) => {
            let reference = error_reference();
            tracing::error!(%reference, %error, "the page of a welcome mail could not answer ({reference})");
            let page = Page {
                refused: Some(
                    "This could not be done just now; your link is as good as before. Try again in a minute.",
                ),
                reference: Some(reference),
                ..Page::default()
            };
            shown(StatusCode::SERVICE_UNAVAILABLE, page)
        }
    }
}

fn refused(status: StatusCode, why: &'static str) -> Response {
    shown(status, Page { refused: Some(why), ..Page::default() })
}

fn shown(status: StatusCode, page: Page) -> Response {
    page::shown(status, |nonce| Page { nonce, ..page }.render())
}
