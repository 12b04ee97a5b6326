//! Whether the folder of firmware images can be used, before anything is; and that one server alone uses it.

use crate::config::Config;
use crate::failure::Failure;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// The folder of firmware images, held by this process until dropped.
#[derive(Debug)]
pub(crate) struct HeldImages {
    /// None on a disk so full that not even an empty file can be made.
    _lock: Option<File>,
}

/// Looks whether the folder can be written, or made where it is to be.
///
/// Nothing of it is made here: `provost check` must not leave folders behind.
pub(crate) fn image_store(config: &Config) -> Result<(), Failure> {
    let folder = config.firmware_store();
    let there = folder.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("."));
    tried(there).or_else(on_a_full_disk).map_err(|error| {
        let what = if there == folder { "cannot be written" } else { "cannot be made" };
        Failure::Configuration(vec![format!(
            "the folder of firmware images {} {what} ({}: {error}); let Provost write there, or name another with \
             `firmware.store`",
            folder.display(),
            there.display()
        )])
    })
}

/// Takes the folder for this server alone, which is named in it by its data folder: two would remove each other's images.
pub(crate) fn held_images(config: &Config, data: &Path) -> Result<HeldImages, Failure> {
    image_store(config)?;
    let folder = config.firmware_store();
    taken(&folder, data).map_err(|why| {
        Failure::Configuration(vec![format!(
            "the folder of firmware images {} {why}; name another with `firmware.store`",
            folder.display()
        )])
    })
}

fn taken(folder: &Path, data: &Path) -> Result<HeldImages, String> {
    let cannot = |error: io::Error| format!("cannot be locked ({error})");
    let path = folder.join("lock");
    let open = || {
        fs::create_dir_all(folder)?;
        OpenOptions::new().create(true).read(true).write(true).truncate(false).mode(0o600).open(path)
    };
    let Some(mut lock) = open().map(Some).or_else(|error| on_a_full_disk(error).map(|()| None)).map_err(cannot)? else {
        return Ok(HeldImages { _lock: None });
    };
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut whose = String::new();
            let _ = lock.read_to_string(&mut whose);
            return Err(format!("belongs to another server that runs ({})", whose.trim()));
        }
        Err(TryLockError::Error(error)) => return Err(cannot(error)),
    }
    let whose = format!("process {}, data folder {}", std::process::id(), data.display());
    lock.set_len(0).and_then(|()| writeln!(lock, "{whose}")).or_else(on_a_full_disk).map_err(cannot)?;
    Ok(HeldImages { _lock: Some(lock) })
}

/// A server with a full disk starts all the same: phones are served, and room is made while it runs.
fn on_a_full_disk(error: io::Error) -> io::Result<()> {
    let is_full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
    if is_full { Ok(()) } else { Err(error) }
}

fn tried(folder: &Path) -> io::Result<()> {
    if !folder.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    // By chance and not by the process id, which is the same at each start of a container.
    let file = folder.join(format!("provost-check-{:016x}", rand::random::<u64>()));
    File::create_new(&file)?;
    fs::remove_file(&file)
}

#[cfg(test)]
mod tests {
    use super::{on_a_full_disk, taken, tried};
    use std::fs;
    use std::io;
    use std::path::Path;

    #[test]
    fn what_a_killed_look_left_does_not_keep_the_next_from_looking() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(format!("provost-check-{}", std::process::id())), "").unwrap();

        tried(folder.path()).unwrap();

        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_second_server_is_told_whose_the_folder_is_until_that_one_ends() {
        let folder = tempfile::tempdir().unwrap();
        let images = folder.path().join("firmware");
        let first = taken(&images, Path::new("/data/of/first")).unwrap();

        let refused = taken(&images, Path::new("/data/of/second")).unwrap_err();

        assert!(refused.contains("data folder /data/of/first") && refused.contains("process "), "{refused}");
        drop(first);
        taken(&images, Path::new("/data/of/second")).unwrap();
    }

    #[test]
    fn a_quota_that_is_used_up_is_a_full_disk() {
        on_a_full_disk(io::ErrorKind::QuotaExceeded.into()).unwrap();
        on_a_full_disk(io::ErrorKind::PermissionDenied.into()).unwrap_err();
    }
}
