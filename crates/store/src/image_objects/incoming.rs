//! How an object comes in: under a passing name first, and under its own once all of it is on the disk.
//!
//! Before objects get their names, or lose their rows, a note says which: a server that was killed before the database
//! agreed finds it at its next start and removes what no row names. So nothing half stored stays, and no object is ever
//! removed that was not part of such a change.

use super::{ImageObjects, ObjectError};
use sha2::{Digest as _, Sha256};
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What comes in.
const PART: &str = "part";
/// The note about a change under way.
const PENDING: &str = "pending";
/// What such names begin with; two numbers follow.
const PASSING: &str = "incoming-";
/// A note names at most as many objects as an upload has entries, 69 bytes each.
const MOST_NOTE_BYTES: u64 = 1024 * 1024;

/// Tells names of one process apart.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// A file that goes when it is dropped, unless it was given another name.
#[derive(Debug)]
struct Passing(PathBuf);

impl Drop for Passing {
    fn drop(&mut self) {
        // Gone already where it has its own name by now.
        let _ = fs::remove_file(&self.0);
    }
}

/// An object that is being written.
#[derive(Debug)]
pub struct NewObject {
    passing: Passing,
    file: File,
    hash: Sha256,
    bytes: u64,
}

/// An object that is on the disk in whole, under a passing name; dropped, it is gone.
#[derive(Debug)]
pub struct Staged {
    passing: Passing,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
}

/// Objects with their names, about which the database has not agreed yet.
#[derive(Debug)]
#[must_use = "settle it, or the next start does"]
pub struct Placed {
    of: ImageObjects,
    objects: Vec<String>,
    note: Option<PathBuf>,
}

impl NewObject {
    /// Adds bytes; waits for the disk.
    ///
    /// # Errors
    /// [`ObjectError::DiskFull`], [`ObjectError::Io`].
    pub fn write(&mut self, piece: &[u8]) -> Result<(), ObjectError> {
        self.file.write_all(piece).map_err(|error| ObjectError::of(&self.passing.0, error))?;
        self.hash.update(piece);
        self.bytes = self.bytes.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// How many bytes there are.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// All of it was written: brings it to the disk.
    ///
    /// # Errors
    /// [`ObjectError::DiskFull`], [`ObjectError::Io`].
    pub fn finish(self) -> Result<Staged, ObjectError> {
        self.file.sync_all().map_err(|error| ObjectError::of(&self.passing.0, error))?;
        Ok(Staged { passing: self.passing, sha256: hex::encode(self.hash.finalize()), bytes: self.bytes })
    }
}

impl Staged {
    /// Opens it to be looked at.
    ///
    /// # Errors
    /// [`ObjectError::Io`].
    pub fn open(&self) -> Result<File, ObjectError> {
        File::open(&self.passing.0).map_err(|error| ObjectError::of(&self.passing.0, error))
    }
}

impl ImageObjects {
    /// Begins an object.
    ///
    /// # Errors
    /// [`ObjectError::DiskFull`], [`ObjectError::Io`].
    pub fn begin(&self) -> Result<NewObject, ObjectError> {
        fs::create_dir_all(&self.folder).map_err(|error| ObjectError::of(&self.folder, error))?;
        let path = self.passing_name(PART);
        let file = new_file(&path).map_err(|error| ObjectError::of(&path, error))?;
        Ok(NewObject { passing: Passing(path), file, hash: Sha256::new(), bytes: 0 })
    }

    /// Gives objects their names; waits for the disk.
    ///
    /// # Errors
    /// [`ObjectError::DiskFull`], [`ObjectError::Io`]; `is_named` says which of them a row names already, the others
    /// are gone then.
    pub fn place(&self, staged: &[Staged], is_named: impl Fn(&str) -> bool) -> Result<Placed, ObjectError> {
        let objects: Vec<String> = staged.iter().map(|one| one.sha256.clone()).collect();
        let note = self.note(&objects)?;
        let placed = Placed { of: self.clone(), objects, note: Some(note) };
        let named = staged.iter().try_for_each(|one| {
            let path = self.path(&one.sha256);
            fs::rename(&one.passing.0, &path).map_err(|error| ObjectError::of(&path, error))
        });
        match named.and_then(|()| self.sync()) {
            Ok(()) => Ok(placed),
            Err(error) => {
                placed.settle(is_named);
                Err(error)
            }
        }
    }

