//! Connectors to customers' PBXs, and what tells a device's lines and phones from others'.
//!
//! Passwords arrive encrypted. Who is registered is kept by nobody here: it is seen anew after each start.

use crate::rows::{optional, parsed, unreadable};
use crate::sql::{Query, query, query_as, query_scalar};
use crate::{Audited, Store, StoreError};
use provost_core::entry::connector::NewConnector;
use provost_core::ids::{AccountId, ConnectorId, DeviceId};
use provost_core::pbx::Reach;
use provost_core::time::UnixMillis;
use sqlx::FromRow;

/// A connector as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectorRow {
    /// Id.
    pub id: ConnectorId,
    /// The account it belongs to.
    pub account: AccountId,
    /// What was entered.
    pub entered: NewConnector,
    /// The password, encrypted.
    pub password: Option<Vec<u8>>,
}

/// What may become of a password that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewPassword<'a> {
    /// It stays.
    Keep,
    /// It is this one, encrypted, or none.
    Set(Option<&'a [u8]>),
}

/// The lines of a device's user.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceLines {
    /// SIP user and digest name of each line, in order.
    pub lines: Vec<(String, Option<String>)>,
}

#[derive(FromRow)]
struct Columns {
    id: String,
    account: String,
    name: String,
    kind: String,
    host: String,
    port: i64,
    security: String,
    certificate: Option<String>,
    username: Option<String>,
    password: Option<Vec<u8>>,
    path: String,
    profile: String,
    domain: Option<String>,
    inside: bool,
    is_on: bool,
}

impl Store {
    /// Every connector there is, by id.
    pub async fn connectors(&self) -> Result<Vec<ConnectorRow>, StoreError> {
        const SQL: &str = "SELECT id, account, name, kind, host, port, security, certificate, username, password, path, \
                           profile, domain, inside, is_on FROM connectors ORDER BY id";
        let rows: Vec<Columns> = query_as(SQL).fetch_all(&self.read).await?;
        rows.into_iter().map(ConnectorRow::read).collect()
    }

    /// The connector that serves an account: its own, else that of the nearest account above; one that is off is none.
    pub async fn nearest_connector(&self, account: &AccountId) -> Result<Option<ConnectorId>, StoreError> {
        const SQL: &str = "SELECT c.id FROM connectors c JOIN accounts t ON t.id = c.account \
                           JOIN accounts a ON SUBSTR(a.path, 1, LENGTH(t.path)) = t.path \
                           WHERE a.id = $1 AND c.is_on ORDER BY LENGTH(t.path) DESC LIMIT 1";
        let text: Option<String> = query_scalar(SQL).bind(account.as_str()).fetch_optional(&self.read).await?;
        optional("connectors.id", text.as_deref())
    }

    /// The lines of a device's user.
    pub async fn lines_of_device(&self, device: &DeviceId) -> Result<DeviceLines, StoreError> {
        const LINES: &str = "SELECT l.sip_user, l.auth_user FROM devices d JOIN person_lines l ON l.person = d.person \
                             WHERE d.id = $1 ORDER BY l.place";
        let lines = query_as(LINES).bind(device.as_str()).fetch_all(&self.read).await?;
        Ok(DeviceLines { lines })
    }

    /// Each line that a bound phone of the account has, whoever's it is: SIP user, digest name and device.
    pub async fn lines_in_use(&self, account: &AccountId) -> Result<Vec<(String, Option<String>, String)>, StoreError> {
        const SQL: &str = "SELECT l.sip_user, l.auth_user, d.id FROM devices d JOIN bindings b ON b.device = d.id \
                           JOIN person_lines l ON l.person = d.person WHERE d.account = $1 ORDER BY d.id, l.place";
        Ok(query_as(SQL).bind(account.as_str()).fetch_all(&self.read).await?)
    }
}

impl Audited<'_> {
    /// Adds a connector.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when the account has one, [`StoreError::Missing`] without such an account.
    pub async fn add_connector(self, row: &ConnectorRow, now: UnixMillis) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO connectors (name, kind, host, port, security, certificate, username, path, profile, \
                           domain, inside, is_on, id, password, account, created_ms) \
                           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
        let mut tx = self.begin().await?;
        entered(query(SQL), &row.entered)
            .bind(row.id.as_str())
            .bind(row.password.as_deref())
            .bind(row.account.as_str())
            .bind(now.0)
            .execute(&mut tx)
            .await
            .map_err(|error| StoreError::of_insert(error, "a connector of this account", "account"))?;
        self.commit(tx).await
    }

    /// Replaces what was entered.
    ///
    /// # Errors
    /// [`StoreError::Missing`] without such a connector.
    pub async fn change_connector(
        self,
        id: &ConnectorId,
        to: &NewConnector,
        password: NewPassword<'_>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE connectors SET name = $1, kind = $2, host = $3, port = $4, security = $5, \
                           certificate = $6, username = $7, path = $8, profile = $9, domain = $10, inside = $11, \
                           is_on = $12 WHERE id = $13";
        const PASSWORD: &str = "UPDATE connectors SET password = $2 WHERE id = $1";
        let mut tx = self.begin().await?;
        if entered(query(SQL), to).bind(id.as_str()).execute(&mut tx).await? == 0 {
            return Err(StoreError::Missing { what: "connector" });
        }
        if let NewPassword::Set(sealed) = password {
            query(PASSWORD).bind(id.as_str()).bind(sealed).execute(&mut tx).await?;
        }
        self.commit(tx).await
    }

    /// Takes a connector away.
    ///
    /// # Errors
    /// [`StoreError::Missing`] without such a connector.
    pub async fn remove_connector(self, id: &ConnectorId) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM connectors WHERE id = $1";
        let mut tx = self.begin().await?;
        if query(SQL).bind(id.as_str()).execute(&mut tx).await? == 0 {
            return Err(StoreError::Missing { what: "connector" });
        }
        self.commit(tx).await
    }
}

/// The first twelve parameters of both statements.
fn entered<'q>(query: Query<'q, ()>, of: &'q NewConnector) -> Query<'q, ()> {
    query
        .bind(&of.name)
        .bind(of.kind.as_str())
        .bind(&of.host)
        .bind(i64::from(of.port))
        .bind(of.security.as_str())
        .bind(of.certificate.map(|certificate| certificate.to_string()))
        .bind(&of.user)
        .bind(&of.path)
        .bind(&of.profile)
        .bind(&of.domain)
        .bind(of.reach == Reach::Inside)
        .bind(of.on)
}

impl ConnectorRow {
    fn read(row: Columns) -> Result<Self, StoreError> {
        let port = u16::try_from(row.port).map_err(|_| unreadable("connectors.port", row.port))?;
        let entered = NewConnector {
            name: row.name,
            kind: parsed("connectors.kind", &row.kind)?,
            host: row.host,
            port,
            security: parsed("connectors.security", &row.security)?,
            certificate: optional("connectors.certificate", row.certificate.as_deref())?,
            user: row.username,
            path: row.path,
            profile: row.profile,
            domain: row.domain,
            reach: if row.inside { Reach::Inside } else { Reach::Outside },
            on: row.is_on,
        };
        let (id, account) = (parsed("connectors.id", &row.id)?, parsed("connectors.account", &row.account)?);
        Ok(Self { id, account, entered, password: row.password })
    }
}
