//! The welcome mail: what a person needs to start, with the activation codes of their devices.
//!
//! Only from saved state: who has no mail address or no device is named, and nothing is sent to them. A code that is open
//! is used, else one is issued.

use super::link::TOKEN_CHARACTERS;
use super::{MailView, Ready, WelcomeMailView, refused};
use crate::inventory::fault;
use crate::vault::token_digest;
use crate::{Actor, App, AppError, UserView};
use provost_catalog::ActivationDoor;
use provost_core::ids::{AccountId, DeviceId, SiteId, UserId};
use provost_core::mail::GIVE_UP_AFTER_MS;
use provost_core::mail::welcome::{LINK_HOURS, Welcome, WelcomeDevice, WelcomeUser};
use provost_core::rights::{Right, Scope};
use provost_core::time::UnixMillis;
use provost_store::{DeviceRow, NewMail, NewWelcome, Page, PersonRow, Welcomable};
use rand::Rng as _;

/// What kind of mail it is.
pub(super) const WELCOME: &str = "welcome";
/// People one request may name or reach: each costs a few writes.
const MOST_AT_ONCE: usize = 200;
const PAGE: u32 = 200;
/// An open code that ends sooner is replaced: its mail may be read after a weekend.
const CODE_GOOD_FOR_MS: i64 = 3 * 86_400_000;
const HOUR_MS: i64 = 3_600_000;
/// How long a link is good at most, with the time until its mail is sent.
pub(super) const LONGEST_LINK_MS: i64 = GIVE_UP_AFTER_MS.saturating_add(LINK_HOURS.saturating_mul(HOUR_MS));

/// `POST /users/{id}/welcome-mail`.
#[derive(Debug, Clone, Copy, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct WelcomeInput {
    /// Send it also to who has no device yet; the mail says that the code comes in another.
    pub without_device: bool,
}

/// `POST /mail/welcome`: either `users`, or `account` or `site`.
#[derive(Debug, Clone, Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct WelcomesInput {
    /// These users, at most 200.
    pub users: Vec<String>,
    /// Everybody of this account and of those below it, 200 a request.
    pub account: Option<String>,
    /// Everybody at this site, 200 a request.
    pub site: Option<String>,
    /// Only those to whom none was sent yet, or who were given a device since.
    pub not_yet_sent: bool,
    /// Also those who have no device yet.
    pub without_device: bool,
    /// With `account` or `site`: goes on after this user, the `next` of the answer before.
    pub after: Option<String>,
}

/// What became of one user's welcome mail.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct WelcomeVerdictView {
    /// The user.
    pub user: String,
    /// `queued`, or why not: `no-mail-address`, `no-device`, `not-found` and others.
    pub verdict: &'static str,
    /// The same for people, with what to do.
    pub message: String,
    /// The mail, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
}

/// What became of many.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
pub struct WelcomesView {
    /// In words.
    pub summary: String,
    /// User by user.
    pub items: Vec<WelcomeVerdictView>,
    /// Where to go on, if there may be more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A welcome mail with the devices whose codes it holds.
struct Written {
    welcome: Welcome,
    devices: Vec<DeviceId>,
    token_digest: Vec<u8>,
}

impl App {
    /// Sends the welcome mail to a user.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`] for whoever may not change users or see codes, [`AppError::Refused`]
    /// (`no-mail-server`, `no-mail-address`, `no-device`, `mail-template-faulty`, and what keeps a code from being issued).
    pub async fn send_welcome(&self, id: &UserId, input: WelcomeInput, by: &Actor) -> Result<MailView, AppError> {
        let person = self.may_user(by, Right::Change, id).await?;
        by.has(Right::Secrets)?;
        self.needs_mail_server()?;
        let mail = self.welcome(&person, input, by).await?;
        self.mail(&mail, by).await
    }

    /// Sends the welcome mail to many; says of each what became of it.
    ///
    /// # Errors
    /// As [`App::send_welcome`], of the request as a whole.
    pub async fn send_welcomes(&self, input: WelcomesInput, by: &Actor) -> Result<WelcomesView, AppError> {
        by.has(Right::Change)?;
        by.has(Right::Secrets)?;
        let (users, next) = self.to_welcome(&input, by).await?;
        self.needs_mail_server()?;
        let one = WelcomeInput { without_device: input.without_device };
        let mut items = Vec::with_capacity(users.len());
        for user in users {
            items.push(self.welcome_one(user, one, by).await?);
        }
        let queued = items.iter().filter(|item| item.verdict == QUEUED).count();
        let summary = match items.len().saturating_sub(queued) {
            0 => format!("{queued} welcome mails are on their way."),
            not => format!("{queued} welcome mails are on their way, {not} users get none; each says why."),
        };
        Ok(WelcomesView { summary, items, next })
    }

