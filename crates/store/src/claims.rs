//! The claim: a phone and a device become one, exactly once.
//!
//! Code, binding, passwords and timeline are written in one transaction; whichever of two phones comes
//! second finds the code used (docs/THREATS.md, rules 8 and 9). Many claims share a transaction: each is judged by what
//! those before it left, and what is granted is written with few statements.

mod write;

use crate::rows::parsed;
use crate::sql::{Tx, query_as};
use crate::tries::{count, has_to_wait};
use crate::{AuditEntry, Store, StoreError};
use provost_core::ids::DeviceId;
use provost_core::mac::MacAddr;
use provost_core::sentence::{Claim, Entry};
use provost_core::time::UnixMillis;
use provost_core::tries::Tried;
use sqlx::FromRow;
use write::{Accepted, Granted};

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
    /// How.
    pub how: Claim,
    /// Now.
    pub now: UnixMillis,
    /// The id of the timeline entry that is written with the binding.
    pub event_id: &'a str,
    /// The entry of the audit log that is written with the binding, where an administrator did it.
    pub audit: Option<&'a AuditEntry>,
    /// Whose try of a code it is; `None` where nothing is guessed and nothing counted.
    pub tried: Option<Tried>,
    /// What that entry says, given the extension the device is for.
    pub tell: fn(Option<&str>, Claim, MacAddr) -> Entry,
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

/// Everything a claim depends on.
#[derive(FromRow)]
struct Claimed {
    device: String,
    model: String,
    person: Option<String>,
    extension: Option<String>,
    barred: Option<String>,
    bound_mac: Option<String>,
    expires_ms: Option<i64>,
    used_by: Option<String>,
    voided_ms: Option<i64>,
    elsewhere: Option<String>,
    set_aside: i64,
    files: i64,
}

impl Store {
    /// Binds a phone to a device, or says why not.
    pub async fn claim(&self, request: &ClaimRequest<'_>) -> Result<ClaimOutcome, StoreError> {
        let outcomes = self.claim_all(std::slice::from_ref(request)).await?;
        outcomes.into_iter().next().ok_or(StoreError::Missing { what: "outcome of a claim" })
    }

    /// The same of many, in their order and as one durable step: after an error nothing of any of them happened, or its
    /// answer was lost.
    pub async fn claim_all(&self, requests: &[ClaimRequest<'_>]) -> Result<Vec<ClaimOutcome>, StoreError> {
        let mut tx = self.begin().await?;
        let mut granted = Granted::default();
        let mut outcomes = Vec::with_capacity(requests.len());
        for request in requests {
            outcomes.push(judge(&mut tx, request, &mut granted).await?);
        }
        granted.write(&mut tx).await?;
        tx.commit().await?;
        Ok(outcomes)
    }
}

/// How one claim ends; a refusal writes nothing but the count of a wrong try.
async fn judge<'r>(
    tx: &mut Tx,
    request: &'r ClaimRequest<'r>,
    granted: &mut Granted<'r>,
) -> Result<ClaimOutcome, StoreError> {
    // Who is over the limit does not learn whether the code was right.
    if let Some(tried) = request.tried
        && let Some(again) = has_to_wait(tx, tried, request.now).await?
    {
        return Ok(ClaimOutcome::Refused(ClaimRefusal::TooManyTries { again }));
    }
    if granted.has_phone(request.mac) {
        granted.write(tx).await?;
    }
    let mut judged = device_claimed(tx, request).await?;
    if judged.as_ref().is_ok_and(|accepted| granted.has_device(&accepted.device)) {
        granted.write(tx).await?;
        judged = device_claimed(tx, request).await?;
    }
    match judged {
        Ok(accepted) => {
            let device = accepted.device.clone();
            granted.add(request, accepted);
            Ok(ClaimOutcome::Claimed(device))
        }
        Err(outcome) => {
            if let (ClaimOutcome::Refused(_), Some(tried)) = (&outcome, request.tried) {
                count(tx, tried, request.now).await?;
            }
            Ok(outcome)
        }
    }
}

