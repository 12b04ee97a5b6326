//! Firmware: the images at hand, and whether their bytes are still what was uploaded.
//!
//! Decides what comes into the image store and what is served from it. An image whose bytes vanished or changed is never
//! served: it is broken until it is uploaded again, and an alarm says so.

mod images;
mod receive;
mod unpack;
mod views;

pub use images::ImageFile;
pub use receive::{ImageInput, ReceivingImage};
pub use views::{ImageView, NotTakenView, UploadedView};

use images::Images;
use provost_store::{ImageObjects, ObjectError, Store};
use std::path::Path;

use crate::AppError;

/// What is known of firmware in memory.
#[derive(Debug)]
pub(crate) struct Firmware {
    pub(crate) images: Images,
}

impl Firmware {
    pub(crate) async fn load(store: &Store, folder: &Path) -> Result<Self, AppError> {
        Ok(Self { images: Images::load(store, folder).await? })
    }
}

/// What the use-case says of the image store's trouble.
pub(crate) fn of_objects(error: ObjectError) -> AppError {
    match error {
        ObjectError::DiskFull { .. } => AppError::ImageDiskFull(error.to_string()),
        error => AppError::ImageStore(error.to_string()),
    }
}

/// The image store in this folder.
pub(crate) fn objects_in(folder: &Path) -> Result<ImageObjects, AppError> {
    ImageObjects::open(folder).map_err(of_objects)
}
