//! The images at hand: their rows in memory, and whether their bytes are still there as they came.

use super::{objects_in, of_objects};
use crate::alarms::AlarmKind;
use crate::{App, AppError, error_reference, locked};
use provost_store::{ImageObjects, ImageRow, ImageStream, ObjectError, OpenObject, Stamp, Store};
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;

const ADVICE: &str = "Upload the same file again: the image is whole then and goes on under its old id. Phones are told to \
                      come back later meanwhile.";

/// Files that come in at once.
const UPLOADS: usize = 2;

/// The images, as the database knows them and as the disk has them.
#[derive(Debug)]
pub(crate) struct Images {
    pub(super) objects: ImageObjects,
    rows: Mutex<Arc<Vec<ImageRow>>>,
    standing: Mutex<HashMap<String, Standing>>,
    /// Held by what adds and removes: one at a time.
    pub(super) changing: tokio::sync::Mutex<()>,
    /// Files that may come in at once: each fills the disk by up to three times its size for a while.
    pub(super) uploads: Arc<Semaphore>,
    /// Held by what compares bytes, so that a thousand phones do not make the same comparison.
    comparing: tokio::sync::Mutex<()>,
}

/// How an object stands; one that was not looked at since the start has none.
#[derive(Debug, Clone)]
pub(super) enum Standing {
    /// Its bytes are what came, while its file looks like this.
    Good(Stamp),
    /// It is not served; why.
    Broken(String),
}

/// The bytes of an image, ready to be sent.
#[derive(Debug, Clone)]
pub struct ImageFile {
    /// Its length.
    pub bytes: u64,
    /// SHA-256 in hexadecimal: what an `ETag` can be made of.
    pub sha256: String,
    /// The name of its file.
    pub name: String,
    object: OpenObject,
}

impl ImageFile {
    /// Its bytes from one place on to before another.
    pub fn read(&self, range: Range<u64>) -> ImageStream {
        self.object.read(range)
    }
}

impl Images {
    pub(super) async fn load(store: &Store, folder: &Path) -> Result<Self, AppError> {
        let rows = store.firmware_images().await?;
        let objects = objects_in(folder)?;
        let gone = objects.sweep(|object| rows.iter().any(|row| row.object == object)).map_err(of_objects)?;
        if gone > 0 {
            tracing::warn!(files = gone, "removed what an upload of firmware that was cut off had left");
        }
        Ok(Self {
            objects,
            rows: Mutex::new(Arc::new(rows)),
            standing: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
            uploads: Arc::new(Semaphore::new(UPLOADS)),
            comparing: tokio::sync::Mutex::default(),
        })
    }

    /// Every image, in the order they came.
    pub(crate) fn rows(&self) -> Arc<Vec<ImageRow>> {
        Arc::clone(&locked(&self.rows))
    }

    pub(super) async fn reload(&self, store: &Store) -> Result<(), AppError> {
        let rows = store.firmware_images().await?;
        *locked(&self.rows) = Arc::new(rows);
        Ok(())
    }

    pub(super) fn standing(&self, object: &str) -> Option<Standing> {
        locked(&self.standing).get(object).cloned()
    }

    pub(super) fn forget_standing(&self, object: &str) {
        self.objects.forget(object);
        locked(&self.standing).remove(object);
    }

    /// Its bytes were compared as they came, and have just got their place.
    pub(super) async fn note_placed(&self, row: &ImageRow) {
        // Where it cannot be opened, whoever wants it next finds out why.
        if let Ok(opened) = self.objects.get(row).await {
            locked(&self.standing).insert(row.object.clone(), Standing::Good(opened.stamp()));
        }
    }

    /// Whether its bytes were compared, and its file looks now as it did then.
    pub(super) async fn is_known_good(&self, row: &ImageRow) -> bool {
        self.objects.get(row).await.is_ok_and(|opened| self.is_good(row, opened.stamp()))
    }

    fn is_good(&self, row: &ImageRow, stamp: Stamp) -> bool {
        matches!(locked(&self.standing).get(&row.object), Some(Standing::Good(known)) if *known == stamp)
    }

