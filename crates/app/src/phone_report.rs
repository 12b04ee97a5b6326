//! What an administrator sees of one phone: its state, its timeline, its configuration with origins.

use crate::strangers::{Stranger, Treated};
use crate::{Actor, App, AppError, ClaimantView, DeviceView, MoveView, locked};
use provost_catalog::Version;
use provost_core::fingerprint::Fingerprint;
use provost_core::identity::CertificateStatus;
use provost_core::mac::MacAddr;
use provost_core::render::{self, Effective, Shown, Target};
use provost_core::rights::{Right, Scope};
use provost_core::sentence::Entry;
use provost_core::time::UnixMillis;
use provost_store::{AuditEntry, EventRow, Page, PhoneRow, StandingRow, Within};

/// The certificate of a phone as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct CertificateView {
    /// Status in the contract's words.
    pub status: &'static str,
    /// Why it was refused, or a remark.
    pub reason: Option<String>,
}

/// A phone as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PhoneView {
    /// MAC.
    pub mac: String,
    /// Model id, where known.
    pub model: Option<String>,
    /// Model name, where known.
    pub model_name: Option<String>,
    /// Application version.
    pub firmware: Option<String>,
    /// Updater version.
    pub updater: Option<String>,
    /// Certificate: of the last proven contact, else of whoever asked in its name.
    pub certificate: CertificateView,
    /// SHA-256 of the certificate of the last proven contact, as the block list takes it.
    pub fingerprint: Option<String>,
    /// The last time somebody asked in its name and was refused.
    pub last_refused: Option<CertificateView>,
    /// Address of the last proven contact.
    pub address: Option<String>,
    /// First proven contact.
    pub first_seen: Option<String>,
    /// Last proven contact.
    pub last_seen: Option<String>,
    /// The device it is bound to.
    pub device: Option<DeviceView>,
    /// How far it has come on the way to a new server address; absent for a phone that does not move.
    #[serde(rename = "move")]
    pub moving: Option<MoveView>,
    /// Every device that names or has it, where there are several and the asker sees them all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clash: Vec<ClaimantView>,
}

