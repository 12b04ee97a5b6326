//! Devices that were given up, with the way back.

use super::super::Console;
use super::super::answer::{Trouble, page};
use super::super::gate::SignedIn;
use super::super::parts::Frame;
use super::super::words::Moment;
use super::asked::{Asked, Pairs};
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{App, Page, ReleasedView};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "devices/released.html", whitespace = "minimize")]
struct ReleasedPage {
    frame: Frame,
    rows: Vec<Row>,
    /// Where the next page begins.
    next: Option<String>,
    is_first: bool,
}

struct Row {
    id: String,
    model: String,
    mac: Option<String>,
    released: Moment,
    until: Moment,
    removed: Option<Moment>,
}

const ROWS: u32 = 50;

/// `GET /devices/released`.
pub(super) async fn show(State(console): State<Arc<Console>>, by: SignedIn, pairs: Pairs) -> Result<Response, Trouble> {
    let (app, asked) = (&console.app, Asked::of(pairs));
    let after = asked.text("after");
    let found = app.released_devices(Page { after, limit: ROWS }, by.actor()).await?;
    let is_full = u32::try_from(found.len()).is_ok_and(|found| found >= ROWS);
    let next = found.last().filter(|_| is_full).map(|last| last.id.clone());
    let template = ReleasedPage {
        frame: Frame::signed_in("Released devices", &by).at("devices"),
        rows: found.into_iter().map(|view| row(app, view)).collect(),
        is_first: after.is_empty(),
        next,
    };
    Ok(page(StatusCode::OK, &template))
}

fn row(app: &App, view: ReleasedView) -> Row {
    let moment = |at: &str| Moment::read(at, app.now());
    Row {
        model: app.catalog().model(&view.model).map_or(view.model, |model| model.name.value.clone()),
        mac: view.mac.map(|mac| mac.to_string()),
        released: moment(&view.released_at),
        until: moment(&view.restorable_until),
        removed: view.removed_at.as_deref().map(moment),
        id: view.id,
    }
}
