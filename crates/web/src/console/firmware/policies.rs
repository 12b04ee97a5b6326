//! The policies in words, what is paused under each, and the form that makes, changes and removes them.

use super::policy_form::{Places, blank, filled, places};
use super::{frame, hardware_choices, model_name, stored_versions};
use crate::console::Console;
use crate::console::answer::{Trouble, page, to};
use crate::console::gate::{Named, Posted, SignedIn};
use crate::console::parts::{Choice, Frame};
use crate::console::sessions::Notice;
use crate::console::typed::{Typed, told};
use crate::console::words::Moment;
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{Actor, App, AppError, PolicyView};
use provost_core::entry::firmware::PauseInput;
use provost_core::rights::{Right, Scope};
use provost_core::time::UnixMillis;
use std::sync::Arc;

const PAGE: &str = "/firmware/policies";

#[derive(Template)]
#[template(path = "firmware/policies.html", whitespace = "minimize")]
struct PoliciesPage {
    frame: Frame,
    tab: &'static str,
    policies: Vec<PolicyRow>,
    form: Typed,
    /// Whether the form changes a policy that is there.
    is_change: bool,
    /// Whom the policy that is changed reaches.
    reach: String,
    places: Places,
    models: Vec<Choice>,
    goals: Vec<Choice>,
}

struct PolicyRow {
    id: String,
    reach: String,
    words: String,
    reason: String,
    changed: Moment,
    paused: Vec<(String, Moment, u32)>,
    may_change: bool,
    /// What can be paused: the versions of the images at hand.
    versions: Vec<String>,
    /// What of it leads nowhere yet.
    remarks: Vec<String>,
}

#[derive(serde::Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    change: String,
    /// The place that a new policy is to be for: `site:` or `account:` and an id.
    #[serde(default)]
    place: String,
}

/// Whether somebody may change a policy: those for the whole server are for who may change the server.
pub(super) fn may_change(view: &PolicyView, by: &Actor) -> bool {
    let is_of_server = view.account.is_none();
    if is_of_server { by.may_platform(Right::Platform).is_ok() } else { by.role.may(Right::Change) }
}

/// Whom a policy reaches, by the names people know.
pub(super) async fn reach(app: &App, view: &PolicyView, by: &Actor) -> Result<String, AppError> {
    let mut words = match (&view.site, &view.account) {
        (Some(id), _) => match id.parse() {
            Ok(site) => match app.site(&site, by).await {
                Ok(site) => format!("Site {}", site.name),
                Err(AppError::NotFound { .. }) => format!("Site {id}"),
                Err(error) => return Err(error),
            },
            Err(_) => format!("Site {id}"),
        },
        (None, Some(id)) => match id.parse() {
            Ok(account) => match app.account(&account, by).await {
                Ok(account) => format!("All of {}", account.name),
                Err(AppError::NotFound { .. }) => format!("All of {id}"),
                Err(error) => return Err(error),
            },
            Err(_) => format!("All of {id}"),
        },
        (None, None) => "Every phone of this server".to_owned(),
    };
    if let Some(model) = &view.model {
        words.push_str(&format!(", {} only", model_name(app, model)));
    }
    if let Some(ring) = &view.ring {
        words.push_str(&format!(", ring {ring} only"));
    }
    Ok(words)
}

/// What a policy says, in words.
fn words(view: &PolicyView) -> String {
    let goal = match view.target.as_str() {
        "newest" => "The newest stored version that may be given".to_owned(),
        "keep" => return "Each phone keeps what it runs: nothing is offered.".to_owned(),
        version => format!("Version {version}, up or down"),
    };
    let window = if view.window == "always" {
        "at any time".to_owned()
    } else {
        format!("{} in the time of its site", view.window)
    };
    let slots = if view.slots == 1 { "one phone".to_owned() } else { format!("{} phones", view.slots) };
    let mut words = format!("{goal}, {window}, {slots} of a site at a time");
    if let Some(ring) = &view.after_ring {
        let hours = view.hours.unwrap_or_default();
        let most = view.most_failures.unwrap_or_default();
        let failures = if most == 1 { "the first failure".to_owned() } else { format!("{most} failures") };
        words.push_str(&format!(
            "; after a phone of ring {ring} has run it for {hours} h, and paused after {failures} there"
        ));
    }
    words.push('.');
    words
}

async fn row(app: &App, view: PolicyView, (by, now): (&Actor, UnixMillis)) -> Result<PolicyRow, AppError> {
    let paused = view.paused.iter().map(|one| (one.version.clone(), Moment::read(&one.since, now), one.failures));
    Ok(PolicyRow {
        reach: reach(app, &view, by).await?,
        words: words(&view),
        paused: paused.collect(),
        may_change: may_change(&view, by),
        versions: stored_versions(app, view.model.as_deref(), by)?,
        changed: Moment::read(&view.changed_at, now),
        remarks: view.remarks,
        reason: view.reason,
        id: view.id,
    })
}

