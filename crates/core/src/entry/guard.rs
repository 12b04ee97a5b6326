//! What administrators enter to block, to open and to except: always with a reason, never for long.

use super::{FieldError, FieldErrors};
use crate::address_range::AddressRange;
use crate::fingerprint::Fingerprint;
use crate::mac::MacAddr;
use serde::Deserialize;
use std::fmt::Display;
use std::str::FromStr;

/// `POST /blocked-certificates`.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BlockInput {
    /// SHA-256 of the certificate.
    pub sha256: String,
    /// Why.
    pub reason: String,
}

/// `POST /http-bootstrap`.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpBootstrapInput {
    /// The addresses it is opened for.
    pub range: String,
    /// How long.
    pub minutes: u32,
    /// Why.
    pub reason: String,
}

/// `POST /devices/{id}/exception`.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExceptionInput {
    /// The phone that has no factory certificate.
    pub mac: String,
    /// How long it may be let in.
    pub minutes: u32,
    /// Why.
    pub reason: String,
}

/// What was opened, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening<T> {
    /// For what.
    pub of: T,
    /// How long, in milliseconds.
    pub lasts_ms: i64,
    /// Why.
    pub reason: String,
}

/// A day: long enough to plug in a floor of phones.
const MOST_BOOTSTRAP_MINUTES: u32 = 24 * 60;
/// Two hours: one phone, one visit.
const MOST_EXCEPTION_MINUTES: u32 = 120;
const MOST_REASON_BYTES: usize = 300;

impl BlockInput {
    /// Checks every field.
    ///
    /// # Errors
    /// All fields at fault.
    pub fn check(self) -> Result<(Fingerprint, String), FieldErrors> {
        let mut errors = Vec::new();
        let sha256 = read("sha256", &self.sha256, &mut errors);
        let reason = reason(&self.reason, &mut errors);
        sha256.zip(reason).ok_or(FieldErrors(errors))
    }
}

impl HttpBootstrapInput {
    /// Checks every field.
    ///
    /// # Errors
    /// All fields at fault.
    pub fn check(self) -> Result<Opening<AddressRange>, FieldErrors> {
        opening("range", &self.range, (self.minutes, MOST_BOOTSTRAP_MINUTES), &self.reason)
    }
}

impl ExceptionInput {
    /// Checks every field.
    ///
    /// # Errors
    /// All fields at fault.
    pub fn check(self) -> Result<Opening<MacAddr>, FieldErrors> {
        opening("mac", &self.mac, (self.minutes, MOST_EXCEPTION_MINUTES), &self.reason)
    }
}

fn opening<T: FromStr<Err: Display>>(
    field: &str,
    text: &str,
    (minutes, most): (u32, u32),
    why: &str,
) -> Result<Opening<T>, FieldErrors> {
    let mut errors = Vec::new();
    let of = read(field, text, &mut errors);
    if !(1..=most).contains(&minutes) {
        errors.push(error("minutes", format!("must be from 1 to {most}")));
    }
    let reason = reason(why, &mut errors);
    match (of, reason) {
        (Some(of), Some(reason)) if errors.is_empty() => {
            Ok(Opening { of, lasts_ms: i64::from(minutes).saturating_mul(60_000), reason })
        }
        _ => Err(FieldErrors(errors)),
    }
}

fn read<T: FromStr<Err: Display>>(field: &str, text: &str, errors: &mut Vec<FieldError>) -> Option<T> {
    text.parse().map_err(|wrong: T::Err| errors.push(error(field, wrong.to_string()))).ok()
}

/// The reason for something that needs nothing else.
///
/// # Errors
/// [`FieldErrors`] when it says nothing or too much.
pub fn checked_reason(text: &str) -> Result<String, FieldErrors> {
    let mut errors = Vec::new();
    reason(text, &mut errors).ok_or(FieldErrors(errors))
}

/// A reason is for whoever asks a year later: one line that says something.
fn reason(text: &str, errors: &mut Vec<FieldError>) -> Option<String> {
    let text = text.trim();
    let wrong = if text.is_empty() {
        "is missing; say why, for whoever reads it later".to_owned()
    } else if text.len() > MOST_REASON_BYTES {
        format!("is {} bytes long; {MOST_REASON_BYTES} are enough", text.len())
    } else if text.chars().any(char::is_control) {
        "must be one line".to_owned()
    } else {
        return Some(text.to_owned());
    };
    errors.push(error("reason", wrong));
    None
}

fn error(field: &str, message: String) -> FieldError {
    FieldError { field: field.to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(minutes: u32, reason: &str) -> Result<Opening<AddressRange>, FieldErrors> {
        HttpBootstrapInput { range: "10.1.0.0/16".to_owned(), minutes, reason: reason.to_owned() }.check()
    }

    #[test]
    fn every_field_at_fault_is_named_at_once() {
        let input = ExceptionInput { mac: "phone".to_owned(), minutes: 121, reason: "two\nlines".to_owned() };

        let fields: Vec<_> = input.check().unwrap_err().0.into_iter().map(|error| error.field).collect();

        assert_eq!(fields, ["mac", "minutes", "reason"]);
    }

    #[test]
    fn nothing_is_opened_without_reason_without_end_or_for_more_than_a_day() {
        assert_eq!(window(1440, "new floor").unwrap().lasts_ms, 86_400_000);
        for (minutes, reason) in [(0, "x"), (1441, "x"), (5, " "), (5, &"x".repeat(301))] {
            assert!(window(minutes, reason).is_err(), "{minutes} {reason}");
        }
    }
}
