//! Attempts to lead phones from one version to another, one at a time each, and so many at a time at a site.

use crate::rows::{mac, optional, parsed, time, unreadable};
use crate::sql::{query, query_as, query_scalar};
use crate::within::{Columns as Whose, Within};
use crate::{Page, Store, StoreError};
use provost_core::firmware::Version;
use provost_core::firmware::step::{STALE_MS, StepState};
use provost_core::ids::{AccountId, DeviceId, SiteId};
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use sqlx::FromRow;

/// A step that is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStep {
    /// Id: a ULID.
    pub id: String,
    /// The phone.
    pub mac: MacAddr,
    /// Its device.
    pub device: Option<DeviceId>,
    /// The device's account.
    pub account: Option<AccountId>,
    /// The site of its user.
    pub site: Option<SiteId>,
    /// The hardware's id in the catalog.
    pub model: String,
    /// Its ring.
    pub ring: String,
    /// The policy that says so.
    pub policy: Option<String>,
    /// The image.
    pub image: String,
    /// The file its master file names.
    pub file: String,
    /// Whether the image is an updater.
    pub is_updater: bool,
    /// What it runs.
    pub from: Version,
    /// What this step leads to.
    pub to: Version,
    /// Where the steps lead in the end.
    pub target: Version,
    /// Why now.
    pub why: String,
    /// Size of the image.
    pub bytes: u64,
    /// When it is offered.
    pub at: UnixMillis,
}

/// A step with how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRow {
    /// As it was offered.
    pub step: NewStep,
    /// How far it is.
    pub state: StepState,
    /// As far as the image was sent, in bytes.
    pub sent: u64,
    /// The first request for the image.
    pub asked: Option<UnixMillis>,
    /// Requests for it from its beginning, those of one minute counted once.
    pub tries: u32,
    /// Whether the phone did something else since the whole image was sent.
    pub went_on: bool,
    /// The last sign of the phone.
    pub touched: UnixMillis,
    /// When it ended.
    pub ended: Option<UnixMillis>,
    /// What the phone came back with, or why it was withdrawn.
    pub ended_as: Option<String>,
}

/// How a step ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepEnd<'a> {
    /// The step.
    pub id: &'a str,
    /// Done, failed or withdrawn.
    pub state: StepState,
    /// What the phone came back with, or why it was withdrawn.
    pub as_what: &'a str,
    /// When.
    pub at: UnixMillis,
}

/// What came of offering a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// It is offered.
    Offered,
    /// As many phones of the site as may are at their steps.
    SlotsFull,
    /// The phone is in a step already.
    InAnother,
}

/// Which steps are listed.
#[derive(Debug, Clone, Copy, Default)]
pub struct StepFilter<'a> {
    /// Of this state.
    pub state: Option<StepState>,
    /// Of this phone.
    pub mac: Option<MacAddr>,
    /// How far the list reaches; `None` is everything.
    pub within: Option<&'a Within>,
}

#[derive(FromRow)]
struct Columns {
    id: String,
    mac: String,
    device: Option<String>,
    account: Option<String>,
    site: Option<String>,
    model: String,
    ring: String,
    policy: Option<String>,
    image: String,
    file: String,
    is_updater: bool,
    from_version: String,
    to_version: String,
    target: String,
    state: String,
    why: String,
    bytes: i64,
    sent: i64,
    offered_ms: i64,
    asked_ms: Option<i64>,
    tries: i64,
    went_on: bool,
    touched_ms: i64,
    ended_ms: Option<i64>,
    ended_as: Option<String>,
}

const SELECT: &str = "SELECT s.id, s.mac, s.device, s.account, s.site, s.model, s.ring, s.policy, s.image, s.file, s.is_updater, \
                      s.from_version, s.to_version, s.target, s.state, s.why, s.bytes, s.sent, s.offered_ms, s.asked_ms, \
                      s.tries, s.went_on, s.touched_ms, s.ended_ms, s.ended_as FROM firmware_steps s";
/// To whom a phone belonged when its step was offered.
const OF_STEP: Whose = Whose { account: "s.account", site: "s.site" };

impl StepRow {
    fn read(row: Columns) -> Result<Self, StoreError> {
        let size = |column, value: i64| u64::try_from(value).map_err(|_| unreadable(column, value));
        let step = NewStep {
            id: row.id,
            mac: mac(&row.mac)?,
            device: optional("firmware_steps.device", row.device.as_deref())?,
            account: optional("firmware_steps.account", row.account.as_deref())?,
            site: optional("firmware_steps.site", row.site.as_deref())?,
            model: row.model,
            ring: row.ring,
            policy: row.policy,
            image: row.image,
            file: row.file,
            is_updater: row.is_updater,
            from: parsed("firmware_steps.from_version", &row.from_version)?,
            to: parsed("firmware_steps.to_version", &row.to_version)?,
            target: parsed("firmware_steps.target", &row.target)?,
            why: row.why,
            bytes: size("firmware_steps.bytes", row.bytes)?,
            at: UnixMillis(row.offered_ms),
        };
        Ok(Self {
            step,
            state: parsed("firmware_steps.state", &row.state)?,
            sent: size("firmware_steps.sent", row.sent)?,
            asked: time(row.asked_ms),
            tries: u32::try_from(row.tries).map_err(|_| unreadable("firmware_steps.tries", row.tries))?,
            went_on: row.went_on,
            touched: UnixMillis(row.touched_ms),
            ended: time(row.ended_ms),
            ended_as: row.ended_as,
        })
    }
}

