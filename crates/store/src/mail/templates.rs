//! Templates of mails, of accounts and of the whole server.

use crate::rows::optional;
use crate::sql::{query, query_as};
use crate::{Audited, Store, StoreError};
use provost_core::ids::AccountId;
use provost_core::mail::template::MailTemplate;
use provost_core::time::UnixMillis;
use sqlx::FromRow;

/// A template as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateRow {
    /// Whose it is; `None` is the whole server.
    pub owner: Option<AccountId>,
    /// For which language; empty for every language.
    pub language: String,
    /// What it says.
    pub template: MailTemplate,
    /// When it was changed.
    pub changed: UnixMillis,
}

#[derive(FromRow)]
struct TemplateColumns {
    owner: String,
    language: String,
    subject: String,
    body_text: String,
    body_html: String,
    changed_ms: i64,
}

impl Store {
    /// The templates of a kind that hold for an account: its own, then those of the accounts above it, the nearest first,
    /// then those of the whole server.
    pub async fn mail_templates(
        &self,
        account: Option<&AccountId>,
        kind: &str,
    ) -> Result<Vec<TemplateRow>, StoreError> {
        const SQL: &str = "SELECT t.owner, t.language, t.subject, t.body_text, t.body_html, t.changed_ms, \
                           LENGTH(o.path) AS depth FROM mail_templates t JOIN accounts o ON o.id = t.owner \
                           JOIN accounts a ON SUBSTR(a.path, 1, LENGTH(o.path)) = o.path \
                           WHERE a.id = $1 AND t.kind = $2 \
                           UNION ALL SELECT t.owner, t.language, t.subject, t.body_text, t.body_html, t.changed_ms, 0 \
                           FROM mail_templates t WHERE t.owner = '' AND t.kind = $2 ORDER BY 7 DESC, 2";
        let query = query_as(SQL).bind(account.map_or("", AccountId::as_str)).bind(kind);
        let rows: Vec<TemplateColumns> = query.fetch_all(&self.read).await?;
        rows.into_iter().map(TemplateRow::read).collect()
    }
}

impl Audited<'_> {
    /// Sets the template of an account, or of the whole server, for a language.
    pub async fn set_mail_template(
        self,
        (owner, kind, language): (Option<&AccountId>, &str, &str),
        template: &MailTemplate,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO mail_templates (owner, kind, language, subject, body_text, body_html, changed_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (owner, kind, language) DO UPDATE SET \
             subject = excluded.subject, body_text = excluded.body_text, body_html = excluded.body_html, \
             changed_ms = excluded.changed_ms";
        let mut tx = self.begin().await?;
        query(SQL)
            .bind(owner.map_or("", AccountId::as_str))
            .bind(kind)
            .bind(language)
            .bind(&template.subject)
            .bind(&template.text)
            .bind(&template.html)
            .bind(now.0)
            .execute(&mut tx)
            .await?;
        self.commit(tx).await
    }

    /// Takes a template away.
    ///
    /// # Errors
    /// [`StoreError::Missing`] without such a template.
    pub async fn remove_mail_template(
        self,
        (owner, kind, language): (Option<&AccountId>, &str, &str),
    ) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM mail_templates WHERE owner = $1 AND kind = $2 AND language = $3";
        let mut tx = self.begin().await?;
        let query = query(SQL).bind(owner.map_or("", AccountId::as_str)).bind(kind).bind(language);
        if query.execute(&mut tx).await? == 0 {
            return Err(StoreError::Missing { what: "mail template" });
        }
        self.commit(tx).await
    }
}

impl TemplateRow {
    fn read(row: TemplateColumns) -> Result<Self, StoreError> {
        let owner = Some(row.owner.as_str()).filter(|owner| !owner.is_empty());
        Ok(Self {
            owner: optional("mail_templates.owner", owner)?,
            language: row.language,
            template: MailTemplate { subject: row.subject, text: row.body_text, html: row.body_html },
            changed: UnixMillis(row.changed_ms),
        })
    }
}
