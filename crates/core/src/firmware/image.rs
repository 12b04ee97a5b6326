//! What an uploaded file is: by its name, its first bytes, what lies beside it and what a person says of it.
//!
//! Decides whether it is an image that can be served at all, and to which hardware. Where two of these contradict each
//! other it is refused, with both. The inside of the maker's images is not known, so nothing is concluded from it beyond
//! what is plainly none; the images of virtual phones say what they are. Names and parts are the catalog's.

mod content;
mod lab;
mod name;
#[cfg(test)]
mod tests;

pub use content::{Other, looks_like_zip};

use super::{ImageKind, Version};
use lab::Lab;
use name::{NAME_CHARACTERS, agrees_with_name, is_plain, part_in};
use provost_catalog::{Catalog, Hardware};

/// How much of the beginning of a file is looked at, in bytes: a virtual phone's image says what it is within it.
pub const HEAD_BYTES: usize = 64 * 1024;

/// What a phone says of its application has as many numbers.
const NUMBERS: usize = 4;

/// A file as it came.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// Its name; folders before it do not matter.
    pub name: &'a str,
    /// Its first [`HEAD_BYTES`], or all of it.
    pub head: &'a [u8],
    /// Its length in bytes.
    pub bytes: u64,
}

/// What a person says of a file; what is left out is told by the rest.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// The version it brings.
    pub version: Option<Version>,
    /// What it replaces.
    pub kind: Option<ImageKind>,
    /// The model, or the line of an image of many, by its id in the catalog.
    pub model: Option<String>,
    /// The updater it brings.
    pub updater: Option<Version>,
}

/// What lies beside a file in its zip.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// The version of the application.
    pub application: Option<Version>,
    /// The version of the updater.
    pub updater: Option<Version>,
    /// The first three numbers of a version in the zip's name.
    pub named: Option<Version>,
}

/// An image, as it can be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognized {
    /// The name of its file.
    pub name: String,
    /// What it replaces.
    pub kind: ImageKind,
    /// The part number it is for; `None` for an image of a whole line.
    pub part: Option<String>,
    /// The line of an image without a part.
    pub line: Option<String>,
    /// The version it brings.
    pub version: Version,
    /// The updater it brings, where that is known.
    pub updater: Option<Version>,
}

/// Why a file is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageRefusal {
    /// It is something else.
    #[error("it is no image: expected the maker's .ld file, found {found}")]
    Other {
        /// What it is.
        found: Other,
    },
    /// The beginning of a virtual phone's image cannot be read.
    #[error("it begins as an image of a virtual phone, but {why}")]
    Lab {
        /// What is wrong.
        why: String,
    },
    /// The catalog does not know such a name as that of an application or updater.
    #[error(
        "its name `{name}` is none of an application's or updater's image; give it the name the maker gave it, such as \
         3111-48840-001.sip.ld, or leave it out"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The name cannot be kept as it is.
    #[error(
        "its name `{name}` may have at most {NAME_CHARACTERS} letters of a to z, digits, dots, hyphens and underscores; \
         give it the name the maker gave it"
    )]
    Spelling {
        /// The name, as it can be shown.
        name: String,
    },
    /// A part number stands where it tells nothing for certain.
    #[error(
        "its name `{name}` holds the part number {part}, but not as its first word; give it the name the maker gave it, \
         such as {part}.sip.ld"
    )]
    PartPlace {
        /// The name.
        name: String,
        /// The part number.
        part: String,
    },
    /// The version is not what a phone will say of itself.
    #[error(
        "its version {version} has fewer than four numbers; a phone that has it says more of them, and would never be \
         seen to have it. Say all (--version), such as 6.4.8.1234"
    )]
    ShortVersion {
        /// The version.
        version: String,
    },
    /// The catalog does not know the part.
    #[error("part {part} is not in the catalog; if you know what it is, add it in a catalog folder of your own")]
    Part {
        /// The part number.
        part: String,
    },
    /// The catalog knows neither a model nor a line of this id.
    #[error("there is no model and no line of firmware `{id}` in the catalog; `provost models` lists the models")]
    Model {
        /// The id.
        id: String,
    },
    /// The hardware gets no images.
    #[error("it is for a {hardware}, which gets none: {why}")]
    Hardware {
        /// The hardware's name.
        hardware: String,
        /// Why not.
        why: String,
    },
    /// An image of many models does not say of which.
    #[error(
        "it has no part number in its name, so it does not tell for which phones it is; name a model of them (--model)"
    )]
    NoLine,
    /// Nothing says which version it brings.
    #[error("nothing tells which version it brings{}; say it (--version), with all its numbers", hint.as_deref().map_or(String::new(), |hint| format!(" (the zip's name says {hint})")))]
    NoVersion {
        /// What the zip's name says.
        hint: Option<String>,
    },
    /// Two of what tells about it contradict each other.
    #[error("{what}: expected {expected} ({by}), found {found}")]
    Contradiction {
        /// About what.
        what: &'static str,
        /// What one says.
        expected: String,
        /// Which.
        by: &'static str,
        /// What the other says.
        found: String,
    },
}

