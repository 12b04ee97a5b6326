//! Moving house: which phone was told the new server address, and whether it was seen there.

use crate::bindings::pin_columns;
use crate::rows::{mac, time, unreadable};
use crate::sql::{query, query_as};
use crate::timeline::{NewEvent, add_event};
use crate::{Page, Store, StoreError};
use provost_core::facts::Pin;
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;

/// The addresses that claimed phones are told apart by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovingBetween {
    /// Where phones shall live, as their server address holds it.
    pub current: String,
    /// The former address without and with its port, in lower case, while it still counts.
    pub former: Option<[String; 2]>,
}

/// A pin that is to be changed.
#[derive(Debug, Clone, Copy)]
pub struct NewMove<'a> {
    /// The phone.
    pub mac: MacAddr,
    /// The pin as it was read: if it is another meanwhile, nothing is changed.
    pub pin: &'a Pin,
    /// The address it leaves.
    pub from: &'a str,
    /// The address it is pinned to from now on.
    pub to: &'a str,
    /// Now.
    pub told: UnixMillis,
}

/// A phone that was told and has not been seen at the new address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingMove {
    /// The phone.
    pub mac: MacAddr,
    /// Whether it started over at the old address since.
    pub has_come_back: bool,
}

/// Where a claimed phone stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MoveStanding {
    /// It came in at the former address or is pinned to it, or it has not asked for its configuration yet.
    NotYetTold,
    /// Its configuration holds the new address; it has not been seen there since.
    Told,
    /// It was seen there.
    Arrived,
    /// It was pinned to this address in the first place.
    AtHome,
    /// It is pinned to some other address.
    Elsewhere,
    /// It came in at some other address, which is left as it is.
    LeftAlone,
    /// It has not asked for its configuration, and no former address counts.
    Undecided,
    /// It would be not yet told, or told, but its device is disabled or quarantined: it gets nothing.
    Barred,
}

impl MoveStanding {
    /// Each with its word, for the API and the queries here.
    pub const WORDS: [(&'static str, Self); 8] = [
        ("not-yet-told", Self::NotYetTold),
        ("told", Self::Told),
        ("arrived", Self::Arrived),
        ("at-home", Self::AtHome),
        ("elsewhere", Self::Elsewhere),
        ("left-alone", Self::LeftAlone),
        ("undecided", Self::Undecided),
        ("barred", Self::Barred),
    ];

    fn read(text: &str) -> Result<Self, StoreError> {
        let known = Self::WORDS.into_iter().find(|(word, _)| *word == text);
        known.map(|(_, standing)| standing).ok_or_else(|| unreadable("moves", text))
    }
}

/// A claimed phone and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveRow {
    /// The phone.
    pub mac: MacAddr,
    /// Where it stands.
    pub standing: MoveStanding,
    /// The address it was told to leave.
    pub from: Option<String>,
    /// When it was told.
    pub told: Option<UnixMillis>,
    /// When it first started over at the old address after that.
    pub back: Option<UnixMillis>,
    /// When it was first seen at the new one.
    pub arrived: Option<UnixMillis>,
    /// Its last proven contact.
    pub last_seen: Option<UnixMillis>,
}

/// Every claimed phone with its standing; one text, so that counts, list and page cannot differ. A barred phone gets
/// nothing, so a move that waited for it would never end.
macro_rules! standings {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            "SELECT b.mac AS mac, m.from_address AS from_address, m.told_ms AS told_ms, m.back_ms AS back_ms, \
             m.arrived_ms AS arrived_ms, p.last_seen_ms AS last_seen_ms, \
             CASE WHEN $2 AND (b.pin IS NULL OR LOWER(b.pin_address) IN ($3, $4)) \
             THEN CASE WHEN d.barred IS NULL THEN 'not-yet-told' ELSE 'barred' END \
             WHEN b.pin IS NULL THEN 'undecided' \
             WHEN b.pin = 'left-alone' THEN 'left-alone' \
             WHEN b.pin_address <> $1 THEN 'elsewhere' \
             WHEN m.mac IS NULL THEN 'at-home' \
             WHEN m.arrived_ms IS NULL THEN CASE WHEN d.barred IS NULL THEN 'told' ELSE 'barred' END \
             ELSE 'arrived' END AS standing \
             FROM bindings b LEFT JOIN moves m ON m.mac = b.mac AND m.to_address = b.pin_address \
             LEFT JOIN phones p ON p.mac = b.mac LEFT JOIN devices d ON d.id = b.device",
            $after
        )
    };
}

#[derive(sqlx::FromRow)]
struct Columns {
    mac: String,
    from_address: Option<String>,
    told_ms: Option<i64>,
    back_ms: Option<i64>,
    arrived_ms: Option<i64>,
    last_seen_ms: Option<i64>,
    standing: String,
}

impl Columns {
    fn read(self) -> Result<MoveRow, StoreError> {
        Ok(MoveRow {
            mac: mac(&self.mac)?,
            standing: MoveStanding::read(&self.standing)?,
            from: self.from_address,
            told: time(self.told_ms),
            back: time(self.back_ms),
            arrived: time(self.arrived_ms),
            last_seen: time(self.last_seen_ms),
        })
    }
}

impl MovingBetween {
    /// What `$1` to `$4` of `standings!` are.
    fn bound(&self) -> (&str, bool, &str, &str) {
        let [plain, with_port] = self.former.as_ref().map_or(["", ""], |former| former.each_ref().map(String::as_str));
        (&self.current, self.former.is_some(), plain, with_port)
    }
}

