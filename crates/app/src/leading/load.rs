//! Sends the image of a phone's step, and tells how far it is.
//!
//! What was sent is stored before the last of it leaves, so that a phone that is back at once is judged by it.

use super::Loading;
use super::decide::words;
use super::due::without_part;
use super::told::Told;
use crate::{App, AppError, locked};
use bytes::Bytes;
use futures_util::StreamExt as _;
use provost_core::firmware::step::{STALE_MS, StepState};
use provost_core::mac::MacAddr;
use provost_core::sentence::{self, Entry};
use provost_core::time::UnixMillis;
use provost_store::{NewStep, StepEnd, StepRow};
use std::io;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

/// The image a phone asked for and may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneImage {
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256 in hexadecimal.
    pub sha256: String,
    /// Its id.
    pub(super) image: String,
    /// The name it was asked by.
    pub(super) name: String,
    pub(super) mac: MacAddr,
    /// The step it is of; `None` through a door.
    pub(super) step: Option<Box<NewStep>>,
    /// Who asks through a door.
    pub(super) door: Option<IpAddr>,
}

/// How far a download is told: at these parts of the whole.
const TOLD_AT: [u8; 3] = [25, 50, 75];
/// How often it is looked at how far a download is: a slow one is a sign of its phone too.
const LOOKED_AT_EVERY_MS: i64 = 1_000;

/// The bytes of an image on their way to a phone.
pub struct ImageLoad {
    bytes: provost_store::ImageStream,
    watch: Watch,
}

/// Follows one download; dropped before its end, the phone closed the connection.
struct Watch {
    app: Arc<App>,
    image: PhoneImage,
    /// As far as bytes have left, from the beginning of the image.
    at: u64,
    /// Whether it began where the bytes of before ended: a part in the middle is no image.
    is_in_order: bool,
    /// The percentage that was told last.
    told: u8,
    touched: UnixMillis,
    began: UnixMillis,
    is_over: bool,
}

impl ImageLoad {
    /// The next piece; `None` at the end.
    pub async fn next(&mut self) -> Option<io::Result<Bytes>> {
        match self.bytes.next().await {
            Some(Ok(piece)) => {
                self.watch.moved(u64::try_from(piece.len()).unwrap_or(u64::MAX)).await;
                Some(Ok(piece))
            }
            Some(Err(error)) => {
                self.watch.broke_off(&error.to_string());
                Some(Err(error))
            }
            None => None,
        }
    }
}

impl App {
    /// The image that a proven phone may have under this name: that of the step it is in, and no other.
    pub(crate) async fn image_of_step(
        &self,
        (mac, name): (MacAddr, &str),
        now: UnixMillis,
    ) -> Result<Option<PhoneImage>, AppError> {
        let Some(row) = self.step_of(mac).await? else { return Ok(None) };
        // Its slot may be another's by now: it asks for its master file first, which says how it stands.
        if row.touched.plus_millis(STALE_MS) <= now && !self.leading.is_loading(mac) {
            return Ok(None);
        }
        let Some(image) = self.image_at_hand(&row.step.image) else { return Ok(None) };
        let Some(part) = part_asked(name, &row.step.file) else { return Ok(None) };
        match part {
            Some(part) if image.part.as_deref() != Some(part) => {
                self.ask_for_other_part(&row, part, now).await?;
                return Ok(None);
            }
            Some(_) => self.leading.note_part(&row.step),
            // Which part it is shows only when it asks by it; a phone of another part would brick itself.
            None if image.part.is_some() && !self.leading.has_asked_by_part(&row.step) => return Ok(None),
            None => {}
        }
        Ok(Some(PhoneImage {
            bytes: image.bytes,
            sha256: image.sha256,
            image: image.id,
            name: name.to_owned(),
            mac,
            step: Some(Box::new(row.step)),
            door: None,
        }))
    }

