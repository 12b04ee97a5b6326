//! Activation codes: issued from saved state only, one open code a device.

use crate::sql::{Tx, query, query_as};
use crate::{Audited, Store, StoreError};
use provost_core::ids::DeviceId;
use provost_core::time::UnixMillis;

/// A code to be issued.
#[derive(Debug, Clone)]
pub struct NewCode<'a> {
    /// For which device.
    pub device: &'a DeviceId,
    /// Keyed hash of the digits.
    pub digest: &'a [u8],
    /// The digits, encrypted.
    pub shown: &'a [u8],
    /// Now.
    pub issued: UnixMillis,
    /// When it stops working.
    pub expires: UnixMillis,
}

/// Why no code was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeRefusal {
    /// There is no such device.
    NoDevice,
    /// No user is set.
    NoUser,
    /// It is bound already.
    Bound,
    /// It is disabled or quarantined.
    Barred,
}

impl Store {
    /// Issues a code and voids the device's open one, in one step.
    pub async fn issue_code(&self, code: &NewCode<'_>) -> Result<Result<(), CodeRefusal>, StoreError> {
        let mut tx = self.begin().await?;
        if let Err(refusal) = issue(&mut tx, code).await? {
            return Ok(Err(refusal));
        }
        tx.commit().await?;
        Ok(Ok(()))
    }
}

impl Audited<'_> {
    /// As [`Store::issue_code`].
    pub async fn issue_code(self, code: &NewCode<'_>) -> Result<Result<(), CodeRefusal>, StoreError> {
        let mut tx = self.begin().await?;
        if let Err(refusal) = issue(&mut tx, code).await? {
            return Ok(Err(refusal));
        }
        self.commit(tx).await?;
        Ok(Ok(()))
    }
}

pub(crate) async fn issue(tx: &mut Tx, code: &NewCode<'_>) -> Result<Result<(), CodeRefusal>, StoreError> {
    const DEVICE: &str = "SELECT d.person IS NOT NULL, d.barred IS NOT NULL, b.device IS NOT NULL \
                          FROM devices d LEFT JOIN bindings b ON b.device = d.id WHERE d.id = $1";
    const ADD: &str = "INSERT INTO codes (digest, device, shown, issued_ms, expires_ms) VALUES ($1, $2, $3, $4, $5)";
    let device: Option<(bool, bool, bool)> =
        query_as(DEVICE).bind(code.device.as_str()).fetch_optional(&mut *tx).await?;
    match device {
        None => return Ok(Err(CodeRefusal::NoDevice)),
        Some((_, _, true)) => return Ok(Err(CodeRefusal::Bound)),
        Some((_, true, _)) => return Ok(Err(CodeRefusal::Barred)),
        Some((false, _, _)) => return Ok(Err(CodeRefusal::NoUser)),
        Some((true, false, false)) => {}
    }
    void_open_code(tx, code.device, code.issued).await?;
    query(ADD)
        .bind(code.digest)
        .bind(code.device.as_str())
        .bind(code.shown)
        .bind(code.issued.0)
        .bind(code.expires.0)
        .execute(&mut *tx)
        .await
        .map_err(|error| StoreError::of_insert(error, "this code", "device"))?;
    Ok(Ok(()))
}

/// The device's open code, if it has one, works no more.
pub(crate) async fn void_open_code(tx: &mut Tx, device: &DeviceId, now: UnixMillis) -> Result<(), StoreError> {
    const VOID: &str = "UPDATE codes SET voided_ms = $2 WHERE device = $1 AND used_by IS NULL AND voided_ms IS NULL";
    query(VOID).bind(device.as_str()).bind(now.0).execute(&mut *tx).await?;
    Ok(())
}
