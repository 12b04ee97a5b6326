//! Templates of mails: which one holds for whom, and what comes of a draft.
//!
//! The nearest up the tree of accounts holds, then the server's, then the one that comes with Provost; of one owner the
//! one for the language of the person, or for all languages.

use super::welcome::WELCOME;
use crate::inventory::fault;
use crate::{Actor, App, AppError};
use provost_core::entry::guard::checked_reason;
use provost_core::entry::mail::{MailTemplateInput, template_language};
use provost_core::entry::{FieldError, FieldErrors};
use provost_core::ids::{AccountId, UserId};
use provost_core::mail::template::{MailTemplate, TemplateError};
use provost_core::mail::welcome::{self, Welcome};
use provost_core::rights::Right;
use provost_core::time::UnixMillis;
use provost_store::{PersonRow, TemplateRow};

/// A template as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MailTemplateView {
    /// For which kind of mail: `welcome`.
    pub kind: String,
    /// For which language: a tag in lower case, or `any`.
    pub language: String,
    /// Whose it is: `own`, `above` (an account above), `server` or `built-in`.
    pub from: &'static str,
    /// One line.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// When it was changed, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<String>,
}

/// `POST .../mail-templates/{kind}/preview`: a draft, or with nothing in it what holds now.
#[derive(Debug, Clone, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MailPreviewInput {
    /// The draft's subject.
    pub subject: Option<String>,
    /// The draft's text part.
    pub text: Option<String>,
    /// The draft's HTML part.
    pub html: Option<String>,
    /// For which language, where something of the draft is left out; by default the user's, else any.
    pub language: Option<String>,
    /// For this user instead of somebody made up.
    pub user: Option<String>,
    /// Why the user's codes are to be seen; without, they are masked. It is kept.
    pub reason: Option<String>,
}

/// What comes of a draft. Nothing is sent, and no code or link is made.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct MailPreviewView {
    /// The subject.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part; absent where the template has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// Whether codes are masked.
    pub masked: bool,
}

impl App {
    /// Every template that holds for an account, or for the whole server, the nearest first.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`].
    pub async fn mail_templates(
        &self,
        owner: Option<&AccountId>,
        by: &Actor,
    ) -> Result<Vec<MailTemplateView>, AppError> {
        self.may_templates(by, Right::Read, owner).await?;
        let rows = self.store.mail_templates(owner, WELCOME).await?;
        let mut views: Vec<_> = rows.into_iter().map(|row| view(row, owner)).collect();
        views.push(built_in_view());
        Ok(views)
    }

    /// The template that holds for an account, or for the whole server, in a language.
    ///
    /// # Errors
    /// As [`App::mail_templates`]; [`AppError::NotFound`] for a kind there is not.
    pub async fn mail_template(
        &self,
        (owner, kind, language): (Option<&AccountId>, &str, &str),
        by: &Actor,
    ) -> Result<MailTemplateView, AppError> {
        self.may_templates(by, Right::Read, owner).await?;
        let language = checked(kind, language)?;
        let rows = self.store.mail_templates(owner, kind).await?;
        Ok(nearest(rows, Some(&language)).map_or_else(built_in_view, |row| view(row, owner)))
    }

    /// Sets a template, if it can be filled in for everybody.
    ///
    /// # Errors
    /// As [`App::mail_template`]; [`AppError::Fields`] names the part at fault and its line.
    pub async fn set_mail_template(
        &self,
        (owner, kind, language): (Option<&AccountId>, &str, &str),
        input: MailTemplateInput,
        by: &Actor,
    ) -> Result<MailTemplateView, AppError> {
        self.may_templates(by, Right::Change, owner).await?;
        let tag = checked(kind, language)?;
        let template = MailTemplate { subject: input.subject, text: input.text, html: input.html };
        template.check().map_err(faults)?;
        let what = format!("set the template of {kind} mails ({})", shown_language(&tag));
        let entry = self.audit_entry(by, what, None);
        let entry = if let Some(owner) = owner { entry.about(owner, None) } else { entry };
        self.store.audited(entry).set_mail_template((owner, kind, &tag), &template, self.now()).await?;
        self.mail_template((owner, kind, language), by).await
    }

