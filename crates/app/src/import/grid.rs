//! An import that waits for somebody: its rows with their cells, a row mended in its place, and what becomes of it.

use super::{FaultView, ImportView, import_view, mode_of};
use crate::{Actor, App, AppError, error_reference};
use provost_core::entry::{FieldError, FieldErrors};
use provost_core::import::csv::Record;
use provost_core::import::{
    Header, ImportMode, ImportState, RowChecks, SECRET_COLUMN, cells_of, check_row, column_names,
};
use provost_core::rights::Right;
use provost_store::{GridRow, ImportRow, MendedRow, WhichRows};
use std::sync::Arc;

/// A row of the grid.
#[derive(Debug, Clone)]
pub struct ImportGridRow {
    /// As a spreadsheet counts: the header is row 1.
    pub row: i64,
    /// Its cells in the order of the columns.
    pub cells: Vec<ImportCellView>,
    /// What is wrong with the row and not with a cell.
    pub faults: Vec<FaultView>,
    /// Whether nothing is wrong with it.
    pub is_good: bool,
    /// Whether a password is kept with it.
    pub has_password: bool,
}

/// A cell of it.
#[derive(Debug, Clone)]
pub struct ImportCellView {
    /// The column.
    pub column: &'static str,
    /// What it says; never a password.
    pub text: String,
    /// What is wrong with it and what to do.
    pub fault: Option<String>,
    /// Whether what it says is never shown.
    pub is_secret: bool,
}

/// Longer cells are no entry in any column.
const MOST_CELL_BYTES: usize = 4_000;

impl App {
    /// Rows of an import with what they say, after a number.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn import_grid(
        &self,
        id: &str,
        which: WhichRows,
        (after, limit): (i64, u32),
        by: &Actor,
    ) -> Result<Vec<ImportGridRow>, AppError> {
        let import = self.import_seen(id, by).await?;
        let rows = self.store.import_grid(&import.id, which, (after, limit)).await?;
        Ok(rows.into_iter().map(|row| grid_row(&import, row)).collect())
    }

    /// Mends a row of an import that waits: it is checked at once, as are the rows that say the same. A password that is
    /// not given stays, but not for another SIP user.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without such an import in the scope, or such a row; [`AppError::Forbidden`];
    /// [`AppError::Refused`] when it does not wait any more.
    pub async fn mend_import_row(
        &self,
        (id, number): (&str, i64),
        typed: impl Fn(&str) -> Option<String>,
        by: &Actor,
    ) -> Result<ImportGridRow, AppError> {
        let import = self.waiting_import(id, by).await?;
        let before = self.one_row(&import, number).await?;
        let header = Header::whole(import.kind);
        let cell = |name: &&str| typed(name).unwrap_or_default().chars().take(MOST_CELL_BYTES).collect();
        let record = Record { row: number, cells: column_names(import.kind).iter().map(cell).collect(), trouble: None };
        let sites = self.import_sites(&import).await?;
        let checks = RowChecks { catalog: &self.catalog, account: &import.account, sites: &sites };
        let (row, mut faults) = check_row(&header, &record, &checks);
        let keeps_password = row.password.is_none();
        if keeps_password && let Some(message) = why_not_kept(&before, row.sip_user.as_deref(), (&header, &checks)) {
            faults.push(FieldError { field: SECRET_COLUMN.to_owned(), message });
        }
        let staged = self.staged(&import, (row, faults, &cells_of(&header, &record)))?;
        let judge = self.import_judge(import.kind);
        if !self.store.mend_import_row(&import, &MendedRow { staged, keeps_password }, &judge).await? {
            return Err(not_waiting());
        }
        Ok(grid_row(&import, self.one_row(&import, number).await?))
    }

    /// Applies an import that waits: all of its rows, which must be good then, or the good ones. It goes on behind this
    /// call.
    ///
    /// # Errors
    /// As [`App::mend_import_row`]; [`AppError::Refused`] (`bad-rows`) when all are to be applied and some are bad.
    pub async fn apply_held_import(self: &Arc<Self>, id: &str, mode: &str, by: &Actor) -> Result<ImportView, AppError> {
        let mode = mode_of(mode).map_err(|error| FieldErrors(vec![error]))?;
        let import = self.waiting_import(id, by).await?;
        if mode == ImportMode::AllOrNothing && import.bad > 0 {
            let message = format!("{} rows are bad; mend them, or apply the good rows only", import.bad);
            return Err(AppError::Refused { code: "bad-rows", message, reference: error_reference() });
        }
        if mode == ImportMode::DryRun {
            return Ok(import_view(import));
        }
        let what = format!("began to import {} as {} ({})", import.kind.as_str(), import.id, mode.as_str());
        let entry = self.audit_entry(by, what, None).about(&import.account, None);
        let (who, from) = (entry.who.clone(), entry.from.clone());
        if !self.store.audited(entry).begin_to_apply(&import.id, mode, (&who, &from)).await? {
            return Err(not_waiting());
        }
        let import = self.import_again(&import).await?;
        tokio::spawn(Arc::clone(self).apply_import(import.clone()));
        Ok(import_view(import))
    }

    /// Lets an import that waits go: nothing of it is applied.
    ///
    /// # Errors
    /// As [`App::mend_import_row`].
    pub async fn let_import_go(&self, id: &str, by: &Actor) -> Result<ImportView, AppError> {
        let import = self.waiting_import(id, by).await?;
        let what = format!("let {} go, {} rows of {}", import.id, import.read, import.kind.as_str());
        let entry = self.audit_entry(by, what, None).about(&import.account, None);
        if !self.store.audited(entry).let_import_go(&import.id, self.now()).await? {
            return Err(not_waiting());
        }
        Ok(import_view(self.import_again(&import).await?))
    }

    async fn waiting_import(&self, id: &str, by: &Actor) -> Result<ImportRow, AppError> {
        let import = self.import_seen(id, by).await?;
        self.may(by, Right::Change, &import.account, None).await?;
        if import.state == ImportState::Waiting { Ok(import) } else { Err(not_waiting()) }
    }

    async fn import_again(&self, import: &ImportRow) -> Result<ImportRow, AppError> {
        let gone = || AppError::NotFound { what: "import", name: import.id.clone() };
        self.store.import(&import.id).await?.ok_or_else(gone)
    }

    async fn one_row(&self, import: &ImportRow, number: i64) -> Result<GridRow, AppError> {
        let place = (number.saturating_sub(1), 1);
        let found = self.store.import_grid(&import.id, WhichRows::All, place).await?.pop();
        let none = || AppError::NotFound { what: "row of this import", name: number.to_string() };
        found.filter(|row| row.number == number).ok_or_else(none)
    }
}

