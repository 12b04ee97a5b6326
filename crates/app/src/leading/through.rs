//! What is behind a door over plain HTTP, and who gets it.
//!
//! Whoever asks through it proves nothing, so it gets what harms nobody: a master file that names the image of the next
//! legal step up, and that image. The first address that asks for the MAC's master file is the only one heard and served;
//! two doors of one model at one address give nothing, since whose words are whose cannot be told. What firmware before 4.0
//! is known to run is decided in core's `heard`, by one whole start.

use super::due::without_part;
use super::load::{PhoneImage, part_asked};
use crate::{App, locked};
use provost_catalog::{BootStage, FileRole, Hardware, UserAgent};
use provost_core::file_plan::{Asked, Kind};
use provost_core::firmware::heard::{Heard, ONE_START_MS};
use provost_core::firmware::ladder::{self, Present, Step};
use provost_core::firmware::{ImageKind, Version};
use provost_core::mac::MacAddr;
use provost_core::render;
use provost_core::sentence;
use provost_core::time::UnixMillis;
use provost_store::{FirmwareDoorRow, ImageRow};
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;

/// Addresses that are remembered before one of them asks for a door's master file.
const MOST_ADDRESSES: usize = 256;
/// What is told of a door is told again only after so many other things.
const TOLD: usize = 32;

/// A request without TLS, as a door sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Knock<'a> {
    pub(crate) asked: &'a Asked,
    pub(crate) user_agent: Option<&'a str>,
    pub(crate) address: IpAddr,
    pub(crate) now: UnixMillis,
}

/// What is behind a door.
#[derive(Debug)]
pub(crate) enum Behind {
    /// A master file.
    Master(bytes::Bytes),
    /// The image of the next step.
    Image(Box<PhoneImage>),
}

/// A door with what was learned of whoever uses it.
#[derive(Debug, Clone)]
pub(super) struct Door {
    row: FirmwareDoorRow,
    /// The address that asked for the MAC's master file first; no other is heard or served.
    address: Option<IpAddr>,
    facts: Facts,
    /// The part it asked by, once it asked for an image that is its part's.
    part: Option<String>,
    told: VecDeque<String>,
}

/// What is known of the phone behind an address.
#[derive(Debug, Clone)]
enum Facts {
    /// Of firmware that does not say which program asks.
    Undivided(Heard),
    /// Of firmware that does.
    Named { application: Option<Version>, updater: Option<Version> },
}

/// The doors that are open.
#[derive(Debug, Default)]
pub(super) struct Doors {
    open: Vec<Door>,
    /// What an address said before it asked for a door's master file, by model.
    before: HashMap<(String, IpAddr), (Heard, UnixMillis)>,
}

/// A knock in the words of the catalog.
#[derive(Debug, Clone, Copy)]
struct Said<'a> {
    hardware: &'a Hardware,
    version: &'a Version,
    stage: Option<BootStage>,
    role: FileRole,
    is_updater_file: bool,
    /// From this version on an application says that it is one.
    undivided_below: &'a Version,
}

/// What a knock finds.
#[derive(Debug)]
enum Found {
    /// The door, and what its phone runs, or why that is not known.
    Door(Box<Door>, Result<(Version, Option<Version>), String>),
    /// The doors of these MACs all stand for that address.
    Ambiguous(Vec<MacAddr>),
}

impl Door {
    pub(super) fn new(row: FirmwareDoorRow) -> Self {
        Self { row, address: None, facts: Facts::Undivided(Heard::default()), part: None, told: VecDeque::new() }
    }
}

impl Facts {
    fn hear(&mut self, said: Said<'_>, now: UnixMillis) {
        let version = said.version;
        match (said.stage, &mut *self) {
            (Some(stage), Self::Named { application, updater }) => match stage {
                BootStage::Updater => *updater = Some(version.clone()),
                BootStage::Application => *application = Some(version.clone()),
            },
            (Some(BootStage::Updater), _) => {
                *self = Self::Named { application: None, updater: Some(version.clone()) };
            }
            (Some(BootStage::Application), _) => {
                *self = Self::Named { application: Some(version.clone()), updater: None };
            }
            (None, Self::Undivided(heard)) => hear(heard, said, now),
            (None, Self::Named { .. }) => {
                let mut heard = Heard::default();
                hear(&mut heard, said, now);
                *self = Self::Undivided(heard);
            }
        }
    }