/// Says what a file is.
///
/// # Errors
/// Why it is not taken; the caller says of which file.
pub fn recognize(catalog: &Catalog, seen: &Seen<'_>, said: &Said, beside: &Beside) -> Result<Recognized, ImageRefusal> {
    let lab = Lab::read(catalog, seen.head)?;
    if lab.is_none()
        && let Some(found) = content::other(seen.head, seen.bytes)
    {
        return Err(ImageRefusal::Other { found });
    }
    let name = base_name(seen.name);
    if !is_plain(name) {
        let shown = name.chars().take(80).map(|letter| if letter.is_control() { '?' } else { letter }).collect();
        return Err(ImageRefusal::Spelling { name: shown });
    }
    let kind = kind_of(catalog, name, said, lab.as_ref())?;
    let (part, line) = whose(catalog, name, said, lab.as_ref())?;
    let version = version_of(kind, said, beside, lab.as_ref())?;
    agrees_with_name(catalog, name, &version)?;
    if kind == ImageKind::Application && version.to_string().split('.').count() < NUMBERS {
        return Err(ImageRefusal::ShortVersion { version: version.to_string() });
    }
    let updater = match (said.updater.as_ref(), lab.as_ref().and_then(|lab| lab.updater.as_ref())) {
        (Some(said), Some(found)) if said != found => {
            return Err(contradiction("the updater it brings", (said, "as you say"), found));
        }
        (said, found) => said.or(found).cloned(),
    };
    Ok(Recognized { name: name.to_owned(), kind, part, line, version, updater })
}

/// A version in a file that lies beside images, such as `sip.ver`: the first in its first line.
pub fn version_in(text: &str) -> Option<Version> {
    let words = text.lines().next()?.split(|letter: char| !(letter.is_ascii_digit() || letter == '.'));
    words.map(|word| word.trim_matches('.')).filter(|word| word.contains('.')).find_map(|word| word.parse().ok())
}

/// The first three numbers of a version in the name of a release's zip: `...-5-9-8-rts...` or `..._4_0_15_...`.
pub fn version_in_zip_name(name: &str) -> Option<Version> {
    let words: Vec<&str> = base_name(name).split(|letter: char| !letter.is_ascii_alphanumeric()).collect();
    let is_number = |word: &&str| (1..=3).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
    let three = words.windows(3).find(|three| three.iter().all(&is_number))?;
    three.join(".").parse().ok()
}

