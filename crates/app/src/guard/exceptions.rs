//! Exceptions: a phone without factory certificate is let in once, because an administrator said so.
//!
//! Per device and MAC, for a time, over TLS only, and for the first address that comes
//! (docs/THREATS.md, rule 4). It ends shortly after the configuration was sent.

use super::Guard;
use crate::inventory::MacText;
use crate::{Actor, App, AppError, DeviceView, locked};
use provost_core::entry::guard::ExceptionInput;
use provost_core::ids::DeviceId;
use provost_core::lifecycle::DeviceState;
use provost_core::mac::MacAddr;
use provost_core::rights::Right;
use provost_core::sentence;
use provost_core::time::UnixMillis;
use provost_store::{ExceptionRow, PreAssigned, StandingRow};
use std::net::IpAddr;

/// An exception as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ExceptionView {
    /// Id.
    pub id: String,
    /// The device.
    pub device: String,
    /// The phone.
    pub mac: MacText,
    /// Why.
    pub reason: String,
    /// Since when, RFC 3339.
    pub opened_at: String,
    /// Until when.
    pub ends_at: String,
    /// The address it holds for, once one has used it.
    pub address: Option<String>,
    /// When the configuration was sent.
    pub sent_at: Option<String>,
}

/// A phone reads its configuration, restarts once and reads it again: ten minutes are enough for a slow one.
const AFTER_SENT_MS: i64 = 10 * 60_000;

impl Guard {
    /// Whether any device has an exception for this phone: several may name it, and only one of them has it.
    fn has_exception(&self, mac: MacAddr, now: UnixMillis) -> bool {
        locked(&self.exceptions).iter().any(|row| row.mac == mac && now < row.ends)
    }

    /// The exception of the device for this phone.
    fn exception(&self, mac: MacAddr, device: &str, now: UnixMillis) -> Option<ExceptionRow> {
        let is_it = |row: &&ExceptionRow| row.mac == mac && row.device.as_str() == device && now < row.ends;
        locked(&self.exceptions).iter().find(is_it).cloned()
    }

    fn change_exception(&self, id: &str, change: impl FnOnce(&mut ExceptionRow)) {
        if let Some(row) = locked(&self.exceptions).iter_mut().find(|row| row.id == id) {
            change(row);
        }
    }
}

impl App {
    /// Lets the device's phone in once without a factory certificate.
    ///
    /// # Errors
    /// [`AppError::Fields`], [`AppError::NotFound`] without such a device, [`AppError::Refused`] when it is
    /// barred or not for this phone, [`AppError::Conflict`] while it has an exception.
    pub async fn make_exception(
        &self,
        device: &DeviceId,
        input: ExceptionInput,
        by: &Actor,
    ) -> Result<ExceptionView, AppError> {
        let entered = self.may_device(by, Right::Change, device).await?;
        let opening = input.check()?;
        let mac = opening.of;
        let refused = |code, message: String| AppError::Refused { code, message, reference: crate::error_reference() };
        if matches!(entered.state, DeviceState::Disabled | DeviceState::Quarantined) {
            let message = "this device is disabled or quarantined; enable it first".to_owned();
            return Err(refused("device-barred", message));
        }
        if entered.mac != Some(mac) {
            let message = format!(
                "this device is not for phone {mac}: enter the MAC with the device, or activate it, before making an exception"
            );
            return Err(refused("exception-other-phone", message));
        }
        let opened = self.now();
        let row = ExceptionRow {
            id: locked(&self.event_ids).next(opened).to_ascii_lowercase(),
            device: device.clone(),
            mac,
            reason: opening.reason,
            opened,
            ends: opened.plus_millis(opening.lasts_ms),
            address: None,
            sent: None,
        };
        let what = format!("let phone {mac} of {device} in without a factory certificate until {}", row.ends);
        let site = self.store.site_of_device(device).await?;
        let entry = self.audit_entry(by, what, Some(&row.reason)).about(&entered.account, site.as_ref());
        self.store.audited(entry).make_exception(&row).await?;
        let mut open = locked(&self.guard.exceptions);
        open.retain(|row| opened < row.ends);
        open.push(row.clone());
        drop(open);
        self.recorder.tell(mac, opened, sentence::exception_made(row.ends, &row.reason), None);
        Ok(view(row))
    }

