//! Another phone in the place of a dead one, by its MAC or by a new code.

use super::super::Console;
use super::super::answer::{Trouble, page, to};
use super::super::gate::{Named, Posted, SignedIn};
use super::super::parts::{Field, Frame};
use super::super::sessions::Notice;
use super::super::words::Moment;
use super::change::{named, refusal};
use super::one::one_page;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{AppError, MacText};
use provost_core::ids::DeviceId;
use std::sync::Arc;

/// Whoever swaps is told the new code, also where the role sees no other: here and nowhere else.
#[derive(Template)]
#[template(path = "devices/swapped.html", whitespace = "minimize")]
struct SwappedPage {
    frame: Frame,
    id: String,
    whose: String,
    code: String,
    expires: Moment,
}

/// `POST /devices/{id}/swap`.
pub(super) async fn swap(
    State(console): State<Arc<Console>>,
    Named(id): Named<DeviceId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let (app, by) = (&console.app, &posted.by);
    let (mac, why) = (posted.given("mac"), posted.given("reason"));
    let device = match app.swap_device(&id, (mac.as_deref(), why.as_deref()), by.actor()).await {
        Ok(device) => device,
        Err(AppError::Fields(mut errors)) if errors.0.iter().any(|error| error.field == "mac") => {
            let mut field = Field { is_first: true, ..Field::typed(posted.text("mac")) };
            field.take("mac", &mut errors.0);
            return one_page(app, (&id, by), None, field).await;
        }
        Err(error) => {
            by.leave_notice(refusal(error)?);
            return Ok(to(&format!("/devices/{id}")));
        }
    };
    let (whose, code, awaits) = (named(&device), device.activation_code, device.mac);
    let Some(code) = code else {
        by.leave_notice(Notice::good(swapped_words(&whose, awaits)));
        return Ok(to(&format!("/devices/{id}")));
    };
    let frame = Frame::signed_in("Swapped", by).at("devices");
    let expires = Moment::read(&code.expires_at, app.now());
    Ok(page(StatusCode::OK, &SwappedPage { frame, id: device.id, whose, code: code.shown, expires }))
}

/// `GET /devices/{id}/swap`, after a reload of the page that showed the code.
pub(super) async fn back(Named(id): Named<DeviceId>, _: SignedIn) -> Response {
    to(&format!("/devices/{id}"))
}

fn swapped_words(whose: &str, awaits: Option<MacText>) -> String {
    let other =
        awaits.map_or("another phone".to_owned(), |mac| format!("phone {mac}, which is claimed when it boots here"));
    format!("{whose} waits for {other}. The old phone is set aside and gets nothing.")
}
