//! Mail: what became of each, and the templates they are written from.

mod draft;
mod outbox;
mod templates;

use super::Console;
use super::device::Standing;
use axum::Router;
use axum::routing::{get, post};
use std::sync::Arc;

/// The outbox and the templates that hold.
pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/mail", get(outbox::show))
        .route("/mail/{id}/again", post(outbox::again))
        .route("/mail/templates", get(templates::show))
        .route("/mail/templates/remove", post(templates::remove))
}

/// The pages with a draft, which is longer than other forms.
pub(super) fn draft_routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/mail/templates/edit", get(draft::show).post(draft::save))
        .route("/mail/templates/preview", post(draft::preview))
}

/// How a mail stands: its state in a word or three.
pub(super) fn mark(state: &str) -> Standing {
    let (tone, word) = match state {
        "sent" => ("good", "Sent"),
        "waiting" => ("wait", "Waiting"),
        "handing-over" => ("wait", "Being sent"),
        "refused" => ("bad", "Refused"),
        "given-up" => ("bad", "Given up"),
        "doubtful" => ("bad", "Doubtful"),
        _ => ("quiet", "Replaced"),
    };
    Standing { tone, word, meaning: "" }
}
