//! Exceptions: phones without factory certificate that an administrator lets in once.

use crate::rows::{mac, parsed, time, unreadable};
use crate::sql::{query, query_as, query_scalar};
use crate::within::{Columns, Within};
use crate::{Audited, Store, StoreError};
use provost_core::ids::DeviceId;
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use sqlx::FromRow;
use std::net::IpAddr;

/// One exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionRow {
    /// Id: a ULID.
    pub id: String,
    /// The device it is for.
    pub device: DeviceId,
    /// The phone it is for.
    pub mac: MacAddr,
    /// Why.
    pub reason: String,
    /// Since when.
    pub opened: UnixMillis,
    /// Until when; earlier than planned once the configuration was sent.
    pub ends: UnixMillis,
    /// The first address that used it.
    pub address: Option<IpAddr>,
    /// When the configuration was sent.
    pub sent: Option<UnixMillis>,
}

#[derive(FromRow)]
struct ExceptionColumns {
    id: String,
    device: String,
    mac: String,
    reason: String,
    opened_ms: i64,
    ends_ms: i64,
    address: Option<String>,
    sent_ms: Option<i64>,
}

impl Store {
    /// The exceptions that hold at this time.
    pub async fn open_exceptions(&self, now: UnixMillis) -> Result<Vec<ExceptionRow>, StoreError> {
        const SQL: &str = "SELECT id, device, mac, reason, opened_ms, ends_ms, address, sent_ms FROM exceptions \
                           WHERE revoked_ms IS NULL AND ends_ms > $1 ORDER BY id";
        let rows: Vec<ExceptionColumns> = query_as(SQL).bind(now.0).fetch_all(&self.read).await?;
        rows.into_iter().map(ExceptionRow::read).collect()
    }

    /// The exceptions that hold at this time for devices of this part.
    pub async fn exceptions_open_in(&self, within: &Within, now: UnixMillis) -> Result<Vec<ExceptionRow>, StoreError> {
        const WHOSE: Columns = Columns { account: "d.account", site: "u.site" };
        let sql = format!(
            "SELECT e.id, e.device, e.mac, e.reason, e.opened_ms, e.ends_ms, e.address, e.sent_ms FROM exceptions e \
             JOIN devices d ON d.id = e.device LEFT JOIN persons u ON u.id = d.person \
             WHERE e.revoked_ms IS NULL AND e.ends_ms > $1 AND {} ORDER BY e.id",
            within.condition(&WHOSE, 2)
        );
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(now.0).within(within);
        let rows: Vec<ExceptionColumns> = query.fetch_all(&self.read).await?;
        rows.into_iter().map(ExceptionRow::read).collect()
    }

    /// Ties an exception to the first address that uses it; `false` when another was first.
    pub async fn use_exception(&self, id: &str, address: IpAddr, now: UnixMillis) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE exceptions SET address = $2 WHERE id = $1 AND revoked_ms IS NULL AND ends_ms > $3 \
                           AND (address IS NULL OR address = $2)";
        let mut tx = self.begin().await?;
        let done = query(SQL).bind(id).bind(address.to_string()).bind(now.0).execute(&mut tx).await?;
        tx.commit().await?;
        Ok(done == 1)
    }

    /// Remembers that the configuration was sent, and that the exception ends at `ends` if not before.
    pub async fn exception_served(&self, id: &str, now: UnixMillis, ends: UnixMillis) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE exceptions SET sent_ms = $2, ends_ms = CASE WHEN ends_ms > $3 THEN $3 ELSE ends_ms END \
                           WHERE id = $1 AND sent_ms IS NULL";
        let mut tx = self.begin().await?;
        query(SQL).bind(id).bind(now.0).bind(ends.0).execute(&mut tx).await?;
        Ok(tx.commit().await?)
    }
}

impl Audited<'_> {
    /// Makes an exception.
    ///
    /// # Errors
    /// [`StoreError::Exists`] while the device has one, [`StoreError::Missing`] without such a device.
    pub async fn make_exception(self, row: &ExceptionRow) -> Result<(), StoreError> {
        const OPEN: &str = "SELECT COUNT(*) FROM exceptions WHERE device = $1 AND revoked_ms IS NULL AND ends_ms > $2";
        const SQL: &str = "INSERT INTO exceptions (id, device, mac, reason, opened_ms, ends_ms) \
                           VALUES ($1, $2, $3, $4, $5, $6)";
        let mut tx = self.begin().await?;
        let open: i64 = query_scalar(OPEN).bind(row.device.as_str()).bind(row.opened.0).fetch_one(&mut tx).await?;
        if open > 0 {
            return Err(StoreError::Exists { what: "an exception for this device" });
        }
        query(SQL)
            .bind(&row.id)
            .bind(row.device.as_str())
            .bind(row.mac.to_string())
            .bind(&row.reason)
            .bind(row.opened.0)
            .bind(row.ends.0)
            .execute(&mut tx)
            .await
            .map_err(|error| StoreError::of_insert(error, "this exception", "device"))?;
        self.commit(tx).await
    }

    /// Takes the device's open exception back.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when it has none.
    pub async fn revoke_exception(self, device: &DeviceId, now: UnixMillis) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE exceptions SET revoked_ms = $2 WHERE device = $1 AND revoked_ms IS NULL AND ends_ms > $2";
        let mut tx = self.begin().await?;
        let done = query(SQL).bind(device.as_str()).bind(now.0).execute(&mut tx).await?;
        if done == 0 {
            return Err(StoreError::Missing { what: "open exception for this device" });
        }
        self.commit(tx).await
    }
}

impl ExceptionRow {
    fn read(row: ExceptionColumns) -> Result<Self, StoreError> {
        let address = row.address.map(|text| text.parse().map_err(|_| unreadable("exceptions.address", &text)));
        Ok(Self {
            id: row.id,
            device: parsed("exceptions.device", &row.device)?,
            mac: mac(&row.mac)?,
            reason: row.reason,
            opened: UnixMillis(row.opened_ms),
            ends: UnixMillis(row.ends_ms),
            address: address.transpose()?,
            sent: time(row.sent_ms),
        })
    }
}