    /// Opens an image whose bytes were compared since its file looks as it does.
    async fn opened(&self, row: &ImageRow) -> Result<OpenObject, ObjectError> {
        let opened = self.objects.get(row).await?;
        if self.is_good(row, opened.stamp()) {
            return Ok(opened);
        }
        let _one = self.comparing.lock().await;
        // What is in memory is of the bytes before.
        let opened = self.objects.get(row).await?;
        if self.is_good(row, opened.stamp()) {
            return Ok(opened);
        }
        self.objects.forget(&row.object);
        let stamp = self.objects.check(row).await?;
        locked(&self.standing).insert(row.object.clone(), Standing::Good(stamp));
        self.objects.get(row).await
    }
}

impl App {
    /// An image's bytes.
    ///
    /// # Errors
    /// [`AppError::NotFound`] without such an image, [`AppError::Refused`] when it is broken, with what was expected and
    /// found; [`AppError::ImageStore`] when the disk does not answer.
    pub async fn image_file(&self, id: &str) -> Result<ImageFile, AppError> {
        let rows = self.firmware.images.rows();
        let missing = || AppError::NotFound { what: "firmware image", name: id.chars().take(60).collect() };
        let row = rows.iter().find(|row| row.id == id).ok_or_else(missing)?;
        let object = self.opened_image(row).await?;
        Ok(ImageFile { bytes: row.bytes, sha256: row.sha256.clone(), name: row.name.clone(), object })
    }

    /// Opens it, and notes where that shows that it broke, or that it is whole again.
    async fn opened_image(&self, row: &ImageRow) -> Result<OpenObject, AppError> {
        let images = &self.firmware.images;
        let before = images.standing(&row.object);
        let was_broken = matches!(before, Some(Standing::Broken(_)));
        match images.opened(row).await {
            Ok(opened) => {
                // Also at the first look after a start: it may have been put back meanwhile.
                if !matches!(before, Some(Standing::Good(_))) {
                    self.image_is_whole(row).await;
                }
                Ok(opened)
            }
            Err(error) if error.is_of_object() => {
                if !was_broken {
                    self.image_broke(row, &error).await;
                }
                Err(AppError::Refused {
                    code: "firmware-image-broken",
                    message: format!("the image {} {} is broken: {error}", row.name, row.version),
                    reference: error_reference(),
                })
            }
            Err(error) => Err(of_objects(error)),
        }
    }

    /// Compares the bytes of every image whose file looks other than when they were compared last; the server does so at
    /// its start and from time to time.
    pub async fn look_at_images(&self) {
        for row in self.firmware.images.rows().iter() {
            if *self.ending.borrow() {
                return;
            }
            if let Err(error @ AppError::ImageStore(_)) = self.opened_image(row).await {
                tracing::warn!(image = row.id, %error, "an image could not be looked at");
            }
        }
    }

    async fn image_broke(&self, row: &ImageRow, error: &ObjectError) {
        let images = &self.firmware.images;
        images.objects.forget(&row.object);
        locked(&images.standing).insert(row.object.clone(), Standing::Broken(error.to_string()));
        let sentence = format!("The firmware image {} {} is not served any more: {error}.", row.name, row.version);
        let raised = self.raise(AlarmKind::FirmwareImage, &row.id, (&sentence, ADVICE)).await;
        if let Err(error) = raised {
            tracing::error!(image = row.id, %error, "an alarm about a broken image could not be stored");
        }
    }

    /// Ends the alarm about it, and about all others with the same bytes: it was raised for the one that was looked at.
    pub(super) async fn image_is_whole(&self, row: &ImageRow) {
        let rows = self.firmware.images.rows();
        let others = rows.iter().filter(|other| other.object == row.object && other.id != row.id);
        for one in std::iter::once(row).chain(others) {
            let ended = self.store.end_alarm_about(AlarmKind::FirmwareImage.as_str(), &one.id, self.now()).await;
            if let Err(error) = ended {
                tracing::error!(image = one.id, %error, "an alarm about an image that is whole again could not be ended");
            }
        }
    }
}
