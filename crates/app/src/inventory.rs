//! What administrators keep: accounts, sites, users, devices.

mod views;

pub use views::{AccountView, CodeView, DeviceView, LineView, MacText, SipServerView, SiteView, UserView};

use crate::claim::code_owner;
use crate::doors::EmergencyRouteView;
use crate::{Actor, App, AppError};
use provost_core::code::ActivationCode;
use provost_core::entry::{AccountInput, DeviceInput, FieldError, FieldErrors, NewSite, SiteInput, UserInput};
use provost_core::facts::{SipServer, SipTransport};
use provost_core::ids::{AccountId, DeviceId, SiteId, UserId};
use provost_core::sentence;
use provost_core::time::UnixMillis;
use provost_store::{Bar, DeviceRow, Page, PersonRow, SiteRow};

impl App {
    /// Adds an account.
    ///
    /// # Errors
    /// [`AppError::Fields`].
    pub async fn add_account(&self, input: AccountInput) -> Result<AccountView, AppError> {
        let name = input.check(&self.catalog)?;
        let id = AccountId::mint(self.now(), &mut rand::rng());
        self.store.add_account(&id, &name, self.now()).await?;
        Ok(AccountView { id: id.to_string(), name })
    }

    /// Lists accounts.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn accounts(&self, page: Page<'_>) -> Result<Vec<AccountView>, AppError> {
        let rows = self.store.accounts(page).await?;
        Ok(rows.into_iter().map(|row| AccountView { id: row.id.to_string(), name: row.name }).collect())
    }

    /// Adds a site.
    ///
    /// # Errors
    /// [`AppError::Fields`], [`AppError::NotFound`] without such an account.
    pub async fn add_site(&self, input: SiteInput) -> Result<SiteView, AppError> {
        let now = self.now();
        let site = input.check(&self.catalog, now)?;
        let id = SiteId::mint(now, &mut rand::rng());
        self.store.add_site(&id, &site, now).await?;
        Ok(site_view(&id, site, None))
    }

    /// Lists sites.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn sites(&self, page: Page<'_>) -> Result<Vec<SiteView>, AppError> {
        let view = |row: SiteRow| site_view(&row.id, row.site, self.emergency_route_of(&row.id));
        Ok(self.store.sites(None, page).await?.into_iter().map(view).collect())
    }

    /// Adds a user with lines.
    ///
    /// # Errors
    /// [`AppError::Fields`], [`AppError::NotFound`] without such a site, [`AppError::Conflict`] when the
    /// extension is taken.
    pub async fn add_user(&self, input: UserInput) -> Result<UserView, AppError> {
        let user = input.check(&self.catalog)?;
        let id = UserId::mint(self.now(), &mut rand::rng());
        let mut sealed = Vec::with_capacity(user.lines.len());
        for (line, place) in user.lines.iter().zip(0usize..) {
            let owner = line_owner(id.as_str(), place);
            sealed.push(match &line.password {
                Some(password) => Some(self.vault.seal(&owner, password.reveal())?),
                None => None,
            });
        }
        self.store.add_user(&id, &user, &sealed, self.now()).await?;
        self.answers.changed();
        self.user(&id).await
    }

    /// One user.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn user(&self, id: &UserId) -> Result<UserView, AppError> {
        let row = self.store.user(id).await?;
        row.map(user_view).ok_or_else(|| AppError::NotFound { what: "user", name: id.to_string() })
    }

    /// Lists users.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn users(&self, page: Page<'_>) -> Result<Vec<UserView>, AppError> {
        Ok(self.store.users(None, page).await?.into_iter().map(user_view).collect())
    }

    /// Adds a device by model, for a user or not, with a MAC or not.
    ///
    /// # Errors
    /// [`AppError::Fields`] also when the user belongs to another account.
    pub async fn add_device(&self, input: DeviceInput) -> Result<DeviceView, AppError> {
        let device = input.check(&self.catalog)?;
        if let Some(user) = &device.user {
            // A user of another account is as unknown as one that never was: nobody can probe for ids.
            let person = self.store.user(user).await?.filter(|row| row.account == device.account);
            self.fits(&person.ok_or_else(|| no_such_user(user))?, &device.model)?;
        }
        let id = DeviceId::mint(self.now(), &mut rand::rng());
        self.store.add_device(&id, &device, self.now()).await?;
        self.answers.changed();
        if let Some(mac) = device.mac {
            self.named(mac).await;
        }
        self.device(&id).await
    }

    /// Whether a phone of the model holds all lines of the person: none is dropped silently.
    fn fits(&self, person: &PersonRow, model: &str) -> Result<(), AppError> {
        let model = self.catalog.model(model);
        let most = model.and_then(|model| model.registrations.as_ref()).map(|fact| fact.value);
        let lines = u32::try_from(person.lines.len()).unwrap_or(u32::MAX);
        match (model, most) {
            (Some(model), Some(most)) if lines > most => {
                let name = &model.name.value;
                let message = format!("{} has {lines} SIP lines; a {name} holds {most}", person.name);
                Err(FieldErrors(vec![FieldError { field: "user".to_owned(), message }]).into())
            }
            _ => Ok(()),
        }
    }

    /// One device.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn device(&self, id: &DeviceId) -> Result<DeviceView, AppError> {
        match self.store.device(id).await? {
            Some(row) => self.device_view(row),
            None => Err(AppError::NotFound { what: "device", name: id.to_string() }),
        }
    }

    /// Lists devices.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn devices(&self, page: Page<'_>) -> Result<Vec<DeviceView>, AppError> {
        self.recorder.flush().await;
        self.store.devices(None, page).await?.into_iter().map(|row| self.device_view(row)).collect()
    }

    /// Sets the user of a device that has no phone yet.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without such a device, [`AppError::Fields`] when the user is of another
    /// account, [`AppError::Refused`] when a phone is bound to it.
    pub async fn assign_device(&self, id: &DeviceId, user: &UserId) -> Result<DeviceView, AppError> {
        let device = self.device(id).await?;
        let person = self.store.user(user).await?.filter(|row| row.account.as_str() == device.account);
        self.fits(&person.ok_or_else(|| no_such_user(user))?, &device.model)?;
        if !self.store.assign_device(id, user).await? {
            return Err(AppError::Refused {
                code: "device-has-phone",
                message: "a phone is bound to this device; its user cannot be changed any more".to_owned(),
                reference: crate::error_reference(),
            });
        }
        self.answers.changed();
        let device = self.device(id).await?;
        if let Some(MacText(mac)) = device.mac {
            self.named(mac).await;
        }
        Ok(device)
    }

    /// Disables or quarantines a device, or (with `None`) serves its phone again.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn bar_device(&self, id: &DeviceId, bar: Option<Bar>, by: &Actor) -> Result<DeviceView, AppError> {
        let done = match bar {
            Some(Bar::Disabled) => "disabled",
            Some(Bar::Quarantined) => "quarantined",
            None => "enabled",
        };
        let entry = self.audit_entry(by, format!("{done} {id}"), None);
        self.store.audited(entry).bar_device(id, bar).await?;
        self.answers.changed();
        if let Some(mac) = self.store.phone_of(id).await? {
            let sentence = match bar {
                Some(Bar::Disabled) => {
                    "An administrator disabled this phone's device: it gets nothing and keeps its old settings until it is reset."
                }
                Some(Bar::Quarantined) => {
                    "An administrator quarantined this phone's device: it gets nothing and keeps its old settings until it is reset."
                }
                None => "An administrator enabled this phone's device: it is served again.",
            };
            self.recorder.tell(mac, self.now(), sentence::action(sentence.to_owned()), None);
        }
        let device = self.device(id).await?;
        if let Some(MacText(mac)) = device.mac.filter(|_| bar.is_some()) {
            self.tell_barred(mac).await;
        }
        Ok(device)
    }

    fn device_view(&self, row: DeviceRow) -> Result<DeviceView, AppError> {
        let activation_code = match &row.code {
            Some((sealed, expires)) => {
                let digits = self.vault.open(&code_owner(&row.id), sealed)?;
                Some(code_view(digits.reveal(), *expires))
            }
            None => None,
        };
        let model_name = self.catalog.model(&row.model).map_or(row.model.clone(), |model| model.name.value.clone());
        Ok(DeviceView {
            id: row.id.to_string(),
            account: row.account.to_string(),
            model_name,
            model: row.model,
            user: row.user.map(|id| id.to_string()),
            user_name: row.user_name,
            extension: row.extension,
            site_name: row.site_name,
            mac: row.mac.map(MacText),
            awaited: row.mac.filter(|_| row.bound_at.is_some()).and_then(|mac| self.awaited_words(mac)),
            state: row.state.as_str(),
            bound_at: row.bound_at.map(|at| at.to_string()),
            last_seen: row.last_seen.map(|at| at.to_string()),
            registration: "not observed",
            firmware: row.firmware,
            certificate: row.certificate,
            activation_code,
        })
    }
}

