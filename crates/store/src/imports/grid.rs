//! An import that waits: its rows as a grid, a row that is mended, and what becomes of it at last.

use super::findings::check_range;
use super::staged::{Known, StagedRow, add_fault, kept};
use super::{ImportRow, Judge, bad_rows, set_state};
use crate::sql::{Tx, query, query_as, query_scalar};
use crate::{Audited, Store, StoreError};
use provost_core::entry::FieldError;
use provost_core::ids::SiteId;
use provost_core::import::{ImportKind, ImportMode, ImportState};
use provost_core::time::UnixMillis;

/// A row with what it says and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GridRow {
    /// As a spreadsheet counts.
    pub number: i64,
    /// What it says, as it was staged.
    pub cells: String,
    /// Whether a password is kept with it.
    pub has_password: bool,
    /// What is wrong with it; nothing is a good row.
    pub faults: Vec<FieldError>,
}

/// Which rows of an import are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhichRows {
    /// All of them.
    All,
    /// Those with faults.
    Bad,
    /// Those without.
    Good,
}

/// A row that somebody mended.
#[derive(Debug, Clone)]
pub struct MendedRow {
    /// What it says now.
    pub staged: StagedRow,
    /// Whether the password that is kept with it stays.
    pub keeps_password: bool,
}

type RowColumns = (i64, Option<String>, bool);
/// What another row may be compared with: site, extension, MAC, user, SIP user.
type Keys = (Option<String>, Option<String>, Option<String>, Option<String>, Option<String>);

/// Rows that say the same as one of before and after; more are not looked at again until they are applied.
const MOST_ALIKE: u32 = 200;

impl Store {
    /// Rows of an import after a number.
    pub async fn import_grid(
        &self,
        id: &str,
        which: WhichRows,
        (after, limit): (i64, u32),
    ) -> Result<Vec<GridRow>, StoreError> {
        const ROWS: &str = "SELECT r.number, r.cells, r.password IS NOT NULL FROM import_rows r \
                            WHERE r.import = $1 AND r.number > $2";
        const FAULT: &str = "(SELECT 1 FROM import_faults f WHERE f.import = r.import AND f.number = r.number)";
        const BAD: &str = "SELECT r.number, r.cells, r.password IS NOT NULL \
             FROM (SELECT DISTINCT f.number FROM import_faults f WHERE f.import = $1 AND f.number > $2 \
             ORDER BY f.number LIMIT $3) b JOIN import_rows r ON r.import = $1 AND r.number = b.number ORDER BY r.number";
        const FAULTS: &str = "SELECT number, field, message FROM import_faults \
                              WHERE import = $1 AND number > $2 AND number <= $3 ORDER BY number, field";
        let sql = match which {
            WhichRows::All => format!("{ROWS} ORDER BY r.number LIMIT $3"),
            WhichRows::Good => format!("{ROWS} AND NOT EXISTS {FAULT} ORDER BY r.number LIMIT $3"),
            WhichRows::Bad => BAD.to_owned(),
        };
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(id).bind(after).bind(i64::from(limit));
        let rows: Vec<RowColumns> = query.fetch_all(&self.read).await?;
        let last = rows.last().map_or(after, |(number, ..)| *number);
        let faults: Vec<(i64, String, String)> = if which == WhichRows::Good {
            Vec::new()
        } else {
            query_as(FAULTS).bind(id).bind(after).bind(last).fetch_all(&self.read).await?
        };
        let mut faults = faults.into_iter().peekable();
        let mut grid = Vec::with_capacity(rows.len());
        for (number, cells, has_password) in rows {
            let mut of_row = Vec::new();
            while let Some((_, field, message)) = faults.next_if(|(of, ..)| *of <= number) {
                of_row.push(FieldError { field, message });
            }
            grid.push(GridRow { number, cells: cells.unwrap_or_default(), has_password, faults: of_row });
        }
        Ok(grid)
    }

    /// Puts a mended row in the place of the one of before, and looks at it and at those that say the same once more;
    /// false when the import does not wait any more, or has no such row.
    pub async fn mend_import_row(
        &self,
        import: &ImportRow,
        row: &MendedRow,
        judge: &Judge<'_>,
    ) -> Result<bool, StoreError> {
        const STATE: &str = "SELECT state FROM imports WHERE id = $1";
        const FORGET: &str = "DELETE FROM import_faults WHERE import = $1 AND number = $2";
        const COUNT: &str = "UPDATE imports SET rows_bad = $2 WHERE id = $1";
        let (id, number) = (import.id.as_str(), row.staged.row.number);
        let mut tx = self.begin().await?;
        let state: Option<String> = query_scalar(STATE).bind(id).fetch_optional(&mut tx).await?;
        let before = keys(&mut tx, id, number).await?;
        let (Some(before), true) = (before, state.as_deref() == Some(ImportState::Waiting.as_str())) else {
            tx.rollback().await?;
            return Ok(false);
        };
        replace(&mut tx, id, row).await?;
        query(FORGET).bind(id).bind(number).execute(&mut tx).await?;
        for fault in &row.staged.faults {
            add_fault(&mut tx, id, (number, Known::Alone), fault).await?;
        }
        // Which user it means is found by the look at it.
        check_range(&mut tx, import, (number.saturating_sub(1), number), 0, judge).await?;
        let after = keys(&mut tx, id, number).await?.unwrap_or_default();
        for other in alike(&mut tx, import, [&before, &after]).await? {
            if other != number {
                look_again(&mut tx, import, other, judge).await?;
            }
        }
        let bad = bad_rows(&mut tx, id, 0, i64::MAX).await?;
        query(COUNT).bind(id).bind(bad).execute(&mut tx).await?;
        tx.commit().await?;
        Ok(true)
    }
}

