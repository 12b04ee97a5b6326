//! The passwords of phones: which ones a phone has, which ones it will have, and giving it others.
//!
//! A pair is stored before it is served. Until the phone has read it and restarted, it and the one before are both
//! shown: somebody at the phone's keypad needs the one that is valid now.

use crate::claim::{draw_password, password_owner};
use crate::phones::Answers;
use crate::{Actor, App, AppError, DeviceView, MacText, error_reference, locked};
use provost_catalog::PasswordRule;
use provost_core::entry::guard::checked_reason;
use provost_core::ids::DeviceId;
use provost_core::mac::MacAddr;
use provost_core::rights::Right;
use provost_core::sentence;
use provost_core::time::UnixMillis;
use provost_store::{AuditEntry, NewEvent, NewPasswords, PasswordsRow, RotationRefusal, Store};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// A pair that a phone has not taken yet.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    id: String,
    is_fetched: bool,
}

/// The phones that have not taken the passwords of their configuration, in memory so that a request costs no query.
#[derive(Debug, Default)]
pub(crate) struct PendingPasswords(Mutex<HashMap<MacAddr, Pending>>);

impl PendingPasswords {
    pub(crate) async fn load(store: &Store) -> Result<Self, AppError> {
        let pending = store.pending_passwords().await?.into_iter();
        let pending = pending.map(|row| (row.mac, Pending { id: row.id, is_fetched: row.is_fetched }));
        Ok(Self(Mutex::new(pending.collect())))
    }

    /// The phone will read this pair with its next configuration. Called after answers of before are worthless.
    pub(crate) fn wait_for(&self, mac: MacAddr, id: String) {
        locked(&self.0).insert(mac, Pending { id, is_fetched: false });
    }

    pub(crate) fn forget(&self, mac: MacAddr) {
        locked(&self.0).remove(&mac);
    }

    /// What the phone has not taken yet; to be asked before its answer is made.
    pub(crate) fn of(&self, mac: MacAddr) -> Option<Pending> {
        locked(&self.0).get(&mac).cloned()
    }

    fn change(&self, mac: MacAddr, id: &str, change: impl FnOnce(&mut HashMap<MacAddr, Pending>)) {
        let mut all = locked(&self.0);
        if all.get(&mac).is_some_and(|pending| pending.id == id) {
            change(&mut all);
        }
    }
}

/// How far a pair of passwords has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Waiting,
    Fetched,
    OnPhone,
    Former,
}

impl Standing {
    const fn of(row: &PasswordsRow) -> Self {
        match row {
            PasswordsRow { replaced: Some(_), .. } => Self::Former,
            PasswordsRow { taken: Some(_), .. } => Self::OnPhone,
            PasswordsRow { fetched: Some(_), .. } => Self::Fetched,
            _ => Self::Waiting,
        }
    }

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Waiting => ("waiting", "the phone has not read it yet"),
            Self::Fetched => ("fetched", "the phone has read it, and has it once it restarted"),
            Self::OnPhone => ("on-phone", "the phone has it"),
            Self::Former => ("former", "the phone had it before"),
        }
    }
}

/// A pair of passwords as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PasswordPairView {
    /// The phone.
    pub mac: MacText,
    /// `waiting`, `fetched`, `on-phone` or `former`.
    pub state: &'static str,
    /// The same in words.
    pub words: &'static str,
    /// For the Advanced menu and the web GUI as administrator.
    pub admin_password: String,
    /// For the web GUI as user.
    pub user_password: String,
    /// When it was made.
    pub made_at: String,
    /// When the phone first read it.
    pub fetched_at: Option<String>,
    /// Since when the phone has it.
    pub on_phone_since: Option<String>,
    /// When the phone took another instead.
    pub replaced_at: Option<String>,
}

/// The passwords of a phone as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PhonePasswordsView {
    /// The administrator password it has, or will have where none is known to be on it.
    pub admin_password: String,
    /// The user password that goes with it.
    pub user_password: String,
    /// Every pair its device ever gave it, the newest first.
    pub items: Vec<PasswordPairView>,
}

/// A rotation with everything it needs, so that it outlives whoever asked for it.
struct Rotation {
    store: Store,
    answers: Arc<Answers>,
    pending: Arc<PendingPasswords>,
    entry: AuditEntry,
    device: DeviceId,
    drawn: DrawnPasswords,
    event: NewEvent,
}

