//! The sentences of a phone's timeline.
//!
//! Decides the words: what the phone asked, what it got and why, and what to do if something is
//! wrong. An administrator reads them without a manual, so no internals. No secret ever stands in one.

mod doors;
mod firmware;
mod guard;
mod lifecycle;
mod moving;
mod pbx;

pub use doors::{
    LineEvent, awaited_words, call_failed, claimed, code_refused, does_not_come_back, emergency_call, has_come_back,
    line_event, next_step, page_refused, to_be_restarted,
};
pub use firmware::{
    CameBack, StepWords, door_closed, door_opened, image_broke_off, image_closed_early, image_progress, image_sent,
    megabytes, no_step, no_step_now, restarted, step_chosen, step_ended, step_offered, step_withdrawn,
    through_the_door, version_paused,
};
pub use guard::{
    blocked, called_for_help, exception_made, exception_note, exception_revoked, exception_used, failed_handshake,
    in_two_networks, read_http_bootstrap, suspended,
};
pub use lifecycle::{
    device_moved, device_released, device_restored, device_unassigned, passwords_rotated, passwords_taken,
    phone_readmitted, phone_swapped, takes_the_place_of, user_changed,
};
pub use moving::{NotArrived, Progress, arrived, came_back, move_summary, moves, progress, stays_after_former};
pub use pbx::{pbx_not_reached, told_to_check};

use crate::file_plan::{Kind, Refusal};
use crate::identity::CertificateStatus;
use provost_catalog::{FileRole, Upload};

/// One entry of a timeline, but for its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What kind of thing happened.
    pub kind: EventKind,
    /// What happened, in one sentence.
    pub sentence: String,
    /// What to do, when something is wrong.
    pub advice: Option<String>,
    /// The short word it is found by, when somebody was told one.
    pub reference: Option<String>,
}

impl Entry {
    /// Whatever a phone, a certificate or a stranger said, an entry stays one line.
    fn new(kind: EventKind, sentence: String, advice: Option<String>) -> Self {
        Self { kind, sentence: one_line(sentence), advice: advice.map(one_line), reference: None }
    }

    /// The same, to be found by this reference.
    #[must_use]
    pub fn found_by(self, reference: &str) -> Self {
        Self { reference: Some(reference.to_owned()), ..self }
    }
}

/// The kinds of timeline entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// The phone asked for or sent a file.
    Request,
    /// It was refused.
    Refused,
    /// Something about its claim: bound, code refused, pinned.
    Claim,
    /// An administrator did something.
    Action,
    /// Something that an administrator should look at.
    Alarm,
    /// A step of its firmware.
    Firmware,
}

impl EventKind {
    /// The word for the API and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Refused => "refused",
            Self::Claim => "claim",
            Self::Action => "action",
            Self::Alarm => "alarm",
            Self::Firmware => "firmware",
        }
    }
}

/// What a phone said of itself, for the end of a sentence.
#[derive(Debug, Clone, Copy)]
pub struct Speaker<'a> {
    /// The model's name in the catalog.
    pub model: Option<&'a str>,
    /// The version its User-Agent said.
    pub firmware: Option<&'a str>,
    /// The judgment on its certificate.
    pub certificate: CertificateStatus,
    /// A remark on the certificate.
    pub note: Option<&'a str>,
}

impl Speaker<'_> {
    fn tail(&self) -> String {
        let who = match (self.model, self.firmware) {
            (Some(model), Some(firmware)) => format!("{model} on firmware {firmware}"),
            (Some(model), None) => format!("{model}, firmware not said"),
            (None, Some(firmware)) => format!("a model that is not in the catalog, on firmware {firmware}"),
            (None, None) => "it did not say what it is".to_owned(),
        };
        let note = self.note.map_or(String::new(), |note| format!(" ({note})"));
        format!("{who}; certificate {}{note}.", self.certificate)
    }
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Sent this many bytes.
    Sent(usize),
    /// Begins to be sent; how far that came is said by itself.
    Begun,
    /// Asked only whether it is there (HEAD): it is.
    There,
    /// There is none.
    Absent,
    /// Kept an upload.
    Kept {
        /// Bytes that came.
        bytes: usize,
        /// At the end, or instead.
        how: Upload,
    },
    /// The store or the renderer failed: 503.
    Failed(String),
}

/// The standing that decides what the parameter file is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingsAre {
    /// For a phone nobody claimed, where nobody answers calls.
    Bootstrap,
    /// For a phone nobody claimed, with a line that a voice answers.
    BootstrapWithVoice,
    /// For a bound phone.
    Configuration,
    /// For a bound phone that cannot register anywhere.
    WithoutLine(WhyNoLine),
}

