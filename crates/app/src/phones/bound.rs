//! Gathers what a bound phone's configuration is made from.

use super::{Asking, PhoneMethod};
use crate::claim::password_owner;
use crate::inventory::line_owner;
use crate::moving::CameIn;
use crate::{App, AppError, locked};
use provost_core::facts::{BoundDevice, Contact, Line, PhonePasswords, Pin, SiteFacts, UserFacts};
use provost_core::ids::{AccountId, DeviceId, SiteId, UserId};
use provost_core::mac::MacAddr;
use provost_core::sentence::{self, printable};
use provost_store::{BoundRow, DeviceRow, LineRow, NewEvent, PersonRow, StoreError};

impl App {
    /// The device the phone is bound to, with its secrets, for its configuration; decides the pin if
    /// that has not been decided, and moves it once if the phone lives at the former address and proved itself.
    pub(super) async fn bound_device(&self, asking: &Asking<'_>) -> Result<BoundDevice, AppError> {
        let mut bound = self.gather(asking.mac).await?;
        // A HEAD reads nothing, so it decides nothing.
        if matches!(asking.came.request.method, PhoneMethod::Get) {
            let came_in = self.told.came_in(asking.came.request.host);
            // Who was let in by an exception may be anybody, and a move is done but once.
            if let Some(due) = self.move_due(&bound.pin, came_in).filter(|_| asking.is_proven()) {
                bound.pin = self.lead((asking.mac, &bound.pin), due, asking.came.now).await?;
            } else if bound.pin == Pin::Undecided {
                bound.pin = self.decide_pin(asking, came_in).await?;
            }
        }
        Ok(bound)
    }

    /// What the device's configuration is made from, as it stands.
    pub(crate) async fn gather(&self, mac: MacAddr) -> Result<BoundDevice, AppError> {
        let row = self.bound_row(mac).await?;
        let passwords = PhonePasswords {
            admin: self.vault.open(&password_owner(mac, "admin"), &row.admin_password)?,
            user: self.vault.open(&password_owner(mac, "user"), &row.user_password)?,
        };
        let person = self.person_of(&row).await?;
        let home = (row.device, row.model, row.accounts.as_slice());
        let bound = self.gather_for(home, person.as_ref()).await?;
        Ok(BoundDevice { passwords: Some(passwords), pin: row.pin, ..bound })
    }

    /// The same for a device that has no phone yet: without passwords and pin, which are a phone's.
    pub(crate) async fn gather_without_phone(&self, row: &DeviceRow) -> Result<BoundDevice, AppError> {
        let accounts = self.store.accounts_above(&row.account).await?;
        let person = match &row.user {
            Some(user) => self.store.user(user).await?,
            None => None,
        };
        self.gather_for((row.id.clone(), row.model.clone(), &accounts), person.as_ref()).await
    }

    async fn gather_for(
        &self,
        (device, model, accounts): (DeviceId, String, &[AccountId]),
        person: Option<&PersonRow>,
    ) -> Result<BoundDevice, AppError> {
        let (user, site, contacts) = match person {
            Some(person) => (
                Some(self.user_facts(person)?),
                self.site_facts(&person.site).await?,
                self.colleagues_of(person).await?,
            ),
            None => (None, None, Vec::new()),
        };
        let layers = self.layers_of(accounts, person.map(|person| &person.site), (&model, &device)).await?;
        Ok(BoundDevice { device, model, user, site, passwords: None, pin: Pin::Undecided, contacts, layers })
    }

    /// Pins only a phone that reached us at the very address it would be pinned to.
    async fn decide_pin(&self, asking: &Asking<'_>, came_in: CameIn) -> Result<Pin, AppError> {
        let url = &self.told.public_url;
        let host = asking.came.request.host.unwrap_or_default();
        let decision = match (came_in, &self.told.former) {
            (CameIn::Current, _) => Pin::Pinned { authority: url.authority() },
            // The new address is held back, or it has not proved itself: it stays where it came in until it may move.
            (CameIn::Former, Some(former)) => Pin::Pinned { authority: former.authority() },
            (CameIn::Former | CameIn::Elsewhere, _) => Pin::LeftAlone { came_in_at: printable(host, 120) },
        };
        let entry = match &decision {
            Pin::Undecided => return Ok(decision),
            Pin::Pinned { authority } => sentence::claim_note(
                format!(
                    "It is told to stay with {authority}: server address, boot server Static, zero-touch service off."
                ),
                None,
            ),
            Pin::LeftAlone { came_in_at } => sentence::claim_note(
                format!("Its server address is left as it is: it came in at `{came_in_at}`, not at {url}."),
                Some(format!(
                    "A former provider or a DHCP option may take it back. To have it pinned, enter {url} as its server address before it is claimed."
                )),
            ),
        };
        let (mac, at) = (asking.mac, asking.came.now);
        let id = locked(&self.event_ids).next(at);
        Ok(self.store.decide_pin(mac, &decision, &NewEvent { id, mac, at, entry, contact: None }).await?)
    }

    async fn bound_row(&self, mac: MacAddr) -> Result<BoundRow, AppError> {
        let row = self.store.bound(mac).await?;
        row.ok_or_else(|| AppError::NotFound { what: "binding of phone", name: mac.to_string() })
    }

    async fn person_of(&self, row: &BoundRow) -> Result<Option<PersonRow>, AppError> {
        let Some(user) = &row.user else { return Ok(None) };
        let id: UserId =
            user.parse().map_err(|_| StoreError::Unreadable { column: "devices.person", found: user.clone() })?;
        Ok(self.store.user(&id).await?)
    }

    fn user_facts(&self, person: &PersonRow) -> Result<UserFacts, AppError> {
        let open = |(line, place): (&LineRow, usize)| {
            let password = line.password.as_deref();
            let password = password.map(|sealed| self.vault.open(&line_owner(person.id.as_str(), place), sealed));
            Ok(Line { user: line.sip_user.clone(), auth_user: line.auth_user.clone(), password: password.transpose()? })
        };
        let lines = person.lines.iter().zip(0usize..).map(open).collect::<Result<_, AppError>>()?;
        Ok(UserFacts { name: person.name.clone(), extension: person.extension.clone(), lines })
    }

    async fn site_facts(&self, id: &SiteId) -> Result<Option<SiteFacts>, AppError> {
        Ok(self.store.site(id).await?.map(|row| SiteFacts {
            name: row.site.name,
            time_zone: row.site.time_zone,
            country: row.site.country,
            sip_servers: row.site.sip_servers,
            vlan: row.site.vlan,
            voicemail: row.site.voicemail,
        }))
    }

    /// The other people of the phone's site.
    pub(super) async fn contacts_of(&self, mac: MacAddr) -> Result<Vec<Contact>, AppError> {
        let row = self.bound_row(mac).await?;
        let Some(person) = self.person_of(&row).await? else { return Ok(Vec::new()) };
        self.colleagues_of(&person).await
    }

    async fn colleagues_of(&self, person: &PersonRow) -> Result<Vec<Contact>, AppError> {
        let colleagues = self.store.colleagues(&person.site, &person.id).await?;
        Ok(colleagues.into_iter().map(|(name, extension)| Contact { name, extension }).collect())
    }
}
