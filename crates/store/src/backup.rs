//! Everything the database holds as lines of JSON, which either engine reads back.
//!
//! Written from one snapshot while others write. The first line says what it is, each row is a line, and the last line
//! counts them and holds a digest of all before it: a file that was cut or changed is refused before anything is made.
//! Secrets stay encrypted with the key, which is not in it.

use crate::sql::{Pool, Tx, Value, query, query_as};
use crate::{Audited, Store, StoreError};
use futures_util::TryStreamExt as _;
use provost_core::time::UnixMillis;
use serde_json::{Map, Value as Json, json};
use sha2::{Digest as _, Sha256};
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Column as _, Row, TypeInfo as _, ValueRef as _};
use std::io::{self, BufRead};
use tokio::sync::mpsc;

/// What the first line calls the file.
const KIND: &str = "provost-backup";
/// The version of the lines' shape.
const SHAPE: i64 = 1;
/// What is sent on at once.
const PIECE_BYTES: usize = 64 * 1024;
/// No row comes near: the largest hold a log of 512 KiB in hexadecimal.
const LINE_BYTES: u64 = 8 * 1024 * 1024;

/// Every table and the order of its rows, those first that others refer to. `device_report` is made from the others.
pub(crate) const TABLES: [(&str, &str); 59] = [
    ("meta", "name"),
    ("accounts", "path"),
    ("sites", "id"),
    ("site_servers", "site, place"),
    ("persons", "id"),
    ("person_lines", "person, place"),
    ("devices", "id"),
    ("tokens", "digest"),
    ("phones", "mac"),
    ("bindings", "device"),
    ("phone_passwords", "id"),
    ("device_phones", "device, bound_ms, mac"),
    ("device_uploads", "device, ending"),
    ("set_aside_phones", "mac"),
    ("releases", "device"),
    ("codes", "digest"),
    ("events", "id"),
    ("uploads", "mac, name"),
    ("audit", "id"),
    ("blocked_certificates", "sha256"),
    ("alarms", "id"),
    ("http_bootstraps", "id"),
    ("suspensions", "mac"),
    ("exceptions", "id"),
    ("moves", "mac"),
    ("sip_identities", "mac"),
    ("awaited", "mac"),
    ("wrong_tries", "at_ms, source"),
    ("emergency_routes", "site"),
    ("emergency_networks", "site, place"),
    ("imports", "id"),
    ("import_rows", "import, number"),
    ("import_faults", "import, number, field"),
    ("requests", "id"),
    ("connectors", "id"),
    ("configuration_revisions", "subject, number"),
    ("configuration_layers", "subject"),
    ("fetched_configurations", "mac"),
    ("cleared_overrides", "mac, name"),
    ("administrators", "id"),
    ("recovery_codes", "administrator, digest"),
    ("password_links", "digest"),
    ("console_sessions", "id"),
    ("sign_in_tries", "at_ms, name, source"),
    ("sign_in_places", "name, source"),
    ("mails", "id"),
    ("welcomes", "person"),
    ("welcome_devices", "person, device"),
    ("mail_links", "digest"),
    ("mail_templates", "owner, kind, language"),
    ("alarm_addresses", "owner, place"),
    ("mailed_alarms", "alarm, owner"),
    ("firmware_policies", "id"),
    ("firmware_rings", "device"),
    ("firmware_now", "device"),
    ("firmware_steps", "id"),
    ("firmware_pauses", "id"),
    ("firmware_doors", "id"),
    ("firmware_images", "id"),
];
/// A row of `meta` that is about the tables and not of the business.
const OF_TABLES: &str = "device-report";

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupHead {
    /// When it was made.
    pub made: UnixMillis,
    /// The newest step of its tables.
    pub step: i64,
    /// The id of the key that opens its secrets.
    pub key: String,
}

/// Why a backup cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    File(#[from] io::Error),
    /// It is something else, or was cut or changed.
    #[error("{0}")]
    NotWhole(String),
    /// A newer version made it.
    #[error("was made by a newer version of Provost (its tables are at step {found}, the newest here is {known})")]
    Newer {
        /// Its step.
        found: i64,
        /// The newest step this version knows.
        known: i64,
    },
    /// An older version made it.
    #[error(
        "was made by an older version of Provost (its tables are at step {found}, here they are at {known}); restore it \
         with that version, then start this one"
    )]
    Older {
        /// Its step.
        found: i64,
        /// The step of this version.
        known: i64,
    },
    /// The database is in use.
    #[error("the database holds data already; a backup is restored into an empty one")]
    NotEmpty,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for BackupError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Collects lines into pieces and digests them.
