//! What the search box finds beside devices: sites and accounts by the beginning of their name.

use crate::sql::query_as;
use crate::within::{Columns, Within};
use crate::{Store, StoreError};

/// A site or an account that was found.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct FoundPlace {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The name of a site's account.
    pub account_name: Option<String>,
}

impl Store {
    /// Sites and then accounts whose name begins with this, whatever the case, by name; at most `limit` of each.
    pub async fn places_called(
        &self,
        within: &Within,
        begins: &str,
        limit: u32,
    ) -> Result<(Vec<FoundPlace>, Vec<FoundPlace>), StoreError> {
        let sites = "SELECT s.id, s.name, a.name AS account_name FROM sites s JOIN accounts a ON a.id = s.account";
        let of_site = Columns { account: "s.account", site: "s.id" };
        let accounts = "SELECT a.id, a.name, CAST(NULL AS TEXT) AS account_name FROM accounts a";
        // Whoever sees one site only finds no account.
        let of_account = Columns { account: "a.id", site: "''" };
        let sites = self.called((sites, "s.name", &of_site), within, begins, limit).await?;
        Ok((sites, self.called((accounts, "a.name", &of_account), within, begins, limit).await?))
    }

    async fn called(
        &self,
        (from, name, whose): (&str, &str, &Columns),
        within: &Within,
        begins: &str,
        limit: u32,
    ) -> Result<Vec<FoundPlace>, StoreError> {
        let sql = format!(
            "{from} WHERE SUBSTR(LOWER({name}), 1, LENGTH($1)) = $1 AND {} ORDER BY {name}, 1 LIMIT $2",
            within.condition(whose, 3)
        );
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(begins).bind(i64::from(limit)).within(within);
        Ok(query.fetch_all(&self.read).await?)
    }
}
