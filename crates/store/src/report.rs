//! The device report: a page of devices in any order of its columns, found by an index however many there are.
//!
//! The orders and filters stand in the table `device_report`, which triggers keep ([`upkeep`]). A page without a filter
//! is read off an index. With filters it costs at most [`LOOKED_AT`] entries: either the matches of one filter are few
//! and are sorted, or the order's index is walked that far, and a page that found too little says where to go on.

mod counts;
mod plan;
mod select;
mod upkeep;

pub(crate) use select::Select;
pub(crate) use upkeep::prepare;

use crate::rows::{mac, optional, parsed, time, unreadable};
use crate::sql::query_as;
use crate::{Store, StoreError, Within};
use provost_core::ids::{AccountId, DeviceId};
use provost_core::lifecycle::DeviceState;
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use sqlx::FromRow;
use std::collections::HashMap;

/// The columns a report can be ordered by; within equal ones by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportOrder {
    /// Model.
    Device,
    /// The phone it is bound to, else the one named beforehand.
    Mac,
    /// The user's extension, as text.
    Extension,
    /// State, by the alphabet.
    Status,
    /// The name of the user's site.
    Site,
    /// The user's name.
    User,
    /// Last contact of the phone; never is first.
    LastContact,
}

/// Which devices are wanted: those that match everything that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportFilter {
    /// Where it is in its life.
    pub status: Option<DeviceState>,
    /// The id of the user's site.
    pub site: Option<String>,
    /// Model id.
    pub model: Option<String>,
    /// What MAC, extension or user's name begins with.
    pub begins: Option<String>,
    /// A phone is known, and was not here since then.
    pub missed_since: Option<UnixMillis>,
}

/// A place in an order: the next page begins behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportPlace {
    /// The value it is ordered by.
    pub key: String,
    /// The device.
    pub device: String,
}

/// What page of the report is wanted.
#[derive(Debug, Clone)]
pub struct ReportQuery {
    /// How far the list reaches.
    pub within: Within,
    /// Which of them.
    pub filter: ReportFilter,
    /// In what order.
    pub order: ReportOrder,
    /// The last first.
    pub descending: bool,
    /// Behind what.
    pub after: Option<ReportPlace>,
    /// At most this many.
    pub limit: u32,
}

/// A page of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportPage {
    /// The devices.
    pub rows: Vec<ReportRow>,
    /// Where the next page begins; `None` at the end. A page may be short and still not the last.
    pub next: Option<ReportPlace>,
}

/// A device as the report shows it; secrets are encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRow {
    /// Id.
    pub id: DeviceId,
    /// Owner.
    pub account: AccountId,
    /// Model id.
    pub model: String,
    /// The phone it is bound to, else the one named beforehand.
    pub mac: Option<MacAddr>,
    /// The phone's administrator password, if it has one of ours.
    pub admin_password: Option<Vec<u8>>,
    /// The user's extension.
    pub extension: Option<String>,
    /// Where it is in its life.
    pub status: DeviceState,
    /// The open code, with the time it expires.
    pub code: Option<(Vec<u8>, UnixMillis)>,
    /// The name of the user's site.
    pub site: Option<String>,
    /// The user's name.
    pub user: Option<String>,
    /// Firmware of its phone.
    pub firmware: Option<String>,
    /// Last contact of its phone.
    pub last_contact: Option<UnixMillis>,
    /// Certificate status of its phone.
    pub certificate: Option<String>,
}

/// Index entries that one page costs at most, with filters.
pub const LOOKED_AT: u32 = 10_000;

#[derive(FromRow)]
struct Columns {
    id: String,
    account: String,
    model: String,
    mac: String,
    admin_password: Option<Vec<u8>>,
    extension: Option<String>,
    status: String,
    shown: Option<Vec<u8>>,
    expires_ms: Option<i64>,
    site_name: Option<String>,
    user_name: Option<String>,
    firmware: Option<String>,
    last_seen_ms: Option<i64>,
    certificate: Option<String>,
}

impl Store {
    /// A page of the device report.
    pub async fn device_report(&self, query: &ReportQuery) -> Result<ReportPage, StoreError> {
        let found = self.report_places(query).await?;
        let mut rows = self.report_rows(&found.places).await?;
        // In the order of the places; a device that went in between is left out.
        let rows = found.places.iter().filter_map(|place| rows.remove(&place.device)).collect();
        Ok(ReportPage { rows, next: found.next })
    }

    async fn report_rows(&self, places: &[ReportPlace]) -> Result<HashMap<String, ReportRow>, StoreError> {
        const SQL: &str = "SELECT r.device AS id, r.account, r.model, r.mac, w.admin_password, \
             r.shown_extension AS extension, r.status, c.shown, c.expires_ms, r.shown_site AS site_name, \
             r.shown_user AS user_name, p.firmware, p.last_seen_ms, p.certificate FROM device_report r \
             LEFT JOIN bindings b ON b.device = r.device LEFT JOIN phone_passwords w ON w.id = b.passwords \
             LEFT JOIN phones p ON p.mac = r.mac \
             LEFT JOIN codes c ON c.device = r.device AND c.used_by IS NULL AND c.voided_ms IS NULL WHERE r.device IN (";
        if places.is_empty() {
            return Ok(HashMap::new());
        }
        let mut select = Select::new(SQL);
        for (index, place) in places.iter().enumerate() {
            if index > 0 {
                select.push(", ");
            }
            select.text(&place.device);
        }
        select.push(")");
        let rows: Vec<Columns> = select.query().fetch_all(&self.read).await?;
        rows.into_iter().map(|row| Ok((row.id.clone(), ReportRow::read(row)?))).collect()
    }

    /// The accounts in a part of the tree, at most `most`.
    pub(crate) async fn accounts_in(&self, from: &str, to: &str, most: u32) -> Result<Vec<String>, StoreError> {
        const SQL: &str = "SELECT id, path FROM accounts WHERE path >= $1 AND path < $2 ORDER BY path LIMIT $3";
        let rows: Vec<(String, String)> = query_as(SQL).bind(from).bind(to).bind(most).fetch_all(&self.read).await?;
        Ok(rows.into_iter().map(|(id, _)| id).collect())
    }
}

impl ReportRow {
    fn read(row: Columns) -> Result<Self, StoreError> {
        Ok(Self {
            id: parsed("devices.id", &row.id)?,
            account: parsed("devices.account", &row.account)?,
            model: row.model,
            mac: Some(row.mac.as_str()).filter(|text| !text.is_empty()).map(mac).transpose()?,
            admin_password: row.admin_password,
            extension: row.extension,
            status: DeviceState::from_word(&row.status)
                .ok_or_else(|| unreadable("device_report.status", &row.status))?,
            code: row.shown.zip(row.expires_ms.map(UnixMillis)),
            site: row.site_name,
            user: row.user_name,
            firmware: row.firmware,
            last_contact: time(row.last_seen_ms),
            certificate: row.certificate,
        })
    }
}

impl ReportPlace {
    /// Reads the device's id, so that a place from outside cannot be anything else.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`].
    pub fn checked(key: String, device: &str, order: ReportOrder) -> Result<Self, StoreError> {
        let id: Option<DeviceId> = optional("a cursor's device", Some(device))?;
        if order == ReportOrder::LastContact {
            key.parse::<i64>().map_err(|_| unreadable("a cursor's time", &key))?;
        }
        Ok(Self { key, device: id.map(|id| id.to_string()).unwrap_or_default() })
    }
}