    /// Application and updater of whoever asks, or why nothing can be given.
    fn known(&self, said: Said<'_>) -> Result<(Version, Option<Version>), String> {
        match self {
            Self::Undivided(heard) => {
                match heard.both().filter(|_| heard.is_of_both(said.version)) {
                    Some((bootrom, application)) => Ok((application.clone(), Some(bootrom.clone()))),
                    None => Err("its BootROM and its application have to show in one start first; start it once more"
                        .to_owned()),
                }
            }
            Self::Named { application: Some(application), updater } => Ok((application.clone(), updater.clone())),
            Self::Named { application: None, .. } => {
                Err("which application it runs it has not said yet; its next start shows it".to_owned())
            }
        }
    }
}

fn hear(heard: &mut Heard, said: Said<'_>, now: UnixMillis) {
    match said.role {
        FileRole::Image if said.is_updater_file => heard.asked_for_updater(said.version, now),
        // The BootROM loads the application too, and says no other words then.
        FileRole::Image => {}
        _ => heard.asked_for_master(said.version, said.undivided_below, now),
    }
}

impl Doors {
    pub(super) fn of(rows: Vec<FirmwareDoorRow>) -> Self {
        Self { open: rows.into_iter().map(Door::new).collect(), before: HashMap::new() }
    }

    pub(super) fn open(&mut self, door: Door, now: UnixMillis) {
        self.open.retain(|known| now < known.row.ends && known.row.mac != door.row.mac);
        self.open.push(door);
    }

    /// Closes the MAC's door; its id.
    pub(super) fn close(&mut self, mac: MacAddr) -> Option<String> {
        let at = self.open.iter().position(|door| door.row.mac == mac)?;
        Some(self.open.swap_remove(at).row.id)
    }

    fn knock(&mut self, knock: &Knock<'_>, said: Said<'_>) -> Option<Found> {
        self.open.retain(|door| knock.now < door.row.ends);
        let of_model = |door: &&mut Door| door.row.model == said.hardware.id;
        if !self.open.iter_mut().any(|door| of_model(&door)) {
            return None;
        }
        if said.role == FileRole::Master {
            self.lock(knock, said);
        }
        let theirs = |door: &Door| door.row.model == said.hardware.id && door.address == Some(knock.address);
        let macs: Vec<MacAddr> = self.open.iter().filter(|door| theirs(door)).map(|door| door.row.mac).collect();
        if macs.is_empty() {
            self.remember(knock, said);
            return None;
        }
        if knock.asked.mac.is_some_and(|mac| !macs.contains(&mac)) {
            return None;
        }
        if macs.len() > 1 {
            for door in self.open.iter_mut().filter(|door| theirs(door)) {
                door.facts = Facts::Undivided(Heard::default());
            }
            return Some(Found::Ambiguous(macs));
        }
        let door = self.open.iter_mut().find(|door| theirs(door))?;
        door.facts.hear(said, knock.now);
        Some(Found::Door(Box::new(door.clone()), door.facts.known(said)))
    }

    /// The first address that asks for the MAC's master file is the door's, with what it said before.
    fn lock(&mut self, knock: &Knock<'_>, said: Said<'_>) {
        let is_its = |door: &&mut Door| Some(door.row.mac) == knock.asked.mac && door.row.model == said.hardware.id;
        let Some(door) = self.open.iter_mut().find(is_its).filter(|door| door.address.is_none()) else { return };
        door.address = Some(knock.address);
        let before = self.before.remove(&(said.hardware.id.clone(), knock.address));
        door.facts = Facts::Undivided(before.map(|(heard, _)| heard).unwrap_or_default());
    }

