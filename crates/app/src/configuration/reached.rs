//! Which layers a device is in, which devices a layer reaches, and who may change one.

use crate::{Actor, App, AppError, MacText};
use provost_core::ids::DeviceId;
use provost_core::layers::{Subject, subjects};
use provost_core::mac::MacAddr;
use provost_core::rights::Right;

/// A layer that a device is in, for somebody who sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceLayer {
    /// The layer.
    pub subject: Subject,
    /// The account, site, model or person as people call it.
    pub name: String,
    /// How many entries it holds.
    pub entries: usize,
}

/// A device that a layer reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachedDeviceView {
    /// The device.
    pub device: String,
    /// For whom.
    pub user_name: Option<String>,
    /// Their extension.
    pub extension: Option<String>,
    /// Its phone, or the one named beforehand.
    pub mac: Option<MacText>,
}

impl App {
    /// The layers a device is in that the actor may see, those first that others win over; also those that hold
    /// nothing yet.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`].
    pub async fn layers_of_device(&self, id: &DeviceId, by: &Actor) -> Result<Vec<DeviceLayer>, AppError> {
        let row = self.may_device(by, Right::Read, id).await?;
        let facts = self.facts(&row).await?;
        let accounts = self.store.accounts_above(&row.account).await?;
        let site = self.store.site_of_device(id).await?;
        let mut layers = Vec::new();
        for subject in subjects(&accounts, site.as_ref(), &row.model, id) {
            if self.sees_layer(by, &subject).await? {
                let held = facts.bound.layers.iter().find(|held| held.subject == subject);
                let name = self.layer_name(&facts, &subject).await?;
                layers.push(DeviceLayer { name, entries: held.map_or(0, |held| held.entries.count()), subject });
            }
        }
        Ok(layers)
    }

    /// Some devices that a layer reaches, to look at what it does to one of them.
    ///
    /// # Errors
    /// As [`App::layer`].
    pub async fn some_reached(
        &self,
        subject: &Subject,
        limit: u32,
        by: &Actor,
    ) -> Result<Vec<ReachedDeviceView>, AppError> {
        self.may_layer(by, Right::Read, subject).await?;
        let rows = self.store.some_reached(subject, limit).await?;
        let views = rows.into_iter().map(|row| ReachedDeviceView {
            device: row.device.to_string(),
            user_name: row.user_name,
            extension: row.extension,
            mac: row.mac.map(MacText),
        });
        Ok(views.collect())
    }

    /// The device of a phone: which it is bound to, else the only one that names it.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there is none in the actor's scope, [`AppError::Forbidden`].
    pub async fn device_of_phone(&self, mac: MacAddr, by: &Actor) -> Result<DeviceId, AppError> {
        let missing = || AppError::NotFound { what: "device of phone", name: mac.to_string() };
        let device = self.phone(mac, by).await?.device.ok_or_else(missing)?;
        device.id.parse().map_err(|_| missing())
    }

    /// Refuses whoever may not change this layer.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`], [`AppError::OutOfScope`] for what belongs to the whole server.
    pub async fn may_change_layer(&self, subject: &Subject, by: &Actor) -> Result<(), AppError> {
        self.may_layer(by, Right::Change, subject).await.map(|_| ())
    }

    /// Whether the actor may change a layer they see.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Store`].
    pub async fn changes_layer(&self, subject: &Subject, by: &Actor) -> Result<bool, AppError> {
        match self.may_change_layer(subject, by).await {
            Ok(()) => Ok(true),
            Err(AppError::Forbidden { .. } | AppError::OutOfScope) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
