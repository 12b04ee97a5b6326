//! The data folder: one server at a time, its key, its own server certificate.
//!
//! Decides what stands where: `lock`, `provost.db`, `secret.key`, `trust/`, `server/`, `control.sock`,
//! and for `up` `lab/`. Everything is the owner's alone (0700, keys 0600).

use crate::failure::Failure;
use provost_app::KEY_BYTES;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The folder, held by this process until dropped.
#[derive(Debug)]
pub(crate) struct DataDir {
    root: PathBuf,
    _lock: File,
}

/// Why the folder could not be had.
pub(crate) enum NotHeld {
    /// Another process has it.
    ByAnother {
        /// Its process id, as it wrote it.
        pid: String,
    },
    /// The file system says no.
    Failure(Failure),
}

impl DataDir {
    /// Makes the folder if needed and takes its lock, without waiting.
    pub(crate) fn hold(root: &Path) -> Result<Self, NotHeld> {
        let failure = |error: std::io::Error| {
            NotHeld::Failure(Failure::Runtime(format!(
                "cannot use the data folder {}: {error}; make it writable or name another with --data",
                root.display()
            )))
        };
        make_private_folder(root).map_err(failure)?;
        if is_ours(root).map_err(failure)? {
            // It may have been made open to others; what is in it is nobody else's.
            fs::set_permissions(root, Permissions::from_mode(0o700)).map_err(failure)?;
        }
        let path = root.join("lock");
        let mut lock = OpenOptions::new()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(failure)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let _ = lock.read_to_string(&mut pid);
                return Err(NotHeld::ByAnother { pid: pid.trim().to_owned() });
            }
            Err(fs::TryLockError::Error(error)) => return Err(failure(error)),
        }
        lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id())).map_err(failure)?;
        sweep(root);
        Ok(Self { root: root.to_owned(), _lock: lock })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.root.join("provost.db")
    }

    /// Reads the secret key, or makes it at the first start; a database that was used has one already.
    pub(crate) fn secret_key(&self, file: &Path, was_used: bool) -> Result<[u8; KEY_BYTES], Failure> {
        match fs::exists(file) {
            Ok(true) => read_key(file),
            // A lost key must not be replaced: what the database holds could never be read again.
            Ok(false) if was_used => {
                Err(key_at_fault(file, "is missing, but the database was encrypted with it; put the key file back"))
            }
            Ok(false) => {
                let key: [u8; KEY_BYTES] = rand::random();
                write_private(file, hex::encode(key).as_bytes()).map_err(|error| key_at_fault(file, error))?;
                Ok(key)
            }
            Err(error) => Err(key_at_fault(file, format!("cannot be read: {error}"))),
        }
    }
}

/// Reads a key file that nobody else can read.
pub(crate) fn read_key(file: &Path) -> Result<[u8; KEY_BYTES], Failure> {
    let mode = fs::metadata(file).map_or(0, |found| found.permissions().mode());
    if mode & 0o077 != 0 {
        let why = format!("can be read by others (mode {:o}); run chmod 600 on it", mode & 0o777);
        return Err(key_at_fault(file, why));
    }
    let text = fs::read_to_string(file).map_err(|error| key_at_fault(file, format!("cannot be read: {error}")))?;
    let key = hex::decode(text.trim()).ok().and_then(|bytes| <[u8; KEY_BYTES]>::try_from(bytes).ok());
    key.ok_or_else(|| key_at_fault(file, "holds no key of 64 hexadecimal digits; put the right key file in place"))
}

fn key_at_fault(file: &Path, why: impl std::fmt::Display) -> Failure {
    Failure::Configuration(vec![format!("{}: {why}", file.display())])
}

/// Whether the folder is empty or holds what Provost puts into its data folder: only then its mode is touched.
fn is_ours(root: &Path) -> std::io::Result<bool> {
    let known = ["lock", "provost.db", "trust", "lab"].iter().any(|name| root.join(name).exists());
    Ok(known || fs::read_dir(root)?.next().is_none())
}

/// The control socket of the server that serves this folder.
pub(crate) fn control_socket(root: &Path) -> PathBuf {
    root.join("control.sock")
}

/// The digits between a file's name and `.new` while it is written.
const NEW_DIGITS: usize = 16;

/// Removes what a process that was killed while it wrote left behind. What cannot be removed now is no reason not to
/// start.
fn sweep(root: &Path) {
    let server = root.join("server");
    for folder in [root.to_owned(), server.join("acme"), server, root.join("lab")] {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
        for path in paths.filter(|path| is_left_over(path)) {
            let _ = fs::remove_file(path);
        }
    }
}

/// Whether `write_whole` made this name.
fn is_left_over(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".new"));
    let digits = name.and_then(|name| name.rsplit_once('.')).map(|(_, digits)| digits);
    digits.is_some_and(|digits| digits.len() == NEW_DIGITS && digits.chars().all(|each| each.is_ascii_hexdigit()))
}

/// Makes a folder that only its owner enters.
pub(crate) fn make_private_folder(path: &Path) -> std::io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file that only its owner reads, whole or not at all.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    write_whole(path, bytes, 0o600)
}

/// Writes a file whole or not at all.
pub(crate) fn write_public(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    write_whole(path, bytes, 0o644)
}

fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{:0NEW_DIGITS$x}.new", rand::random::<u64>()));
    let new = path.with_file_name(name);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&new, path));
    if let Err(error) = written {
        // It may hold half a key, and a full disk gets no emptier by it.
        let _ = fs::remove_file(&new);
        return Err(error);
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_that_cannot_be_put_in_place_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("rsa.pem");
        fs::create_dir(&taken).unwrap();

        assert!(write_private(&taken, b"key").is_err());

        assert_eq!(names(folder.path()), ["rsa.pem"]);
    }

    #[test]
    fn a_start_removes_what_was_left_half_written_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let acme = root.path().join("server").join("acme");
        make_private_folder(&acme).unwrap();
        for folder in [&acme, &root.path().join("server")] {
            for name in ["rsa.pem", "rsa.pem.0123456789abcdef.new", "rsa.pem.new", "mine.0123.new"] {
                fs::write(folder.join(name), "key").unwrap();
            }
        }

        let held = DataDir::hold(root.path());

        assert!(held.is_ok());
        assert_eq!(names(&acme), ["mine.0123.new", "rsa.pem", "rsa.pem.new"]);
        assert_eq!(names(acme.parent().unwrap()), ["acme", "mine.0123.new", "rsa.pem", "rsa.pem.new"]);
    }
}
