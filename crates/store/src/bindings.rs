//! The claim: a phone and a device become one, exactly once.
//!
//! Code, binding, passwords and timeline are written in one transaction; whichever of two phones comes
//! second finds the code used (docs/THREATS.md, rules 8 and 9).

use crate::awaited::wait_for;
use crate::codes::void_open_code;
use crate::configuration::accounts_of;
use crate::passwords::{NewPasswords, keep_passwords};
use crate::rows::{mac, parsed, unreadable};
use crate::sql::{Tx, query, query_as, query_scalar};
use crate::timeline::{NewEvent, add_event};
use crate::tries::{count, has_to_wait};
use crate::{AuditEntry, Store, StoreError};
use provost_core::facts::Pin;
use provost_core::ids::{AccountId, DeviceId};
use provost_core::mac::MacAddr;
use provost_core::sentence::Entry;
use provost_core::time::UnixMillis;
use provost_core::tries::Tried;
use sqlx::FromRow;

/// By what right a phone is claimed.
#[derive(Debug, Clone, Copy)]
pub enum ClaimBy<'a> {
    /// Somebody entered a code with this keyed hash.
    Code(&'a [u8]),
    /// Its MAC was entered with the device.
    PreAssigned(&'a DeviceId),
}

/// A claim with all that is stored if it succeeds.
#[derive(Clone)]
pub struct ClaimRequest<'a> {
    /// By what right.
    pub by: ClaimBy<'a>,
    /// The phone.
    pub mac: MacAddr,
    /// What model the phone is, by the catalog's id.
    pub model: &'a str,
    /// Its new administrator password, encrypted.
    pub admin_password: &'a [u8],
    /// Its new user password, encrypted.
    pub user_password: &'a [u8],
    /// Keyed hash of its new administrator password.
    pub admin_digest: &'a [u8],
    /// How, for the record.
    pub how: &'a str,
    /// Now.
    pub now: UnixMillis,
    /// The id of the timeline entry that is written with the binding.
    pub event_id: &'a str,
    /// The entry of the audit log that is written with the binding, where an administrator did it.
    pub audit: Option<&'a AuditEntry>,
    /// Whose try of a code it is; `None` where nothing is guessed and nothing counted.
    pub tried: Option<Tried>,
    /// What that entry says, given the extension the device is for.
    pub tell: &'a (dyn Fn(Option<&str>) -> Entry + Sync),
}

/// How a claim ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// Bound just now.
    Claimed(DeviceId),
    /// Bound before, by the same phone and code: the caller lost the first answer.
    ClaimedBefore(DeviceId),
    /// Not bound.
    Refused(ClaimRefusal),
}

/// Why a claim was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimRefusal {
    /// No code has this hash.
    UnknownCode,
    /// Another phone used it.
    Used,
    /// This phone used it, and was taken from its device since.
    UsedUp,
    /// A newer code of the device replaced it.
    Voided,
    /// Too old.
    Expired(UnixMillis),
    /// The device is of another model.
    OtherModel {
        /// The device's model.
        wanted: String,
    },
    /// The device has no user.
    NoUser,
    /// The device is disabled or quarantined.
    Barred,
    /// The device has a phone.
    DeviceBound,
    /// The phone has a device.
    PhoneBound,
    /// Too many wrong codes: nobody looked whether this one is right.
    TooManyTries {
        /// When the next one is looked at.
        again: UnixMillis,
    },
}

impl ClaimRefusal {
    /// When the same try may be made again, where that is a matter of time.
    pub const fn again(&self) -> Option<UnixMillis> {
        match self {
            Self::TooManyTries { again } => Some(*again),
            _ => None,
        }
    }
}

/// A bound device as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundRow {
    /// The device.
    pub device: DeviceId,
    /// Its model.
    pub model: String,
    /// The accounts it is in, from the top down to its own.
    pub accounts: Vec<AccountId>,
    /// Its user's id.
    pub user: Option<String>,
    /// The id of the pair of passwords in its configuration.
    pub passwords: String,
    /// Administrator password, encrypted.
    pub admin_password: Vec<u8>,
    /// User password, encrypted.
    pub user_password: Vec<u8>,
    /// The decision on pinning.
    pub pin: Pin,
}

#[derive(FromRow)]
struct CodeState {
    device: String,
    expires_ms: i64,
    used_by: Option<String>,
    voided_ms: Option<i64>,
}