struct Writer {
    to: mpsc::Sender<Vec<u8>>,
    piece: Vec<u8>,
    digest: Sha256,
    rows: u64,
}

impl Writer {
    async fn line(&mut self, line: &Json) -> Result<(), StoreError> {
        let text = line.to_string();
        self.digest.update(text.as_bytes());
        self.digest.update(b"\n");
        self.plain(&text).await
    }

    async fn plain(&mut self, text: &str) -> Result<(), StoreError> {
        self.piece.extend_from_slice(text.as_bytes());
        self.piece.push(b'\n');
        if self.piece.len() >= PIECE_BYTES { self.send().await } else { Ok(()) }
    }

    async fn send(&mut self) -> Result<(), StoreError> {
        let gone = |_| StoreError::Missing { what: "reader of the backup any more" };
        self.to.send(std::mem::take(&mut self.piece)).await.map_err(gone)
    }

    async fn row(&mut self, table: &str, row: Map<String, Json>) -> Result<(), StoreError> {
        self.rows = self.rows.saturating_add(1);
        self.line(&json!([table, row])).await
    }
}

macro_rules! dump_tables {
    ($tx:ident, $writer:ident, $read:ident) => {
        for (table, order) in TABLES {
            let text = AssertSqlSafe(format!("SELECT * FROM {table} ORDER BY {order}"));
            let mut rows = sqlx::query(text).fetch(&mut *$tx);
            while let Some(row) = rows.try_next().await? {
                let row = $read(&row)?;
                if table != "meta" || row.get("name").and_then(Json::as_str) != Some(OF_TABLES) {
                    $writer.row(table, row).await?;
                }
            }
        }
    };
}

impl Store {
    /// Sends everything the database holds at this instant, in pieces; what others write meanwhile is not in it.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when nobody receives any more.
    pub async fn dump(&self, head: &BackupHead, to: mpsc::Sender<Vec<u8>>) -> Result<u64, StoreError> {
        let mut writer = Writer { to, piece: Vec::new(), digest: Sha256::new(), rows: 0 };
        let BackupHead { made, step, key } = head;
        writer.line(&json!({ KIND: SHAPE, "made-ms": made.0, "step": step, "key": key })).await?;
        match &self.read {
            Pool::Sqlite(pool) => {
                let mut tx = pool.begin().await?;
                dump_tables!(tx, writer, sqlite_row);
            }
            Pool::Postgres(pool) => {
                let mut tx = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
                dump_tables!(tx, writer, postgres_row);
            }
        }
        let digest = hex::encode(writer.digest.finalize_reset());
        let rows = writer.rows;
        writer.plain(&json!({ "rows": rows, "sha256": digest }).to_string()).await?;
        writer.send().await?;
        Ok(rows)
    }

    /// The newest step of the tables that this version knows.
    pub fn newest_step() -> i64 {
        crate::engine::steps().1
    }
}

impl Audited<'_> {
    /// Fills an empty database from a backup that [`check`] has passed, voids its open codes and remembers that phones
    /// it does not know are told to come back later; returns how many codes were voided.
    ///
    /// # Errors
    /// [`BackupError::NotEmpty`], and whatever is wrong with the lines; nothing was changed then.
    pub async fn restore(self, mut from: impl BufRead + Send, now: UnixMillis) -> Result<u64, BackupError> {
        const EMPTY: &str = "SELECT (SELECT COUNT(*) FROM accounts) + (SELECT COUNT(*) FROM tokens) \
                             + (SELECT COUNT(*) FROM phones)";
        const VOID: &str = "UPDATE codes SET voided_ms = $1 WHERE used_by IS NULL AND voided_ms IS NULL";
        // What waited then may have been sent since, and a link used.
        const DOUBT: &str = "UPDATE mails SET state = 'doubtful', ended_ms = $1, \
                             answer = 'it waited when the backup was made, and may have been sent since' \
                             WHERE state IN ('waiting', 'handing-over')";
        const END_LINKS: &str = "UPDATE mail_links SET expires_ms = $1 WHERE used_ms IS NULL AND expires_ms > $1";
        const AWAIT: &str =
            "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        let mut tx = self.begin().await?;
        let (there,): (i64,) = query_as(EMPTY).fetch_one(&mut tx).await?;
        if there > 0 {
            return Err(BackupError::NotEmpty);
        }
        query("DELETE FROM meta WHERE name <> $1").bind(OF_TABLES).execute(&mut tx).await?;
        let mut line = String::new();
        let mut number = 0u64;
        while read_line(&mut from, &mut line)? {
            number = number.saturating_add(1);
            if let Some((table, row)) = row_of(&line, number)? {
                insert(&mut tx, table, row, number).await?;
            }
        }
        let voided = query(VOID).bind(now.0).execute(&mut tx).await?;
        // Whoever was signed in when the backup was made signs in again.
        for ended in ["DELETE FROM console_sessions", "DELETE FROM password_links"] {
            query(ended).execute(&mut tx).await?;
        }
        query(DOUBT).bind(now.0).execute(&mut tx).await?;
        query(END_LINKS).bind(now.0).execute(&mut tx).await?;
        query(AWAIT).bind(RESTORED).bind(now.0.to_string()).execute(&mut tx).await?;
        self.commit(tx).await?;
        Ok(voided)
    }

    /// The operator says that the restored data is right: phones it does not know are as any other from now on.
    pub async fn confirm_restore(self) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        query("DELETE FROM meta WHERE name = $1").bind(RESTORED).execute(&mut tx).await?;
        self.commit(tx).await
    }
}

