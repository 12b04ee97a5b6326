//! The timeline: what every phone did, newest first.

use crate::phones::{Contact, touch};
use crate::rows::mac;
use crate::sql::{Tx, query, query_as};
use crate::within::{Columns, Within};
use crate::{Store, StoreError};
use provost_core::mac::MacAddr;
use provost_core::sentence::Entry;
use provost_core::time::UnixMillis;
use sqlx::FromRow;
use std::collections::BTreeSet;

/// An entry to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// A ULID of this instant, so that entries sort by time.
    pub id: String,
    /// Whose timeline.
    pub mac: MacAddr,
    /// When.
    pub at: UnixMillis,
    /// What.
    pub entry: Entry,
    /// What the phone said on this occasion, if it was there.
    pub contact: Option<Contact>,
}

/// An entry as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// Id, for paging.
    pub id: String,
    /// Whose timeline.
    pub mac: MacAddr,
    /// When.
    pub at: UnixMillis,
    /// Kind, as a word.
    pub kind: String,
    /// The sentence.
    pub sentence: String,
    /// What to do.
    pub advice: Option<String>,
    /// The short word it is found by.
    pub reference: Option<String>,
}

#[derive(FromRow)]
pub(crate) struct EventColumns {
    id: String,
    mac: String,
    at_ms: i64,
    kind: String,
    sentence: String,
    advice: Option<String>,
    reference: Option<String>,
}

/// Entries kept per phone: about two months of a phone that polls daily. Claims and administrators'
/// actions are few and stay for good.
const KEPT_PER_PHONE: i64 = 600;

impl Store {
    /// Adds entries and what the phones said, in one durable step.
    pub async fn record(&self, events: &[NewEvent]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for event in events {
            add_event(&mut tx, event).await?;
            if let Some(contact) = &event.contact {
                touch(&mut tx, contact).await?;
            }
        }
        Ok(tx.commit().await?)
    }

    /// Drops the oldest entries of these phones beyond what is kept.
    pub async fn prune_timelines(&self, phones: &BTreeSet<MacAddr>) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM events WHERE mac = $1 AND kind IN ('request', 'refused') AND id <= \
                           (SELECT id FROM events WHERE mac = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)";
        let mut tx = self.begin().await?;
        for phone in phones {
            query(SQL).bind(phone.to_string()).bind(KEPT_PER_PHONE).execute(&mut tx).await?;
        }
        Ok(tx.commit().await?)
    }

    /// The newest entries of one phone, before the entry `before` if one is named.
    pub async fn timeline(&self, of: MacAddr, before: Option<&str>, limit: u32) -> Result<Vec<EventRow>, StoreError> {
        const SQL: &str = "SELECT id, mac, at_ms, kind, sentence, advice, reference FROM events \
                           WHERE mac = $1 AND ($2 = '' OR id < $2) ORDER BY id DESC LIMIT $3";
        let rows: Vec<EventColumns> = query_as(SQL)
            .bind(of.to_string())
            .bind(before.unwrap_or(""))
            .bind(i64::from(limit))
            .fetch_all(&self.read)
            .await?;
        rows.into_iter().map(EventRow::read).collect()
    }

    /// When the phone was last taken from a device outside these accounts: what it did before is nobody's here.
    pub async fn left_others(&self, of: MacAddr, within: &Within) -> Result<Option<UnixMillis>, StoreError> {
        const WHOSE: Columns = Columns { account: "COALESCE(d.account, r.account)", site: "''" };
        let sql = format!(
            "SELECT MAX(p.ended_ms) FROM device_phones p LEFT JOIN devices d ON d.id = p.device \
             LEFT JOIN releases r ON r.device = p.device WHERE p.mac = $1 AND NOT ({})",
            within.condition(&WHOSE, 2)
        );
        let of = of.to_string();
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(&of).within(within);
        let (ended,): (Option<i64>,) = query.fetch_one(&self.read).await?;
        Ok(ended.map(UnixMillis))
    }

    /// The entry that is found by this reference; the newest, should there be two.
    pub async fn event_by_reference(&self, reference: &str) -> Result<Option<EventRow>, StoreError> {
        const SQL: &str = "SELECT id, mac, at_ms, kind, sentence, advice, reference FROM events \
                           WHERE reference = $1 ORDER BY id DESC LIMIT 1";
        let row: Option<EventColumns> = query_as(SQL).bind(reference).fetch_optional(&self.read).await?;
        row.map(EventRow::read).transpose()
    }
}

impl EventRow {
    pub(crate) fn read(row: EventColumns) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            mac: mac(&row.mac)?,
            at: UnixMillis(row.at_ms),
            kind: row.kind,
            sentence: row.sentence,
            advice: row.advice,
            reference: row.reference,
        })
    }
}

/// Adds one entry inside a transaction.
pub(crate) async fn add_event(tx: &mut Tx, event: &NewEvent) -> Result<(), StoreError> {
    const ADD: &str = "INSERT INTO events (id, mac, at_ms, kind, sentence, advice, reference) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7)";
    query(ADD)
        .bind(&event.id)
        .bind(event.mac.to_string())
        .bind(event.at.0)
        .bind(event.entry.kind.as_str())
        .bind(&event.entry.sentence)
        .bind(&event.entry.advice)
        .bind(&event.entry.reference)
        .execute(&mut *tx)
        .await?;
    Ok(())
}
