//! Certificates that an administrator blocked.

use crate::rows::unreadable;
use crate::sql::{query, query_as};
use crate::{Audited, Store, StoreError};
use provost_core::fingerprint::Fingerprint;
use provost_core::time::UnixMillis;

/// A blocked certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockedRow {
    /// Which.
    pub sha256: Fingerprint,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: UnixMillis,
}

impl Store {
    /// All blocked certificates.
    pub async fn blocked_certificates(&self) -> Result<Vec<BlockedRow>, StoreError> {
        const SQL: &str = "SELECT sha256, reason, blocked_ms FROM blocked_certificates ORDER BY blocked_ms, sha256";
        let rows: Vec<(Vec<u8>, String, i64)> = query_as(SQL).fetch_all(&self.read).await?;
        rows.into_iter()
            .map(|(sha256, reason, at)| {
                let length = sha256.len();
                let bytes = sha256.try_into().map_err(|_| {
                    unreadable("blocked_certificates.sha256", format!("{length} bytes where 32 are expected"))
                })?;
                Ok(BlockedRow { sha256: Fingerprint(bytes), reason, at: UnixMillis(at) })
            })
            .collect()
    }
}

impl Audited<'_> {
    /// Blocks a certificate.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when it is blocked already.
    pub async fn block_certificate(self, row: &BlockedRow) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO blocked_certificates (sha256, reason, blocked_ms) VALUES ($1, $2, $3)";
        let mut tx = self.begin().await?;
        query(SQL)
            .bind(row.sha256.0.as_slice())
            .bind(&row.reason)
            .bind(row.at.0)
            .execute(&mut tx)
            .await
            .map_err(|error| StoreError::of_insert(error, "this certificate on the block list", "certificate"))?;
        self.commit(tx).await
    }

    /// Takes a certificate off the list.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when it is not blocked.
    pub async fn unblock_certificate(self, sha256: Fingerprint) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM blocked_certificates WHERE sha256 = $1";
        let mut tx = self.begin().await?;
        let done = query(SQL).bind(sha256.0.as_slice()).execute(&mut tx).await?;
        if done == 0 {
            return Err(StoreError::Missing { what: "blocked certificate" });
        }
        self.commit(tx).await
    }
}
