//! The data folder: one server at a time, its key, its own server certificate.
//!
//! Decides what stands where: `lock`, `provost.db`, `secret.key`, `trust/`, `server/`, `control.sock`,
//! and for `up` `lab/`. Everything is the owner's alone (0700, keys 0600).

use crate::failure::Failure;
use provost_app::KEY_BYTES;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Read, Write};
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
        Ok(Self { root: root.to_owned(), _lock: lock })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.root.join("provost.db")
    }

    /// Reads the secret key, or makes it at the first start.
    pub(crate) fn secret_key(&self, file: &Path) -> Result<[u8; KEY_BYTES], Failure> {
        let at_fault = |why: String| Failure::Configuration(vec![format!("{}: {why}", file.display())]);
        let mode = fs::metadata(file).map_or(0, |found| found.permissions().mode());
        if mode & 0o077 != 0 {
            return Err(at_fault(format!("can be read by others (mode {:o}); run chmod 600 on it", mode & 0o777)));
        }
        match fs::read_to_string(file) {
            Ok(text) => {
                hex::decode(text.trim()).ok().and_then(|bytes| <[u8; KEY_BYTES]>::try_from(bytes).ok()).ok_or_else(
                    || at_fault("holds no key of 64 hexadecimal digits; put the right key file in place".to_owned()),
                )
            }
            // A lost key must not be replaced: what the database holds could never be read again.
            Err(error) if error.kind() == ErrorKind::NotFound && self.database().exists() => Err(at_fault(format!(
                "is missing, but {} was encrypted with it; put the key file back",
                self.database().display()
            ))),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let key: [u8; KEY_BYTES] = rand::random();
                write_private(file, hex::encode(key).as_bytes()).map_err(|error| at_fault(error.to_string()))?;
                Ok(key)
            }
            Err(error) => Err(at_fault(format!("cannot be read: {error}"))),
        }
    }
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
    name.push(format!(".{:016x}.new", rand::random::<u64>()));
    let new = path.with_file_name(name);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}
