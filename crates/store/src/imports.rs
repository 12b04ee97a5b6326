//! CSV imports: rows are kept as they were understood, checked against what is there, and applied.
//!
//! What is wrong with a row is said by the rules; this file finds it. Rows are looked at anew in the transaction that
//! applies them, so that nobody comes in between.

mod apply;
mod findings;
mod grid;
mod staged;

pub use apply::{Applying, Sealed};
pub use grid::{GridRow, MendedRow, WhichRows};
pub use staged::StagedRow;

use crate::rows::{parsed, time, unreadable};
use crate::sql::{Tx, query, query_as, query_scalar};
use crate::within::Columns as Whose;
use crate::{Audited, Page, Store, StoreError, Within};
use provost_core::entry::FieldError;
use provost_core::ids::AccountId;
use provost_core::import::{Finding, ImportKind, ImportMode, ImportState};
use provost_core::time::UnixMillis;
use sqlx::FromRow;

/// An import and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRow {
    /// Id: `import_` and a ULID.
    pub id: String,
    /// For whose users and devices.
    pub account: AccountId,
    /// What the file holds.
    pub kind: ImportKind,
    /// What was asked for.
    pub mode: ImportMode,
    /// How far it is.
    pub state: ImportState,
    /// Who sent it.
    pub who: String,
    /// From where.
    pub from: String,
    /// When.
    pub created: UnixMillis,
    /// When it ended.
    pub ended: Option<UnixMillis>,
    /// Rows that came in.
    pub read: i64,
    /// Rows with faults.
    pub bad: i64,
    /// Rows that were applied.
    pub done: i64,
    /// The last row that was looked at for good.
    pub applied_to: i64,
    /// Why it ended before its time.
    pub problem: Option<String>,
    /// Whether it waits for somebody who looks at its rows before anything is applied.
    pub held: bool,
}

/// A row of an import with its verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportVerdict {
    /// As a spreadsheet counts.
    pub number: i64,
    /// What it is about, in a few words.
    pub about: String,
    /// What is wrong with it; nothing is a good row.
    pub faults: Vec<FieldError>,
}

/// Puts what was found into words; `None` when it is no fault.
pub type Judge<'a> = dyn Fn(&Finding) -> Option<FieldError> + Send + Sync + 'a;

#[derive(FromRow)]
struct Columns {
    id: String,
    account: String,
    kind: String,
    mode: String,
    state: String,
    who: String,
    from_where: String,
    created_ms: i64,
    ended_ms: Option<i64>,
    rows_read: i64,
    rows_bad: i64,
    rows_done: i64,
    applied_to: i64,
    problem: Option<String>,
    held: bool,
}

const SELECT: &str = "SELECT id, account, kind, mode, state, who, from_where, created_ms, ended_ms, rows_read, rows_bad, \
                      rows_done, applied_to, problem, held FROM imports";
/// Imports are of a whole account: whoever sees one site sees none.
const WHOSE: Whose = Whose { account: "account", site: "''" };

impl Store {
    /// Begins an import, and forgets the rows of those that ended before `forget`.
    ///
    /// # Errors
    /// [`StoreError::Missing`] without such an account.
    pub async fn add_import(&self, import: &ImportRow, forget: UnixMillis) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        add_import(&mut tx, import, forget).await?;
        Ok(tx.commit().await?)
    }

    /// Says how far an import is; with `ended` it is over, and no password is kept with its rows.
    pub async fn import_is(
        &self,
        id: &str,
        state: ImportState,
        ended: Option<UnixMillis>,
        problem: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        set_state(&mut tx, id, state, ended, problem).await?;
        Ok(tx.commit().await?)
    }

    /// One import.
    pub async fn import(&self, id: &str) -> Result<Option<ImportRow>, StoreError> {
        let sql = format!("{SELECT} WHERE id = $1");
        let row: Option<Columns> = query_as(sqlx::AssertSqlSafe(sql)).bind(id).fetch_optional(&self.read).await?;
        row.map(ImportRow::read).transpose()
    }

    /// Imports, the newest first; a page continues after the last id of the one before.
    pub async fn imports(&self, within: &Within, page: Page<'_>) -> Result<Vec<ImportRow>, StoreError> {
        let sql = format!(
            "{SELECT} WHERE ($1 = '' OR id < $1) AND {} ORDER BY id DESC LIMIT $2",
            within.condition(&WHOSE, 3)
        );
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(page.after).bind(i64::from(page.limit)).within(within);
        let rows: Vec<Columns> = query.fetch_all(&self.read).await?;
        rows.into_iter().map(ImportRow::read).collect()
    }

    /// Imports that were being worked on when the server ended.
    pub async fn unfinished_imports(&self) -> Result<Vec<ImportRow>, StoreError> {
        let sql = format!("{SELECT} WHERE ended_ms IS NULL AND state <> 'waiting' ORDER BY id");
        let rows: Vec<Columns> = query_as(sqlx::AssertSqlSafe(sql)).fetch_all(&self.read).await?;
        rows.into_iter().map(ImportRow::read).collect()
    }

    /// Rows of an import after a number, the bad ones or all.
    pub async fn import_verdicts(
        &self,
        id: &str,
        only_bad: bool,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ImportVerdict>, StoreError> {
        const ALL: &str = "SELECT r.number, COALESCE(r.mac, r.sip_user, r.extension, r.model, r.name, '') AS about \
                           FROM import_rows r WHERE r.import = $1 AND r.number > $2 ORDER BY r.number LIMIT $3";
        const BAD: &str = "SELECT r.number, COALESCE(r.mac, r.sip_user, r.extension, r.model, r.name, '') AS about \
             FROM (SELECT DISTINCT f.number FROM import_faults f WHERE f.import = $1 AND f.number > $2 \
             ORDER BY f.number LIMIT $3) b JOIN import_rows r ON r.import = $1 AND r.number = b.number ORDER BY r.number";
        const FAULTS: &str = "SELECT number, field, message FROM import_faults \
                              WHERE import = $1 AND number > $2 AND number <= $3 ORDER BY number, field";
        let sql = if only_bad { BAD } else { ALL };
        let rows: Vec<(i64, String)> =
            query_as(sql).bind(id).bind(after).bind(i64::from(limit)).fetch_all(&self.read).await?;
        let last = rows.last().map_or(after, |(number, _)| *number);
        let faults: Vec<(i64, String, String)> =
            query_as(FAULTS).bind(id).bind(after).bind(last).fetch_all(&self.read).await?;
        let mut faults = faults.into_iter().peekable();
        let mut verdicts = Vec::with_capacity(rows.len());
        for (number, about) in rows {
            let mut of_row = Vec::new();
            while let Some((_, field, message)) = faults.next_if(|(of, _, _)| *of == number) {
                of_row.push(FieldError { field, message });
            }
            verdicts.push(ImportVerdict { number, about, faults: of_row });
        }
        Ok(verdicts)
    }
}

