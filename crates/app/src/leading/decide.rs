//! What a proven phone's master file names: goes on with the step it is in, or begins one that is due.

use super::due::{Asks, Due, Stand};
use super::told::Told;
use crate::phones::Generation;
use crate::{App, AppError, locked};
use provost_core::firmware::policy::Wait;
use provost_core::firmware::step::{Returned, STALE_MS, StepState, UnderWay, returned};
use provost_core::sentence::{self, StepWords};
use provost_store::{NewStep, Offer, StepEnd, StepRow};

/// What the master file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Led {
    /// The image; empty where none is to be loaded.
    pub(crate) file: String,
    /// Whether the same would be said again a moment later: only then may the answer be kept for those that ask again.
    pub(crate) is_settled: bool,
}

impl Led {
    /// The phone keeps what it runs.
    pub(crate) const fn nowhere() -> Self {
        Self { file: String::new(), is_settled: true }
    }

    /// No step begins now.
    pub(crate) const fn not_now() -> Self {
        Self { file: String::new(), is_settled: false }
    }

    /// The step's image; an updater's is asked for unnamed, before any master file.
    fn by(step: &NewStep) -> Self {
        let file = if step.is_updater { String::new() } else { step.file.clone() };
        Self { file, is_settled: false }
    }
}

/// A step in the words of the timeline.
pub(super) fn words(step: &NewStep) -> StepWords<'_> {
    StepWords { from: &step.from, to: &step.to, file: &step.file }
}

impl App {
    /// What the master file of a phone that stands there names; `before` is the generation of before its facts were read.
    pub(crate) async fn led(&self, stand: &Stand<'_>, before: Generation) -> Result<Led, AppError> {
        if let Some(step) = self.step_of(stand.mac).await?
            && let Some(led) = self.step_goes_on(stand, &step).await?
        {
            return Ok(led);
        }
        self.begin_step(stand, before).await
    }

    /// Goes on with a step; `None` once it is over.
    async fn step_goes_on(&self, stand: &Stand<'_>, row: &StepRow) -> Result<Option<Led>, AppError> {
        let step = &row.step;
        if self.image_at_hand(&step.image).is_none() {
            self.withdraw(stand, row, "its image was removed").await?;
            return Ok(None);
        }
        if step.device.as_ref() != stand.place.as_ref().map(|place| &place.device) {
            self.withdraw(stand, row, "it belongs to another device now").await?;
            return Ok(None);
        }
        if stand.asks_by_updater {
            self.note_went_on(stand.mac).await;
            // It restarted for this step: taking the slot from it now would leave it between two versions.
            self.store.renew_firmware_step(row, u32::MAX, stand.now).await?;
            if row.state != StepState::Offered
                && let Some(updater) = &stand.updater
                && self.leading.is_first(step, Told::Restarted)
            {
                self.recorder.tell(stand.mac, stand.now, sentence::restarted(updater), None);
            }
            return Ok(Some(Led::by(step)));
        }
        let runs = if step.is_updater { stand.updater.as_ref() } else { Some(&stand.runs) };
        let under_way = UnderWay {
            from: &step.from,
            to: &step.to,
            state: row.state,
            touched: row.touched,
            tries: row.tries,
            is_loading: self.leading.is_loading(stand.mac),
            is_done_with_it: row.went_on,
        };
        match runs.map_or(Returned::NotYet, |runs| returned(under_way, runs, stand.now)) {
            Returned::NotYet => self.keep_offering(stand, row).await,
            came => {
                self.came_back(stand, row, came).await?;
                Ok(None)
            }
        }
    }

