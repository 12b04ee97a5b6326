//! `provost backup` and `provost restore`: everything but the key, out of a running server and into an empty one.

use crate::args::{Backup, Restore};
use crate::client::Client;
use crate::config::Config;
use crate::data_dir::{read_key, write_private};
use crate::failure::Failure;
use crate::out::{complain, say};
use crate::set_up::{self, Place};
use crate::{clock, key_ring};
use axum::body::Body;
use http_body_util::BodyExt as _;
use provost_app::{Vault, restore_entry};
use provost_store::check_backup;
use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufReader, Write as _};
use std::path::{Path, PathBuf};

/// Writes a backup beside its name first, reads it again to its end, and only then gives it its name.
pub(crate) async fn backup(place: &Place<'_>, backup: &Backup) -> Result<(), Failure> {
    let file = &backup.file;
    if file.exists() {
        return Err(Failure::Usage(format!("{} is there already; name another file", file.display())));
    }
    let client = Client::find(place, &backup.target).await?;
    let part = beside(file);
    let written = receive(&client, &part).await;
    client.close().await;
    let head = written.and_then(|()| check(&part)).inspect_err(|_| {
        // What is not whole is no backup.
        let _ = fs::remove_file(&part);
    })?;
    fs::rename(&part, file).map_err(|error| Failure::Runtime(format!("cannot write {}: {error}", file.display())))?;
    let bytes = fs::metadata(file).map_or(0, |found| found.len());
    say(format!(
        "{} holds everything ({} kB) but the key {}, without which its secrets stay closed",
        file.display(),
        bytes.div_ceil(1024),
        head.key
    ));
    say("the bytes of firmware images are not in it: copy their folder too, or upload the maker's files again");
    let kept = backup.target.server.is_none().then(|| place.configuration().ok()).flatten();
    if kept.is_none_or(|config| !key_ring::is_exported(&config.key_file(), &head.key)) {
        complain(format!(
            "warning: no copy of the key {} is known; keep one apart from this file: provost key export FILE",
            head.key
        ));
    }
    Ok(())
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    file.with_file_name(name)
}

async fn receive(client: &Client, part: &Path) -> Result<(), Failure> {
    let at_fault = |error: std::io::Error| Failure::Runtime(format!("cannot write {}: {error}", part.display()));
    write_private(part, b"").map_err(at_fault)?;
    let mut file = File::options().append(true).open(part).map_err(at_fault)?;
    let mut body = client.stream(("GET", "/backup"), "application/json", Body::empty()).await?.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::Runtime(format!("the backup broke off: {error}")))?;
        if let Ok(piece) = frame.into_data() {
            file.write_all(&piece).map_err(at_fault)?;
        }
    }
    file.sync_all().map_err(at_fault)
}

fn check(file: &Path) -> Result<provost_store::BackupHead, Failure> {
    let at_fault = |error: &dyn std::fmt::Display| Failure::Runtime(format!("{}: {error}", file.display()));
    let open = File::open(file).map_err(|error| at_fault(&error))?;
    check_backup(BufReader::new(open)).map_err(|error| at_fault(&error))
}

pub(crate) async fn restore(place: &Place<'_>, restore: &Restore) -> Result<(), Failure> {
    let Some(file) = &restore.file else { return confirm(place, restore).await };
    let config = place.configuration()?;
    let data = set_up::hold(&config.data_dir)?;
    // Everything that may be wrong is looked at before anything is made.
    let head = check(file)?;
    fits(&config, file, &head.key)?;
    let (store, _) = set_up::database(&config, &data).await?;
    let open = File::open(file).map_err(|error| Failure::Runtime(format!("{}: {error}", file.display())))?;
    let now = clock::now();
    let restored = store.audited(restore_entry(&head, now)).restore(BufReader::new(open), now).await;
    let voided = restored.map_err(|error| Failure::Runtime(format!("{}: {error}", file.display())))?;
    store.close().await;
    say(format!("restored what {} held at {}", file.display(), head.made));
    say(format!(
        "{voided} open activation codes were voided, since they may have been used after that: issue new ones"
    ));
    say("until `provost restore --confirm`, phones that this data does not know are told to come back later");
    Ok(())
}

/// Whether the key file opens the secrets of the backup.
fn fits(config: &Config, file: &Path, wanted: &str) -> Result<(), Failure> {
    let key_file = config.key_file();
    let advice = format!("{} was made with the key {wanted}; put that at {}", file.display(), key_file.display());
    if !key_file.exists() {
        return Err(Failure::Configuration(vec![format!("{} is missing: {advice}", key_file.display())]));
    }
    let vault = Vault::new(&read_key(&key_file)?).map_err(Failure::runtime)?;
    if vault.key_id() == wanted {
        return Ok(());
    }
    Err(Failure::Configuration(vec![format!("{} holds the key {}: {advice}", key_file.display(), vault.key_id())]))
}

async fn confirm(place: &Place<'_>, restore: &Restore) -> Result<(), Failure> {
    let client = Client::find(place, &restore.target).await?;
    let answer = client.call("POST", "/restore/confirm", None).await;
    client.close().await;
    if let Some(summary) = answer?.get("summary").and_then(Value::as_str) {
        say(summary);
    }
    Ok(())
}
