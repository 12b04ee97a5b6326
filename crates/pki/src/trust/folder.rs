//! The folder that keeps authorities' certificates between starts: `maker/<sha256>.pem`, `custom/<sha256>.pem`.
//!
//! Decides nothing about trust: what is read goes through [`TrustStore`] as if it came from anywhere, so a file that
//! was changed on the disk is refused like any other. One certificate per file, written whole or not at all.

use super::{Authority, CertificateFile, Origin, Pin, TrustError, TrustStore, authorities_in};
use crate::certificate::{Fingerprint, fingerprint_text, pem_text};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Where authorities are kept.
#[derive(Debug, Clone)]
pub struct TrustFolder {
    root: PathBuf,
}

/// One certificate that is in the folder now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The authority's name.
    pub name: String,
    /// SHA-256 of its DER bytes.
    pub fingerprint: Fingerprint,
    /// Whether it was there before.
    pub already_present: bool,
}

impl TrustFolder {
    /// The folder at `root`, which need not exist yet.
    pub const fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// Reads every authority in it; a folder that does not exist holds none.
    ///
    /// # Errors
    /// Everything that is wrong with any file, each with its path.
    pub fn load(&self, pins: Vec<Pin>) -> Result<TrustStore, Vec<TrustError>> {
        let mut errors = Vec::new();
        let mut texts = Vec::new();
        for origin in [Origin::Maker, Origin::Custom] {
            match pem_files(&self.part(origin)) {
                Ok(paths) => texts.extend(paths.into_iter().filter_map(|path| match fs::read(&path) {
                    Ok(bytes) => Some((path.display().to_string(), bytes, origin)),
                    Err(source) => {
                        errors.push(io_error(&path, source));
                        None
                    }
                })),
                Err(error) => errors.push(error),
            }
        }
        let files: Vec<CertificateFile<'_>> =
            texts.iter().map(|(name, bytes, origin)| CertificateFile { name, bytes, origin: *origin }).collect();
        match TrustStore::new(pins, &files) {
            Ok(store) if errors.is_empty() => Ok(store),
            Ok(_) => Err(errors),
            Err(wrong) => {
                errors.extend(wrong);
                Err(errors)
            }
        }
    }

    /// Adds every certificate of `file`, or none of them.
    ///
    /// # Errors
    /// Everything that is wrong with it; a maker's certificate must have a pinned fingerprint.
    pub fn import(&self, file: &CertificateFile<'_>, pins: &[Pin]) -> Result<Vec<Imported>, Vec<TrustError>> {
        let mut imported = Vec::new();
        for authority in authorities_in(file, pins)? {
            imported.push(self.keep(&authority).map_err(|error| vec![error])?);
        }
        Ok(imported)
    }

    /// Adds one authority that is known to be good, such as one that a phone sent
    /// ([`DevicePolicy::learned`](crate::policy::DevicePolicy::learned)).
    ///
    /// # Errors
    /// [`TrustError::Io`]; then nothing was added.
    pub fn keep(&self, authority: &Authority) -> Result<Imported, TrustError> {
        // A pinned certificate is the maker's also when somebody imports it as his own.
        let origin = if authority.pin.is_some() { Origin::Maker } else { Origin::Custom };
        let folder = self.part(origin);
        let path = folder.join(format!("{}.pem", fingerprint_text(&authority.fingerprint)));
        let already_present = path.exists();
        if !already_present {
            write_whole(&folder, &path, &pem_text(authority.der())).map_err(|source| io_error(&path, source))?;
        }
        Ok(Imported { name: authority.name.clone(), fingerprint: authority.fingerprint, already_present })
    }

    fn part(&self, origin: Origin) -> PathBuf {
        self.root.join(match origin {
            Origin::Maker => "maker",
            Origin::Custom => "custom",
        })
    }
}

/// The `.pem` files of a folder in order of their names, so that errors come in the same order each time.
fn pem_files(folder: &Path) -> Result<Vec<PathBuf>, TrustError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(io_error(folder, source)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|source| io_error(folder, source))?.path();
        if path.extension().is_some_and(|extension| extension == "pem") {
            paths.push(path);
        }
    }
    paths.sort_unstable();
    Ok(paths)
}

fn write_whole(folder: &Path, path: &Path, text: &str) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let unfinished = path.with_extension("part");
    let mut file = fs::File::create(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    fs::File::open(folder)?.sync_all()
}

fn io_error(path: &Path, source: io::Error) -> TrustError {
    TrustError::Io { path: path.display().to_string(), source }
}
