//! Another key for the secrets at rest, while no server runs on the database.
//!
//! Decides what each ciphertext belongs to and which hashes and names are made with the key. The change is one
//! transaction: whatever happens, the database opens with exactly one of the two keys.

use crate::AppError;
use crate::claim::password_owner;
use crate::configuration::{Fetched, fetched_owner, revision_owner};
use crate::doors::{sip_name_for, sip_owner};
use crate::inventory::line_owner;
use crate::recorder::EventIds;
use crate::requests::request_owner;
use crate::vault::{KEY_ID, Vault, VaultError};
use provost_core::time::UnixMillis;
use provost_store::{AuditEntry, Ciphertext, ResealError, Resealed, Store};

/// What the administrator password's keyed hash is made for (crate::passwords).
const ADMIN_PASSWORD: &str = "admin-password";

/// The id of the key that the database was encrypted with; `None` before its first start.
///
/// # Errors
/// [`AppError::Store`].
pub async fn key_of(store: &Store) -> Result<Option<String>, AppError> {
    Ok(store.meta(KEY_ID).await?)
}

/// Writes every secret of the database for `new` instead of `old`, and says how many there were.
///
/// # Errors
/// [`AppError::OtherKey`] when the database was encrypted with neither, [`AppError::Vault`] names a row that `old` does
/// not open; nothing was changed then. [`AppError::Store`].
pub async fn rotate_key(store: &Store, (old, new): (&Vault, &Vault), now: UnixMillis) -> Result<u64, AppError> {
    match key_of(store).await? {
        Some(id) if id != old.key_id() => {
            return Err(AppError::OtherKey { wanted: id, found: old.key_id().to_owned() });
        }
        Some(_) => {}
        None => store.set_meta(KEY_ID, old.key_id()).await?,
    }
    let entry = AuditEntry {
        id: EventIds::default().next(now),
        at: now,
        who: "command line".to_owned(),
        what: format!("rotated the key of the secrets from {} to {}", old.key_id(), new.key_id()),
        why: None,
        from: "this machine".to_owned(),
        account: None,
        site: None,
        request: None,
    };
    let change = |sealed: Ciphertext<'_>| resealed(&sealed, old, new);
    let done = store.audited(entry).reseal((KEY_ID, new.key_id()), change).await;
    done.map_err(|error| match error {
        ResealError::Store(error) => error.into(),
        ResealError::Secret(error) => error.into(),
    })
}

fn resealed(sealed: &Ciphertext<'_>, old: &Vault, new: &Vault) -> Result<Resealed, VaultError> {
    let mut done = Resealed { first: Vec::new(), second: Vec::new(), digest: Vec::new(), name: String::new() };
    match sealed {
        Ciphertext::Line { user, place, password } => {
            let owner = line_owner(user, usize::try_from(*place).unwrap_or(usize::MAX));
            done.first = new.seal(&owner, old.open(&owner, password)?.reveal())?;
        }
        Ciphertext::Code { device, shown } => {
            let owner = format!("{device}/code");
            let digits = old.open(&owner, shown)?;
            done.first = new.seal(&owner, digits.reveal())?;
            done.digest = new.code_digest(digits.reveal());
        }
        Ciphertext::Passwords { mac, admin, user } => {
            let (admin_owner, user_owner) = (password_owner(*mac, "admin"), password_owner(*mac, "user"));
            let admin = old.open(&admin_owner, admin)?;
            done.first = new.seal(&admin_owner, admin.reveal())?;
            done.second = new.seal(&user_owner, old.open(&user_owner, user)?.reveal())?;
            done.digest = new.tag(ADMIN_PASSWORD, admin.reveal());
        }
        Ciphertext::SipIdentity { mac, user, password } => {
            let owner = sip_owner(*mac);
            done.first = new.seal(&owner, old.open(&owner, password)?.reveal())?;
            done.name = sip_name_for(new, user);
        }
        Ciphertext::Request { id, answer } => {
            let owner = request_owner(id);
            done.first = new.seal(&owner, old.open(&owner, answer)?.reveal())?;
        }
        Ciphertext::Connector { id, password } => {
            let owner = crate::connectors::password_owner(id);
            done.first = new.seal(&owner, old.open(&owner, password)?.reveal())?;
        }
        Ciphertext::Totp { id, secret } => {
            let owner = crate::totp::totp_owner(id);
            done.first = new.seal(&owner, old.open(&owner, secret)?.reveal())?;
        }
        Ciphertext::Mail { id, content } => {
            let owner = crate::mail::mail_owner(id);
            done.first = new.seal(&owner, old.open(&owner, content)?.reveal())?;
        }
        Ciphertext::Revision { subject, number, content } => {
            let owner = revision_owner(subject, *number);
            done.first = new.seal(&owner, old.open(&owner, content)?.reveal())?;
        }
        Ciphertext::Fetched { mac, content } => {
            let owner = fetched_owner(*mac);
            let file = old.open(&owner, content)?;
            done.first = new.seal(&owner, file.reveal())?;
            done.digest = Fetched::digest(new, file.reveal());
        }
        Ciphertext::ImportRow { import, number, password } => {
            let owner = import_row_owner(import, *number);
            done.first = new.seal(&owner, old.open(&owner, password)?.reveal())?;
        }
    }
    Ok(done)
}

/// What the ciphertext of a password in a file that is taken in belongs to.
pub(crate) fn import_row_owner(import: &str, number: i64) -> String {
    format!("{import}/row/{number}")
}