impl Audited<'_> {
    /// An import that waits is to be applied now, by whoever says so; false when it does not wait any more.
    pub async fn begin_to_apply(
        self,
        id: &str,
        mode: ImportMode,
        (who, from): (&str, &str),
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE imports SET state = 'applying', mode = $2, who = $3, from_where = $4 \
                           WHERE id = $1 AND state = 'waiting'";
        let mut tx = self.begin().await?;
        let done = query(SQL).bind(id).bind(mode.as_str()).bind(who).bind(from).execute(&mut tx).await?;
        if done == 1 {
            self.commit(tx).await?;
        }
        Ok(done == 1)
    }

    /// Nothing becomes of an import that waits; false when it does not wait any more.
    pub async fn let_import_go(self, id: &str, now: UnixMillis) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE imports SET mode = 'dry-run' WHERE id = $1 AND state = 'waiting'";
        let mut tx = self.begin().await?;
        let done = query(SQL).bind(id).execute(&mut tx).await?;
        if done == 1 {
            set_state(&mut tx, id, ImportState::Done, Some(now), None).await?;
            self.commit(tx).await?;
        }
        Ok(done == 1)
    }
}

async fn keys(tx: &mut Tx, import: &str, number: i64) -> Result<Option<Keys>, StoreError> {
    const SQL: &str =
        "SELECT site, extension, mac, person, sip_user FROM import_rows WHERE import = $1 AND number = $2";
    Ok(query_as(SQL).bind(import).bind(number).fetch_optional(tx).await?)
}

async fn replace(tx: &mut Tx, import: &str, mended: &MendedRow) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE import_rows SET site = $3, name = $4, extension = $5, email = $6, language = $7, model = $8, \
                       mac = $9, sip_user = $10, auth_user = $11, cells = $12, person = NULL, \
                       password = CASE WHEN $13 THEN password ELSE $14 END WHERE import = $1 AND number = $2";
    let StagedRow { row, password, cells, .. } = &mended.staged;
    let text = |text: &Option<String>| text.as_deref().map(kept);
    query(SQL)
        .bind(import)
        .bind(row.number)
        .bind(row.site.as_ref().map(SiteId::as_str))
        .bind(text(&row.name))
        .bind(text(&row.extension))
        .bind(text(&row.email))
        .bind(text(&row.language))
        .bind(text(&row.model))
        .bind(text(&row.mac))
        .bind(text(&row.sip_user))
        .bind(text(&row.auth_user))
        .bind(cells)
        .bind(mended.keeps_password)
        .bind(password.as_deref())
        .execute(tx)
        .await?;
    Ok(())
}

/// The rows whose verdict hangs on what this one said or says.
async fn alike(tx: &mut Tx, import: &ImportRow, said: [&Keys; 2]) -> Result<Vec<i64>, StoreError> {
    const USERS: &str = "SELECT number FROM import_rows WHERE import = $1 AND site = $2 AND extension = $3 LIMIT $4";
    const DEVICES: &str = "SELECT number FROM import_rows WHERE import = $1 AND mac = $2 AND mac <> $3 LIMIT $4";
    const LINES: &str = "SELECT number FROM import_rows WHERE import = $1 AND person = $2 AND person <> $3 LIMIT $4";
    let mut all: Vec<i64> = Vec::new();
    for (site, extension, mac, person, _) in said {
        let (sql, one, other) = match import.kind {
            ImportKind::Users => (USERS, site, extension.as_deref()),
            ImportKind::Devices => (DEVICES, mac, Some("")),
            ImportKind::Lines => (LINES, person, Some("")),
        };
        let (Some(one), Some(other)) = (one, other) else { continue };
        let query = query_scalar(sql).bind(&import.id).bind(one).bind(other).bind(i64::from(MOST_ALIKE));
        all.extend::<Vec<i64>>(query.fetch_all(&mut *tx).await?);
    }
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

/// What others say of a row is found anew.
async fn look_again(tx: &mut Tx, import: &ImportRow, number: i64, judge: &Judge<'_>) -> Result<(), StoreError> {
    const PASSED: &str = "DELETE FROM import_faults WHERE import = $1 AND number = $2 AND NOT own";
    query(PASSED).bind(&import.id).bind(number).execute(&mut *tx).await?;
    check_range(tx, import, (number.saturating_sub(1), number), 0, judge).await
}
