//! How a phone comes into its VLAN.
//!
//! Decides which VLAN counts: what the switch announces, else what an option of DHCP says, else the one in flash.
//! A new one makes the phone ask DHCP again in there; a circle ends where it closes, which is our caution.
//! Rules: domain notes 5; words and option codes are the catalog's.

use std::fmt;

use provost_catalog::VlanDiscovery;

use crate::facts::NetworkFacts;
use crate::flash::Memory;
use crate::network::{Network, text};

/// The VLANs there can be (IEEE 802.1Q).
const IDS: std::ops::RangeInclusive<u16> = 1..=4094;

/// Who named a VLAN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VlanSource {
    /// The phone's own setting.
    Flash,
    /// The switch.
    Lldp,
    /// An option of DHCP.
    Option {
        /// Its code.
        code: u8,
    },
}

/// Where a phone ended.
#[derive(Debug, Clone)]
pub(crate) struct Settled<'a> {
    pub(crate) network: &'a Network,
    pub(crate) vlan: Option<u16>,
    /// The VLANs it came through, in order, the last one its own.
    pub(crate) steps: Vec<(u16, VlanSource)>,
    /// The VLAN it was sent to once more.
    pub(crate) again: Option<u16>,
}

/// `option 128 of DHCP`
impl fmt::Display for VlanSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flash => write!(out, "the phone's setting"),
            Self::Lldp => write!(out, "LLDP"),
            Self::Option { code } => write!(out, "option {code} of DHCP"),
        }
    }
}

/// Goes from VLAN to VLAN until nobody names another one.
pub(crate) fn settle<'a>(root: &'a Network, memory: &Memory, facts: &NetworkFacts) -> Settled<'a> {
    let mut at = Settled { network: root, vlan: None, steps: Vec::new(), again: None };
    let own = facts.vlan_id.as_ref().and_then(|name| memory.device.get(name));
    if let Some(id) = own.and_then(|text| number(text)) {
        at.enter((id, VlanSource::Flash), root);
    }
    while let Some((id, source)) = named(at.network, memory, facts) {
        if at.vlan == Some(id) {
            break;
        }
        if at.steps.iter().any(|(before, _)| *before == id) {
            at.again = Some(id);
            break;
        }
        at.enter((id, source), root);
    }
    at
}

impl<'a> Settled<'a> {
    fn enter(&mut self, (id, source): (u16, VlanSource), root: &'a Network) {
        static SILENT: Network = Network::silent();
        self.network = self.network.vlans.get(&id).or_else(|| root.vlans.get(&id)).unwrap_or(&SILENT);
        self.vlan = Some(id);
        self.steps.push((id, source));
    }
}

/// The VLAN the phone is sent to from here.
fn named(here: &Network, memory: &Memory, facts: &NetworkFacts) -> Option<(u16, VlanSource)> {
    let says = |name: &str| memory.device.get(name).map(String::as_str);
    let listens = facts.lldp.as_ref().and_then(|name| says(name)) != Some("0");
    let announced = here.lldp_vlan.filter(|id| listens && IDS.contains(id));
    if let Some(id) = announced {
        return Some((id, VlanSource::Lldp));
    }
    let rules = &facts.rules.vlan;
    let discovery = says(&rules.parameter.value).and_then(|word| rules.discovery(word));
    let codes: Vec<u8> = match discovery.unwrap_or(rules.factory.value) {
        VlanDiscovery::Disabled => Vec::new(),
        VlanDiscovery::Fixed => rules.options.value.iter().filter_map(|code| u8::try_from(*code).ok()).collect(),
        VlanDiscovery::Custom => {
            says(&rules.option_parameter.value).and_then(|code| code.trim().parse().ok()).into_iter().collect()
        }
    };
    let lease = here.dhcp.as_ref()?;
    codes.into_iter().find_map(|code| {
        let said = text(lease.options.get(&code)?)?;
        let id = said.strip_prefix(rules.prefix.value.as_str())?.split(';').next().and_then(number)?;
        Some((id, VlanSource::Option { code }))
    })
}

