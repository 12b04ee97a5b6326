//! CSV imports: a file comes in piece by piece, every row gets its verdict, and the good ones are applied.
//!
//! Rows are kept in the database while they come in, so that neither a large file nor a killed server loses anything:
//! what was being applied goes on at the next start.

mod apply;
mod grid;
mod receive;

pub use grid::{ImportCellView, ImportGridRow};
pub use receive::Receiving;

use crate::{Actor, App, AppError, locked};
use provost_core::entry::{FieldError, FieldErrors};
use provost_core::ids::AccountId;
use provost_core::import::{Finding, ImportKind, ImportMode, ImportState, column_names, fault_of, template};
use provost_core::rights::{Right, Scope};
use provost_store::{AuditEntry, ImportRow, Page};

/// What an import is asked for with.
#[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ImportInput {
    /// `users`, `devices` or `lines`.
    pub kind: String,
    /// `dry-run`, `all-or-nothing` or `good-rows`.
    pub mode: String,
    /// For which account; may be left out where there is only one.
    pub account: Option<String>,
}

/// An import as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ImportView {
    /// Id.
    pub id: String,
    /// For which account.
    pub account: String,
    /// What the file holds.
    pub kind: &'static str,
    /// What was asked for.
    pub mode: &'static str,
    /// `receiving`, `waiting`, `applying`, `done`, `refused` or `broken`.
    pub state: &'static str,
    /// Who sent it.
    pub who: String,
    /// When it began.
    pub at: String,
    /// When it ended.
    pub ended_at: Option<String>,
    /// Rows that came in.
    pub rows: i64,
    /// Rows with faults.
    pub bad: i64,
    /// Rows that were applied.
    pub applied: i64,
    /// Why it ended before its time, and what is applied.
    pub problem: Option<String>,
    /// All of it in a sentence.
    pub summary: String,
}

/// A row of an import as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ImportRowView {
    /// As a spreadsheet counts: the header is row 1.
    pub row: i64,
    /// `ok` or `bad`.
    pub verdict: &'static str,
    /// What the row is about: MAC, SIP user, extension or model.
    pub about: String,
    /// What is wrong, field by field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultView>,
}

/// A fault as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct FaultView {
    /// The column.
    pub field: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// Rows of ended imports are kept this long.
const KEPT_DAYS: i64 = 30;

impl App {
    /// A file to begin with: the columns and one example.
    ///
    /// # Errors
    /// [`AppError::Fields`].
    pub fn import_template(&self, kind: &str) -> Result<String, AppError> {
        kind_of(kind).map(template).map_err(|error| FieldErrors(vec![error]).into())
    }