impl Store {
    /// Pins a phone to its new address, once; returns the pin that stands.
    ///
    /// Pin, progress and timeline entry are one transaction.
    pub async fn move_pin(&self, change: &NewMove<'_>, event: &NewEvent) -> Result<Pin, StoreError> {
        const PIN: &str = "UPDATE bindings SET pin = 'pinned', pin_address = $2 \
                           WHERE mac = $1 AND COALESCE(pin, '') = $3 AND COALESCE(pin_address, '') = $4";
        const TOLD: &str = "INSERT INTO moves (mac, from_address, to_address, told_ms) VALUES ($1, $2, $3, $4) \
                            ON CONFLICT (mac) DO UPDATE SET from_address = excluded.from_address, \
                            to_address = excluded.to_address, told_ms = excluded.told_ms, back_ms = NULL, arrived_ms = NULL";
        let (word, address) = pin_columns(change.pin);
        let phone = change.mac.to_string();
        let mut tx = self.begin().await?;
        let done = query(PIN)
            .bind(&phone)
            .bind(change.to)
            .bind(word.unwrap_or_default())
            .bind(address.unwrap_or_default())
            .execute(&mut tx)
            .await?;
        if done != 1 {
            tx.rollback().await?;
            let standing = self.bound(change.mac).await?.ok_or(StoreError::Missing { what: "binding" })?;
            return Ok(standing.pin);
        }
        query(TOLD).bind(&phone).bind(change.from).bind(change.to).bind(change.told.0).execute(&mut tx).await?;
        add_event(&mut tx, event).await?;
        tx.commit().await?;
        Ok(Pin::Pinned { authority: change.to.to_owned() })
    }

    /// The phones that were told this address and have not been seen there.
    pub async fn pending_moves(&self, to: &str) -> Result<Vec<PendingMove>, StoreError> {
        const SQL: &str = "SELECT m.mac, m.back_ms IS NOT NULL FROM moves m JOIN bindings b ON b.mac = m.mac \
                           WHERE m.to_address = $1 AND b.pin = 'pinned' AND b.pin_address = $1 AND m.arrived_ms IS NULL";
        let rows: Vec<(String, bool)> = query_as(SQL).bind(to).fetch_all(&self.read).await?;
        let row = |(text, has_come_back): (String, bool)| Ok(PendingMove { mac: mac(&text)?, has_come_back });
        rows.into_iter().map(row).collect()
    }

    /// Notes that a phone which was told was seen at the new address; the first time counts.
    pub async fn arrived(&self, of: MacAddr, to: &str, event: &NewEvent) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE moves SET arrived_ms = $3 WHERE mac = $1 AND to_address = $2 AND arrived_ms IS NULL";
        self.note_step(SQL, (of, to), event).await
    }

    /// Notes that a phone which was told started over at the old address; the first time counts.
    pub async fn came_back(&self, of: MacAddr, to: &str, event: &NewEvent) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE moves SET back_ms = $3 \
                           WHERE mac = $1 AND to_address = $2 AND arrived_ms IS NULL AND back_ms IS NULL";
        self.note_step(SQL, (of, to), event).await
    }

    async fn note_step(
        &self,
        sql: &'static str,
        (of, to): (MacAddr, &str),
        event: &NewEvent,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let done = query(sql).bind(of.to_string()).bind(to).bind(event.at.0).execute(&mut tx).await?;
        if done == 1 {
            add_event(&mut tx, event).await?;
        }
        Ok(tx.commit().await?)
    }

    /// How far a claimed phone has come.
    pub async fn move_of(&self, of: MacAddr, between: &MovingBetween) -> Result<Option<MoveRow>, StoreError> {
        const SQL: &str = standings!("", " WHERE b.mac = $5");
        let (current, has_former, plain, with_port) = between.bound();
        let row: Option<Columns> = query_as(SQL)
            .bind(current)
            .bind(has_former)
            .bind(plain)
            .bind(with_port)
            .bind(of.to_string())
            .fetch_optional(&self.read)
            .await?;
        row.map(Columns::read).transpose()
    }

    /// How many claimed phones stand where; what no phone stands at is left out.
    pub async fn move_counts(&self, between: &MovingBetween) -> Result<Vec<(MoveStanding, u64)>, StoreError> {
        const SQL: &str = standings!("SELECT s.standing, COUNT(*) FROM (", ") s GROUP BY s.standing");
        let (current, has_former, plain, with_port) = between.bound();
        let rows: Vec<(String, i64)> =
            query_as(SQL).bind(current).bind(has_former).bind(plain).bind(with_port).fetch_all(&self.read).await?;
        rows.into_iter()
            .map(|(word, count)| Ok((MoveStanding::read(&word)?, u64::try_from(count).unwrap_or_default())))
            .collect()
    }

    /// The claimed phones that have not arrived and are waited for, by MAC.
    pub async fn not_arrived(&self, between: &MovingBetween, page: Page<'_>) -> Result<Vec<MoveRow>, StoreError> {
        const SQL: &str = standings!(
            "SELECT s.* FROM (",
            ") s WHERE s.standing IN ('not-yet-told', 'told') AND s.mac > $5 ORDER BY s.mac LIMIT $6"
        );
        let (current, has_former, plain, with_port) = between.bound();
        let rows: Vec<Columns> = query_as(SQL)
            .bind(current)
            .bind(has_former)
            .bind(plain)
            .bind(with_port)
            .bind(page.after)
            .bind(i64::from(page.limit))
            .fetch_all(&self.read)
            .await?;
        rows.into_iter().map(Columns::read).collect()
    }
}
