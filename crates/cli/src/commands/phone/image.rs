//! Firmware images for virtual phones.

use crate::args::{Image, LabImageKind};
use crate::failure::Failure;
use crate::lab::Lab;
use crate::out::say;
use crate::set_up::Place;
use provost_phone::image::{ImageSigner, LabEntry, LabImage};
use std::fs::File;
use std::io::BufWriter;

pub(super) fn make_image(place: &Place<'_>, image: &Image) -> Result<(), Failure> {
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