    /// The user as shown, with what became of the welcome mail.
    pub(crate) async fn with_welcome(&self, id: &UserId, view: UserView) -> Result<UserView, AppError> {
        let row = self.store.welcome_of(id).await?;
        Ok(UserView { welcome_mail: row.as_ref().map(WelcomeMailView::new), ..view })
    }

    /// Whom a request means, and where the next one goes on.
    async fn to_welcome(&self, input: &WelcomesInput, by: &Actor) -> Result<(Vec<String>, Option<String>), AppError> {
        let WelcomesInput { users, account, site, not_yet_sent, after, .. } = input;
        let parse = |field: &'static str, message: String| fault(field, message);
        let (scope, at) = match (account, site) {
            (None, None) if users.is_empty() => {
                return Err(fault("users", "name users, or an account or a site".to_owned()));
            }
            (None, None) if users.len() > MOST_AT_ONCE => {
                let message = format!("{} users; name at most {MOST_AT_ONCE} at once", users.len());
                return Err(fault("users", message));
            }
            (None, None) => {
                let mut named = users.clone();
                named.sort();
                named.dedup();
                return Ok((named, None));
            }
            (Some(_), Some(_)) => return Err(fault("site", "name an account or a site, not both".to_owned())),
            _ if !users.is_empty() => {
                return Err(fault("users", "name users, or an account or a site, not both".to_owned()));
            }
            (Some(account), None) => {
                let account: AccountId = account.parse().map_err(|e| parse("account", format!("{e}")))?;
                self.may(by, Right::Change, &account, None).await?;
                if self.store.account(&account).await?.is_none() {
                    return Err(AppError::NotFound { what: "account", name: account.to_string() });
                }
                (Scope::Account(account), None)
            }
            (None, Some(site)) => {
                let site: SiteId = site.parse().map_err(|e| parse("site", format!("{e}")))?;
                let account = self.may_site(by, Right::Change, &site).await?;
                (Scope::Site { account, site: site.clone() }, Some(site))
            }
        };
        let within = self.store.within(&scope).await?;
        let of = Welcomable { site: at.as_ref(), not_yet: *not_yet_sent };
        let page = Page { after: after.as_deref().unwrap_or_default(), limit: PAGE };
        let found = self.store.people_to_welcome(&within, of, page).await?;
        let is_full = u32::try_from(found.len()).is_ok_and(|found| found >= PAGE);
        let next = found.last().filter(|_| is_full).map(ToString::to_string);
        Ok((found.iter().map(ToString::to_string).collect(), next))
    }

    async fn welcome_one(&self, user: String, input: WelcomeInput, by: &Actor) -> Result<WelcomeVerdictView, AppError> {
        let sent = match user.parse::<UserId>() {
            Ok(id) => match self.may_user(by, Right::Change, &id).await {
                Ok(person) => self.welcome(&person, input, by).await,
                Err(error) => Err(error),
            },
            Err(error) => Err(fault("users", error.to_string())),
        };
        let (verdict, message, mail) = match sent {
            Ok(mail) => (QUEUED, "The mail is on its way.".to_owned(), Some(mail.to_string())),
            Err(AppError::Refused { code, message, .. }) => (code, message, None),
            Err(error @ AppError::NotFound { .. }) => ("not-found", error.to_string(), None),
            Err(error @ AppError::Fields(_)) => ("not-found", error.to_string(), None),
            Err(other) => return Err(other),
        };
        Ok(WelcomeVerdictView { user, verdict, message, mail })
    }

    /// Writes the mail and puts it into the outbox, with its link and its audit entry, in one transaction.
    async fn welcome(
        &self,
        person: &PersonRow,
        input: WelcomeInput,
        by: &Actor,
    ) -> Result<provost_core::ids::MailId, AppError> {
        let Some(email) = &person.email else {
            let message = format!("{} has no mail address; save one with the user, then send the mail", person.name);
            return Err(refused("no-mail-address", message));
        };
        let Written { welcome, devices, token_digest } = self.write_welcome(person, email, input, by).await?;
        let site = self.store.site(&person.site).await?;
        let language = person.language.clone().or_else(|| site.and_then(|site| site.site.language));
        let (template, owner) = self.template_for(Some(&person.account), WELCOME, language.as_deref()).await?;
        let content = template.render(&welcome).map_err(|error| {
            let message = format!("{owner} cannot be filled in for {}: its {}: {error}", person.name, error.part());
            refused("mail-template-faulty", message)
        })?;
        let Ready { id, subject, sealed } = self.ready(&content)?;
        let now = self.now();
        let mail = NewMail {
            id: &id,
            account: Some(&person.account),
            site: Some(&person.site),
            person: Some(&person.id),
            kind: WELCOME,
            address: email,
            subject: &subject,
            content: &sealed,
            now,
        };
        // Counted anew from when the mail server took it.
        let expires = now.plus_millis(LONGEST_LINK_MS);
        let new = NewWelcome { person: &person.id, devices: &devices, link: (&token_digest, expires) };
        let codes = welcome.devices.len();
        let what =
            format!("sent the welcome mail {id} to {}, {} <{email}>, with {codes} codes", person.id, person.name);
        let entry = self.audit_entry(by, what, None).about(&person.account, Some(&person.site));
        self.store.audited(entry).add_welcome(&mail, &new).await?;
        self.outbox.changed.notify_one();
        Ok(id)
    }

