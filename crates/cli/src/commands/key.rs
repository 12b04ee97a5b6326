//! `provost key rotate`: every secret encrypted with a new key, while nothing else has the database.

use crate::args::{Key, KeyAction};
use crate::config::Database;
use crate::data_dir::{read_key, write_private};
use crate::failure::Failure;
use crate::out::say;
use crate::set_up::{self, Place};
use crate::{clock, key_ring};
use provost_app::{KEY_BYTES, Vault};
use std::path::Path;

pub(crate) async fn run(place: &Place<'_>, key: &Key) -> Result<(), Failure> {
    match key.action {
        KeyAction::Rotate => rotate(place).await,
        KeyAction::Export { ref file } => export(place, file),
    }
}

/// A copy that others cannot read, and a note beside the key that there is one.
fn export(place: &Place<'_>, to: &Path) -> Result<(), Failure> {
    let file = place.configuration()?.key_file();
    if to.exists() {
        return Err(Failure::Usage(format!("{} is there already; name another file", to.display())));
    }
    let key = read_key(&file)?;
    let id = Vault::new(&key).map_err(Failure::runtime)?.key_id().to_owned();
    let at_fault = |error| Failure::Runtime(format!("cannot write {}: {error}", to.display()));
    write_private(to, hex::encode(key).as_bytes()).map_err(at_fault)?;
    key_ring::note_export(&file, &id)?;
    say(format!(
        "{} holds the key {id}; keep it apart from backups: whoever has both has every password",
        to.display()
    ));
    Ok(())
}

async fn rotate(place: &Place<'_>) -> Result<(), Failure> {
    let config = place.configuration()?;
    if config.database == Database::Sqlite && !config.data_dir.join("provost.db").exists() {
        return Err(Failure::Usage(format!(
            "{} holds no data of a server; name the right folder with --data or --config",
            config.data_dir.display()
        )));
    }
    let data = set_up::hold(&config.data_dir)?;
    let file = config.key_file();
    let (store, old) = set_up::database(&config, &data).await?;
    let was = read_key(&file)?;
    if Vault::new(&was).map_err(Failure::runtime)?.key_id() != old.key_id() {
        return Err(Failure::Configuration(vec![format!(
            "{} does not open this database, another file beside it does; put that in its place first",
            file.display()
        )]));
    }
    let key: [u8; KEY_BYTES] = rand::random();
    let new = Vault::new(&key).map_err(Failure::runtime)?;
    key_ring::write_new(&file, &key)?;
    let count = provost_app::rotate_key(&store, (&old, &new), clock::now()).await.map_err(Failure::runtime)?;
    key_ring::put_in_place(&file, &was)?;
    store.close().await;
    let kept = format!("the one before is kept as {}.old until the next start has checked the new one", file.display());
    say(format!("{count} secrets are encrypted with the key in {} now; {kept}", file.display()));
    Ok(())
}