    /// A phone says by what it asks which part it is. Where the catalog does not know that part as its model's, the image
    /// may not be for it, and it must not get it under the name without a part either.
    async fn ask_for_other_part(&self, row: &StepRow, part: &str, now: UnixMillis) -> Result<(), AppError> {
        let step = &row.step;
        let is_own = self.catalog.hardware_by_part(part).is_some_and(|hardware| hardware.id == step.model);
        let is_combined = self.image_at_hand(&step.image).is_some_and(|image| image.part.is_none());
        // It asks by its part first where the image is for all parts.
        if is_own && is_combined {
            return Ok(());
        }
        let why = format!("it asked for the image of part {part}, and the stored one is not for that part");
        let end = StepEnd { id: &step.id, state: StepState::Failed, as_what: &why, at: now };
        if self.end_step(step.mac, end).await? {
            self.recorder.tell(step.mac, now, sentence::step_withdrawn(words(step), &why), None);
        }
        Ok(())
    }

    /// Begins to send these bytes of an image.
    ///
    /// # Errors
    /// As [`App::image_file`]; the timeline then says so too.
    pub async fn load_image(self: &Arc<Self>, image: PhoneImage, range: Range<u64>) -> Result<ImageLoad, AppError> {
        let now = self.now();
        let file = match self.image_file(&image.image).await {
            Ok(file) => file,
            Err(error) => {
                self.tell_of(
                    (&image, Told::BrokeOff),
                    now,
                    |step| sentence::image_broke_off(words(step), &error.to_string()),
                    ("broken", "it is broken"),
                );
                return Err(error);
            }
        };
        if let Some(step) = image.step.as_ref().filter(|step| self.leading.is_to_store_asked(step, now)) {
            self.store.firmware_asked(&step.id, range.start == 0, now).await?;
        }
        if let Some(address) = image.door {
            let what = format!("it is sent ({})", sentence::megabytes(image.bytes));
            self.tell_through((image.mac, now), (&image.name, address), ("sent", &what));
        }
        self.leading.begin_loading(&image, range.start);
        let at = range.start;
        let is_in_order = image.step.as_ref().map_or(at == 0, |step| self.leading.goes_on_at(step, at));
        let told = percent(at, image.bytes);
        let app = Arc::clone(self);
        let watch = Watch { app, image, at, is_in_order, told, touched: now, began: now, is_over: false };
        Ok(ImageLoad { bytes: file.read(range), watch })
    }

    fn tell_of(
        &self,
        (image, told): (&PhoneImage, Told),
        now: UnixMillis,
        of_step: impl FnOnce(&NewStep) -> Entry,
        through_door: (&str, &str),
    ) {
        match (&image.step, image.door) {
            (Some(step), _) if self.leading.is_first(step, told) => {
                self.recorder.tell(image.mac, now, of_step(step), None);
            }
            (Some(_), _) => {}
            (None, Some(address)) => self.tell_through((image.mac, now), (&image.name, address), through_door),
            (None, None) => {}
        }
    }
}

impl super::Leading {
    fn begin_loading(&self, image: &PhoneImage, at: u64) {
        let mut loading = locked(&self.loading);
        let known = loading.entry(image.mac).or_insert(Loading { connections: 0, sent: at, bytes: image.bytes });
        known.connections = known.connections.saturating_add(1);
        (known.sent, known.bytes) = (at, image.bytes);
    }

    fn end_loading(&self, mac: MacAddr) {
        let mut loading = locked(&self.loading);
        if let Some(known) = loading.get_mut(&mac) {
            known.connections = known.connections.saturating_sub(1);
            if known.connections == 0 {
                loading.remove(&mac);
            }
        }
    }
}

