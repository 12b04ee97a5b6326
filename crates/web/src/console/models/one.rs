//! One model: everything that is known of it, who says so, and what nobody knows.

use super::facts::{Known, digests, doors, field_words, known, password, said, tls};
use crate::console::Console;
use crate::console::answer::{Trouble, page};
use crate::console::gate::{Named, SignedIn};
use crate::console::parts::Frame;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use provost_catalog::{Catalog, Fact, Model};
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
    facts: Vec<(&'static str, Known)>,
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
        groups: vec![firmware(model), hardware(model), doing(catalog, model)],
        gaps: model.gaps.iter().map(gap).collect(),
    };
    Ok(page(StatusCode::OK, &template))
}

/// Those that are known, with their titles.
fn group(title: &'static str, facts: Vec<(&'static str, Option<Known>)>) -> Group {
    Group { title, facts: facts.into_iter().filter_map(|(title, fact)| Some((title, fact?))).collect() }
}

fn firmware(model: &Model) -> Group {
    let firmware = &model.firmware;
    let facts = vec![
        ("Lowest that is served", firmware.floor.as_ref().map(known)),
        ("Secure from", firmware.secure_from.as_ref().map(known)),
        ("To run", firmware.target.as_ref().map(known)),
        ("End of life", model.end_of_life.as_ref().map(known)),
    ];
    group("Firmware", facts)
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
