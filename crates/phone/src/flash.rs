//! What of a phone survives a power cut.
//!
//! Decides how the phone's memory is kept: one JSON file in a folder, replaced in one step, so that a
//! phone killed at any instant finds either the old or the new memory. Never interprets it. Writing
//! blocks: it is a few kilobytes, and a phone has nothing else to do meanwhile.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// Bytes of log a phone keeps; older lines go first.
const LOG_BYTES: usize = 64 * 1024;
const FILE_NAME: &str = "flash.json";

/// Where a phone keeps its memory. Clones share one memory, as a phone taken apart would.
#[derive(Debug, Clone)]
pub enum Flash {
    /// Lives as long as the process; for tests.
    Memory(Arc<Mutex<Option<Memory>>>),
    /// `flash.json` in this folder, which is created when the phone first writes.
    Folder(PathBuf),
}

/// The memory itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Memory {
    /// The MAC address this memory belongs to.
    pub mac: String,
    /// The catalog's id of the model.
    pub model: String,
    /// Version of the application; the phone runs this one, whatever it came with.
    pub firmware: String,
    /// Version of the updater or BootROM.
    pub updater: String,
    /// Times a new version was written.
    pub flash_count: u64,
    /// The last master file that was good.
    pub master: Option<String>,
    /// The configuration files last applied, the overruling one first.
    pub files: Vec<CachedFile>,
    /// Device parameters, taken only from files that asked for it.
    pub device: BTreeMap<String, String>,
    /// Settings changed in the phone's menu.
    pub phone_overrides: BTreeMap<String, String>,
    /// Settings changed in the phone's web pages.
    pub web_overrides: BTreeMap<String, String>,
    /// The boot server the configuration in force came from, without credentials; nothing where no network was asked.
    pub configured_from: Option<String>,
    /// Whether an option of DHCP had named that server.
    pub configured_by_option: bool,
    /// Times the phone started, restarts included.
    pub boot_count: u64,
    /// Times it restarted by itself because a configuration or a new version said so.
    pub restart_count: u64,
    /// The log since the last upload.
    pub log: String,
}

/// A configuration file as it was last applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CachedFile {
    /// The name or address the master file gave, variables replaced.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// Why the memory could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FlashError {
    /// The file system refused.
    #[error("cannot {action} the phone's flash {}: {source}", path.display())]
    Io {
        /// What was tried: read or write.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{} is no memory of a virtual phone: {source}; delete it to start with an empty one", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: serde_json::Error,
    },
}

impl Memory {
    /// Adds one line to the log and lets the oldest go when it is full.
    pub fn log(&mut self, line: &str) {
        self.log.push_str(line);
        self.log.push('\n');
        while self.log.len() > LOG_BYTES {
            match self.log.split_once('\n') {
                Some((_, rest)) => self.log = rest.to_owned(),
                None => self.log.clear(),
            }
        }
    }
}

impl Flash {
    /// An empty memory that ends with the process.
    pub fn in_memory() -> Self {
        Self::Memory(Arc::default())
    }

    /// Reads the memory; `None` when the phone has never written any.
    ///
    /// # Errors
    /// [`FlashError`] when the file is there but cannot be read or is something else.
    pub fn load(&self) -> Result<Option<Memory>, FlashError> {
        match self {
            Self::Memory(shared) => Ok(shared.lock().unwrap_or_else(PoisonError::into_inner).clone()),
            Self::Folder(folder) => load_file(&folder.join(FILE_NAME)),
        }
    }

    /// Replaces the memory in one step; it is on the disk when this returns.
    ///
    /// # Errors
    /// [`FlashError::Io`] when the file system refuses; the old memory is then still there.
    pub fn store(&self, memory: &Memory) -> Result<(), FlashError> {
        match self {
            Self::Memory(shared) => {
                *shared.lock().unwrap_or_else(PoisonError::into_inner) = Some(memory.clone());
                Ok(())
            }
            Self::Folder(folder) => store_file(folder, memory),
        }
    }
}

fn load_file(path: &Path) -> Result<Option<Memory>, FlashError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(io_error("read", path, source)),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|source| FlashError::Content { path: path.to_owned(), source })
}

fn store_file(folder: &Path, memory: &Memory) -> Result<(), FlashError> {
    let path = folder.join(FILE_NAME);
    let text =
        serde_json::to_vec_pretty(memory).map_err(|source| FlashError::Content { path: path.clone(), source })?;
    replace(folder, &path, &text).map_err(|source| io_error("write", &path, source))
}

fn replace(folder: &Path, path: &Path, text: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let fresh = path.with_extension("new");
    // The memory holds SIP and admin passwords: nobody else may read it.
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    fs::File::open(folder)?.sync_all()
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> FlashError {
    FlashError::Io { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> Memory {
        Memory {
            mac: "0004f2000001".to_owned(),
            boot_count: 7,
            device: BTreeMap::from([("device.x".to_owned(), "1".to_owned())]),
            ..Memory::default()
        }
    }

    #[test]
    fn a_folder_gives_back_what_was_stored() {
        let folder = tempfile::tempdir().unwrap();
        let flash = Flash::Folder(folder.path().join("phone"));
        assert_eq!(flash.load().unwrap(), None);

        flash.store(&memory()).unwrap();

        assert_eq!(flash.load().unwrap(), Some(memory()));
    }

    #[test]
    fn a_power_cut_before_the_rename_leaves_the_old_memory() {
        let folder = tempfile::tempdir().unwrap();
        let flash = Flash::Folder(folder.path().to_owned());
        flash.store(&memory()).unwrap();

        fs::write(folder.path().join("flash.new"), b"{\"mac\":\"00").unwrap();

        assert_eq!(flash.load().unwrap(), Some(memory()));
        flash.store(&Memory::default()).unwrap();
        assert_eq!(flash.load().unwrap(), Some(Memory::default()));
    }

    #[test]
    fn another_file_is_refused_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE_NAME), b"{\"other\":1}").unwrap();

        let error = Flash::Folder(folder.path().to_owned()).load().unwrap_err();

        assert!(error.to_string().contains("flash.json is no memory of a virtual phone"), "{error}");
    }

    #[test]
    fn the_log_forgets_its_oldest_lines() {
        let mut memory = Memory::default();

        for number in 0..10_000 {
            memory.log(&format!("line {number}"));
        }

        assert!(memory.log.len() <= LOG_BYTES);
        assert!(memory.log.ends_with("line 9999\n"));
        assert!(memory.log.starts_with("line "));
    }
}
