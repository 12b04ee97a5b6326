//! May this phone go there? Every step of the way with how well each is known, or why there is none.

use super::{frame, hardware_choices, model_name};
use crate::console::Console;
use crate::console::answer::{Trouble, page};
use crate::console::gate::SignedIn;
use crate::console::models::{evidence_words, source_names};
use crate::console::parts::{Choice, Frame};
use crate::console::typed::Typed;
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{App, LadderStepView, LadderView};
use provost_catalog::{Evidence, Version};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "firmware/ladder.html", whitespace = "minimize")]
struct LadderPage {
    frame: Frame,
    tab: &'static str,
    form: Typed,
    models: Vec<Choice>,
    way: Option<Way>,
    /// What the catalog knows of the model: title, version, how well it is known.
    known: Vec<(&'static str, String, &'static str)>,
    model: String,
}

/// The answer.
struct Way {
    summary: String,
    is_refused: bool,
    steps: Vec<WayStep>,
}

struct WayStep {
    version: String,
    what: &'static str,
    evidence: &'static str,
    is_doubtful: bool,
    sources: Vec<String>,
    note: Option<String>,
}

#[derive(serde::Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    model: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    updater: String,
    #[serde(default)]
    target: String,
}

/// `GET /firmware/ladder`.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    by.actor().has(provost_core::rights::Right::Read)?;
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let app = &console.app;
    let mut form = Typed::default();
    for (name, text) in [("model", &asked.model), ("version", &asked.version)] {
        form = form.with(name, text.trim());
    }
    for (name, text) in [("updater", &asked.updater), ("target", &asked.target)] {
        form = form.with(name, text.trim());
    }
    // A link fills in what a phone runs; where it shall go is asked for then.
    let way = if form.text("target").is_empty() { None } else { way(app, &mut form, &by)? };
    let status = if form.has_errors() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let template = LadderPage {
        frame: frame("May it go there?", &by),
        tab: "ladder",
        models: hardware_choices(app, (form.text("model"), Some("Choose a model"))),
        known: known(app, form.text("model")),
        model: model_name(app, form.text("model")),
        way,
        form,
    };
    Ok(page(status, &template))
}

fn way(app: &App, form: &mut Typed, by: &SignedIn) -> Result<Option<Way>, Trouble> {
    let model = form.text("model").to_owned();
    if app.catalog().hardware(&model).is_none() {
        form.fault("model", "is none whose firmware the catalog knows; choose one of the list");
    }
    let (version, target) = (version(form, "version"), version(form, "target"));
    let updater = if form.text("updater").is_empty() { None } else { self::version(form, "updater") };
    let (Some(version), Some(target), false) = (version, target, form.has_errors()) else { return Ok(None) };
    let view = app.firmware_ladder(&model, (&version, updater.as_ref()), &target, by.actor())?;
    Ok(Some(Way::new(view)))
}

fn version(form: &mut Typed, name: &str) -> Option<Version> {
    let version = form.text(name).parse().ok();
    if version.is_none() {
        form.fault(name, "is no version; write numbers with points, such as 6.4.8.1000");
    }
    version
}

impl Way {
    fn new(LadderView { summary, items, refused }: LadderView) -> Self {
        Self { summary, is_refused: refused.is_some(), steps: items.into_iter().map(WayStep::new).collect() }
    }
}

impl WayStep {
    fn new(view: LadderStepView) -> Self {
        let inferred = Evidence::Inferred.as_str();
        Self {
            what: if view.kind == "updater" { "the updater alone" } else { "the application" },
            evidence: evidence_words(view.evidence),
            is_doubtful: view.evidence == inferred,
            sources: source_names(&view.source),
            version: view.version,
            note: view.note,
        }
    }
}

/// The floors of a model, each with how well it is known.
fn known(app: &App, model: &str) -> Vec<(&'static str, String, &'static str)> {
    let Some(hardware) = app.catalog().hardware(model) else { return Vec::new() };
    let facts = [
        ("Lowest it is served with", &hardware.floor),
        ("Without a known hole from", &hardware.secure_from),
        ("Newest known", &hardware.last),
    ];
    let floors = hardware.hardware_floors.iter().map(|floor| {
        let title = if floor.revisions.is_empty() {
            "The hardware runs nothing below"
        } else {
            "Newer hardware runs nothing below"
        };
        (title, floor.version.to_string(), evidence_words(floor.evidence.as_str()))
    });
    let row = |(title, fact): (&'static str, &Option<provost_catalog::Fact<Version>>)| {
        let fact = fact.as_ref()?;
        Some((title, fact.value.to_string(), evidence_words(fact.evidence.as_str())))
    };
    facts.into_iter().filter_map(row).chain(floors).collect()
}
