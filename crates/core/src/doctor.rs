//! The symptom doctor: what a screen says, and whether this phone's record bears it out.
//!
//! Decides from the catalog's symptoms and what is known of one phone. Never asks the phone and never invents a cause:
//! what the record cannot tell is said so. Ours; issue 6, item 7.

#[cfg(test)]
mod tests;

use crate::identity::CertificateStatus;
use crate::lifecycle::DeviceState;
use provost_catalog::{Symptom, SymptomCheck, Version};

/// What is known of a phone, for its symptoms.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Its model's name, where the model is known.
    pub model: Option<String>,
    /// Its application version.
    pub firmware: Option<Version>,
    /// The lowest firmware its model is served well with.
    pub floor: Option<Version>,
    /// When it proved itself last, in words.
    pub last_proved: Option<String>,
    /// What it showed last, and why that was not enough.
    pub certificate: Option<(CertificateStatus, Option<String>)>,
    /// Why it, or somebody in its name, was refused last.
    pub last_refused: Option<String>,
    /// Why its last TLS handshake failed.
    pub handshake_failed: Option<String>,
    /// The state of its device.
    pub device: Option<DeviceState>,
    /// Whether its device has a user.
    pub has_user: bool,
    /// Whether its device has a code that can be used now.
    pub has_code: bool,
}

/// Whether a symptom's cause is this phone's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// The record bears it out.
    Fits,
    /// The record speaks against it.
    Differs,
    /// The record does not tell.
    Unknown,
}

/// The symptoms that somebody may mean, the likeliest first.
pub fn meant<'c>(symptoms: &'c [Symptom], typed: &str) -> Vec<&'c Symptom> {
    let typed = words(typed);
    let mut scored: Vec<(usize, &Symptom)> = symptoms
        .iter()
        .filter_map(|symptom| {
            let phrases = symptom.says.iter().chain(std::iter::once(&symptom.title));
            let score = phrases.map(|phrase| likeness(&words(phrase), &typed)).max().unwrap_or(0);
            (score >= LEAST).then_some((score, symptom))
        })
        .collect();
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    scored.into_iter().map(|(_, symptom)| symptom).collect()
}

/// Half of a phrase's words, in percent.
const LEAST: usize = 50;
/// Words that say nothing of a phone.
const EMPTY: [&str; 14] = ["the", "a", "an", "is", "it", "its", "phone", "my", "says", "and", "of", "to", "on", "at"];

fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let all = lower.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    all.filter(|word| !EMPTY.contains(word)).map(str::to_owned).collect()
}

/// How much of a phrase was typed, in percent; a longer phrase in full is more than a short one.
fn likeness(phrase: &[String], typed: &[String]) -> usize {
    let found = phrase.iter().filter(|word| typed.contains(word)).count();
    let share = found.saturating_mul(100).checked_div(phrase.len()).unwrap_or(0);
    if share < LEAST { 0 } else { share.saturating_add(found) }
}

/// Whether the record bears out what a symptom says, and in which words.
pub fn judge(check: SymptomCheck, record: &Record) -> (Fit, String) {
    match check {
        SymptomCheck::Firmware => firmware(record),
        SymptomCheck::Clock => clock(record),
        SymptomCheck::Claimed => claimed(record),
        SymptomCheck::Assignment => assignment(record),
        SymptomCheck::Contact => contact(record),
        SymptomCheck::Password => password(record),
        SymptomCheck::Model => model(record),
        SymptomCheck::Certificate => certificate(record),
    }
}

fn firmware(record: &Record) -> (Fit, String) {
    match (&record.firmware, &record.floor) {
        (Some(runs), Some(floor)) if runs < floor => {
            (Fit::Fits, format!("It runs {runs}; its model needs {floor} at least."))
        }
        (Some(runs), Some(floor)) => {
            (Fit::Differs, format!("It runs {runs}, which is not below its model's floor, {floor}."))
        }
        (Some(runs), None) => (Fit::Unknown, format!("It runs {runs}; no floor is known for its model.")),
        (None, _) => (Fit::Unknown, "It has not said which firmware it runs.".to_owned()),
    }
}

fn clock(record: &Record) -> (Fit, String) {
    match (&record.last_proved, &record.handshake_failed) {
        (Some(at), None) => (
            Fit::Differs,
            format!(
                "It proved itself here {at}, which it could only do with the right time. It may have lost it since."
            ),
        ),
        (_, Some(why)) => (Fit::Fits, format!("Its last TLS handshake failed: {why}")),
        (None, None) => (Fit::Unknown, "It has never proved itself here; a phone without time would not.".to_owned()),
    }
}

fn claimed(record: &Record) -> (Fit, String) {
    if record.device == Some(DeviceState::Activated) {
        (Fit::Differs, "It is claimed here and is told not to ask the redirection service.".to_owned())
    } else {
        (Fit::Fits, "Nobody has claimed it here, so it keeps what its former provider set.".to_owned())
    }
}

fn assignment(record: &Record) -> (Fit, String) {
    let told = |fit, text: &str| (fit, text.to_owned());
    match record.device {
        None => told(Fit::Fits, "No device names or has this phone; find the person's device instead."),
        Some(DeviceState::Activated) => told(Fit::Differs, "It is activated already and needs no code."),
        Some(DeviceState::Disabled | DeviceState::Quarantined) => {
            told(Fit::Fits, "Its device is disabled or quarantined; enable it first.")
        }
        Some(_) if !record.has_user => told(Fit::Fits, "Its device has no user, so it takes no code."),
        Some(_) if !record.has_code => told(Fit::Fits, "Its device has a user but no open code; issue one."),
        Some(_) => told(Fit::Differs, "Its device has a user and an open code."),
    }
}

fn contact(record: &Record) -> (Fit, String) {
    match (&record.last_proved, &record.handshake_failed, &record.last_refused) {
        (_, Some(why), _) => (Fit::Fits, format!("It came here, and its TLS handshake failed: {why}")),
        (Some(at), ..) => (Fit::Differs, format!("It came here and proved itself {at}.")),
        (None, None, Some(why)) => (Fit::Fits, format!("It came here and was refused: {why}")),
        (None, None, None) => {
            (Fit::Fits, "Nobody ever asked here in its name: it asks somewhere else, or reaches nobody.".to_owned())
        }
    }
}

fn password(record: &Record) -> (Fit, String) {
    if record.device == Some(DeviceState::Activated) {
        (Fit::Fits, "It was activated here and has a password of its own, which its device page shows.".to_owned())
    } else {
        (Fit::Unknown, "It was not activated here; whoever had it before may have set a password.".to_owned())
    }
}

fn model(record: &Record) -> (Fit, String) {
    match &record.model {
        Some(name) => (Fit::Differs, format!("It is a {name}, which this server knows.")),
        None => (Fit::Unknown, "It has not said what it is, or it is no model of the catalog.".to_owned()),
    }
}

fn certificate(record: &Record) -> (Fit, String) {
    match &record.certificate {
        Some((CertificateStatus::FactoryInstalled, _)) => {
            (Fit::Differs, "It showed its factory certificate here, and that was good.".to_owned())
        }
        Some((status, reason)) => {
            let reason = reason.as_deref().map_or(String::new(), |reason| format!(": {reason}"));
            (Fit::Fits, format!("What it showed here: {status}{reason}."))
        }
        None => (Fit::Unknown, "It never showed a certificate here.".to_owned()),
    }
}
