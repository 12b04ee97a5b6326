//! Accounts: customers, and customers of customers, in a tree.

use crate::rows::{optional, parsed};
use crate::sql::{Tx, query, query_as, query_scalar};
use crate::within::{Columns, Within};
use crate::{Audited, Page, Store, StoreError};
use provost_core::ids::{AccountId, DeviceId, SiteId};
use provost_core::time::UnixMillis;
use sqlx::FromRow;

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Id.
    pub id: AccountId,
    /// Name.
    pub name: String,
    /// The account it is below.
    pub parent: Option<AccountId>,
    /// How many accounts there are from the top down to it, itself counted.
    pub depth: usize,
}

#[derive(FromRow)]
pub(crate) struct AccountColumns {
    id: String,
    name: String,
    parent: Option<String>,
    path: String,
}

const SELECT: &str = "SELECT a.id, a.name, a.parent, a.path FROM accounts a";
/// Whoever sees a site sees the account it belongs to.
const WHOSE: Columns =
    Columns { account: "a.id", site: "(SELECT s.id FROM sites s WHERE s.account = a.id AND s.id = $4)" };

impl Store {
    /// Adds an account at the top of the tree, or below another.
    ///
    /// # Errors
    /// [`StoreError::Missing`] without such a parent.
    pub async fn add_account(
        &self,
        id: &AccountId,
        name: &str,
        parent: Option<&AccountId>,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        add(&mut tx, id, name, parent, now).await?;
        Ok(tx.commit().await?)
    }

    /// Lists accounts by id.
    pub async fn accounts(&self, within: &Within, page: Page<'_>) -> Result<Vec<AccountRow>, StoreError> {
        let sql = format!("{SELECT} WHERE a.id > $1 AND {} ORDER BY a.id LIMIT $2", within.condition(&WHOSE, 3));
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(page.after).bind(i64::from(page.limit)).within(within);
        AccountRow::read_all(query.fetch_all(&self.read).await?)
    }

    /// One account.
    pub async fn account(&self, id: &AccountId) -> Result<Option<AccountRow>, StoreError> {
        let sql = format!("{SELECT} WHERE a.id = $1");
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(id.as_str());
        let row: Option<AccountColumns> = query.fetch_optional(&self.read).await?;
        row.map(AccountRow::read).transpose()
    }

    /// Whether an account is `top` or below it.
    pub async fn is_below(&self, account: &AccountId, top: &AccountId) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM accounts a JOIN accounts t ON SUBSTR(a.path, 1, LENGTH(t.path)) = t.path \
                           WHERE a.id = $1 AND t.id = $2";
        let found: i64 = query_scalar(SQL).bind(account.as_str()).bind(top.as_str()).fetch_one(&self.read).await?;
        Ok(found == 1)
    }

    /// The site of a device's user.
    pub async fn site_of_device(&self, id: &DeviceId) -> Result<Option<SiteId>, StoreError> {
        const SQL: &str = "SELECT u.site FROM devices d JOIN persons u ON u.id = d.person WHERE d.id = $1";
        let text: Option<String> = query_scalar(SQL).bind(id.as_str()).fetch_optional(&self.read).await?;
        optional("persons.site", text.as_deref())
    }
}

impl Audited<'_> {
    /// As [`Store::add_account`].
    pub async fn add_account(
        self,
        id: &AccountId,
        name: &str,
        parent: Option<&AccountId>,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        add(&mut tx, id, name, parent, now).await?;
        self.commit(tx).await
    }

    /// Gives an account another name.
    ///
    /// # Errors
    /// [`StoreError::Missing`] without such an account.
    pub async fn rename_account(self, id: &AccountId, name: &str) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE accounts SET name = $2 WHERE id = $1";
        let mut tx = self.begin().await?;
        if query(SQL).bind(id.as_str()).bind(name).execute(&mut tx).await? == 0 {
            return Err(StoreError::Missing { what: "account" });
        }
        self.commit(tx).await
    }
}

async fn add(
    tx: &mut Tx,
    id: &AccountId,
    name: &str,
    parent: Option<&AccountId>,
    now: UnixMillis,
) -> Result<(), StoreError> {
    const PARENT: &str = "SELECT path FROM accounts WHERE id = $1";
    const ADD: &str = "INSERT INTO accounts (id, name, parent, path, created_ms) VALUES ($1, $2, $3, $4, $5)";
    let above = match parent {
        None => "/".to_owned(),
        Some(parent) => {
            let path: Option<String> = query_scalar(PARENT).bind(parent.as_str()).fetch_optional(&mut *tx).await?;
            path.ok_or(StoreError::Missing { what: "account" })?
        }
    };
    query(ADD)
        .bind(id.as_str())
        .bind(name)
        .bind(parent.map(AccountId::as_str))
        .bind(format!("{above}{id}/"))
        .bind(now.0)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

impl AccountRow {
    pub(crate) fn read_all(rows: Vec<AccountColumns>) -> Result<Vec<Self>, StoreError> {
        rows.into_iter().map(Self::read).collect()
    }

    fn read(row: AccountColumns) -> Result<Self, StoreError> {
        Ok(Self {
            id: parsed("accounts.id", &row.id)?,
            name: row.name,
            parent: optional("accounts.parent", row.parent.as_deref())?,
            depth: row.path.matches('/').count().saturating_sub(1),
        })
    }
}
