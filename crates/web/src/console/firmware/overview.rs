//! What runs where, what is under way, what failed, and which versions are paused.

use super::{StepRow, frame, level_mark};
use crate::console::Console;
use crate::console::answer::{Trouble, page};
use crate::console::device::Standing;
use crate::console::gate::SignedIn;
use crate::console::live::{print_of, stream};
use crate::console::parts::{Choice, Frame};
use crate::console::words::{Moment, devices_at};
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{Actor, App, AppError, Page, PolicyView, SpreadView, StepView};
use provost_core::firmware::step::StepState;
use provost_core::mac::MacAddr;
use std::sync::Arc;

/// Steps of one state that the first page shows; all are on the page of steps.
const SHOWN: u32 = 20;
const MOST: usize = 20;
const FAILED_SHOWN: u32 = 10;
const OF_A_PAGE: u32 = 50;
/// The states of a step that is under way.
const UNDER_WAY: [StepState; 3] = [StepState::Loading, StepState::Sent, StepState::Offered];

#[derive(Template)]
#[template(path = "firmware/overview.html", whitespace = "minimize")]
struct OverviewPage {
    frame: Frame,
    tab: &'static str,
    /// Whether only what renews itself is wanted: to count all phones each time would cost a large server much.
    is_renewal: bool,
    spread: Vec<SpreadRow>,
    phones: i64,
    /// How many phones run what has to go.
    below: i64,
    holes: i64,
    /// The models whose phones have a known hole, and the version that closes it.
    closed_by: Vec<(String, String)>,
    under_way: Vec<StepRow>,
    has_more: bool,
    failed: Vec<StepRow>,
    paused: Vec<PausedRow>,
}

struct SpreadRow {
    model: String,
    /// Where the devices of this model are, if there can be any.
    devices: Option<String>,
    firmware: Option<String>,
    phones: i64,
    level: Standing,
    end_of_life: bool,
    /// Where the way from here is looked at.
    ladder: Option<String>,
}

struct PausedRow {
    policy: String,
    reach: String,
    version: String,
    since: Moment,
    failures: u32,
    may_change: bool,
}

#[derive(Template)]
#[template(path = "firmware/steps.html", whitespace = "minimize")]
struct StepsPage {
    frame: Frame,
    tab: &'static str,
    states: Vec<Choice>,
    state: String,
    steps: Vec<StepRow>,
    older: Option<String>,
    is_first_page: bool,
}

#[derive(serde::Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    state: String,
    #[serde(default)]
    after: String,
}

/// `GET /firmware`.
pub(super) async fn show(State(console): State<Arc<Console>>, by: SignedIn) -> Result<Response, Trouble> {
    let (app, now, actor) = (&console.app, console.app.now(), by.actor());
    let spread = if by.is_renewal() { Vec::new() } else { app.firmware_spread(actor).await? };
    let count = |level: &str| spread.iter().filter(|row| row.level == level).map(|row| row.phones).sum();
    let frame = frame("Firmware", &by).live("/live/firmware".to_owned());
    let under_way = under_way(app, actor).await?;
    let failed = of_state(app, StepState::Failed, FAILED_SHOWN, actor).await?;
    let policies = app.firmware_policies(actor).await?;
    let mut paused = Vec::new();
    for policy in &policies {
        paused.extend(paused_of(&console, policy, &by).await?);
    }
    let template = OverviewPage {
        tab: "",
        is_renewal: by.is_renewal(),
        closed_by: closed_by(app, &spread),
        phones: spread.iter().map(|row| row.phones).sum(),
        below: count("below-floor"),
        holes: count("not-secure"),
        spread: spread.into_iter().map(|view| spread_row(app, view)).collect(),
        has_more: UNDER_WAY
            .iter()
            .any(|state| under_way.iter().filter(|view| view.state == state.as_str()).count() >= MOST),
        under_way: under_way.into_iter().map(|view| StepRow::new(app, view, now)).collect(),
        failed: failed.into_iter().map(|view| StepRow::new(app, view, now)).collect(),
        paused,
        frame,
    };
    Ok(page(StatusCode::OK, &template))
}

