//! Which versions phones run, and how it stands with the firmware of one device.

use super::due::{Asks, Due};
use super::steps::{ProgressView, StepView};
use crate::{Actor, App, AppError};
use provost_core::firmware::Version;
use provost_core::firmware::policy::Goal;
use provost_core::firmware::{FirmwareLevel, judge};
use provost_core::ids::DeviceId;
use provost_core::mac::MacAddr;
use provost_core::rights::Right;
use provost_store::{Page, StepFilter};

/// So many phones of a model run a version, as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct SpreadView {
    /// The model's id; absent where the phones did not say.
    pub model: Option<String>,
    /// Its name.
    pub model_name: Option<String>,
    /// The version; absent where the phones did not say.
    pub firmware: Option<String>,
    /// How many phones.
    pub phones: i64,
    /// `below-floor`, `not-secure`, `below-target`, `good` or `not-known`.
    pub level: &'static str,
    /// Whether its maker ended it, or nothing newer leads further for this model.
    pub end_of_life: bool,
}

/// The firmware of a device as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct DeviceFirmwareView {
    /// The device.
    pub device: String,
    /// Its phone.
    pub mac: String,
    /// What it runs.
    pub runs: Option<String>,
    /// Its updater.
    pub updater: Option<String>,
    /// `below-floor`, `not-secure`, `below-target`, `good` or `not-known`.
    pub level: &'static str,
    /// `newest`, `keep` or the version it is to run.
    pub target: String,
    /// Which policy says so and why that one.
    pub policy: String,
    /// Its ring.
    pub ring: String,
    /// What happens next, in a sentence.
    pub next: String,
    /// The version of the step it is in, or of the one that is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_version: Option<String>,
    /// A stable word: `there`, `due`, `under-way`, `refused`, `not-known`, or what is waited for.
    pub state: &'static str,
    /// The download under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<ProgressView>,
    /// Its last attempts, newest first.
    pub attempts: Vec<StepView>,
}

/// What happens next with a phone's firmware.
#[derive(Debug, Clone)]
pub(crate) struct NextStep {
    pub(crate) state: &'static str,
    pub(crate) sentence: String,
    pub(crate) version: Option<Version>,
    pub(crate) target: String,
    pub(crate) policy: String,
    pub(crate) ring: String,
}

impl NextStep {
    /// Whether it says something of the very phone.
    pub(crate) fn says_more(&self) -> bool {
        !matches!(self.state, "there" | "not-known")
    }
}

/// Attempts that are shown with a device.
const ATTEMPTS: Page<'static> = Page { after: "", limit: 20 };

