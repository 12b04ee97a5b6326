//! Administrators: people who sign in at the console, each with a role and a scope.
//!
//! Nobody makes one who may more than himself or reaches further, and nobody changes one who does. Passwords that somebody
//! else was shown work once.

use crate::inventory::fault;
use crate::tokens::{about, refused, role_within};
use crate::vault::token_digest;
use crate::{Actor, App, AppError, password_hash, totp};
use provost_core::entry::administrator::{AdministratorChange, AdministratorInput, Person};
use provost_core::ids::{AccountId, AdministratorId, SiteId};
use provost_core::rights::{Right, Role, Scope};
use provost_core::secret::Secret;
use provost_core::sign_in::ONCE_LASTS_DAYS;
use provost_core::time::UnixMillis;
use provost_store::{AdministratorChanged, AdministratorRow, Page, SetPassword};

/// What the first owner signs in as, until they say who they are.
const FIRST_OWNER: &str = "owner";
/// Others may change somebody at the same moment; more often than that is no accident.
const TRIES_OF_A_CHANGE: u32 = 5;
/// The first start may be long before the first sign-in.
const FIRST_LASTS_DAYS: i64 = 365;

/// An administrator as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AdministratorView {
    /// Id.
    pub id: String,
    /// The name to sign in with: a mail address, or `owner` before the first owner chose theirs.
    pub email: String,
    /// Name.
    pub name: String,
    /// What they may.
    pub role: &'static str,
    /// The account they are for; absent for the whole server.
    pub account: Option<String>,
    /// The one site they are for.
    pub site: Option<String>,
    /// Language tag.
    pub language: Option<String>,
    /// Whether they may not sign in.
    pub disabled: bool,
    /// Whether they have to choose a password before anything else.
    pub must_choose_password: bool,
    /// Whether signing in takes their authenticator too.
    pub totp: bool,
    /// When they were added, RFC 3339.
    pub created_at: String,
    /// When they signed in last.
    pub last_signed_in_at: Option<String>,
    /// Another after each change: sent back as `before`, a change is made only where nobody else made one meanwhile.
    pub fingerprint: String,
}

/// An administrator with a password that is shown once and works once.
#[derive(Debug)]
pub struct OneTimePassword {
    /// The password.
    pub password: Secret,
    /// Until when.
    pub until: UnixMillis,
    /// Whose it is.
    pub view: AdministratorView,
}

