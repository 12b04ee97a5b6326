//! A file comes in, to the disk as it comes and never whole in memory; then it is looked at, and what it holds is kept,
//! all of it or nothing.

use super::of_objects;
use super::unpack::{Taken, Unpacked, unpack};
use super::views::{NotTakenView, UploadedView};
use crate::{Actor, App, AppError, error_reference};
use bytes::Bytes;
use provost_core::entry::{FieldError, FieldErrors};
use provost_core::firmware::image::{Said, base_name};
use provost_core::rights::Right;
use provost_store::{ImageRow, ObjectError, Staged};
use std::str::FromStr;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::{JoinHandle, spawn_blocking};

/// The largest file: the maker's zips of a release with the images of every model are just below.
pub(crate) const MOST_BYTES: u64 = 1024 * 1024 * 1024;
/// Pieces that wait for the disk.
const PIECES: usize = 4;
/// The longest name kept of an uploaded file, in characters.
const NAME_CHARACTERS: usize = 120;

/// What an image is uploaded with.
#[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ImageInput {
    /// The file's name, as the maker gave it: much is told by it.
    pub name: String,
    /// The version it brings, with all its numbers, where nothing else tells it.
    pub version: Option<String>,
    /// `application` or `updater`, where the name does not tell it.
    pub kind: Option<String>,
    /// A model, or the line, that an image without a part number is for.
    pub model: Option<String>,
    /// The SHA-256 it must have, in hexadecimal.
    #[schemars(regex(pattern = r"^[0-9a-fA-F]{64}$"))]
    pub sha256: Option<String>,
    /// The updater it brings.
    pub updater: Option<String>,
}

/// What the file became, with its turn: the next file's begins when all work on this one ended, whoever hung up.
type InTurn<T> = (T, OwnedSemaphorePermit);

/// A file that is coming in.
pub struct ReceivingImage {
    app: Arc<App>,
    by: Actor,
    source: String,
    said: Said,
    expected: Option<String>,
    bytes: u64,
    pieces: Option<mpsc::Sender<Bytes>>,
    writer: Option<JoinHandle<Result<InTurn<Staged>, ObjectError>>>,
}

impl App {
    /// Begins to take in a file of this length, where that is known beforehand.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] and [`AppError::OutOfScope`] for all but owners of the server, [`AppError::Fields`],
    /// [`AppError::TooLarge`], [`AppError::Refused`] while two others come in, [`AppError::ImageDiskFull`].
    pub async fn begin_image(
        self: &Arc<Self>,
        input: &ImageInput,
        length: Option<u64>,
        by: &Actor,
    ) -> Result<ReceivingImage, AppError> {
        by.may_platform(Right::Platform)?;
        let (said, expected) = checked(input)?;
        if length.is_some_and(|length| length > MOST_BYTES) {
            return Err(too_large());
        }
        let images = &self.firmware.images;
        let turn = Arc::clone(&images.uploads).try_acquire_owned().map_err(|_| {
            refused("uploads-running", "two files are coming in already; wait until one is through".to_owned())
        })?;
        let objects = images.objects.clone();
        let mut object =
            spawn_blocking(move || objects.begin()).await.map_err(|_| AppError::Interrupted)?.map_err(of_objects)?;
        let (sender, mut pieces) = mpsc::channel::<Bytes>(PIECES);
        let writer = spawn_blocking(move || {
            while let Some(piece) = pieces.blocking_recv() {
                object.write(&piece)?;
            }
            Ok((object.finish()?, turn))
        });
        let source =
            base_name(&input.name).chars().filter(|letter| !letter.is_control()).take(NAME_CHARACTERS).collect();
        Ok(ReceivingImage {
            app: Arc::clone(self),
            by: by.clone(),
            source,
            said,
            expected,
            bytes: 0,
            pieces: Some(sender),
            writer: Some(writer),
        })
    }
}

/// What is said of the file, or every field at fault.
fn checked(input: &ImageInput) -> Result<(Said, Option<String>), FieldErrors> {
    let mut errors = Vec::new();
    let mut refuse = |field: &str, message: String| errors.push(FieldError { field: field.to_owned(), message });
    if base_name(&input.name).is_empty() {
        refuse("name", "is missing; write the file's name".to_owned());
    }
    let is_digest = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if input.sha256.as_deref().is_some_and(|text| !is_digest(text)) {
        refuse("sha256", "is no SHA-256; write its 64 hexadecimal digits".to_owned());
    }
    let said = Said {
        version: read(input.version.as_deref(), |words| refuse("version", words)),
        kind: read(input.kind.as_deref(), |words| refuse("kind", words)),
        model: input.model.clone(),
        updater: read(input.updater.as_deref(), |words| refuse("updater", words)),
    };
    if errors.is_empty() {
        Ok((said, input.sha256.as_deref().map(str::to_ascii_lowercase)))
    } else {
        Err(FieldErrors(errors))
    }
}

