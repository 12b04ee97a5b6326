//! What administrators keep: accounts, sites, users, devices.

mod accounts;
mod lists;
mod views;

pub use lists::{BranchView, BranchesView, ListedSiteView, ListedUserView};
pub use views::{
    AccountView, ClaimantView, CodeView, DeviceView, LineView, MacText, SipServerView, SiteView, UserView,
};

use crate::claim::code_owner;
use crate::doors::EmergencyRouteView;
use crate::lifecycle::refused;
use crate::{Actor, App, AppError};
use provost_catalog::{Stage, Version};
use provost_core::code::ActivationCode;
use provost_core::entry::{DeviceInput, FieldError, FieldErrors, NewSite, SiteInput, UserInput};
use provost_core::facts::{SipServer, SipTransport};
use provost_core::ids::{AccountId, DeviceId, SiteId, UserId};
use provost_core::lifecycle::RESTORABLE_DAYS;
use provost_core::render::{self, Target};
use provost_core::rights::{Right, Scope};
use provost_core::sentence;
use provost_core::time::UnixMillis;
use provost_store::{Bar, ChangeRefusal, DeviceRow, Page, PersonRow, SiteRow, StoreError};

impl App {
    /// Adds a site.
    ///
    /// # Errors
    /// [`AppError::Fields`], [`AppError::NotFound`] without such an account, [`AppError::Forbidden`].
    pub async fn add_site(&self, input: SiteInput, by: &Actor) -> Result<SiteView, AppError> {
        by.has(Right::Change)?;
        let now = self.now();
        let site = input.check(&self.catalog, now)?;
        self.may(by, Right::Change, &site.account, None).await?;
        let id = SiteId::mint(now, &mut rand::rng());
        let entry = self.audit_entry(by, format!("added the site {id}, {}", site.name), None);
        match self.store.audited(entry.about(&site.account, None)).add_site(&id, &site, now).await {
            Err(StoreError::Missing { .. }) => Err(no_account(&site.account)),
            done => done.map(|()| site_view(&id, site, None)).map_err(Into::into),
        }
    }

