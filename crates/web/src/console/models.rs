//! The models page: what is supported, with which firmware, and what nobody knows.

use super::Console;
use super::answer::{Trouble, page};
use super::gate::SignedIn;
use super::parts::Frame;
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use provost_catalog::{Catalog, Fact, Gap, Model, Version};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "models.html", whitespace = "minimize")]
struct ModelsPage {
    frame: Frame,
    search: String,
    models: Vec<Row>,
    /// How many there are in all.
    all: usize,
}

struct Row {
    id: String,
    name: String,
    family: String,
    parts: Vec<String>,
    line_keys: Option<u32>,
    /// Each with the title of its column.
    firmware: [(&'static str, Option<Known>); 3],
    gaps: Vec<Gap>,
}

/// A version and why it is that.
struct Known {
    version: String,
    note: Option<String>,
    evidence: &'static str,
}

#[derive(serde::Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
}

/// `GET /models`.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    let search = asked.map(|Query(asked)| asked.q).unwrap_or_default();
    let catalog = console.app.catalog();
    let models: Vec<_> =
        catalog.models().filter(|model| is_meant(model, &search)).map(|model| row(catalog, model)).collect();
    let all = catalog.models().count();
    let frame = Frame::signed_in("Models", &by).at("models");
    Ok(page(StatusCode::OK, &ModelsPage { frame, search, models, all }))
}

/// Whether every word typed stands in the model's name, id or part numbers.
pub(super) fn is_meant(model: &Model, search: &str) -> bool {
    let parts = model.part_numbers.iter().map(|part| part.value.as_str());
    let known: Vec<_> = parts.chain([model.id.as_str(), model.name.value.as_str()]).map(str::to_lowercase).collect();
    search.to_lowercase().split_whitespace().all(|word| known.iter().any(|text| text.contains(word)))
}

fn row(catalog: &Catalog, model: &Model) -> Row {
    let known = |fact: &Option<Fact<Version>>| {
        let fact = fact.as_ref()?;
        let (version, note) = (fact.value.to_string(), fact.note.clone());
        Some(Known { version, note, evidence: fact.evidence.as_str() })
    };
    Row {
        id: model.id.clone(),
        name: model.name.value.clone(),
        family: catalog.family(&model.family).map_or(model.family.clone(), |family| family.name.value.clone()),
        parts: model.part_numbers.iter().map(|part| part.value.clone()).collect(),
        line_keys: model.line_keys.as_ref().map(|fact| fact.value),
        firmware: [
            ("Lowest firmware", known(&model.firmware.floor)),
            ("Secure from", known(&model.firmware.secure_from)),
            ("To run", known(&model.firmware.target)),
        ],
        gaps: model.gaps.clone(),
    }
}
