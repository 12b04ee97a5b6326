//! `database`: one file, or a PostgreSQL server by its URL.

use super::problem::Refusal;
use std::fmt;

/// Where Provost remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// One SQLite file in the data folder; serves one node.
    Sqlite,
    /// A PostgreSQL database, which several nodes may share.
    Postgres(PostgresUrl),
}

/// The URL of a PostgreSQL database; it may hold a password, so it is shown without.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

impl Database {
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        if text == "sqlite" {
            return Ok(Self::Sqlite);
        }
        // Nothing of it is repeated in a message: what was meant as a URL may hold a password.
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(Refusal::NotADatabase);
        }
        let url = url::Url::parse(text).map_err(|error| Refusal::NotAPostgresUrl { why: error.to_string() })?;
        let why = if url.path().trim_matches('/').is_empty() {
            "it names no database"
        } else if url.host_str().is_none_or(str::is_empty) && !url.query_pairs().any(|(name, _)| name == "host") {
            "it names no server"
        } else {
            return Ok(Self::Postgres(PostgresUrl(text.to_owned())));
        };
        Err(Refusal::NotAPostgresUrl { why: why.to_owned() })
    }
}

impl PostgresUrl {
    /// With its password, to connect by.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(mut url) = url::Url::parse(&self.0) else { return f.write_str("postgres://...") };
        if url.password().is_some() {
            // An address of this kind always takes one.
            let _ = url.set_password(Some("..."));
        }
        // What follows the database's name may hold a password as well.
        url.set_query(None);
        fmt::Display::fmt(&url, f)
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