    /// The columns of a kind of file.
    ///
    /// # Errors
    /// [`AppError::Fields`].
    pub fn import_columns(&self, kind: &str) -> Result<Vec<&'static str>, AppError> {
        kind_of(kind).map(column_names).map_err(|error| FieldErrors(vec![error]).into())
    }

    /// One import.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn import(&self, id: &str, by: &Actor) -> Result<ImportView, AppError> {
        Ok(import_view(self.import_seen(id, by).await?))
    }

    /// Imports, the newest first.
    ///
    /// # Errors
    /// [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn imports(&self, page: Page<'_>, by: &Actor) -> Result<Vec<ImportView>, AppError> {
        by.has(Right::Read)?;
        let within = self.store.within(&by.scope).await?;
        Ok(self.store.imports(&within, page).await?.into_iter().map(import_view).collect())
    }

    /// The verdicts on an import's rows after a number: the bad ones, or all.
    ///
    /// # Errors
    /// As [`App::import`].
    pub async fn import_rows(
        &self,
        id: &str,
        only_bad: bool,
        (after, limit): (i64, u32),
        by: &Actor,
    ) -> Result<Vec<ImportRowView>, AppError> {
        let import = self.import_seen(id, by).await?;
        let rows = self.store.import_verdicts(&import.id, only_bad, after, limit).await?;
        let fault = |fault: FieldError| FaultView { field: fault.field, message: fault.message };
        let view = |row: provost_store::ImportVerdict| ImportRowView {
            row: row.number,
            verdict: if row.faults.is_empty() { "ok" } else { "bad" },
            about: row.about,
            faults: row.faults.into_iter().map(fault).collect(),
        };
        Ok(rows.into_iter().map(view).collect())
    }

    async fn import_seen(&self, id: &str, by: &Actor) -> Result<ImportRow, AppError> {
        // A line's name may be in a row: whoever may not change users need not see them come in.
        let none = || AppError::NotFound { what: "import", name: id.chars().take(60).collect() };
        let import = self.store.import(id).await?.ok_or_else(none)?;
        if !self.sees(by, &import.account, None).await? {
            return Err(none());
        }
        by.has(Right::Read)?;
        Ok(import)
    }

    /// The account that a file is for, which the actor may change as a whole.
    async fn import_account(&self, account: Option<&str>, by: &Actor) -> Result<AccountId, AppError> {
        by.has(Right::Change)?;
        let fields = |message: String| FieldErrors(vec![FieldError { field: "account".to_owned(), message }]);
        let account = match (account, &by.scope) {
            (Some(text), _) => text.parse::<AccountId>().map_err(|error| fields(error.to_string()))?,
            (None, Scope::Account(account) | Scope::Site { account, .. }) => account.clone(),
            (None, Scope::Platform) => {
                let within = self.store.within(&by.scope).await?;
                match self.store.accounts(&within, Page { after: "", limit: 2 }).await?.as_slice() {
                    [one] => one.id.clone(),
                    _ => return Err(fields("is missing: write for which account the file is".to_owned()).into()),
                }
            }
        };
        self.may(by, Right::Change, &account, None).await?;
        if self.store.account(&account).await?.is_none() {
            return Err(AppError::NotFound { what: "account", name: account.to_string() });
        }
        Ok(account)
    }

    /// What was found, in words; how many lines a phone holds is in the catalog.
    fn import_judge(&self, kind: ImportKind) -> impl Fn(&Finding) -> Option<FieldError> + Send + Sync {
        let catalog = std::sync::Arc::clone(&self.catalog);
        move |finding| {
            fault_of(kind, finding, |model| match model {
                Some(id) => catalog.model(id)?.registrations.as_ref().map(|fact| fact.value),
                None => catalog.models().filter_map(|model| model.registrations.as_ref().map(|fact| fact.value)).max(),
            })
        }
    }

    /// An entry of the audit log by whoever sent the file, who may be gone by now.
    fn import_entry(&self, import: &ImportRow, what: String) -> AuditEntry {
        let at = self.now();
        AuditEntry {
            id: locked(&self.event_ids).next(at),
            at,
            who: import.who.clone(),
            what,
            why: None,
            from: import.from.clone(),
            account: Some(import.account.clone()),
            site: None,
            request: None,
        }
    }
}

fn kind_of(word: &str) -> Result<ImportKind, FieldError> {
    ImportKind::from_word(word).ok_or_else(|| FieldError {
        field: "kind".to_owned(),
        message: format!("`{}` is no kind of file; write users, devices or lines", shown(word)),
    })
}

fn mode_of(word: &str) -> Result<ImportMode, FieldError> {
    ImportMode::from_word(word).ok_or_else(|| FieldError {
        field: "mode".to_owned(),
        message: format!("`{}` is no mode; write dry-run, all-or-nothing or good-rows", shown(word)),
    })
}

fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

fn import_view(row: ImportRow) -> ImportView {
    let summary = summary(&row);
    ImportView {
        id: row.id,
        account: row.account.to_string(),
        kind: row.kind.as_str(),
        mode: row.mode.as_str(),
        state: row.state.as_str(),
        who: row.who,
        at: row.created.to_string(),
        ended_at: row.ended.map(|at| at.to_string()),
        rows: row.read,
        bad: row.bad,
        applied: row.done,
        problem: row.problem,
        summary,
    }
}

fn summary(row: &ImportRow) -> String {
    let (read, bad, done, kind) = (row.read, row.bad, row.done, row.kind.as_str());
    match (row.state, row.mode) {
        (ImportState::Receiving, _) => format!("{read} rows came in so far, {bad} of them bad."),
        (ImportState::Waiting, _) => {
            format!("{read} rows, {bad} of them bad. They wait for you; nothing is applied yet.")
        }
        (ImportState::Applying, _) => format!("{done} of {} good rows are applied.", read.saturating_sub(bad)),
        (ImportState::Done, ImportMode::DryRun) => format!("{read} rows, {bad} of them bad. Nothing was applied."),
        (ImportState::Done, _) => format!("{done} {kind} were added; {bad} of {read} rows were bad."),
        (ImportState::Refused, _) => format!("{bad} of {read} rows are bad, so none was applied."),
        (ImportState::Broken, _) => {
            format!(
                "It broke after {read} rows; {done} {kind} were added. {}",
                row.problem.as_deref().unwrap_or_default()
            )
        }
    }
}
