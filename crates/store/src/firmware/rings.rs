//! Where a phone stands for its policies, and how those that go first fare.

use crate::rows::{optional, parsed, time};
use crate::sql::{query, query_as};
use crate::within::{Columns, Within};
use crate::{Audited, Page, Store, StoreError};
use provost_core::firmware::Version;
use provost_core::firmware::policy::Canary;
use provost_core::ids::{AccountId, DeviceId, SiteId};
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;

/// Where a bound phone stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirmwarePlace {
    /// Its device.
    pub device: DeviceId,
    /// The device's account.
    pub account: AccountId,
    /// The site of its user.
    pub site: Option<SiteId>,
    /// The site's time zone; of a phone without a site that of its account's first.
    pub time_zone: Option<String>,
    /// Its ring, where it is in another one than everybody.
    pub ring: Option<String>,
    /// Since when somebody wants its step now.
    pub now_since: Option<UnixMillis>,
    /// Whether it has read its configuration since it was claimed: until then nobody uses it.
    pub is_configured: bool,
}

/// A device in a ring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RingRow {
    /// The device.
    pub device: DeviceId,
    /// Its ring.
    pub ring: String,
}

/// Which phones go first for others.
#[derive(Debug, Clone, Copy)]
pub struct CanaryQuery<'a> {
    /// How far the policy reaches.
    pub within: &'a Within,
    /// The ring that goes first.
    pub ring: &'a str,
    /// The model.
    pub model: &'a str,
}

type PlaceColumns = (String, String, Option<String>, Option<String>, Option<String>, Option<i64>, bool);

/// To whom a device belongs.
const OF_DEVICE: Columns = Columns { account: "d.account", site: "u.site" };
/// To whom a phone belonged when its step was offered.
const OF_STEP: Columns = Columns { account: "s.account", site: "s.site" };
/// More of a ring that goes first than anybody looks after.
const MOST_CANARIES: i64 = 1_000;

impl Store {
    /// Where the phone stands; `None` for one that is not bound.
    pub async fn firmware_place(&self, phone: MacAddr) -> Result<Option<FirmwarePlace>, StoreError> {
        const SQL: &str = "SELECT d.id, d.account, u.site, COALESCE(s.time_zone, (SELECT o.time_zone FROM sites o \
                           WHERE o.account = d.account ORDER BY o.id LIMIT 1)), r.ring, n.at_ms, f.mac IS NOT NULL \
                           FROM bindings b JOIN devices d ON d.id = b.device LEFT JOIN persons u ON u.id = d.person \
                           LEFT JOIN sites s ON s.id = u.site LEFT JOIN firmware_rings r ON r.device = d.id \
                           LEFT JOIN firmware_now n ON n.device = d.id \
                           LEFT JOIN fetched_configurations f ON f.mac = b.mac WHERE b.mac = $1";
        let row: Option<PlaceColumns> = query_as(SQL).bind(phone.to_string()).fetch_optional(&self.read).await?;
        let read = |(device, account, site, time_zone, ring, now, is_configured): PlaceColumns| {
            Ok(FirmwarePlace {
                device: parsed("devices.id", &device)?,
                account: parsed("devices.account", &account)?,
                site: optional("persons.site", site.as_deref())?,
                time_zone,
                ring,
                now_since: time(now),
                is_configured,
            })
        };
        row.map(read).transpose()
    }

    /// The devices in other rings than everybody's, by id.
    pub async fn firmware_rings(&self, within: &Within, page: Page<'_>) -> Result<Vec<RingRow>, StoreError> {
        let sql = format!(
            "SELECT r.device, r.ring FROM firmware_rings r JOIN devices d ON d.id = r.device \
             LEFT JOIN persons u ON u.id = d.person WHERE r.device > $1 AND {} ORDER BY r.device LIMIT $2",
            within.condition(&OF_DEVICE, 3)
        );
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(page.after).bind(i64::from(page.limit)).within(within);
        let rows: Vec<(String, String)> = query.fetch_all(&self.read).await?;
        rows.into_iter()
            .map(|(device, ring)| Ok(RingRow { device: parsed("firmware_rings.device", &device)?, ring }))
            .collect()
    }

