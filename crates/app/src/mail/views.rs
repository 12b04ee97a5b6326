//! Mails as shown.

use super::PASSWORD;
use provost_core::mail::MailState;
use provost_store::{MailRow, WelcomeRow};

/// A mail as shown: never what it says.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MailView {
    /// Id.
    pub id: String,
    /// What for: `welcome`, `alarm` and others.
    pub kind: String,
    /// The account it belongs to; absent for the whole server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The user it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The recipient.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// `waiting`, `handing-over`, `sent`, `refused`, `given-up`, `doubtful` or `replaced`.
    pub state: &'static str,
    /// What that means, and what to do.
    pub words: &'static str,
    /// How often it was tried.
    pub tries: i64,
    /// When it was put into the outbox, RFC 3339.
    pub queued_at: String,
    /// When it is tried next, while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_try_at: Option<String>,
    /// When it was sent, refused or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// What the mail server said last, or why it said nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Whether it can be sent again as it is.
    pub again: bool,
}

/// The newest welcome mail of a user.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct WelcomeMailView {
    /// The mail.
    pub mail: String,
    /// What became of it, as in the mail itself.
    pub state: &'static str,
    /// When it was put into the outbox, RFC 3339.
    pub queued_at: String,
    /// When the mail server took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<String>,
    /// Whether a device that waits for its activation is not in it: send it again.
    pub device_assigned_since: bool,
    /// The address it went to.
    pub to: String,
    /// Whether the user has another address since: the codes in it went to the old one. Its link shows nothing any more;
    /// sending the mail again issues other codes and voids those.
    pub address_changed_since: bool,
}

impl MailView {
    pub(super) fn new(row: MailRow) -> Self {
        let waits = row.state == MailState::Waiting;
        let is_link = row.kind == PASSWORD;
        Self {
            id: row.id.to_string(),
            kind: row.kind,
            account: row.account.map(|id| id.to_string()),
            user: row.person.map(|id| id.to_string()),
            to: row.address,
            subject: row.subject,
            state: row.state.as_str(),
            words: words(row.state, row.tries),
            tries: row.tries,
            queued_at: row.created.to_string(),
            next_try_at: waits.then(|| row.next.to_string()),
            ended_at: row.ended.map(|at| at.to_string()),
            answer: row.answer,
            again: row.state.can_go_again() && row.content.is_some() && !is_link,
        }
    }
}

impl WelcomeMailView {
    pub(super) fn new(row: &WelcomeRow) -> Self {
        Self {
            mail: row.mail.to_string(),
            state: row.state.as_str(),
            queued_at: row.at.to_string(),
            sent_at: row.ended.filter(|_| row.state == MailState::Sent).map(|at| at.to_string()),
            device_assigned_since: row.device_since,
            to: row.address.clone(),
            address_changed_since: row.address_since,
        }
    }
}

const fn words(state: MailState, tries: i64) -> &'static str {
    match state {
        MailState::Waiting if tries == 0 => "It goes out within seconds.",
        MailState::Waiting => "It was tried and is tried again by itself, for three days in all.",
        MailState::HandingOver => "The mail server has it and was not heard to say whether it takes it, yet.",
        MailState::Sent => "The mail server took it.",
        MailState::Refused => "The mail server refused it for good. Mend what it names, then have it sent again.",
        MailState::GivenUp => {
            "It could not be sent for three days. Mend what its answer names, then have it sent again."
        }
        MailState::Doubtful => {
            "It may have arrived: the mail server had all of it and no answer was heard. Ask whom it is for; if it did \
             not arrive, have it sent again."
        }
        MailState::Replaced => "A newer one was sent in its place, or its user was removed.",
    }
}
