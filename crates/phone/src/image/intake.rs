//! A phone reads an image while it comes.
//!
//! Decides from the header whether to read on, and from the bytes whether they are what was announced. They
//! are hashed and not kept: no processor here would run them, so an image costs a few kilobytes of memory.
//! Rules: domain notes 9 (another version is taken, up or down; the same one ends the transfer early; wrong
//! hardware is refused; an old updater refuses later images).

use openssl::sha::Sha256;
use provost_catalog::Version;

use super::header::{self, Entry, ImageFault, ImageKind, hex};
use super::key::ImageKey;
use crate::event::{Event, Observer};

/// What a phone weighs an image against: its hardware, its versions, and whom it trusts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Board<'a> {
    pub(crate) part: &'a str,
    pub(crate) revision: Option<&'a str>,
    pub(crate) application: &'a Version,
    pub(crate) updater: &'a Version,
    pub(crate) key: Option<&'a ImageKey>,
}

/// Whether the phone reads on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taking {
    More,
    Enough,
}

/// What became of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The phone runs this version already.
    Current {
        version: String,
    },
    /// It is whole and to be flashed.
    Whole(Box<Entry>),
    Refused(ImageFault),
}

/// One image on its way in.
pub(crate) struct Intake<'a> {
    file: &'a str,
    board: Board<'a>,
    state: State,
}

enum State {
    Head(Vec<u8>),
    Payload(Box<Payload>),
    Ended(Verdict),
}

struct Payload {
    entry: Entry,
    /// Bytes of other entries still before this one's.
    skip: u64,
    taken: u64,
    digest: Sha256,
    /// Tenths of the payload already told.
    told: u64,
}

impl<'a> Intake<'a> {
    pub(crate) fn new(file: &'a str, board: Board<'a>) -> Self {
        Self { file, board, state: State::Head(Vec::new()) }
    }

    /// Takes the next bytes.
    pub(crate) fn take(&mut self, bytes: &[u8], observer: &mut Observer<'_>) -> Taking {
        let rest = match &mut self.state {
            State::Ended(_) => return Taking::Enough,
            State::Payload(_) => return self.take_payload(bytes, observer),
            State::Head(head) => {
                head.extend_from_slice(bytes);
                match header::read(head, self.board.key) {
                    Ok(None) => return Taking::More,
                    Err(fault) => return self.end(Verdict::Refused(fault)),
                    Ok(Some((entries, begin))) => {
                        let rest = head.split_off(begin.min(head.len()));
                        match self.board.weigh(entries) {
                            Err(verdict) => return self.end(verdict),
                            Ok(entry) => self.state = State::Payload(Box::new(Payload::of(entry))),
                        }
                        rest
                    }
                }
            }
        };
        self.take_payload(&rest, observer)
    }

    /// Says what became of the image when no more bytes come.
    pub(crate) fn finish(self) -> Verdict {
        match self.state {
            State::Ended(verdict) => verdict,
            State::Head(head) => Verdict::Refused(ImageFault::NotAnImage {
                reason: format!("it ends within its header, after {} bytes", head.len()),
            }),
            State::Payload(payload) => {
                Verdict::Refused(ImageFault::Truncated { found: payload.taken, expected: payload.entry.bytes })
            }
        }
    }

    fn take_payload(&mut self, bytes: &[u8], observer: &mut Observer<'_>) -> Taking {
        let State::Payload(payload) = &mut self.state else {
            return Taking::Enough;
        };
        payload.take(bytes);
        if let Some(percent) = payload.news() {
            observer(Event::ImageProgress { file: self.file.to_owned(), percent });
        }
        match payload.verdict() {
            None => Taking::More,
            Some(verdict) => self.end(verdict),
        }
    }

    fn end(&mut self, verdict: Verdict) -> Taking {
        self.state = State::Ended(verdict);
        Taking::Enough
    }
}

impl Board<'_> {
    /// The entry to read on for, or what ends the transfer here.
    fn weigh(&self, entries: Vec<Entry>) -> Result<Entry, Verdict> {
        let fits = |entry: &&Entry| {
            let revision = entry.revision.as_deref();
            entry.part == self.part && (revision.is_none() || revision == self.revision)
        };
        // An entry for just this revision goes before one for the part; of two alike the first counts.
        let own = entries.iter().filter(fits).find(|entry| entry.revision.is_some());
        let Some(entry) = own.or_else(|| entries.iter().find(fits)) else {
            return Err(Verdict::Refused(ImageFault::OtherHardware {
                part: self.part.to_owned(),
                revision: self.revision.map(str::to_owned),
                found: entries.iter().map(Entry::hardware).collect(),
            }));
        };
        let present = match entry.kind {
            ImageKind::Application => self.application,
            ImageKind::Updater => self.updater,
        };
        // The header was checked: every version in it can be read.
        if entry.version.parse().as_ref() == Ok(present) {
            return Err(Verdict::Current { version: present.to_string() });
        }
        let needed = entry.needs_updater.as_ref().and_then(|text| text.parse::<Version>().ok());
        match needed.filter(|needed| self.updater < needed) {
            None => Ok(entry.clone()),
            Some(needed) => Err(Verdict::Refused(ImageFault::Updater {
                needed: needed.to_string(),
                found: self.updater.to_string(),
            })),
        }
    }
}

impl Payload {
    fn of(entry: Entry) -> Self {
        Self { skip: entry.offset, entry, taken: 0, digest: Sha256::new(), told: 0 }
    }

    fn take(&mut self, bytes: &[u8]) {
        let skipped = self.skip.min(length(bytes));
        self.skip = self.skip.saturating_sub(skipped);
        let bytes = usize::try_from(skipped).ok().and_then(|skipped| bytes.get(skipped..)).unwrap_or_default();
        let left = self.entry.bytes.saturating_sub(self.taken);
        let own = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let own = bytes.get(..own).unwrap_or_default();
        self.digest.update(own);
        self.taken = self.taken.saturating_add(length(own));
    }