    /// Takes a template away: what holds then is answered.
    ///
    /// # Errors
    /// As [`App::mail_template`]; [`AppError::NotFound`] when the owner has none of its own.
    pub async fn remove_mail_template(
        &self,
        (owner, kind, language): (Option<&AccountId>, &str, &str),
        by: &Actor,
    ) -> Result<MailTemplateView, AppError> {
        self.may_templates(by, Right::Change, owner).await?;
        let tag = checked(kind, language)?;
        let what = format!("removed the template of {kind} mails ({})", shown_language(&tag));
        let entry = self.audit_entry(by, what, None);
        let entry = if let Some(owner) = owner { entry.about(owner, None) } else { entry };
        self.store.audited(entry).remove_mail_template((owner, kind, &tag)).await?;
        self.mail_template((owner, kind, language), by).await
    }

    /// What comes of a draft for somebody made up, or for a user.
    ///
    /// # Errors
    /// As [`App::set_mail_template`]; [`AppError::Forbidden`] for a reason given by who may not see codes.
    pub async fn preview_mail(
        &self,
        (owner, kind): (Option<&AccountId>, &str),
        input: MailPreviewInput,
        by: &Actor,
    ) -> Result<MailPreviewView, AppError> {
        self.may_templates(by, Right::Read, owner).await?;
        let asked = checked(kind, input.language.as_deref().unwrap_or("any"))?;
        let person = match input.user.as_deref() {
            None => None,
            Some(user) => Some(self.person_below(owner, user, by).await?),
        };
        let reveals = self.reveals(person.as_ref(), input.reason.as_deref(), by).await?;
        let language = input.language.map(|_| asked).or_else(|| person.as_ref().and_then(|row| row.language.clone()));
        let (holds, _) = self.template_for(owner, kind, language.as_deref()).await?;
        let template = MailTemplate {
            subject: input.subject.unwrap_or(holds.subject),
            text: input.text.unwrap_or(holds.text),
            html: input.html.unwrap_or(holds.html),
        };
        template.check().map_err(faults)?;
        let welcome = match &person {
            None => Welcome::sample(),
            Some(person) => self.as_it_would_be(person).await?,
        };
        // Somebody made up has codes made up.
        let masked = person.is_some() && !reveals;
        let welcome = if masked { welcome.masked() } else { welcome };
        let content = template.render(&welcome).map_err(|error| faults(vec![error]))?;
        Ok(MailPreviewView { subject: content.subject, text: content.text, html: content.html, masked })
    }

    /// The template that holds, and whose it is in words.
    pub(super) async fn template_for(
        &self,
        account: Option<&AccountId>,
        kind: &str,
        language: Option<&str>,
    ) -> Result<(MailTemplate, String), AppError> {
        let rows = self.store.mail_templates(account, kind).await?;
        Ok(match nearest(rows, language) {
            None => (welcome::built_in(), "the template that comes with Provost".to_owned()),
            Some(TemplateRow { owner: None, template, .. }) => (template, "the server's mail template".to_owned()),
            Some(TemplateRow { owner, template, .. }) if owner.as_ref() == account => {
                (template, "the account's mail template".to_owned())
            }
            Some(row) => (row.template, "the mail template of an account above".to_owned()),
        })
    }

    async fn may_templates(&self, by: &Actor, right: Right, owner: Option<&AccountId>) -> Result<(), AppError> {
        let Some(owner) = owner else {
            return by.may_platform(if right == Right::Read { right } else { Right::Platform });
        };
        self.may(by, right, owner, None).await?;
        match self.store.account(owner).await? {
            Some(_) => Ok(()),
            None => Err(AppError::NotFound { what: "account", name: owner.to_string() }),
        }
    }

    /// A user whose mails this owner's template may be for. Others are as unknown as one that never was.
    async fn person_below(&self, owner: Option<&AccountId>, user: &str, by: &Actor) -> Result<PersonRow, AppError> {
        let unknown = || fault("user", "is no user for whom this template could be".to_owned());
        let id: UserId = user.parse().map_err(|_| unknown())?;
        let row = self.may_user(by, Right::Read, &id).await.map_err(|error| match error {
            AppError::NotFound { .. } => unknown(),
            other => other,
        })?;
        match owner {
            Some(owner) if !self.store.is_below(&row.account, owner).await? => Err(unknown()),
            _ => Ok(row),
        }
    }

    /// Whether codes are shown; that they were is written down.
    async fn reveals(&self, person: Option<&PersonRow>, why: Option<&str>, by: &Actor) -> Result<bool, AppError> {
        let (Some(person), Some(why)) = (person, why) else { return Ok(false) };
        by.has(Right::Secrets)?;
        let why = checked_reason(why)?;
        let what = format!("was shown the activation codes of {}, {} in a mail's preview", person.id, person.name);
        let entry = self.audit_entry(by, what, Some(&why)).about(&person.account, Some(&person.site));
        self.store.audited(entry).only().await?;
        Ok(true)
    }

