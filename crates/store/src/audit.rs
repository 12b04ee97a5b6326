//! The audit log: who did what, from where and why. Only ever added to.

use crate::rows::optional;
use crate::sql::{Tx, query, query_as};
use crate::within::{Columns, Within};
use crate::{Page, Store, StoreError};
use provost_core::ids::{AccountId, SiteId};
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
    /// The account it was done in; `None` is the whole server.
    pub account: Option<AccountId>,
    /// The site it was done at.
    pub site: Option<SiteId>,
    /// The request with a key that did it; written, not read.
    pub request: Option<String>,
}

impl AuditEntry {
    /// The entry of something done in this account, at this site of it.
    #[must_use]
    pub fn about(self, account: &AccountId, site: Option<&SiteId>) -> Self {
        Self { account: Some(account.clone()), site: site.cloned(), ..self }
    }
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
    account: Option<String>,
    site: Option<String>,
}

impl Store {
    /// The changes that need an entry in the audit log.
    pub const fn audited(&self, entry: AuditEntry) -> Audited<'_> {
        Audited { store: self, entry }
    }

    /// This part of the audit log, newest first; a page continues after the last id of the one before.
    pub async fn audit(&self, within: &Within, page: Page<'_>) -> Result<Vec<AuditEntry>, StoreError> {
        const WHOSE: Columns = Columns { account: "account", site: "site" };
        let sql = format!(
            "SELECT id, at_ms, who, what, why, from_where, account, site FROM audit \
             WHERE ($1 = '' OR id < $1) AND {} ORDER BY id DESC LIMIT $2",
            within.condition(&WHOSE, 3)
        );
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(page.after).bind(i64::from(page.limit)).within(within);
        let rows: Vec<AuditColumns> = query.fetch_all(&self.read).await?;
        rows.into_iter().map(AuditEntry::read).collect()
    }
}

impl AuditEntry {
    fn read(row: AuditColumns) -> Result<Self, StoreError> {
        let AuditColumns { id, at_ms, who, what, why, from_where, account, site } = row;
        Ok(Self {
            id,
            at: UnixMillis(at_ms),
            who,
            what,
            why,
            from: from_where,
            account: optional("audit.account", account.as_deref())?,
            site: optional("audit.site", site.as_deref())?,
            request: None,
        })
    }
}

impl Audited<'_> {
    pub(crate) async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(self.store.begin().await?)
    }

    /// When it is done.
    pub(crate) const fn at(&self) -> UnixMillis {
        self.entry.at
    }

    /// Ends the change with its entry.
    pub(crate) async fn commit(self, mut tx: Tx) -> Result<(), StoreError> {
        write(&mut tx, &self.entry).await?;
        Ok(tx.commit().await?)
    }

    /// Writes the entry alone: something was shown, nothing changed.
    pub async fn only(self) -> Result<(), StoreError> {
        let tx = self.begin().await?;
        self.commit(tx).await
    }
}

/// Writes an entry as part of the change it is about.
pub(crate) async fn write(tx: &mut Tx, entry: &AuditEntry) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO audit (id, at_ms, who, what, why, from_where, account, site, request) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    query(SQL)
        .bind(&entry.id)
        .bind(entry.at.0)
        .bind(&entry.who)
        .bind(&entry.what)
        .bind(&entry.why)
        .bind(&entry.from)
        .bind(entry.account.as_ref().map(AccountId::as_str))
        .bind(entry.site.as_ref().map(SiteId::as_str))
        .bind(&entry.request)
        .execute(&mut *tx)
        .await?;
    Ok(())
}
