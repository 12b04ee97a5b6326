//! Changes to users and sites, and their end. Phones read them at their next poll.

use crate::inventory::{fault, line_owner, site_view, user_view};
use crate::{Actor, App, AppError, SiteView, UserView, error_reference, locked};
use provost_catalog::Catalog;
use provost_core::entry::change::{SiteChange, UserChange};
use provost_core::entry::{LineInput, NewUser, SipServerInput, SiteInput, UserInput};
use provost_core::ids::{SiteId, UserId};
use provost_core::rights::Right;
use provost_core::sentence;
use provost_store::{LineRow, NewEvent, PersonRow, RemovalRefusal, SiteRow};

impl App {
    /// Changes fields of a user; the user's phones read it at their next poll.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`], [`AppError::Fields`] also when the user's phones do not hold the
    /// lines, [`AppError::Conflict`] when the extension is taken, or they are not what the form showed any more.
    pub async fn change_user(&self, id: &UserId, change: UserChange, by: &Actor) -> Result<UserView, AppError> {
        let before = self.may_user(by, Right::Change, id).await?;
        if change.before.as_ref().is_some_and(|was| *was != user_view(before.clone()).mark()) {
            return Err(changed_meanwhile("user"));
        }
        let user = change.onto(self.as_entered(&before)?).check(&self.catalog)?;
        if user.site != before.site {
            self.is_site_of(&user.site, &before, by).await?;
        }
        let devices = self.store.devices_of_user(id).await?;
        for device in &devices {
            holds(&self.catalog, &user, &device.model)?;
        }
        let mut sealed = Vec::with_capacity(user.lines.len());
        for (line, place) in user.lines.iter().zip(0usize..) {
            let owner = line_owner(id.as_str(), place);
            let password = line.password.as_ref();
            sealed.push(password.map(|password| self.vault.seal(&owner, password.reveal())).transpose()?);
        }
        let now = self.now();
        let phones: Vec<_> = devices.iter().filter_map(|device| device.phone).collect();
        let event = |mac| NewEvent {
            id: locked(&self.event_ids).next(now),
            mac,
            at: now,
            entry: sentence::user_changed(&user.extension),
            contact: None,
        };
        let events: Vec<_> = phones.iter().copied().map(event).collect();
        let what = format!("changed the user {id}, {} ({})", user.name, user.extension);
        let entry = self.audit_entry(by, what, None).about(&before.account, Some(&user.site));
        let done = self.store.audited(entry).change_user(id, &user, &sealed, &events).await;
        self.answers.changed();
        done?;
        for phone in phones {
            self.doors.returns.restart(phone);
        }
        self.user(id, by).await
    }

    /// Removes a user for whom there is no device.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`], [`AppError::Refused`] while a device is for them.
    pub async fn remove_user(&self, id: &UserId, by: &Actor) -> Result<UserView, AppError> {
        let before = self.may_user(by, Right::Change, id).await?;
        let what = format!("removed the user {id}, {} ({})", before.name, before.extension);
        let entry = self.audit_entry(by, what, None).about(&before.account, Some(&before.site));
        let done = self.store.audited(entry).remove_user(id).await;
        // Who is gone is in nobody's directory.
        self.answers.changed();
        done?.map_err(in_use)?;
        Ok(user_view(before))
    }

    /// Changes fields of a site; the phones of its people read it at their next poll.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`], [`AppError::Fields`], [`AppError::Conflict`] when it is not what
    /// the form showed any more.
    pub async fn change_site(&self, id: &SiteId, change: SiteChange, by: &Actor) -> Result<SiteView, AppError> {
        let account = self.may_site(by, Right::Change, id).await?;
        let missing = || AppError::NotFound { what: "site", name: id.to_string() };
        let before = self.store.site(id).await?.ok_or_else(missing)?;
        if change.before.as_ref().is_some_and(|was| *was != site_view(id, before.site.clone(), None).mark()) {
            return Err(changed_meanwhile("site"));
        }
        let site = change.onto(site_as_entered(before)).check(&self.catalog, self.now())?;
        let phones = self.store.phones_at_site(id).await?;
        let what = format!("changed the site {id}, {}: {phones} phones read it at their next poll", site.name);
        let entry = self.audit_entry(by, what, None).about(&account, Some(id));
        let done = self.store.audited(entry).change_site(id, &site).await;
        self.answers.changed();
        done?;
        Ok(site_view(id, site, self.emergency_route_of(id)))
    }

