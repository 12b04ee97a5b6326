//! What a file on the disk holds: one image, or a zip of them. Runs where waiting for the disk holds up nobody.
//!
//! A zip's words about itself are not believed: entries, names, lengths and what comes out of them are limited, and every
//! image's bytes are compared with what the zip says of them. One bad image refuses all.

mod versions;
mod zip_end;

use super::of_objects;
use super::receive::refused;
use super::views::NotTakenView;
use crate::AppError;
use flate2::Crc;
use provost_catalog::Catalog;
use provost_core::firmware::image::{
    Beside, HEAD_BYTES, ImageRefusal, Recognized, Said, Seen, base_name, looks_like_zip, recognize, version_in,
    version_in_zip_name,
};
use provost_core::firmware::{ImageKind, Version};
use provost_store::{ImageObjects, ObjectError, Staged};
use std::fs::File;
use std::io::{self, BufReader, Read};
use versions::Versions;
use zip::ZipArchive;
use zip::result::ZipError;
use zip_end::End;

/// All images of a zip together: the maker's releases stay below 1.5 GB.
const MOST_UNPACKED_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// More than any release has.
const MOST_ENTRIES: u64 = 2_000;
/// Of a file that says a version.
const VERSION_FILE_BYTES: u64 = 4 * 1024;
/// What is unpacked at once.
const PIECE_BYTES: usize = 256 * 1024;

/// An image, ready to be kept.
pub(super) struct Taken {
    pub(super) image: Recognized,
    pub(super) staged: Staged,
}

/// What a file holds.
pub(super) struct Unpacked {
    pub(super) taken: Vec<Taken>,
    /// What of a zip is not taken, and why.
    pub(super) left_out: Vec<NotTakenView>,
}

/// Looks into a file.
///
/// # Errors
/// [`AppError::Refused`] with the entry, and what was expected and found; what [`of_objects`] makes of the disk's troubles.
pub(super) fn unpack(
    catalog: &Catalog,
    objects: &ImageObjects,
    staged: Staged,
    (source, said): (&str, &Said),
) -> Result<Unpacked, AppError> {
    let mut head = Vec::new();
    let file = staged.open().map_err(of_objects)?;
    file.take(u64::try_from(HEAD_BYTES).unwrap_or(u64::MAX)).read_to_end(&mut head).map_err(unreadable)?;
    if looks_like_zip(&head) {
        let zip = Zip::open(staged.open().map_err(of_objects)?, source)?;
        return zip.unpack(catalog, objects, said);
    }
    let seen = Seen { name: source, head: &head, bytes: staged.bytes };
    let image = recognize(catalog, &seen, said, &Beside::default()).map_err(|error| not_taken(source, &error))?;
    Ok(Unpacked { taken: vec![Taken { image, staged }], left_out: Vec::new() })
}

fn not_taken(name: &str, error: &ImageRefusal) -> AppError {
    refused("not-an-image", format!("{} is not taken: {error}", shown(name)))
}

fn bad_zip(words: String) -> AppError {
    refused("bad-zip", words)
}

fn unreadable(error: io::Error) -> AppError {
    AppError::ImageStore(error.to_string())
}

/// A name somebody else chose, as it may stand in a message.
fn shown(name: &str) -> String {
    name.chars().take(120).map(|letter| if letter.is_control() { '?' } else { letter }).collect()
}

struct Zip<'a> {
    archive: ZipArchive<BufReader<File>>,
    source: &'a str,
}

/// An entry that may be an image.
struct Candidate {
    index: usize,
    name: String,
    bytes: u64,
}

