//! Policies, and the versions that are paused under them.

use crate::rows::{optional, parsed, time, unreadable};
use crate::sql::{query, query_as, query_scalar};
use crate::{Audited, Store, StoreError};
use provost_core::firmware::Version;
use provost_core::firmware::policy::{AfterRing, Place, Policy};
use provost_core::ids::AccountId;
use provost_core::time::UnixMillis;
use sqlx::FromRow;

/// A policy as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRow {
    /// What it says.
    pub policy: Policy,
    /// The account it belongs to: of a site its own; `None` for the whole server.
    pub account: Option<AccountId>,
    /// Why it is so.
    pub reason: String,
    /// Since when.
    pub changed: UnixMillis,
}

/// A version that is paused under a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PauseRow {
    /// Id: a ULID.
    pub id: String,
    /// The policy.
    pub policy: String,
    /// The version.
    pub version: Version,
    /// Since when.
    pub at: UnixMillis,
    /// After so many failures.
    pub failures: u32,
    /// When somebody resumed it.
    pub resumed: Option<UnixMillis>,
}

#[derive(FromRow)]
struct Columns {
    id: String,
    account: Option<String>,
    site: Option<String>,
    model: String,
    ring: String,
    goal: String,
    opening: Option<String>,
    slots: Option<i64>,
    after_ring: Option<String>,
    after_hours: Option<i64>,
    most_failures: Option<i64>,
    reason: String,
    changed_ms: i64,
}

type PauseColumns = (String, String, String, i64, i64, Option<i64>);

fn number(column: &'static str, value: i64) -> Result<u32, StoreError> {
    u32::try_from(value).map_err(|_| unreadable(column, value))
}

impl PolicyRow {
    fn read(row: Columns) -> Result<Self, StoreError> {
        let account: Option<AccountId> = optional("firmware_policies.account", row.account.as_deref())?;
        let place = match (row.site.as_deref(), &account) {
            (Some(site), _) => Place::Site(parsed("firmware_policies.site", site)?),
            (None, Some(account)) => Place::Account(account.clone()),
            (None, None) => Place::Platform,
        };
        let after = match row.after_ring {
            None => None,
            Some(ring) => Some(AfterRing {
                ring,
                hours: number("firmware_policies.after_hours", row.after_hours.unwrap_or(0))?,
                most_failures: number("firmware_policies.most_failures", row.most_failures.unwrap_or(1))?,
            }),
        };
        let given = |text: String| if text.is_empty() { None } else { Some(text) };
        let policy = Policy {
            id: row.id,
            place,
            model: given(row.model),
            ring: given(row.ring),
            goal: parsed("firmware_policies.goal", &row.goal)?,
            window: optional("firmware_policies.opening", row.opening.as_deref())?,
            slots: row.slots.map(|slots| number("firmware_policies.slots", slots)).transpose()?,
            after,
        };
        Ok(Self { policy, account, reason: row.reason, changed: UnixMillis(row.changed_ms) })
    }

    /// The key of what it is for.
    fn place(&self) -> &str {
        match &self.policy.place {
            Place::Platform => "",
            Place::Account(account) => account.as_str(),
            Place::Site(site) => site.as_str(),
        }
    }
}

impl PauseRow {
    fn read((id, policy, version, at, failures, resumed): PauseColumns) -> Result<Self, StoreError> {
        let version = parsed("firmware_pauses.version", &version)?;
        let failures = number("firmware_pauses.failures", failures)?;
        Ok(Self { id, policy, version, at: UnixMillis(at), failures, resumed: time(resumed) })
    }
}

impl Store {
    /// Every policy, by id.
    pub async fn firmware_policies(&self) -> Result<Vec<PolicyRow>, StoreError> {
        const SQL: &str = "SELECT id, account, site, model, ring, goal, opening, slots, after_ring, after_hours, \
                           most_failures, reason, changed_ms FROM firmware_policies ORDER BY id";
        let rows: Vec<Columns> = query_as(SQL).fetch_all(&self.read).await?;
        rows.into_iter().map(PolicyRow::read).collect()
    }

    /// The pauses of every policy, the resumed ones included, by id.
    pub async fn firmware_pauses(&self) -> Result<Vec<PauseRow>, StoreError> {
        const SQL: &str = "SELECT id, policy, version, at_ms, failures, resumed_ms FROM firmware_pauses ORDER BY id";
        let rows: Vec<PauseColumns> = query_as(SQL).fetch_all(&self.read).await?;
        rows.into_iter().map(PauseRow::read).collect()
    }
}

