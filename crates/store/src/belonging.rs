//! To whom a phone belongs: to the account of the device it is bound to or was taken from, else of the one device that
//! names its MAC.
//!
//! A MAC that several accounts name belongs only to a scope that holds them all; a phone nobody claims, to everything.

use crate::rows::{optional, parsed};
use crate::sql::query_as;
use crate::within::{Columns, Within};
use crate::{Store, StoreError};
use provost_core::ids::{AccountId, DeviceId, SiteId};
use provost_core::mac::MacAddr;

/// A device that names a phone beforehand, or has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimant {
    /// The device.
    pub device: DeviceId,
    /// Its account.
    pub account: AccountId,
    /// The site of its user.
    pub site: Option<SiteId>,
    /// Whether the phone is bound to it, or set aside after it was.
    pub bound: bool,
}

/// Whether the phone with this MAC belongs there, with the parameters `$first` and the one after it.
pub(crate) fn condition(mac: &str, within: &Within, first: u8) -> String {
    const WHOSE: Columns = Columns { account: "d.account", site: "u.site" };
    const OTHERS: Columns = Columns { account: "o.account", site: "ou.site" };
    let inside = within.condition(&WHOSE, first);
    if matches!(within, Within::Everything | Within::Nothing) {
        return inside;
    }
    // A device without a user is at no site: neither inside nor, to a comparison, outside.
    let outside = format!("CASE WHEN {} THEN 0 ELSE 1 END = 1", within.condition(&OTHERS, first));
    format!(
        "{mac} IN (SELECT b.mac FROM bindings b JOIN devices d ON d.id = b.device \
         LEFT JOIN persons u ON u.id = d.person WHERE {inside} \
         UNION ALL SELECT a.mac FROM set_aside_phones a JOIN devices d ON d.id = a.device \
         LEFT JOIN persons u ON u.id = d.person WHERE {inside} \
         UNION ALL SELECT d.mac FROM devices d LEFT JOIN persons u ON u.id = d.person \
         LEFT JOIN bindings b ON b.device = d.id WHERE d.mac IS NOT NULL AND b.device IS NULL AND {inside} \
         AND NOT EXISTS (SELECT 1 FROM bindings ob WHERE ob.mac = d.mac) \
         AND NOT EXISTS (SELECT 1 FROM set_aside_phones a WHERE a.mac = d.mac) \
         AND NOT EXISTS (SELECT 1 FROM devices o LEFT JOIN persons ou ON ou.id = o.person \
         LEFT JOIN bindings ob ON ob.device = o.id WHERE o.mac = d.mac AND ob.device IS NULL AND {outside}))"
    )
}

impl Store {
    /// Every device that has this phone or names it, by id. More than one, none of them bound: nobody gets it.
    pub async fn claimants(&self, phone: MacAddr) -> Result<Vec<Claimant>, StoreError> {
        const SQL: &str = "SELECT d.id, d.account, u.site, b.device IS NOT NULL FROM devices d \
                           LEFT JOIN persons u ON u.id = d.person LEFT JOIN bindings b ON b.device = d.id \
                           WHERE d.id IN (SELECT ob.device FROM bindings ob WHERE ob.mac = $1 \
                           UNION ALL SELECT o.id FROM devices o WHERE o.mac = $1) \
                           AND (b.device IS NULL OR b.mac = $1) ORDER BY d.id";
        const SET_ASIDE: &str = "SELECT a.device, a.account, u.site, TRUE FROM set_aside_phones a \
                                 LEFT JOIN devices d ON d.id = a.device LEFT JOIN persons u ON u.id = d.person \
                                 WHERE a.mac = $1";
        let claimant = |(device, account, site, bound): (String, String, Option<String>, bool)| {
            Ok(Claimant {
                device: parsed("devices.id", &device)?,
                account: parsed("devices.account", &account)?,
                site: optional("persons.site", site.as_deref())?,
                bound,
            })
        };
        let mac = phone.to_string();
        let mut rows: Vec<(String, String, Option<String>, bool)> =
            query_as(SQL).bind(&mac).fetch_all(&self.read).await?;
        rows.extend(query_as(SET_ASIDE).bind(&mac).fetch_optional(&self.read).await?);
        rows.into_iter().map(claimant).collect()
    }
}
