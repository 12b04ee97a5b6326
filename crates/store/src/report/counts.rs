//! How many devices there are, read off the report's indexes.

use crate::sql::query_as;
use crate::within::{Columns, Within};
use crate::{Store, StoreError};
use std::collections::BTreeMap;

impl Store {
    /// How many devices there are of each model, those that were released among them; a model without any is left out.
    pub async fn devices_by_model(&self, within: &Within) -> Result<BTreeMap<String, i64>, StoreError> {
        const WHOSE: Columns = Columns { account: "account", site: "site" };
        let sql = format!(
            "SELECT model, COUNT(*) FROM device_report WHERE {} GROUP BY model ORDER BY model",
            within.condition(&WHOSE, 1)
        );
        let rows: Vec<(String, i64)> = query_as(sqlx::AssertSqlSafe(sql)).within(within).fetch_all(&self.read).await?;
        Ok(rows.into_iter().collect())
    }
}