#[derive(FromRow)]
struct BoundColumns {
    id: String,
    model: String,
    path: String,
    person: Option<String>,
    passwords: String,
    admin_password: Vec<u8>,
    user_password: Vec<u8>,
    pin: Option<String>,
    pin_address: Option<String>,
}

#[derive(FromRow)]
struct DeviceForClaim {
    model: String,
    person: Option<String>,
    barred: Option<String>,
    bound_mac: Option<String>,
}

impl Store {
    /// Binds a phone to a device, or says why not.
    pub async fn claim(&self, request: &ClaimRequest<'_>) -> Result<ClaimOutcome, StoreError> {
        let mut tx = self.begin().await?;
        let device = match device_claimed_in_time(&mut tx, request).await? {
            Ok(device) => device,
            Err(outcome) => {
                // What is written here is the count of a wrong try, if anything.
                tx.commit().await?;
                return Ok(outcome);
            }
        };
        bind_phone(&mut tx, request, &device).await?;
        if let ClaimBy::Code(digest) = request.by {
            const USE: &str = "UPDATE codes SET used_by = $2, used_ms = $3 WHERE digest = $1 AND used_by IS NULL AND voided_ms IS NULL";
            let used =
                query(USE).bind(digest).bind(request.mac.to_string()).bind(request.now.0).execute(&mut tx).await?;
            if used != 1 {
                return Ok(ClaimOutcome::Refused(ClaimRefusal::Used));
            }
        } else {
            void_open_code(&mut tx, &device, request.now).await?;
        }
        wait_for(&mut tx, request.mac, request.now).await?;
        tell(&mut tx, request, &device).await?;
        if let Some(entry) = request.audit {
            crate::audit::write(&mut tx, entry).await?;
        }
        tx.commit().await?;
        Ok(ClaimOutcome::Claimed(device))
    }

    /// What the configuration of a bound phone starts from.
    pub async fn bound(&self, of: MacAddr) -> Result<Option<BoundRow>, StoreError> {
        const SQL: &str = "SELECT d.id, d.model, a.path, d.person, b.passwords, w.admin_password, w.user_password, b.pin, b.pin_address \
                           FROM bindings b JOIN devices d ON d.id = b.device \
                           JOIN accounts a ON a.id = d.account JOIN phone_passwords w ON w.id = b.passwords \
                           WHERE b.mac = $1";
        let row: Option<BoundColumns> = query_as(SQL).bind(of.to_string()).fetch_optional(&self.read).await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(BoundRow {
            device: parsed("devices.id", &row.id)?,
            model: row.model,
            accounts: accounts_of(&row.path)?,
            user: row.person,
            passwords: row.passwords,
            admin_password: row.admin_password,
            user_password: row.user_password,
            pin: read_pin(row.pin.as_deref(), row.pin_address)?,
        }))
    }

    /// Keeps the first decision on pinning and returns the one that stands.
    ///
    /// The timeline entry is written with it: neither can be lost without the other.
    pub async fn decide_pin(&self, of: MacAddr, decision: &Pin, event: &NewEvent) -> Result<Pin, StoreError> {
        const SQL: &str = "UPDATE bindings SET pin = $2, pin_address = $3 WHERE mac = $1 AND pin IS NULL";
        let (Some(word), Some(address)) = pin_columns(decision) else { return Ok(Pin::Undecided) };
        let mut tx = self.begin().await?;
        let done = query(SQL).bind(of.to_string()).bind(word).bind(address).execute(&mut tx).await?;
        if done == 1 {
            add_event(&mut tx, event).await?;
            tx.commit().await?;
            return Ok(decision.clone());
        }
        let standing = self.bound(of).await?.ok_or(StoreError::Missing { what: "binding" })?;
        Ok(standing.pin)
    }

    /// The device that a code was issued for.
    pub async fn device_of_code(&self, digest: &[u8]) -> Result<Option<DeviceId>, StoreError> {
        const SQL: &str = "SELECT device FROM codes WHERE digest = $1";
        let text: Option<String> = query_scalar(SQL).bind(digest).fetch_optional(&self.read).await?;
        text.as_deref().map(|text| parsed("codes.device", text)).transpose()
    }

    /// The phone bound to a device.
    pub async fn phone_of(&self, device: &DeviceId) -> Result<Option<MacAddr>, StoreError> {
        const SQL: &str = "SELECT mac FROM bindings WHERE device = $1";
        let text: Option<String> = query_scalar(SQL).bind(device.as_str()).fetch_optional(&self.read).await?;
        text.as_deref().map(mac).transpose()
    }
}