impl App {
    /// Makes the first owner, where nobody can sign in yet: the name to sign in with, and a password that works once.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn first_administrator(&self) -> Result<Option<OneTimePassword>, AppError> {
        if self.store.has_administrators().await? {
            return Ok(None);
        }
        let person = Person { email: FIRST_OWNER.to_owned(), name: "First owner".to_owned(), language: None };
        let row = self.new_row(person, Role::Owner, Scope::Platform);
        self.added(row, FIRST_LASTS_DAYS, &Actor::first_start()).await.map(Some)
    }

    /// Lists administrators of the actor's scope by id.
    ///
    /// # Errors
    /// [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn administrators(&self, page: Page<'_>, by: &Actor) -> Result<Vec<AdministratorView>, AppError> {
        by.has(Right::Tokens)?;
        let within = self.store.within(&by.scope).await?;
        Ok(self.store.administrators(&within, page).await?.into_iter().map(view).collect())
    }

    /// One administrator.
    ///
    /// # Errors
    /// [`AppError::NotFound`] outside the scope, [`AppError::Forbidden`].
    pub async fn administrator(&self, id: &AdministratorId, by: &Actor) -> Result<AdministratorView, AppError> {
        Ok(view(self.administrator_within(id, by).await?))
    }

    /// Adds an administrator with a password that is shown once and works once.
    ///
    /// # Errors
    /// [`AppError::Fields`] also for a role above the actor's own, [`AppError::NotFound`] for an account or site outside
    /// the scope, [`AppError::Conflict`] for a mail address in use, [`AppError::Forbidden`].
    pub async fn add_administrator(&self, input: AdministratorInput, by: &Actor) -> Result<OneTimePassword, AppError> {
        by.has(Right::Tokens)?;
        let AdministratorInput { email, name, role, account, site, language } = input;
        let role = role_within(&role, by.role)?;
        let person = Person::check(&email, &name, language, self.catalog())?;
        let scope = self.scope_within(account.as_deref(), site.as_deref(), by).await?;
        self.added(self.new_row(person, role, scope), ONCE_LASTS_DAYS, by).await
    }

    fn new_row(&self, person: Person, role: Role, scope: Scope) -> AdministratorRow {
        let now = self.now();
        AdministratorRow {
            id: AdministratorId::mint(now, &mut rand::rng()),
            person,
            role,
            scope,
            password: None,
            password_set: now,
            once_until: None,
            totp: None,
            disabled: None,
            created: now,
            signed_in: None,
        }
    }

    async fn added(&self, row: AdministratorRow, days: i64, by: &Actor) -> Result<OneTimePassword, AppError> {
        let password = totp::random_word();
        let until = row.created.plus_days(days);
        let hash = password_hash::hash(password.reveal()).await?;
        let row = AdministratorRow { password: Some(hash), once_until: Some(until), ..row };
        let entry = about(self.audit_entry(by, format!("added the {}", words(&row)), None), &row.scope);
        self.store.audited(entry).add_administrator(&row).await?;
        Ok(OneTimePassword { password, until, view: view(row) })
    }

    /// Changes who an administrator is, what they may, where, and whether they may sign in. Sessions end where what they
    /// may changes.
    ///
    /// # Errors
    /// As [`App::add_administrator`], and [`AppError::Refused`] for one above the actor's own role, for oneself where it
    /// would shut oneself out, and for the last owner of the whole server.
    pub async fn change_administrator(
        &self,
        id: &AdministratorId,
        change: AdministratorChange,
        by: &Actor,
    ) -> Result<AdministratorView, AppError> {
        for _ in 0..TRIES_OF_A_CHANGE {
            if let Some(view) = self.try_change(id, change.clone(), by).await? {
                return Ok(view);
            }
        }
        Err(AppError::Conflict { message: CHANGED_MEANWHILE.to_owned() })
    }

    /// Changes an administrator as far as nobody else does at the same moment; `None` where somebody did.
    async fn try_change(
        &self,
        id: &AdministratorId,
        change: AdministratorChange,
        by: &Actor,
    ) -> Result<Option<AdministratorView>, AppError> {
        let before = self.administrator_below(id, by).await?;
        if change.before.as_ref().is_some_and(|was| *was != fingerprint(&before)) {
            return Err(AppError::Conflict { message: CHANGED_MEANWHILE.to_owned() });
        }
        let role = change.role.as_deref().map_or(Ok(before.role), |word| role_within(word, by.role))?;
        let scope = self.changed_scope(&before.scope, (change.account, change.site), by).await?;
        let person = changed_person(&before.person, (change.email, change.name, change.language), self)?;
        let disabled = match change.disabled {
            Some(true) => before.disabled.or(Some(self.now())),
            Some(false) => None,
            None => before.disabled,
        };
        let may_less =
            role != before.role || scope != before.scope || (disabled.is_some() && before.disabled.is_none());
        if may_less && by.administrator.as_ref() == Some(id) {
            return Err(not_yourself());
        }
        if person.email != before.person.email && by.administrator.as_ref() == Some(id) {
            // A link to choose a password is mailed there: a session left open must not be enough to lead it elsewhere.
            return Err(fault("email", "this is your own; ask another administrator to change it".to_owned()));
        }
        let row = AdministratorRow { person, role, scope, disabled, ..before.clone() };
        let what = format!("changed the {} to {}", words(&before), after_words(&row));
        let entry = about(self.audit_entry(by, what, None), &row.scope);
        match self.store.audited(entry).change_administrator((&before, &row), may_less).await? {
            AdministratorChanged::Otherwise => Ok(None),
            done => ended(done, id).map(|()| Some(view(row))),
        }
    }

    /// Where somebody may what they may, after a change. What is absent stays; nobody comes to reach further because a
    /// part of it was left out.
    async fn changed_scope(
        &self,
        before: &Scope,
        change: (Option<Option<String>>, Option<Option<String>>),
        by: &Actor,
    ) -> Result<Scope, AppError> {
        let (account, site) = match (place_of(before), change) {
            (_, (None, None)) => return Ok(before.clone()),
            // As far as the actor reaches: only where that is what was written.
            (_, (Some(None), None | Some(None))) => return Ok(by.scope.clone()),
            ((account, _), (None, Some(None))) => (account.map(ToString::to_string), None),
            ((_, Some(site)), (Some(Some(account)), None)) => {
                let of = self.store.site(site).await?.map(|row| row.site.account.to_string());
                if of.as_ref() != Some(&account) {
                    let message =
                        format!("`{site}` is no site of that account; name one that is, or null for all of it");
                    return Err(fault("site", message));
                }
                (Some(account), Some(site.to_string()))
            }
            (_, (account, site)) => (account.flatten(), site.flatten()),
        };
        if account.is_none() && site.is_none() {
            return Ok(before.clone());
        }
        self.scope_within(account.as_deref(), site.as_deref(), by).await
    }

    /// Takes an administrator away.
    ///
    /// # Errors
    /// As [`App::change_administrator`].
    pub async fn remove_administrator(&self, id: &AdministratorId, by: &Actor) -> Result<AdministratorView, AppError> {
        let row = self.administrator_below(id, by).await?;
        if by.administrator.as_ref() == Some(id) {
            return Err(not_yourself());
        }
        let entry = about(self.audit_entry(by, format!("removed the {}", words(&row)), None), &row.scope);
        ended(self.store.audited(entry).remove_administrator(id).await?, id)?;
        Ok(view(row))
    }

    /// Gives an administrator a password that is shown once and works once; their sessions end. `with_totp` takes their
    /// authenticator away, for whoever lost it with its recovery codes.
    ///
    /// # Errors
    /// As [`App::change_administrator`].
    pub async fn reset_password(
        &self,
        id: &AdministratorId,
        with_totp: bool,
        by: &Actor,
    ) -> Result<OneTimePassword, AppError> {
        let row = self.administrator_below(id, by).await?;
        if by.administrator.as_ref() == Some(id) {
            let message = "this is yourself: change your password on the page My account, where the one you have is \
                           asked for, or ask another administrator to reset it";
            return Err(refused("yourself", message.to_owned()));
        }
        let password = totp::random_word();
        let now = self.now();
        let until = now.plus_days(ONCE_LASTS_DAYS);
        let hash = password_hash::hash(password.reveal()).await?;
        let also = if with_totp { " and took their authenticator away" } else { "" };
        let what = format!("reset the password of the {}{also}", words(&row));
        let entry = about(self.audit_entry(by, what, None), &row.scope);
        let set = SetPassword { hash: &hash, once_until: Some(until), now, was: None };
        if !self.store.audited(entry).set_password(id, set, with_totp).await? {
            return Err(missing(id));
        }
        let totp = row.totp.clone().filter(|_| !with_totp);
        let row = AdministratorRow { once_until: Some(until), totp, ..row };
        Ok(OneTimePassword { password, until, view: view(row) })
    }

    /// Ends every session of an administrator, and says how many there were.
    ///
    /// # Errors
    /// As [`App::change_administrator`].
    pub async fn end_sessions(&self, id: &AdministratorId, by: &Actor) -> Result<u64, AppError> {
        let row = self.administrator_below(id, by).await?;
        let what = format!("ended the sessions of the {}", words(&row));
        let entry = about(self.audit_entry(by, what, None), &row.scope);
        Ok(self.store.audited(entry).end_sessions(id).await?)
    }

    async fn administrator_within(&self, id: &AdministratorId, by: &Actor) -> Result<AdministratorRow, AppError> {
        by.has(Right::Tokens)?;
        let within = self.store.within(&by.scope).await?;
        self.store.administrator(id, &within).await?.ok_or_else(|| missing(id))
    }

    /// The administrator, if they may no more than the actor.
    async fn administrator_below(&self, id: &AdministratorId, by: &Actor) -> Result<AdministratorRow, AppError> {
        let row = self.administrator_within(id, by).await?;
        if row.role.is_within(by.role) {
            return Ok(row);
        }
        let message = format!("this is an administrator of the role {}, above your own", row.role);
        Err(refused("administrator-above", message))
    }
}

