//! The link of a welcome mail: shows a person's codes once.
//!
//! Only a press of the button uses it up, since programs that look for bad links follow them too. Nobody signed in here:
//! whoever has the link is taken for whom the mail was written to, as with the code itself. Nothing is told of a token
//! that never was (docs/THREATS.md, rules 7 and 8).

use super::welcome::LONGEST_LINK_MS;
use crate::inventory::code_view;
use crate::vault::token_digest;
use crate::{Actor, App, AppError};
use provost_core::rights::Role;
use provost_store::DeviceRow;
use std::net::IpAddr;

/// What the link shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodesAtPage {
    /// Whose they are.
    pub name: String,
    /// Their extension.
    pub extension: String,
    /// Model and code, in groups, of each device that waits for its activation.
    pub codes: Vec<(String, String)>,
    /// The models of devices that have their phone already.
    pub active: Vec<String>,
}

/// Why a link shows nothing.
#[derive(Debug)]
pub enum LinkRefusal {
    /// There is no such link, or none any more.
    Unknown,
    /// It was used.
    Used,
    /// It is too old.
    Expired,
    /// This could not be done just now.
    Failed(AppError),
}

impl<E: Into<AppError>> From<E> for LinkRefusal {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// How many characters a token has.
pub(super) const TOKEN_CHARACTERS: usize = 48;

impl App {
    /// Uses up a link and says what it shows.
    ///
    /// # Errors
    /// Why it shows nothing.
    pub async fn codes_by_link(&self, token: &str, from: IpAddr) -> Result<CodesAtPage, LinkRefusal> {
        let is_token = token.len() == TOKEN_CHARACTERS && token.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_token {
            return Err(LinkRefusal::Unknown);
        }
        let digest = token_digest(token);
        let now = self.now();
        // A look first: a wrong token costs a read and no write.
        let link = self.store.mail_link(&digest).await?.ok_or(LinkRefusal::Unknown)?;
        if link.used.is_some() {
            return Err(LinkRefusal::Used);
        }
        // One that is good for longer than any is of a clock that was set back.
        if now >= link.expires || link.expires > now.plus_millis(LONGEST_LINK_MS) {
            return Err(LinkRefusal::Expired);
        }
        let person = self.store.user(&link.person).await?.ok_or(LinkRefusal::Unknown)?;
        let (mut codes, mut active) = (Vec::new(), Vec::new());
        for device in self.store.devices_of_user(&link.person).await? {
            let Some(row) = self.store.device(&device.device).await? else { continue };
            let model = self.model_name(&row.model);
            match self.open_code(&row)? {
                _ if row.bound_at.is_some() => active.push(model),
                Some(code) => codes.push((model, code)),
                None => {}
            }
        }
        let by = Actor { role: Role::ReadOnly, ..Actor::owner("link of a welcome mail", Some(from)) };
        let what = format!("showed the activation codes of {}, {} ({})", person.id, person.name, person.extension);
        let entry = self.audit_entry(&by, what, None).about(&person.account, Some(&person.site));
        if !self.store.audited(entry).use_mail_link(&digest, now).await? {
            return Err(LinkRefusal::Used);
        }
        Ok(CodesAtPage { name: person.name, extension: person.extension, codes, active })
    }

    /// The open code of a device in groups, if it has one that still holds.
    pub(super) fn open_code(&self, row: &DeviceRow) -> Result<Option<String>, AppError> {
        let Some((sealed, expires)) = &row.code else { return Ok(None) };
        if self.now() >= *expires {
            return Ok(None);
        }
        let digits = self.vault.open(&crate::claim::code_owner(&row.id), sealed)?;
        Ok(Some(code_view(digits.reveal(), *expires).shown))
    }

    pub(super) fn model_name(&self, model: &str) -> String {
        self.catalog.model(model).map_or_else(|| model.to_owned(), |model| model.name.value.clone())
    }
}
