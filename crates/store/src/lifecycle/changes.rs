//! The changes themselves.

use super::{ChangeRefusal, Changed, DeviceChange, Ended, Found, Restored, Swap, Which, not_free};
use crate::bindings::begin_with;
use crate::codes::{issue, void_open_code};
use crate::devices::Bar;
use crate::rows::mac;
use crate::sql::{Tx, query, query_as, query_scalar};
use crate::timeline::{NewEvent, add_event};
use crate::{Audited, CodeRefusal, StoreError};
use provost_core::ids::{DeviceId, UserId};
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use sqlx::FromRow;

/// A released device and all that is needed to have it back.
#[derive(FromRow)]
struct Released {
    account: String,
    model: String,
    person: Option<String>,
    named_mac: Option<String>,
    barred: Option<String>,
    created_ms: i64,
    released_ms: i64,
    removed_ms: Option<i64>,
    mac: Option<String>,
    how: Option<String>,
    passwords: Option<String>,
    pin: Option<String>,
    pin_address: Option<String>,
}

impl Audited<'_> {
    /// Sets the user of a device, bound or not; a code that was meant for another user works no more. Returns its phone.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such device or user.
    pub async fn move_device(self, change: DeviceChange<'_>, user: &UserId, which: Which) -> Changed<Option<MacAddr>> {
        const SQL: &str = "UPDATE devices SET person = $2 WHERE id = $1";
        let mut tx = self.begin().await?;
        let found = Found::read(&mut tx, change.device).await?;
        if let Some(at) = found.released_ms {
            return Ok(Err(ChangeRefusal::Released(UnixMillis(at))));
        }
        if which == Which::Unbound && found.mac.is_some() {
            return Ok(Err(ChangeRefusal::HasPhone));
        }
        if found.person.as_deref() != Some(user.as_str()) {
            void_open_code(&mut tx, change.device, change.now).await?;
        }
        query(SQL)
            .bind(change.device.as_str())
            .bind(user.as_str())
            .execute(&mut tx)
            .await
            .map_err(|error| StoreError::of_insert(error, "device", "user"))?;
        let phone = found.phone()?;
        if let Some(phone) = phone {
            change.tell(&mut tx, phone).await?;
        }
        self.commit(tx).await?;
        Ok(Ok(phone))
    }

    /// Puts a device back to stock: it has no user and no phone. Returns the phone it had.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such device.
    pub async fn unassign_device(self, change: DeviceChange<'_>) -> Changed<Option<MacAddr>> {
        const SQL: &str = "UPDATE devices SET person = NULL WHERE id = $1";
        let mut tx = self.begin().await?;
        let found = Found::read(&mut tx, change.device).await?;
        if let Some(at) = found.released_ms {
            return Ok(Err(ChangeRefusal::Released(UnixMillis(at))));
        }
        let phone = let_go(&mut tx, change, &found, Ended::Unassigned).await?;
        query(SQL).bind(change.device.as_str()).execute(&mut tx).await?;
        self.commit(tx).await?;
        Ok(Ok(phone))
    }

    /// Takes a device's phone away for another: the old one is set aside, the new one comes by its MAC or by a code.
    /// Returns the old one.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such device, [`StoreError::Exists`] when the code is taken.
    pub async fn swap_device(self, change: DeviceChange<'_>, swap: Swap<'_>) -> Changed<MacAddr> {
        const ASIDE: &str = "INSERT INTO set_aside_phones (mac, device, account, since_ms) VALUES ($1, $2, $3, $4)";
        const NAME: &str = "UPDATE devices SET mac = $2, barred = NULL WHERE id = $1";
        let mut tx = self.begin().await?;
        let found = Found::read(&mut tx, change.device).await?;
        let old = match (found.released_ms, found.phone()?) {
            (Some(at), _) => return Ok(Err(ChangeRefusal::Released(UnixMillis(at)))),
            (None, None) => return Ok(Err(ChangeRefusal::NoPhone)),
            (None, Some(_)) if found.is_barred_as(Bar::Disabled)? => return Ok(Err(ChangeRefusal::Disabled)),
            (None, Some(_)) if found.person.is_none() => return Ok(Err(ChangeRefusal::NoUser)),
            (None, Some(old)) if swap.mac == Some(old) => return Ok(Err(ChangeRefusal::SamePhone)),
            (None, Some(old)) => old,
        };
        if let Some(new) = swap.mac
            && let Some(refusal) = not_free(&mut tx, change.device, (&found.account, new)).await?
        {
            return Ok(Err(refusal));
        }
        let_go(&mut tx, change, &found, Ended::Swapped).await?;
        query(ASIDE)
            .bind(old.to_string())
            .bind(change.device.as_str())
            .bind(&found.account)
            .bind(change.now.0)
            .execute(&mut tx)
            .await?;
        // Whatever quarantined the device was about the phone that is set aside now.
        query(NAME).bind(change.device.as_str()).bind(swap.mac.map(|mac| mac.to_string())).execute(&mut tx).await?;
        if let Some(code) = swap.code
            && let Err(refusal) = issue(&mut tx, code).await?
        {
            return Ok(Err(of_code(refusal)));
        }
        self.commit(tx).await?;
        Ok(Ok(old))
    }

    /// Releases a device: its phone is anybody's, and what it was stays for a restore. Returns the phone it had.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such device.
    pub async fn release_device(self, change: DeviceChange<'_>) -> Changed<Option<MacAddr>> {
        const SQL: &str = "UPDATE devices SET person = NULL, mac = NULL, barred = NULL, released_ms = $2 WHERE id = $1";
        let mut tx = self.begin().await?;
        let found = Found::read(&mut tx, change.device).await?;
        if let Some(at) = found.released_ms {
            return Ok(Err(ChangeRefusal::Released(UnixMillis(at))));
        }
        remember(&mut tx, change.device, &found, change.now).await?;
        let phone = let_go(&mut tx, change, &found, Ended::Released).await?;
        query(SQL).bind(change.device.as_str()).bind(change.now.0).execute(&mut tx).await?;
        self.commit(tx).await?;
        Ok(Ok(phone))
    }

    /// Removes a device that was released, or never had a phone; its passwords and the record of its phones stay.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such device.
    pub async fn remove_device(self, change: DeviceChange<'_>) -> Changed<()> {
        const HAD: &str = "SELECT COUNT(*) FROM device_phones WHERE device = $1";
        const REMOVED: &str = "UPDATE releases SET removed_ms = $2 WHERE device = $1";
        const CODES: &str = "DELETE FROM codes WHERE device = $1";
        const EXCEPTIONS: &str = "DELETE FROM exceptions WHERE device = $1";
        const RING: &str = "DELETE FROM firmware_rings WHERE device = $1";
        const FIRMWARE: &str = "DELETE FROM firmware_now WHERE device = $1";
        const DEVICE: &str = "DELETE FROM devices WHERE id = $1";
        let mut tx = self.begin().await?;
        let found = Found::read(&mut tx, change.device).await?;
        let had: i64 = query_scalar(HAD).bind(change.device.as_str()).fetch_one(&mut tx).await?;
        if found.released_ms.is_none() {
            if had > 0 {
                return Ok(Err(ChangeRefusal::StillKept));
            }
            remember(&mut tx, change.device, &found, change.now).await?;
        }
        query(REMOVED).bind(change.device.as_str()).bind(change.now.0).execute(&mut tx).await?;
        for sql in [CODES, EXCEPTIONS, RING, FIRMWARE, DEVICE] {
            query(sql).bind(change.device.as_str()).execute(&mut tx).await?;
        }
        self.commit(tx).await?;
        Ok(Ok(()))
    }

    /// Has a device back as it was when it was released, if that was after `earliest`; `user` instead of the one it
    /// had.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such device or user.
    pub async fn restore_device(
        self,
        change: DeviceChange<'_>,
        user: Option<&UserId>,
        earliest: UnixMillis,
    ) -> Changed<Restored> {
        const FORGET: &str = "DELETE FROM releases WHERE device = $1";
        let mut tx = self.begin().await?;
        let row = released(&mut tx, change.device).await?;
        let Some(row) = row else {
            Found::read(&mut tx, change.device).await?;
            return Ok(Err(ChangeRefusal::NotReleased));
        };
        if row.released_ms < earliest.0 {
            return Ok(Err(ChangeRefusal::TooLate { released: UnixMillis(row.released_ms) }));
        }
        let person = user.map(UserId::as_str).or(row.person.as_deref());
        if let Some(person) = person
            && !is_there(&mut tx, person).await?
        {
            return Ok(Err(ChangeRefusal::UserGone));
        }
        for phone in [&row.mac, &row.named_mac].into_iter().flatten() {
            if let Some(refusal) = not_free(&mut tx, change.device, (&row.account, mac(phone)?)).await? {
                return Ok(Err(refusal));
            }
        }
        bring_back(&mut tx, change.device, &row, person).await?;
        let restored = rebind(&mut tx, change, &row).await?;
        query(FORGET).bind(change.device.as_str()).execute(&mut tx).await?;
        if let Some(phone) = restored.phone {
            change.tell(&mut tx, phone).await?;
        }
        self.commit(tx).await?;
        Ok(Ok(restored))
    }

    /// Lets a phone in again that was set aside; whether it was.
    pub async fn readmit_phone(self, event: &NewEvent) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM set_aside_phones WHERE mac = $1";
        let mut tx = self.begin().await?;
        let done = query(SQL).bind(event.mac.to_string()).execute(&mut tx).await?;
        if done == 0 {
            tx.rollback().await?;
            return Ok(false);
        }
        add_event(&mut tx, event).await?;
        self.commit(tx).await?;
        Ok(true)
    }
}

