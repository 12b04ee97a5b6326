//! Signing in, with a mail address and a password or with a token, and out again.
//!
//! A session id is never taken from the browser: every sign-in draws a new one, and whatever session the browser brought
//! ends. It always goes on at the first page: there is no address to be sent to.

use super::answer::{Trouble, page, to};
use super::gate::{Outside, PostedOnArrival, SignedIn, Visiting, cookie, no_cookie};
use super::parts::Frame;
use super::sessions::seconds_until;
use super::{Console, locked};
use askama::Template;
use axum::extract::State;
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use provost_app::{AppError, NewSession, ShownToken, SignIn};
use std::sync::Arc;

#[derive(Template, Default)]
#[template(path = "sign_in.html", whitespace = "minimize")]
struct SignInPage {
    frame: Frame,
    email: String,
    problem: Option<String>,
    token_problem: Option<String>,
}

#[derive(Template)]
#[template(path = "sign_in_code.html", whitespace = "minimize")]
struct CodePage {
    frame: Frame,
    ticket: String,
    problem: Option<String>,
}

/// Of a wrong name and of a wrong password: which of them it was is not said.
const WRONG: &str = "This mail address and password do not go together. Nothing was changed; try again.";

/// `GET /sign-in`.
pub(super) async fn show(signed_in: Result<SignedIn, Trouble>) -> Response {
    match signed_in {
        Ok(_) => to("/"),
        Err(Trouble::MustChoose) => Trouble::MustChoose.into_response(),
        Err(_) => page(StatusCode::OK, &sign_in_page()),
    }
}

/// `POST /sign-in`.
pub(super) async fn sign_in(State(console): State<Arc<Console>>, outside: Outside) -> Result<Response, Trouble> {
    if outside.has("token") {
        return with_token(&console, &outside).await;
    }
    let (email, password) = (outside.text("email"), outside.text("password"));
    let with_problem = |status, problem: String| {
        page(status, &SignInPage { email: email.to_owned(), problem: Some(problem), ..sign_in_page() })
    };
    let done = console.app.sign_in((email, password), &outside.visitor, &outside.old()).await;
    match or_busy(done)? {
        Ok(SignIn::In(session)) => signed_in(&console, &session),
        Ok(SignIn::Code(ticket)) => Ok(code_page(StatusCode::OK, ticket.reveal(), None)),
        Ok(SignIn::Wrong) => Ok(with_problem(StatusCode::FORBIDDEN, WRONG.to_owned())),
        Ok(SignIn::Over) => {
            let problem = "This one-time password is over. Ask whoever gave it to you for another.";
            Ok(with_problem(StatusCode::FORBIDDEN, problem.to_owned()))
        }
        Ok(SignIn::Wait(until)) => {
            let seconds = seconds_until(until, console.app.now());
            Ok(retry_after(with_problem(StatusCode::TOO_MANY_REQUESTS, wait_words(seconds)), seconds))
        }
        Err(busy) => Ok(with_problem(StatusCode::SERVICE_UNAVAILABLE, busy)),
    }
}

/// `POST /sign-in/code`.
pub(super) async fn code(State(console): State<Arc<Console>>, outside: Outside) -> Result<Response, Trouble> {
    let (ticket, code) = (outside.text("ticket"), outside.text("code"));
    match console.app.sign_in_with_code((ticket, code), &outside.visitor, &outside.old()).await? {
        SignIn::In(session) => signed_in(&console, &session),
        SignIn::Wait(until) => {
            let seconds = seconds_until(until, console.app.now());
            let response = code_page(StatusCode::TOO_MANY_REQUESTS, ticket, Some(wait_words(seconds)));
            Ok(retry_after(response, seconds))
        }
        SignIn::Code(_) | SignIn::Wrong | SignIn::Over => {
            let problem = "This code does not fit, or was used before. Wait for the next one and enter that; after five \
                           minutes, begin again with your password.";
            Ok(code_page(StatusCode::FORBIDDEN, ticket, Some(problem.to_owned())))
        }
    }
}

async fn with_token(console: &Console, outside: &Outside) -> Result<Response, Trouble> {
    let wrong = |status, problem: String| page(status, &SignInPage { token_problem: Some(problem), ..sign_in_page() });
    let now = console.app.now();
    // The right token opens whatever others tried: it cannot be guessed, and nobody may lock its owner out.
    let actor = match console.app.shown_token(outside.text("token"), outside.visitor.address).await? {
        ShownToken::Good(actor) => actor,
        ShownToken::Expired(at) => {
            let problem = format!("That token expired at {at}. Ask for another.");
            return Ok(wrong(StatusCode::FORBIDDEN, problem));
        }
        ShownToken::Unknown => {
            if let Err(seconds) = locked(&console.tries).take(now) {
                let problem = format!("Too many wrong tokens on this server. Wait {seconds} seconds, then try again.");
                return Ok(retry_after(wrong(StatusCode::TOO_MANY_REQUESTS, problem), seconds));
            }
            let problem = "That is no token of this server. Nothing was changed; try again.";
            return Ok(wrong(StatusCode::FORBIDDEN, problem.to_owned()));
        }
    };
    let Some(token) = actor.token.clone() else { return Err(Trouble::SignedOut) };
    for old in &outside.tickets {
        console.app.drop_session(old).await?;
    }
    let session = console.app.begin_token_session(&token, &actor, &outside.visitor).await?;
    signed_in(console, &session)
}

/// `POST /sign-out`.
pub(super) async fn sign_out(
    State(console): State<Arc<Console>>,
    PostedOnArrival(posted): PostedOnArrival,
) -> Result<Response, Trouble> {
    console.app.sign_out(posted.by.session()).await?;
    Ok(with_cookie(to("/sign-in"), no_cookie(console.reach)?))
}

/// `GET /sign-in/code`: somebody went back or reloaded; the first step is not kept.
pub(super) async fn no_code(_: Visiting) -> Response {
    to("/sign-in")
}

/// On with the new session, at the first page.
pub(super) fn signed_in(console: &Console, session: &NewSession) -> Result<Response, Trouble> {
    Ok(with_cookie(to("/"), cookie(session, console.reach)?))
}

pub(super) fn with_cookie(response: Response, cookie: HeaderValue) -> Response {
    (HeaderMap::from_iter([(SET_COOKIE, cookie)]), response).into_response()
}

/// That too many sign in at once is said on the page itself.
fn or_busy<T>(done: Result<T, AppError>) -> Result<Result<T, String>, Trouble> {
    match done {
        Ok(done) => Ok(Ok(done)),
        Err(AppError::Refused { code: "busy", message, .. }) => Ok(Err(message)),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn wait_words(seconds: i64) -> String {
    format!("Too many wrong tries. Wait {seconds} seconds, then try again.")
}

fn sign_in_page() -> SignInPage {
    SignInPage { frame: Frame::signed_out("Sign in"), ..SignInPage::default() }
}

fn code_page(status: StatusCode, ticket: &str, problem: Option<String>) -> Response {
    let frame = Frame::signed_out("Enter the code of your authenticator");
    page(status, &CodePage { frame, ticket: ticket.to_owned(), problem })
}

fn retry_after(mut response: Response, seconds: i64) -> Response {
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}