/// Why the password that is kept with a row is not the one of what it says now.
fn why_not_kept(
    before: &GridRow,
    sip_user: Option<&str>,
    (header, checks): (&Header, &RowChecks<'_>),
) -> Option<String> {
    if before.faults.iter().any(|fault| fault.field == SECRET_COLUMN) {
        // Else the line would silently have none.
        return Some("the one of the file cannot be used; write another".to_owned());
    }
    let cells = serde_json::from_str(&before.cells).unwrap_or_default();
    let (was, faults) = check_row(header, &Record { row: before.number, cells, trouble: None }, checks);
    let was_none = faults.iter().any(|fault| fault.field == "sip-user");
    let was = was.sip_user.filter(|was| before.has_password && !was_none && Some(was.as_str()) != sip_user)?;
    Some(format!("was of the SIP user {was}; write the one of {}", sip_user.unwrap_or("the other")))
}

fn grid_row(import: &ImportRow, row: GridRow) -> ImportGridRow {
    let texts: Vec<String> = serde_json::from_str(&row.cells).unwrap_or_default();
    let mut texts = texts.into_iter();
    let mut faults = row.faults;
    let is_good = faults.is_empty();
    let cells = column_names(import.kind).into_iter().map(|column| {
        let own: Vec<_> = faults.extract_if(.., |fault| fault.field == column).map(|fault| fault.message).collect();
        ImportCellView {
            column,
            text: texts.next().unwrap_or_default(),
            fault: (!own.is_empty()).then(|| own.join("; ")),
            is_secret: column == SECRET_COLUMN,
        }
    });
    let cells = cells.collect();
    let faults = faults.into_iter().map(|fault| FaultView { field: fault.field, message: fault.message }).collect();
    ImportGridRow { row: row.number, cells, faults, is_good, has_password: row.has_password }
}

fn not_waiting() -> AppError {
    let message = "this import does not wait any more; somebody applied it or let it go".to_owned();
    AppError::Refused { code: "import-not-waiting", message, reference: error_reference() }
}
