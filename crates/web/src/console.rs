//! The console: pages for administrators, complete without any script.
//!
//! Decides who is signed in, what a form may do and what a page says. Never decides what a device or a
//! phone may do: that is the app crate's. Rules: docs/THREATS.md, rules 11, 12 and 14; issue 2, item 9.

mod account;
mod actions;
mod administrators;
mod answer;
mod assets;
mod audit;
mod device;
mod devices;
mod doctor;
mod gate;
mod guides;
mod home;
mod menu;
mod models;
mod new_password;
mod parts;
mod phone;
mod point;
mod qr;
mod roles;
mod search;
mod sessions;
mod settings;
mod sign_in;
mod strangers;
mod words;

#[cfg(test)]
mod tests;

use answer::Trouble;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{CACHE_CONTROL, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::{Next, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use provost_app::{App, NewSession};
use sessions::{Notice, Notices, Tries};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What every handler shares.
struct Console {
    app: Arc<App>,
    reach: Reach,
    notices: Mutex<Notices>,
    tries: Mutex<Tries>,
}

/// How browsers reach the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Over plain HTTP, on this machine alone.
    Plain,
    /// Over HTTPS, which this server or a proxy in front of it ends.
    Https,
}

impl Console {
    /// Tells something on the first page of a session that begins with this answer.
    fn notice_after(&self, session: &NewSession, notice: Notice) {
        locked(&self.notices).leave(&session.id, notice);
    }
}

/// The longest form holds two ids, a MAC and a token; nothing here needs more.
const MOST_FORM_BYTES: usize = 16 * 1024;

/// Headers of every answer. `no-referrer` makes browsers send `Origin: null` with our own forms, so
/// no check may rest on that header: forms carry a token instead.
const STRICT: [(&str, &str); 5] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// The console of one server.
pub fn router(app: Arc<App>, reach: Reach) -> Router {
    let console = Arc::new(Console { app, reach, notices: Mutex::default(), tries: Mutex::default() });
    Router::new()
        .merge(home::routes())
        .merge(devices::routes())
        .merge(phone::routes())
        .merge(strangers::routes())
        .merge(administrators::routes())
        .merge(settings::routes())
        .route("/search", get(search::show).post(search::find))
        .route("/roles", get(roles::show))
        .route("/point", get(point::show))
        .merge(models::routes())
        .route("/doctor", get(doctor::show))
        .route("/audit", get(audit::show))
        .fallback(async || Trouble::NotHere)
        .method_not_allowed_fallback(async || Trouble::OtherMethod)
        .layer(from_fn_with_state(Arc::clone(&console), in_turn))
        .merge(sign_in_routes())
        .route("/assets/{name}", get(assets::show))
        .layer(DefaultBodyLimit::max(MOST_FORM_BYTES))
        .layer(map_response(strict))
        .with_state(console)
}

/// Signing in and what one does about oneself. Strangers come here, so nobody else waits for it.
fn sign_in_routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/sign-in", get(sign_in::show).post(sign_in::sign_in))
        .route("/sign-in/code", get(sign_in::no_code).post(sign_in::code))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/forgotten", get(new_password::forgotten_page).post(new_password::forgotten))
        .route("/new-password", get(new_password::settle_page).post(new_password::settle))
        .route("/new-password/{link}", get(new_password::link_page).post(new_password::use_link))
        .route("/account", get(account::show))
        .route("/account/password", get(account::back).post(account::change_password))
        .route("/account/totp", get(account::back).post(account::offer_totp))
        .route("/account/totp/begin", get(account::back).post(account::begin_totp))
        .route("/account/totp/end", get(account::back).post(account::end_totp))
        .route("/account/recovery-codes", get(account::back).post(account::renew_codes))
        .route("/account/sessions/end-others", post(account::end_others))
        .route("/account/sessions/{id}/end", post(account::end_session))
}

/// Nothing is changed here while a change of the API compares.
async fn in_turn(State(console): State<Arc<Console>>, request: Request, next: Next) -> Response {
    if request.method() == Method::GET {
        return next.run(request).await;
    }
    // The form comes in first: whoever sends it slowly must not hold up others.
    let (parts, body) = request.into_parts();
    let Ok(form) = to_bytes(body, MOST_FORM_BYTES).await else { return Trouble::BrokenForm.into_response() };
    let _shared = console.app.changes().read().await;
    next.run(Request::from_parts(parts, Body::from(form))).await
}

async fn strict(mut response: Response) -> Response {
    let headers: &mut HeaderMap = response.headers_mut();
    for (name, value) in STRICT {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Locks even if a thread panicked while holding it: these lists are whole after every statement.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
