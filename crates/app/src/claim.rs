//! Activation: a code, or a MAC named beforehand, makes a phone somebody's.

mod together;

use crate::doors::references::Noted;
use crate::inventory::NOT_SERVED;
use crate::{Actor, App, AppError, DeviceView, TOO_MANY_TRIES, locked};
use provost_core::code::{ActivationCode, CODE_VALID_DAYS, CodeError};
use provost_core::ids::DeviceId;
use provost_core::mac::MacAddr;
use provost_core::rights;
use provost_core::secret::Secret;
use provost_core::sentence::{self, Claim};
use provost_core::time::UnixMillis;
use provost_core::tries::Tried;
use provost_store::{AuditEntry, ClaimBy, ClaimOutcome, ClaimRefusal, CodeRefusal, NewCode, StoreError};
use rand::RngExt;
use std::net::{IpAddr, Ipv4Addr};
use together::{ClaimWork, OwnedRight};

pub(crate) use together::Claims;

/// A phone that is bound now.
#[derive(Debug, Clone)]
pub struct Activated {
    /// The device it is bound to.
    pub device: DeviceView,
    /// The phone.
    pub mac: MacAddr,
}

impl Activated {
    /// For whom the phone is now.
    pub fn extension(&self) -> Option<&str> {
        self.device.extension.as_deref()
    }
}

/// By what right a phone is claimed, and by what road.
pub(crate) struct Right<'a> {
    pub(crate) by: ClaimBy<'a>,
    /// What the audit log says of it, where an administrator does it.
    pub(crate) audit: Option<&'a AuditEntry>,
    pub(crate) how: Claim,
    /// Whose try it is, where codes could be guessed.
    pub(crate) tried: Option<Tried>,
}

/// Where a code for a known phone comes from.
#[derive(Clone, Copy)]
pub(crate) struct Door<'a> {
    pub(crate) how: Claim,
    pub(crate) tried: Option<Tried>,
    /// How a sentence says it.
    pub(crate) words: &'a str,
    /// What the audit log says of it, where an administrator does it.
    pub(crate) audit: Option<&'a AuditEntry>,
}

/// A code drawn twice is a one in a million millions; three in a row is a broken random source.
const DRAWS: usize = 3;

