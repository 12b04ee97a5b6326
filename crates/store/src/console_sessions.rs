//! Sessions of the console: found by the hash of a cookie, each an administrator's or begun with a token.

use crate::administrators::{Proven, SetPassword, end_of, still_proven, write_password};
use crate::rows::{parsed, unreadable};
use crate::sql::{Tx, query, query_as, query_scalar};
use crate::{Audited, Store, StoreError};
use provost_core::ids::{AdministratorId, TokenId};
use provost_core::sign_in::{
    CLOCK_SLACK_MS, LINK_AGAIN_MS, LINK_LASTS_MS, MOST_LINKS, MOST_SESSIONS, SESSION_IDLE_MS, SESSION_LASTS_MS,
};
use provost_core::time::UnixMillis;
use sqlx::FromRow;

/// Whose a session is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// Somebody who signed in.
    Administrator(AdministratorId),
    /// Whoever showed this token.
    Token(TokenId),
}

/// An open session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Its name, which opens nothing.
    pub id: String,
    /// Whose it is.
    pub holder: Holder,
    /// The address it was used from last.
    pub address: String,
    /// What the browser called itself when it began.
    pub browser: String,
    /// When it began.
    pub began: UnixMillis,
    /// When it was used last, to the minute.
    pub used: UnixMillis,
}

#[derive(FromRow)]
struct SessionColumns {
    id: String,
    administrator: Option<String>,
    token: Option<String>,
    address: String,
    browser: String,
    began_ms: i64,
    used_ms: i64,
}

const SELECT: &str =
    "SELECT s.id, s.administrator, s.token, s.address, s.browser, s.began_ms, s.used_ms FROM console_sessions s";

impl Store {
    /// The session with this digest, over or not.
    pub async fn session(&self, digest: &[u8]) -> Result<Option<SessionRow>, StoreError> {
        let sql = format!("{SELECT} WHERE s.digest = $1");
        let row: Option<SessionColumns> =
            query_as(sqlx::AssertSqlSafe(sql)).bind(digest).fetch_optional(&self.read).await?;
        row.map(SessionRow::read).transpose()
    }

    /// Somebody's open sessions, the one used last first.
    pub async fn sessions_of(&self, holder: &Holder, now: UnixMillis) -> Result<Vec<SessionRow>, StoreError> {
        let (column, id) = holder.column();
        let sql = format!(
            "{SELECT} WHERE s.{column} = $1 AND s.began_ms > $2 AND s.used_ms > $3 AND s.used_ms <= $4 \
             ORDER BY s.used_ms DESC, s.id DESC"
        );
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(id).bind(began_after(now)).bind(used_after(now));
        let query = query.bind(now.plus_millis(CLOCK_SLACK_MS).0);
        let rows: Vec<SessionColumns> = query.fetch_all(&self.read).await?;
        rows.into_iter().map(SessionRow::read).collect()
    }

