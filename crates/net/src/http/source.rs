//! What counts as one address where connections are counted.

use std::net::IpAddr;

/// What counts as one address: an IPv6 host has a whole /64 to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Source {
    V4([u8; 4]),
    V6Network(u64),
}

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self::V4(v4.octets()),
            IpAddr::V6(v6) => {
                let [network, _] = *v6.octets().as_chunks::<8>().0 else { return Self::V6Network(0) };
                Self::V6Network(u64::from_be_bytes(network))
            }
        }
    }
}
