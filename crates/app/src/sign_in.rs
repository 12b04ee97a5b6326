//! Signing in with a mail address and a password, and where somebody has one, with their authenticator.
//!
//! Decides in which order things are looked at. A try is counted before the password is; a name that nobody has costs
//! what a wrong password does, and is answered with the same words. Nothing is kept between the two steps: what the first
//! proved travels with the second, encrypted, for five minutes.

use crate::console_session::NewSession;
use crate::tokens::about;
use crate::{Actor, App, AppError, password_hash, totp};
use provost_core::rights::Role;
use provost_core::secret::Secret;
use provost_core::sign_in::{CLOCK_SLACK_MS, FREE_PER_NAME, sign_in_name};
use provost_core::time::UnixMillis;
use provost_core::tries::Tried;
use provost_store::{AdministratorRow, SignInTry, SignInTurn, Within};
use std::net::IpAddr;

/// How long the second step may take.
const SECOND_STEP_MS: i64 = 5 * 60_000;
const SECOND_STEP: &str = "sign-in/second-step";
/// The most of what a browser calls itself that is kept.
const MOST_BROWSER_CHARACTERS: usize = 200;

/// Whoever stands before the console.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// Their address.
    pub address: Option<IpAddr>,
    /// What their browser calls itself.
    pub browser: String,
}

/// How a try to sign in ended.
#[derive(Debug)]
pub enum SignIn {
    /// They are in.
    In(NewSession),
    /// The password was right; what comes with the authenticator's code goes on from there.
    Code(Secret),
    /// Wrong, or nobody's: which of them is not said.
    Wrong,
    /// Right, but the one-time password is over.
    Over,
    /// Nothing was looked at; the next try is, then.
    Wait(UnixMillis),
}

/// What became of a password that somebody was asked for.
pub(crate) enum Judged {
    Right(Box<AdministratorRow>),
    Wrong,
    Wait(UnixMillis),
}

impl Visitor {
    /// What counts as one address.
    pub(crate) fn source(&self) -> String {
        self.address.map_or_else(|| "this machine".to_owned(), |from| Tried::Page { from }.source())
    }

    /// What is kept of the browser's name.
    pub(crate) fn browser(&self) -> String {
        self.browser.chars().filter(|c| !c.is_control()).take(MOST_BROWSER_CHARACTERS).collect()
    }
}

impl App {
    /// The first step: name and password. `old` are the session cookies that come with it; their sessions end.
    ///
    /// # Errors
    /// [`AppError::Refused`] when too many sign in, [`AppError::Store`], [`AppError::Vault`].
    pub async fn sign_in(
        &self,
        (typed, password): (&str, &str),
        visitor: &Visitor,
        old: &[&str],
    ) -> Result<SignIn, AppError> {
        let row = match self.judge(typed, password, visitor).await? {
            Judged::Right(row) => *row,
            Judged::Wrong => return Ok(SignIn::Wrong),
            Judged::Wait(until) => return Ok(SignIn::Wait(until)),
        };
        if row.once_until.is_some_and(|until| self.now() >= until) {
            return Ok(SignIn::Over);
        }
        if row.totp.is_some() {
            return Ok(SignIn::Code(self.second_step(&row)?));
        }
        self.let_in(&row, visitor, old).await
    }

    /// The second step: what the first gave, and a code of the authenticator or a recovery code.
    ///
    /// # Errors
    /// [`AppError::Store`], [`AppError::Vault`].
    pub async fn sign_in_with_code(
        &self,
        (ticket, code): (&str, &str),
        visitor: &Visitor,
        old: &[&str],
    ) -> Result<SignIn, AppError> {
        let Some(row) = self.first_step_of(ticket).await? else { return Ok(SignIn::Wrong) };
        let name = self.try_name(&row.person.email);
        let tried = SignInTry { name: &name, source: &visitor.source(), now: self.now() };
        let before = match self.store.begin_sign_in(tried).await? {
            SignInTurn::Wait(until) => return Ok(SignIn::Wait(until)),
            SignInTurn::Look { before } => before,
        };
        if self.is_second_factor(&row, code).await? {
            return self.let_in(&row, visitor, old).await;
        }
        self.note_series(before, &row, visitor).await?;
        Ok(SignIn::Wrong)
    }

    /// Whether this is the password of that name: counted, and forgiven by whoever goes on.
    pub(crate) async fn judge(&self, typed: &str, password: &str, visitor: &Visitor) -> Result<Judged, AppError> {
        let email = sign_in_name(typed);
        let name = self.try_name(&email);
        let tried = SignInTry { name: &name, source: &visitor.source(), now: self.now() };
        let before = match self.store.begin_sign_in(tried).await? {
            SignInTurn::Wait(until) => return Ok(Judged::Wait(until)),
            SignInTurn::Look { before } => before,
        };
        let row = self.store.administrator_named(&email).await?;
        let able = row.as_ref().filter(|row| row.disabled.is_none());
        let hash = able.and_then(|row| row.password.as_deref());
        let fits = password_hash::is_password(password, hash).await?;
        match row {
            Some(row) if fits => Ok(Judged::Right(Box::new(row))),
            Some(row) => {
                self.note_series(before, &row, visitor).await?;
                Ok(Judged::Wrong)
            }
            // What nobody is called is written nowhere: whoever invents names would fill the audit log.
            None => Ok(Judged::Wrong),
        }
    }

