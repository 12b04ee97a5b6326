//! A customer's PBX as Provost knows it: where it is, who is registered there, and which registration is whose phone.
//!
//! Decides from what a PBX said: how a phone is told from others with the same line, and where a connector may lead.
//! Never connects to anything: crate outbound does, crate app asks it to. The MAC in a User-Agent is the domain notes'
//! 1.4 (`sec.tagSerialNo`); all else here is ours.

mod address;
mod error;
#[cfg(test)]
mod tests;

pub use address::{Standing, standing};
pub use error::{PbxError, shown};

use crate::fingerprint::Fingerprint;
use crate::mac::MacAddr;
use crate::secret::Secret;
use crate::time::UnixMillis;
use std::fmt;
use std::str::FromStr;

/// What a connector speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PbxKind {
    /// Kamailio's JSON-RPC over HTTP.
    Kamailio,
    /// Asterisk's manager interface.
    Asterisk,
    /// FreeSWITCH's event socket.
    FreeSwitch,
}

impl PbxKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Kamailio, Self::Asterisk, Self::FreeSwitch];

    /// As the API writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kamailio => "kamailio",
            Self::Asterisk => "asterisk",
            Self::FreeSwitch => "freeswitch",
        }
    }

    /// As people write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kamailio => "Kamailio",
            Self::Asterisk => "Asterisk",
            Self::FreeSwitch => "FreeSWITCH",
        }
    }

    /// The port it usually listens at; Kamailio has none of its own for this.
    pub const fn usual_port(self, security: Security) -> Option<u16> {
        match (self, security) {
            (Self::Kamailio, _) => None,
            (Self::Asterisk, Security::Tls) => Some(5039),
            (Self::Asterisk, _) => Some(5038),
            (Self::FreeSwitch, _) => Some(8021),
        }
    }
}

impl FromStr for PbxKind {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(UnknownWord { known: "kamailio, asterisk, freeswitch" })
    }
}

/// How the connection is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Security {
    /// TLS; the certificate is checked.
    Tls,
    /// Plain, and only to loopback and private addresses.
    Plain,
    /// Plain over any network: told so explicitly.
    PlainAnywhere,
}

impl Security {
    const ALL: [Self; 3] = [Self::Tls, Self::Plain, Self::PlainAnywhere];

    /// As the API writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Plain => "plain",
            Self::PlainAnywhere => "plain-anywhere",
        }
    }
}

impl FromStr for Security {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .into_iter()
            .find(|word| word.as_str() == text)
            .ok_or(UnknownWord { known: "tls, plain, plain-anywhere" })
    }
}

/// A word that is none of those known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is none of {known}")]
pub struct UnknownWord {
    /// Those known.
    pub known: &'static str,
}

/// Whether a connector may lead to addresses of the inside: loopback, private, link-local and this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Public addresses only.
    Outside,
    /// Any: whoever runs the server said so.
    Inside,
}

/// Where a PBX is and how one speaks to it.
#[derive(Debug, Clone)]
pub struct PbxTarget {
    /// What it speaks.
    pub kind: PbxKind,
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How the connection is kept.
    pub security: Security,
    /// The one certificate that is taken, instead of what the system's authorities sign.
    pub certificate: Option<Fingerprint>,
    /// Where it may lead.
    pub reach: Reach,
    /// The name to sign in with.
    pub user: Option<String>,
    /// The password to sign in with.
    pub password: Option<Secret>,
    /// Kamailio: the path of the JSON-RPC.
    pub path: String,
    /// FreeSWITCH: the Sofia profile that phones register at.
    pub profile: String,
    /// The domain of the lines' addresses, where the PBX wants one.
    pub domain: Option<String>,
}

/// One contact that a PBX has for a line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Registration {
    /// The line, without a domain.
    pub line: String,
    /// Where it registered from, as a SIP URI.
    pub contact: String,
    /// What the phone calls itself.
    pub agent: Option<String>,
    /// The instance it named (RFC 5626).
    pub instance: Option<String>,
    /// When it ends unless the phone registers again.
    pub until: Option<UnixMillis>,
    /// What the PBX wants to hear to reach just this contact.
    pub way: Way,
}

/// How a PBX reaches one contact: what it said itself, and is told back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Way {
    /// The line as the PBX writes it, with its domain where it keeps one.
    pub address_of_record: String,
    /// Call-ID of the registration.
    pub call_id: Option<String>,
    /// Where the packets came from, if that is not the contact (Kamailio).
    pub received: Option<String>,
    /// Proxies between (RFC 3327).
    pub path: Option<String>,
    /// The PBX's own socket that the phone registered at (Kamailio).
    pub socket: Option<String>,
    /// Whether the driver is Asterisk's older one.
    pub is_chan_sip: bool,
}

/// What a PBX said when it was asked for everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// What it calls itself, as `Kamailio 5.6.3`.
    pub name: String,
    /// Everybody who is registered.
    pub registrations: Vec<Registration>,
    /// Whether it says who is in a call.
    pub calls: Calls,
}