    /// Lists sites.
    ///
    /// # Errors
    /// [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn sites(&self, page: Page<'_>, by: &Actor) -> Result<Vec<SiteView>, AppError> {
        by.has(Right::Read)?;
        let within = self.store.within(&by.scope).await?;
        let view = |row: SiteRow| site_view(&row.id, row.site, self.emergency_route_of(&row.id));
        Ok(self.store.sites(&within, page).await?.into_iter().map(view).collect())
    }

    /// One site.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without such a site in the scope, [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn site(&self, id: &SiteId, by: &Actor) -> Result<SiteView, AppError> {
        self.may_site(by, Right::Read, id).await?;
        let row = self.store.site(id).await?;
        let row = row.ok_or_else(|| AppError::NotFound { what: "site", name: id.to_string() })?;
        Ok(site_view(id, row.site, self.emergency_route_of(id)))
    }

    /// The account of a site, if the actor may do this at it.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without such a site in the scope, [`AppError::Forbidden`].
    pub(crate) async fn may_site(&self, by: &Actor, right: Right, id: &SiteId) -> Result<AccountId, AppError> {
        match self.store.site(id).await? {
            Some(row) if self.sees(by, &row.site.account, Some(id)).await? => {
                by.has(right)?;
                Ok(row.site.account)
            }
            _ => Err(AppError::NotFound { what: "site", name: id.to_string() }),
        }
    }

    /// Adds a user with lines.
    ///
    /// # Errors
    /// [`AppError::Fields`], [`AppError::NotFound`] without such a site, [`AppError::Conflict`] when the
    /// extension is taken, [`AppError::Forbidden`].
    pub async fn add_user(&self, input: UserInput, by: &Actor) -> Result<UserView, AppError> {
        by.has(Right::Change)?;
        let user = input.check(&self.catalog)?;
        let account = self.may_site(by, Right::Change, &user.site).await?;
        let id = UserId::mint(self.now(), &mut rand::rng());
        let mut sealed = Vec::with_capacity(user.lines.len());
        for (line, place) in user.lines.iter().zip(0usize..) {
            let owner = line_owner(id.as_str(), place);
            sealed.push(match &line.password {
                Some(password) => Some(self.vault.seal(&owner, password.reveal())?),
                None => None,
            });
        }
        let what = format!("added the user {id}, {} ({})", user.name, user.extension);
        let entry = self.audit_entry(by, what, None).about(&account, Some(&user.site));
        self.store.audited(entry).add_user(&id, &user, &sealed, self.now()).await?;
        self.answers.changed();
        self.user(&id, by).await
    }

    /// One user.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`].
    pub async fn user(&self, id: &UserId, by: &Actor) -> Result<UserView, AppError> {
        match self.store.user(id).await? {
            Some(row) if self.sees(by, &row.account, Some(&row.site)).await? => {
                by.has(Right::Read)?;
                self.with_welcome(id, user_view(row)).await
            }
            _ => Err(AppError::NotFound { what: "user", name: id.to_string() }),
        }
    }

    /// Lists users.
    ///
    /// # Errors
    /// [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn users(&self, page: Page<'_>, by: &Actor) -> Result<Vec<UserView>, AppError> {
        by.has(Right::Read)?;
        let within = self.store.within(&by.scope).await?;
        let mut views = Vec::new();
        for row in self.store.users(&within, page).await? {
            let id = row.id.clone();
            views.push(self.with_welcome(&id, user_view(row)).await?);
        }
        Ok(views)
    }

    /// Adds a device by model, for a user or not, with a MAC or not.
    ///
    /// # Errors
    /// [`AppError::Fields`] also when the user belongs to another account, [`AppError::NotFound`] without such an
    /// account, [`AppError::Forbidden`].
    pub async fn add_device(&self, input: DeviceInput, by: &Actor) -> Result<DeviceView, AppError> {
        by.has(Right::Change)?;
        let device = input.check(&self.catalog)?;
        let site = match &device.user {
            Some(user) => {
                let person = self.user_for_device(user, &device.account, by).await?;
                self.fits(&person, &device.model)?;
                Some(person.site)
            }
            None => None,
        };
        if site.is_none() && matches!(by.scope, Scope::Site { .. }) {
            return Err(fault("user", "your token is for one site: name a user there".to_owned()));
        }
        self.may(by, Right::Change, &device.account, site.as_ref()).await?;
        let id = DeviceId::mint(self.now(), &mut rand::rng());
        let named = device.mac.map_or(String::new(), |mac| format!(" for phone {mac}"));
        let entry = self.audit_entry(by, format!("added the device {id}, a {}{named}", device.model), None);
        let entry = entry.about(&device.account, site.as_ref());
        match self.store.audited(entry).add_device(&id, &device, self.now()).await {
            Err(StoreError::Missing { .. }) => return Err(no_account(&device.account)),
            done => done?,
        }
        self.answers.changed();
        if let Some(mac) = device.mac {
            self.named(mac).await;
        }
        self.device(&id, by).await
    }

    /// A user of the device's account, if the actor sees them. A user of another account is as unknown as one that
    /// never was: nobody can probe for ids.
    pub(crate) async fn user_for_device(
        &self,
        user: &UserId,
        account: &AccountId,
        by: &Actor,
    ) -> Result<PersonRow, AppError> {
        match self.store.user(user).await?.filter(|row| row.account == *account) {
            Some(row) if self.sees(by, account, Some(&row.site)).await? => Ok(row),
            _ => Err(no_such_user(user)),
        }
    }

    /// Whether a phone of the model holds all lines of the person: none is dropped silently.
    pub(crate) fn fits(&self, person: &PersonRow, model: &str) -> Result<(), AppError> {
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
    /// [`AppError::NotFound`], [`AppError::Forbidden`].
    pub async fn device(&self, id: &DeviceId, by: &Actor) -> Result<DeviceView, AppError> {
        let row = self.may_device(by, Right::Read, id).await?;
        self.device_view(row, by).await
    }

    /// Lists devices.
    ///
    /// # Errors
    /// [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn devices(&self, page: Page<'_>, by: &Actor) -> Result<Vec<DeviceView>, AppError> {
        by.has(Right::Read)?;
        self.recorder.flush().await;
        let within = self.store.within(&by.scope).await?;
        let rows = self.store.devices(&within, page).await?;
        let mut views = Vec::with_capacity(rows.len());
        for row in rows {
            views.push(self.device_view(row, by).await?);
        }
        Ok(views)
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
        let row = self.may_device(by, Right::Change, id).await?;
        if let Some(at) = row.released_at {
            return Err(refused(&ChangeRefusal::Released(at)));
        }
        let site = self.store.site_of_device(id).await?;
        let entry = self.audit_entry(by, format!("{done} {id}"), None).about(&row.account, site.as_ref());
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
        let device = self.device(id, by).await?;
        if let Some(MacText(mac)) = device.mac.filter(|_| bar.is_some()) {
            self.tell_barred(mac).await;
        }
        Ok(device)
    }

    /// The device as this actor may see it: without its code where the role sees no secrets.
    pub(crate) async fn device_view(&self, row: DeviceRow, by: &Actor) -> Result<DeviceView, AppError> {
        let clash = match row.mac {
            Some(mac) if row.clashes => self.clash(mac, by).await?,
            _ => Vec::new(),
        };
        let activation_code = match &row.code {
            Some((sealed, expires)) if by.role.may(Right::Secrets) => {
                let digits = self.vault.open(&code_owner(&row.id), sealed)?;
                Some(code_view(digits.reveal(), *expires))
            }
            _ => None,
        };
        let model_name = self.catalog.model(&row.model).map_or(row.model.clone(), |model| model.name.value.clone());
        let missed_polls = self.missed_polls(&row);
        let registered = self.registered(Self::registration_asked(&row), by).await?;
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
            missed_polls,
            registered,
            released_at: row.released_at.map(|at| at.to_string()),
            restorable_until: row.released_at.map(|at| at.plus_days(RESTORABLE_DAYS).to_string()),
            firmware: row.firmware,
            certificate: row.certificate,
            activation_code,
            not_served: row.clashes.then_some(NOT_SERVED),
            clash,
        })
    }
}

