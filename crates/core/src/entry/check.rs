//! The checks of single fields.

use super::{FieldError, FieldErrors, LineInput, SipServerInput};
use crate::facts::{Line, SipServer, SipTransport};
use crate::secret::Secret;
use crate::xml::is_xml_character;
use provost_catalog::Catalog;
use std::fmt;

/// Collects what is wrong while fields are read.
pub(super) struct Check<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) errors: Vec<FieldError>,
}

impl Check<'_> {
    pub(super) fn fault(&mut self, field: impl Into<String>, message: String) {
        self.errors.push(FieldError { field: field.into(), message });
    }

    pub(super) fn done<T>(self, value: Option<T>) -> Result<T, FieldErrors> {
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(FieldErrors(self.errors)),
        }
    }

    pub(super) fn parsed<T: std::str::FromStr<Err: fmt::Display>>(&mut self, field: &str, text: &str) -> Option<T> {
        text.parse().map_err(|error: T::Err| self.fault(field, error.to_string())).ok()
    }

    /// Text for people: not empty, no control characters, within a length.
    pub(super) fn text(&mut self, field: &str, text: &str, most: usize) -> Option<String> {
        let length = text.chars().count();
        if text.trim().is_empty() {
            self.fault(field, "is empty".to_owned());
        } else if length > most {
            self.fault(field, format!("has {length} characters; at most {most} are kept"));
        } else if let Some(bad) = text.chars().find(|c| !is_entry_character(*c)) {
            self.fault(field, format!("holds the control character U+{:04X}; leave it out", u32::from(bad)));
        } else {
            return Some(text.to_owned());
        }
        None
    }

    /// Whether every phone's parameter for `setting` can hold the text.
    pub(super) fn fits(&mut self, field: &str, setting: &str, text: &str) {
        let catalog = self.catalog;
        let refused = catalog.settings().filter(|s| s.id == setting).find_map(|s| s.encode(text).err());
        if let Some(error) = refused {
            self.fault(field, error.to_string());
        }
    }

    pub(super) fn dialable(&mut self, field: &str, text: &str, setting: &str) {
        let good = !text.is_empty()
            && text.len() <= 32
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'*' | b'#' | b'+' | b'_' | b'.' | b'-'));
        if good {
            self.fits(field, setting, text);
        } else {
            self.fault(
                field,
                format!("`{}` cannot be dialed; use 1 to 32 of digits, letters and * # + . _ -", shown(text)),
            );
        }
    }

    pub(super) fn language(&mut self, tag: Option<String>) -> Option<String> {
        if let Some(tag) = tag.as_ref().filter(|tag| !is_language_tag(tag)) {
            self.fault("language", format!("`{}` is no language tag; write en, de or de-AT", shown(tag)));
        }
        tag
    }

    pub(super) fn email(&mut self, email: &str) {
        let good = is_mail_address(email);
        if !good {
            self.fault("email", format!("`{}` is no mail address", shown(email)));
        }
    }

    pub(super) fn line(&mut self, place: usize, line: LineInput) -> Option<Line> {
        let field = |name: &str| format!("lines[{place}].{name}");
        let before = self.errors.len();
        let good = !line.user.is_empty() && line.user.chars().all(|c| is_entry_character(c) && !c.is_whitespace());
        if !good {
            self.fault(field("user"), format!("`{}` is no SIP user; write it without spaces", shown(&line.user)));
        } else {
            self.fits(&field("user"), "line.address", &line.user);
        }
        if let Some(auth_user) = &line.auth_user {
            self.credential(&field("auth-user"), "line.auth-user", auth_user);
        }
        if let Some(password) = &line.password {
            self.credential(&field("password"), "line.auth-password", password);
        }
        let password = line.password.map(Secret::new);
        (self.errors.len() == before).then_some(Line { user: line.user, auth_user: line.auth_user, password })
    }

    /// A name or password a phone must hold exactly. The value itself is not repeated in a message.
    pub(super) fn credential(&mut self, field: &str, setting: &str, value: &str) {
        if value.is_empty() {
            self.fault(field, "is empty; leave the field out instead".to_owned());
        } else if let Some(bad) = value.chars().find(|c| !is_entry_character(*c)) {
            self.fault(field, format!("holds the control character U+{:04X}; choose another", u32::from(bad)));
        } else {
            self.fits(field, setting, value);
        }
    }

    pub(super) fn sip_server(&mut self, place: usize, server: &SipServerInput) -> Option<SipServer> {
        let field = |name: &str| format!("sip-servers[{place}].{name}");
        let before = self.errors.len();
        if crate::public_url::PublicUrl::new(&server.host, 443).is_err() {
            self.fault(field("host"), format!("`{}` is no host name or IP address", shown(&server.host)));
        } else {
            self.fits(&field("host"), "line.server-address", &server.host);
        }
        let word = server.transport.as_deref().unwrap_or("udp");
        let transport = SipTransport::from_word(word);
        if transport.is_none() {
            self.fault(field("transport"), format!("`{}` is not udp, tcp, tls or dns", shown(word)));
        }
        let transport = transport.filter(|_| self.errors.len() == before)?;
        let usual = match transport {
            SipTransport::Udp | SipTransport::Tcp => 5060,
            SipTransport::Tls => 5061,
            SipTransport::Dns => 0,
        };
        let port = server.port.unwrap_or(usual);
        if port == 0 && transport != SipTransport::Dns {
            self.fault(field("port"), "is 0; leave it out for the usual one, or use the transport dns".to_owned());
        }
        Some(SipServer { host: server.host.clone(), port, transport })
    }

    pub(super) fn country(&mut self, given: Option<String>, zone: &str) -> Option<String> {
        let Some(code) = given else {
            return self.catalog.country_of_time_zone(zone).map(|country| country.code.clone());
        };
        if self.catalog.country(&code).is_none() {
            let known: Vec<_> = self.catalog.countries().map(|country| country.code.as_str()).collect();
            self.fault(
                "country",
                format!("`{}` has no dial plan in the catalog; it knows {}", shown(&code), known.join(" ")),
            );
        }
        Some(code)
    }

    pub(super) fn vlan(&mut self, vlan: u32) -> Option<u16> {
        match u16::try_from(vlan) {
            Ok(vlan @ 1..=4094) => Some(vlan),
            _ => {
                self.fault("vlan", format!("{vlan} is no VLAN; 1 to 4094"));
                None
            }
        }
    }
}

/// At most 40 characters of what came, for a message.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

/// No control characters: C0 and C1 controls and what XML cannot hold. Direction marks stay: names need them.
fn is_entry_character(c: char) -> bool {
    !c.is_control() && is_xml_character(c)
}

pub(super) fn is_language_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let primary =
        parts.next().is_some_and(|p| (2..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphabetic()));
    primary && parts.all(|p| (2..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Whether mail can be written to it, as far as that shows: one name, one domain, nothing that a header would read anew.
pub(crate) fn is_mail_address(text: &str) -> bool {
    text.len() <= 254
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && domain.contains('.') && !domain.contains('@') && !domain.ends_with('.')
        })
        && text.chars().all(|c| is_entry_character(c) && !c.is_whitespace() && !matches!(c, '<' | '>' | '"' | ','))
}
