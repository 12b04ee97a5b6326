//! Who is written to about alarms, and about which they were.

use super::{NewMail, add};
use crate::alarms::AlarmRow;
use crate::rows::{optional, place};
use crate::sql::{query, query_as, query_scalar};
use crate::within::Within;
use crate::{Audited, Store, StoreError};
use provost_core::ids::AccountId;
use provost_core::time::UnixMillis;

impl Store {
    /// The addresses of an account, or of the whole server, in order.
    pub async fn alarm_addresses(&self, owner: Option<&AccountId>) -> Result<Vec<String>, StoreError> {
        const SQL: &str = "SELECT address FROM alarm_addresses WHERE owner = $1 ORDER BY place";
        Ok(query_scalar(SQL).bind(owner.map_or("", AccountId::as_str)).fetch_all(&self.read).await?)
    }

    /// Everybody who has addresses, with the time since when.
    pub async fn alarm_owners(&self) -> Result<Vec<(Option<AccountId>, UnixMillis)>, StoreError> {
        const SQL: &str = "SELECT owner, MAX(since_ms) FROM alarm_addresses GROUP BY owner ORDER BY owner";
        let rows: Vec<(String, i64)> = query_as(SQL).fetch_all(&self.read).await?;
        let read = |(owner, since): (String, i64)| {
            let owner = Some(owner.as_str()).filter(|owner| !owner.is_empty());
            Ok((optional("alarm_addresses.owner", owner)?, UnixMillis(since)))
        };
        rows.into_iter().map(read).collect()
    }

    /// Open alarms of a scope, raised since then, that its owner was not written to about, the oldest first. Those about
    /// mail itself are in none: a mail about them would make the next.
    pub async fn unmailed_alarms(
        &self,
        within: &Within,
        (owner, since): (Option<&AccountId>, UnixMillis),
        limit: u32,
    ) -> Result<Vec<AlarmRow>, StoreError> {
        let sql = format!(
            "{} AND a.ended_ms IS NULL AND a.raised_ms >= $4 AND a.kind NOT IN ('mail-not-sent', 'mail-server') \
             AND NOT EXISTS (SELECT 1 FROM mailed_alarms m WHERE m.alarm = a.id AND m.owner = $3) ORDER BY id LIMIT $5",
            crate::alarms::select(within)
        );
        let query = query_as(sqlx::AssertSqlSafe(sql)).within(within).bind(owner.map_or("", AccountId::as_str));
        let rows: Vec<crate::alarms::AlarmColumns> =
            query.bind(since.0).bind(i64::from(limit)).fetch_all(&self.read).await?;
        Ok(rows.into_iter().map(AlarmRow::from).collect())
    }

    /// How often an owner was written to after the first time and until the other.
    pub async fn alarm_mails_since(
        &self,
        owner: Option<&AccountId>,
        (since, until): (UnixMillis, UnixMillis),
    ) -> Result<i64, StoreError> {
        const SQL: &str =
            "SELECT COUNT(DISTINCT at_ms) FROM mailed_alarms WHERE owner = $1 AND at_ms > $2 AND at_ms <= $3";
        let query = query_scalar(SQL).bind(owner.map_or("", AccountId::as_str)).bind(since.0).bind(until.0);
        Ok(query.fetch_one(&self.read).await?)
    }

    /// Puts the mails about these alarms into the outbox: all of them, and that they are about these, or nothing.
    pub async fn mail_alarms(
        &self,
        owner: Option<&AccountId>,
        alarms: &[AlarmRow],
        mails: &[NewMail<'_>],
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        const MAILED: &str = "INSERT INTO mailed_alarms (alarm, owner, at_ms) VALUES ($1, $2, $3)";
        let mut tx = self.begin().await?;
        for mail in mails {
            add(&mut tx, mail).await?;
        }
        for alarm in alarms {
            let query = query(MAILED).bind(&alarm.id).bind(owner.map_or("", AccountId::as_str)).bind(now.0);
            query.execute(&mut tx).await?;
        }
        Ok(tx.commit().await?)
    }
}

impl Audited<'_> {
    /// Replaces the addresses of an account, or of the whole server.
    pub async fn set_alarm_addresses(
        self,
        owner: Option<&AccountId>,
        addresses: &[String],
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        const REMOVE: &str = "DELETE FROM alarm_addresses WHERE owner = $1";
        const ADD: &str = "INSERT INTO alarm_addresses (owner, place, address, since_ms) VALUES ($1, $2, $3, $4)";
        const SINCE: &str = "SELECT MIN(since_ms) FROM alarm_addresses WHERE owner = $1";
        let owner = owner.map_or("", AccountId::as_str);
        let mut tx = self.begin().await?;
        // Whoever changes an address is not told anew of nothing, and nothing between is left out.
        let since: Option<i64> = query_scalar(SINCE).bind(owner).fetch_one(&mut tx).await?;
        query(REMOVE).bind(owner).execute(&mut tx).await?;
        for (address, at) in addresses.iter().zip(0usize..) {
            let query = query(ADD).bind(owner).bind(place(at)).bind(address).bind(since.unwrap_or(now.0));
            query.execute(&mut tx).await?;
        }
        self.commit(tx).await
    }
}
