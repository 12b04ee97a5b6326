//! Rows as they come in.

use super::findings::check_range;
use super::{ImportRow, Judge, bad_rows};
use crate::report::Select;
use crate::sql::{Tx, query};
use crate::{Store, StoreError};
use provost_core::entry::FieldError;
use provost_core::ids::SiteId;
use provost_core::import::{ImportState, ImportedRow};

/// A row that was understood, ready to be kept.
#[derive(Debug, Clone)]
pub struct StagedRow {
    /// What it says; its password is not read here.
    pub row: ImportedRow,
    /// The id of what it makes; lines have none.
    pub id: Option<String>,
    /// Its password, encrypted.
    pub password: Option<Vec<u8>>,
    /// What is wrong with it on its own.
    pub faults: Vec<FieldError>,
    /// What it says, as a JSON list in the order of the columns, without any password.
    pub cells: String,
}

/// Rows of one statement: some hundred values, far below what either engine takes.
const AT_ONCE: usize = 50;

impl Store {
    /// Keeps rows and checks those that look good against the file and the database. The rows are in order and behind
    /// all that were kept before.
    pub async fn stage_import(
        &self,
        import: &ImportRow,
        rows: &[StagedRow],
        judge: &Judge<'_>,
    ) -> Result<(), StoreError> {
        const COUNT: &str = "UPDATE imports SET rows_read = rows_read + $2, rows_bad = rows_bad + $3 \
                             WHERE id = $1 AND state = $4";
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(()) };
        let (from, to) = (first.row.number.saturating_sub(1), last.row.number);
        let mut tx = self.begin().await?;
        for some in rows.chunks(AT_ONCE) {
            keep(&mut tx, &import.id, some).await?;
        }
        for row in rows {
            for fault in &row.faults {
                add_fault(&mut tx, &import.id, (row.row.number, Known::Alone), fault).await?;
            }
        }
        check_range(&mut tx, import, (from, to), 0, judge).await?;
        let bad = bad_rows(&mut tx, &import.id, from, to).await?;
        let read = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let receiving = ImportState::Receiving.as_str();
        // A server that started meanwhile took it for one that a dead server left.
        if query(COUNT).bind(&import.id).bind(read).bind(bad).bind(receiving).execute(&mut tx).await? == 0 {
            return Err(StoreError::Missing { what: "import that still receives rows" });
        }
        Ok(tx.commit().await?)
    }
}

async fn keep(tx: &mut Tx, import: &str, rows: &[StagedRow]) -> Result<(), StoreError> {
    let mut insert = Select::new(
        "INSERT INTO import_rows (import, number, id, site, name, extension, email, language, model, mac, sip_user, \
         auth_user, password, cells) VALUES ",
    );
    for (index, StagedRow { row, id, password, cells, .. }) in rows.iter().enumerate() {
        insert.push(if index == 0 { "(" } else { ", (" });
        insert.text(import);
        insert.push(", ");
        insert.number(row.number);
        let texts = [
            id.as_deref(),
            row.site.as_ref().map(SiteId::as_str),
            row.name.as_deref(),
            row.extension.as_deref(),
            row.email.as_deref(),
            row.language.as_deref(),
            row.model.as_deref(),
            row.mac.as_deref(),
            row.sip_user.as_deref(),
            row.auth_user.as_deref(),
        ];
        for text in texts {
            insert.push(", ");
            insert.optional(text.map(kept).as_deref());
        }
        insert.push(", ");
        insert.blob(password.as_deref());
        insert.push(", ");
        insert.text(cells);
        insert.push(")");
    }
    insert.query::<()>().execute(tx).await?;
    Ok(())
}

/// PostgreSQL cannot hold U+0000; a row that holds one is bad, and is kept to be shown only.
pub(super) fn kept(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

/// How a fault is known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// The row shows it.
    Alone,
    /// The file or the database does, so it can pass.
    ByOthers,
}

pub(super) async fn add_fault(
    tx: &mut Tx,
    import: &str,
    (number, known): (i64, Known),
    fault: &FieldError,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO import_faults (import, number, field, message, own) VALUES ($1, $2, $3, $4, $5) \
                       ON CONFLICT (import, number, field) DO NOTHING";
    query(SQL)
        .bind(import)
        .bind(number)
        .bind(kept(&fault.field))
        .bind(kept(&fault.message))
        .bind(known == Known::Alone)
        .execute(&mut *tx)
        .await?;
    Ok(())
}
