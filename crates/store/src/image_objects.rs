//! The bytes of firmware images: files in one folder, each named by its SHA-256.
//!
//! Decides how bytes come in whole or not at all, and how they go out to many phones at once. An object gets its name
//! only when all of it is on the disk; what a killed server left half done is put right at its next start
//! ([`ImageObjects::sweep`]). Never decides what an image is, nor who may have it. Only a running server that holds the
//! data folder opens the folder, so that nothing here has to reckon with another.

mod chunks;
mod incoming;
#[cfg(test)]
mod tests;

pub use incoming::{NewObject, Placed, Staged};

use crate::ImageRow;
use bytes::Bytes;
use chunks::{CHUNK_BYTES, Chunks};
use futures_util::StreamExt as _;
use futures_util::stream::{BoxStream, try_unfold};
use sha2::{Digest as _, Sha256};
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::ops::Range;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of an image as they go out.
pub type ImageStream = BoxStream<'static, io::Result<Bytes>>;

/// What is read at once to make a digest.
const DIGEST_BYTES: usize = 256 * 1024;

/// Why bytes could not be kept or are not what they were.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// The file is not there.
    #[error("its file {} is gone; put it back, or upload the image again", path.display())]
    Vanished {
        /// Which.
        path: PathBuf,
    },
    /// The file is longer or shorter than it was.
    #[error("its file {} has {found} bytes where {expected} are expected; upload the image again", path.display())]
    Length {
        /// Which.
        path: PathBuf,
        /// Its length.
        found: u64,
        /// What it was.
        expected: u64,
    },
    /// The file's bytes are others.
    #[error("its file {} has the SHA-256 {found} where {expected} is expected; upload the image again", path.display())]
    Digest {
        /// Which.
        path: PathBuf,
        /// Its digest.
        found: String,
        /// What it was.
        expected: String,
    },
    /// No room is left.
    #[error("the disk that holds the image store {} is full", folder.display())]
    DiskFull {
        /// The folder.
        folder: PathBuf,
    },
    /// The file system said no.
    #[error("{}: {error}", path.display())]
    Io {
        /// Of which file.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
}

impl ObjectError {
    fn of(path: &Path, error: io::Error) -> Self {
        if is_full(&error) {
            return Self::DiskFull { folder: path.parent().unwrap_or(path).to_owned() };
        }
        Self::Io { path: path.to_owned(), error }
    }

    /// Whether it says something about the object, and not that it could not be looked at just now.
    pub const fn is_of_object(&self) -> bool {
        matches!(self, Self::Vanished { .. } | Self::Length { .. } | Self::Digest { .. })
    }
}

/// How a file looked when its bytes were compared: while it looks the same, they are not compared again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp {
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// The folder of images.
#[derive(Debug, Clone)]
pub struct ImageObjects {
    folder: Arc<Path>,
    chunks: Arc<Chunks>,
}

/// An object that can be read, whatever becomes of its name meanwhile.
#[derive(Debug, Clone)]
pub struct OpenObject {
    file: Arc<File>,
    object: Arc<str>,
    bytes: u64,
    stamp: Stamp,
    chunks: Arc<Chunks>,
}

impl ImageObjects {
    /// Uses this folder, which is made if it is not there.
    ///
    /// # Errors
    /// [`ObjectError::Io`] when it cannot be made or written.
    pub fn open(folder: &Path) -> Result<Self, ObjectError> {
        match fs::create_dir_all(folder) {
            // A server with a full disk starts all the same; the folder is made with the first object.
            Err(error) if !is_full(&error) => return Err(ObjectError::of(folder, error)),
            _ => {}
        }
        Ok(Self { folder: folder.into(), chunks: Arc::default() })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, object: &str) -> PathBuf {
        self.folder.join(format!("{object}.image"))
    }

