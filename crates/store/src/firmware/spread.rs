//! Which versions phones run.

use crate::sql::query_as;
use crate::within::Within;
use crate::{Store, StoreError};

/// So many phones of a model run a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpreadRow {
    /// The model, where the phones said one.
    pub model: Option<String>,
    /// The version, where they said one.
    pub firmware: Option<String>,
    /// How many.
    pub phones: i64,
}

/// More models and versions than there are.
const MOST: i64 = 5_000;

impl Store {
    /// How many phones of each model run each version, by model and version.
    pub async fn firmware_spread(&self, within: &Within) -> Result<Vec<SpreadRow>, StoreError> {
        let sql = format!(
            "SELECT p.model, p.firmware, COUNT(*) FROM phones p WHERE {} GROUP BY p.model, p.firmware \
             ORDER BY COALESCE(p.model, ''), COALESCE(p.firmware, '') LIMIT $3",
            crate::belonging::condition("p.mac", within, 1)
        );
        let query = query_as(sqlx::AssertSqlSafe(sql)).within(within).bind(MOST);
        let rows: Vec<(Option<String>, Option<String>, i64)> = query.fetch_all(&self.read).await?;
        Ok(rows.into_iter().map(|(model, firmware, phones)| SpreadRow { model, firmware, phones }).collect())
    }
}