    /// Begins a session as part of what its holder changed, which is audited already: `false` where his password (its
    /// hash is `was`) was changed meanwhile, or he may not sign in any more.
    pub async fn add_session(&self, digest: &[u8], row: &SessionRow, was: Option<&str>) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        if let (Holder::Administrator(id), Some(hash)) = (&row.holder, was)
            && !still_proven(&mut tx, Proven { id, hash }).await?
        {
            return Ok(false);
        }
        begin_session(&mut tx, digest, row).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Remembers that a session was used now, from this address.
    pub async fn session_used(&self, id: &str, address: &str, now: UnixMillis) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE console_sessions SET used_ms = $2, address = $3 WHERE id = $1";
        let mut tx = self.begin().await?;
        query(SQL).bind(id).bind(now.0).bind(address).execute(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    /// Ends the session with this digest without a word: it was over, or another takes its place.
    pub async fn drop_session(&self, digest: &[u8]) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM console_sessions WHERE digest = $1";
        let mut tx = self.begin().await?;
        query(SQL).bind(digest).execute(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    /// Remembers a link to choose a password, which is mailed to this address; `false` where one was made a moment ago,
    /// or as many as there may be still work, or the address is not that of somebody who may sign in.
    pub async fn add_password_link(
        &self,
        (id, email): (&AdministratorId, &str),
        digest: &[u8],
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        const RECENT: &str =
            "SELECT COUNT(*) FROM password_links WHERE administrator = $1 AND made_ms > $2 AND made_ms <= $3";
        const OLD: &str = "DELETE FROM password_links WHERE made_ms <= $1 OR made_ms > $2";
        const SQL: &str = "INSERT INTO password_links (digest, administrator, made_ms) SELECT $1, a.id, $4 \
                           FROM administrators a WHERE a.id = $2 AND a.email = $3 AND a.disabled_ms IS NULL";
        let mut tx = self.begin().await?;
        let since = now.plus_millis(LINK_AGAIN_MS.saturating_neg());
        let (over, ahead) = link_window(now);
        let made_since = |since: i64| query_scalar(RECENT).bind(id.as_str()).bind(since).bind(now.0);
        let recent: i64 = made_since(since.0).fetch_one(&mut tx).await?;
        let open: i64 = made_since(over).fetch_one(&mut tx).await?;
        if recent > 0 || open >= MOST_LINKS {
            return Ok(false);
        }
        query(OLD).bind(over).bind(ahead).execute(&mut tx).await?;
        let made = query(SQL).bind(digest).bind(id.as_str()).bind(email).bind(now.0).execute(&mut tx).await?;
        tx.commit().await?;
        Ok(made > 0)
    }

    /// Whose password a link chooses, while it works.
    pub async fn password_link(&self, digest: &[u8], now: UnixMillis) -> Result<Option<AdministratorId>, StoreError> {
        const SQL: &str =
            "SELECT administrator FROM password_links WHERE digest = $1 AND made_ms > $2 AND made_ms <= $3";
        let (over, ahead) = link_window(now);
        let query = query_scalar(SQL).bind(digest).bind(over).bind(ahead);
        let found: Option<String> = query.fetch_optional(&self.read).await?;
        found.map(|id| parsed("password_links.administrator", &id)).transpose()
    }
}

impl Audited<'_> {
    /// Begins a session under this digest for whoever showed a token; those that are over or too many go.
    pub async fn begin_session(self, digest: &[u8], row: &SessionRow) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        begin_session(&mut tx, digest, row).await?;
        self.commit(tx).await
    }

    /// The same for an administrator whose password was judged, and without an authenticator or with its code: `false`
    /// where anything of it was changed meanwhile. A one-time password is used up.
    pub async fn sign_in(
        self,
        digest: &[u8],
        row: &SessionRow,
        (proven, with_totp): (Proven<'_>, bool),
    ) -> Result<bool, StoreError> {
        let sql = format!(
            "UPDATE administrators SET signed_in_ms = $3, password = CASE WHEN once_until_ms IS NULL THEN password END \
             WHERE id = $1 AND password = $2 AND disabled_ms IS NULL AND totp IS {}NULL",
            if with_totp { "NOT " } else { "" }
        );
        let mut tx = self.begin().await?;
        let query = query(sqlx::AssertSqlSafe(sql)).bind(proven.id.as_str()).bind(proven.hash).bind(row.began.0);
        if query.execute(&mut tx).await? == 0 {
            return Ok(false);
        }
        begin_session(&mut tx, digest, row).await?;
        self.commit(tx).await?;
        Ok(true)
    }

    /// Ends one session of somebody; `false` where they have none of this name.
    pub async fn end_session(self, holder: &Holder, id: &str) -> Result<bool, StoreError> {
        let (column, whose) = holder.column();
        let sql = format!("DELETE FROM console_sessions WHERE id = $1 AND {column} = $2");
        let mut tx = self.begin().await?;
        if query(sqlx::AssertSqlSafe(sql)).bind(id).bind(whose).execute(&mut tx).await? == 0 {
            return Ok(false);
        }
        self.commit(tx).await?;
        Ok(true)
    }

    /// Ends every session of somebody but one, and says how many.
    pub async fn end_other_sessions(self, holder: &Holder, but: &str) -> Result<u64, StoreError> {
        let (column, whose) = holder.column();
        let sql = format!("DELETE FROM console_sessions WHERE id <> $1 AND {column} = $2");
        let mut tx = self.begin().await?;
        let ended = query(sqlx::AssertSqlSafe(sql)).bind(but).bind(whose).execute(&mut tx).await?;
        self.commit(tx).await?;
        Ok(ended)
    }

    /// Ends every session and link of an administrator, and says how many sessions.
    pub async fn end_sessions(self, id: &AdministratorId) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let ended = end_of(&mut tx, id).await?;
        self.commit(tx).await?;
        Ok(ended)
    }