    /// Notes that an object may lose its last row. Where the disk is so full that not even that can be noted, it is
    /// removed all the same; only a kill in between would leave it.
    pub fn part_with(&self, object: &str) -> Placed {
        let objects = vec![object.to_owned()];
        let note = self.note(&objects).ok();
        Placed { of: self.clone(), objects, note }
    }

    /// Puts right what a killed server left half done, and returns how many files went.
    ///
    /// # Errors
    /// [`ObjectError::Io`] when the folder cannot be read.
    pub fn sweep(&self, is_named: impl Fn(&str) -> bool) -> Result<usize, ObjectError> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            entries => entries.map_err(|error| ObjectError::of(&self.folder, error))?,
        };
        let mut gone = 0;
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            match path.extension().and_then(OsStr::to_str) {
                Some(PART) if is_passing(&path) => gone += usize::from(fs::remove_file(&path).is_ok()),
                Some(PENDING) if is_passing(&path) => {
                    let objects = noted(&path);
                    gone += Placed { of: self.clone(), objects, note: Some(path) }.settle(&is_named);
                }
                _ => {}
            }
        }
        Ok(gone)
    }

    fn passing_name(&self, extension: &str) -> PathBuf {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        self.folder.join(format!("{PASSING}{}-{number}.{extension}", std::process::id()))
    }

    fn note(&self, objects: &[String]) -> Result<PathBuf, ObjectError> {
        let path = self.passing_name(PENDING);
        let written = new_file(&path).and_then(|mut file| {
            file.write_all(objects.join("\n").as_bytes())?;
            file.sync_all()
        });
        if let Err(error) = written {
            let _ = fs::remove_file(&path);
            return Err(ObjectError::of(&path, error));
        }
        self.sync()?;
        Ok(path)
    }

    /// What was renamed or removed in the folder is so after a power cut too.
    fn sync(&self) -> Result<(), ObjectError> {
        let synced = File::open(&self.folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| ObjectError::of(&self.folder, error))
    }
}

impl Placed {
    /// The change is over, either way: objects that no row names are removed, and so is the note about them. Returns how
    /// many went.
    pub fn settle(self, is_named: impl Fn(&str) -> bool) -> usize {
        let (mut gone, mut is_over) = (0, true);
        for object in self.objects.iter().filter(|object| !is_named(object)) {
            match fs::remove_file(self.of.path(object)) {
                Ok(()) => gone += 1,
                Err(error) => is_over &= error.kind() == io::ErrorKind::NotFound,
            }
            self.of.forget(object);
        }
        if gone > 0 {
            // Were the removal lost in a power cut but not that of the note, an object would stay that nobody names.
            let _ = self.of.sync();
        }
        // Where one could not be removed, the note stays, and the next start tries again.
        if let Some(note) = self.note.as_ref().filter(|_| is_over) {
            let _ = fs::remove_file(note);
        }
        gone
    }
}

/// Whether a file has a name that is given here: others in the folder are somebody's.
fn is_passing(path: &Path) -> bool {
    let name = path.file_stem().and_then(OsStr::to_str).and_then(|name| name.strip_prefix(PASSING));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    name.and_then(|name| name.split_once('-')).is_some_and(|(process, number)| is_number(process) && is_number(number))
}

fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// What a note names, as far as it can be read: a name that is none of ours removes nothing.
fn noted(path: &Path) -> Vec<String> {
    use io::Read as _;
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MOST_NOTE_BYTES).read_to_string(&mut text));
    if read.is_err() {
        return Vec::new();
    }
    let is_digest = |line: &&str| line.len() == 64 && line.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.lines().filter(is_digest).map(ToOwned::to_owned).collect()
}
