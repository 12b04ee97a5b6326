//! The console: pages for administrators, complete without any script.
//!
//! Decides who is signed in, what a form may do and what a page says. Never decides what a device or a
//! phone may do: that is the app crate's. Rules: docs/THREATS.md, rules 11, 12 and 14; issue 2, item 9.

mod account;
mod actions;
mod administrators;
mod alarms;
mod answer;
mod assets;
mod audit;
mod device;
mod devices;
mod doctor;
mod firmware;
mod gate;
mod guides;
mod home;
mod import;
mod layers;
mod live;
mod mail;
mod menu;
mod models;
mod new_password;
mod parts;
mod people;
mod phone;
mod places;
mod point;
mod qr;
mod roles;
mod search;
mod sessions;
mod settings;
mod sign_in;
mod story;
mod strangers;
mod typed;
mod words;

#[cfg(test)]
mod tests;

use answer::Trouble;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName};
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
    live: Mutex<live::Places>,
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

/// Far more than all but one of the forms hold.
const MOST_FORM_BYTES: usize = 16 * 1024;
/// A template of a mail in its two parts, encoded as forms are.
const MOST_DRAFT_BYTES: usize = 512 * 1024;

/// Another content policy than that of [`STRICT`], for an answer that says so.
#[derive(Debug, Clone, Copy)]
struct Policy(&'static str);

/// What waits for a PBX and must not hold up the changes of others meanwhile.
const WAITING: [&str; 3] = ["/refresh", "/restart", "/firmware/now"];

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
    let console =
        Arc::new(Console { app, reach, notices: Mutex::default(), tries: Mutex::default(), live: Mutex::default() });
    Router::new()
        .merge(home::routes())
        .merge(live::routes())
        .merge(alarms::routes())
        .merge(devices::routes())
        .merge(phone::routes())
        .merge(layers::routes())
        .merge(strangers::routes())
        .merge(administrators::routes())
        .merge(settings::routes())
        .route("/search", get(search::show).post(search::find))
        .route("/roles", get(roles::show))
        .merge(people::routes())
        .merge(places::routes())
        .merge(import::routes())
        .merge(mail::routes())
        .route("/point", get(point::show))
        .merge(models::routes())
        .merge(firmware::routes())
        .route("/doctor", get(doctor::show))
        .route("/audit", get(audit::show))
        .fallback(async || Trouble::NotHere)
        .method_not_allowed_fallback(async || Trouble::OtherMethod)
        .layer(from_fn_with_state(Arc::clone(&console), in_turn))
        .merge(import::upload_routes())
        .merge(firmware::upload_routes())
        .merge(drafts(&console))
        .merge(sign_in_routes())
        .route("/assets/{name}", get(assets::show))
        .layer(from_fn_with_state(Arc::clone(&console), answer::with_menu))
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

/// Where templates are written: as all else, with longer forms.
fn drafts(console: &Arc<Console>) -> Router<Arc<Console>> {
    mail::draft_routes()
        .layer(from_fn_with_state(Arc::clone(console), in_turn_with_draft))
        .layer(DefaultBodyLimit::max(MOST_DRAFT_BYTES))
}

async fn in_turn(State(console): State<Arc<Console>>, request: Request, next: Next) -> Response {
    held(&console, (request, MOST_FORM_BYTES), next).await
}

async fn in_turn_with_draft(State(console): State<Arc<Console>>, request: Request, next: Next) -> Response {
    held(&console, (request, MOST_DRAFT_BYTES), next).await
}

/// Nothing is changed here while a change of the API compares.
async fn held(console: &Console, (request, most): (Request, usize), next: Next) -> Response {
    let is_waiting = WAITING.iter().any(|end| request.uri().path().ends_with(end));
    if request.method() == Method::GET || is_waiting {
        return next.run(request).await;
    }
    // The form comes in first: whoever sends it slowly must not hold up others.
    let (parts, body) = request.into_parts();
    let Ok(form) = to_bytes(body, most).await else { return Trouble::BrokenForm.into_response() };
    let _shared = console.app.changes().read().await;
    next.run(Request::from_parts(parts, Body::from(form))).await
}

async fn strict(mut response: Response) -> Response {
    let policy = response.extensions().get::<Policy>().copied();
    let headers: &mut HeaderMap = response.headers_mut();
    for (name, value) in STRICT {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Some(Policy(policy)) = policy {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Locks even if a thread panicked while holding it: these lists are whole after every statement.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
