//! Mails: what one holds, what may become of it, and when it is tried again.
//!
//! Decides gaps between tries and what an answer of a mail server means. Never opens a socket and knows no store.
//! Rules: RFC 5321 (4.5.4.1 gaps, 4.2.1 answers); the gaps and the end are ours (docs/design/011).

mod flat;
pub mod template;
pub mod welcome;

use crate::ids::MailId;
use crate::secret::Secret;
use crate::time::UnixMillis;
use std::fmt;
use std::str::FromStr;

/// Where a mail is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MailState {
    /// It is to be sent when its time comes.
    Waiting,
    /// All of it is at the mail server but the dot that ends it; what comes now may be its delivery.
    HandingOver,
    /// The mail server took it.
    Sent,
    /// The mail server refused it for good.
    Refused,
    /// It could not be sent for days.
    GivenUp,
    /// It was handed over and no answer was heard: only a person can tell whether it arrived.
    Doubtful,
    /// A newer mail of the same kind to the same person took its place before it was sent.
    Replaced,
}

impl MailState {
    /// Every state.
    pub const ALL: [Self; 7] =
        [Self::Waiting, Self::HandingOver, Self::Sent, Self::Refused, Self::GivenUp, Self::Doubtful, Self::Replaced];

    /// The word for the API, the command line and the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::HandingOver => "handing-over",
            Self::Sent => "sent",
            Self::Refused => "refused",
            Self::GivenUp => "given-up",
            Self::Doubtful => "doubtful",
            Self::Replaced => "replaced",
        }
    }

    /// Whether a person may have it sent again.
    pub const fn can_go_again(self) -> bool {
        matches!(self, Self::Waiting | Self::Refused | Self::GivenUp | Self::Doubtful)
    }
}

impl fmt::Display for MailState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Text that is no state of a mail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{found}` is no state of a mail; write one of waiting, handing-over, sent, refused, given-up, doubtful, replaced"
)]
pub struct StateError {
    /// The text, at most its first 40 characters.
    pub found: String,
}

impl FromStr for MailState {
    type Err = StateError;

    fn from_str(text: &str) -> Result<Self, StateError> {
        let found = || StateError { found: text.chars().take(40).collect() };
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(found)
    }
}

/// What a mail says.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MailContent {
    /// One line.
    pub subject: String,
    /// For programs that show no HTML.
    pub text: String,
    /// For all others.
    pub html: Option<String>,
}

impl fmt::Debug for MailContent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("MailContent(***)")
    }
}

/// A mail on its way, whole: what crate outbound needs to send it.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Its id.
    pub id: MailId,
    /// `Message-ID`, without angle brackets: the same at every try, so that a server that knows it drops a second copy.
    pub message_id: String,
    /// The recipient.
    pub to: String,
    /// When it was written.
    pub written: UnixMillis,
    /// What it says; it may hold activation codes.
    pub subject: String,
    /// The text part.
    pub text: Secret,
    /// The HTML part.
    pub html: Option<Secret>,
}

/// What a mail server made of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It took it.
    Sent(String),
    /// It refuses it for good.
    Refused(String),
    /// It may take it later, or went away before the end of the mail was said.
    Later(String),
    /// The end was said and no answer was heard.
    Doubtful(String),
}

/// How long a mail is tried.
pub const GIVE_UP_AFTER_MS: i64 = 3 * 86_400_000;
/// The tries that this takes. They are counted and not the days, since days in which no mail server could be reached are
/// not the mail's, and a clock may be set.
const MOST_TRIES: i64 = 79;
const FIRST_GAP_MS: i64 = 5_000;
const LONGEST_GAP_MS: i64 = 3_600_000;
/// No mail waits longer for its next try: one that does was put off by a clock that was set back since.
pub const LONGEST_WAIT_MS: i64 = 2 * LONGEST_GAP_MS;

/// Whether a mail was tried for so long that it is given up.
pub const fn is_tried_out(tries: i64) -> bool {
    tries >= MOST_TRIES
}

/// How long to wait after this many tries in vain: 5 s, then three times as long each time, an hour at most. Soon at
/// first, since servers that turn strangers away for a while take them at the second try.
pub fn gap_ms(tries: i64) -> i64 {
    let mut gap = FIRST_GAP_MS;
    for _ in 1..tries.min(12) {
        gap = gap.saturating_mul(3);
    }
    gap.min(LONGEST_GAP_MS)
}

/// The longest subject: a line of it is longer in no program.
const MOST_SUBJECT_CHARACTERS: usize = 200;
const MOST_ANSWER_CHARACTERS: usize = 600;
/// Of both parts together: far more than any letter, and less than any server refuses.
pub const MOST_BYTES: usize = 256 * 1024;

/// A subject as one line: what would end it is a space.
pub fn one_line(subject: &str) -> String {
    line_of(subject, MOST_SUBJECT_CHARACTERS)
}

/// The same of what a mail server said, which may be longer.
pub fn answer_line(answer: &str) -> String {
    line_of(answer, MOST_ANSWER_CHARACTERS)
}

fn line_of(text: &str, most: usize) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() || c.is_whitespace() { ' ' } else { c }).collect();
    spaced.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ").chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_grow_from_seconds_to_an_hour() {
        let gaps: Vec<i64> = (1..=9).map(|tries| gap_ms(tries) / 1000).collect();

        assert_eq!(gaps, [5, 15, 45, 135, 405, 1215, 3600, 3600, 3600]);
        assert_eq!(gap_ms(i64::MAX), LONGEST_GAP_MS);
        assert_eq!(gap_ms(0), FIRST_GAP_MS);
    }

    #[test]
    fn a_mail_is_tried_for_three_days_and_an_hour_at_most() {
        let of_all: i64 = (1..MOST_TRIES).map(gap_ms).sum();
        assert!((GIVE_UP_AFTER_MS..GIVE_UP_AFTER_MS + LONGEST_GAP_MS).contains(&of_all), "{of_all}");
        assert!(!is_tried_out(MOST_TRIES - 1) && is_tried_out(MOST_TRIES));
    }

    #[test]
    fn a_subject_cannot_begin_a_header_of_its_own() {
        assert_eq!(one_line("Hello\r\nBcc: all@example.com\u{85}x\u{2028}y"), "Hello Bcc: all@example.com x y");
    }

    #[test]
    fn states_are_read_as_they_are_written() {
        for state in MailState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert!("gone".parse::<MailState>().is_err());
    }
}
