//! What can go wrong when remembering.

/// A failure of the database. On any of these a phone gets 503 and keeps what it has.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The engine said no: file gone, locked.
    #[error("database: {0}")]
    Engine(sqlx::Error),
    /// There is no room for what was to be stored, and none of it was.
    #[error("the disk that holds the database is full")]
    DiskFull,
    /// A newer version of this program changed the tables.
    #[error(
        "the database was made by a newer version of Provost (it holds step {found}, the newest step here is {known}); start that version, or use another data folder"
    )]
    Newer {
        /// A step the database holds that this version lacks.
        found: i64,
        /// The newest step this version knows.
        known: i64,
    },
    /// Another process has the database.
    #[error("another Provost has this database: {by}; stop it, or give this one a database of its own")]
    Held {
        /// Its name and where it connects from.
        by: String,
    },
    /// The tables could not be brought up to date.
    #[error("bringing the database's tables up to date: {0}")]
    Migrate(sqlx::migrate::MigrateError),
    /// A stored value that this version cannot read.
    #[error("the database holds `{found}` as {column}, which this version cannot read")]
    Unreadable {
        /// Table and column.
        column: &'static str,
        /// The value.
        found: String,
    },
    /// The entry is there already.
    #[error("{what} is there already")]
    Exists {
        /// What, in words.
        what: &'static str,
    },
    /// An entry that is referred to does not exist.
    #[error("there is no such {what}")]
    Missing {
        /// What, in words.
        what: &'static str,
    },
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        match code.as_deref() {
            Some(SQLITE_FULL | POSTGRES_FULL) => Self::DiskFull,
            _ => Self::Engine(error),
        }
    }
}

/// Result code 13, <https://www.sqlite.org/rescode.html#full>.
const SQLITE_FULL: &str = "13";
/// `disk_full`, <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
const POSTGRES_FULL: &str = "53100";

impl StoreError {
    /// Says of a step that is missing here that a newer version made it; `known` is the newest step here.
    pub(crate) fn of_migration(error: sqlx::migrate::MigrateError, known: i64) -> Self {
        match error {
            sqlx::migrate::MigrateError::VersionMissing(found) if found > known => Self::Newer { found, known },
            other => Self::Migrate(other),
        }
    }

    /// Maps a broken UNIQUE or REFERENCES rule to what it means for the caller.
    pub(crate) fn of_insert(error: sqlx::Error, exists: &'static str, missing: &'static str) -> Self {
        match error.as_database_error() {
            Some(rule) if rule.is_unique_violation() => Self::Exists { what: exists },
            Some(rule) if rule.is_foreign_key_violation() => Self::Missing { what: missing },
            _ => error.into(),
        }
    }
}
