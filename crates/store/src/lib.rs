//! The only SQL: what Provost remembers, as verbs of the business; and the bytes of firmware images, in a folder beside it.
//!
//! Decides nothing: conditions that must hold at the instant of a change stand in the statement that
//! changes. Secrets arrive encrypted. One transaction writes at a time and commits are durable, on SQLite as on
//! PostgreSQL: what a method returned as done survives a kill at any instant.

mod account_tree;
mod accounts;
mod administrators;
mod alarms;
mod audit;
mod awaited;
mod backup;
mod belonging;
mod bindings;
mod blocked;
mod claims;
mod codes;
mod configuration;
mod connectors;
mod console_sessions;
mod devices;
mod doors;
mod emergency;
mod engine;
mod error;
mod exceptions;
mod fetched;
mod firmware;
mod firmware_images;
mod hold;
mod http_bootstraps;
mod image_objects;
mod imports;
mod lifecycle;
mod mail;
mod moves;
mod passwords;
mod people;
mod phones;
mod places;
mod report;
mod requests;
mod reseal;
mod rows;
mod search;
mod second_factors;
mod sign_in_tries;
mod sip_identities;
mod sql;
mod standing;
mod suspensions;
mod timeline;
mod tokens;
mod tries;
mod uploads;
mod watch;
mod within;

pub use account_tree::AccountRow;
pub use accounts::{LineRow, PersonRow, SiteRow};
pub use administrators::{AdministratorChanged, AdministratorRow, Proven, SetPassword};
pub use alarms::{AlarmRow, NewAlarm};
pub use audit::{AuditEntry, Audited};
pub use awaited::AwaitedRow;
pub use backup::{BackupError, BackupHead, RESTORED, check as check_backup};
pub use belonging::Claimant;
pub use bindings::BoundRow;
pub use blocked::BlockedRow;
pub use claims::{ClaimBy, ClaimOutcome, ClaimRefusal, ClaimRequest};
pub use codes::{CodeRefusal, NewCode};
pub use configuration::{REACH_COUNTED, ReachedDevice, RevisionRow};
pub use connectors::{ConnectorRow, DeviceLines, NewPassword};
pub use console_sessions::{Holder, SessionRow};
pub use devices::{Bar, DeviceRow};
pub use doors::{CodeAtPage, PhoneAtPage};
pub use emergency::EmergencyRouteRow;
pub use error::StoreError;
pub use exceptions::ExceptionRow;
pub use fetched::{ClearedRow, FetchedRow};
pub use firmware::{
    CanaryQuery, FirmwareDoorRow, FirmwarePlace, NewStep, Offer, PauseRow, PolicyRow, RingRow, SpreadRow, StepEnd,
    StepFilter, StepRow,
};
pub use firmware_images::ImageRow;
pub use http_bootstraps::HttpBootstrapRow;
pub use image_objects::{ImageObjects, ImageStream, NewObject, ObjectError, OpenObject, Placed, Staged, Stamp};
pub use imports::{Applying, GridRow, ImportRow, ImportVerdict, Judge, MendedRow, Sealed, StagedRow, WhichRows};
pub use lifecycle::{ChangeRefusal, DeviceChange, DevicePhone, Ended, ReleaseRow, Restored, Swap, Which};
pub use mail::{LinkRow, MailFilter, MailRow, NewMail, NewWelcome, TemplateRow, Welcomable, WelcomeRow};
pub use moves::{MoveRow, MoveStanding, MovingBetween, NewMove, PendingMove};
pub use passwords::{NewPasswords, PasswordsRow, PendingPasswords, RotationRefusal};
pub use people::{ListedPerson, RemovalRefusal, UserDevice};
pub use phones::{Contact, PhoneRow};
pub use places::ListedSite;
pub use report::{LOOKED_AT, ReportFilter, ReportOrder, ReportPage, ReportPlace, ReportQuery, ReportRow};
pub use requests::{Begun, NewRequest};
pub use reseal::{Ciphertext, ResealError, Resealed};
pub use search::FoundPlace;
pub use sign_in_tries::{SignInTry, SignInTurn};
pub use sip_identities::SipIdentityRow;
pub use standing::{PreAssigned, StandingRow};
pub use timeline::{EventRow, NewEvent};
pub use tokens::{Revoked, TokenRow};
pub use uploads::{Kept, UploadError};
pub use watch::{SiteProgress, SiteSilence, Trouble, TroubleKind, TroubleQuery};
pub use within::Within;

use sql::{Pool, query, query_scalar};

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
    /// Counts what this process commits.
    committed: tokio::sync::watch::Sender<u64>,
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
}