impl SettingsAre {
    /// Whether a phone that reads it is somebody's.
    pub const fn is_configuration(self) -> bool {
        matches!(self, Self::Configuration | Self::WithoutLine(_))
    }
}

/// Why a configuration holds no line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyNoLine {
    /// The device has no user.
    NoUser,
    /// The user has no SIP line.
    NoLine,
    /// The site names no SIP server.
    NoServer,
}

/// The entry for a request that was answered.
pub fn answered(name: &str, kind: &Kind, settings: SettingsAre, outcome: &Outcome, speaker: Speaker<'_>) -> Entry {
    let what = file_words(kind, settings);
    let tail = speaker.tail();
    let (sentence, advice) = match outcome {
        Outcome::Sent(bytes) => (format!("Read {what} ({name}, {bytes} bytes): {tail}"), sent_advice(kind, settings)),
        Outcome::Begun => (format!("Asked for {what} ({name}), which is sent: {tail}"), None),
        Outcome::There => (format!("Asked whether {what} ({name}) is here, and it is: {tail}"), None),
        Outcome::Absent => (format!("Asked for {what} ({name}): {}; {tail}", absent_words(kind)), None),
        Outcome::Kept { bytes, how } => {
            let done = if *how == Upload::Append { "added to what is kept" } else { "kept" };
            (format!("Sent {what} ({name}, {bytes} bytes), {done}: {tail}"), None)
        }
        Outcome::Failed(why) => (
            format!("Asked for {what} ({name}) and was told to come back later: {why}. {tail}"),
            Some(
                "The phone keeps what it has. Look at the server's log and disk; it asks again at its next poll."
                    .to_owned(),
            ),
        ),
    };
    Entry::new(EventKind::Request, sentence, advice)
}

fn sent_advice(kind: &Kind, settings: SettingsAre) -> Option<String> {
    if *kind != Kind::Settings {
        return None;
    }
    let advice = match settings {
        SettingsAre::Configuration => return None,
        SettingsAre::BootstrapWithVoice => {
            "Nobody has claimed this phone. Press Activate or lift the handset: a voice asks for the activation code. Until \
             it is claimed it can't place calls; emergency calls are told so at once."
        }
        SettingsAre::Bootstrap => {
            "Nobody has claimed this phone. It shows Activate, which reaches no voice here: enter the activation code of a \
             device for it, or pre-assign its MAC. Until then it can't place emergency calls."
        }
        SettingsAre::WithoutLine(WhyNoLine::NoUser) => {
            "It has no line: its device has no user. Until one is set it can't place calls, emergency calls included."
        }
        SettingsAre::WithoutLine(WhyNoLine::NoLine) => {
            "It has no line: its user has no SIP line. Until there is one it can't place calls, emergency calls included."
        }
        SettingsAre::WithoutLine(WhyNoLine::NoServer) => {
            "It has no line: its site names no SIP server. Until there is one it can't place calls, emergency calls included."
        }
    };
    Some(advice.to_owned())
}

fn file_words(kind: &Kind, settings: SettingsAre) -> &'static str {
    match kind {
        Kind::Settings if !settings.is_configuration() => "its bootstrap",
        Kind::Settings => "its configuration",
        Kind::Unknown => "a file",
        Kind::File(file) => match file.role {
            FileRole::Master | FileRole::DefaultMaster => "its master file",
            FileRole::PhoneOverrides => "the settings changed on the phone itself",
            FileRole::WebOverrides => "the settings changed in its web GUI",
            FileRole::License => "a license",
            FileRole::Directory => "its directory",
            FileRole::DefaultDirectory => "the directory all phones share",
            FileRole::Calls => "its call lists",
            FileRole::Log => "its log",
            FileRole::Image => "a firmware image",
            FileRole::ImageList => "the versions its own upgrade page may offer",
            FileRole::Language => "a language file",
            FileRole::Other => "a file",
        },
    }
}

fn absent_words(kind: &Kind) -> &'static str {
    match kind {
        Kind::File(file) => match file.role {
            FileRole::Image => "no firmware step is due, so it keeps its version",
            FileRole::PhoneOverrides | FileRole::WebOverrides => "none was ever sent, which is normal",
            FileRole::Directory | FileRole::Calls | FileRole::Log => "there is none yet, which is normal",
            _ => "there is none, which is harmless",
        },
        Kind::Settings | Kind::Unknown => "there is none, which is harmless",
    }
}