impl Watch {
    async fn moved(&mut self, bytes: u64) {
        self.at = self.at.saturating_add(bytes);
        if let Some(known) = locked(&self.app.leading.loading).get_mut(&self.image.mac) {
            known.sent = self.at;
        }
        if !self.is_in_order {
            return;
        }
        if let Some(step) = &self.image.step {
            self.app.leading.reached(step, self.at);
        }
        if self.at >= self.image.bytes {
            self.whole().await;
            return;
        }
        let percent = percent(self.at, self.image.bytes);
        if let Some(mark) = TOLD_AT.into_iter().rfind(|mark| *mark <= percent && *mark > self.told) {
            self.told = mark;
            let bytes = self.image.bytes;
            let progress = |step: &NewStep| sentence::image_progress(mark, words(step), bytes);
            let what = format!("{mark} % of the image was sent");
            self.app.tell_of((&self.image, Told::Percent(mark)), self.app.now(), progress, (&what, &what));
        }
        let now = self.app.now();
        if now.0.saturating_sub(self.touched.0) >= LOOKED_AT_EVERY_MS {
            self.touched = now;
            self.store_moved(now).await;
        }
    }

    /// The whole image has left, from its first byte to its last.
    async fn whole(&mut self) {
        let (began, bytes, now) = (self.began, self.image.bytes, self.app.now());
        if let Some(step) = &self.image.step {
            self.write(step, now).await;
            locked(&self.app.leading.sent).insert(self.image.mac);
        }
        self.over();
        let sent = |step: &NewStep| sentence::image_sent(words(step), bytes, now.0.saturating_sub(began.0));
        self.app.tell_of((&self.image, Told::Whole), now, sent, ("whole", "the whole image was sent"));
    }

    async fn store_moved(&self, now: UnixMillis) {
        if let Some(step) = &self.image.step
            && self.app.leading.is_to_store_moved(step, self.at, now)
        {
            self.write(step, now).await;
        }
    }

    async fn write(&self, step: &NewStep, now: UnixMillis) {
        if let Err(error) = self.app.store.firmware_moved(&step.id, self.at, now).await {
            tracing::error!(phone.mac = %self.image.mac, %error, "how far a phone's firmware is could not be stored");
        }
    }

    fn broke_off(&mut self, why: &str) {
        self.over();
        let broke = |step: &NewStep| sentence::image_broke_off(words(step), why);
        self.app.tell_of(
            (&self.image, Told::BrokeOff),
            self.app.now(),
            broke,
            ("broken", "the image could not be read to its end"),
        );
    }

    fn over(&mut self) {
        if !self.is_over {
            self.is_over = true;
            self.app.leading.end_loading(self.image.mac);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        self.over();
        let (app, image, at, now) = (Arc::clone(&self.app), self.image.clone(), self.at, self.app.now());
        let closed = |step: &NewStep| sentence::image_closed_early(words(step), at, image.bytes);
        let what = format!("it closed the connection after about {}", sentence::megabytes(at));
        app.tell_of((&image, Told::ClosedEarly), now, closed, ("closed", &what));
        let (Some(step), Ok(runtime)) = (image.step, tokio::runtime::Handle::try_current()) else { return };
        if !self.is_in_order || !app.leading.is_to_store_moved(&step, at, now) {
            return;
        }
        runtime.spawn(async move {
            if let Err(error) = app.store.firmware_moved(&step.id, at, now).await {
                tracing::error!(phone.mac = %step.mac, %error, "how far a phone's firmware came could not be stored");
            }
        });
    }
}

impl std::fmt::Debug for ImageLoad {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ImageLoad")
            .field("image", &self.watch.image)
            .field("at", &self.watch.at)
            .finish_non_exhaustive()
    }
}

fn percent(at: u64, bytes: u64) -> u8 {
    let percent = at.saturating_mul(100).checked_div(bytes).unwrap_or(100);
    u8::try_from(percent.min(100)).unwrap_or(100)
}

/// The part in a name that asks for this file: `Some(None)` where it names none, `None` for another file's name.
pub(super) fn part_asked<'a>(name: &'a str, file: &str) -> Option<Option<&'a str>> {
    if !without_part(name).eq_ignore_ascii_case(file) {
        return None;
    }
    let part = name.len().checked_sub(file.len().saturating_add(1)).and_then(|at| name.get(..at));
    Some(part.filter(|part| !part.is_empty()))
}
