//! Accounts as a branch of their tree, with their sites and how many users and devices are there.

use crate::account_tree::AccountRow;
use crate::report::Select;
use crate::rows::parsed;
use crate::sql::query_as;
use crate::within::Columns as Whose;
use crate::{Page, Store, StoreError, Within};
use provost_core::ids::{AccountId, SiteId};
use sqlx::FromRow;

/// A site in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSite {
    /// Id.
    pub id: SiteId,
    /// Its account.
    pub account: AccountId,
    /// Name.
    pub name: String,
    /// IANA zone.
    pub time_zone: String,
    /// How many users are there.
    pub users: i64,
    /// How many devices are for these users.
    pub devices: i64,
}

#[derive(FromRow)]
struct SiteColumns {
    id: String,
    account: String,
    name: String,
    time_zone: String,
    users: i64,
    devices: i64,
}

const SITES: &str = "SELECT s.id, s.account, s.name, s.time_zone, \
    (SELECT COUNT(*) FROM persons p WHERE p.site = s.id) AS users, \
    (SELECT COUNT(*) FROM device_report r WHERE r.site = s.id) AS devices FROM sites s WHERE ";

impl Store {
    /// Accounts of a scope, each above those that are below it; a page continues after the last id of the one before.
    pub async fn branch(&self, within: &Within, page: Page<'_>) -> Result<Vec<AccountRow>, StoreError> {
        const WHOSE: Whose =
            Whose { account: "a.id", site: "(SELECT s.id FROM sites s WHERE s.account = a.id AND s.id = $4)" };
        let sql = format!(
            "SELECT a.id, a.name, a.parent, a.path FROM accounts a \
             WHERE a.path > COALESCE((SELECT f.path FROM accounts f WHERE f.id = $1), '') AND {} ORDER BY a.path LIMIT $2",
            within.condition(&WHOSE, 3)
        );
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(page.after).bind(i64::from(page.limit)).within(within);
        AccountRow::read_all(query.fetch_all(&self.read).await?)
    }

    /// Sites of these accounts, by name, as far as they are in the scope; at most `limit`.
    pub async fn sites_of(
        &self,
        accounts: &[AccountId],
        within: &Within,
        limit: u32,
    ) -> Result<Vec<ListedSite>, StoreError> {
        if accounts.is_empty() {
            return Ok(Vec::new());
        }
        let mut select = Select::new(SITES);
        select.push("s.account IN (");
        for (place, account) in accounts.iter().enumerate() {
            select.push(if place == 0 { "" } else { ", " });
            select.text(account.as_str());
        }
        select.push(")");
        // A scope of accounts holds all of their sites.
        if let Within::Site(site) = within {
            select.push(" AND s.id = ");
            select.text(site.as_str());
        }
        select.push(&format!(" ORDER BY LOWER(s.name), s.id LIMIT {limit}"));
        let rows: Vec<SiteColumns> = select.query().fetch_all(&self.read).await?;
        rows.into_iter().map(ListedSite::read).collect()
    }

    /// One site with its figures.
    pub async fn listed_site(&self, id: &SiteId) -> Result<Option<ListedSite>, StoreError> {
        let mut select = Select::new(SITES);
        select.push("s.id = ");
        select.text(id.as_str());
        let row: Option<SiteColumns> = select.query().fetch_optional(&self.read).await?;
        row.map(ListedSite::read).transpose()
    }
}

impl ListedSite {
    fn read(row: SiteColumns) -> Result<Self, StoreError> {
        Ok(Self {
            id: parsed("sites.id", &row.id)?,
            account: parsed("sites.account", &row.account)?,
            name: row.name,
            time_zone: row.time_zone,
            users: row.users,
            devices: row.devices,
        })
    }
}