/// The name in `meta` of the time of a restore that nobody has confirmed.
pub const RESTORED: &str = "restored-ms";

/// Reads a backup to its end and says what it is.
///
/// # Errors
/// [`BackupError`] when it is something else, not whole, or newer.
pub fn check(mut from: impl BufRead) -> Result<BackupHead, BackupError> {
    let mut line = String::new();
    let (mut digest, mut rows, mut head) = (Sha256::new(), 0u64, None);
    while read_line(&mut from, &mut line)? {
        let value: Json = parsed(&line, rows.saturating_add(1))?;
        match (&head, &value) {
            (None, value) => head = Some(head_of(value)?),
            (Some(_), Json::Array(_)) => rows = rows.saturating_add(1),
            (Some(head), end) => {
                let whole = end.get("rows").and_then(Json::as_u64) == Some(rows)
                    && end.get("sha256").and_then(Json::as_str) == Some(&hex::encode(digest.finalize_reset()));
                let head: BackupHead = head.clone();
                return match whole && !read_line(&mut from, &mut line)? {
                    true => Ok(head),
                    false => Err(BackupError::NotWhole("was changed: its digest does not fit".to_owned())),
                };
            }
        }
        digest.update(line.as_bytes());
        digest.update(b"\n");
    }
    Err(BackupError::NotWhole(match head {
        None => "is empty".to_owned(),
        Some(_) => format!("was cut off after {rows} rows: its last line is missing"),
    }))
}

fn head_of(value: &Json) -> Result<BackupHead, BackupError> {
    let number = |name| value.get(name).and_then(Json::as_i64);
    let key = value.get("key").and_then(Json::as_str);
    let (Some(SHAPE), Some(made), Some(step), Some(key)) = (number(KIND), number("made-ms"), number("step"), key)
    else {
        return Err(BackupError::NotWhole("is no backup of Provost's".to_owned()));
    };
    let known = Store::newest_step();
    if step > known {
        return Err(BackupError::Newer { found: step, known });
    }
    if step < known {
        return Err(BackupError::Older { found: step, known });
    }
    Ok(BackupHead { made: UnixMillis(made), step, key: key.to_owned() })
}

/// The next line without its end; `false` at the end of the file.
fn read_line(from: &mut impl BufRead, line: &mut String) -> Result<bool, BackupError> {
    line.clear();
    let read = io::Read::take(&mut *from, LINE_BYTES).read_line(line)?;
    if line.ends_with('\n') {
        line.pop();
    } else if u64::try_from(read).is_ok_and(|read| read >= LINE_BYTES) {
        return Err(BackupError::NotWhole("is no backup of Provost's: it holds a line without end".to_owned()));
    }
    Ok(read > 0)
}

fn parsed(line: &str, number: u64) -> Result<Json, BackupError> {
    serde_json::from_str(line).map_err(|error| BackupError::NotWhole(format!("line {number} is no JSON: {error}")))
}

