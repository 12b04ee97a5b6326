//! Ranges of addresses: what an administrator opens something for, and what counts as one network.
//!
//! Decides how a range is written (`10.1.0.0/16`) and what is in it. Never resolves a name.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// All addresses that share their first bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AddressRange {
    first: IpAddr,
    prefix: u8,
}

/// Text that is no range to open something for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressRangeError {
    /// Not `ADDRESS/BITS`.
    #[error("`{found}` is no range of addresses; write it as 10.1.0.0/16")]
    Form {
        /// The text.
        found: String,
    },
    /// The address is not the first of the range.
    #[error("`{found}` does not begin with its first address; write {meant}")]
    NotFirst {
        /// The text.
        found: String,
        /// The range it lies in.
        meant: AddressRange,
    },
    /// More addresses than anybody can answer for.
    #[error("`{found}` is too wide: the widest is a /{widest}")]
    TooWide {
        /// The text.
        found: String,
        /// The fewest bits that may be fixed.
        widest: u8,
    },
}

/// The widest range of IPv4: one of the private networks.
const WIDEST_V4: u8 = 8;
/// The widest range of IPv6: what a registry gives to one provider.
const WIDEST_V6: u8 = 32;

impl AddressRange {
    /// The network an address lies in: a /24 of IPv4, a /48 of IPv6, which is one site each.
    pub fn network_of(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let prefix = if address.is_ipv4() { 24 } else { 48 };
        Self { first: masked(address, prefix), prefix }
    }

    /// Whether the address is in it; an IPv4 address that came in on an IPv6 socket is one of IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.first.is_ipv4() == address.is_ipv4() && masked(address, self.prefix) == self.first
    }

    /// How many bits all its addresses share: the more, the narrower.
    pub const fn bits(&self) -> u8 {
        self.prefix
    }

    /// Whether it is a range of IPv4.
    pub const fn is_ipv4(&self) -> bool {
        self.first.is_ipv4()
    }
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32u32.saturating_sub(prefix.into())).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128u32.saturating_sub(prefix.into())).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
        }
    }
}

impl FromStr for AddressRange {
    type Err = AddressRangeError;

    fn from_str(text: &str) -> Result<Self, AddressRangeError> {
        let found = || text.chars().take(60).collect::<String>();
        let form = || AddressRangeError::Form { found: found() };
        let (address, bits) = text.trim().split_once('/').ok_or_else(form)?;
        let address: IpAddr = address.parse().map_err(|_| form())?;
        if bits.is_empty() || !bits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(form());
        }
        let prefix: u8 = bits.parse().map_err(|_| form())?;
        let (widest, narrowest) = if address.is_ipv4() { (WIDEST_V4, 32) } else { (WIDEST_V6, 128) };
        if prefix > narrowest {
            return Err(form());
        }
        if prefix < widest {
            return Err(AddressRangeError::TooWide { found: found(), widest });
        }
        let meant = Self { first: masked(address, prefix), prefix };
        if meant.first == address { Ok(meant) } else { Err(AddressRangeError::NotFirst { found: found(), meant }) }
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.first, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> AddressRange {
        text.parse().unwrap()
    }

    #[test]
    fn a_range_holds_what_shares_its_first_bits_and_nothing_else() {
        for (text, inside, outside) in [
            ("10.1.0.0/16", "10.1.255.255", "10.2.0.0"),
            ("192.0.2.7/32", "192.0.2.7", "192.0.2.8"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
            ("10.0.0.0/8", "10.9.9.9", "2001:db8::1"),
            ("10.1.0.0/16", "::ffff:10.1.2.7", "::ffff:10.2.0.0"),
        ] {
            assert_eq!(range(text).to_string(), text);
            assert!(range(text).contains(inside.parse().unwrap()), "{inside} in {text}");
            assert!(!range(text).contains(outside.parse().unwrap()), "{outside} in {text}");
        }
    }

    #[test]
    fn what_is_no_range_is_refused_in_words() {
        for (text, part) in [
            ("10.1.0.0", "10.1.0.0/16"),
            ("10.1.0.0/+16", "10.1.0.0/16"),
            ("10.1.0.0/33", "10.1.0.0/16"),
            ("phones/8", "10.1.0.0/16"),
            ("10.1.2.3/16", "write 10.1.0.0/16"),
            ("0.0.0.0/0", "widest is a /8"),
            ("::/0", "widest is a /32"),
        ] {
            assert!(text.parse::<AddressRange>().unwrap_err().to_string().contains(part), "{text}");
        }
    }

    #[test]
    fn a_site_is_one_network() {
        let network = |text: &str| AddressRange::network_of(text.parse().unwrap());
        assert_eq!(network("10.1.2.3"), network("10.1.2.200"));
        assert_ne!(network("10.1.2.3"), network("10.1.3.3"));
        assert_eq!(network("::ffff:10.1.2.3").to_string(), "10.1.2.0/24");
        assert_eq!(network("2001:db8:1:2::3").to_string(), "2001:db8:1::/48");
    }
}
