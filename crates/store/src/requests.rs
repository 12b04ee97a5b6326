//! Requests that came with a key of their sender's choice, and how they were answered.

use crate::sql::{query, query_as, query_scalar};
use crate::{Store, StoreError};
use provost_core::time::UnixMillis;
use sqlx::FromRow;

/// A request that is about to be done.
#[derive(Debug, Clone, Copy)]
pub struct NewRequest<'a> {
    /// Who sent it and with which key, as one text.
    pub id: &'a str,
    /// What exactly was asked for.
    pub fingerprint: &'a str,
    /// This run of the server.
    pub process: &'a str,
    /// Now.
    pub now: UnixMillis,
    /// Requests from before this are forgotten.
    pub forget_before: UnixMillis,
}

/// What is known of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It is new: it shall be done.
    New,
    /// The same key came with something else.
    Other,
    /// It is being done.
    Running,
    /// It was done, but nobody knows the answer: the server stopped before that was kept.
    Unanswered {
        /// What the audit log says was done.
        what: String,
        /// When.
        at: UnixMillis,
    },
    /// It was answered.
    Answered {
        /// The HTTP status.
        status: i64,
        /// The body, encrypted.
        answer: Vec<u8>,
    },
}

#[derive(FromRow)]
struct Columns {
    at_ms: i64,
    process: String,
    fingerprint: String,
    status: Option<i64>,
    answer: Option<Vec<u8>>,
}

impl Store {
    /// Begins a request, unless it was begun before.
    ///
    /// One that another run of the server left without doing anything is begun anew.
    pub async fn begin_request(&self, request: &NewRequest<'_>) -> Result<Begun, StoreError> {
        const FORGET: &str = "DELETE FROM requests WHERE at_ms < $1";
        const FIND: &str = "SELECT at_ms, process, fingerprint, status, answer FROM requests WHERE id = $1";
        // The same key may have been used before and be forgotten since; the audit log forgets nothing.
        const DONE: &str = "SELECT what, at_ms FROM audit WHERE request = $1 AND at_ms >= $2 ORDER BY id LIMIT 1";
        const ADD: &str = "INSERT INTO requests (id, at_ms, process, fingerprint) VALUES ($1, $2, $3, $4) \
                           ON CONFLICT (id) DO UPDATE SET at_ms = excluded.at_ms, process = excluded.process";
        let mut tx = self.begin().await?;
        query(FORGET).bind(request.forget_before.0).execute(&mut tx).await?;
        let found: Option<Columns> = query_as(FIND).bind(request.id).fetch_optional(&mut tx).await?;
        let begun = match found {
            None => Begun::New,
            Some(row) if row.fingerprint != request.fingerprint => Begun::Other,
            Some(Columns { status: Some(status), answer: Some(answer), .. }) => Begun::Answered { status, answer },
            Some(row) if row.process == request.process => Begun::Running,
            Some(row) => {
                let query = query_as(DONE).bind(request.id).bind(row.at_ms);
                let done: Option<(String, i64)> = query.fetch_optional(&mut tx).await?;
                done.map_or(Begun::New, |(what, at)| Begun::Unanswered { what, at: UnixMillis(at) })
            }
        };
        if begun == Begun::New {
            let query = query(ADD).bind(request.id).bind(request.now.0).bind(request.process).bind(request.fingerprint);
            query.execute(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(begun)
    }

    /// Keeps the answer of a request.
    pub async fn answer_request(&self, id: &str, status: i64, answer: &[u8]) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE requests SET status = $2, answer = $3 WHERE id = $1";
        let mut tx = self.begin().await?;
        query(SQL).bind(id).bind(status).bind(answer).execute(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    /// Forgets a request that did nothing, so that it can be sent again; one that did something stays, as of another
    /// run of the server.
    pub async fn forget_request(&self, id: &str) -> Result<(), StoreError> {
        const DONE: &str = "SELECT COUNT(*) FROM audit a JOIN requests r ON r.id = a.request \
                            WHERE a.request = $1 AND a.at_ms >= r.at_ms";
        const FORGET: &str = "DELETE FROM requests WHERE id = $1";
        const LEAVE: &str = "UPDATE requests SET process = '' WHERE id = $1";
        let mut tx = self.begin().await?;
        let done: i64 = query_scalar(DONE).bind(id).fetch_one(&mut tx).await?;
        query(if done == 0 { FORGET } else { LEAVE }).bind(id).execute(&mut tx).await?;
        Ok(tx.commit().await?)
    }
}