/// Each model that runs a version with a known hole, once, with the first version that closes it.
fn closed_by(app: &App, spread: &[SpreadView]) -> Vec<(String, String)> {
    let with_hole = spread.iter().filter(|row| row.level == "not-secure");
    let mut found: Vec<_> = with_hole
        .filter_map(|row| {
            let hardware = app.catalog().hardware(row.model.as_deref()?)?;
            Some((hardware.name.clone(), hardware.secure_from.as_ref()?.value.to_string()))
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

async fn of_state(app: &App, state: StepState, limit: u32, by: &Actor) -> Result<Vec<StepView>, AppError> {
    app.firmware_steps(Some(state), Page { after: "", limit }, by).await
}

/// The newest steps of each state that is under way.
async fn under_way(app: &App, by: &Actor) -> Result<Vec<StepView>, AppError> {
    let mut found = Vec::new();
    for state in UNDER_WAY {
        found.extend(of_state(app, state, SHOWN, by).await?);
    }
    Ok(found)
}

fn spread_row(app: &App, view: SpreadView) -> SpreadRow {
    let model = view.model.as_deref();
    let is_model = model.is_some_and(|id| app.catalog().model(id).is_some());
    let has_line = model.and_then(|id| app.catalog().hardware(id)).is_some_and(|hardware| hardware.line.is_some());
    let encoded =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    SpreadRow {
        devices: model.filter(|_| is_model).map(|id| devices_at(&[("model", id)])),
        ladder: model
            .filter(|_| has_line)
            .zip(view.firmware.as_deref())
            .map(|(id, runs)| format!("/firmware/ladder?model={}&version={}", encoded(id), encoded(runs))),
        model: view.model_name.or(view.model).unwrap_or_else(|| "model not known".to_owned()),
        firmware: view.firmware,
        phones: view.phones,
        level: level_mark(view.level),
        end_of_life: view.end_of_life,
    }
}

async fn paused_of(console: &Console, policy: &PolicyView, by: &SignedIn) -> Result<Vec<PausedRow>, AppError> {
    if policy.paused.is_empty() {
        return Ok(Vec::new());
    }
    let (now, reach) = (console.app.now(), super::policies::reach(&console.app, policy, by.actor()).await?);
    let row = |paused: &provost_app::PauseView| PausedRow {
        policy: policy.id.clone(),
        reach: reach.clone(),
        version: paused.version.clone(),
        since: Moment::read(&paused.since, now),
        failures: paused.failures,
        may_change: super::policies::may_change(policy, by.actor()),
    };
    Ok(policy.paused.iter().map(row).collect())
}

/// `GET /firmware/steps`.
pub(super) async fn steps(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let (app, now) = (&console.app, console.app.now());
    let state = asked.state.parse::<StepState>().ok();
    let found = app.firmware_steps(state, Page { after: &asked.after, limit: OF_A_PAGE }, by.actor()).await?;
    let is_full = u32::try_from(found.len()).is_ok_and(|count| count >= OF_A_PAGE);
    let template = StepsPage {
        frame: frame("Firmware steps", &by),
        tab: "steps",
        states: states(state),
        state: state.map_or("", StepState::as_str).to_owned(),
        older: found.last().filter(|_| is_full).map(|last| last.id.clone()),
        steps: found.into_iter().map(|view| StepRow::new(app, view, now)).collect(),
        is_first_page: asked.after.is_empty(),
    };
    Ok(page(StatusCode::OK, &template))
}

fn states(chosen: Option<StepState>) -> Vec<Choice> {
    let every = Choice { value: String::new(), label: "Every state".to_owned(), chosen: chosen.is_none() };
    let choice = |state: StepState| Choice {
        value: state.as_str().to_owned(),
        label: super::state_mark(state.as_str()).word.to_owned(),
        chosen: chosen == Some(state),
    };
    std::iter::once(every).chain(StepState::ALL.map(choice)).collect()
}

/// `GET /live/firmware`.
pub(super) async fn live(State(console): State<Arc<Console>>, by: SignedIn) -> Result<Response, Trouble> {
    stream(&console, by, async |app: Arc<App>, by: Actor| shown(&app, &by).await).await
}

/// What the page shows, as something to compare.
async fn shown(app: &App, by: &Actor) -> Result<String, AppError> {
    let (steps, failed) = (under_way(app, by).await?, of_state(app, StepState::Failed, 1, by).await?);
    let percent = |step: &StepView| {
        let mac = step.mac.parse::<MacAddr>().ok()?;
        Some(app.firmware_progress(mac)?.percent)
    };
    let percents: Vec<Option<u8>> = steps.iter().map(percent).collect();
    // What phones run changes with their steps; to count them all each time would cost a large server much.
    Ok(print_of(&(steps, percents, failed, app.firmware_policies(by).await?)))
}
