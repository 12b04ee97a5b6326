//! Steps as shown, the way from a version to another, and steps that somebody wants now.

use crate::{Actor, App, AppError};
use provost_catalog::FirmwareStep;
use provost_core::entry::connector::CheckSyncInput;
use provost_core::entry::firmware::NowInput;
use provost_core::entry::guard::checked_reason;
use provost_core::firmware::Version;
use provost_core::firmware::ladder::{self, Present, Stored};
use provost_core::firmware::step::StepState;
use provost_core::ids::DeviceId;
use provost_core::mac::MacAddr;
use provost_core::rights::Right;
use provost_store::{Page, StepFilter, StepRow};

/// An attempt to lead a phone from one version to another, as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct StepView {
    /// Id, for paging.
    pub id: String,
    /// The phone.
    pub mac: String,
    /// Its device then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Its model.
    pub model: String,
    /// What it ran.
    pub from: String,
    /// What it was led to.
    pub to: String,
    /// Where the steps lead in the end.
    pub target: String,
    /// `offered`, `loading`, `sent`, `done`, `failed` or `withdrawn`.
    pub state: &'static str,
    /// Why it began when it did.
    pub why: String,
    /// Size of the image in bytes.
    pub bytes: u64,
    /// As far as it was sent.
    pub sent: u64,
    /// When it was offered, RFC 3339.
    pub offered_at: String,
    /// The first request for the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// What the phone came back with, or why the step is not offered any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_as: Option<String>,
}

/// A download under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct ProgressView {
    /// As far as the image was sent, in bytes.
    pub sent: u64,
    /// Its size.
    pub bytes: u64,
    /// The same in percent.
    pub percent: u8,
}

/// The way from one version to another.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct LadderView {
    /// In one sentence.
    pub summary: String,
    /// Every step, in order; none where there is no way.
    pub items: Vec<LadderStepView>,
    /// Why there is no way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// One step of the way.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct LadderStepView {
    /// The image.
    pub image: String,
    /// What it replaces: `application` or `updater`.
    pub kind: &'static str,
    /// The version it brings.
    pub version: String,
    /// How well it is known that phones may take this step: `on-hardware`, `vendor-doc`, `public-code`, `community`
    /// or `inferred`.
    pub evidence: &'static str,
    /// Keys of the sources that say so.
    pub source: String,
    /// What to know before relying on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What came of wanting a step now.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct FirmwareNowView {
    /// In one sentence.
    pub summary: String,
}

impl StepView {
    pub(super) fn of(row: StepRow) -> Self {
        let StepRow { step, state, sent, asked, ended, ended_as, .. } = row;
        Self {
            id: step.id,
            mac: step.mac.to_string(),
            device: step.device.map(|device| device.to_string()),
            model: step.model,
            from: step.from.to_string(),
            to: step.to.to_string(),
            target: step.target.to_string(),
            state: state.as_str(),
            why: step.why,
            bytes: step.bytes,
            sent,
            offered_at: step.at.to_string(),
            asked_at: asked.map(|at| at.to_string()),
            ended_at: ended.map(|at| at.to_string()),
            ended_as,
        }
    }
}

fn ladder_step(image: &Stored, step: &FirmwareStep) -> LadderStepView {
    LadderStepView {
        image: image.id.clone(),
        kind: image.kind.as_str(),
        version: image.version.to_string(),
        evidence: step.evidence.as_str(),
        source: step.source.clone(),
        note: step.note.clone(),
    }
}

impl App {
    /// Steps in the actor's scope, newest first.
    ///
    /// # Errors
    /// [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn firmware_steps(
        &self,
        state: Option<StepState>,
        page: Page<'_>,
        by: &Actor,
    ) -> Result<Vec<StepView>, AppError> {
        by.has(Right::Read)?;
        let within = self.store.within(&by.scope).await?;
        let filter = StepFilter { state, mac: None, within: Some(&within) };
        Ok(self.store.firmware_steps(filter, page).await?.into_iter().map(StepView::of).collect())
    }

    /// How far a phone's download is; `None` while it loads nothing.
    pub fn firmware_progress(&self, mac: MacAddr) -> Option<ProgressView> {
        let loading = *crate::locked(&self.leading.loading).get(&mac)?;
        let percent = loading.sent.saturating_mul(100).checked_div(loading.bytes).unwrap_or(100).min(100);
        Some(ProgressView { sent: loading.sent, bytes: loading.bytes, percent: u8::try_from(percent).unwrap_or(100) })
    }

    /// Every step by which a model would be led from a version to another with the images at hand, or why none is.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without such hardware, [`AppError::Forbidden`].
    pub fn firmware_ladder(
        &self,
        model: &str,
        (version, updater): (&Version, Option<&Version>),
        target: &Version,
        by: &Actor,
    ) -> Result<LadderView, AppError> {
        by.has(Right::Read)?;
        let missing = || AppError::NotFound { what: "model", name: model.chars().take(40).collect() };
        let hardware = self.catalog.hardware(model).ok_or_else(missing)?;
        let present = Present { version, updater, revision: None };
        let images = self.images_for(hardware);
        Ok(match ladder::every_step(&self.catalog, hardware, present, (target, &images)) {
            Ok(steps) => {
                let allowed = ladder::allowed_by(&self.catalog, hardware, present, &steps);
                let items: Vec<_> =
                    steps.into_iter().zip(allowed).map(|(image, step)| ladder_step(image, step)).collect();
                let name = &hardware.name;
                let summary = match items.len() {
                    0 => format!("A {name} that runs {version} is there already."),
                    1 => format!("A {name} goes from {version} to {target} in one step."),
                    steps => format!("A {name} goes from {version} to {target} in {steps} steps."),
                };
                LadderView { summary, items, refused: None }
            }
            Err(why) => LadderView { summary: why.clone(), items: Vec::new(), refused: Some(why) },
        })
    }

    /// Wants a device's step now: its window and its ring are not waited for, and what failed before is tried again.
    /// Where the phone can be reached it is told to look at once.
    ///
    /// # Errors
    /// [`AppError::Fields`], [`AppError::NotFound`], [`AppError::Forbidden`], [`AppError::Refused`] without a phone.
    pub async fn firmware_now(&self, id: &DeviceId, input: NowInput, by: &Actor) -> Result<FirmwareNowView, AppError> {
        let device = self.may_device(by, Right::Change, id).await?;
        let reason = checked_reason(&input.reason)?;
        if self.store.phone_of(id).await?.is_none() {
            return Err(AppError::Refused {
                code: "device-has-no-phone",
                message: "no phone is bound to this device, so there is none to lead".to_owned(),
                reference: crate::error_reference(),
            });
        }
        let site = self.store.site_of_device(id).await?;
        let what = format!("wanted the firmware step of {id} now");
        let entry = self.audit_entry(by, what, Some(&reason)).about(&device.account, site.as_ref());
        self.store.audited(entry).want_firmware_now(id, &reason).await?;
        self.answers.changed();
        let told = self.check_sync(id, CheckSyncInput { reboot: None, reason: Some(reason) }, by).await;
        let summary = match told {
            Ok(told) => format!("Its step may begin at once, within a day. {}", told.summary),
            Err(error) => format!(
                "Its step may begin when the phone asks next, within a day; it could not be told to ask now: {error}."
            ),
        };
        Ok(FirmwareNowView { summary })
    }
}