fn read<T: FromStr<Err: ToString>>(text: Option<&str>, refuse: impl FnOnce(String)) -> Option<T> {
    text?.parse().map_err(|error: T::Err| refuse(error.to_string())).ok()
}

fn too_large() -> AppError {
    AppError::TooLarge(format!(
        "the file has more than {MOST_BYTES} bytes (1 GiB), which is more than any release has; upload the images in it one by one"
    ))
}

pub(super) fn refused(code: &'static str, message: String) -> AppError {
    AppError::Refused { code, message, reference: error_reference() }
}

impl ReceivingImage {
    /// Takes the next bytes; waits for the disk.
    ///
    /// # Errors
    /// [`AppError::TooLarge`], [`AppError::ImageDiskFull`], [`AppError::ImageStore`]; nothing of it is kept then.
    pub async fn feed(&mut self, piece: Bytes) -> Result<(), AppError> {
        self.bytes = self.bytes.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if self.bytes > MOST_BYTES {
            return Err(too_large());
        }
        let sent = match &self.pieces {
            Some(pieces) => pieces.send(piece).await.is_ok(),
            None => false,
        };
        if sent { Ok(()) } else { self.written().await.map(drop) }
    }

    async fn written(&mut self) -> Result<InTurn<Staged>, AppError> {
        self.pieces = None;
        let writer = self.writer.take().ok_or(AppError::Interrupted)?;
        writer.await.map_err(|_| AppError::Interrupted)?.map_err(of_objects)
    }

    /// All of it came: keeps what it holds.
    ///
    /// # Errors
    /// [`AppError::Refused`] with what was expected and found, [`AppError::Conflict`], [`AppError::ImageDiskFull`],
    /// [`AppError::ImageStore`], [`AppError::Store`]; nothing of it is kept then.
    pub async fn finish(mut self) -> Result<UploadedView, AppError> {
        let (staged, turn) = self.written().await?;
        if let Some(expected) = self.expected.as_ref().filter(|expected| **expected != staged.sha256) {
            let words = format!(
                "{}: expected the SHA-256 {expected}, found {} in {} bytes; the file is another, or came broken",
                self.source, staged.sha256, staged.bytes
            );
            return Err(refused("wrong-sha256", words));
        }
        let (app, said, source) = (Arc::clone(&self.app), self.said.clone(), self.source.clone());
        let objects = app.firmware.images.objects.clone();
        let catalog = Arc::clone(&app.catalog);
        let unpacking = spawn_blocking(move || {
            let unpacked = unpack(&catalog, &objects, staged, (&source, &said))?;
            Ok::<InTurn<Unpacked>, AppError>((unpacked, turn))
        });
        let (Unpacked { taken, left_out }, turn) = unpacking.await.map_err(|_| AppError::Interrupted)??;
        // In a task of its own: once it began it is carried to its end, whoever hangs up.
        let (by, source) = (self.by.clone(), self.source.clone());
        let kept = tokio::spawn(async move {
            let _turn = turn;
            app.keep_images(taken, &source, &by).await
        });
        let (images, added) = kept.await.map_err(|_| AppError::Interrupted)??;
        let already = images.len().saturating_sub(added);
        let mut uploaded =
            UploadedView { images: Vec::new(), added, already, left_out: Vec::new(), left_out_count: left_out.len() };
        uploaded.left_out = left_out.into_iter().take(NotTakenView::MOST).collect();
        uploaded.images = images.iter().map(|row| self.app.image_view(row, &self.by)).collect();
        Ok(uploaded)
    }
}

/// What becomes of the images of an upload.
#[derive(Default)]
struct Sorted {
    /// All of them, as they then are.
    rows: Vec<ImageRow>,
    new: Vec<ImageRow>,
    /// Bytes to be put in place: new ones, and those of images that broke.
    place: Vec<Staged>,
    healed: Vec<ImageRow>,
}

