//! Administrators: people who sign in, with the hash of their password and what their authenticator shares with us.

use crate::rows::{optional, parsed, time, unreadable};
use crate::second_factors::take_totp;
use crate::sql::{Tx, query, query_as, query_scalar};
use crate::within::{Columns, Within};
use crate::{Audited, Page, Store, StoreError};
use provost_core::entry::administrator::Person;
use provost_core::ids::{AccountId, AdministratorId, SiteId};
use provost_core::rights::{Role, Scope};
use provost_core::time::UnixMillis;
use sqlx::FromRow;

/// An administrator as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdministratorRow {
    /// Id.
    pub id: AdministratorId,
    /// Who it is.
    pub person: Person,
    /// What they may.
    pub role: Role,
    /// Where they may it.
    pub scope: Scope,
    /// The hash of their password as a PHC string; `None` once a one-time password was used.
    pub password: Option<String>,
    /// When it was set.
    pub password_set: UnixMillis,
    /// Until when it works, once, where somebody else was shown it.
    pub once_until: Option<UnixMillis>,
    /// The secret of their authenticator, encrypted.
    pub totp: Option<Vec<u8>>,
    /// Since when they may not sign in.
    pub disabled: Option<UnixMillis>,
    /// When they were added.
    pub created: UnixMillis,
    /// When they signed in last.
    pub signed_in: Option<UnixMillis>,
}

/// How a change of an administrator ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdministratorChanged {
    /// It is done.
    Done,
    /// They are the last owner of the whole server who can sign in.
    LastOwner,
    /// They are not as they were when it was decided.
    Otherwise,
    /// There is none under this id.
    Missing,
}

/// A password that was set.
#[derive(Debug, Clone, Copy)]
pub struct SetPassword<'a> {
    /// The hash, as a PHC string.
    pub hash: &'a str,
    /// Until when it works, once, where somebody else is shown it.
    pub once_until: Option<UnixMillis>,
    /// When.
    pub now: UnixMillis,
    /// The hash of before that was shown to fit, where the change rests on it.
    pub was: Option<&'a str>,
}

/// An administrator whose password was looked at. What rests on that is done only while the password is still this one
/// and he may still sign in.
#[derive(Debug, Clone, Copy)]
pub struct Proven<'a> {
    /// Who it is.
    pub id: &'a AdministratorId,
    /// The hash of the password that was shown.
    pub hash: &'a str,
}

#[derive(FromRow)]
struct AdministratorColumns {
    id: String,
    email: String,
    name: String,
    role: String,
    account: Option<String>,
    site: Option<String>,
    language: Option<String>,
    password: Option<String>,
    password_ms: i64,
    once_until_ms: Option<i64>,
    totp: Option<Vec<u8>>,
    disabled_ms: Option<i64>,
    created_ms: i64,
    signed_in_ms: Option<i64>,
}

const SELECT: &str = "SELECT a.id, a.email, a.name, a.role, a.account, a.site, a.language, a.password, a.password_ms, \
                      a.once_until_ms, a.totp, a.disabled_ms, a.created_ms, a.signed_in_ms FROM administrators a";
const WHOSE: Columns = Columns { account: "a.account", site: "a.site" };

impl Store {
    /// Whether there is any administrator.
    pub async fn has_administrators(&self) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM administrators";
        let count: i64 = query_scalar(SQL).fetch_one(&self.read).await?;
        Ok(count > 0)
    }

    /// The administrator with this sign-in name.
    pub async fn administrator_named(&self, email: &str) -> Result<Option<AdministratorRow>, StoreError> {
        let sql = format!("{SELECT} WHERE a.email = $1");
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(email);
        let row: Option<AdministratorColumns> = query.fetch_optional(&self.read).await?;
        row.map(AdministratorRow::read).transpose()
    }

    /// The administrator with this id, if they are of this part.
    pub async fn administrator(
        &self,
        id: &AdministratorId,
        within: &Within,
    ) -> Result<Option<AdministratorRow>, StoreError> {
        let sql = format!("{SELECT} WHERE a.id = $1 AND {}", within.condition(&WHOSE, 2));
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(id.as_str()).within(within);
        let row: Option<AdministratorColumns> = query.fetch_optional(&self.read).await?;
        row.map(AdministratorRow::read).transpose()
    }

    /// Lists administrators by id.
    pub async fn administrators(&self, within: &Within, page: Page<'_>) -> Result<Vec<AdministratorRow>, StoreError> {
        let sql = format!("{SELECT} WHERE a.id > $1 AND {} ORDER BY a.id LIMIT $2", within.condition(&WHOSE, 3));
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(page.after).bind(i64::from(page.limit)).within(within);
        let rows: Vec<AdministratorColumns> = query.fetch_all(&self.read).await?;
        rows.into_iter().map(AdministratorRow::read).collect()
    }
}