impl<'a> Zip<'a> {
    fn open(mut file: File, source: &'a str) -> Result<Self, AppError> {
        // Before anything is made of it: what reads a zip keeps all its names.
        let end = match zip_end::read(&mut file).map_err(unreadable)? {
            End::One(end) => end,
            End::Missing => {
                let cut = "its end is missing: expected a zip's directory there, found none; the file was cut off";
                return Err(bad_zip(format!("{source}: {cut}")));
            }
            End::Several => {
                let several = "expected one end, found what may be another, so that it can be read in two ways; unpack it, and \
                               upload the images in it";
                return Err(bad_zip(format!("{source}: {several}")));
            }
        };
        if end.entries > MOST_ENTRIES || end.directory_bytes > zip_end::MOST_DIRECTORY_BYTES {
            let found = end.entries;
            return Err(bad_zip(format!(
                "{source}: expected at most {MOST_ENTRIES} entries, found {found}; it is no release"
            )));
        }
        let archive = ZipArchive::new(BufReader::new(file))
            .map_err(|error| bad_zip(format!("{source}: expected a zip's directory, found a broken one ({error})")))?;
        Ok(Self { archive, source })
    }

    fn unpack(mut self, catalog: &Catalog, objects: &ImageObjects, said: &Said) -> Result<Unpacked, AppError> {
        let mut versions = Versions::new(version_in_zip_name(self.source));
        let mut left_out = Vec::new();
        let candidates = self.candidates(catalog, &mut versions, &mut left_out)?;
        let sum = candidates.iter().fold(0, |sum: u64, one| sum.saturating_add(one.bytes));
        if sum > MOST_UNPACKED_BYTES {
            let words = format!(
                "{}: expected at most {MOST_UNPACKED_BYTES} bytes of images, found {sum}; it is no release",
                self.source
            );
            return Err(bad_zip(words));
        }
        let kinds: Vec<Option<ImageKind>> = candidates.iter().map(|one| kind_by_name(catalog, &one.name)).collect();
        let is_mixed = kinds.contains(&Some(ImageKind::Application)) && kinds.contains(&Some(ImageKind::Updater));
        let mut taken: Vec<Taken> = Vec::new();
        for (one, kind) in candidates.iter().zip(kinds) {
            let mut said = said.clone();
            // The version somebody says of a release is its application's.
            said.version = said.version.filter(|_| !(is_mixed && kind == Some(ImageKind::Updater)));
            if base_name(&one.name).starts_with(|letter: char| letter.is_ascii_digit()) {
                // A name with a part says it, beside those of other models.
                said.model = None;
            }
            let (staged, head) = self.image(one, objects)?;
            let seen = Seen { name: &one.name, head: &head, bytes: staged.bytes };
            match recognize(catalog, &seen, &said, &versions.beside(&one.name)) {
                Ok(image) => taken.push(Taken { image, staged }),
                Err(
                    why @ (ImageRefusal::Part { .. } | ImageRefusal::Hardware { .. } | ImageRefusal::Spelling { .. }),
                ) => {
                    left_out.push(NotTakenView { name: shown(&one.name), why: why.to_string() });
                }
                Err(error) => return Err(not_taken(&one.name, &error)),
            }
        }
        if taken.is_empty() {
            let first = left_out.iter().find(|one| one.name.ends_with(".ld"));
            let first = first.map_or(String::new(), |one| format!("; {}: {}", one.name, one.why));
            return Err(bad_zip(format!(
                "{}: expected images of phones, found none that can be taken{first}",
                self.source
            )));
        }
        Ok(Unpacked { taken, left_out })
    }

    /// The entries that may be images; what says versions beside them is read.
    fn candidates(
        &mut self,
        catalog: &Catalog,
        versions: &mut Versions,
        left_out: &mut Vec<NotTakenView>,
    ) -> Result<Vec<Candidate>, AppError> {
        let mut candidates = Vec::new();
        for index in 0..self.archive.len() {
            let entry = self.archive.by_index_raw(index).map_err(|error| broken_entry(self.source, index, &error))?;
            let name = entry.name().map_or_else(|_| format!("entry {index}"), |name| name.into_owned());
            if entry.enclosed_name().is_none() {
                return Err(bad_zip(format!("{}: expected names within it, found {}", self.source, shown(&name))));
            }
            let (bytes, is_dir, is_encrypted) = (entry.size(), entry.is_dir(), entry.encrypted());
            drop(entry);
            if is_dir {
                continue;
            }
            let own = base_name(&name).to_ascii_lowercase();
            let is_image = own.ends_with(".ld") && kind_by_name(catalog, &own).is_some();
            let says_version = own.ends_with(".ver") && bytes <= VERSION_FILE_BYTES;
            if is_encrypted && (is_image || says_version) {
                return Err(bad_zip(format!(
                    "{}: {} is encrypted; unpack it, and upload what is in it",
                    self.source,
                    shown(&name)
                )));
            }
            if is_image {
                candidates.push(Candidate { index, name, bytes });
                continue;
            }
            if says_version {
                let version = version_in(&self.text(index)?);
                // `sip.ver` lies beside `sip.ld`, and says its version.
                let kind = kind_by_name(catalog, &own.replace(".ver", ".ld"));
                if let Some((kind, version)) = kind.zip(version) {
                    let found = version.to_string();
                    versions
                        .add(&name, kind, version)
                        .map_err(|other| disagree(self.source, &name, (&other, &found)))?;
                }
            }
            left_out.push(NotTakenView {
                name: shown(&name),
                why: "it is no image of an application or updater".to_owned(),
            });
        }
        Ok(candidates)
    }

