//! What becomes of devices after they were added: another user, another phone, release, removal, and the way back.
//!
//! Decides what phones are told and what must be forgotten in memory; the store does each change in one transaction
//! with its entry in the audit log and on the phone's timeline.

mod people;
mod refusals;
mod views;

pub use views::{DevicePhoneView, ReleasedView, RemovedView};

use crate::claim::code_owner;
use crate::inventory::{code_view, fault};
use crate::{Actor, App, AppError, DeviceView, locked};
use provost_catalog::Upload;
use provost_core::code::{ActivationCode, CODE_VALID_DAYS};
use provost_core::entry::guard::checked_reason;
use provost_core::ids::{AccountId, DeviceId, SiteId, UserId};
use provost_core::lifecycle::RESTORABLE_DAYS;
use provost_core::mac::MacAddr;
use provost_core::rights::Right;
use provost_core::sentence::{self, Entry};
use provost_core::time::UnixMillis;
use provost_store::{
    AuditEntry, ChangeRefusal, DeviceChange, DeviceRow, NewCode, NewEvent, Restored, StoreError, Swap, Which,
};
pub(crate) use refusals::refused;

/// Where a device belongs or belonged.
pub(crate) struct Home {
    pub(crate) account: AccountId,
    pub(crate) site: Option<SiteId>,
}

/// What a timeline says of a change.
type Tell<'a> = &'a (dyn Fn(MacAddr) -> Entry + Sync);

/// A code that takes the place of what nobody used: drawn again if it is somebody's.
const DRAWS: usize = 3;

impl App {
    /// Where a device belongs, or belonged before it was removed, if the actor may do this to it.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without such a device in the scope, [`AppError::Forbidden`].
    pub(crate) async fn may_ever(&self, by: &Actor, right: Right, id: &DeviceId) -> Result<Home, AppError> {
        let missing = || AppError::NotFound { what: "device", name: id.to_string() };
        let released = self.store.release_of(id).await?;
        let home = match (self.store.device(id).await?, released) {
            // A released device has no user, so its site is where it was.
            (_, Some(release)) => Home { account: release.account, site: release.site },
            (Some(row), None) => Home { account: row.account, site: self.store.site_of_device(id).await? },
            (None, None) => return Err(missing()),
        };
        if !self.sees(by, &home.account, home.site.as_ref()).await? {
            return Err(missing());
        }
        by.has(right)?;
        Ok(home)
    }

    /// Sets the user of a device that has no phone.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`], [`AppError::Fields`] when the user is of another account,
    /// [`AppError::Refused`] when a phone is bound to it, or it was released.
    pub async fn assign_device(&self, id: &DeviceId, user: &UserId, by: &Actor) -> Result<DeviceView, AppError> {
        self.give_to((id, user), Which::Unbound, by).await
    }

    /// Gives a device to another user, with its phone if it has one: the phone reads the new user's configuration.
    ///
    /// # Errors
    /// As [`App::assign_device`], but a phone is no hindrance.
    pub async fn move_device(&self, id: &DeviceId, user: &UserId, by: &Actor) -> Result<DeviceView, AppError> {
        self.give_to((id, user), Which::Any, by).await
    }

    async fn give_to(
        &self,
        (id, user): (&DeviceId, &UserId),
        which: Which,
        by: &Actor,
    ) -> Result<DeviceView, AppError> {
        let row = self.may_device(by, Right::Change, id).await?;
        let person = self.user_for_device(user, &row.account, by).await?;
        self.fits(&person, &row.model)?;
        let from = row.extension.as_deref();
        let what = match from {
            Some(from) => format!("moved {id} from extension {from} to {user}, {}", person.name),
            None => format!("assigned {id} to {user}, {}", person.name),
        };
        let entry = self.audit_entry(by, what, None).about(&row.account, Some(&person.site));
        let tell = |_| sentence::device_moved(from, &person.extension);
        let change = self.change(&tell);
        let done = self.store.audited(entry).move_device(change.as_change(id, &[]), user, which).await;
        self.answers.changed();
        if let Some(phone) = done?.map_err(|refusal| refused(&refusal))? {
            self.doors.returns.restart(phone);
        } else if let Some(mac) = row.mac {
            self.named(mac).await;
        }
        self.device(id, by).await
    }