fn read_pin(pin: Option<&str>, address: Option<String>) -> Result<Pin, StoreError> {
    let address = address.unwrap_or_default();
    match pin {
        None => Ok(Pin::Undecided),
        Some("pinned") => Ok(Pin::Pinned { authority: address }),
        Some("left-alone") => Ok(Pin::LeftAlone { came_in_at: address }),
        Some(other) => Err(unreadable("bindings.pin", other)),
    }
}

/// A pin as its two columns hold it.
pub(crate) fn pin_columns(pin: &Pin) -> (Option<&str>, Option<&str>) {
    match pin {
        Pin::Undecided => (None, None),
        Pin::Pinned { authority } => (Some("pinned"), Some(authority)),
        Pin::LeftAlone { came_in_at } => (Some("left-alone"), Some(came_in_at)),
    }
}

/// As [`device_claimed`], within the limits of tries: who is over them does not learn whether the code was right.
async fn device_claimed_in_time(
    tx: &mut Tx,
    request: &ClaimRequest<'_>,
) -> Result<Result<DeviceId, ClaimOutcome>, StoreError> {
    let Some(tried) = request.tried else { return device_claimed(tx, request).await };
    if let Some(again) = has_to_wait(tx, tried, request.now).await? {
        return Ok(Err(ClaimOutcome::Refused(ClaimRefusal::TooManyTries { again })));
    }
    let claimed = device_claimed(tx, request).await?;
    if matches!(claimed, Err(ClaimOutcome::Refused(_))) {
        count(tx, tried, request.now).await?;
    }
    Ok(claimed)
}

/// The device a claim is for, all conditions checked inside the transaction; `Err` is how it ends else.
async fn device_claimed(tx: &mut Tx, request: &ClaimRequest<'_>) -> Result<Result<DeviceId, ClaimOutcome>, StoreError> {
    const DEVICE: &str = "SELECT d.model, d.person, d.barred, b.mac AS bound_mac FROM devices d \
                          LEFT JOIN bindings b ON b.device = d.id WHERE d.id = $1";
    const BARRED: &str = "SELECT (SELECT COUNT(*) FROM set_aside_phones WHERE mac = $1) \
                          + (SELECT COUNT(*) FROM devices d LEFT JOIN bindings b ON b.device = d.id \
                             WHERE d.mac = $1 AND d.barred IS NOT NULL AND b.device IS NULL)";
    let refused = |why| Ok(Err(ClaimOutcome::Refused(why)));
    let phone = request.mac.to_string();
    let device = match request.by {
        ClaimBy::PreAssigned(device) => device.clone(),
        ClaimBy::Code(digest) => match code_state(tx, digest).await? {
            None => return refused(ClaimRefusal::UnknownCode),
            Some(code) => {
                let device: DeviceId = parsed("codes.device", &code.device)?;
                match (&code.used_by, code.voided_ms) {
                    (Some(used_by), _) if *used_by == phone => {
                        let is_bound = bound_device(tx, &phone).await?.as_deref() == Some(device.as_str());
                        let before = ClaimOutcome::ClaimedBefore(device);
                        return Ok(Err(if is_bound { before } else { ClaimOutcome::Refused(ClaimRefusal::UsedUp) }));
                    }
                    (Some(_), _) => return refused(ClaimRefusal::Used),
                    (None, Some(_)) => return refused(ClaimRefusal::Voided),
                    (None, None) if request.now.0 >= code.expires_ms => {
                        return refused(ClaimRefusal::Expired(UnixMillis(code.expires_ms)));
                    }
                    (None, None) => device,
                }
            }
        },
    };
    let row: Option<DeviceForClaim> = query_as(DEVICE).bind(device.as_str()).fetch_optional(&mut *tx).await?;
    let Some(row) = row else { return Err(StoreError::Missing { what: "device" }) };
    let elsewhere = bound_device(tx, &phone).await?;
    let barred: i64 = query_scalar(BARRED).bind(&phone).fetch_one(&mut *tx).await?;
    if row.bound_mac.as_deref() == Some(phone.as_str()) {
        return Ok(Err(ClaimOutcome::ClaimedBefore(device)));
    }
    let refusal = match row {
        DeviceForClaim { barred: Some(_), .. } => Some(ClaimRefusal::Barred),
        DeviceForClaim { bound_mac: Some(_), .. } => Some(ClaimRefusal::DeviceBound),
        DeviceForClaim { person: None, .. } => Some(ClaimRefusal::NoUser),
        DeviceForClaim { model, .. } if model != request.model => Some(ClaimRefusal::OtherModel { wanted: model }),
        _ if elsewhere.is_some() => Some(ClaimRefusal::PhoneBound),
        // A phone that is set aside under one device is not to be had under another.
        _ if barred > 0 => Some(ClaimRefusal::Barred),
        _ => None,
    };
    Ok(refusal.map_or(Ok(device), |why| Err(ClaimOutcome::Refused(why))))
}

