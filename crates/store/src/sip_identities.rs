//! Under which name an unclaimed phone registers: one name and password per phone, never shared.

use crate::rows::mac;
use crate::sql::{query, query_as};
use crate::{Store, StoreError};
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use sqlx::FromRow;

/// A name with its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SipIdentityRow {
    /// The phone it was made for.
    pub mac: MacAddr,
    /// The name.
    pub user: String,
    /// The password, encrypted.
    pub password: Vec<u8>,
}

#[derive(FromRow)]
struct SipIdentityColumns {
    mac: String,
    sip_user: String,
    password: Vec<u8>,
}

impl Store {
    /// The identity an unclaimed phone is told.
    pub async fn sip_identity_of(&self, of: MacAddr) -> Result<Option<SipIdentityRow>, StoreError> {
        const SQL: &str = "SELECT mac, sip_user, password FROM sip_identities WHERE mac = $1 AND ends_ms IS NULL";
        let row: Option<SipIdentityColumns> = query_as(SQL).bind(of.to_string()).fetch_optional(&self.read).await?;
        row.map(SipIdentityRow::read).transpose()
    }

    /// Keeps a new identity, unless the phone has one; returns the one that stands.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when another phone has this name.
    pub async fn keep_sip_identity(&self, new: &SipIdentityRow, now: UnixMillis) -> Result<SipIdentityRow, StoreError> {
        const KEEP: &str = "INSERT INTO sip_identities (mac, sip_user, password, made_ms) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (mac) DO UPDATE SET sip_user = excluded.sip_user, password = excluded.password, \
             made_ms = excluded.made_ms, ends_ms = NULL WHERE sip_identities.ends_ms IS NOT NULL";
        const READ: &str = "SELECT mac, sip_user, password FROM sip_identities WHERE mac = $1";
        let mut tx = self.begin().await?;
        let mac = new.mac.to_string();
        query(KEEP)
            .bind(&mac)
            .bind(&new.user)
            .bind(new.password.as_slice())
            .bind(now.0)
            .execute(&mut tx)
            .await
            .map_err(|error| StoreError::of_insert(error, "this SIP user", "phone"))?;
        let row: SipIdentityColumns = query_as(READ).bind(&mac).fetch_one(&mut tx).await?;
        tx.commit().await?;
        SipIdentityRow::read(row)
    }

    /// The identity with this name, unless it ended or its phone is barred.
    pub async fn sip_identity(&self, user: &str, now: UnixMillis) -> Result<Option<SipIdentityRow>, StoreError> {
        const SQL: &str = "SELECT mac, sip_user, password FROM sip_identities i \
             WHERE sip_user = $1 AND (ends_ms IS NULL OR ends_ms > $2) \
             AND NOT EXISTS (SELECT 1 FROM bindings b JOIN devices d ON d.id = b.device \
                             WHERE b.mac = i.mac AND d.barred IS NOT NULL) \
             AND NOT EXISTS (SELECT 1 FROM set_aside_phones a WHERE a.mac = i.mac) \
             AND NOT EXISTS (SELECT 1 FROM devices d WHERE d.mac = i.mac AND d.barred IS NOT NULL \
                             AND NOT EXISTS (SELECT 1 FROM bindings b WHERE b.device = d.id))";
        let row: Option<SipIdentityColumns> = query_as(SQL).bind(user).bind(now.0).fetch_optional(&self.read).await?;
        row.map(SipIdentityRow::read).transpose()
    }
}

impl SipIdentityRow {
    fn read(row: SipIdentityColumns) -> Result<Self, StoreError> {
        Ok(Self { mac: mac(&row.mac)?, user: row.sip_user, password: row.password })
    }
}
