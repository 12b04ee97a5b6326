//! Wrong tries of activation codes: counted and looked at in one transaction with the claim.
//!
//! Who has to wait is decided by [`provost_core::tries`]. What is here is bounded: older than an hour
//! goes with the next, and the web page, where nobody proves anything, has a lid.

use crate::sql::{Tx, query, query_as};
use crate::{Store, StoreError};
use provost_core::time::UnixMillis;
use provost_core::tries::{COUNTS_FOR_MS, Counted, MOST_KEPT_OF_PAGE, Tried, wait_until};

impl Store {
    /// Counts a wrong try that needed no claim; `Some`: it was not allowed, and the next one is then.
    pub async fn count_wrong_try(&self, tried: Tried, now: UnixMillis) -> Result<Option<UnixMillis>, StoreError> {
        let mut tx = self.begin().await?;
        let wait = has_to_wait(&mut tx, tried, now).await?;
        if wait.is_none() {
            count(&mut tx, tried, now).await?;
            tx.commit().await?;
        }
        Ok(wait)
    }
}

/// Until when this one has to wait, if it has to.
pub(crate) async fn has_to_wait(tx: &mut Tx, tried: Tried, now: UnixMillis) -> Result<Option<UnixMillis>, StoreError> {
    // In one statement: a crowd of claims is as fast as there are few of them.
    const SQL: &str = "SELECT CAST(0 AS BIGINT) AS what, own.at_ms AS number FROM (SELECT at_ms FROM wrong_tries \
                       WHERE ((mac IS NULL AND $1 AND source = $2) OR mac = $3) AND at_ms > $4 AND at_ms <= $5 \
                       ORDER BY at_ms DESC LIMIT $6) AS own \
                       UNION ALL SELECT CAST(1 AS BIGINT), COUNT(*) FROM wrong_tries WHERE NOT $1 AND mac IS NOT NULL AND source = $2 \
                       AND at_ms > $4 AND at_ms <= $5 \
                       UNION ALL SELECT CAST(2 AS BIGINT), COUNT(*) FROM (SELECT 1 AS one FROM wrong_tries WHERE (mac IS NULL) = $1 \
                       AND at_ms > $4 AND at_ms <= $5 LIMIT $7) AS counted";
    let (after, until) = (now.plus_millis(COUNTS_FOR_MS.saturating_neg()), now.plus_millis(COUNTS_FOR_MS));
    let rows: Vec<(i64, i64)> = query_as(SQL)
        .bind(tried.mac().is_none())
        .bind(tried.source())
        .bind(tried.mac().map(|mac| mac.to_string()))
        .bind(after.0)
        .bind(until.0)
        .bind(i64::try_from(tried.most_of_its_own()).unwrap_or(i64::MAX))
        .bind(i64::try_from(MOST_KEPT_OF_PAGE).unwrap_or(i64::MAX))
        .fetch_all(&mut *tx)
        .await?;
    let mut counted = Counted { own: Vec::new(), at_address: 0, in_all: 0 };
    for (what, number) in rows {
        match what {
            0 => counted.own.push(UnixMillis(number)),
            1 => counted.at_address = usize::try_from(number).unwrap_or(0),
            _ => counted.in_all = usize::try_from(number).unwrap_or(0),
        }
    }
    Ok(wait_until(tried, &counted, now))
}

/// Counts one more and drops what counts no longer; a time far ahead is of a clock that was set back.
pub(crate) async fn count(tx: &mut Tx, tried: Tried, now: UnixMillis) -> Result<(), StoreError> {
    const DROP: &str = "DELETE FROM wrong_tries WHERE at_ms <= $1 OR at_ms > $2";
    const COUNT: &str = "INSERT INTO wrong_tries (at_ms, mac, source) VALUES ($1, $2, $3)";
    let (over, ahead) = (now.plus_millis(COUNTS_FOR_MS.saturating_neg()), now.plus_millis(COUNTS_FOR_MS));
    query(DROP).bind(over.0).bind(ahead.0).execute(&mut *tx).await?;
    query(COUNT)
        .bind(now.0)
        .bind(tried.mac().map(|mac| mac.to_string()))
        .bind(tried.source())
        .execute(&mut *tx)
        .await?;
    Ok(())
}