impl App {
    /// How many times in a row the device's phone did not ask when its configuration says it does; `None` where that is
    /// not known.
    fn missed_polls(&self, row: &DeviceRow) -> Option<i64> {
        let last = row.last_seen?;
        let model = self.catalog.model(&row.model)?;
        let said = row.firmware.as_deref().and_then(|text| text.parse::<Version>().ok());
        let firmware = said.as_ref().unwrap_or(&model.firmware.reference.value);
        let stage = if row.bound_at.is_some() { Stage::Configuration } else { Stage::Bootstrap };
        let polling = render::polling(Target { catalog: &self.catalog, model, firmware }, stage)?;
        Some(polling.missed(last, self.now()))
    }
}

/// What is told of a phone that several accounts name: who else does is nobody's business.
pub(crate) const NOT_SERVED: &str = "its phone is not served; ask your provider";

fn no_account(id: &AccountId) -> AppError {
    AppError::NotFound { what: "account", name: id.to_string() }
}

fn no_such_user(user: &UserId) -> AppError {
    fault("user", format!("`{user}` is no user of this account; `provost user list` shows them"))
}

pub(crate) fn fault(field: &str, message: String) -> AppError {
    FieldErrors(vec![FieldError { field: field.to_owned(), message }]).into()
}

pub(crate) fn code_view(digits: &str, expires: UnixMillis) -> CodeView {
    let shown = ActivationCode::parse(digits).map_or_else(|_| digits.to_owned(), |code| code.grouped());
    CodeView { code: digits.to_owned(), shown, expires_at: expires.to_string() }
}

/// What the ciphertext of a line's password belongs to; lines are counted from 0.
pub(crate) fn line_owner(user: &str, place: usize) -> String {
    format!("{user}/line/{place}")
}

pub(crate) fn site_view(id: &SiteId, site: NewSite, emergency_route: Option<EmergencyRouteView>) -> SiteView {
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
        emergency_address: site.emergency_address,
        emergency_route,
    }
}

pub(crate) fn user_view(row: PersonRow) -> UserView {
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
        language: row.language,
        lines: lines.collect(),
        welcome_mail: None,
    }
}
