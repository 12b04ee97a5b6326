//! `provost phone`: the virtual phone.

use crate::args::{Boot, Image, LabImageKind, Phone, PhoneAction};
use crate::clock;
use crate::failure::Failure;
use crate::lab::Lab;
use crate::out::{complain, say};
use crate::set_up::{self, Place};
use provost_core::mac::MacAddr;
use provost_phone::image::{ImageSigner, LabEntry, LabImage};
use provost_phone::{DeviceCertificate, Event, Flash, Hardware, Outcome, Pem, Phone as VirtualPhone, PhoneSetup};
use std::fs::File;
use std::io::BufWriter;

pub(crate) async fn run(place: &Place<'_>, phone: &Phone) -> Result<(), Failure> {
    match &phone.action {
        PhoneAction::Boot(boot) => run_boot(place, boot).await,
        PhoneAction::Image(image) => make_image(place, image),
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
    let image_key = boot.image_key.clone().or_else(|| Some(lab.image_key()).filter(|key| key.exists()));
    let setup = PhoneSetup {
        catalog: set_up::catalog(&config)?,
        model: boot.model.clone(),
        mac: mac.to_string().parse().map_err(Failure::runtime)?,
        firmware: boot.firmware.clone(),
        hardware: Hardware {
            part_number: boot.part.clone(),
            revision: boot.revision.clone(),
            updater: boot.updater.clone(),
        },
        image_key: image_key.map(pem),
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

fn make_image(place: &Place<'_>, image: &Image) -> Result<(), Failure> {
    let config = place.configuration()?;
    let signer = match image.rogue {
        true => ImageSigner::generate().map_err(Failure::runtime)?,
        false => Lab::of(&config.data_dir).ensure_image_signer()?,
    };
    let parts = std::iter::once(&image.part).chain(&image.combined);
    let whole = parts.fold(LabImage::default(), |whole, part| whole.and(entry(image, part)));
    let out = &image.out;
    let unusable = |error: std::io::Error| Failure::Runtime(format!("cannot write {}: {error}", out.display()));
    let mut file = BufWriter::new(File::create(out).map_err(unusable)?);
    whole.write(&signer, &mut file).map_err(|error| {
        // What is half an image is none.
        let _ = std::fs::remove_file(out);
        Failure::Usage(error.to_string())
    })?;
    let parts: Vec<&str> = std::iter::once(&image.part).chain(&image.combined).map(String::as_str).collect();
    let signed = if image.rogue { ", signed by nobody a phone knows" } else { "" };
    say(format!("{}: {} for {}{signed}; for virtual phones only", out.display(), image.version, parts.join(", ")));
    Ok(())
}

fn entry(image: &Image, part: &str) -> LabEntry {
    let updater = image.updater.as_ref().unwrap_or(&image.version);
    let entry = match image.kind {
        LabImageKind::Application => LabEntry::application(part, &image.version, updater),
        LabImageKind::Updater => LabEntry::updater(part, &image.version),
    };
    let entry = entry.of_bytes(image.bytes);
    let entry = image.needs_updater.iter().fold(entry, |entry, needed| entry.needing(needed));
    image.revision.iter().fold(entry, |entry, revision| entry.for_revision(revision))
}

fn tell(event: &Event, json: bool) {
    match (event, json) {
        (Event::Request(request), true) => say(request.json_line()),
        (Event::Request(request), false) => say(request.summary()),
        (Event::Restarting { changed }, false) if changed.is_empty() => say("restarts"),
        (Event::Restarting { changed }, false) => say(format!("restarts: {} changed", changed.join(", "))),
        (Event::ClockSet { to, server: Some(server) }, false) => say(format!("time from {server}: {to}")),
        (Event::ClockNotSet { reason }, false) => say(format!("SNTP Error: {reason}")),
        (Event::ImageAsked { file }, false) => say(format!("image: asks for {file}")),
        (Event::ImageProgress { file, percent }, false) => say(format!("image: {file} {percent} %")),
        (Event::ImageCurrent { file, version }, false) => say(format!("image: {file} is {version}, which it runs")),
        (Event::ImageRefused { file, reason }, false) => say(format!("image: {file} is not taken: {reason}")),
        (Event::Flashed(new), false) => say(format!("flashed: {} from {} to {}", new.file, new.from, new.to)),
        (Event::Log(line), false) => say(format!("log: {line}")),
        _ => {}
    }
}