fn stored(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Whose slots a step takes.
fn slots_of<'a>(site: Option<&'a SiteId>, account: Option<&'a AccountId>) -> &'a str {
    site.map(SiteId::as_str).or(account.map(AccountId::as_str)).unwrap_or_default()
}

impl Store {
    /// The step a phone is in, if it is in one.
    pub async fn open_firmware_step(&self, of: MacAddr) -> Result<Option<StepRow>, StoreError> {
        let sql = format!("{SELECT} WHERE s.mac = $1 AND s.ended_ms IS NULL");
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(of.to_string());
        let row: Option<Columns> = query.fetch_optional(&self.read).await?;
        row.map(StepRow::read).transpose()
    }

    /// The phones that are in a step.
    pub async fn phones_in_firmware_steps(&self) -> Result<Vec<MacAddr>, StoreError> {
        const SQL: &str = "SELECT mac FROM firmware_steps WHERE ended_ms IS NULL ORDER BY mac";
        let rows: Vec<String> = query_scalar(SQL).fetch_all(&self.read).await?;
        rows.iter().map(|text| mac(text)).collect()
    }

    /// Steps, the newest first; a page continues after the last id of the one before.
    pub async fn firmware_steps(&self, of: StepFilter<'_>, page: Page<'_>) -> Result<Vec<StepRow>, StoreError> {
        let within = of.within.unwrap_or(&Within::Everything);
        let sql = format!(
            "{SELECT} WHERE ($1 = '' OR s.id < $1) AND ($3 = '' OR s.state = $3) AND ($4 = '' OR s.mac = $4) AND {} \
             ORDER BY s.id DESC LIMIT $2",
            within.condition(&OF_STEP, 5)
        );
        let rows: Vec<Columns> = query_as(sqlx::AssertSqlSafe(sql))
            .bind(page.after)
            .bind(i64::from(page.limit))
            .bind(of.state.map_or("", StepState::as_str))
            .bind(of.mac.map_or_else(String::new, |mac| mac.to_string()))
            .within(within)
            .fetch_all(&self.read)
            .await?;
        rows.into_iter().map(StepRow::read).collect()
    }

    /// How many attempts with an image failed on a phone since then.
    pub async fn firmware_attempts(&self, of: MacAddr, image: &str, since: UnixMillis) -> Result<u32, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM firmware_steps WHERE mac = $1 AND image = $2 AND state = 'failed' \
                           AND ended_ms > $3";
        let query = query_scalar(SQL).bind(of.to_string()).bind(image).bind(since.0);
        let found: i64 = query.fetch_one(&self.read).await?;
        Ok(u32::try_from(found).unwrap_or(u32::MAX))
    }

    /// Offers a step if its phone is in none and fewer than `slots` phones of its site are at theirs.
    ///
    /// A step without a sign of its phone for long holds no slot. Phones that are at no site share theirs.
    pub async fn offer_firmware_step(&self, step: &NewStep, slots: u32) -> Result<Offer, StoreError> {
        const HELD: &str = "SELECT COUNT(*) FROM firmware_steps WHERE ended_ms IS NULL AND touched_ms > $1 \
                            AND COALESCE(site, account, '') = $2";
        const OPEN: &str = "SELECT COUNT(*) FROM firmware_steps WHERE mac = $1 AND ended_ms IS NULL";
        const SQL: &str = "INSERT INTO firmware_steps (id, mac, device, account, site, model, ring, policy, image, file, \
                           is_updater, from_version, to_version, target, state, why, bytes, sent, offered_ms, touched_ms, \
                           tries, went_on) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'offered', \
                           $15, $16, 0, $17, $17, 0, FALSE)";
        let mut tx = self.begin().await?;
        let place = slots_of(step.site.as_ref(), step.account.as_ref());
        let fresh = step.at.plus_millis(STALE_MS.saturating_neg());
        let held: i64 = query_scalar(HELD).bind(fresh.0).bind(place).fetch_one(&mut tx).await?;
        let open: i64 = query_scalar(OPEN).bind(step.mac.to_string()).fetch_one(&mut tx).await?;
        if open > 0 {
            return Ok(Offer::InAnother);
        }
        if held >= i64::from(slots) {
            return Ok(Offer::SlotsFull);
        }
        query(SQL)
            .bind(&step.id)
            .bind(step.mac.to_string())
            .bind(step.device.as_ref().map(DeviceId::as_str))
            .bind(step.account.as_ref().map(AccountId::as_str))
            .bind(step.site.as_ref().map(SiteId::as_str))
            .bind(&step.model)
            .bind(&step.ring)
            .bind(step.policy.as_deref())
            .bind(&step.image)
            .bind(&step.file)
            .bind(step.is_updater)
            .bind(step.from.to_string())
            .bind(step.to.to_string())
            .bind(step.target.to_string())
            .bind(&step.why)
            .bind(stored(step.bytes))
            .bind(step.at.0)
            .execute(&mut tx)
            .await?;
        tx.commit().await?;
        Ok(Offer::Offered)
    }

    /// Whether fewer than `slots` other phones of the site are at their steps; those of an account without a site share its
    /// slots, and those that nobody claimed the rest.
    pub async fn has_firmware_slot(
        &self,
        of: MacAddr,
        (site, account): (Option<&SiteId>, &AccountId),
        (slots, now): (u32, UnixMillis),
    ) -> Result<bool, StoreError> {
        const HELD: &str = "SELECT COUNT(*) FROM firmware_steps WHERE ended_ms IS NULL AND touched_ms > $1 \
                            AND COALESCE(site, account, '') = $2 AND mac <> $3";
        let fresh = now.plus_millis(STALE_MS.saturating_neg());
        let query = query_scalar(HELD).bind(fresh.0).bind(slots_of(site, Some(account))).bind(of.to_string());
        let held: i64 = query.fetch_one(&self.read).await?;
        Ok(held < i64::from(slots))
    }

    /// Gives an open step that was without a sign of its phone a slot again, if one is free at its site; whether it did.
    pub async fn renew_firmware_step(&self, step: &StepRow, slots: u32, now: UnixMillis) -> Result<bool, StoreError> {
        const HELD: &str = "SELECT COUNT(*) FROM firmware_steps WHERE ended_ms IS NULL AND touched_ms > $1 \
                            AND COALESCE(site, account, '') = $2 AND id <> $3";
        const SQL: &str = "UPDATE firmware_steps SET touched_ms = $2 WHERE id = $1 AND ended_ms IS NULL";
        let mut tx = self.begin().await?;
        let place = slots_of(step.step.site.as_ref(), step.step.account.as_ref());
        let fresh = now.plus_millis(STALE_MS.saturating_neg());
        let held: i64 = query_scalar(HELD).bind(fresh.0).bind(place).bind(&step.step.id).fetch_one(&mut tx).await?;
        if held >= i64::from(slots) {
            return Ok(false);
        }
        let done = query(SQL).bind(&step.step.id).bind(now.0).execute(&mut tx).await?;
        tx.commit().await?;
        Ok(done > 0)
    }

    /// Remembers that the phone asked for its image; from its beginning it is a try, one a minute.
    pub async fn firmware_asked(&self, id: &str, is_try: bool, now: UnixMillis) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE firmware_steps SET state = CASE WHEN state = 'offered' THEN 'loading' ELSE state END, \
                           asked_ms = COALESCE(asked_ms, $2), touched_ms = $2 WHERE id = $1 AND ended_ms IS NULL";
        const TRY: &str = "UPDATE firmware_steps SET tries = tries + 1, tried_ms = $2 WHERE id = $1 AND ended_ms IS NULL \
                           AND (tried_ms IS NULL OR tried_ms <= $3)";
        let mut tx = self.begin().await?;
        query(SQL).bind(id).bind(now.0).execute(&mut tx).await?;
        if is_try {
            let minute_ago = now.plus_millis(-60_000);
            query(TRY).bind(id).bind(now.0).bind(minute_ago.0).execute(&mut tx).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Remembers that the phone did something else since the whole image was sent.
    pub async fn firmware_went_on(&self, of: MacAddr) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE firmware_steps SET went_on = TRUE WHERE mac = $1 AND ended_ms IS NULL AND state = 'sent'";
        let mut tx = self.begin().await?;
        query(SQL).bind(of.to_string()).execute(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    /// Remembers how far the image was sent: the farthest counts, and the whole makes it sent.
    pub async fn firmware_moved(&self, id: &str, sent: u64, now: UnixMillis) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE firmware_steps SET sent = CASE WHEN sent < $2 THEN $2 ELSE sent END, touched_ms = $3, \
                           state = CASE WHEN $2 >= bytes THEN 'sent' ELSE state END, \
                           went_on = CASE WHEN $2 >= bytes THEN FALSE ELSE went_on END WHERE id = $1 AND ended_ms IS NULL";
        let mut tx = self.begin().await?;
        query(SQL).bind(id).bind(stored(sent)).bind(now.0).execute(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    /// Ends a step; whether it was still open.
    pub async fn end_firmware_step(&self, end: StepEnd<'_>) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE firmware_steps SET state = $2, ended_as = $3, ended_ms = $4, touched_ms = $4 \
                           WHERE id = $1 AND ended_ms IS NULL";
        let mut tx = self.begin().await?;
        let query = query(SQL).bind(end.id).bind(end.state.as_str()).bind(end.as_what).bind(end.at.0);
        let done = query.execute(&mut tx).await?;
        tx.commit().await?;
        Ok(done > 0)
    }
}
