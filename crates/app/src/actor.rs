//! Who does something: what they may, how far that reaches, and what the audit log calls them.

use crate::{App, AppError, locked};
use provost_core::ids::{AccountId, AdministratorId, DeviceId, SiteId, TokenId};
use provost_core::rights::{Right, Role, Scope};
use provost_store::{AuditEntry, DeviceRow};
use std::net::IpAddr;

/// Who does something, from where, and what they may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// As the audit log says it.
    pub who: String,
    /// The address it was asked from; `None` is this machine.
    pub from: Option<IpAddr>,
    /// What they may.
    pub role: Role,
    /// Where they may it.
    pub scope: Scope,
    /// The token they showed, if they showed one.
    pub token: Option<TokenId>,
    /// The administrator they signed in as, if they did.
    pub administrator: Option<AdministratorId>,
    /// The request with a key that they sent, as the audit log keeps it.
    pub request: Option<String>,
}

impl Actor {
    /// An owner of the whole server.
    pub fn owner(who: impl Into<String>, from: Option<IpAddr>) -> Self {
        Self {
            who: who.into(),
            from,
            role: Role::Owner,
            scope: Scope::Platform,
            token: None,
            administrator: None,
            request: None,
        }
    }

    /// Whoever may open the data folder: its control socket, or a command beside a server that does not run.
    pub fn control_socket() -> Self {
        Self::owner("control socket", None)
    }

    /// The server itself at its first start.
    pub fn first_start() -> Self {
        Self::owner("first start", None)
    }

    /// The server for itself, where a phone and not an administrator asked: it shows no secrets.
    pub(crate) fn of_server() -> Self {
        Self { role: Role::ReadOnly, ..Self::owner("server", None) }
    }

    /// Whether the role has the right, wherever the scope reaches.
    ///
    /// # Errors
    /// [`AppError::Forbidden`].
    pub fn has(&self, right: Right) -> Result<(), AppError> {
        if self.role.may(right) { Ok(()) } else { Err(AppError::Forbidden { role: self.role, right }) }
    }

    /// Whether they may this to what belongs to the whole server.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] without the right, [`AppError::OutOfScope`] when the scope is an account or a site.
    pub fn may_platform(&self, right: Right) -> Result<(), AppError> {
        self.has(right)?;
        if self.scope == Scope::Platform { Ok(()) } else { Err(AppError::OutOfScope) }
    }
}

impl App {
    /// Whether the actor may do this in an account, or at a site of it.
    ///
    /// Whoever looks something up by its own id asks [`App::sees`] and answers as for an id that never was.
    ///
    /// # Errors
    /// [`AppError::NotFound`] outside the scope, exactly as for an account that never was; [`AppError::Forbidden`]
    /// inside it without the right; [`AppError::Store`].
    pub async fn may(
        &self,
        by: &Actor,
        right: Right,
        account: &AccountId,
        site: Option<&SiteId>,
    ) -> Result<(), AppError> {
        if !self.sees(by, account, site).await? {
            return Err(AppError::NotFound { what: "account", name: account.to_string() });
        }
        by.has(right)
    }

    /// Whether something of this account, or at this site of it, is in the actor's scope.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn sees(&self, by: &Actor, account: &AccountId, site: Option<&SiteId>) -> Result<bool, AppError> {
        match &by.scope {
            Scope::Platform => Ok(true),
            Scope::Account(top) if top == account => Ok(true),
            Scope::Account(top) => Ok(self.store.is_below(account, top).await?),
            Scope::Site { site: own, .. } => Ok(site == Some(own)),
        }
    }

    /// The device, if the actor may do this to it. A device without a user is at no site.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without such a device in the scope, [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn may_device(&self, by: &Actor, right: Right, id: &DeviceId) -> Result<DeviceRow, AppError> {
        let row = self.store.device(id).await?;
        let site = self.store.site_of_device(id).await?;
        match row {
            Some(row) if self.sees(by, &row.account, site.as_ref()).await? => {
                by.has(right)?;
                Ok(row)
            }
            _ => Err(AppError::NotFound { what: "device", name: id.to_string() }),
        }
    }

    /// The entry for what this actor is about to do; [`AuditEntry::about`] says in which account.
    pub(crate) fn audit_entry(&self, by: &Actor, what: String, why: Option<&str>) -> AuditEntry {
        let at = self.now();
        let (account, site) = match &by.scope {
            Scope::Platform => (None, None),
            Scope::Account(account) => (Some(account.clone()), None),
            Scope::Site { account, site } => (Some(account.clone()), Some(site.clone())),
        };
        AuditEntry {
            id: locked(&self.event_ids).next(at),
            at,
            who: by.who.clone(),
            what,
            why: why.map(ToOwned::to_owned),
            from: by.from.map_or("this machine".to_owned(), |address| address.to_string()),
            account,
            site,
            request: by.request.clone(),
        }
    }
}
