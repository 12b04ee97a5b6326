//! The audit log as shown.

use crate::{App, AppError};
use provost_store::{AuditEntry, Page};

/// One entry of the audit log as shown.
#[derive(Debug, Clone, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AuditView {
    /// Id, for paging.
    pub id: String,
    /// RFC 3339.
    pub at: String,
    /// Who.
    pub who: String,
    /// What was done.
    pub what: String,
    /// The reason given.
    pub why: Option<String>,
    /// The address it was asked from, or "this machine".
    pub from_where: String,
}

impl App {
    /// The audit log, newest first.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn audit(&self, page: Page<'_>) -> Result<Vec<AuditView>, AppError> {
        let view = |AuditEntry { id, at, who, what, why, from }| AuditView {
            id,
            at: at.to_string(),
            who,
            what,
            why,
            from_where: from,
        };
        Ok(self.store.audit(page).await?.into_iter().map(view).collect())
    }
}
