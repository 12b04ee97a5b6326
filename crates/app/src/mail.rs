//! Mail: the durable outbox, who gets what, and what became of it.
//!
//! Decides when a mail is tried and what an answer means; opens no socket: whoever has one asks [`App::due_mails`], says
//! [`App::mail_handing_over`] before it says the end of a mail, and [`App::mail_verdict`] after (docs/design/011). What a
//! mail says is written once, encrypted, when it is put into the outbox.

mod again;
mod alarms;
mod link;
mod send;
mod templates;
mod views;
mod welcome;

pub use alarms::AlarmMailView;
pub use link::{CodesAtPage, LinkRefusal};
pub use templates::{MailPreviewInput, MailPreviewView, MailTemplateView};
pub use views::{MailView, WelcomeMailView};
pub use welcome::{WelcomeInput, WelcomeVerdictView, WelcomesInput, WelcomesView};

use crate::{Actor, App, AppError, error_reference};
use provost_core::ids::{AccountId, MailId, UserId};
use provost_core::mail::{MOST_BYTES, MailContent, MailState, one_line};
use provost_core::rights::{Right, Scope};
use provost_store::{MailFilter, MailRow, NewMail, Page};
use send::Sending;
use std::sync::OnceLock;
use tokio::sync::Notify;

/// The kind of a mail about a forgotten password.
pub(crate) const PASSWORD: &str = "password";

/// What is known of mail in memory.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// What the mail server is called; unset where none is configured.
    server: OnceLock<String>,
    /// Something is to be sent.
    changed: Notify,
    sending: std::sync::Mutex<Sending>,
}

/// A mail to be queued.
#[derive(Debug, Clone, Copy)]
pub struct MailInput<'a> {
    /// What for, as a stable word: `welcome`, `alarm`, `password`.
    pub kind: &'static str,
    /// The recipient.
    pub to: &'a str,
    /// To whom it belongs; `None` is the whole server.
    pub account: Option<&'a AccountId>,
    /// What it says. The subject holds no secret: it is listed.
    pub content: &'a MailContent,
}

/// What is kept of a mail, encrypted.
#[derive(serde::Serialize, serde::Deserialize)]
struct Kept {
    message_id: String,
    content: MailContent,
}

/// A mail ready to be put into the outbox.
struct Ready {
    id: MailId,
    subject: String,
    sealed: Vec<u8>,
}

impl App {
    /// Says that mail goes out by this server; without, whatever needs mail says so.
    pub fn use_mail_server(&self, name: &str) {
        // Said once, when the process starts.
        let _ = self.outbox.server.set(name.to_owned());
    }

    /// Whether a mail server is configured.
    pub fn has_mail_server(&self) -> bool {
        self.outbox.server.get().is_some()
    }

    /// Puts a mail into the outbox; it is on disk when this returns, and goes out within a second.
    ///
    /// Nobody is asked for rights: whoever calls has decided that this mail is to be sent.
    ///
    /// # Errors
    /// [`AppError::Refused`] (`no-mail-server`) where none is configured, [`AppError::NotFound`] without such an account.
    pub async fn queue_mail(&self, mail: MailInput<'_>) -> Result<MailId, AppError> {
        self.needs_mail_server()?;
        let Ready { id, subject, sealed } = self.ready(mail.content)?;
        let new = NewMail {
            id: &id,
            account: mail.account,
            site: None,
            person: None,
            kind: mail.kind,
            address: mail.to,
            subject: &subject,
            content: &sealed,
            now: self.now(),
        };
        self.store.add_mail(&new).await?;
        self.outbox.changed.notify_one();
        Ok(id)
    }

    /// Mails, newest first.
    ///
    /// # Errors
    /// [`AppError::Fields`] on a state there is not, [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn mails(
        &self,
        (user, state): (Option<&UserId>, Option<MailState>),
        page: Page<'_>,
        by: &Actor,
    ) -> Result<Vec<MailView>, AppError> {
        by.has(Right::Read)?;
        let within = self.store.within(&by.scope).await?;
        let rows = self.store.mails(&within, MailFilter { person: user, state }, page).await?;
        Ok(rows.into_iter().map(MailView::new).collect())
    }

    /// One mail: where it is in its life, never what it says.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without such a mail in the scope, [`AppError::Forbidden`].
    pub async fn mail(&self, id: &MailId, by: &Actor) -> Result<MailView, AppError> {
        Ok(MailView::new(self.may_mail(by, Right::Read, id).await?))
    }

    async fn may_mail(&self, by: &Actor, right: Right, id: &MailId) -> Result<MailRow, AppError> {
        let missing = || AppError::NotFound { what: "mail", name: id.to_string() };
        let row = self.store.mail(id).await?.ok_or_else(missing)?;
        let sees = match &row.account {
            Some(account) => self.sees(by, account, row.site.as_ref()).await?,
            None => by.scope == Scope::Platform,
        };
        if !sees {
            return Err(missing());
        }
        by.has(right)?;
        Ok(row)
    }

    fn needs_mail_server(&self) -> Result<(), AppError> {
        if self.has_mail_server() {
            return Ok(());
        }
        let message = "no mail server is configured, so no mail can be sent; whoever runs the server sets smtp-url and \
                       from in the section [mail] of its configuration and restarts it";
        Err(refused("no-mail-server", message.to_owned()))
    }

    /// Encrypts a mail under an id of its own.
    fn ready(&self, content: &MailContent) -> Result<Ready, AppError> {
        let id = MailId::mint(self.now(), &mut rand::rng());
        let subject = one_line(&content.subject);
        let length = content.text.len().saturating_add(content.html.as_ref().map_or(0, String::len));
        if length > MOST_BYTES {
            return Err(refused(
                "mail-too-long",
                format!("this mail has {length} bytes, at most {MOST_BYTES} are sent"),
            ));
        }
        let content = MailContent { subject: subject.clone(), ..content.clone() };
        let kept = Kept { message_id: format!("{id}@{}", self.message_host()), content };
        let text = serde_json::to_string(&kept).map_err(|_| AppError::Interrupted)?;
        let sealed = self.vault.seal(&mail_owner(id.as_str()), &text)?;
        Ok(Ready { id, subject, sealed })
    }

    /// The right side of a Message-ID: a name, or an address in brackets (RFC 5322, 3.6.4).
    fn message_host(&self) -> String {
        let host = self.told.public_url.bare_host();
        if host.parse::<std::net::IpAddr>().is_ok() { format!("[{host}]") } else { host.to_owned() }
    }
}

/// What a mail's ciphertext belongs to.
pub(crate) fn mail_owner(mail: &str) -> String {
    format!("{mail}/content")
}

fn refused(code: &'static str, message: String) -> AppError {
    AppError::Refused { code, message, reference: error_reference() }
}
