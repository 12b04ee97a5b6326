//! Devices: the device report, adding a device model, one device and what becomes of it, labels and letters.
//!
//! Each page has a module of its own; which device may do what is the app crate's.

mod add;
mod asked;
mod change;
mod choices;
mod file;
mod list;
mod one;
mod paper;
mod passwords;
mod picture;
mod released;
mod swap;
mod whom;

use super::Console;
use axum::Router;
use axum::routing::{get, post};
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/devices", get(list::show).post(add::add))
        .route("/devices/report.csv", get(file::plain))
        .route("/devices/secrets", get(file::secrets_form))
        .route("/devices/secrets.csv", post(file::secrets))
        .route("/devices/add", get(add::show))
        .route("/devices/released", get(released::show))
        .route("/devices/labels", get(paper::labels))
        .route("/devices/letters", get(paper::letters))
        .route("/devices/codes", post(paper::issue_codes))
        .route("/devices/{id}", get(one::show))
        .route("/devices/{id}/code", post(change::issue_code))
        .route("/devices/{id}/welcome", post(change::send_welcome))
        .route("/devices/{id}/user", get(whom::show).post(whom::give))
        .route("/devices/{id}/unassign", post(change::unassign))
        .route("/devices/{id}/swap", get(swap::back).post(swap::swap))
        .route("/devices/{id}/release", post(change::release))
        .route("/devices/{id}/restore", post(change::restore))
        .route("/devices/{id}/remove", post(change::remove))
        .route("/devices/{id}/disable", post(change::disable))
        .route("/devices/{id}/quarantine", post(change::quarantine))
        .route("/devices/{id}/enable", post(change::enable))
        .route("/devices/{id}/passwords", get(passwords::show).post(passwords::reveal))
}