    /// Uses up a link with the password that was chosen; `false` where it does not work any more.
    pub async fn use_password_link(
        self,
        digest: &[u8],
        id: &AdministratorId,
        set: SetPassword<'_>,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM password_links WHERE digest = $1 AND administrator = $2 AND made_ms > $3 \
                           AND made_ms <= $4";
        let mut tx = self.begin().await?;
        let (over, ahead) = link_window(set.now);
        let query = query(SQL).bind(digest).bind(id.as_str()).bind(over).bind(ahead);
        let used = query.execute(&mut tx).await?;
        if used == 0 || !write_password(&mut tx, id, &set).await? {
            return Ok(false);
        }
        self.commit(tx).await?;
        Ok(true)
    }
}

async fn begin_session(tx: &mut Tx, digest: &[u8], row: &SessionRow) -> Result<(), StoreError> {
    const OVER: &str = "DELETE FROM console_sessions WHERE began_ms <= $1 OR used_ms <= $2 OR used_ms > $3";
    const ADD: &str = "INSERT INTO console_sessions (id, digest, administrator, token, address, browser, began_ms, \
                       used_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let (column, whose) = row.holder.column();
    // The new one counts, so one fewer of the others stays.
    let too_many = format!(
        "DELETE FROM console_sessions WHERE {column} = $1 AND id IN (SELECT id FROM console_sessions \
         WHERE {column} = $1 ORDER BY used_ms DESC, id DESC LIMIT 1000 OFFSET $2)"
    );
    let (administrator, token) = match &row.holder {
        Holder::Administrator(id) => (Some(id.as_str()), None),
        Holder::Token(id) => (None, Some(id.as_str())),
    };
    let ahead = row.began.plus_millis(CLOCK_SLACK_MS).0;
    query(OVER).bind(began_after(row.began)).bind(used_after(row.began)).bind(ahead).execute(&mut *tx).await?;
    let kept = i64::from(MOST_SESSIONS).saturating_sub(1);
    query(sqlx::AssertSqlSafe(too_many)).bind(whose).bind(kept).execute(&mut *tx).await?;
    query(ADD)
        .bind(&row.id)
        .bind(digest)
        .bind(administrator)
        .bind(token)
        .bind(&row.address)
        .bind(&row.browser)
        .bind(row.began.0)
        .bind(row.used.0)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// When a link that works now was made: one made far ahead is of a clock that was set back.
fn link_window(now: UnixMillis) -> (i64, i64) {
    (now.plus_millis(LINK_LASTS_MS.saturating_neg()).0, now.plus_millis(CLOCK_SLACK_MS).0)
}

fn began_after(now: UnixMillis) -> i64 {
    now.plus_millis(SESSION_LASTS_MS.saturating_neg()).0
}

fn used_after(now: UnixMillis) -> i64 {
    now.plus_millis(SESSION_IDLE_MS.saturating_neg()).0
}

impl Holder {
    fn column(&self) -> (&'static str, &str) {
        match self {
            Self::Administrator(id) => ("administrator", id.as_str()),
            Self::Token(id) => ("token", id.as_str()),
        }
    }
}

impl SessionRow {
    fn read(row: SessionColumns) -> Result<Self, StoreError> {
        let holder = match (row.administrator, row.token) {
            (Some(id), None) => Holder::Administrator(parsed("console_sessions.administrator", &id)?),
            (None, Some(id)) => Holder::Token(parsed("console_sessions.token", &id)?),
            _ => return Err(unreadable("console_sessions.administrator", row.id)),
        };
        Ok(Self {
            id: row.id,
            holder,
            address: row.address,
            browser: row.browser,
            began: UnixMillis(row.began_ms),
            used: UnixMillis(row.used_ms),
        })
    }
}
