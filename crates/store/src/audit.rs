//! The audit log: who did what, from where and why. Only ever added to.

use crate::sql::{Tx, query, query_as};
use crate::{Page, Store, StoreError};
use provost_core::time::UnixMillis;
use sqlx::FromRow;

/// One entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// A ULID of this instant, so that entries sort by time.
    pub id: String,
    /// When.
    pub at: UnixMillis,
    /// Who.
    pub who: String,
    /// What was done.
    pub what: String,
    /// The reason that was given.
    pub why: Option<String>,
    /// The address it was asked from, or that it was this machine.
    pub from: String,
}

/// What administrators do: each change is written together with its entry in the audit log, or not at all.
#[derive(Debug, Clone)]
pub struct Audited<'a> {
    pub(crate) store: &'a Store,
    entry: AuditEntry,
}

#[derive(FromRow)]
struct AuditColumns {
    id: String,
    at_ms: i64,
    who: String,
    what: String,
    why: Option<String>,
    from_where: String,
}

impl Store {
    /// The changes that need an entry in the audit log.
    pub const fn audited(&self, entry: AuditEntry) -> Audited<'_> {
        Audited { store: self, entry }
    }

    /// The audit log, newest first; a page continues after the last id of the one before.
    pub async fn audit(&self, page: Page<'_>) -> Result<Vec<AuditEntry>, StoreError> {
        const SQL: &str = "SELECT id, at_ms, who, what, why, from_where FROM audit \
                           WHERE $1 = '' OR id < $1 ORDER BY id DESC LIMIT $2";
        let rows: Vec<AuditColumns> =
            query_as(SQL).bind(page.after).bind(i64::from(page.limit)).fetch_all(&self.read).await?;
        let entry = |AuditColumns { id, at_ms, who, what, why, from_where }| AuditEntry {
            id,
            at: UnixMillis(at_ms),
            who,
            what,
            why,
            from: from_where,
        };
        Ok(rows.into_iter().map(entry).collect())
    }
}

impl Audited<'_> {
    pub(crate) async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(self.store.begin().await?)
    }

    /// Ends the change with its entry.
    pub(crate) async fn commit(self, mut tx: Tx) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO audit (id, at_ms, who, what, why, from_where) VALUES ($1, $2, $3, $4, $5, $6)";
        let AuditEntry { id, at, who, what, why, from } = self.entry;
        query(SQL).bind(id).bind(at.0).bind(who).bind(what).bind(why).bind(from).execute(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    /// Writes the entry alone: something was shown, nothing changed.
    pub async fn only(self) -> Result<(), StoreError> {
        let tx = self.begin().await?;
        self.commit(tx).await
    }

    /// As [`Store::add_token`].
    pub async fn add_token(self, digest: &[u8], role: &str, now: UnixMillis) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        crate::add_token(&mut tx, digest, role, now).await?;
        self.commit(tx).await
    }
}
