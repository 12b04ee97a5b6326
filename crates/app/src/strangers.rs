//! Those who asked without proving to be a phone.

use crate::sightings::{Sighting, Sightings};
use provost_core::identity::{CertificateStatus, Transport};
use provost_core::mac::MacAddr;
use provost_core::sentence::{self, Entry};
use provost_core::time::UnixMillis;
use std::net::IpAddr;

/// Somebody who asked and proved nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// From where.
    pub address: IpAddr,
    /// How.
    pub transport: Transport,
    /// The MAC in the name asked for.
    pub asked_for: Option<MacAddr>,
    /// The last file asked for, made printable.
    pub file: String,
    /// Certificate status.
    pub certificate: CertificateStatus,
    /// What came of it.
    pub treated: Treated,
    /// Why.
    pub reason: String,
    /// How often.
    pub times: u64,
    /// The last time.
    pub at: UnixMillis,
}

/// What came of a stranger's request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treated {
    /// Got nothing: proved nothing.
    Refused,
    /// Got nothing: an administrator blocked the certificate.
    Blocked,
    /// Got the plain-HTTP bootstrap that an administrator opened.
    ReadHttpBootstrap,
    /// Called an emergency number and was told that the phone is not in service, or sent on.
    CalledForHelp,
}

impl Stranger {
    /// What a timeline says about it.
    pub fn entry(&self) -> Entry {
        match self.treated {
            Treated::Refused => sentence::stranger(&self.file, self.address, self.certificate, &self.reason),
            Treated::Blocked => sentence::blocked(&self.file, self.address, &self.reason),
            Treated::CalledForHelp => sentence::called_for_help(&self.file, self.address),
            Treated::ReadHttpBootstrap => sentence::read_http_bootstrap(&self.file, self.address),
        }
    }
}

impl Sighting for Stranger {
    fn address(&self) -> IpAddr {
        self.address
    }

    fn at(&self) -> UnixMillis {
        self.at
    }

    fn is_again(&self, earlier: &Self) -> bool {
        let essence = |one: &Self| (one.address, one.transport, one.asked_for, one.certificate, one.treated);
        essence(self) == essence(earlier) && self.reason == earlier.reason
    }

    fn count_on(&mut self, earlier: &Self) {
        self.times = earlier.times.saturating_add(1);
    }
}

/// The strangers of the last day.
pub(crate) type Strangers = Sightings<Stranger>;

impl Strangers {
    pub(crate) fn who_asked_for(&mut self, mac: MacAddr, now: UnixMillis) -> Vec<Stranger> {
        self.only(now, |known| known.asked_for == Some(mac))
    }

    /// The one MAC that was asked for over plain HTTP from this address, if it was one.
    pub(crate) fn plain_mac_at(&mut self, address: IpAddr, now: UnixMillis) -> Option<MacAddr> {
        let here = self.only(now, |known| known.address == address && known.transport == Transport::Plain);
        let mut macs: Vec<_> = here.into_iter().filter_map(|known| known.asked_for).collect();
        macs.sort_unstable();
        macs.dedup();
        match macs.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sightings::{FORGOTTEN_AFTER_MS, IN_ALL, PER_ADDRESS};
    use std::net::Ipv4Addr;

    fn stranger(address: u32, mac: u8, at: i64) -> Stranger {
        Stranger {
            address: IpAddr::V4(Ipv4Addr::from_bits(address)),
            transport: Transport::Tls,
            asked_for: Some(MacAddr::new([0, 4, 0xf2, 0, 0, mac])),
            file: "x.cfg".to_owned(),
            certificate: CertificateStatus::NonePresented,
            treated: Treated::Refused,
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