    /// What the mail says of this person now; issues the codes that are missing.
    async fn write_welcome(
        &self,
        person: &PersonRow,
        email: &str,
        input: WelcomeInput,
        by: &Actor,
    ) -> Result<Written, AppError> {
        let (mut waiting, mut active, mut devices) = (Vec::new(), Vec::new(), Vec::new());
        let went_elsewhere = self.store.welcome_of(&person.id).await?.is_some_and(|before| before.address_since);
        for device in self.store.devices_of_user(&person.id).await? {
            let Some(row) = self.store.device(&device.device).await? else { continue };
            if row.bound_at.is_some() {
                active.push(self.welcome_device(&row.model, None));
            } else if row.state.wants_code() {
                let (code, expires) = self.code_for(&row, went_elsewhere, by).await?;
                waiting.push(self.welcome_device(&row.model, Some((code, expires))));
                devices.push(row.id);
            }
        }
        if waiting.is_empty() && active.is_empty() && !input.without_device {
            let message = format!("{} has no device; assign one, then send the mail", person.name);
            return Err(refused("no-device", message));
        }
        let (token, token_digest) = draw_token();
        Ok(Written { welcome: self.welcome_of(person, email, &token, (waiting, active)).await?, devices, token_digest })
    }

    /// What a welcome mail says of a person.
    pub(super) async fn welcome_of(
        &self,
        person: &PersonRow,
        email: &str,
        token: &str,
        (devices, active): (Vec<WelcomeDevice>, Vec<WelcomeDevice>),
    ) -> Result<Welcome, AppError> {
        let site = self.store.site(&person.site).await?.map_or(String::new(), |row| row.site.name);
        let account = self.store.account(&person.account).await?.map_or(String::new(), |row| row.name);
        let url = &self.told.public_url;
        Ok(Welcome {
            user: WelcomeUser {
                name: person.name.clone(),
                extension: person.extension.clone(),
                email: email.to_owned(),
                lines: person.lines.iter().map(|line| line.sip_user.clone()).collect(),
            },
            site,
            account,
            devices,
            active,
            link: format!("{url}/welcome/{token}"),
            link_hours: LINK_HOURS,
            activate_page: format!("{url}/activate"),
        })
    }

    /// What a mail says of a device: how its code is entered is what the catalog knows of the model.
    pub(super) fn welcome_device(&self, model: &str, code: Option<(String, UnixMillis)>) -> WelcomeDevice {
        let has_voice = self.told.sip.is_some();
        let doors = self
            .catalog
            .model(model)
            .and_then(|model| self.catalog.family(&model.family))
            .map(|family| family.activation_doors.value.as_slice())
            .unwrap_or_default();
        let (code, expires) = code.map_or_else(Default::default, |(code, expires)| (code, day(expires)));
        WelcomeDevice {
            model: self.model_name(model),
            code,
            expires,
            voice: has_voice && doors.contains(&ActivationDoor::Voice),
            soft_key: has_voice && doors.contains(&ActivationDoor::SoftKey),
        }
    }

    /// The open code of a device if it is good for some days more, else a new one; a new one too where the one there is
    /// may have gone to an address that is not the person's.
    async fn code_for(
        &self,
        row: &DeviceRow,
        went_elsewhere: bool,
        by: &Actor,
    ) -> Result<(String, UnixMillis), AppError> {
        let soon = self.now().plus_millis(CODE_GOOD_FOR_MS);
        if !went_elsewhere
            && let Some((_, expires)) = &row.code
            && *expires > soon
            && let Some(code) = self.open_code(row)?
        {
            return Ok((code, *expires));
        }
        let (code, expires) = self.issue_code(&row.id, by).await?;
        Ok((code.grouped(), expires))
    }
}

const QUEUED: &str = "queued";

/// The token of a link, and the hash that is kept of it.
fn draw_token() -> (String, Vec<u8>) {
    let mut bytes = [0u8; TOKEN_CHARACTERS / 2];
    rand::rng().fill_bytes(&mut bytes);
    let token = hex::encode(bytes);
    let digest = token_digest(&token);
    (token, digest)
}

/// The day of a time, in UTC.
fn day(at: UnixMillis) -> String {
    at.to_string().chars().take(10).collect()
}
