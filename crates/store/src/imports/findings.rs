//! What the file and the database say about rows, a stretch of rows at a time.

use super::staged::{Known, add_fault};
use super::{ImportRow, Judge};
use crate::StoreError;
use crate::sql::{Tx, query, query_as};
use provost_core::import::{Finding, ImportKind};

/// Rows after the first number, up to the second.
type Range = (i64, i64);

const RESOLVE: &str = "UPDATE import_rows SET person = (SELECT p.id FROM persons p \
    WHERE p.site = import_rows.site AND p.extension = import_rows.extension) \
    WHERE import = $1 AND number > $2 AND number <= $3";
const NO_USER: &str = "SELECT number FROM import_rows WHERE import = $1 AND number > $2 AND number <= $3 \
    AND person IS NULL AND site IS NOT NULL AND extension IS NOT NULL";

const USER_IN_FILE: &str = "SELECT f.number, f.earliest FROM (SELECT r.number, (SELECT MIN(o.number) FROM import_rows o \
    WHERE o.import = r.import AND o.site = r.site AND o.extension = r.extension) AS earliest \
    FROM import_rows r WHERE r.import = $1 AND r.number > $2 AND r.number <= $3) f WHERE f.earliest < f.number";
const USER_TAKEN: &str = "SELECT r.number FROM import_rows r JOIN persons p ON p.site = r.site \
    AND p.extension = r.extension WHERE r.import = $1 AND r.number > $2 AND r.number <= $3";

const DEVICE_IN_FILE: &str = "SELECT f.number, f.earliest FROM (SELECT r.number, (SELECT MIN(o.number) \
    FROM import_rows o WHERE o.import = r.import AND o.mac = r.mac) AS earliest \
    FROM import_rows r WHERE r.import = $1 AND r.number > $2 AND r.number <= $3) f WHERE f.earliest < f.number";
/// Named by a device of the account, or bound to one.
const DEVICE_TAKEN: &str = "SELECT r.number FROM import_rows r WHERE r.import = $1 AND r.number > $2 AND r.number <= $3 \
    AND r.mac IS NOT NULL AND (EXISTS (SELECT 1 FROM devices d WHERE d.account = $4 AND d.mac = r.mac) \
    OR EXISTS (SELECT 1 FROM bindings b JOIN devices d ON d.id = b.device WHERE b.mac = r.mac AND d.account = $4))";
const DEVICE_LINES: &str = "SELECT r.number, COUNT(*), r.model FROM import_rows r JOIN person_lines l \
    ON l.person = r.person WHERE r.import = $1 AND r.number > $2 AND r.number <= $3 GROUP BY r.number, r.model";

const LINE_IN_FILE: &str = "SELECT f.number, f.earliest FROM (SELECT r.number, (SELECT MIN(o.number) FROM import_rows o \
    WHERE o.import = r.import AND o.person = r.person AND o.sip_user = r.sip_user) AS earliest \
    FROM import_rows r WHERE r.import = $1 AND r.number > $2 AND r.number <= $3) f WHERE f.earliest < f.number";
const LINE_TAKEN: &str = "SELECT r.number FROM import_rows r JOIN person_lines l ON l.person = r.person \
    AND l.sip_user = r.sip_user WHERE r.import = $1 AND r.number > $2 AND r.number <= $3";
/// The limit keeps a file of nothing but one person's lines from taking for ever; no phone holds as many.
const LINE_COUNT: &str = "SELECT r.number, (SELECT COUNT(*) FROM person_lines l WHERE l.person = r.person) \
    + (SELECT COUNT(*) FROM (SELECT o.number FROM import_rows o WHERE o.import = r.import AND o.person = r.person \
    AND o.number > $4 AND o.number <= r.number LIMIT 128) c), d.model \
    FROM import_rows r LEFT JOIN devices d ON d.person = r.person \
    WHERE r.import = $1 AND r.number > $2 AND r.number <= $3 AND r.person IS NOT NULL";

/// Finds what is wrong with rows and keeps it as faults. Rows up to `applied` are part of the database already.
pub(super) async fn check_range(
    tx: &mut Tx,
    import: &ImportRow,
    range: Range,
    applied: i64,
    judge: &Judge<'_>,
) -> Result<(), StoreError> {
    let mut found = Vec::new();
    match import.kind {
        ImportKind::Users => {
            numbers(tx, (import, range), USER_TAKEN, &Finding::Taken, &mut found).await?;
            in_file(tx, (import, range), USER_IN_FILE, &mut found).await?;
        }
        ImportKind::Devices => {
            resolve(tx, (import, range), &mut found).await?;
            let taken: Vec<(i64,)> = query_as(DEVICE_TAKEN)
                .bind(&import.id)
                .bind(range.0)
                .bind(range.1)
                .bind(import.account.as_str())
                .fetch_all(&mut *tx)
                .await?;
            found.extend(taken.into_iter().map(|(number,)| (number, Finding::Taken)));
            in_file(tx, (import, range), DEVICE_IN_FILE, &mut found).await?;
            let lines: Vec<(i64, i64, Option<String>)> =
                query_as(DEVICE_LINES).bind(&import.id).bind(range.0).bind(range.1).fetch_all(&mut *tx).await?;
            found.extend(lines.into_iter().map(|(number, lines, model)| (number, Finding::Lines { lines, model })));
        }
        ImportKind::Lines => {
            resolve(tx, (import, range), &mut found).await?;
            numbers(tx, (import, range), LINE_TAKEN, &Finding::Taken, &mut found).await?;
            in_file(tx, (import, range), LINE_IN_FILE, &mut found).await?;
            let lines: Vec<(i64, i64, Option<String>)> = query_as(LINE_COUNT)
                .bind(&import.id)
                .bind(range.0)
                .bind(range.1)
                .bind(applied)
                .fetch_all(&mut *tx)
                .await?;
            for (number, lines, model) in lines {
                found.push((number, Finding::Lines { lines, model: None }));
                if model.is_some() {
                    found.push((number, Finding::Lines { lines, model }));
                }
            }
        }
    }
    for (number, finding) in found {
        if let Some(fault) = judge(&finding) {
            add_fault(tx, &import.id, (number, Known::ByOthers), &fault).await?;
        }
    }
    Ok(())
}

/// Which user each row means, and the rows that mean nobody.
async fn resolve(
    tx: &mut Tx,
    (import, range): (&ImportRow, Range),
    found: &mut Vec<(i64, Finding)>,
) -> Result<(), StoreError> {
    query(RESOLVE).bind(&import.id).bind(range.0).bind(range.1).execute(&mut *tx).await?;
    numbers(tx, (import, range), NO_USER, &Finding::NoUser, found).await
}

async fn numbers(
    tx: &mut Tx,
    (import, range): (&ImportRow, Range),
    sql: &'static str,
    finding: &Finding,
    found: &mut Vec<(i64, Finding)>,
) -> Result<(), StoreError> {
    let rows: Vec<(i64,)> = query_as(sql).bind(&import.id).bind(range.0).bind(range.1).fetch_all(&mut *tx).await?;
    found.extend(rows.into_iter().map(|(number,)| (number, finding.clone())));
    Ok(())
}

async fn in_file(
    tx: &mut Tx,
    (import, range): (&ImportRow, Range),
    sql: &'static str,
    found: &mut Vec<(i64, Finding)>,
) -> Result<(), StoreError> {
    let rows: Vec<(i64, i64)> = query_as(sql).bind(&import.id).bind(range.0).bind(range.1).fetch_all(&mut *tx).await?;
    found.extend(rows.into_iter().map(|(number, first)| (number, Finding::InFile { first })));
    Ok(())
}