async fn set_state(
    tx: &mut Tx,
    id: &str,
    state: ImportState,
    ended: Option<UnixMillis>,
    problem: Option<&str>,
) -> Result<(), StoreError> {
    const STATE: &str = "UPDATE imports SET state = $2, ended_ms = $3, problem = $4 WHERE id = $1";
    const FORGET: &str = "UPDATE import_rows SET password = NULL WHERE import = $1 AND password IS NOT NULL";
    query(STATE).bind(id).bind(state.as_str()).bind(ended.map(|at| at.0)).bind(problem).execute(&mut *tx).await?;
    if ended.is_some() {
        query(FORGET).bind(id).execute(&mut *tx).await?;
    }
    Ok(())
}

/// How many rows after `from`, up to `to`, have faults.
async fn bad_rows(tx: &mut Tx, id: &str, from: i64, to: i64) -> Result<i64, StoreError> {
    const SQL: &str =
        "SELECT COUNT(DISTINCT number) FROM import_faults WHERE import = $1 AND number > $2 AND number <= $3";
    Ok(query_scalar(SQL).bind(id).bind(from).bind(to).fetch_one(tx).await?)
}

impl ImportRow {
    fn read(row: Columns) -> Result<Self, StoreError> {
        Ok(Self {
            account: parsed("imports.account", &row.account)?,
            kind: ImportKind::from_word(&row.kind).ok_or_else(|| unreadable("imports.kind", &row.kind))?,
            mode: ImportMode::from_word(&row.mode).ok_or_else(|| unreadable("imports.mode", &row.mode))?,
            state: ImportState::from_word(&row.state).ok_or_else(|| unreadable("imports.state", &row.state))?,
            id: row.id,
            who: row.who,
            from: row.from_where,
            created: UnixMillis(row.created_ms),
            ended: time(row.ended_ms),
            read: row.rows_read,
            bad: row.rows_bad,
            done: row.rows_done,
            applied_to: row.applied_to,
            problem: row.problem,
            held: row.held,
        })
    }
}

impl Audited<'_> {
    /// As [`Store::add_import`].
    pub async fn add_import(self, import: &ImportRow, forget: UnixMillis) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        add_import(&mut tx, import, forget).await?;
        self.commit(tx).await
    }
}

async fn add_import(tx: &mut Tx, import: &ImportRow, forget: UnixMillis) -> Result<(), StoreError> {
    const ADD: &str = "INSERT INTO imports (id, account, kind, mode, state, who, from_where, created_ms, ended_ms, \
                       rows_read, rows_bad, rows_done, applied_to, problem, held) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL, 0, 0, 0, 0, NULL, $9)";
    // One that waits and that nobody came back for is forgotten too.
    const OVER: &str =
        "SELECT id FROM imports WHERE account = $1 AND (ended_ms < $2 OR (state = 'waiting' AND created_ms < $2))";
    let forget_all = [
        format!("DELETE FROM import_faults WHERE import IN ({OVER})"),
        format!("DELETE FROM import_rows WHERE import IN ({OVER})"),
        format!("DELETE FROM imports WHERE id IN ({OVER})"),
    ];
    for statement in forget_all {
        query(sqlx::AssertSqlSafe(statement)).bind(import.account.as_str()).bind(forget.0).execute(&mut *tx).await?;
    }
    query(ADD)
        .bind(&import.id)
        .bind(import.account.as_str())
        .bind(import.kind.as_str())
        .bind(import.mode.as_str())
        .bind(import.state.as_str())
        .bind(&import.who)
        .bind(&import.from)
        .bind(import.created.0)
        .bind(import.held)
        .execute(&mut *tx)
        .await
        .map_err(|error| StoreError::of_insert(error, "this import", "account"))?;
    Ok(())
}