impl App {
    /// How many phones in the actor's scope run which version.
    ///
    /// # Errors
    /// [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn firmware_spread(&self, by: &Actor) -> Result<Vec<SpreadView>, AppError> {
        by.has(Right::Read)?;
        let within = self.store.within(&by.scope).await?;
        self.recorder.flush().await;
        let rows = self.store.firmware_spread(&within).await?;
        let view = |row: provost_store::SpreadRow| {
            let hardware = row.model.as_deref().and_then(|model| self.catalog.hardware(model));
            let runs = row.firmware.as_deref().and_then(|text| text.parse().ok());
            SpreadView {
                model_name: hardware.map(|hardware| hardware.name.clone()),
                level: judge(hardware, runs.as_ref(), None).level.as_str(),
                end_of_life: hardware.is_some_and(|hardware| {
                    let model = self.catalog.model(&hardware.id);
                    hardware.line.is_none() || model.is_some_and(|model| model.end_of_life.is_some())
                }),
                model: row.model,
                firmware: row.firmware,
                phones: row.phones,
            }
        };
        Ok(rows.into_iter().map(view).collect())
    }

    /// What a device's phone runs, is to run, and what happens next; `None` for a device without a phone.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without such a device in the scope.
    pub async fn device_firmware(&self, id: &DeviceId, by: &Actor) -> Result<Option<DeviceFirmwareView>, AppError> {
        self.may_device(by, Right::Read, id).await?;
        let Some(mac) = self.store.phone_of(id).await? else { return Ok(None) };
        self.recorder.flush().await;
        let phone = self.store.phone(mac).await?;
        let model = phone.as_ref().and_then(|phone| phone.model.clone());
        let hardware = model.as_deref().and_then(|model| self.catalog.hardware(model));
        let runs = phone.as_ref().and_then(|phone| phone.firmware.clone());
        let version: Option<Version> = runs.as_deref().and_then(|text| text.parse().ok());
        let next = self.next_step_of(mac).await?;
        let filter = StepFilter { state: None, mac: Some(mac), within: None };
        // What happened while it was another's is that one's.
        let attempts = self.store.firmware_steps(filter, ATTEMPTS).await?;
        let attempts = attempts.into_iter().filter(|row| row.step.device.as_ref() == Some(id)).map(StepView::of);
        Ok(Some(DeviceFirmwareView {
            device: id.to_string(),
            mac: mac.to_string(),
            updater: phone.and_then(|phone| phone.updater),
            level: hardware.map_or(FirmwareLevel::NotKnown, |_| judge(hardware, version.as_ref(), None).level).as_str(),
            runs,
            target: next.target,
            policy: next.policy,
            ring: next.ring,
            next: next.sentence,
            next_version: next.version.map(|version| version.to_string()),
            state: next.state,
            progress: self.firmware_progress(mac),
            attempts: attempts.collect(),
        }))
    }

    /// What happens next with a phone's firmware, by what it said last; changes nothing.
    pub(crate) async fn next_step_of(&self, mac: MacAddr) -> Result<NextStep, AppError> {
        let phone = self.store.phone(mac).await?;
        let version = |text: Option<&String>| text.and_then(|text| text.parse::<Version>().ok());
        let hardware =
            phone.as_ref().and_then(|phone| phone.model.as_deref()).and_then(|model| self.catalog.hardware(model));
        let runs = version(phone.as_ref().and_then(|phone| phone.firmware.as_ref()));
        let (Some(hardware), Some(runs)) = (hardware, runs) else {
            return Ok(NextStep {
                state: "not-known",
                sentence: "It has not said what it is and runs, so nothing is offered.".to_owned(),
                version: None,
                target: "newest".to_owned(),
                policy: "which policy counts shows once it has asked".to_owned(),
                ring: provost_core::firmware::policy::GENERAL.to_owned(),
            });
        };
        let updater = version(phone.as_ref().and_then(|phone| phone.updater.as_ref()));
        let stand = self.stand_of((mac, hardware), (runs, updater), false, self.now()).await?;
        let counts = self.counts(&stand);
        let runs = &stand.runs;
        let open = self.store.open_firmware_step(mac).await?;
        let (state, sentence, version) = match open {
            Some(row) => {
                let (from, to, state) = (&row.step.from, &row.step.to, row.state);
                ("under-way", format!("It is on its way from {from} to {to}: {state}."), Some(row.step.to.clone()))
            }
            None => match self.due(&stand, Asks::Nobody).await? {
                Due::There if *counts.goal() == Goal::Keep => {
                    ("kept", format!("Its policy keeps it at {runs}: nothing is offered, whatever is stored."), None)
                }
                Due::There => ("there", format!("It runs {runs}; nothing is due."), None),
                Due::No { why, .. } => ("refused", format!("Nothing is offered: {why}."), None),
                Due::Wait(wait) => (wait.as_str(), format!("It waits: {wait}."), None),
                Due::Take(take) => {
                    let to = take.step.to.clone();
                    (
                        "due",
                        format!("When it asks next and is in no call, it is offered {to}, if a slot is free."),
                        Some(to),
                    )
                }
            },
        };
        Ok(NextStep {
            state,
            sentence,
            version,
            target: counts.goal().to_string(),
            policy: counts.why.clone(),
            ring: stand.ring().to_owned(),
        })
    }
}