impl Audited<'_> {
    /// Makes a policy, or puts it in the place of the one for the same place, model and ring; the id that counts.
    pub async fn set_firmware_policy(self, row: &PolicyRow) -> Result<String, StoreError> {
        const SQL: &str = "INSERT INTO firmware_policies (id, place, account, site, model, ring, goal, opening, slots, \
                           after_ring, after_hours, most_failures, reason, changed_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, \
                           $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (place, model, ring) DO UPDATE SET \
                           goal = excluded.goal, opening = excluded.opening, slots = excluded.slots, \
                           after_ring = excluded.after_ring, after_hours = excluded.after_hours, \
                           most_failures = excluded.most_failures, reason = excluded.reason, \
                           changed_ms = excluded.changed_ms";
        const ID: &str = "SELECT id FROM firmware_policies WHERE place = $1 AND model = $2 AND ring = $3";
        let Policy { id, model, ring, goal, window, slots, after, .. } = &row.policy;
        let site = match &row.policy.place {
            Place::Site(site) => Some(site.as_str()),
            Place::Platform | Place::Account(_) => None,
        };
        let (model, ring) = (model.as_deref().unwrap_or_default(), ring.as_deref().unwrap_or_default());
        let mut tx = self.begin().await?;
        query(SQL)
            .bind(id)
            .bind(row.place())
            .bind(row.account.as_ref().map(AccountId::as_str))
            .bind(site)
            .bind(model)
            .bind(ring)
            .bind(goal.to_string())
            .bind(window.map(|window| window.to_string()))
            .bind(slots.map(i64::from))
            .bind(after.as_ref().map(|after| after.ring.as_str()))
            .bind(after.as_ref().map(|after| i64::from(after.hours)))
            .bind(after.as_ref().map(|after| i64::from(after.most_failures)))
            .bind(&row.reason)
            .bind(row.changed.0)
            .execute(&mut tx)
            .await?;
        let counts: String = query_scalar(ID).bind(row.place()).bind(model).bind(ring).fetch_one(&mut tx).await?;
        self.commit(tx).await?;
        Ok(counts)
    }

    /// Takes a policy away, with its pauses.
    ///
    /// # Errors
    /// [`StoreError::Missing`] without such a policy.
    pub async fn remove_firmware_policy(self, id: &str) -> Result<(), StoreError> {
        const PAUSES: &str = "DELETE FROM firmware_pauses WHERE policy = $1";
        const SQL: &str = "DELETE FROM firmware_policies WHERE id = $1";
        let mut tx = self.begin().await?;
        query(PAUSES).bind(id).execute(&mut tx).await?;
        if query(SQL).bind(id).execute(&mut tx).await? == 0 {
            return Err(StoreError::Missing { what: "firmware policy" });
        }
        self.commit(tx).await
    }

    /// Pauses a version under a policy; `false` where it is paused already.
    pub async fn pause_firmware(self, row: &PauseRow) -> Result<bool, StoreError> {
        const SQL: &str = "INSERT INTO firmware_pauses (id, policy, version, at_ms, failures) \
                           SELECT $1, $2, $3, $4, $5 WHERE NOT EXISTS (SELECT 1 FROM firmware_pauses \
                           WHERE policy = $2 AND version = $3 AND resumed_ms IS NULL)";
        let mut tx = self.begin().await?;
        let done = query(SQL)
            .bind(&row.id)
            .bind(&row.policy)
            .bind(row.version.to_string())
            .bind(row.at.0)
            .bind(row.failures)
            .execute(&mut tx)
            .await?;
        if done == 0 {
            return Ok(false);
        }
        self.commit(tx).await?;
        Ok(true)
    }

    /// Resumes a version under a policy.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when it is not paused.
    pub async fn resume_firmware(self, policy: &str, version: &Version) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE firmware_pauses SET resumed_ms = $3 \
                           WHERE policy = $1 AND version = $2 AND resumed_ms IS NULL";
        let (mut tx, at) = (self.begin().await?, self.at());
        let done = query(SQL).bind(policy).bind(version.to_string()).bind(at.0).execute(&mut tx).await?;
        if done == 0 {
            return Err(StoreError::Missing { what: "paused version" });
        }
        self.commit(tx).await
    }
}
