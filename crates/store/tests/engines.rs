//! The store: the battery on the engine that `PROVOST_TEST_ENGINE` names, and what only files or only servers do.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests: a failure here is a failed test, and the engine comes from outside"
)]

mod battery;
#[path = "engines/postgres.rs"]
mod postgres;
#[path = "engines/sqlite.rs"]
mod sqlite;

mod engine {
    use provost_store::{Store, StoreError};
    use provost_testkit::PostgresDatabase;
    use tempfile::TempDir;

    /// A database of one test; it goes when dropped.
    pub(crate) enum Database {
        File(TempDir),
        Server(PostgresDatabase),
    }

    impl Database {
        /// On the engine that this run is for: SQLite unless `postgres` is named.
        pub(crate) async fn new() -> Self {
            match std::env::var("PROVOST_TEST_ENGINE").as_deref() {
                Ok("postgres") => Self::server(),
                _ => Self::file(),
            }
        }

        pub(crate) fn file() -> Self {
            Self::File(tempfile::tempdir().unwrap())
        }

        pub(crate) fn server() -> Self {
            Self::Server(PostgresDatabase::new())
        }

        pub(crate) async fn open(&self) -> Result<Store, StoreError> {
            match self {
                Self::File(folder) => Store::open(&folder.path().join("provost.db")).await,
                Self::Server(database) => Store::connect(database.url(), "provost of a test").await,
            }
        }

        /// Runs statements on the server.
        pub(crate) fn sql(&self, statements: &str) -> String {
            match self {
                Self::File(_) => unreachable!("only servers are asked"),
                Self::Server(database) => database.sql(statements),
            }
        }
    }
}
