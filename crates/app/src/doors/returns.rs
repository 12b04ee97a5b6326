//! Afterwards: a claimed phone is told to restart, and somebody notices when it does not come back.
//!
//! Who is waited for stands in the database from the claim on, and in memory so that a request costs no query.

use crate::{App, AppError, locked};
use provost_core::mac::MacAddr;
use provost_core::sentence::{self, LineEvent};
use provost_core::time::UnixMillis;
use provost_store::{AwaitedRow, PreAssigned, StandingRow, Store};
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Mutex, Weak};
use std::time::Duration;
use tokio::sync::broadcast;

/// A phone restarts in one to two minutes.
const BACK_WITHIN_MS: i64 = 3 * 60_000;

/// A phone that is registered here is told within seconds; after this one that was never told is not registered.
const TOLD_WITHIN_MS: i64 = 5 * 60_000;

/// Where no calls are answered nobody can tell it: an unclaimed phone polls every hour.
const POLLS_WITHIN_MS: i64 = 65 * 60_000;

/// A phone that was just told is restarting; to tell it again would make it restart twice.
const TOLD_AGAIN_AFTER_MS: i64 = 60_000;

/// Phones of which it is remembered where they registered and when they were told: proven ones only come here.
const REMEMBERED: usize = 50_000;

/// How often somebody looks for overdue phones.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// Claims that a slow listener may be behind.
const BEHIND: usize = 1024;

#[derive(Debug, Clone, Copy)]
struct Awaited {
    since: UnixMillis,
    is_noted: bool,
    /// When it read its configuration, while the database does not know that yet.
    back: Option<UnixMillis>,
}

impl Awaited {
    const fn new(since: UnixMillis, is_noted: bool) -> Self {
        Self { since, is_noted, back: None }
    }
}

/// Who is waited for, and what is known of phones' lines.
#[derive(Debug)]
pub(crate) struct Returns {
    awaited: Mutex<BTreeMap<MacAddr, Awaited>>,
    told: Mutex<HashMap<MacAddr, UnixMillis>>,
    registered: Mutex<HashMap<MacAddr, IpAddr>>,
    restarts: broadcast::Sender<MacAddr>,
}

impl Returns {
    pub(super) async fn load(store: &Store) -> Result<Self, AppError> {
        let row = |AwaitedRow { mac, since, noted }| (mac, Awaited::new(since, noted.is_some()));
        let awaited = store.awaited().await?.into_iter().map(row).collect();
        Ok(Self {
            awaited: Mutex::new(awaited),
            told: Mutex::default(),
            registered: Mutex::default(),
            restarts: broadcast::Sender::new(BEHIND),
        })
    }

    fn told(&self, mac: MacAddr) -> Option<UnixMillis> {
        locked(&self.told).get(&mac).copied()
    }

    /// Whether it was told so lately that it is restarting now.
    fn is_restarting(&self, mac: MacAddr, now: UnixMillis) -> bool {
        self.told(mac).is_some_and(|told| now < told.plus_millis(TOLD_AGAIN_AFTER_MS))
    }

    /// Whether it is waited for.
    fn is_awaited(&self, mac: MacAddr) -> bool {
        locked(&self.awaited).get(&mac).is_some_and(|awaited| awaited.back.is_none())
    }

    /// The phone was claimed: it is waited for, and told to restart unless it is just starting.
    pub(crate) fn wait_for(&self, mac: MacAddr, since: UnixMillis, is_starting: bool) {
        locked(&self.awaited).insert(mac, Awaited::new(since, false));
        if !is_starting {
            self.restart(mac);
        }
    }

    /// The phone is no device's any more.
    pub(crate) fn wait_no_more(&self, mac: MacAddr) {
        locked(&self.awaited).remove(&mac);
    }

    /// The phone was claimed before and the database still waits for it.
    pub(crate) fn wait_on(&self, row: AwaitedRow, now: UnixMillis) {
        let AwaitedRow { mac, since, noted } = row;
        locked(&self.awaited).entry(mac).or_insert(Awaited::new(since, noted.is_some()));
        if self.is_awaited(mac) && !self.is_restarting(mac, now) {
            self.restart(mac);
        }
    }

