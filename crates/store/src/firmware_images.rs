//! Images of firmware as they are known: what each is and where its bytes lie. The bytes are not in the database
//! ([`crate::ImageObjects`]).

use crate::rows::{optional, parsed, unreadable};
use crate::sql::{query, query_as};
use crate::{Audited, Store, StoreError};
use provost_core::firmware::{ImageKind, Version};
use provost_core::time::UnixMillis;
use sqlx::FromRow;

/// An image in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageRow {
    /// Id: `image_` and a ULID.
    pub id: String,
    /// The name of its file.
    pub name: String,
    /// What it replaces on a phone.
    pub kind: ImageKind,
    /// The part number it is for; `None` for an image of a whole line.
    pub part: Option<String>,
    /// The line of an image without a part.
    pub line: Option<String>,
    /// The version it brings.
    pub version: Version,
    /// The updater it brings, where it says so.
    pub updater: Option<Version>,
    /// SHA-256 of its bytes in hexadecimal.
    pub sha256: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its name among [`crate::ImageObjects`].
    pub object: String,
    /// The file that was uploaded.
    pub source: String,
    /// Who put it there.
    pub put_by: String,
    /// When.
    pub put_at: UnixMillis,
}

#[derive(FromRow)]
struct Columns {
    id: String,
    name: String,
    kind: String,
    part: Option<String>,
    line: Option<String>,
    version: String,
    updater: Option<String>,
    sha256: String,
    bytes: i64,
    object: String,
    source: String,
    put_by: String,
    put_ms: i64,
}

impl ImageRow {
    fn read(row: Columns) -> Result<Self, StoreError> {
        Ok(Self {
            kind: parsed("firmware_images.kind", &row.kind)?,
            version: parsed("firmware_images.version", &row.version)?,
            updater: optional("firmware_images.updater", row.updater.as_deref())?,
            bytes: u64::try_from(row.bytes).map_err(|_| unreadable("firmware_images.bytes", row.bytes))?,
            id: row.id,
            name: row.name,
            part: row.part,
            line: row.line,
            sha256: row.sha256,
            object: row.object,
            source: row.source,
            put_by: row.put_by,
            put_at: UnixMillis(row.put_ms),
        })
    }
}

impl Store {
    /// Every image, in the order they came.
    ///
    /// # Errors
    /// [`StoreError`] when the database failed.
    pub async fn firmware_images(&self) -> Result<Vec<ImageRow>, StoreError> {
        const SQL: &str = "SELECT id, name, kind, part, line, version, updater, sha256, bytes, object, source, put_by, \
                           put_ms FROM firmware_images ORDER BY id";
        let rows: Vec<Columns> = query_as(SQL).fetch_all(&self.read).await?;
        rows.into_iter().map(ImageRow::read).collect()
    }
}

impl Audited<'_> {
    /// Adds all these images, or none.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when one for the same hardware and version is there.
    pub async fn add_firmware_images(self, rows: &[ImageRow]) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO firmware_images (id, name, kind, part, line, version, updater, sha256, bytes, \
                           object, source, put_by, put_ms) \
                           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
        let mut tx = self.begin().await?;
        for row in rows {
            query(SQL)
                .bind(&row.id)
                .bind(&row.name)
                .bind(row.kind.as_str())
                .bind(&row.part)
                .bind(&row.line)
                .bind(row.version.to_string())
                .bind(row.updater.as_ref().map(ToString::to_string))
                .bind(&row.sha256)
                .bind(i64::try_from(row.bytes).unwrap_or(i64::MAX))
                .bind(&row.object)
                .bind(&row.source)
                .bind(&row.put_by)
                .bind(row.put_at.0)
                .execute(&mut tx)
                .await
                .map_err(|error| StoreError::of_insert(error, "an image for this hardware and version", "image"))?;
        }
        self.commit(tx).await
    }

    /// Forgets an image; its bytes are for the caller to remove once no row names them.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when there is no such image.
    pub async fn remove_firmware_image(self, id: &str) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM firmware_images WHERE id = $1";
        let mut tx = self.begin().await?;
        let done = query(SQL).bind(id).execute(&mut tx).await?;
        if done == 0 {
            return Err(StoreError::Missing { what: "firmware image" });
        }
        self.commit(tx).await
    }
}