    /// How many percent have come, when that is ten more than was told.
    fn news(&mut self) -> Option<u8> {
        let tenths = self.taken.saturating_mul(10).checked_div(self.entry.bytes).unwrap_or(10);
        if tenths <= self.told {
            return None;
        }
        self.told = tenths;
        u8::try_from(tenths.saturating_mul(10)).ok()
    }

    /// What the payload is, once all of it has come.
    fn verdict(&self) -> Option<Verdict> {
        if self.skip > 0 || self.taken < self.entry.bytes {
            return None;
        }
        let found = hex(&self.digest.clone().finish());
        let expected = &self.entry.sha256;
        if found.eq_ignore_ascii_case(expected) {
            return Some(Verdict::Whole(Box::new(self.entry.clone())));
        }
        Some(Verdict::Refused(ImageFault::Digest { found, expected: expected.clone() }))
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{ImageSigner, LabEntry, LabImage};
    use proptest::prelude::*;

    const PART: &str = "3111-44500-001";

    fn key(signer: &ImageSigner) -> ImageKey {
        ImageKey::from_pem(&signer.public_pem().unwrap()).unwrap()
    }

    /// What a phone with 5.9.7 and updater 5.7.2 makes of `parts`, how many bytes it read, and what it told.
    fn read(parts: &[&[u8]], key: &ImageKey, revision: Option<&str>) -> (Verdict, usize, Vec<u8>) {
        let (application, updater) = ("5.9.7".parse().unwrap(), "5.7.2".parse().unwrap());
        let board = Board { part: PART, revision, application: &application, updater: &updater, key: Some(key) };
        let mut intake = Intake::new("sip.ld", board);
        let (mut taken, mut told) = (0, Vec::new());
        let mut observer = |event| {
            if let Event::ImageProgress { percent, .. } = event {
                told.push(percent);
            }
        };
        for part in parts {
            taken += part.len();
            if intake.take(part, &mut observer) == Taking::Enough {
                break;
            }
        }
        (intake.finish(), taken, told)
    }

    fn application(version: &str) -> LabEntry {
        LabEntry::application(PART, version, "5.9.8").of_bytes(10_000)
    }

    #[test]
    fn another_version_is_read_to_its_end_and_told_every_ten_percent() {
        let signer = ImageSigner::generate().unwrap();
        for version in ["5.9.8", "4.1.0"] {
            let bytes = LabImage::of(application(version)).to_bytes(&signer).unwrap();
            let parts: Vec<&[u8]> = bytes.chunks(100).collect();

            let (verdict, taken, told) = read(&parts, &key(&signer), None);

            assert!(matches!(verdict, Verdict::Whole(entry) if entry.version == version));
            assert_eq!((taken, told), (bytes.len(), vec![10, 20, 30, 40, 50, 60, 70, 80, 90, 100]));
        }
    }

    #[test]
    fn the_same_version_and_wrong_hardware_end_with_the_header() {
        let signer = ImageSigner::generate().unwrap();
        let entries = [
            (application("5.9.7"), "Current"),
            (LabEntry::application("3111-48840-001", "5.9.8", "1"), "3111-48840-001"),
            (application("5.9.8").needing("5.7.3"), "needed: \"5.7.3\""),
            (application("5.9.8").for_revision("B"), "revision B"),
        ];
        for (entry, words) in entries {
            let bytes = LabImage::of(entry).to_bytes(&signer).unwrap();
            let parts: Vec<&[u8]> = bytes.chunks(200).collect();

            let (verdict, taken, told) = read(&parts, &key(&signer), Some("A"));

            assert!(format!("{verdict:?}").contains(words), "{verdict:?}");
            assert!(taken <= 800 && told.is_empty(), "{taken}");
        }
    }

    #[test]
    fn the_entry_of_the_own_revision_goes_before_the_one_for_all() {
        let signer = ImageSigner::generate().unwrap();
        let image = LabImage::of(application("5.9.8")).and(application("5.9.9").for_revision("B"));
        let bytes = image.to_bytes(&signer).unwrap();
        let version = |revision| match read(&[&bytes], &key(&signer), revision).0 {
            Verdict::Whole(entry) => entry.version,
            other => panic!("{other:?}"),
        };

        assert_eq!([version(Some("B")), version(Some("A")), version(None)], ["5.9.9", "5.9.8", "5.9.8"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn an_image_cut_or_changed_anywhere_is_never_flashed(at in 0_usize..10_500, other: u8, chunk in 1_usize..4000) {
            let signer = ImageSigner::generate().unwrap();
            let bytes = LabImage::of(application("5.9.8")).to_bytes(&signer).unwrap();
            let at = at.min(bytes.len() - 1);
            let cut: Vec<&[u8]> = bytes[..at].chunks(chunk).collect();
            prop_assert!(matches!(read(&cut, &key(&signer), None).0, Verdict::Refused(_)));

            let mut changed = bytes.clone();
            changed[at] = other;
            let parts: Vec<&[u8]> = changed.chunks(chunk).collect();
            let verdict = read(&parts, &key(&signer), None).0;
            prop_assert_eq!(matches!(verdict, Verdict::Whole(_)), changed == bytes);
        }

        #[test]
        fn random_bytes_are_no_image_and_never_panic(bytes: Vec<u8>, chunk in 1_usize..50) {
            let signer = ImageSigner::generate().unwrap();
            let parts: Vec<&[u8]> = bytes.chunks(chunk).collect();
            prop_assert!(matches!(read(&parts, &key(&signer), None).0, Verdict::Refused(_)));
        }
    }
}
