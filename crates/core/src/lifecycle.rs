//! The life of a device: the administrator's entry that a phone gets bound to.
//!
//! Decides which states there are and which changes an administrator may order. Never says whether a
//! phone is alive: liveness is observed and kept apart (docs/ARCHITECTURE.md, Words).

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_as_its_state() {
        for state in DeviceState::ALL {
            assert_eq!(DeviceState::from_word(state.as_str()), Some(state));
        }
    }
}
