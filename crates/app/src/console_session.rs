//! Sessions of the console: stored, so that they survive a restart, and judged anew with every request.
//!
//! A session is known by the hash of its cookie alone. Its holder is read each time: who is disabled, or whose role or
//! token ended, is out with the next request.

use crate::tokens::{about, refused};
use crate::vault::token_digest;
use crate::{Actor, App, AppError, ShownToken, Visitor};
use provost_core::ids::TokenId;
use provost_core::secret::Secret;
use provost_core::sign_in::is_over;
use provost_core::time::UnixMillis;
use provost_store::{AdministratorRow, Holder, Proven, SessionRow, Within};
use rand::Rng;
use std::net::IpAddr;

/// Between two writes of when a session was used.
const USED_EVERY_MS: i64 = 60_000;

/// A session just begun.
#[derive(Debug)]
pub struct NewSession {
    /// What its cookie holds, 64 hexadecimal digits.
    pub ticket: Secret,
    /// Its name, which opens nothing.
    pub id: String,
}

/// A session that is open.
#[derive(Debug, Clone)]
pub struct OpenSession {
    /// Its name, which opens nothing.
    pub id: String,
    /// Who does what is done in it.
    pub actor: Actor,
    /// Whether nothing may be done before a password of their own is chosen.
    pub must_choose: bool,
}

/// A session as its holder sees it.
#[derive(Debug, Clone)]
pub struct SessionView {
    /// Its name.
    pub id: String,
    /// The address it was used from last.
    pub address: String,
    /// What the browser called itself.
    pub browser: String,
    /// When it began.
    pub began: UnixMillis,
    /// When it was used last, to the minute.
    pub used: UnixMillis,
    /// Whether it is this one.
    pub is_this: bool,
}

