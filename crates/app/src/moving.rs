//! Moving house: phones that were pinned to the former address are led to the new one, each once, and each is followed
//! until it was seen there.
//!
//! Never leads a phone back: only an administrator who swaps the addresses does.

use crate::{Actor, App, AppError, Told, locked};
use provost_core::facts::Pin;
use provost_core::mac::MacAddr;
use provost_core::public_url::PublicUrl;
use provost_core::rights::Right;
use provost_core::sentence::{self, Entry, NotArrived, Progress};
use provost_core::time::UnixMillis;
use provost_store::{MoveRow, MoveStanding, MovingBetween, NewEvent, NewMove, Page, Store};
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

/// How long a step that could not be stored is let be, so that a database that fails does not slow every request.
const RETRY_MS: i64 = 60_000;

/// At which of our addresses a request came in, by its Host header: what the phone was told or looked up, which says
/// nothing about whether it compares that name with our certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum CameIn {
    /// The address phones shall live at.
    Current,
    /// The former one.
    Former,
    /// Any other, or none was said.
    Elsewhere,
}

impl Told {
    pub(crate) fn came_in(&self, host: Option<&str>) -> CameIn {
        let is = |url: &PublicUrl| host.is_some_and(|host| url.matches_host_header(host));
        match &self.former {
            _ if is(&self.public_url) => CameIn::Current,
            Some(former) if is(former) => CameIn::Former,
            _ => CameIn::Elsewhere,
        }
    }

    /// Server and time server for a phone that nobody claimed: an address it reaches. That is the one of the two it
    /// came in at, else the former while there is one.
    pub(crate) fn home_of_unclaimed(&self, came_in: CameIn) -> (&PublicUrl, &str) {
        let url = match &self.former {
            Some(former) if came_in != CameIn::Current => former,
            _ => &self.public_url,
        };
        (url, self.time_server_at(url))
    }

    /// The time server of phones that live at this address.
    pub(crate) fn time_server_at<'a>(&'a self, url: &'a PublicUrl) -> &'a str {
        self.time_server.as_deref().unwrap_or(url.host())
    }

    /// The time server of a claimed phone: the host where it lives, by its own pin and not by our list of names. A
    /// changed `device.*` value restarts a phone, so swapping or removing a name must not change it.
    pub(crate) fn time_server_of(&self, pin: &Pin) -> String {
        let lives_at = match pin {
            Pin::Undecided => None,
            Pin::Pinned { authority } => Some(authority),
            Pin::LeftAlone { came_in_at } => Some(came_in_at),
        };
        // The Host header of a phone that was left alone may have been anything, or missing.
        let lives_at: Option<PublicUrl> = lives_at.and_then(|address| format!("https://{address}").parse().ok());
        self.time_server_at(lives_at.as_ref().unwrap_or(&self.public_url)).to_owned()
    }

    fn moving_between(&self) -> MovingBetween {
        let former = self.former.as_ref().map(|url| [url.authority(), url.authority_with_port()]);
        MovingBetween { current: self.public_url.authority(), former }
    }

    /// Whether a phone with this pin lives at the former address.
    fn is_former(&self, pin: &Pin) -> bool {
        self.former.as_ref().is_some_and(|former| match pin {
            Pin::Undecided => false,
            Pin::Pinned { authority } => *authority == former.authority(),
            Pin::LeftAlone { came_in_at } => former.matches_host_header(came_in_at),
        })
    }
}

/// What is kept in memory, so that a request costs no query.
#[derive(Debug, Default)]
pub(crate) struct Moving {
    /// Phones that were told and not seen at the new address.
    pending: Mutex<HashMap<MacAddr, Pending>>,
    /// Why no phone is told the new address at present.
    held: Mutex<Option<String>>,
    /// The second in which a step that could not be stored was logged last.
    failure_logged_s: AtomicI64,
}

/// A phone that was told and not seen at the new address.
#[derive(Debug, Default)]
struct Pending {
    /// Whether it started over at the old one.
    has_come_back: bool,
    /// When a step of it was tried to be stored; empty once that succeeded.
    tried: Option<UnixMillis>,
}

impl Pending {
    /// Whether its step is to be stored now; if so, that counts as tried. A clock that went back forbids nothing.
    fn is_due(&mut self, came_in: CameIn, at: UnixMillis) -> bool {
        let was_tried = self.tried.is_some_and(|tried| (0..RETRY_MS).contains(&at.0.saturating_sub(tried.0)));
        let is_due = !was_tried && (came_in == CameIn::Current || !self.has_come_back);
        if is_due {
            self.tried = Some(at);
        }
        is_due
    }
}

impl Moving {
    pub(crate) async fn load(store: &Store, told: &Told) -> Result<Self, AppError> {
        let pending = store.pending_moves(&told.public_url.authority()).await?;
        let pending = pending
            .into_iter()
            .map(|phone| (phone.mac, Pending { has_come_back: phone.has_come_back, tried: None }))
            .collect();
        Ok(Self { pending: Mutex::new(pending), ..Self::default() })
    }

