//! Users: people with an extension, SIP lines and phones, and the mail that welcomes them.

mod form;
mod list;
mod one;

use super::Console;
use axum::Router;
use axum::routing::{get, post};
use std::sync::Arc;

/// Everything about users.
pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/users", get(list::show))
        .route("/users/welcome", post(list::welcome))
        .route("/users/add", get(form::show).post(form::add))
        .route("/users/{id}", get(one::show).post(one::change))
        .route("/users/{id}/welcome", post(one::welcome))
        .route("/users/{id}/remove", post(one::remove))
}