impl App {
    /// Issues an activation code for a device and voids its open one.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without such a device, [`AppError::Refused`] when it has no user, is bound
    /// or barred.
    pub async fn issue_code(&self, device: &DeviceId, by: &Actor) -> Result<(ActivationCode, UnixMillis), AppError> {
        let account = self.may_device(by, rights::Right::Secrets, device).await?.account;
        let site = self.store.site_of_device(device).await?;
        let issued = self.now();
        let expires = issued.plus_days(CODE_VALID_DAYS);
        for _ in 0..DRAWS {
            let code = ActivationCode::draw(&mut rand::rng());
            let digits = code.digits();
            let shown = self.vault.seal(&code_owner(device), &digits)?;
            let digest = self.vault.code_digest(&digits);
            let new = NewCode { device, digest: &digest, shown: &shown, issued, expires };
            let entry = self.audit_entry(by, format!("issued an activation code for {device}"), None);
            let entry = entry.about(&account, site.as_ref());
            match self.store.audited(entry).issue_code(&new).await {
                Ok(Ok(())) => return Ok((code, expires)),
                Ok(Err(refusal)) => return Err(self.code_refused(refusal, device)),
                Err(StoreError::Exists { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(AppError::Conflict {
            message: "three codes in a row were taken; look at the machine's random source".to_owned(),
        })
    }

    /// The device for which this code was issued, used or not; for those who may see codes.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn device_with_code(&self, text: &str, by: &Actor) -> Result<Option<DeviceView>, AppError> {
        let Ok(code) = ActivationCode::parse(text) else { return Ok(None) };
        if !by.role.may(rights::Right::Secrets) {
            return Ok(None);
        }
        let Some(device) = self.store.device_of_code(&self.vault.code_digest(&code.digits())).await? else {
            return Ok(None);
        };
        match self.device(&device, by).await {
            Ok(view) => Ok(Some(view)),
            Err(AppError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn code_refused(&self, refusal: CodeRefusal, device: &DeviceId) -> AppError {
        let (code, message) = match refusal {
            CodeRefusal::NoDevice => return AppError::NotFound { what: "device", name: device.to_string() },
            CodeRefusal::NoUser => ("owner-not-saved", "this device has no user; add it for a user, then issue a code"),
            CodeRefusal::Bound => ("device-has-phone", "this device has a phone already; it needs no code"),
            CodeRefusal::Barred => ("device-barred", "this device is disabled or quarantined; enable it first"),
        };
        AppError::Refused { code, message: message.to_owned(), reference: reference() }
    }

    /// Binds the phone `mac` to the device whose code this is: an administrator entered it.
    ///
    /// Nothing is counted for those who can read every code anyway. Entering the same code again for the same phone
    /// succeeds: the first answer may have been lost. A phone nobody claims may be activated from any scope, with a code
    /// of that scope; any other code is unknown there, and so is a phone that somebody else claims.
    ///
    /// # Errors
    /// [`AppError::Refused`] with the reason, which also stands on the phone's timeline with its reference,
    /// [`AppError::Forbidden`].
    pub async fn activate(&self, mac: MacAddr, code: &str, by: &Actor) -> Result<Activated, AppError> {
        by.has(rights::Right::Activate)?;
        let code = match ActivationCode::parse(code) {
            Ok(code) => code,
            Err(error) => {
                let word = if error == CodeError::CheckDigit { "code-mistyped" } else { "code-length" };
                return Err(self.refused_here(mac, (word, error.to_string())));
            }
        };
        let is_guess = !by.role.may(rights::Right::Secrets);
        let tried = by.from.filter(|_| is_guess).map(|from| Tried::Page { from });
        let door = Door { how: Claim::Code, tried, words: "by an administrator", audit: None };
        self.is_in_front_of(mac, by).await?;
        let entry = self.own_code(mac, &code, (by, door)).await?;
        self.try_code(mac, &code, Door { audit: entry.as_ref(), ..door }).await
    }

    /// Whether the phone is the actor's or nobody's.
    async fn is_in_front_of(&self, mac: MacAddr, by: &Actor) -> Result<(), AppError> {
        let claimants = self.store.claimants(mac).await?;
        if claimants.is_empty() || self.sees_phone(by, mac).await? {
            return Ok(());
        }
        for claimant in &claimants {
            if self.sees(by, &claimant.account, claimant.site.as_ref()).await? {
                return Err(self.refused_here(mac, ("phone-not-served", NOT_SERVED.to_owned())));
            }
        }
        Err(self.refused_here(mac, phone_unknown(mac)))
    }

    /// What the audit log will say, if the code is of a device the actor sees; another is refused as one that never was.
    async fn own_code(
        &self,
        mac: MacAddr,
        code: &ActivationCode,
        (by, door): (&Actor, Door<'_>),
    ) -> Result<Option<AuditEntry>, AppError> {
        if let Some(device) = self.store.device_of_code(&self.vault.code_digest(&code.digits())).await? {
            match self.may_device(by, rights::Right::Activate, &device).await {
                Ok(row) => {
                    let site = self.store.site_of_device(&device).await?;
                    let entry = self.audit_entry(by, format!("activated phone {mac} for {device} with its code"), None);
                    return Ok(Some(entry.about(&row.account, site.as_ref())));
                }
                Err(AppError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        } else if by.scope == rights::Scope::Platform {
            return Ok(None);
        }
        // It may have been here just now.
        self.recorder.flush().await;
        let Some(phone) = self.store.phone(mac).await? else {
            return Err(self.refused_here(mac, phone_unknown(mac)));
        };
        let again = match door.tried {
            Some(tried) => self.store.count_wrong_try(tried, self.now()).await?,
            None => None,
        };
        let refusal = again.map_or(ClaimRefusal::UnknownCode, |again| ClaimRefusal::TooManyTries { again });
        let words = self.refusal_words(&refusal, phone.model.as_deref());
        Err(self.claim_refused(mac, door, words).until(again))
    }

    /// Tries a code for a phone that is known by its MAC.
    pub(crate) async fn try_code(
        &self,
        mac: MacAddr,
        code: &ActivationCode,
        door: Door<'_>,
    ) -> Result<Activated, AppError> {
        self.recorder.flush().await;
        let Some(phone) = self.store.phone(mac).await? else {
            return Err(self.refused_here(mac, phone_unknown(mac)));
        };
        let Some(model) = phone.model.clone() else {
            let message = "the phone's model is not in the catalog".to_owned();
            return Err(self.claim_refused(mac, door, ("phone-model-unknown", message)));
        };
        let digest = self.vault.code_digest(&code.digits());
        let right = Right { by: ClaimBy::Code(&digest), how: door.how, tried: door.tried, audit: door.audit };
        match self.claim(mac, &model, right).await? {
            ClaimOutcome::Claimed(device) | ClaimOutcome::ClaimedBefore(device) => self.activated(&device, mac).await,
            ClaimOutcome::Refused(refusal) => {
                let words = self.refusal_words(&refusal, Some(&model));
                Err(self.claim_refused(mac, door, words).until(refusal.again()))
            }
        }
    }

    /// The device that a phone was activated for, with nothing in it that a role would have to hide.
    pub(crate) async fn activated(&self, device: &DeviceId, mac: MacAddr) -> Result<Activated, AppError> {
        let row = self.store.device(device).await?.ok_or(AppError::Interrupted)?;
        Ok(Activated { device: self.device_view(row, &Actor::of_server()).await?, mac })
    }

    /// Claims with fresh passwords; they are stored for good in the same step, before they are served.
    pub(crate) async fn claim(&self, mac: MacAddr, model: &str, right: Right<'_>) -> Result<ClaimOutcome, AppError> {
        let Right { by, how, tried, audit } = right;
        let rule = self.catalog.model(model).map(|model| model.admin_password.value.clone());
        let Some(rule) = rule else { return Err(AppError::NotFound { what: "model", name: model.to_owned() }) };
        let passwords = self.draw_passwords(mac, &rule).await?;
        let now = self.now();
        let event_id = locked(&self.event_ids).next(now);
        let by = match by {
            ClaimBy::Code(digest) => OwnedRight::Code(digest.to_vec()),
            ClaimBy::PreAssigned(device) => OwnedRight::PreAssigned(device.clone()),
        };
        let work = ClaimWork {
            by,
            mac,
            model: model.to_owned(),
            passwords,
            how,
            now,
            event_id,
            tried,
            audit: audit.cloned(),
            tell: sentence::claimed,
        };
        self.claims.done(work).await
    }

    /// The stable word of a refusal, and what to tell people; `model` is the phone's.
    pub(crate) fn refusal_words(&self, refusal: &ClaimRefusal, model: Option<&str>) -> (&'static str, String) {
        let name = |id: &str| self.catalog.model(id).map_or(id.to_owned(), |model| model.name.value.clone());
        match refusal {
            ClaimRefusal::UnknownCode => {
                ("code-unknown", "nobody has this activation code; compare it with the mail or the page".to_owned())
            }
            ClaimRefusal::Used => {
                ("code-used", "this activation code was used by another phone; issue a new one".to_owned())
            }
            ClaimRefusal::UsedUp => (
                "code-used",
                "this activation code was used for this phone, which was taken from its device since; issue a new one"
                    .to_owned(),
            ),
            ClaimRefusal::Voided => {
                ("code-replaced", "this activation code was replaced, or voided when the server was restored from a backup; use the newest one".to_owned())
            }
            ClaimRefusal::Expired(at) => {
                ("code-expired", format!("this activation code expired at {at}; issue a new one"))
            }
            ClaimRefusal::OtherModel { wanted } => (
                "code-other-model",
                format!(
                    "this activation code is for a {}, the phone is a {}",
                    name(wanted),
                    model.map_or("phone of unknown model".to_owned(), name)
                ),
            ),
            ClaimRefusal::NoUser => (
                "owner-not-saved",
                "the device of this code has no user any more; set one and issue a new code".to_owned(),
            ),
            ClaimRefusal::Barred => {
                (
                    "device-barred",
                    "the device of this code, or another that names this phone, is disabled or quarantined: enable it; or \
                     another phone took this one's place: let it in again on its page"
                        .to_owned(),
                )
            }
            ClaimRefusal::DeviceBound => ("device-has-phone", "the device of this code has a phone already".to_owned()),
            ClaimRefusal::PhoneBound => {
                ("phone-has-device", "this phone is bound to another device already".to_owned())
            }
            ClaimRefusal::TooManyTries { again } => (
                TOO_MANY_TRIES,
                format!("too many wrong activation codes were entered; the next one is looked at from {again} on"),
            ),
        }
    }

    /// The refusal of something that belongs on no timeline; its reference is found for a day.
    fn refused_here(&self, mac: MacAddr, (code, message): (&'static str, String)) -> AppError {
        let reference = reference();
        let entry = sentence::code_refused("by an administrator", code, &message, &reference);
        let address = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        self.note_refused(Noted { address, mac: Some(mac), entry, at: self.now() });
        AppError::Refused { code, message, reference }
    }

    /// The refusal with a reference that is also written on the phone's timeline.
    fn claim_refused(&self, mac: MacAddr, door: Door<'_>, (code, message): (&'static str, String)) -> AppError {
        let reference = reference();
        let entry = sentence::code_refused(door.words, code, &message, &reference);
        self.recorder.tell(mac, self.now(), entry, None);
        AppError::Refused { code, message, reference }
    }
}

fn phone_unknown(mac: MacAddr) -> (&'static str, String) {
    let message = format!("phone {mac} has not proved itself here yet; point it at this server and let it boot first");
    ("phone-unknown", message)
}

/// What a code's ciphertext belongs to.
pub(crate) fn code_owner(device: &DeviceId) -> String {
    format!("{device}/code")
}

/// What a phone password's ciphertext belongs to.
pub(crate) fn password_owner(mac: MacAddr, which: &str) -> String {
    format!("phone/{mac}/{which}")
}

pub(crate) fn draw_password(rule: &provost_catalog::PasswordRule) -> Secret {
    let alphabet: Vec<char> = rule.alphabet.chars().collect();
    let mut rng = rand::rng();
    let drawn = (0..rule.length).filter_map(|_| alphabet.get(rng.random_range(0..alphabet.len().max(1)))).collect();
    Secret::new(drawn)
}

/// A short word to find a refusal by: letters that sound unlike each other.
pub fn reference() -> String {
    const LETTERS: &[u8] = b"ABDEFGHJKLMNPQRTUWXY346789";
    let mut rng = rand::rng();
    let drawn: String = (0..6)
        .filter_map(|_| LETTERS.get(rng.random_range(0..LETTERS.len())))
        .map(|letter| char::from(*letter))
        .collect();
    format!("R-{drawn}")
}
