//! Tokens: long random words that open the API and the console, each for a role and a scope.
//!
//! Nobody makes a token that may more than himself, or reaches further. Only its hash is kept, so a token is shown once.

use crate::inventory::fault;
use crate::vault::token_digest;
use crate::{Actor, App, AppError, error_reference};
use provost_core::ids::{AccountId, SiteId, TokenId};
use provost_core::rights::{Right, Role, Scope};
use provost_core::secret::Secret;
use provost_core::time::UnixMillis;
use provost_store::{AuditEntry, Page, Revoked, TokenRow};
use rand::Rng;
use std::net::IpAddr;

const TOKEN_BYTES: usize = 24;
const MOST_NAME_CHARACTERS: usize = 100;
const MOST_DAYS: u32 = 3650;
/// Between two writes of when a token was used.
const USED_EVERY_MS: i64 = 60_000;

/// `POST /tokens`.
#[derive(Debug, Clone, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TokenInput {
    /// What it may: a role's word.
    pub role: String,
    /// Whom it is for.
    pub name: Option<String>,
    /// The account it is for, with all below; by default as far as its maker reaches.
    pub account: Option<String>,
    /// The one site it is for.
    pub site: Option<String>,
    /// After how many days it ends; by default never.
    pub expires_in_days: Option<u32>,
}

/// A token as shown: never the word itself.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TokenView {
    /// Id.
    pub id: String,
    /// Whom it is for.
    pub name: Option<String>,
    /// What it may.
    pub role: &'static str,
    /// The account it is for; absent for the whole server.
    pub account: Option<String>,
    /// The one site it is for.
    pub site: Option<String>,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// When it ends.
    pub expires_at: Option<String>,
    /// When it was revoked.
    pub revoked_at: Option<String>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<String>,
}

/// A token just made.
#[derive(Debug)]
pub struct NewToken {
    /// The word, shown this once.
    pub token: Secret,
    /// What it is.
    pub view: TokenView,
}

/// What a token opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// What its actor may.
    Good(Actor),
    /// Nothing any more, since then.
    Expired(UnixMillis),
    /// Nothing: revoked, or never made here.
    Unknown,
}

