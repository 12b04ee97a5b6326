//! `provost trust fetch`: downloads the pinned authorities that are not here yet.
//!
//! Decides nothing about trust: what comes counts only if its fingerprint is the pinned one, so plain HTTP is enough
//! and nobody on the way can add an authority.

use super::download::{self, Limits};
use crate::data_dir::make_private_folder;
use crate::failure::Failure;
use crate::out::{complain, say};
use crate::set_up::{self, Place};
use provost_catalog::Catalog;
use provost_pki::certificate::{self, fingerprint_text};
use provost_pki::trust::folder::TrustFolder;
use provost_pki::trust::{CertificateFile, Origin, Pin};
use std::time::Duration;
use url::Url;

/// The makers' are below 2 kB.
const LIMITS: Limits = Limits { bytes: 64 * 1024, deadline: Duration::from_secs(20) };

pub(super) async fn run(place: &Place<'_>, from: Option<&str>) -> Result<(), Failure> {
    let config = place.configuration()?;
    let catalog = set_up::catalog(&config)?;
    let mirror = from.map(mirror).transpose()?;
    let trust = set_up::trust(&config, &catalog)?;
    make_private_folder(&config.data_dir).map_err(Failure::runtime)?;
    let folder = TrustFolder::new(config.trust_dir());
    for authority in trust.authorities().filter(|authority| authority.pin.is_some()) {
        say(format!("was here already: {}\n  SHA-256 {}", authority.name, fingerprint_text(&authority.fingerprint)));
    }
    let (mut had, mut missing) = (0usize, 0usize);
    for pin in trust.missing() {
        match fetch(&folder, pin, address_of(&catalog, pin, mirror.as_ref())).await {
            Ok(url) => {
                had = had.saturating_add(1);
                say(format!("imported: {}\n  SHA-256 {}\n  from {url}", pin.name, fingerprint_text(&pin.sha256)));
            }
            Err(why) => {
                missing = missing.saturating_add(1);
                complain(format!("not imported: {}\n  {why}", pin.name));
            }
        }
    }
    if had > 0 {
        say("a running server takes it in at its next start");
    }
    if missing == 0 {
        return Ok(());
    }
    Err(Failure::Runtime(format!(
        "{missing} of the makers' authorities could not be had; `provost trust import FILE` takes them from a file"
    )))
}

/// The folder that stands in for the makers' own addresses.
fn mirror(text: &str) -> Result<Url, Failure> {
    let usage = || Failure::Usage(format!("--from {text}: is no address of a folder; write http://HOST/FOLDER"));
    // Without the slash the last part would be taken for a file's name and replaced.
    let folder = Url::parse(&format!("{}/", text.trim_end_matches('/'))).map_err(|_| usage())?;
    if folder.scheme() == "http" && folder.has_host() { Ok(folder) } else { Err(usage()) }
}

/// Where to ask for the authority: the catalog's address, or the file of the same name on the mirror.
fn address_of(catalog: &Catalog, pin: &Pin, mirror: Option<&Url>) -> Option<Url> {
    let known = catalog.authorities().iter().find(|authority| authority.id == pin.id)?;
    let address = Url::parse(known.address.as_deref()?).ok()?;
    let Some(mirror) = mirror else { return Some(address) };
    mirror.join(address.path_segments()?.next_back()?).ok()
}

/// Downloads and imports one authority, or says in a clause why not.
async fn fetch(folder: &TrustFolder, pin: &Pin, address: Option<Url>) -> Result<Url, String> {
    let url = address.ok_or("the catalog knows no address for it")?;
    let bytes = download::get(&url, LIMITS).await.map_err(|error| format!("{url}: {error}"))?;
    let found = certificate::read_certificates(&bytes).map_err(|problem| format!("{url}: {problem}"))?;
    if let Some(other) = found.iter().map(|der| certificate::fingerprint(der)).find(|found| *found != pin.sha256) {
        let (other, expected) = (fingerprint_text(&other), fingerprint_text(&pin.sha256));
        return Err(format!("{url}: the certificate there has SHA-256 {other}, expected {expected}"));
    }
    let name = url.to_string();
    let file = CertificateFile { name: &name, bytes: &bytes, origin: Origin::Maker };
    match folder.import(&file, std::slice::from_ref(pin)) {
        Ok(_) => Ok(url),
        Err(errors) => Err(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_is_a_folder_whether_or_not_it_ends_in_a_slash() {
        let catalog = Catalog::built_in().unwrap();
        let pin = set_up::pins(&catalog).remove(0);
        for text in ["http://mirror.example/pki", "http://mirror.example/pki/"] {
            let url = address_of(&catalog, &pin, Some(&mirror(text).unwrap())).unwrap();
            assert_eq!(url.as_str(), "http://mirror.example/pki/Polycom%20Root%20CA.crt");
        }
        for text in ["https://mirror.example", "mirror.example", "file:///pki", ""] {
            assert!(mirror(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_pinned_authority_has_an_address() {
        let catalog = Catalog::built_in().unwrap();
        assert!(set_up::pins(&catalog).iter().all(|pin| address_of(&catalog, pin, None).is_some()));
    }
}
