//! Good rows become users, devices and lines.

use super::findings::check_range;
use super::{ImportRow, Judge, bad_rows, set_state};
use crate::sql::{Pool, Tx, query, query_as, query_scalar};
use crate::{Audited, Store, StoreError};
use provost_core::import::{ImportKind, ImportState};
use provost_core::time::UnixMillis;
use std::collections::HashMap;

/// An import that is to be applied, and what that needs.
pub struct Applying<'a> {
    /// The import.
    pub import: &'a ImportRow,
    /// Puts what was found into words.
    pub judge: &'a Judge<'a>,
    /// Encrypts the password of a row anew, for a user's line; `None` when it cannot be read.
    pub sealed: &'a Sealed<'a>,
    /// Now.
    pub now: UnixMillis,
}

/// Row, user, place of the line, and the row's encrypted password.
pub type Sealed<'a> = dyn Fn(i64, &str, i64, &[u8]) -> Option<Vec<u8>> + Send + Sync + 'a;

/// Rows looked at and inserted by one statement.
const STRETCH: i64 = 1_000;

const USERS: &str = "INSERT INTO persons (id, site, name, extension, email, language, created_ms) \
    SELECT r.id, r.site, r.name, r.extension, r.email, r.language, $4 FROM import_rows r \
    WHERE r.import = $1 AND r.number > $2 AND r.number <= $3 AND NOT EXISTS \
    (SELECT 1 FROM import_faults f WHERE f.import = r.import AND f.number = r.number)";
const DEVICES: &str = "INSERT INTO devices (id, account, model, person, mac, created_ms) \
    SELECT r.id, $5, r.model, r.person, r.mac, $4 FROM import_rows r \
    WHERE r.import = $1 AND r.number > $2 AND r.number <= $3 AND NOT EXISTS \
    (SELECT 1 FROM import_faults f WHERE f.import = r.import AND f.number = r.number)";
const LINES: &str = "SELECT r.number, r.person, r.sip_user, r.auth_user, r.password, \
    (SELECT COALESCE(MAX(l.place) + 1, 0) FROM person_lines l WHERE l.person = r.person) FROM import_rows r \
    WHERE r.import = $1 AND r.number > $2 AND r.number <= $3 AND NOT EXISTS \
    (SELECT 1 FROM import_faults f WHERE f.import = r.import AND f.number = r.number) ORDER BY r.number";

type LineColumns = (i64, String, String, Option<String>, Option<Vec<u8>>, i64);

impl Store {
    /// Where the next stretch of rows after `from` ends; `None` when there are no more.
    pub async fn import_stretch(&self, id: &str, from: i64) -> Result<Option<i64>, StoreError> {
        const SQL: &str = "SELECT MAX(k.number) FROM (SELECT number FROM import_rows WHERE import = $1 AND number > $2 \
                           ORDER BY number LIMIT $3) k";
        let found: (Option<i64>,) = query_as(SQL).bind(id).bind(from).bind(STRETCH).fetch_one(&self.read).await?;
        Ok(found.0)
    }

    /// The phones that were here already, of those that the applied rows of a stretch named.
    pub async fn imported_macs(&self, id: &str, from: i64, to: i64) -> Result<Vec<String>, StoreError> {
        const SQL: &str = "SELECT r.mac FROM import_rows r JOIN phones p ON p.mac = r.mac WHERE r.import = $1 AND r.number > $2 AND r.number <= $3 \
                           AND r.mac IS NOT NULL AND NOT EXISTS \
                           (SELECT 1 FROM import_faults f WHERE f.import = r.import AND f.number = r.number)";
        Ok(query_scalar(SQL).bind(id).bind(from).bind(to).fetch_all(&self.read).await?)
    }
}

impl Store {
    /// Lets PostgreSQL count what many rows changed: by what it counted before, it would sort where an index is there.
    /// SQLite goes by its indexes alone.
    pub async fn count_anew(&self) -> Result<(), StoreError> {
        const COUNT: [&str; 6] = [
            "ANALYZE device_report",
            "ANALYZE devices",
            "ANALYZE persons",
            "ANALYZE person_lines",
            "ANALYZE import_rows",
            "ANALYZE import_faults",
        ];
        if matches!(self.read, Pool::Postgres(_)) {
            for statement in COUNT {
                query(statement).execute(&self.read).await?;
            }
        }
        Ok(())
    }
}

impl Audited<'_> {
    /// Applies the good rows of a stretch and remembers that it did; `false` when somebody else did so before.
    pub async fn apply_good_rows(self, applying: &Applying<'_>, (from, to): (i64, i64)) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        if applied_to(&mut tx, &applying.import.id).await? != Some(from) {
            tx.rollback().await?;
            return Ok(false);
        }
        stretch(&mut tx, applying, (from, to)).await?;
        self.commit(tx).await?;
        Ok(true)
    }

    /// Applies every row, or, when one of them turns out bad, none; tells whether it did.
    pub async fn apply_all_rows(self, applying: &Applying<'_>) -> Result<bool, StoreError> {
        let id = &applying.import.id;
        let mut tx = self.begin().await?;
        if applied_to(&mut tx, id).await? != Some(0) {
            tx.rollback().await?;
            return Ok(false);
        }
        let mut from = 0;
        while let Some(to) = next_stretch(&mut tx, id, from).await? {
            if stretch(&mut tx, applying, (from, to)).await? > 0 {
                tx.rollback().await?;
                return refuse(self, applying).await;
            }
            from = to;
        }
        set_state(&mut tx, id, ImportState::Done, Some(applying.now), None).await?;
        self.commit(tx).await?;
        Ok(true)
    }
}

