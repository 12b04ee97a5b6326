//! Strangers: who asked for a phone's files and could not prove to be that phone.

use super::Console;
use super::answer::{Trouble, page};
use super::device::Certificate;
use super::gate::SignedIn;
use super::parts::Frame;
use super::words::Moment;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use provost_app::Stranger;
use provost_core::time::UnixMillis;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "strangers.html", whitespace = "minimize")]
struct StrangersPage {
    frame: Frame,
    strangers: Vec<StrangerRow>,
}

/// Somebody who asked and proved nothing.
struct StrangerRow {
    address: String,
    mac: Option<String>,
    file: String,
    certificate: Certificate,
    reason: String,
    advice: String,
    times: u64,
    at: Moment,
}

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/strangers", get(show))
}

/// `GET /strangers`.
async fn show(State(console): State<Arc<Console>>, by: SignedIn) -> Result<Response, Trouble> {
    let now = console.app.now();
    let strangers = console.app.strangers(by.actor())?;
    let template = StrangersPage {
        frame: Frame::signed_in("Strangers", &by).at("strangers"),
        strangers: strangers.iter().map(|stranger| stranger_row(stranger, now)).collect(),
    };
    Ok(page(StatusCode::OK, &template))
}

fn stranger_row(stranger: &Stranger, now: UnixMillis) -> StrangerRow {
    let Stranger { address, asked_for, file, certificate, reason, times, at, .. } = stranger;
    StrangerRow {
        address: address.to_string(),
        mac: asked_for.map(|mac| mac.to_string()),
        file: file.clone(),
        certificate: Certificate::new(certificate.as_str()),
        reason: reason.clone(),
        advice: stranger.entry().advice.unwrap_or_default(),
        times: *times,
        at: Moment::at(*at, now),
    }
}
