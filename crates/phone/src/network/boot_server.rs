//! How a phone finds its boot server.
//!
//! Decides which rule counts: its own Boot Server setting says which options of DHCP it reads, and the name in its
//! flash stands behind them. Never resolves or connects.
//! Rules: domain notes 5 and 10a; the words and numbers are the catalog's.

use std::fmt;

use provost_catalog::{BootServerChoice, Version};

use crate::address::{BootServer, scheme};
use crate::facts::{NetworkFacts, Place};
use crate::flash::Memory;
use crate::network::{DhcpAnswer, Network, addresses, text};

/// The option every DHCP server knows for a boot server (RFC 2132, 9.4).
const OPTION_66: u8 = 66;
/// The codes a custom option may have.
const CUSTOM_CODES: std::ops::RangeInclusive<u8> = 128..=254;

/// Which rule gave a phone its boot server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServerRule {
    /// Somebody typed it in; no network was asked.
    Typed,
    /// The phone's setting says Static: the name in its flash, and no option is read.
    Static,
    /// An option of the DHCP answer.
    Option {
        /// Its code.
        code: u8,
    },
    /// No option came, so the name in its flash.
    Flash,
    /// An option of the answer to INFORM.
    Informed {
        /// Its code.
        code: u8,
    },
    /// A person took the update that waited, so the name in its flash for this start.
    UpdateTaken,
    /// Nothing names one.
    Nothing,
}

/// Where a phone will ask, and why there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundServer {
    /// The rule.
    pub rule: ServerRule,
    /// The address, without any credentials; nothing when there is none, or none that this phone can use.
    pub address: Option<String>,
    /// What was looked into and could not be used, in words.
    pub passed_over: Vec<String>,
}

/// What the phone goes by from here on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) rule: ServerRule,
    /// The server, or why it cannot be asked; nothing where nothing names one.
    pub(crate) server: Option<Result<BootServer, String>>,
    pub(crate) passed_over: Vec<String>,
}

/// What a phone knows by itself when it looks.
#[derive(Clone, Copy)]
pub(crate) struct Told<'a> {
    pub(crate) memory: &'a Memory,
    pub(crate) place: &'a Place,
    pub(crate) facts: &'a NetworkFacts,
    pub(crate) firmware: &'a Version,
}

impl ServerRule {
    /// The option that decided; phones hide their Boot Server setting then.
    pub const fn option(self) -> Option<u8> {
        match self {
            Self::Option { code } | Self::Informed { code } => Some(code),
            _ => None,
        }
    }
}

/// `option 160 of DHCP`
impl fmt::Display for ServerRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Typed => write!(out, "typed in"),
            Self::Static => write!(out, "the phone's setting says Static, so the name in its flash"),
            Self::Option { code } => write!(out, "option {code} of DHCP"),
            Self::Flash => write!(out, "no option of DHCP names one, so the name in the phone's flash"),
            Self::Informed { code } => write!(out, "option {code} of the answer to INFORM"),
            Self::UpdateTaken => write!(out, "somebody took the update, so the name in the phone's flash"),
            Self::Nothing => write!(out, "neither DHCP nor the phone's flash names one"),
        }
    }
}

/// `https://phones.example/ (option 160 of DHCP)`
impl fmt::Display for FoundServer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Some(address) => write!(out, "{address} ({})", self.rule)?,
            None => write!(out, "none ({})", self.rule)?,
        }
        self.passed_over.iter().try_for_each(|reason| write!(out, "; {reason}"))
    }
}

impl Found {
    /// What is shown of it.
    pub(crate) fn shown(&self) -> FoundServer {
        let usable = self.server.as_ref().and_then(|server| server.as_ref().ok());
        let unusable = self.server.as_ref().and_then(|server| server.as_ref().err());
        FoundServer {
            rule: self.rule,
            address: usable.map(ToString::to_string),
            passed_over: self.passed_over.iter().chain(unusable).cloned().collect(),
        }
    }
}

