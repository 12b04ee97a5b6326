//! What is done with the device of a phone from the phone's page: bar it, release it, give it other passwords.

use super::super::Console;
use super::super::actions::refusal;
use super::super::answer::{Trouble, to};
use super::super::gate::{Named, Posted};
use super::super::sessions::Notice;
use super::address;
use super::deeds::{device_of, told};
use axum::extract::State;
use axum::response::Response;
use provost_app::{AppError, Bar};
use provost_core::mac::MacAddr;
use std::sync::Arc;

/// `POST /phones/{mac}/rotate`.
pub(super) async fn rotate(
    State(console): State<Arc<Console>>,
    Named(mac): Named<MacAddr>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let device = device_of(&console, mac, &posted).await?;
    let done = console.app.rotate_passwords(&device, posted.text("reason"), posted.by.actor()).await;
    let words =
        "The phone gets new passwords. Those it has stay valid until it has read its configuration and restarted.";
    told(&posted, mac, done.map(|_| words.to_owned()))
}

/// `POST /phones/{mac}/quarantine`.
pub(super) async fn quarantine(
    State(console): State<Arc<Console>>,
    Named(mac): Named<MacAddr>,
    posted: Posted,
) -> Result<Response, Trouble> {
    bar(&console, mac, (Some(Bar::Quarantined), &posted)).await
}

/// `POST /phones/{mac}/disable`.
pub(super) async fn disable(
    State(console): State<Arc<Console>>,
    Named(mac): Named<MacAddr>,
    posted: Posted,
) -> Result<Response, Trouble> {
    bar(&console, mac, (Some(Bar::Disabled), &posted)).await
}

/// `POST /phones/{mac}/enable`.
pub(super) async fn enable(
    State(console): State<Arc<Console>>,
    Named(mac): Named<MacAddr>,
    posted: Posted,
) -> Result<Response, Trouble> {
    bar(&console, mac, (None, &posted)).await
}

async fn bar(console: &Console, mac: MacAddr, (bar, posted): (Option<Bar>, &Posted)) -> Result<Response, Trouble> {
    let device = device_of(console, mac, posted).await?;
    let done = console.app.bar_device(&device, bar, posted.by.actor()).await;
    let words = match bar {
        Some(Bar::Quarantined) => "Its device is quarantined: the phone gets nothing until you enable the device.",
        Some(Bar::Disabled) => "Its device is disabled: the phone gets nothing until you enable the device.",
        None => "Its device is enabled: the phone is served again at its next contact.",
    };
    told(posted, mac, done.map(|_| words.to_owned()))
}

/// `POST /phones/{mac}/release`.
pub(super) async fn release(
    State(console): State<Arc<Console>>,
    Named(mac): Named<MacAddr>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let by = posted.by.actor();
    let device = device_of(&console, mac, &posted).await?;
    let done = console.app.release_device(&device, Some(posted.text("reason")), by).await;
    let is_done = done.is_ok();
    let words = |model: String| format!("The {model} is released: phone {mac} is nobody's now.");
    let answer = told(&posted, mac, done.map(|device| words(device.model_name)))?;
    // Nobody's phones are shown to those who see the whole server only.
    let is_seen = !is_done || console.app.phone(mac, by).await.is_ok();
    Ok(if is_seen { answer } else { to("/devices") })
}

/// `POST /phones/{mac}/configuration/clear`.
pub(super) async fn clear_overrides(
    State(console): State<Arc<Console>>,
    Named(mac): Named<MacAddr>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let device = device_of(&console, mac, &posted).await?;
    let why = posted.given("reason");
    let done = console.app.clear_overrides(&device, why.as_deref(), posted.by.actor()).await;
    let notice = match done {
        Ok(_) => Notice::good(
            "What was set on the phone is emptied here. The phone reads that at its next start.".to_owned(),
        ),
        Err(error @ AppError::NotFound { .. }) => return Err(error.into()),
        Err(error) => refusal(error)?,
    };
    posted.by.leave_notice(notice);
    Ok(to(&format!("{}/configuration", address(mac))))
}
