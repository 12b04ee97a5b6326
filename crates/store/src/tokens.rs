//! Tokens that open the API and the console: their digests, what they may, and until when.

use crate::rows::{optional, parsed, time, unreadable};
use crate::sql::{Tx, query, query_as, query_scalar};
use crate::within::{Columns, Within};
use crate::{Audited, Page, Store, StoreError};
use provost_core::ids::{AccountId, SiteId, TokenId};
use provost_core::rights::{Role, Scope};
use provost_core::time::UnixMillis;
use sqlx::FromRow;

/// A token as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Id.
    pub id: TokenId,
    /// Whom it is for.
    pub name: Option<String>,
    /// What it may.
    pub role: Role,
    /// Where it may it.
    pub scope: Scope,
    /// When it was made.
    pub created: UnixMillis,
    /// From when on it opens nothing.
    pub expires: Option<UnixMillis>,
    /// When it was revoked.
    pub revoked: Option<UnixMillis>,
    /// When it was used last, to the minute.
    pub used: Option<UnixMillis>,
}

impl TokenRow {
    /// Whether it opens what it is for.
    pub fn is_open(&self, now: UnixMillis) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|expires| now < expires)
    }
}

/// How revoking a token ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// It opens nothing any more.
    Done,
    /// It was revoked before.
    Before,
    /// It is the last one that opens the whole server for its owner.
    LastOwner,
    /// There is none under this id.
    Missing,
}

#[derive(FromRow)]
struct TokenColumns {
    id: String,
    name: Option<String>,
    role: String,
    account: Option<String>,
    site: Option<String>,
    created_ms: i64,
    expires_ms: Option<i64>,
    revoked_ms: Option<i64>,
    used_ms: Option<i64>,
}

const SELECT: &str =
    "SELECT t.id, t.name, t.role, t.account, t.site, t.created_ms, t.expires_ms, t.revoked_ms, t.used_ms FROM tokens t";
const WHOSE: Columns = Columns { account: "t.account", site: "t.site" };

impl Store {
    /// Remembers a token by its digest.
    ///
    /// # Errors
    /// [`StoreError::Missing`] without such an account or site.
    pub async fn add_token(&self, digest: &[u8], token: &TokenRow) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        add(&mut tx, digest, token).await?;
        Ok(tx.commit().await?)
    }

    /// The token with this digest.
    pub async fn token(&self, digest: &[u8]) -> Result<Option<TokenRow>, StoreError> {
        let sql = format!("{SELECT} WHERE t.digest = $1");
        let row: Option<TokenColumns> =
            query_as(sqlx::AssertSqlSafe(sql)).bind(digest).fetch_optional(&self.read).await?;
        row.map(TokenRow::read).transpose()
    }

    /// The token with this id, if it is of this part.
    pub async fn token_by_id(&self, id: &TokenId, within: &Within) -> Result<Option<TokenRow>, StoreError> {
        let sql = format!("{SELECT} WHERE t.id = $1 AND {}", within.condition(&WHOSE, 2));
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(id.as_str()).within(within);
        let row: Option<TokenColumns> = query.fetch_optional(&self.read).await?;
        row.map(TokenRow::read).transpose()
    }

    /// Lists tokens by id, revoked and expired ones too.
    pub async fn tokens(&self, within: &Within, page: Page<'_>) -> Result<Vec<TokenRow>, StoreError> {
        let sql = format!("{SELECT} WHERE t.id > $1 AND {} ORDER BY t.id LIMIT $2", within.condition(&WHOSE, 3));
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(page.after).bind(i64::from(page.limit)).within(within);
        let rows: Vec<TokenColumns> = query.fetch_all(&self.read).await?;
        rows.into_iter().map(TokenRow::read).collect()
    }

    /// Remembers that a token was used now.
    pub async fn token_used(&self, id: &TokenId, now: UnixMillis) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE tokens SET used_ms = $2 WHERE id = $1";
        let mut tx = self.begin().await?;
        query(SQL).bind(id.as_str()).bind(now.0).execute(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    /// Whether there is any token.
    pub async fn has_tokens(&self) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM tokens";
        let count: i64 = query_scalar(SQL).fetch_one(&self.read).await?;
        Ok(count > 0)
    }
}

