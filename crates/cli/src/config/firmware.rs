//! `[firmware]`: where images lie.

use super::document::Document;
use super::problem::Refusal;
use std::path::PathBuf;

/// `[firmware]`: the images that phones are brought up by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firmware {
    /// `store`: the folder of images, of one server alone; see [`super::Config::firmware_store`].
    pub store: Option<PathBuf>,
}

pub(super) fn read(document: &mut Document) -> Firmware {
    let folder = document.parsed("firmware", "store", folder);
    Firmware { store: folder.map(|folder| document.base_dir().join(folder)) }
}

/// A URL is nobody's folder, and would be made as one without a word.
fn folder(text: &str) -> Result<PathBuf, Refusal> {
    if text.starts_with("s3://") {
        return Err(Refusal::StoreInS3);
    }
    if text.contains("://") {
        return Err(Refusal::StoreNotAFolder);
    }
    Ok(PathBuf::from(text))
}
