//! The account at the authority: made once, kept in `account.json`, used for every order.

use super::https::Https;
use super::trouble::Trouble;
use crate::config::Acme;
use crate::data_dir::{make_private_folder, write_private};
use instant_acme::{Account, AccountCredentials, NewAccount};
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::Path;

/// What the file holds; with the credentials comes the account's key.
#[derive(Serialize, Deserialize)]
struct Kept {
    directory: String,
    contact: Option<String>,
    credentials: AccountCredentials,
}

/// Opens the account in `file`, or makes one there if there is none at this directory.
pub(super) async fn open(file: &Path, acme: &Acme, https: &Https) -> Result<Account, Trouble> {
    let builder = || Account::builder_with_http(Box::new(https.clone()));
    let directory = acme.directory.to_string();
    let contacts: Vec<&str> = acme.contact.as_deref().into_iter().collect();
    if let Some(kept) = read(file)?.filter(|kept| kept.directory == directory) {
        let is_known = kept.contact == acme.contact;
        let again = serde_json::to_value(&kept.credentials).and_then(serde_json::from_value);
        let account = builder().from_credentials(kept.credentials).await?;
        if !is_known {
            account.update_contacts(&contacts).await?;
            let credentials = again.map_err(|error| Trouble::Account { file: file.to_owned(), error })?;
            write(file, &Kept { directory, contact: acme.contact.clone(), credentials })?;
        }
        return Ok(account);
    }
    let wanted = NewAccount { contact: &contacts, terms_of_service_agreed: true, only_return_existing: false };
    let (account, credentials) = builder().create(&wanted, directory.clone(), None).await?;
    // Before its first use: an account that is forgotten counts against the authority's limits all the same.
    write(file, &Kept { directory, contact: acme.contact.clone(), credentials })?;
    Ok(account)
}

/// Forgets an account that the authority forgot.
pub(super) fn forget(file: &Path) -> Result<(), Trouble> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Trouble::File { file: file.to_owned(), error }),
        _ => Ok(()),
    }
}

fn read(file: &Path) -> Result<Option<Kept>, Trouble> {
    match std::fs::read(file) {
        Ok(text) => {
            let kept = serde_json::from_slice(&text);
            kept.map(Some).map_err(|error| Trouble::Account { file: file.to_owned(), error })
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Trouble::File { file: file.to_owned(), error }),
    }
}

fn write(file: &Path, kept: &Kept) -> Result<(), Trouble> {
    let text = serde_json::to_vec(kept).map_err(|error| Trouble::Account { file: file.to_owned(), error })?;
    let folder = file.parent().map_or(Ok(()), make_private_folder);
    folder.and_then(|()| write_private(file, &text)).map_err(|error| Trouble::File { file: file.to_owned(), error })
}
