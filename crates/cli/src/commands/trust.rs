//! `provost trust`: the authorities that phones' certificates are judged by.

mod download;
mod fetch;

use crate::args::{Trust, TrustAction};
use crate::data_dir::make_private_folder;
use crate::failure::Failure;
use crate::out::say;
use crate::set_up::{self, Place};
use provost_pki::certificate::fingerprint_text;
use provost_pki::trust::folder::TrustFolder;
use provost_pki::trust::{CertificateFile, Origin};
use serde_json::json;
use std::path::Path;

pub(crate) async fn run(place: &Place<'_>, trust: &Trust) -> Result<(), Failure> {
    match &trust.action {
        TrustAction::List { json } => list(place, *json),
        TrustAction::Import { custom, file } => import(place, *custom, file),
        TrustAction::Fetch { from } => fetch::run(place, from.as_deref()).await,
    }
}

fn list(place: &Place<'_>, as_json: bool) -> Result<(), Failure> {
    let config = place.configuration()?;
    let catalog = set_up::catalog(&config)?;
    let trust = set_up::trust(&config, &catalog)?;
    if as_json {
        let imported = trust.authorities().map(|authority| {
            json!({ "name": authority.name, "sha256": fingerprint_text(&authority.fingerprint), "issuing": authority.issuing,
                    "pin": authority.pin, "state": "imported", "expires-at": authority.not_after.to_string() })
        });
        let missing = trust.missing().map(|pin| {
            json!({ "name": pin.name, "sha256": fingerprint_text(&pin.sha256), "issuing": pin.issuing, "pin": pin.id,
                    "state": "not imported" })
        });
        let all: Vec<_> = imported.chain(missing).collect();
        say(serde_json::to_string_pretty(&all).map_err(Failure::runtime)?);
        return Ok(());
    }
    for authority in trust.authorities() {
        let whose = if authority.pin.is_some() { "maker's" } else { "custom" };
        say(format!(
            "imported      {whose:<8} {}\n              SHA-256 {}",
            authority.name,
            fingerprint_text(&authority.fingerprint)
        ));
    }
    for pin in trust.missing() {
        say(format!("not imported  maker's  {}\n              SHA-256 {}", pin.name, fingerprint_text(&pin.sha256)));
    }
    Ok(())
}

fn import(place: &Place<'_>, custom: bool, file: &Path) -> Result<(), Failure> {
    let config = place.configuration()?;
    let catalog = set_up::catalog(&config)?;
    let name = file.display().to_string();
    let bytes = std::fs::read(file).map_err(|error| Failure::Runtime(format!("cannot read {name}: {error}")))?;
    let origin = if custom { Origin::Custom } else { Origin::Maker };
    make_private_folder(&config.data_dir).map_err(Failure::runtime)?;
    let imported = TrustFolder::new(config.trust_dir())
        .import(&CertificateFile { name: &name, bytes: &bytes, origin }, &set_up::pins(&catalog))
        .map_err(|errors| Failure::Runtime(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))?;
    for authority in imported {
        let was = if authority.already_present { "was here already" } else { "imported" };
        say(format!("{was}: {}\n  SHA-256 {}", authority.name, fingerprint_text(&authority.fingerprint)));
    }
    say("a running server takes it in at its next start");
    Ok(())
}
