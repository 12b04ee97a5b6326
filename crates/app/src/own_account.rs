//! What an administrator does about himself: password, authenticator, recovery codes.
//!
//! Whoever changes what signs him in shows the password he has, so that a session left open is not enough. Every such
//! change ends all his sessions, and he goes on in a new one.

use crate::administrators::view;
use crate::console_session::{NewSession, OpenSession, changed_meanwhile};
use crate::inventory::fault;
use crate::sign_in::Judged;
use crate::tokens::refused;
use crate::totp::{TotpSecret, recovery_codes, recovery_digest, totp_owner};
use crate::{AdministratorView, App, AppError, Visitor, password_hash};
use provost_core::entry::administrator::Person;
use provost_core::secret::Secret;
use provost_core::sign_in::password_fault;
use provost_core::time::UnixMillis;
use provost_store::{AdministratorRow, Proven, SetPassword, Within};

/// How long an authenticator may take to be set up.
const SET_UP_MS: i64 = 15 * 60_000;

/// How a change of what signs somebody in ended.
#[derive(Debug)]
pub enum OwnChange<T> {
    /// It is done.
    Done(T),
    /// The password was wrong.
    WrongPassword,
    /// The code was wrong, or used before.
    WrongCode,
    /// Nothing was looked at; the next try is, then.
    Wait(UnixMillis),
}

/// What an administrator sees of himself.
#[derive(Debug)]
pub struct OwnAccountView {
    /// Who it is.
    pub view: AdministratorView,
    /// How many recovery codes are left.
    pub recovery_codes: i64,
}

/// An authenticator that is not in use yet.
#[derive(Debug)]
pub struct TotpOffer {
    /// What goes into it.
    pub secret: TotpSecret,
    /// As a QR code carries it.
    pub url: String,
    /// What comes back with its first code.
    pub ticket: Secret,
}

/// An authenticator that is in use now.
#[derive(Debug)]
pub struct TotpBegun {
    /// The session to go on in.
    pub session: NewSession,
    /// The recovery codes, shown this once.
    pub codes: Vec<Secret>,
}

