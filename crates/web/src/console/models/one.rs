//! One model: everything that is known of it, who says so, and what nobody knows.

use super::facts::{Known, digests, doors, field_words, gaps_of, known, password, said, sources, tls, words_of};
use crate::console::Console;
use crate::console::answer::{Trouble, page};
use crate::console::gate::{Named, SignedIn};
use crate::console::parts::Frame;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use provost_catalog::{Catalog, Evidence, Fact, FirmwareStep, Hardware, ImageKind, Model, VersionRange};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "model.html", whitespace = "minimize")]
struct ModelPage {
    frame: Frame,
    id: String,
    name: String,
    devices: i64,
    groups: Vec<Group>,
    /// What is not known, each with the reason.
    gaps: Vec<(String, String)>,
}

/// Facts that belong together, each with its title.
struct Group {
    title: &'static str,
    facts: Vec<(String, Known)>,
}

/// `GET /models/{id}`.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    Named(id): Named<String>,
) -> Result<Response, Trouble> {
    let catalog = console.app.catalog();
    let model = catalog.model(&id).ok_or(Trouble::NotHere)?;
    let devices = console.app.devices_by_model(by.actor()).await?;
    let gap = |gap: &provost_catalog::Gap| (field_words(&gap.field).to_owned(), gap.why.clone());
    let template = ModelPage {
        frame: Frame::signed_in(&model.name.value, &by).at("models"),
        id: model.id.clone(),
        name: model.name.value.clone(),
        devices: devices.get(&model.id).copied().unwrap_or_default(),
        groups: vec![
            firmware(model, catalog.hardware(&model.id)),
            steps(catalog, model),
            hardware(model),
            doing(catalog, model),
        ]
        .into_iter()
        .filter(|group| !group.facts.is_empty())
        .collect(),
        gaps: gaps_of(catalog, model).map(gap).collect(),
    };
    Ok(page(StatusCode::OK, &template))
}

/// Those that are known, with their titles.
fn group(title: &'static str, facts: Vec<(&'static str, Option<Known>)>) -> Group {
    Group { title, facts: facts.into_iter().filter_map(|(title, fact)| Some((title.to_owned(), fact?))).collect() }
}

fn firmware(model: &Model, hardware: Option<&Hardware>) -> Group {
    let facts = vec![
        ("Lowest that is served", hardware.and_then(|it| it.floor.as_ref()).map(known)),
        ("Secure from", hardware.and_then(|it| it.secure_from.as_ref()).map(known)),
        ("Newest known", hardware.and_then(|it| it.last.as_ref()).map(known)),
        ("End of life", model.end_of_life.as_ref().map(known)),
    ];
    group("Firmware", facts)
}

/// The steps of its line: what is not among them is refused.
fn steps(catalog: &Catalog, model: &Model) -> Group {
    let line = catalog.hardware(&model.id).and_then(|hardware| catalog.firmware_line(hardware.line.as_deref()?));
    let step = |step: &FirmwareStep| {
        let updater = step.updater.as_ref().map(|range| format!(" with updater {}", range_words(range)));
        let what = if step.image == ImageKind::Updater { "updater " } else { "" };
        let known = Known {
            value: format!("{what}{}", range_words(&step.to)),
            evidence: words_of(step.evidence),
            is_doubtful: step.evidence == Evidence::Inferred,
            note: step.note.clone(),
            sources: sources(&step.source),
        };
        (format!("From {}{}", range_words(&step.from), updater.unwrap_or_default()), known)
    };
    let facts = line.map_or_else(Vec::new, |line| line.steps.iter().map(step).collect());
    Group { title: "Steps its firmware may take", facts }
}

fn range_words(range: &VersionRange) -> String {
    match (&range.from, &range.below) {
        (Some(from), Some(below)) => format!("{from} or later, below {below}"),
        (Some(from), None) => format!("{from} or later"),
        (None, Some(below)) => format!("below {below}"),
        (None, None) => "any".to_owned(),
    }
}

fn hardware(model: &Model) -> Group {
    let listed = |facts: &[Fact<String>]| {
        let first = facts.first()?;
        Some(said(first, facts.iter().map(|fact| fact.value.as_str()).collect::<Vec<_>>().join(", ")))
    };
    let facts = vec![
        ("Part numbers", listed(&model.part_numbers)),
        ("Line keys", model.line_keys.as_ref().map(known)),
        ("Lines it can register", model.registrations.as_ref().map(known)),
        ("Keys to reset it", model.reset_keys.as_ref().map(|fact| said(fact, fact.value.join(" ")))),
        ("Its User-Agent says", listed(&model.user_agent_tokens)),
    ];
    group("The phone", facts)
}

fn doing(catalog: &Catalog, model: &Model) -> Group {
    let family = catalog.family(&model.family);
    let facts = vec![
        ("Family", family.map(|family| known(&family.name))),
        ("Activated by", family.map(|family| said(&family.activation_doors, doors(&family.activation_doors.value)))),
        ("Offers", Some(said(&model.tls_offer, tls(model.tls_offer.value).to_owned()))),
        ("Signs in by SIP with", family.map(|family| said(&family.sip_digests, digests(&family.sip_digests.value)))),
        ("Password it is given", Some(said(&model.admin_password, password(&model.admin_password.value)))),
        ("Starts like", Some(known(&model.boot_sequence))),
    ];
    group("What it does", facts)
}