    /// Forgets what was wrong before it was right.
    pub(crate) async fn forgive(&self, email: &str, visitor: &Visitor) -> Result<(), AppError> {
        let name = self.try_name(email);
        let tried = SignInTry { name: &name, source: &visitor.source(), now: self.now() };
        Ok(self.store.forgive_sign_in(tried).await?)
    }

    /// Whether the code is of a step not used before, or a recovery code that is left.
    pub(crate) async fn is_second_factor(&self, row: &AdministratorRow, code: &str) -> Result<bool, AppError> {
        let Some(sealed) = &row.totp else { return Ok(false) };
        let secret = self.vault.open(&totp::totp_owner(row.id.as_str()), sealed)?;
        if let Some(step) = totp::TotpSecret::from_stored(secret).step(code, self.now()) {
            return Ok(self.store.use_totp_step(&row.id, step).await?);
        }
        Ok(self.store.use_recovery_code(&row.id, &totp::recovery_digest(code)).await?)
    }

    /// Opens a session, if all that was judged still stands: in between, somebody may have been disabled, or his password
    /// changed or used up.
    async fn let_in(&self, row: &AdministratorRow, visitor: &Visitor, old: &[&str]) -> Result<SignIn, AppError> {
        let Some(session) = self.begin_session_of(row, visitor).await? else { return Ok(SignIn::Wrong) };
        // The session is there, and a one-time password is used up: whatever fails from here on keeps nobody out.
        if let Err(error) = self.forgive(&row.person.email, visitor).await {
            tracing::error!(%error, "wrong tries before a sign-in that went well could not be forgotten");
        }
        for old in old {
            if let Err(error) = self.drop_session(old).await {
                tracing::error!(%error, "the session of before could not be ended at a new sign-in");
            }
        }
        Ok(SignIn::In(session))
    }

    /// What the first step proved, until when, for a password that is not changed meanwhile.
    fn second_step(&self, row: &AdministratorRow) -> Result<Secret, AppError> {
        let until = self.now().plus_millis(SECOND_STEP_MS);
        let text = format!("{} {} {}", row.id, self.password_mark(row), until.0);
        Ok(Secret::new(hex::encode(self.vault.seal(SECOND_STEP, &text)?)))
    }

    /// What tells one password from another, and from one that was used up.
    fn password_mark(&self, row: &AdministratorRow) -> String {
        hex::encode(self.vault.tag("sign-in/password", row.password.as_deref().unwrap_or_default()))
    }

    async fn first_step_of(&self, ticket: &str) -> Result<Option<AdministratorRow>, AppError> {
        let opened = hex::decode(ticket).ok().and_then(|sealed| self.vault.open(SECOND_STEP, &sealed).ok());
        let Some(opened) = opened else { return Ok(None) };
        let mut words = opened.reveal().split(' ');
        let (Some(id), Some(mark), Some(until)) = (words.next(), words.next(), words.next()) else { return Ok(None) };
        let (Ok(id), Ok(until)) = (id.parse(), until.parse::<i64>()) else { return Ok(None) };
        let left = until.saturating_sub(self.now().0);
        // More than it ever had: the clock was set back.
        if !(1..=SECOND_STEP_MS.saturating_add(CLOCK_SLACK_MS)).contains(&left) {
            return Ok(None);
        }
        let row = self.store.administrator(&id, &Within::Everything).await?;
        let stands = |row: &AdministratorRow| {
            row.password.is_some() && self.password_mark(row) == mark && row.disabled.is_none() && row.totp.is_some()
        };
        Ok(row.filter(stands))
    }

    /// Writes down that there were many wrong tries: at the first that has to wait, and each time they doubled.
    async fn note_series(&self, before: usize, row: &AdministratorRow, visitor: &Visitor) -> Result<(), AppError> {
        let count = before.saturating_add(1);
        let doubled = count.checked_div(FREE_PER_NAME).unwrap_or(0);
        if count.checked_rem(FREE_PER_NAME) != Some(0) || !doubled.is_power_of_two() {
            return Ok(());
        }
        let what = format!("{count} wrong passwords or codes within a quarter of an hour for {}", row.person.email);
        let nobody = Actor { role: Role::ReadOnly, ..Actor::owner("sign-in page", visitor.address) };
        let entry = about(self.audit_entry(&nobody, what, None), &row.scope);
        Ok(self.store.audited(entry).only().await?)
    }

    /// What a sign-in name is counted under: people type passwords there by mistake.
    fn try_name(&self, email: &str) -> String {
        hex::encode(self.vault.tag("sign-in-name", email))
    }
}