impl App {
    /// What an administrator sees of himself; `None` for a session of a token.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn own_account(&self, session: &OpenSession) -> Result<Option<OwnAccountView>, AppError> {
        let Some(id) = &session.actor.administrator else { return Ok(None) };
        let Some(row) = self.store.administrator(id, &Within::Everything).await? else { return Ok(None) };
        let recovery_codes = self.store.recovery_codes_left(id).await?;
        Ok(Some(OwnAccountView { view: view(row), recovery_codes }))
    }

    /// Says who the holder of a one-time password is, with a password of his own.
    ///
    /// # Errors
    /// [`AppError::Fields`], [`AppError::Conflict`] for a mail address in use.
    pub async fn settle(
        &self,
        session: &OpenSession,
        (email, name, password): (&str, &str, &str),
        visitor: &Visitor,
    ) -> Result<NewSession, AppError> {
        let row = self.own_row(session).await?;
        if row.once_until.is_none() {
            return Err(refused("settled", "a password was chosen already; sign in with it".to_owned()));
        }
        let person = Person::check(email, name, row.person.language.clone(), self.catalog())?;
        check_password(password, &person)?;
        let hash = password_hash::hash(password).await?;
        let what = format!("chose a password of their own as {}", person.email);
        let entry = self.audit_entry(&session.actor, what, None);
        let set = SetPassword { hash: &hash, once_until: None, now: self.now(), was: None };
        if !self.store.audited(entry).settle_administrator(&row.id, &person, set).await? {
            return Err(changed_meanwhile());
        }
        self.forgive(&person.email, visitor).await?;
        self.go_on(Proven { id: &row.id, hash: &hash }, visitor).await
    }

    /// Changes the password of whoever asks.
    ///
    /// # Errors
    /// [`AppError::Fields`] for a password that will not do.
    pub async fn change_own_password(
        &self,
        session: &OpenSession,
        (current, password): (&str, &str),
        visitor: &Visitor,
    ) -> Result<OwnChange<NewSession>, AppError> {
        let own = self.own_row(session).await?;
        check_password(password, &own.person)?;
        let row = match self.proven(&own, current, visitor).await? {
            OwnChange::Done(row) => row,
            other => return Ok(other.without()),
        };
        let hash = password_hash::hash(password).await?;
        let entry = self.audit_entry(&session.actor, "changed their password".to_owned(), None);
        let was = Some(proven_hash(&row)?);
        let set = SetPassword { hash: &hash, once_until: None, now: self.now(), was };
        if !self.store.audited(entry).set_password(&row.id, set, false).await? {
            return Err(changed_meanwhile());
        }
        Ok(OwnChange::Done(self.go_on(Proven { id: &row.id, hash: &hash }, visitor).await?))
    }

    /// Offers an authenticator to whoever asks; nothing changes before its first code came.
    ///
    /// # Errors
    /// [`AppError::Vault`].
    pub async fn offer_totp(&self, session: &OpenSession) -> Result<TotpOffer, AppError> {
        let row = self.own_row(session).await?;
        let secret = TotpSecret::draw();
        self.offer_of(&row, secret)
    }

    /// The same offer once more, because the code was wrong.
    ///
    /// # Errors
    /// [`AppError::Refused`] once it is over.
    pub async fn offer_totp_again(&self, session: &OpenSession, ticket: &str) -> Result<TotpOffer, AppError> {
        let row = self.own_row(session).await?;
        let secret = self.offered(&row, ticket)?;
        self.offer_of(&row, secret)
    }

    fn offer_of(&self, row: &AdministratorRow, secret: TotpSecret) -> Result<TotpOffer, AppError> {
        let until = self.now().plus_millis(SET_UP_MS);
        let text = format!("{} {}", until.0, secret.reveal());
        let ticket = Secret::new(hex::encode(self.vault.seal(&offer_owner(row), &text)?));
        let url = secret.url(&row.person.email)?;
        Ok(TotpOffer { secret, url, ticket })
    }

    fn offered(&self, row: &AdministratorRow, ticket: &str) -> Result<TotpSecret, AppError> {
        let over = || refused("totp-over", "this took too long; begin again".to_owned());
        let opened = hex::decode(ticket).ok().and_then(|sealed| self.vault.open(&offer_owner(row), &sealed).ok());
        let opened = opened.ok_or_else(over)?;
        let (until, secret) = opened.reveal().split_once(' ').ok_or_else(over)?;
        let until: i64 = until.parse().map_err(|_| over())?;
        if self.now().0 >= until { Err(over()) } else { Ok(TotpSecret::from_stored(Secret::from(secret))) }
    }

    /// Takes an offered authenticator into use, by its first code and the password.
    ///
    /// # Errors
    /// [`AppError::Refused`] once the offer is over, [`AppError::Vault`].
    pub async fn begin_totp(
        &self,
        session: &OpenSession,
        (ticket, code, password): (&str, &str, &str),
        visitor: &Visitor,
    ) -> Result<OwnChange<TotpBegun>, AppError> {
        let own = self.own_row(session).await?;
        let secret = self.offered(&own, ticket)?;
        let row = match self.proven(&own, password, visitor).await? {
            OwnChange::Done(row) => row,
            other => return Ok(other.without()),
        };
        let Some(step) = secret.step(code, self.now()) else { return Ok(OwnChange::WrongCode) };
        let sealed = self.vault.seal(&totp_owner(row.id.as_str()), secret.reveal())?;
        let codes = recovery_codes();
        let digests: Vec<_> = codes.iter().map(|code| recovery_digest(code.reveal())).collect();
        let entry = self.audit_entry(&session.actor, "set up their authenticator".to_owned(), None);
        let proven = Proven { id: &row.id, hash: proven_hash(&row)? };
        if !self.store.audited(entry).begin_totp(proven, (&sealed, step), &digests).await? {
            return Err(changed_meanwhile());
        }
        Ok(OwnChange::Done(TotpBegun { session: self.go_on(proven, visitor).await?, codes }))
    }

    /// Signs in without the authenticator from now on.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn end_totp(
        &self,
        session: &OpenSession,
        password: &str,
        visitor: &Visitor,
    ) -> Result<OwnChange<NewSession>, AppError> {
        let own = self.own_row(session).await?;
        let row = match self.proven(&own, password, visitor).await? {
            OwnChange::Done(row) => row,
            other => return Ok(other.without()),
        };
        let entry = self.audit_entry(&session.actor, "took their authenticator away".to_owned(), None);
        let proven = Proven { id: &row.id, hash: proven_hash(&row)? };
        if !self.store.audited(entry).end_totp(proven).await? {
            return Err(changed_meanwhile());
        }
        Ok(OwnChange::Done(self.go_on(proven, visitor).await?))
    }

    /// Other recovery codes in the place of those there were.
    ///
    /// # Errors
    /// [`AppError::Refused`] without an authenticator.
    pub async fn renew_recovery_codes(
        &self,
        session: &OpenSession,
        password: &str,
        visitor: &Visitor,
    ) -> Result<OwnChange<Vec<Secret>>, AppError> {
        let own = self.own_row(session).await?;
        if own.totp.is_none() {
            return Err(refused(
                "no-totp",
                "recovery codes stand in for an authenticator; set one up first".to_owned(),
            ));
        }
        let row = match self.proven(&own, password, visitor).await? {
            OwnChange::Done(row) => row,
            other => return Ok(other.without()),
        };
        let codes = recovery_codes();
        let digests: Vec<_> = codes.iter().map(|code| recovery_digest(code.reveal())).collect();
        let entry = self.audit_entry(&session.actor, "made new recovery codes".to_owned(), None);
        let proven = Proven { id: &row.id, hash: proven_hash(&row)? };
        if !self.store.audited(entry).renew_recovery_codes(proven, &digests).await? {
            return Err(changed_meanwhile());
        }
        Ok(OwnChange::Done(codes))
    }

    async fn own_row(&self, session: &OpenSession) -> Result<AdministratorRow, AppError> {
        let of_token = || {
            let words = "this session was begun with a token, which has no password; sign in with your mail address";
            refused("no-administrator", words.to_owned())
        };
        let id = session.actor.administrator.as_ref().ok_or_else(of_token)?;
        self.store.administrator(id, &Within::Everything).await?.ok_or_else(of_token)
    }

    /// Whether this is the password of whoever asks; guessing it is limited as at the sign-in page.
    async fn proven(
        &self,
        own: &AdministratorRow,
        password: &str,
        visitor: &Visitor,
    ) -> Result<OwnChange<Box<AdministratorRow>>, AppError> {
        match self.judge(&own.person.email, password, visitor).await? {
            Judged::Right(row) => {
                self.forgive(&row.person.email, visitor).await?;
                Ok(OwnChange::Done(row))
            }
            Judged::Wrong => Ok(OwnChange::WrongPassword),
            Judged::Wait(until) => Ok(OwnChange::Wait(until)),
        }
    }
}

impl<T> OwnChange<T> {
    /// The same end of something else, which was not done.
    fn without<U>(self) -> OwnChange<U> {
        match self {
            Self::Done(_) | Self::WrongPassword => OwnChange::WrongPassword,
            Self::WrongCode => OwnChange::WrongCode,
            Self::Wait(until) => OwnChange::Wait(until),
        }
    }
}

/// The hash of the password that was just shown to fit.
fn proven_hash(row: &AdministratorRow) -> Result<&str, AppError> {
    row.password.as_deref().ok_or_else(changed_meanwhile)
}

fn offer_owner(row: &AdministratorRow) -> String {
    format!("{}/totp-offer", row.id)
}

pub(crate) fn check_password(password: &str, person: &Person) -> Result<(), AppError> {
    match password_fault(password, &person.email, &person.name) {
        Some(wrong) => Err(fault("password", wrong)),
        None => Ok(()),
    }
}
