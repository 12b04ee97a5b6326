//! Good rows are applied, also those that a server left which ended in the middle.

use super::receive::row_owner;
use crate::inventory::line_owner;
use crate::{App, AppError};
use provost_core::import::{ImportKind, ImportMode, ImportState};
use provost_core::mac::MacAddr;
use provost_store::{Applying, ImportRow};
use std::sync::Arc;

impl App {
    /// Goes on with what a server left that ended in the middle: files that were coming in are lost, rows that were
    /// being applied go on behind the last that was.
    pub(crate) async fn resume_imports(self: Arc<Self>) {
        let unfinished = match self.store.unfinished_imports().await {
            Ok(unfinished) => unfinished,
            Err(error) => {
                tracing::error!(%error, "unfinished imports could not be looked for");
                return;
            }
        };
        for import in unfinished {
            if import.state == ImportState::Receiving {
                let problem = "The server ended while the file came in; nothing was applied. Send it again.";
                self.import_ends(&import, ImportState::Broken, Some(problem)).await;
            } else {
                Arc::clone(&self).apply_import(import).await;
            }
        }
    }

    /// Applies an import to its end.
    pub(super) async fn apply_import(self: Arc<Self>, import: ImportRow) {
        let applied = match import.mode {
            ImportMode::AllOrNothing => self.apply_all(&import).await,
            ImportMode::GoodRows => self.apply_good(&import).await,
            ImportMode::DryRun => Ok(()),
        };
        // Also after a failure: a commit whose answer was lost is a commit.
        self.answers.changed();
        if let Err(error) = applied {
            tracing::error!(import.id = %import.id, %error, "an import broke");
            let problem = match import.mode {
                ImportMode::GoodRows => format!("{error}. Rows that are not applied can be sent again."),
                ImportMode::AllOrNothing | ImportMode::DryRun => {
                    format!("{error}. Nothing was applied; send it again.")
                }
            };
            self.import_ends(&import, ImportState::Broken, Some(&problem)).await;
        }
        if let Err(error) = self.store.count_anew().await {
            tracing::warn!(%error, "the database could not count its rows anew; lists may be slow for a minute");
        }
    }

    async fn apply_all(&self, import: &ImportRow) -> Result<(), AppError> {
        let what = format!("imported {} rows of {} as {}", import.read, import.kind.as_str(), import.id);
        let entry = self.import_entry(import, what);
        let judge = self.import_judge(import.kind);
        let sealed =
            |number, person: &str, place, sealed: &[u8]| self.sealed_anew(import, (number, person, place), sealed);
        let applying = Applying { import, judge: &judge, sealed: &sealed, now: self.now() };
        let _shared = self.changes.read().await;
        if self.store.audited(entry).apply_all_rows(&applying).await? {
            self.answers.changed();
            self.restart_named(import, (0, i64::MAX)).await?;
        }
        Ok(())
    }

    async fn apply_good(&self, import: &ImportRow) -> Result<(), AppError> {
        let judge = self.import_judge(import.kind);
        let sealed =
            |number, person: &str, place, sealed: &[u8]| self.sealed_anew(import, (number, person, place), sealed);
        let mut from = import.applied_to;
        while let Some(to) = self.store.import_stretch(&import.id, from).await? {
            let first = from.saturating_add(1);
            let what = format!("imported the good rows of {first} to {to}, {}, as {}", import.kind.as_str(), import.id);
            let entry = self.import_entry(import, what);
            let applying = Applying { import, judge: &judge, sealed: &sealed, now: self.now() };
            let _shared = self.changes.read().await;
            if !self.store.audited(entry).apply_good_rows(&applying, (from, to)).await? {
                // Another node goes on with it.
                return Ok(());
            }
            self.answers.changed();
            self.restart_named(import, (from, to)).await?;
            from = to;
        }
        self.import_ends(import, ImportState::Done, None).await;
        Ok(())
    }

    /// A line's password belongs to its user and place, which a row does not know when it comes in.
    fn sealed_anew(
        &self,
        import: &ImportRow,
        (number, person, place): (i64, &str, i64),
        sealed: &[u8],
    ) -> Option<Vec<u8>> {
        let password = self.vault.open(&row_owner(&import.id, number), sealed).ok()?;
        let owner = line_owner(person, usize::try_from(place).ok()?);
        self.vault.seal(&owner, password.reveal()).ok()
    }

    /// Phones that were here before their device was imported come back to be bound.
    async fn restart_named(&self, import: &ImportRow, (from, to): (i64, i64)) -> Result<(), AppError> {
        if import.kind == ImportKind::Devices {
            for mac in self.store.imported_macs(&import.id, from, to).await? {
                if let Some(mac) = MacAddr::from_hex12(&mac) {
                    self.named(mac).await;
                }
            }
        }
        Ok(())
    }

    async fn import_ends(&self, import: &ImportRow, state: ImportState, problem: Option<&str>) {
        if let Err(error) = self.store.import_is(&import.id, state, Some(self.now()), problem).await {
            tracing::error!(import.id = %import.id, %error, "the end of an import could not be noted");
        }
    }
}
