//! Sites: how far their phones have come, and where many fell silent.

use super::OF_REPORT;
use crate::report::LOOKED_AT;
use crate::rows::{mac, parsed};
use crate::sql::query_as;
use crate::within::{Columns, Within};
use crate::{Store, StoreError};
use provost_core::ids::{AccountId, SiteId};
use provost_core::lifecycle::DeviceState;
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;

const OF_SITE: Columns = Columns { account: "s.account", site: "s.id" };

/// How far a site is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteProgress {
    /// The site.
    pub site: SiteId,
    /// Its account.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// Devices whose phone is bound.
    pub activated: i64,
    /// These, and those that wait for a phone.
    pub wanted: i64,
}

/// The phones of a site that ask by themselves, and those that stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteSilence {
    /// The site.
    pub site: SiteId,
    /// Its account.
    pub account: AccountId,
    /// Its name.
    pub name: String,
    /// Claimed phones that asked since the window began, silent ones included.
    pub polling: i64,
    /// Of these, the ones that should have asked since and did not.
    pub silent: i64,
    /// Claimed phones that asked since the window of the open alarm began, silent ones included; 0 without one.
    pub alarmed_polling: i64,
    /// Of these, the ones that should have asked since and did not.
    pub alarmed_silent: i64,
    /// When the last of the silent ones asked.
    pub last: UnixMillis,
}

type ProgressColumns = (String, String, String, String, i64);
type SilenceColumns = (String, String, String, i64, i64, i64, i64, i64);

impl Store {
    /// The sites with devices that have a user, with how many of these are activated; by name.
    pub async fn site_progress(&self, within: &Within) -> Result<Vec<SiteProgress>, StoreError> {
        // Counted along the index on site and status, whatever the state: to begin from a state is to sort them all.
        let at = match within {
            Within::Everything => format!("r.site <> '' AND {}", within.condition(&OF_SITE, 1)),
            within => format!("r.site IN (SELECT s.id FROM sites s WHERE {})", within.condition(&OF_SITE, 1)),
        };
        let sql = format!(
            "SELECT s.id, s.account, s.name, k.status, k.devices FROM (SELECT r.site, r.status, COUNT(*) AS devices \
             FROM device_report r WHERE {at} GROUP BY r.site, r.status) k CROSS JOIN sites s WHERE s.id = k.site \
             ORDER BY s.name, s.id"
        );
        let query = query_as(sqlx::AssertSqlSafe(sql)).within(within);
        let rows: Vec<ProgressColumns> = query.fetch_all(&self.read).await?;
        let mut sites: Vec<SiteProgress> = Vec::new();
        for (site, account, name, status, count) in rows {
            let is_bound = status == DeviceState::Activated.as_str();
            if !is_bound && DeviceState::from_word(&status).is_none_or(|state| !state.wants_code()) {
                continue;
            }
            if sites.last().is_none_or(|last| last.site.as_str() != site) {
                let (site, account) = (parsed("sites.id", &site)?, parsed("sites.account", &account)?);
                sites.push(SiteProgress { site, account, name, activated: 0, wanted: 0 });
            }
            if let Some(last) = sites.last_mut() {
                last.wanted = last.wanted.saturating_add(count);
                if is_bound {
                    last.activated = last.activated.saturating_add(count);
                }
            }
        }
        Ok(sites)
    }

