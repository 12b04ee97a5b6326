//! What is remembered of devices: the phones they had, and those that were released.

use super::Ended;
use crate::rows::{mac, optional, parsed, time, unreadable};
use crate::sql::{query_as, query_scalar};
use crate::timeline::EventRow;
use crate::within::{Columns, Within};
use crate::{Page, Store, StoreError};
use provost_core::ids::{AccountId, DeviceId, SiteId};
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use sqlx::FromRow;

/// A phone that a device has or had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevicePhone {
    /// The phone.
    pub mac: MacAddr,
    /// When it was bound.
    pub bound: UnixMillis,
    /// When that ended, and how.
    pub ended: Option<(UnixMillis, Ended)>,
}

/// A device that was released, and maybe removed since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseRow {
    /// The device.
    pub device: DeviceId,
    /// Owner.
    pub account: AccountId,
    /// The site of the user it had.
    pub site: Option<SiteId>,
    /// Model id.
    pub model: String,
    /// The phone it had, or that was named.
    pub mac: Option<MacAddr>,
    /// When it was released.
    pub released: UnixMillis,
    /// When it was removed.
    pub removed: Option<UnixMillis>,
}

#[derive(FromRow)]
struct ReleaseColumns {
    device: String,
    account: String,
    site: Option<String>,
    model: String,
    mac: Option<String>,
    released_ms: i64,
    removed_ms: Option<i64>,
}

impl Store {
    /// The phones a device has and had, the newest first; also of one that was removed.
    pub async fn phones_of_device(&self, device: &DeviceId) -> Result<Vec<DevicePhone>, StoreError> {
        const SQL: &str = "SELECT mac, bound_ms, ended_ms, ended_how FROM device_phones WHERE device = $1 \
                           ORDER BY bound_ms DESC, mac";
        let rows: Vec<(String, i64, Option<i64>, Option<String>)> =
            query_as(SQL).bind(device.as_str()).fetch_all(&self.read).await?;
        let read = |(phone, bound, ended, how): (String, i64, Option<i64>, Option<String>)| {
            let how = how.map(|word| {
                let known = Ended::WORDS.into_iter().find(|(known, _)| *known == word);
                known.map(|(_, ended)| ended).ok_or_else(|| unreadable("device_phones.ended_how", &word))
            });
            let ended = time(ended).zip(how.transpose()?);
            Ok(DevicePhone { mac: mac(&phone)?, bound: UnixMillis(bound), ended })
        };
        rows.into_iter().map(read).collect()
    }

    /// The newest entries about a phone within a time, both ends included, before the entry `before` if one is named.
    pub async fn timeline_between(
        &self,
        of: MacAddr,
        (from, to): (UnixMillis, UnixMillis),
        (before, limit): (&str, u32),
    ) -> Result<Vec<EventRow>, StoreError> {
        const SQL: &str = "SELECT id, mac, at_ms, kind, sentence, advice, reference FROM events \
                           WHERE mac = $1 AND at_ms >= $2 AND at_ms <= $3 AND ($4 = '' OR id < $4) \
                           ORDER BY id DESC LIMIT $5";
        let rows = query_as(SQL)
            .bind(of.to_string())
            .bind(from.0)
            .bind(to.0)
            .bind(before)
            .bind(i64::from(limit))
            .fetch_all(&self.read)
            .await?;
        rows.into_iter().map(EventRow::read).collect()
    }

    /// What is remembered of a released or removed device.
    pub async fn release_of(&self, device: &DeviceId) -> Result<Option<ReleaseRow>, StoreError> {
        const SQL: &str = "SELECT device, account, site, model, COALESCE(mac, named_mac) AS mac, released_ms, removed_ms \
                           FROM releases WHERE device = $1";
        let row: Option<ReleaseColumns> = query_as(SQL).bind(device.as_str()).fetch_optional(&self.read).await?;
        row.map(ReleaseRow::read).transpose()
    }

    /// Lists devices that were released, removed ones too, by id.
    pub async fn releases(&self, within: &Within, page: Page<'_>) -> Result<Vec<ReleaseRow>, StoreError> {
        const WHOSE: Columns = Columns { account: "r.account", site: "r.site" };
        let sql = format!(
            "SELECT r.device, r.account, r.site, r.model, COALESCE(r.mac, r.named_mac) AS mac, r.released_ms, r.removed_ms \
             FROM releases r WHERE r.device > $1 AND {} ORDER BY r.device LIMIT $2",
            within.condition(&WHOSE, 3)
        );
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(page.after).bind(i64::from(page.limit)).within(within);
        let rows: Vec<ReleaseColumns> = query.fetch_all(&self.read).await?;
        rows.into_iter().map(ReleaseRow::read).collect()
    }

    /// The device a phone was taken from when it was set aside.
    pub async fn set_aside_from(&self, phone: MacAddr) -> Result<Option<DeviceId>, StoreError> {
        const SQL: &str = "SELECT device FROM set_aside_phones WHERE mac = $1";
        let text: Option<String> = query_scalar(SQL).bind(phone.to_string()).fetch_optional(&self.read).await?;
        optional("set_aside_phones.device", text.as_deref())
    }
}

impl ReleaseRow {
    fn read(row: ReleaseColumns) -> Result<Self, StoreError> {
        Ok(Self {
            device: parsed("releases.device", &row.device)?,
            account: parsed("releases.account", &row.account)?,
            site: optional("releases.site", row.site.as_deref())?,
            model: row.model,
            mac: row.mac.as_deref().map(mac).transpose()?,
            released: UnixMillis(row.released_ms),
            removed: time(row.removed_ms),
        })
    }
}
