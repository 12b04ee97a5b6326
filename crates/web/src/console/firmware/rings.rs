//! The devices that go first, or last: those in another ring than everybody's.

use super::frame;
use crate::console::Console;
use crate::console::answer::{Trouble, page};
use crate::console::gate::SignedIn;
use crate::console::parts::Frame;
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{Actor, App, AppError, Page, RingView};
use std::sync::Arc;

/// Each is looked up by itself, so few stand on a page.
const SHOWN: u32 = 25;

#[derive(Template)]
#[template(path = "firmware/rings.html", whitespace = "minimize")]
struct RingsPage {
    frame: Frame,
    tab: &'static str,
    rows: Vec<RingRow>,
    next: Option<String>,
    is_first_page: bool,
}

struct RingRow {
    device: String,
    ring: String,
    model: String,
    user: Option<String>,
    site: Option<String>,
    runs: Option<String>,
}

#[derive(serde::Deserialize, Default)]
pub(super) struct Asked {
    #[serde(default)]
    after: String,
}

/// `GET /firmware/rings`.
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Trouble> {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let app = &console.app;
    let found = app.firmware_rings(Page { after: &asked.after, limit: SHOWN }, by.actor()).await?;
    let is_full = u32::try_from(found.len()).is_ok_and(|count| count >= SHOWN);
    let next = found.last().filter(|_| is_full).map(|last| last.device.clone());
    let mut rows = Vec::new();
    for view in found {
        rows.extend(row(app, view, by.actor()).await?);
    }
    let template = RingsPage {
        frame: frame("Firmware rings", &by),
        tab: "rings",
        rows,
        next,
        is_first_page: asked.after.is_empty(),
    };
    Ok(page(StatusCode::OK, &template))
}

/// `None` for one that was removed meanwhile.
async fn row(app: &App, RingView { device: id, ring }: RingView, by: &Actor) -> Result<Option<RingRow>, AppError> {
    let Ok(device) = id.parse() else { return Ok(None) };
    match app.device(&device, by).await {
        Ok(view) => Ok(Some(RingRow {
            device: id,
            ring,
            model: view.model_name,
            user: view.user_name,
            site: view.site_name,
            runs: view.firmware,
        })),
        Err(AppError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
