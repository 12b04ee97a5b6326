//! Answers that were just made, so that a crowd of phones, or one that asks again, costs no rendering.
//!
//! An answer is good for a second and only while nothing was changed since its facts were read; so a
//! database that fails is noticed within that second, and a change at once.

use super::answer::Found;
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

const GOOD_FOR_MS: i64 = 1000;

/// Two files of some thousand phones, about 4 kB each.
const ENTRIES: usize = 8192;

/// What an answer depends on beside the database.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) mac: MacAddr,
    pub(super) is_master: bool,
    pub(super) user_agent: Option<String>,
    pub(super) host: Option<String>,
}

struct Entry {
    found: Found,
    generation: Generation,
    made: UnixMillis,
}

/// How often something was changed that phones might notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Generation(u64);

/// The answers.
#[derive(Default)]
pub(crate) struct Answers {
    changes: AtomicU64,
    entries: Mutex<HashMap<Key, Entry>>,
}

impl std::fmt::Debug for Answers {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Answers")
    }
}

impl Answers {
    /// Makes every answer of before worthless; called after a change is stored and before it is promised.
    pub(crate) fn changed(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// To be taken before the facts of an answer are read.
    pub(super) fn generation(&self) -> Generation {
        Generation(self.changes.load(Ordering::Acquire))
    }

    pub(super) fn find(&self, key: &Key, now: UnixMillis) -> Option<Found> {
        let entries = crate::locked(&self.entries);
        let entry = entries.get(key)?;
        let age = now.0.saturating_sub(entry.made.0);
        // A clock that went back makes no answer younger.
        let is_good = (0..GOOD_FOR_MS).contains(&age) && entry.generation == self.generation();
        is_good.then(|| entry.found.clone())
    }

    pub(super) fn keep(&self, key: Key, found: &Found, (generation, made): (Generation, UnixMillis)) {
        let mut entries = crate::locked(&self.entries);
        if entries.len() >= ENTRIES {
            // Everything in it is at most a second old: starting anew costs little and needs no bookkeeping.
            entries.clear();
        }
        entries.insert(key, Entry { found: found.clone(), generation, made });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use provost_core::file_plan::Refusal;

    fn key() -> Key {
        Key { mac: MacAddr::new([0, 4, 0xf2, 0, 0, 1]), is_master: true, user_agent: None, host: None }
    }

    fn kept(at: i64) -> Answers {
        let answers = Answers::default();
        answers.keep(key(), &Found::Refused(Refusal::Barred), (answers.generation(), UnixMillis(at)));
        answers
    }

    #[test]
    fn an_answer_is_good_for_a_second_and_not_for_an_earlier_clock() {
        let answers = kept(5_000);
        let is_found = |at| answers.find(&key(), UnixMillis(at)).is_some();
        assert_eq!([is_found(5_000), is_found(5_999), is_found(6_000), is_found(4_999)], [true, true, false, false]);
    }

    #[test]
    fn a_change_makes_answers_worthless_also_one_whose_facts_were_read_before_it() {
        let answers = kept(5_000);
        let before = answers.generation();
        answers.changed();
        assert!(answers.find(&key(), UnixMillis(5_000)).is_none());

        answers.keep(key(), &Found::Refused(Refusal::Barred), (before, UnixMillis(5_000)));
        assert!(answers.find(&key(), UnixMillis(5_000)).is_none());
    }
}
