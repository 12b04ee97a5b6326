//! Changes to users and sites, and their end; users as a list.

mod list;

pub use list::ListedPerson;

use crate::rows::{mac, parsed, place};
use crate::sql::{Tx, query, query_as, query_scalar};
use crate::timeline::{NewEvent, add_event};
use crate::{Audited, Store, StoreError};
use provost_core::entry::{NewSite, NewUser};
use provost_core::ids::{DeviceId, SiteId, UserId};
use provost_core::mac::MacAddr;

/// A device of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserDevice {
    /// The device.
    pub device: DeviceId,
    /// Its model.
    pub model: String,
    /// The phone that is bound to it.
    pub phone: Option<MacAddr>,
}

/// Why a user or a site was not removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemovalRefusal {
    /// So many devices are for this user.
    Devices(i64),
    /// So many users are at this site.
    Users(i64),
}

impl Store {
    /// The devices of a user, by id.
    pub async fn devices_of_user(&self, user: &UserId) -> Result<Vec<UserDevice>, StoreError> {
        const SQL: &str = "SELECT d.id, d.model, b.mac FROM devices d LEFT JOIN bindings b ON b.device = d.id \
                           WHERE d.person = $1 ORDER BY d.id";
        let rows: Vec<(String, String, Option<String>)> =
            query_as(SQL).bind(user.as_str()).fetch_all(&self.read).await?;
        let read = |(device, model, phone): (String, String, Option<String>)| {
            let phone = phone.as_deref().map(mac).transpose()?;
            Ok(UserDevice { device: parsed("devices.id", &device)?, model, phone })
        };
        rows.into_iter().map(read).collect()
    }

    /// How many phones are bound for people of a site.
    pub async fn phones_at_site(&self, site: &SiteId) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM persons u JOIN devices d ON d.person = u.id \
                           JOIN bindings b ON b.device = d.id WHERE u.site = $1";
        Ok(query_scalar(SQL).bind(site.as_str()).fetch_one(&self.read).await?)
    }
}

