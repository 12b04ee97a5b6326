//! Which step of a phone is due now, or why none: its policy's goal, the ladder's next step, and whether that may begin.

use super::policies::scope_of;
use crate::{App, AppError, locked};
use provost_catalog::{BootStage, Hardware, UserAgent};
use provost_core::firmware::ladder::{self, Present, Step, Stored};
use provost_core::firmware::policy::{
    CallNow, Counts, GENERAL, Goal, Now, RingNow, Wait, Whereabouts, Window, WindowNow, choose, has_shown, wait,
};
use provost_core::firmware::{ImageKind, Version};
use provost_core::ids::AccountId;
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use provost_store::{CanaryQuery, FirmwarePlace, ImageRow, NewStep};

/// How long somebody's "now" counts: a day, in which the phone polls at least once.
const NOW_LASTS_MS: i64 = 86_400_000;

/// A phone as it stands when a step is looked for.
#[derive(Debug)]
pub(crate) struct Stand<'a> {
    pub(super) mac: MacAddr,
    pub(super) hardware: &'a Hardware,
    /// Its application.
    pub(super) runs: Version,
    /// Its updater, where it said so.
    pub(super) updater: Option<Version>,
    /// Whether it is the updater that asks.
    pub(super) asks_by_updater: bool,
    /// Where it stands; `None` for a phone that nobody claimed.
    pub(super) place: Option<FirmwarePlace>,
    pub(super) accounts: Vec<AccountId>,
    pub(super) now: UnixMillis,
}

/// What is due.
#[derive(Debug)]
pub(super) enum Due {
    /// It runs what it is to run, or is to keep what it runs.
    There,
    /// No step leads where it is to be.
    No { why: String, is_below_floor: bool },
    /// One does, but not now.
    Wait(Wait),
    /// This one.
    Take(Box<Take>),
}

/// Where the way leads.
#[derive(Debug)]
pub(super) enum Way {
    /// Nowhere: it runs what it is to run.
    There,
    /// Nowhere, and why.
    No(String),
    /// On by this image, with so many steps after it.
    Take { row: Box<ImageRow>, target: Version, left: usize },
}

/// Who may be asked about a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    /// Its PBX, whether it is in a call.
    Pbx,
    /// Nobody: it is only to be shown how it stands.
    Nobody,
}

/// A step that may begin.
#[derive(Debug)]
pub(super) struct Take {
    pub(super) step: NewStep,
    pub(super) slots: u32,
    pub(super) left: usize,
}

impl Stand<'_> {
    pub(super) fn ring(&self) -> &str {
        self.place.as_ref().and_then(|place| place.ring.as_deref()).unwrap_or(GENERAL)
    }

    pub(super) fn whereabouts(&self) -> Whereabouts<'_> {
        Whereabouts {
            accounts: &self.accounts,
            site: self.place.as_ref().and_then(|place| place.site.as_ref()),
            model: &self.hardware.id,
            ring: self.ring(),
        }
    }

    pub(super) fn present(&self) -> Present<'_> {
        Present { version: &self.runs, updater: self.updater.as_ref(), revision: None }
    }

    pub(super) fn is_below_floor(&self) -> bool {
        self.hardware.floor.as_ref().is_some_and(|floor| self.runs < floor.value)
    }

    /// Since when somebody wants its step now.
    fn now_since(&self) -> Option<UnixMillis> {
        let since = self.place.as_ref().and_then(|place| place.now_since)?;
        (self.now < since.plus_millis(NOW_LASTS_MS)).then_some(since)
    }
}

