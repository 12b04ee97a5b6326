//! Changing a layer, and looking first at what a change would do to a phone.

use super::super::Console;
use super::super::actions::refusal;
use super::super::answer::{Trouble, to};
use super::super::gate::Posted;
use super::super::sessions::Notice;
use super::draft::Draft;
use super::show::{Shown, layer_page};
use super::{Layer, address_of};
use axum::extract::State;
use axum::response::Response;
use provost_app::{Actor, AppError, LayerView, PreviewInput, PreviewView};
use provost_core::entry::{FieldError, FieldErrors};
use provost_core::ids::DeviceId;
use provost_core::layers::{LayerChange, Subject};
use provost_core::mac::MacAddr;
use std::sync::Arc;

/// `POST` of a layer's address.
pub(super) async fn change(
    State(console): State<Arc<Console>>,
    Layer(subject): Layer,
    posted: Posted,
) -> Result<Response, Trouble> {
    let (app, by) = (&console.app, posted.by.actor());
    let before = app.layer(&subject, by).await?.revision;
    let mut draft = Draft::typed(&posted);
    if let Some(change) = draft.change() {
        match app.change_layer(&subject, change, by).await {
            Ok(view) => {
                posted.by.leave_notice(Notice::good(saved_words(&view, before)));
                return Ok(to(&address_of(&subject)));
            }
            Err(AppError::Fields(errors)) => draft.refuse(errors),
            Err(error @ AppError::Conflict { .. }) => draft.problems.push(refusal(error)?.text),
            Err(error) => return Err(error.into()),
        }
    } else {
        app.may_change_layer(&subject, by).await?;
    }
    let shown = Shown { draft: Some(draft), ..Shown::default() };
    layer_page((&console, &posted.by), &subject, shown).await
}

fn saved_words(view: &LayerView, before: i64) -> String {
    if view.revision == before {
        return "Everything stood so already, so nothing was changed.".to_owned();
    }
    let reached = match (view.reaches.devices, view.reaches.more) {
        (0, _) => "No device is in it yet.".to_owned(),
        (1, _) => "It reaches 1 device, whose phone reads it at its next poll.".to_owned(),
        (many, more) => {
            let least = if more { "more than " } else { "" };
            format!("It reaches {least}{many} devices, whose phones read it at their next poll.")
        }
    };
    format!("Saved as revision {}. {reached}", view.revision)
}

/// `POST` of a layer's preview: what the change would do to one phone. Nothing is stored.
pub(super) async fn preview(
    State(console): State<Arc<Console>>,
    Layer(subject): Layer,
    posted: Posted,
) -> Result<Response, Trouble> {
    let by = posted.by.actor();
    // Who may not see the layer learns nothing of it by the answers of the form.
    console.app.layer(&subject, by).await?;
    let mut draft = Draft::typed(&posted);
    let mut preview = None;
    if let Some(change) = draft.change() {
        match look(&console, (&subject, &draft.look_at.typed), change, by).await {
            Ok(view) => preview = Some(view),
            Err(AppError::Fields(errors)) => draft.refuse(errors),
            Err(error @ AppError::Render(_)) => draft.problems.push(error.to_string()),
            Err(error) => return Err(error.into()),
        }
    }
    let shown = Shown { draft: Some(draft), preview, ..Shown::default() };
    layer_page((&console, &posted.by), &subject, shown).await
}

async fn look(
    console: &Console,
    (subject, at): (&Subject, &str),
    change: LayerChange,
    by: &Actor,
) -> Result<PreviewView, AppError> {
    let device = device_to_look_at(console, (subject, at), by).await?;
    let account = match subject {
        Subject::Account(id) | Subject::AccountModel(id, _) => Some(id.to_string()),
        _ => None,
    };
    let input = PreviewInput {
        layer: Some(subject.layer().as_str().to_owned()),
        account,
        settings: change.settings,
        raw: change.raw,
        reveal: None,
    };
    console.app.preview(&device, input, by).await
}

/// The device that was named, else the first in the layer.
async fn device_to_look_at(
    console: &Console,
    (subject, typed): (&Subject, &str),
    by: &Actor,
) -> Result<DeviceId, AppError> {
    let app = &console.app;
    let device = if typed.is_empty() {
        let first = app.some_reached(subject, 1, by).await?.pop();
        let first = first.ok_or_else(|| fault("No device is in this layer yet, so there is nothing to look at."))?;
        first.device.parse().map_err(|_| fault(NO_DEVICE))?
    } else if let Ok(mac) = typed.parse::<MacAddr>() {
        app.device_of_phone(mac, by).await.map_err(no_device)?
    } else {
        typed.parse::<DeviceId>().map_err(|_| fault(NO_DEVICE))?
    };
    let layers = app.layers_of_device(&device, by).await.map_err(no_device)?;
    if layers.iter().any(|layer| layer.subject == *subject) { Ok(device) } else { Err(fault(NOT_REACHED)) }
}

const NO_DEVICE: &str = "Write the MAC address of a phone that a device has, or a device's id.";
const NOT_REACHED: &str = "This layer does not reach that device.";

fn no_device(error: AppError) -> AppError {
    match error {
        AppError::NotFound { .. } => fault(NO_DEVICE),
        error => error,
    }
}

fn fault(message: &str) -> AppError {
    FieldErrors(vec![FieldError { field: "look-at".to_owned(), message: message.to_owned() }]).into()
}
