//! Tokens: long random words that open the API and the page.

use crate::vault::token_digest;
use crate::{Actor, App, AppError};
use provost_core::secret::Secret;
use rand::Rng;

const OWNER: &str = "owner";
const TOKEN_BYTES: usize = 24;

impl App {
    /// Makes the owner's token at the first start; `None` when there is one already.
    ///
    /// Only its hash is kept, so it can be shown this once.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn first_owner_token(&self) -> Result<Option<Secret>, AppError> {
        if self.store.has_tokens().await? {
            return Ok(None);
        }
        self.add_owner_token(&Actor::first_start()).await.map(Some)
    }

    /// Makes another owner's token, to be shown this once.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn add_owner_token(&self, by: &Actor) -> Result<Secret, AppError> {
        let mut bytes = [0u8; TOKEN_BYTES];
        rand::rng().fill_bytes(&mut bytes);
        let token = format!("pvt_{}", hex::encode(bytes));
        let entry = self.audit_entry(by, "made an owner token".to_owned(), None);
        self.store.audited(entry).add_token(&token_digest(&token), OWNER, self.now()).await?;
        Ok(Secret::new(token))
    }

    /// Whether the text is a token of this server.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn token_is_good(&self, token: &str) -> Result<bool, AppError> {
        // Looked up by hash: the comparison in the database tells nothing of the token.
        Ok(self.store.token_role(&token_digest(token)).await?.is_some_and(|role| role == OWNER))
    }
}
