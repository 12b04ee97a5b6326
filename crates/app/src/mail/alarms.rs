//! Alarms by mail: one mail for an alarm when it begins, a list of them where there are many.
//!
//! Every owner of addresses, the whole server or an account, is told of the alarms it can see. Alarms that come at once,
//! and those that come when enough mails went out within the hour, are told together.

use super::Ready;
use crate::{Actor, App, AppError};
use provost_core::entry::mail::AlarmMailInput;
use provost_core::ids::AccountId;
use provost_core::mail::MailContent;
use provost_core::rights::{Right, Scope};
use provost_core::time::UnixMillis;
use provost_store::{AlarmRow, NewMail};
use std::fmt::Write as _;

const ALARM: &str = "alarm";
/// Mails to one owner within an hour, each as soon as its alarm begins; after them there is one in ten minutes.
const MOST_AN_HOUR: i64 = 6;
const HOUR_MS: i64 = 3_600_000;
const BETWEEN_MS: i64 = 600_000;
/// Alarms in one mail; the others are counted.
const MOST_IN_ONE: usize = 50;
const LOOKED_AT: u32 = 1000;

/// Who is written to about alarms.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct AlarmMailView {
    /// The addresses; none means nobody.
    pub addresses: Vec<String>,
    /// Whether mail can be sent at all.
    pub mail_server: bool,
}

impl App {
    /// Who is written to about the alarms of an account, or of the whole server.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`].
    pub async fn alarm_mail(&self, owner: Option<&AccountId>, by: &Actor) -> Result<AlarmMailView, AppError> {
        self.may_alarm_mail(by, Right::Read, owner).await?;
        let addresses = self.store.alarm_addresses(owner).await?;
        Ok(AlarmMailView { addresses, mail_server: self.has_mail_server() })
    }

    /// Sets who is written to: about alarms that begin from now on.
    ///
    /// # Errors
    /// As [`App::alarm_mail`]; [`AppError::Fields`], [`AppError::Refused`] where no mail server is configured.
    pub async fn set_alarm_mail(
        &self,
        owner: Option<&AccountId>,
        input: AlarmMailInput,
        by: &Actor,
    ) -> Result<AlarmMailView, AppError> {
        self.may_alarm_mail(by, Right::Change, owner).await?;
        let addresses = input.check()?;
        if !addresses.is_empty() {
            self.needs_mail_server()?;
        }
        let whom = if addresses.is_empty() { "nobody".to_owned() } else { addresses.join(", ") };
        let entry = self.audit_entry(by, format!("set who is written to about alarms: {whom}"), None);
        let entry = if let Some(owner) = owner { entry.about(owner, None) } else { entry };
        self.store.audited(entry).set_alarm_addresses(owner, &addresses, self.now()).await?;
        self.alarm_mail(owner, by).await
    }

    /// Puts mails about new alarms into the outbox.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn mail_new_alarms(&self) -> Result<(), AppError> {
        if !self.has_mail_server() {
            return Ok(());
        }
        for (owner, since) in self.store.alarm_owners().await? {
            self.mail_alarms_of(owner.as_ref(), since).await?;
        }
        Ok(())
    }

    async fn mail_alarms_of(&self, owner: Option<&AccountId>, since: UnixMillis) -> Result<(), AppError> {
        let scope = owner.map_or(Scope::Platform, |account| Scope::Account(account.clone()));
        let within = self.store.within(&scope).await?;
        let now = self.now();
        // Of a clock that was set back since, every open alarm is new.
        let since = if since > now { UnixMillis(0) } else { since };
        let alarms = self.store.unmailed_alarms(&within, (owner, since), LOOKED_AT).await?;
        if alarms.is_empty() || self.were_many(owner, now).await? {
            return Ok(());
        }
        let content = written(&alarms);
        let addresses = self.store.alarm_addresses(owner).await?;
        let ready: Vec<Ready> = addresses.iter().map(|_| self.ready(&content)).collect::<Result<_, _>>()?;
        let mails: Vec<NewMail<'_>> = addresses
            .iter()
            .zip(&ready)
            .map(|(address, Ready { id, subject, sealed })| NewMail {
                id,
                account: owner,
                site: None,
                person: None,
                kind: ALARM,
                address,
                subject,
                content: sealed,
                now,
            })
            .collect();
        self.store.mail_alarms(owner, &alarms, &mails, now).await?;
        self.outbox.changed.notify_one();
        Ok(())
    }

    async fn were_many(&self, owner: Option<&AccountId>, now: UnixMillis) -> Result<bool, AppError> {
        let since = |ago: i64| (now.plus_millis(ago.saturating_neg()), now);
        let in_hour = self.store.alarm_mails_since(owner, since(HOUR_MS)).await?;
        Ok(in_hour >= MOST_AN_HOUR && self.store.alarm_mails_since(owner, since(BETWEEN_MS)).await? > 0)
    }

    async fn may_alarm_mail(&self, by: &Actor, right: Right, owner: Option<&AccountId>) -> Result<(), AppError> {
        let Some(owner) = owner else {
            return by.may_platform(if right == Right::Read { right } else { Right::Platform });
        };
        self.may(by, right, owner, None).await?;
        match self.store.account(owner).await? {
            Some(_) => Ok(()),
            None => Err(AppError::NotFound { what: "account", name: owner.to_string() }),
        }
    }
}

/// One alarm's own words, or a list.
fn written(alarms: &[AlarmRow]) -> MailContent {
    let mut text = String::new();
    let subject = match alarms {
        [one] => format!("Phones: {}", one.sentence),
        many => {
            let _ = writeln!(text, "{} things on your phones' server need a hand.\n", many.len());
            format!("Phones: {} alarms", many.len())
        }
    };
    for alarm in alarms.iter().take(MOST_IN_ONE) {
        let _ = writeln!(
            text,
            "{}\nWhat to do: {}\nSince {}, {}\n",
            alarm.sentence, alarm.advice, alarm.raised, alarm.kind
        );
    }
    let more = alarms.len().saturating_sub(MOST_IN_ONE);
    if more > 0 {
        let _ = writeln!(text, "... and {more} more.\n");
    }
    text.push_str("You get one mail when an alarm begins. All open alarms: the console, or `provost alarms`.\n");
    MailContent { subject, text, html: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm(n: usize) -> AlarmRow {
        AlarmRow {
            id: format!("01A{n}"),
            kind: "emergency-call".to_owned(),
            subject: "0004f2a1b2c3".to_owned(),
            raised: UnixMillis(0),
            last: UnixMillis(0),
            times: 1,
            ended: None,
            sentence: format!("Something happened {n}."),
            advice: "Look.".to_owned(),
        }
    }

    #[test]
    fn one_alarm_is_told_by_itself_and_many_together_to_a_limit() {
        let one = written(&[alarm(1)]);
        let many = written(&(0..60).map(alarm).collect::<Vec<_>>());

        assert_eq!(one.subject, "Phones: Something happened 1.");
        assert!(one.text.contains("What to do: Look."));
        assert_eq!(many.subject, "Phones: 60 alarms");
        assert!(many.text.contains("happened 49.") && !many.text.contains("happened 50."), "{}", many.text);
        assert!(many.text.contains("and 10 more"));
    }
}
