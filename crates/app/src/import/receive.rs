//! A file comes in: rows are checked on their own, then kept and checked against file and database.

use super::{ImportInput, ImportView, KEPT_DAYS, import_view, kind_of, mode_of};
use crate::{Actor, App, AppError};
use provost_core::entry::{FieldError, FieldErrors};
use provost_core::ids::{AccountId, DeviceId, UserId};
use provost_core::import::csv::{CsvReader, Record};
use provost_core::import::{
    Header, ImportKind, ImportMode, ImportState, ImportedRow, RowChecks, SECRET_COLUMN, Sites, cells_of, check_row,
};
use provost_store::{ImportRow, Page, StagedRow};
use std::sync::Arc;

/// Far above a file of 50,000 rows, which takes five.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// Rows kept in one transaction: a few hundred kB of memory, and other writers wait for some 50 ms.
const AT_ONCE: usize = 1_000;
/// A page of sites; all of them are in memory while a file comes in.
const SITES: u32 = 1_000;

/// A file that is coming in.
pub struct Receiving {
    app: Arc<App>,
    import: ImportRow,
    sites: Sites,
    reader: CsvReader,
    header: Option<Header>,
    waiting: Vec<StagedRow>,
    bytes: u64,
}

impl App {
    /// Begins an import.
    ///
    /// # Errors
    /// [`AppError::Fields`], [`AppError::NotFound`] without such an account in the scope, [`AppError::Forbidden`],
    /// [`AppError::Store`].
    pub async fn begin_import(self: &Arc<Self>, input: &ImportInput, by: &Actor) -> Result<Receiving, AppError> {
        let (kind, mode) = match (kind_of(&input.kind), mode_of(&input.mode)) {
            (Ok(kind), Ok(mode)) => (kind, mode),
            (kind, mode) => return Err(FieldErrors([kind.err(), mode.err()].into_iter().flatten().collect()).into()),
        };
        let account = self.import_account(input.account.as_deref(), by).await?;
        self.begin((kind, mode, false), account, by).await
    }

    /// Begins an import that waits when every row has its verdict, for somebody to mend rows and to say what becomes of
    /// them.
    ///
    /// # Errors
    /// As [`App::begin_import`].
    pub async fn begin_held_import(
        self: &Arc<Self>,
        kind: &str,
        account: Option<&str>,
        by: &Actor,
    ) -> Result<Receiving, AppError> {
        let kind = kind_of(kind).map_err(|error| FieldErrors(vec![error]))?;
        let account = self.import_account(account, by).await?;
        self.begin((kind, ImportMode::AllOrNothing, true), account, by).await
    }

    async fn begin(
        self: &Arc<Self>,
        (kind, mode, held): (ImportKind, ImportMode, bool),
        account: AccountId,
        by: &Actor,
    ) -> Result<Receiving, AppError> {
        let now = self.now();
        let mut entry = self.audit_entry(by, String::new(), None).about(&account, None);
        let import = ImportRow {
            id: format!("import_{}", entry.id.to_ascii_lowercase()),
            account,
            kind,
            mode,
            state: ImportState::Receiving,
            who: entry.who.clone(),
            from: entry.from.clone(),
            created: now,
            ended: None,
            read: 0,
            bad: 0,
            done: 0,
            applied_to: 0,
            problem: None,
            held,
        };
        let sites = self.import_sites(&import).await?;
        let forget = now.plus_days(-KEPT_DAYS);
        if mode == ImportMode::DryRun || held {
            self.store.add_import(&import, forget).await?;
        } else {
            entry.what = format!("began to import {} as {}", kind.as_str(), import.id);
            self.store.audited(entry).add_import(&import, forget).await?;
        }
        Ok(Receiving {
            app: Arc::clone(self),
            import,
            sites,
            reader: CsvReader::default(),
            header: None,
            waiting: Vec::new(),
            bytes: 0,
        })
    }

    pub(super) async fn import_sites(&self, import: &ImportRow) -> Result<Sites, AppError> {
        let within = provost_store::Within::Account(import.account.clone());
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.store.sites(&within, Page { after: &after, limit: SITES }).await?;
            let Some(last) = page.last() else { return Ok(Sites::new(all)) };
            after = last.id.to_string();
            all.extend(page.into_iter().map(|row| (row.id, row.site.name)));
        }
    }
}

