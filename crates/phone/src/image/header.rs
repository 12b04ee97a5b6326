//! The beginning of an image, written and read.
//!
//! Decides the limits of a header and which bytes are none. Never trusts it: whoever reads one checks its
//! signature before anything else.

use provost_catalog::Version;
use serde::{Deserialize, Serialize};

use super::key::{ImageKey, SIGNATURE_BYTES};

/// The first line of every image.
pub(crate) const MAGIC: &[u8] = b"PROVOST LAB IMAGE 1\n";
/// The longest header: some hundred entries.
pub(crate) const HEADER_LIMIT: usize = 32 * 1024;
/// The largest payload a phone has room for.
pub(crate) const PAYLOAD_LIMIT: u64 = 256 * 1024 * 1024;
/// The farthest a payload may begin: combined images hold one for each part.
const OFFSET_LIMIT: u64 = 4 * 1024 * 1024 * 1024;
const LENGTH_BYTES: usize = 4;

/// Which program of a phone an image holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageKind {
    /// The telephone itself, with the updater that comes with it.
    Application,
    /// The updater or BootROM alone.
    Updater,
}

/// What a header says of one payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) part: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) revision: Option<String>,
    pub(crate) kind: ImageKind,
    pub(crate) version: String,
    pub(crate) updater: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) needs_updater: Option<String>,
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Written {
    entries: Vec<Entry>,
}

/// Why a phone does not take an image; it keeps the version it has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageFault {
    /// The phone knows no maker.
    #[error("this phone knows no maker's key and takes nothing unsigned")]
    NoKey,
    /// The first bytes are not those of an image.
    #[error("it is no image for this phone: {reason}")]
    NotAnImage {
        /// What is wrong with its header.
        reason: String,
    },
    /// Signed by somebody else, or changed since.
    #[error("its signature is not the maker's")]
    Signature,
    /// No payload for this hardware.
    #[error("it holds nothing for part {part}{}, but {}", of_revision(.revision.as_deref()), .found.join(", "))]
    OtherHardware {
        /// The phone's part number.
        part: String,
        /// The phone's hardware revision.
        revision: Option<String>,
        /// What the image is for.
        found: Vec<String>,
    },
    /// The updater on the phone cannot read it.
    #[error("Container.01/.31: it needs updater {needed} or later, this phone has {found}")]
    Updater {
        /// The lowest updater that takes it.
        needed: String,
        /// The updater on the phone.
        found: String,
    },
    /// The bytes end too early.
    #[error("it ends after {found} of {expected} bytes")]
    Truncated {
        /// Bytes that came.
        found: u64,
        /// Bytes the header announces.
        expected: u64,
    },
    /// The bytes are not those the header announces.
    #[error("its SHA-256 is {found}, expected {expected}")]
    Digest {
        /// The digest of what came.
        found: String,
        /// The digest the header announces.
        expected: String,
    },
    /// Too many new versions in a row.
    #[error("this phone has flashed {flashes} times since it got power and takes no more")]
    TooMany {
        /// New versions since power came.
        flashes: usize,
    },
    /// The server failed, or the connection broke.
    #[error("{reason}")]
    Server {
        /// What happened.
        reason: String,
    },
}

fn of_revision(revision: Option<&str>) -> String {
    revision.map_or_else(String::new, |revision| format!(" revision {revision}"))
}

/// The bytes before the signature.
pub(crate) fn write(entries: &[Entry]) -> Result<Vec<u8>, String> {
    let json = serde_json::to_vec(&Written { entries: entries.to_vec() }).map_err(|error| error.to_string())?;
    let length = u32::try_from(json.len()).ok().filter(|_| json.len() <= HEADER_LIMIT);
    let length = length.ok_or_else(|| format!("the header is {} bytes, at most {HEADER_LIMIT} fit", json.len()))?;
    Ok([MAGIC, &length.to_be_bytes(), &json].concat())
}

/// Reads the beginning of an image and checks its signature; also says where the payloads begin.
///
/// `None` while more bytes are needed.
pub(crate) fn read(bytes: &[u8], key: Option<&ImageKey>) -> Result<Option<(Vec<Entry>, usize)>, ImageFault> {
    let not = |reason: &str| ImageFault::NotAnImage { reason: reason.to_owned() };
    let Some((magic, rest)) = bytes.split_at_checked(MAGIC.len()) else {
        return if MAGIC.starts_with(bytes) { Ok(None) } else { Err(not("it begins otherwise")) };
    };
    if magic != MAGIC {
        return Err(not("it begins otherwise"));
    }
    let Some((length, rest)) = rest.split_first_chunk::<LENGTH_BYTES>() else {
        return Ok(None);
    };
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    if length > HEADER_LIMIT {
        return Err(not("its header is too long"));
    }
    let Some((json, rest)) = rest.split_at_checked(length) else {
        return Ok(None);
    };
    let Some(signature) = rest.get(..SIGNATURE_BYTES) else {
        return Ok(None);
    };
    let signed = MAGIC.len().saturating_add(LENGTH_BYTES).saturating_add(length);
    let text = bytes.get(..signed).unwrap_or_default();
    if !key.ok_or(ImageFault::NoKey)?.signed(text, signature) {
        return Err(ImageFault::Signature);
    }
    let written: Written =
        serde_json::from_slice(json).map_err(|error| ImageFault::NotAnImage { reason: error.to_string() })?;
    for entry in &written.entries {
        entry.check()?;
    }
    Ok(Some((written.entries, signed.saturating_add(SIGNATURE_BYTES))))
}