impl Audited<'_> {
    /// Adds an administrator.
    ///
    /// # Errors
    /// [`StoreError::Exists`] with this mail address, [`StoreError::Missing`] without such an account.
    pub async fn add_administrator(self, row: &AdministratorRow) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO administrators (id, email, name, role, account, site, language, password, \
                           password_ms, once_until_ms, created_ms) \
                           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        let (account, site) = place(&row.scope);
        let mut tx = self.begin().await?;
        query(SQL)
            .bind(row.id.as_str())
            .bind(&row.person.email)
            .bind(&row.person.name)
            .bind(row.role.as_str())
            .bind(account)
            .bind(site)
            .bind(&row.person.language)
            .bind(&row.password)
            .bind(row.password_set.0)
            .bind(row.once_until.map(|at| at.0))
            .bind(row.created.0)
            .execute(&mut tx)
            .await
            .map_err(|error| {
                StoreError::of_insert(error, "an administrator with this mail address", "account or site")
            })?;
        self.commit(tx).await
    }

    /// Writes who an administrator is, what they may, where, and whether they may sign in, if they still are as `before`
    /// says; `end` their sessions with it. Links that were mailed to another address end.
    ///
    /// # Errors
    /// [`StoreError::Exists`] with this mail address, [`StoreError::Missing`] without such an account.
    pub async fn change_administrator(
        self,
        (before, row): (&AdministratorRow, &AdministratorRow),
        end: bool,
    ) -> Result<AdministratorChanged, StoreError> {
        const SQL: &str = "UPDATE administrators SET email = $2, name = $3, role = $4, account = $5, site = $6, \
                           language = $7, disabled_ms = $8 WHERE id = $1";
        const LINKS: &str = "DELETE FROM password_links WHERE administrator = $1";
        let (account, site) = place(&row.scope);
        let mut tx = self.begin().await?;
        match read_in(&mut tx, &row.id).await? {
            None => return Ok(AdministratorChanged::Missing),
            Some(now) if !now.is_as(before) => return Ok(AdministratorChanged::Otherwise),
            Some(_) => {}
        }
        let stays_owner = row.role == Role::Owner && row.scope == Scope::Platform && row.disabled.is_none();
        if !stays_owner && is_last_owner(&mut tx, &row.id).await? {
            return Ok(AdministratorChanged::LastOwner);
        }
        query(SQL)
            .bind(row.id.as_str())
            .bind(&row.person.email)
            .bind(&row.person.name)
            .bind(row.role.as_str())
            .bind(account)
            .bind(site)
            .bind(&row.person.language)
            .bind(row.disabled.map(|at| at.0))
            .execute(&mut tx)
            .await
            .map_err(|error| {
                StoreError::of_insert(error, "an administrator with this mail address", "account or site")
            })?;
        if end {
            end_of(&mut tx, &row.id).await?;
        } else if row.person.email != before.person.email {
            query(LINKS).bind(row.id.as_str()).execute(&mut tx).await?;
        }
        self.commit(tx).await?;
        Ok(AdministratorChanged::Done)
    }

    /// Takes an administrator away with all that is theirs.
    pub async fn remove_administrator(self, id: &AdministratorId) -> Result<AdministratorChanged, StoreError> {
        const CODES: &str = "DELETE FROM recovery_codes WHERE administrator = $1";
        const SQL: &str = "DELETE FROM administrators WHERE id = $1";
        let mut tx = self.begin().await?;
        if is_last_owner(&mut tx, id).await? {
            return Ok(AdministratorChanged::LastOwner);
        }
        end_of(&mut tx, id).await?;
        query(CODES).bind(id.as_str()).execute(&mut tx).await?;
        if query(SQL).bind(id.as_str()).execute(&mut tx).await? == 0 {
            return Ok(AdministratorChanged::Missing);
        }
        self.commit(tx).await?;
        Ok(AdministratorChanged::Done)
    }

    /// Sets somebody's password and ends all their sessions and links; `with_totp` takes their authenticator away too.
    pub async fn set_password(
        self,
        id: &AdministratorId,
        set: SetPassword<'_>,
        with_totp: bool,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        if !write_password(&mut tx, id, &set).await? {
            return Ok(false);
        }
        if with_totp {
            take_totp(&mut tx, id).await?;
        }
        self.commit(tx).await?;
        Ok(true)
    }

    /// Who somebody who used a one-time password says they are, with a password of their own; ends all their sessions.
    /// `false` where that one-time password is not the last word any more.
    ///
    /// # Errors
    /// [`StoreError::Exists`] with this mail address.
    pub async fn settle_administrator(
        self,
        id: &AdministratorId,
        person: &Person,
        set: SetPassword<'_>,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE administrators SET email = $2, name = $3 WHERE id = $1 AND password IS NULL \
                           AND once_until_ms IS NOT NULL AND disabled_ms IS NULL";
        let mut tx = self.begin().await?;
        let changed = query(SQL)
            .bind(id.as_str())
            .bind(&person.email)
            .bind(&person.name)
            .execute(&mut tx)
            .await
            .map_err(|error| StoreError::of_insert(error, "an administrator with this mail address", "account"))?;
        if changed == 0 || !write_password(&mut tx, id, &set).await? {
            return Ok(false);
        }
        self.commit(tx).await?;
        Ok(true)
    }
}

