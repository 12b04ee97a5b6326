//! Accounts: customers, and customers of customers.

use super::{AccountView, ClaimantView, fault};
use crate::{Actor, App, AppError};
use provost_core::entry::AccountInput;
use provost_core::ids::AccountId;
use provost_core::mac::MacAddr;
use provost_core::rights::{Right, Scope};
use provost_store::{AccountRow, Page};

/// A provider, resellers, their customers, their branches: deeper is a mistake, and paths stay short.
const MOST_LEVELS: usize = 8;

impl App {
    /// Adds an account, at the top or below another.
    ///
    /// # Errors
    /// [`AppError::Fields`], [`AppError::NotFound`] without such a parent, [`AppError::Forbidden`].
    pub async fn add_account(&self, input: AccountInput, by: &Actor) -> Result<AccountView, AppError> {
        by.has(Right::Change)?;
        let new = input.check(&self.catalog)?;
        let id = AccountId::mint(self.now(), &mut rand::rng());
        match &new.parent {
            Some(parent) => {
                self.may(by, Right::Change, parent, None).await?;
                let row = self.store.account(parent).await?;
                let row = row.ok_or_else(|| AppError::NotFound { what: "account", name: parent.to_string() })?;
                if row.depth >= MOST_LEVELS {
                    let message = format!(
                        "{} is on level {MOST_LEVELS} of the tree already, which is the lowest; add it further up",
                        row.name
                    );
                    return Err(fault("parent", message));
                }
            }
            None if by.scope == Scope::Platform => {}
            None => {
                let message = "your token may add accounts below its own only; name the account it shall be below";
                return Err(fault("parent", message.to_owned()));
            }
        }
        let entry = self.audit_entry(by, format!("added the account {id}, {}", new.name), None).about(&id, None);
        self.store.audited(entry).add_account(&id, &new.name, new.parent.as_ref(), self.now()).await?;
        Ok(AccountView { id: id.to_string(), name: new.name, parent: new.parent.map(|parent| parent.to_string()) })
    }

    /// Lists accounts.
    ///
    /// # Errors
    /// [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn accounts(&self, page: Page<'_>, by: &Actor) -> Result<Vec<AccountView>, AppError> {
        by.has(Right::Read)?;
        let within = self.store.within(&by.scope).await?;
        Ok(self.store.accounts(&within, page).await?.into_iter().map(account_view).collect())
    }

    /// One account.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`].
    pub async fn account(&self, id: &AccountId, by: &Actor) -> Result<AccountView, AppError> {
        // Whoever sees a site sees the account it belongs to.
        let is_of_site = matches!(&by.scope, Scope::Site { account, .. } if account == id);
        match self.store.account(id).await? {
            Some(row) if is_of_site || self.sees(by, id, None).await? => {
                by.has(Right::Read)?;
                Ok(account_view(row))
            }
            _ => Err(AppError::NotFound { what: "account", name: id.to_string() }),
        }
    }

    /// Gives an account another name.
    ///
    /// # Errors
    /// [`AppError::Fields`], [`AppError::NotFound`], [`AppError::Forbidden`].
    pub async fn rename_account(&self, id: &AccountId, name: String, by: &Actor) -> Result<AccountView, AppError> {
        self.may(by, Right::Change, id, None).await?;
        let new = AccountInput { name, parent: None }.check(&self.catalog)?;
        let was = self.account(id, by).await?.name;
        let entry = self.audit_entry(by, format!("renamed the account {id} from {was} to {}", new.name), None);
        self.store.audited(entry.about(id, None)).rename_account(id, &new.name).await?;
        self.account(id, by).await
    }

    /// The devices that name this phone or have it, if there are several and the actor sees them all.
    pub(crate) async fn clash(&self, mac: MacAddr, by: &Actor) -> Result<Vec<ClaimantView>, AppError> {
        let claimants = self.store.claimants(mac).await?;
        if claimants.len() < 2 {
            return Ok(Vec::new());
        }
        for claimant in &claimants {
            if !self.sees(by, &claimant.account, claimant.site.as_ref()).await? {
                return Ok(Vec::new());
            }
        }
        let view = |claimant: provost_store::Claimant| ClaimantView {
            device: claimant.device.to_string(),
            account: claimant.account.to_string(),
        };
        Ok(claimants.into_iter().map(view).collect())
    }
}

fn account_view(row: AccountRow) -> AccountView {
    AccountView { id: row.id.to_string(), name: row.name, parent: row.parent.map(|parent| parent.to_string()) }
}