impl Entry {
    /// Refuses what no phone could flash.
    fn check(&self) -> Result<(), ImageFault> {
        for version in [Some(&self.version), Some(&self.updater), self.needs_updater.as_ref()].into_iter().flatten() {
            version.parse::<Version>().map_err(|error| ImageFault::NotAnImage { reason: error.to_string() })?;
        }
        if self.bytes > PAYLOAD_LIMIT || self.offset > OFFSET_LIMIT {
            let reason = format!("its payload of {} bytes at {} does not fit", self.bytes, self.offset);
            return Err(ImageFault::NotAnImage { reason });
        }
        Ok(())
    }

    /// Whom it is for, as people read it.
    pub(crate) fn hardware(&self) -> String {
        format!("{}{}", self.part, of_revision(self.revision.as_deref()))
    }
}

/// Hexadecimal in lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::ImageSigner;
    use openssl::sha::sha256;
    use proptest::prelude::*;

    fn key() -> (ImageSigner, ImageKey) {
        let signer = ImageSigner::generate().unwrap();
        let key = ImageKey::from_pem(&signer.public_pem().unwrap()).unwrap();
        (signer, key)
    }

    fn entry() -> Entry {
        Entry {
            part: "3111-44500-001".to_owned(),
            revision: None,
            kind: ImageKind::Application,
            version: "5.9.8.5760".to_owned(),
            updater: "5.9.8.4127".to_owned(),
            needs_updater: None,
            offset: 0,
            bytes: 3,
            sha256: hex(&sha256(b"abc")),
        }
    }

    fn signed(entries: &[Entry], signer: &ImageSigner) -> Vec<u8> {
        let head = write(entries).unwrap();
        let signature = signer.sign(&head).unwrap();
        [head, signature].concat()
    }

    #[test]
    fn every_prefix_of_a_header_asks_for_more() {
        let (signer, key) = key();
        let bytes = signed(&[entry()], &signer);

        for length in 0..bytes.len() {
            assert_eq!(read(&bytes[..length], Some(&key)), Ok(None), "{length}");
        }
        assert_eq!(read(&bytes, Some(&key)), Ok(Some((vec![entry()], bytes.len()))));
    }

    #[test]
    fn a_header_that_was_changed_or_signed_by_another_is_refused() {
        let (signer, key) = key();
        let bytes = signed(&[entry()], &signer);
        let mut changed = bytes.clone();
        let at = bytes.windows(5).position(|window| window == b"5.9.8").unwrap();
        changed[at] = b'6';

        assert_eq!(read(&changed, Some(&key)), Err(ImageFault::Signature));
        assert_eq!(read(&bytes, Some(&super::tests::key().1)), Err(ImageFault::Signature));
        assert_eq!(read(&bytes, None), Err(ImageFault::NoKey));
    }

    #[test]
    fn a_signed_header_that_makes_no_sense_is_refused() {
        let (signer, key) = key();
        for entry in [
            Entry { version: "new".to_owned(), ..entry() },
            Entry { bytes: u64::MAX, ..entry() },
            Entry { offset: u64::MAX, ..entry() },
        ] {
            let found = read(&signed(&[entry], &signer), Some(&key));
            assert!(matches!(found, Err(ImageFault::NotAnImage { .. })), "{found:?}");
        }
    }

    proptest! {
        #[test]
        fn random_bytes_are_refused_and_never_panic(bytes: Vec<u8>, cut in 0_usize..200, magic: bool) {
            let (signer, key) = key();
            let mut text = if magic { MAGIC.to_vec() } else { Vec::new() };
            text.extend(&bytes);
            prop_assert!(!matches!(read(&text, Some(&key)), Ok(Some(_))));

            let mut damaged = signed(&[entry()], &signer);
            let at = cut.min(damaged.len() - 1);
            let other = bytes.first().copied().unwrap_or(0);
            let same = damaged[at] == other;
            damaged[at] = other;
            prop_assert!(same || !matches!(read(&damaged, Some(&key)), Ok(Some(_))));
        }
    }
}
