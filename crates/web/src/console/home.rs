//! Home: devices by state, what needs a hand and why, how far sites are, alarms, the code somebody holds, phones that
//! nobody claimed.

mod hands;

use super::Console;
use super::alarms::AlarmCard;
use super::answer::{Trouble, page};
use super::device::Certificate;
use super::gate::SignedIn;
use super::parts::{ClaimForm, Frame};
use super::words::{Moment, devices_at};
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use hands::Group;
use provost_app::{Actor, App, AppError, HomeView, Page, PhoneView, SiteProgressView};
use provost_core::rights::Scope;
use provost_core::time::UnixMillis;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "home.html", whitespace = "minimize")]
struct HomePage {
    frame: Frame,
    next_step: Option<NextStep>,
    restored_at: Option<Moment>,
    numbers: Vec<Number>,
    groups: Vec<Group>,
    sites: Vec<SiteRow>,
    more_sites: usize,
    done_sites: usize,
    alarms: Vec<AlarmCard>,
    has_more_alarms: bool,
    claim: ClaimForm,
    /// How many were refused of late for want of proof, where that is theirs to see.
    refused: usize,
    unclaimed: Vec<UnclaimedRow>,
}

/// What an administrator needs before the first phone can be somebody's.
enum NextStep {
    Account,
    Site,
    User,
    Device,
}

/// How many devices there are of a kind, with the list of them.
struct Number {
    count: i64,
    words: &'static str,
    tone: &'static str,
    link: String,
}

/// How far a site is.
struct SiteRow {
    id: String,
    name: String,
    activated: i64,
    wanted: i64,
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
    let now = app.now();
    let home = app.home(by.actor()).await?;
    let template = HomePage {
        frame: Frame::signed_in("Home", by).at("home").live("/live/home".to_owned()),
        next_step: next_step(app, &home, by.actor()).await?,
        numbers: numbers(&home),
        groups: home.hands.into_iter().map(|list| Group::new(list, &home.silent_before, now)).collect(),
        restored_at: home.restored_at.map(|at| Moment::read(&at, now)),
        sites: home.sites.into_iter().map(site_row).collect(),
        more_sites: home.more_sites,
        done_sites: home.done_sites,
        alarms: home.alarms.into_iter().map(|alarm| AlarmCard::new(alarm, now)).collect(),
        has_more_alarms: home.has_more_alarms,
        claim,
        refused: if by.actor().scope == Scope::Platform { app.strangers(by.actor())?.len() } else { 0 },
        unclaimed: home.unclaimed.into_iter().map(|phone| unclaimed(phone, now)).collect(),
    };
    Ok(page(status, &template))
}

/// Where there is a device already, nobody needs to be led.
async fn next_step(app: &App, home: &HomeView, by: &Actor) -> Result<Option<NextStep>, AppError> {
    if !home.states.is_empty() {
        return Ok(None);
    }
    let one = Page { limit: 1, ..Page::FIRST };
    Ok(Some(if app.accounts(one, by).await?.is_empty() {
        NextStep::Account
    } else if app.sites(one, by).await?.is_empty() {
        NextStep::Site
    } else if app.users(one, by).await?.is_empty() {
        NextStep::User
    } else {
        NextStep::Device
    }))
}

/// A state's word, what it is called here, how it looks, and whether it stands there with nothing in it too.
const STATES: [(&str, &str, &str, bool); 7] = [
    ("activated", "activated", "good", true),
    ("contacted", "waiting, phone was here", "wait", true),
    ("assigned", "waiting for a phone", "wait", true),
    ("added", "in stock", "quiet", true),
    ("quarantined", "quarantined", "bad", false),
    ("disabled", "disabled", "quiet", false),
    ("released", "released", "quiet", false),
];

fn numbers(home: &HomeView) -> Vec<Number> {
    let of = |word: &str| home.states.iter().find(|(state, _)| *state == word).map_or(0, |(_, count)| *count);
    let mut numbers = vec![Number {
        count: home.silent,
        words: "missed a poll",
        tone: if home.silent > 0 { "bad" } else { "quiet" },
        link: devices_at(&[("status", "activated"), ("missed-contact-since", &home.silent_before)]),
    }];
    for (state, words, tone, always) in STATES {
        let count = of(state);
        if always || count > 0 {
            let tone = if count > 0 { tone } else { "quiet" };
            numbers.push(Number { count, words, tone, link: devices_at(&[("status", state)]) });
        }
    }
    // What is well comes first, what is not next to it.
    numbers.swap(0, 1);
    numbers
}

fn site_row(site: SiteProgressView) -> SiteRow {
    let SiteProgressView { id, name, activated, wanted } = site;
    SiteRow { id, name, activated, wanted }
}

fn unclaimed(phone: PhoneView, now: UnixMillis) -> UnclaimedRow {
    UnclaimedRow {
        model: phone.model_name.or(phone.model).unwrap_or_else(|| "not in the catalog".to_owned()),
        firmware: phone.firmware.unwrap_or_else(|| "not said".to_owned()),
        certificate: Certificate::new(phone.certificate.status),
        address: phone.address.unwrap_or_default(),
        last_contact: phone.last_seen.map(|at| Moment::read(&at, now)),
        mac: phone.mac,
    }
}
