//! The life of a device: the administrator's entry that a phone gets bound to.
//!
//! Decides which states there are and which changes an administrator may order. Never says whether a
//! phone is alive: liveness is observed and kept apart (docs/ARCHITECTURE.md, Words).

use crate::time::UnixMillis;
use std::fmt;

/// Where a device is in its life; the words are fixed by the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceState {
    /// Entered by model, for nobody yet.
    Added,
    /// A user is set; a code can be issued.
    Assigned,
    /// Its phone has reached this server but is not bound.
    Contacted,
    /// Bound to a phone.
    Activated,
    /// Set aside: its phone gets nothing.
    Quarantined,
    /// Switched off by an administrator: its phone gets nothing.
    Disabled,
    /// Given away; kept for its history.
    Released,
}

impl DeviceState {
    const ALL: [Self; 7] = [
        Self::Added,
        Self::Assigned,
        Self::Contacted,
        Self::Activated,
        Self::Quarantined,
        Self::Disabled,
        Self::Released,
    ];

    /// The word for the console, the API and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Assigned => "assigned",
            Self::Contacted => "contacted",
            Self::Activated => "activated",
            Self::Quarantined => "quarantined",
            Self::Disabled => "disabled",
            Self::Released => "released",
        }
    }

    /// Whether somebody waits to activate a phone for it.
    pub const fn wants_code(self) -> bool {
        matches!(self, Self::Assigned | Self::Contacted)
    }

    /// Reads what [`Self::as_str`] wrote.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// The state of a device that nothing bars, from what is known of it.
    pub const fn natural(bound: bool, contacted: bool, has_user: bool) -> Self {
        match (bound, contacted, has_user) {
            (true, _, _) => Self::Activated,
            (false, true, _) => Self::Contacted,
            (false, false, true) => Self::Assigned,
            (false, false, false) => Self::Added,
        }
    }
}

impl fmt::Display for DeviceState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// How long a released device can be restored.
pub const RESTORABLE_DAYS: i64 = 30;

/// How often a phone asks by itself, as its configuration tells it to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Polling {
    /// Seconds from one time to the next.
    pub every_s: i64,
    /// Seconds by which it may be later than that without having missed it.
    pub slack_s: i64,
}

impl Polling {
    /// How many times in a row a phone that was seen last at `last` should have asked since and did not.
    pub const fn missed(self, last: UnixMillis, now: UnixMillis) -> i64 {
        let silent_s = now.seconds().saturating_sub(last.seconds()).saturating_sub(self.slack_s);
        match silent_s.checked_div(self.every_s) {
            Some(missed) if missed > 0 && self.every_s > 0 => missed,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polls_are_missed_only_when_they_are_overdue_by_more_than_the_slack() {
        let daily = Polling { every_s: 86_400, slack_s: 14_400 };
        let missed = |hours: i64| daily.missed(UnixMillis(0), UnixMillis(hours * 3_600_000));
        assert_eq!([missed(0), missed(24), missed(27), missed(29), missed(53)], [0, 0, 0, 1, 2]);
        assert_eq!(daily.missed(UnixMillis(9_000_000), UnixMillis(0)), 0, "a clock that went back misses nothing");
        assert_eq!(Polling { every_s: 0, slack_s: 0 }.missed(UnixMillis(0), UnixMillis(5_000)), 0);
    }

    #[test]
    fn every_word_reads_back_as_its_state() {
        for state in DeviceState::ALL {
            assert_eq!(DeviceState::from_word(state.as_str()), Some(state));
        }
    }
}