/// The password with what ends at its change; `false` where there is no such administrator, or not as it was judged.
pub(crate) async fn write_password(
    tx: &mut Tx,
    id: &AdministratorId,
    set: &SetPassword<'_>,
) -> Result<bool, StoreError> {
    const SQL: &str = "UPDATE administrators SET password = $2, once_until_ms = $3, password_ms = $4 WHERE id = $1";
    if let Some(hash) = set.was
        && !still_proven(tx, Proven { id, hash }).await?
    {
        return Ok(false);
    }
    let query = query(SQL).bind(id.as_str()).bind(set.hash).bind(set.once_until.map(|at| at.0)).bind(set.now.0);
    let changed = query.execute(&mut *tx).await?;
    end_of(tx, id).await?;
    Ok(changed > 0)
}

/// Whether the password that was shown is still the one, of somebody who may sign in.
pub(crate) async fn still_proven(tx: &mut Tx, proven: Proven<'_>) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT COUNT(*) FROM administrators WHERE id = $1 AND password = $2 AND disabled_ms IS NULL";
    let found: i64 = query_scalar(SQL).bind(proven.id.as_str()).bind(proven.hash).fetch_one(&mut *tx).await?;
    Ok(found > 0)
}

/// An administrator as they are in this transaction.
async fn read_in(tx: &mut Tx, id: &AdministratorId) -> Result<Option<AdministratorRow>, StoreError> {
    let sql = format!("{SELECT} WHERE a.id = $1");
    let row: Option<AdministratorColumns> =
        query_as(sqlx::AssertSqlSafe(sql)).bind(id.as_str()).fetch_optional(&mut *tx).await?;
    row.map(AdministratorRow::read).transpose()
}

/// Ends every session and link of somebody, and says how many sessions.
pub(crate) async fn end_of(tx: &mut Tx, id: &AdministratorId) -> Result<u64, StoreError> {
    const LINKS: &str = "DELETE FROM password_links WHERE administrator = $1";
    const SESSIONS: &str = "DELETE FROM console_sessions WHERE administrator = $1";
    query(LINKS).bind(id.as_str()).execute(&mut *tx).await?;
    Ok(query(SESSIONS).bind(id.as_str()).execute(&mut *tx).await?)
}

/// Whether nobody else owns the whole server and may sign in.
async fn is_last_owner(tx: &mut Tx, id: &AdministratorId) -> Result<bool, StoreError> {
    const OWNER: &str = "role = 'owner' AND account IS NULL AND disabled_ms IS NULL";
    let is = format!("SELECT COUNT(*) FROM administrators WHERE id = $1 AND {OWNER}");
    let others = format!("SELECT COUNT(*) FROM administrators WHERE id <> $1 AND {OWNER}");
    let is: i64 = query_scalar(sqlx::AssertSqlSafe(is)).bind(id.as_str()).fetch_one(&mut *tx).await?;
    let others: i64 = query_scalar(sqlx::AssertSqlSafe(others)).bind(id.as_str()).fetch_one(&mut *tx).await?;
    Ok(is > 0 && others == 0)
}

fn place(scope: &Scope) -> (Option<&str>, Option<&str>) {
    match scope {
        Scope::Platform => (None, None),
        Scope::Account(account) => (Some(account.as_str()), None),
        Scope::Site { account, site } => (Some(account.as_str()), Some(site.as_str())),
    }
}

impl AdministratorRow {
    /// Whether nothing that a change is about is another.
    fn is_as(&self, before: &Self) -> bool {
        self.person == before.person
            && self.role == before.role
            && self.scope == before.scope
            && self.disabled == before.disabled
    }

    fn read(row: AdministratorColumns) -> Result<Self, StoreError> {
        let account: Option<AccountId> = optional("administrators.account", row.account.as_deref())?;
        let site: Option<SiteId> = optional("administrators.site", row.site.as_deref())?;
        let scope = match (account, site) {
            (None, None) => Scope::Platform,
            (Some(account), None) => Scope::Account(account),
            (Some(account), Some(site)) => Scope::Site { account, site },
            (None, Some(site)) => return Err(unreadable("administrators.site", site)),
        };
        Ok(Self {
            id: parsed("administrators.id", &row.id)?,
            person: Person { email: row.email, name: row.name, language: row.language },
            role: Role::from_word(&row.role).ok_or_else(|| unreadable("administrators.role", &row.role))?,
            scope,
            password: row.password,
            password_set: UnixMillis(row.password_ms),
            once_until: time(row.once_until_ms),
            totp: row.totp,
            disabled: time(row.disabled_ms),
            created: UnixMillis(row.created_ms),
            signed_in: time(row.signed_in_ms),
        })
    }
}