fn no_such_user(user: &UserId) -> AppError {
    let message = format!("`{user}` is no user of this account; `provost user list` shows them");
    FieldErrors(vec![FieldError { field: "user".to_owned(), message }]).into()
}

fn code_view(digits: &str, expires: UnixMillis) -> CodeView {
    let shown = ActivationCode::parse(digits).map_or_else(|_| digits.to_owned(), |code| code.grouped());
    CodeView { code: digits.to_owned(), shown, expires_at: expires.to_string() }
}

/// What the ciphertext of a line's password belongs to; lines are counted from 0.
pub(crate) fn line_owner(user: &str, place: usize) -> String {
    format!("{user}/line/{place}")
}

fn site_view(id: &SiteId, site: NewSite, emergency_route: Option<EmergencyRouteView>) -> SiteView {
    let server = |server: SipServer| SipServerView {
        host: server.host,
        port: server.port,
        transport: SipTransport::as_str(server.transport),
    };
    SiteView {
        id: id.to_string(),
        account: site.account.to_string(),
        name: site.name,
        time_zone: site.time_zone,
        country: site.country,
        language: site.language,
        sip_servers: site.sip_servers.into_iter().map(server).collect(),
        vlan: site.vlan,
        voicemail: site.voicemail,
        emergency_route,
    }
}

fn user_view(row: PersonRow) -> UserView {
    let lines = row.lines.into_iter().map(|line| LineView {
        user: line.sip_user,
        auth_user: line.auth_user,
        has_password: line.password.is_some(),
    });
    UserView {
        id: row.id.to_string(),
        site: row.site.to_string(),
        account: row.account.to_string(),
        name: row.name,
        extension: row.extension,
        email: row.email,
        lines: lines.collect(),
    }
}
