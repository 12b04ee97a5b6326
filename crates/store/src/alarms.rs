//! Alarms: what an administrator should look at. One open alarm for one kind and subject.

use crate::rows::time;
use crate::sql::{Tx, query, query_as, query_scalar};
use crate::within::{Columns, Within};
use crate::{Audited, Page, Store, StoreError};
use provost_core::time::UnixMillis;
use sqlx::FromRow;

/// An alarm to be raised.
#[derive(Debug, Clone)]
pub struct NewAlarm<'a> {
    /// A ULID of this instant.
    pub id: &'a str,
    /// What kind, as a stable word.
    pub kind: &'a str,
    /// What it is about.
    pub subject: &'a str,
    /// Now.
    pub at: UnixMillis,
    /// What happened.
    pub sentence: &'a str,
    /// What to do.
    pub advice: &'a str,
}

/// An alarm as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmRow {
    /// Id.
    pub id: String,
    /// What kind.
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// The first time.
    pub raised: UnixMillis,
    /// The last time.
    pub last: UnixMillis,
    /// How often.
    pub times: i64,
    /// When it ended; `None` while it is open.
    pub ended: Option<UnixMillis>,
    /// What happened.
    pub sentence: String,
    /// What to do.
    pub advice: String,
}

#[derive(FromRow)]
pub(crate) struct AlarmColumns {
    id: String,
    kind: String,
    subject: String,
    raised_ms: i64,
    last_ms: i64,
    times: i64,
    ended_ms: Option<i64>,
    sentence: String,
    advice: String,
}

/// A connector is its account's and at no site.
const OF_CONNECTOR: Columns = Columns { account: "c.account", site: "CAST(NULL AS TEXT)" };
/// So is what is about an account as a whole.
const OF_ACCOUNT: Columns = Columns { account: "t.id", site: "CAST(NULL AS TEXT)" };

/// A site is its account's, and its own.
const OF_SITE: Columns = Columns { account: "s.account", site: "s.id" };

/// The alarms of a scope: everything has them all, an account those about its phones, sites and connectors and itself. The
/// scope's values are the first two parameters.
pub(crate) fn select(within: &Within) -> String {
    format!(
        "SELECT id, kind, subject, raised_ms, last_ms, times, ended_ms, sentence, advice FROM alarms a \
         WHERE ({} OR a.subject IN (SELECT c.id FROM connectors c WHERE {}) \
         OR a.subject IN (SELECT s.id FROM sites s WHERE {}) OR a.subject IN (SELECT t.id FROM accounts t WHERE {}))",
        crate::belonging::condition("a.subject", within, 1),
        within.condition(&OF_CONNECTOR, 1),
        within.condition(&OF_SITE, 1),
        within.condition(&OF_ACCOUNT, 1)
    )
}

impl Store {
    /// Opens an alarm, or counts it where it is open already.
    pub async fn raise_alarm(&self, alarm: &NewAlarm<'_>) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        raise(&mut tx, alarm).await?;
        Ok(tx.commit().await?)
    }

