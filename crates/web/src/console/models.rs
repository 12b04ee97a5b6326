//! The models: what is supported, with which firmware, and what is not and why.

mod facts;
mod one;

use super::Console;
use super::answer::{Trouble, page};
use super::gate::SignedIn;
use super::parts::Frame;
use askama::Template;
use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use facts::{Known, doors, known};
pub(super) use facts::{evidence_words, sources as source_names};
use provost_catalog::{Catalog, Hardware, Model, Unsupported};
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "models.html", whitespace = "minimize")]
struct ModelsPage {
    frame: Frame,
    search: String,
    models: Vec<Row>,
    /// How many there are in all.
    all: usize,
    unsupported: Vec<Unserved>,
    /// What only firmware is known of.
    firmware_only: Vec<FirmwareOnly>,
}

/// Hardware that no configuration can be made for, but whose images are told apart.
struct FirmwareOnly {
    id: String,
    name: String,
    /// Its line of firmware, or why it gets none.
    line: Result<String, String>,
    last: Option<Known>,
}

struct Row {
    id: String,
    name: String,
    family: String,
    parts: Vec<String>,
    /// Each with the title of its column.
    facts: [(&'static str, Option<Known>); 4],
    doors: String,
    devices: i64,
}

/// Phones that are not served.
struct Unserved {
    name: String,
    models: String,
    why: String,
    instead: Option<String>,
    evidence: &'static str,
    sources: Vec<String>,
}

#[derive(serde::Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
}

/// The list and the page of one.
pub(super) fn routes() -> Router<Arc<Console>> {
    Router::new().route("/models", get(show)).route("/models/{id}", get(one::show))
}

/// `GET /models`.
async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    let search = asked.map(|Query(asked)| asked.q).unwrap_or_default();
    let catalog = console.app.catalog();
    let devices = console.app.devices_by_model(by.actor()).await?;
    let meant = catalog.models().filter(|model| is_model_meant(model, &search));
    let unserved = catalog.unsupported().iter().filter(|entry| is_meant(&names(entry), &search));
    let template = ModelsPage {
        frame: Frame::signed_in("Models", &by).at("models"),
        models: meant.map(|model| row(catalog, model, &devices)).collect(),
        all: catalog.models().count(),
        unsupported: unserved.map(described).collect(),
        firmware_only: firmware_only(catalog, &search),
        search,
    };
    Ok(page(StatusCode::OK, &template))
}

/// What a model is found by: its name, id or part numbers.
fn words(model: &Model) -> Vec<String> {
    let parts = model.part_numbers.iter().map(|part| part.value.as_str());
    parts.chain([model.id.as_str(), model.name.value.as_str()]).map(str::to_lowercase).collect()
}

/// Whether every word typed stands in the model's name, id or part numbers.
pub(super) fn is_model_meant(model: &Model, search: &str) -> bool {
    is_meant(&words(model), search)
}

/// Whether every word typed stands in one of the texts.
fn is_meant(texts: &[String], search: &str) -> bool {
    search.to_lowercase().split_whitespace().all(|word| texts.iter().any(|text| text.contains(word)))
}

/// What phones that are not served are found by.
fn names(entry: &Unsupported) -> Vec<String> {
    entry.models.iter().chain([&entry.name]).map(|text| text.to_lowercase()).collect()
}

fn row(catalog: &Catalog, model: &Model, devices: &BTreeMap<String, i64>) -> Row {
    let family = catalog.family(&model.family);
    let hardware = catalog.hardware(&model.id);
    Row {
        id: model.id.clone(),
        name: model.name.value.clone(),
        family: family.map_or(model.family.clone(), |family| family.name.value.clone()),
        parts: model.part_numbers.iter().map(|part| part.value.clone()).collect(),
        facts: [
            ("Lowest firmware", hardware.and_then(|it| it.floor.as_ref()).map(known)),
            ("Secure from", hardware.and_then(|it| it.secure_from.as_ref()).map(known)),
            ("Newest known", hardware.and_then(|it| it.last.as_ref()).map(known)),
            ("End of life", model.end_of_life.as_ref().map(known)),
        ],
        doors: family.map_or(String::new(), |family| doors(&family.activation_doors.value)),
        devices: devices.get(&model.id).copied().unwrap_or_default(),
    }
}

fn firmware_only(catalog: &Catalog, search: &str) -> Vec<FirmwareOnly> {
    let names = |hardware: &Hardware| {
        let parts = hardware.part_numbers.iter().map(|part| part.value.as_str());
        parts.chain([hardware.id.as_str(), hardware.name.as_str()]).map(str::to_lowercase).collect::<Vec<_>>()
    };
    let meant = catalog
        .all_hardware()
        .filter(|hardware| catalog.model(&hardware.id).is_none() && is_meant(&names(hardware), search));
    let row = |hardware: &Hardware| FirmwareOnly {
        id: hardware.id.clone(),
        name: hardware.name.clone(),
        line: match (&hardware.refused, hardware.line.as_deref().and_then(|line| catalog.firmware_line(line))) {
            (Some(why), _) => Err(why.clone()),
            (None, Some(line)) => Ok(line.name.clone()),
            (None, None) => Err("Nothing newer leads further.".to_owned()),
        },
        last: hardware.last.as_ref().map(known),
    };
    meant.map(row).collect()
}

fn described(entry: &Unsupported) -> Unserved {
    let Unsupported { name, models, why, instead, source, evidence, .. } = entry.clone();
    Unserved {
        name,
        models: models.join(", "),
        why,
        instead,
        evidence: facts::words_of(evidence),
        sources: facts::sources(&source),
    }
}