    /// Puts a device back to stock, without user and phone; its phone is nobody's.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`], [`AppError::Fields`], [`AppError::Refused`] when it was released.
    pub async fn unassign_device(&self, id: &DeviceId, why: Option<&str>, by: &Actor) -> Result<DeviceView, AppError> {
        let (row, entry) = self.about_to(by, id, ("put back to stock", why)).await?;
        let extension = row.extension.as_deref();
        let tell = |_| sentence::device_unassigned(extension);
        let carried = self.carried(id).await?;
        let change = self.change(&tell);
        let done = self.store.audited(entry).unassign_device(change.as_change(id, &carried)).await;
        self.answers.changed();
        self.let_go(done?.map_err(|refusal| refused(&refusal))?);
        self.device(id, by).await
    }

    /// Puts another phone in the place of a device's, in one step: user, settings, history and what its user changed on
    /// it stay; the old one is set aside; the new one is claimed by its MAC, or else by a new code.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`], [`AppError::Fields`] on a MAC that is none, [`AppError::Refused`]
    /// when there is no phone to replace, or the new one is not free.
    pub async fn swap_device(
        &self,
        id: &DeviceId,
        (new, why): (Option<&str>, Option<&str>),
        by: &Actor,
    ) -> Result<DeviceView, AppError> {
        let row = self.may_device(by, Right::Activate, id).await?;
        let why = why.map(checked_reason).transpose()?;
        let new = new.map(checked_mac).transpose()?;
        let site = self.store.site_of_device(id).await?;
        let mut draws = 0usize;
        loop {
            draws = draws.saturating_add(1);
            let with = new.map_or("by a new activation code".to_owned(), |mac| format!("by phone {mac}"));
            let entry = self.audit_entry(by, format!("swapped the phone of {id} {with}"), why.as_deref());
            let digits = ActivationCode::draw(&mut rand::rng()).digits();
            let (digest, shown) = (self.vault.code_digest(&digits), self.vault.seal(&code_owner(id), &digits)?);
            let issued = self.now();
            let expires = issued.plus_days(CODE_VALID_DAYS);
            let code = NewCode { device: id, digest: &digest, shown: &shown, issued, expires };
            match self
                .swap(
                    &row,
                    Swap { mac: new, code: new.is_none().then_some(&code) },
                    entry.about(&row.account, site.as_ref()),
                )
                .await
            {
                Err(StoreError::Exists { .. }) if draws < DRAWS => {}
                done => {
                    self.answers.changed();
                    let old = done?.map_err(|refusal| refused(&refusal))?;
                    self.let_go(Some(old));
                    self.tell_barred(old).await;
                    if let Some(mac) = new {
                        let entry = sentence::takes_the_place_of(old, row.extension.as_deref());
                        self.recorder.tell(mac, self.now(), entry, None);
                        self.named(mac).await;
                    }
                    let view = self.device(id, by).await?;
                    // Whoever may swap is told the code of their own swap, also where the role sees no other.
                    let told = new.is_none().then(|| code_view(&digits, expires));
                    return Ok(DeviceView { activation_code: told.or(view.activation_code), ..view });
                }
            }
        }
    }

    async fn swap(
        &self,
        row: &DeviceRow,
        swap: Swap<'_>,
        entry: AuditEntry,
    ) -> Result<Result<MacAddr, ChangeRefusal>, StoreError> {
        let id = &row.id;
        let extension = row.extension.as_deref();
        let tell = |_| sentence::phone_swapped(extension, swap.mac);
        let carried = self.carried(id).await?;
        let change = self.change(&tell);
        self.store.audited(entry).swap_device(change.as_change(id, &carried), swap).await
    }

