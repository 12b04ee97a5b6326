//! What one box finds beside devices: sites and accounts.

use crate::{Actor, App, AppError};
use provost_core::rights::Right;
use provost_store::FoundPlace;

/// A site or an account that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceView {
    /// `site` or `account`.
    pub kind: &'static str,
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// The name of a site's account.
    pub account_name: Option<String>,
}

/// More of one kind than anybody reads.
const MOST: u32 = 20;

impl App {
    /// Sites and accounts in the actor's scope whose name begins with this.
    ///
    /// # Errors
    /// [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn places_called(&self, begins: &str, by: &Actor) -> Result<Vec<PlaceView>, AppError> {
        by.has(Right::Read)?;
        // As the database does it: letters beyond ASCII are compared as they are.
        let begins = begins.trim().to_ascii_lowercase();
        if begins.is_empty() {
            return Ok(Vec::new());
        }
        let within = self.store.within(&by.scope).await?;
        let (sites, accounts) = self.store.places_called(&within, &begins, MOST).await?;
        let view =
            |kind| move |FoundPlace { id, name, account_name }: FoundPlace| PlaceView { kind, id, name, account_name };
        Ok(sites.into_iter().map(view("site")).chain(accounts.into_iter().map(view("account"))).collect())
    }
}
