//! Welcome mails: who got one, and for which devices.

use super::{NewMail, add};
use crate::rows::parsed;
use crate::sql::{Tx, query, query_as};
use crate::within::{Columns, Within};
use crate::{Audited, Page, Store, StoreError};
use provost_core::ids::{DeviceId, MailId, SiteId, UserId};
use provost_core::mail::MailState;
use provost_core::time::UnixMillis;

/// What a welcome mail brings beside the mail.
#[derive(Debug, Clone)]
pub struct NewWelcome<'a> {
    /// Whom it is for.
    pub person: &'a UserId,
    /// The devices whose codes it holds.
    pub devices: &'a [DeviceId],
    /// The hash of its link's token, and until when the link is good if the mail is never sent.
    pub link: (&'a [u8], UnixMillis),
}

/// The newest welcome mail of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WelcomeRow {
    /// The mail.
    pub mail: MailId,
    /// When it was written.
    pub at: UnixMillis,
    /// What became of it.
    pub state: MailState,
    /// When it was sent, refused or given up.
    pub ended: Option<UnixMillis>,
    /// Whether a device that wants to be activated is not in it.
    pub device_since: bool,
    /// The address it went to.
    pub address: String,
    /// Whether the person has another address now.
    pub address_since: bool,
}

/// Which people shall be welcomed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Welcomable<'a> {
    /// Those at this site.
    pub site: Option<&'a SiteId>,
    /// Those to whom no welcome mail was sent, or none with a device that they were given since.
    pub not_yet: bool,
}

/// A device that waits for its activation and is not in the person's newest welcome mail.
pub(crate) const DEVICE_SINCE: &str = "EXISTS (SELECT 1 FROM devices d LEFT JOIN bindings b ON b.device = d.id WHERE d.person = p.id \
     AND b.device IS NULL AND d.barred IS NULL AND d.released_ms IS NULL AND NOT EXISTS \
     (SELECT 1 FROM welcome_devices w WHERE w.person = p.id AND w.device = d.id))";

/// The newest welcome mail went to an address that is not theirs any more.
const ADDRESS_SINCE: &str = "m.address <> COALESCE(p.email, '')";

type WelcomeColumns = (String, i64, String, Option<i64>, bool, String, bool);

impl Store {
    /// The newest welcome mail of a person.
    pub async fn welcome_of(&self, person: &UserId) -> Result<Option<WelcomeRow>, StoreError> {
        let sql = format!(
            "SELECT w.mail, w.at_ms, m.state, m.ended_ms, {DEVICE_SINCE}, m.address, {ADDRESS_SINCE} FROM welcomes w \
             JOIN mails m ON m.id = w.mail JOIN persons p ON p.id = w.person WHERE w.person = $1"
        );
        let row: Option<WelcomeColumns> =
            query_as(sqlx::AssertSqlSafe(sql)).bind(person.as_str()).fetch_optional(&self.read).await?;
        let read = |(mail, at, state, ended, device_since, address, address_since): WelcomeColumns| {
            Ok(WelcomeRow {
                mail: parsed("welcomes.mail", &mail)?,
                at: UnixMillis(at),
                state: parsed("mails.state", &state)?,
                ended: ended.map(UnixMillis),
                device_since,
                address,
                address_since,
            })
        };
        row.map(read).transpose()
    }

    /// The devices whose codes the newest welcome mail of a person holds.
    pub async fn welcome_devices(&self, person: &UserId) -> Result<Vec<DeviceId>, StoreError> {
        const SQL: &str = "SELECT device FROM welcome_devices WHERE person = $1 ORDER BY device";
        let found: Vec<(String,)> = query_as(SQL).bind(person.as_str()).fetch_all(&self.read).await?;
        found.iter().map(|(id,)| parsed("welcome_devices.device", id)).collect()
    }

