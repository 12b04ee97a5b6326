//! How often one address may begin a handshake: a burst, then so many a second.
//!
//! Never reads a clock: the time is an argument. The table holds only addresses that have used some of their burst
//! lately, and never more than a fixed number.
//! A bucket is kept as the moment at which it will be full again, which is one number instead of two.

use super::source::Source;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Addresses remembered at a time: about 3 MB. One that finds no room is let in uncounted; the number of handshakes
/// at a time still holds for it.
const MOST_SOURCES: usize = 65_536;
/// A full table is looked through for addresses to forget at most this often: it takes about a millisecond.
const SWEEP_PAUSE: Duration = Duration::from_secs(1);

/// Lets each address begin `burst` handshakes at once, and one more each `interval`.
#[derive(Debug)]
pub(super) struct Rate {
    /// From an empty bucket to a full one.
    refill: Duration,
    interval: Duration,
    most_sources: usize,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    full_again: HashMap<Source, Instant>,
    swept: Option<Instant>,
}

impl Rate {
    /// `per_second` of nought lets nobody in once the burst is used up.
    pub(super) fn new(burst: u32, per_second: u32) -> Self {
        Self::with_room(burst, per_second, MOST_SOURCES)
    }

    fn with_room(burst: u32, per_second: u32, most_sources: usize) -> Self {
        let interval = Duration::from_secs(1).checked_div(per_second).unwrap_or(Duration::from_secs(86_400));
        Self { refill: interval.saturating_mul(burst), interval, most_sources, table: Mutex::default() }
    }

    /// Whether `address` may begin a handshake now; counts it if so.
    pub(super) fn admits(&self, address: IpAddr, now: Instant) -> bool {
        let source = Source::from(address);
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let known = table.full_again.get(&source).copied();
        let Some(next) = known.unwrap_or(now).max(now).checked_add(self.interval) else { return true };
        if next.saturating_duration_since(now) > self.refill {
            return false;
        }
        if known.is_some() || table.has_room(self.most_sources, now) {
            table.full_again.insert(source, next);
        }
        true
    }
}

impl Table {
    /// Makes room if need be, by forgetting addresses whose bucket is full: they are as good as new.
    fn has_room(&mut self, most: usize, now: Instant) -> bool {
        let may_sweep = self.swept.is_none_or(|last| now.saturating_duration_since(last) >= SWEEP_PAUSE);
        if self.full_again.len() >= most && may_sweep {
            self.full_again.retain(|_, full_again| *full_again > now);
            self.swept = Some(now);
        }
        self.full_again.len() < most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(last: u32) -> IpAddr {
        IpAddr::V4(std::net::Ipv4Addr::from_bits(0x0a00_0000 + last))
    }

    #[test]
    fn an_address_has_its_burst_and_then_one_each_interval() {
        let (rate, start) = (Rate::new(3, 10), Instant::now());
        let admitted = |at_ms: u64| rate.admits(v4(1), start + Duration::from_millis(at_ms));

        assert_eq!([0, 0, 0, 0, 99].map(admitted), [true, true, true, false, false]);
        assert_eq!([100, 101, 200, 201].map(admitted), [true, false, true, false]);
        assert_eq!([9_000, 9_000, 9_000, 9_000].map(admitted), [true, true, true, false], "no more than the burst");
    }

    #[test]
    fn one_address_does_not_use_up_anothers_burst() {
        let (rate, now) = (Rate::new(1, 1), Instant::now());

        assert!(rate.admits(v4(1), now) && !rate.admits(v4(1), now));
        assert!(rate.admits(v4(2), now));
        assert!(rate.admits("2001:db8::1".parse().unwrap(), now));
        assert!(!rate.admits("2001:db8::2".parse().unwrap(), now), "a /64 is one address");
    }

    #[test]
    fn a_thousand_phones_behind_one_address_boot_within_a_minute() {
        let limits = crate::http::Limits::default();
        let rate = Rate::new(limits.handshake_burst_per_address, limits.handshakes_per_second_per_address);
        let start = Instant::now();

        // Old firmware opens a connection for each of its 12 files, and restarts once to what it was told.
        let refused = (0..24_000u32).filter(|n| {
            let at = Duration::from_secs(60) * *n / 23_999;
            !rate.admits(v4(1), start + at)
        });

        assert_eq!(refused.count(), 0);
    }

    #[test]
    fn the_table_is_bounded_and_forgets_those_who_have_recovered() {
        let (rate, start) = (Rate::with_room(2, 1, 4), Instant::now());
        let length = || rate.table.lock().unwrap().full_again.len();

        assert!((0..100).all(|n| rate.admits(v4(n), start)), "a newcomer without room is let in");
        assert_eq!(length(), 4);
        assert!(rate.admits(v4(100), start + Duration::from_secs(5)));
        assert_eq!(length(), 1);
    }

    #[test]
    fn a_clock_that_goes_back_is_no_reason_to_refuse() {
        let (rate, start) = (Rate::new(2, 1), Instant::now());
        let later = start + Duration::from_secs(3_600);

        assert!(rate.admits(v4(1), later));

        assert!(!rate.admits(v4(1), start), "its bucket is full again only after that hour");
        assert!(rate.admits(v4(2), start));
    }
}
