//! Devices: the administrator's entries that phones get bound to.

use crate::rows::{mac, parsed, time, unreadable};
use crate::sql::{Tx, query, query_as};
use crate::within::{Columns, Within};
use crate::{Audited, Page, Store, StoreError};
use provost_core::entry::NewDevice;
use provost_core::ids::{AccountId, DeviceId, UserId};
use provost_core::lifecycle::DeviceState;
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use sqlx::FromRow;

/// Why a device's phone gets nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bar {
    /// An administrator switched it off.
    Disabled,
    /// It was set aside.
    Quarantined,
}

impl Bar {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Quarantined => "quarantined",
        }
    }

    pub(crate) fn read(word: Option<&str>) -> Result<Option<Self>, StoreError> {
        match word {
            None => Ok(None),
            Some("disabled") => Ok(Some(Self::Disabled)),
            Some("quarantined") => Ok(Some(Self::Quarantined)),
            Some(other) => Err(unreadable("devices.barred", other)),
        }
    }
}

/// A device with what is known of its user, phone and code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRow {
    /// Id.
    pub id: DeviceId,
    /// Owner.
    pub account: AccountId,
    /// Model id.
    pub model: String,
    /// For whom.
    pub user: Option<UserId>,
    /// Their name.
    pub user_name: Option<String>,
    /// Their extension.
    pub extension: Option<String>,
    /// The name of their site.
    pub site_name: Option<String>,
    /// The phone it is bound to, else the one named beforehand.
    pub mac: Option<MacAddr>,
    /// Where it is in its life.
    pub state: DeviceState,
    /// When it was bound.
    pub bound_at: Option<UnixMillis>,
    /// When it was released.
    pub released_at: Option<UnixMillis>,
    /// The open code, encrypted, with the time it expires.
    pub code: Option<(Vec<u8>, UnixMillis)>,
    /// Last contact of its phone.
    pub last_seen: Option<UnixMillis>,
    /// Firmware of its phone.
    pub firmware: Option<String>,
    /// Certificate status of its phone.
    pub certificate: Option<String>,
    /// Whether another device names the same phone beforehand, or has it: this one does not get it.
    pub clashes: bool,
}

#[derive(FromRow)]
struct DeviceColumns {
    id: String,
    account: String,
    model: String,
    person: Option<String>,
    user_name: Option<String>,
    extension: Option<String>,
    site_name: Option<String>,
    bound_mac: Option<String>,
    named_mac: Option<String>,
    barred: Option<String>,
    bound_ms: Option<i64>,
    released_ms: Option<i64>,
    shown: Option<Vec<u8>>,
    expires_ms: Option<i64>,
    last_seen_ms: Option<i64>,
    firmware: Option<String>,
    certificate: Option<String>,
    clashes: bool,
}

const COLUMNS_AND_JOINS: &str = "SELECT d.id, d.account, d.model, d.person, u.name AS user_name, u.extension, s.name AS site_name, \
     b.mac AS bound_mac, d.mac AS named_mac, d.barred, b.bound_ms, d.released_ms, c.shown, c.expires_ms, p.last_seen_ms, p.firmware, p.certificate, \
     (b.device IS NULL AND (EXISTS (SELECT 1 FROM bindings ob WHERE ob.mac = d.mac) OR EXISTS (SELECT 1 FROM devices o \
     LEFT JOIN bindings ob ON ob.device = o.id WHERE o.mac = d.mac AND o.id <> d.id AND ob.device IS NULL))) AS clashes \
     FROM devices d LEFT JOIN persons u ON u.id = d.person LEFT JOIN sites s ON s.id = u.site \
     LEFT JOIN bindings b ON b.device = d.id LEFT JOIN phones p ON p.mac = COALESCE(b.mac, d.mac) \
     LEFT JOIN codes c ON c.device = d.id AND c.used_by IS NULL AND c.voided_ms IS NULL";

