//! The image step: is there another version for this phone, and can it take it.
//!
//! Decides which names are asked for, what a refusal means for the rest of the boot (nothing), and when a
//! phone stops asking. Never flashes: the caller does that in one step.
//! Rules: domain notes 9 (part number first, then the plain name) and 1.5 (three failures).

use std::collections::BTreeMap;

use crate::ask::{Ask, FetchedImage};
use crate::event::{Event, Rejected};
use crate::exchange::Failure;
use crate::facts::Step;
use crate::image::{Entry, ImageFault, ImageKey, Verdict};
use crate::walk::{Staged, Walk};

/// New versions in one boot after which a phone takes no more: a server that names another one each time
/// must not keep a phone from coming up. The longest way known has fewer steps.
const FLASH_LIMIT: usize = 10;
/// What stands in a step's name for the image the master file names.
const NAMED: &str = "{image}";

/// What a phone has come to with images since somebody gave it power or had it look.
#[derive(Debug, Default)]
pub(crate) struct Upgrades {
    /// Whose images it takes.
    key: Option<ImageKey>,
    /// New versions it started with.
    pub(crate) flashes: usize,
    /// Failures by file.
    failures: BTreeMap<String, u32>,
    /// Nothing is flashed before somebody takes the update.
    pub(crate) held: bool,
    /// The version that waits for that.
    pub(crate) offered: Option<String>,
}

/// An image ready to be flashed.
#[derive(Debug)]
pub(crate) struct Flashing {
    pub(crate) file: String,
    pub(crate) entry: Entry,
}

impl Upgrades {
    /// A phone that takes what `key` signed.
    pub(crate) fn of(key: Option<ImageKey>) -> Self {
        Self { key, ..Self::default() }
    }

    /// Forgets what went wrong, as at power-on.
    pub(crate) fn begin(&mut self) {
        self.flashes = 0;
        self.failures.clear();
        self.offered = None;
    }
}

impl Walk<'_> {
    /// Asks for an image; one that is whole and of another version is staged to be flashed.
    pub(super) async fn look_at_image(&mut self, step: &Step, staged: &mut Staged) -> Result<(), Failure> {
        let named = self.master.as_ref().map_or_else(String::new, |master| master.image.clone());
        for pattern in step.names() {
            let Some(file) = image_file(pattern, &named) else { continue };
            if self.given_up(&file) {
                self.log(&format!("{file}: failed before, not asked for again until the phone is started"));
                break;
            }
            (self.observer)(Event::ImageAsked { file: file.clone() });
            // The key is copied so that the walk stays free to tell what happens meanwhile.
            let key = self.upgrades.key.clone();
            let board = self.facts.board(key.as_ref());
            match self.fetch_image(Ask::get(&file, step.stage), board).await? {
                FetchedImage::Missing => {}
                FetchedImage::Read(verdict) => {
                    self.weigh(file, verdict, staged);
                    break;
                }
                FetchedImage::Fault(reason) => {
                    self.refuse_image(file, &ImageFault::Server { reason }, staged);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Looks for an image in this server's folder alone, as the phone's own update page does.
    pub(crate) async fn upgrade(mut self, step: &Step) -> Result<Staged, Failure> {
        let mut staged = Staged::default();
        self.look_at_image(step, &mut staged).await?;
        Ok(staged)
    }

    fn weigh(&mut self, file: String, verdict: Verdict, staged: &mut Staged) {
        match verdict {
            Verdict::Current { version } => {
                self.log(&format!("{file}: {version} is what the phone runs"));
                (self.observer)(Event::ImageCurrent { file, version });
            }
            Verdict::Refused(fault) => self.refuse_image(file, &fault, staged),
            Verdict::Whole(entry) if self.upgrades.held => {
                self.log(&format!("{file}: {} waits until somebody takes the update", entry.version));
                self.upgrades.offered = Some(entry.version);
            }
            Verdict::Whole(_) if self.upgrades.flashes >= FLASH_LIMIT => {
                let fault = ImageFault::TooMany { flashes: self.upgrades.flashes };
                self.refuse_image(file, &fault, staged);
            }
            Verdict::Whole(entry) => staged.flashing = Some(Flashing { file, entry: *entry }),
        }
    }

    fn refuse_image(&mut self, file: String, fault: &ImageFault, staged: &mut Staged) {
        let failures = self.upgrades.failures.entry(file.clone()).or_default();
        *failures = failures.saturating_add(1);
        let reason = fault.to_string();
        self.log(&format!("{file} is not taken: {reason}; the phone keeps {}", self.memory.firmware));
        (self.observer)(Event::ImageRefused { file: file.clone(), reason: reason.clone() });
        staged.refused.push(Rejected { file, reason });
    }

    /// Whether this file failed as often as the phone puts up with.
    fn given_up(&self, file: &str) -> bool {
        let (parameter, usual) = self.facts.upgrade_failures();
        let told = self.memory.device.get(parameter).and_then(|value| value.parse().ok());
        self.upgrades.failures.get(file).is_some_and(|failures| *failures >= told.unwrap_or(usual).max(1))
    }
}

/// The file a step asks for; `None` when it is the master file's image and that names none.
fn image_file(pattern: &str, named: &str) -> Option<String> {
    if !pattern.contains(NAMED) {
        return Some(pattern.to_owned());
    }
    let (folder, name) = match named.rsplit_once('/') {
        Some((folder, name)) => (format!("{folder}/"), name),
        None => (String::new(), named),
    };
    (!name.is_empty()).then(|| format!("{folder}{}", pattern.replace(NAMED, name)))
}
