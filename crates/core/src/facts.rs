//! What a configuration is made from, as the store remembers it.
//!
//! Values only; the rules that use them are in [`crate::render`] and [`crate::file_plan`].

use crate::ids::DeviceId;
use crate::layers::LayerEntries;
use crate::secret::Secret;
use crate::sentence::WhyNoLine;

/// One SIP account of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The user part of the address of record, or all of it.
    pub user: String,
    /// The name for digest authentication, where it differs.
    pub auth_user: Option<String>,
    /// The digest password; without one the line registers unauthenticated.
    pub password: Option<Secret>,
}

/// How SIP reaches a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SipTransport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
    /// As DNS says (NAPTR, RFC 3263).
    Dns,
}

impl SipTransport {
    /// The words of the API, which the catalog maps to the maker's.
    pub const WORDS: [(&'static str, Self); 4] =
        [("udp", Self::Udp), ("tcp", Self::Tcp), ("tls", Self::Tls), ("dns", Self::Dns)];

    /// The word of this transport.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Dns => "dns",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS.into_iter().find(|(known, _)| *known == word).map(|(_, transport)| transport)
    }
}

/// One server of a site's ordered list: the first is used while it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SipServer {
    /// Name or address.
    pub host: String,
    /// Port; 0 lets DNS decide.
    pub port: u16,
    /// How it is reached.
    pub transport: SipTransport,
}

/// A location: what its phones have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteFacts {
    /// The name administrators gave it.
    pub name: String,
    /// IANA time zone.
    pub time_zone: String,
    /// ISO 3166-1 country code in upper case; `None` leaves dial plan and tones as the maker set them.
    pub country: Option<String>,
    /// SIP servers, first choice first.
    pub sip_servers: Vec<SipServer>,
    /// VLAN id for voice, 1 to 4094.
    pub vlan: Option<u16>,
    /// The number that a press on Messages calls.
    pub voicemail: Option<String>,
}

/// The person a device is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFacts {
    /// Display name.
    pub name: String,
    /// Extension.
    pub extension: String,
    /// SIP lines in the order of the phone's line keys.
    pub lines: Vec<Line>,
}

/// Somebody to be found in the phone's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Display name.
    pub name: String,
    /// What the phone dials.
    pub extension: String,
}

/// The phone's own two passwords.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhonePasswords {
    /// For the Advanced menu and the web GUI as administrator.
    pub admin: Secret,
    /// For the web GUI as user.
    pub user: Secret,
}

/// Whether the phone is told to come back to this server for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pin {
    /// Not decided: the phone has not asked for its configuration since it was claimed.
    Undecided,
    /// It reached us at `public-url` and is told to stay there.
    Pinned {
        /// Host, with a port unless 443, as the phone's server address.
        authority: String,
    },
    /// It came in at another address, which is left as it is.
    LeftAlone {
        /// The address it came in at, as its Host header said; empty when it said none.
        came_in_at: String,
    },
}

/// A device with its phone: all that its configuration is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundDevice {
    /// The device.
    pub device: DeviceId,
    /// Its model's id in the catalog.
    pub model: String,
    /// For whom; `None` once the user was taken away: then there is no line.
    pub user: Option<UserFacts>,
    /// Where; `None` without a user.
    pub site: Option<SiteFacts>,
    /// The phone's own passwords, stored before they are first served; `None` while there is no phone.
    pub passwords: Option<PhonePasswords>,
    /// Where the phone will ask next time.
    pub pin: Pin,
    /// The directory: the other people of the site.
    pub contacts: Vec<Contact>,
    /// The layers it is in, those first that others win over.
    pub layers: Vec<LayerEntries>,
}

impl BoundDevice {
    /// Why this device's configuration holds no line; `None` when it holds one.
    pub fn why_no_line(&self) -> Option<WhyNoLine> {
        match (&self.user, &self.site) {
            (None, _) => Some(WhyNoLine::NoUser),
            (Some(user), _) if user.lines.is_empty() => Some(WhyNoLine::NoLine),
            (Some(_), Some(site)) if !site.sip_servers.is_empty() => None,
            (Some(_), _) => Some(WhyNoLine::NoServer),
        }
    }
}
