//! What was seen of those who proved nothing: a bounded list in memory that forgets.
//!
//! It never creates a row (docs/THREATS.md, rule 7). One address cannot push the others out.

use provost_core::time::UnixMillis;
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv6Addr};

/// Something seen, from where and when.
pub(crate) trait Sighting: Clone {
    /// From where.
    fn address(&self) -> IpAddr;
    /// The last time.
    fn at(&self) -> UnixMillis;
    /// Whether it is the same as one seen earlier, to be counted and not listed again.
    fn is_again(&self, earlier: &Self) -> bool;
    /// Counts on from the same seen earlier.
    fn count_on(&mut self, earlier: &Self);
}

pub(crate) const IN_ALL: usize = 2000;
pub(crate) const PER_ADDRESS: usize = 50;
pub(crate) const FORGOTTEN_AFTER_MS: i64 = 24 * 3_600_000;

/// The list, newest first.
#[derive(Debug)]
pub(crate) struct Sightings<T> {
    list: VecDeque<T>,
}

/// What counts as one address: an IPv6 host has a whole /64 to choose from.
fn source(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}

impl<T> Default for Sightings<T> {
    fn default() -> Self {
        Self { list: VecDeque::new() }
    }
}

impl<T: Sighting> Sightings<T> {
    pub(crate) fn note(&mut self, mut seen: T) {
        self.forget(seen.at());
        let same = self.list.iter().position(|known| seen.is_again(known));
        if let Some(known) = same.and_then(|place| self.list.remove(place)) {
            seen.count_on(&known);
        } else if self.list.iter().filter(|known| source(known.address()) == source(seen.address())).count()
            >= PER_ADDRESS
            && let Some(oldest) = self.list.iter().rposition(|known| source(known.address()) == source(seen.address()))
        {
            self.list.remove(oldest);
        }
        self.list.push_front(seen);
        self.list.truncate(IN_ALL);
    }

    fn forget(&mut self, now: UnixMillis) {
        while self.list.back().is_some_and(|oldest| oldest.at().plus_millis(FORGOTTEN_AFTER_MS) < now) {
            self.list.pop_back();
        }
    }

    pub(crate) fn all(&mut self, now: UnixMillis) -> Vec<T> {
        self.only(now, |_| true)
    }

    pub(crate) fn only(&mut self, now: UnixMillis, wanted: impl Fn(&T) -> bool) -> Vec<T> {
        self.forget(now);
        self.list.iter().filter(|known| wanted(known)).cloned().collect()
    }
}