impl Store {
    /// Adds a device.
    ///
    /// # Errors
    /// [`StoreError::Missing`] without such an account or user, [`StoreError::Exists`] when the account
    /// already has a device for this MAC.
    pub async fn add_device(&self, id: &DeviceId, device: &NewDevice, now: UnixMillis) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        add(&mut tx, id, device, now).await?;
        Ok(tx.commit().await?)
    }

    /// Lists devices by id.
    pub async fn devices(&self, within: &Within, page: Page<'_>) -> Result<Vec<DeviceRow>, StoreError> {
        const WHOSE: Columns = Columns { account: "d.account", site: "u.site" };
        let condition = within.condition(&WHOSE, 3);
        let sql = format!("{COLUMNS_AND_JOINS} WHERE d.id > $1 AND {condition} ORDER BY d.id LIMIT $2");
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(page.after).bind(i64::from(page.limit)).within(within);
        let rows: Vec<DeviceColumns> = query.fetch_all(&self.read).await?;
        rows.into_iter().map(DeviceRow::read).collect()
    }

    /// One device.
    pub async fn device(&self, id: &DeviceId) -> Result<Option<DeviceRow>, StoreError> {
        let sql = format!("{COLUMNS_AND_JOINS} WHERE d.id = $1");
        let row: Option<DeviceColumns> =
            query_as(sqlx::AssertSqlSafe(sql)).bind(id.as_str()).fetch_optional(&self.read).await?;
        row.map(DeviceRow::read).transpose()
    }

    /// Bars a device's phone from everything, or lifts that.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such device.
    pub async fn bar_device(&self, id: &DeviceId, bar: Option<Bar>) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        set_bar(&mut tx, id, bar).await?;
        Ok(tx.commit().await?)
    }
}

impl Audited<'_> {
    /// As [`Store::add_device`].
    pub async fn add_device(self, id: &DeviceId, device: &NewDevice, now: UnixMillis) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        add(&mut tx, id, device, now).await?;
        self.commit(tx).await
    }

    /// As [`Store::bar_device`].
    pub async fn bar_device(self, id: &DeviceId, bar: Option<Bar>) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        set_bar(&mut tx, id, bar).await?;
        self.commit(tx).await
    }
}

async fn add(tx: &mut Tx, id: &DeviceId, device: &NewDevice, now: UnixMillis) -> Result<(), StoreError> {
    const SQL: &str =
        "INSERT INTO devices (id, account, model, person, mac, created_ms) VALUES ($1, $2, $3, $4, $5, $6)";
    query(SQL)
        .bind(id.as_str())
        .bind(device.account.as_str())
        .bind(&device.model)
        .bind(device.user.as_ref().map(UserId::as_str))
        .bind(device.mac.map(|mac| mac.to_string()))
        .bind(now.0)
        .execute(&mut *tx)
        .await
        .map_err(|error| StoreError::of_insert(error, "a device for this MAC", "account or user"))?;
    Ok(())
}

async fn set_bar(tx: &mut Tx, id: &DeviceId, bar: Option<Bar>) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE devices SET barred = $2 WHERE id = $1";
    let done = query(SQL).bind(id.as_str()).bind(bar.map(Bar::as_str)).execute(&mut *tx).await?;
    if done == 0 {
        return Err(StoreError::Missing { what: "device" });
    }
    Ok(())
}

impl DeviceRow {
    fn read(row: DeviceColumns) -> Result<Self, StoreError> {
        let state = match Bar::read(row.barred.as_deref())? {
            _ if row.released_ms.is_some() => DeviceState::Released,
            Some(Bar::Disabled) => DeviceState::Disabled,
            Some(Bar::Quarantined) => DeviceState::Quarantined,
            None => DeviceState::natural(row.bound_mac.is_some(), row.last_seen_ms.is_some(), row.person.is_some()),
        };
        let code = row.shown.zip(row.expires_ms.map(UnixMillis));
        Ok(Self {
            id: parsed("devices.id", &row.id)?,
            account: parsed("devices.account", &row.account)?,
            model: row.model,
            user: crate::rows::optional("devices.person", row.person.as_deref())?,
            user_name: row.user_name,
            extension: row.extension,
            site_name: row.site_name,
            mac: row.bound_mac.or(row.named_mac).as_deref().map(mac).transpose()?,
            state,
            bound_at: time(row.bound_ms),
            released_at: time(row.released_ms),
            code,
            last_seen: time(row.last_seen_ms),
            firmware: row.firmware,
            certificate: row.certificate,
            clashes: row.clashes,
        })
    }
}