impl App {
    /// A proven phone as it stands; `None` where its firmware is nothing Provost leads: nothing of it is at hand, or it
    /// says to be another model than its device's.
    pub(crate) async fn stand<'a>(
        &'a self,
        (mac, model): (MacAddr, &str),
        said: &UserAgent<'_>,
        now: UnixMillis,
    ) -> Result<Option<Stand<'a>>, AppError> {
        let Some(hardware) = self.catalog.hardware(model) else { return Ok(None) };
        let says_so = self.catalog.hardware_by_user_agent_token(said.token).is_some_and(|said| said.id == hardware.id);
        let has_images = self.firmware.images.rows().iter().any(|row| super::is_for(row, hardware));
        if !says_so || !(has_images || self.leading.is_open(mac)) {
            return Ok(None);
        }
        let asks_by_updater = said.stage == Some(BootStage::Updater);
        if asks_by_updater && self.leading.is_open(mac) {
            // What its application said a moment ago, before it restarted for this, may not be written yet.
            self.recorder.flush().await;
        }
        let phone = self.store.phone(mac).await?;
        let version = |text: Option<&String>| text.and_then(|text| text.parse::<Version>().ok());
        let (before, updater_before) = (
            version(phone.as_ref().and_then(|row| row.firmware.as_ref())),
            version(phone.as_ref().and_then(|row| row.updater.as_ref())),
        );
        let (runs, updater) = if asks_by_updater {
            (before, Some(said.version.clone()))
        } else {
            (Some(said.version.clone()), updater_before)
        };
        let Some(runs) = runs else { return Ok(None) };
        self.stand_of((mac, hardware), (runs, updater), asks_by_updater, now).await.map(Some)
    }

    /// Whether nothing stored leads a phone further, whenever it might begin.
    pub(crate) async fn has_no_way(
        &self,
        phone: (MacAddr, &str),
        said: &UserAgent<'_>,
        now: UnixMillis,
    ) -> Result<bool, AppError> {
        match self.stand(phone, said, now).await? {
            Some(stand) => Ok(matches!(self.way(&stand, &self.counts(&stand)), Way::No(_))),
            None => Ok(true),
        }
    }

    /// A phone that runs this as it stands.
    pub(super) async fn stand_of<'a>(
        &'a self,
        (mac, hardware): (MacAddr, &'a Hardware),
        (runs, updater): (Version, Option<Version>),
        asks_by_updater: bool,
        now: UnixMillis,
    ) -> Result<Stand<'a>, AppError> {
        let place = self.store.firmware_place(mac).await?;
        let accounts = match &place {
            Some(place) => self.store.accounts_above(&place.account).await?,
            None => Vec::new(),
        };
        Ok(Stand { mac, hardware, runs, updater, asks_by_updater, place, accounts, now })
    }

    /// The policy that counts for a phone.
    pub(super) fn counts(&self, stand: &Stand<'_>) -> Counts {
        choose(&self.leading.policies().plain, &stand.whereabouts())
    }

    /// Where the way leads from here, whenever that may begin. Asks nothing but what is at hand.
    pub(super) fn way(&self, stand: &Stand<'_>, counts: &Counts) -> Way {
        let images = self.images_for(stand.hardware);
        let no = |why: String| Way::No(why.trim_end_matches('.').to_owned());
        let target = match goal(&self.catalog, stand, counts.goal(), &images) {
            Ok(Some(target)) => target,
            Ok(None) => return Way::There,
            Err(why) => return no(why),
        };
        match ladder::next_step(&self.catalog, stand.hardware, stand.present(), (&target, images.as_slice())) {
            Step::There => Way::There,
            Step::Refused(why) => no(why),
            Step::Take { image, left, .. } => match self.image_at_hand(&image) {
                Some(row) => Way::Take { row: Box::new(row), target, left },
                None => no(format!("the image {image} was removed")),
            },
        }
    }

    /// What is due for a phone.
    pub(super) async fn due(&self, stand: &Stand<'_>, asks: Asks) -> Result<Due, AppError> {
        let counts = self.counts(stand);
        let is_below_floor = stand.is_below_floor();
        let (row, target, left) = match self.way(stand, &counts) {
            Way::There => return Ok(Due::There),
            Way::No(why) => return Ok(Due::No { why, is_below_floor }),
            Way::Take { row, target, left } => (row, target, left),
        };
        if stand.place.is_none() && !is_below_floor {
            return Ok(Due::Wait(Wait::Unclaimed));
        }
        if let Some(wait) = self.hindrance(stand, &counts, (&target, &row.version, &row.id), asks).await? {
            return Ok(Due::Wait(wait));
        }
        let step = self.new_step(stand, &counts, (&row, target));
        Ok(match step {
            Some(step) => Due::Take(Box::new(Take { step, slots: counts.slots(), left })),
            None => Due::No { why: "its model's line of firmware is not known".to_owned(), is_below_floor: false },
        })
    }

    pub(super) fn new_step(
        &self,
        stand: &Stand<'_>,
        counts: &Counts,
        (row, target): (&ImageRow, Version),
    ) -> Option<NewStep> {
        let is_updater = row.kind == ImageKind::Updater;
        let from = if is_updater { stand.updater.clone()? } else { stand.runs.clone() };
        let file = match row.kind {
            ImageKind::Application => {
                stand.hardware.line.as_deref().and_then(|line| self.catalog.firmware_line(line))?.image.clone()
            }
            ImageKind::Updater => without_part(&row.name).to_owned(),
        };
        let place = stand.place.as_ref();
        Some(NewStep {
            id: locked(&self.event_ids).next(stand.now),
            mac: stand.mac,
            device: place.map(|place| place.device.clone()),
            account: place.map(|place| place.account.clone()),
            site: place.and_then(|place| place.site.clone()),
            model: stand.hardware.id.clone(),
            ring: stand.ring().to_owned(),
            policy: counts.policy.as_ref().map(|policy| policy.id.clone()),
            image: row.id.clone(),
            file,
            is_updater,
            from,
            to: row.version.clone(),
            target,
            why: why_now(stand, counts),
            bytes: row.bytes,
            at: stand.now,
        })
    }

    /// What keeps the step from beginning. What costs more is looked at last, and only if nothing before it does.
    async fn hindrance(
        &self,
        stand: &Stand<'_>,
        counts: &Counts,
        (target, to, image): (&Version, &Version, &str),
        asks: Asks,
    ) -> Result<Option<Wait>, AppError> {
        let now_since = stand.now_since();
        let since = now_since.unwrap_or(UnixMillis(i64::MIN));
        let failures = self.store.firmware_attempts(stand.mac, image, since).await?;
        let is_bound_by_time = now_since.is_none();
        let pause = if is_bound_by_time { self.pause_now(stand, [target, to]) } else { None };
        let window = if is_bound_by_time { window_now(stand, counts) } else { WindowNow::Open };
        let mut now = Now { window, ring: pause.unwrap_or(RingNow::Clear), failures, call: CallNow::Idle };
        if let Some(wait) = wait(&now) {
            return Ok(Some(wait));
        }
        if is_bound_by_time {
            now.ring = self.ring_now(stand, counts, target).await?;
            if let Some(wait) = wait(&now) {
                return Ok(Some(wait));
            }
        }
        if let Some(place) = stand.place.as_ref().filter(|_| asks == Asks::Pbx) {
            let slots = counts.slots();
            if !self
                .store
                .has_firmware_slot(stand.mac, (place.site.as_ref(), &place.account), (slots, stand.now))
                .await?
            {
                return Ok(Some(Wait::Slots(slots)));
            }
            // Nobody talks on a phone that has not read its configuration.
            if place.is_configured {
                now.call = self.call_of(place).await?;
            }
        }
        Ok(wait(&now))
    }

    /// The pause of one of these versions under any policy for this phone: one that is paused for the whole server is
    /// paused for all, whichever policy counts else.
    fn pause_now(&self, stand: &Stand<'_>, versions: [&Version; 2]) -> Option<RingNow> {
        let policies = self.leading.policies();
        let whereabouts = stand.whereabouts();
        let mut reaching = policies.plain.iter().filter(|policy| policy.reaches(&whereabouts));
        let row =
            reaching.find_map(|policy| versions.iter().find_map(|version| policies.pause(&policy.id, version)))?;
        Some(RingNow::Paused { since: row.at, failures: row.failures })
    }

    async fn ring_now(&self, stand: &Stand<'_>, counts: &Counts, target: &Version) -> Result<RingNow, AppError> {
        let Some(policy) = &counts.policy else { return Ok(RingNow::Clear) };
        let Some(after) = counts.after(stand.ring()) else { return Ok(RingNow::Clear) };
        let key = (policy.id.clone(), stand.hardware.id.clone(), target.to_string());
        if let Some(known) = self.leading.ring_known(&key, stand.now) {
            return Ok(known);
        }
        let account = self.leading.policies().account(&policy.id);
        let within = self.store.within(&scope_of(&policy.place, account.as_ref())).await?;
        let query = CanaryQuery { within: &within, ring: &after.ring, model: &stand.hardware.id };
        let canaries = self.store.firmware_canaries(query).await?;
        let shown = has_shown(after, target, &canaries, stand.now);
        let ring = if shown { RingNow::Clear } else { RingNow::Awaits(after.clone()) };
        self.leading.remember_ring(key, &ring, stand.now);
        Ok(ring)
    }
}

