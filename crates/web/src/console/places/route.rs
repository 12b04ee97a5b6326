//! Where emergency calls from a site's unclaimed phones are sent on to.

use super::site::site_page;
use crate::console::Console;
use crate::console::answer::{Trouble, to};
use crate::console::gate::{Named, Posted};
use crate::console::sessions::Notice;
use crate::console::typed::{Typed, told};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use provost_app::{AppError, SiteView};
use provost_core::entry::FieldErrors;
use provost_core::entry::emergency::EmergencyRouteInput;
use provost_core::ids::SiteId;
use std::sync::Arc;

/// What the route is now, in the fields of the form.
pub(super) fn typed_of(site: &SiteView) -> Typed {
    let route = site.emergency_route.as_ref();
    Typed::default()
        .with("networks", route.map_or(String::new(), |route| route.networks.join("\n")))
        .with("to", route.map_or("", |route| route.to.as_str()))
}

/// `POST /sites/{id}/emergency-route`.
pub(super) async fn set(
    State(console): State<Arc<Console>>,
    Named(id): Named<SiteId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let typed = Typed::of(&posted);
    let networks = typed.text("networks").split([',', ' ', '\n', '\r']).filter(|text| !text.is_empty());
    let networks = networks.map(str::to_owned).collect();
    let input = EmergencyRouteInput { networks, to: typed.text("to").to_owned() };
    match console.app.set_emergency_route(&id, input, posted.by.actor()).await {
        Ok(route) => {
            let words = format!("Emergency calls from unclaimed phones of this site are sent on to {}.", route.to);
            posted.by.leave_notice(Notice::good(words));
            Ok(to(&format!("/sites/{id}")))
        }
        Err(error @ AppError::NotFound { .. }) => Err(error.into()),
        Err(error) => {
            let typed = typed.refused(in_one_field(error))?.shown_as(|name| matches!(name, "networks" | "to"));
            site_page(&console, &posted.by, (&id, StatusCode::UNPROCESSABLE_ENTITY), (None, Some(typed))).await
        }
    }
}

/// All networks are typed into one field.
fn in_one_field(error: AppError) -> AppError {
    let AppError::Fields(FieldErrors(mut errors)) = error else { return error };
    for error in errors.iter_mut().filter(|error| error.field.starts_with("networks[")) {
        "networks".clone_into(&mut error.field);
    }
    FieldErrors(errors).into()
}

/// `POST /sites/{id}/emergency-route/remove`.
pub(super) async fn remove(
    State(console): State<Arc<Console>>,
    Named(id): Named<SiteId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let done = console.app.remove_emergency_route(&id, posted.by.actor()).await;
    let words = "Emergency calls from unclaimed phones of this site are answered here and sent on to nobody.";
    told(&posted, done.map(|_| words.to_owned()), &format!("/sites/{id}"))
}
