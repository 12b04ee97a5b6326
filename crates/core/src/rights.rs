//! Who may do what: five roles, seven rights, and how far each reaches.
//!
//! Decides from role and scope alone. Never knows tokens, clocks or the database. Ours; docs/guide/rights.md shows the
//! table to people.

#[cfg(test)]
mod tests;

use crate::ids::{AccountId, SiteId};
use std::fmt;

/// What somebody is at this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything there is.
    Owner,
    /// Everything but what is of the whole server.
    Administrator,
    /// Sees all but secrets, changes nothing.
    Support,
    /// Stands before the phones: activates and swaps them.
    Installer,
    /// Sees what there is.
    ReadOnly,
}

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    /// See accounts, people, devices and phones; never a secret.
    Read,
    /// Add and change them.
    Change,
    /// Bind a phone to a device, or put another in the place of a dead one.
    Activate,
    /// See and make codes, passwords and what phones have sent.
    Secrets,
    /// Make, see and end tokens, and the administrators who sign in.
    Tokens,
    /// See and change what belongs to the whole server.
    Platform,
    /// Read the audit log.
    Audit,
}

/// How far somebody's rights reach.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Everything on this server.
    Platform,
    /// An account and all accounts below it.
    Account(AccountId),
    /// One site of an account.
    Site {
        /// The account the site belongs to.
        account: AccountId,
        /// The site.
        site: SiteId,
    },
}

impl Role {
    /// Every role, the most powerful first.
    pub const ALL: [Self; 5] = [Self::Owner, Self::Administrator, Self::Support, Self::Installer, Self::ReadOnly];

    /// Whether the role has the right, wherever its scope reaches.
    pub const fn may(self, right: Right) -> bool {
        match self {
            Self::Owner => true,
            Self::Administrator => !matches!(right, Right::Platform),
            Self::Support => matches!(right, Right::Read | Right::Audit),
            Self::Installer => matches!(right, Right::Read | Right::Activate),
            Self::ReadOnly => matches!(right, Right::Read),
        }
    }

    /// Whether everything this role may, `other` may too: who is `other` may make somebody this.
    pub fn is_within(self, other: Self) -> bool {
        Right::ALL.into_iter().all(|right| !self.may(right) || other.may(right))
    }

    /// The word for the API, the command line and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Administrator => "administrator",
            Self::Support => "support",
            Self::Installer => "installer",
            Self::ReadOnly => "read-only",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 7] =
        [Self::Read, Self::Change, Self::Activate, Self::Secrets, Self::Tokens, Self::Platform, Self::Audit];

    /// The right in words that complete "may ...".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Read => "see this",
            Self::Change => "change this",
            Self::Activate => "activate phones",
            Self::Secrets => "see or make codes and passwords",
            Self::Tokens => "manage tokens and administrators",
            Self::Platform => "see or change what belongs to the whole server",
            Self::Audit => "read the audit log",
        }
    }

    /// The roles that have it, in words: "owner and administrator".
    pub fn holders(self) -> String {
        let words: Vec<&str> = Role::ALL.into_iter().filter(|role| role.may(self)).map(Role::as_str).collect();
        match words.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
            None => "nobody".to_owned(),
        }
    }
}
