//! What administrators enter, checked field by field before anything is stored.
//!
//! Decides what a name, number or password may be: XML and the phone's parameters must be able to hold
//! it exactly (docs/THREATS.md, rule 11); the limits are the catalog's. All fields at fault are
//! reported at once, each with what to do.

pub mod administrator;
pub mod change;
mod check;
pub mod connector;
pub mod emergency;
pub mod firmware;
pub mod guard;
pub mod mail;

use crate::facts::{Line, SipServer};
use crate::ids::{AccountId, SiteId, UserId};
use crate::mac::MacAddr;
use crate::time::UnixMillis;
use crate::time_zone::phone_clock;
use check::{Check, shown};
use provost_catalog::Catalog;
use serde::Deserialize;
use std::fmt;

/// One field and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field as the API names it (`lines[0].password`).
    pub field: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// Every field at fault of one entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct FieldErrors(pub Vec<FieldError>);

impl fmt::Display for FieldErrors {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<_> = self.0.iter().map(|error| format!("`{}` {}", error.field, error.message)).collect();
        out.write_str(&shown.join("; "))
    }
}

/// `POST /accounts`.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccountInput {
    /// The customer's name.
    pub name: String,
    /// The account it is below; by default none.
    pub parent: Option<String>,
}

/// An account after checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// Name.
    pub name: String,
    /// The account it is below.
    pub parent: Option<AccountId>,
}

/// One server of `POST /sites`.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SipServerInput {
    /// Name or address.
    pub host: String,
    /// Port; by default that of the transport.
    pub port: Option<u16>,
    /// `udp`, `tcp`, `tls` or `dns`; by default `udp`.
    pub transport: Option<String>,
}

/// `POST /sites`.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SiteInput {
    /// The account it belongs to.
    pub account: String,
    /// Its name.
    pub name: String,
    /// IANA time zone.
    pub time_zone: String,
    /// ISO 3166-1 code; by default that of the time zone.
    pub country: Option<String>,
    /// Language tag such as `en` or `de-AT`; kept, but phones are not told it yet.
    pub language: Option<String>,
    /// SIP servers, first choice first.
    #[serde(default)]
    pub sip_servers: Vec<SipServerInput>,
    /// Voice VLAN.
    pub vlan: Option<u32>,
    /// What Messages dials.
    pub voicemail: Option<String>,
    /// Street address for emergency services, with floor and room if the site has them.
    pub emergency_address: Option<String>,
}

/// One line of `POST /users`.
#[derive(Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LineInput {
    /// SIP user.
    pub user: String,
    /// Digest password.
    pub password: Option<String>,
    /// Digest name where it differs.
    pub auth_user: Option<String>,
}

/// `POST /users`.
#[derive(Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct UserInput {
    /// The site the person works at.
    pub site: String,
    /// Display name.
    pub name: String,
    /// Extension.
    pub extension: String,
    /// Mail address.
    pub email: Option<String>,
    /// Language tag such as `en` or `de-AT`, where it is not the site's; kept, but phones are not told it yet.
    pub language: Option<String>,
    /// SIP lines.
    #[serde(default)]
    pub lines: Vec<LineInput>,
}

/// `POST /devices`.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DeviceInput {
    /// The account that owns the device.
    pub account: String,
    /// The model's id in the catalog.
    pub model: String,
    /// For whom.
    pub user: Option<String>,
    /// The phone, if it is known beforehand.
    pub mac: Option<String>,
}

/// A site fit to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSite {
    /// Owner.
    pub account: AccountId,
    /// Name.
    pub name: String,
    /// IANA zone.
    pub time_zone: String,
    /// Country, given or of the zone.
    pub country: Option<String>,
    /// Language tag.
    pub language: Option<String>,
    /// Servers in order.
    pub sip_servers: Vec<SipServer>,
    /// Voice VLAN.
    pub vlan: Option<u16>,
    /// Voicemail number.
    pub voicemail: Option<String>,
    /// Street address for emergency services.
    pub emergency_address: Option<String>,
}

/// A user fit to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUser {
    /// Site.
    pub site: SiteId,
    /// Name.
    pub name: String,
    /// Extension.
    pub extension: String,
    /// Mail address.
    pub email: Option<String>,
    /// Language tag.
    pub language: Option<String>,
    /// Lines in order.
    pub lines: Vec<Line>,
}

/// A device fit to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDevice {
    /// Owner.
    pub account: AccountId,
    /// Model id, known to the catalog.
    pub model: String,
    /// For whom.
    pub user: Option<UserId>,
    /// Pre-assigned phone.
    pub mac: Option<MacAddr>,
}

