//! Entries about administrators: people who sign in at the console.
//!
//! Decides how a name and a mail address must be. Role and scope are judged where it is known who asks.

use super::FieldErrors;
use super::change::{Field, given};
use super::check::Check;
use crate::sign_in::sign_in_name;
use provost_catalog::Catalog;
use serde::Deserialize;

/// The most characters of a name.
const MOST_NAME_CHARACTERS: usize = 100;

/// `POST /administrators`.
#[derive(Debug, Clone, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AdministratorInput {
    /// Mail address, which is the name to sign in with.
    pub email: String,
    /// Name, for people.
    pub name: String,
    /// What they may: a role's word.
    pub role: String,
    /// The account they are for, with all below; by default as far as the one who adds them reaches.
    pub account: Option<String>,
    /// The one site they are for.
    pub site: Option<String>,
    /// Language tag.
    pub language: Option<String>,
}

/// `PATCH /administrators/{id}`: fields that are absent stay.
#[derive(Debug, Clone, Default, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AdministratorChange {
    /// Mail address, which is the name to sign in with.
    pub email: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// What they may: a role's word.
    pub role: Option<String>,
    /// The account they are for; `null` with `site` absent or `null` is as far as the one who changes it reaches. Their
    /// site stays where it is one of this account.
    #[serde(deserialize_with = "given")]
    pub account: Field<String>,
    /// The one site they are for; `null` alone is all of their account.
    #[serde(deserialize_with = "given")]
    pub site: Field<String>,
    /// Language tag.
    #[serde(deserialize_with = "given")]
    pub language: Field<String>,
    /// Whether they may not sign in.
    pub disabled: Option<bool>,
    /// The `fingerprint` of who is changed: where they are not that any more, nothing is.
    pub before: Option<String>,
}

/// Who an administrator is, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Mail address in lower case.
    pub email: String,
    /// Name.
    pub name: String,
    /// Language tag.
    pub language: Option<String>,
}

impl Person {
    /// Checks what was entered.
    ///
    /// # Errors
    /// Every field at fault.
    pub fn check(email: &str, name: &str, language: Option<String>, catalog: &Catalog) -> Result<Self, FieldErrors> {
        let mut check = Check { catalog, errors: Vec::new() };
        let email = sign_in_name(email);
        check.email(&email);
        let name = check.text("name", name.trim(), MOST_NAME_CHARACTERS);
        let language = check.language(language);
        let person = name.map(|name| Self { email, name, language });
        check.done(person)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_address_is_folded_and_both_fields_are_checked() {
        let catalog = Catalog::built_in().unwrap();
        let person = Person::check(" Ada@Example.com ", "Ada", None, &catalog).unwrap();
        assert_eq!((person.email.as_str(), person.name.as_str()), ("ada@example.com", "Ada"));

        let FieldErrors(errors) = Person::check("owner", " ", Some("?".to_owned()), &catalog).unwrap_err();
        assert_eq!(errors.iter().map(|e| e.field.as_str()).collect::<Vec<_>>(), ["email", "name", "language"]);
    }
}