/// Finds the boot server in `here`, the network or VLAN the phone ended in.
pub(crate) fn find(told: Told<'_>, here: &Network) -> Found {
    let choice = told.choice();
    let name = |rule| told.name_in_flash().map(|name| (rule, told.usable(&name)));
    if choice == BootServerChoice::Static {
        return found(name(ServerRule::Static), Vec::new());
    }
    // A phone with an address of its own asks nobody for options.
    let (lease, inform) = match told.says(&told.facts.rules.dhcp_parameter.value) == Some("0") {
        true => (None, None),
        false => (here.dhcp.as_ref(), here.inform.as_ref()),
    };
    let mut passed_over = Vec::new();
    let mut option = |answer: Option<&DhcpAnswer>| {
        let (code, address) = told.option(choice, answer?, &mut passed_over)?;
        Some((code, told.usable(&address)))
    };
    let leased = option(lease).map(|(code, server)| (ServerRule::Option { code }, server));
    let flash_first = *told.firmware >= told.facts.rules.inform_last_from.value;
    let named = match leased {
        Some(leased) => Some(leased),
        None if flash_first && told.name_in_flash().is_some() => name(ServerRule::Flash),
        None => {
            let informed = option(inform).map(|(code, server)| (ServerRule::Informed { code }, server));
            informed.or_else(|| name(ServerRule::Flash))
        }
    };
    found(named, passed_over)
}

/// The server whose name stands in the flash, whatever the setting says.
pub(crate) fn kept_in_flash(told: Told<'_>) -> Option<Result<BootServer, String>> {
    told.name_in_flash().map(|name| told.usable(&name))
}

fn found(named: Option<(ServerRule, Result<BootServer, String>)>, passed_over: Vec<String>) -> Found {
    match named {
        Some((rule, server)) => Found { rule, server: Some(server), passed_over },
        None => Found { rule: ServerRule::Nothing, server: None, passed_over },
    }
}

impl Told<'_> {
    fn says(&self, parameter: &str) -> Option<&str> {
        self.memory.device.get(parameter).map(String::as_str)
    }

    fn choice(&self) -> BootServerChoice {
        let rules = &self.facts.rules;
        let word = self.place.boot_server.as_ref().and_then(|parameter| self.says(parameter));
        word.and_then(|word| rules.boot_server_choice(word)).unwrap_or(rules.factory_boot_server.value)
    }

    fn name_in_flash(&self) -> Option<String> {
        let name = self.place.server_name.as_ref().and_then(|parameter| self.says(parameter))?.trim();
        (!name.is_empty() && name != self.facts.rules.no_server.value).then(|| name.to_owned())
    }

    /// The custom option's code: what the phone was told, else what its base profile uses.
    fn custom_code(&self) -> u8 {
        let rules = &self.facts.rules;
        let profile = self.says(&rules.base_profile_parameter.value).unwrap_or_default();
        let other = rules.base_profiles.value.iter().any(|known| known.eq_ignore_ascii_case(profile));
        let usual = if other { rules.custom_option_of_profiles.value } else { rules.custom_option.value };
        let told = self.says(&rules.custom_option_parameter.value).and_then(|code| code.trim().parse().ok());
        let usable = told.filter(|code| CUSTOM_CODES.contains(code));
        usable.or_else(|| u8::try_from(usual).ok()).unwrap_or(*CUSTOM_CODES.start())
    }

    /// The first option the setting allows that is there and usable, as code and address.
    fn option(&self, choice: BootServerChoice, answer: &DhcpAnswer, passed: &mut Vec<String>) -> Option<(u8, String)> {
        let custom = self.custom_code();
        let codes = match choice {
            BootServerChoice::Option66 => vec![OPTION_66],
            BootServerChoice::Custom => vec![custom],
            BootServerChoice::CustomAnd66 => vec![custom, OPTION_66],
            BootServerChoice::Static => Vec::new(),
        };
        let kind = self.says(&self.facts.rules.option_type_parameter.value).unwrap_or_default();
        let is_address = self.facts.rules.option_type_address.value.iter().any(|word| word.eq_ignore_ascii_case(kind));
        for code in codes {
            let Some(value) = answer.options.get(&code) else { continue };
            let read = match is_address && code != OPTION_66 {
                true => addresses(value).first().map(ToString::to_string).ok_or("IP address"),
                false => text(value).map(str::to_owned).ok_or("text"),
            };
            match read {
                Ok(address) => return Some((code, address)),
                Err(expected) => {
                    passed.push(format!("option {code} holds {} bytes that are no {expected}", value.len()))
                }
            }
        }
        None
    }

    /// The server behind an address, by the server type where it names no scheme.
    fn usable(&self, address: &str) -> Result<BootServer, String> {
        let scheme = scheme(self.memory, self.place, &self.facts.rules.server_types.value);
        let scheme = scheme.unwrap_or_else(|| self.facts.rules.factory_server_type.value.clone());
        BootServer::parse(address, &scheme).map_err(|refused| match address.contains("://") {
            true => refused.to_string(),
            false => format!(
                "`{address}` would be asked by {}, which this virtual phone does not speak; \
                 name the server with https:// or http://",
                scheme.to_uppercase()
            ),
        })
    }
}

#[cfg(test)]
mod tests;
