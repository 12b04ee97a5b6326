//! What a person reads on the idle screen.
//!
//! Decides only what the configuration and the last boot say; a registration nobody has seen is not
//! shown as one. Words of the messages: community articles (domain: "SNTP Error", boot server).

use std::fmt;

use crate::clock::rfc3339;
use crate::facts::Facts;
use crate::settings::Values;

/// The idle screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screen {
    /// The phone's clock, RFC 3339 in UTC.
    pub time: String,
    /// Line keys from the top of page 1.
    pub line_keys: Vec<LineKey>,
    /// What went wrong at the last start, as the phone words it.
    pub messages: Vec<String>,
}

/// A line key with a line on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineKey {
    /// The line's number, counted from 1.
    pub line: u32,
    /// The text beside the key.
    pub label: String,
    /// What is known of its registration.
    pub registration: Registration,
}

/// What is known of a line's registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// The configuration tells the phone not to register this line.
    Off,
    /// The phone would register; this virtual phone does not speak SIP.
    NotObserved,
}

/// Trouble a phone shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    /// No time server answered.
    SntpError { reason: String },
    /// The boot server cannot be used.
    NoServer,
}

impl fmt::Display for Message {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SntpError { .. } => write!(out, "SNTP Error"),
            Self::NoServer => write!(out, "Could not contact provisioning server"),
        }
    }
}

impl Screen {
    pub(crate) fn of(values: &Values, facts: &Facts, now_millis: i64, message: Option<&Message>) -> Self {
        Self {
            time: rfc3339(now_millis),
            line_keys: (1..=facts.lines()).filter_map(|line| line_key(values, facts, line)).collect(),
            messages: message.iter().map(ToString::to_string).collect(),
        }
    }
}

/// A line without an address has no key; one without a label shows its address.
fn line_key(values: &Values, facts: &Facts, line: u32) -> Option<LineKey> {
    let holds = |name: Option<String>| name.and_then(|name| values.get(&name)).filter(|value| !value.is_empty());
    let address = holds(facts.line_address(line))?;
    let label = holds(facts.line_label(line)).unwrap_or(address).clone();
    let off = holds(facts.line_register(line)).is_some_and(|register| register == "0");
    let registration = if off { Registration::Off } else { Registration::NotObserved };
    Some(LineKey { line, label, registration })
}