/// A VLAN in decimal, octal with `0` or hexadecimal with `0x`.
fn number(text: &str) -> Option<u16> {
    let text = text.trim();
    let (digits, radix) = match (text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")), text.strip_prefix('0')) {
        (Some(digits), _) => (digits, 16),
        (None, Some(digits)) if !digits.is_empty() => (digits, 8),
        _ => (text, 10),
    };
    let written = digits.chars().all(|digit| digit.is_digit(radix));
    u16::from_str_radix(digits, radix).ok().filter(|id| written && IDS.contains(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::network_facts;
    use crate::network::DhcpAnswer;
    use proptest::prelude::*;

    fn telling(code: u8, text: &str) -> Network {
        Network { dhcp: Some(DhcpAnswer::default().with(code, text)), ..Network::default() }
    }

    fn flash(pairs: &[(&str, &str)]) -> Memory {
        let device = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Memory { device, ..Memory::default() }
    }

    fn ended(root: &Network, memory: &Memory) -> (Option<u16>, Vec<(u16, VlanSource)>, Option<u16>) {
        let at = settle(root, memory, network_facts());
        (at.vlan, at.steps, at.again)
    }

    #[test]
    fn the_switch_comes_before_dhcp() {
        let mut root = Network { lldp_vlan: Some(20), ..telling(128, "VLAN-A=10;") };
        root.vlans.insert(20, Network::default());

        assert_eq!(ended(&root, &flash(&[])), (Some(20), vec![(20, VlanSource::Lldp)], None));
        let deaf = flash(&[("device.net.lldpEnabled", "0")]);
        let by_option = vec![(10, VlanSource::Option { code: 128 })];
        assert_eq!(ended(&root, &deaf), (Some(10), by_option, None));
    }

    #[test]
    fn the_fixed_options_count_in_their_order_and_a_custom_one_alone() {
        let answer = DhcpAnswer::default().with(191, "VLAN-A=9;").with(144, "VLAN-A=0x10;").with(130, "VLAN-A=011;");
        let root = Network { dhcp: Some(answer), ..Network::default() };
        let told = |word| flash(&[("device.dhcp.dhcpVlanDiscUseOpt", word), ("device.dhcp.dhcpVlanDiscOpt", "130")]);

        assert_eq!(ended(&root, &flash(&[])).1, [(16, VlanSource::Option { code: 144 })]);
        assert_eq!(ended(&root, &told("Fixed")).0, Some(16));
        assert_eq!(ended(&root, &told("Custom")).1, [(9, VlanSource::Option { code: 130 })]);
        assert_eq!(ended(&root, &told("Disabled")).0, None);
    }

    #[test]
    fn what_is_no_vlan_is_passed_over() {
        for text in ["VLAN-A=0;", "VLAN-A=4095;", "VLAN-A=x;", "VLAN-A=;", "VLAN-A=+5;", "10", "VLAN-A=08;"] {
            assert_eq!(ended(&telling(128, text), &flash(&[])).0, None, "{text}");
        }
    }

    #[test]
    fn dhcp_in_the_new_vlan_may_name_a_third() {
        let mut root = telling(128, "VLAN-A=10;");
        root.vlans.insert(10, telling(128, "VLAN-A=11;"));
        root.vlans.insert(11, telling(128, "VLAN-A=11;"));

        let (vlan, steps, again) = ended(&root, &flash(&[]));

        assert_eq!((vlan, steps.len(), again), (Some(11), 2, None));
    }

    #[test]
    fn a_circle_ends_where_it_closes() {
        let mut root = telling(128, "VLAN-A=10;");
        root.vlans.insert(10, telling(128, "VLAN-A=11;"));
        root.vlans.insert(11, telling(128, "VLAN-A=10;"));

        let (vlan, steps, again) = ended(&root, &flash(&[]));

        assert_eq!((vlan, steps.len(), again), (Some(11), 2, Some(10)));
    }

    #[test]
    fn nobody_answers_in_a_vlan_that_is_not_there() {
        let root = telling(66, "https://phones.example");

        let memory = flash(&[("device.net.vlanId", "77")]);
        let at = settle(&root, &memory, network_facts());

        assert_eq!((at.vlan, at.network), (Some(77), &Network::silent()));
    }

    proptest! {
        #[test]
        fn every_way_ends(ids in proptest::collection::vec(1_u16..6, 5)) {
            let mut root = telling(128, &format!("VLAN-A={};", ids[0]));
            for (at, id) in (1..).zip(&ids) {
                root.vlans.insert(at, telling(128, &format!("VLAN-A={id};")));
            }

            let (_, steps, _) = ended(&root, &flash(&[]));

            prop_assert!(steps.len() <= 5);
        }
    }
}