/// The version to lead to; `None` keeps what the phone runs.
fn goal(
    catalog: &provost_catalog::Catalog,
    stand: &Stand<'_>,
    goal: &Goal,
    images: &[Stored],
) -> Result<Option<Version>, String> {
    match goal {
        Goal::Keep => Ok(None),
        Goal::Version(version) => Ok(Some(version.clone())),
        Goal::Newest => {
            let secure = stand.hardware.secure_from.as_ref().map(|fact| &fact.value);
            match ladder::newest(catalog, stand.hardware, stand.present(), (secure, images)) {
                // Down only goes who is told a version.
                Some(image) if image.version <= stand.runs => Ok(None),
                Some(image) => Ok(Some(image.version.clone())),
                None if secure.is_none_or(|secure| stand.runs >= *secure) && !stand.is_below_floor() => Ok(None),
                None => Err(no_way_up(catalog, stand, secure, images)),
            }
        }
    }
}

/// Why nothing stored can be reached: the ladder's words about the newest that might be wanted.
fn no_way_up(
    catalog: &provost_catalog::Catalog,
    stand: &Stand<'_>,
    secure: Option<&Version>,
    images: &[Stored],
) -> String {
    let wanted = images
        .iter()
        .filter(|image| image.kind == ImageKind::Application && secure.is_none_or(|secure| image.version >= *secure));
    let Some(newest) = wanted.max_by(|a, b| a.version.cmp(&b.version)) else {
        let least =
            secure.map_or_else(String::new, |secure| format!(" from {secure} on, the first without a known hole,"));
        return format!("no image{least} is stored for a {}", stand.hardware.name);
    };
    match ladder::next_step(catalog, stand.hardware, stand.present(), (&newest.version, images)) {
        Step::Refused(why) => why,
        Step::There | Step::Take { .. } => format!("{} cannot be reached", newest.version),
    }
}