/// The entry for a proven phone's request that was refused.
pub fn refused(name: &str, refusal: &Refusal, speaker: Speaker<'_>) -> Entry {
    let tail = speaker.tail();
    let (why, advice) = match refusal {
        Refusal::OtherPhone(other) => (
            format!("that belongs to phone {other}, not to this one"),
            Some("A phone asks for its own files only. Look at its server address: it should hold no other phone's name.".to_owned()),
        ),
        Refusal::Barred => (
            "its device is disabled or quarantined".to_owned(),
            Some("The phone keeps its old settings until it is reset. Enable the device to serve it again.".to_owned()),
        ),
        Refusal::SetAside(since) => (
            format!("another phone took its place on {since}, and it was set aside"),
            Some("It keeps its old settings until it is reset. To use it again, let it in again (`provost readmit`).".to_owned()),
        ),
        Refusal::Suspended(until) => (
            format!("it asked for other phones' files too often and is suspended until {until}"),
            Some("It keeps its old settings until then. Look at what is at its address.".to_owned()),
        ),
        Refusal::NotAPhoneFile => ("no phone needs such a file".to_owned(), None),
    };
    Entry::new(EventKind::Refused, format!("Asked for {name} and got nothing: {why}; {tail}"), advice)
}

/// The entry for a phone whose model the catalog does not know.
pub fn unknown_model(name: &str, user_agent: Option<&str>, speaker: Speaker<'_>) -> Entry {
    let said =
        user_agent.map_or("it sent no User-Agent".to_owned(), |said| format!("it says `{}`", printable(said, 120)));
    Entry::new(
        EventKind::Refused,
        format!("Asked for {name} and got nothing: model not in the catalog, {said}; {}", speaker.tail()),
        Some("Add the model to the catalog's overlay folder, or point the phone elsewhere.".to_owned()),
    )
}

/// The entry for somebody who asked for this phone's file without proving to be it.
pub fn stranger(name: &str, address: std::net::IpAddr, certificate: CertificateStatus, reason: &str) -> Entry {
    let advice = match certificate {
        CertificateStatus::NonePresented => {
            "If this is the phone itself: it has no factory certificate, or its server type is not HTTPS. Look at Status > Platform > Phone on its screen."
        }
        CertificateStatus::SelfSigned | CertificateStatus::Invalid => {
            "Only a certificate the maker put into the phone proves it. It can't be added later; use another phone, or import the maker's authority if it is missing here."
        }
        CertificateStatus::FactoryInstalled => "It proved to be another phone.",
    };
    Entry::new(
        EventKind::Refused,
        format!("Somebody at {address} asked for {name} and got nothing: {reason} (certificate {certificate})."),
        Some(advice.to_owned()),
    )
}

/// How a phone was claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// An administrator entered a code for it.
    Code,
    /// Its code was keyed in a call from it.
    Call,
    /// Its code was entered on the web page.
    Page,
    /// Its MAC was entered with the device.
    PreAssigned,
}

impl Claim {
    /// The word for the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Call => "call",
            Self::Page => "page",
            Self::PreAssigned => "pre-assigned",
        }
    }
}

/// An entry about the claim with free words.
pub fn claim_note(sentence: String, advice: Option<String>) -> Entry {
    Entry::new(EventKind::Claim, sentence, advice)
}

/// An entry about an administrator's action.
pub fn action(sentence: String) -> Entry {
    Entry::new(EventKind::Action, sentence, None)
}

/// Text from outside, made safe to stand between backticks in one line: at most `most` characters.
pub fn printable(text: &str, most: usize) -> String {
    text.chars().map(|c| if c == '`' || breaks_a_line(c) { '\u{fffd}' } else { c }).take(most).collect()
}

/// The fewest hexadecimal digits in a row that may be a link's word.
const FEWEST_DIGITS_OF_A_WORD: usize = 32;

/// A path without what would open something to whoever reads it in a list or a log: the word of a link in a mail. No file
/// of a phone has so many hexadecimal digits in a row.
pub fn without_words_of_links(path: &str) -> String {
    let mut kept = String::with_capacity(path.len());
    let mut digits = String::new();
    for c in path.chars().map(Some).chain([None]) {
        match c {
            Some(digit) if digit.is_ascii_hexdigit() => digits.push(digit),
            other => {
                kept.push_str(if digits.len() < FEWEST_DIGITS_OF_A_WORD { &digits } else { "..." });
                digits.clear();
                kept.extend(other);
            }
        }
    }
    kept
}

/// Nearly every text is one already, and an entry is made for every request: it is copied only when it is not.
fn one_line(text: String) -> String {
    if !text.contains(breaks_a_line) {
        return text;
    }
    text.chars().map(|c| if breaks_a_line(c) { '\u{fffd}' } else { c }).collect()
}

/// Controls, line separators, and the marks that turn the direction of the text after them.
fn breaks_a_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests;
