//! A forgotten password: a link by mail that works once, for an hour.
//!
//! Whoever asks is told the same at once, whether or not somebody has that address: what is done about it is done after
//! the answer.

use crate::console_session::actor_of;
use crate::mail::PASSWORD;
use crate::own_account::check_password;
use crate::tokens::about;
use crate::vault::token_digest;
use crate::{App, AppError, MailInput, Visitor, locked, password_hash};
use provost_core::ids::AdministratorId;
use provost_core::mail::MailContent;
use provost_core::secret::Secret;
use provost_core::sign_in::sign_in_name;
use provost_core::time::UnixMillis;
use provost_store::{AdministratorRow, SetPassword, Within};
use rand::Rng;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const WINDOW_MS: i64 = 15 * 60_000;
/// From one address within a window: an office on a Monday.
const MOST_PER_ADDRESS: u32 = 20;
/// Addresses that are remembered. Beyond them those who asked least are forgotten: what one asks for never stands in
/// another's way, and who asked too often is not forgotten because many ask.
const MOST_ADDRESSES: usize = 10_000;

/// How often it was asked for lately. In memory only: what is mailed to one person is limited by what is stored, one link
/// in five minutes and three in an hour, and a name that nobody has costs one look.
#[derive(Debug, Default)]
pub(crate) struct Asked(Mutex<Window>);

#[derive(Debug, Default)]
struct Window {
    began: UnixMillis,
    by_source: BTreeMap<String, u32>,
}

impl Asked {
    /// Counts one more, unless it is too many.
    fn take(&self, source: String, now: UnixMillis) -> bool {
        let mut window = locked(&self.0);
        let is_over = now < window.began || now >= window.began.plus_millis(WINDOW_MS);
        if is_over {
            *window = Window { began: now, ..Window::default() };
        }
        let mut least = 1;
        while window.by_source.len() >= MOST_ADDRESSES && !window.by_source.contains_key(&source) {
            window.by_source.retain(|_, times| *times > least);
            least = least.saturating_mul(2);
        }
        let of_source = window.by_source.entry(source).or_default();
        *of_source = of_source.saturating_add(1);
        *of_source <= MOST_PER_ADDRESS
    }
}

impl App {
    /// Mails a link to whoever has this address, if somebody has and it is not asked for too often; returns at once.
    pub fn forgot_password(self: &Arc<Self>, typed: &str, visitor: &Visitor) {
        if !self.can_mail_links() || !self.forgotten.take(visitor.source(), self.now()) {
            return;
        }
        let (app, email) = (Arc::clone(self), sign_in_name(typed));
        tokio::spawn(async move {
            if let Err(error) = app.mail_link(&email).await {
                tracing::error!(%error, "a mail about a forgotten password could not be queued");
            }
        });
    }

    /// Whether a link can be mailed: there is a mail server, and an address of the console that links may begin with.
    pub fn can_mail_links(&self) -> bool {
        self.has_mail_server() && self.told().console.is_some()
    }

    async fn mail_link(&self, email: &str) -> Result<(), AppError> {
        let Some(console) = &self.told().console else { return Ok(()) };
        let Some(link) = self.password_link(email).await? else { return Ok(()) };
        let url = format!("{console}/new-password/{}", link.reveal());
        let text = format!(
            "Somebody asked for a new password for {email} at the console of Provost.\n\nChoose one here, within an \
             hour:\n\n{url}\n\nIf it was not you, nothing has to be done: your password stays as it is.\n"
        );
        let html = format!(
            "<p>Somebody asked for a new password for this address at the console of Provost.</p>\
             <p><a href=\"{url}\">Choose a password</a>, within an hour.</p>\
             <p>If it was not you, nothing has to be done: your password stays as it is.</p>"
        );
        let content = MailContent { subject: "Choose a new password".to_owned(), text, html: Some(html) };
        // Of nobody's account: what it holds opens the console.
        self.queue_mail(MailInput { kind: PASSWORD, to: email, account: None, content: &content }).await?;
        Ok(())
    }

    /// A link's word for whoever has this address and may sign in; `None` also where one was made a moment ago.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn password_link(&self, email: &str) -> Result<Option<Secret>, AppError> {
        let row = self.store.administrator_named(email).await?;
        let Some(row) = row.filter(|row| row.disabled.is_none() && row.person.email.contains('@')) else {
            return Ok(None);
        };
        let mut bytes = [0u8; 32];
        rand::rng().fill_bytes(&mut bytes);
        let link = Secret::new(hex::encode(bytes));
        let digest = token_digest(link.reveal());
        let made = self.store.add_password_link((&row.id, email), &digest, self.now()).await?;
        Ok(made.then_some(link))
    }

    /// Whether a link works; nothing changes by looking.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn is_password_link(&self, link: &str) -> Result<bool, AppError> {
        Ok(self.link_owner(link).await?.is_some())
    }

    async fn link_owner(&self, link: &str) -> Result<Option<AdministratorRow>, AppError> {
        let id: Option<AdministratorId> = self.store.password_link(&token_digest(link), self.now()).await?;
        let Some(id) = id else { return Ok(None) };
        let row = self.store.administrator(&id, &Within::Everything).await?;
        Ok(row.filter(|row| row.disabled.is_none()))
    }

    /// Uses a link up with the password that was chosen; all sessions end. `false` where it does not work any more.
    ///
    /// # Errors
    /// [`AppError::Fields`] for a password that will not do; the link works on then.
    pub async fn choose_password(&self, link: &str, password: &str, visitor: &Visitor) -> Result<bool, AppError> {
        let Some(row) = self.link_owner(link).await? else { return Ok(false) };
        check_password(password, &row.person)?;
        let hash = password_hash::hash(password).await?;
        let by = actor_of(&row, visitor.address);
        let what = "chose a new password by a link that was mailed".to_owned();
        let entry = about(self.audit_entry(&by, what, None), &row.scope);
        let set = SetPassword { hash: &hash, once_until: None, now: self.now(), was: None };
        Ok(self.store.audited(entry).use_password_link(&token_digest(link), &row.id, set).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_is_limited_by_address_and_nobody_uses_up_what_is_anothers() {
        let asked = Asked::default();
        let now = UnixMillis(1_795_000_000_000);
        let take = |source: &str, now| asked.take(source.to_owned(), now);
        assert_eq!((0..700).filter(|_| take("a", now)).count(), 20);
        assert_eq!((0..500).filter(|n| take(&format!("b{n}"), now)).count(), 500, "others are not kept from it");
        assert!(!take("a", now));
        for n in 0..MOST_ADDRESSES {
            take(&format!("c{n}"), now);
        }
        assert!(locked(&asked.0).by_source.len() <= MOST_ADDRESSES);
        assert!(!take("a", now), "who asked too often is not forgotten because many ask");
        assert!(take("d", now), "nor is anybody else kept from it");

        assert!(take("a", now.plus_millis(WINDOW_MS)));
        assert!(take("a", now.plus_millis(-1)), "a clock set back shuts nobody out");
    }
}
