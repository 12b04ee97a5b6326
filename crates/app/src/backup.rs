//! Backups of a running server, and what holds until a restored one is confirmed.

use crate::recorder::EventIds;
use crate::vault::KEY_ID;
use crate::{Actor, App, AppError};
use provost_core::rights::Right;
use provost_core::time::UnixMillis;
use provost_store::{AuditEntry, BackupHead, RESTORED, Store, StoreError};
use serde::Serialize;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Pieces that wait for a slow reader.
const PIECES: usize = 4;
/// No restore waits to be confirmed.
const NONE: i64 = -1;

/// When the data was restored from a backup, if nobody has confirmed that since.
#[derive(Debug)]
pub(crate) struct Restore(AtomicI64);

/// A backup on its way out.
pub struct Backup {
    pieces: mpsc::Receiver<Vec<u8>>,
    writer: Option<JoinHandle<Result<u64, StoreError>>>,
}

/// Whether the data came from a backup that nobody has confirmed.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct RestoreView {
    /// When it was restored, while that waits to be confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored_at: Option<String>,
    /// What that means.
    pub summary: &'static str,
}

impl Restore {
    pub(crate) async fn load(store: &Store) -> Result<Self, AppError> {
        let at = store.meta(RESTORED).await?.and_then(|text| text.parse().ok());
        if at.is_some() {
            tracing::warn!(
                "this data was restored from a backup: phones that it does not know are told to come back later until \
                 `provost restore --confirm`"
            );
        }
        Ok(Self(AtomicI64::new(at.unwrap_or(NONE))))
    }

    fn at(&self) -> Option<UnixMillis> {
        Some(self.0.load(Ordering::Relaxed)).filter(|at| *at != NONE).map(UnixMillis)
    }

    /// Whether a phone that the data does not know may have been claimed after the backup was made.
    pub(crate) fn is_open(&self) -> bool {
        self.at().is_some()
    }
}

impl App {
    /// Begins a backup of everything as it is now.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] and [`AppError::OutOfScope`] for all but owners of the server, [`AppError::Store`].
    pub async fn backup(&self, by: &Actor) -> Result<Backup, AppError> {
        by.may_platform(Right::Platform)?;
        self.recorder.flush().await;
        let entry = self.audit_entry(by, "made a backup".to_owned(), None);
        self.store.audited(entry).only().await?;
        let key = self.store.meta(KEY_ID).await?.unwrap_or_default();
        let head = BackupHead { made: self.now(), step: Store::newest_step(), key };
        let (sender, pieces) = mpsc::channel(PIECES);
        let store = self.store.clone();
        let writer = tokio::spawn(async move { store.dump(&head, sender).await });
        Ok(Backup { pieces, writer: Some(writer) })
    }

    /// Whether a restore waits to be confirmed.
    ///
    /// # Errors
    /// As [`App::backup`].
    pub fn restore_state(&self, by: &Actor) -> Result<RestoreView, AppError> {
        by.may_platform(Right::Platform)?;
        let restored_at = self.restore.at().map(|at| at.to_string());
        let summary = if restored_at.is_some() {
            "Restored from a backup. Phones that the data does not know are told to come back later, since they may \
             have been claimed after the backup was made; confirm when that is settled."
        } else {
            "No restore waits to be confirmed."
        };
        Ok(RestoreView { restored_at, summary })
    }

    /// From now on a phone that the data does not know is as any other that nobody claimed.
    ///
    /// # Errors
    /// As [`App::backup`].
    pub async fn confirm_restore(&self, by: &Actor) -> Result<RestoreView, AppError> {
        by.may_platform(Right::Platform)?;
        if self.restore.0.load(Ordering::Relaxed) == NONE {
            return self.restore_state(by);
        }
        let entry = self.audit_entry(by, "confirmed the restore of a backup".to_owned(), None);
        self.store.audited(entry).confirm_restore().await?;
        self.restore.0.store(NONE, Ordering::Relaxed);
        self.answers.changed();
        self.restore_state(by)
    }
}

/// What the audit log says of a restore, beside what it restored.
pub fn restore_entry(head: &BackupHead, now: UnixMillis) -> AuditEntry {
    AuditEntry {
        id: EventIds::default().next(now),
        at: now,
        who: "command line".to_owned(),
        what: format!("restored a backup of {} and voided its open codes", head.made),
        why: None,
        from: "this machine".to_owned(),
        account: None,
        site: None,
        request: None,
    }
}

impl Backup {
    /// The next piece; `None` after the last.
    ///
    /// # Errors
    /// [`AppError::Store`], [`AppError::Interrupted`].
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, AppError> {
        if let Some(piece) = self.pieces.recv().await {
            return Ok(Some(piece));
        }
        if let Some(writer) = self.writer.take() {
            writer.await.map_err(|_| AppError::Interrupted)??;
        }
        Ok(None)
    }
}
