//! Address ranges for which the plain-HTTP bootstrap was opened.

use crate::rows::{parsed, time};
use crate::sql::{query, query_as};
use crate::{Audited, Store, StoreError};
use provost_core::address_range::AddressRange;
use provost_core::time::UnixMillis;

/// One opening of the plain-HTTP bootstrap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpBootstrapRow {
    /// Id: a ULID.
    pub id: String,
    /// For whom.
    pub range: AddressRange,
    /// Why.
    pub reason: String,
    /// Since when.
    pub opened: UnixMillis,
    /// Until when.
    pub ends: UnixMillis,
    /// When an administrator closed it early.
    pub closed: Option<UnixMillis>,
}

type Columns = (String, String, String, i64, i64, Option<i64>);

fn read((id, range, reason, opened, ends, closed): Columns) -> Result<HttpBootstrapRow, StoreError> {
    let range = parsed("http_bootstraps.address_range", &range)?;
    let (opened, ends) = (UnixMillis(opened), UnixMillis(ends));
    Ok(HttpBootstrapRow { id, range, reason, opened, ends, closed: time(closed) })
}

impl Store {
    /// The openings that hold at this time.
    pub async fn open_http_bootstraps(&self, now: UnixMillis) -> Result<Vec<HttpBootstrapRow>, StoreError> {
        const SQL: &str = "SELECT id, address_range, reason, opened_ms, ends_ms, closed_ms FROM http_bootstraps \
                           WHERE closed_ms IS NULL AND ends_ms > $1 ORDER BY id";
        let rows: Vec<Columns> = query_as(SQL).bind(now.0).fetch_all(&self.read).await?;
        rows.into_iter().map(read).collect()
    }
}

impl Audited<'_> {
    /// Opens the plain-HTTP bootstrap.
    pub async fn open_http_bootstrap(self, row: &HttpBootstrapRow) -> Result<(), StoreError> {
        const SQL: &str =
            "INSERT INTO http_bootstraps (id, address_range, reason, opened_ms, ends_ms) VALUES ($1, $2, $3, $4, $5)";
        let mut tx = self.begin().await?;
        query(SQL)
            .bind(&row.id)
            .bind(row.range.to_string())
            .bind(&row.reason)
            .bind(row.opened.0)
            .bind(row.ends.0)
            .execute(&mut tx)
            .await?;
        self.commit(tx).await
    }

    /// Closes it early.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when it is not open.
    pub async fn close_http_bootstrap(self, id: &str, now: UnixMillis) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE http_bootstraps SET closed_ms = $2 WHERE id = $1 AND closed_ms IS NULL AND ends_ms > $2";
        let mut tx = self.begin().await?;
        let done = query(SQL).bind(id).bind(now.0).execute(&mut tx).await?;
        if done == 0 {
            return Err(StoreError::Missing { what: "open plain-HTTP bootstrap" });
        }
        self.commit(tx).await
    }
}