    /// Who asks for an updater's image before any file with a MAC may be a door's phone: that shows when it asks for its
    /// master file, and counts for nobody else.
    fn remember(&mut self, knock: &Knock<'_>, said: Said<'_>) {
        let is_awaited = self.open.iter().any(|door| door.address.is_none() && door.row.model == said.hardware.id);
        if !is_awaited || !said.is_updater_file || said.stage.is_some() || knock.asked.mac.is_some() {
            return;
        }
        let key = (said.hardware.id.clone(), knock.address);
        if self.before.len() >= MOST_ADDRESSES && !self.before.contains_key(&key) {
            self.before.retain(|_, (_, at)| knock.now < at.plus_millis(ONE_START_MS));
            if self.before.len() >= MOST_ADDRESSES {
                return;
            }
        }
        let (heard, at) = self.before.entry(key).or_insert((Heard::default(), knock.now));
        heard.asked_for_updater(said.version, knock.now);
        *at = knock.now;
    }

    fn note_part(&mut self, mac: MacAddr, part: &str) {
        if let Some(door) = self.open.iter_mut().find(|door| door.row.mac == mac) {
            door.part = Some(part.to_owned());
        }
    }

    /// Whether this was not told of the MAC's door of late.
    fn is_news(&mut self, mac: MacAddr, what: &str) -> bool {
        let Some(door) = self.open.iter_mut().find(|door| door.row.mac == mac) else { return true };
        if door.told.iter().any(|told| told == what) {
            return false;
        }
        if door.told.len() >= TOLD {
            door.told.pop_front();
        }
        door.told.push_back(what.to_owned());
        true
    }
}

impl App {
    /// What a door that is open for this request gives; `None` where there is no such door, or nothing behind it.
    pub(crate) fn behind_the_door(&self, knock: &Knock<'_>) -> Option<Behind> {
        let Kind::File(file) = &knock.asked.kind else { return None };
        if !matches!(file.role, FileRole::Master | FileRole::DefaultMaster | FileRole::Image) {
            return None;
        }
        let agent: UserAgent<'_> = self.catalog.user_agent(knock.user_agent?)?;
        let hardware = self.catalog.hardware_by_user_agent_token(agent.token)?;
        let said = Said {
            hardware,
            version: &agent.version,
            stage: agent.stage,
            role: file.role,
            is_updater_file: file.role == FileRole::Image && self.is_updater_file(hardware, &file.name),
            undivided_below: &self.catalog.phone_rules().user_agent_undivided.value.below,
        };
        let found = locked(&self.leading.doors).knock(knock, said)?;
        let (door, step) = match found {
            Found::Door(door, Ok(runs)) => (door, self.step_through(hardware, (&runs.0, runs.1.as_ref()))),
            Found::Door(door, Err(why)) => (door, Err(why)),
            Found::Ambiguous(macs) => return self.master_of_nobody(&macs, said.role, (&file.name, knock)),
        };
        if said.role == FileRole::Image {
            self.image_through(&door, step.ok()?, (&file.name, knock))
        } else {
            self.master_through(&door, hardware, step, (&file.name, knock))
        }
    }

    /// Whether a name is that of an updater's image: not the one that master files of the line name.
    fn is_updater_file(&self, hardware: &Hardware, name: &str) -> bool {
        let line = hardware.line.as_deref().and_then(|line| self.catalog.firmware_line(line));
        line.is_some_and(|line| !without_part(name).eq_ignore_ascii_case(&line.image))
    }

    /// The image of the next step up, or why none: down nobody is led who proves nothing.
    fn step_through(
        &self,
        hardware: &Hardware,
        (application, updater): (&Version, Option<&Version>),
    ) -> Result<ImageRow, String> {
        let present = Present { version: application, updater, revision: None };
        let images = self.images_for(hardware);
        let secure = hardware.secure_from.as_ref().map(|fact| &fact.value);
        let wanted = images.iter().filter(|image| {
            image.kind == ImageKind::Application && secure.is_none_or(|secure| image.version >= *secure)
        });
        let target = match ladder::newest(&self.catalog, hardware, present, (secure, &images)) {
            Some(newest) => newest.version.clone(),
            None => match wanted.max_by(|a, b| a.version.cmp(&b.version)) {
                Some(newest) => newest.version.clone(),
                None => return Err(format!("no image is stored for a {}", hardware.name)),
            },
        };
        if target < *application {
            return Err(format!("it runs {application}, and the newest stored is {target}"));
        }
        match ladder::next_step(&self.catalog, hardware, present, (&target, &images)) {
            Step::There => Err(format!("it runs {target} already")),
            Step::Refused(why) => Err(why.trim_end_matches('.').to_owned()),
            Step::Take { to, kind, .. } if is_down(kind, &to, present) => {
                Err(format!("the next step, to {to}, would lead it down"))
            }
            Step::Take { image, .. } => self.image_at_hand(&image).ok_or_else(|| "its image was removed".to_owned()),
        }
    }