    /// The sites at which claimed phones fell silent between `from` and `to`, and those about which an alarm of this kind
    /// is open: a phone that was not here since `to` is silent. Of the alarm's phones those count that were here up to so
    /// many milliseconds before it was raised.
    pub async fn silent_sites(
        &self,
        (from, to): (UnixMillis, UnixMillis),
        (kind, before_alarm_ms): (&str, i64),
    ) -> Result<Vec<SiteSilence>, StoreError> {
        const SQL: &str = "SELECT s.id, s.account, s.name, \
             COALESCE(SUM(CASE WHEN r.contact_ms >= $1 THEN 1 ELSE 0 END), 0), \
             COALESCE(SUM(CASE WHEN r.contact_ms >= $1 AND r.contact_ms < $2 THEN 1 ELSE 0 END), 0), \
             COALESCE(SUM(CASE WHEN r.contact_ms >= k.since_ms THEN 1 ELSE 0 END), 0), \
             COALESCE(SUM(CASE WHEN r.contact_ms >= k.since_ms AND r.contact_ms < $2 THEN 1 ELSE 0 END), 0), \
             COALESCE(MAX(CASE WHEN r.contact_ms < $2 THEN r.contact_ms ELSE 0 END), 0) \
             FROM (SELECT w.site, MAX(w.since_ms) AS since_ms FROM (SELECT f.site, CAST(NULL AS BIGINT) AS since_ms \
             FROM (SELECT site, status FROM device_report WHERE contact_ms >= $1 AND contact_ms < $2 AND contact_ms > 0 \
             ORDER BY contact_ms DESC LIMIT $3) f WHERE f.status = 'activated' AND f.site <> '' \
             UNION ALL SELECT a.subject, a.raised_ms - $5 FROM alarms a WHERE a.kind = $4 AND a.ended_ms IS NULL) w \
             GROUP BY w.site) k CROSS JOIN sites s \
             LEFT JOIN device_report r ON r.site = s.id AND r.status = 'activated' AND r.contact_ms > 0 \
             WHERE s.id = k.site GROUP BY s.id, s.account, s.name ORDER BY s.id";
        let query = query_as(SQL).bind(from.0).bind(to.0).bind(i64::from(LOOKED_AT)).bind(kind).bind(before_alarm_ms);
        let rows: Vec<SilenceColumns> = query.fetch_all(&self.read).await?;
        rows.into_iter().map(silence).collect()
    }

    /// Claimed phones that were left at their former server's address, or may have been, and asked last between `from`
    /// and `to`, while another phone of their site asked after `to`.
    pub async fn left_alone_and_silent(
        &self,
        (from, to): (UnixMillis, UnixMillis),
        limit: u32,
    ) -> Result<Vec<(MacAddr, UnixMillis)>, StoreError> {
        const SQL: &str = "SELECT r.mac, r.contact_ms FROM (SELECT device FROM device_report WHERE contact_ms >= $1 \
             AND contact_ms < $2 AND contact_ms > 0 ORDER BY contact_ms DESC LIMIT $3) f \
             CROSS JOIN device_report r CROSS JOIN bindings b WHERE r.device = f.device AND b.device = r.device \
             AND r.status = 'activated' AND b.pin = 'left-alone' AND r.site <> '' \
             AND EXISTS (SELECT 1 FROM device_report o WHERE o.site = r.site AND o.status = 'activated' \
             AND o.contact_ms >= $2) ORDER BY r.contact_ms DESC, r.mac LIMIT $4";
        let query = query_as(SQL).bind(from.0).bind(to.0).bind(i64::from(LOOKED_AT)).bind(i64::from(limit));
        let rows: Vec<(String, i64)> = query.fetch_all(&self.read).await?;
        rows.into_iter().map(|(phone, at)| Ok((mac(&phone)?, UnixMillis(at)))).collect()
    }

    /// How many claimed phones of a scope have not asked since then, counted to a bound.
    pub async fn silent_count(&self, within: &Within, before: UnixMillis) -> Result<i64, StoreError> {
        let scope = within.condition(&OF_REPORT, 1);
        // Most devices have the state: no index on it is taken.
        let sql = format!(
            "SELECT COUNT(*) FROM (SELECT r.device FROM device_report r WHERE r.contact_ms > 0 AND r.contact_ms < $3 \
             AND r.status || '' = 'activated' AND {scope} LIMIT {LOOKED_AT}) f"
        );
        let query = query_as(sqlx::AssertSqlSafe(sql)).within(within).bind(before.0);
        let (count,): (i64,) = query.fetch_one(&self.read).await?;
        Ok(count)
    }
}

fn silence(row: SilenceColumns) -> Result<SiteSilence, StoreError> {
    let (site, account, name, polling, silent, alarmed_polling, alarmed_silent, last) = row;
    Ok(SiteSilence {
        site: parsed("sites.id", &site)?,
        account: parsed("sites.account", &account)?,
        name,
        polling,
        silent,
        alarmed_polling,
        alarmed_silent,
        last: UnixMillis(last),
    })
}