impl App {
    /// Begins a session for whoever showed a token.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn begin_token_session(
        &self,
        token: &TokenId,
        by: &Actor,
        visitor: &Visitor,
    ) -> Result<NewSession, AppError> {
        let (session, row) = self.draw(Holder::Token(token.clone()), visitor);
        let entry = about(self.audit_entry(by, "signed in at the console".to_owned(), None), &by.scope);
        self.store.audited(entry).begin_session(&token_digest(session.ticket.reveal()), &row).await?;
        Ok(session)
    }

    /// Begins a session for whoever this was judged to be; `None` where that does not stand any more.
    pub(crate) async fn begin_session_of(
        &self,
        who: &AdministratorRow,
        visitor: &Visitor,
    ) -> Result<Option<NewSession>, AppError> {
        let Some(hash) = &who.password else { return Ok(None) };
        let (session, row) = self.draw(Holder::Administrator(who.id.clone()), visitor);
        let by = actor_of(who, visitor.address);
        let entry = about(self.audit_entry(&by, "signed in at the console".to_owned(), None), &who.scope);
        let judged = (Proven { id: &who.id, hash }, who.totp.is_some());
        let digest = token_digest(session.ticket.reveal());
        let is_begun = self.store.audited(entry).sign_in(&digest, &row, judged).await?;
        Ok(is_begun.then_some(session))
    }

    /// Another session in the place of those that ended with a change its holder made.
    ///
    /// # Errors
    /// [`AppError::Refused`] where somebody else changed what signs him in meanwhile.
    pub(crate) async fn go_on(&self, proven: Proven<'_>, visitor: &Visitor) -> Result<NewSession, AppError> {
        let (session, row) = self.draw(Holder::Administrator(proven.id.clone()), visitor);
        let digest = token_digest(session.ticket.reveal());
        let is_begun = self.store.add_session(&digest, &row, Some(proven.hash)).await?;
        if is_begun { Ok(session) } else { Err(changed_meanwhile()) }
    }

    fn draw(&self, holder: Holder, visitor: &Visitor) -> (NewSession, SessionRow) {
        let (mut ticket, mut name) = ([0u8; 32], [0u8; 16]);
        rand::rng().fill_bytes(&mut ticket);
        rand::rng().fill_bytes(&mut name);
        let (id, now) = (format!("session_{}", hex::encode(name)), self.now());
        let address = address_words(visitor.address);
        let row = SessionRow { id: id.clone(), holder, address, browser: visitor.browser(), began: now, used: now };
        (NewSession { ticket: Secret::new(hex::encode(ticket)), id }, row)
    }

    /// The session of a cookie, if it is open.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn open_session(&self, ticket: &str, from: Option<IpAddr>) -> Result<Option<OpenSession>, AppError> {
        let digest = token_digest(ticket);
        let Some(row) = self.store.session(&digest).await? else { return Ok(None) };
        let now = self.now();
        let open = if is_over(row.began, row.used, now) { None } else { self.opened_by(&row.holder, from).await? };
        let Some((actor, must_choose)) = open else {
            if let Err(error) = self.store.drop_session(&digest).await {
                // It opens nothing whether or not it is still there.
                tracing::warn!(%error, "a session that is over could not be removed");
            }
            return Ok(None);
        };
        let is_fresh = (0..USED_EVERY_MS).contains(&now.0.saturating_sub(row.used.0));
        if !is_fresh && let Err(error) = self.store.session_used(&row.id, &address_words(from), now).await {
            // A full disk must not lock out those who could make room.
            tracing::warn!(session.id = %row.id, %error, "when a session was used could not be stored");
        }
        Ok(Some(OpenSession { id: row.id, actor, must_choose }))
    }

    /// The same without being a use of it: a page that stays open must not keep the session from ending.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn peek_session(&self, ticket: &str, from: Option<IpAddr>) -> Result<Option<OpenSession>, AppError> {
        let Some(row) = self.store.session(&token_digest(ticket)).await? else { return Ok(None) };
        if is_over(row.began, row.used, self.now()) {
            return Ok(None);
        }
        let opened = self.opened_by(&row.holder, from).await?;
        Ok(opened.map(|(actor, must_choose)| OpenSession { id: row.id, actor, must_choose }))
    }

    async fn opened_by(&self, holder: &Holder, from: Option<IpAddr>) -> Result<Option<(Actor, bool)>, AppError> {
        match holder {
            Holder::Token(id) => match self.token_again(id, from).await? {
                ShownToken::Good(actor) => Ok(Some((actor, false))),
                ShownToken::Expired(_) | ShownToken::Unknown => Ok(None),
            },
            Holder::Administrator(id) => {
                let row = self.store.administrator(id, &Within::Everything).await?;
                let row = row.filter(|row| row.disabled.is_none());
                Ok(row.map(|row| (actor_of(&row, from), row.once_until.is_some())))
            }
        }
    }

    /// Ends the session of a cookie, because another begins in the same browser.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn drop_session(&self, ticket: &str) -> Result<(), AppError> {
        Ok(self.store.drop_session(&token_digest(ticket)).await?)
    }

    /// Ends the session that this is.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn sign_out(&self, session: &OpenSession) -> Result<(), AppError> {
        let entry = self.audit_entry(&session.actor, "signed out of the console".to_owned(), None);
        self.store.audited(entry).end_session(&holder_of(&session.actor)?, &session.id).await?;
        Ok(())
    }

    /// The sessions of whoever asks, the one used last first.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn own_sessions(&self, session: &OpenSession) -> Result<Vec<SessionView>, AppError> {
        let rows = self.store.sessions_of(&holder_of(&session.actor)?, self.now()).await?;
        let view = |row: SessionRow| SessionView {
            is_this: row.id == session.id,
            id: row.id,
            address: row.address,
            browser: row.browser,
            began: row.began,
            used: row.used,
        };
        Ok(rows.into_iter().map(view).collect())
    }

    /// Ends one session of whoever asks.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Store`].
    pub async fn end_own_session(&self, id: &str, session: &OpenSession) -> Result<(), AppError> {
        let entry = self.audit_entry(&session.actor, "ended a session of their own".to_owned(), None);
        let ended = self.store.audited(entry).end_session(&holder_of(&session.actor)?, id).await?;
        if ended { Ok(()) } else { Err(AppError::NotFound { what: "session", name: id.chars().take(60).collect() }) }
    }

    /// Ends every session of whoever asks but this one.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn end_other_sessions(&self, session: &OpenSession) -> Result<u64, AppError> {
        let what = "ended their other sessions".to_owned();
        let entry = self.audit_entry(&session.actor, what, None);
        Ok(self.store.audited(entry).end_other_sessions(&holder_of(&session.actor)?, &session.id).await?)
    }
}

/// What an administrator may, asked from this address.
pub(crate) fn actor_of(row: &AdministratorRow, from: Option<IpAddr>) -> Actor {
    Actor {
        who: format!("administrator {} ({})", row.person.email, row.role),
        from,
        role: row.role,
        scope: row.scope.clone(),
        token: None,
        administrator: Some(row.id.clone()),
        request: None,
    }
}

/// What signs somebody in was changed while he changed it.
pub(crate) fn changed_meanwhile() -> AppError {
    let message = "another administrator changed how you sign in while you did this; sign in again";
    refused("changed-meanwhile", message.to_owned())
}

fn holder_of(actor: &Actor) -> Result<Holder, AppError> {
    match (&actor.administrator, &actor.token) {
        (Some(id), _) => Ok(Holder::Administrator(id.clone())),
        (None, Some(id)) => Ok(Holder::Token(id.clone())),
        (None, None) => Err(refused("no-session", "this is asked for within a session of the console".to_owned())),
    }
}

fn address_words(address: Option<IpAddr>) -> String {
    address.map_or_else(|| "this machine".to_owned(), |address| address.to_canonical().to_string())
}