fn changed_person(
    before: &Person,
    (email, name, language): (Option<String>, Option<String>, Option<Option<String>>),
    app: &App,
) -> Result<Person, AppError> {
    let language = language.unwrap_or_else(|| before.language.clone());
    let same = email.as_ref().is_none_or(|email| *email == before.email);
    if same && before.email == FIRST_OWNER {
        // The one name that is no mail address stays until its owner chooses theirs.
        if name.is_some() {
            return Err(fault("name", "the first owner says who they are at their first sign-in".to_owned()));
        }
        return Ok(Person { language, ..before.clone() });
    }
    let (email, name) = (email.unwrap_or_else(|| before.email.clone()), name.unwrap_or_else(|| before.name.clone()));
    Ok(Person::check(&email, &name, language, app.catalog())?)
}

fn ended(done: AdministratorChanged, id: &AdministratorId) -> Result<(), AppError> {
    match done {
        AdministratorChanged::Done => Ok(()),
        AdministratorChanged::Missing => Err(missing(id)),
        AdministratorChanged::Otherwise => Err(AppError::Conflict { message: CHANGED_MEANWHILE.to_owned() }),
        AdministratorChanged::LastOwner => Err(refused(
            "last-owner",
            "this is the last owner of the whole server who can sign in; add another with the role owner first"
                .to_owned(),
        )),
    }
}

