//! Configuration layers: their revisions, which one counts, and how many devices they reach.

use crate::rows::parsed;
use crate::sql::{query, query_as, query_scalar};
use crate::{Audited, Store, StoreError};
use provost_core::ids::{AccountId, DeviceId};
use provost_core::layers::Subject;
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use sqlx::FromRow;

/// A state that a layer was or is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevisionRow {
    /// The layer.
    pub subject: Subject,
    /// From 1.
    pub number: i64,
    /// When it came to be.
    pub at: UnixMillis,
    /// Who made it so.
    pub who: String,
    /// The reason that was given.
    pub why: Option<String>,
    /// The revision whose content came back with it; 0 is the empty layer of before.
    pub restores: Option<i64>,
    /// All entries, encrypted.
    pub content: Vec<u8>,
}

/// A device that is in a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachedDevice {
    /// The device.
    pub device: DeviceId,
    /// For whom.
    pub user_name: Option<String>,
    /// Their extension.
    pub extension: Option<String>,
    /// Its phone, or the one named beforehand.
    pub mac: Option<MacAddr>,
}

#[derive(FromRow)]
struct RevisionColumns {
    subject: String,
    number: i64,
    at_ms: i64,
    who: String,
    why: Option<String>,
    restores: Option<i64>,
    content: Vec<u8>,
}

const COLUMNS: &str = "r.subject, r.number, r.at_ms, r.who, r.why, r.restores, r.content";

/// Older ones are forgotten: a layer that changes every minute must not fill the disk.
const REVISIONS_KEPT: i64 = 500;
/// More are not counted one by one.
pub const REACH_COUNTED: i64 = 10_000;

impl Store {
    /// The revisions that count of these layers, for those that have one, in the order asked for.
    pub async fn layers(&self, subjects: &[Subject]) -> Result<Vec<RevisionRow>, StoreError> {
        let places: Vec<_> = (1..=subjects.len()).map(|place| format!("${place}")).collect();
        let sql = format!(
            "SELECT {COLUMNS} FROM configuration_layers l JOIN configuration_revisions r \
             ON r.subject = l.subject AND r.number = l.number WHERE l.subject IN ({})",
            places.join(", ")
        );
        let names: Vec<_> = subjects.iter().map(Subject::to_string).collect();
        let mut statement = query_as(sqlx::AssertSqlSafe(sql));
        for name in &names {
            statement = statement.bind(name);
        }
        let rows: Vec<RevisionColumns> = statement.fetch_all(&self.read).await?;
        let mut rows = rows.into_iter().map(RevisionRow::read).collect::<Result<Vec<_>, StoreError>>()?;
        rows.sort_by_key(|row| subjects.iter().position(|subject| *subject == row.subject));
        Ok(rows)
    }