impl Audited<'_> {
    /// As [`Store::add_token`].
    pub async fn add_token(self, digest: &[u8], token: &TokenRow) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        add(&mut tx, digest, token).await?;
        self.commit(tx).await
    }

    /// Revokes a token, unless it is the last that opens the whole server for its owner.
    pub async fn revoke_token(self, id: &TokenId, now: UnixMillis) -> Result<Revoked, StoreError> {
        const STANDING: &str = "SELECT revoked_ms IS NOT NULL, role = 'owner' AND account IS NULL \
                                AND (expires_ms IS NULL OR expires_ms > $2) FROM tokens WHERE id = $1";
        // Only one without an end counts: the other would leave nobody when it expires.
        const OTHERS: &str = "SELECT COUNT(*) FROM tokens WHERE id <> $1 AND role = 'owner' AND account IS NULL \
                              AND revoked_ms IS NULL AND expires_ms IS NULL";
        const REVOKE: &str = "UPDATE tokens SET revoked_ms = $2 WHERE id = $1";
        let mut tx = self.begin().await?;
        let standing: Option<(bool, bool)> =
            query_as(STANDING).bind(id.as_str()).bind(now.0).fetch_optional(&mut tx).await?;
        match standing {
            None => return Ok(Revoked::Missing),
            Some((true, _)) => return Ok(Revoked::Before),
            Some((false, true)) => {
                let others: i64 = query_scalar(OTHERS).bind(id.as_str()).fetch_one(&mut tx).await?;
                if others == 0 {
                    return Ok(Revoked::LastOwner);
                }
            }
            Some((false, false)) => {}
        }
        query(REVOKE).bind(id.as_str()).bind(now.0).execute(&mut tx).await?;
        self.commit(tx).await?;
        Ok(Revoked::Done)
    }
}

async fn add(tx: &mut Tx, digest: &[u8], token: &TokenRow) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO tokens (digest, id, name, role, account, site, created_ms, expires_ms) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let (account, site) = match &token.scope {
        Scope::Platform => (None, None),
        Scope::Account(account) => (Some(account.as_str()), None),
        Scope::Site { account, site } => (Some(account.as_str()), Some(site.as_str())),
    };
    query(SQL)
        .bind(digest)
        .bind(token.id.as_str())
        .bind(&token.name)
        .bind(token.role.as_str())
        .bind(account)
        .bind(site)
        .bind(token.created.0)
        .bind(token.expires.map(|at| at.0))
        .execute(&mut *tx)
        .await
        .map_err(|error| StoreError::of_insert(error, "this token", "account or site"))?;
    Ok(())
}

impl TokenRow {
    fn read(row: TokenColumns) -> Result<Self, StoreError> {
        let account: Option<AccountId> = optional("tokens.account", row.account.as_deref())?;
        let site: Option<SiteId> = optional("tokens.site", row.site.as_deref())?;
        let scope = match (account, site) {
            (None, None) => Scope::Platform,
            (Some(account), None) => Scope::Account(account),
            (Some(account), Some(site)) => Scope::Site { account, site },
            (None, Some(site)) => return Err(unreadable("tokens.site", site)),
        };
        Ok(Self {
            id: parsed("tokens.id", &row.id)?,
            name: row.name,
            role: Role::from_word(&row.role).ok_or_else(|| unreadable("tokens.role", &row.role))?,
            scope,
            created: UnixMillis(row.created_ms),
            expires: time(row.expires_ms),
            revoked: time(row.revoked_ms),
            used: time(row.used_ms),
        })
    }
}
