//! Policies, rings and pauses as administrators set them.

use crate::alarms::AlarmKind;
use crate::{Actor, App, AppError, error_reference, locked};
use provost_core::entry::firmware::{NewPolicy, PauseInput, PolicyInput, RingInput};
use provost_core::firmware::policy::{GENERAL, Goal, Place, Policy, SLOTS, Window};
use provost_core::firmware::{ImageKind, Version};
use provost_core::ids::{AccountId, DeviceId};
use provost_core::rights::{Right, Scope};
use provost_core::time::UnixMillis;
use provost_store::{Page, PauseRow, PolicyRow, Store};

/// All policies with their pauses.
#[derive(Debug, Default)]
pub(super) struct Policies {
    rows: Vec<PolicyRow>,
    /// What the rules read.
    pub(super) plain: Vec<Policy>,
    pauses: Vec<PauseRow>,
}

/// A policy as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PolicyView {
    /// Id.
    pub id: String,
    /// What it is for, in words.
    pub reach: String,
    /// The account it belongs to; absent for the whole server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The site it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// The model it is for; absent for every one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The ring it is for; absent for every one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ring: Option<String>,
    /// `newest`, `keep` or a version.
    pub target: String,
    /// When steps may begin, in the site's time.
    pub window: String,
    /// Downloads at a time at one site.
    pub slots: u32,
    /// The ring that goes first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_ring: Option<String>,
    /// For how many hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<u32>,
    /// From so many failures on a version is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most_failures: Option<u32>,
    /// Why it is so.
    pub reason: String,
    /// Since when, RFC 3339.
    pub changed_at: String,
    /// The versions that are paused.
    pub paused: Vec<PauseView>,
    /// What of it leads nowhere yet: a version no image of is stored, a ring without a device.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

/// A paused version as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct PauseView {
    /// The version.
    pub version: String,
    /// Since when, RFC 3339.
    pub since: String,
    /// After so many failures; 0 where somebody paused it.
    pub failures: u32,
}

/// A device's ring as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct RingView {
    /// The device.
    pub device: String,
    /// Its ring.
    pub ring: String,
}

impl Policies {
    pub(super) async fn load(store: &Store) -> Result<Self, AppError> {
        let rows = store.firmware_policies().await?;
        let plain = rows.iter().map(|row| row.policy.clone()).collect();
        Ok(Self { rows, plain, pauses: store.firmware_pauses().await? })
    }

    /// Whether a version is paused under a policy.
    pub(super) fn pause(&self, policy: &str, version: &Version) -> Option<&PauseRow> {
        self.pauses.iter().find(|row| row.policy == policy && row.version == *version && row.resumed.is_none())
    }

    /// The versions that are paused under a policy.
    fn pauses_of(&self, policy: &str) -> impl Iterator<Item = &PauseRow> {
        self.pauses.iter().filter(move |row| row.policy == policy && row.resumed.is_none())
    }

    /// The account a policy belongs to.
    pub(super) fn account(&self, id: &str) -> Option<AccountId> {
        self.rows.iter().find(|row| row.policy.id == id)?.account.clone()
    }

    /// Since when failures with a version count: since it was resumed last, or the policy was made.
    pub(super) fn counted_since(&self, policy: &str, version: &Version) -> UnixMillis {
        let made = self.rows.iter().find(|row| row.policy.id == policy).map(|row| row.changed);
        let of_version = self.pauses.iter().filter(|row| row.policy == policy && row.version == *version);
        of_version.filter_map(|row| row.resumed).chain(made).max().unwrap_or_default()
    }

    fn row(&self, id: &str) -> Option<&PolicyRow> {
        self.rows.iter().find(|row| row.policy.id == id)
    }
}

/// How far a policy reaches.
pub(super) fn scope_of(place: &Place, account: Option<&AccountId>) -> Scope {
    match (place, account) {
        (Place::Account(account), _) => Scope::Account(account.clone()),
        (Place::Site(site), Some(account)) => Scope::Site { account: account.clone(), site: site.clone() },
        // Without its account a site reaches nobody.
        (Place::Site(_) | Place::Platform, _) => Scope::Platform,
    }
}

