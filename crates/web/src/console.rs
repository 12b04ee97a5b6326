//! The console: one page of devices, one page per phone, complete without any script.
//!
//! Decides who is signed in, what a form may do and what a page says. Never decides what a device or a
//! phone may do: that is the app crate's. Rules: docs/THREATS.md, rules 11, 12 and 14; issue 2, item 9.

mod actions;
mod answer;
mod audit;
mod device;
mod devices;
mod doctor;
mod gate;
mod guides;
mod models;
mod parts;
mod phone;
mod point;
mod search;
mod sessions;
mod sign_in;
mod words;

#[cfg(test)]
mod tests;

use answer::Trouble;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::{Next, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use provost_app::App;
use sessions::{Sessions, Tries};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What every handler shares.
struct Console {
    app: Arc<App>,
    sessions: Mutex<Sessions>,
    tries: Mutex<Tries>,
}

/// The longest form holds two ids, a MAC and a token; nothing here needs more.
const MOST_FORM_BYTES: usize = 16 * 1024;

const STYLES: &str = include_str!("../assets/console.css");
const ICON: &str = include_str!("../assets/icon.svg");

/// Headers of every answer. `no-referrer` makes browsers send `Origin: null` with our own forms, so
/// no check may rest on that header: forms carry a token instead.
const STRICT: [(&str, &str); 5] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// The console of one server; its sessions live as long as the router.
pub fn router(app: Arc<App>) -> Router {
    let console = Arc::new(Console { app, sessions: Mutex::default(), tries: Mutex::default() });
    Router::new()
        .route("/", get(devices::show))
        .route("/sign-in", get(sign_in::show).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/devices", post(actions::add_device))
        .route("/devices/{id}/code", post(actions::issue_code))
        .route("/devices/{id}/disable", post(actions::disable))
        .route("/devices/{id}/quarantine", post(actions::quarantine))
        .route("/devices/{id}/enable", post(actions::enable))
        .route("/phones/activate", post(actions::activate))
        .route("/phones/{mac}", get(phone::show))
        .route("/search", get(search::show))
        .route("/point", get(point::show))
        .route("/models", get(models::show))
        .route("/doctor", get(doctor::show))
        .route("/audit", get(audit::show))
        .route("/assets/console.css", get(async || asset("text/css; charset=utf-8", STYLES)))
        .route("/assets/icon.svg", get(async || asset("image/svg+xml", ICON)))
        .fallback(async || Trouble::NotHere)
        .method_not_allowed_fallback(async || Trouble::OtherMethod)
        .layer(DefaultBodyLimit::max(MOST_FORM_BYTES))
        .layer(from_fn_with_state(Arc::clone(&console), in_turn))
        .layer(map_response(strict))
        .with_state(console)
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

fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], text).into_response()
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
