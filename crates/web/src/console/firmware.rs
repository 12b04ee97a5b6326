//! Firmware: which versions phones run, what is under way, the images at hand, policies, doors, and the way from one
//! version to another.
//!
//! Decides how each is said. Which image a phone may take, and when, is the core crate's; whoever may change it, the app's.

mod block;
mod doors;
mod images;
mod ladder;
mod overview;
mod policies;
mod policy_form;
mod rings;
mod upload;

pub(super) use block::{Block, block_of};

use super::Console;
use super::device::Standing;
use super::gate::SignedIn;
use super::parts::{Choice, Frame};
use super::words::Moment;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use provost_app::{Actor, App, AppError, Page, StepView};
use provost_core::firmware::Version;
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/firmware", get(overview::show))
        .route("/firmware/steps", get(overview::steps))
        .route("/live/firmware", get(overview::live))
        .route("/firmware/images/{id}/remove", post(images::remove))
        .route("/firmware/policies", get(policies::show).post(policy_form::set))
        .route("/firmware/policies/{id}/remove", post(policies::remove))
        .route("/firmware/policies/{id}/pause", post(policies::pause))
        .route("/firmware/policies/{id}/resume", post(policies::resume))
        .route("/firmware/rings", get(rings::show))
        .route("/firmware/doors", get(doors::show).post(doors::open))
        .route("/firmware/doors/{id}/close", post(doors::close))
        .route("/firmware/ladder", get(ladder::show))
        .route("/devices/{id}/firmware/now", post(block::now))
        .route("/devices/{id}/firmware/ring", post(block::set_ring))
}

/// The page with the form for an image, which is larger than all else and comes in piece by piece.
pub(super) fn upload_routes() -> Router<Arc<Console>> {
    Router::new()
        .route("/firmware/images", get(images::show).post(upload::upload))
        // The app crate stops at its own limit, which is that of the file alone.
        .layer(DefaultBodyLimit::max(upload::MOST_FORM_BYTES))
}

/// The frame of one of these pages.
fn frame(title: &str, by: &SignedIn) -> Frame {
    Frame::signed_in(title, by).at("firmware")
}

/// An attempt as a row shows it.
pub(super) struct StepRow {
    pub(super) mac: String,
    pub(super) device: Option<String>,
    pub(super) model: String,
    pub(super) from: String,
    pub(super) to: String,
    /// Where the steps lead in the end, if this one does not lead there.
    pub(super) target: Option<String>,
    pub(super) mark: Standing,
    pub(super) why: String,
    pub(super) percent: u8,
    /// Whether a download shows how far it is.
    pub(super) is_loading: bool,
    /// When it ended, or was offered.
    pub(super) at: Moment,
    pub(super) ended_as: Option<String>,
}

impl StepRow {
    fn new(app: &App, view: StepView, now: UnixMillis) -> Self {
        let live = view.mac.parse::<MacAddr>().ok().and_then(|mac| app.firmware_progress(mac));
        let stored = view.sent.saturating_mul(100).checked_div(view.bytes).unwrap_or(0).min(100);
        let is_loading = view.state == "loading";
        Self {
            percent: match live {
                Some(live) if is_loading => live.percent,
                Some(_) | None => u8::try_from(stored).unwrap_or(100),
            },
            is_loading,
            mark: state_mark(view.state),
            model: model_name(app, &view.model),
            target: (view.target != view.to).then_some(view.target),
            at: Moment::read(view.ended_at.as_ref().unwrap_or(&view.offered_at), now),
            mac: view.mac,
            device: view.device,
            from: view.from,
            to: view.to,
            why: view.why,
            ended_as: view.ended_as,
        }
    }
}

/// How far a step is, in a word or three.
fn state_mark(state: &str) -> Standing {
    let (tone, word, meaning) = match state {
        "offered" => ("wait", "Offered", "Its master file names the image; it has not asked for it yet."),
        "loading" => ("wait", "Downloading", "It reads the image."),
        "sent" => ("wait", "Sent", "It has the whole image, writes it and restarts."),
        "done" => ("good", "Done", "It came back with the version."),
        "failed" => ("bad", "Failed", "It did not come back with the version."),
        "withdrawn" => ("quiet", "Withdrawn", "It is not offered any more."),
        _ => ("quiet", "Not known", ""),
    };
    Standing { tone, word, meaning }
}

/// How a version stands, in a word or three.
fn level_mark(level: &str) -> Standing {
    let (tone, word) = match level {
        "below-floor" => ("bad", "Below the floor"),
        "not-secure" => ("wait", "Known hole"),
        "below-target" => ("quiet", "Newer known"),
        "good" => ("good", "Good"),
        _ => ("quiet", "Not known"),
    };
    Standing { tone, word, meaning: "" }
}

/// The versions of the applications at hand that this model, or any, may take, newest first.
fn stored_versions(app: &App, model: Option<&str>, by: &Actor) -> Result<Vec<String>, AppError> {
    let model = model.filter(|model| app.catalog().hardware(model).is_some());
    let all = app.firmware_images(model, Page { after: "", limit: u32::MAX }, by)?;
    let mut versions: Vec<Version> =
        all.iter().filter(|view| view.kind == "application").filter_map(|view| view.version.parse().ok()).collect();
    versions.sort_by(|a, b| b.cmp(a));
    versions.dedup();
    Ok(versions.iter().map(ToString::to_string).collect())
}

/// The name people know a model by; its id where the catalog has none.
fn model_name(app: &App, id: &str) -> String {
    app.catalog().hardware(id).map_or_else(|| id.to_owned(), |hardware| hardware.name.clone())
}

/// The hardware that firmware is kept for, the chosen one marked.
fn hardware_choices(app: &App, (chosen, first): (&str, Option<&str>)) -> Vec<Choice> {
    let mut choices: Vec<Choice> = app
        .catalog()
        .all_hardware()
        .filter(|hardware| hardware.line.is_some())
        .map(|hardware| Choice {
            value: hardware.id.clone(),
            label: hardware.name.clone(),
            chosen: hardware.id == chosen,
        })
        .collect();
    choices.sort_by(|a, b| a.label.cmp(&b.label));
    if let Some(label) = first {
        choices.insert(0, Choice { value: String::new(), label: label.to_owned(), chosen: chosen.is_empty() });
    }
    choices
}
