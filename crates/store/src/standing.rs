//! How Provost stands to a phone: whose it is, whom it is meant for, and whether it was set aside.

use crate::devices::Bar;
use crate::rows::parsed;
use crate::sql::query_as;
use crate::{Store, StoreError};
use provost_core::ids::DeviceId;
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;

/// How Provost stands to a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StandingRow {
    /// Bound to a device.
    Bound {
        /// The device.
        device: DeviceId,
        /// Its model.
        model: String,
        /// Whether it is barred.
        bar: Option<Bar>,
    },
    /// Another phone took its place at a device; it gets nothing until it is let in again.
    SetAside {
        /// The device it was taken from.
        device: DeviceId,
        /// Since when.
        since: UnixMillis,
    },
    /// Not bound; the devices that name this MAC, which may be several in several accounts.
    Unbound(Vec<PreAssigned>),
}

/// A device that names a MAC beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreAssigned {
    /// The device.
    pub device: DeviceId,
    /// Its model.
    pub model: String,
    /// Whether a user is set.
    pub has_user: bool,
    /// Whether it is barred.
    pub bar: Option<Bar>,
}

impl Store {
    /// How Provost stands to the phone with this MAC.
    pub async fn standing(&self, of: MacAddr) -> Result<StandingRow, StoreError> {
        const BOUND: &str =
            "SELECT d.id, d.model, d.barred FROM bindings b JOIN devices d ON d.id = b.device WHERE b.mac = $1";
        const ASIDE: &str = "SELECT device, since_ms FROM set_aside_phones WHERE mac = $1";
        const NAMED: &str = "SELECT d.id, d.model, d.person IS NOT NULL, d.barred FROM devices d \
                             LEFT JOIN bindings b ON b.device = d.id \
                             WHERE d.mac = $1 AND b.device IS NULL ORDER BY d.barred IS NULL, d.id LIMIT 2";
        let text = of.to_string();
        let bound: Option<(String, String, Option<String>)> =
            query_as(BOUND).bind(&text).fetch_optional(&self.read).await?;
        if let Some((device, model, barred)) = bound {
            let device = parsed("devices.id", &device)?;
            return Ok(StandingRow::Bound { device, model, bar: Bar::read(barred.as_deref())? });
        }
        let aside: Option<(String, i64)> = query_as(ASIDE).bind(&text).fetch_optional(&self.read).await?;
        if let Some((device, since)) = aside {
            let device = parsed("set_aside_phones.device", &device)?;
            return Ok(StandingRow::SetAside { device, since: UnixMillis(since) });
        }
        let named: Vec<(String, String, bool, Option<String>)> =
            query_as(NAMED).bind(&text).fetch_all(&self.read).await?;
        let named = named.into_iter().map(|(device, model, has_user, barred)| {
            Ok(PreAssigned {
                device: parsed("devices.id", &device)?,
                model,
                has_user,
                bar: Bar::read(barred.as_deref())?,
            })
        });
        Ok(StandingRow::Unbound(named.collect::<Result<_, StoreError>>()?))
    }
}
