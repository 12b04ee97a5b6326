//! Answers that were just made, so that a crowd of phones, or one that asks again, costs no rendering.
//!
//! An answer is good for a second and only while nothing was changed since its facts were read; so a
//! database that fails is noticed within that second, and a change at once.

use super::answer::Found;
use crate::moving::CameIn;
use provost_catalog::Version;
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

const GOOD_FOR_MS: i64 = 1000;

/// Phones whose answers are kept at a time: a boot storm's second.
const PHONES: usize = 4096;

/// Master and parameter file, for application and updater.
const PER_PHONE: usize = 4;

/// What an answer depends on beside the database.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) mac: MacAddr,
    pub(super) is_master: bool,
    /// Model and version as the User-Agent says them; the version is bounded where it is read.
    pub(super) said: Option<(String, Version, bool)>,
    pub(super) came_in: CameIn,
}

struct Entry {
    found: Found,
    generation: Generation,
    made: UnixMillis,
}

/// How often something was changed that phones might notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Generation(u64);

#[cfg(test)]
impl Generation {
    pub(crate) const fn of_test(number: u64) -> Self {
        Self(number)
    }
}

/// The answers.
#[derive(Default)]
pub(crate) struct Answers {
    changes: AtomicU64,
    shelf: Mutex<Shelf>,
}

#[derive(Default)]
struct Shelf {
    of: HashMap<MacAddr, Vec<(Key, Entry)>>,
    /// The second in which old answers were dropped last.
    swept: i64,
}

impl Shelf {
    /// Once a second what is too old goes: configurations hold passwords.
    fn sweep(&mut self, now: UnixMillis) {
        let second = now.0.div_euclid(GOOD_FOR_MS);
        if self.swept != second {
            self.swept = second;
            for answers in self.of.values_mut() {
                answers.retain(|(_, entry)| entry.is_young(now));
            }
            self.of.retain(|_, answers| !answers.is_empty());
        }
    }
}

impl Entry {
    /// A clock that went back makes no answer younger.
    fn is_young(&self, now: UnixMillis) -> bool {
        (0..GOOD_FOR_MS).contains(&now.0.saturating_sub(self.made.0))
    }
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
    pub(crate) fn generation(&self) -> Generation {
        Generation(self.changes.load(Ordering::Acquire))
    }

    pub(super) fn find(&self, key: &Key, now: UnixMillis) -> Option<Found> {
        let shelf = crate::locked(&self.shelf);
        let (_, entry) = shelf.of.get(&key.mac)?.iter().find(|(known, _)| known == key)?;
        (entry.is_young(now) && entry.generation == self.generation()).then(|| entry.found.clone())
    }

    pub(super) fn keep(&self, key: Key, found: &Found, (generation, made): (Generation, UnixMillis)) {
        let mut shelf = crate::locked(&self.shelf);
        shelf.sweep(made);
        if shelf.of.len() >= PHONES && !shelf.of.contains_key(&key.mac) {
            return;
        }
        let answers = shelf.of.entry(key.mac).or_default();
        answers.retain(|(known, _)| *known != key);
        if answers.len() < PER_PHONE {
            answers.push((key, Entry { found: found.clone(), generation, made }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use provost_core::file_plan::Refusal;

    fn key() -> Key {
        Key { mac: MacAddr::new([0, 4, 0xf2, 0, 0, 1]), is_master: true, said: None, came_in: CameIn::Current }
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
    fn one_phone_that_calls_itself_ever_something_else_fills_nothing() {
        let answers = Answers::default();
        for build in 0..100 {
            let said = Some(("VVX_450".to_owned(), format!("6.4.7.{build}").parse().unwrap(), false));
            answers.keep(Key { said, ..key() }, &Found::UnknownModel, (answers.generation(), UnixMillis(5_000)));
        }
        assert_eq!(crate::locked(&answers.shelf).of[&key().mac].len(), PER_PHONE);

        answers.keep(
            Key { mac: MacAddr::new([1; 6]), ..key() },
            &Found::UnknownModel,
            (answers.generation(), UnixMillis(9_000)),
        );
        assert_eq!(crate::locked(&answers.shelf).of.len(), 1, "old answers are dropped");
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
