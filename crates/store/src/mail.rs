//! The outbox: mails to be sent, and what became of them.
//!
//! Content arrives encrypted. Each step of a mail's life is a statement that holds only if the mail is where it must be,
//! so whatever stops the server, a mail is never sent twice because two believed that it was theirs.

mod alarms;
mod links;
mod templates;
mod welcomes;

pub use links::LinkRow;
pub use templates::TemplateRow;
pub(crate) use welcomes::{DEVICE_SINCE, forget as forget_person, moved as person_moved};
pub use welcomes::{NewWelcome, Welcomable, WelcomeRow};

use crate::rows::{optional, parsed, time};
use crate::sql::{Tx, query, query_as};
use crate::within::{Columns, Within};
use crate::{Audited, NewAlarm, Page, Store, StoreError};
use provost_core::ids::{AccountId, MailId, SiteId, UserId};
use provost_core::mail::{LONGEST_WAIT_MS, MailState};
use provost_core::time::UnixMillis;
use sqlx::FromRow;

/// A mail to be sent.
#[derive(Debug, Clone)]
pub struct NewMail<'a> {
    /// Its id.
    pub id: &'a MailId,
    /// To whom it belongs; `None` is the whole server.
    pub account: Option<&'a AccountId>,
    /// The site of whom it is about.
    pub site: Option<&'a SiteId>,
    /// Whom it is about.
    pub person: Option<&'a UserId>,
    /// What for, as a stable word.
    pub kind: &'a str,
    /// The recipient.
    pub address: &'a str,
    /// Its subject, which holds no secret.
    pub subject: &'a str,
    /// All of it, encrypted.
    pub content: &'a [u8],
    /// Now.
    pub now: UnixMillis,
}

/// A mail as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailRow {
    /// Its id.
    pub id: MailId,
    /// To whom it belongs; `None` is the whole server.
    pub account: Option<AccountId>,
    /// The site of whom it is about.
    pub site: Option<SiteId>,
    /// Whom it is about.
    pub person: Option<UserId>,
    /// What for.
    pub kind: String,
    /// The recipient.
    pub address: String,
    /// Its subject.
    pub subject: String,
    /// Where it is in its life.
    pub state: MailState,
    /// How often it was tried in vain.
    pub tries: i64,
    /// When it is tried next, while it waits.
    pub next: UnixMillis,
    /// What the mail server said last.
    pub answer: Option<String>,
    /// When it was written.
    pub created: UnixMillis,
    /// When it was sent, refused or given up.
    pub ended: Option<UnixMillis>,
    /// All of it, encrypted; gone some days after the mail.
    pub content: Option<Vec<u8>>,
}

/// Which mails are listed.
#[derive(Debug, Clone, Copy, Default)]
pub struct MailFilter<'a> {
    /// Those about this person.
    pub person: Option<&'a UserId>,
    /// Those in this state.
    pub state: Option<MailState>,
}

#[derive(FromRow)]
struct MailColumns {
    id: String,
    account: Option<String>,
    site: Option<String>,
    person: Option<String>,
    kind: String,
    address: String,
    subject: String,
    state: String,
    tries: i64,
    next_ms: i64,
    answer: Option<String>,
    created_ms: i64,
    ended_ms: Option<i64>,
    content: Option<Vec<u8>>,
}

const SELECT: &str = "SELECT m.id, m.account, m.site, m.person, m.kind, m.address, m.subject, m.state, m.tries, m.next_ms, \
                      m.answer, m.created_ms, m.ended_ms, m.content FROM mails m";
const WHOSE: Columns = Columns { account: "m.account", site: "m.site" };

impl Store {
    /// Puts a mail into the outbox.
    ///
    /// # Errors
    /// [`StoreError::Missing`] without such an account.
    pub async fn add_mail(&self, mail: &NewMail<'_>) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        add(&mut tx, mail).await?;
        Ok(tx.commit().await?)
    }

    /// Mails, newest first; a page continues after the last id of the one before.
    pub async fn mails(
        &self,
        within: &Within,
        filter: MailFilter<'_>,
        page: Page<'_>,
    ) -> Result<Vec<MailRow>, StoreError> {
        let sql = format!(
            "{SELECT} WHERE ($1 = '' OR m.id < $1) AND {} AND ($5 = '' OR m.person = $5) AND ($6 = '' OR m.state = $6) \
             ORDER BY m.id DESC LIMIT $2",
            within.condition(&WHOSE, 3)
        );
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(page.after).bind(i64::from(page.limit)).within(within);
        let query =
            query.bind(filter.person.map_or("", UserId::as_str)).bind(filter.state.map_or("", MailState::as_str));
        let rows: Vec<MailColumns> = query.fetch_all(&self.read).await?;
        rows.into_iter().map(MailRow::read).collect()
    }

