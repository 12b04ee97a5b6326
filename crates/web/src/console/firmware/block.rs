//! The firmware of one device on its own page and on its phone's: what it runs, what it is to run, what happens next.

use super::{StepRow, level_mark};
use crate::console::Console;
use crate::console::answer::Trouble;
use crate::console::device::Standing;
use crate::console::gate::{Named, Posted};
use crate::console::typed::told;
use axum::extract::State;
use axum::response::Response;
use provost_app::{App, AppError, DeviceFirmwareView};
use provost_core::entry::firmware::{NowInput, RingInput};
use provost_core::firmware::policy::GENERAL;
use provost_core::ids::DeviceId;
use provost_core::mac::MacAddr;
use provost_core::rights::Right;
use provost_core::time::UnixMillis;
use std::sync::Arc;

/// The firmware of a device as its page shows it.
pub(in crate::console) struct Block {
    pub(in crate::console) device: String,
    pub(in crate::console) runs: Option<String>,
    pub(in crate::console) updater: Option<String>,
    pub(in crate::console) level: Standing,
    /// What is kept from it because of a known hole, and what closes that.
    pub(in crate::console) hole: Option<String>,
    pub(in crate::console) target: String,
    pub(in crate::console) policy: String,
    pub(in crate::console) ring: String,
    pub(in crate::console) is_first_ring: bool,
    pub(in crate::console) mark: Standing,
    pub(in crate::console) next: String,
    /// How far the download is, in percent.
    pub(in crate::console) percent: Option<u8>,
    /// What it is led to, if a step may be wanted now.
    pub(in crate::console) now: Option<String>,
    pub(in crate::console) attempts: Vec<StepRow>,
}

/// The block of a device with a phone; `None` without one.
pub(in crate::console) async fn block_of(
    app: &App,
    id: &DeviceId,
    by: &provost_app::Actor,
) -> Result<Option<Block>, AppError> {
    match app.device_firmware(id, by).await? {
        Some(view) => {
            let hole = if view.level == "not-secure" { hole(app, &app.device(id, by).await?.model) } else { None };
            Ok(Some(Block { hole, ..Block::new(app, view, app.now()) }))
        }
        None => Ok(None),
    }
}

/// What follows from a known hole in the version a phone of this model runs.
fn hole(app: &App, model: &str) -> Option<String> {
    let hardware = app.catalog().hardware(model)?;
    let secure = &hardware.secure_from.as_ref()?.value;
    Some(format!(
        "Its version has a known hole, so its configuration keeps ICE off. An image of {secure} or newer for the {} closes it.",
        hardware.name
    ))
}

impl Block {
    fn new(app: &App, view: DeviceFirmwareView, now: UnixMillis) -> Self {
        let waits = !matches!(view.state, "there" | "kept" | "under-way" | "refused" | "not-known");
        Self {
            target: match view.target.as_str() {
                "newest" => "the newest stored version that may be given".to_owned(),
                "keep" => "what it runs".to_owned(),
                version => version.to_owned(),
            },
            now: waits.then(|| view.next_version.clone().unwrap_or_else(|| "its next version".to_owned())),
            level: level_mark(view.level),
            hole: None,
            mark: state_mark(view.state),
            is_first_ring: view.ring != GENERAL,
            percent: view.progress.map(|progress| progress.percent),
            attempts: view.attempts.into_iter().map(|step| StepRow::new(app, step, now)).collect(),
            device: view.device,
            runs: view.runs,
            updater: view.updater,
            policy: view.policy,
            ring: view.ring,
            next: view.next,
        }
    }
}

fn state_mark(state: &str) -> Standing {
    let (tone, word) = match state {
        "there" => ("good", "Nothing due"),
        "due" => ("wait", "A step is due"),
        "under-way" => ("wait", "Under way"),
        "refused" => ("bad", "Nothing offered"),
        "not-known" => ("quiet", "Not known"),
        "paused" => ("bad", "Paused"),
        "given-up" => ("bad", "Given up"),
        "kept" => ("quiet", "Kept"),
        _ => ("wait", "Waits"),
    };
    Standing { tone, word, meaning: "" }
}

/// The page the form stood on: the device's, or that of the phone it names.
fn back(posted: &Posted, id: &DeviceId) -> String {
    match posted.text("phone").parse::<MacAddr>() {
        Ok(mac) => format!("/phones/{mac}"),
        Err(_) => format!("/devices/{id}"),
    }
}

/// `POST /devices/{id}/firmware/now`.
pub(super) async fn now(
    State(console): State<Arc<Console>>,
    Named(id): Named<DeviceId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    posted.by.actor().has(Right::Change)?;
    let input = NowInput { reason: posted.text("reason").to_owned() };
    let done = console.app.firmware_now(&id, input, posted.by.actor()).await;
    told(&posted, done.map(|view| view.summary), &back(&posted, &id))
}

/// `POST /devices/{id}/firmware/ring`.
pub(super) async fn set_ring(
    State(console): State<Arc<Console>>,
    Named(id): Named<DeviceId>,
    posted: Posted,
) -> Result<Response, Trouble> {
    posted.by.actor().has(Right::Change)?;
    // An emptied field is everybody's ring.
    let ring = posted.given("ring").unwrap_or_else(|| GENERAL.to_owned());
    let done = console.app.set_firmware_ring(&id, RingInput { ring }, posted.by.actor()).await;
    told(&posted, done.map(|view| format!("The device is in the firmware ring {}.", view.ring)), &back(&posted, &id))
}