const CHANGED_MEANWHILE: &str = "somebody else changed this administrator meanwhile, so nothing was changed; look at what is there now, then try again";

/// What tells one state of an administrator from another, as far as a change is about it.
fn fingerprint(row: &AdministratorRow) -> String {
    let Person { email, name, language } = &row.person;
    let (account, site) = place_of(&row.scope);
    let text = format!("{:?}", (email, name, language, row.role, account, site, row.disabled));
    hex::encode(token_digest(&text))
}

const fn place_of(scope: &Scope) -> (Option<&AccountId>, Option<&SiteId>) {
    match scope {
        Scope::Platform => (None, None),
        Scope::Account(account) => (Some(account), None),
        Scope::Site { account, site } => (Some(account), Some(site)),
    }
}

fn missing(id: &AdministratorId) -> AppError {
    AppError::NotFound { what: "administrator", name: id.to_string() }
}

fn not_yourself() -> AppError {
    let message = "this is yourself, and you would shut yourself out; ask another administrator to do it";
    refused("yourself", message.to_owned())
}

/// The administrator as the audit log says it.
fn words(row: &AdministratorRow) -> String {
    format!("administrator {} {} ({})", row.person.email, row.id, standing(row))
}

fn after_words(row: &AdministratorRow) -> String {
    format!("{} ({})", row.person.email, standing(row))
}

fn standing(row: &AdministratorRow) -> String {
    let disabled = if row.disabled.is_some() { ", disabled" } else { "" };
    let reach = match &row.scope {
        Scope::Platform => "the whole server".to_owned(),
        Scope::Account(account) => account.to_string(),
        Scope::Site { site, .. } => site.to_string(),
    };
    format!("{}, {reach}{disabled}", row.role)
}

pub(crate) fn view(row: AdministratorRow) -> AdministratorView {
    let (account, site) = place_of(&row.scope);
    AdministratorView {
        fingerprint: fingerprint(&row),
        account: account.map(ToString::to_string),
        site: site.map(ToString::to_string),
        id: row.id.to_string(),
        email: row.person.email,
        name: row.person.name,
        role: row.role.as_str(),
        language: row.person.language,
        disabled: row.disabled.is_some(),
        must_choose_password: row.once_until.is_some(),
        totp: row.totp.is_some(),
        created_at: row.created.to_string(),
        last_signed_in_at: row.signed_in.map(|at| at.to_string()),
    }
}
