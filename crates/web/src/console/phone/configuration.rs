//! What a phone is told: every value with where it comes from, what it hides, what the phone has on top, and what its
//! next fetch brings.

use super::super::Console;
use super::super::answer::{Trouble, page};
use super::super::gate::{Named, Posted, SignedIn};
use super::super::layers::address_of;
use super::super::parts::{Choice, Field, Frame};
use super::super::words::Moment;
use super::{Head, frame};
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{
    AppError, ChangeView, EffectiveItem, EffectiveView, FetchedView, FileView, LeftOutView, OriginView, OverridesView,
    PhoneView, PreviewInput,
};
use provost_core::ids::DeviceId;
use provost_core::layers::Subject;
use provost_core::mac::MacAddr;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "phone_configuration.html", whitespace = "minimize")]
struct ConfigurationPage {
    frame: Frame,
    /// The phone whose page it is; none on the page of a device without a phone.
    head: Option<Head>,
    /// Where the page is.
    here: String,
    told: Told,
}

/// What the phone is told.
enum Told {
    /// It has no device, so it gets the bootstrap.
    Unclaimed,
    /// Its configuration cannot be made.
    Broken(String),
    /// As it stands.
    Values(Box<Values>),
}

struct Values {
    device: String,
    firmware: String,
    is_bound: bool,
    fetched: FetchedView,
    fetched_at: Option<Moment>,
    layers: Vec<LayerLink>,
    overrides: OverridesView,
    not_told: Vec<LeftOut>,
    items: Vec<Item>,
    all: usize,
    asked: Asked,
    layer_choices: Vec<Choice>,
    reason: Field,
    is_revealed: bool,
    files: Vec<FileView>,
}

struct LayerLink {
    address: String,
    what: &'static str,
    name: String,
    entries: usize,
}

struct LeftOut {
    name: String,
    value: String,
    origin: Origin,
    why: String,
}

struct Item {
    parameter: String,
    value: String,
    is_hidden: bool,
    origin: Origin,
    over: Vec<(String, Origin)>,
}

/// Where a value comes from, with a link where that can be changed.
struct Origin {
    layer: &'static str,
    name: String,
    address: Option<String>,
    is_entered: bool,
}

#[derive(serde::Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    layer: String,
}

type AskedOf = Result<Query<Asked>, QueryRejection>;

/// `GET /phones/{mac}/configuration`.
pub(super) async fn of_phone(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    Named(mac): Named<MacAddr>,
    asked: AskedOf,
) -> Result<Response, Trouble> {
    let view = console.app.phone(mac, by.actor()).await?;
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let wanted = Wanted { by: &by, asked, reveal: None, reason: Field::default() };
    show(&console, (Some(&view), device_in(&view)), wanted).await
}

/// `GET /devices/{id}/effective`.
pub(super) async fn of_device(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    Named(id): Named<DeviceId>,
    asked: AskedOf,
) -> Result<Response, Trouble> {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let wanted = Wanted { by: &by, asked, reveal: None, reason: Field::default() };
    show(&console, (None, Some(id)), wanted).await
}

/// `POST /phones/{mac}/configuration/secrets`.
pub(super) async fn secrets_of_phone(
    State(console): State<Arc<Console>>,
    Named(mac): Named<MacAddr>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let view = console.app.phone(mac, posted.by.actor()).await?;
    let reason = Field::typed(posted.text("reason"));
    let wanted = Wanted { by: &posted.by, asked: Asked::default(), reveal: Some(reason.typed.clone()), reason };
    show(&console, (Some(&view), device_in(&view)), wanted).await
}

/// `POST /devices/{id}/effective/secrets`.
pub(super) async fn secrets_of_device(
    State(console): State<Arc<Console>>,
    Named(id): Named<DeviceId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let reason = Field::typed(posted.text("reason"));
    let wanted = Wanted { by: &posted.by, asked: Asked::default(), reveal: Some(reason.typed.clone()), reason };
    show(&console, (None, Some(id)), wanted).await
}

fn device_in(view: &PhoneView) -> Option<DeviceId> {
    view.device.as_ref().and_then(|device| device.id.parse().ok())
}

/// Who wants to see what.
struct Wanted<'a> {
    by: &'a SignedIn,
    asked: Asked,
    /// The reason to show secrets.
    reveal: Option<String>,
    reason: Field,
}

async fn show(
    console: &Console,
    (phone, device): (Option<&PhoneView>, Option<DeviceId>),
    wanted: Wanted<'_>,
) -> Result<Response, Trouble> {
    let by = wanted.by;
    let (title, here) = match (phone, &device) {
        (Some(view), _) => (format!("Configuration of {}", view.mac), format!("/phones/{}/configuration", view.mac)),
        (None, Some(id)) => (format!("Configuration of {id}"), format!("/devices/{id}/effective")),
        (None, None) => return Err(Trouble::NotHere),
    };
    let (mut status, mut told) = (StatusCode::OK, Told::Unclaimed);
    if let Some(device) = device {
        (status, told) = match values(console, &device, wanted).await {
            Ok(values) if values.reason.error.is_some() => {
                (StatusCode::UNPROCESSABLE_ENTITY, Told::Values(Box::new(values)))
            }
            Ok(values) => (StatusCode::OK, Told::Values(Box::new(values))),
            // A configuration that cannot be made must not hide why.
            Err(AppError::Render(error)) => (StatusCode::OK, Told::Broken(error.to_string())),
            Err(error) => return Err(error.into()),
        };
    }
    let head = phone.map(|view| Head::new(view, "configuration"));
    Ok(page(status, &ConfigurationPage { frame: frame(&title, by), head, here, told }))
}

