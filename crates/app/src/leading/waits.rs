//! What keeps a phone from its step for a while, remembered, so that a crowd that waits costs nothing.
//!
//! Only what nothing but time or a change ends is remembered, for a minute at most and until something is changed: a slot,
//! or the end of a call, may come at once.

use crate::locked;
use crate::phones::Generation;
use provost_catalog::UserAgent;
use provost_core::firmware::Version;
use provost_core::firmware::policy::{RingNow, Wait};
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use std::collections::HashMap;

/// The longest a wait or a ring's standing is remembered, and how often a window is looked at.
const GOOD_FOR_MS: i64 = 60_000;
/// More phones than wait at a time.
const PHONES: usize = 200_000;
/// More policies, models and versions than are led to at a time.
const RINGS: usize = 10_000;

/// A policy, a model and the version it leads to.
type RingKey = (String, String, String);

/// What is remembered.
#[derive(Debug, Default)]
pub(super) struct Waits {
    of: HashMap<MacAddr, Waiting>,
    rings: HashMap<RingKey, (RingNow, UnixMillis)>,
}

#[derive(Debug)]
struct Waiting {
    runs: Version,
    generation: Generation,
    until: UnixMillis,
}

impl Waits {
    fn holds(&self, mac: MacAddr, said: &Version, (generation, now): (Generation, UnixMillis)) -> bool {
        self.of.get(&mac).is_some_and(|known| {
            let left = known.until.0.saturating_sub(now.0);
            known.runs == *said && known.generation == generation && (1..=GOOD_FOR_MS).contains(&left)
        })
    }

    fn remember(&mut self, (mac, runs): (MacAddr, &Version), wait: &Wait, at: (Generation, UnixMillis)) {
        let (generation, now) = at;
        let until = match wait {
            // Windows open when a minute begins.
            Wait::Window { .. } => {
                UnixMillis(now.0.div_euclid(GOOD_FOR_MS).saturating_add(1).saturating_mul(GOOD_FOR_MS))
            }
            Wait::Keeps | Wait::Ring(_) | Wait::Paused { .. } | Wait::GivenUp(_) | Wait::Unclaimed => {
                now.plus_millis(GOOD_FOR_MS)
            }
            Wait::InCall | Wait::CallNotKnown | Wait::Slots(_) => return,
        };
        if self.of.len() >= PHONES {
            self.of.retain(|_, known| now < known.until);
            if self.of.len() >= PHONES {
                return;
            }
        }
        self.of.insert(mac, Waiting { runs: runs.clone(), generation, until });
    }
}

impl super::Leading {
    /// Whether a phone that says this waited a moment ago for what cannot have come since.
    pub(crate) fn still_waits(&self, mac: MacAddr, said: &UserAgent<'_>, at: (Generation, UnixMillis)) -> bool {
        !self.is_open(mac) && locked(&self.waits).holds(mac, &said.version, at)
    }

    /// Remembers that a phone waits, as far as that cannot end at once; the generation is of before its facts were read.
    pub(super) fn remember_wait(&self, phone: (MacAddr, &Version), wait: &Wait, at: (Generation, UnixMillis)) {
        locked(&self.waits).remember(phone, wait, at);
    }

    /// How a version stood with the ring that goes first, less than a minute ago.
    pub(super) fn ring_known(&self, key: &RingKey, now: UnixMillis) -> Option<RingNow> {
        let waits = locked(&self.waits);
        let (ring, at) = waits.rings.get(key)?;
        (0..GOOD_FOR_MS).contains(&now.0.saturating_sub(at.0)).then(|| ring.clone())
    }

    pub(super) fn remember_ring(&self, key: RingKey, ring: &RingNow, now: UnixMillis) {
        let mut waits = locked(&self.waits);
        if waits.rings.len() >= RINGS {
            waits.rings.clear();
        }
        waits.rings.insert(key, (ring.clone(), now));
    }

    /// A phone came back from its step: others may wait no more.
    pub(super) fn forget_waits(&self) {
        *locked(&self.waits) = Waits::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use provost_core::firmware::policy::Window;

    #[test]
    fn a_wait_is_remembered_while_it_cannot_end_and_nothing_was_changed() {
        let mac: MacAddr = "0004f2000014".parse().unwrap();
        let (runs, other): (Version, Version) = ("6.4.8.1".parse().unwrap(), "6.4.8.2".parse().unwrap());
        let (before, after) = (Generation::of_test(1), Generation::of_test(2));
        let at = |ms: i64| UnixMillis(600_000 + ms);
        let mut waits = Waits::default();

        for wait in [Wait::Slots(5), Wait::InCall, Wait::CallNotKnown] {
            waits.remember((mac, &runs), &wait, (before, at(0)));
            assert!(!waits.holds(mac, &runs, (before, at(1))), "{wait}: it may end at once");
        }
        let window = Wait::Window { window: Window::NIGHT, zone: "UTC".to_owned() };
        waits.remember((mac, &runs), &window, (before, at(45_000)));
        assert!(waits.holds(mac, &runs, (before, at(59_999))));
        assert!(!waits.holds(mac, &runs, (before, at(60_000))), "a minute begins, and the window may open");
        assert!(!waits.holds(mac, &runs, (after, at(50_000))), "somebody changed something");
        assert!(!waits.holds(mac, &other, (before, at(50_000))), "it runs something else");
        assert!(!waits.holds(mac, &runs, (before, at(-90_000))), "the clock went back");
        waits.remember((mac, &runs), &Wait::GivenUp(3), (before, at(0)));
        assert!(waits.holds(mac, &runs, (before, at(59_999))) && !waits.holds(mac, &runs, (before, at(60_000))));
    }
}
