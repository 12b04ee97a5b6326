//! What a person reads on the idle screen.
//!
//! Decides only what the configuration, the last boot and the line say; a registration nobody has seen is
//! not shown as one. Words of the messages: community articles (domain: "SNTP Error", boot server, "Line
//! Unregistered"); those about its last call are this project's.

use std::fmt;

use crate::clock::rfc3339;
use crate::facts::Facts;
use crate::settings::Values;
use crate::sip::{LineState, Status};

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
    /// The phone would register; nobody told this virtual phone to.
    NotObserved,
    /// The server took it.
    Registered,
    /// The server refused it, or was not heard.
    Unregistered,
}

/// Trouble a phone shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    /// No time server answered.
    SntpError { reason: String },
    /// The boot server cannot be used.
    NoServer,
}

/// What the screen shows beside the configuration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown<'a> {
    pub(crate) message: Option<&'a Message>,
    pub(crate) line: Option<&'a Status>,
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
    pub(crate) fn of(values: &Values, facts: &Facts, now_millis: i64, shown: Shown<'_>) -> Self {
        let trouble = shown.line.into_iter().flat_map(line_messages);
        Self {
            time: rfc3339(now_millis),
            line_keys: (1..=facts.lines()).filter_map(|line| line_key(values, facts, (line, shown.line))).collect(),
            messages: shown.message.iter().map(ToString::to_string).chain(trouble).collect(),
        }
    }
}

/// A line without an address has no key; one without a label shows its address.
fn line_key(values: &Values, facts: &Facts, (line, seen): (u32, Option<&Status>)) -> Option<LineKey> {
    let holds = |name: Option<String>| name.and_then(|name| values.get(&name)).filter(|value| !value.is_empty());
    let address = holds(facts.line_address(line))?;
    let label = holds(facts.line_label(line)).unwrap_or(address).clone();
    let off = holds(facts.line_register(line)).is_some_and(|register| register == "0");
    let registration = match seen.filter(|seen| seen.line == line).map(|seen| &seen.state) {
        _ if off => Registration::Off,
        Some(LineState::Registered { .. }) => Registration::Registered,
        Some(LineState::Unregistered(_) | LineState::Registering) => Registration::Unregistered,
        Some(LineState::Off | LineState::Closed) | None => Registration::NotObserved,
    };
    Some(LineKey { line, label, registration })
}

fn line_messages(seen: &Status) -> impl Iterator<Item = String> {
    let unregistered = matches!(seen.state, LineState::Unregistered(_)).then(|| "Line Unregistered".to_owned());
    let call = seen.failed_call.as_ref().map(|by| format!("Call failed: {by}"));
    unregistered.into_iter().chain(call)
}
