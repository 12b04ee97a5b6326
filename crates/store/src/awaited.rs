//! Phones that were claimed and have not read their configuration yet.

use crate::rows::{mac, time};
use crate::sql::{query, query_as};
use crate::{Store, StoreError};
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;

/// How long a phone that read its configuration may still sign off under its old name.
const SIGNS_OFF_WITHIN_MS: i64 = 10 * 60_000;

/// A phone that is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AwaitedRow {
    /// The phone.
    pub mac: MacAddr,
    /// When it was claimed.
    pub since: UnixMillis,
    /// When its timeline said that it does not come back.
    pub noted: Option<UnixMillis>,
}

impl Store {
    /// All phones that are waited for.
    pub async fn awaited(&self) -> Result<Vec<AwaitedRow>, StoreError> {
        const SQL: &str = "SELECT mac, since_ms, noted_ms FROM awaited ORDER BY mac";
        let rows: Vec<(String, i64, Option<i64>)> = query_as(SQL).fetch_all(&self.read).await?;
        let read = |(phone, since, noted): (String, i64, Option<i64>)| {
            Ok(AwaitedRow { mac: mac(&phone)?, since: UnixMillis(since), noted: time(noted) })
        };
        rows.into_iter().map(read).collect()
    }

    /// The phone, if it is waited for.
    pub async fn awaited_phone(&self, phone: MacAddr) -> Result<Option<AwaitedRow>, StoreError> {
        const SQL: &str = "SELECT since_ms, noted_ms FROM awaited WHERE mac = $1";
        let row: Option<(i64, Option<i64>)> = query_as(SQL).bind(phone.to_string()).fetch_optional(&self.read).await?;
        Ok(row.map(|(since, noted)| AwaitedRow { mac: phone, since: UnixMillis(since), noted: time(noted) }))
    }

    /// The phone that is waited for `since` then has read its configuration: nobody waits for it, and its activation
    /// line ends soon. Nothing changes if it was claimed anew meanwhile.
    pub async fn returned(&self, phone: MacAddr, since: UnixMillis, now: UnixMillis) -> Result<(), StoreError> {
        const RETURNED: &str = "DELETE FROM awaited WHERE mac = $1 AND since_ms = $2";
        const ENDED: &str = "DELETE FROM sip_identities WHERE ends_ms <= $1";
        const ENDS: &str = "UPDATE sip_identities SET ends_ms = $2 WHERE mac = $1 AND ends_ms IS NULL";
        let mac = phone.to_string();
        let mut tx = self.begin().await?;
        let done = query(RETURNED).bind(&mac).bind(since.0).execute(&mut tx).await?;
        if done > 0 {
            query(ENDED).bind(now.0).execute(&mut tx).await?;
            query(ENDS).bind(&mac).bind(now.plus_millis(SIGNS_OFF_WITHIN_MS).0).execute(&mut tx).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Remembers that these phones' timelines say that they do not come back.
    pub async fn note_awaited(&self, phones: &[MacAddr], now: UnixMillis) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE awaited SET noted_ms = $2 WHERE mac = $1";
        let mut tx = self.begin().await?;
        for phone in phones {
            query(SQL).bind(phone.to_string()).bind(now.0).execute(&mut tx).await?;
        }
        Ok(tx.commit().await?)
    }
}