/// A table with a row of it.
type TableRow = (&'static str, Map<String, Json>);

/// The table and row of a line; the first and the last line hold none.
fn row_of(line: &str, number: u64) -> Result<Option<TableRow>, BackupError> {
    let Json::Array(parts) = parsed(line, number)? else { return Ok(None) };
    let broken = || BackupError::NotWhole(format!("line {number} names no table of Provost's"));
    let mut parts = parts.into_iter();
    let (Some(Json::String(name)), Some(Json::Object(row))) = (parts.next(), parts.next()) else {
        return Err(broken());
    };
    let (table, _) = TABLES.iter().find(|(table, _)| *table == name).ok_or_else(broken)?;
    Ok(Some((*table, row)))
}

/// Columns that are NULL are left out: PostgreSQL would want to know of which type the NULL is.
async fn insert(tx: &mut Tx, table: &str, row: Map<String, Json>, number: u64) -> Result<(), BackupError> {
    let broken = |why: &str| BackupError::NotWhole(format!("line {number}: {why}"));
    let (mut columns, mut places, mut values) = (String::new(), String::new(), Vec::new());
    for (name, value) in row {
        if !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_') {
            return Err(broken("a column has a name that no column has"));
        }
        let value = match value {
            Json::Null => continue,
            Json::String(text) => Value::Text(Some(text.into())),
            Json::Number(number) => {
                Value::Integer(Some(number.as_i64().ok_or_else(|| broken("a number is too large"))?))
            }
            Json::Array(bytes) => {
                let bytes = bytes.first().and_then(Json::as_str).and_then(|text| hex::decode(text).ok());
                Value::Blob(Some(bytes.ok_or_else(|| broken("bytes are not written as hexadecimal"))?.into()))
            }
            Json::Bool(is_so) => Value::Boolean(Some(is_so)),
            Json::Object(_) => return Err(broken("a value is of no kind that columns have")),
        };
        values.push(value);
        let comma = if columns.is_empty() { "" } else { ", " };
        columns.push_str(comma);
        columns.push_str(&name);
        places.push_str(&format!("{comma}${}", values.len()));
    }
    let mut statement = query(AssertSqlSafe(format!("INSERT INTO {table} ({columns}) VALUES ({places})")));
    for value in values {
        statement = statement.bind(value);
    }
    statement.execute(tx).await.map(drop).map_err(|error| match error {
        sqlx::Error::Database(error) => broken(&error.to_string()),
        error => error.into(),
    })
}

/// A column's value as JSON: bytes as a list of their hexadecimal digits.
macro_rules! read_row {
    ($name:ident, $row:ty) => {
        fn $name(row: &$row) -> Result<Map<String, Json>, StoreError> {
            let mut columns = Map::new();
            for (index, column) in row.columns().iter().enumerate() {
                let value = row.try_get_raw(index)?;
                let kind = value.type_info();
                let value = match kind.name() {
                    _ if value.is_null() => Json::Null,
                    "TEXT" | "text" => Json::from(row.try_get::<String, _>(index)?),
                    "INTEGER" | "INT8" => Json::from(row.try_get::<i64, _>(index)?),
                    "BOOLEAN" | "BOOL" => Json::from(row.try_get::<bool, _>(index)?),
                    "BLOB" | "BYTEA" => json!([hex::encode(row.try_get::<Vec<u8>, _>(index)?)]),
                    other => return Err(crate::rows::unreadable("a column's type", other)),
                };
                columns.insert(column.name().to_owned(), value);
            }
            Ok(columns)
        }
    };
}

read_row!(sqlite_row, SqliteRow);
read_row!(postgres_row, PgRow);

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_table_of_the_migrations_is_in_a_backup_but_the_one_that_is_made_from_others() {
        let steps = crate::engine::steps().0;
        let text: String = steps.iter().map(|step| step.sql.as_str().to_owned()).collect();
        let made = text.split("CREATE TABLE ").skip(1).filter_map(|rest| rest.split([' ', '(']).next());

        let missing: BTreeSet<_> = made.filter(|made| TABLES.iter().all(|(table, _)| table != made)).collect();

        assert_eq!(missing, BTreeSet::from(["device_report"]));
    }

    #[test]
    fn a_file_that_is_cut_changed_or_something_else_is_refused_with_what_is_wrong() {
        let step = Store::newest_step();
        let start = format!("{{\"provost-backup\":1,\"made-ms\":5,\"step\":{step},\"key\":\"k\"}}\n");
        let newer = start.replace(&format!("\"step\":{step}"), "\"step\":9999");
        let older = start.replace(&format!("\"step\":{step}"), "\"step\":1");
        for (text, why) in [
            ("", "is empty"),
            ("SQLite format 3", "is no JSON"),
            ("{\"a\":1}\n", "is no backup"),
            (&start, "was cut off after 0 rows"),
            (&format!("{start}[\"meta\",{{}}]\n[\"meta\",{{}}]\n"), "was cut off after 2 rows"),
            (&format!("{start}{{\"rows\":0,\"sha256\":\"00\"}}\n"), "its digest does not fit"),
            (&newer, "newer version"),
            (&older, "older version"),
        ] {
            let refused = check(text.as_bytes()).unwrap_err().to_string();
            assert!(refused.contains(why), "{refused} for {text}");
        }
    }
}
