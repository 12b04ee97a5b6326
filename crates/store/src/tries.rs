//! Wrong tries of activation codes: counted and looked at in one transaction with the claim.
//!
//! Who has to wait is decided by [`provost_core::tries`]. What is here is bounded: older than an hour
//! goes with the next, and the web page, where nobody proves anything, has a lid.

use crate::sql::{Tx, query, query_scalar};
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
    const OF_PHONE: &str = "SELECT at_ms FROM wrong_tries WHERE mac = $1 AND at_ms > $2 AND at_ms <= $3 \
                            ORDER BY at_ms DESC LIMIT $4";
    const OF_PAGE: &str = "SELECT at_ms FROM wrong_tries WHERE mac IS NULL AND source = $1 AND at_ms > $2 AND at_ms <= $3 \
                           ORDER BY at_ms DESC LIMIT $4";
    const AT_ADDRESS: &str = "SELECT COUNT(*) FROM wrong_tries WHERE mac IS NOT NULL AND source = $1 \
                              AND at_ms > $2 AND at_ms <= $3";
    const IN_ALL: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM wrong_tries WHERE (mac IS NULL) = $1 \
                          AND at_ms > $2 AND at_ms <= $3 LIMIT $4) AS counted";
    let (after, until) = (now.plus_millis(COUNTS_FOR_MS.saturating_neg()), now.plus_millis(COUNTS_FOR_MS));
    let source = tried.source();
    let (own, whose) = match tried.mac() {
        Some(mac) => (OF_PHONE, mac.to_string()),
        None => (OF_PAGE, source.clone()),
    };
    let most = i64::try_from(tried.most_of_its_own()).unwrap_or(i64::MAX);
    let own: Vec<i64> =
        query_scalar(own).bind(whose).bind(after.0).bind(until.0).bind(most).fetch_all(&mut *tx).await?;
    let at_address: i64 = if tried.mac().is_some() {
        query_scalar(AT_ADDRESS).bind(source).bind(after.0).bind(until.0).fetch_one(&mut *tx).await?
    } else {
        0
    };
    let lid = i64::try_from(MOST_KEPT_OF_PAGE).unwrap_or(i64::MAX);
    let in_all: i64 = query_scalar(IN_ALL)
        .bind(tried.mac().is_none())
        .bind(after.0)
        .bind(until.0)
        .bind(lid)
        .fetch_one(&mut *tx)
        .await?;
    let number = |count| usize::try_from(count).unwrap_or(0);
    let own = own.into_iter().map(UnixMillis).collect();
    Ok(wait_until(tried, &Counted { own, at_address: number(at_address), in_all: number(in_all) }, now))
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
