//! The REST API under `/api/v1`.
//!
//! Decides names and shapes on the wire; codes in errors are stable, messages are for people. The same
//! router answers on the console's listener (a token is asked for), on the control socket and inside
//! the command line (both: whoever can open the data folder is the owner).

mod accounts;
mod actor;
mod backup;
mod configuration;
mod doors;
mod error;
mod guard;
mod import;
mod inventory;
mod lifecycle;
mod phones;
mod report;
mod routes;
mod token;

pub use error::ApiError;
pub use routes::Endpoint;

use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, header};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::{Extension, Router};
use provost_app::{Actor, App};
use routes::Routes;
use std::sync::Arc;

/// Who may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever shows a token, as far as that goes.
    Token,
    /// Everybody on this road: its end is guarded by file permissions.
    Owner,
}

/// Far above any entry: a user with all its lines is under 4 kB.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// Every endpoint there is.
pub fn endpoints() -> Vec<Endpoint> {
    routes().endpoints
}

/// What is at which address. Each line is one method, so that [`endpoints`] knows them all.
fn routes() -> Routes {
    configuration::routes(lifecycle::routes(lists_and_entries()))
        .get("/phones", phones::phones)
        .get("/phones/{mac}", phones::phone)
        .get("/phones/{mac}/timeline", phones::timeline)
        .get("/phones/{mac}/configuration", phones::configuration)
        .get("/phones/{mac}/files", phones::files)
        .post("/phones/{mac}/passwords", phones::passwords)
        .post("/phones/{mac}/activate", phones::activate)
        .get("/move", phones::moving)
        .get("/reports/devices", report::devices)
        .post("/reports/devices/secrets", report::device_secrets)
        .get("/imports", import::imports)
        .post("/imports", import::add_import)
        .get("/imports/template", import::template)
        .get("/imports/{id}", import::import)
        .get("/imports/{id}/rows", import::rows)
        .get("/references/{reference}", doors::reference)
        .get("/backup", backup::backup)
        .get("/restore", backup::restore_state)
        .post("/restore/confirm", backup::confirm_restore)
        .get("/strangers", phones::strangers)
        .get("/audit", guard::audit)
        .get("/alarms", guard::alarms)
        .post("/alarms/{id}/end", guard::end_alarm)
        .get("/blocked-certificates", guard::blocked)
        .post("/blocked-certificates", guard::block)
        .delete("/blocked-certificates/{sha256}", guard::unblock)
        .get("/http-bootstrap", guard::http_bootstraps)
        .post("/http-bootstrap", guard::open_http_bootstrap)
        .delete("/http-bootstrap/{id}", guard::close_http_bootstrap)
        .get("/exceptions", guard::exceptions)
        .get("/failed-handshakes", guard::failed_handshakes)
}

fn lists_and_entries() -> Routes {
    Routes::default()
        .get("/models", inventory::models)
        .get("/accounts", accounts::accounts)
        .post("/accounts", accounts::add_account)
        .get("/accounts/{id}", accounts::account)
        .patch("/accounts/{id}", accounts::rename_account)
        .get("/tokens", accounts::tokens)
        .post("/tokens", accounts::add_token)
        .delete("/tokens/{id}", accounts::revoke_token)
        .get("/sites", inventory::sites)
        .post("/sites", inventory::add_site)
        .put("/sites/{id}/emergency-route", doors::set_emergency_route)
        .delete("/sites/{id}/emergency-route", doors::remove_emergency_route)
        .get("/users", inventory::users)
        .post("/users", inventory::add_user)
        .get("/users/{id}", inventory::user)
        .get("/devices", inventory::devices)
        .post("/devices", inventory::add_device)
        .get("/devices/{id}", inventory::device)
        .post("/devices/{id}/codes", inventory::issue_code)
        .post("/devices/{id}/assign", inventory::assign_device)
        .post("/devices/{id}/exception", guard::make_exception)
        .delete("/devices/{id}/exception", guard::revoke_exception)
        .post("/devices/{id}/{action}", inventory::change_device)
}

/// The routes of the API.
pub fn router(app: Arc<App>, access: Access) -> Router {
    let routes = routes()
        .router
        .fallback(error::no_such_address)
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(map_response(guarded));
    let routes = match access {
        Access::Owner => routes.layer(Extension(Actor::control_socket())),
        Access::Token => routes.layer(from_fn_with_state(Arc::clone(&app), token::require)),
    };
    Router::new().nest("/api/v1", routes.with_state(app))
}

/// Answers hold codes and tokens: nobody keeps them, and no browser guesses what they are.
async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
