//! Tries to sign in: counted before a password is looked at, so that many at once are limited as one after the other,
//! and forgiven where it was right.
//!
//! Who has to wait is decided by [`provost_core::sign_in`]. What is here is bounded by how fast passwords are hashed.

use crate::sql::{Tx, query, query_as, query_scalar};
use crate::{Store, StoreError};
use provost_core::sign_in::{COUNTS_FOR_MS, Counted, MOST_IN_ALL, Wrong, wait_until};
use provost_core::time::UnixMillis;

/// A try to sign in.
#[derive(Debug, Clone, Copy)]
pub struct SignInTry<'a> {
    /// A keyed hash of the name that was typed.
    pub name: &'a str,
    /// What counts as one address.
    pub source: &'a str,
    /// When.
    pub now: UnixMillis,
}

/// Whether a try is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInTurn {
    /// It is counted now; so many counted for the name before it.
    Look {
        /// How many.
        before: usize,
    },
    /// It is not, until then.
    Wait(UnixMillis),
}

/// How long a place is remembered.
const PLACE_DAYS: i64 = 90;
/// Places of one name.
const MOST_PLACES: i64 = 20;

impl Store {
    /// Counts a try, unless it has to wait.
    pub async fn begin_sign_in(&self, tried: SignInTry<'_>) -> Result<SignInTurn, StoreError> {
        const DROP: &str = "DELETE FROM sign_in_tries WHERE at_ms <= $1 OR at_ms > $2";
        const ADD: &str = "INSERT INTO sign_in_tries (at_ms, name, source) VALUES ($1, $2, $3)";
        let mut tx = self.begin().await?;
        let counted = counted(&mut tx, tried).await?;
        if let Some(until) = wait_until(&counted, tried.now) {
            return Ok(SignInTurn::Wait(until));
        }
        let (after, ahead) = window(tried.now);
        query(DROP).bind(after).bind(ahead).execute(&mut tx).await?;
        query(ADD).bind(tried.now.0).bind(tried.name).bind(tried.source).execute(&mut tx).await?;
        tx.commit().await?;
        Ok(SignInTurn::Look { before: counted.name.count })
    }

    /// Forgets what was wrong for this name from this address, and remembers that its owner was there.
    pub async fn forgive_sign_in(&self, tried: SignInTry<'_>) -> Result<(), StoreError> {
        const TRIES: &str = "DELETE FROM sign_in_tries WHERE name = $1 AND source = $2";
        const PLACE: &str = "INSERT INTO sign_in_places (name, source, used_ms) VALUES ($1, $2, $3) \
                             ON CONFLICT (name, source) DO UPDATE SET used_ms = excluded.used_ms";
        const OLD: &str = "DELETE FROM sign_in_places WHERE used_ms <= $1";
        const MANY: &str = "DELETE FROM sign_in_places WHERE name = $1 AND source IN (SELECT source FROM sign_in_places \
                            WHERE name = $1 ORDER BY used_ms DESC, source LIMIT 1000 OFFSET $2)";
        let mut tx = self.begin().await?;
        query(TRIES).bind(tried.name).bind(tried.source).execute(&mut tx).await?;
        query(PLACE).bind(tried.name).bind(tried.source).bind(tried.now.0).execute(&mut tx).await?;
        query(OLD).bind(tried.now.plus_days(PLACE_DAYS.saturating_neg()).0).execute(&mut tx).await?;
        query(MANY).bind(tried.name).bind(MOST_PLACES).execute(&mut tx).await?;
        Ok(tx.commit().await?)
    }
}

async fn counted(tx: &mut Tx, tried: SignInTry<'_>) -> Result<Counted, StoreError> {
    const PLACE: &str = "SELECT COUNT(*) FROM sign_in_places WHERE name = $1 AND source = $2";
    const NAME: &str = "SELECT COUNT(*), MAX(at_ms) FROM sign_in_tries WHERE name = $1 AND at_ms > $2 AND at_ms <= $3";
    const HERE: &str = "SELECT COUNT(*), MAX(at_ms) FROM sign_in_tries WHERE name = $1 AND at_ms > $2 AND at_ms <= $3 \
                        AND source = $4";
    const ADDRESS: &str =
        "SELECT COUNT(*), MAX(at_ms) FROM sign_in_tries WHERE source = $1 AND at_ms > $2 AND at_ms <= $3";
    const ALL: &str =
        "SELECT COUNT(*) FROM (SELECT 1 FROM sign_in_tries WHERE at_ms > $1 AND at_ms <= $2 LIMIT $3) AS t";
    let (after, until) = window(tried.now);
    let known: i64 = query_scalar(PLACE).bind(tried.name).bind(tried.source).fetch_one(&mut *tx).await?;
    let name = if known > 0 {
        query_as(HERE).bind(tried.name).bind(after).bind(until).bind(tried.source).fetch_one(&mut *tx).await?
    } else {
        query_as(NAME).bind(tried.name).bind(after).bind(until).fetch_one(&mut *tx).await?
    };
    let address = query_as(ADDRESS).bind(tried.source).bind(after).bind(until).fetch_one(&mut *tx).await?;
    let most = i64::try_from(MOST_IN_ALL).unwrap_or(i64::MAX);
    let in_all: i64 = query_scalar(ALL).bind(after).bind(until).bind(most).fetch_one(&mut *tx).await?;
    let number = |count: i64| usize::try_from(count).unwrap_or(0);
    let wrong = |(count, last): (i64, Option<i64>)| Wrong { count: number(count), last: last.map(UnixMillis) };
    Ok(Counted { name: wrong(name), address: wrong(address), in_all: number(in_all) })
}

/// What counts: a time far ahead is of a clock that was set back.
fn window(now: UnixMillis) -> (i64, i64) {
    (now.plus_millis(COUNTS_FOR_MS.saturating_neg()).0, now.plus_millis(COUNTS_FOR_MS).0)
}
