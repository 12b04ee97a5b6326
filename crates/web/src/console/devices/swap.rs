//! Another phone in the place of a dead one, by its MAC or by a new code.

use super::super::Console;
use super::super::answer::{Trouble, to};
use super::super::gate::{Named, Posted};
use super::super::parts::Field;
use super::super::sessions::Notice;
use super::change::{named, refusal};
use super::one::one_page;
use axum::extract::State;
use axum::response::Response;
use provost_app::{AppError, DeviceView};
use provost_core::ids::DeviceId;
use std::sync::Arc;

/// `POST /devices/{id}/swap`.
pub(super) async fn swap(
    State(console): State<Arc<Console>>,
    Named(id): Named<DeviceId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let (app, by) = (&console.app, &posted.by);
    let (mac, why) = (posted.given("mac"), posted.given("reason"));
    let notice = match app.swap_device(&id, (mac.as_deref(), why.as_deref()), by.actor()).await {
        Ok(device) => Notice::good(swapped_words(&device)),
        Err(AppError::Fields(mut errors)) if errors.0.iter().any(|error| error.field == "mac") => {
            let mut field = Field { is_first: true, ..Field::typed(posted.text("mac")) };
            field.take("mac", &mut errors.0);
            return one_page(app, (&id, by), None, field).await;
        }
        Err(error) => refusal(error)?,
    };
    by.leave_notice(notice);
    Ok(to(&format!("/devices/{id}")))
}

/// Whoever swaps is told the new code, also where the role sees no other.
fn swapped_words(device: &DeviceView) -> String {
    let whose = named(device);
    match (&device.activation_code, device.mac) {
        (Some(code), _) => format!(
            "{whose} waits for another phone: enter the activation code {} there. The old phone is set aside and gets nothing.",
            code.shown
        ),
        (None, Some(mac)) => {
            format!(
                "{whose} waits for phone {mac}, which is claimed when it boots here. The old phone is set aside and gets nothing."
            )
        }
        (None, None) => format!("{whose} waits for another phone. The old phone is set aside and gets nothing."),
    }
}