impl Rotation {
    async fn done(self) -> Result<Result<(), RotationRefusal>, AppError> {
        let new = NewPasswords {
            id: &self.event.id,
            admin: &self.drawn.admin,
            user: &self.drawn.user,
            admin_digest: &self.drawn.digest,
            made: self.event.at,
        };
        let done = self.store.audited(self.entry).rotate_passwords(&self.device, &new, &self.event).await;
        // Also after a failure: a commit whose answer was lost is a commit.
        self.answers.changed();
        let done = done?;
        if done.is_ok() {
            self.pending.wait_for(self.event.mac, self.event.id.clone());
        }
        Ok(done)
    }
}

/// A pair of passwords for a phone, encrypted.
pub(crate) struct DrawnPasswords {
    pub(crate) admin: Vec<u8>,
    pub(crate) user: Vec<u8>,
    /// Keyed hash of the administrator password: no two phones have one.
    pub(crate) digest: Vec<u8>,
}

/// With eight digits and a million phones one draw in a hundred is somebody's: ten in a row are none's fault.
const DRAWS: usize = 10;

impl App {
    /// Draws passwords that the model's keypad types, and an administrator password that no other phone ever had.
    pub(crate) async fn draw_passwords(&self, mac: MacAddr, rule: &PasswordRule) -> Result<DrawnPasswords, AppError> {
        let mut admin = draw_password(rule);
        let mut digest = self.vault.tag("admin-password", admin.reveal());
        for _ in 0..DRAWS {
            if !self.store.is_admin_password_known(&digest).await? {
                break;
            }
            admin = draw_password(rule);
            digest = self.vault.tag("admin-password", admin.reveal());
        }
        Ok(DrawnPasswords {
            admin: self.vault.seal(&password_owner(mac, "admin"), admin.reveal())?,
            user: self.vault.seal(&password_owner(mac, "user"), draw_password(rule).reveal())?,
            digest,
        })
    }

    /// Gives the phone of a device another pair of passwords, for a reason that stands in the audit log.
    ///
    /// # Errors
    /// [`AppError::Fields`] without a reason, [`AppError::NotFound`], [`AppError::Forbidden`], [`AppError::Refused`]
    /// when no phone is bound to the device.
    pub async fn rotate_passwords(&self, id: &DeviceId, reason: &str, by: &Actor) -> Result<DeviceView, AppError> {
        let row = self.may_device(by, Right::Secrets, id).await?;
        by.has(Right::Change)?;
        let reason = checked_reason(reason)?;
        let missing = || AppError::NotFound { what: "model", name: row.model.clone() };
        let rule =
            self.catalog.model(&row.model).map(|model| model.admin_password.value.clone()).ok_or_else(missing)?;
        let Some(mac) = self.store.phone_of(id).await? else { return Err(no_phone()) };
        let site = self.store.site_of_device(id).await?;
        let now = self.now();
        let entry = self.audit_entry(by, format!("gave phone {mac} of {id} new passwords"), Some(&reason));
        let event = NewEvent {
            id: locked(&self.event_ids).next(now),
            mac,
            at: now,
            entry: sentence::passwords_rotated(&reason),
            contact: None,
        };
        let rotation = Rotation {
            store: self.store.clone(),
            answers: Arc::clone(&self.answers),
            pending: Arc::clone(&self.pending_passwords),
            entry: entry.about(&row.account, site.as_ref()),
            device: id.clone(),
            drawn: self.draw_passwords(mac, &rule).await?,
            event,
        };
        match tokio::spawn(rotation.done()).await.unwrap_or(Err(AppError::Interrupted))? {
            Ok(()) => {}
            Err(RotationRefusal::NoPhone) => return Err(no_phone()),
        }
        self.doors.returns.restart(mac);
        self.device(id, by).await
    }

    /// Every pair of passwords that phones of the device were ever to have, the newest first, for a reason that stands
    /// in the audit log before they are shown; also when the device is gone.
    ///
    /// # Errors
    /// [`AppError::Fields`] without a reason, [`AppError::NotFound`], [`AppError::Forbidden`].
    pub async fn device_passwords(
        &self,
        id: &DeviceId,
        reason: &str,
        by: &Actor,
    ) -> Result<Vec<PasswordPairView>, AppError> {
        let home = self.may_ever(by, Right::Secrets, id).await?;
        let reason = checked_reason(reason)?;
        let pairs = self.pairs_of(id).await?;
        let entry = self.audit_entry(by, format!("read the passwords of {id}"), Some(&reason));
        self.store.audited(entry.about(&home.account, home.site.as_ref())).only().await?;
        Ok(pairs)
    }