async fn bound_device(tx: &mut Tx, phone: &str) -> Result<Option<String>, StoreError> {
    const SQL: &str = "SELECT device FROM bindings WHERE mac = $1";
    Ok(query_scalar(SQL).bind(phone).fetch_optional(&mut *tx).await?)
}

/// Binds the phone with its new passwords, and gives it what was changed on the device's phone before it.
async fn bind_phone(tx: &mut Tx, request: &ClaimRequest<'_>, device: &DeviceId) -> Result<(), StoreError> {
    const BIND: &str = "INSERT INTO bindings (device, mac, how, bound_ms, passwords) VALUES ($1, $2, $3, $4, $5)";
    let phone = request.mac.to_string();
    query(BIND)
        .bind(device.as_str())
        .bind(&phone)
        .bind(request.how)
        .bind(request.now.0)
        .bind(request.event_id)
        .execute(&mut *tx)
        .await?;
    let passwords = NewPasswords {
        id: request.event_id,
        admin: request.admin_password,
        user: request.user_password,
        admin_digest: request.admin_digest,
        made: request.now,
    };
    keep_passwords(tx, (device, request.mac), &passwords).await?;
    begin_with(tx, device, &phone, request.now).await
}

/// A device begins with a phone: it is on the device's record, what another device's user left on it here goes, and
/// what this device's user had changed comes.
pub(crate) async fn begin_with(tx: &mut Tx, device: &DeviceId, phone: &str, now: UnixMillis) -> Result<(), StoreError> {
    const GONE: &str = "DELETE FROM uploads WHERE mac = $1 \
                        AND EXISTS (SELECT 1 FROM device_phones p WHERE p.mac = $1 AND p.device <> $2)";
    const RECORD: &str = "INSERT INTO device_phones (device, mac, bound_ms) VALUES ($1, $2, $3)";
    const COME: &str = "INSERT INTO uploads (mac, name, bytes, updated_ms) \
                        SELECT $2, $2 || ending, bytes, updated_ms FROM device_uploads WHERE device = $1 \
                        ON CONFLICT (mac, name) DO NOTHING";
    const CARRIED: &str = "DELETE FROM device_uploads WHERE device = $1";
    query(GONE).bind(phone).bind(device.as_str()).execute(&mut *tx).await?;
    query(RECORD).bind(device.as_str()).bind(phone).bind(now.0).execute(&mut *tx).await?;
    query(COME).bind(device.as_str()).bind(phone).execute(&mut *tx).await?;
    query(CARRIED).bind(device.as_str()).execute(&mut *tx).await?;
    Ok(())
}

/// Writes the timeline entry of the claim beside the binding: neither can be lost without the other.
async fn tell(tx: &mut Tx, request: &ClaimRequest<'_>, device: &DeviceId) -> Result<(), StoreError> {
    const WHO: &str = "SELECT u.extension FROM devices d JOIN persons u ON u.id = d.person WHERE d.id = $1";
    let extension: Option<String> = query_scalar(WHO).bind(device.as_str()).fetch_optional(&mut *tx).await?;
    let entry = (request.tell)(extension.as_deref());
    let event = NewEvent { id: request.event_id.to_owned(), mac: request.mac, at: request.now, entry, contact: None };
    add_event(tx, &event).await
}

async fn code_state(tx: &mut Tx, digest: &[u8]) -> Result<Option<CodeState>, StoreError> {
    const CODE: &str = "SELECT device, expires_ms, used_by, voided_ms FROM codes WHERE digest = $1";
    Ok(query_as(CODE).bind(digest).fetch_optional(&mut *tx).await?)
}