    /// One revision of a layer.
    pub async fn revision(&self, subject: &Subject, number: i64) -> Result<Option<RevisionRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM configuration_revisions r WHERE r.subject = $1 AND r.number = $2");
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(subject.to_string()).bind(number);
        let row: Option<RevisionColumns> = query.fetch_optional(&self.read).await?;
        row.map(RevisionRow::read).transpose()
    }

    /// The newest revisions of a layer below the number `before`.
    pub async fn revisions(&self, subject: &Subject, before: i64, limit: u32) -> Result<Vec<RevisionRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM configuration_revisions r WHERE r.subject = $1 AND r.number < $2 \
             ORDER BY r.number DESC LIMIT $3"
        );
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(subject.to_string()).bind(before).bind(i64::from(limit));
        let rows: Vec<RevisionColumns> = query.fetch_all(&self.read).await?;
        rows.into_iter().map(RevisionRow::read).collect()
    }

    /// The accounts from the top down to this one; none when there is no such account.
    pub async fn accounts_above(&self, account: &AccountId) -> Result<Vec<AccountId>, StoreError> {
        const SQL: &str = "SELECT path FROM accounts WHERE id = $1";
        let path: Option<String> = query_scalar(SQL).bind(account.as_str()).fetch_optional(&self.read).await?;
        accounts_of(path.as_deref().unwrap_or_default())
    }

    /// How many devices are in a layer, counted up to one more than [`REACH_COUNTED`].
    pub async fn reached(&self, subject: &Subject) -> Result<i64, StoreError> {
        const ALL: &str = "SELECT COUNT(*) FROM (SELECT device FROM device_report LIMIT $1) c";
        const SITE: &str = "SELECT COUNT(*) FROM (SELECT device FROM device_report WHERE site = $2 LIMIT $1) c";
        const MODEL: &str = "SELECT COUNT(*) FROM (SELECT device FROM device_report WHERE model = $2 LIMIT $1) c";
        const ONE: &str = "SELECT COUNT(*) FROM (SELECT id FROM devices WHERE id = $2 LIMIT $1) c";
        const ACCOUNT: &str = "SELECT COUNT(*) FROM (SELECT d.device FROM accounts t JOIN accounts a \
                               ON a.path >= t.path AND a.path < SUBSTR(t.path, 1, LENGTH(t.path) - 1) || '0' \
                               JOIN device_report d ON d.account = a.id WHERE t.id = $2 LIMIT $1) c";
        const ACCOUNT_MODEL: &str = "SELECT COUNT(*) FROM (SELECT d.device FROM accounts t JOIN accounts a \
                                     ON a.path >= t.path AND a.path < SUBSTR(t.path, 1, LENGTH(t.path) - 1) || '0' \
                                     JOIN device_report d ON d.account = a.id AND d.model = $3 \
                                     WHERE t.id = $2 LIMIT $1) c";
        let most = REACH_COUNTED.saturating_add(1);
        let query = match subject {
            Subject::Platform => query_scalar(ALL).bind(most),
            Subject::Site(id) => query_scalar(SITE).bind(most).bind(id.as_str()),
            Subject::Model(model) => query_scalar(MODEL).bind(most).bind(model),
            Subject::Device(id) => query_scalar(ONE).bind(most).bind(id.as_str()),
            Subject::Account(id) => query_scalar(ACCOUNT).bind(most).bind(id.as_str()),
            Subject::AccountModel(id, model) => query_scalar(ACCOUNT_MODEL).bind(most).bind(id.as_str()).bind(model),
        };
        Ok(query.fetch_one(&self.read).await?)
    }

    /// Some devices that are in a layer, to look at what it does to one of them.
    pub async fn some_reached(&self, subject: &Subject, limit: u32) -> Result<Vec<ReachedDevice>, StoreError> {
        const ALL: &str = "SELECT d.device, d.shown_user, d.shown_extension, d.mac FROM device_report d \
                           ORDER BY d.device LIMIT $1";
        const SITE: &str = "SELECT d.device, d.shown_user, d.shown_extension, d.mac FROM device_report d \
                            WHERE d.site = $2 ORDER BY d.device LIMIT $1";
        const MODEL: &str = "SELECT d.device, d.shown_user, d.shown_extension, d.mac FROM device_report d \
                             WHERE d.model = $2 ORDER BY d.device LIMIT $1";
        const ONE: &str = "SELECT d.device, d.shown_user, d.shown_extension, d.mac FROM device_report d \
                           WHERE d.device = $2 LIMIT $1";
        const ACCOUNT: &str = "SELECT d.device, d.shown_user, d.shown_extension, d.mac FROM accounts t JOIN accounts a \
                               ON a.path >= t.path AND a.path < SUBSTR(t.path, 1, LENGTH(t.path) - 1) || '0' \
                               JOIN device_report d ON d.account = a.id WHERE t.id = $2 LIMIT $1";
        const ACCOUNT_MODEL: &str = "SELECT d.device, d.shown_user, d.shown_extension, d.mac \
                                     FROM accounts t JOIN accounts a \
                                     ON a.path >= t.path AND a.path < SUBSTR(t.path, 1, LENGTH(t.path) - 1) || '0' \
                                     JOIN device_report d ON d.account = a.id AND d.model = $3 \
                                     WHERE t.id = $2 LIMIT $1";
        let most = i64::from(limit);
        let query = match subject {
            Subject::Platform => query_as(ALL).bind(most),
            Subject::Site(id) => query_as(SITE).bind(most).bind(id.as_str()),
            Subject::Model(model) => query_as(MODEL).bind(most).bind(model),
            Subject::Device(id) => query_as(ONE).bind(most).bind(id.as_str()),
            Subject::Account(id) => query_as(ACCOUNT).bind(most).bind(id.as_str()),
            Subject::AccountModel(id, model) => query_as(ACCOUNT_MODEL).bind(most).bind(id.as_str()).bind(model),
        };
        let rows: Vec<(String, Option<String>, Option<String>, String)> = query.fetch_all(&self.read).await?;
        let read = |(device, user_name, extension, mac): (String, _, _, String)| {
            let mac = if mac.is_empty() { None } else { Some(parsed("device_report.mac", &mac)?) };
            Ok(ReachedDevice { device: parsed("device_report.device", &device)?, user_name, extension, mac })
        };
        rows.into_iter().map(read).collect()
    }
}

/// The ids in an account's path.
pub(crate) fn accounts_of(path: &str) -> Result<Vec<AccountId>, StoreError> {
    path.split('/').filter(|id| !id.is_empty()).map(|id| parsed("accounts.path", id)).collect()
}

impl Audited<'_> {
    /// Makes this the revision that counts, if the one before it counts now; `false` when somebody was faster.
    pub async fn revise(self, row: &RevisionRow) -> Result<bool, StoreError> {
        const FIRST: &str =
            "INSERT INTO configuration_layers (subject, number) VALUES ($1, $2) ON CONFLICT (subject) DO NOTHING";
        const NEXT: &str = "UPDATE configuration_layers SET number = $2 WHERE subject = $1 AND number = $3";
        const ADD: &str = "INSERT INTO configuration_revisions (subject, number, at_ms, who, why, restores, content) \
                           VALUES ($1, $2, $3, $4, $5, $6, $7)";
        const FORGET: &str = "DELETE FROM configuration_revisions WHERE subject = $1 AND number <= $2";
        let subject = row.subject.to_string();
        let mut tx = self.begin().await?;
        let done = if row.number == 1 {
            query(FIRST).bind(&subject).bind(row.number).execute(&mut tx).await?
        } else {
            let before = row.number.saturating_sub(1);
            query(NEXT).bind(&subject).bind(row.number).bind(before).execute(&mut tx).await?
        };
        if done == 0 {
            tx.rollback().await?;
            return Ok(false);
        }
        query(ADD)
            .bind(&subject)
            .bind(row.number)
            .bind(row.at.0)
            .bind(&row.who)
            .bind(&row.why)
            .bind(row.restores)
            .bind(&row.content)
            .execute(&mut tx)
            .await?;
        let forgotten = row.number.saturating_sub(REVISIONS_KEPT);
        query(FORGET).bind(&subject).bind(forgotten).execute(&mut tx).await?;
        self.commit(tx).await?;
        Ok(true)
    }
}

impl RevisionRow {
    fn read(row: RevisionColumns) -> Result<Self, StoreError> {
        let RevisionColumns { subject, number, at_ms, who, why, restores, content } = row;
        let subject = parsed("configuration_revisions.subject", &subject)?;
        Ok(Self { subject, number, at: UnixMillis(at_ms), who, why, restores, content })
    }
}
