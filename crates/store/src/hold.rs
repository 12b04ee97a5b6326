//! Holds a PostgreSQL database for one process, as the lock in a data folder holds a file.
//!
//! The server gives the lock back when the connection that took it ends, however the process died.

use crate::StoreError;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _, PgPool};
use std::time::Duration;

/// The lock, an arbitrary number.
const TAKE: &str = "SELECT pg_try_advisory_lock(7058472902)";
/// Who has it: an advisory lock shows its number in two halves.
const WHO: &str = "SELECT a.application_name || COALESCE(' at ' || host(a.client_addr), ' on the same machine') \
                   FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid \
                   WHERE l.locktype = 'advisory' AND l.granted AND a.datname = current_database() \
                   AND (l.classid::bigint << 32) | l.objid::bigint = 7058472902";
/// A process that was just killed is noticed by then.
const TRIES: u32 = 10;
const BETWEEN_TRIES: Duration = Duration::from_millis(300);
/// How soon a lost connection is noticed; a server that restarts forgets who held what.
const LOOK_AFTER: Duration = Duration::from_secs(5);

/// The connection that has the lock.
pub(crate) struct Hold(PgConnection);

impl Hold {
    /// Takes the lock, or says who has it.
    pub(crate) async fn take(options: &PgConnectOptions) -> Result<Self, StoreError> {
        let mut connection = options.connect().await?;
        for _ in 1..TRIES {
            if sqlx::query_scalar(TAKE).fetch_one(&mut connection).await? {
                return Ok(Self(connection));
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
        if sqlx::query_scalar(TAKE).fetch_one(&mut connection).await? {
            return Ok(Self(connection));
        }
        let by: Option<String> = sqlx::query_scalar(WHO).fetch_optional(&mut connection).await?;
        Err(StoreError::Held { by: by.unwrap_or_else(|| "one that does not give its name".to_owned()) })
    }

    /// Keeps the lock as long as the pool is open, and takes it again after the server was away.
    ///
    /// When another process was faster, the pool is closed: two must not go on side by side.
    pub(crate) fn keep(self, options: PgConnectOptions, pool: PgPool) {
        tokio::spawn(async move {
            let mut held = self.0;
            loop {
                tokio::select! {
                    () = pool.close_event() => break,
                    () = tokio::time::sleep(LOOK_AFTER) => {}
                }
                if held.ping().await.is_ok() {
                    continue;
                }
                match Self::take(&options).await {
                    Ok(Self(again)) => held = again,
                    Err(StoreError::Held { .. }) => return pool.close().await,
                    // The server is still away; every use of the database says so.
                    Err(_) => {}
                }
            }
            // Ended in good order, so that the next process need not wait; an error means that it has ended already.
            let _ = held.close().await;
        });
    }
}
