//! What each phone fetched last as its configuration, and which of its own settings were cleared.

use crate::rows::{mac, parsed, time};
use crate::sql::{query, query_as};
use crate::timeline::add_event;
use crate::{Audited, NewEvent, Store, StoreError};
use provost_core::ids::DeviceId;
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use std::collections::HashMap;

/// The configuration a phone fetched last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedRow {
    /// The phone.
    pub mac: MacAddr,
    /// The device it was bound to then.
    pub device: DeviceId,
    /// When it first fetched this one.
    pub at: UnixMillis,
    /// Keyed hash of the content.
    pub digest: Vec<u8>,
    /// The file, encrypted.
    pub content: Vec<u8>,
}

/// A file of a phone's own settings that was emptied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClearedRow {
    /// The phone.
    pub mac: MacAddr,
    /// The file.
    pub name: String,
    /// When it was emptied.
    pub cleared: UnixMillis,
    /// Who did it.
    pub who: String,
    /// When the phone fetched it.
    pub fetched: Option<UnixMillis>,
}

impl Store {
    /// Which configurations these phones fetched last, by device and digest; at most some thousand phones.
    pub async fn fetched_digests(&self, of: &[MacAddr]) -> Result<HashMap<MacAddr, (String, Vec<u8>)>, StoreError> {
        if of.is_empty() {
            return Ok(HashMap::new());
        }
        let places: Vec<_> = (1..=of.len()).map(|place| format!("${place}")).collect();
        let sql =
            format!("SELECT mac, device, digest FROM fetched_configurations WHERE mac IN ({})", places.join(", "));
        let mut statement = query_as(sqlx::AssertSqlSafe(sql));
        for phone in of {
            statement = statement.bind(phone.to_string());
        }
        let rows: Vec<(String, String, Vec<u8>)> = statement.fetch_all(&self.read).await?;
        rows.into_iter().map(|(phone, device, digest)| Ok((mac(&phone)?, (device, digest)))).collect()
    }

    /// The configuration the phone fetched last.
    pub async fn fetched(&self, of: MacAddr) -> Result<Option<FetchedRow>, StoreError> {
        const SQL: &str = "SELECT device, at_ms, digest, content FROM fetched_configurations WHERE mac = $1";
        let row: Option<(String, i64, Vec<u8>, Vec<u8>)> =
            query_as(SQL).bind(of.to_string()).fetch_optional(&self.read).await?;
        let Some((device, at, digest, content)) = row else { return Ok(None) };
        let device = parsed("fetched_configurations.device", &device)?;
        Ok(Some(FetchedRow { mac: of, device, at: UnixMillis(at), digest, content }))
    }

    /// Remembers what these phones fetched last, if they still are those devices' phones.
    pub async fn keep_fetched(&self, rows: &[FetchedRow]) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO fetched_configurations (mac, device, at_ms, digest, content) \
                           SELECT $1, $2, $3, $4, $5 FROM bindings WHERE mac = $1 AND device = $2 ON CONFLICT (mac) DO UPDATE SET device = excluded.device, \
                           at_ms = excluded.at_ms, digest = excluded.digest, content = excluded.content";
        let mut tx = self.begin().await?;
        for FetchedRow { mac, device, at, digest, content } in rows {
            query(SQL)
                .bind(mac.to_string())
                .bind(device.as_str())
                .bind(at.0)
                .bind(digest)
                .bind(content)
                .execute(&mut tx)
                .await?;
        }
        Ok(tx.commit().await?)
    }

    /// The files of the phone's own settings that were emptied.
    pub async fn cleared_overrides(&self, of: MacAddr) -> Result<Vec<ClearedRow>, StoreError> {
        const SQL: &str =
            "SELECT name, cleared_ms, who, fetched_ms FROM cleared_overrides WHERE mac = $1 ORDER BY name";
        let rows: Vec<(String, i64, String, Option<i64>)> =
            query_as(SQL).bind(of.to_string()).fetch_all(&self.read).await?;
        let read = |(name, cleared, who, fetched)| ClearedRow {
            mac: of,
            name,
            cleared: UnixMillis(cleared),
            who,
            fetched: time(fetched),
        };
        Ok(rows.into_iter().map(read).collect())
    }

    /// The emptied files that phones have not fetched yet.
    pub async fn unfetched_overrides(&self) -> Result<Vec<(MacAddr, String)>, StoreError> {
        const SQL: &str = "SELECT mac, name FROM cleared_overrides WHERE fetched_ms IS NULL";
        let rows: Vec<(String, String)> = query_as(SQL).fetch_all(&self.read).await?;
        rows.into_iter().map(|(phone, name)| Ok((mac(&phone)?, name))).collect()
    }

    /// The phone fetched an emptied file, and its timeline says so.
    pub async fn emptied_was_fetched(&self, (of, name): (MacAddr, &str), event: &NewEvent) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE cleared_overrides SET fetched_ms = $3 WHERE mac = $1 AND name = $2 AND fetched_ms IS NULL";
        let mut tx = self.begin().await?;
        let done = query(SQL).bind(of.to_string()).bind(name).bind(event.at.0).execute(&mut tx).await?;
        if done > 0 {
            add_event(&mut tx, event).await?;
        }
        Ok(tx.commit().await?)
    }

    /// The phone sent its own settings before it had fetched the emptied file: they stand, and its timeline says so.
    pub async fn clearing_was_overtaken(
        &self,
        (of, name): (MacAddr, &str),
        event: &NewEvent,
    ) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM cleared_overrides WHERE mac = $1 AND name = $2 AND fetched_ms IS NULL";
        let mut tx = self.begin().await?;
        let done = query(SQL).bind(of.to_string()).bind(name).execute(&mut tx).await?;
        if done > 0 {
            add_event(&mut tx, event).await?;
        }
        Ok(tx.commit().await?)
    }
}

impl Audited<'_> {
    /// Empties these files of the phone, if it is bound to the device; `false` when it is not any more.
    pub async fn clear_overrides(
        self,
        (of, device, who): (MacAddr, &DeviceId, &str),
        files: &[(String, Vec<u8>)],
        event: &NewEvent,
    ) -> Result<bool, StoreError> {
        const BOUND: &str = "SELECT device FROM bindings WHERE mac = $1 AND device = $2";
        const PUT: &str = "UPDATE uploads SET bytes = $3, updated_ms = $4 WHERE mac = $1 AND name = $2";
        const CLEARED: &str = "INSERT INTO cleared_overrides (mac, name, device, cleared_ms, who) \
                               VALUES ($1, $2, $3, $4, $5) ON CONFLICT (mac, name) DO UPDATE SET \
                               device = excluded.device, cleared_ms = excluded.cleared_ms, who = excluded.who, \
                               fetched_ms = NULL";
        let phone = of.to_string();
        let mut tx = self.begin().await?;
        let bound: Option<(String,)> =
            query_as(BOUND).bind(&phone).bind(device.as_str()).fetch_optional(&mut tx).await?;
        if bound.is_none() {
            tx.rollback().await?;
            return Ok(false);
        }
        for (name, empty) in files {
            query(PUT).bind(&phone).bind(name).bind(empty).bind(event.at.0).execute(&mut tx).await?;
            query(CLEARED)
                .bind(&phone)
                .bind(name)
                .bind(device.as_str())
                .bind(event.at.0)
                .bind(who)
                .execute(&mut tx)
                .await?;
        }
        add_event(&mut tx, event).await?;
        self.commit(tx).await?;
        Ok(true)
    }
}
