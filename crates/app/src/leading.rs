//! Leads phones from the firmware they run to the one they are to run.
//!
//! Decides when a phone's master file names an image: only while a step is due that core's ladder allows and its policy
//! wants, and while a slot is free. A step is stored before it is offered, and kept for its phone until it ends. Never
//! reads an image, and never offers anything to whoever has not proved to be the phone, but through a door that an
//! administrator opened for it.

mod calls;
mod decide;
mod door;
mod due;
mod listed;
mod load;
mod policies;
mod returns;
mod steps;
mod through;
mod told;
mod views;
mod waits;

pub use door::FirmwareDoorView;
pub use load::{ImageLoad, PhoneImage};
pub use policies::{PauseView, PolicyView, RingView};
pub use steps::{FirmwareNowView, LadderStepView, LadderView, ProgressView, StepView};
pub use views::{DeviceFirmwareView, SpreadView};

use crate::{App, AppError, locked};
use provost_catalog::Hardware;
use provost_core::firmware::ladder::Stored;
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use provost_store::{ImageRow, StepRow, Store};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

pub(crate) use decide::Led;
use policies::Policies;
use through::Doors;
pub(crate) use through::{Behind, Knock};

/// Phones whose last reason is remembered: what is said twice after that is only said twice.
const REASONS: usize = 50_000;

/// What is remembered of phones that are led.
#[derive(Debug)]
pub(crate) struct Leading {
    policies: Mutex<Arc<Policies>>,
    doors: Mutex<Doors>,
    /// The phones that are in a step, so that all others cost no query.
    open: Mutex<HashSet<MacAddr>>,
    loading: Mutex<HashMap<MacAddr, Loading>>,
    /// Phones that may have had their whole image and did nothing else since.
    sent: Mutex<HashSet<MacAddr>>,
    /// What the upgrade pages of phones were told.
    listed: Mutex<listed::Listed>,
    /// How far each step was told and stored.
    told: Mutex<HashMap<MacAddr, told::Progress>>,
    /// What a phone's timeline said last about why it gets no step.
    said: Mutex<HashMap<MacAddr, String>>,
    /// What keeps many phones from their steps for a while.
    waits: Mutex<waits::Waits>,
}

/// A download under way.
#[derive(Debug, Clone, Copy)]
struct Loading {
    /// Connections that load.
    connections: u32,
    sent: u64,
    bytes: u64,
}

impl Leading {
    pub(crate) async fn load(store: &Store, now: UnixMillis) -> Result<Self, AppError> {
        let open: HashSet<MacAddr> = store.phones_in_firmware_steps().await?.into_iter().collect();
        let doors = Doors::of(store.open_firmware_doors(now).await?);
        Ok(Self {
            policies: Mutex::new(Arc::new(Policies::load(store).await?)),
            doors: Mutex::new(doors),
            sent: Mutex::new(open.clone()),
            open: Mutex::new(open),
            loading: Mutex::default(),
            listed: Mutex::default(),
            told: Mutex::default(),
            said: Mutex::default(),
            waits: Mutex::default(),
        })
    }

    fn is_open(&self, mac: MacAddr) -> bool {
        locked(&self.open).contains(&mac)
    }

    fn is_loading(&self, mac: MacAddr) -> bool {
        locked(&self.loading).contains_key(&mac)
    }

    fn policies(&self) -> Arc<Policies> {
        Arc::clone(&locked(&self.policies))
    }

    /// Whether this is another reason than the one that was said last.
    fn is_news(&self, mac: MacAddr, reason: &str) -> bool {
        let mut said = locked(&self.said);
        if said.get(&mac).is_some_and(|before| before == reason) {
            return false;
        }
        if said.len() >= REASONS {
            said.clear();
        }
        said.insert(mac, reason.to_owned());
        true
    }

    fn forget_reason(&self, mac: MacAddr) {
        locked(&self.said).remove(&mac);
    }
}

impl App {
    /// The phone does something else than to ask for the image or to start over: what it runs when it asks next tells what
    /// became of the image.
    pub(crate) async fn note_went_on(&self, mac: MacAddr) {
        if !locked(&self.leading.sent).remove(&mac) {
            return;
        }
        if let Err(error) = self.store.firmware_went_on(mac).await {
            locked(&self.leading.sent).insert(mac);
            tracing::error!(phone.mac = %mac, %error, "that a phone went on after its image could not be stored");
        }
    }

    /// The step a phone is in. Those that are in none cost no query.
    async fn step_of(&self, mac: MacAddr) -> Result<Option<StepRow>, AppError> {
        if !self.leading.is_open(mac) {
            return Ok(None);
        }
        match self.store.open_firmware_step(mac).await? {
            Some(row) => Ok(Some(row)),
            None => self.forget_step(mac).await,
        }
    }

    /// The phone's step has ended: it is in none, unless one began meanwhile.
    async fn forget_step(&self, mac: MacAddr) -> Result<Option<StepRow>, AppError> {
        for kept in [&self.leading.open, &self.leading.sent] {
            locked(kept).remove(&mac);
        }
        locked(&self.leading.told).remove(&mac);
        // Looked for after it was taken out: whoever began one meanwhile put it in before, or it is found here.
        let row = self.store.open_firmware_step(mac).await?;
        if row.is_some() {
            locked(&self.leading.open).insert(mac);
        }
        Ok(row)
    }

    /// The images that may be for this hardware, as the ladder sees them.
    fn images_for(&self, hardware: &Hardware) -> Vec<Stored> {
        let rows = self.firmware.images.rows();
        rows.iter().filter(|row| is_for(row, hardware)).map(stored).collect()
    }

    fn image_at_hand(&self, id: &str) -> Option<ImageRow> {
        self.firmware.images.rows().iter().find(|row| row.id == id).cloned()
    }
}

fn is_for(row: &ImageRow, hardware: &Hardware) -> bool {
    match &row.part {
        Some(part) => hardware.part_numbers.iter().any(|known| known.value == *part),
        None => row.line.is_some() && row.line == hardware.line,
    }
}

fn stored(row: &ImageRow) -> Stored {
    Stored {
        id: row.id.clone(),
        kind: row.kind,
        part: row.part.clone(),
        line: row.line.clone(),
        version: row.version.clone(),
    }
}