/// The name without folders, of either kind of separator.
pub fn base_name(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

fn contradiction(
    what: &'static str,
    (expected, by): (impl ToString, &'static str),
    found: impl ToString,
) -> ImageRefusal {
    ImageRefusal::Contradiction { what, expected: expected.to_string(), by, found: found.to_string() }
}

fn kind_of(catalog: &Catalog, name: &str, said: &Said, lab: Option<&Lab>) -> Result<ImageKind, ImageRefusal> {
    let named = catalog.file(&name.to_ascii_lowercase()).and_then(|file| file.image);
    // What somebody says only confirms: of the other images of a release nobody could say that they are an application.
    if named.is_none() && lab.is_none() {
        return Err(ImageRefusal::Name { name: name.to_owned() });
    }
    let mut kind = None;
    let tellers =
        [(said.kind, "as you say"), (named, "as its name says"), (lab.map(|lab| lab.kind), "as its beginning says")];
    for (teller, by) in tellers {
        match (kind, teller) {
            (None, Some(teller)) => kind = Some((teller, by)),
            (Some((known, by)), Some(teller)) if known != teller => {
                return Err(contradiction("what it replaces", (ImageKind::as_str(known), by), teller.as_str()));
            }
            _ => {}
        }
    }
    kind.map(|(kind, _)| kind).ok_or_else(|| ImageRefusal::Name { name: name.to_owned() })
}

/// The part it is for, or the line.
fn whose(
    catalog: &Catalog,
    name: &str,
    said: &Said,
    lab: Option<&Lab>,
) -> Result<(Option<String>, Option<String>), ImageRefusal> {
    let named = part_in(name)?;
    let inside = lab.and_then(|lab| lab.part.clone());
    if let (Some(named), Some(lab)) = (&named, lab)
        && inside.as_ref() != Some(named)
    {
        return Err(contradiction("the part it is for", (named, "as its name says"), &lab.parts));
    }
    if let Some(part) = named.or(inside) {
        let hardware = catalog.hardware_by_part(&part).ok_or_else(|| ImageRefusal::Part { part: part.clone() })?;
        line_of(hardware)?;
        if let Some(id) = &said.model {
            let fits = hardware.id == *id || hardware.line.as_ref() == Some(id);
            if !fits {
                return Err(contradiction(
                    "the model it is for",
                    (id, "as you say"),
                    format!("part {part}, a {}", hardware.name),
                ));
            }
        }
        return Ok((Some(part), None));
    }
    let said = said.model.as_deref().map(|id| line_by_id(catalog, id)).transpose()?;
    let inside = lab.and_then(|lab| lab.line.clone());
    match (said, inside) {
        (Some(said), Some(inside)) if said != inside => {
            Err(contradiction("the line of phones it is for", (said, "as you say"), inside))
        }
        (None, None) => Err(ImageRefusal::NoLine),
        (said, inside) => Ok((None, said.or(inside))),
    }
}

/// The line the hardware is served by.
fn line_of(hardware: &Hardware) -> Result<&str, ImageRefusal> {
    let refused = |why: &str| ImageRefusal::Hardware { hardware: hardware.name.clone(), why: why.to_owned() };
    match (&hardware.refused, &hardware.line) {
        (Some(why), _) => Err(refused(why)),
        (None, None) => Err(refused("no step to another version is known for it")),
        (None, Some(line)) => Ok(line),
    }
}

fn line_by_id(catalog: &Catalog, id: &str) -> Result<String, ImageRefusal> {
    if let Some(line) = catalog.firmware_line(id) {
        return Ok(line.id.clone());
    }
    let hardware = catalog.hardware(id);
    let hardware = hardware.ok_or_else(|| ImageRefusal::Model { id: id.chars().take(40).collect() })?;
    line_of(hardware).map(ToOwned::to_owned)
}

fn version_of(kind: ImageKind, said: &Said, beside: &Beside, lab: Option<&Lab>) -> Result<Version, ImageRefusal> {
    let lying = match kind {
        ImageKind::Application => beside.application.as_ref(),
        ImageKind::Updater => beside.updater.as_ref(),
    };
    let tellers = [
        (said.version.as_ref(), "as you say"),
        (lab.map(|lab| &lab.version), "as its beginning says"),
        (lying, "as the file beside it says"),
    ];
    let mut version: Option<(&Version, &'static str)> = None;
    for (teller, by) in tellers {
        match (version, teller) {
            (None, Some(teller)) => version = Some((teller, by)),
            (Some(known), Some(teller)) if known.0 != teller => {
                return Err(contradiction("its version", known, format!("{teller} ({by})")));
            }
            _ => {}
        }
    }
    let Some((version, by)) = version else {
        return Err(ImageRefusal::NoVersion { hint: beside.named.as_ref().map(ToString::to_string) });
    };
    if kind == ImageKind::Application
        && let Some(named) = beside.named.as_ref().filter(|named| !begins_with(version, named))
    {
        return Err(contradiction("its version", (version, by), format!("{named} in the zip's name")));
    }
    Ok(version.clone())
}

/// Whether the first numbers of a version are those of another.
fn begins_with(version: &Version, first: &Version) -> bool {
    let (version, first) = (version.to_string(), first.to_string());
    let numbers = |text: &str| text.split('.').map(|part| part.parse::<u64>().ok()).collect::<Vec<_>>();
    numbers(&version).starts_with(&numbers(&first))
}
