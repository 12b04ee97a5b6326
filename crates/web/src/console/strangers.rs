//! Strangers: who asked for a phone's files and could not prove to be that phone, and what lets phones in or keeps them
//! out: exceptions, blocked certificates, the plain-HTTP bootstrap.

mod forms;

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
use axum::routing::{get, post};
use forms::{BlockForm, OpenForm};
use provost_app::{
    Actor, App, AppError, BlockedView, ExceptionView, FailedHandshakeView, HttpBootstrapView, PlainHttp, Stranger,
};
use provost_core::time::UnixMillis;
use std::sync::Arc;

/// The newest of a list that forgets after a day and may be long; the API has all of them.
const SHOWN: usize = 200;

#[derive(Template)]
#[template(path = "strangers.html", whitespace = "minimize")]
struct StrangersPage {
    frame: Frame,
    strangers: Vec<StrangerRow>,
    has_more_strangers: bool,
    handshakes: Vec<HandshakeRow>,
    has_more_handshakes: bool,
    exceptions: Vec<ExceptionRow>,
    openings: Vec<OpeningRow>,
    /// Whether plain HTTP is answered at all.
    has_plain_http: bool,
    open: OpenForm,
    blocked: Vec<BlockedRow>,
    block: BlockForm,
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

struct HandshakeRow {
    address: String,
    mac: Option<String>,
    words: String,
    advice: Option<String>,
    times: u64,
    at: Moment,
}

struct ExceptionRow {
    device: String,
    mac: String,
    reason: String,
    ends: Moment,
    address: Option<String>,
    sent: Option<Moment>,
}

struct OpeningRow {
    id: String,
    range: String,
    reason: String,
    ends: Moment,
    /// What is keyed into a phone, where it is known.
    url: Option<String>,
}

struct BlockedRow {
    sha256: String,
    reason: String,
    at: Moment,
}

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/strangers", get(show))
        .route("/strangers/block", post(forms::block))
        .route("/strangers/unblock", post(forms::unblock))
        .route("/strangers/open", post(forms::open))
        .route("/strangers/close", post(forms::close))
        .route("/strangers/revoke", post(forms::revoke))
        .route("/live/strangers", get(live))
}

/// `GET /strangers`.
async fn show(State(console): State<Arc<Console>>, by: SignedIn) -> Result<Response, Trouble> {
    let forms = (OpenForm::default(), BlockForm::default());
    strangers_page(&console.app, &by, StatusCode::OK, forms).await
}

/// `GET /live/strangers`.
async fn live(State(console): State<Arc<Console>>, by: SignedIn) -> Result<Response, Trouble> {
    super::live::stream(&console, by, async |app: Arc<App>, by: Actor| shown(&app, &by).await).await
}

/// Everything the page shows, as something to compare. Strangers are in memory only, and so seen with the heartbeat.
async fn shown(app: &App, by: &Actor) -> Result<String, AppError> {
    let strangers: Vec<_> = app.strangers(by)?.iter().map(|one| (one.at.0, one.times, one.file.clone())).collect();
    let (handshakes, exceptions) = (app.failed_handshakes(by).await?, app.exceptions(by).await?);
    let (openings, blocked) = (app.http_bootstraps(by).await?, app.blocked_certificates(by).await?);
    Ok(super::live::print_of(&(strangers, handshakes, exceptions, openings, blocked)))
}

/// The page with what was typed and what is wrong with it.
async fn strangers_page(
    app: &App,
    by: &SignedIn,
    status: StatusCode,
    (open, block): (OpenForm, BlockForm),
) -> Result<Response, Trouble> {
    let (now, actor) = (app.now(), by.actor());
    let strangers = app.strangers(actor)?;
    let handshakes = app.failed_handshakes(actor).await?;
    let template = StrangersPage {
        frame: Frame::signed_in("Strangers", by).at("strangers").live("/live/strangers".to_owned()),
        has_more_strangers: strangers.len() > SHOWN,
        strangers: strangers.iter().take(SHOWN).map(|stranger| stranger_row(stranger, now)).collect(),
        has_more_handshakes: handshakes.len() > SHOWN,
        handshakes: handshakes.into_iter().take(SHOWN).map(|view| handshake_row(view, now)).collect(),
        exceptions: app.exceptions(actor).await?.into_iter().map(|view| exception_row(view, now)).collect(),
        openings: app.http_bootstraps(actor).await?.into_iter().map(|view| opening_row(view, now)).collect(),
        has_plain_http: app.told().plain_http != PlainHttp::Off,
        open,
        blocked: app.blocked_certificates(actor).await?.into_iter().map(|view| blocked_row(view, now)).collect(),
        block,
    };
    Ok(page(status, &template))
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

fn handshake_row(view: FailedHandshakeView, now: UnixMillis) -> HandshakeRow {
    let FailedHandshakeView { address, mac, words, advice, times, at } = view;
    let (mac, at) = (mac.map(|mac| mac.to_string()), Moment::read(&at, now));
    HandshakeRow { address, mac, words, advice, times, at }
}

fn exception_row(view: ExceptionView, now: UnixMillis) -> ExceptionRow {
    ExceptionRow {
        device: view.device,
        mac: view.mac.to_string(),
        reason: view.reason,
        ends: Moment::read(&view.ends_at, now),
        address: view.address,
        sent: view.sent_at.map(|at| Moment::read(&at, now)),
    }
}

fn opening_row(view: HttpBootstrapView, now: UnixMillis) -> OpeningRow {
    let HttpBootstrapView { id, range, reason, ends_at, url, .. } = view;
    OpeningRow { id, range, reason, ends: Moment::read(&ends_at, now), url }
}

fn blocked_row(view: BlockedView, now: UnixMillis) -> BlockedRow {
    let BlockedView { sha256, reason, at } = view;
    BlockedRow { sha256, reason, at: Moment::read(&at, now) }
}