    /// One mail.
    pub async fn mail(&self, id: &MailId) -> Result<Option<MailRow>, StoreError> {
        let sql = format!("{SELECT} WHERE m.id = $1");
        let row: Option<MailColumns> =
            query_as(sqlx::AssertSqlSafe(sql)).bind(id.as_str()).fetch_optional(&self.read).await?;
        row.map(MailRow::read).transpose()
    }

    /// Mails whose time has come, the longest due first; also those that were put off for longer than any is, by a clock
    /// that was set back since.
    pub async fn due_mails(&self, now: UnixMillis, limit: u32) -> Result<Vec<MailRow>, StoreError> {
        let sql = format!(
            "{SELECT} WHERE m.state = 'waiting' AND (m.next_ms <= $1 OR m.next_ms > $3) \
             ORDER BY m.next_ms, m.id LIMIT $2"
        );
        let latest = now.plus_millis(LONGEST_WAIT_MS);
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(now.0).bind(i64::from(limit)).bind(latest.0);
        let rows: Vec<MailColumns> = query.fetch_all(&self.read).await?;
        rows.into_iter().map(MailRow::read).collect()
    }

    /// Remembers that the end of this mail is about to be said; false when it does not wait any more.
    pub async fn hand_over_mail(&self, id: &MailId) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE mails SET state = 'handing-over' WHERE id = $1 AND state = 'waiting'";
        let mut tx = self.begin().await?;
        let done = query(SQL).bind(id.as_str()).execute(&mut tx).await?;
        tx.commit().await?;
        Ok(done == 1)
    }

    /// The mail server took it: from now on its link is good for this long.
    pub async fn mail_sent(
        &self,
        id: &MailId,
        answer: &str,
        (now, link_until): (UnixMillis, UnixMillis),
    ) -> Result<(), StoreError> {
        const MAIL: &str =
            "UPDATE mails SET state = 'sent', tries = tries + 1, answer = $2, ended_ms = $3 WHERE id = $1";
        const LINK: &str = "UPDATE mail_links SET expires_ms = $2 WHERE mail = $1 AND used_ms IS NULL";
        let mut tx = self.begin().await?;
        query(MAIL).bind(id.as_str()).bind(answer).bind(now.0).execute(&mut tx).await?;
        query(LINK).bind(id.as_str()).bind(link_until.0).execute(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    /// It was tried in vain and is tried again then; one that was replaced meanwhile stays so.
    pub async fn mail_later(&self, id: &MailId, answer: &str, next: UnixMillis) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE mails SET state = 'waiting', tries = tries + 1, answer = $2, next_ms = $3 \
                           WHERE id = $1 AND state IN ('waiting', 'handing-over')";
        let mut tx = self.begin().await?;
        query(SQL).bind(id.as_str()).bind(answer).bind(next.0).execute(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    /// Says of every mail that is due why it still waits.
    pub async fn mails_wait(&self, why: &str, now: UnixMillis) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE mails SET answer = $1 WHERE state = 'waiting' AND next_ms <= $2 \
                           AND (answer IS NULL OR answer <> $1)";
        let mut tx = self.begin().await?;
        query(SQL).bind(why).bind(now.0).execute(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    /// It comes to nothing, or nobody knows: with the alarm that says so. One that was replaced meanwhile stays so, and
    /// raises none.
    pub async fn mail_ended(
        &self,
        id: &MailId,
        state: MailState,
        (answer, now): (&str, UnixMillis),
        alarm: Option<&NewAlarm<'_>>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE mails SET state = $2, tries = tries + 1, answer = $3, ended_ms = $4 \
                           WHERE id = $1 AND state IN ('waiting', 'handing-over')";
        let mut tx = self.begin().await?;
        let done = query(SQL).bind(id.as_str()).bind(state.as_str()).bind(answer).bind(now.0).execute(&mut tx).await?;
        if let Some(alarm) = alarm
            && done > 0
        {
            crate::alarms::raise(&mut tx, alarm).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Mails whose end was or is being said.
    pub async fn mails_handing_over(&self) -> Result<Vec<MailRow>, StoreError> {
        let sql = format!("{SELECT} WHERE m.state = 'handing-over' ORDER BY m.id");
        let rows: Vec<MailColumns> = query_as(sqlx::AssertSqlSafe(sql)).fetch_all(&self.read).await?;
        rows.into_iter().map(MailRow::read).collect()
    }

    /// Nobody will hear any more what became of this mail, whose end was said: with the alarm that says so.
    pub async fn mail_unheard(
        &self,
        id: &MailId,
        (answer, now): (&str, UnixMillis),
        alarm: &NewAlarm<'_>,
    ) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE mails SET state = 'doubtful', answer = $2, ended_ms = $3 WHERE id = $1 AND state = 'handing-over'";
        let mut tx = self.begin().await?;
        if query(SQL).bind(id.as_str()).bind(answer).bind(now.0).execute(&mut tx).await? > 0 {
            crate::alarms::raise(&mut tx, alarm).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Takes the content out of mails that ended before then, and of links and marks what nobody needs any more.
    pub async fn forget_old_mail(&self, before: UnixMillis) -> Result<u64, StoreError> {
        const CONTENT: &str = "UPDATE mails SET content = NULL WHERE content IS NOT NULL AND ended_ms < $1";
        // That of a mail that still waits is counted anew from when it is sent.
        const LINKS: &str = "DELETE FROM mail_links WHERE expires_ms < $1 AND mail NOT IN \
                             (SELECT id FROM mails WHERE state IN ('waiting', 'handing-over'))";
        const ALARMS: &str = "DELETE FROM mailed_alarms WHERE at_ms < $1 AND alarm NOT IN \
                              (SELECT id FROM alarms WHERE ended_ms IS NULL)";
        let mut tx = self.begin().await?;
        let done = query(CONTENT).bind(before.0).execute(&mut tx).await?;
        query(LINKS).bind(before.0).execute(&mut tx).await?;
        query(ALARMS).bind(before.0).execute(&mut tx).await?;
        tx.commit().await?;
        Ok(done)
    }
}

impl Audited<'_> {
    /// As [`Store::add_mail`].
    pub async fn add_mail(self, mail: &NewMail<'_>) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        add(&mut tx, mail).await?;
        self.commit(tx).await
    }

    /// Has a mail sent again from the beginning, now; false when it was sent, or has nothing in it any more.
    pub async fn mail_again(self, id: &MailId, now: UnixMillis) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE mails SET state = 'waiting', tries = 0, next_ms = $2, created_ms = $2, ended_ms = NULL \
                           WHERE id = $1 AND content IS NOT NULL AND state IN ('waiting', 'refused', 'given-up', 'doubtful')";
        let mut tx = self.begin().await?;
        let done = query(SQL).bind(id.as_str()).bind(now.0).execute(&mut tx).await?;
        if done == 1 {
            self.commit(tx).await?;
        }
        Ok(done == 1)
    }
}

/// Writes a mail as part of what it tells.
pub(super) async fn add(tx: &mut Tx, mail: &NewMail<'_>) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO mails (id, account, site, person, kind, address, subject, state, tries, next_ms, \
                       created_ms, content) VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', 0, $8, $8, $9)";
    query(SQL)
        .bind(mail.id.as_str())
        .bind(mail.account.map(AccountId::as_str))
        .bind(mail.site.map(SiteId::as_str))
        .bind(mail.person.map(UserId::as_str))
        .bind(mail.kind)
        .bind(mail.address)
        .bind(mail.subject)
        .bind(mail.now.0)
        .bind(mail.content)
        .execute(&mut *tx)
        .await
        .map_err(|error| StoreError::of_insert(error, "this mail", "account"))?;
    Ok(())
}

impl MailRow {
    fn read(row: MailColumns) -> Result<Self, StoreError> {
        Ok(Self {
            id: parsed("mails.id", &row.id)?,
            account: optional("mails.account", row.account.as_deref())?,
            site: optional("mails.site", row.site.as_deref())?,
            person: optional("mails.person", row.person.as_deref())?,
            kind: row.kind,
            address: row.address,
            subject: row.subject,
            state: parsed("mails.state", &row.state)?,
            tries: row.tries,
            next: UnixMillis(row.next_ms),
            answer: row.answer,
            created: UnixMillis(row.created_ms),
            ended: time(row.ended_ms),
            content: row.content,
        })
    }
}