impl App {
    /// Makes the owner's token at the first start; `None` when there is one already.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn first_owner_token(&self) -> Result<Option<Secret>, AppError> {
        if self.store.has_tokens().await? {
            return Ok(None);
        }
        self.add_owner_token(&Actor::first_start()).await.map(Some)
    }

    /// Makes another token of an owner of the whole server, without a name or an end.
    ///
    /// # Errors
    /// As [`App::add_token`].
    pub async fn add_owner_token(&self, by: &Actor) -> Result<Secret, AppError> {
        let input = TokenInput { role: Role::Owner.as_str().to_owned(), ..TokenInput::default() };
        Ok(self.add_token(input, by).await?.token)
    }

    /// Makes a token.
    ///
    /// # Errors
    /// [`AppError::Fields`] also for a role above the actor's own, [`AppError::NotFound`] for an account or site outside
    /// the scope, [`AppError::Forbidden`].
    pub async fn add_token(&self, input: TokenInput, by: &Actor) -> Result<NewToken, AppError> {
        by.has(Right::Tokens)?;
        let role = role_within(&input.role, by.role)?;
        let name = checked_name(input.name)?;
        let scope = self.scope_within(input.account.as_deref(), input.site.as_deref(), by).await?;
        let created = self.now();
        let expires = match input.expires_in_days {
            None => None,
            Some(days @ 1..=MOST_DAYS) => Some(created.plus_days(days.into())),
            Some(days) => return Err(fault("expires-in-days", format!("{days} is not within 1 to {MOST_DAYS}"))),
        };
        let id = TokenId::mint(created, &mut rand::rng());
        let row = TokenRow { id, name, role, scope, created, expires, revoked: None, used: None };
        let mut bytes = [0u8; TOKEN_BYTES];
        rand::rng().fill_bytes(&mut bytes);
        let token = format!("pvt_{}", hex::encode(bytes));
        let entry = about(self.audit_entry(by, format!("made the {}", words(&row)), None), &row.scope);
        self.store.audited(entry).add_token(&token_digest(&token), &row).await?;
        Ok(NewToken { token: Secret::new(token), view: view(row) })
    }

    /// The scope that is asked for, which lies within the actor's own.
    pub(crate) async fn scope_within(
        &self,
        account: Option<&str>,
        site: Option<&str>,
        by: &Actor,
    ) -> Result<Scope, AppError> {
        let site = site.map(|text| parsed::<SiteId>("site", text)).transpose()?;
        let account = account.map(|text| parsed::<AccountId>("account", text)).transpose()?;
        match (account, site) {
            (None, None) => Ok(by.scope.clone()),
            (account, Some(site)) => {
                let of = self.may_site(by, Right::Tokens, &site).await?;
                if account.is_some_and(|account| account != of) {
                    return Err(fault("site", format!("`{site}` is no site of this account")));
                }
                Ok(Scope::Site { account: of, site })
            }
            (Some(account), None) => {
                let missing = || AppError::NotFound { what: "account", name: account.to_string() };
                self.may(by, Right::Tokens, &account, None).await?;
                self.store.account(&account).await?.ok_or_else(missing)?;
                Ok(Scope::Account(account))
            }
        }
    }

    /// Lists tokens of the actor's scope by id, revoked and expired ones too.
    ///
    /// # Errors
    /// [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn tokens(&self, page: Page<'_>, by: &Actor) -> Result<Vec<TokenView>, AppError> {
        by.has(Right::Tokens)?;
        let within = self.store.within(&by.scope).await?;
        Ok(self.store.tokens(&within, page).await?.into_iter().map(view).collect())
    }

    /// Revokes a token: it opens nothing from now on, and console sessions begun with it end.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Refused`] for the last owner of the whole server, for one above the actor's own
    /// role, and for one revoked before, [`AppError::Forbidden`].
    pub async fn revoke_token(&self, id: &TokenId, by: &Actor) -> Result<TokenView, AppError> {
        by.has(Right::Tokens)?;
        let within = self.store.within(&by.scope).await?;
        let missing = || AppError::NotFound { what: "token", name: id.to_string() };
        let row = self.store.token_by_id(id, &within).await?.ok_or_else(missing)?;
        if !row.role.is_within(by.role) {
            return Err(refused("token-above", format!("this is a token of the role {}, above your own", row.role)));
        }
        let now = self.now();
        let entry = about(self.audit_entry(by, format!("revoked the {}", words(&row)), None), &row.scope);
        match self.store.audited(entry).revoke_token(id, now).await? {
            Revoked::Done => Ok(view(TokenRow { revoked: Some(now), ..row })),
            Revoked::Missing => Err(missing()),
            Revoked::Before => Err(refused("token-revoked", "this token was revoked before".to_owned())),
            Revoked::LastOwner => Err(refused(
                "last-owner-token",
                "this is the last token of an owner of the whole server that does not expire: without it nobody could \
                 come in from outside; make another with `provost token create --role owner`, then revoke this one"
                    .to_owned(),
            )),
        }
    }

    /// What a token opens, for whoever shows it from this address.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn shown_token(&self, token: &str, from: Option<IpAddr>) -> Result<Shown, AppError> {
        // Looked up by hash: the comparison in the database tells nothing of the token.
        match self.store.token(&token_digest(token)).await? {
            Some(row) => self.opened(row, from).await,
            None => Ok(Shown::Unknown),
        }
    }

    /// As [`App::shown_token`], of a token that was shown before.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn token_again(&self, id: &TokenId, from: Option<IpAddr>) -> Result<Shown, AppError> {
        match self.store.token_by_id(id, &provost_store::Within::Everything).await? {
            Some(row) => self.opened(row, from).await,
            None => Ok(Shown::Unknown),
        }
    }

    async fn opened(&self, row: TokenRow, from: Option<IpAddr>) -> Result<Shown, AppError> {
        let now = self.now();
        if !row.is_open(now) {
            let expired = row.expires.filter(|_| row.revoked.is_none());
            return Ok(expired.map_or(Shown::Unknown, Shown::Expired));
        }
        // Also after the clock was set back: the next use is written again.
        let is_fresh = |used: UnixMillis| (0..USED_EVERY_MS).contains(&now.0.saturating_sub(used.0));
        if !row.used.is_some_and(is_fresh)
            && let Err(error) = self.store.token_used(&row.id, now).await
        {
            // A full disk must not lock out those who could make room.
            tracing::warn!(token.id = %row.id, %error, "when a token was used could not be stored");
        }
        let name = row.name.as_deref().unwrap_or(row.id.as_str());
        let who = format!("token \"{name}\" ({})", row.role);
        let (role, scope, token) = (row.role, row.scope, Some(row.id));
        Ok(Shown::Good(Actor { who, from, role, scope, token, administrator: None, request: None }))
    }
}