/// The device a claim is for, all conditions checked inside the transaction; `Err` is how it ends
/// else.
async fn device_claimed(tx: &mut Tx, request: &ClaimRequest<'_>) -> Result<Result<Accepted, ClaimOutcome>, StoreError> {
    // In one statement: a crowd of claims is as fast as there are few of them.
    const SQL: &str = "SELECT d.id AS device, d.model, d.person, u.extension, d.barred, b.mac AS bound_mac, \
                       c.expires_ms, c.used_by, c.voided_ms, \
                       (SELECT device FROM bindings WHERE mac = $1) AS elsewhere, \
                       (SELECT COUNT(*) FROM set_aside_phones WHERE mac = $1) \
                       + (SELECT COUNT(*) FROM devices o LEFT JOIN bindings p ON p.device = o.id \
                          WHERE o.mac = $1 AND o.barred IS NOT NULL AND p.device IS NULL) AS set_aside, \
                       (SELECT COUNT(*) FROM uploads WHERE mac = $1) \
                       + (SELECT COUNT(*) FROM device_uploads e WHERE e.device = d.id) AS files \
                       FROM devices d LEFT JOIN bindings b ON b.device = d.id LEFT JOIN persons u ON u.id = d.person \
                       LEFT JOIN codes c ON c.digest = $3 \
                       WHERE d.id = COALESCE((SELECT device FROM codes WHERE digest = $3), $2)";
    let phone = request.mac.to_string();
    let (named, digest): (&str, &[u8]) = match request.by {
        ClaimBy::PreAssigned(device) => (device.as_str(), &[]),
        ClaimBy::Code(digest) => ("", digest),
    };
    let row: Option<Claimed> = query_as(SQL).bind(&phone).bind(named).bind(digest).fetch_optional(&mut *tx).await?;
    let Some(row) = row else {
        return match request.by {
            ClaimBy::Code(_) => Ok(Err(ClaimOutcome::Refused(ClaimRefusal::UnknownCode))),
            ClaimBy::PreAssigned(_) => Err(StoreError::Missing { what: "device" }),
        };
    };
    let device: DeviceId = parsed("devices.id", &row.device)?;
    let is_bound_here = row.bound_mac.as_deref() == Some(phone.as_str());
    let refusal = match &row {
        Claimed { used_by: Some(by), .. } if *by == phone && is_bound_here => {
            return Ok(Err(ClaimOutcome::ClaimedBefore(device)));
        }
        Claimed { used_by: Some(by), .. } if *by == phone => ClaimRefusal::UsedUp,
        Claimed { used_by: Some(_), .. } => ClaimRefusal::Used,
        Claimed { voided_ms: Some(_), .. } => ClaimRefusal::Voided,
        Claimed { expires_ms: Some(at), .. } if request.now.0 >= *at => ClaimRefusal::Expired(UnixMillis(*at)),
        _ if is_bound_here => return Ok(Err(ClaimOutcome::ClaimedBefore(device))),
        Claimed { barred: Some(_), .. } => ClaimRefusal::Barred,
        Claimed { bound_mac: Some(_), .. } => ClaimRefusal::DeviceBound,
        Claimed { person: None, .. } => ClaimRefusal::NoUser,
        Claimed { model, .. } if model != request.model => ClaimRefusal::OtherModel { wanted: row.model },
        Claimed { elsewhere: Some(_), .. } => ClaimRefusal::PhoneBound,
        // A phone that is set aside under one device is not to be had under another.
        Claimed { set_aside: 1.., .. } => ClaimRefusal::Barred,
        _ => return Ok(Ok(Accepted { device, extension: row.extension, has_files: row.files > 0 })),
    };
    Ok(Err(ClaimOutcome::Refused(refusal)))
}
