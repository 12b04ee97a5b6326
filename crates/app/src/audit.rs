//! The audit log as shown.

use crate::{Actor, App, AppError};
use provost_core::rights::Right;
use provost_store::{AuditEntry, Page};

/// One entry of the audit log as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
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
    /// The account it was done in; absent for the whole server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The site it was done at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
}

impl App {
    /// The audit log as far as the actor's scope reaches, newest first.
    ///
    /// # Errors
    /// [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn audit(&self, page: Page<'_>, by: &Actor) -> Result<Vec<AuditView>, AppError> {
        by.has(Right::Audit)?;
        let within = self.store.within(&by.scope).await?;
        let view = |AuditEntry { id, at, who, what, why, from, account, site, request: _ }| AuditView {
            id,
            at: at.to_string(),
            who,
            what,
            why,
            from_where: from,
            account: account.map(|id| id.to_string()),
            site: site.map(|id| id.to_string()),
        };
        Ok(self.store.audit(&within, page).await?.into_iter().map(view).collect())
    }
}