    /// The phone is to read its files now; nothing happens to one that is not registered here.
    pub(crate) fn restart(&self, mac: MacAddr) {
        // Fails when nobody listens, which is so where no calls are answered.
        let _ = self.restarts.send(mac);
    }

    /// Remembers that the phone read its configuration, until the database knows; since when it was waited for, and
    /// when it came. `reads`: it does so now.
    fn back(&self, mac: MacAddr, reads: Option<UnixMillis>) -> Option<(UnixMillis, UnixMillis)> {
        let mut all = locked(&self.awaited);
        let awaited = all.get_mut(&mac)?;
        awaited.back = awaited.back.or(reads);
        awaited.back.map(|back| (awaited.since, back))
    }

    /// The database waits no longer; whether that is news, which it is not if the phone was claimed anew meanwhile.
    fn forget(&self, mac: MacAddr, since: UnixMillis) -> bool {
        let mut all = locked(&self.awaited);
        if all.get(&mac).is_none_or(|awaited| awaited.since != since) {
            return false;
        }
        all.remove(&mac);
        drop(all);
        locked(&self.told).remove(&mac);
        locked(&self.registered).remove(&mac);
        true
    }
}

impl App {
    /// Phones that should be told to restart now: claimed by a code, or named by a device while unclaimed.
    ///
    /// Nobody has to listen. A listener that fell behind finds those it missed with [`App::awaited`].
    pub fn restarts(&self) -> broadcast::Receiver<MacAddr> {
        self.doors.returns.restarts.subscribe()
    }

    /// Phones that were claimed and have not read their configuration yet.
    pub fn awaited(&self) -> Vec<MacAddr> {
        let all = locked(&self.doors.returns.awaited);
        all.iter().filter(|(_, awaited)| awaited.back.is_none()).map(|(mac, _)| *mac).collect()
    }

    /// Whether a phone that just registered should be told to restart: it is claimed and waited for, or a device
    /// names it. Not within a minute of being told.
    pub async fn wants_restart(&self, mac: MacAddr) -> bool {
        if self.doors.returns.is_restarting(mac, self.now()) {
            return false;
        }
        if self.doors.returns.is_awaited(mac) {
            return true;
        }
        match self.is_named(mac).await {
            Ok(is_named) => is_named,
            Err(error) => {
                tracing::error!(phone.mac = %mac, %error, "whether phone {mac} should restart is not known");
                false
            }
        }
    }

    /// Whether the phone would be claimed if it asked for its master file now.
    async fn is_named(&self, mac: MacAddr) -> Result<bool, AppError> {
        let StandingRow::Unbound(named) = self.store.standing(mac).await? else { return Ok(false) };
        let [PreAssigned { model, has_user: true, bar: None, .. }] = named.as_slice() else { return Ok(false) };
        let phone = self.store.phone(mac).await?;
        Ok(phone.and_then(|phone| phone.model).is_some_and(|found| found == *model))
    }

    /// Tells the timeline what happened on an unclaimed phone's line.
    ///
    /// A registration is told when it is the first, or comes from another address: the rest are renewals.
    pub fn line_event(&self, mac: MacAddr, event: LineEvent<'_>) {
        let now = self.now();
        let returns = &self.doors.returns;
        match event {
            // A renewal.
            LineEvent::Registered { from, .. } if remember(&returns.registered, mac, from) == Some(from) => return,
            LineEvent::Unregistered => {
                locked(&returns.registered).remove(&mac);
            }
            LineEvent::ToldToRestart => {
                remember(&returns.told, mac, now);
            }
            _ => {}
        }
        self.recorder.tell(mac, now, sentence::line_event(event), None);
    }

    /// A device names this phone now; if it is here and would be claimed, it shall restart.
    ///
    /// What an administrator did is done: if this fails, the phone finds out at its next poll.
    pub(crate) async fn named(&self, mac: MacAddr) {
        if self.told.sip.is_none() {
            return;
        }
        self.recorder.flush().await;
        match self.is_named(mac).await {
            Ok(true) => {
                self.recorder.tell(mac, self.now(), sentence::to_be_restarted(), None);
                self.doors.returns.restart(mac);
            }
            Ok(false) => {}
            Err(error) => tracing::error!(phone.mac = %mac, %error, "whether phone {mac} should restart is not known"),
        }
    }

