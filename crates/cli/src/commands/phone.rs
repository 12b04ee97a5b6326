//! `provost phone`: the virtual phone.

use crate::args::{Boot, Phone, PhoneAction};
use crate::clock;
use crate::failure::Failure;
use crate::lab::Lab;
use crate::out::{complain, say};
use crate::set_up::{self, Place};
use provost_core::mac::MacAddr;
use provost_phone::{DeviceCertificate, Event, Flash, Outcome, Pem, Phone as VirtualPhone, PhoneSetup};

pub(crate) async fn run(place: &Place<'_>, phone: &Phone) -> Result<(), Failure> {
    match &phone.action {
        PhoneAction::Boot(boot) => run_boot(place, boot).await,
    }
}

async fn run_boot(place: &Place<'_>, boot: &Boot) -> Result<(), Failure> {
    let config = place.configuration()?;
    let mac: MacAddr = boot.mac.parse().map_err(|error| Failure::Usage(format!("--mac: {error}")))?;
    let lab = Lab::of(&config.data_dir);
    let certificate = match (&boot.cert, &boot.key) {
        (Some(chain), Some(key)) => Some((chain.clone(), key.clone())),
        _ if lab.exists() => Some(lab.ensure_phone(mac)?),
        _ => None,
    };
    if certificate.is_none() {
        complain("warning: no --cert and no DATA/lab: this phone has no factory certificate");
    }
    let pem = Pem::File;
    let authorities = boot.ca.clone().or_else(|| Some(lab.server_root()).filter(|root| root.exists()));
    let setup = PhoneSetup {
        catalog: set_up::catalog(&config)?,
        model: boot.model.clone(),
        mac: mac.to_string().parse().map_err(Failure::runtime)?,
        firmware: boot.firmware.clone(),
        server_url: boot.server.clone(),
        certificate: certificate.map(|(chain, key)| DeviceCertificate { chain: pem(chain), key: pem(key) }),
        authorities: authorities.map(pem),
        sntp: boot.sntp.clone(),
        flash: boot.flash.clone().map_or_else(Flash::in_memory, Flash::Folder),
        clock: clock::system_time,
    };
    let mut phone = VirtualPhone::new(setup).map_err(|error| Failure::Usage(error.to_string()))?;
    let json = boot.json;
    let report = phone.boot(&mut |event| tell(&event, json)).await.map_err(Failure::runtime)?;
    if !json && report.outcome == Outcome::Configured {
        say(format!("configured after {} restart(s)", report.restarts));
        for key in phone.screen().line_keys {
            say(format!("  line key {}: {}", key.line, key.label));
        }
    }
    match report.outcome {
        Outcome::Configured => Ok(()),
        other => Err(Failure::Runtime(other.to_string())),
    }
}

fn tell(event: &Event, json: bool) {
    match (event, json) {
        (Event::Request(request), true) => say(request.json_line()),
        (Event::Request(request), false) => say(request.summary()),
        (Event::Restarting { changed }, false) => say(format!("restarts: {} changed", changed.join(", "))),
        (Event::ClockSet { to, server: Some(server) }, false) => say(format!("time from {server}: {to}")),
        (Event::ClockNotSet { reason }, false) => say(format!("SNTP Error: {reason}")),
        (Event::Log(line), false) => say(format!("log: {line}")),
        _ => {}
    }
}
