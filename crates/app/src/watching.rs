//! Looks once a minute for phones that stopped asking, and says so in alarms that end by themselves.
//!
//! Decides when it is looked and in what words; from how many on phones have gone together is `core::watch`'s. Each look
//! is a few bounded queries, however many phones there are. Of what became of a phone only its silence is known.

use crate::alarms::AlarmKind;
use crate::{App, AppError};
use provost_catalog::Stage;
use provost_core::mac::MacAddr;
use provost_core::render::{self, Target};
use provost_core::time::UnixMillis;
use provost_core::watch::are_gone_together;
use provost_store::SiteSilence;
use std::sync::Weak;
use std::time::Duration;

const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Under this name it is remembered since when the server is there without a break.
const WATCHED_FROM: &str = "watched-from-ms";
/// Longer away than between two notes of the time, and than a restart takes.
const ABSENT_MS: i64 = 10 * 60_000;
/// Phones in one look; more than so many that leave at once are a site that has gone, and told as one.
const MOST_LEFT: u32 = 50;
/// Where the catalog does not say how often phones ask: a day, and a night's window.
const ASK_WITHIN_S: i64 = 86_400 + 4 * 3_600;

impl App {
    /// Since when a claimed phone must have asked, whatever its model: one that did not has missed a poll.
    pub(crate) fn silent_before(&self) -> UnixMillis {
        self.now().plus_millis(self.asks_within_ms().saturating_neg())
    }

    /// The longest that a claimed phone of any model is silent without having missed a poll.
    fn asks_within_ms(&self) -> i64 {
        let of = |model: &provost_catalog::Model| {
            let target = Target { catalog: &self.catalog, model, firmware: &model.firmware.reference.value };
            let polling = render::polling(target, Stage::Configuration)?;
            Some(polling.every_s.saturating_add(polling.slack_s))
        };
        self.catalog.models().filter_map(of).max().unwrap_or(ASK_WITHIN_S).saturating_mul(1000)
    }

    /// The server begins: if it was away, phones could not ask, and their silence says nothing until each had its turn.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub(crate) async fn note_absence(&self) -> Result<(), AppError> {
        let away = self.now().0.saturating_sub(self.last_time().await?.0);
        if away > ABSENT_MS {
            self.store.set_meta(WATCHED_FROM, &self.now().0.to_string()).await?;
        }
        Ok(())
    }

    /// Raises and ends the alarms about phones that stopped asking.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn look_after_phones(&self) -> Result<(), AppError> {
        let watched_from = self.store.meta(WATCHED_FROM).await?.and_then(|text| text.parse().ok()).unwrap_or(0);
        if self.now() < UnixMillis(watched_from).plus_millis(self.asks_within_ms()) {
            return Ok(());
        }
        self.recorder.flush().await;
        let to = self.silent_before();
        // Who fell silent in the window before, did so together; who did earlier is known to be gone.
        let from = to.plus_millis(self.asks_within_ms().saturating_neg());
        self.look_after_sites((from, to)).await?;
        self.look_for_left((from, to)).await
    }

    async fn look_after_sites(&self, window: (UnixMillis, UnixMillis)) -> Result<(), AppError> {
        let kind = AlarmKind::PhonesGone;
        let open = self.store.open_alarms_of(kind.as_str()).await?;
        // The phones of an alarm are those that still asked when it was raised: as far back as its window began. One that
        // lay in a drawer then is neither waited for nor counted.
        let before_alarm_ms = self.asks_within_ms().saturating_mul(2);
        let sites = self.store.silent_sites(window, (kind.as_str(), before_alarm_ms)).await?;
        for subject in &open {
            let silence = sites.iter().find(|silence| silence.site.as_str() == subject);
            if silence.is_none_or(|silence| !are_gone_together(silence.alarmed_silent, silence.alarmed_polling)) {
                self.store.end_alarm_about(kind.as_str(), subject, self.now()).await?;
            }
        }
        for silence in &sites {
            let subject = silence.site.as_str();
            // Somebody who ended it while they were gone is not told again.
            if are_gone_together(silence.silent, silence.polling)
                && !self.store.is_alarmed(kind.as_str(), subject, silence.last).await?
            {
                let (sentence, advice) = gone_words(silence);
                self.raise(kind, subject, (&sentence, advice)).await?;
            }
        }
        Ok(())
    }

    async fn look_for_left(&self, window: (UnixMillis, UnixMillis)) -> Result<(), AppError> {
        let kind = AlarmKind::PhoneLeft;
        let left = self.store.left_alone_and_silent(window, MOST_LEFT).await?;
        for subject in self.store.open_alarms_of(kind.as_str()).await? {
            if let Some(mac) = MacAddr::from_hex12(&subject)
                && self.is_back(mac, window.1).await?
            {
                self.store.end_alarm_about(kind.as_str(), &subject, self.now()).await?;
            }
        }
        for (mac, last) in left {
            let subject = mac.to_string();
            if !self.store.is_alarmed(kind.as_str(), &subject, last).await? {
                let (sentence, advice) = left_words(mac, last);
                self.raise(kind, &subject, (&sentence, advice)).await?;
            }
        }
        Ok(())
    }

    /// Whether the phone asks again, or is no device's any more.
    async fn is_back(&self, mac: MacAddr, since: UnixMillis) -> Result<bool, AppError> {
        let is_bound = self.store.claimants(mac).await?.iter().any(|claimant| claimant.bound);
        let seen = self.store.phone(mac).await?.map(|phone| phone.last_seen);
        Ok(!is_bound || seen.is_none_or(|seen| seen >= since))
    }
}

fn gone_words(silence: &SiteSilence) -> (String, &'static str) {
    let SiteSilence { name, polling, silent, last, .. } = silence;
    let sentence = format!(
        "{silent} of the {polling} phones at the site {name} stopped asking at about the same time: the last of them was here at {last}."
    );
    let advice = "Ask somebody at the site whether its phones work and whether its network does. If they work, look where \
                  they ask now: a DHCP option or another provider may have sent them elsewhere. The alarm ends when they \
                  are back.";
    (sentence, advice)
}

fn left_words(mac: MacAddr, last: UnixMillis) -> (String, &'static str) {
    let sentence = format!(
        "Phone {mac} may have gone to a former provider: it was last here at {last}, other phones of its site still ask, \
         and it was left at the address it came by instead of being told to stay with this server."
    );
    let advice = "Look at the phone: if it works with other settings, point it here again and clear what was set on it. If it \
                  is only switched off, end this alarm.";
    (sentence, advice)
}

/// Looks until the use-cases are gone.
pub(crate) async fn watch(app: Weak<App>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let Some(app) = app.upgrade() else { return };
        if let Err(error) = app.look_after_phones().await {
            tracing::error!(%error, "phones that stopped asking could not be looked for");
        }
    }
}