impl AccountInput {
    /// # Errors
    /// [`FieldErrors`] names every field at fault.
    pub fn check(self, catalog: &Catalog) -> Result<NewAccount, FieldErrors> {
        let mut check = Check { catalog, errors: Vec::new() };
        let name = check.text("name", &self.name, 100);
        let parent = self.parent.as_deref().map(|text| check.parsed("parent", text));
        let new = match (name, parent) {
            (Some(name), None) => Some(NewAccount { name, parent: None }),
            (Some(name), Some(Some(parent))) => Some(NewAccount { name, parent: Some(parent) }),
            _ => None,
        };
        check.done(new)
    }
}

impl SiteInput {
    /// # Errors
    /// [`FieldErrors`] names every field at fault.
    pub fn check(self, catalog: &Catalog, now: UnixMillis) -> Result<NewSite, FieldErrors> {
        let mut check = Check { catalog, errors: Vec::new() };
        let account = check.parsed("account", &self.account);
        let name = check.text("name", &self.name, 100);
        if let Err(error) = phone_clock(&self.time_zone, now) {
            check.fault("time-zone", error.to_string());
        }
        let country = check.country(self.country, &self.time_zone);
        let language = check.language(self.language);
        let sip_servers: Vec<_> =
            self.sip_servers.iter().enumerate().filter_map(|(place, server)| check.sip_server(place, server)).collect();
        if sip_servers.len() > 4 {
            check.fault("sip-servers", format!("{} servers; a line holds at most 4", sip_servers.len()));
        }
        let vlan = self.vlan.and_then(|vlan| check.vlan(vlan));
        if let Some(voicemail) = &self.voicemail {
            check.dialable("voicemail", voicemail, "mwi.callback");
        }
        let voicemail = self.voicemail;
        let emergency_address = self.emergency_address;
        if let Some(address) = &emergency_address {
            check.text("emergency-address", address, 300);
        }
        let time_zone = self.time_zone;
        let site = account.zip(name).map(|(account, name)| NewSite {
            account,
            name,
            time_zone,
            country,
            language,
            sip_servers,
            vlan,
            voicemail,
            emergency_address,
        });
        check.done(site)
    }
}

impl UserInput {
    /// # Errors
    /// [`FieldErrors`] names every field at fault.
    pub fn check(self, catalog: &Catalog) -> Result<NewUser, FieldErrors> {
        let mut check = Check { catalog, errors: Vec::new() };
        let site = check.parsed("site", &self.site);
        let name = check.text("name", &self.name, 100);
        if name.is_some() {
            check.fits("name", "line.display-name", &self.name);
        }
        check.dialable("extension", &self.extension, "line.label");
        if let Some(email) = &self.email {
            check.email(email);
        }
        let language = check.language(self.language);
        let lines: Vec<_> =
            self.lines.into_iter().enumerate().filter_map(|(place, line)| check.line(place, line)).collect();
        let most = catalog.models().filter_map(|m| m.registrations.as_ref().map(|fact| fact.value)).max().unwrap_or(1);
        if u32::try_from(lines.len()).is_ok_and(|count| count > most) {
            check.fault("lines", format!("{} lines; the largest phone in the catalog holds {most}", lines.len()));
        }
        let (extension, email) = (self.extension, self.email);
        let user = site.zip(name).map(|(site, name)| NewUser { site, name, extension, email, language, lines });
        check.done(user)
    }
}

impl DeviceInput {
    /// # Errors
    /// [`FieldErrors`] names every field at fault.
    pub fn check(self, catalog: &Catalog) -> Result<NewDevice, FieldErrors> {
        let mut check = Check { catalog, errors: Vec::new() };
        let account = check.parsed("account", &self.account);
        if catalog.model(&self.model).is_none() {
            let known: Vec<_> = catalog.models().map(|model| model.id.as_str()).collect();
            check.fault(
                "model",
                format!("`{}` is not in the catalog; it knows {}", shown(&self.model), known.join(", ")),
            );
        }
        let user = self.user.and_then(|user| check.parsed("user", &user));
        let mac = self.mac.and_then(|mac| check.parsed::<MacAddr>("mac", &mac));
        if mac.is_some_and(MacAddr::is_zero) {
            check.fault("mac", "is all zeros, which names no phone; write the MAC from the phone's label".to_owned());
        }
        let model = self.model;
        check.done(account.map(|account| NewDevice { account, model, user, mac }))
    }
}

#[cfg(test)]
mod tests;
