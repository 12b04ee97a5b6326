//! What a use-case says when it does not do what was asked.

use crate::vault::VaultError;
use provost_core::entry::FieldErrors;
use provost_core::render::RenderError;
use provost_core::rights::{Right, Role};
use provost_core::time::UnixMillis;
use provost_store::StoreError;

/// Why something was not done. `code` is stable and for programs, the message is for people.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// There is nothing under that name.
    #[error("there is no {what} `{name}`")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// Under which name.
        name: String,
    },
    /// The role does not have this right.
    #[error("the role {role} may not {}; {} may", right.words(), right.holders())]
    Forbidden {
        /// What the actor is.
        role: Role,
        /// What it lacks.
        right: Right,
    },
    /// It belongs to the whole server, the actor to an account.
    #[error("this belongs to the whole server, and your token to one account or site; ask whoever runs the server")]
    OutOfScope,
    /// Fields are at fault.
    #[error("{0}")]
    Fields(#[from] FieldErrors),
    /// A rule of the business says no.
    #[error("{message}")]
    Refused {
        /// Stable word for programs.
        code: &'static str,
        /// What happened and what to do.
        message: String,
        /// A short word that also stands on the phone's timeline.
        reference: String,
    },
    /// Too many wrong codes were tried, so nobody looked at this one; as a word for programs, [`TOO_MANY_TRIES`].
    #[error("{message}")]
    TooManyTries {
        /// When the next one is looked at.
        again: UnixMillis,
        /// What happened and what to do.
        message: String,
        /// A short word, as in [`AppError::Refused`].
        reference: String,
    },
    /// It is there already.
    #[error("{message}")]
    Conflict {
        /// What is there and what to do.
        message: String,
    },
    /// The server is stopping.
    #[error("the server stopped while it did this; look whether it was done, then try again")]
    Interrupted,
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
    /// There is no room left to store anything.
    #[error("the disk that holds the data folder is full, so nothing was changed; make room there, then try again")]
    DiskFull,
    /// More came than may come.
    #[error("{0}")]
    TooLarge(String),
    /// There is no room left for an image; the words name the folder.
    #[error("{0}, so nothing of this was kept; make room there, then try again")]
    ImageDiskFull(String),
    /// The folder of firmware images cannot be used.
    #[error("the image store does not work: {0}; look at its disk and whether Provost may write there")]
    ImageStore(String),
    /// A secret could not be encrypted or read.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A file could not be made.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The key file is not the one this database was encrypted with.
    #[error(
        "the database was encrypted with the key {wanted}, the key file holds {found}; put the right key file in place, or start with an empty data folder"
    )]
    OtherKey {
        /// Id of the key the database wants.
        wanted: String,
        /// Id of the key there is.
        found: String,
    },
}

/// The stable word of [`AppError::TooManyTries`].
pub const TOO_MANY_TRIES: &str = "too-many-tries";

impl AppError {
    /// The same refusal, saying when it is over where that is known.
    pub(crate) fn until(self, again: Option<UnixMillis>) -> Self {
        match (self, again) {
            (Self::Refused { message, reference, .. }, Some(again)) => Self::TooManyTries { again, message, reference },
            (other, _) => other,
        }
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Exists { what } => {
                Self::Conflict { message: format!("{what} is there already; change that one, or choose another") }
            }
            StoreError::Missing { what } => Self::NotFound { what, name: "named in this request".to_owned() },
            StoreError::DiskFull => Self::DiskFull,
            other => Self::Store(other),
        }
    }
}