pub(crate) fn role_within(word: &str, own: Role) -> Result<Role, AppError> {
    let Some(role) = Role::from_word(word) else {
        let known: Vec<&str> = Role::ALL.into_iter().map(Role::as_str).collect();
        return Err(fault("role", format!("there is no role `{word}`; write one of {}", known.join(", "))));
    };
    if !role.is_within(own) {
        return Err(fault("role", format!("the role {role} may more than your own, which is {own}")));
    }
    Ok(role)
}

fn checked_name(name: Option<String>) -> Result<Option<String>, AppError> {
    let Some(name) = name else { return Ok(None) };
    // It stands in quotes in the audit log.
    let is_bad = |c: char| c.is_control() || c == '"';
    if name.trim().is_empty() || name.chars().count() > MOST_NAME_CHARACTERS || name.chars().any(is_bad) {
        let message = format!("write 1 to {MOST_NAME_CHARACTERS} characters without quotes or control characters");
        return Err(fault("name", message));
    }
    Ok(Some(name))
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(field: &str, text: &str) -> Result<T, AppError> {
    text.parse().map_err(|error: T::Err| fault(field, error.to_string()))
}

pub(crate) fn refused(code: &'static str, message: String) -> AppError {
    AppError::Refused { code, message, reference: error_reference() }
}

/// The token as the audit log says it.
fn words(row: &TokenRow) -> String {
    let name = row.name.as_ref().map_or(String::new(), |name| format!(" \"{name}\""));
    let reach = match &row.scope {
        Scope::Platform => "the whole server".to_owned(),
        Scope::Account(account) => account.to_string(),
        Scope::Site { site, .. } => site.to_string(),
    };
    let end = row.expires.map_or(String::new(), |at| format!(" until {at}"));
    format!("token{name} {} ({}, {reach}){end}", row.id, row.role)
}

pub(crate) fn about(entry: AuditEntry, scope: &Scope) -> AuditEntry {
    match scope {
        Scope::Platform => entry,
        Scope::Account(account) => entry.about(account, None),
        Scope::Site { account, site } => entry.about(account, Some(site)),
    }
}

fn view(row: TokenRow) -> TokenView {
    let (account, site) = match row.scope {
        Scope::Platform => (None, None),
        Scope::Account(account) => (Some(account.to_string()), None),
        Scope::Site { account, site } => (Some(account.to_string()), Some(site.to_string())),
    };
    let at = |time: Option<UnixMillis>| time.map(|at| at.to_string());
    TokenView {
        id: row.id.to_string(),
        name: row.name,
        role: row.role.as_str(),
        account,
        site,
        created_at: row.created.to_string(),
        expires_at: at(row.expires),
        revoked_at: at(row.revoked),
        last_used_at: at(row.used),
    }
}