/// `GET /firmware/policies`.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let policies = console.app.firmware_policies(by.actor()).await?;
    let chosen = policies.iter().find(|view| view.id == asked.change).filter(|view| may_change(view, by.actor()));
    let form = chosen.map_or_else(|| blank(&asked.place), filled);
    policies_page(&console, &by, StatusCode::OK, form).await
}

/// The page with what was typed and what is wrong with it.
pub(super) async fn policies_page(
    console: &Console,
    by: &SignedIn,
    status: StatusCode,
    form: Typed,
) -> Result<Response, Trouble> {
    let (app, now, actor) = (&console.app, console.app.now(), by.actor());
    let mut rows = Vec::new();
    let mut changed = None;
    for view in app.firmware_policies(actor).await? {
        if view.id == form.text("change") {
            changed = Some(reach(app, &view, actor).await?);
        }
        rows.push(row(app, view, (actor, now)).await?);
    }
    let template = PoliciesPage {
        frame: frame("Firmware policies", by),
        tab: "policies",
        policies: rows,
        is_change: changed.is_some(),
        reach: changed.unwrap_or_default(),
        places: places(app, form.text("place"), actor).await?,
        models: hardware_choices(app, (form.text("model"), Some("Every model"))),
        goals: goals(form.text("goal")),
        form: form.shown_as(|name| FIELDS.contains(&name)),
    };
    Ok(page(status, &template))
}

/// The fields of the form.
const FIELDS: [&str; 11] =
    ["place", "model", "ring", "goal", "target", "window", "slots", "after-ring", "hours", "most-failures", "reason"];

fn goals(chosen: &str) -> Vec<Choice> {
    let choice = |(value, label): (&str, &str)| Choice {
        value: value.to_owned(),
        label: label.to_owned(),
        chosen: value == chosen,
    };
    [
        ("newest", "The newest stored version that may be given"),
        ("version", "One version, up or down"),
        ("keep", "What each phone runs: offer nothing"),
    ]
    .map(choice)
    .into()
}

/// `POST /firmware/policies/{id}/remove`.
pub(super) async fn remove(
    State(console): State<Arc<Console>>,
    Named(id): Named<String>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let done = console.app.remove_firmware_policy(&id, posted.text("reason"), posted.by.actor()).await;
    let words = "The policy is removed. The next nearest counts for its phones now, or the default: the newest stored version, at night.";
    told(&posted, done.map(|_| words.to_owned()), PAGE)
}

/// `POST /firmware/policies/{id}/pause`.
pub(super) async fn pause(
    State(console): State<Arc<Console>>,
    Named(id): Named<String>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let version = posted.text("version").to_owned();
    let (app, by) = (&console.app, posted.by.actor());
    let is_stored = stored_versions(app, None, by)?.contains(&version);
    let may = app.firmware_policies(by).await?.iter().any(|view| view.id == id && may_change(view, by));
    // Whoever may not change this policy is told so instead, by the app crate.
    if !is_stored && may {
        let shown: String = version.chars().take(40).collect();
        let words =
            format!("No image with the version \"{shown}\" is stored, so nothing was paused. Choose one of the list.");
        posted.by.leave_notice(Notice::bad(words, None));
        return Ok(to(back(&posted)));
    }
    let words = format!(
        "Version {version} is paused: no phone that this policy reaches is offered it, unless somebody presses \"Update now\" for it."
    );
    let done = console.app.pause_firmware(&id, pause_input(&posted), posted.by.actor()).await;
    told(&posted, done.map(|_| words), back(&posted))
}

/// `POST /firmware/policies/{id}/resume`.
pub(super) async fn resume(
    State(console): State<Arc<Console>>,
    Named(id): Named<String>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let version = posted.text("version").to_owned();
    let words = format!("Version {version} goes on: failures of before count no more.");
    let done = console.app.resume_firmware(&id, pause_input(&posted), posted.by.actor()).await;
    told(&posted, done.map(|_| words), back(&posted))
}

fn pause_input(posted: &Posted) -> PauseInput {
    PauseInput { version: posted.text("version").to_owned(), reason: posted.text("reason").to_owned() }
}

/// The page the form stood on.
fn back(posted: &Posted) -> &'static str {
    if posted.text("back") == "overview" { "/firmware" } else { PAGE }
}

/// Whether somebody sees more than one site.
pub(super) const fn sees_accounts(by: &Actor) -> bool {
    !matches!(by.scope, Scope::Site { .. })
}