    /// Releases a device: its phone is anybody's again. For thirty days it can be restored.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`], [`AppError::Fields`], [`AppError::Refused`] when it was released.
    pub async fn release_device(&self, id: &DeviceId, why: Option<&str>, by: &Actor) -> Result<DeviceView, AppError> {
        let (row, entry) = self.about_to(by, id, ("released", why)).await?;
        let extension = row.extension.as_deref();
        let until = self.now().plus_days(RESTORABLE_DAYS);
        let tell = |_| sentence::device_released(extension, until);
        let carried = self.carried(id).await?;
        let change = self.change(&tell);
        let done = self.store.audited(entry).release_device(change.as_change(id, &carried)).await;
        self.answers.changed();
        self.let_go(done?.map_err(|refusal| refused(&refusal))?);
        // A device without a user is at no site, so whoever may only see one does not see it any more.
        let row = self.store.device(id).await?;
        let row = row.ok_or_else(|| AppError::NotFound { what: "device", name: id.to_string() })?;
        self.device_view(row, by).await
    }

    /// Has a device back as it was when it was released within the last thirty days, removed or not: the same phone if
    /// it is still free, with the same passwords, for the same user or another.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`], [`AppError::Fields`] when the user is of another account,
    /// [`AppError::Refused`] when it is too late, or phone or user are not to be had any more.
    pub async fn restore_device(
        &self,
        id: &DeviceId,
        user: Option<&UserId>,
        by: &Actor,
    ) -> Result<DeviceView, AppError> {
        let home = self.may_ever(by, Right::Change, id).await?;
        if let Some(user) = user {
            self.user_for_device(user, &home.account, by).await?;
        }
        let now = self.now();
        let extension = match user {
            Some(user) => self.store.user(user).await?.map(|row| row.extension),
            None => None,
        };
        let tell = |_| sentence::device_restored(extension.as_deref());
        let change = self.change(&tell);
        let earliest = now.plus_days(RESTORABLE_DAYS.saturating_neg());
        let entry = self.audit_entry(by, format!("restored {id}"), None).about(&home.account, home.site.as_ref());
        let done = self.store.audited(entry).restore_device(change.as_change(id, &[]), user, earliest).await;
        self.answers.changed();
        let restored = done?.map_err(|refusal| refused(&refusal))?;
        if let Restored { phone: Some(phone), passwords: Some(_) } = &restored {
            self.wait_for_passwords(*phone).await?;
            self.doors.returns.restart(*phone);
        }
        self.device(id, by).await
    }

    /// The restored phone may have taken other passwords meanwhile.
    async fn wait_for_passwords(&self, phone: MacAddr) -> Result<(), AppError> {
        let pending = self.store.pending_passwords().await?;
        if let Some(row) = pending.into_iter().find(|row| row.mac == phone) {
            self.pending_passwords.wait_for(phone, row.id);
        }
        Ok(())
    }

    /// Removes a device that was released or never had a phone. Its passwords stay, and it can be restored as a released
    /// one.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Forbidden`], [`AppError::Fields`], [`AppError::Refused`] when it must be
    /// released first.
    pub async fn remove_device(&self, id: &DeviceId, why: Option<&str>, by: &Actor) -> Result<RemovedView, AppError> {
        let home = self.may_ever(by, Right::Change, id).await?;
        let why = why.map(checked_reason).transpose()?;
        let entry = self.audit_entry(by, format!("removed {id}"), why.as_deref());
        let tell = |_| sentence::device_unassigned(None);
        let change = self.change(&tell);
        let entry = entry.about(&home.account, home.site.as_ref());
        let done = self.store.audited(entry).remove_device(change.as_change(id, &[])).await;
        self.answers.changed();
        match done {
            Err(StoreError::Missing { .. }) => return Err(AppError::NotFound { what: "device", name: id.to_string() }),
            done => done?.map_err(|refusal| refused(&refusal))?,
        }
        let released = self.store.release_of(id).await?.map_or(self.now(), |row| row.released);
        Ok(RemovedView::new(id, released))
    }

