//! The operator's block list of certificates.

use super::Guard;
use crate::{Actor, App, AppError, locked};
use provost_core::entry::guard::BlockInput;
use provost_core::fingerprint::Fingerprint;
use provost_core::rights::Right;
use provost_store::BlockedRow;

/// A blocked certificate as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct BlockedView {
    /// SHA-256 of the certificate.
    pub sha256: String,
    /// Why.
    pub reason: String,
    /// Since when, RFC 3339.
    pub at: String,
}

impl Guard {
    /// Why a certificate is refused, if an administrator blocked it.
    pub(crate) fn blocked(&self, fingerprint: Option<[u8; 32]>) -> Option<String> {
        let reason = locked(&self.blocked).get(&Fingerprint(fingerprint?)).cloned()?;
        Some(format!("its certificate is on the block list ({reason})"))
    }
}

impl App {
    /// Blocks a certificate, whoever shows it, at once.
    ///
    /// # Errors
    /// [`AppError::Fields`], [`AppError::Conflict`] when it is blocked already.
    pub async fn block_certificate(&self, input: BlockInput, by: &Actor) -> Result<BlockedView, AppError> {
        by.may_platform(Right::Platform)?;
        let (sha256, reason) = input.check()?;
        let entry = self.audit_entry(by, format!("blocked the certificate {sha256}"), Some(&reason));
        let row = BlockedRow { sha256, reason, at: self.now() };
        self.store.audited(entry).block_certificate(&row).await?;
        locked(&self.guard.blocked).insert(sha256, row.reason.clone());
        Ok(blocked_view(row))
    }

    /// The block list.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn blocked_certificates(&self, by: &Actor) -> Result<Vec<BlockedView>, AppError> {
        by.may_platform(Right::Read)?;
        Ok(self.store.blocked_certificates().await?.into_iter().map(blocked_view).collect())
    }

    /// Takes a certificate off the list.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when it is not on it.
    pub async fn unblock_certificate(&self, sha256: Fingerprint, by: &Actor) -> Result<BlockedView, AppError> {
        by.may_platform(Right::Platform)?;
        let missing = || AppError::NotFound { what: "blocked certificate", name: sha256.to_string() };
        let listed = self.store.blocked_certificates().await?;
        let row = listed.into_iter().find(|row| row.sha256 == sha256).ok_or_else(missing)?;
        let entry = self.audit_entry(by, format!("took the certificate {sha256} off the block list"), None);
        self.store.audited(entry).unblock_certificate(sha256).await?;
        locked(&self.guard.blocked).remove(&sha256);
        Ok(blocked_view(row))
    }
}

fn blocked_view(row: BlockedRow) -> BlockedView {
    BlockedView { sha256: row.sha256.to_string(), reason: row.reason, at: row.at.to_string() }
}
