//! Connectors to customers' PBXs, and what is sent through them, as entered.

use super::{FieldError, FieldErrors};
use crate::fingerprint::Fingerprint;
use crate::pbx::{PbxKind, Reach, Resync, Security};
use crate::public_url::PublicUrl;
use crate::secret::Secret;
use serde::{Deserialize, Deserializer};
use std::fmt::Display;
use std::str::FromStr;

/// A field that may be taken away: absent leaves it, `null` takes it away.
type Field<T> = Option<Option<T>>;

fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Field<T>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// `POST /accounts/{id}/connectors`.
#[derive(Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConnectorInput {
    /// What it is called; by default `main`.
    pub name: Option<String>,
    /// `kamailio`, `asterisk` or `freeswitch`.
    pub kind: String,
    /// Name or address of the PBX.
    pub host: String,
    /// Port; by default 5038 (with TLS 5039) for Asterisk and 8021 for FreeSWITCH.
    pub port: Option<u16>,
    /// `tls`, `plain` (to loopback and private addresses only) or `plain-anywhere`; by default `tls`.
    pub security: Option<String>,
    /// SHA-256 of the one certificate to take, instead of what the system's authorities sign.
    pub certificate_sha256: Option<String>,
    /// The name to sign in with.
    pub user: Option<String>,
    /// The password to sign in with; kept encrypted and never shown.
    pub password: Option<String>,
    /// Kamailio: the path of the JSON-RPC; by default `/RPC`.
    pub path: Option<String>,
    /// FreeSWITCH: the Sofia profile that phones register at; by default `internal`.
    pub profile: Option<String>,
    /// The domain of the lines' addresses, where the PBX serves several.
    pub domain: Option<String>,
    /// Whether it may lead to loopback, private and link-local addresses; only whoever runs the server may say so.
    #[serde(default)]
    pub inside: bool,
    /// Whether it is asked; by default it is.
    pub on: Option<bool>,
}

/// `PATCH /accounts/{id}/connectors/{connector}`.
#[derive(Clone, Default, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConnectorChange {
    /// What it is called.
    pub name: Option<String>,
    /// `kamailio`, `asterisk` or `freeswitch`.
    pub kind: Option<String>,
    /// Name or address of the PBX.
    pub host: Option<String>,
    /// Port.
    pub port: Option<u16>,
    /// `tls`, `plain` or `plain-anywhere`.
    pub security: Option<String>,
    /// SHA-256 of the one certificate to take; `null` takes it away.
    #[serde(deserialize_with = "given")]
    pub certificate_sha256: Field<String>,
    /// The name to sign in with; `null` takes it away.
    #[serde(deserialize_with = "given")]
    pub user: Field<String>,
    /// The password to sign in with; `null` takes it away.
    #[serde(deserialize_with = "given")]
    pub password: Field<String>,
    /// Kamailio: the path of the JSON-RPC.
    pub path: Option<String>,
    /// FreeSWITCH: the Sofia profile.
    pub profile: Option<String>,
    /// The domain of the lines' addresses; `null` takes it away.
    #[serde(deserialize_with = "given")]
    pub domain: Field<String>,
    /// Whether it may lead to addresses of the inside.
    pub inside: Option<bool>,
    /// Whether it is asked.
    pub on: Option<bool>,
}

/// A connector fit to be stored; its password is kept apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewConnector {
    /// What it is called.
    pub name: String,
    /// What it speaks.
    pub kind: PbxKind,
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How the connection is kept.
    pub security: Security,
    /// The one certificate that is taken.
    pub certificate: Option<Fingerprint>,
    /// The name to sign in with.
    pub user: Option<String>,
    /// Kamailio: the path of the JSON-RPC.
    pub path: String,
    /// FreeSWITCH: the Sofia profile.
    pub profile: String,
    /// The domain of the lines' addresses.
    pub domain: Option<String>,
    /// Where it may lead.
    pub reach: Reach,
    /// Whether it is asked.
    pub on: bool,
}

/// What to do with the password that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordChange {
    /// It stays.
    Keep,
    /// There is none any more.
    Remove,
    /// It is this one.
    Set(Secret),
}