    /// Lets a phone in again that was set aside by a swap: it is treated as any unclaimed phone.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when it is not set aside in the actor's scope, [`AppError::Forbidden`], [`AppError::Fields`].
    pub async fn readmit_phone(&self, mac: MacAddr, why: Option<&str>, by: &Actor) -> Result<(), AppError> {
        by.has(Right::Change)?;
        let missing = || AppError::NotFound { what: "phone that is set aside", name: mac.to_string() };
        let device = self.store.set_aside_from(mac).await?.ok_or_else(missing)?;
        let home = match self.may_ever(by, Right::Change, &device).await {
            Err(AppError::NotFound { .. }) => return Err(missing()),
            home => home?,
        };
        let why = why.map(checked_reason).transpose()?;
        let entry = self.audit_entry(by, format!("let phone {mac} in again"), why.as_deref());
        let now = self.now();
        let id = locked(&self.event_ids).next(now);
        let event = NewEvent { id, mac, at: now, entry: sentence::phone_readmitted(), contact: None };
        let done = self.store.audited(entry.about(&home.account, home.site.as_ref())).readmit_phone(&event).await?;
        self.answers.changed();
        if done { Ok(()) } else { Err(missing()) }
    }

    /// The device and the audit entry of a change of it, with the reason that was given.
    async fn about_to(
        &self,
        by: &Actor,
        id: &DeviceId,
        (what, why): (&str, Option<&str>),
    ) -> Result<(DeviceRow, AuditEntry), AppError> {
        let row = self.may_device(by, Right::Change, id).await?;
        let why = why.map(checked_reason).transpose()?;
        let site = self.store.site_of_device(id).await?;
        let entry = self.audit_entry(by, format!("{what} {id}"), why.as_deref()).about(&row.account, site.as_ref());
        Ok((row, entry))
    }

    fn change<'a>(&self, tell: Tell<'a>) -> Change<'a> {
        let now = self.now();
        Change { now, event_id: locked(&self.event_ids).next(now), tell }
    }

    /// The files of the device's phone that hold what its user changed, and no log.
    async fn carried(&self, id: &DeviceId) -> Result<Vec<String>, StoreError> {
        let Some(phone) = self.store.phone_of(id).await? else { return Ok(Vec::new()) };
        let names = self.store.uploads(phone).await?.into_iter().map(|(name, ..)| name);
        let holds_changes = |name: &String| {
            self.catalog.file(name).is_some_and(|file| file.upload == Some(Upload::Replace) && file.mac.is_some())
        };
        Ok(names.filter(holds_changes).collect())
    }

    /// Forgets what was waited for of a phone that is no device's any more, and tells it if it is registered here.
    fn let_go(&self, phone: Option<MacAddr>) {
        if let Some(mac) = phone {
            self.pending_passwords.forget(mac);
            self.doors.returns.wait_no_more(mac);
            self.doors.returns.restart(mac);
        }
    }
}

/// What every change of a device needs.
struct Change<'a> {
    now: UnixMillis,
    event_id: String,
    tell: Tell<'a>,
}

impl Change<'_> {
    fn as_change<'a>(&'a self, device: &'a DeviceId, carried: &'a [String]) -> DeviceChange<'a> {
        DeviceChange { device, now: self.now, event_id: &self.event_id, tell: self.tell, carried }
    }
}

fn checked_mac(text: &str) -> Result<MacAddr, AppError> {
    match text.parse::<MacAddr>() {
        Ok(mac) if mac.is_zero() => {
            Err(fault("mac", "is all zeros, which names no phone; write the MAC from the phone's label".to_owned()))
        }
        Ok(mac) => Ok(mac),
        Err(error) => Err(fault("mac", error.to_string())),
    }
}
