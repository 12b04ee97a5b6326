//! The REST API under `/api/v1`.
//!
//! Decides names and shapes on the wire; codes in errors are stable, messages are for people. The same
//! router answers on the console's listener (a token is asked for), on the control socket and inside
//! the command line (both: whoever can open the data folder is the owner).

mod actor;
mod doors;
mod error;
mod guard;
mod inventory;
mod phones;
mod token;

pub use error::ApiError;

use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, header};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{delete, get, post, put};
use axum::{Extension, Router};
use provost_app::App;
use std::sync::Arc;

/// Who may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever shows the owner's token.
    Token,
    /// Everybody on this road: its end is guarded by file permissions.
    Owner,
}

/// Far above any entry: a user with all its lines is under 4 kB.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// The routes of the API.
pub fn router(app: Arc<App>, access: Access) -> Router {
    let routes = Router::new()
        .route("/models", get(inventory::models))
        .route("/accounts", get(inventory::accounts).post(inventory::add_account))
        .route("/sites", get(inventory::sites).post(inventory::add_site))
        .route("/sites/{id}/emergency-route", put(doors::set_emergency_route).delete(doors::remove_emergency_route))
        .route("/users", get(inventory::users).post(inventory::add_user))
        .route("/users/{id}", get(inventory::user))
        .route("/devices", get(inventory::devices).post(inventory::add_device))
        .route("/devices/{id}", get(inventory::device))
        .route("/devices/{id}/codes", post(inventory::issue_code))
        .route("/devices/{id}/assign", post(inventory::assign_device))
        .route("/devices/{id}/exception", post(guard::make_exception).delete(guard::revoke_exception))
        .route("/devices/{id}/{action}", post(inventory::change_device))
        .route("/phones", get(phones::phones))
        .route("/phones/{mac}", get(phones::phone))
        .route("/phones/{mac}/timeline", get(phones::timeline))
        .route("/phones/{mac}/configuration", get(phones::configuration))
        .route("/phones/{mac}/files", get(phones::files))
        .route("/phones/{mac}/passwords", post(phones::passwords))
        .route("/phones/{mac}/activate", post(phones::activate))
        .route("/move", get(phones::moving))
        .route("/references/{reference}", get(doors::reference))
        .route("/strangers", get(phones::strangers))
        .route("/tokens", post(inventory::add_token))
        .route("/audit", get(guard::audit))
        .route("/alarms", get(guard::alarms))
        .route("/alarms/{id}/end", post(guard::end_alarm))
        .route("/blocked-certificates", get(guard::blocked).post(guard::block))
        .route("/blocked-certificates/{sha256}", delete(guard::unblock))
        .route("/http-bootstrap", get(guard::http_bootstraps).post(guard::open_http_bootstrap))
        .route("/http-bootstrap/{id}", delete(guard::close_http_bootstrap))
        .route("/exceptions", get(guard::exceptions))
        .route("/failed-handshakes", get(guard::failed_handshakes))
        .fallback(error::no_such_address)
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(map_response(guarded));
    let routes = match access {
        Access::Owner => routes,
        Access::Token => routes.layer(from_fn_with_state(Arc::clone(&app), token::require)),
    };
    // Who may come in says who did it, for the audit log.
    Router::new().nest("/api/v1", routes.layer(Extension(access)).with_state(app))
}

/// Answers hold codes and tokens: nobody keeps them, and no browser guesses what they are.
async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