impl Audited<'_> {
    /// Replaces a user's fields and lines; `passwords` are the encrypted passwords of the lines, in order, and `events`
    /// go to the timelines of the user's phones.
    ///
    /// # Errors
    /// [`StoreError::Missing`] without such a user or site, [`StoreError::Exists`] when the extension is taken there.
    pub async fn change_user(
        self,
        id: &UserId,
        user: &NewUser,
        passwords: &[Option<Vec<u8>>],
        events: &[NewEvent],
    ) -> Result<(), StoreError> {
        const PERSON: &str = "UPDATE persons SET site = $2, name = $3, extension = $4, email = $5, \
                              language = $6 WHERE id = $1";
        const LINES: &str = "DELETE FROM person_lines WHERE person = $1";
        const EMAIL: &str = "SELECT COUNT(*) FROM persons WHERE id = $1 AND COALESCE(email, '') <> $2";
        let mut tx = self.begin().await?;
        let email = user.email.as_deref().unwrap_or_default();
        let moves: i64 = query_scalar(EMAIL).bind(id.as_str()).bind(email).fetch_one(&mut tx).await?;
        if moves > 0 {
            crate::mail::person_moved(&mut tx, id, self.at()).await?;
        }
        let done = query(PERSON)
            .bind(id.as_str())
            .bind(user.site.as_str())
            .bind(&user.name)
            .bind(&user.extension)
            .bind(&user.email)
            .bind(&user.language)
            .execute(&mut tx)
            .await
            .map_err(|error| StoreError::of_insert(error, "a user with this extension at this site", "site"))?;
        if done == 0 {
            return Err(StoreError::Missing { what: "user" });
        }
        query(LINES).bind(id.as_str()).execute(&mut tx).await?;
        add_lines(&mut tx, id, user, passwords).await?;
        for event in events {
            add_event(&mut tx, event).await?;
        }
        self.commit(tx).await
    }

    /// Removes a user for whom there is no device.
    ///
    /// # Errors
    /// [`StoreError::Missing`] without such a user.
    pub async fn remove_user(self, id: &UserId) -> Result<Result<(), RemovalRefusal>, StoreError> {
        const DEVICES: &str = "SELECT COUNT(*) FROM devices WHERE person = $1";
        const LINES: &str = "DELETE FROM person_lines WHERE person = $1";
        const PERSON: &str = "DELETE FROM persons WHERE id = $1";
        let mut tx = self.begin().await?;
        let devices: i64 = query_scalar(DEVICES).bind(id.as_str()).fetch_one(&mut tx).await?;
        if devices > 0 {
            return Ok(Err(RemovalRefusal::Devices(devices)));
        }
        query(LINES).bind(id.as_str()).execute(&mut tx).await?;
        crate::mail::forget_person(&mut tx, id, self.at()).await?;
        let done = query(PERSON).bind(id.as_str()).execute(&mut tx).await?;
        if done == 0 {
            return Err(StoreError::Missing { what: "user" });
        }
        self.commit(tx).await?;
        Ok(Ok(()))
    }

    /// Replaces a site's fields and servers; its account stays.
    ///
    /// # Errors
    /// [`StoreError::Missing`] without such a site.
    pub async fn change_site(self, id: &SiteId, site: &NewSite) -> Result<(), StoreError> {
        const SITE: &str = "UPDATE sites SET name = $2, time_zone = $3, country = $4, language = $5, vlan = $6, \
                            voicemail = $7, emergency_address = $8 WHERE id = $1";
        const SERVERS: &str = "DELETE FROM site_servers WHERE site = $1";
        let mut tx = self.begin().await?;
        let done = query(SITE)
            .bind(id.as_str())
            .bind(&site.name)
            .bind(&site.time_zone)
            .bind(&site.country)
            .bind(&site.language)
            .bind(site.vlan.map(i64::from))
            .bind(&site.voicemail)
            .bind(&site.emergency_address)
            .execute(&mut tx)
            .await?;
        if done == 0 {
            return Err(StoreError::Missing { what: "site" });
        }
        query(SERVERS).bind(id.as_str()).execute(&mut tx).await?;
        add_servers(&mut tx, id, site).await?;
        self.commit(tx).await
    }

    /// Removes a site where nobody is, with its emergency route, its layer and its firmware policies.
    ///
    /// # Errors
    /// [`StoreError::Missing`] without such a site.
    pub async fn remove_site(self, id: &SiteId) -> Result<Result<(), RemovalRefusal>, StoreError> {
        const USERS: &str = "SELECT COUNT(*) FROM persons WHERE site = $1";
        const NETWORKS: &str = "DELETE FROM emergency_networks WHERE site = $1";
        const ROUTE: &str = "DELETE FROM emergency_routes WHERE site = $1";
        const SERVERS: &str = "DELETE FROM site_servers WHERE site = $1";
        const LAYER: &str = "DELETE FROM configuration_layers WHERE subject = $1";
        const REVISIONS: &str = "DELETE FROM configuration_revisions WHERE subject = $1";
        const FIRMWARE: &str = "DELETE FROM firmware_policies WHERE site = $1";
        const SITE: &str = "DELETE FROM sites WHERE id = $1";
        let mut tx = self.begin().await?;
        let users: i64 = query_scalar(USERS).bind(id.as_str()).fetch_one(&mut tx).await?;
        if users > 0 {
            return Ok(Err(RemovalRefusal::Users(users)));
        }
        for sql in [NETWORKS, ROUTE, SERVERS, LAYER, REVISIONS, FIRMWARE] {
            query(sql).bind(id.as_str()).execute(&mut tx).await?;
        }
        let done = query(SITE).bind(id.as_str()).execute(&mut tx).await?;
        if done == 0 {
            return Err(StoreError::Missing { what: "site" });
        }
        self.commit(tx).await?;
        Ok(Ok(()))
    }
}

/// The lines of a user that has none yet.
pub(crate) async fn add_lines(
    tx: &mut Tx,
    id: &UserId,
    user: &NewUser,
    passwords: &[Option<Vec<u8>>],
) -> Result<(), StoreError> {
    const LINE: &str =
        "INSERT INTO person_lines (person, place, sip_user, auth_user, password) VALUES ($1, $2, $3, $4, $5)";
    for (index, line) in user.lines.iter().enumerate() {
        query(LINE)
            .bind(id.as_str())
            .bind(place(index))
            .bind(&line.user)
            .bind(&line.auth_user)
            .bind(passwords.get(index).and_then(Option::as_deref))
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

/// The servers of a site that has none yet.
pub(crate) async fn add_servers(tx: &mut Tx, id: &SiteId, site: &NewSite) -> Result<(), StoreError> {
    const SERVER: &str = "INSERT INTO site_servers (site, place, host, port, transport) VALUES ($1, $2, $3, $4, $5)";
    for (index, server) in site.sip_servers.iter().enumerate() {
        query(SERVER)
            .bind(id.as_str())
            .bind(place(index))
            .bind(&server.host)
            .bind(i64::from(server.port))
            .bind(server.transport.as_str())
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}
