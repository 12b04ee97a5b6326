//! The door over plain HTTP for phones whose firmware cannot prove who they are: opened for one MAC and one model, for
//! hours, by a person.
//!
//! Decides who opens and closes it; what it gives to whom is in `through`.

use super::through::Door;
use crate::{Actor, App, AppError, PlainHttp, error_reference, locked};
use provost_core::entry::firmware::DoorInput;
use provost_core::mac::MacAddr;
use provost_core::rights::Right;
use provost_core::sentence;
use provost_core::time::UnixMillis;
use provost_store::FirmwareDoorRow;

/// A door as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct FirmwareDoorView {
    /// Id.
    pub id: String,
    /// For which phone.
    pub mac: String,
    /// Its model.
    pub model: String,
    /// Why.
    pub reason: String,
    /// Since when, RFC 3339.
    pub opened_at: String,
    /// Until when.
    pub ends_at: String,
    /// What to key into the phone as its server address, where it is known.
    pub url: Option<String>,
}

impl App {
    /// Opens firmware over plain HTTP for one phone.
    ///
    /// # Errors
    /// [`AppError::Fields`], [`AppError::Refused`] while there is no plain HTTP, [`AppError::Forbidden`],
    /// [`AppError::OutOfScope`].
    pub async fn open_firmware_door(&self, input: DoorInput, by: &Actor) -> Result<FirmwareDoorView, AppError> {
        by.may_platform(Right::Platform)?;
        let new = input.check(&self.catalog)?;
        if self.told.plain_http == PlainHttp::Off {
            return Err(AppError::Refused {
                code: "plain-http-off",
                message: "listen.phones-http is \"off\", so no phone could read firmware over plain HTTP; give it an address \
                          in the configuration and restart the server first"
                    .to_owned(),
                reference: error_reference(),
            });
        }
        let opened = self.now();
        let id = locked(&self.event_ids).next(opened).to_ascii_lowercase();
        let ends = opened.plus_millis(new.lasts_ms);
        let row =
            FirmwareDoorRow { id, mac: new.mac, model: new.model, reason: new.reason, opened, ends, closed: None };
        let what = format!("opened firmware over plain HTTP for {} ({}) until {ends}", row.mac, row.model);
        let entry = self.about_phone(self.audit_entry(by, what, Some(&row.reason)), row.mac).await?;
        self.store.audited(entry).open_firmware_door(&row).await?;
        let name = self.catalog.hardware(&row.model).map_or(row.model.as_str(), |hardware| hardware.name.as_str());
        self.recorder.tell(row.mac, opened, sentence::door_opened(name, ends, &row.reason), None);
        locked(&self.leading.doors).open(Door::new(row.clone()), opened);
        Ok(self.door_view(row))
    }

    /// The doors that are open.
    ///
    /// # Errors
    /// [`AppError::Forbidden`], [`AppError::OutOfScope`], [`AppError::Store`].
    pub async fn firmware_doors(&self, by: &Actor) -> Result<Vec<FirmwareDoorView>, AppError> {
        by.may_platform(Right::Read)?;
        let rows = self.store.open_firmware_doors(self.now()).await?;
        Ok(rows.into_iter().map(|row| self.door_view(row)).collect())
    }

    /// Closes a door early.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when it is not open, [`AppError::Forbidden`], [`AppError::OutOfScope`].
    pub async fn close_firmware_door(&self, id: &str, by: &Actor) -> Result<FirmwareDoorView, AppError> {
        by.may_platform(Right::Platform)?;
        let now = self.now();
        let missing = || AppError::NotFound { what: "open firmware door", name: id.chars().take(40).collect() };
        let row =
            self.store.open_firmware_doors(now).await?.into_iter().find(|row| row.id == id).ok_or_else(missing)?;
        let entry = self.audit_entry(by, format!("closed firmware over plain HTTP for {}", row.mac), None);
        let entry = self.about_phone(entry, row.mac).await?;
        self.store.audited(entry).close_firmware_door(id).await?;
        locked(&self.leading.doors).close(row.mac);
        self.recorder.tell(row.mac, now, sentence::door_closed("an administrator closed it"), None);
        Ok(self.door_view(row))
    }

    fn door_view(&self, row: FirmwareDoorRow) -> FirmwareDoorView {
        let url = match &self.told.plain_http {
            PlainHttp::Off => None,
            PlainHttp::On { url } => url.clone(),
        };
        FirmwareDoorView {
            id: row.id,
            mac: row.mac.to_string(),
            model: row.model,
            reason: row.reason,
            opened_at: row.opened.to_string(),
            ends_at: row.ends.to_string(),
            url,
        }
    }

    /// The phone proved who it is: it needs no door any more.
    pub(crate) async fn close_door_of(&self, mac: MacAddr, now: UnixMillis) {
        let id = locked(&self.leading.doors).close(mac);
        let Some(id) = id else { return };
        if let Err(error) = self.store.end_firmware_door(&id, now).await {
            tracing::error!(phone.mac = %mac, %error, "a firmware door could not be closed; it ends by itself");
        }
        self.recorder.tell(mac, now, sentence::door_closed("the phone has proved who it is, over TLS"), None);
    }
}
