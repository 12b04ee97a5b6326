//! The passwords of phones: every pair a phone was ever to have, and how far it came with it.
//!
//! A pair is stored before it is served, and stays when its device goes.

use crate::rows::{mac, time};
use crate::sql::{Tx, query, query_as, query_scalar};
use crate::timeline::{NewEvent, add_event};
use crate::{Audited, Store, StoreError};
use provost_core::ids::DeviceId;
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use sqlx::FromRow;

/// A pair of passwords to be kept, encrypted.
#[derive(Debug, Clone, Copy)]
pub struct NewPasswords<'a> {
    /// Its id: that of the timeline entry written with it.
    pub id: &'a str,
    /// Administrator password.
    pub admin: &'a [u8],
    /// User password.
    pub user: &'a [u8],
    /// Keyed hash of the administrator password.
    pub admin_digest: &'a [u8],
    /// Now.
    pub made: UnixMillis,
}

/// A pair of passwords as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordsRow {
    /// Id.
    pub id: String,
    /// The phone it was made for.
    pub mac: MacAddr,
    /// Administrator password, encrypted.
    pub admin: Vec<u8>,
    /// User password, encrypted.
    pub user: Vec<u8>,
    /// When it was made.
    pub made: UnixMillis,
    /// When the phone first read a configuration with it.
    pub fetched: Option<UnixMillis>,
    /// When the phone restarted after that.
    pub taken: Option<UnixMillis>,
    /// When the phone took another pair instead.
    pub replaced: Option<UnixMillis>,
}

/// A phone that has not taken the passwords of its configuration yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingPasswords {
    /// The phone.
    pub mac: MacAddr,
    /// The pair.
    pub id: String,
    /// Whether it has read them.
    pub is_fetched: bool,
}

/// Why passwords were not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotationRefusal {
    /// No phone is bound to the device, or another than the one they were made for.
    NoPhone,
}

#[derive(FromRow)]
struct PasswordsColumns {
    id: String,
    mac: String,
    admin_password: Vec<u8>,
    user_password: Vec<u8>,
    made_ms: i64,
    fetched_ms: Option<i64>,
    taken_ms: Option<i64>,
    replaced_ms: Option<i64>,
}

impl Store {
    /// All pairs that phones of this device were ever to have, the newest first; also when the device is gone.
    pub async fn passwords_of_device(&self, device: &DeviceId) -> Result<Vec<PasswordsRow>, StoreError> {
        const SQL: &str = "SELECT id, mac, admin_password, user_password, made_ms, fetched_ms, taken_ms, replaced_ms \
                           FROM phone_passwords WHERE device = $1 ORDER BY made_ms DESC, id DESC";
        let rows: Vec<PasswordsColumns> = query_as(SQL).bind(device.as_str()).fetch_all(&self.read).await?;
        rows.into_iter().map(PasswordsRow::read).collect()
    }

