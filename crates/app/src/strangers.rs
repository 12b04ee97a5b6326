//! Those who asked without proving to be a phone: a bounded list in memory that forgets.
//!
//! A stranger never creates a row (docs/THREATS.md, rule 7). One address cannot push the others out.

use provost_core::identity::CertificateStatus;
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use std::collections::VecDeque;
use std::net::IpAddr;

/// Somebody who asked and proved nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// From where.
    pub address: IpAddr,
    /// The MAC in the name asked for.
    pub asked_for: Option<MacAddr>,
    /// The last file asked for, made printable.
    pub file: String,
    /// Certificate status.
    pub certificate: CertificateStatus,
    /// Why it was refused.
    pub reason: String,
    /// How often.
    pub times: u64,
    /// The last time.
    pub at: UnixMillis,
}

const IN_ALL: usize = 2000;
const PER_ADDRESS: usize = 50;
const FORGOTTEN_AFTER_MS: i64 = 24 * 3_600_000;

/// The list, newest first.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    list: VecDeque<Stranger>,
}

impl Strangers {
    pub(crate) fn note(&mut self, mut stranger: Stranger) {
        self.forget(stranger.at);
        let same = self.list.iter().position(|known| {
            known.address == stranger.address
                && known.asked_for == stranger.asked_for
                && known.certificate == stranger.certificate
                && known.reason == stranger.reason
        });
        if let Some(known) = same.and_then(|place| self.list.remove(place)) {
            stranger.times = known.times.saturating_add(1);
        } else if self.list.iter().filter(|known| known.address == stranger.address).count() >= PER_ADDRESS
            && let Some(oldest) = self.list.iter().rposition(|known| known.address == stranger.address)
        {
            self.list.remove(oldest);
        }
        self.list.push_front(stranger);
        self.list.truncate(IN_ALL);
    }

    fn forget(&mut self, now: UnixMillis) {
        while self.list.back().is_some_and(|oldest| oldest.at.plus_millis(FORGOTTEN_AFTER_MS) < now) {
            self.list.pop_back();
        }
    }

    pub(crate) fn all(&mut self, now: UnixMillis) -> Vec<Stranger> {
        self.forget(now);
        self.list.iter().cloned().collect()
    }

    pub(crate) fn who_asked_for(&mut self, mac: MacAddr, now: UnixMillis) -> Vec<Stranger> {
        self.forget(now);
        self.list.iter().filter(|known| known.asked_for == Some(mac)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn stranger(address: u32, mac: u8, at: i64) -> Stranger {
        Stranger {
            address: IpAddr::V4(Ipv4Addr::from_bits(address)),
            asked_for: Some(MacAddr::new([0, 4, 0xf2, 0, 0, mac])),
            file: "x.cfg".to_owned(),
            certificate: CertificateStatus::NonePresented,
            reason: "it presented no certificate".to_owned(),
            times: 1,
            at: UnixMillis(at),
        }
    }

    #[test]
    fn the_same_stranger_is_counted_and_not_listed_again() {
        let mut strangers = Strangers::default();
        for at in 0..10 {
            strangers.note(stranger(1, 1, at));
        }
        let all = strangers.all(UnixMillis(10));
        assert_eq!((all.len(), all[0].times, all[0].at), (1, 10, UnixMillis(9)));
    }

    #[test]
    fn a_flood_from_one_address_pushes_nobody_else_out() {
        let mut strangers = Strangers::default();
        strangers.note(stranger(1, 1, 0));
        for mac in 0..=255 {
            strangers.note(stranger(2, mac, 1));
        }
        assert_eq!(strangers.all(UnixMillis(2)).len(), PER_ADDRESS + 1);
        assert_eq!(strangers.who_asked_for(MacAddr::new([0, 4, 0xf2, 0, 0, 1]), UnixMillis(2)).len(), 1);
    }

    #[test]
    fn the_list_is_bounded_and_forgets_after_a_day() {
        let mut strangers = Strangers::default();
        for address in 0..5000 {
            strangers.note(stranger(address, 1, 0));
        }
        assert_eq!(strangers.all(UnixMillis(1)).len(), IN_ALL);
        assert!(strangers.all(UnixMillis(FORGOTTEN_AFTER_MS + 1)).is_empty());
    }
}
