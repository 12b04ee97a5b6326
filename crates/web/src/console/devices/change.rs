//! What the buttons of a device do: codes, mail, release and the way back, and taking it out of service.
//!
//! Done or refused, the answer is a step back to the device's page, which says so once.

use super::super::Console;
use super::super::actions;
use super::super::answer::{Trouble, to};
use super::super::gate::{Named, Posted};
use super::super::sessions::Notice;
use axum::extract::State;
use axum::response::Response;
use provost_app::{App, AppError, Bar, DeviceView, WelcomeInput};
use provost_core::ids::{DeviceId, UserId};
use provost_core::rights::Scope;
use std::sync::Arc;

/// What a use-case that said no has to say; a failure goes on as one.
pub(super) fn refusal(error: AppError) -> Result<Notice, Trouble> {
    actions::refusal(error)
}

/// Leaves what became of it, and goes back to the device.
fn back(posted: &Posted, id: &DeviceId, done: Result<String, AppError>) -> Result<Response, Trouble> {
    let notice = match done {
        Ok(words) => Notice::good(words),
        Err(error) => refusal(error)?,
    };
    posted.by.leave_notice(notice);
    Ok(to(&format!("/devices/{id}")))
}

/// "The VVX 450 of Ada".
pub(super) fn named(device: &DeviceView) -> String {
    match &device.user_name {
        Some(name) => format!("The {} of {name}", device.model_name),
        None => format!("The {}", device.model_name),
    }
}

/// `POST /devices/{id}/code`.
pub(super) async fn issue_code(
    State(console): State<Arc<Console>>,
    Named(id): Named<DeviceId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let done = console.app.issue_code(&id, posted.by.actor()).await;
    let words = "A new activation code stands beside the device. Any earlier one is void.";
    back(&posted, &id, done.map(|_| words.to_owned()))
}

/// `POST /devices/{id}/welcome`.
pub(super) async fn send_welcome(
    State(console): State<Arc<Console>>,
    Named(id): Named<DeviceId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let (app, by) = (&console.app, posted.by.actor());
    let device = app.device(&id, by).await?;
    let user = device.user.as_deref().and_then(|user| user.parse::<UserId>().ok());
    let Some(user) = user else {
        posted.by.leave_notice(Notice::bad("This device has no user to write to.".to_owned(), None));
        return Ok(to(&format!("/devices/{id}")));
    };
    let done = app.send_welcome(&user, WelcomeInput::default(), by).await;
    back(&posted, &id, done.map(|mail| format!("The welcome mail to {} is on its way.", mail.to)))
}

/// `POST /devices/{id}/unassign`.
pub(super) async fn unassign(
    State(console): State<Arc<Console>>,
    Named(id): Named<DeviceId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let why = posted.given("reason");
    let done = console.app.unassign_device(&id, why.as_deref(), posted.by.actor()).await;
    let words =
        |device: DeviceView| format!("The {} is back in stock. The phone it had is nobody's.", device.model_name);
    leave(&posted, &id, done.map(words))
}

/// `POST /devices/{id}/release`.
pub(super) async fn release(
    State(console): State<Arc<Console>>,
    Named(id): Named<DeviceId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let why = posted.given("reason");
    let done = console.app.release_device(&id, why.as_deref(), posted.by.actor()).await;
    let words = |device: DeviceView| {
        format!("The {} is released: its phone is anybody's. It can be restored for 30 days.", device.model_name)
    };
    leave(&posted, &id, done.map(words))
}

/// As [`back`]; but whoever sees one site only does not see a device without a user any more.
fn leave(posted: &Posted, id: &DeviceId, done: Result<String, AppError>) -> Result<Response, Trouble> {
    let is_gone = done.is_ok() && matches!(posted.by.actor().scope, Scope::Site { .. });
    let answer = back(posted, id, done)?;
    Ok(if is_gone { to("/devices") } else { answer })
}

/// `POST /devices/{id}/restore`.
pub(super) async fn restore(
    State(console): State<Arc<Console>>,
    Named(id): Named<DeviceId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    match console.app.restore_device(&id, None, posted.by.actor()).await {
        Ok(device) => {
            let next = if device.bound_at.is_some() { "Its phone is its own again." } else { "It has no phone." };
            back(&posted, &id, Ok(format!("{} is restored as it was. {next}", named(&device))))
        }
        Err(error) => {
            posted.by.leave_notice(refusal(error)?);
            // One that was removed has no page.
            Ok(to("/devices/released"))
        }
    }
}

/// `POST /devices/{id}/remove`.
pub(super) async fn remove(
    State(console): State<Arc<Console>>,
    Named(id): Named<DeviceId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let why = posted.given("reason");
    match console.app.remove_device(&id, why.as_deref(), posted.by.actor()).await {
        Ok(_) => {
            let words = "The device is removed. It stands here as long as it can be restored.";
            posted.by.leave_notice(Notice::good(words.to_owned()));
            Ok(to("/devices/released"))
        }
        Err(error) => back(&posted, &id, Err(error)),
    }
}

/// `POST /devices/{id}/disable`.
pub(super) async fn disable(
    State(console): State<Arc<Console>>,
    Named(id): Named<DeviceId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let told = "is disabled: its phone gets nothing and keeps its old settings until it is reset.";
    bar(&console.app, &id, Some(Bar::Disabled), (&posted, told)).await
}

/// `POST /devices/{id}/quarantine`.
pub(super) async fn quarantine(
    State(console): State<Arc<Console>>,
    Named(id): Named<DeviceId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let told = "is quarantined: its phone gets nothing and keeps its old settings until it is reset.";
    bar(&console.app, &id, Some(Bar::Quarantined), (&posted, told)).await
}

/// `POST /devices/{id}/enable`.
pub(super) async fn enable(
    State(console): State<Arc<Console>>,
    Named(id): Named<DeviceId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    bar(&console.app, &id, None, (&posted, "is enabled: its phone is served again at its next contact.")).await
}

async fn bar(app: &App, id: &DeviceId, bar: Option<Bar>, (posted, told): (&Posted, &str)) -> Result<Response, Trouble> {
    let (notice, mac) = match app.bar_device(id, bar, posted.by.actor()).await {
        Ok(device) => (Notice::good(format!("{} {told}", named(&device))), device.mac),
        Err(error) => (refusal(error)?, None),
    };
    posted.by.leave_notice(notice);
    // The page asked for is a choice of two, never an address from the form.
    let phone = mac.filter(|_| posted.text("back") == "phone").map(|mac| format!("/phones/{mac}"));
    Ok(to(&phone.unwrap_or_else(|| format!("/devices/{id}"))))
}
