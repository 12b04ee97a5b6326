//! Administrators' authenticators and recovery codes: what is used, is used once.

use crate::administrators::{Proven, end_of, still_proven};
use crate::sql::{Tx, query, query_scalar};
use crate::{Audited, Store, StoreError};
use provost_core::ids::AdministratorId;

/// Steps ahead of which no code is taken, by far.
const FAR_AHEAD: i64 = 20;

impl Store {
    /// Uses up a time step of somebody's authenticator; each is taken once, and none before it any more. One far ahead
    /// that was used is of a clock that was set back, and keeps nobody out.
    pub async fn use_totp_step(&self, id: &AdministratorId, step: i64) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE administrators SET totp_step = $2 \
                           WHERE id = $1 AND totp IS NOT NULL \
                           AND (totp_step IS NULL OR totp_step < $2 OR totp_step > $3)";
        let mut tx = self.begin().await?;
        let ahead = step.saturating_add(FAR_AHEAD);
        let used = query(SQL).bind(id.as_str()).bind(step).bind(ahead).execute(&mut tx).await?;
        tx.commit().await?;
        Ok(used > 0)
    }

    /// Uses up a recovery code.
    pub async fn use_recovery_code(&self, id: &AdministratorId, digest: &[u8]) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM recovery_codes WHERE administrator = $1 AND digest = $2";
        let mut tx = self.begin().await?;
        let used = query(SQL).bind(id.as_str()).bind(digest).execute(&mut tx).await?;
        tx.commit().await?;
        Ok(used > 0)
    }

    /// How many recovery codes somebody has left.
    pub async fn recovery_codes_left(&self, id: &AdministratorId) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM recovery_codes WHERE administrator = $1";
        Ok(query_scalar(SQL).bind(id.as_str()).fetch_one(&self.read).await?)
    }
}

impl Audited<'_> {
    /// Takes on somebody's authenticator, whose first step is used, with their recovery codes; ends all their sessions.
    /// `false` where the password is another meanwhile.
    pub async fn begin_totp(
        self,
        proven: Proven<'_>,
        (secret, step): (&[u8], i64),
        codes: &[Vec<u8>],
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE administrators SET totp = $2, totp_step = $3 WHERE id = $1";
        let id = proven.id;
        let mut tx = self.begin().await?;
        if !still_proven(&mut tx, proven).await? {
            return Ok(false);
        }
        take_totp(&mut tx, id).await?;
        query(SQL).bind(id.as_str()).bind(secret).bind(step).execute(&mut tx).await?;
        add_codes(&mut tx, id, codes).await?;
        end_of(&mut tx, id).await?;
        self.commit(tx).await?;
        Ok(true)
    }

    /// Puts other recovery codes in the place of those there were; `false` as [`Audited::begin_totp`], and without an
    /// authenticator.
    pub async fn renew_recovery_codes(self, proven: Proven<'_>, codes: &[Vec<u8>]) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM recovery_codes WHERE administrator = $1";
        const TOTP: &str = "SELECT COUNT(*) FROM administrators WHERE id = $1 AND totp IS NOT NULL";
        let id = proven.id;
        let mut tx = self.begin().await?;
        let has_totp: i64 = query_scalar(TOTP).bind(id.as_str()).fetch_one(&mut tx).await?;
        if has_totp == 0 || !still_proven(&mut tx, proven).await? {
            return Ok(false);
        }
        query(SQL).bind(id.as_str()).execute(&mut tx).await?;
        add_codes(&mut tx, id, codes).await?;
        self.commit(tx).await?;
        Ok(true)
    }

    /// Takes somebody's authenticator away with their recovery codes, and ends all their sessions; `false` as
    /// [`Audited::begin_totp`].
    pub async fn end_totp(self, proven: Proven<'_>) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        if !still_proven(&mut tx, proven).await? {
            return Ok(false);
        }
        take_totp(&mut tx, proven.id).await?;
        end_of(&mut tx, proven.id).await?;
        self.commit(tx).await?;
        Ok(true)
    }
}

async fn add_codes(tx: &mut Tx, id: &AdministratorId, codes: &[Vec<u8>]) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO recovery_codes (administrator, digest) VALUES ($1, $2)";
    for code in codes {
        query(SQL).bind(id.as_str()).bind(code).execute(&mut *tx).await?;
    }
    Ok(())
}

/// Takes somebody's authenticator away with their recovery codes.
pub(crate) async fn take_totp(tx: &mut Tx, id: &AdministratorId) -> Result<(), StoreError> {
    const SECRET: &str = "UPDATE administrators SET totp = NULL, totp_step = NULL WHERE id = $1";
    const CODES: &str = "DELETE FROM recovery_codes WHERE administrator = $1";
    query(SECRET).bind(id.as_str()).execute(&mut *tx).await?;
    query(CODES).bind(id.as_str()).execute(&mut *tx).await?;
    Ok(())
}
