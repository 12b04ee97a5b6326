//! Requests with a key: a repeated one is answered as the first was and does nothing.

use crate::{Actor, App, AppError};
use provost_core::secret::Secret;
use provost_core::time::UnixMillis;
use provost_store::{Begun, NewRequest};
use sha2::{Digest as _, Sha256};

/// How long an answer is kept.
const KEPT_DAYS: i64 = 1;

/// A request with a key, as far as it is known.
#[derive(Debug)]
pub enum Keyed {
    /// It is new: do it, and say how it ended.
    New(Request),
    /// It was answered so.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The body.
        body: Secret,
    },
    /// The same key came with something else.
    Other,
    /// It is being done.
    Running,
    /// It was done, but the server stopped before the answer was kept.
    Unanswered {
        /// What was done.
        what: String,
        /// When.
        at: UnixMillis,
    },
}

/// A request that is being done.
#[derive(Debug)]
pub struct Request {
    id: String,
}

impl Request {
    /// What the audit log calls it.
    pub fn id(&self) -> &str {
        &self.id
    }
}

fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // A length before each part: two requests that only divide their bytes differently are two.
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

impl App {
    /// Begins a request that came with a key; `parts` are what exactly was asked for. Of them only a keyed hash is kept,
    /// since a body may hold a password.
    ///
    /// # Errors
    /// [`AppError::Store`], [`AppError::Vault`].
    pub async fn begin_request(&self, by: &Actor, key: &str, parts: &[&[u8]]) -> Result<Keyed, AppError> {
        let who = by.token.as_ref().map_or(by.who.as_str(), |token| token.as_str());
        let id = digest(&[who.as_bytes(), key.as_bytes()]);
        let now = self.now();
        let request = NewRequest {
            id: &id,
            fingerprint: &hex::encode(self.vault.tag("request", &digest(parts))),
            process: &self.process,
            now,
            forget_before: now.plus_days(-KEPT_DAYS),
        };
        Ok(match self.store.begin_request(&request).await? {
            Begun::New => Keyed::New(Request { id }),
            Begun::Other => Keyed::Other,
            Begun::Running => Keyed::Running,
            Begun::Unanswered { what, at } => Keyed::Unanswered { what, at },
            Begun::Answered { status, answer } => Keyed::Answered {
                status: u16::try_from(status).unwrap_or(200),
                body: self.vault.open(&request_owner(&id), &answer)?,
            },
        })
    }

    /// Keeps the answer of a request that was done.
    ///
    /// # Errors
    /// [`AppError::Store`], [`AppError::Vault`].
    pub async fn answer_request(&self, request: &Request, status: u16, body: &str) -> Result<(), AppError> {
        let sealed = self.vault.seal(&request_owner(&request.id), body)?;
        Ok(self.store.answer_request(&request.id, status.into(), &sealed).await?)
    }

    /// Lets a request that was refused be sent again with the same key.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn forget_request(&self, request: &Request) -> Result<(), AppError> {
        Ok(self.store.forget_request(&request.id).await?)
    }
}

/// What the ciphertext of an answer belongs to.
pub(crate) fn request_owner(id: &str) -> String {
    format!("request/{id}")
}