    /// The exceptions that hold now.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn exceptions(&self, by: &Actor) -> Result<Vec<ExceptionView>, AppError> {
        by.has(Right::Read)?;
        let within = self.store.within(&by.scope).await?;
        Ok(self.store.exceptions_open_in(&within, self.now()).await?.into_iter().map(view).collect())
    }

    /// The exception of this device that lets the phone in now, if there is one.
    pub(crate) fn exception_of(&self, mac: MacAddr, device: &DeviceView) -> Option<ExceptionView> {
        self.guard.exception(mac, &device.id, self.now()).map(view)
    }

    /// Takes the device's exception back.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when it has none.
    pub async fn revoke_exception(&self, device: &DeviceId, by: &Actor) -> Result<ExceptionView, AppError> {
        let entered = self.may_device(by, Right::Change, device).await?;
        let now = self.now();
        let missing = || AppError::NotFound { what: "open exception for device", name: device.to_string() };
        let open = self.store.open_exceptions(now).await?;
        let row = open.into_iter().find(|row| row.device == *device).ok_or_else(missing)?;
        let entry = self.audit_entry(by, format!("took back the exception for phone {} of {device}", row.mac), None);
        let site = self.store.site_of_device(device).await?;
        self.store.audited(entry.about(&entered.account, site.as_ref())).revoke_exception(device, now).await?;
        locked(&self.guard.exceptions).retain(|known| known.id != row.id);
        self.recorder.tell(row.mac, now, sentence::exception_revoked(), None);
        Ok(view(row))
    }

    /// The exception by which somebody at this address is taken for the phone `mac`, if one holds.
    pub(crate) async fn excepted(
        &self,
        mac: MacAddr,
        address: IpAddr,
        now: UnixMillis,
    ) -> Result<Option<ExceptionRow>, AppError> {
        // Known in memory, so that whoever names a phone without having it costs no look at the database.
        if !self.guard.has_exception(mac, now) {
            return Ok(None);
        }
        let device = match self.store.standing(mac).await? {
            StandingRow::Bound { device, .. } => device,
            StandingRow::SetAside { .. } => return Ok(None),
            StandingRow::Unbound(named) => match named.as_slice() {
                [PreAssigned { device, .. }] => device.clone(),
                _ => return Ok(None),
            },
        };
        let is_open_to = |row: &ExceptionRow| row.address.is_none_or(|first| first == address);
        let found = self.guard.exception(mac, device.as_str(), now).filter(is_open_to);
        let Some(row) = found else { return Ok(None) };
        if row.address.is_none() {
            // The store decides which of two addresses was first.
            if !self.store.use_exception(&row.id, address, now).await? {
                return Ok(None);
            }
            self.guard.change_exception(&row.id, |row| row.address = Some(address));
            self.recorder.tell(mac, now, sentence::exception_used(address, &row.reason), None);
        }
        Ok(Some(row))
    }

    /// Remembers, before it is sent, that the configuration is sent by this exception.
    pub(crate) async fn exception_served(&self, row: &ExceptionRow, now: UnixMillis) -> Result<(), AppError> {
        if row.sent.is_some() {
            return Ok(());
        }
        let ends = row.ends.min(now.plus_millis(AFTER_SENT_MS));
        self.store.exception_served(&row.id, now, ends).await?;
        self.guard.change_exception(&row.id, |row| (row.sent, row.ends) = (Some(now), ends));
        Ok(())
    }
}

fn view(row: ExceptionRow) -> ExceptionView {
    ExceptionView {
        id: row.id,
        device: row.device.to_string(),
        mac: MacText(row.mac),
        reason: row.reason,
        opened_at: row.opened.to_string(),
        ends_at: row.ends.to_string(),
        address: row.address.map(|address| address.to_string()),
        sent_at: row.sent.map(|at| at.to_string()),
    }
}
