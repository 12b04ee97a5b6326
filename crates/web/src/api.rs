//! The REST API under `/api/v1`.
//!
//! Decides names and shapes on the wire; codes in errors are stable, messages are for people. The same
//! router answers on the console's listener (a token is asked for), on the control socket and inside
//! the command line (both: whoever can open the data folder is the owner).

mod accounts;
mod actor;
mod administrators;
mod answer;
mod backup;
mod changes;
mod configuration;
mod connectors;
mod doors;
mod error;
mod firmware;
mod firmware_policy;
mod guard;
mod import;
mod inventory;
mod lifecycle;
mod mail;
mod openapi;
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
use axum::routing::get;
use axum::{Extension, Router};
use changes::Changes;
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

/// Where all of it is.
const ROOT: &str = "/api/v1";

/// Every endpoint there is.
pub fn endpoints() -> Vec<Endpoint> {
    routes().description.endpoints()
}

/// The description of the API: an OpenAPI 3.1 document.
pub fn openapi() -> serde_json::Value {
    routes().description.document()
}

/// What is at which address. Each line is one method, so that [`endpoints`] knows them all.
fn routes() -> Routes {
    let routes = configuration::routes(connectors::routes(lifecycle::routes(lists_and_entries())));
    firmware::routes(firmware_policy::routes(administrators::routes(mail::routes(routes))))
        .get("/phones", "Every phone that proved itself, by MAC", phones::phones)
        .get("/phones/{mac}", "One phone: certificate, firmware, contacts", phones::phone)
        .get("/phones/{mac}/timeline", "What a phone did, newest first", phones::timeline)
        .get(
            "/phones/{mac}/configuration",
            "Every value a phone is given, with the layer that set it",
            phones::configuration,
        )
        .get("/phones/{mac}/files", "The files a phone uploaded", phones::files)
        .post("/phones/{mac}/passwords", "Reveal a phone's passwords; the reason is kept", phones::passwords)
        .post("/phones/{mac}/activate", "Bind a phone by an activation code", phones::activate)
        .get("/move", "How far the move to a new address is", phones::moving)
        .get("/reports/devices", "The device report, as JSON by the page or as CSV", report::devices)
        .post(
            "/reports/devices/secrets",
            "The device report as CSV with passwords and codes; the reason is kept",
            report::device_secrets,
        )
        .get("/imports", "Every import of a CSV file", import::imports)
        .post("/imports", "Import a CSV file, or only try it", import::add_import)
        .get("/imports/template", "An example file of a kind", import::template)
        .get("/imports/{id}", "How far an import is", import::import)
        .get("/imports/{id}/rows", "The rows of an import with their verdicts", import::rows)
        .get("/references/{reference}", "What a reference read out to a caller stands for", doors::reference)
        .get("/backup", "Everything, as a backup", backup::backup)
        .get("/restore", "Whether a restored backup waits to be confirmed", backup::restore_state)
        .post("/restore/confirm", "Confirm a restored backup", backup::confirm_restore)
        .get("/strangers", "Who asked without proof, since the start", phones::strangers)
        .get("/audit", "Who did what, from where and why, newest first", guard::audit)
        .get("/alarms", "What needs a hand", guard::alarms)
        .post("/alarms/{id}/end", "End an alarm", guard::end_alarm)
        .get("/blocked-certificates", "The certificates that are not believed", guard::blocked)
        .post("/blocked-certificates", "Believe a certificate no longer", guard::block)
        .delete("/blocked-certificates/{sha256}", "Believe a certificate again", guard::unblock)
        .get("/http-bootstrap", "The networks that get a bootstrap over plain HTTP", guard::http_bootstraps)
        .post("/http-bootstrap", "Open the plain-HTTP bootstrap for a network and a time", guard::open_http_bootstrap)
        .delete("/http-bootstrap/{id}", "Close a plain-HTTP bootstrap", guard::close_http_bootstrap)
        .get("/exceptions", "The devices whose phones need no proof for a time", guard::exceptions)
        .get("/failed-handshakes", "The TLS handshakes that failed, with advice", guard::failed_handshakes)
}

fn lists_and_entries() -> Routes {
    Routes::default()
        .get("/models", "The models of the catalog", inventory::models)
        .get("/accounts", "The accounts in scope", accounts::accounts)
        .post("/accounts", "Add an account", accounts::add_account)
        .get("/accounts/{id}", "One account", accounts::account)
        .patch("/accounts/{id}", "Rename an account", accounts::rename_account)
        .get("/tokens", "The tokens in scope; never their text", accounts::tokens)
        .post("/tokens", "Make a token; its text is shown this once", accounts::add_token)
        .delete("/tokens/{id}", "Revoke a token", accounts::revoke_token)
        .get("/sites", "The sites in scope", inventory::sites)
        .post("/sites", "Add a site", inventory::add_site)
        .get("/sites/{id}", "One site", inventory::site)
        .put(
            "/sites/{id}/emergency-route",
            "Set where emergency calls of unclaimed phones are sent on to",
            doors::set_emergency_route,
        )
        .delete("/sites/{id}/emergency-route", "Take away the route of emergency calls", doors::remove_emergency_route)
        .get("/users", "The users in scope; passwords never", inventory::users)
        .post("/users", "Add a user", inventory::add_user)
        .get("/users/{id}", "One user", inventory::user)
        .get("/devices", "The devices in scope", inventory::devices)
        .post("/devices", "Add a device: to stock, for a user, or for a phone known by its MAC", inventory::add_device)
        .get("/devices/{id}", "One device", inventory::device)
        .post("/devices/{id}/codes", "Issue an activation code; it voids the one before", inventory::issue_code)
        .post("/devices/{id}/assign", "Give a device of the stock to a user", inventory::assign_device)
        .post(
            "/devices/{id}/exception",
            "Let the phone of a device in without proof, for a time",
            guard::make_exception,
        )
        .delete("/devices/{id}/exception", "End an exception", guard::revoke_exception)
        .post("/devices/{id}/disable", "Give a device's phone nothing until it is enabled", inventory::disable)
        .post("/devices/{id}/quarantine", "Give a device's phone nothing and tell why", inventory::quarantine)
        .post("/devices/{id}/enable", "End what a device was disabled or quarantined for", inventory::enable)
}

/// The routes of the API.
pub fn router(app: Arc<App>, access: Access) -> Router {
    let Routes { router, description } = routes();
    let endpoints = description.endpoints().into();
    let reader = router.clone().with_state(Arc::clone(&app));
    let changes = Changes { app: Arc::clone(&app), reader, endpoints };
    let routes = router
        .layer(from_fn_with_state(changes, changes::guard))
        .fallback(error::no_such_address)
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(map_response(error::in_json))
        .layer(map_response(guarded));
    let routes = match access {
        Access::Owner => routes.layer(Extension(Actor::control_socket())),
        Access::Token => routes.layer(from_fn_with_state(Arc::clone(&app), token::require)),
    };
    // What the API can do is no secret: it is the same on every server.
    let openapi = openapi().to_string();
    let openapi = get(async || ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], openapi));
    Router::new().nest(ROOT, routes.with_state(app)).route("/api/v1/openapi.json", openapi)
}

/// Answers hold codes and tokens: nobody keeps them, and no browser guesses what they are.
async fn guarded(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
