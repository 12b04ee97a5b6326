//! Which versions phones run, and the claimed phones that run one of some.

use super::trouble::{DEVICES, LOOKED_AT, LOOKED_UP, Trouble};
use crate::sql::query_as;
use crate::within::Within;
use crate::{Store, StoreError};

/// Versions that are looked at: so many are not in use at once.
const MOST_VERSIONS: u32 = 2_000;
/// Versions that one list is made of.
const MOST_ASKED: usize = 200;

/// Each step looks up the next pair by the index, so that a million phones of ten versions cost ten look-ups.
const SEEN: &str = "WITH RECURSIVE seen (model, firmware) AS (\
    SELECT * FROM (SELECT model, firmware FROM phones WHERE model IS NOT NULL AND firmware IS NOT NULL \
        ORDER BY model, firmware LIMIT 1) AS least \
    UNION ALL \
    SELECT (SELECT p.model FROM phones p WHERE (p.model, p.firmware) > (s.model, s.firmware) \
            ORDER BY p.model, p.firmware LIMIT 1), \
        (SELECT p.firmware FROM phones p WHERE (p.model, p.firmware) > (s.model, s.firmware) \
            ORDER BY p.model, p.firmware LIMIT 1) \
        FROM seen s WHERE s.model IS NOT NULL) \
    SELECT model, firmware FROM seen WHERE model IS NOT NULL AND firmware IS NOT NULL LIMIT $1";

impl Store {
    /// Each model with each version that phones said to run, whoever has them.
    pub async fn versions_seen(&self) -> Result<Vec<(String, String)>, StoreError> {
        Ok(query_as(SEEN).bind(i64::from(MOST_VERSIONS)).fetch_all(&self.read).await?)
    }

    /// Claimed phones that run one of these versions of a model, those seen last first; the first 200 pairs count.
    pub async fn phones_running(
        &self,
        versions: &[(String, String)],
        within: &Within,
        limit: u32,
    ) -> Result<Vec<Trouble>, StoreError> {
        if versions.is_empty() {
            return Ok(Vec::new());
        }
        let versions = versions.get(..MOST_ASKED).unwrap_or(versions);
        let pairs: Vec<String> = (0..versions.len())
            .map(|at| {
                format!("(${}, ${})", at.saturating_mul(2).saturating_add(4), at.saturating_mul(2).saturating_add(5))
            })
            .collect();
        let sql = format!(
            "{}(SELECT r.device, p.last_seen_ms FROM phones p CROSS JOIN device_report r \
             WHERE (p.model, p.firmware) IN (VALUES {}) AND r.mac = p.mac AND r.status || '' = 'activated' AND {} \
             LIMIT {LOOKED_AT}) p CROSS JOIN device_report r CROSS JOIN devices d \
             WHERE r.device = p.device AND d.id = r.device ORDER BY at_ms DESC, r.device LIMIT $3",
            DEVICES.replace("AT", "p.last_seen_ms"),
            pairs.join(", "),
            within.condition(&LOOKED_UP, 1)
        );
        let mut query = query_as(sqlx::AssertSqlSafe(sql)).within(within).bind(i64::from(limit));
        for (model, firmware) in versions {
            query = query.bind(model.as_str()).bind(firmware.as_str());
        }
        query.fetch_all(&self.read).await?.into_iter().map(Trouble::read).collect()
    }
}