    /// The rings that devices are in, but for everybody's.
    pub async fn firmware_rings_in_use(&self) -> Result<Vec<String>, StoreError> {
        const SQL: &str = "SELECT DISTINCT ring FROM firmware_rings ORDER BY ring";
        let rows: Vec<(String,)> = query_as(SQL).fetch_all(&self.read).await?;
        Ok(rows.into_iter().map(|(ring,)| ring).collect())
    }

    /// What the phones that go first run, and since when.
    pub async fn firmware_canaries(&self, of: CanaryQuery<'_>) -> Result<Vec<Canary>, StoreError> {
        let sql = format!(
            "SELECT p.firmware, (SELECT MAX(s.ended_ms) FROM firmware_steps s WHERE s.mac = p.mac AND s.state = 'done') \
             FROM firmware_rings r JOIN devices d ON d.id = r.device JOIN bindings b ON b.device = d.id \
             JOIN phones p ON p.mac = b.mac LEFT JOIN persons u ON u.id = d.person \
             WHERE r.ring = $1 AND d.model = $2 AND {} ORDER BY p.mac LIMIT $5",
            of.within.condition(&OF_DEVICE, 3)
        );
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(of.ring).bind(of.model).within(of.within);
        let rows: Vec<(Option<String>, Option<i64>)> = query.bind(MOST_CANARIES).fetch_all(&self.read).await?;
        // What a phone said is no version of ours: one that cannot be read is none.
        let canary = |(firmware, back): (Option<String>, Option<i64>)| Canary {
            firmware: firmware.and_then(|text| text.parse().ok()),
            came_back: time(back),
        };
        Ok(rows.into_iter().map(canary).collect())
    }

    /// How many attempts towards a version failed since then, under the policy or in the ring that goes first for it.
    pub async fn firmware_failures(
        &self,
        of: CanaryQuery<'_>,
        (policy, target): (&str, &Version),
        since: UnixMillis,
    ) -> Result<u32, StoreError> {
        let sql = format!(
            "SELECT COUNT(*) FROM firmware_steps s WHERE s.state = 'failed' AND s.target = $1 AND s.ended_ms > $2 \
             AND s.model = $3 AND (s.policy = $4 OR (s.ring = $5 AND {}))",
            of.within.condition(&OF_STEP, 6)
        );
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(target.to_string()).bind(since.0).bind(of.model);
        let (found,): (i64,) = query.bind(policy).bind(of.ring).within(of.within).fetch_one(&self.read).await?;
        Ok(u32::try_from(found).unwrap_or(u32::MAX))
    }

    /// What somebody wanted now has been done.
    pub async fn end_firmware_now(&self, device: &DeviceId) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM firmware_now WHERE device = $1";
        let mut tx = self.begin().await?;
        query(SQL).bind(device.as_str()).execute(&mut tx).await?;
        Ok(tx.commit().await?)
    }
}

impl Audited<'_> {
    /// Puts a device into a ring, or back into everybody's.
    pub async fn set_firmware_ring(self, device: &DeviceId, ring: Option<&str>) -> Result<(), StoreError> {
        const OUT: &str = "DELETE FROM firmware_rings WHERE device = $1";
        const IN: &str = "INSERT INTO firmware_rings (device, ring) VALUES ($1, $2)";
        let mut tx = self.begin().await?;
        query(OUT).bind(device.as_str()).execute(&mut tx).await?;
        if let Some(ring) = ring {
            query(IN).bind(device.as_str()).bind(ring).execute(&mut tx).await?;
        }
        self.commit(tx).await
    }

    /// Wants a device's step now.
    pub async fn want_firmware_now(self, device: &DeviceId, reason: &str) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO firmware_now (device, reason, at_ms) VALUES ($1, $2, $3) \
                           ON CONFLICT (device) DO UPDATE SET reason = excluded.reason, at_ms = excluded.at_ms";
        let (mut tx, at) = (self.begin().await?, self.at());
        query(SQL).bind(device.as_str()).bind(reason).bind(at.0).execute(&mut tx).await?;
        self.commit(tx).await
    }
}