    /// The people of a scope who shall be welcomed, by id.
    pub async fn people_to_welcome(
        &self,
        within: &Within,
        of: Welcomable<'_>,
        page: Page<'_>,
    ) -> Result<Vec<UserId>, StoreError> {
        const WHOSE: Columns = Columns { account: "s.account", site: "p.site" };
        let sql = format!(
            "SELECT p.id FROM persons p JOIN sites s ON s.id = p.site LEFT JOIN welcomes w ON w.person = p.id \
             LEFT JOIN mails m ON m.id = w.mail WHERE p.id > $1 AND {} AND ($5 = '' OR p.site = $5) \
             AND (NOT $6 OR w.person IS NULL OR m.state IN ('refused', 'given-up') OR m.address <> p.email OR {DEVICE_SINCE}) \
             ORDER BY p.id LIMIT $2",
            within.condition(&WHOSE, 3)
        );
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(page.after).bind(i64::from(page.limit));
        let query = query.within(within).bind(of.site.map_or("", SiteId::as_str)).bind(of.not_yet);
        let rows: Vec<(String,)> = query.fetch_all(&self.read).await?;
        rows.iter().map(|(id,)| parsed("persons.id", id)).collect()
    }
}

impl Audited<'_> {
    /// Puts a welcome mail into the outbox. One of before that was not sent yet is replaced, and links of before end.
    pub async fn add_welcome(self, mail: &NewMail<'_>, welcome: &NewWelcome<'_>) -> Result<(), StoreError> {
        const REPLACE: &str = "UPDATE mails SET state = 'replaced', ended_ms = $2 WHERE person = $1 AND kind = $3 \
                               AND state = 'waiting'";
        const END_LINKS: &str = "DELETE FROM mail_links WHERE person = $1 AND used_ms IS NULL";
        const LINK: &str = "INSERT INTO mail_links (digest, person, mail, expires_ms) VALUES ($1, $2, $3, $4)";
        const WELCOME: &str = "INSERT INTO welcomes (person, mail, at_ms) VALUES ($1, $2, $3) ON CONFLICT (person) \
                               DO UPDATE SET mail = excluded.mail, at_ms = excluded.at_ms";
        const DEVICE: &str = "INSERT INTO welcome_devices (person, device) VALUES ($1, $2)";
        let person = welcome.person.as_str();
        let (digest, expires) = welcome.link;
        let mut tx = self.begin().await?;
        query(REPLACE).bind(person).bind(mail.now.0).bind(mail.kind).execute(&mut tx).await?;
        add(&mut tx, mail).await?;
        query(END_LINKS).bind(person).execute(&mut tx).await?;
        let link = query(LINK).bind(digest).bind(person).bind(mail.id.as_str()).bind(expires.0);
        link.execute(&mut tx).await?;
        query(WELCOME).bind(person).bind(mail.id.as_str()).bind(mail.now.0).execute(&mut tx).await?;
        forget_devices(&mut tx, person).await?;
        for device in welcome.devices {
            query(DEVICE).bind(person).bind(device.as_str()).execute(&mut tx).await?;
        }
        self.commit(tx).await
    }
}

async fn forget_devices(tx: &mut Tx, person: &str) -> Result<(), StoreError> {
    const SQL: &str = "DELETE FROM welcome_devices WHERE person = $1";
    query(SQL).bind(person).execute(&mut *tx).await?;
    Ok(())
}

/// Whoever has another address now: what is on its way to the old one is not sent, and links that went there end.
pub(crate) async fn moved(tx: &mut Tx, person: &UserId, now: UnixMillis) -> Result<(), StoreError> {
    const LINKS: &str = "DELETE FROM mail_links WHERE person = $1 AND used_ms IS NULL";
    const MAILS: &str = "UPDATE mails SET state = 'replaced', ended_ms = $2 WHERE person = $1 AND state = 'waiting'";
    query(LINKS).bind(person.as_str()).execute(&mut *tx).await?;
    query(MAILS).bind(person.as_str()).bind(now.0).execute(&mut *tx).await?;
    Ok(())
}

/// Whoever is removed was never welcomed; mails on their way are not sent.
pub(crate) async fn forget(tx: &mut Tx, person: &UserId, now: UnixMillis) -> Result<(), StoreError> {
    const ALL: [&str; 2] = ["DELETE FROM welcomes WHERE person = $1", "DELETE FROM mail_links WHERE person = $1"];
    const MAILS: &str = "UPDATE mails SET state = 'replaced', ended_ms = $2 WHERE person = $1 AND state = 'waiting'";
    forget_devices(tx, person.as_str()).await?;
    for sql in ALL {
        query(sql).bind(person.as_str()).execute(&mut *tx).await?;
    }
    query(MAILS).bind(person.as_str()).bind(now.0).execute(&mut *tx).await?;
    Ok(())
}
