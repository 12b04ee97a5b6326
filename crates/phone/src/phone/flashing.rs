//! A new version is written to flash.
//!
//! Decides that it counts at once or not at all: versions are part of the phone's memory, which is replaced in
//! one step, and nothing waits between the last byte of an image and that step. A phone that loses power finds
//! the old version before it and the new one after it, never neither.

use crate::address::BootServer;
use crate::event::{Event, Flashed, Observer, Versions};
use crate::facts::{Facts, Step};
use crate::flash::Memory;
use crate::image::ImageKind;
use crate::phone::Phone;
use crate::setup::PhoneError;
use crate::walk::Flashing;

impl Phone {
    /// Looks for an image in a folder on a server, as the phone's own update page does, and writes it to flash if it
    /// is another version for this phone. The phone must be started then.
    ///
    /// # Errors
    /// [`PhoneError`] when the folder's address is none, or the flash fails. A server that has no image, or one this
    /// phone does not take, is no error: events tell.
    pub async fn upgrade_from(
        &mut self,
        folder: &str,
        observer: &mut Observer<'_>,
    ) -> Result<Option<Flashed>, PhoneError> {
        self.upgrades.begin();
        let server = BootServer::parse(folder, "http")?;
        let line = self.catalog.hardware(&self.memory.model).and_then(|hardware| hardware.line.as_ref());
        let Some(line) = line.and_then(|line| self.catalog.firmware_line(line)) else { return Ok(None) };
        let names = vec![format!("{}.{}", self.facts.part(), line.image), line.image.clone()];
        let step = Step::of_image(names);
        // A server that is gone, or none of the phone's authorities know, has no image.
        let staged = self.walk(&server, &mut *observer).upgrade(&step).await.unwrap_or_default();
        staged.flashing.map(|image| self.write_flash(image, observer)).transpose()
    }

    /// Writes the versions of a whole image, which passed every check.
    pub(super) fn write_flash(&mut self, image: Flashing, observer: &mut Observer<'_>) -> Result<Flashed, PhoneError> {
        let Flashing { file, entry } = image;
        let from = Versions::of(&self.memory);
        let to = match entry.kind {
            ImageKind::Application => Versions { application: entry.version, updater: entry.updater },
            ImageKind::Updater => Versions { updater: entry.version, ..from.clone() },
        };
        let versions = (to.application.parse(), to.updater.parse());
        let versions = (versions.0.map_err(crate::FactsError::from)?, versions.1.map_err(crate::FactsError::from)?);
        let identity = (self.memory.model.as_str(), self.facts.mac, &self.hardware);
        let facts = Facts::gather(&self.catalog, identity, versions)?;
        let mut memory = Memory {
            firmware: to.application.clone(),
            updater: to.updater.clone(),
            flash_count: self.memory.flash_count.saturating_add(1),
            ..self.memory.clone()
        };
        memory.log(&format!("{file}: flashed, {from} becomes {to}"));
        self.flash.store(&memory)?;
        self.memory = memory;
        self.facts = facts;
        self.upgrades.flashes = self.upgrades.flashes.saturating_add(1);
        let flashed = Flashed { file, kind: entry.kind, from, to };
        observer(Event::Flashed(flashed.clone()));
        Ok(flashed)
    }
}

impl Versions {
    fn of(memory: &Memory) -> Self {
        Self { application: memory.firmware.clone(), updater: memory.updater.clone() }
    }
}
