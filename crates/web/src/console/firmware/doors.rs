//! Firmware over plain HTTP for phones too old to reach this server by TLS: one phone, for hours, on a person's word.

use super::{frame, hardware_choices, model_name};
use crate::console::Console;
use crate::console::answer::{Trouble, page};
use crate::console::gate::{Named, Posted, SignedIn};
use crate::console::parts::{Choice, Frame};
use crate::console::sessions::Notice;
use crate::console::typed::{Typed, told};
use crate::console::words::Moment;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{App, FirmwareDoorView, PlainHttp};
use provost_core::entry::firmware::{DoorInput, may_need_door};
use provost_core::rights::Right;
use provost_core::time::UnixMillis;
use std::sync::Arc;

const PAGE: &str = "/firmware/doors";
/// Two steps of an old phone, with somebody walking to it.
const USUAL_HOURS: &str = "4";

#[derive(Template)]
#[template(path = "firmware/doors.html", whitespace = "minimize")]
struct DoorsPage {
    frame: Frame,
    tab: &'static str,
    has_plain_http: bool,
    doors: Vec<DoorRow>,
    form: Typed,
    models: Vec<Choice>,
}

struct DoorRow {
    id: String,
    mac: String,
    model: String,
    reason: String,
    opened: Moment,
    ends: Moment,
    url: Option<String>,
    /// Where it is said which keys to press.
    point: Option<String>,
}

/// `GET /firmware/doors`.
pub(super) async fn show(State(console): State<Arc<Console>>, by: SignedIn) -> Result<Response, Trouble> {
    doors_page(&console, &by, StatusCode::OK, Typed::default().with("hours", USUAL_HOURS)).await
}

async fn doors_page(console: &Console, by: &SignedIn, status: StatusCode, form: Typed) -> Result<Response, Trouble> {
    let (app, now) = (&console.app, console.app.now());
    let doors = app.firmware_doors(by.actor()).await?;
    let template = DoorsPage {
        frame: frame("Firmware over plain HTTP", by),
        tab: "doors",
        has_plain_http: app.told().plain_http != PlainHttp::Off,
        doors: doors.into_iter().map(|view| row(app, view, now)).collect(),
        models: old_models(app, form.text("model")),
        form: form.shown_as(|name| matches!(name, "mac" | "model" | "hours" | "reason")),
    };
    Ok(page(status, &template))
}

/// The models whose phones may run firmware that cannot reach this server by TLS.
fn old_models(app: &App, chosen: &str) -> Vec<Choice> {
    let mut choices = hardware_choices(app, (chosen, Some("Choose its model")));
    let is_old = |id: &str| app.catalog().hardware(id).is_some_and(|model| may_need_door(app.catalog(), model));
    choices.retain(|choice| choice.value.is_empty() || is_old(&choice.value));
    choices
}

fn row(app: &App, view: FirmwareDoorView, now: UnixMillis) -> DoorRow {
    DoorRow {
        point: app.catalog().model(&view.model).map(|model| format!("/point?model={}", model.id)),
        model: model_name(app, &view.model),
        opened: Moment::read(&view.opened_at, now),
        ends: Moment::read(&view.ends_at, now),
        id: view.id,
        mac: view.mac,
        reason: view.reason,
        url: view.url,
    }
}

/// `POST /firmware/doors`.
pub(super) async fn open(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Trouble> {
    let by = posted.by.actor();
    by.may_platform(Right::Platform)?;
    let mut typed = Typed::of(&posted);
    let hours = typed.number("hours");
    if !typed.has_errors() {
        let input = DoorInput {
            mac: typed.text("mac").to_owned(),
            model: typed.text("model").to_owned(),
            // What is missing is refused as zero hours are, with what would be right.
            hours: hours.unwrap_or(0),
            reason: typed.text("reason").to_owned(),
        };
        match console.app.open_firmware_door(input, by).await {
            Ok(view) => {
                posted.by.leave_notice(Notice::good(opened_words(&console.app, &view)));
                return Ok(to_page());
            }
            Err(error) => typed = typed.refused(error)?,
        }
    }
    doors_page(&console, &posted.by, StatusCode::UNPROCESSABLE_ENTITY, typed).await
}

fn to_page() -> Response {
    crate::console::answer::to(PAGE)
}

fn opened_words(app: &App, view: &FirmwareDoorView) -> String {
    let until = Moment::read(&view.ends_at, app.now()).shown;
    let model = model_name(app, &view.model);
    format!("Until {until} the {model} {} may read its next firmware over plain HTTP.", view.mac)
}

/// `POST /firmware/doors/{id}/close`.
pub(super) async fn close(
    State(console): State<Arc<Console>>,
    Named(id): Named<String>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let done = console.app.close_firmware_door(&id, posted.by.actor()).await;
    told(&posted, done.map(|view| format!("Plain HTTP is closed for the firmware of {}.", view.mac)), PAGE)
}
