//! How far a list reaches: the part of a statement that leaves out what is outside somebody's scope.
//!
//! Decides nothing about rights: the scope was decided before. Each condition names two values, whatever it compares,
//! so that a statement has the same parameters for everybody.

use crate::sql::{Query, query_as};
use crate::{Store, StoreError};
use provost_core::ids::{AccountId, SiteId};
use provost_core::rights::Scope;

/// The part of all there is that a list shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Within {
    /// All of it.
    Everything,
    /// What belongs to one account and to none below it.
    Account(AccountId),
    /// What belongs to the accounts whose paths are in this range.
    Tree {
        /// The path of the topmost.
        from: String,
        /// The first path behind the last below it.
        to: String,
    },
    /// What is at one site.
    Site(SiteId),
    /// None of it.
    Nothing,
}

/// Where the columns of a statement stand that say to whom a row belongs.
pub(crate) struct Columns {
    /// The account's id.
    pub(crate) account: &'static str,
    /// The site's id.
    pub(crate) site: &'static str,
}

impl Store {
    /// What a scope reaches now; a scope of an account that has none below it is cheaper to list.
    pub async fn within(&self, scope: &Scope) -> Result<Within, StoreError> {
        const SQL: &str =
            "SELECT path, EXISTS (SELECT 1 FROM accounts c WHERE c.parent = a.id) FROM accounts a WHERE a.id = $1";
        let account = match scope {
            Scope::Platform => return Ok(Within::Everything),
            Scope::Site { site, .. } => return Ok(Within::Site(site.clone())),
            Scope::Account(account) => account,
        };
        let row: Option<(String, bool)> = query_as(SQL).bind(account.as_str()).fetch_optional(&self.read).await?;
        Ok(match row {
            None => Within::Nothing,
            Some((_, false)) => Within::Account(account.clone()),
            Some((from, true)) => Within::Tree { to: behind(&from), from },
        })
    }
}

/// The first text behind all that begin with this path: a zero follows the slash.
fn behind(path: &str) -> String {
    format!("{}0", path.strip_suffix('/').unwrap_or(path))
}

impl Within {
    /// The condition, with the parameters `$first` and the one after it.
    pub(crate) fn condition(&self, columns: &Columns, first: u8) -> String {
        let (one, two) = (first, first.saturating_add(1));
        let Columns { account, site } = columns;
        match self {
            Self::Everything => format!("${one} = ${two}"),
            Self::Nothing => format!("${one} <> ${two}"),
            Self::Account(_) => format!("{account} = ${one} AND ${one} = ${two}"),
            Self::Site(_) => format!("{site} = ${one} AND ${one} = ${two}"),
            Self::Tree { .. } => {
                format!("{account} IN (SELECT id FROM accounts WHERE path >= ${one} AND path < ${two})")
            }
        }
    }

    fn values(&self) -> (&str, &str) {
        match self {
            Self::Everything | Self::Nothing => ("", ""),
            Self::Account(id) => (id.as_str(), id.as_str()),
            Self::Site(id) => (id.as_str(), id.as_str()),
            Self::Tree { from, to } => (from, to),
        }
    }
}

impl<'q, T> Query<'q, T> {
    /// The two values of [`Within::condition`].
    pub(crate) fn within(self, within: &'q Within) -> Self {
        let (one, two) = within.values();
        self.bind(one).bind(two)
    }
}
