//! The only SQL: what Provost remembers, as verbs of the business.
//!
//! Decides nothing: conditions that must hold at the instant of a change stand in the statement that
//! changes. Secrets arrive encrypted. One transaction writes at a time and commits are durable, on SQLite as on
//! PostgreSQL: what a method returned as done survives a kill at any instant.

mod accounts;
mod alarms;
mod audit;
mod awaited;
mod bindings;
mod blocked;
mod codes;
mod devices;
mod doors;
mod emergency;
mod engine;
mod error;
mod exceptions;
mod hold;
mod http_bootstraps;
mod moves;
mod phones;
mod rows;
mod sip_identities;
mod sql;
mod suspensions;
mod timeline;
mod tries;
mod uploads;

pub use accounts::{AccountRow, LineRow, PersonRow, SiteRow};
pub use alarms::{AlarmRow, NewAlarm};
pub use audit::{AuditEntry, Audited};
pub use awaited::AwaitedRow;
pub use bindings::{BoundRow, ClaimBy, ClaimOutcome, ClaimRefusal, ClaimRequest, PreAssigned, StandingRow};
pub use blocked::BlockedRow;
pub use codes::{CodeRefusal, NewCode};
pub use devices::{Bar, DeviceRow};
pub use doors::{CodeAtPage, PhoneAtPage};
pub use emergency::EmergencyRouteRow;
pub use error::StoreError;
pub use exceptions::ExceptionRow;
pub use http_bootstraps::HttpBootstrapRow;
pub use moves::{MoveRow, MoveStanding, MovingBetween, NewMove, PendingMove};
pub use phones::{Contact, PhoneRow};
pub use sip_identities::SipIdentityRow;
pub use timeline::{EventRow, NewEvent};
pub use uploads::{Kept, UploadError};

use provost_core::time::UnixMillis;
use sql::{Pool, Tx, query, query_scalar};

/// A page of a list: entries after this id, at most this many.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The last id of the page before; empty for the first page.
    pub after: &'a str,
    /// At most this many entries.
    pub limit: u32,
}

impl Page<'_> {
    /// Everything a short list holds.
    pub const FIRST: Page<'static> = Page { after: "", limit: 1000 };
}

/// The database of one server.
#[derive(Debug, Clone)]
pub struct Store {
    read: Pool,
    write: Pool,
}

impl Store {
    /// Remembers a value under a name.
    pub async fn set_meta(&self, name: &str, value: &str) -> Result<(), StoreError> {
        const SQL: &str =
            "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        let mut tx = self.begin().await?;
        query(SQL).bind(name).bind(value).execute(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    /// The value under a name.
    pub async fn meta(&self, name: &str) -> Result<Option<String>, StoreError> {
        const SQL: &str = "SELECT value FROM meta WHERE name = $1";
        Ok(query_scalar(SQL).bind(name).fetch_optional(&self.read).await?)
    }

    /// Remembers the digest of a token.
    pub async fn add_token(&self, digest: &[u8], role: &str, now: UnixMillis) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        add_token(&mut tx, digest, role, now).await?;
        Ok(tx.commit().await?)
    }

    /// The role of the token with this digest.
    pub async fn token_role(&self, digest: &[u8]) -> Result<Option<String>, StoreError> {
        const SQL: &str = "SELECT role FROM tokens WHERE digest = $1";
        Ok(query_scalar(SQL).bind(digest).fetch_optional(&self.read).await?)
    }

    /// Whether there is any token.
    pub async fn has_tokens(&self) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM tokens";
        let count: i64 = query_scalar(SQL).fetch_one(&self.read).await?;
        Ok(count > 0)
    }
}

pub(crate) async fn add_token(tx: &mut Tx, digest: &[u8], role: &str, now: UnixMillis) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO tokens (digest, role, created_ms) VALUES ($1, $2, $3)";
    query(SQL).bind(digest).bind(role).bind(now.0).execute(&mut *tx).await?;
    Ok(())
}