    /// Opens an image's bytes, if they are there at their length.
    ///
    /// # Errors
    /// [`ObjectError::Vanished`], [`ObjectError::Length`], [`ObjectError::Io`].
    pub async fn get(&self, row: &ImageRow) -> Result<OpenObject, ObjectError> {
        let (path, expected) = (self.path(&row.object), row.bytes);
        let (file, stamp) = blocking(&path.clone(), move || opened(&path, expected)).await?;
        let (object, chunks) = (row.object.as_str().into(), Arc::clone(&self.chunks));
        Ok(OpenObject { file: Arc::new(file), object, bytes: expected, stamp, chunks })
    }

    /// Compares all bytes of an image with its digest.
    ///
    /// # Errors
    /// As [`Self::get`], and [`ObjectError::Digest`].
    pub async fn check(&self, row: &ImageRow) -> Result<Stamp, ObjectError> {
        let (path, row) = (self.path(&row.object), row.clone());
        let at = path.clone();
        let checked = blocking(&at, move || {
            let (mut file, stamp) = opened(&path, row.bytes)?;
            let found = digest(&mut file).map_err(|error| ObjectError::of(&path, error))?;
            if found == row.sha256 { Ok(stamp) } else { Err(ObjectError::Digest { path, found, expected: row.sha256 }) }
        });
        checked.await
    }

    /// Forgets what of an object is in memory.
    pub fn forget(&self, object: &str) {
        self.chunks.forget(object);
    }
}

/// No room is left, on the disk or in what the user may have of it.
fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn opened(path: &Path, expected: u64) -> Result<(File, Stamp), ObjectError> {
    let at_fault = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => ObjectError::Vanished { path: path.to_owned() },
        _ => ObjectError::of(path, error),
    };
    let file = File::open(path).map_err(at_fault)?;
    let metadata = file.metadata().map_err(at_fault)?;
    if metadata.len() != expected {
        return Err(ObjectError::Length { path: path.to_owned(), found: metadata.len(), expected });
    }
    Ok((file, Stamp::of(&metadata)))
}

fn digest(file: &mut File) -> io::Result<String> {
    let (mut hash, mut piece) = (Sha256::new(), vec![0; DIGEST_BYTES]);
    loop {
        let read = file.read(&mut piece)?;
        let Some(read) = piece.get(..read).filter(|read| !read.is_empty()) else {
            return Ok(hex::encode(hash.finalize()));
        };
        hash.update(read);
    }
}

/// Does what waits for the disk on a thread that may wait.
async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> Result<T, ObjectError> + Send + 'static,
) -> Result<T, ObjectError> {
    let lost = |error| ObjectError::Io { path: path.to_owned(), error: io::Error::other(error) };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(lost(error)))
}

impl OpenObject {
    /// How its file looked when it was opened.
    pub const fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// Its length in bytes.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Its bytes from one place on to before another; what is behind the end is left out. Pieces are shared with all
    /// who read the same, and copied for nobody.
    pub fn read(&self, range: Range<u64>) -> ImageStream {
        let (object, end) = (self.clone(), range.end.min(self.bytes));
        let pieces = try_unfold((object, range.start), move |(object, at)| async move {
            if at >= end {
                return Ok(None);
            }
            let number = at / CHUNK_BYTES;
            let begins = number.saturating_mul(CHUNK_BYTES);
            let length = CHUNK_BYTES.min(object.bytes.saturating_sub(begins));
            let chunk = object.chunks.chunk(&object.file, (&object.object, object.stamp), (number, length)).await?;
            let (from, to) = (at.saturating_sub(begins), length.min(end.saturating_sub(begins)));
            let (from, to) = (size(from), size(to).min(chunk.len()));
            if from >= to {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let next = at.saturating_add(u64::try_from(to.saturating_sub(from)).unwrap_or(u64::MAX));
            Ok(Some((chunk.slice(from..to), (object, next))))
        });
        pieces.boxed()
    }
}

/// A length within a chunk.
fn size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
