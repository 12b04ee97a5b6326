//! Changes to what was entered: the fields that are given replace those there were, and the whole is checked as if it
//! were entered anew.

use super::{LineInput, SipServerInput, SiteInput, UserInput};
use serde::{Deserialize, Deserializer};

/// A field that may be taken away: absent leaves it, `null` takes it away.
pub type Field<T> = Option<Option<T>>;

pub(super) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Field<T>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// One line of `PATCH /users/{id}`.
#[derive(Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LineChange {
    /// SIP user.
    pub user: String,
    /// Digest password; absent keeps that of the line with the same SIP user.
    #[serde(default, deserialize_with = "given")]
    pub password: Field<String>,
    /// Digest name; absent keeps that of the line with the same SIP user.
    #[serde(default, deserialize_with = "given")]
    pub auth_user: Field<String>,
}

/// `PATCH /users/{id}`.
#[derive(Clone, Default, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct UserChange {
    /// Another site of the same account.
    pub site: Option<String>,
    /// Display name.
    pub name: Option<String>,
    /// Extension.
    pub extension: Option<String>,
    /// Mail address.
    #[serde(deserialize_with = "given")]
    pub email: Field<String>,
    /// Language tag; `null` leaves it to the site.
    #[serde(deserialize_with = "given")]
    pub language: Field<String>,
    /// All lines.
    pub lines: Option<Vec<LineChange>>,
    /// What a form showed of the user, as a mark: where they are not that any more, nothing is changed.
    #[serde(skip)]
    pub before: Option<String>,
}

/// `PATCH /sites/{id}`.
#[derive(Debug, Clone, Default, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SiteChange {
    /// Name.
    pub name: Option<String>,
    /// IANA time zone.
    pub time_zone: Option<String>,
    /// Country; `null` takes that of the time zone.
    #[serde(deserialize_with = "given")]
    pub country: Field<String>,
    /// Language tag.
    #[serde(deserialize_with = "given")]
    pub language: Field<String>,
    /// All SIP servers, first choice first.
    pub sip_servers: Option<Vec<SipServerInput>>,
    /// Voice VLAN.
    #[serde(deserialize_with = "given")]
    pub vlan: Field<u32>,
    /// What Messages dials.
    #[serde(deserialize_with = "given")]
    pub voicemail: Field<String>,
    /// Street address for emergency services.
    #[serde(deserialize_with = "given")]
    pub emergency_address: Field<String>,
    /// What a form showed of the site, as a mark: where it is not that any more, nothing is changed.
    #[serde(skip)]
    pub before: Option<String>,
}

impl UserChange {
    /// The user with this change, as if entered anew.
    pub fn onto(self, before: UserInput) -> UserInput {
        let lines = match self.lines {
            Some(lines) => lines.into_iter().map(|line| line.onto(&before.lines)).collect(),
            None => before.lines,
        };
        UserInput {
            site: self.site.unwrap_or(before.site),
            name: self.name.unwrap_or(before.name),
            extension: self.extension.unwrap_or(before.extension),
            email: self.email.unwrap_or(before.email),
            language: self.language.unwrap_or(before.language),
            lines,
        }
    }
}

impl LineChange {
    fn onto(self, before: &[LineInput]) -> LineInput {
        let same = before.iter().find(|line| line.user == self.user);
        let password = self.password.unwrap_or_else(|| same.and_then(|line| line.password.clone()));
        let auth_user = self.auth_user.unwrap_or_else(|| same.and_then(|line| line.auth_user.clone()));
        LineInput { user: self.user, password, auth_user }
    }
}

impl SiteChange {
    /// The site with this change, as if entered anew.
    pub fn onto(self, before: SiteInput) -> SiteInput {
        // Another time zone brings its country, unless one is given.
        let zone_changes = self.time_zone.as_ref().is_some_and(|zone| *zone != before.time_zone);
        let country = if zone_changes { None } else { before.country };
        SiteInput {
            account: before.account,
            name: self.name.unwrap_or(before.name),
            time_zone: self.time_zone.unwrap_or(before.time_zone),
            country: self.country.unwrap_or(country),
            language: self.language.unwrap_or(before.language),
            sip_servers: self.sip_servers.unwrap_or(before.sip_servers),
            vlan: self.vlan.unwrap_or(before.vlan),
            voicemail: self.voicemail.unwrap_or(before.voicemail),
            emergency_address: self.emergency_address.unwrap_or(before.emergency_address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(user: &str, password: &str) -> LineInput {
        LineInput { user: user.to_owned(), password: Some(password.to_owned()), auth_user: Some("auth".to_owned()) }
    }

    fn user() -> UserInput {
        UserInput {
            site: "site".to_owned(),
            name: "Ann".to_owned(),
            extension: "1001".to_owned(),
            email: Some("ann@example.com".to_owned()),
            language: None,
            lines: vec![line("1001", "one"), line("1002", "two")],
        }
    }

    #[test]
    fn what_is_not_given_stays_and_null_takes_away() {
        let change: UserChange = serde_json::from_str(r#"{"name":"Anna","email":null}"#).unwrap();
        let after = change.onto(user());
        assert_eq!((after.name.as_str(), after.extension.as_str(), after.email), ("Anna", "1001", None));
        assert_eq!(after.lines.len(), 2);
        assert!(serde_json::from_str::<UserChange>(r#"{"nam":"x"}"#).is_err());
    }

    #[test]
    fn a_line_keeps_its_password_wherever_it_stands_unless_another_or_null_is_given() {
        let text = r#"{"lines":[{"user":"1002"},{"user":"1001","password":"new","auth-user":null},{"user":"1003"}]}"#;
        let change: UserChange = serde_json::from_str(text).unwrap();
        let after = change.onto(user());
        let shown: Vec<_> = after.lines.iter().map(|l| (l.user.as_str(), l.password.as_deref())).collect();
        assert_eq!(shown, [("1002", Some("two")), ("1001", Some("new")), ("1003", None)]);
        assert_eq!(after.lines[1].auth_user, None);
        let gone: UserChange = serde_json::from_str(r#"{"lines":[{"user":"1001","password":null}]}"#).unwrap();
        assert_eq!(gone.onto(user()).lines[0].password, None);
    }

    #[test]
    fn another_time_zone_brings_its_country_unless_one_is_given() {
        let before = SiteInput {
            account: "account".to_owned(),
            name: "Vienna".to_owned(),
            time_zone: "Europe/Vienna".to_owned(),
            country: Some("AT".to_owned()),
            language: None,
            sip_servers: Vec::new(),
            vlan: Some(5),
            voicemail: None,
            emergency_address: None,
        };
        let moved: SiteChange = serde_json::from_str(r#"{"time-zone":"Europe/London"}"#).unwrap();
        assert_eq!(moved.onto(before.clone()).country, None);
        let renamed: SiteChange = serde_json::from_str(r#"{"name":"Wien","vlan":null}"#).unwrap();
        let after = renamed.onto(before);
        assert_eq!((after.country.as_deref(), after.vlan, after.name.as_str()), (Some("AT"), None, "Wien"));
    }
}
