//! Proven phones that ask for other phones' files again and again have to wait.

use super::Guard;
use crate::alarms::AlarmKind;
use crate::{App, locked};
use provost_core::mac::MacAddr;
use provost_core::sentence;
use provost_core::time::UnixMillis;
use std::collections::{HashMap, VecDeque};

const HOUR_MS: i64 = 3_600_000;
/// A phone whose server address holds a wrong name asks a dozen times at one boot; this is two boots and a half.
const MOST_AN_HOUR: usize = 30;
/// Only proven phones come in here.
const MOST_PHONES: usize = 20_000;

/// When each phone asked for another's file, within the last hour.
#[derive(Debug, Default)]
pub(super) struct AsksForOthers {
    times: HashMap<MacAddr, VecDeque<UnixMillis>>,
}

impl AsksForOthers {
    /// Counts one more; how often it was, once that is too often. The count begins anew then.
    fn too_many(&mut self, mac: MacAddr, now: UnixMillis) -> Option<usize> {
        let oldest = now.plus_millis(-HOUR_MS);
        if self.times.len() >= MOST_PHONES {
            self.times.retain(|_, times| times.back().is_some_and(|last| *last > oldest));
        }
        let times = self.times.entry(mac).or_default();
        while times.front().is_some_and(|at| *at <= oldest) {
            times.pop_front();
        }
        times.push_back(now);
        let found = times.len();
        if found <= MOST_AN_HOUR {
            return None;
        }
        self.times.remove(&mac);
        Some(found)
    }
}

impl Guard {
    /// Until when this phone has to wait, if it has to.
    pub(crate) fn suspended(&self, mac: MacAddr, now: UnixMillis) -> Option<UnixMillis> {
        locked(&self.suspended).get(&mac).copied().filter(|until| now < *until)
    }

    fn suspend(&self, mac: MacAddr, now: UnixMillis, until: UnixMillis) {
        let mut suspended = locked(&self.suspended);
        suspended.retain(|_, until| now < *until);
        suspended.insert(mac, until);
    }
}

impl App {
    /// Counts a request for another phone's file; too many of them suspend the phone for an hour.
    pub(crate) async fn asked_for_another(&self, mac: MacAddr, now: UnixMillis) {
        let Some(times) = locked(&self.guard.asks_for_others).too_many(mac, now) else { return };
        let until = now.plus_millis(HOUR_MS);
        if let Err(error) = self.store.suspend(mac, now, until).await {
            // It holds until a restart all the same.
            tracing::error!(phone.mac = %mac, %error, "the suspension of phone {mac} could not be stored");
        }
        self.guard.suspend(mac, now, until);
        let entry = sentence::suspended(times, until);
        self.raise_about(AlarmKind::PhoneAsksForOthers, &mac.to_string(), &entry).await;
        self.recorder.tell(mac, now, entry, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: MacAddr = MacAddr::new([0, 4, 0xf2, 0, 0, 1]);

    #[test]
    fn more_than_thirty_within_an_hour_are_too_many_and_thirty_are_not() {
        let mut asks = AsksForOthers::default();
        let told: Vec<_> = (0..=30).map(|n| asks.too_many(MAC, UnixMillis(n * 60_000))).collect();
        assert_eq!((told.iter().flatten().count(), told.last()), (1, Some(&Some(31))));

        let mut asks = AsksForOthers::default();
        assert!((0..200).all(|n| asks.too_many(MAC, UnixMillis(n * 120_000)).is_none()), "one each two minutes");
    }

    #[test]
    fn a_suspension_ends_on_time() {
        let guard = Guard::default();
        locked(&guard.suspended).insert(MAC, UnixMillis(1000));
        assert_eq!(guard.suspended(MAC, UnixMillis(999)), Some(UnixMillis(1000)));
        assert_eq!(guard.suspended(MAC, UnixMillis(1000)), None);
    }
}
