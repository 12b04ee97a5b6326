//! Devices and people that need a hand, a list for each reason.

use super::OF_REPORT;
use crate::rows::{mac, optional};
use crate::sql::query_as;
use crate::within::{Columns, Within};
use crate::{Store, StoreError};
use provost_core::ids::{AccountId, DeviceId, UserId};
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use sqlx::FromRow;

/// Why something is on a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TroubleKind {
    /// Its code is over and no phone is bound: since when.
    CodeExpired,
    /// Its phone was here and is not bound: when it was here last.
    NotClaimed,
    /// Its phone was claimed and its timeline says that it does not come back: since when it was claimed.
    NotBack,
    /// Its claimed phone has not asked since then: when it was here last.
    Silent,
    /// Its claimed phone has no factory certificate: when it was here last.
    NotFactory,
    /// The last attempt to lead its claimed phone to other firmware failed: when.
    FirmwareFailed,
    /// Another account names the same phone: when the device was added.
    Clash,
    /// It was added before then, has a user, and no code, phone or MAC: when it was added.
    NoCode,
    /// The newest welcome mail of a user did not arrive, or may not have: when it was written.
    WelcomeFailed,
}

/// What list is wanted.
#[derive(Debug, Clone, Copy)]
pub struct TroubleQuery<'a> {
    /// How far it reaches.
    pub within: &'a Within,
    /// Why something is on it.
    pub kind: TroubleKind,
    /// The time that counts for the reason: now, or how long something may be.
    pub before: UnixMillis,
    /// At most this many.
    pub limit: u32,
}

/// A device or a user on a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The device, unless it is about a user alone.
    pub device: Option<DeviceId>,
    /// Its account.
    pub account: Option<AccountId>,
    /// Model id.
    pub model: Option<String>,
    /// Its phone.
    pub mac: Option<MacAddr>,
    /// The user.
    pub person: Option<UserId>,
    /// The user's name.
    pub user: Option<String>,
    /// The user's extension.
    pub extension: Option<String>,
    /// The name of the user's site.
    pub site: Option<String>,
    /// Since when, or when last; the reason says which.
    pub at: UnixMillis,
}

#[derive(FromRow)]
pub(super) struct Row {
    device: Option<String>,
    account: Option<String>,
    model: Option<String>,
    mac: Option<String>,
    person: Option<String>,
    user_name: Option<String>,
    extension: Option<String>,
    site_name: Option<String>,
    at_ms: i64,
}

/// Entries that one list looks at besides those that are on it.
pub(super) const LOOKED_AT: u32 = 2_000;
/// What every list of devices has; `AT` stands for its time, and behind it stands what the list begins from.
pub(super) const DEVICES: &str = "SELECT r.device, r.account, r.model, r.mac, d.person, r.shown_user AS user_name, \
    r.shown_extension AS extension, r.shown_site AS site_name, AT AS at_ms FROM ";
/// To whom a line of the report belongs that is looked up by something else: no index on these is taken.
pub(super) const LOOKED_UP: Columns = Columns { account: "r.account || ''", site: "r.site || ''" };
/// A user is where their site is now, wherever a mail to them was written.
const OF_USER: Columns = Columns { account: "s.account", site: "s.id" };

/// The statement of a list: scope in `$1` and `$2`, the time in `$3`, the limit in `$4`.
///
/// Where it is bounded what is looked at, the scope is inside the bound: what others have takes nobody's place.
fn statement(kind: TroubleKind, within: &Within) -> String {
    let scope = within.condition(&OF_REPORT, 1);
    let (at, from) = match kind {
        TroubleKind::WelcomeFailed => return of_mail(within),
        TroubleKind::CodeExpired | TroubleKind::Clash | TroubleKind::NoCode => of_entries(kind, within),
        TroubleKind::NotClaimed
        | TroubleKind::NotBack
        | TroubleKind::Silent
        | TroubleKind::FirmwareFailed
        | TroubleKind::NotFactory => of_phones(kind, within),
    };
    format!("{}{from} AND {scope} ORDER BY at_ms DESC, r.device LIMIT $4", DEVICES.replace("AT", at))
}

/// The time and the rows of a list that is about entries of administrators.
///
/// Each begins from few rows and names what is joined in the order in which it is to be looked up: SQLite keeps to that
/// for a `CROSS JOIN` and would else begin from a state that most devices have.
fn of_entries(kind: TroubleKind, within: &Within) -> (&'static str, String) {
    match kind {
        TroubleKind::CodeExpired => (
            "c.expires_ms",
            format!(
                "(SELECT c.device, c.expires_ms FROM codes c CROSS JOIN device_report r WHERE c.used_by IS NULL \
                 AND c.voided_ms IS NULL AND c.expires_ms <= $3 AND r.device = c.device AND {} \
                 ORDER BY c.expires_ms DESC LIMIT {LOOKED_AT}) c CROSS JOIN device_report r CROSS JOIN devices d \
                 WHERE r.device = c.device AND d.id = r.device AND r.status IN ('assigned', 'contacted')",
                within.condition(&LOOKED_UP, 1)
            ),
        ),
        TroubleKind::Clash => (
            "d.created_ms",
            "(SELECT mac FROM devices WHERE mac IS NOT NULL GROUP BY mac HAVING COUNT(*) > 1) k CROSS JOIN devices d \
             CROSS JOIN device_report r WHERE d.mac = k.mac AND r.device = d.id AND d.created_ms <= $3 \
             AND d.released_ms IS NULL AND NOT EXISTS (SELECT 1 FROM bindings b WHERE b.device = d.id)"
                .to_owned(),
        ),
        _ => (
            "d.created_ms",
            format!(
                "(SELECT r.device FROM device_report r WHERE r.status = 'assigned' AND {} ORDER BY r.device \
                 LIMIT {LOOKED_AT}) f CROSS JOIN device_report r CROSS JOIN devices d WHERE r.device = f.device \
                 AND d.id = r.device AND d.mac IS NULL AND d.created_ms <= $3 AND NOT EXISTS (SELECT 1 FROM codes c \
                 WHERE c.device = r.device AND c.used_by IS NULL AND c.voided_ms IS NULL)",
                within.condition(&OF_REPORT, 1)
            ),
        ),
    }
}

