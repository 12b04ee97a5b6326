//! What is remembered of devices, as shown.

use super::Home;
use crate::phone_report::timeline_item;
use crate::{Actor, App, AppError, MacText, TimelinePage};
use provost_core::ids::DeviceId;
use provost_core::lifecycle::RESTORABLE_DAYS;
use provost_core::rights::Right;
use provost_core::time::UnixMillis;
use provost_store::{DevicePhone, EventRow, Page, ReleaseRow};

/// A phone that a device has or had, as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct DevicePhoneView {
    /// The phone.
    pub mac: MacText,
    /// When it was bound.
    pub bound_at: String,
    /// When that ended.
    pub ended_at: Option<String>,
    /// `swapped`, `unassigned` or `released`.
    pub ended_how: Option<&'static str>,
}

/// A device that was released, as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ReleasedView {
    /// Id.
    pub id: String,
    /// Account.
    pub account: String,
    /// Model id.
    pub model: String,
    /// The phone it had, or that was named.
    pub mac: Option<MacText>,
    /// When it was released.
    pub released_at: String,
    /// Until when it can be restored.
    pub restorable_until: String,
    /// When it was removed.
    pub removed_at: Option<String>,
}

/// A device that was removed, as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RemovedView {
    /// Id.
    pub id: String,
    /// Always `removed`.
    pub state: &'static str,
    /// Until when it can be restored.
    pub restorable_until: String,
}

impl RemovedView {
    pub(super) fn new(id: &DeviceId, released: UnixMillis) -> Self {
        let restorable_until = released.plus_days(RESTORABLE_DAYS).to_string();
        Self { id: id.to_string(), state: "removed", restorable_until }
    }
}

impl App {
    /// The phones a device has and had, the newest first; also of one that was removed.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`].
    pub async fn device_phones(&self, id: &DeviceId, by: &Actor) -> Result<Vec<DevicePhoneView>, AppError> {
        self.may_ever(by, Right::Read, id).await?;
        let view = |phone: DevicePhone| DevicePhoneView {
            mac: MacText(phone.mac),
            bound_at: phone.bound.to_string(),
            ended_at: phone.ended.map(|(at, _)| at.to_string()),
            ended_how: phone.ended.map(|(_, how)| how.as_str()),
        };
        Ok(self.store.phones_of_device(id).await?.into_iter().map(view).collect())
    }

    /// The timeline of a device: what its phones did while they were its own, newest first.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`].
    pub async fn device_timeline(
        &self,
        id: &DeviceId,
        (before, limit): (Option<&str>, u32),
        by: &Actor,
    ) -> Result<TimelinePage, AppError> {
        let Home { .. } = self.may_ever(by, Right::Read, id).await?;
        self.recorder.flush().await;
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut rows: Vec<EventRow> = Vec::new();
        for phone in self.store.phones_of_device(id).await? {
            if rows.len() >= most {
                break;
            }
            let until = phone.ended.map_or(UnixMillis(i64::MAX), |(at, _)| at);
            let wanted = (before.unwrap_or_default(), limit);
            rows.extend(self.store.timeline_between(phone.mac, (phone.bound, until), wanted).await?);
        }
        // One phone ends at the instant the next one may begin.
        rows.sort_by(|one, other| other.id.cmp(&one.id));
        rows.dedup_by(|one, other| one.id == other.id);
        let next = if rows.len() >= most { rows.get(most.saturating_sub(1)).map(|row| row.id.clone()) } else { None };
        rows.truncate(most);
        Ok(TimelinePage { items: rows.into_iter().map(timeline_item).collect(), next })
    }

    /// Lists devices that were released, those that were removed too, by id.
    ///
    /// # Errors
    /// [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn released_devices(&self, page: Page<'_>, by: &Actor) -> Result<Vec<ReleasedView>, AppError> {
        by.has(Right::Read)?;
        let within = self.store.within(&by.scope).await?;
        let view = |row: ReleaseRow| ReleasedView {
            id: row.device.to_string(),
            account: row.account.to_string(),
            model: row.model,
            mac: row.mac.map(MacText),
            released_at: row.released.to_string(),
            restorable_until: row.released.plus_days(RESTORABLE_DAYS).to_string(),
            removed_at: row.removed.map(|at| at.to_string()),
        };
        Ok(self.store.releases(&within, page).await?.into_iter().map(view).collect())
    }
}
