//! Opening a database of either engine, and beginning to write.
//!
//! On both, one transaction writes at a time and what it committed is on disk: what a test proves of one holds for the
//! other. SQLite has one writer by nature; PostgreSQL is given one by a lock that every node of a service shares.

use crate::hold::Hold;
use crate::sql::{Pool, Tx, TxOn};
use crate::{Store, StoreError};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection as _, PgPool, SqlitePool};
use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;
use tokio::sync::watch;

/// Two cores: more readers only wait for each other.
const READERS: u32 = 4;
/// Of one node; a PostgreSQL server takes 100 in all as it comes.
const POSTGRES_CONNECTIONS: u32 = 8;
/// Long enough for a checkpoint on a slow disk, short enough that a phone gets its 503 before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The schema that holds everything, so that a database may be shared with others.
const SCHEMA: &str = "provost";
/// What the migrations' words mean on PostgreSQL: BLOB, and TEXT that is ordered by its bytes as SQLite does. The schema
/// stands before the system's on the search path, so its TEXT is meant.
const PRELUDE: [&str; 3] = [
    "CREATE SCHEMA IF NOT EXISTS provost",
    "DO $$ BEGIN CREATE DOMAIN provost.text AS pg_catalog.text COLLATE \"C\"; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
    "DO $$ BEGIN CREATE DOMAIN provost.blob AS pg_catalog.bytea; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
];
/// Whoever writes holds this lock, an arbitrary number, until the end of the transaction.
const BEGIN_ON_POSTGRES: &str = "BEGIN; SELECT pg_advisory_xact_lock(7058472901)";

impl Store {
    /// Opens the database file, creating it and bringing its tables up to date.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be opened or was made by a newer version.
    pub async fn open(file: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true);
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(BUSY_TIMEOUT)
            // A full disk makes SQLite itself roll back, so that sqlx's own rollback fails and it believes for ever that
            // the transaction is open: every later one would be refused. Such a connection is replaced
            // (crates/cli/tests/road/full_disk.rs).
            .before_acquire(|writer, _| Box::pin(async move { Ok(!writer.is_in_transaction()) }))
            .connect_with(options.clone())
            .await?;
        let (steps, known) = steps();
        steps.run(&write).await.map_err(|error| StoreError::of_migration(error, known))?;
        let read: SqlitePool = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(BUSY_TIMEOUT)
            .connect_with(options.read_only(true))
            .await?;
        let store = Self { read: Pool::Sqlite(read), write: Pool::Sqlite(write), committed: watch::Sender::new(0) };
        crate::report::prepare(&store).await?;
        Ok(store)
    }

    /// Connects to a PostgreSQL database by its URL and brings the tables in its schema `provost` up to date.
    ///
    /// One process at a time has the database, since each remembers answers; `name`, at most 63 bytes, tells others
    /// which.
    ///
    /// # Errors
    /// [`StoreError`] when the server cannot be reached, refuses, or holds the tables of a newer version;
    /// [`StoreError::Held`] when another process has the database.
    pub async fn connect(url: &str, name: &str) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)?
            .application_name(name)
            .options([("search_path", "provost,pg_catalog"), ("synchronous_commit", "on")]);
        let hold = Hold::take(&options).await?;
        let pool: PgPool = PgPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(BUSY_TIMEOUT)
            .connect_with(options.clone())
            .await?;
        let (steps, known) = steps();
        prepare(&pool).await?;
        steps.run(&pool).await.map_err(|error| StoreError::of_migration(error, known))?;
        hold.keep(options, pool.clone());
        let (read, write) = (Pool::Postgres(pool.clone()), Pool::Postgres(pool));
        let store = Self { read, write, committed: watch::Sender::new(0) };
        crate::report::prepare(&store).await?;
        Ok(store)
    }

    /// Closes the connections; what was committed is on disk already.
    pub async fn close(&self) {
        for pool in [&self.read, &self.write] {
            match pool {
                Pool::Sqlite(pool) => pool.close().await,
                Pool::Postgres(pool) => pool.close().await,
            }
        }
    }

    /// Begins to write: nobody else writes until this transaction ends.
    pub(crate) async fn begin(&self) -> Result<Tx, sqlx::Error> {
        let on = match &self.write {
            Pool::Sqlite(pool) => TxOn::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
            Pool::Postgres(pool) => TxOn::Postgres(begin_on_postgres(pool.clone()).await?),
        };
        Ok(Tx::new(on, self.committed.clone()))
    }

    /// Counts what this process commits, so that whoever shows something can wait until it may have changed.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.committed.subscribe()
    }
}

/// Begins in a task of its own: whoever waits for it may be gone before the lock comes, as a phone that loses its power is,
/// and sqlx puts a connection whose BEGIN was abandoned back into the pool with the transaction, and so the lock, open.
async fn begin_on_postgres(pool: PgPool) -> Result<sqlx::Transaction<'static, sqlx::Postgres>, sqlx::Error> {
    let begun = tokio::spawn(async move { pool.begin_with(BEGIN_ON_POSTGRES).await });
    begun.await.map_err(|error| sqlx::Error::Io(std::io::Error::other(error)))?
}

/// Every step of the tables, and the number of the newest.
pub(crate) fn steps() -> (Migrator, i64) {
    let steps = sqlx::migrate!("../../migrations");
    let known = steps.iter().map(|step| step.version).max().unwrap_or(0);
    (steps, known)
}

async fn prepare(pool: &PgPool) -> Result<(), StoreError> {
    const THERE: &str = "SELECT COUNT(*) FROM pg_namespace n JOIN pg_type t ON t.typnamespace = n.oid \
                         WHERE n.nspname = $1 AND t.typname IN ('text', 'blob')";
    let there: i64 = sqlx::query_scalar(THERE).bind(SCHEMA).fetch_one(pool).await?;
    if there < 2 {
        for statement in PRELUDE {
            sqlx::query(statement).execute(pool).await?;
        }
    }
    Ok(())
}
