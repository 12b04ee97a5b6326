//! The page of a layer: what stands in it, how many it reaches, and the form that changes it.

use super::super::Console;
use super::super::answer::{Trouble, page, to};
use super::super::gate::{Posted, SignedIn};
use super::super::parts::{Field, Frame};
use super::super::phone::kind;
use super::super::words::Moment;
use super::draft::Draft;
use super::offered::{Offered, offered};
use super::{Layer, above, address_of, frame, reach_words};
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{Actor, AppError, LayerView, PreviewView, ReachedDeviceView};
use provost_core::layers::{HIDDEN, Subject};
use provost_core::rights::Right;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "layer.html", whitespace = "minimize")]
struct LayerPage {
    frame: Frame,
    kind: &'static str,
    reach_words: &'static str,
    name: String,
    here: String,
    above: (String, &'static str),
    reaches: String,
    revision: i64,
    changed: Option<(Moment, String)>,
    entries: Vec<EntryRow>,
    may_change: bool,
    may_reveal: bool,
    is_revealed: bool,
    reveal_reason: Field,
    draft: Draft,
    offered: Vec<Offered>,
    reached: Vec<ReachedDeviceView>,
    below: Vec<(String, String)>,
    preview: Option<PreviewView>,
}

/// An entry as its row shows it.
struct EntryRow {
    /// `settings.` or `raw.` and the name.
    key: String,
    /// What asks for it to be changed.
    edit: (&'static str, String),
    name: String,
    line: Option<String>,
    is_raw: bool,
    value: String,
    is_hidden: bool,
    /// The maker's parameter and what it takes, or what to know of a raw one.
    meaning: String,
}

/// What is on the page beside the layer itself.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) draft: Option<Draft>,
    pub(super) wanted: Vec<(String, String)>,
    pub(super) preview: Option<PreviewView>,
    pub(super) reveal: Option<Field>,
}

/// Devices that are offered to look at.
const MOST_REACHED: u32 = 25;

/// `GET` of a layer's address.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    Layer(subject): Layer,
    wanted: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Response, Trouble> {
    let wanted = wanted.map(|Query(wanted)| wanted).unwrap_or_default();
    layer_page((&console, &by), &subject, Shown { wanted, ..Shown::default() }).await
}

/// The address of a form, opened as a page: a reload after it leads here.
pub(super) async fn back(_: SignedIn, Layer(subject): Layer) -> Response {
    to(&address_of(&subject))
}

/// `POST` of a layer's secrets.
pub(super) async fn secrets(
    State(console): State<Arc<Console>>,
    Layer(subject): Layer,
    posted: Posted,
) -> Result<Response, Trouble> {
    let reveal = Some(Field::typed(posted.text("reason")));
    layer_page((&console, &posted.by), &subject, Shown { reveal, ..Shown::default() }).await
}

pub(super) async fn layer_page(
    (console, by): (&Console, &SignedIn),
    subject: &Subject,
    shown: Shown,
) -> Result<Response, Trouble> {
    let (app, actor) = (&console.app, by.actor());
    let Shown { draft, wanted, preview, reveal } = shown;
    let (view, is_revealed, reveal_reason) = layer(console, (subject, actor), reveal).await?;
    let may_change = app.changes_layer(subject, actor).await?;
    let draft = draft.unwrap_or_else(|| Draft::new(&view, &wanted));
    let status = if draft.has_errors() || reveal_reason.error.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    let offered = offered(app.catalog());
    let entries: Vec<_> = entries(&view, &offered).collect();
    let template = LayerPage {
        frame: frame(&format!("Configuration: {}", view.name), subject, by),
        kind: kind(subject),
        reach_words: reach_words(subject),
        here: address_of(subject),
        above: above(subject),
        reaches: reaches(&view),
        revision: view.revision,
        changed: view.changed_at.as_deref().map(|at| Moment::read(at, app.now())).zip(view.changed_by.clone()),
        may_reveal: !is_revealed && actor.role.may(Right::Secrets) && entries.iter().any(|entry| entry.is_hidden),
        entries,
        is_revealed,
        reveal_reason,
        reached: if may_change { app.some_reached(subject, MOST_REACHED, actor).await? } else { Vec::new() },
        below: below(console, subject),
        name: view.name,
        may_change,
        draft,
        offered,
        preview,
    };
    Ok(page(status, &template))
}

/// The layer, with its secrets where a reason was given for that.
async fn layer(
    console: &Console,
    (subject, by): (&Subject, &Actor),
    reveal: Option<Field>,
) -> Result<(LayerView, bool, Field), AppError> {
    let Some(mut reason) = reveal else { return Ok((console.app.layer(subject, by).await?, false, Field::default())) };
    match console.app.layer_secrets(subject, &reason.typed, by).await {
        Ok(view) => Ok((view, true, Field::default())),
        Err(AppError::Fields(mut errors)) => {
            reason.take("reason", &mut errors.0);
            reason.is_first = true;
            Ok((console.app.layer(subject, by).await?, false, reason))
        }
        Err(error) => Err(error),
    }
}

fn reaches(view: &LayerView) -> String {
    match (view.reaches.devices, view.reaches.more) {
        (1, _) => "1 device".to_owned(),
        (many, false) => format!("{many} devices"),
        (many, true) => format!("more than {many} devices"),
    }
}

fn entries(view: &LayerView, offered: &[Offered]) -> impl Iterator<Item = EntryRow> {
    let settings = view.settings.iter().map(|(name, value)| {
        let (id, line) = name.split_once('@').map_or((name.as_str(), None), |(id, line)| (id, Some(line)));
        let known = offered.iter().find(|offered| offered.id == id);
        EntryRow {
            key: format!("settings.{name}"),
            edit: ("set", name.clone()),
            name: id.to_owned(),
            line: line.map(str::to_owned),
            is_raw: false,
            value: value.clone(),
            is_hidden: false,
            meaning: known.map_or("no setting of the catalog any more".to_owned(), Offered::words),
        }
    });
    let raw = view.raw.iter().map(|(name, value)| {
        let warning = view.warnings.iter().find(|warning| warning.field == format!("raw.{name}"));
        EntryRow {
            key: format!("raw.{name}"),
            edit: ("raw", name.clone()),
            name: name.clone(),
            line: None,
            is_raw: true,
            value: value.clone(),
            is_hidden: value == HIDDEN,
            meaning: warning.map_or(String::new(), |warning| warning.message.clone()),
        }
    });
    settings.chain(raw).collect::<Vec<_>>().into_iter()
}

/// Layers for some of the same phones.
fn below(console: &Console, subject: &Subject) -> Vec<(String, String)> {
    let models = console.app.catalog().models();
    let link = |subject: Subject, name: &str| (address_of(&subject), name.to_owned());
    match subject {
        Subject::Platform => models.map(|model| link(Subject::Model(model.id.clone()), &model.name.value)).collect(),
        Subject::Account(id) => {
            models.map(|model| link(Subject::AccountModel(id.clone(), model.id.clone()), &model.name.value)).collect()
        }
        _ => Vec::new(),
    }
}