    fn text(&mut self, index: usize) -> Result<String, AppError> {
        let mut bytes = Vec::new();
        let entry = self.archive.by_index(index).map_err(|error| broken_entry(self.source, index, &error))?;
        let read = entry.take(VERSION_FILE_BYTES).read_to_end(&mut bytes);
        read.map_err(|error| bad_zip(format!("{}: entry {index} cannot be unpacked: {error}", self.source)))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Unpacks an image and compares it with what the zip says of it; its beginning comes with it.
    fn image(&mut self, one: &Candidate, objects: &ImageObjects) -> Result<(Staged, Vec<u8>), AppError> {
        let (source, name) = (self.source, shown(&one.name));
        let mut entry =
            self.archive.by_index(one.index).map_err(|error| bad_zip(format!("{source}: {name}: {error}")))?;
        let (expected_crc, expected_bytes) = (entry.crc32(), entry.size());
        let mut object = objects.begin().map_err(of_objects)?;
        let (mut crc, mut head, mut piece) = (Crc::new(), Vec::new(), vec![0; PIECE_BYTES]);
        loop {
            let read = match entry.read(&mut piece) {
                Ok(read) => read,
                Err(_) if object.bytes() == expected_bytes => 0,
                Err(error) => {
                    return Err(bad_zip(format!(
                        "{source}: {name} is corrupted: expected {expected_bytes} bytes, found {} before it could not be \
                         unpacked any further ({error}); get the zip again",
                        object.bytes()
                    )));
                }
            };
            let Some(read) = piece.get(..read).filter(|read| !read.is_empty()) else { break };
            object.write(read).map_err(of_objects)?;
            crc.update(read);
            if object.bytes() > expected_bytes {
                return Err(bad_zip(format!(
                    "{source}: {name}: expected {expected_bytes} bytes, found more; it is no release"
                )));
            }
            let missing = HEAD_BYTES.saturating_sub(head.len()).min(read.len());
            head.extend_from_slice(read.get(..missing).unwrap_or_default());
        }
        if object.bytes() != expected_bytes || crc.sum() != expected_crc {
            return Err(bad_zip(format!(
                "{source}: {name} is corrupted: expected {expected_bytes} bytes with the CRC {expected_crc:08x}, found {} with \
                 {:08x}; get the zip again",
                object.bytes(),
                crc.sum()
            )));
        }
        let staged: Result<Staged, ObjectError> = object.finish();
        Ok((staged.map_err(of_objects)?, head))
    }
}

fn disagree(source: &str, name: &str, (other, found): (&Version, &str)) -> AppError {
    let name = shown(name);
    bad_zip(format!(
        "{source}: {name} says the version {found}, and another file beside it {other}; leave out the wrong one"
    ))
}

fn broken_entry(source: &str, index: usize, error: &ZipError) -> AppError {
    bad_zip(format!("{source}: expected an entry at place {index}, found a broken one ({error}); get the zip again"))
}

fn kind_by_name(catalog: &Catalog, name: &str) -> Option<ImageKind> {
    catalog.file(&base_name(name).to_ascii_lowercase()).and_then(|file| file.image)
}