/// One entry of a timeline as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct TimelineItem {
    /// RFC 3339.
    pub at: String,
    /// What happened.
    pub sentence: String,
    /// What kind of thing.
    pub kind: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
    /// The short word that somebody was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// A page of a timeline.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct TimelinePage {
    /// Newest first.
    pub items: Vec<TimelineItem>,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl App {
    /// One phone: proven, or at least asked for by somebody, or named by a device.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when nothing is known of it in the actor's scope, [`AppError::Forbidden`].
    pub async fn phone(&self, mac: MacAddr, by: &Actor) -> Result<PhoneView, AppError> {
        self.may_phone(by, Right::Read, mac).await?;
        self.recorder.flush().await;
        let row = self.store.phone(mac).await?;
        let strangers = locked(&self.strangers).who_asked_for(mac, self.now());
        let device = self.device_of(mac, by).await?;
        if row.is_none() && strangers.is_empty() && device.is_none() {
            return Err(AppError::NotFound { what: "phone", name: mac.to_string() });
        }
        let (moving, clash) = (self.move_of(mac).await?, self.clash(mac, by).await?);
        Ok(PhoneView { moving, clash, ..self.phone_view(mac, row, strangers.first(), device) })
    }

    /// The device the phone is bound to, else the only one that names it.
    async fn device_of(&self, mac: MacAddr, by: &Actor) -> Result<Option<DeviceView>, AppError> {
        let device = match self.store.standing(mac).await? {
            StandingRow::Bound { device, .. } => device,
            // It has another phone now.
            StandingRow::SetAside { .. } => return Ok(None),
            StandingRow::Unbound(named) => match named.as_slice() {
                [one] => one.device.clone(),
                _ => return Ok(None),
            },
        };
        Ok(Some(self.device(&device, by).await?))
    }

    /// Whether the actor may do this to the phone: it belongs to the account of the device it is bound to, else of the
    /// one device that names it; nobody's phones, and those that several accounts name, to who sees all of these.
    ///
    /// # Errors
    /// [`AppError::NotFound`] outside the scope, exactly as for a phone that never was; [`AppError::Forbidden`].
    pub async fn may_phone(&self, by: &Actor, right: Right, mac: MacAddr) -> Result<(), AppError> {
        if self.sees_phone(by, mac).await? {
            by.has(right)
        } else {
            Err(AppError::NotFound { what: "phone", name: mac.to_string() })
        }
    }

    /// Whether the phone is in the actor's scope.
    pub(crate) async fn sees_phone(&self, by: &Actor, mac: MacAddr) -> Result<bool, AppError> {
        if by.scope == Scope::Platform {
            return Ok(true);
        }
        let mut claimants = self.store.claimants(mac).await?;
        if claimants.iter().any(|claimant| claimant.bound) {
            claimants.retain(|claimant| claimant.bound);
        }
        for claimant in &claimants {
            if !self.sees(by, &claimant.account, claimant.site.as_ref()).await? {
                return Ok(false);
            }
        }
        Ok(!claimants.is_empty())
    }

    /// The entry of something done to a phone, in the account it belongs to.
    pub(crate) async fn about_phone(&self, entry: AuditEntry, mac: MacAddr) -> Result<AuditEntry, AppError> {
        let claimants = self.store.claimants(mac).await?;
        let owner = match claimants.as_slice() {
            [one] => Some(one),
            several => several.iter().find(|claimant| claimant.bound),
        };
        Ok(match owner {
            Some(claimant) => entry.about(&claimant.account, claimant.site.as_ref()),
            None => entry,
        })
    }

    fn phone_view(
        &self,
        mac: MacAddr,
        row: Option<PhoneRow>,
        stranger: Option<&Stranger>,
        device: Option<DeviceView>,
    ) -> PhoneView {
        let seen = stranger.map(|s| CertificateView { status: s.certificate.as_str(), reason: Some(s.reason.clone()) });
        let is_refused = stranger.is_some_and(|stranger| stranger.treated != Treated::ReadHttpBootstrap);
        let last_refused = seen.clone().filter(|_| is_refused);
        let certificate = match &row {
            Some(row) => CertificateView { status: row.certificate.as_str(), reason: row.certificate_note.clone() },
            None => seen.unwrap_or(CertificateView {
                status: CertificateStatus::NonePresented.as_str(),
                reason: Some("this phone has not been here".to_owned()),
            }),
        };
        let model = row.as_ref().and_then(|row| row.model.clone());
        PhoneView {
            mac: mac.to_string(),
            model_name: model.as_deref().and_then(|id| self.catalog.model(id)).map(|model| model.name.value.clone()),
            model,
            firmware: row.as_ref().and_then(|row| row.firmware.clone()),
            updater: row.as_ref().and_then(|row| row.updater.clone()),
            certificate,
            fingerprint: row.as_ref().and_then(|row| row.fingerprint).map(|sha256| Fingerprint(sha256).to_string()),
            last_refused,
            address: row.as_ref().map(|row| row.address.clone()),
            first_seen: row.as_ref().map(|row| row.first_seen.to_string()),
            last_seen: row.as_ref().map(|row| row.last_seen.to_string()),
            device,
            moving: None,
            clash: Vec::new(),
        }
    }

    /// Lists proven phones by MAC.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn phones(&self, page: Page<'_>, by: &Actor) -> Result<Vec<PhoneView>, AppError> {
        by.has(Right::Read)?;
        self.recorder.flush().await;
        let within = self.store.within(&by.scope).await?;
        let rows = self.store.phones(&within, page).await?;
        let mut views = Vec::with_capacity(rows.len());
        for row in rows {
            let (device, moving) = (self.device_of(row.mac, by).await?, self.move_of(row.mac).await?);
            views.push(PhoneView { moving, ..self.phone_view(row.mac, Some(row), None, device) });
        }
        Ok(views)
    }

    /// The proven phones that no device is bound to or names, the last seen first.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn unclaimed_phones(&self, limit: u32, by: &Actor) -> Result<Vec<PhoneView>, AppError> {
        if by.scope != Scope::Platform {
            return Ok(Vec::new());
        }
        by.has(Right::Read)?;
        self.recorder.flush().await;
        let rows = self.store.unclaimed_phones(limit).await?;
        Ok(rows.into_iter().map(|row| self.phone_view(row.mac, Some(row), None, None)).collect())
    }

    /// A phone's timeline, newest first, from when it was last somebody's outside the actor's accounts. The first page also holds those who asked in its name without
    /// proof, and handshakes that failed where it was last seen: they are kept in memory only.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn timeline(
        &self,
        mac: MacAddr,
        before: Option<&str>,
        limit: u32,
        by: &Actor,
    ) -> Result<TimelinePage, AppError> {
        self.may_phone(by, Right::Read, mac).await?;
        self.recorder.flush().await;
        let since = self.store.left_others(mac, &self.accounts_within(by).await?).await?;
        let rows: Vec<_> = self.store.timeline(mac, before, limit).await?;
        let rows: Vec<_> = rows.into_iter().filter(|row| since.is_none_or(|since| row.at > since)).collect();
        let full = u32::try_from(rows.len()).is_ok_and(|found| found >= limit);
        let next = rows.last().filter(|_| full).map(|row| row.id.clone());
        let mut items: Vec<_> = rows.into_iter().map(|row| (row.at, timeline_item(row))).collect();
        if before.is_none() {
            let strangers = locked(&self.strangers).who_asked_for(mac, self.now());
            let of_stranger = |s: &Stranger| (s.at, unproven_item(s.at, s.entry(), s.times));
            items.extend(strangers.iter().map(of_stranger));
            let on_page = self.refused_on_page(mac).into_iter();
            items.extend(on_page.map(|(at, entry)| (at, unproven_item(at, entry, 1))));
            let phone = self.store.phone(mac).await?;
            let failed = self.failed_handshakes_of(mac, phone.as_ref().map(|row| row.address.as_str())).await?;
            items.extend(failed.into_iter().map(|(at, entry, times)| (at, unproven_item(at, entry, times))));
            items.retain(|(at, _)| since.is_none_or(|since| *at > since));
            items.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
            // Strangers are many when somebody tries: they do not lengthen the page by more than itself.
            items.truncate(usize::try_from(limit).unwrap_or(usize::MAX).saturating_mul(2));
        }
        Ok(TimelinePage { items: items.into_iter().map(|(_, item)| item).collect(), next })
    }

    /// The accounts of the actor's scope: for who has a site, its account.
    async fn accounts_within(&self, by: &Actor) -> Result<Within, AppError> {
        match &by.scope {
            Scope::Site { account, .. } => Ok(Within::Account(account.clone())),
            scope => Ok(self.store.within(scope).await?),
        }
    }

    /// Everybody who asked without proof, newest first.
    ///
    /// # Errors
    /// [`AppError::OutOfScope`], [`AppError::Forbidden`]: who they are nobody knows, so they are the whole server's.
    pub fn strangers(&self, by: &Actor) -> Result<Vec<Stranger>, AppError> {
        by.may_platform(Right::Read)?;
        Ok(locked(&self.strangers).all(self.now()))
    }

    /// What a bound phone is told, value by value with the layer that set it; secrets are masked.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for a phone that is not bound.
    pub async fn configuration(&self, mac: MacAddr, by: &Actor) -> Result<Vec<Effective>, AppError> {
        self.may_phone(by, Right::Read, mac).await?;
        let bound = self.gather(mac).await?;
        let model = self.catalog.model(&bound.model);
        let model = model.ok_or_else(|| AppError::NotFound { what: "model", name: bound.model.clone() })?;
        let phone = self.store.phone(mac).await?;
        let said: Option<Version> = phone.and_then(|row| row.firmware).and_then(|text| text.parse().ok());
        let firmware = said.unwrap_or_else(|| model.firmware.reference.value.clone());
        let target = Target { catalog: &self.catalog, model, firmware: &firmware };
        let mut values = render::configuration(target, &bound, &self.told.time_server_of(&bound.pin), self.now())?;
        for value in values.iter_mut().filter(|value| value.shown == Shown::OnReveal) {
            value.value = crate::configuration::HIDDEN.to_owned();
        }
        Ok(values)
    }

    /// Names, sizes in bytes and times of what a phone uploaded; none of a phone that others had and nobody has now.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn uploads(&self, mac: MacAddr, by: &Actor) -> Result<Vec<(String, i64, String)>, AppError> {
        self.may_phone(by, Right::Read, mac).await?;
        let others = self.store.left_others(mac, &self.accounts_within(by).await?).await?;
        // A phone that becomes another device's loses its files; until then they are of who had it before.
        if others.is_some() && self.store.bound(mac).await?.is_none() {
            return Ok(Vec::new());
        }
        let files = self.store.uploads(mac).await?;
        Ok(files.into_iter().map(|(name, size, at)| (name, size, at.to_string())).collect())
    }
}

pub(crate) fn timeline_item(row: EventRow) -> TimelineItem {
    TimelineItem {
        at: row.at.to_string(),
        sentence: row.sentence,
        kind: row.kind,
        advice: row.advice,
        reference: row.reference,
    }
}

fn unproven_item(at: UnixMillis, entry: Entry, times: u64) -> TimelineItem {
    let times = if times > 1 { format!(" This happened {times} times.") } else { String::new() };
    TimelineItem {
        at: at.to_string(),
        sentence: format!("{}{times}", entry.sentence),
        kind: entry.kind.as_str().to_owned(),
        advice: entry.advice,
        reference: entry.reference,
    }
}
