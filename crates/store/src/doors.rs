//! What the web page needs to know to find the phone somebody stands before.

use crate::rows::mac;
use crate::sql::query_as;
use crate::{Store, StoreError};
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;

/// A code as the web page sees it: only whoever has the digits can ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeAtPage {
    /// The model of its device.
    pub model: String,
    /// The phone that used it.
    pub used_by: Option<MacAddr>,
    /// Whether a newer one replaced it.
    pub is_voided: bool,
    /// When it stops working.
    pub expires: UnixMillis,
}

/// A phone that may be the one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneAtPage {
    /// The phone.
    pub mac: MacAddr,
    /// Its model's id, where known.
    pub model: Option<String>,
    /// Where it was last.
    pub address: String,
}

impl Store {
    /// The code with this keyed hash.
    pub async fn code_at_page(&self, digest: &[u8]) -> Result<Option<CodeAtPage>, StoreError> {
        const SQL: &str = "SELECT d.model, c.used_by, c.voided_ms IS NOT NULL, c.expires_ms FROM codes c \
                           JOIN devices d ON d.id = c.device WHERE c.digest = $1";
        let row: Option<(String, Option<String>, bool, i64)> =
            query_as(SQL).bind(digest).fetch_optional(&self.read).await?;
        let Some((model, used_by, is_voided, expires)) = row else { return Ok(None) };
        let used_by = used_by.as_deref().map(mac).transpose()?;
        Ok(Some(CodeAtPage { model, used_by, is_voided, expires: UnixMillis(expires) }))
    }

    /// The unclaimed phones whose MAC ends so and that were here since a time, the last seen first.
    pub async fn phones_ending(&self, tail: &str, since: UnixMillis) -> Result<Vec<PhoneAtPage>, StoreError> {
        // Twice as many as can share four characters by chance in the largest installation this is made for.
        const SQL: &str = "SELECT p.mac, p.model, p.address FROM phones p \
                           WHERE p.mac LIKE '%' || $1 AND p.last_seen_ms >= $2 \
                           AND NOT EXISTS (SELECT 1 FROM bindings b WHERE b.mac = p.mac) \
                           ORDER BY p.last_seen_ms DESC, p.mac LIMIT 20";
        let rows: Vec<(String, Option<String>, String)> =
            query_as(SQL).bind(tail).bind(since.0).fetch_all(&self.read).await?;
        rows.into_iter().map(|(phone, model, address)| Ok(PhoneAtPage { mac: mac(&phone)?, model, address })).collect()
    }
}
