//! What administrators enter about mail.

use super::check::{is_language_tag, is_mail_address};
use super::{FieldError, FieldErrors};
use serde::Deserialize;

/// `PUT /alarm-mail`.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlarmMailInput {
    /// Who is written to when an alarm begins, at most ten addresses; empty means nobody.
    pub addresses: Vec<String>,
}

/// `PUT /accounts/{id}/mail-templates/{kind}/{language}`.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MailTemplateInput {
    /// One line; may speak of `user`, `site` and `account`, and of nothing that activates a phone.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part, in which every value is escaped; empty for a mail of text alone.
    pub html: String,
}

const MOST_ADDRESSES: usize = 10;
const MOST_LANGUAGE_BYTES: usize = 35;

impl AlarmMailInput {
    /// # Errors
    /// [`FieldErrors`] names every address at fault.
    pub fn check(self) -> Result<Vec<String>, FieldErrors> {
        let mut errors = Vec::new();
        let mut addresses: Vec<String> = Vec::new();
        for (place, address) in self.addresses.into_iter().enumerate() {
            let field = format!("addresses[{place}]");
            if !is_mail_address(&address) {
                let shown: String = address.chars().take(60).collect();
                errors.push(FieldError { field, message: format!("`{shown}` is no mail address") });
            } else if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        if addresses.len() > MOST_ADDRESSES {
            let message = format!("{} addresses, at most {MOST_ADDRESSES}; use a mailing list", addresses.len());
            errors.push(FieldError { field: "addresses".to_owned(), message });
        }
        if errors.is_empty() { Ok(addresses) } else { Err(FieldErrors(errors)) }
    }
}

/// The language of a template as it is stored: lower case, empty for `any`.
///
/// # Errors
/// [`FieldErrors`] when it is neither `any` nor a language tag.
pub fn template_language(text: &str) -> Result<String, FieldErrors> {
    if text == "any" {
        return Ok(String::new());
    }
    if is_language_tag(text) && text.len() <= MOST_LANGUAGE_BYTES {
        return Ok(text.to_ascii_lowercase());
    }
    let shown: String = text.chars().take(40).collect();
    let message = format!("`{shown}` is no language; write `any`, or a tag such as `de` or `de-AT`");
    Err(FieldErrors(vec![FieldError { field: "language".to_owned(), message }]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_all_at_once() {
        let input =
            |addresses: &[&str]| AlarmMailInput { addresses: addresses.iter().map(ToString::to_string).collect() };

        assert_eq!(input(&["a@example.com", "a@example.com"]).check().unwrap(), ["a@example.com"]);
        let errors = input(&["a", "b@example.com\r\nBcc: x@example.com", "c@example.com"]).check().unwrap_err();
        assert_eq!(errors.0.len(), 2, "{errors}");
        let many: Vec<String> = (0..11).map(|n| format!("a{n}@example.com")).collect();
        assert!(AlarmMailInput { addresses: many }.check().is_err());
    }

    #[test]
    fn a_language_is_any_or_a_tag() {
        assert_eq!(template_language("any").unwrap(), "");
        assert_eq!(template_language("de-AT").unwrap(), "de-at");
        for bad in ["", "d", "de_AT", "de-", "../x", "de-AT-verylongpart"] {
            assert!(template_language(bad).is_err(), "{bad}");
        }
    }
}
