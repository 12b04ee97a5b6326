//! Phones that may load firmware over plain HTTP.

use crate::rows::{mac, time};
use crate::sql::{query, query_as};
use crate::{Audited, Store, StoreError};
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;

/// A door that was opened for one phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirmwareDoorRow {
    /// Id: a ULID.
    pub id: String,
    /// For whom.
    pub mac: MacAddr,
    /// What it must be.
    pub model: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub opened: UnixMillis,
    /// Until when.
    pub ends: UnixMillis,
    /// When it was closed early.
    pub closed: Option<UnixMillis>,
}

type Columns = (String, String, String, String, i64, i64, Option<i64>);

const CLOSE: &str = "UPDATE firmware_doors SET closed_ms = $2 WHERE id = $1 AND closed_ms IS NULL AND ends_ms > $2";

impl Store {
    /// The doors that are open at this time.
    pub async fn open_firmware_doors(&self, now: UnixMillis) -> Result<Vec<FirmwareDoorRow>, StoreError> {
        const SQL: &str = "SELECT id, mac, model, reason, opened_ms, ends_ms, closed_ms FROM firmware_doors \
                           WHERE closed_ms IS NULL AND ends_ms > $1 ORDER BY id";
        let rows: Vec<Columns> = query_as(SQL).bind(now.0).fetch_all(&self.read).await?;
        let read = |(id, of, model, reason, opened, ends, closed): Columns| {
            let (opened, ends, closed) = (UnixMillis(opened), UnixMillis(ends), time(closed));
            Ok(FirmwareDoorRow { id, mac: mac(&of)?, model, reason, opened, ends, closed })
        };
        rows.into_iter().map(read).collect()
    }

    /// Closes a door that is not needed any more: its phone has proved who it is.
    pub async fn end_firmware_door(&self, id: &str, now: UnixMillis) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        query(CLOSE).bind(id).bind(now.0).execute(&mut tx).await?;
        Ok(tx.commit().await?)
    }
}

impl Audited<'_> {
    /// Opens a door; one that is open for the same phone is closed.
    pub async fn open_firmware_door(self, row: &FirmwareDoorRow) -> Result<(), StoreError> {
        const BEFORE: &str =
            "UPDATE firmware_doors SET closed_ms = $2 WHERE mac = $1 AND closed_ms IS NULL AND ends_ms > $2";
        const SQL: &str = "INSERT INTO firmware_doors (id, mac, model, reason, opened_ms, ends_ms) \
                           VALUES ($1, $2, $3, $4, $5, $6)";
        let mut tx = self.begin().await?;
        query(BEFORE).bind(row.mac.to_string()).bind(row.opened.0).execute(&mut tx).await?;
        query(SQL)
            .bind(&row.id)
            .bind(row.mac.to_string())
            .bind(&row.model)
            .bind(&row.reason)
            .bind(row.opened.0)
            .bind(row.ends.0)
            .execute(&mut tx)
            .await?;
        self.commit(tx).await
    }

    /// Closes a door early.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when it is not open.
    pub async fn close_firmware_door(self, id: &str) -> Result<(), StoreError> {
        let (mut tx, at) = (self.begin().await?, self.at());
        if query(CLOSE).bind(id).bind(at.0).execute(&mut tx).await? == 0 {
            return Err(StoreError::Missing { what: "open firmware door" });
        }
        self.commit(tx).await
    }
}