impl App {
    /// Keeps all of them, or none; says which are there then, and how many are new.
    async fn keep_images(
        &self,
        taken: Vec<Taken>,
        source: &str,
        by: &Actor,
    ) -> Result<(Vec<ImageRow>, usize), AppError> {
        let images = &self.firmware.images;
        let _one = images.changing.lock().await;
        let sorted = self.sorted(taken, source, by).await?;
        let (objects, known) = (images.objects.clone(), images.rows());
        let place = sorted.place;
        let placed =
            spawn_blocking(move || objects.place(&place, |object| known.iter().any(|row| row.object == object)));
        let placed = placed.await.map_err(|_| AppError::Interrupted)?.map_err(of_objects)?;
        let added = self.add_images(&sorted.new, source, by).await;
        // What the database holds counts, whatever it answered.
        let read = images.reload(&self.store).await;
        if read.is_ok() {
            let known = images.rows();
            let _ = spawn_blocking(move || placed.settle(|object| known.iter().any(|row| row.object == object))).await;
        }
        added?;
        read?;
        for row in &sorted.healed {
            images.forget_standing(&row.object);
            self.image_is_whole(row).await;
        }
        for row in sorted.healed.iter().chain(&sorted.new) {
            images.note_placed(row).await;
        }
        Ok((sorted.rows, sorted.new.len()))
    }

    async fn sorted(&self, taken: Vec<Taken>, source: &str, by: &Actor) -> Result<Sorted, AppError> {
        let images = &self.firmware.images;
        let known = images.rows();
        let mut sorted = Sorted::default();
        for one in taken {
            let Taken { image, staged } = one;
            let same = |row: &&ImageRow| {
                (row.kind, &row.part, &row.line) == (image.kind, &image.part, &image.line)
                    && (row.version == image.version || row.sha256 == staged.sha256)
            };
            if let Some(row) = sorted.new.iter().chain(known.iter()).find(same) {
                if row.sha256 != staged.sha256 || row.version != image.version {
                    return Err(other_bytes(row, &image.version.to_string(), &staged.sha256));
                }
                let row = row.clone();
                if images.is_known_good(&row).await || sorted.rows.iter().any(|seen| seen.id == row.id) {
                    sorted.rows.retain(|seen| seen.id != row.id);
                } else {
                    sorted.healed.push(row.clone());
                    sorted.place.push(staged);
                }
                sorted.rows.push(row);
                continue;
            }
            let row = self.new_image(image, &staged, (source, by));
            sorted.rows.push(row.clone());
            sorted.new.push(row);
            sorted.place.push(staged);
        }
        Ok(sorted)
    }

    fn new_image(
        &self,
        image: provost_core::firmware::image::Recognized,
        staged: &Staged,
        (source, by): (&str, &Actor),
    ) -> ImageRow {
        let put_at = self.now();
        let id = crate::locked(&self.event_ids).next(put_at).to_ascii_lowercase();
        ImageRow {
            id: format!("image_{id}"),
            name: image.name,
            kind: image.kind,
            part: image.part,
            line: image.line,
            version: image.version,
            updater: image.updater,
            sha256: staged.sha256.clone(),
            bytes: staged.bytes,
            object: staged.sha256.clone(),
            source: source.to_owned(),
            put_by: by.who.clone(),
            put_at,
        }
    }

    async fn add_images(&self, rows: &[ImageRow], source: &str, by: &Actor) -> Result<(), AppError> {
        if rows.is_empty() {
            return Ok(());
        }
        /// As many as one entry of the audit log names.
        const NAMED: usize = 8;
        let named = |row: &ImageRow| format!("{} {}", row.name, row.version);
        let names: Vec<String> = rows.iter().take(NAMED).map(named).collect();
        let more = rows.len().saturating_sub(NAMED);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let what = format!("uploaded the firmware file {source}: {}{more}", names.join(", "));
        let entry = self.audit_entry(by, what, None);
        Ok(self.store.audited(entry).add_firmware_images(rows).await?)
    }
}

fn other_bytes(row: &ImageRow, version: &str, found: &str) -> AppError {
    let whose = match (&row.part, &row.line) {
        (Some(part), _) => format!("part {part}"),
        (None, line) => format!("the line {}", line.as_deref().unwrap_or_default()),
    };
    AppError::Conflict {
        message: format!(
            "the {} for {whose} is there as {} ({}) with the SHA-256 {}, and this one is {version} with the SHA-256 {found}; \
             if that one is wrong, remove it first",
            row.kind.as_str(),
            row.version,
            row.id,
            row.sha256
        ),
    }
}
