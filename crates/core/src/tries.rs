//! How often a wrong activation code may be tried.
//!
//! Decides who has to wait and until when; the store counts, in the transaction of the claim
//! (docs/THREATS.md, rule 8). A phone that proved itself and made no wrong try within the hour never
//! has to wait, whatever others do: nobody can lock another out.

use crate::mac::MacAddr;
use crate::time::UnixMillis;
use std::net::{IpAddr, Ipv6Addr};

/// How long a wrong try counts.
pub const COUNTS_FOR_MS: i64 = 3_600_000;

/// Wrong tries of one phone.
pub const MOST_PER_PHONE: usize = 10;

/// Wrong tries from one address: of phones together, and on the web page.
pub const MOST_PER_ADDRESS: usize = 60;

/// Wrong tries in all, of phones together and on the web page each; then only those may try who made none.
pub const MOST_IN_ALL: usize = 1000;

/// Wrong tries on the web page that are kept; then nobody may try there, and phones still may.
pub const MOST_KEPT_OF_PAGE: usize = 10_000;

/// Whose try it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// A phone that proved itself.
    Phone {
        /// The phone.
        mac: MacAddr,
        /// Where it called from.
        from: IpAddr,
    },
    /// Somebody on the web page, who proves nothing.
    Page {
        /// Their address.
        from: IpAddr,
    },
}

impl Tried {
    /// The phone, if one proved itself.
    pub const fn mac(self) -> Option<MacAddr> {
        match self {
            Self::Phone { mac, .. } => Some(mac),
            Self::Page { .. } => None,
        }
    }

    /// What counts as one address: an IPv6 host has a whole /64 to choose from, an IPv4 host on an IPv6 socket has not.
    pub fn source(self) -> String {
        let (Self::Phone { from, .. } | Self::Page { from }) = self;
        match from.to_canonical() {
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).to_string(),
        }
    }

    /// The most wrong tries of its own it may have.
    pub const fn most_of_its_own(self) -> usize {
        match self {
            Self::Phone { .. } => MOST_PER_PHONE,
            Self::Page { .. } => MOST_PER_ADDRESS,
        }
    }
}

/// The wrong tries of the last hour that matter for the next one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    /// Its own, newest first: the phone's, or on the page the address's. No more than may be.
    pub own: Vec<UnixMillis>,
    /// Of all phones at its address; 0 for the page.
    pub at_address: usize,
    /// Of all phones, or of all on the page.
    pub in_all: usize,
}

/// When the next try is allowed; `None`: now.
pub fn wait_until(tried: Tried, counted: &Counted, now: UnixMillis) -> Option<UnixMillis> {
    let over = |at: &UnixMillis| at.plus_millis(COUNTS_FOR_MS);
    let most = tried.most_of_its_own();
    if let Some(first_of_too_many) = most.checked_sub(1).and_then(|place| counted.own.get(place)) {
        return Some(over(first_of_too_many));
    }
    let is_crowded = counted.in_all >= MOST_IN_ALL || counted.at_address >= MOST_PER_ADDRESS;
    if let Some(newest) = counted.own.first().filter(|_| is_crowded) {
        return Some(over(newest));
    }
    let is_full = tried.mac().is_none() && counted.in_all >= MOST_KEPT_OF_PAGE;
    is_full.then(|| over(&now))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_795_000_000_000);
    const MAC: MacAddr = MacAddr::new([0, 4, 0xf2, 0, 0, 1]);

    fn phone() -> Tried {
        Tried::Phone { mac: MAC, from: "192.0.2.1".parse().unwrap() }
    }

    fn page() -> Tried {
        Tried::Page { from: "192.0.2.1".parse().unwrap() }
    }

    fn own(n: usize) -> Vec<UnixMillis> {
        (0..n).map(|n| NOW.plus_millis(-1000 * i64::try_from(n).unwrap())).collect()
    }

    #[test]
    fn the_eleventh_wrong_code_of_a_phone_has_to_wait_until_the_first_of_ten_is_an_hour_old() {
        let nine = Counted { own: own(9), ..Counted::default() };
        let ten = Counted { own: own(10), ..Counted::default() };
        assert_eq!(wait_until(phone(), &nine, NOW), None);
        assert_eq!(wait_until(phone(), &ten, NOW), Some(NOW.plus_millis(COUNTS_FOR_MS - 9000)));
        assert_eq!(wait_until(page(), &ten, NOW), None, "the page counts by address");
        assert!(wait_until(page(), &Counted { own: own(60), ..Counted::default() }, NOW).is_some());
    }

    #[test]
    fn a_phone_without_a_wrong_try_never_waits_for_others() {
        let crowded = Counted { own: Vec::new(), at_address: 100_000, in_all: 1_000_000 };
        assert_eq!(wait_until(phone(), &crowded, NOW), None);
        let full = Counted { own: Vec::new(), at_address: 0, in_all: MOST_KEPT_OF_PAGE };
        assert_eq!(wait_until(page(), &full, NOW), Some(NOW.plus_millis(COUNTS_FOR_MS)), "what is kept is bounded");
        assert_eq!(wait_until(page(), &Counted { in_all: MOST_KEPT_OF_PAGE - 1, ..full }, NOW), None);
    }

    #[test]
    fn where_too_many_were_wrong_in_all_a_second_try_waits_for_the_first() {
        let once = |at_address, in_all| Counted { own: own(1), at_address, in_all };
        assert_eq!(wait_until(phone(), &once(59, 999), NOW), None);
        assert_eq!(wait_until(phone(), &once(60, 0), NOW), Some(NOW.plus_millis(COUNTS_FOR_MS)));
        assert_eq!(wait_until(phone(), &once(0, 1000), NOW), Some(NOW.plus_millis(COUNTS_FOR_MS)));
    }

    #[test]
    fn an_ipv6_host_is_one_address_whatever_it_chooses() {
        let source = |text: &str| Tried::Page { from: text.parse().unwrap() }.source();
        assert_eq!(source("2001:db8::1"), source("2001:db8::ffff:1"));
        assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
        assert_eq!(source("::ffff:192.0.2.1"), "192.0.2.1");
        assert_ne!(source("::ffff:192.0.2.1"), source("::ffff:192.0.2.2"));
    }
}
