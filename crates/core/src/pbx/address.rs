//! What an address is, seen from this server: public, or of the inside.
//!
//! A tenant may name any PBX; the inside network of whoever runs the server is not theirs to knock at
//! (docs/THREATS.md, rule 20). Ranges: IANA's special-purpose registries (RFC 6890 and its updates).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Anybody's.
    Public,
    /// This machine.
    Loopback,
    /// A private network.
    Private,
    /// The network at hand, where clouds keep secrets of their machines.
    LinkLocal,
    /// No single machine's, or reserved.
    Special,
    /// An address of this machine.
    Own,
}

impl Standing {
    /// Whether a password may go there in clear: neither leaves what its owner answers for.
    pub const fn is_near(self) -> bool {
        matches!(self, Self::Loopback | Self::Private | Self::Own)
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Public => "a public address",
            Self::Loopback | Self::Own => "this machine",
            Self::Private => "a private address",
            Self::LinkLocal => "a link-local address",
            Self::Special => "no address of a single machine",
        })
    }
}

/// What an address is, as far as its digits say.
pub fn standing(address: IpAddr) -> Standing {
    match address.to_canonical() {
        IpAddr::V4(address) => of_v4(address),
        IpAddr::V6(address) => of_v6(address),
    }
}

fn of_v4(address: Ipv4Addr) -> Standing {
    match address.octets() {
        [127, ..] => Standing::Loopback,
        [10, ..] | [192, 168, ..] => Standing::Private,
        [172, second, ..] if (16..=31).contains(&second) => Standing::Private,
        // Carrier-grade NAT, RFC 6598.
        [100, second, ..] if (64..=127).contains(&second) => Standing::Private,
        [169, 254, ..] => Standing::LinkLocal,
        [0, ..] | [192, 0, 0, _] | [198, 18 | 19, ..] | [224..=255, ..] => Standing::Special,
        _ => Standing::Public,
    }
}

fn of_v6(address: Ipv6Addr) -> Standing {
    if address.is_loopback() {
        return Standing::Loopback;
    }
    // Those that carry an IPv4 address lead where it does: 6to4 (RFC 3056), NAT64 (RFC 6052).
    match address.segments() {
        [0xfc00..=0xfdff, ..] => Standing::Private,
        [0xfe80..=0xfebf, ..] => Standing::LinkLocal,
        [0x2002, high, low, ..] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => of_v4(v4(high, low)),
        [0x2001, 0, ..] | [0, ..] | [0xfec0..=0xffff, ..] | [0x64, 0xff9b, ..] => Standing::Special,
        _ => Standing::Public,
    }
}

fn v4(high: u16, low: u16) -> Ipv4Addr {
    let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
    Ipv4Addr::new(a, b, c, d)
}
