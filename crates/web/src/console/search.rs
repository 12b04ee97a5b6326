//! One box for everything: a MAC, a name, an extension, an activation code, a reference.
//!
//! What is typed comes in a form and never stands in an address: codes and references would be kept there by the
//! browser's history and by the log of every proxy on the way.

use super::Console;
use super::answer::{Trouble, page, to};
use super::gate::{Posted, SignedIn};
use super::parts::Frame;
use super::words::Moment;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{Actor, App, AppError, DeviceView, ListedUserView, Page, PlaceView, ReportInput, ReportItem};
use provost_core::mac::MacAddr;
use std::sync::Arc;

#[derive(Template, Default)]
#[template(path = "search.html", whitespace = "minimize")]
struct SearchPage {
    frame: Frame,
    typed: String,
    reference: Option<Reference>,
    devices: Vec<Found>,
    has_more: bool,
    /// Those who have no device, and so are in no report.
    users: Vec<ListedUserView>,
    places: Vec<PlaceView>,
}

/// What happened when somebody was told a reference.
struct Reference {
    name: String,
    at: Moment,
    phone: Option<String>,
    sentence: String,
    next_step: Option<String>,
}

/// A device that was found.
struct Found {
    id: String,
    model: String,
    mac: String,
    extension: String,
    user: String,
    site: String,
    status: String,
}

const MOST: u32 = 50;
/// Longer than anything there is to find.
const LONGEST: usize = 100;
const COLUMNS: &str = "device,mac-address,extension-number,user,site,status";

/// `GET /search`: the box alone. What an address says is not looked at.
pub(super) async fn show(by: SignedIn) -> Response {
    page(StatusCode::OK, &SearchPage { frame: Frame::signed_in("Search", &by), ..SearchPage::default() })
}

/// `POST /search`.
pub(super) async fn find(State(console): State<Arc<Console>>, posted: Posted) -> Result<Response, Trouble> {
    let (app, by) = (&console.app, &posted.by);
    let typed: String = posted.text("q").chars().take(LONGEST).collect();
    if typed.is_empty() {
        return Ok(to("/search"));
    }
    // A MAC is no secret; its page has an address.
    if let Ok(mac) = typed.parse::<MacAddr>()
        && app.phone(mac, by.actor()).await.is_ok()
    {
        return Ok(to(&format!("/phones/{mac}")));
    }
    let reference = reference(app, &typed, by.actor()).await?;
    let (mut devices, has_more) = devices(app, &typed, by.actor()).await?;
    devices.extend(app.device_with_code(&typed, by.actor()).await?.map(with_code));
    let mut users = app.find_users((None, &typed), Page { after: "", limit: MOST }, by.actor()).await?;
    users.retain(|user| user.devices == 0);
    let places = app.places_called(&typed, by.actor()).await?;
    let frame = Frame::signed_in("Search", by);
    Ok(page(StatusCode::OK, &SearchPage { frame, typed, reference, devices, has_more, users, places }))
}

async fn reference(app: &App, typed: &str, by: &Actor) -> Result<Option<Reference>, AppError> {
    match app.reference(typed, by).await {
        Ok(view) => Ok(Some(Reference {
            at: Moment::read(&view.at, app.now()),
            name: view.reference,
            phone: view.phone.map(|mac| mac.to_string()),
            sentence: view.sentence,
            next_step: view.next_step,
        })),
        Err(AppError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The device of a code.
fn with_code(device: DeviceView) -> Found {
    Found {
        id: device.id,
        model: device.model_name,
        mac: device.mac.map_or(String::new(), |mac| mac.to_string()),
        extension: device.extension.unwrap_or_default(),
        user: device.user_name.unwrap_or_default(),
        site: device.site_name.unwrap_or_default(),
        status: device.state.to_owned(),
    }
}

async fn devices(app: &App, typed: &str, by: &Actor) -> Result<(Vec<Found>, bool), AppError> {
    let input = ReportInput {
        search: Some(typed.to_owned()),
        columns: Some(COLUMNS.to_owned()),
        limit: Some(MOST),
        ..ReportInput::default()
    };
    let found = match app.device_report(&input, by).await {
        Ok(found) => found,
        // What is typed here need not be a search of the report.
        Err(AppError::Fields(_)) => return Ok((Vec::new(), false)),
        Err(error) => return Err(error),
    };
    let row = |item: ReportItem| {
        let mut cells = item.texts();
        let mut next = || cells.next().unwrap_or_default();
        let id = item.id().to_owned();
        Found { id, model: next(), mac: next(), extension: next(), user: next(), site: next(), status: next() }
    };
    Ok((found.items.into_iter().map(row).collect(), found.next.is_some()))
}
