//! Files that phones upload: logs, settings changed on the phone, call lists, directories.
//!
//! Kept per phone, limited in size and number, never served to another phone (docs/THREATS.md, rule 12).

use crate::sql::{query, query_as, query_scalar};
use crate::{Store, StoreError};
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;

/// How an upload ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// There was none before.
    New,
    /// There was one.
    Known,
}

/// Why an upload was not kept.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The phone has as many files as a phone may have.
    #[error("the phone has {0} files here already; more are not kept")]
    TooMany(i64),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Bytes kept of a log: the newest. Community servers use the same cap (catalog/SOURCES.md, fs).
const LOG_BYTES: usize = 512 * 1024;

/// Far more than the eight kinds of files a phone sends.
const FILES_PER_PHONE: i64 = 32;

impl Store {
    /// Replaces a file.
    pub async fn replace_upload(&self, of: MacAddr, file: (&str, &[u8]), now: UnixMillis) -> Result<Kept, UploadError> {
        self.keep(of, file, now, |_, new| new.to_vec()).await
    }

    /// Adds to the end of a log and keeps the newest 512 KiB.
    pub async fn append_upload(&self, of: MacAddr, file: (&str, &[u8]), now: UnixMillis) -> Result<Kept, UploadError> {
        self.keep(of, file, now, |old, new| {
            let mut all = old.to_vec();
            all.extend_from_slice(new);
            let surplus = all.len().saturating_sub(LOG_BYTES);
            all.drain(..surplus);
            all
        })
        .await
    }

    async fn keep(
        &self,
        of: MacAddr,
        (name, bytes): (&str, &[u8]),
        now: UnixMillis,
        merge: impl FnOnce(&[u8], &[u8]) -> Vec<u8> + Send,
    ) -> Result<Kept, UploadError> {
        const OLD: &str = "SELECT bytes FROM uploads WHERE mac = $1 AND name = $2";
        const COUNT: &str = "SELECT COUNT(*) FROM uploads WHERE mac = $1";
        const PUT: &str = "INSERT INTO uploads (mac, name, bytes, updated_ms) VALUES ($1, $2, $3, $4) \
                           ON CONFLICT (mac, name) DO UPDATE SET bytes = excluded.bytes, updated_ms = excluded.updated_ms";
        let phone = of.to_string();
        let mut tx = self.begin().await.map_err(StoreError::from)?;
        let old: Option<Vec<u8>> =
            query_scalar(OLD).bind(&phone).bind(name).fetch_optional(&mut tx).await.map_err(StoreError::from)?;
        if old.is_none() {
            let count: i64 = query_scalar(COUNT).bind(&phone).fetch_one(&mut tx).await.map_err(StoreError::from)?;
            if count >= FILES_PER_PHONE {
                return Err(UploadError::TooMany(count));
            }
        }
        let merged = merge(old.as_deref().unwrap_or_default(), bytes);
        query(PUT).bind(&phone).bind(name).bind(merged).bind(now.0).execute(&mut tx).await.map_err(StoreError::from)?;
        tx.commit().await.map_err(StoreError::from)?;
        Ok(if old.is_some() { Kept::Known } else { Kept::New })
    }

    /// A file the phone uploaded.
    pub async fn upload(&self, of: MacAddr, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        const SQL: &str = "SELECT bytes FROM uploads WHERE mac = $1 AND name = $2";
        Ok(query_scalar(SQL).bind(of.to_string()).bind(name).fetch_optional(&self.read).await?)
    }

    /// Names, sizes in bytes and times of a phone's files.
    pub async fn uploads(&self, of: MacAddr) -> Result<Vec<(String, i64, UnixMillis)>, StoreError> {
        const SQL: &str =
            "SELECT name, CAST(LENGTH(bytes) AS BIGINT), updated_ms FROM uploads WHERE mac = $1 ORDER BY name";
        let rows: Vec<(String, i64, i64)> = query_as(SQL).bind(of.to_string()).fetch_all(&self.read).await?;
        Ok(rows.into_iter().map(|(name, size, at)| (name, size, UnixMillis(at))).collect())
    }
}