    /// A phone's own two passwords, for a reason that stands in the audit log before they are shown: those it has, else
    /// those it will have, and every pair that its device ever gave it.
    ///
    /// # Errors
    /// [`AppError::Fields`] without a reason, [`AppError::NotFound`] for a phone that was never claimed,
    /// [`AppError::Forbidden`].
    pub async fn reveal_passwords(
        &self,
        mac: MacAddr,
        reason: &str,
        by: &Actor,
    ) -> Result<PhonePasswordsView, AppError> {
        let missing = || AppError::NotFound { what: "binding of phone", name: mac.to_string() };
        let device = match self.store.bound(mac).await? {
            Some(row) => row.device,
            None => self.store.device_of_passwords(mac).await?.ok_or_else(missing)?,
        };
        let home = match self.may_ever(by, Right::Secrets, &device).await {
            Err(AppError::NotFound { .. }) => return Err(missing()),
            home => home?,
        };
        let reason = checked_reason(reason)?;
        let mut items = self.pairs_of(&device).await?;
        items.retain(|pair| pair.mac.0 == mac);
        let valid = items
            .iter()
            .find(|pair| pair.state == Standing::OnPhone.words().0)
            .or(items.first())
            .ok_or_else(missing)?;
        let (admin_password, user_password) = (valid.admin_password.clone(), valid.user_password.clone());
        let entry = self.audit_entry(by, format!("read the passwords of phone {mac}"), Some(&reason));
        self.store.audited(entry.about(&home.account, home.site.as_ref())).only().await?;
        Ok(PhonePasswordsView { admin_password, user_password, items })
    }

    async fn pairs_of(&self, device: &DeviceId) -> Result<Vec<PasswordPairView>, AppError> {
        let rows = self.store.passwords_of_device(device).await?;
        rows.into_iter().map(|row| self.pair_view(&row)).collect()
    }

    fn pair_view(&self, row: &PasswordsRow) -> Result<PasswordPairView, AppError> {
        let open = |which, sealed: &[u8]| self.vault.open(&password_owner(row.mac, which), sealed);
        let (state, words) = Standing::of(row).words();
        let text = |at: Option<UnixMillis>| at.map(|at| at.to_string());
        Ok(PasswordPairView {
            mac: MacText(row.mac),
            state,
            words,
            admin_password: open("admin", &row.admin)?.reveal().to_owned(),
            user_password: open("user", &row.user)?.reveal().to_owned(),
            made_at: row.made.to_string(),
            fetched_at: text(row.fetched),
            on_phone_since: text(row.taken),
            replaced_at: text(row.replaced),
        })
    }

    /// The phone read the configuration with this pair, or restarted after it had. If the database does not learn so,
    /// it does at the phone's next time.
    pub(crate) async fn watch_passwords(&self, mac: MacAddr, pending: Pending, seen: Seen) {
        let now = self.now();
        let Pending { id, is_fetched } = pending;
        let noted = match seen {
            Seen::Read if !is_fetched => {
                let noted = self.store.passwords_fetched(&id, now).await;
                if noted.is_ok() {
                    let fetched = Pending { id: id.clone(), is_fetched: true };
                    self.pending_passwords.change(mac, &id, |all| drop(all.insert(mac, fetched)));
                }
                noted
            }
            Seen::Restarted if is_fetched => {
                let event_id = locked(&self.event_ids).next(now);
                let entry = sentence::passwords_taken();
                let event = NewEvent { id: event_id, mac, at: now, entry, contact: None };
                let noted = self.store.passwords_taken(&id, &event).await;
                if noted.is_ok() {
                    self.pending_passwords.change(mac, &id, |all| drop(all.remove(&mac)));
                }
                noted
            }
            Seen::Read | Seen::Restarted => return,
        };
        if let Err(error) = noted {
            tracing::error!(phone.mac = %mac, %error, "how far phone {mac} has come with its passwords could not be noted; tried again at its next time");
        }
    }
}

/// What a phone was seen to do about its passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It read its configuration.
    Read,
    /// It started its walk in the program that runs after a restart only.
    Restarted,
}

fn no_phone() -> AppError {
    let message = "this device has no phone, and so no passwords to change".to_owned();
    AppError::Refused { code: "device-has-no-phone", message, reference: error_reference() }
}
