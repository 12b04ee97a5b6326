//! Home: what needs a hand, the code somebody holds, phones that nobody claimed.

use super::Console;
use super::answer::{Trouble, page};
use super::device::Certificate;
use super::gate::SignedIn;
use super::parts::{ClaimForm, Frame};
use super::words::Moment;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use provost_app::{Actor, App, AppError, Page, PhoneView};
use provost_core::time::UnixMillis;
use std::sync::Arc;

/// Short tables: who wants more looks at one phone's timeline.
const MOST_IN_SHORT_TABLES: u32 = 20;

#[derive(Template)]
#[template(path = "home.html", whitespace = "minimize")]
struct HomePage {
    frame: Frame,
    next_step: Option<NextStep>,
    /// How the command line is called beside this server.
    command: String,
    claim: ClaimForm,
    unclaimed: Vec<UnclaimedRow>,
}

/// What an administrator needs before the first phone can be somebody's.
enum NextStep {
    Account,
    Site { account: String },
    User { site: String },
}

/// A proven phone that belongs to no device.
struct UnclaimedRow {
    mac: String,
    model: String,
    firmware: String,
    certificate: Certificate,
    address: String,
    last_contact: Option<Moment>,
}

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/", get(show))
}

/// `GET /`.
async fn show(State(console): State<Arc<Console>>, by: SignedIn) -> Result<Response, Trouble> {
    home_page(&console.app, &by, StatusCode::OK, ClaimForm::default()).await
}

/// The page with what was typed and what is wrong with it.
pub(super) async fn home_page(
    app: &App,
    by: &SignedIn,
    status: StatusCode,
    claim: ClaimForm,
) -> Result<Response, Trouble> {
    let template = HomePage {
        frame: Frame::signed_in("Home", by).at("home").live("/live/home".to_owned()),
        next_step: next_step(app, by.actor()).await?,
        command: app.told().command.clone(),
        claim,
        unclaimed: unclaimed(app, app.now(), by.actor()).await?,
    };
    Ok(page(status, &template))
}

async fn next_step(app: &App, by: &Actor) -> Result<Option<NextStep>, AppError> {
    let one = Page { limit: 1, ..Page::FIRST };
    let accounts = app.accounts(one, by).await?;
    let Some(account) = accounts.into_iter().next() else { return Ok(Some(NextStep::Account)) };
    let sites = app.sites(one, by).await?;
    let Some(site) = sites.into_iter().next() else { return Ok(Some(NextStep::Site { account: account.id })) };
    let users = app.users(one, by).await?;
    Ok(users.is_empty().then_some(NextStep::User { site: site.id }))
}

/// Proven phones that no device names. Asks for each candidate, since the device may be past the first page.
async fn unclaimed(app: &App, now: UnixMillis, by: &Actor) -> Result<Vec<UnclaimedRow>, AppError> {
    let row = |phone: PhoneView| UnclaimedRow {
        model: phone.model_name.or(phone.model).unwrap_or_else(|| "not in the catalog".to_owned()),
        firmware: phone.firmware.unwrap_or_else(|| "not said".to_owned()),
        certificate: Certificate::new(phone.certificate.status),
        address: phone.address.unwrap_or_default(),
        last_contact: phone.last_seen.map(|at| Moment::read(&at, now)),
        mac: phone.mac,
    };
    Ok(app.unclaimed_phones(MOST_IN_SHORT_TABLES, by).await?.into_iter().map(row).collect())
}
