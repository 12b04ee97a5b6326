//! What is done with a phone itself: tell it to look, let it in, keep it out. Done or refused, a page says so once.

use super::super::Console;
use super::super::actions::refusal;
use super::super::answer::{Trouble, to};
use super::super::gate::{Named, Posted};
use super::super::sessions::Notice;
use super::address;
use axum::extract::State;
use axum::response::Response;
use provost_app::AppError;
use provost_core::entry::connector::CheckSyncInput;
use provost_core::entry::guard::{BlockInput, ExceptionInput};
use provost_core::ids::DeviceId;
use provost_core::mac::MacAddr;
use std::sync::Arc;

/// What came of it, on the phone's page.
pub(super) fn told(posted: &Posted, mac: MacAddr, done: Result<String, AppError>) -> Result<Response, Trouble> {
    let notice = match done {
        Ok(words) => Notice::good(words),
        Err(error) => refusal(error)?,
    };
    posted.by.leave_notice(notice);
    Ok(to(&address(mac)))
}

pub(super) async fn device_of(console: &Console, mac: MacAddr, posted: &Posted) -> Result<DeviceId, Trouble> {
    Ok(console.app.device_of_phone(mac, posted.by.actor()).await?)
}

/// `POST /phones/{mac}/refresh`.
pub(super) async fn refresh(
    State(console): State<Arc<Console>>,
    Named(mac): Named<MacAddr>,
    posted: Posted,
) -> Result<Response, Trouble> {
    check_sync(&console, mac, (None, &posted)).await
}

/// `POST /phones/{mac}/restart`.
pub(super) async fn restart(
    State(console): State<Arc<Console>>,
    Named(mac): Named<MacAddr>,
    posted: Posted,
) -> Result<Response, Trouble> {
    check_sync(&console, mac, (Some(true), &posted)).await
}

async fn check_sync(
    console: &Console,
    mac: MacAddr,
    (reboot, posted): (Option<bool>, &Posted),
) -> Result<Response, Trouble> {
    let device = device_of(console, mac, posted).await?;
    let input = CheckSyncInput { reboot, reason: posted.given("reason") };
    let done = console.app.check_sync(&device, input, posted.by.actor()).await;
    told(posted, mac, done.map(|told| told.summary))
}

/// `POST /phones/{mac}/readmit`.
pub(super) async fn readmit(
    State(console): State<Arc<Console>>,
    Named(mac): Named<MacAddr>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let why = posted.given("reason");
    let done = console.app.readmit_phone(mac, why.as_deref(), posted.by.actor()).await;
    let words = "The phone is let in again: at its next contact it gets the bootstrap and shows Activate.";
    told(&posted, mac, done.map(|()| words.to_owned()))
}

/// `POST /phones/{mac}/exception`.
pub(super) async fn make_exception(
    State(console): State<Arc<Console>>,
    Named(mac): Named<MacAddr>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let device = device_of(&console, mac, &posted).await?;
    // What is no number is refused as zero minutes are, with what would be right.
    let minutes = posted.text("minutes").parse().unwrap_or(0);
    let input = ExceptionInput { mac: mac.to_string(), minutes, reason: posted.text("reason").to_owned() };
    let done = console.app.make_exception(&device, input, posted.by.actor()).await;
    let words = |until: String| {
        format!("Until {until} the first address that asks for this phone over TLS is let in without a certificate.")
    };
    told(&posted, mac, done.map(|exception| words(exception.ends_at)))
}

/// `POST /phones/{mac}/exception/end`.
pub(super) async fn end_exception(
    State(console): State<Arc<Console>>,
    Named(mac): Named<MacAddr>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let device = device_of(&console, mac, &posted).await?;
    let done = console.app.revoke_exception(&device, posted.by.actor()).await;
    told(&posted, mac, done.map(|_| "The exception is taken back: without its certificate it gets nothing.".to_owned()))
}

/// `POST /phones/{mac}/block`.
pub(super) async fn block(
    State(console): State<Arc<Console>>,
    Named(mac): Named<MacAddr>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let phone = console.app.phone(mac, posted.by.actor()).await?;
    let missing = || AppError::NotFound { what: "certificate of phone", name: mac.to_string() };
    let sha256 = phone.fingerprint.ok_or_else(missing)?;
    let input = BlockInput { sha256, reason: posted.text("reason").to_owned() };
    let done = console.app.block_certificate(input, posted.by.actor()).await;
    let words = "Its certificate is on the block list: whoever shows it gets nothing from now on.";
    told(&posted, mac, done.map(|_| words.to_owned()))
}
