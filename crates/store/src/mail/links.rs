//! Links to a person's codes: good once and for a time, found by the hash of their token.

use crate::rows::{parsed, time};
use crate::sql::{query, query_as};
use crate::{Audited, Store, StoreError};
use provost_core::ids::{MailId, UserId};
use provost_core::time::UnixMillis;

/// A link as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRow {
    /// Whose codes it shows.
    pub person: UserId,
    /// Until when.
    pub expires: UnixMillis,
    /// When it was used.
    pub used: Option<UnixMillis>,
}

impl Store {
    /// The link with this hash.
    pub async fn mail_link(&self, digest: &[u8]) -> Result<Option<LinkRow>, StoreError> {
        const SQL: &str = "SELECT person, expires_ms, used_ms FROM mail_links WHERE digest = $1";
        let row: Option<LinkColumns> = query_as(SQL).bind(digest).fetch_optional(&self.read).await?;
        row.map(read).transpose()
    }

    /// The link that this mail holds, while it is kept.
    pub async fn link_of_mail(&self, mail: &MailId) -> Result<Option<LinkRow>, StoreError> {
        const SQL: &str = "SELECT person, expires_ms, used_ms FROM mail_links WHERE mail = $1";
        let row: Option<LinkColumns> = query_as(SQL).bind(mail.as_str()).fetch_optional(&self.read).await?;
        row.map(read).transpose()
    }
}

type LinkColumns = (String, i64, Option<i64>);

fn read((person, expires, used): LinkColumns) -> Result<LinkRow, StoreError> {
    Ok(LinkRow { person: parsed("mail_links.person", &person)?, expires: UnixMillis(expires), used: time(used) })
}

impl Audited<'_> {
    /// Uses a link up; of several who try at once one succeeds. False when it is used or over.
    pub async fn use_mail_link(self, digest: &[u8], now: UnixMillis) -> Result<bool, StoreError> {
        const SQL: &str =
            "UPDATE mail_links SET used_ms = $2 WHERE digest = $1 AND used_ms IS NULL AND expires_ms > $2";
        let mut tx = self.begin().await?;
        let done = query(SQL).bind(digest).bind(now.0).execute(&mut tx).await?;
        if done == 1 {
            self.commit(tx).await?;
        }
        Ok(done == 1)
    }
}
