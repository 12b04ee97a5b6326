//! The key file, and those beside it that a rotation leaves.
//!
//! Decides which of them opens the database. A rotation writes `.new`, then the database, then `.old`, and last puts
//! `.new` in the key file's place: a kill between any two of these leaves a file here that opens what is stored.

use crate::data_dir::{read_key, write_private};
use crate::failure::Failure;
use crate::out::complain;
use provost_app::{KEY_BYTES, Vault};
use provost_store::Store;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The file beside the key file with another ending.
fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    file.with_file_name(name)
}

fn new_file(file: &Path) -> PathBuf {
    beside(file, ".new")
}

fn old_file(file: &Path) -> PathBuf {
    beside(file, ".old")
}

/// What opens the secrets of this database: the key of the key file, unless one beside it does and it does not.
pub(crate) async fn vault_for(store: &Store, file: &Path, key: &[u8; KEY_BYTES]) -> Result<Vault, Failure> {
    let vault = Vault::new(key).map_err(Failure::runtime)?;
    let Some(wanted) = provost_app::key_of(store).await.map_err(Failure::runtime)? else { return Ok(vault) };
    let (new, old) = (new_file(file), old_file(file));
    if vault.key_id() == wanted {
        for left in [new, old] {
            match fs::remove_file(&left) {
                Ok(()) => complain(format!(
                    "{} opens the database: removed {}, which a rotation of the key left",
                    file.display(),
                    left.display()
                )),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                // It is no reason not to start.
                Err(error) => complain(format!("warning: cannot remove {}: {error}", left.display())),
            }
        }
        return Ok(vault);
    }
    if let Some(other) = opens(&new, &wanted)? {
        put_in_place(file, key)?;
        complain(format!(
            "a rotation of the key was cut off: {} opens the database and is {} now",
            new.display(),
            file.display()
        ));
        return Ok(other);
    }
    if let Some(other) = opens(&old, &wanted)? {
        complain(format!(
            "warning: this database is from before the last rotation of the key; {} opens it and is used, {} does not",
            old.display(),
            file.display()
        ));
        return Ok(other);
    }
    // The start says which key is wanted.
    Ok(vault)
}

/// The key in this file, if there is one and the database was encrypted with it.
fn opens(file: &Path, wanted: &str) -> Result<Option<Vault>, Failure> {
    if !file.exists() {
        return Ok(None);
    }
    let vault = Vault::new(&read_key(file)?).map_err(Failure::runtime)?;
    Ok((vault.key_id() == wanted).then_some(vault))
}

/// Writes the key that the database gets next.
pub(crate) fn write_new(file: &Path, key: &[u8; KEY_BYTES]) -> Result<(), Failure> {
    write(&new_file(file), key)
}

/// Keeps the key there was as `.old` and puts `.new` in its place.
pub(crate) fn put_in_place(file: &Path, was: &[u8; KEY_BYTES]) -> Result<(), Failure> {
    write(&old_file(file), was)?;
    let new = new_file(file);
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let done = fs::rename(&new, file).and_then(|()| folder.map_or(Ok(()), |folder| File::open(folder)?.sync_all()));
    done.map_err(|error| {
        Failure::Runtime(format!("cannot put {} in place of {}: {error}", new.display(), file.display()))
    })
}

/// Remembers beside the key file that a copy of this key was made.
pub(crate) fn note_export(file: &Path, id: &str) -> Result<(), Failure> {
    let note = beside(file, ".exported");
    write_private(&note, id.as_bytes())
        .map_err(|error| Failure::Runtime(format!("cannot write {}: {error}", note.display())))
}

/// Whether a copy of this key was made with [`note_export`].
pub(crate) fn is_exported(file: &Path, id: &str) -> bool {
    fs::read_to_string(beside(file, ".exported")).is_ok_and(|noted| noted.trim() == id)
}

fn write(file: &Path, key: &[u8; KEY_BYTES]) -> Result<(), Failure> {
    write_private(file, hex::encode(key).as_bytes())
        .map_err(|error| Failure::Runtime(format!("cannot write {}: {error}", file.display())))
}
