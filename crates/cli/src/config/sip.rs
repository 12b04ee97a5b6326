//! `[sip]`: what calls need besides a listener.

use super::document::Document;
use super::problem::Refusal;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

/// `[sip]`: calls from phones that want to be activated; the listener itself is `listen.sip`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sip {
    /// `external-address`: the IP address phones reach this machine at, when a router translates it.
    ///
    /// It stands in what phones are told about a call; left out, it is the address the phone's packets came to.
    pub external_address: Option<IpAddr>,
    /// `rtp-ports`: `"first-last"`, the UDP ports of calls; a call takes one, and only even ones are used.
    pub rtp_ports: RangeInclusive<u16>,
    /// `voice-dir`: a folder with a language pack of your own; left out, callers hear English.
    pub voice_dir: Option<PathBuf>,
}

pub(super) fn read(document: &mut Document) -> Sip {
    Sip {
        external_address: document.parsed("sip", "external-address", external_address),
        rtp_ports: document.parsed("sip", "rtp-ports", rtp_ports).unwrap_or_else(default_rtp_ports),
        voice_dir: document.path("sip", "voice-dir"),
    }
}

/// Below the range from which Linux gives programs their ports, so that none of them is taken already.
/// 500 calls: more people than press *Activate* at once.
fn default_rtp_ports() -> RangeInclusive<u16> {
    16_384..=17_383
}

fn external_address(text: &str) -> Result<IpAddr, Refusal> {
    let refused = || Refusal::NotAnExternalAddress { found: text.to_owned() };
    let address: IpAddr = text.parse().map_err(|_| refused())?;
    if address.is_unspecified() { Err(refused()) } else { Ok(address) }
}

fn rtp_ports(text: &str) -> Result<RangeInclusive<u16>, Refusal> {
    let refused = || Refusal::NotPorts { found: text.to_owned() };
    let (first, last) = text.split_once('-').ok_or_else(refused)?;
    let port = |text: &str| super::listen::parse_port(text.trim()).filter(|port| *port > 0);
    let (Some(first), Some(last)) = (port(first), port(last)) else { return Err(refused()) };
    // One even port at the least, or no call could be taken.
    let has_even = last > first || (last == first && first.is_multiple_of(2));
    if has_even { Ok(first..=last) } else { Err(refused()) }
}
