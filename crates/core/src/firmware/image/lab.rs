//! The beginning of a virtual phone's image: what it says of itself.
//!
//! Only what names it is read; whether it is signed and whole is for the phone to judge, as with the maker's.

use super::ImageRefusal;
use crate::firmware::{ImageKind, Version};
use provost_catalog::Catalog;
use serde::Deserialize;
use std::collections::BTreeSet;

const MAGIC: &[u8] = b"PROVOST LAB IMAGE 1\n";
const LENGTH_BYTES: usize = 4;
/// As many parts as one image may name in a message.
const SHOWN: usize = 6;

/// What it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lab {
    /// The part of an image for one.
    pub(super) part: Option<String>,
    /// The line of an image for several.
    pub(super) line: Option<String>,
    pub(super) kind: ImageKind,
    pub(super) version: Version,
    pub(super) updater: Option<Version>,
    /// Every part, for people.
    pub(super) parts: String,
}

#[derive(Deserialize)]
struct Header {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    part: String,
    kind: String,
    version: String,
    updater: Option<String>,
}

impl Lab {
    /// Reads the beginning of a file; `None` when it is no such image.
    pub(super) fn read(catalog: &Catalog, head: &[u8]) -> Result<Option<Self>, ImageRefusal> {
        let Some(rest) = head.strip_prefix(MAGIC) else { return Ok(None) };
        let wrong = |why: &str| ImageRefusal::Lab { why: why.to_owned() };
        let (length, rest) = rest.split_first_chunk::<LENGTH_BYTES>().ok_or_else(|| wrong("it ends there"))?;
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let header = rest.get(..length).ok_or_else(|| wrong("its header is longer than it may be, or cut off"))?;
        let header: Header = serde_json::from_slice(header).map_err(|_| wrong("its header cannot be read"))?;
        let Some(first) = header.entries.first() else { return Err(wrong("it holds nothing")) };
        let same =
            |one: &Entry| (&one.kind, &one.version, &one.updater) == (&first.kind, &first.version, &first.updater);
        if !header.entries.iter().all(same) {
            return Err(wrong(
                "it holds several versions, or an application beside an updater; make one image of each",
            ));
        }
        let parts: BTreeSet<&str> = header.entries.iter().map(|entry| entry.part.as_str()).collect();
        let of_several = parts.len() > 1;
        Ok(Some(Self {
            part: (!of_several).then(|| first.part.clone()),
            line: if of_several { Some(shared_line(catalog, &parts)?) } else { None },
            kind: first.kind.parse().map_err(|_| wrong("it is neither an application nor an updater"))?,
            version: first.version.parse().map_err(|_| wrong("its version is none"))?,
            updater: first
                .updater
                .as_deref()
                .map(str::parse)
                .transpose()
                .map_err(|_| wrong("its updater is no version"))?,
            parts: shown(&parts),
        }))
    }
}

fn shared_line(catalog: &Catalog, parts: &BTreeSet<&str>) -> Result<String, ImageRefusal> {
    let mut lines = BTreeSet::new();
    for part in parts {
        let unknown = || ImageRefusal::Part { part: part.chars().take(40).collect() };
        let hardware = catalog.hardware_by_part(part).ok_or_else(unknown)?;
        lines.insert(super::line_of(hardware)?.to_owned());
    }
    match (lines.pop_first(), lines.is_empty()) {
        (Some(line), true) => Ok(line),
        _ => Err(ImageRefusal::Lab { why: format!("its parts {} are of several lines of phones", shown(parts)) }),
    }
}

fn shown(parts: &BTreeSet<&str>) -> String {
    let few: Vec<String> = parts.iter().take(SHOWN).map(|part| part.chars().take(20).collect()).collect();
    let more = parts.len().saturating_sub(SHOWN);
    if more == 0 { few.join(", ") } else { format!("{} and {more} more", few.join(", ")) }
}
