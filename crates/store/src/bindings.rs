//! Which phone is bound to which device, and what its configuration starts from.

use crate::configuration::accounts_of;
use crate::rows::{mac, parsed, unreadable};
use crate::sql::{Tx, query, query_as, query_scalar};
use crate::timeline::{NewEvent, add_event};
use crate::{Store, StoreError};
use provost_core::facts::Pin;
use provost_core::ids::{AccountId, DeviceId};
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use sqlx::FromRow;

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

impl Store {
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

/// A device begins with a phone: it is on the device's record, what another device's user left on it here goes, and
/// what this device's user had changed comes.
pub(crate) async fn begin_with(tx: &mut Tx, device: &DeviceId, phone: &str, now: UnixMillis) -> Result<(), StoreError> {
    const RECORD: &str = "INSERT INTO device_phones (device, mac, bound_ms) VALUES ($1, $2, $3)";
    move_files(tx, device, phone).await?;
    query(RECORD).bind(device.as_str()).bind(phone).bind(now.0).execute(&mut *tx).await?;
    Ok(())
}

/// What another device's user left on the phone here goes, and what this device's user had changed comes.
pub(crate) async fn move_files(tx: &mut Tx, device: &DeviceId, phone: &str) -> Result<(), StoreError> {
    const GONE: &str = "DELETE FROM uploads WHERE mac = $1 \
                        AND EXISTS (SELECT 1 FROM device_phones p WHERE p.mac = $1 AND p.device <> $2)";
    const COME: &str = "INSERT INTO uploads (mac, name, bytes, updated_ms) \
                        SELECT $2, $2 || ending, bytes, updated_ms FROM device_uploads WHERE device = $1 \
                        ON CONFLICT (mac, name) DO NOTHING";
    const CARRIED: &str = "DELETE FROM device_uploads WHERE device = $1";
    query(GONE).bind(phone).bind(device.as_str()).execute(&mut *tx).await?;
    query(COME).bind(device.as_str()).bind(phone).execute(&mut *tx).await?;
    query(CARRIED).bind(device.as_str()).execute(&mut *tx).await?;
    Ok(())
}
