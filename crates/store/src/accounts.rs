//! Sites, users and their lines.

use crate::people::{add_lines, add_servers};
use crate::rows::{parsed, unreadable};
use crate::sql::{Tx, query, query_as};
use crate::within::{Columns, Within};
use crate::{Audited, Page, Store, StoreError};
use provost_core::entry::{NewSite, NewUser};
use provost_core::facts::{SipServer, SipTransport};
use provost_core::ids::{AccountId, SiteId, UserId};
use provost_core::time::UnixMillis;
use sqlx::FromRow;

/// A location with its servers in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteRow {
    /// Id.
    pub id: SiteId,
    /// What was entered.
    pub site: NewSite,
}

/// A user; passwords stay encrypted in [`LineRow`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRow {
    /// Id.
    pub id: UserId,
    /// Site.
    pub site: SiteId,
    /// The site's account.
    pub account: AccountId,
    /// Name.
    pub name: String,
    /// Extension.
    pub extension: String,
    /// Mail address.
    pub email: Option<String>,
    /// Language tag.
    pub language: Option<String>,
    /// Lines in order.
    pub lines: Vec<LineRow>,
}

/// A SIP line as stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct LineRow {
    /// SIP user.
    pub sip_user: String,
    /// Digest name.
    pub auth_user: Option<String>,
    /// Digest password, encrypted.
    pub password: Option<Vec<u8>>,
}

#[derive(FromRow)]
struct SiteColumns {
    id: String,
    account: String,
    name: String,
    time_zone: String,
    country: Option<String>,
    language: Option<String>,
    vlan: Option<i64>,
    voicemail: Option<String>,
    emergency_address: Option<String>,
}

#[derive(FromRow)]
struct PersonColumns {
    id: String,
    site: String,
    account: String,
    name: String,
    extension: String,
    email: Option<String>,
    language: Option<String>,
}

impl Store {
    /// Adds a site with its servers.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when the account does not exist.
    pub async fn add_site(&self, id: &SiteId, site: &NewSite, now: UnixMillis) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        add_site(&mut tx, id, site, now).await?;
        Ok(tx.commit().await?)
    }

    /// Lists sites by id.
    pub async fn sites(&self, within: &Within, page: Page<'_>) -> Result<Vec<SiteRow>, StoreError> {
        const WHOSE: Columns = Columns { account: "account", site: "id" };
        let sql = format!(
            "SELECT id, account, name, time_zone, country, language, vlan, voicemail, emergency_address FROM sites \
             WHERE id > $1 AND {} ORDER BY id LIMIT $2",
            within.condition(&WHOSE, 3)
        );
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(page.after).bind(i64::from(page.limit)).within(within);
        let rows: Vec<SiteColumns> = query.fetch_all(&self.read).await?;
        let mut sites = Vec::with_capacity(rows.len());
        for row in rows {
            sites.push(self.with_servers(row).await?);
        }
        Ok(sites)
    }

    /// One site.
    pub async fn site(&self, id: &SiteId) -> Result<Option<SiteRow>, StoreError> {
        const SQL: &str = "SELECT id, account, name, time_zone, country, language, vlan, voicemail, emergency_address \
                           FROM sites WHERE id = $1";
        let row: Option<SiteColumns> = query_as(SQL).bind(id.as_str()).fetch_optional(&self.read).await?;
        match row {
            Some(row) => Ok(Some(self.with_servers(row).await?)),
            None => Ok(None),
        }
    }

    async fn with_servers(&self, row: SiteColumns) -> Result<SiteRow, StoreError> {
        const SQL: &str = "SELECT host, port, transport FROM site_servers WHERE site = $1 ORDER BY place";
        let servers: Vec<(String, i64, String)> = query_as(SQL).bind(&row.id).fetch_all(&self.read).await?;
        let sip_servers = servers
            .into_iter()
            .map(|(host, port, word)| {
                let transport =
                    SipTransport::from_word(&word).ok_or_else(|| unreadable("site_servers.transport", &word))?;
                let port = u16::try_from(port).map_err(|_| unreadable("site_servers.port", port))?;
                Ok(SipServer { host, port, transport })
            })
            .collect::<Result<_, StoreError>>()?;
        let vlan = row.vlan.map(|vlan| u16::try_from(vlan).map_err(|_| unreadable("sites.vlan", vlan))).transpose()?;
        let site = NewSite {
            account: parsed("sites.account", &row.account)?,
            name: row.name,
            time_zone: row.time_zone,
            country: row.country,
            language: row.language,
            sip_servers,
            vlan,
            voicemail: row.voicemail,
            emergency_address: row.emergency_address,
        };
        Ok(SiteRow { id: parsed("sites.id", &row.id)?, site })
    }

    /// Adds a user; `passwords` are the encrypted passwords of the lines, in order.
    ///
    /// # Errors
    /// [`StoreError::Missing`] without such a site, [`StoreError::Exists`] when the extension is taken there.
    pub async fn add_user(
        &self,
        id: &UserId,
        user: &NewUser,
        passwords: &[Option<Vec<u8>>],
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        add_user(&mut tx, id, user, passwords, now).await?;
        Ok(tx.commit().await?)
    }

    /// Lists users by id.
    pub async fn users(&self, within: &Within, page: Page<'_>) -> Result<Vec<PersonRow>, StoreError> {
        const WHOSE: Columns = Columns { account: "s.account", site: "p.site" };
        let sql = format!(
            "SELECT p.id, p.site, s.account, p.name, p.extension, p.email, p.language FROM persons p \
             JOIN sites s ON s.id = p.site WHERE p.id > $1 AND {} ORDER BY p.id LIMIT $2",
            within.condition(&WHOSE, 3)
        );
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(page.after).bind(i64::from(page.limit)).within(within);
        let rows: Vec<PersonColumns> = query.fetch_all(&self.read).await?;
        let mut users = Vec::with_capacity(rows.len());
        for row in rows {
            users.push(self.with_lines(row).await?);
        }
        Ok(users)
    }

    /// One user.
    pub async fn user(&self, id: &UserId) -> Result<Option<PersonRow>, StoreError> {
        const SQL: &str = "SELECT p.id, p.site, s.account, p.name, p.extension, p.email, p.language FROM persons p \
                           JOIN sites s ON s.id = p.site WHERE p.id = $1";
        let row: Option<PersonColumns> = query_as(SQL).bind(id.as_str()).fetch_optional(&self.read).await?;
        match row {
            Some(row) => Ok(Some(self.with_lines(row).await?)),
            None => Ok(None),
        }
    }

    async fn with_lines(&self, row: PersonColumns) -> Result<PersonRow, StoreError> {
        const SQL: &str = "SELECT sip_user, auth_user, password FROM person_lines WHERE person = $1 ORDER BY place";
        let lines = query_as(SQL).bind(&row.id).fetch_all(&self.read).await?;
        Ok(PersonRow {
            id: parsed("persons.id", &row.id)?,
            site: parsed("persons.site", &row.site)?,
            account: parsed("sites.account", &row.account)?,
            name: row.name,
            extension: row.extension,
            email: row.email,
            language: row.language,
            lines,
        })
    }

    /// The other people of a site, by name: what the phone's directory shows.
    pub async fn colleagues(&self, site: &SiteId, of: &UserId) -> Result<Vec<(String, String)>, StoreError> {
        // A phone's own directory holds a few hundred entries; larger companies have a directory server.
        const SQL: &str =
            "SELECT name, extension FROM persons WHERE site = $1 AND id <> $2 ORDER BY name, extension LIMIT 200";
        Ok(query_as(SQL).bind(site.as_str()).bind(of.as_str()).fetch_all(&self.read).await?)
    }
}

