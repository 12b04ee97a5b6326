//! What a phone's own upgrade page offers, and the step somebody chooses there.
//!
//! The list holds the image of the next step on the way its policy leads, and nothing else: a version that no step leads
//! to, or that is paused, kept or another ring's first, is not on it. Whoever stands at the phone needs no window.

use super::due::{Asks, Due, Stand, Way};
use crate::{App, AppError, locked};
use provost_catalog::Version;
use provost_core::firmware::ImageKind;
use provost_core::firmware::policy::Wait;
use provost_core::mac::MacAddr;
use provost_core::sentence;
use provost_core::time::UnixMillis;
use provost_store::{ImageRow, NewStep, Offer};
use std::collections::HashMap;

/// How long an image that was listed may be chosen.
const LISTED_MS: i64 = 1_800_000;
/// Phones whose list is remembered.
const MOST: usize = 10_000;

/// Which image each phone was shown last, and when.
#[derive(Debug, Default)]
pub(super) struct Listed(HashMap<MacAddr, (String, UnixMillis)>);

impl Listed {
    fn show(&mut self, mac: MacAddr, image: &str, now: UnixMillis) {
        if self.0.len() >= MOST && !self.0.contains_key(&mac) {
            self.0.retain(|_, (_, at)| now < at.plus_millis(LISTED_MS));
            if self.0.len() >= MOST {
                return;
            }
        }
        self.0.insert(mac, (image.to_owned(), now));
    }

    /// Whether the phone was shown anything of late.
    fn knows(&self, mac: MacAddr, now: UnixMillis) -> bool {
        self.0.get(&mac).is_some_and(|(_, at)| now < at.plus_millis(LISTED_MS))
    }

    fn was_shown(&self, mac: MacAddr, image: &str, now: UnixMillis) -> bool {
        self.0.get(&mac).is_some_and(|(shown, at)| shown == image && now < at.plus_millis(LISTED_MS))
    }
}

impl super::Leading {
    /// Whether the phone's upgrade page was told of an image of late: all others cost no query.
    pub(crate) fn was_listed(&self, mac: MacAddr, now: UnixMillis) -> bool {
        locked(&self.listed).knows(mac, now)
    }
}

impl App {
    /// The versions a proven phone's own upgrade page may offer, each with the address of its image at `host`.
    pub(crate) async fn image_list(
        &self,
        stand: Option<&Stand<'_>>,
        host: &str,
    ) -> Result<Vec<(Version, String)>, AppError> {
        let Some(stand) = stand else { return Ok(Vec::new()) };
        let Some((row, step)) = self.choosable(stand).await? else { return Ok(Vec::new()) };
        locked(&self.leading.listed).show(stand.mac, &row.id, stand.now);
        Ok(vec![(step.to, format!("https://{host}/{}", step.file))])
    }

    /// Begins the step whose image the phone was shown, if it may still begin: the phone asks for that image now.
    pub(crate) async fn begin_chosen(&self, stand: &Stand<'_>) -> Result<bool, AppError> {
        let Some((row, step)) = self.choosable(stand).await? else { return Ok(false) };
        if !locked(&self.leading.listed).was_shown(stand.mac, &row.id, stand.now) {
            return Ok(false);
        }
        let slots = self.counts(stand).slots();
        let is_offered = self.store.offer_firmware_step(&step, slots).await? == Offer::Offered;
        if is_offered {
            locked(&self.leading.open).insert(stand.mac);
            self.leading.forget_reason(stand.mac);
            self.recorder.tell(stand.mac, stand.now, sentence::step_chosen(&step.from, &step.to), None);
        }
        Ok(is_offered)
    }

    /// The next step, where a person at the phone may begin it now.
    async fn choosable(&self, stand: &Stand<'_>) -> Result<Option<(ImageRow, NewStep)>, AppError> {
        let counts = self.counts(stand);
        let Way::Take { row, target, .. } = self.way(stand, &counts) else { return Ok(None) };
        if row.kind != ImageKind::Application || stand.place.is_none() {
            return Ok(None);
        }
        if !matches!(self.due(stand, Asks::Nobody).await?, Due::Take(_) | Due::Wait(Wait::Window { .. })) {
            return Ok(None);
        }
        let step = self.new_step(stand, &counts, (&row, target));
        let why = "somebody chose it on the phone's own upgrade page".to_owned();
        Ok(step.map(|step| (*row, NewStep { why, ..step })))
    }
}
