//! *Point a phone here*: what to key in, click or give by DHCP so that a phone asks this server.

use super::Console;
use super::answer::{Trouble, page};
use super::gate::SignedIn;
use super::guides::{FilledGuide, Part, Places, is_for};
use super::parts::{Choice, Frame};
use super::qr::QrCode;
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{App, Pointing};
use provost_catalog::{Guide, GuidePlace, Model};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "point.html", whitespace = "minimize")]
struct PointPage {
    frame: Frame,
    models: Vec<Choice>,
    model: Option<String>,
    pointing: Pointing,
    /// The first of them while it starts: which key opens its setup.
    setup: Option<Vec<Part>>,
    groups: Vec<Group>,
    pictures: Vec<Picture>,
}

/// A text to be scanned instead of typed.
struct Picture {
    title: &'static str,
    text: String,
    qr: QrCode,
}

/// The procedures of one place.
struct Group {
    title: &'static str,
    guides: Vec<FilledGuide>,
}

#[derive(serde::Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    model: String,
}

/// `GET /point`.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let catalog = console.app.catalog();
    let model = catalog.model(&asked.model);
    let places = Places::new(&console.app, model);
    let group = |place, title| Group {
        title,
        guides: catalog
            .guides()
            .iter()
            .filter(|guide| guide.place == place && is_for(guide, model))
            .filter_map(|guide| places.filled(guide))
            .collect(),
    };
    let groups = [
        group(GuidePlace::Phone, "At the phone"),
        group(GuidePlace::Boot, "At the phone, while it starts"),
        group(GuidePlace::Web, "From a computer beside it"),
        group(GuidePlace::Network, "In the network, for many at once"),
    ];
    let setup = catalog.guides().iter().find(|guide| guide.place == GuidePlace::Boot && points(guide));
    let setup = setup.and_then(|guide| places.step(guide.steps.first()?));
    let choice = |known: &Model| Choice {
        value: known.id.clone(),
        label: known.name.value.clone(),
        chosen: known.id == asked.model,
    };
    let template = PointPage {
        frame: Frame::signed_in("Point a phone here", &by).at("point"),
        models: catalog.models().map(choice).collect(),
        model: model.map(|model| model.name.value.clone()),
        pictures: pictures(&console.app, model)?,
        setup,
        pointing: console.app.pointing(),
        groups: groups.into_iter().filter(|group| !group.guides.is_empty()).collect(),
    };
    Ok(page(StatusCode::OK, &template))
}

/// Whether the guide is the one that keys this server's address in.
fn points(guide: &Guide) -> bool {
    guide.steps.iter().any(|step| step.contains("{server}"))
}

/// What is better scanned than typed: the value for the network, where a code is entered, and this page.
fn pictures(app: &App, model: Option<&Model>) -> Result<Vec<Picture>, Trouble> {
    let pointing = app.pointing();
    let mut texts = vec![("The value of the DHCP options", pointing.dhcp_value.clone())];
    texts.push(("Where an activation code is entered", format!("https://{}/activate", pointing.server)));
    if let Some(console) = &app.told().console {
        let asked = model.map_or(String::new(), |model| format!("?model={}", model.id));
        texts.push(("This page, for whoever signs in", format!("{console}/point{asked}")));
    }
    texts.into_iter().map(|(title, text)| Ok(Picture { title, qr: QrCode::of(&text)?, text })).collect()
}
