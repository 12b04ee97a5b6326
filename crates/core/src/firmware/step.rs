//! A step that was offered to a phone: how far it is, and what its return says of it.
//!
//! Decides from versions, bytes and times alone. A phone reads an image's beginning and closes the connection where it
//! wants none of it; that is no failure of a phone that runs the version already (catalog/SOURCES.md, oryk).

use crate::time::UnixMillis;
use provost_catalog::Version;
use std::fmt;
use std::str::FromStr;

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepState {
    /// The phone's master file names the image.
    Offered,
    /// It has asked for the image.
    Loading,
    /// The whole image was sent.
    Sent,
    /// It came back with the version.
    Done,
    /// It came back as it was, or with another version.
    Failed,
    /// It is not offered any more.
    Withdrawn,
}

impl StepState {
    /// Every state.
    pub const ALL: [Self; 6] = [Self::Offered, Self::Loading, Self::Sent, Self::Done, Self::Failed, Self::Withdrawn];

    /// The word for the API and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Loading => "loading",
            Self::Sent => "sent",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// Text that is no state of a step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no state of a step; write offered, loading, sent, done, failed or withdrawn")]
pub struct StepStateError {
    /// The text as it came, at most its first 40 characters.
    pub found: String,
}

impl FromStr for StepState {
    type Err = StepStateError;

    fn from_str(text: &str) -> Result<Self, StepStateError> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == text);
        found.ok_or_else(|| StepStateError { found: text.chars().take(40).collect() })
    }
}

impl fmt::Display for StepState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// A step without a sign of its phone for so long holds no slot: half an hour is longer than a phone takes to flash and
/// to start.
pub const STALE_MS: i64 = 30 * 60_000;
/// A phone that closed early and still runs what it ran this much later does not want the image: until then it may only
/// have looked at its beginning, to load it once it is idle.
pub const LOOKED_MS: i64 = 10 * 60_000;
/// Requests for an image, a minute apart, after which a phone that still runs what it ran is taken not to want it, however
/// soon it asks again: one to look at its beginning, one to load it, and some for lines that broke.
pub const MOST_TRIES: u32 = 5;

/// A step under way.
#[derive(Debug, Clone, Copy)]
pub struct UnderWay<'a> {
    /// What the phone ran.
    pub from: &'a Version,
    /// What it is led to.
    pub to: &'a Version,
    /// How far it is.
    pub state: StepState,
    /// The last sign of its phone.
    pub touched: UnixMillis,
    /// Requests for the image from its beginning, those of one minute counted once.
    pub tries: u32,
    /// Whether it is loading just now.
    pub is_loading: bool,
    /// Whether it showed that it is done with the image: it went on with its files, or its updater asked, since the whole
    /// image was sent. A phone whose power failed shows neither, and is named the same image again.
    pub is_done_with_it: bool,
}

/// What a phone's return says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returned {
    /// Nothing yet.
    NotYet,
    /// It runs the version.
    Done,
    /// It had the whole image and runs what it ran.
    Unchanged,
    /// It took a part of the image and runs what it ran.
    NotWanted,
    /// It asked for the image again and again, and runs what it ran.
    TriedTooOften,
    /// It runs something else.
    Other,
}

/// What it says of a step that its phone asks for its master file and runs this.
pub fn returned(step: UnderWay<'_>, runs: &Version, now: UnixMillis) -> Returned {
    if runs == step.to {
        return Returned::Done;
    }
    if runs != step.from {
        return Returned::Other;
    }
    match step.state {
        StepState::Sent if !step.is_loading && (step.is_done_with_it || step.tries >= MOST_TRIES) => {
            Returned::Unchanged
        }
        StepState::Loading if !step.is_loading && step.tries >= MOST_TRIES => Returned::TriedTooOften,
        StepState::Loading if !step.is_loading && step.touched.plus_millis(LOOKED_MS) <= now => Returned::NotWanted,
        _ => Returned::NotYet,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(state: StepState, runs: &str, later: i64) -> Returned {
        let (from, to): (Version, Version) = ("6.4.7".parse().unwrap(), "6.4.8".parse().unwrap());
        let step = UnderWay {
            from: &from,
            to: &to,
            state,
            touched: UnixMillis(1_000),
            tries: 1,
            is_loading: false,
            is_done_with_it: true,
        };
        returned(step, &runs.parse().unwrap(), UnixMillis(1_000).plus_millis(later))
    }

    #[test]
    fn a_phone_that_starts_over_every_few_minutes_is_not_waited_for_without_end() {
        let (from, to): (Version, Version) = ("6.4.7".parse().unwrap(), "6.4.8".parse().unwrap());
        let tried = |state, tries, is_loading| {
            let touched = UnixMillis(0);
            let step = UnderWay { from: &from, to: &to, state, touched, tries, is_loading, is_done_with_it: false };
            (returned(step, &from, UnixMillis(1)), returned(step, &to, UnixMillis(1)))
        };
        let (loading, sent) = (StepState::Loading, StepState::Sent);
        assert_eq!(tried(loading, MOST_TRIES - 1, false), (Returned::NotYet, Returned::Done));
        assert_eq!(tried(loading, MOST_TRIES, true), (Returned::NotYet, Returned::Done), "it is loading");
        assert_eq!(tried(loading, MOST_TRIES, false), (Returned::TriedTooOften, Returned::Done));
        assert_eq!(tried(sent, MOST_TRIES, false), (Returned::Unchanged, Returned::Done));
    }

    #[test]
    fn what_the_phone_runs_when_it_comes_back_tells_what_became_of_the_step() {
        assert_eq!(judged(StepState::Sent, "6.4.8", 0), Returned::Done);
        assert_eq!(judged(StepState::Sent, "6.4.7", 0), Returned::Unchanged);
        assert_eq!(judged(StepState::Sent, "6.4.6", 0), Returned::Other);
        assert_eq!(judged(StepState::Offered, "6.4.8", 0), Returned::Done, "by other means");
    }

    #[test]
    fn a_phone_whose_power_failed_is_not_judged() {
        let (from, to): (Version, Version) = ("6.4.7".parse().unwrap(), "6.4.8".parse().unwrap());
        let state = StepState::Sent;
        let step = UnderWay {
            from: &from,
            to: &to,
            state,
            touched: UnixMillis(0),
            tries: 1,
            is_loading: false,
            is_done_with_it: false,
        };

        assert_eq!(returned(step, &from, UnixMillis(1)), Returned::NotYet);
        assert_eq!(returned(step, &to, UnixMillis(1)), Returned::Done);
    }

    #[test]
    fn a_phone_that_looked_at_the_beginning_is_given_time_before_it_does_not_want_the_image() {
        assert_eq!(judged(StepState::Loading, "6.4.7", LOOKED_MS - 1), Returned::NotYet);
        assert_eq!(judged(StepState::Loading, "6.4.7", LOOKED_MS), Returned::NotWanted);
        assert_eq!(judged(StepState::Offered, "6.4.7", LOOKED_MS), Returned::NotYet);
    }

    #[test]
    fn states_are_read_as_they_are_written() {
        for state in StepState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert!("flashing".parse::<StepState>().is_err());
    }
}