    /// Whether a step of this phone is to be stored now.
    fn is_due(&self, mac: MacAddr, came_in: CameIn, at: UnixMillis) -> bool {
        locked(&self.pending).get_mut(&mac).is_some_and(|phone| phone.is_due(came_in, at))
    }
}

/// How far a phone has come, as shown.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MoveView {
    /// `not-yet-told`, `told`, `arrived` or `barred`.
    pub state: &'static str,
    /// The address it leaves; absent while no former one counts and none is known.
    pub from: Option<String>,
    /// The address it moves to.
    pub to: String,
    /// When a configuration with the new address was made for it, RFC 3339.
    pub told_at: Option<String>,
    /// When it first started over at the old address after that.
    pub came_back_at: Option<String>,
    /// When it was first seen at the new one.
    pub arrived_at: Option<String>,
    /// All of it in words.
    pub sentence: String,
}

/// A phone that has not arrived.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct NotArrivedView {
    /// MAC.
    pub mac: String,
    /// Last proven contact, RFC 3339.
    pub last_seen: Option<String>,
    /// How far it has come.
    #[serde(flatten)]
    pub progress: MoveView,
}

/// How many claimed phones stand where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MoveCounts {
    /// At the former address, or claimed and not here since.
    pub not_yet_told: u64,
    /// Told, and not seen at the new address since.
    pub told: u64,
    /// Seen there.
    pub arrived: u64,
    /// Pinned to the new address in the first place.
    pub at_home: u64,
    /// Pinned to some other address.
    pub elsewhere: u64,
    /// Came in at some other address, which is left as it is.
    pub left_alone: u64,
    /// Not arrived, but disabled or quarantined: nobody waits for them.
    pub barred: u64,
}

/// The whole move.
#[derive(Debug, Clone, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct MoveSummary {
    /// The former address, if one still counts.
    pub from: Option<String>,
    /// The address phones shall live at.
    pub to: String,
    /// Why no phone is told the new address at present.
    pub held: Option<String>,
    /// How many stand where.
    pub counts: MoveCounts,
    /// All of it in words.
    pub summary: String,
}

impl App {
    /// Keeps phones at the former address as long as there is a reason to; `None` lets them be told.
    pub fn hold_move(&self, why: Option<String>) {
        *locked(&self.moving.held) = why;
        self.answers.changed();
    }

    pub(crate) fn move_is_held(&self) -> bool {
        locked(&self.moving.held).is_some()
    }

    /// The entry for leading this phone to the new address, if it is to be led there now, and the address it leaves.
    pub(crate) fn move_due(&self, pin: &Pin, came_in: CameIn) -> Option<(String, Entry)> {
        let former = self.told.former.as_ref()?.authority();
        let to = self.told.public_url.authority();
        match (came_in, pin) {
            (CameIn::Elsewhere, _) => None,
            // One that asks at the new name is not held: it gets there, and takes our certificate as it is.
            (CameIn::Former, _) if self.move_is_held() => None,
            (CameIn::Former, Pin::Undecided) => {
                let entry = sentence::stays_after_former(&former, &to);
                Some((former, entry))
            }
            (CameIn::Former | CameIn::Current, pin) if self.told.is_former(pin) => {
                let entry = sentence::moves(&former, &to);
                Some((former, entry))
            }
            (CameIn::Former | CameIn::Current, _) => None,
        }
    }

    /// Pins a phone to the new address before that is sent to it.
    pub(crate) async fn lead(
        &self,
        (mac, pin): (MacAddr, &Pin),
        (from, entry): (String, Entry),
        at: UnixMillis,
    ) -> Result<Pin, AppError> {
        let to = self.told.public_url.authority();
        let change = NewMove { mac, pin, from: &from, to: &to, told: at };
        let pin = self.store.move_pin(&change, &self.move_event(mac, at, entry)).await?;
        locked(&self.moving.pending).entry(mac).or_default();
        // An answer of a moment ago still holds the old address.
        self.answers.changed();
        Ok(pin)
    }

    /// Notices a proven phone that was told to move: at the new address, or starting over at the old one.
    pub(crate) async fn watch_move(&self, mac: MacAddr, (came_in, starts_over): (CameIn, bool), at: UnixMillis) {
        let is_step = came_in == CameIn::Current || (came_in == CameIn::Former && starts_over);
        if !is_step || !self.moving.is_due(mac, came_in, at) {
            return;
        }
        let to = self.told.public_url.authority();
        let stored = match self.told.former.as_ref().filter(|_| came_in == CameIn::Former) {
            None => {
                let event = self.move_event(mac, at, sentence::arrived(&to));
                Box::pin(self.store.arrived(mac, &to, &event)).await
            }
            Some(former) => {
                let event = self.move_event(mac, at, sentence::came_back(&former.authority(), &to));
                Box::pin(self.store.came_back(mac, &to, &event)).await
            }
        };
        match stored {
            Ok(()) if came_in == CameIn::Current => {
                locked(&self.moving.pending).remove(&mac);
            }
            Ok(()) => {
                locked(&self.moving.pending).insert(mac, Pending { has_come_back: true, tried: None });
            }
            // A contact after RETRY_MS brings another chance; whether it gets its files does not hang on this.
            Err(error) => {
                let second = at.seconds();
                if self.moving.failure_logged_s.swap(second, Ordering::Relaxed) != second {
                    tracing::warn!(phone.mac = %mac, %error, "where {mac} asked could not be noted");
                }
            }
        }
    }