/// What an alarm about a policy's paused version is about: whoever is responsible for its phones sees it.
pub(super) fn alarm_subject(policy: &Policy, account: Option<&AccountId>) -> String {
    match (&policy.place, account) {
        (Place::Site(site), _) => site.to_string(),
        (_, Some(account)) => account.to_string(),
        (_, None) => policy.id.clone(),
    }
}

impl App {
    pub(crate) async fn reload_policies(&self) -> Result<(), AppError> {
        let loaded = Policies::load(&self.store).await?;
        *locked(&self.leading.policies) = std::sync::Arc::new(loaded);
        self.answers.changed();
        Ok(())
    }

    /// The policies in the actor's scope.
    ///
    /// # Errors
    /// [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn firmware_policies(&self, by: &Actor) -> Result<Vec<PolicyView>, AppError> {
        by.has(Right::Read)?;
        let policies = self.leading.policies();
        let rings = self.store.firmware_rings_in_use().await?;
        let mut views = Vec::new();
        for row in &policies.rows {
            if self.sees_policy(by, row).await? {
                views.push(PolicyView { remarks: self.remarks(&row.policy, &rings), ..view(&policies, row) });
            }
        }
        Ok(views)
    }

    /// What of a policy leads nowhere yet.
    fn remarks(&self, policy: &Policy, rings: &[String]) -> Vec<String> {
        let mut remarks = Vec::new();
        if let Goal::Version(version) = &policy.goal
            && !self
                .firmware
                .images
                .rows()
                .iter()
                .any(|row| row.kind == ImageKind::Application && row.version == *version)
        {
            remarks.push(format!("No image of {version} is stored, so nothing is offered until one is."));
        }
        let first = policy.after.as_ref().map(|after| &after.ring);
        for ring in policy.ring.iter().chain(first).filter(|ring| ring.as_str() != GENERAL && !rings.contains(*ring)) {
            remarks.push(match first {
                Some(first) if first == ring => {
                    format!("No device is in the ring {ring}, so the others wait for ever.")
                }
                _ => format!("No device is in the ring {ring}, so it is for nobody."),
            });
        }
        remarks
    }

    async fn sees_policy(&self, by: &Actor, row: &PolicyRow) -> Result<bool, AppError> {
        let site = match &row.policy.place {
            Place::Site(site) => Some(site),
            Place::Platform | Place::Account(_) => None,
        };
        match &row.account {
            Some(account) => self.sees(by, account, site).await,
            None => Ok(by.scope == Scope::Platform),
        }
    }

    /// Makes a policy, or puts it in the place of the one for the same phones.
    ///
    /// # Errors
    /// [`AppError::Fields`]; [`AppError::OutOfScope`] for the whole server, [`AppError::NotFound`] outside the scope,
    /// [`AppError::Forbidden`].
    pub async fn set_firmware_policy(&self, input: PolicyInput, by: &Actor) -> Result<PolicyView, AppError> {
        let new = input.check(&self.catalog)?;
        let account = self.may_place(by, &new.place).await?;
        let at = self.now();
        let id = locked(&self.event_ids).next(at).to_ascii_lowercase();
        let NewPolicy { place, model, ring, goal, window, slots, after, reason } = new;
        let policy = Policy { id, place, model, ring, goal, window, slots, after };
        let words = format!("set the firmware of {} to {}", policy.reach_words(), policy.goal);
        let row = PolicyRow { policy, account, reason, changed: at };
        let entry = self.about_policy(by, words, &row);
        let id = self.store.audited(entry).set_firmware_policy(&row).await?;
        self.reload_policies().await?;
        let remarks = self.remarks(&row.policy, &self.store.firmware_rings_in_use().await?);
        Ok(PolicyView { remarks, ..self.shown_policy(&id)? })
    }

    /// Takes a policy away; the reason is kept.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without such a policy in the scope, [`AppError::Forbidden`], [`AppError::Fields`] without a
    /// reason.
    pub async fn remove_firmware_policy(&self, id: &str, reason: &str, by: &Actor) -> Result<PolicyView, AppError> {
        let row = self.may_policy(by, id).await?;
        let reason = provost_core::entry::guard::checked_reason(reason)?;
        let shown = self.shown_policy(id)?;
        let what = format!("took away the firmware policy for {}", shown.reach);
        let entry = provost_store::AuditEntry { why: Some(reason), ..self.about_policy(by, what, &row) };
        self.store.audited(entry).remove_firmware_policy(id).await?;
        self.reload_policies().await?;
        self.end_alarm_of_pauses(&row).await?;
        Ok(shown)
    }

    /// Pauses a version under a policy.
    ///
    /// # Errors
    /// [`AppError::Conflict`] when it is paused; as [`App::remove_firmware_policy`].
    pub async fn pause_firmware(&self, id: &str, input: PauseInput, by: &Actor) -> Result<PolicyView, AppError> {
        let row = self.may_policy(by, id).await?;
        let (version, reason) = input.check(&self.catalog)?;
        let at = self.now();
        let what = format!("paused firmware {version} for {}", row.policy.reach_words());
        let entry = provost_store::AuditEntry { why: Some(reason), ..self.about_policy(by, what, &row) };
        let pause_id = locked(&self.event_ids).next(at);
        let pause = PauseRow { id: pause_id, policy: id.to_owned(), version, at, failures: 0, resumed: None };
        if !self.store.audited(entry).pause_firmware(&pause).await? {
            return Err(AppError::Conflict { message: format!("firmware {} is paused already", pause.version) });
        }
        self.reload_policies().await?;
        self.shown_policy(id)
    }

    /// Resumes a version under a policy: failures of before count no more.
    ///
    /// # Errors
    /// [`AppError::Conflict`] when it is not paused; as [`App::remove_firmware_policy`].
    pub async fn resume_firmware(&self, id: &str, input: PauseInput, by: &Actor) -> Result<PolicyView, AppError> {
        let row = self.may_policy(by, id).await?;
        let (version, reason) = input.check(&self.catalog)?;
        let what = format!("resumed firmware {version} for {}", row.policy.reach_words());
        let entry = provost_store::AuditEntry { why: Some(reason), ..self.about_policy(by, what, &row) };
        if self.leading.policies().pause(id, &version).is_none() {
            return Err(AppError::Conflict { message: format!("firmware {version} is not paused under this policy") });
        }
        self.store.audited(entry).resume_firmware(id, &version).await?;
        self.reload_policies().await?;
        self.end_alarm_of_pauses(&row).await?;
        self.shown_policy(id)
    }

    /// Ends the alarm about paused versions once none is paused where it is about.
    async fn end_alarm_of_pauses(&self, row: &PolicyRow) -> Result<(), AppError> {
        let policies = self.leading.policies();
        let subject = alarm_subject(&row.policy, row.account.as_ref());
        let same = |other: &&PolicyRow| alarm_subject(&other.policy, other.account.as_ref()) == subject;
        let is_paused = |other: &PolicyRow| policies.pauses_of(&other.policy.id).next().is_some();
        if policies.rows.iter().filter(same).any(is_paused) {
            return Ok(());
        }
        Ok(self.store.end_alarm_about(AlarmKind::FirmwarePaused.as_str(), &subject, self.now()).await?)
    }

    /// The devices in other rings than everybody's.
    ///
    /// # Errors
    /// [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn firmware_rings(&self, page: Page<'_>, by: &Actor) -> Result<Vec<RingView>, AppError> {
        by.has(Right::Read)?;
        let within = self.store.within(&by.scope).await?;
        let rows = self.store.firmware_rings(&within, page).await?;
        Ok(rows.into_iter().map(|row| RingView { device: row.device.to_string(), ring: row.ring }).collect())
    }

    /// Puts a device into a ring.
    ///
    /// # Errors
    /// [`AppError::Fields`], [`AppError::NotFound`], [`AppError::Forbidden`].
    pub async fn set_firmware_ring(&self, id: &DeviceId, input: RingInput, by: &Actor) -> Result<RingView, AppError> {
        let device = self.may_device(by, Right::Change, id).await?;
        let ring = input.check(&self.catalog)?;
        let shown = ring.as_deref().unwrap_or(GENERAL).to_owned();
        let site = self.store.site_of_device(id).await?;
        let what = format!("put {id} into the firmware ring {shown}");
        let entry = self.audit_entry(by, what, None).about(&device.account, site.as_ref());
        self.store.audited(entry).set_firmware_ring(id, ring.as_deref()).await?;
        self.answers.changed();
        Ok(RingView { device: id.to_string(), ring: shown })
    }

    /// The account of a place, if the actor may change policies there.
    async fn may_place(&self, by: &Actor, place: &Place) -> Result<Option<AccountId>, AppError> {
        match place {
            Place::Platform => {
                by.may_platform(Right::Platform)?;
                Ok(None)
            }
            Place::Account(account) => {
                self.may(by, Right::Change, account, None).await?;
                if self.store.account(account).await?.is_none() {
                    return Err(AppError::NotFound { what: "account", name: account.to_string() });
                }
                Ok(Some(account.clone()))
            }
            Place::Site(id) => {
                let missing = || AppError::NotFound { what: "site", name: id.to_string() };
                let account = self.store.site(id).await?.ok_or_else(missing)?.site.account;
                if !self.sees(by, &account, Some(id)).await? {
                    return Err(missing());
                }
                by.has(Right::Change)?;
                Ok(Some(account))
            }
        }
    }

    async fn may_policy(&self, by: &Actor, id: &str) -> Result<PolicyRow, AppError> {
        let missing = || AppError::NotFound { what: "firmware policy", name: id.chars().take(40).collect() };
        let row = self.leading.policies().row(id).cloned().ok_or_else(missing)?;
        if !self.sees_policy(by, &row).await? {
            return Err(missing());
        }
        self.may_place(by, &row.policy.place).await?;
        Ok(row)
    }

    fn about_policy(&self, by: &Actor, what: String, row: &PolicyRow) -> provost_store::AuditEntry {
        let entry = self.audit_entry(by, what, Some(&row.reason));
        let site = match &row.policy.place {
            Place::Site(site) => Some(site),
            Place::Platform | Place::Account(_) => None,
        };
        match &row.account {
            Some(account) => entry.about(account, site),
            None => entry,
        }
    }

    fn shown_policy(&self, id: &str) -> Result<PolicyView, AppError> {
        let policies = self.leading.policies();
        let row = policies.row(id).ok_or_else(|| AppError::Refused {
            code: "changed-meanwhile",
            message: "somebody took this policy away meanwhile; look at the list".to_owned(),
            reference: error_reference(),
        })?;
        Ok(view(&policies, row))
    }
}

fn view(policies: &Policies, row: &PolicyRow) -> PolicyView {
    let policy = &row.policy;
    let paused = policies.pauses_of(&policy.id).map(|pause| PauseView {
        version: pause.version.to_string(),
        since: pause.at.to_string(),
        failures: pause.failures,
    });
    let site = match &policy.place {
        Place::Site(site) => Some(site.to_string()),
        Place::Platform | Place::Account(_) => None,
    };
    PolicyView {
        id: policy.id.clone(),
        reach: policy.reach_words(),
        account: row.account.as_ref().map(ToString::to_string),
        site,
        model: policy.model.clone(),
        ring: policy.ring.clone(),
        target: policy.goal.to_string(),
        window: policy.window.unwrap_or(Window::NIGHT).to_string(),
        slots: policy.slots.unwrap_or(SLOTS),
        after_ring: policy.after.as_ref().map(|after| after.ring.clone()),
        hours: policy.after.as_ref().map(|after| after.hours),
        most_failures: policy.after.as_ref().map(|after| after.most_failures),
        reason: row.reason.clone(),
        changed_at: row.changed.to_string(),
        paused: paused.collect(),
        remarks: Vec::new(),
    }
}
