//! What can go wrong when remembering.

/// A failure of the database. On any of these a phone gets 503 and keeps what it has.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The engine said no: disk full, file gone, locked.
    #[error("database: {0}")]
    Engine(#[from] sqlx::Error),
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

impl StoreError {
    /// Maps a broken UNIQUE or REFERENCES rule to what it means for the caller.
    pub(crate) fn of_insert(error: sqlx::Error, exists: &'static str, missing: &'static str) -> Self {
        match error.as_database_error() {
            Some(rule) if rule.is_unique_violation() => Self::Exists { what: exists },
            Some(rule) if rule.is_foreign_key_violation() => Self::Missing { what: missing },
            _ => Self::Engine(error),
        }
    }
}
