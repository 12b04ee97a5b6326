//! Images as they are shown, and what is done with them by id.

use super::images::Standing;
use crate::{Actor, App, AppError};
use provost_core::entry::guard::checked_reason;
use provost_core::firmware::ladder::{Stored, fits};
use provost_core::rights::{Right, Scope};
use provost_store::{ImageRow, Page};
use serde::Serialize;
use tokio::task::spawn_blocking;

/// An image as shown.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ImageView {
    /// Id.
    pub id: String,
    /// The name of its file.
    pub name: String,
    /// The version it brings.
    pub version: String,
    /// `application` or `updater`.
    pub kind: &'static str,
    /// The part number it is for; absent for an image of many models.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// The line of an image of many models, by its id in the catalog.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// The updater it brings, where it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updater: Option<String>,
    /// The models that may take it.
    pub models: Vec<String>,
    /// Why no model may take it, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_model: Option<String>,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes in hexadecimal.
    pub sha256: String,
    /// The file that was uploaded; shown to whoever sees the whole server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Who uploaded it; shown to whoever sees the whole server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub put_by: Option<String>,
    /// When, RFC 3339.
    pub put_at: String,
    /// `ok`, `checking` while its bytes were not compared since the start, or `broken`: then it is not served.
    pub state: &'static str,
    /// Why it is broken, with what was expected and found, and what to do; shown to whoever sees the whole server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What of a zip was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct NotTakenView {
    /// Its name.
    pub name: String,
    /// Why not.
    pub why: String,
}

impl NotTakenView {
    /// As many as are named; all are counted.
    pub const MOST: usize = 100;
}

/// What came of an upload.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct UploadedView {
    /// The images in it, whether new or there before.
    pub images: Vec<ImageView>,
    /// How many of them are new.
    pub added: usize,
    /// How many were there already, with the same bytes.
    pub already: usize,
    /// What was not taken, with the reason: the first hundred.
    pub left_out: Vec<NotTakenView>,
    /// How many were not taken.
    pub left_out_count: usize,
}

impl App {
    /// Images in the order they came, of those a model may take where one is named.
    ///
    /// # Errors
    /// [`AppError::Forbidden`]; [`AppError::NotFound`] without such a model.
    pub fn firmware_images(&self, model: Option<&str>, page: Page<'_>, by: &Actor) -> Result<Vec<ImageView>, AppError> {
        by.has(Right::Read)?;
        let missing = |id: &str| AppError::NotFound { what: "model", name: id.chars().take(40).collect() };
        let hardware = model.map(|id| self.catalog.hardware(id).ok_or_else(|| missing(id))).transpose()?;
        let rows = self.firmware.images.rows();
        let shown = rows.iter().filter(|row| row.id.as_str() > page.after);
        let shown =
            shown.filter(|row| hardware.is_none_or(|hardware| fits(&self.catalog, hardware, &stored(row)).is_ok()));
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        Ok(shown.take(limit).map(|row| self.image_view(row, by)).collect())
    }

    /// One image.
    ///
    /// # Errors
    /// [`AppError::Forbidden`], [`AppError::NotFound`].
    pub fn firmware_image(&self, id: &str, by: &Actor) -> Result<ImageView, AppError> {
        by.has(Right::Read)?;
        Ok(self.image_view(&self.image_row(id)?, by))
    }

    fn image_row(&self, id: &str) -> Result<ImageRow, AppError> {
        let found = self.firmware.images.rows().iter().find(|row| row.id == id).cloned();
        found.ok_or_else(|| AppError::NotFound { what: "firmware image", name: id.chars().take(60).collect() })
    }

    /// Removes an image: its row first, then its bytes, unless another image has the same.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] and [`AppError::OutOfScope`] for all but owners of the server, [`AppError::Fields`] without
    /// a reason, [`AppError::NotFound`], [`AppError::Store`].
    pub async fn remove_firmware_image(&self, id: &str, reason: &str, by: &Actor) -> Result<ImageView, AppError> {
        by.may_platform(Right::Platform)?;
        let reason = checked_reason(reason)?;
        let images = &self.firmware.images;
        let _one = images.changing.lock().await;
        let row = self.image_row(id)?;
        let view = self.image_view(&row, by);
        let (objects, object) = (images.objects.clone(), row.object.clone());
        let placed = spawn_blocking(move || objects.part_with(&object)).await.map_err(|_| AppError::Interrupted)?;
        let what = format!("removed the firmware image {id}: {} {}", row.name, row.version);
        let entry = self.audit_entry(by, what, Some(&reason));
        let removed = self.store.audited(entry).remove_firmware_image(id).await;
        // What the database holds counts, whatever it answered.
        let read = images.reload(&self.store).await;
        if read.is_ok() {
            let known = images.rows();
            let settled = move || placed.settle(|object| known.iter().any(|row| row.object == object));
            let _ = spawn_blocking(settled).await;
        }
        removed?;
        read?;
        images.forget_standing(&row.object);
        self.image_is_whole(&row).await;
        Ok(view)
    }

    pub(super) fn image_view(&self, row: &ImageRow, by: &Actor) -> ImageView {
        let stored = stored(row);
        let models = self.catalog.all_hardware().filter(|hardware| fits(&self.catalog, hardware, &stored).is_ok());
        let models: Vec<String> = models.map(|hardware| hardware.name.clone()).collect();
        let own = row.part.as_deref().and_then(|part| self.catalog.hardware_by_part(part));
        let no_model = match own.map(|own| fits(&self.catalog, own, &stored)) {
            Some(Err(why)) if models.is_empty() => Some(why),
            _ if models.is_empty() => Some("No model of the catalog may take it.".to_owned()),
            _ => None,
        };
        let (state, problem) = match self.firmware.images.standing(&row.object) {
            Some(Standing::Good(_)) => ("ok", None),
            Some(Standing::Broken(why)) => ("broken", Some(why)),
            None => ("checking", None),
        };
        // Names of files and folders are nothing for one of many accounts.
        let sees_all = by.scope == Scope::Platform;
        ImageView {
            id: row.id.clone(),
            name: row.name.clone(),
            version: row.version.to_string(),
            kind: row.kind.as_str(),
            part: row.part.clone(),
            line: row.line.clone(),
            updater: row.updater.as_ref().map(ToString::to_string),
            models,
            no_model,
            bytes: row.bytes,
            sha256: row.sha256.clone(),
            source: sees_all.then(|| row.source.clone()),
            put_by: sees_all.then(|| row.put_by.clone()),
            put_at: row.put_at.to_string(),
            state,
            problem: problem.filter(|_| sees_all),
        }
    }
}

/// The image as the ladder sees it.
pub(crate) fn stored(row: &ImageRow) -> Stored {
    Stored {
        id: row.id.clone(),
        kind: row.kind,
        part: row.part.clone(),
        line: row.line.clone(),
        version: row.version.clone(),
    }
}