fn of_code(refusal: CodeRefusal) -> ChangeRefusal {
    match refusal {
        CodeRefusal::NoDevice | CodeRefusal::Bound => ChangeRefusal::NoPhone,
        CodeRefusal::NoUser => ChangeRefusal::NoUser,
        CodeRefusal::Barred => ChangeRefusal::Disabled,
    }
}

/// Ends all that ties a device to a phone, and tells the phone it had.
async fn let_go(
    tx: &mut Tx,
    change: DeviceChange<'_>,
    found: &Found,
    how: Ended,
) -> Result<Option<MacAddr>, StoreError> {
    void_open_code(tx, change.device, change.now).await?;
    change.revoke_exceptions(tx).await?;
    let phone = found.phone()?;
    if let Some(phone) = phone {
        change.end(tx, phone, how).await?;
        change.tell(tx, phone).await?;
    }
    Ok(phone)
}

/// Writes down what a device was, for a restore.
async fn remember(tx: &mut Tx, device: &DeviceId, found: &Found, now: UnixMillis) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO releases (device, account, model, person, site, named_mac, barred, created_ms, \
                       released_ms, mac, how, passwords, pin, pin_address) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    query(SQL)
        .bind(device.as_str())
        .bind(&found.account)
        .bind(&found.model)
        .bind(&found.person)
        .bind(&found.site)
        .bind(&found.named_mac)
        .bind(&found.barred)
        .bind(found.created_ms)
        .bind(now.0)
        .bind(&found.mac)
        .bind(&found.how)
        .bind(&found.passwords)
        .bind(&found.pin)
        .bind(&found.pin_address)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