impl App {
    /// A row as it is kept, with the id of what it makes.
    pub(super) fn staged(
        &self,
        import: &ImportRow,
        (row, faults, cells): (ImportedRow, Vec<FieldError>, &[String]),
    ) -> Result<StagedRow, AppError> {
        let now = self.now();
        let id = match import.kind {
            ImportKind::Users => Some(UserId::mint(now, &mut rand::rng()).to_string()),
            ImportKind::Devices => Some(DeviceId::mint(now, &mut rand::rng()).to_string()),
            ImportKind::Lines => None,
        };
        // What is not going to be applied is not kept; a row that can be mended may be.
        let is_kept = if import.held {
            !faults.iter().any(|fault| fault.field == SECRET_COLUMN)
        } else {
            import.mode != ImportMode::DryRun && faults.is_empty()
        };
        let password = match &row.password {
            Some(password) if is_kept => Some(self.vault.seal(&row_owner(&import.id, row.number), password.reveal())?),
            _ => None,
        };
        let cells = serde_json::to_string(cells).map_err(|_| AppError::Interrupted)?;
        Ok(StagedRow { row, id, password, faults, cells })
    }
}

impl Receiving {
    /// The import's id.
    pub fn id(&self) -> &str {
        &self.import.id
    }

    /// The next piece of the file.
    ///
    /// # Errors
    /// [`AppError::Fields`] when the file cannot be read; [`AppError::Store`]. Nothing was applied then.
    pub async fn feed(&mut self, piece: &[u8]) -> Result<(), AppError> {
        self.bytes = self.bytes.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if self.bytes > MOST_BYTES {
            return Err(of_file("is larger than 64 MB; split it".to_owned()));
        }
        let mut records = Vec::new();
        let read = self.reader.feed(piece, &mut records);
        self.take(&records)?;
        read.map_err(|error| of_file(error.to_string()))?;
        while self.waiting.len() >= AT_ONCE {
            self.keep().await?;
        }
        Ok(())
    }

    /// The file is whole: what good rows become goes on behind this call.
    ///
    /// # Errors
    /// As [`Receiving::feed`].
    pub async fn finish(&mut self) -> Result<ImportView, AppError> {
        let mut records = Vec::new();
        let read = self.reader.finish(&mut records);
        self.take(&records)?;
        read.map_err(|error| of_file(error.to_string()))?;
        while !self.waiting.is_empty() {
            self.keep().await?;
        }
        if self.header.is_none() {
            return Err(of_file("is empty; its first row names the columns".to_owned()));
        }
        let import = self.row().await?;
        let state = match import.mode {
            _ if import.held => ImportState::Waiting,
            ImportMode::DryRun => ImportState::Done,
            ImportMode::AllOrNothing if import.bad > 0 => ImportState::Refused,
            ImportMode::AllOrNothing | ImportMode::GoodRows => ImportState::Applying,
        };
        let is_over = !matches!(state, ImportState::Applying | ImportState::Waiting);
        let ended = is_over.then(|| self.app.now());
        self.app.store.import_is(&import.id, state, ended, None).await?;
        let import = self.row().await?;
        if state == ImportState::Applying {
            tokio::spawn(Arc::clone(&self.app).apply_import(import.clone()));
        }
        Ok(import_view(import))
    }

    /// The file did not come in whole, or could not be read: nothing of it is applied.
    pub async fn broke(self, problem: &str) {
        let ended = Some(self.app.now());
        let done = self.app.store.import_is(&self.import.id, ImportState::Broken, ended, Some(problem)).await;
        if let Err(error) = done {
            tracing::error!(import.id = %self.import.id, %error, "that an import broke could not be noted");
        }
    }

    async fn row(&self) -> Result<ImportRow, AppError> {
        let none = || AppError::NotFound { what: "import", name: self.import.id.clone() };
        self.app.store.import(&self.import.id).await?.ok_or_else(none)
    }

    fn take(&mut self, records: &[Record]) -> Result<(), AppError> {
        let mut records = records.iter();
        if self.header.is_none() {
            let Some(first) = records.next() else { return Ok(()) };
            self.header = Some(Header::read(self.import.kind, first)?);
        }
        let Some(header) = &self.header else { return Ok(()) };
        let checks = RowChecks { catalog: &self.app.catalog, account: &self.import.account, sites: &self.sites };
        for record in records {
            let (row, faults) = check_row(header, record, &checks);
            let cells = cells_of(header, record);
            self.waiting.push(self.app.staged(&self.import, (row, faults, &cells))?);
        }
        Ok(())
    }

    async fn keep(&mut self) -> Result<(), AppError> {
        let some = self.waiting.len().min(AT_ONCE);
        let rows: Vec<_> = self.waiting.drain(..some).collect();
        let judge = self.app.import_judge(self.import.kind);
        Ok(self.app.store.stage_import(&self.import, &rows, &judge).await?)
    }
}

/// What the ciphertext of a row's password belongs to.
pub(super) fn row_owner(import: &str, number: i64) -> String {
    format!("{import}/row/{number}")
}

fn of_file(message: String) -> AppError {
    FieldErrors(vec![FieldError { field: "file".to_owned(), message }]).into()
}
