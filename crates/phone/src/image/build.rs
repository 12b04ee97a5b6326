//! Makes images.
//!
//! Decides what payloads hold: bytes that do not compress and are the same each time, so that an image of
//! any size is written without being held in memory. Never asks whether a phone should get the image.

use std::io::{self, Write};

use openssl::error::ErrorStack;
use openssl::sha::{Sha256, sha256};
use provost_catalog::{Version, VersionError};

use super::header::{self, Entry, ImageKind, PAYLOAD_LIMIT, hex};
use super::key::ImageSigner;

/// Bytes of a payload when nothing else is said.
const DEFAULT_BYTES: u64 = 1024 * 1024;
/// Bytes of a payload made at a time.
const BLOCK: usize = 8192;

/// Why an image cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// A version that is none.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// Nothing to put in.
    #[error("an image needs an entry; name a part")]
    Empty,
    /// Larger than a phone takes.
    #[error("a payload of {found} bytes is more than a phone takes; write at most {limit}")]
    TooLarge {
        /// The bytes asked for.
        found: u64,
        /// The most there may be.
        limit: u64,
    },
    /// The header became too long.
    #[error("{reason}; make several images")]
    Header {
        /// What is wrong.
        reason: String,
    },
    /// It cannot be signed.
    #[error("the image cannot be signed: {0}")]
    Signature(#[from] ErrorStack),
    /// It cannot be written.
    #[error("the image cannot be written: {0}")]
    Write(#[from] io::Error),
}

/// What an image holds for one part.
#[derive(Debug, Clone)]
pub struct LabEntry {
    entry: Entry,
}

/// An image: one entry, or one for each of several parts.
#[derive(Debug, Clone, Default)]
pub struct LabImage {
    entries: Vec<Entry>,
}

impl LabEntry {
    /// An application for `part`, which leaves the phone with `updater`.
    pub fn application(part: &str, version: &str, updater: &str) -> Self {
        Self::of(ImageKind::Application, part, (version, updater))
    }

    /// An updater or BootROM for `part`.
    pub fn updater(part: &str, version: &str) -> Self {
        Self::of(ImageKind::Updater, part, (version, version))
    }

    fn of(kind: ImageKind, part: &str, (version, updater): (&str, &str)) -> Self {
        Self {
            entry: Entry {
                part: part.to_owned(),
                revision: None,
                kind,
                version: version.to_owned(),
                updater: updater.to_owned(),
                needs_updater: None,
                offset: 0,
                bytes: DEFAULT_BYTES,
                sha256: String::new(),
            },
        }
    }

    /// Only phones with this updater or a later one take it.
    #[must_use]
    pub fn needing(mut self, updater: &str) -> Self {
        self.entry.needs_updater = Some(updater.to_owned());
        self
    }

    /// Only phones of this hardware revision take it.
    #[must_use]
    pub fn for_revision(mut self, revision: &str) -> Self {
        self.entry.revision = Some(revision.to_owned());
        self
    }

    /// How large its payload is.
    #[must_use]
    pub fn of_bytes(mut self, bytes: u64) -> Self {
        self.entry.bytes = bytes;
        self
    }
}

impl LabImage {
    /// An image for one part.
    pub fn of(entry: LabEntry) -> Self {
        Self::default().and(entry)
    }

    /// The same with another entry.
    #[must_use]
    pub fn and(mut self, entry: LabEntry) -> Self {
        self.entries.push(entry.entry);
        self
    }

    /// Writes the image, signed.
    ///
    /// # Errors
    /// [`ImageError`] when an entry makes no sense, or `out` refuses.
    pub fn write(&self, signer: &ImageSigner, out: &mut impl Write) -> Result<(), ImageError> {
        let entries = self.placed()?;
        let head = header::write(&entries).map_err(|reason| ImageError::Header { reason })?;
        out.write_all(&head)?;
        out.write_all(&signer.sign(&head)?)?;
        for entry in &entries {
            payload(entry, |block| out.write_all(block))?;
        }
        Ok(out.flush()?)
    }

    /// The image at once; meant for small ones.
    ///
    /// # Errors
    /// As [`LabImage::write`].
    pub fn to_bytes(&self, signer: &ImageSigner) -> Result<Vec<u8>, ImageError> {
        let mut bytes = Vec::new();
        self.write(signer, &mut bytes)?;
        Ok(bytes)
    }

    /// The entries with offsets and digests.
    fn placed(&self) -> Result<Vec<Entry>, ImageError> {
        let mut offset = 0_u64;
        let mut placed = Vec::new();
        for entry in &self.entries {
            for version in [Some(&entry.version), Some(&entry.updater), entry.needs_updater.as_ref()] {
                version.map(|version| version.parse::<Version>()).transpose()?;
            }
            if entry.bytes > PAYLOAD_LIMIT {
                return Err(ImageError::TooLarge { found: entry.bytes, limit: PAYLOAD_LIMIT });
            }
            let mut digest = Sha256::new();
            payload(entry, |block| {
                digest.update(block);
                Ok(())
            })?;
            placed.push(Entry { offset, sha256: hex(&digest.finish()), ..entry.clone() });
            offset = offset.saturating_add(entry.bytes);
        }
        if placed.is_empty() { Err(ImageError::Empty) } else { Ok(placed) }
    }
}

/// Hands out the payload of an entry block by block.
fn payload(entry: &Entry, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut left = usize::try_from(entry.bytes).unwrap_or(usize::MAX);
    let seed = sha256(format!("{} {} {:?}", entry.hardware(), entry.version, entry.kind).as_bytes());
    let mut noise = Noise::of(&seed);
    let mut block = [0; BLOCK];
    while left > 0 {
        noise.fill(&mut block);
        let size = left.min(BLOCK);
        take(block.get(..size).unwrap_or_default())?;
        left = left.saturating_sub(size);
    }
    Ok(())
}

/// Numbers without a pattern (xorshift64*): a payload must not compress, it need not be secret.
struct Noise(u64);

impl Noise {
    fn of(seed: &[u8; 32]) -> Self {
        let first = seed.first_chunk().copied().map_or(1, u64::from_le_bytes);
        Self(first.max(1))
    }

    fn fill(&mut self, block: &mut [u8]) {
        let (words, _) = block.as_chunks_mut::<8>();
        for word in words {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            *word = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D).to_le_bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::ImageKey;

    #[test]
    fn an_image_is_the_same_each_time_and_holds_what_its_header_says() {
        let signer = ImageSigner::generate().unwrap();
        let image = LabImage::of(LabEntry::application("3111-44500-001", "5.9.8.5760", "5.9.8.4127").of_bytes(20_000))
            .and(LabEntry::updater("2345-12500-001", "4.4.0").of_bytes(5));

        let bytes = image.to_bytes(&signer).unwrap();

        assert_eq!(bytes, image.to_bytes(&signer).unwrap());
        let key = ImageKey::from_pem(&signer.public_pem().unwrap()).unwrap();
        let (entries, begin) = header::read(&bytes, Some(&key)).unwrap().unwrap();
        assert_eq!((entries[1].offset, bytes.len()), (20_000, begin + 20_005));
        assert_eq!(entries[0].sha256, hex(&sha256(&bytes[begin..begin + 20_000])));
        assert_eq!(entries[1].sha256, hex(&sha256(&bytes[begin + 20_000..])));
    }

    #[test]
    fn an_image_that_no_phone_could_take_is_not_made() {
        let signer = ImageSigner::generate().unwrap();
        let part = "3111-44500-001";

        for (image, words) in [
            (LabImage::default(), "needs an entry"),
            (LabImage::of(LabEntry::updater(part, "new")), "`new` is not a version"),
            (LabImage::of(LabEntry::updater(part, "1").needing("old")), "`old` is not a version"),
            (LabImage::of(LabEntry::updater(part, "1").of_bytes(1 << 40)), "more than a phone takes"),
        ] {
            let error = image.to_bytes(&signer).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