    /// The phone asked for something, and with `reads` it read its configuration: since when it was waited for and
    /// when it came, if the database is to learn so.
    pub(crate) fn return_due(&self, mac: MacAddr, reads: Option<UnixMillis>) -> Option<(UnixMillis, UnixMillis)> {
        self.doors.returns.back(mac, reads)
    }

    /// The database learns that the phone came back; if that fails, again at the phone's next request.
    pub(crate) async fn note_return(&self, mac: MacAddr, (since, back): (UnixMillis, UnixMillis)) {
        if let Err(error) = self.store.returned(mac, since, back).await {
            tracing::error!(phone.mac = %mac, %error, "that phone {mac} came back could not be noted; tried again when it asks again");
            return;
        }
        if self.doors.returns.forget(mac, since) {
            self.recorder.tell(mac, back, sentence::has_come_back(since), None);
        }
    }

    /// Where the phone stands that is waited for, in words for its device.
    pub(crate) fn awaited_words(&self, mac: MacAddr) -> Option<String> {
        let awaited =
            locked(&self.doors.returns.awaited).get(&mac).copied().filter(|awaited| awaited.back.is_none())?;
        let told = self.told_since(mac, awaited.since);
        Some(sentence::awaited_words(awaited.since, told, self.is_overdue(awaited.since, told)))
    }

    /// Whether the phone that is waited for should have come back by now.
    pub(crate) fn is_overdue_here(&self, mac: MacAddr) -> bool {
        let awaited = locked(&self.doors.returns.awaited).get(&mac).copied();
        let since = awaited.filter(|awaited| awaited.back.is_none()).map(|awaited| awaited.since);
        since.is_some_and(|since| self.is_overdue(since, self.told_since(mac, since)))
    }

    fn told_since(&self, mac: MacAddr, since: UnixMillis) -> Option<UnixMillis> {
        self.doors.returns.told(mac).filter(|told| *told >= since)
    }

    fn is_overdue(&self, since: UnixMillis, told: Option<UnixMillis>) -> bool {
        let due = match told {
            Some(told) => told.plus_millis(BACK_WITHIN_MS),
            None if self.told.sip.is_some() => since.plus_millis(TOLD_WITHIN_MS),
            None => since.plus_millis(POLLS_WITHIN_MS),
        };
        due <= self.now()
    }

    /// Says on the timelines of overdue phones that they do not come back; once each.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn note_overdue(&self) -> Result<(), AppError> {
        let waiting: Vec<_> = locked(&self.doors.returns.awaited)
            .iter()
            .filter(|(_, awaited)| !awaited.is_noted && awaited.back.is_none())
            .map(|(mac, awaited)| (*mac, awaited.since))
            .collect();
        let with_told = waiting.into_iter().map(|(mac, since)| (mac, since, self.told_since(mac, since)));
        let overdue: Vec<_> = with_told.filter(|(_, since, told)| self.is_overdue(*since, *told)).collect();
        if overdue.is_empty() {
            return Ok(());
        }
        let now = self.now();
        let phones: Vec<_> = overdue.iter().map(|(mac, ..)| *mac).collect();
        self.store.note_awaited(&phones, now).await?;
        for (mac, since, told) in overdue {
            if let Some(awaited) = locked(&self.doors.returns.awaited).get_mut(&mac) {
                awaited.is_noted = true;
            }
            self.recorder.tell(mac, now, sentence::does_not_come_back(since, told), None);
        }
        Ok(())
    }
}

/// Remembers a thing about a phone, and returns what was remembered before.
fn remember<T: Copy>(of: &Mutex<HashMap<MacAddr, T>>, mac: MacAddr, thing: T) -> Option<T> {
    let mut all = locked(of);
    if all.len() >= REMEMBERED && !all.contains_key(&mac) {
        all.clear();
    }
    all.insert(mac, thing)
}

/// Looks for overdue phones until the use-cases are gone.
pub(crate) async fn watch(app: Weak<App>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let Some(app) = app.upgrade() else { return };
        if let Err(error) = app.note_overdue().await {
            tracing::error!(%error, "claimed phones that do not come back could not be noted");
        }
    }
}
