//! What of a step was told and stored already: a phone that asks for its image a thousand times, or byte by byte, fills no
//! timeline and keeps no disk busy.

use crate::locked;
use provost_core::time::UnixMillis;
use provost_store::NewStep;
use std::collections::HashSet;

/// What is told of a step once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Told {
    /// So many percent were sent.
    Percent(u8),
    Whole,
    ClosedEarly,
    BrokeOff,
    Restarted,
}

/// How far a step was told and stored.
#[derive(Debug, Default)]
pub(super) struct Progress {
    step: String,
    told: HashSet<Told>,
    /// The last request that was stored.
    asked: Option<UnixMillis>,
    /// The last position that was stored.
    stored: Option<(u64, UnixMillis)>,
    /// So much left one after the other from the image's beginning, over however many requests.
    reached: u64,
    /// Whether it asked for the image by the part it is for.
    asked_by_part: bool,
}

/// A position that moved by a quarter of the image is stored, and a sign of the phone once a minute.
const SIGN_EVERY_MS: i64 = 60_000;

impl super::Leading {
    fn progress<T>(&self, step: &NewStep, read: impl FnOnce(&mut Progress) -> T) -> T {
        let mut all = locked(&self.told);
        let known = all.entry(step.mac).or_default();
        if known.step != step.id {
            *known = Progress { step: step.id.clone(), ..Progress::default() };
        }
        read(known)
    }

    /// Whether this is to be told of the step: the first time it is.
    pub(super) fn is_first(&self, step: &NewStep, what: Told) -> bool {
        self.progress(step, |known| known.told.insert(what))
    }

    /// Whether a request for the image is to be stored.
    pub(super) fn is_to_store_asked(&self, step: &NewStep, now: UnixMillis) -> bool {
        self.progress(step, |known| {
            let is_due = known.asked.is_none_or(|asked| asked.plus_millis(SIGN_EVERY_MS) <= now);
            if is_due {
                known.asked = Some(now);
            }
            is_due
        })
    }

    /// Whether a position is to be stored; the whole image always is.
    pub(super) fn is_to_store_moved(&self, step: &NewStep, sent: u64, now: UnixMillis) -> bool {
        let quarter = |sent: u64| sent.saturating_mul(4).checked_div(step.bytes).unwrap_or(4);
        self.progress(step, |known| {
            let is_due = known
                .stored
                .is_none_or(|(stored, at)| at.plus_millis(SIGN_EVERY_MS) <= now || quarter(sent) > quarter(stored));
            if is_due {
                known.stored = Some((sent, now));
            }
            is_due
        })
    }

    /// A request begins there: whether it goes on with what left before, or begins anew.
    pub(super) fn goes_on_at(&self, step: &NewStep, start: u64) -> bool {
        self.progress(step, |known| {
            if start == 0 {
                known.reached = 0;
            }
            start <= known.reached
        })
    }

    /// So much left from the beginning.
    pub(super) fn reached(&self, step: &NewStep, at: u64) {
        self.progress(step, |known| known.reached = known.reached.max(at));
    }

    /// The phone asked for the image by its part.
    pub(super) fn note_part(&self, step: &NewStep) {
        self.progress(step, |known| known.asked_by_part = true);
    }

    /// Whether it did before.
    pub(super) fn has_asked_by_part(&self, step: &NewStep) -> bool {
        self.progress(step, |known| known.asked_by_part)
    }
}
