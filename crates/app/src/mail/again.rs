//! A mail once more, as it is: decides whether what it says is still so.
//!
//! A mail that waits is tried by itself; this is for those that came to nothing. What is over is refused with what to do
//! instead, since whoever reads it would find codes and links that do not work.

use super::welcome::WELCOME;
use super::{MailView, PASSWORD, refused};
use crate::{Actor, App, AppError};
use provost_core::code::CODE_VALID_DAYS;
use provost_core::ids::{MailId, UserId};
use provost_core::mail::MailState;
use provost_core::rights::Right;
use provost_store::MailRow;

impl App {
    /// Has a mail that was not sent tried again now, as it is.
    ///
    /// # Errors
    /// As [`App::mail`]; [`AppError::Refused`] when it was sent or replaced, when what it says is not so any more, or
    /// nothing of it is kept.
    pub async fn mail_again(&self, id: &MailId, by: &Actor) -> Result<MailView, AppError> {
        let row = self.may_mail(by, Right::Change, id).await?;
        by.has(Right::Secrets)?;
        self.needs_mail_server()?;
        if row.state.can_go_again() {
            self.still_says_what_is_so(&row).await?;
        }
        let entry = self.audit_entry(by, format!("had the mail {id} to {} sent again", row.address), None);
        let entry = match &row.account {
            Some(account) => entry.about(account, row.site.as_ref()),
            None => entry,
        };
        if !self.store.audited(entry).mail_again(id, self.now()).await? {
            return Err(not_again(match row.state {
                MailState::Sent => "this mail was sent; send a new one instead",
                MailState::Replaced => "a newer mail took the place of this one; look at that",
                MailState::HandingOver => "this mail is being sent right now; look again in a moment",
                _ => "nothing of this mail is kept any more; send a new one instead",
            }));
        }
        self.outbox.changed.notify_one();
        self.mail(id, by).await
    }

    async fn still_says_what_is_so(&self, row: &MailRow) -> Result<(), AppError> {
        match (row.kind.as_str(), &row.person) {
            (PASSWORD, _) => {
                Err(not_again("its link works for an hour only; whoever needs it asks for another on the sign-in page"))
            }
            (WELCOME, Some(person)) => match self.what_is_old(row, person).await? {
                Some(why) => Err(not_again(&format!("{why}; send a new welcome mail instead"))),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// What a welcome mail says that is not so any more.
    async fn what_is_old(&self, row: &MailRow, person: &UserId) -> Result<Option<&'static str>, AppError> {
        let now = self.now();
        let newest = self.store.welcome_of(person).await?.filter(|newest| newest.mail == row.id);
        let Some(newest) = newest else { return Ok(Some("a newer welcome mail was sent to this user since")) };
        if newest.address_since {
            return Ok(Some("this user has another mail address now"));
        }
        let link = self.store.link_of_mail(&row.id).await?;
        if link.is_none_or(|link| link.used.is_some() || now >= link.expires) {
            return Ok(Some("its link was used or is over"));
        }
        for device in self.store.welcome_devices(person).await? {
            let device = self.store.device(&device).await?;
            let is_so = device.is_some_and(|device| {
                // Issued after the mail was written, it is another code than the one it holds.
                let of_then = |expires: provost_core::time::UnixMillis| {
                    now < expires && expires <= row.created.plus_days(CODE_VALID_DAYS)
                };
                device.bound_at.is_none() && device.code.is_some_and(|(_, expires)| of_then(expires))
            });
            if !is_so {
                return Ok(Some("an activation code in it was used, replaced, or is over"));
            }
        }
        Ok(None)
    }
}

fn not_again(why: &str) -> AppError {
    refused("mail-not-again", why.to_owned())
}
