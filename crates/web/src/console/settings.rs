//! Settings: what this server tells phones, how it stands, and how each of these is changed.
//!
//! Changes only what can be changed while it runs: the confirmation of a restore, and tokens. All else stands in the
//! configuration file, and the page says where.

mod tokens;

use super::Console;
use super::administrators::places;
use super::answer::{Trouble, page, to};
use super::gate::{Posted, SignedIn};
use super::parts::Frame;
use super::sessions::Notice;
use super::words::Moment;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use provost_app::{AppError, MoveSummary, Pointing, ShownCertificate, Surroundings};
use provost_core::rights::Right;
use std::sync::Arc;
use tokens::{Form, Tokens};

#[derive(Template)]
#[template(path = "settings.html", whitespace = "minimize")]
struct SettingsPage {
    frame: Frame,
    version: &'static str,
    command: String,
    pointing: Pointing,
    /// Where phones asked before.
    former: Option<String>,
    has_mail_server: bool,
    /// Where links in mails lead.
    console: Option<String>,
    moving: Option<MoveSummary>,
    /// For owners of the whole server.
    server: Option<Server>,
    tokens: Option<Tokens>,
}

/// What only an owner of the whole server sees.
struct Server {
    around: Surroundings,
    certificates: Vec<Certificate>,
    /// When the data came from a backup that nobody has confirmed.
    restored: Option<Moment>,
}

struct Certificate {
    kind: String,
    names: String,
    origin: &'static str,
    ends: Moment,
    /// Whether it ends soon.
    is_late: bool,
}

/// The page, and what is done on it.
pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/settings", get(show))
        .route("/settings/restore", post(confirm_restore))
        .route("/settings/tokens", get(tokens::back).post(tokens::add))
        .route("/settings/tokens/{id}/revoke", post(tokens::revoke))
}

/// `GET /settings`.
async fn show(State(console): State<Arc<Console>>, by: SignedIn) -> Result<Response, Trouble> {
    settings_page(&console, &by, StatusCode::OK, Form::default()).await
}

async fn settings_page(console: &Console, by: &SignedIn, status: StatusCode, form: Form) -> Result<Response, Trouble> {
    let (app, actor) = (&console.app, by.actor());
    let tokens = match actor.has(Right::Tokens) {
        Ok(()) => Some(Tokens::load(console, by, form).await?),
        Err(_) => None,
    };
    let moving = match app.move_summary(actor).await {
        Ok(summary) => Some(summary).filter(|summary| summary.from.is_some()),
        Err(AppError::Forbidden { .. } | AppError::OutOfScope) => None,
        Err(error) => return Err(error.into()),
    };
    let told = app.told();
    let template = SettingsPage {
        frame: Frame::signed_in("Settings", by).at("settings"),
        version: env!("CARGO_PKG_VERSION"),
        command: told.command.clone(),
        pointing: app.pointing(),
        former: told.former.as_ref().map(provost_core::public_url::PublicUrl::authority),
        has_mail_server: app.has_mail_server(),
        console: told.console.clone(),
        moving,
        server: server(console, by)?,
        tokens,
    };
    Ok(page(status, &template))
}

fn server(console: &Console, by: &SignedIn) -> Result<Option<Server>, Trouble> {
    let (app, now) = (&console.app, console.app.now());
    let around = match app.surroundings(by.actor()) {
        Ok(around) => around.unwrap_or_default(),
        Err(AppError::Forbidden { .. } | AppError::OutOfScope) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let certificate = |shown: &ShownCertificate| Certificate {
        kind: shown.kind.clone(),
        names: shown.names.join(", "),
        origin: shown.origin,
        ends: Moment::at(shown.ends, now),
        is_late: shown.ends < now.plus_days(LATE_DAYS),
    };
    let restored = app.restore_state(by.actor())?.restored_at.map(|at| Moment::read(&at, now));
    Ok(Some(Server { certificates: around.certificates.iter().map(certificate).collect(), restored, around }))
}

/// The alarm about a certificate is raised in its last thirty days.
const LATE_DAYS: i64 = 30;

/// `POST /settings/restore`.
async fn confirm_restore(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Trouble> {
    let state = console.app.confirm_restore(posted.by.actor()).await?;
    posted.by.leave_notice(Notice::good(format!(
        "The restore is confirmed. {} From now on a phone that the data does not know is as any other that nobody claimed.",
        state.summary
    )));
    Ok(to("/settings"))
}