    /// What the mail of a person would say now, without issuing what is missing.
    async fn as_it_would_be(&self, person: &PersonRow) -> Result<Welcome, AppError> {
        let (mut waiting, mut active) = (Vec::new(), Vec::new());
        for device in self.store.devices_of_user(&person.id).await? {
            let Some(row) = self.store.device(&device.device).await? else { continue };
            if row.bound_at.is_some() {
                active.push(self.welcome_device(&row.model, None));
            } else if row.state.wants_code() {
                let expires = row.code.as_ref().map_or(UnixMillis(0), |(_, expires)| *expires);
                let code = self.open_code(&row)?.unwrap_or_else(|| welcome::MASKED_CODE.to_owned());
                waiting.push(self.welcome_device(&row.model, Some((code, expires))));
            }
        }
        let email = person.email.as_deref().unwrap_or_default();
        self.welcome_of(person, email, "••••", (waiting, active)).await
    }
}

/// The first owner's template in the language of a person, or in any.
fn nearest(rows: Vec<TemplateRow>, language: Option<&str>) -> Option<TemplateRow> {
    let wanted = language.map(str::to_ascii_lowercase).unwrap_or_default();
    let primary = wanted.split('-').next().unwrap_or_default();
    let fits = |row: &TemplateRow| match row.language.as_str() {
        "" => Some(1),
        tag if tag == wanted => Some(3),
        tag if tag == primary => Some(2),
        _ => None,
    };
    let owner = rows.iter().find(|row| fits(row).is_some())?.owner.clone();
    rows.into_iter().filter(|row| row.owner == owner && fits(row).is_some()).max_by_key(fits)
}

fn checked(kind: &str, language: &str) -> Result<String, AppError> {
    if kind != WELCOME {
        let name = kind.chars().take(40).collect();
        return Err(AppError::NotFound { what: "kind of mail with a template", name });
    }
    Ok(template_language(language)?)
}

fn faults(errors: Vec<TemplateError>) -> AppError {
    let field = |error: TemplateError| FieldError { field: error.part().to_owned(), message: error.to_string() };
    FieldErrors(errors.into_iter().map(field).collect()).into()
}

fn shown_language(tag: &str) -> &str {
    if tag.is_empty() { "any" } else { tag }
}

fn view(row: TemplateRow, of: Option<&AccountId>) -> MailTemplateView {
    let from = match &row.owner {
        owner if owner.as_ref() == of && of.is_some() => "own",
        Some(_) => "above",
        None => "server",
    };
    MailTemplateView {
        kind: WELCOME.to_owned(),
        language: shown_language(&row.language).to_owned(),
        from,
        subject: row.template.subject,
        text: row.template.text,
        html: row.template.html,
        changed_at: Some(row.changed.to_string()),
    }
}

fn built_in_view() -> MailTemplateView {
    let MailTemplate { subject, text, html } = welcome::built_in();
    let kind = WELCOME.to_owned();
    MailTemplateView { kind, language: "any".to_owned(), from: "built-in", subject, text, html, changed_at: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(owner: Option<u32>, language: &str) -> TemplateRow {
        TemplateRow {
            owner: owner.map(|n| format!("account_01jd0ck3v8{n:016}").parse().unwrap()),
            language: language.to_owned(),
            template: welcome::built_in(),
            changed: UnixMillis(0),
        }
    }

    #[test]
    fn the_nearest_owner_decides_and_then_the_language() {
        let rows = || vec![row(Some(2), ""), row(Some(2), "de"), row(Some(1), "de-at"), row(None, "fr")];
        let chosen = |language| nearest(rows(), language).map(|row| (row.owner.is_some(), row.language));

        assert_eq!(chosen(Some("de-AT")), Some((true, "de".to_owned())));
        assert_eq!(chosen(Some("en")), Some((true, String::new())));
        assert_eq!(chosen(None), Some((true, String::new())));
        let only_french = nearest(vec![row(Some(2), "de"), row(None, "fr")], Some("fr-CA"));
        assert_eq!(only_french.map(|row| (row.owner, row.language)), Some((None, "fr".to_owned())));
        assert!(nearest(vec![row(None, "fr")], Some("en")).is_none());
    }
}