/// Whether a PBX says who is in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Calls {
    /// It does; so many calls there are.
    Known(usize),
    /// It does not, and why.
    Unknown(String),
}

/// What became of a check-sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckSynced {
    /// It was not sent: the line is in a call.
    InCall,
    /// It was sent.
    Sent {
        /// What the PBX answered, in words.
        answer: String,
        /// What the phone answered, where the PBX says so.
        status: Option<u16>,
        /// Why it is not known whether the line was in a call, if it is not.
        calls_unknown: Option<String>,
    },
}

/// What `Event` of a NOTIFY tells the phone to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resync {
    /// `check-sync`: what the phone does is its own setting.
    AsSet,
    /// `check-sync;reboot=true`.
    Reboot,
    /// `check-sync;reboot=false`.
    NoReboot,
}

impl Resync {
    /// The value of the header field.
    pub const fn event(self) -> &'static str {
        match self {
            Self::AsSet => "check-sync",
            Self::Reboot => "check-sync;reboot=true",
            Self::NoReboot => "check-sync;reboot=false",
        }
    }
}

impl Registration {
    /// The MAC the phone names itself by: at the end of its User-Agent, or of its instance.
    ///
    /// Source: domain notes 1.4, `PolyEdge-Edge_E350-UA/8.3.1.0614_f04ea4691c59` and `(SN:0004f2000005)`; an instance
    /// that ends in the digits of a MAC is a UUID of version 1 (RFC 4122 4.1.6, RFC 5626 4.1).
    pub fn mac(&self) -> Option<MacAddr> {
        self.agent.as_deref().and_then(mac_of_agent).or_else(|| self.instance.as_deref().and_then(mac_of_instance))
    }

    /// One of a line that nothing can be sent to, to ask only whether the line is in a call: its address would end a
    /// header field and a command line, so whoever asks refuses to send before a word of it leaves.
    pub fn out_of_reach(line: &str) -> Self {
        let (contact, address_of_record) = ("\n".to_owned(), "\n".to_owned());
        let way = Way { address_of_record, ..Way::default() };
        Self { line: line.to_owned(), contact, way, ..Self::default() }
    }
}

fn mac_of_agent(agent: &str) -> Option<MacAddr> {
    let tagged = agent.split_once("(SN:").and_then(|(_, rest)| rest.split_once(')')).map(|(digits, _)| digits);
    let ends = agent.split_whitespace().filter_map(|word| word.rsplit_once('_')).map(|(_, end)| end);
    tagged.into_iter().chain(ends).find_map(hex12)
}

fn mac_of_instance(instance: &str) -> Option<MacAddr> {
    let text = instance.trim_matches(['<', '>', '"', ' ']);
    let uuid = text.strip_prefix("urn:uuid:").unwrap_or(text);
    hex12(uuid.rsplit_once('-')?.1)
}

fn hex12(digits: &str) -> Option<MacAddr> {
    MacAddr::from_hex12(&digits.to_ascii_lowercase())
}

/// The user of a SIP address: of `1001@example.com`, `sip:1001@example.com` and `1001` alike `1001`.
pub fn line_of(address: &str) -> &str {
    let text = address.trim().trim_start_matches('<');
    let text = text.strip_prefix("sips:").or_else(|| text.strip_prefix("sip:")).unwrap_or(text);
    let text = text.split_once('@').map_or(text, |(user, _)| user);
    text.split([';', '>']).next().unwrap_or(text)
}

/// The domain of a SIP address, without port and parameters.
pub fn domain_of(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once('@')?;
    rest.split([';', '>', ':']).next().filter(|domain| !domain.is_empty())
}

/// Whether text can stand in a header field, a command line and a URI without ending or changing them.
///
/// What a PBX said of a registration is told back to it, and it has that from phones.
pub fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.len() <= 512 && text.chars().all(|c| !c.is_control() && !c.is_whitespace())
}

/// Which registrations of a line are this phone's, as far as that can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose<'a> {
    /// Nobody is registered.
    Nobody,
    /// The phone, by its MAC or because no other has the line.
    This(&'a Registration),
    /// Others only: each names another phone.
    Others,
    /// Somebody, and of so many phones it is not known which.
    Unknown(&'a Registration, usize),
}

/// Decides which of a line's registrations is the phone's, when so many phones have the line.
///
/// One that names a MAC is that phone's and no other's. One that names none is the phone's only when no other has the
/// line.
pub fn whose<'a>(registrations: &[&'a Registration], phone: Option<MacAddr>, phones: usize) -> Whose<'a> {
    let named = registrations.iter().find(|one| phone.is_some() && one.mac() == phone);
    if let Some(one) = named {
        return Whose::This(one);
    }
    match registrations.iter().find(|one| one.mac().is_none()) {
        Some(one) if phones <= 1 => Whose::This(one),
        Some(one) => Whose::Unknown(one, phones),
        None if registrations.is_empty() => Whose::Nobody,
        None => Whose::Others,
    }
}

impl fmt::Display for PbxKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}