    /// Removes a site where nobody is, with its emergency route.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`], [`AppError::Refused`] while people are there.
    pub async fn remove_site(&self, id: &SiteId, by: &Actor) -> Result<SiteView, AppError> {
        let account = self.may_site(by, Right::Change, id).await?;
        let missing = || AppError::NotFound { what: "site", name: id.to_string() };
        let before = self.store.site(id).await?.ok_or_else(missing)?;
        let entry = self.audit_entry(by, format!("removed the site {id}, {}", before.site.name), None);
        self.store.audited(entry.about(&account, None)).remove_site(id).await?.map_err(in_use)?;
        self.answers.changed();
        self.load_emergency_routes().await?;
        self.reload_policies().await?;
        Ok(site_view(id, before.site, None))
    }

    /// The user, if the actor may do this to them.
    pub(crate) async fn may_user(&self, by: &Actor, right: Right, id: &UserId) -> Result<PersonRow, AppError> {
        match self.store.user(id).await? {
            Some(row) if self.sees(by, &row.account, Some(&row.site)).await? => {
                by.has(right)?;
                Ok(row)
            }
            _ => Err(AppError::NotFound { what: "user", name: id.to_string() }),
        }
    }

    /// Devices are of one account, so their user stays in it.
    async fn is_site_of(&self, site: &SiteId, person: &PersonRow, by: &Actor) -> Result<(), AppError> {
        match self.may_site(by, Right::Change, site).await {
            Ok(account) if account == person.account => Ok(()),
            Ok(_) | Err(AppError::NotFound { .. }) => {
                Err(fault("site", format!("`{site}` is no site of this account; `provost site list` shows them")))
            }
            Err(error) => Err(error),
        }
    }

    fn as_entered(&self, row: &PersonRow) -> Result<UserInput, AppError> {
        let line = |(line, place): (&LineRow, usize)| {
            let open = |sealed: &Vec<u8>| self.vault.open(&line_owner(row.id.as_str(), place), sealed);
            let password = line.password.as_ref().map(open).transpose()?;
            Ok(LineInput {
                user: line.sip_user.clone(),
                password: password.map(|password| password.reveal().to_owned()),
                auth_user: line.auth_user.clone(),
            })
        };
        Ok(UserInput {
            site: row.site.to_string(),
            name: row.name.clone(),
            extension: row.extension.clone(),
            email: row.email.clone(),
            language: row.language.clone(),
            lines: row.lines.iter().zip(0usize..).map(line).collect::<Result<_, AppError>>()?,
        })
    }
}

fn site_as_entered(SiteRow { site, .. }: SiteRow) -> SiteInput {
    let server = |server: provost_core::facts::SipServer| SipServerInput {
        host: server.host,
        port: Some(server.port),
        transport: Some(server.transport.as_str().to_owned()),
    };
    SiteInput {
        account: site.account.to_string(),
        name: site.name,
        time_zone: site.time_zone,
        country: site.country,
        language: site.language,
        sip_servers: site.sip_servers.into_iter().map(server).collect(),
        vlan: site.vlan.map(u32::from),
        voicemail: site.voicemail,
        emergency_address: site.emergency_address,
    }
}

/// Whether a phone of the model holds all lines: none is dropped silently.
fn holds(catalog: &Catalog, user: &NewUser, model: &str) -> Result<(), AppError> {
    let Some(model) = catalog.model(model) else { return Ok(()) };
    let most = model.registrations.as_ref().map(|fact| fact.value);
    let lines = u32::try_from(user.lines.len()).unwrap_or(u32::MAX);
    match most {
        Some(most) if lines > most => {
            let name = &model.name.value;
            Err(fault("lines", format!("{lines} lines; this user's {name} holds {most}")))
        }
        _ => Ok(()),
    }
}

fn changed_meanwhile(what: &str) -> AppError {
    let message = format!(
        "somebody else changed this {what} meanwhile, so nothing was changed; open the page anew, look at what is there \
         now, then make your change again"
    );
    AppError::Conflict { message }
}

fn in_use(refusal: RemovalRefusal) -> AppError {
    let message = match refusal {
        RemovalRefusal::Devices(count) => {
            format!("{count} devices are for this user; move, unassign or release them first")
        }
        RemovalRefusal::Users(count) => format!("{count} users are at this site; move or remove them first"),
    };
    AppError::Refused { code: "in-use", message, reference: error_reference() }
}