/// `POST /devices/{id}/check-sync`.
#[derive(Debug, Clone, Default, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CheckSyncInput {
    /// Whether the phone is told to reboot, or told not to; absent leaves it to the phone's settings.
    pub reboot: Option<bool>,
    /// Why, for the audit log and the phone's timeline.
    pub reason: Option<String>,
}

impl CheckSyncInput {
    /// What the phone is told.
    pub const fn resync(&self) -> Resync {
        match self.reboot {
            None => Resync::AsSet,
            Some(true) => Resync::Reboot,
            Some(false) => Resync::NoReboot,
        }
    }
}

const MOST_NAME: usize = 40;
const MOST_USER: usize = 64;
const MOST_PASSWORD: usize = 128;
const MOST_PATH: usize = 100;

#[derive(Default)]
struct Faults(Vec<FieldError>);

impl Faults {
    fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.push(FieldError { field: field.to_owned(), message: message.into() });
    }

    fn word<T: FromStr<Err: Display>>(&mut self, field: &str, text: &str) -> Option<T> {
        text.parse().map_err(|error: T::Err| self.add(field, error.to_string())).ok()
    }

    fn all(&mut self, (field, text): (&str, &str), most: usize, (good, words): (fn(char) -> bool, &str)) {
        if text.is_empty() || text.chars().count() > most || !text.chars().all(good) {
            self.add(field, format!("must be 1 to {most} of {words}"));
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')
}

fn is_path(c: char) -> bool {
    is_word(c) || c == '/'
}

fn is_printed(c: char) -> bool {
    !c.is_control()
}

const WORD: (fn(char) -> bool, &str) = (is_word, "letters, digits and . - _");
const PRINTED: (fn(char) -> bool, &str) = (is_printed, "characters that are printed");

impl ConnectorInput {
    /// Checks every field.
    ///
    /// # Errors
    /// All fields at fault.
    pub fn check(self) -> Result<(NewConnector, Option<Secret>), FieldErrors> {
        let mut faults = Faults::default();
        let kind: Option<PbxKind> = faults.word("kind", &self.kind);
        let security = self.security.as_deref().map_or(Some(Security::Tls), |text| faults.word("security", text));
        let name = self.name.unwrap_or_else(|| "main".to_owned());
        faults.all(("name", &name), MOST_NAME, WORD);
        if PublicUrl::new(&self.host, 443).is_err() {
            faults.add("host", "is no host name or IP address");
        }
        let usual = kind.zip(security).and_then(|(kind, security)| kind.usual_port(security));
        let port = self.port.or(usual).unwrap_or_default();
        if port == 0 && kind.is_some() {
            faults.add("port", "is missing; name the port where the PBX listens for this");
        }
        let certificate = self.certificate_sha256.and_then(|text| faults.word("certificate-sha256", &text));
        if let Some(user) = &self.user {
            faults.all(("user", user), MOST_USER, PRINTED);
        }
        if let Some(password) = &self.password {
            faults.all(("password", password), MOST_PASSWORD, PRINTED);
        }
        let path = self.path.unwrap_or_else(|| "/RPC".to_owned());
        faults.all(("path", &path), MOST_PATH, (is_path, "letters, digits and . - _ /"));
        if !path.starts_with('/') {
            faults.add("path", "must begin with a slash");
        }
        let profile = self.profile.unwrap_or_else(|| "internal".to_owned());
        faults.all(("profile", &profile), MOST_NAME, WORD);
        if self.domain.as_deref().is_some_and(|domain| PublicUrl::new(domain, 443).is_err()) {
            faults.add("domain", "is no host name or IP address");
        }
        missing_sign_in(kind, (self.user.as_deref(), self.password.as_deref()), &mut faults);
        let (Some(kind), Some(security), true) = (kind, security, faults.0.is_empty()) else {
            return Err(FieldErrors(faults.0));
        };
        let reach = if self.inside { Reach::Inside } else { Reach::Outside };
        let (host, user, domain, on) = (self.host, self.user, self.domain, self.on.unwrap_or(true));
        let new =
            NewConnector { name, kind, host, port, security, certificate, user, path, profile, domain, reach, on };
        Ok((new, self.password.map(Secret::new)))
    }
}

/// What a PBX of the kind cannot be entered without.
fn missing_sign_in(kind: Option<PbxKind>, (user, password): (Option<&str>, Option<&str>), faults: &mut Faults) {
    if kind == Some(PbxKind::Asterisk) && user.is_none() {
        faults.add("user", "is missing; write the name of the section in manager.conf");
    }
    if matches!(kind, Some(PbxKind::Asterisk | PbxKind::FreeSwitch)) && password.is_none() {
        faults.add("password", "is missing; this PBX lets nobody in without");
    }
}

impl ConnectorChange {
    /// The connector with this change, checked as if entered anew, and what becomes of its password.
    ///
    /// # Errors
    /// All fields at fault.
    pub fn onto(
        self,
        before: &NewConnector,
        has_password: bool,
    ) -> Result<(NewConnector, PasswordChange), FieldErrors> {
        let kept = |field: Field<String>, before: &Option<String>| field.unwrap_or_else(|| before.clone());
        let password = match self.password {
            None => PasswordChange::Keep,
            Some(None) => PasswordChange::Remove,
            Some(Some(text)) => PasswordChange::Set(Secret::new(text)),
        };
        let entered = match &password {
            // Stands for the one that is kept, which nobody reads here.
            PasswordChange::Keep => has_password.then(|| "kept".to_owned()),
            PasswordChange::Remove => None,
            PasswordChange::Set(secret) => Some(secret.reveal().to_owned()),
        };
        let before_certificate = before.certificate.map(|certificate| certificate.to_string());
        let input = ConnectorInput {
            name: self.name.or_else(|| Some(before.name.clone())),
            kind: self.kind.unwrap_or_else(|| before.kind.as_str().to_owned()),
            host: self.host.unwrap_or_else(|| before.host.clone()),
            port: self.port.or(Some(before.port)),
            security: self.security.or_else(|| Some(before.security.as_str().to_owned())),
            certificate_sha256: kept(self.certificate_sha256, &before_certificate),
            user: kept(self.user, &before.user),
            password: entered,
            path: self.path.or_else(|| Some(before.path.clone())),
            profile: self.profile.or_else(|| Some(before.profile.clone())),
            domain: kept(self.domain, &before.domain),
            inside: self.inside.unwrap_or(before.reach == Reach::Inside),
            on: self.on.or(Some(before.on)),
        };
        Ok((input.check()?.0, password))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(text: &str) -> ConnectorInput {
        serde_json::from_str(text).unwrap()
    }

    fn fields(text: &str) -> Vec<String> {
        let errors = input(text).check().unwrap_err();
        errors.0.into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn a_connector_needs_kind_host_and_what_its_kind_signs_in_with() {
        let (new, _) = input(r#"{"kind":"kamailio","host":"pbx.example.com","port":8080}"#).check().unwrap();

        assert_eq!((new.name.as_str(), new.path.as_str(), new.security), ("main", "/RPC", Security::Tls));
        assert_eq!((new.reach, new.on), (Reach::Outside, true));
        let asterisk = r#"{"kind":"asterisk","host":"10.0.0.1","user":"provost","password":"x","security":"plain"}"#;
        assert_eq!(input(asterisk).check().unwrap().0.port, 5038);
        assert_eq!(fields(r#"{"kind":"asterisk","host":"10.0.0.1"}"#), ["user", "password"]);
        assert_eq!(fields(r#"{"kind":"kamailio","host":"pbx.example.com"}"#), ["port"]);
    }

    #[test]
    fn every_field_at_fault_is_named_at_once() {
        let text =
            r#"{"kind":"cisco","host":"a b","security":"none","name":"","path":"RPC","profile":"a b","domain":"@"}"#;

        assert_eq!(fields(text), ["kind", "security", "name", "host", "path", "profile", "domain"]);
    }

    #[test]
    fn a_change_leaves_what_it_does_not_name() {
        let text = r#"{"kind":"freeswitch","host":"pbx.example.com","password":"x","domain":"example.com"}"#;
        let (before, _) = input(text).check().unwrap();

        let change: ConnectorChange = serde_json::from_str(r#"{"profile":"phones","domain":null}"#).unwrap();
        let (after, password) = change.onto(&before, true).unwrap();

        assert_eq!((after.profile.as_str(), &after.domain, after.port), ("phones", &None, 8021));
        assert_eq!(password, PasswordChange::Keep);
        let without: ConnectorChange = serde_json::from_str(r#"{"password":null}"#).unwrap();
        assert_eq!(without.onto(&before, true).unwrap_err().0[0].field, "password");
    }
}