/// The same of a list that is about phones. Where most devices have the state, no index on states is taken.
fn of_phones(kind: TroubleKind, within: &Within) -> (&'static str, String) {
    let scope = within.condition(&OF_REPORT, 1);
    match kind {
        TroubleKind::NotClaimed => (
            "r.contact_ms",
            format!(
                "(SELECT r.device FROM device_report r WHERE r.status = 'contacted' AND {scope} ORDER BY r.device \
                 LIMIT {LOOKED_AT}) f CROSS JOIN device_report r CROSS JOIN devices d WHERE r.device = f.device \
                 AND d.id = r.device AND r.contact_ms <= $3"
            ),
        ),
        TroubleKind::NotBack => (
            "a.since_ms",
            "awaited a CROSS JOIN device_report r CROSS JOIN devices d WHERE r.mac = a.mac AND d.id = r.device \
             AND a.noted_ms <= $3 AND r.status = 'activated'"
                .to_owned(),
        ),
        TroubleKind::Silent => (
            "r.contact_ms",
            format!(
                "(SELECT r.device FROM device_report r WHERE r.contact_ms > 0 AND r.contact_ms < $3 \
                 AND r.status || '' = 'activated' AND {scope} ORDER BY r.contact_ms DESC LIMIT {LOOKED_AT}) f \
                 CROSS JOIN device_report r CROSS JOIN devices d WHERE r.device = f.device AND d.id = r.device"
            ),
        ),
        TroubleKind::FirmwareFailed => (
            "f.ended_ms",
            format!(
                "(SELECT s.device, s.ended_ms FROM firmware_steps s CROSS JOIN device_report r WHERE s.state = 'failed' \
                 AND s.ended_ms <= $3 AND r.device = s.device AND r.mac = s.mac AND r.status || '' = 'activated' AND {} \
                 AND NOT EXISTS (SELECT 1 FROM firmware_steps n WHERE n.mac = s.mac AND n.id > s.id) \
                 ORDER BY s.id DESC LIMIT {LOOKED_AT}) f CROSS JOIN device_report r CROSS JOIN devices d \
                 WHERE r.device = f.device AND d.id = r.device",
                within.condition(&LOOKED_UP, 1)
            ),
        ),
        _ => (
            "p.last_seen_ms",
            format!(
                "(SELECT r.device, p.last_seen_ms FROM phones p CROSS JOIN device_report r \
                 WHERE p.certificate <> 'Factory Installed' AND p.last_seen_ms <= $3 AND r.mac = p.mac \
                 AND r.status || '' = 'activated' AND {} ORDER BY p.mac LIMIT {LOOKED_AT}) p \
                 CROSS JOIN device_report r CROSS JOIN devices d WHERE r.device = p.device AND d.id = r.device",
                within.condition(&LOOKED_UP, 1)
            ),
        ),
    }
}

fn of_mail(within: &Within) -> String {
    format!(
        "SELECT CAST(NULL AS TEXT) AS device, s.account, CAST(NULL AS TEXT) AS model, CAST(NULL AS TEXT) AS mac, \
         m.person, u.name AS user_name, u.extension, s.name AS site_name, m.created_ms AS at_ms \
         FROM mails m CROSS JOIN welcomes w CROSS JOIN persons u CROSS JOIN sites s WHERE m.state IN ('refused', 'given-up', \
         'doubtful') AND w.person = m.person AND w.mail = m.id AND u.id = w.person AND s.id = u.site \
         AND m.created_ms <= $3 AND {} ORDER BY at_ms DESC, m.person LIMIT $4",
        within.condition(&OF_USER, 1)
    )
}

impl Store {
    /// What needs a hand for this reason, the newest first.
    pub async fn troubles(&self, wanted: TroubleQuery<'_>) -> Result<Vec<Trouble>, StoreError> {
        let TroubleQuery { within, kind, before, limit } = wanted;
        let query = query_as(sqlx::AssertSqlSafe(statement(kind, within))).within(within).bind(before.0);
        let rows: Vec<Row> = query.bind(i64::from(limit)).fetch_all(&self.read).await?;
        rows.into_iter().map(Trouble::read).collect()
    }
}

impl Trouble {
    pub(super) fn read(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            device: optional("devices.id", row.device.as_deref())?,
            account: optional("devices.account", row.account.as_deref())?,
            model: row.model,
            mac: row.mac.as_deref().filter(|text| !text.is_empty()).map(mac).transpose()?,
            person: optional("devices.person", row.person.as_deref())?,
            user: row.user_name,
            extension: row.extension,
            site: row.site_name,
            at: UnixMillis(row.at_ms),
        })
    }
}