async fn values(console: &Console, device: &DeviceId, wanted: Wanted<'_>) -> Result<Values, AppError> {
    let (app, by, now) = (&console.app, wanted.by.actor(), console.app.now());
    let Wanted { asked, reveal, mut reason, .. } = wanted;
    let mut is_revealed = false;
    let effective = match reveal {
        None => app.effective(device, by).await?,
        Some(why) => match app.effective_secrets(device, &why, by).await {
            Ok(view) => {
                is_revealed = true;
                view
            }
            Err(AppError::Fields(mut errors)) => {
                reason.take("reason", &mut errors.0);
                reason.is_first = true;
                app.effective(device, by).await?
            }
            Err(error) => return Err(error),
        },
    };
    let layers = app.layers_of_device(device, by).await?.into_iter().map(|layer| LayerLink {
        address: address_of(&layer.subject),
        what: kind(&layer.subject),
        name: layer.name,
        entries: layer.entries,
    });
    let fetched = app.fetched_diff(device, by).await?;
    let files = app.preview(device, PreviewInput::default(), by).await?.files;
    let EffectiveView { firmware, mac, items, not_told, .. } = effective;
    let all = items.len();
    let filter = asked.q.trim().to_lowercase();
    let wanted = |item: &EffectiveItem| is_wanted(item, &filter, &asked.layer);
    Ok(Values {
        device: device.to_string(),
        firmware,
        is_bound: mac.is_some(),
        fetched_at: fetched.fetched_at.as_deref().map(|at| Moment::read(at, now)),
        fetched,
        layers: layers.collect(),
        overrides: app.overrides(device, by).await?,
        not_told: not_told.into_iter().map(left_out).collect(),
        items: items.into_iter().filter(wanted).map(item).collect(),
        all,
        layer_choices: layer_choices(&asked.layer),
        asked,
        reason,
        is_revealed,
        files,
    })
}

/// Whether a value is among those that were asked for; what is hidden is not searched.
fn is_wanted(item: &EffectiveItem, filter: &str, layer: &str) -> bool {
    let holds = |text: &str| text.to_lowercase().contains(filter);
    let is_named = holds(&item.parameter) || holds(&item.origin.name) || (!item.secret && holds(&item.value));
    is_named
        && match layer {
            "" => true,
            "entered" => item.origin.kind != "provost",
            layer => item.layer == layer,
        }
}

const LAYERS: [(&str, &str); 8] = [
    ("", "Everything"),
    ("entered", "What people entered"),
    ("platform", "Platform"),
    ("account", "Account"),
    ("site", "Site"),
    ("model", "Model"),
    ("device", "Device"),
    ("phone", "Set on the phone"),
];

fn layer_choices(chosen: &str) -> Vec<Choice> {
    let choice = |(value, label): (&str, &str)| Choice {
        value: value.to_owned(),
        label: label.to_owned(),
        chosen: value == chosen,
    };
    LAYERS.into_iter().map(choice).collect()
}

/// What a layer is for, as a heading says it.
pub(in crate::console) const fn kind(subject: &Subject) -> &'static str {
    match subject {
        Subject::Platform => "Platform",
        Subject::Account(_) => "Account",
        Subject::Site(_) => "Site",
        Subject::Model(_) => "Model",
        Subject::AccountModel(..) => "Model in an account",
        Subject::Device(_) => "Device",
    }
}

fn origin(layer: &'static str, view: OriginView) -> Origin {
    let subject = view.subject.and_then(|subject| subject.parse::<Subject>().ok());
    let address = subject.as_ref().map(address_of);
    Origin { layer, name: view.name, address, is_entered: view.kind == "entry" }
}

fn left_out(view: LeftOutView) -> LeftOut {
    LeftOut { origin: origin(view.layer, view.origin), name: view.name, value: view.value, why: view.why }
}

fn item(view: EffectiveItem) -> Item {
    let over = view.overridden.into_iter().map(|over| (over.value, origin(over.layer, over.origin)));
    Item {
        is_hidden: view.secret && view.value == provost_core::layers::HIDDEN,
        origin: origin(view.layer, view.origin),
        parameter: view.parameter,
        value: view.value,
        over: over.collect(),
    }
}

/// How a change reads in one word.
pub(in crate::console) fn change_word(change: &ChangeView) -> &'static str {
    match change.change {
        "added" => "New",
        "removed" => "Gone",
        _ => "Changed",
    }
}