    fn move_event(&self, mac: MacAddr, at: UnixMillis, entry: Entry) -> NewEvent {
        NewEvent { id: locked(&self.event_ids).next(at), mac, at, entry, contact: None }
    }

    /// How far a phone has come; `None` for one that does not move.
    pub(crate) async fn move_of(&self, mac: MacAddr) -> Result<Option<MoveView>, AppError> {
        let row = self.store.move_of(mac, &self.told.moving_between()).await?;
        Ok(row.and_then(|row| self.move_view(row)))
    }

    fn move_view(&self, row: MoveRow) -> Option<MoveView> {
        let progress = match (row.standing, row.told, row.arrived) {
            (MoveStanding::NotYetTold, _, _) => Progress::NotYetTold,
            (MoveStanding::Told, Some(at), _) => Progress::Told { at, back: row.back },
            (MoveStanding::Arrived, _, Some(at)) => Progress::Arrived { at },
            (MoveStanding::Barred, _, _) => Progress::Barred,
            _ => return None,
        };
        let to = self.told.public_url.authority();
        let is_told = !matches!(progress, Progress::NotYetTold | Progress::Barred);
        let former = || self.told.former.as_ref().map(PublicUrl::authority);
        // What stands in the row of a phone that is not told yet, as a barred one may be, belongs to an earlier move.
        let from = if is_told { row.from } else { former() };
        let shown = |at: Option<UnixMillis>| at.filter(|_| is_told).map(|at| at.to_string());
        Some(MoveView {
            state: word(row.standing),
            sentence: sentence::progress(from.as_deref().unwrap_or_default(), &to, progress),
            from,
            to,
            told_at: shown(row.told),
            came_back_at: shown(row.back),
            arrived_at: shown(row.arrived),
        })
    }

    /// The claimed phones that have not arrived, by MAC.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn not_arrived(&self, page: Page<'_>, by: &Actor) -> Result<Vec<NotArrivedView>, AppError> {
        by.may_platform(Right::Read)?;
        self.recorder.flush().await;
        let rows = self.store.not_arrived(&self.told.moving_between(), page).await?;
        let view = |row: MoveRow| {
            let (mac, last_seen) = (row.mac.to_string(), row.last_seen.map(|at| at.to_string()));
            Some(NotArrivedView { mac, last_seen, progress: self.move_view(row)? })
        };
        Ok(rows.into_iter().filter_map(view).collect())
    }

    /// How far all phones have come.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn move_summary(&self, by: &Actor) -> Result<MoveSummary, AppError> {
        by.may_platform(Right::Read)?;
        let mut counts = MoveCounts::default();
        for (standing, count) in self.store.move_counts(&self.told.moving_between()).await? {
            match standing {
                MoveStanding::NotYetTold => counts.not_yet_told = count,
                MoveStanding::Told => counts.told = count,
                MoveStanding::Arrived => counts.arrived = count,
                MoveStanding::AtHome => counts.at_home = count,
                MoveStanding::Elsewhere => counts.elsewhere = count,
                MoveStanding::LeftAlone => counts.left_alone = count,
                MoveStanding::Barred => counts.barred = count,
                // Without a former address there is nothing to tell them.
                MoveStanding::Undecided => {}
            }
        }
        let from = self.told.former.as_ref().map(PublicUrl::authority);
        let to = self.told.public_url.authority();
        let held = locked(&self.moving.held).clone().filter(|_| from.is_some());
        let open = NotArrived { not_told: counts.not_yet_told, told: counts.told, barred: counts.barred };
        let summary = sentence::move_summary((from.as_deref(), &to), open, held.as_deref());
        Ok(MoveSummary { from, to, held, counts, summary })
    }
}

fn word(of: MoveStanding) -> &'static str {
    MoveStanding::WORDS.into_iter().find(|(_, standing)| *standing == of).map_or("", |(word, _)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_could_not_be_stored_is_tried_again_after_a_minute_and_not_with_each_request() {
        let (phone, other) = (MacAddr::new([0, 4, 0xf2, 0, 0, 1]), MacAddr::new([0, 4, 0xf2, 0, 0, 2]));
        let moving = Moving::default();
        locked(&moving.pending).insert(phone, Pending::default());
        let is_due = |came_in, millis| moving.is_due(phone, came_in, UnixMillis(millis));

        assert!(is_due(CameIn::Former, 0) && !is_due(CameIn::Former, 1));
        assert!(!is_due(CameIn::Current, RETRY_MS - 1), "whatever step it is");
        assert!(is_due(CameIn::Current, RETRY_MS) && !is_due(CameIn::Current, RETRY_MS + 1));
        assert!(is_due(CameIn::Current, 0), "the clock went back");
        assert!(!moving.is_due(other, CameIn::Current, UnixMillis(0)), "it does not move");
    }
}