impl Audited<'_> {
    /// As [`Store::add_site`].
    pub async fn add_site(self, id: &SiteId, site: &NewSite, now: UnixMillis) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        add_site(&mut tx, id, site, now).await?;
        self.commit(tx).await
    }

    /// As [`Store::add_user`].
    pub async fn add_user(
        self,
        id: &UserId,
        user: &NewUser,
        passwords: &[Option<Vec<u8>>],
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        add_user(&mut tx, id, user, passwords, now).await?;
        self.commit(tx).await
    }
}

async fn add_site(tx: &mut Tx, id: &SiteId, site: &NewSite, now: UnixMillis) -> Result<(), StoreError> {
    const SITE: &str = "INSERT INTO sites (id, account, name, time_zone, country, language, vlan, voicemail, \
                        emergency_address, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    query(SITE)
        .bind(id.as_str())
        .bind(site.account.as_str())
        .bind(&site.name)
        .bind(&site.time_zone)
        .bind(&site.country)
        .bind(&site.language)
        .bind(site.vlan.map(i64::from))
        .bind(&site.voicemail)
        .bind(&site.emergency_address)
        .bind(now.0)
        .execute(&mut *tx)
        .await
        .map_err(|error| StoreError::of_insert(error, "site", "account"))?;
    add_servers(tx, id, site).await
}

async fn add_user(
    tx: &mut Tx,
    id: &UserId,
    user: &NewUser,
    passwords: &[Option<Vec<u8>>],
    now: UnixMillis,
) -> Result<(), StoreError> {
    const PERSON: &str = "INSERT INTO persons (id, site, name, extension, email, language, created_ms) \
                          VALUES ($1, $2, $3, $4, $5, $6, $7)";
    query(PERSON)
        .bind(id.as_str())
        .bind(user.site.as_str())
        .bind(&user.name)
        .bind(&user.extension)
        .bind(&user.email)
        .bind(&user.language)
        .bind(now.0)
        .execute(&mut *tx)
        .await
        .map_err(|error| StoreError::of_insert(error, "a user with this extension at this site", "site"))?;
    add_lines(tx, id, user, passwords).await
}
