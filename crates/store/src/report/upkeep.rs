//! Keeps `device_report` as the tables it is made from say: by triggers, so that no writer can forget it.
//!
//! What a trigger does is one text for both engines; only what stands around it differs. When this version's text is
//! not the one that was installed last, the triggers are replaced and the table is made anew.

use crate::sql::{Pool, Tx, query, query_scalar};
use crate::{Store, StoreError};
use sqlx::AssertSqlSafe;

/// Under this name the installed text is remembered.
const META: &str = "device-report";

/// Makes the rows of the devices for which the condition holds that is put behind it.
const MAKE: &str = "INSERT INTO device_report \
    (device, account, site, model, mac, extension, status, site_name, user_name, contact_ms, \
    shown_extension, shown_site, shown_user) \
    SELECT d.id, d.account, COALESCE(u.site, ''), d.model, COALESCE(b.mac, d.mac, ''), LOWER(COALESCE(u.extension, '')), \
    CASE WHEN d.released_ms IS NOT NULL THEN 'released' WHEN d.barred IS NOT NULL THEN d.barred WHEN b.device IS NOT NULL THEN 'activated' \
    WHEN p.mac IS NOT NULL THEN 'contacted' WHEN d.person IS NOT NULL THEN 'assigned' ELSE 'added' END, \
    LOWER(COALESCE(s.name, '')), LOWER(COALESCE(u.name, '')), COALESCE(p.last_seen_ms, 0), \
    u.extension, s.name, u.name \
    FROM devices d LEFT JOIN persons u ON u.id = d.person LEFT JOIN sites s ON s.id = u.site \
    LEFT JOIN bindings b ON b.device = d.id LEFT JOIN phones p ON p.mac = COALESCE(b.mac, d.mac) WHERE ";

/// What is done when the row is there already.
const AGAIN: &str = " ON CONFLICT (device) DO UPDATE SET account = excluded.account, site = excluded.site, \
    model = excluded.model, mac = excluded.mac, extension = excluded.extension, status = excluded.status, \
    site_name = excluded.site_name, user_name = excluded.user_name, contact_ms = excluded.contact_ms, \
    shown_extension = excluded.shown_extension, shown_site = excluded.shown_site, shown_user = excluded.shown_user";

/// Name, event, and which devices are made anew.
const REFRESHING: [(&str, &str, &str); 8] = [
    ("report_device_added", "INSERT ON devices", "d.id = NEW.id"),
    ("report_device_changed", "UPDATE ON devices", "d.id = NEW.id"),
    ("report_device_bound", "INSERT ON bindings", "d.id = NEW.device"),
    ("report_binding_changed", "UPDATE OF mac ON bindings", "d.id = NEW.device"),
    ("report_device_unbound", "DELETE ON bindings", "d.id = OLD.device"),
    // Phones are many and their devices few: the report's own index on MACs finds them.
    ("report_phone_seen", "INSERT ON phones", "d.id IN (SELECT f.device FROM device_report f WHERE f.mac = NEW.mac)"),
    ("report_user_changed", "UPDATE ON persons", "d.person = NEW.id"),
    (
        "report_site_renamed",
        "UPDATE OF name ON sites",
        "d.person IN (SELECT w.id FROM persons w WHERE w.site = NEW.id)",
    ),
];

/// Those that do something smaller.
const OTHERS: [(&str, &str, &str); 2] = [
    ("report_device_gone", "DELETE ON devices", "DELETE FROM device_report WHERE device = OLD.id"),
    (
        "report_phone_again",
        "UPDATE OF last_seen_ms ON phones",
        "UPDATE device_report SET contact_ms = NEW.last_seen_ms WHERE mac = NEW.mac",
    ),
];

/// Installs the triggers and fills the table, unless that was done.
pub(crate) async fn prepare(store: &Store) -> Result<(), StoreError> {
    const INSTALLED: &str = "SELECT value FROM meta WHERE name = $1";
    const REMEMBER: &str =
        "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    let triggers: Vec<_> = REFRESHING
        .map(|(name, on, which)| (name, on, format!("{MAKE}{which}{AGAIN}")))
        .into_iter()
        .chain(OTHERS.map(|(name, on, what)| (name, on, what.to_owned())))
        .collect();
    let wanted: String = triggers.iter().map(|(name, on, what)| format!("{name} AFTER {on}: {what};\n")).collect();
    let installed: Option<String> = query_scalar(INSTALLED).bind(META).fetch_optional(&store.read).await?;
    if installed.as_ref() == Some(&wanted) {
        return Ok(());
    }
    let mut tx = store.begin().await?;
    for (name, on, what) in &triggers {
        install(&mut tx, name, on, what, matches!(store.read, Pool::Postgres(_))).await?;
    }
    query("DELETE FROM device_report").execute(&mut tx).await?;
    query(AssertSqlSafe(format!("{MAKE}1 = 1{AGAIN}"))).execute(&mut tx).await?;
    query(REMEMBER).bind(META).bind(wanted).execute(&mut tx).await?;
    Ok(tx.commit().await?)
}

async fn install(tx: &mut Tx, name: &str, on: &str, what: &str, postgres: bool) -> Result<(), StoreError> {
    let statements = if postgres {
        [
            format!(
                "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT \
                 AS $$ BEGIN {what}; RETURN NULL; END $$"
            ),
            format!("CREATE OR REPLACE TRIGGER {name} AFTER {on} FOR EACH ROW EXECUTE FUNCTION {name}()"),
        ]
    } else {
        [format!("DROP TRIGGER IF EXISTS {name}"), format!("CREATE TRIGGER {name} AFTER {on} BEGIN {what}; END")]
    };
    for statement in statements {
        query(AssertSqlSafe(statement)).execute(&mut *tx).await?;
    }
    Ok(())
}