    /// Whether a phone was ever to have the administrator password with this keyed hash.
    pub async fn is_admin_password_known(&self, digest: &[u8]) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM phone_passwords WHERE admin_digest = $1";
        let count: i64 = query_scalar(SQL).bind(digest).fetch_one(&self.read).await?;
        Ok(count > 0)
    }

    /// The device this phone had its newest passwords from.
    pub async fn device_of_passwords(&self, of: MacAddr) -> Result<Option<DeviceId>, StoreError> {
        const SQL: &str = "SELECT device FROM phone_passwords WHERE mac = $1 ORDER BY made_ms DESC, id DESC LIMIT 1";
        let text: Option<String> = query_scalar(SQL).bind(of.to_string()).fetch_optional(&self.read).await?;
        crate::rows::optional("phone_passwords.device", text.as_deref())
    }

    /// The bound phones that have not taken the passwords of their configuration yet.
    pub async fn pending_passwords(&self) -> Result<Vec<PendingPasswords>, StoreError> {
        const SQL: &str = "SELECT b.mac, w.id, w.fetched_ms IS NOT NULL FROM bindings b \
                           JOIN phone_passwords w ON w.id = b.passwords WHERE w.taken_ms IS NULL ORDER BY b.mac";
        let rows: Vec<(String, String, bool)> = query_as(SQL).fetch_all(&self.read).await?;
        let read = |(phone, id, is_fetched): (String, String, bool)| {
            Ok(PendingPasswords { mac: mac(&phone)?, id, is_fetched })
        };
        rows.into_iter().map(read).collect()
    }

    /// A phone read a configuration with this pair; the first time counts.
    pub async fn passwords_fetched(&self, id: &str, now: UnixMillis) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE phone_passwords SET fetched_ms = $2 WHERE id = $1 AND fetched_ms IS NULL";
        let mut tx = self.begin().await?;
        query(SQL).bind(id).bind(now.0).execute(&mut tx).await?;
        Ok(tx.commit().await?)
    }

    /// A phone restarted after it had read this pair: it has it, and no other any more. The entry is written when it
    /// had another before.
    pub async fn passwords_taken(&self, id: &str, event: &NewEvent) -> Result<(), StoreError> {
        const TAKEN: &str = "UPDATE phone_passwords SET taken_ms = $2 \
                             WHERE id = $1 AND fetched_ms IS NOT NULL AND taken_ms IS NULL AND replaced_ms IS NULL";
        const REPLACED: &str =
            "UPDATE phone_passwords SET replaced_ms = $3 WHERE mac = $1 AND id <> $2 AND replaced_ms IS NULL";
        let mut tx = self.begin().await?;
        let done = query(TAKEN).bind(id).bind(event.at.0).execute(&mut tx).await?;
        if done == 1 {
            let phone = event.mac.to_string();
            let replaced = query(REPLACED).bind(phone).bind(id).bind(event.at.0).execute(&mut tx).await?;
            if replaced > 0 {
                add_event(&mut tx, event).await?;
            }
        }
        Ok(tx.commit().await?)
    }
}

impl Audited<'_> {
    /// Gives the phone of a device another pair; the one before is kept and shown beside it.
    pub async fn rotate_passwords(
        self,
        device: &DeviceId,
        new: &NewPasswords<'_>,
        event: &NewEvent,
    ) -> Result<Result<(), RotationRefusal>, StoreError> {
        const SERVE: &str = "UPDATE bindings SET passwords = $3 WHERE device = $1 AND mac = $2";
        let mut tx = self.begin().await?;
        let phone = event.mac.to_string();
        let done = query(SERVE).bind(device.as_str()).bind(&phone).bind(new.id).execute(&mut tx).await?;
        if done != 1 {
            tx.rollback().await?;
            return Ok(Err(RotationRefusal::NoPhone));
        }
        keep_passwords(&mut tx, (device, event.mac), new).await?;
        add_event(&mut tx, event).await?;
        self.commit(tx).await?;
        Ok(Ok(()))
    }
}

impl PasswordsRow {
    fn read(row: PasswordsColumns) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id,
            mac: mac(&row.mac)?,
            admin: row.admin_password,
            user: row.user_password,
            made: UnixMillis(row.made_ms),
            fetched: time(row.fetched_ms),
            taken: time(row.taken_ms),
            replaced: time(row.replaced_ms),
        })
    }
}

/// Keeps a new pair inside the transaction that will have it served.
pub(crate) async fn keep_passwords(
    tx: &mut Tx,
    (device, phone): (&DeviceId, MacAddr),
    new: &NewPasswords<'_>,
) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO phone_passwords (id, device, mac, admin_password, user_password, admin_digest, made_ms) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7)";
    query(SQL)
        .bind(new.id)
        .bind(device.as_str())
        .bind(phone.to_string())
        .bind(new.admin)
        .bind(new.user)
        .bind(new.admin_digest)
        .bind(new.made.0)
        .execute(&mut *tx)
        .await?;
    Ok(())
}