    /// Ends the open alarm of this kind and subject, if there is one: its reason is gone.
    pub async fn end_alarm_about(&self, kind: &str, subject: &str, now: UnixMillis) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE alarms SET ended_ms = $3 WHERE kind = $1 AND subject = $2 AND ended_ms IS NULL";
        let mut tx = self.begin().await?;
        query(SQL).bind(kind).bind(subject).bind(now.0).execute(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    /// Alarms, newest first; a page continues after the last id of the one before.
    pub async fn alarms(&self, within: &Within, page: Page<'_>) -> Result<Vec<AlarmRow>, StoreError> {
        let sql = format!("{} AND ($3 = '' OR id < $3) ORDER BY id DESC LIMIT $4", select(within));
        let query = query_as(sqlx::AssertSqlSafe(sql)).within(within).bind(page.after).bind(i64::from(page.limit));
        let rows: Vec<AlarmColumns> = query.fetch_all(&self.read).await?;
        Ok(rows.into_iter().map(AlarmRow::from).collect())
    }

    /// The open alarms of a scope, newest first.
    pub async fn open_alarms(&self, within: &Within, limit: u32) -> Result<Vec<AlarmRow>, StoreError> {
        let sql = format!("{} AND ended_ms IS NULL ORDER BY id DESC LIMIT $3", select(within));
        let query = query_as(sqlx::AssertSqlSafe(sql)).within(within).bind(i64::from(limit));
        let rows: Vec<AlarmColumns> = query.fetch_all(&self.read).await?;
        Ok(rows.into_iter().map(AlarmRow::from).collect())
    }

    /// The ended alarms of a scope, newest first; a page continues after the last id of the one before.
    pub async fn ended_alarms(&self, within: &Within, page: Page<'_>) -> Result<Vec<AlarmRow>, StoreError> {
        let sql =
            format!("{} AND ended_ms IS NOT NULL AND ($3 = '' OR id < $3) ORDER BY id DESC LIMIT $4", select(within));
        let query = query_as(sqlx::AssertSqlSafe(sql)).within(within).bind(page.after).bind(i64::from(page.limit));
        let rows: Vec<AlarmColumns> = query.fetch_all(&self.read).await?;
        Ok(rows.into_iter().map(AlarmRow::from).collect())
    }

    /// What the open alarms of a kind are about.
    pub async fn open_alarms_of(&self, kind: &str) -> Result<Vec<String>, StoreError> {
        const SQL: &str = "SELECT subject FROM alarms WHERE kind = $1 AND ended_ms IS NULL ORDER BY subject";
        Ok(query_scalar(SQL).bind(kind).fetch_all(&self.read).await?)
    }

    /// Whether an alarm of this kind and subject is open, or ended after then.
    pub async fn is_alarmed(&self, kind: &str, subject: &str, after: UnixMillis) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT EXISTS (SELECT 1 FROM alarms WHERE kind = $1 AND subject = $2 \
                           AND (ended_ms IS NULL OR ended_ms > $3))";
        Ok(query_scalar(SQL).bind(kind).bind(subject).bind(after.0).fetch_one(&self.read).await?)
    }

    /// One alarm.
    pub async fn alarm(&self, id: &str) -> Result<Option<AlarmRow>, StoreError> {
        const SQL: &str = "SELECT id, kind, subject, raised_ms, last_ms, times, ended_ms, sentence, advice FROM alarms \
                           WHERE id = $1";
        let row: Option<AlarmColumns> = query_as(SQL).bind(id).fetch_optional(&self.read).await?;
        Ok(row.map(AlarmRow::from))
    }
}

/// Opens an alarm, or counts it, as part of what it is about.
pub(crate) async fn raise(tx: &mut Tx, alarm: &NewAlarm<'_>) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO alarms (id, kind, subject, raised_ms, last_ms, times, sentence, advice) \
         VALUES ($1, $2, $3, $4, $4, 1, $5, $6) ON CONFLICT (kind, subject) WHERE ended_ms IS NULL DO UPDATE SET \
         last_ms = excluded.last_ms, times = alarms.times + 1, sentence = excluded.sentence, advice = excluded.advice";
    query(SQL)
        .bind(alarm.id)
        .bind(alarm.kind)
        .bind(alarm.subject)
        .bind(alarm.at.0)
        .bind(alarm.sentence)
        .bind(alarm.advice)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

impl Audited<'_> {
    /// Ends an open alarm: somebody looked at it.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such open alarm.
    pub async fn end_alarm(self, id: &str, now: UnixMillis) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE alarms SET ended_ms = $2 WHERE id = $1 AND ended_ms IS NULL";
        let mut tx = self.begin().await?;
        let done = query(SQL).bind(id).bind(now.0).execute(&mut tx).await?;
        if done == 0 {
            return Err(StoreError::Missing { what: "open alarm" });
        }
        self.commit(tx).await
    }
}

impl From<AlarmColumns> for AlarmRow {
    fn from(row: AlarmColumns) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            subject: row.subject,
            raised: UnixMillis(row.raised_ms),
            last: UnixMillis(row.last_ms),
            times: row.times,
            ended: time(row.ended_ms),
            sentence: row.sentence,
            advice: row.advice,
        }
    }
}
