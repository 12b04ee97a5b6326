//! Import: a spreadsheet of users, devices or lines comes in, its rows are looked at and mended, then applied.
//!
//! What a row must be, and what becomes of it, is the app crate's; a file is never held whole in memory.

mod grid;
mod start;
mod upload;

use super::Console;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use std::sync::Arc;

/// Everything about imports but the upload.
pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/import/template/{kind}", get(start::template))
        .route("/import/{id}", get(grid::show))
        .route("/import/{id}/rows/{row}", post(grid::mend))
        .route("/import/{id}/apply", post(grid::apply))
        .route("/import/{id}/discard", post(grid::discard))
}

/// The page with the form for a file, which is larger than other forms and comes in piece by piece.
pub(super) fn upload_routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/import", get(start::show).post(upload::upload))
        // The app crate stops at its own limit, row by row.
        .layer(DefaultBodyLimit::disable())
}

/// The kinds of files, with what each is for.
const KINDS: [(&str, &str, &str); 3] = [
    ("users", "Users", "People with name and extension, at a site that is there."),
    ("devices", "Devices", "Device models, for users or for stock, with or without MAC address."),
    ("lines", "Lines", "SIP lines with passwords, of users who are there."),
];
