//! Phones that have to wait because they asked for other phones' files.

use crate::rows::mac;
use crate::sql::{query, query_as};
use crate::{Store, StoreError};
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;

impl Store {
    /// Suspends a phone until this time; a restart does not lift it.
    pub async fn suspend(&self, of: MacAddr, from: UnixMillis, until: UnixMillis) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO suspensions (mac, from_ms, until_ms) VALUES ($1, $2, $3) \
                           ON CONFLICT (mac) DO UPDATE SET from_ms = excluded.from_ms, until_ms = excluded.until_ms";
        let mut tx = self.begin().await?;
        query(SQL).bind(of.to_string()).bind(from.0).bind(until.0).execute(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    /// The phones that are suspended at this time, and until when.
    pub async fn suspensions(&self, now: UnixMillis) -> Result<Vec<(MacAddr, UnixMillis)>, StoreError> {
        const SQL: &str = "SELECT mac, until_ms FROM suspensions WHERE until_ms > $1 ORDER BY mac";
        let rows: Vec<(String, i64)> = query_as(SQL).bind(now.0).fetch_all(&self.read).await?;
        rows.into_iter().map(|(text, until)| Ok((mac(&text)?, UnixMillis(until)))).collect()
    }
}