async fn released(tx: &mut Tx, device: &DeviceId) -> Result<Option<Released>, StoreError> {
    const SQL: &str = "SELECT account, model, person, named_mac, barred, created_ms, released_ms, removed_ms, mac, how, \
                       passwords, pin, pin_address FROM releases WHERE device = $1";
    Ok(query_as(SQL).bind(device.as_str()).fetch_optional(&mut *tx).await?)
}

async fn is_there(tx: &mut Tx, person: &str) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT COUNT(*) FROM persons WHERE id = $1";
    let count: i64 = query_scalar(SQL).bind(person).fetch_one(&mut *tx).await?;
    Ok(count > 0)
}

/// The device's own entry, as it was.
async fn bring_back(tx: &mut Tx, device: &DeviceId, row: &Released, person: Option<&str>) -> Result<(), StoreError> {
    const ADD: &str = "INSERT INTO devices (id, account, model, created_ms) VALUES ($1, $2, $3, $4)";
    const AS_IT_WAS: &str = "UPDATE devices SET person = $2, mac = $3, barred = $4, released_ms = NULL WHERE id = $1";
    if row.removed_ms.is_some() {
        query(ADD)
            .bind(device.as_str())
            .bind(&row.account)
            .bind(&row.model)
            .bind(row.created_ms)
            .execute(&mut *tx)
            .await?;
    }
    query(AS_IT_WAS)
        .bind(device.as_str())
        .bind(person)
        .bind(&row.named_mac)
        .bind(&row.barred)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// The binding as it was, with the same passwords.
async fn rebind(tx: &mut Tx, change: DeviceChange<'_>, row: &Released) -> Result<Restored, StoreError> {
    const BIND: &str = "INSERT INTO bindings (device, mac, how, bound_ms, passwords, pin, pin_address) \
                        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    // Where another device gave the phone other passwords meanwhile, it has to take these anew.
    const ANEW: &str = "UPDATE phone_passwords SET fetched_ms = NULL, taken_ms = NULL, replaced_ms = NULL \
                        WHERE id = $1 AND EXISTS (SELECT 1 FROM phone_passwords o WHERE o.mac = phone_passwords.mac \
                        AND o.id <> phone_passwords.id AND o.made_ms >= phone_passwords.made_ms AND o.fetched_ms IS NOT NULL)";
    let (Some(phone), Some(passwords)) = (&row.mac, &row.passwords) else {
        return Ok(Restored { phone: None, passwords: None });
    };
    query(BIND)
        .bind(change.device.as_str())
        .bind(phone)
        .bind(row.how.as_deref().unwrap_or_default())
        .bind(change.now.0)
        .bind(passwords)
        .bind(&row.pin)
        .bind(&row.pin_address)
        .execute(&mut *tx)
        .await?;
    query(ANEW).bind(passwords).execute(&mut *tx).await?;
    begin_with(tx, change.device, phone, change.now).await?;
    Ok(Restored { phone: Some(mac(phone)?), passwords: Some(passwords.clone()) })
}
