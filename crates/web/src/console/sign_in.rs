//! Signing in with a token, and out again.
//!
//! A session id is never taken from the browser: every sign-in draws a new one.

use super::answer::{Trouble, page, to};
use super::gate::{NO_COOKIE, Posted, SignedIn, cookie, fields, from_another_site, session_ids, text};
use super::parts::Frame;
use super::{Console, locked};
use askama::Template;
use axum::extract::{Request, State};
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use provost_app::ShownToken;
use provost_core::identity::Peer;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "sign_in.html", whitespace = "minimize")]
struct SignInPage {
    frame: Frame,
    problem: Option<String>,
}

/// `GET /sign-in`.
pub(super) async fn show(signed_in: Result<SignedIn, Trouble>) -> Response {
    match signed_in {
        Ok(_) => to("/"),
        Err(_) => sign_in_page(StatusCode::OK, None),
    }
}

/// `POST /sign-in`.
pub(super) async fn sign_in(State(console): State<Arc<Console>>, request: Request) -> Result<Response, Trouble> {
    let headers = request.headers().clone();
    let from = request.extensions().get::<Peer>().map(|peer| peer.address);
    // Otherwise any web page the administrator visits could use up the tries.
    if from_another_site(&headers) {
        return Err(Trouble::ForeignForm);
    }
    let fields = fields(request).await?;
    let now = console.app.now();
    // The right token opens whatever others tried: it cannot be guessed, and nobody may lock its owner out.
    let actor = match console.app.shown_token(text(&fields, "token"), from).await? {
        ShownToken::Good(actor) => actor,
        ShownToken::Expired(at) => {
            let problem = format!("That token expired at {at}. Ask for another.");
            return Ok(sign_in_page(StatusCode::FORBIDDEN, Some(problem)));
        }
        ShownToken::Unknown => {
            if let Err(seconds) = locked(&console.tries).take(now) {
                return Ok(too_many(seconds));
            }
            let problem = "That is no token of this server. Nothing was changed; try again.";
            return Ok(sign_in_page(StatusCode::FORBIDDEN, Some(problem.to_owned())));
        }
    };
    let Some(token) = actor.token.clone() else { return Err(Trouble::SignedOut) };
    console.app.note_sign_in(&actor).await?;
    let id = {
        let mut sessions = locked(&console.sessions);
        session_ids(&headers).for_each(|old| sessions.end(old));
        sessions.begin(token, now, &mut rand::rng())
    };
    Ok(with_cookie(to("/"), cookie(&id)?))
}

/// `POST /sign-out`.
pub(super) async fn sign_out(posted: Posted) -> Response {
    posted.by.end();
    with_cookie(to("/sign-in"), NO_COOKIE)
}

fn sign_in_page(status: StatusCode, problem: Option<String>) -> Response {
    page(status, &SignInPage { frame: Frame::signed_out("Sign in"), problem })
}

fn too_many(seconds: i64) -> Response {
    let problem = format!("Too many wrong tokens on this server. Wait {seconds} seconds, then try again.");
    let mut response = sign_in_page(StatusCode::TOO_MANY_REQUESTS, Some(problem));
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

fn with_cookie(response: Response, cookie: HeaderValue) -> Response {
    (HeaderMap::from_iter([(SET_COOKIE, cookie)]), response).into_response()
}