    fn master_through(
        &self,
        door: &Door,
        hardware: &Hardware,
        step: Result<ImageRow, String>,
        (name, knock): (&str, &Knock<'_>),
    ) -> Option<Behind> {
        let line = hardware.line.as_deref().and_then(|line| self.catalog.firmware_line(line));
        let named = match &step {
            Ok(row) if row.kind == ImageKind::Application => line.map(|line| line.image.clone()).unwrap_or_default(),
            Ok(_) | Err(_) => String::new(),
        };
        let what = match &step {
            Ok(row) if row.kind == ImageKind::Application => {
                format!("its master file names {named} with {}", row.version)
            }
            Ok(row) => {
                format!("its BootROM is to take {} first, when it starts; its master file names nothing", row.version)
            }
            Err(why) => format!("its master file names nothing: {why}"),
        };
        self.tell_through((door.row.mac, knock.now), (name, knock.address), (&what, &what));
        self.master_naming(&named)
    }

    /// The master file of an address that more than one door stands for.
    fn master_of_nobody(&self, macs: &[MacAddr], role: FileRole, (name, knock): (&str, &Knock<'_>)) -> Option<Behind> {
        let all: Vec<String> = macs.iter().map(ToString::to_string).collect();
        let what = format!(
            "it gets nothing: the doors of {} are used from this one address, and which phone says what cannot be told; close \
             all but one",
            all.join(" and ")
        );
        for mac in macs {
            self.tell_through((*mac, knock.now), (name, knock.address), (&what, &what));
        }
        if role == FileRole::Image { None } else { self.master_naming("") }
    }

    fn master_naming(&self, image: &str) -> Option<Behind> {
        match render::master(&self.catalog, image, &[]) {
            Ok(made) => Some(Behind::Master(made.into())),
            Err(error) => {
                tracing::error!(%error, "a master file for firmware over plain HTTP cannot be made");
                None
            }
        }
    }

    /// Tells what somebody did through a door, if nothing with this key was told of late.
    pub(super) fn tell_through(
        &self,
        (mac, now): (MacAddr, UnixMillis),
        (name, address): (&str, IpAddr),
        (key, what): (&str, &str),
    ) {
        if locked(&self.leading.doors).is_news(mac, key) {
            self.recorder.tell(mac, now, sentence::through_the_door(name, address, what), None);
        }
    }

    /// The image of the step under this name: of its own part, or unnamed where the model has one part only, or it asked by
    /// that part before.
    fn image_through(&self, door: &Door, row: ImageRow, (name, knock): (&str, &Knock<'_>)) -> Option<Behind> {
        let hardware = self.catalog.hardware(&door.row.model)?;
        let file = match row.kind {
            ImageKind::Application => {
                hardware.line.as_deref().and_then(|line| self.catalog.firmware_line(line))?.image.as_str()
            }
            ImageKind::Updater => without_part(&row.name),
        };
        let part = part_asked(name, file)?;
        match (part, row.part.as_deref()) {
            (Some(part), of) if of != Some(part) => return None,
            (Some(part), _) => locked(&self.leading.doors).note_part(door.row.mac, part),
            (None, Some(of)) if hardware.part_numbers.len() > 1 && door.part.as_deref() != Some(of) => return None,
            (None, _) => {}
        }
        Some(Behind::Image(Box::new(PhoneImage {
            bytes: row.bytes,
            sha256: row.sha256,
            image: row.id,
            name: name.to_owned(),
            mac: door.row.mac,
            step: None,
            door: Some(knock.address),
        })))
    }
}

fn is_down(kind: ImageKind, to: &Version, present: Present<'_>) -> bool {
    match kind {
        ImageKind::Application => to < present.version,
        ImageKind::Updater => present.updater.is_some_and(|updater| to < updater),
    }
}
