//! Phones that proved who they are: what they last said, and when.

use crate::rows::{mac, unreadable};
use crate::sql::{Tx, query, query_as, query_scalar};
use crate::within::Within;
use crate::{Page, Store, StoreError};
use provost_core::identity::CertificateStatus;
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use sqlx::FromRow;

/// One contact of a proven phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The phone.
    pub mac: MacAddr,
    /// Model id, if its User-Agent named one of the catalog.
    pub model: Option<String>,
    /// Application version, if it said one.
    pub firmware: Option<String>,
    /// Updater version, if it said one.
    pub updater: Option<String>,
    /// Certificate status.
    pub certificate: CertificateStatus,
    /// Remark on the certificate.
    pub certificate_note: Option<String>,
    /// SHA-256 of its certificate.
    pub fingerprint: Option<[u8; 32]>,
    /// Where it came from.
    pub address: String,
    /// When.
    pub at: UnixMillis,
}

/// A phone as last seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneRow {
    /// The phone.
    pub mac: MacAddr,
    /// Model id.
    pub model: Option<String>,
    /// Application version.
    pub firmware: Option<String>,
    /// Updater version.
    pub updater: Option<String>,
    /// Certificate status.
    pub certificate: CertificateStatus,
    /// Remark on the certificate.
    pub certificate_note: Option<String>,
    /// SHA-256 of its certificate.
    pub fingerprint: Option<[u8; 32]>,
    /// Address of the last contact.
    pub address: String,
    /// First contact.
    pub first_seen: UnixMillis,
    /// Last contact.
    pub last_seen: UnixMillis,
}

#[derive(FromRow)]
struct PhoneColumns {
    mac: String,
    model: Option<String>,
    firmware: Option<String>,
    updater: Option<String>,
    certificate: String,
    certificate_note: Option<String>,
    fingerprint: Option<Vec<u8>>,
    address: String,
    first_seen_ms: i64,
    last_seen_ms: i64,
}

/// Among so many of the phones that were seen last, those that nobody claimed are looked for: they ask every hour.
const AMONG_LAST: i64 = 5_000;

impl Store {
    /// The phone with this MAC, if it ever proved itself here.
    pub async fn phone(&self, of: MacAddr) -> Result<Option<PhoneRow>, StoreError> {
        const SQL: &str = "SELECT mac, model, firmware, updater, certificate, certificate_note, fingerprint, address, \
                           first_seen_ms, last_seen_ms FROM phones WHERE mac = $1";
        let row: Option<PhoneColumns> = query_as(SQL).bind(of.to_string()).fetch_optional(&self.read).await?;
        row.map(PhoneRow::read).transpose()
    }

    /// Phones that no device is bound to or names and that no other took the place of, the last seen first, among the phones that were seen last.
    pub async fn unclaimed_phones(&self, limit: u32) -> Result<Vec<PhoneRow>, StoreError> {
        const SQL: &str = "SELECT mac, model, firmware, updater, certificate, certificate_note, fingerprint, address, \
                           first_seen_ms, last_seen_ms FROM phones p WHERE p.mac IN (SELECT mac FROM phones \
                           ORDER BY last_seen_ms DESC, mac DESC LIMIT $2) AND NOT EXISTS (SELECT 1 FROM bindings b WHERE b.mac = p.mac) \
                           AND NOT EXISTS (SELECT 1 FROM devices d WHERE d.mac = p.mac) \
                           AND NOT EXISTS (SELECT 1 FROM set_aside_phones a WHERE a.mac = p.mac) \
                           ORDER BY last_seen_ms DESC, mac LIMIT $1";
        let query = query_as(SQL).bind(i64::from(limit)).bind(AMONG_LAST);
        let rows: Vec<PhoneColumns> = query.fetch_all(&self.read).await?;
        rows.into_iter().map(PhoneRow::read).collect()
    }

    /// Lists phones by MAC. Everything has them all; an account has those of its devices.
    pub async fn phones(&self, within: &Within, page: Page<'_>) -> Result<Vec<PhoneRow>, StoreError> {
        let sql = format!(
            "SELECT mac, model, firmware, updater, certificate, certificate_note, fingerprint, address, \
             first_seen_ms, last_seen_ms FROM phones p WHERE p.mac > $1 AND {} ORDER BY p.mac LIMIT $2",
            crate::belonging::condition("p.mac", within, 3)
        );
        let query = query_as(sqlx::AssertSqlSafe(sql)).bind(page.after).bind(i64::from(page.limit)).within(within);
        let rows: Vec<PhoneColumns> = query.fetch_all(&self.read).await?;
        rows.into_iter().map(PhoneRow::read).collect()
    }

    /// The phone last seen at this address since a time, if there is exactly one.
    pub async fn only_phone_at(&self, address: &str, since: UnixMillis) -> Result<Option<MacAddr>, StoreError> {
        const SQL: &str = "SELECT mac FROM phones WHERE address = $1 AND last_seen_ms >= $2 ORDER BY mac LIMIT 2";
        let found: Vec<String> = query_scalar(SQL).bind(address).bind(since.0).fetch_all(&self.read).await?;
        match found.as_slice() {
            [one] => mac(one).map(Some),
            _ => Ok(None),
        }
    }
}

impl PhoneRow {
    fn read(row: PhoneColumns) -> Result<Self, StoreError> {
        Ok(Self {
            mac: mac(&row.mac)?,
            model: row.model,
            firmware: row.firmware,
            updater: row.updater,
            certificate: CertificateStatus::from_words(&row.certificate)
                .ok_or_else(|| unreadable("phones.certificate", &row.certificate))?,
            certificate_note: row.certificate_note,
            // Only ever shown: a value of another length is left out rather than a reason to fail.
            fingerprint: row.fingerprint.and_then(|bytes| bytes.try_into().ok()),
            address: row.address,
            first_seen: UnixMillis(row.first_seen_ms),
            last_seen: UnixMillis(row.last_seen_ms),
        })
    }
}

/// Remembers a contact; what this contact did not say stays as it was.
pub(crate) async fn touch(tx: &mut Tx, contact: &Contact) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO phones (mac, model, firmware, updater, certificate, certificate_note, fingerprint, address, \
         first_seen_ms, last_seen_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) \
         ON CONFLICT (mac) DO UPDATE SET model = COALESCE(excluded.model, phones.model), \
         firmware = COALESCE(excluded.firmware, phones.firmware), updater = COALESCE(excluded.updater, phones.updater), \
         certificate = excluded.certificate, certificate_note = excluded.certificate_note, \
         fingerprint = excluded.fingerprint, address = excluded.address, last_seen_ms = excluded.last_seen_ms";
    query(SQL)
        .bind(contact.mac.to_string())
        .bind(&contact.model)
        .bind(&contact.firmware)
        .bind(&contact.updater)
        .bind(contact.certificate.as_str())
        .bind(&contact.certificate_note)
        .bind(contact.fingerprint.as_ref().map(|bytes| bytes.as_slice()))
        .bind(&contact.address)
        .bind(contact.at.0)
        .execute(&mut *tx)
        .await?;
    Ok(())
}
