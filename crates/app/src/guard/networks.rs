//! One certificate in two networks: a phone moves, a copied key comes and goes.

use super::Guard;
use crate::alarms::AlarmKind;
use crate::{App, locked};
use provost_core::address_range::AddressRange;
use provost_core::mac::MacAddr;
use provost_core::sentence;
use provost_core::time::UnixMillis;
use std::collections::HashMap;
use std::net::IpAddr;

/// Where each certificate is, and which networks it left within a day.
///
/// IPv4 and IPv6 are looked at apart: a phone with both may use them by turns where it stands.
#[derive(Debug, Default)]
pub(super) struct Networks {
    leaves: HashMap<([u8; 32], bool), Whereabouts>,
}

#[derive(Debug)]
struct Whereabouts {
    here: AddressRange,
    last: UnixMillis,
    left: Vec<(AddressRange, UnixMillis)>,
    told: Option<UnixMillis>,
}

const WITHIN_MS: i64 = 24 * 3_600_000;
/// Only proven phones come in here, so this is far above any fleet.
const MOST_LEAVES: usize = 200_000;
/// Networks remembered per certificate.
const MOST_LEFT: usize = 8;
/// A key that is used by turns for each file would else cost a disk sync for each.
const TOLD_EVERY_MS: i64 = 60_000;

impl Networks {
    /// The network it came back to and the one it was in between, if it did within a day.
    fn came_back(&mut self, leaf: [u8; 32], address: IpAddr, now: UnixMillis) -> Option<(AddressRange, AddressRange)> {
        let network = AddressRange::network_of(address);
        let oldest = now.plus_millis(-WITHIN_MS);
        if self.leaves.len() >= MOST_LEAVES {
            self.leaves.retain(|_, known| known.last >= oldest);
        }
        let fresh = Whereabouts { here: network, last: now, left: Vec::new(), told: None };
        let known = self.leaves.entry((leaf, network.is_ipv4())).or_insert(fresh);
        let before = (known.here, known.last);
        known.last = now;
        if before.0 == network {
            return None;
        }
        known.here = network;
        known.left.retain(|(left, at)| *at >= oldest && *left != before.0);
        let is_back = known.left.iter().any(|(left, _)| *left == network);
        known.left.push(before);
        if known.left.len() > MOST_LEFT {
            known.left.remove(0);
        }
        let is_new = known.told.is_none_or(|at| at.plus_millis(TOLD_EVERY_MS) <= now);
        if !is_back || !is_new {
            return None;
        }
        known.told = Some(now);
        Some((network, before.0))
    }
}

impl Guard {
    fn came_back(&self, leaf: [u8; 32], address: IpAddr, now: UnixMillis) -> Option<(AddressRange, AddressRange)> {
        locked(&self.networks).came_back(leaf, address, now)
    }
}

impl App {
    /// Notices a certificate that is in use in two networks.
    pub(crate) async fn watch_networks(&self, mac: MacAddr, leaf: Option<[u8; 32]>, address: IpAddr, now: UnixMillis) {
        let Some(leaf) = leaf else { return };
        let Some((here, there)) = self.guard.came_back(leaf, address, now) else { return };
        let entry = sentence::in_two_networks(here, there);
        Box::pin(self.raise_about(AlarmKind::CertificateInTwoNetworks, &mac.to_string(), &entry)).await;
        self.recorder.tell(mac, now, entry, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    /// At which of these contacts, as (hour, address), somebody is told.
    fn told(contacts: &[(i64, &str)]) -> Vec<bool> {
        let mut networks = Networks::default();
        let contact = |(hour, address): &(i64, &str)| {
            networks.came_back([7; 32], address.parse().unwrap(), UnixMillis(hour * HOUR)).is_some()
        };
        contacts.iter().map(contact).collect()
    }

    #[test]
    fn a_phone_that_moves_is_no_alarm_and_one_that_comes_back_within_a_day_is() {
        assert_eq!(told(&[(0, "10.0.1.1"), (1, "10.0.1.9"), (2, "10.0.2.1"), (3, "10.0.2.1")]), [false; 4]);
        assert_eq!(told(&[(0, "10.0.1.1"), (1, "10.0.2.1"), (2, "10.0.1.1")]), [false, false, true]);
        assert_eq!(told(&[(0, "10.0.1.1"), (30, "10.0.2.1"), (55, "10.0.1.1")]), [false; 3], "carried to and fro");
        assert_eq!(
            told(&[(0, "10.0.1.1"), (1, "10.0.2.1"), (2, "10.0.3.1"), (3, "10.0.1.1")]),
            [false, false, false, true]
        );
    }

    #[test]
    fn a_phone_with_two_kinds_of_addresses_is_in_one_place() {
        assert_eq!(told(&[(0, "10.0.1.1"), (1, "2001:db8::1"), (2, "10.0.1.1"), (3, "2001:db8::1")]), [false; 4]);
    }
}