/// How far an import is, if it is being applied: several nodes may believe that it is theirs.
async fn applied_to(tx: &mut Tx, id: &str) -> Result<Option<i64>, StoreError> {
    const SQL: &str = "SELECT applied_to FROM imports WHERE id = $1 AND state = $2";
    Ok(query_scalar(SQL).bind(id).bind(ImportState::Applying.as_str()).fetch_optional(tx).await?)
}

async fn next_stretch(tx: &mut Tx, id: &str, from: i64) -> Result<Option<i64>, StoreError> {
    const SQL: &str = "SELECT MAX(k.number) FROM (SELECT number FROM import_rows WHERE import = $1 AND number > $2 \
                       ORDER BY number LIMIT $3) k";
    let found: (Option<i64>,) = query_as(SQL).bind(id).bind(from).bind(STRETCH).fetch_one(tx).await?;
    Ok(found.0)
}

/// Writes down what is wrong since the rows came in, and that nothing was applied.
async fn refuse(audited: Audited<'_>, applying: &Applying<'_>) -> Result<bool, StoreError> {
    const COUNT: &str = "UPDATE imports SET rows_bad = $2 WHERE id = $1";
    let import = applying.import;
    let mut tx = audited.begin().await?;
    let mut from = 0;
    while let Some(to) = next_stretch(&mut tx, &import.id, from).await? {
        check_range(&mut tx, import, (from, to), 0, applying.judge).await?;
        from = to;
    }
    let bad = bad_rows(&mut tx, &import.id, 0, from).await?;
    query(COUNT).bind(&import.id).bind(bad).execute(&mut tx).await?;
    // Whoever mended rows by hand shall not begin again.
    let (state, ended) =
        if import.held { (ImportState::Waiting, None) } else { (ImportState::Refused, Some(applying.now)) };
    set_state(&mut tx, &import.id, state, ended, None).await?;
    tx.commit().await?;
    Ok(false)
}

/// Looks at a stretch of rows once more and applies the good ones; returns how many turned bad since they came in.
async fn stretch(tx: &mut Tx, applying: &Applying<'_>, (from, to): (i64, i64)) -> Result<i64, StoreError> {
    const COUNT: &str =
        "UPDATE imports SET rows_bad = rows_bad + $2, rows_done = rows_done + $3, applied_to = $4 WHERE id = $1";
    let import = applying.import;
    let before = bad_rows(tx, &import.id, from, to).await?;
    check_range(tx, import, (from, to), from, applying.judge).await?;
    let turned = bad_rows(tx, &import.id, from, to).await?.saturating_sub(before);
    let done = match import.kind {
        ImportKind::Users => {
            query(USERS).bind(&import.id).bind(from).bind(to).bind(applying.now.0).execute(&mut *tx).await?
        }
        ImportKind::Devices => {
            query(DEVICES)
                .bind(&import.id)
                .bind(from)
                .bind(to)
                .bind(applying.now.0)
                .bind(import.account.as_str())
                .execute(&mut *tx)
                .await?
        }
        ImportKind::Lines => lines(tx, applying, (from, to)).await?,
    };
    let done = i64::try_from(done).unwrap_or(i64::MAX);
    query(COUNT).bind(&import.id).bind(turned).bind(done).bind(to).execute(&mut *tx).await?;
    Ok(turned)
}

async fn lines(tx: &mut Tx, applying: &Applying<'_>, (from, to): (i64, i64)) -> Result<u64, StoreError> {
    const ADD: &str =
        "INSERT INTO person_lines (person, place, sip_user, auth_user, password) VALUES ($1, $2, $3, $4, $5)";
    let rows: Vec<LineColumns> =
        query_as(LINES).bind(&applying.import.id).bind(from).bind(to).fetch_all(&mut *tx).await?;
    let mut places: HashMap<String, i64> = HashMap::new();
    let mut done: u64 = 0;
    for (number, person, sip_user, auth_user, password, free) in rows {
        let place = *places.entry(person.clone()).and_modify(|place| *place = place.saturating_add(1)).or_insert(free);
        let password = match password {
            None => None,
            Some(sealed) => Some((applying.sealed)(number, &person, place, &sealed).ok_or_else(|| {
                crate::rows::unreadable("import_rows.password", "a secret that was encrypted with another key")
            })?),
        };
        query(ADD).bind(person).bind(place).bind(sip_user).bind(auth_user).bind(password).execute(&mut *tx).await?;
        done = done.saturating_add(1);
    }
    Ok(done)
}