fn window_now(stand: &Stand<'_>, counts: &Counts) -> WindowNow {
    let Some(place) = stand.place.as_ref().filter(|place| place.is_configured) else { return WindowNow::Open };
    let (window, zone) = (counts.window(), place.time_zone.as_deref().unwrap_or("UTC"));
    // A zone that the data does not know was refused when it was entered.
    let is_open = window.is_open(zone, stand.now).unwrap_or(window == Window::ALWAYS);
    if is_open { WindowNow::Open } else { WindowNow::Closed { window, zone: zone.to_owned() } }
}

fn why_now(stand: &Stand<'_>, counts: &Counts) -> String {
    let when = if stand.now_since().is_some() {
        "somebody asked for it now".to_owned()
    } else if stand.place.as_ref().is_none_or(|place| !place.is_configured) {
        "nobody uses it yet".to_owned()
    } else {
        match counts.window() {
            Window::ALWAYS => "its steps may begin at any time".to_owned(),
            window => format!("the window {window} is open"),
        }
    };
    format!("{when}, and {}", counts.why)
}

/// The name of an image's file without the part number before it.
pub(super) fn without_part(name: &str) -> &str {
    match name.split_once('.') {
        Some((part, rest)) if part.starts_with(|c: char| c.is_ascii_digit()) && rest.contains('.') => rest,
        _ => name,
    }
}
