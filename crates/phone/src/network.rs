//! What the network tells a phone: DHCP, INFORM, and the switch.
//!
//! Decides what the bytes of an option say; never which option a phone looks into. Sends nothing: whoever has a
//! real network asks it and hands the answers in, and a lab or a test writes them.
//! Rules: RFC 2132 (options 2, 4, 42 and 66); domain notes 5.

mod boot_server;
mod time;
mod vendor_class;
mod vlan;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

pub(crate) use boot_server::{Found, Told, find, kept_in_flash};
pub use boot_server::{FoundServer, ServerRule};
pub(crate) use time::{gmt_offset, time_server};
pub use vendor_class::VendorClass;
pub use vlan::VlanSource;
pub(crate) use vlan::{Settled, settle};

/// The network at the other end of a phone's cable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    /// What DHCP answers; nothing where nobody does.
    pub dhcp: Option<DhcpAnswer>,
    /// What is answered to INFORM; nothing where nobody does.
    pub inform: Option<DhcpAnswer>,
    /// The VLAN for phones that the switch announces by LLDP.
    pub lldp_vlan: Option<u16>,
    /// The VLANs there are. In one that is not listed nobody answers.
    pub vlans: BTreeMap<u16, Network>,
    /// The UDP port of time servers that are named without one, where it is not the usual one.
    pub time_port: Option<u16>,
}

/// The options of one answer, by code, as bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DhcpAnswer {
    /// The value of each option, without its code and length.
    pub options: BTreeMap<u8, Vec<u8>>,
}

impl Network {
    /// A cable that leads nowhere.
    pub const fn silent() -> Self {
        Self { dhcp: None, inform: None, lldp_vlan: None, vlans: BTreeMap::new(), time_port: None }
    }
}

impl DhcpAnswer {
    /// The same answer with one more option.
    #[must_use]
    pub fn with(mut self, code: u8, value: impl Into<Vec<u8>>) -> Self {
        self.options.insert(code, value.into());
        self
    }

    /// The addresses of an option that holds a list of them; none when its length is wrong.
    pub(crate) fn addresses(&self, code: u8) -> Vec<Ipv4Addr> {
        self.options.get(&code).map_or_else(Vec::new, |value| addresses(value))
    }

    /// An option that holds seconds, which may be negative.
    pub(crate) fn seconds(&self, code: u8) -> Option<i32> {
        let bytes: [u8; 4] = self.options.get(&code)?.as_slice().try_into().ok()?;
        Some(i32::from_be_bytes(bytes))
    }
}

/// Addresses of four bytes each; none when there is not a whole number of them.
fn addresses(value: &[u8]) -> Vec<Ipv4Addr> {
    let (whole, rest) = value.as_chunks::<4>();
    match rest {
        [] => whole.iter().map(|bytes| Ipv4Addr::from(*bytes)).collect(),
        _ => Vec::new(),
    }
}

/// The text of an option; some servers end it with a zero byte. Nothing when it is no text a phone could use.
fn text(value: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(value).ok()?.trim_end_matches('\0').trim();
    let usable = !text.is_empty() && !text.chars().any(char::is_control);
    usable.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_list_of_addresses_has_a_whole_number_of_them() {
        let answer = DhcpAnswer::default().with(42, [192, 0, 2, 1, 192, 0, 2, 2]).with(4, [192, 0, 2]);

        assert_eq!(answer.addresses(42), [Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2)]);
        assert!(answer.addresses(4).is_empty() && answer.addresses(3).is_empty());
    }

    #[test]
    fn an_offset_may_be_west_of_greenwich() {
        let answer = DhcpAnswer::default().with(2, (-18_000_i32).to_be_bytes());

        assert_eq!(answer.seconds(2), Some(-18_000));
        assert_eq!(DhcpAnswer::default().with(2, [1]).seconds(2), None);
    }

    #[test]
    fn a_text_loses_its_closing_zero_and_nothing_else() {
        assert_eq!(text(b"https://phones.example/a\0"), Some("https://phones.example/a"));
        for unusable in [&b""[..], b"\0", b"  ", b"a\nb", &[0xff, 0xfe]] {
            assert_eq!(text(unusable), None, "{unusable:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_of_an_option_break_anything(value: Vec<u8>) {
            let answer = DhcpAnswer::default().with(42, value.clone());

            let _ = (text(&value), answer.addresses(42), answer.seconds(42));
        }
    }
}