    /// The phone asks again and runs what it ran: it is named the same image, while that is still wanted.
    async fn keep_offering(&self, stand: &Stand<'_>, row: &StepRow) -> Result<Option<Led>, AppError> {
        let step = &row.step;
        let is_fresh = row.touched.plus_millis(STALE_MS) > stand.now;
        let has_begun = is_fresh && row.state != StepState::Offered;
        let is_loading = self.leading.is_loading(stand.mac);
        // What it loads just now is not taken from it; what it would load next is, whatever speaks against that.
        let asks = if is_loading { Asks::Nobody } else { Asks::Pbx };
        let why = match self.due(stand, asks).await? {
            Due::Take(take) if take.step.image == step.image && take.step.target == step.target => {
                let slots = if is_fresh { u32::MAX } else { take.slots };
                if self.store.renew_firmware_step(row, slots, stand.now).await? {
                    return Ok(Some(Led::by(step)));
                }
                self.say_wait(stand, &Wait::Slots(slots));
                return Ok(Some(Led::not_now()));
            }
            _ if is_loading => {
                self.store.renew_firmware_step(row, u32::MAX, stand.now).await?;
                return Ok(Some(Led::by(step)));
            }
            Due::Wait(Wait::Window { .. } | Wait::Slots(_)) if has_begun => {
                self.store.renew_firmware_step(row, u32::MAX, stand.now).await?;
                return Ok(Some(Led::by(step)));
            }
            Due::Wait(wait @ Wait::Slots(_)) => {
                self.say_wait(stand, &wait);
                return Ok(Some(Led::not_now()));
            }
            Due::Take(_) => "another step is due now".to_owned(),
            Due::Wait(wait) => wait.to_string(),
            Due::No { why, .. } => why,
            Due::There => "it is where it is to be".to_owned(),
        };
        self.withdraw(stand, row, &why).await?;
        Ok(None)
    }

    async fn withdraw(&self, stand: &Stand<'_>, row: &StepRow, why: &str) -> Result<(), AppError> {
        let end = StepEnd { id: &row.step.id, state: StepState::Withdrawn, as_what: why, at: stand.now };
        if self.end_step(stand.mac, end).await? {
            let entry = sentence::step_withdrawn(words(&row.step), why);
            self.recorder.tell(stand.mac, stand.now, entry, None);
        }
        Ok(())
    }

    /// Begins the step that is due.
    async fn begin_step(&self, stand: &Stand<'_>, before: Generation) -> Result<Led, AppError> {
        match self.due(stand, Asks::Pbx).await? {
            Due::There => {
                self.leading.forget_reason(stand.mac);
                if let Some(place) = stand.place.as_ref().filter(|place| place.now_since.is_some()) {
                    self.store.end_firmware_now(&place.device).await?;
                }
                Ok(Led::nowhere())
            }
            Due::No { why, is_below_floor } => {
                if self.leading.is_news(stand.mac, &why) {
                    let entry = sentence::no_step(&stand.runs, &why, is_below_floor);
                    self.recorder.tell(stand.mac, stand.now, entry, None);
                }
                Ok(Led::not_now())
            }
            Due::Wait(wait) => {
                self.say_wait(stand, &wait);
                if !stand.asks_by_updater {
                    self.leading.remember_wait((stand.mac, &stand.runs), &wait, (before, stand.now));
                }
                Ok(Led::not_now())
            }
            Due::Take(take) => {
                match self.store.offer_firmware_step(&take.step, take.slots).await? {
                    Offer::Offered => {}
                    Offer::SlotsFull => {
                        self.say_wait(stand, &Wait::Slots(take.slots));
                        return Ok(Led::not_now());
                    }
                    // Another request of the phone was faster.
                    Offer::InAnother => {
                        locked(&self.leading.open).insert(stand.mac);
                        let open = self.step_of(stand.mac).await?;
                        let Some(row) = open else { return Ok(Led::not_now()) };
                        return Ok(self.step_goes_on(stand, &row).await?.unwrap_or_else(Led::not_now));
                    }
                }
                locked(&self.leading.open).insert(stand.mac);
                self.leading.forget_reason(stand.mac);
                let entry = sentence::step_offered(words(&take.step), take.left, &take.step.why);
                self.recorder.tell(stand.mac, stand.now, entry, None);
                Ok(Led::by(&take.step))
            }
        }
    }

    fn say_wait(&self, stand: &Stand<'_>, wait: &Wait) {
        let why = wait.to_string();
        if self.leading.is_news(stand.mac, &why) {
            self.recorder.tell(stand.mac, stand.now, sentence::no_step_now(&stand.runs, &why), None);
        }
    }
}
