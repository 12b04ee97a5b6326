//! Connectors to customers' PBXs: what they saw, when they are asked again, and that somebody is told when they fail.
//!
//! Decides when a PBX is asked and what its answer means; opens no socket: questions go out as [`PbxAsk`], which the
//! process hands to crate outbound. What was seen is kept in memory only, and seen anew within seconds of a start:
//! evidence of before a restart is no evidence.

mod check_sync;
mod evidence;
mod manage;
#[cfg(test)]
mod tests;
mod views;

pub(crate) use evidence::Asked;
use evidence::Holders;
pub use views::{CheckSyncView, ConnectorView, FoundView, RegisteredLineView, RegisteredView};

use crate::alarms::AlarmKind;
use crate::{App, AppError, locked};
use provost_core::ids::{AccountId, ConnectorId};
use provost_core::pbx::{Calls, CheckSynced, PbxError, PbxTarget, Registration, Resync, Survey};
use provost_core::sentence;
use provost_core::time::UnixMillis;
use provost_store::{ConnectorRow, Store};
use rand::RngExt as _;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, oneshot};

/// A question to a PBX, for whoever has sockets.
#[derive(Debug)]
pub enum PbxAsk {
    /// Who is registered?
    Survey {
        /// Where.
        target: PbxTarget,
        /// The time of the question.
        now: UnixMillis,
        /// Where the answer goes.
        answer: oneshot::Sender<Result<Survey, PbxError>>,
    },
    /// Tell this phone to check its configuration, unless it is in a call.
    CheckSync {
        /// Where.
        target: PbxTarget,
        /// The phone's registration.
        to: Box<Registration>,
        /// What it is told.
        what: Resync,
        /// Where the answer goes.
        answer: oneshot::Sender<Result<CheckSynced, PbxError>>,
    },
}

/// Questions that wait to be taken up: fewer than would be noticed, and more than are asked at once.
const WAITING: usize = 64;
/// How often a PBX is asked. Phones register again every few minutes at the fastest.
const EVERY_MS: i64 = 30_000;
/// The longest pause after failures.
const AT_MOST_EVERY_MS: i64 = 600_000;
/// PBXs that are asked at once by the clock: each answer is held in memory while it is read.
const AT_ONCE: usize = 32;
/// Accounts whose connector is remembered; more are looked up again.
const REMEMBERED: usize = 50_000;

/// What one connector saw.
#[derive(Debug, Clone)]
struct Seen {
    at: UnixMillis,
    survey: Arc<ByLine>,
    /// Which phones of the connector's account have which line; looked up once for each survey, when it is wanted.
    holders: Arc<tokio::sync::OnceCell<Holders>>,
}

/// Who is registered, by line.
#[derive(Debug, Default)]
struct ByLine {
    name: String,
    count: usize,
    calls: Option<Calls>,
    lines: HashMap<String, Vec<Registration>>,
}

/// A connector and how it goes with it.
#[derive(Debug)]
struct Known {
    row: ConnectorRow,
    seen: Option<Seen>,
    /// Since when it fails, and with what words at last.
    failing: Option<(UnixMillis, PbxError)>,
    failures: u32,
    next: UnixMillis,
    is_asked: bool,
    /// Whether the alarm of before the start was ended, or its own is open.
    alarm: Option<bool>,
    /// One question at a time.
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// Which connector serves an account, and how often that was forgotten: what was looked up before is not kept after.
#[derive(Debug, Default)]
struct Nearest {
    of: HashMap<AccountId, Option<ConnectorId>>,
    changes: u64,
}

impl Nearest {
    fn forget(&mut self) {
        self.of.clear();
        self.changes = self.changes.wrapping_add(1);
    }
}

/// All connectors, and the way to whoever asks.
#[derive(Debug)]
pub(crate) struct Connectors {
    all: Mutex<HashMap<ConnectorId, Known>>,
    nearest: Mutex<Nearest>,
    asks: mpsc::Sender<PbxAsk>,
    taken: Mutex<Option<mpsc::Receiver<PbxAsk>>>,
    /// One change at a time: else what one checked would be stored with what another entered.
    changing: tokio::sync::Mutex<()>,
}

impl Connectors {
    pub(crate) async fn load(store: &Store) -> Result<Self, AppError> {
        let rows = store.connectors().await?;
        let all = rows.into_iter().map(|row| (row.id.clone(), Known::new(row))).collect();
        let (asks, taken) = mpsc::channel(WAITING);
        let taken = Mutex::new(Some(taken));
        Ok(Self {
            all: Mutex::new(all),
            nearest: Mutex::default(),
            asks,
            taken,
            changing: tokio::sync::Mutex::default(),
        })
    }

    /// The row as it stands.
    fn row(&self, id: &ConnectorId) -> Option<ConnectorRow> {
        locked(&self.all).get(id).map(|known| known.row.clone())
    }

    /// Takes over what was stored, to be asked at once; what was seen before is no evidence of another PBX.
    fn put(&self, row: ConnectorRow) {
        let mut all = locked(&self.all);
        let before = all.remove(&row.id);
        let mut known = Known::new(row);
        if let Some(before) = before {
            // Whoever asks still has the turn, and no second question is put beside.
            (known.turn, known.is_asked) = (before.turn, before.is_asked);
            // Where it is off its alarm is ended, and one that is on again may be raised anew.
            known.alarm = before.alarm.filter(|_| known.row.entered.on);
        }
        all.insert(known.row.id.clone(), known);
        drop(all);
        locked(&self.nearest).forget();
    }

    /// The account of a connector, by its id as text.
    pub(crate) fn account(&self, id: &str) -> Option<AccountId> {
        let id: ConnectorId = id.parse().ok()?;
        locked(&self.all).get(&id).map(|known| known.row.account.clone())
    }

    fn forget(&self, id: &ConnectorId) {
        locked(&self.all).remove(id);
        locked(&self.nearest).forget();
    }
}

impl Known {
    fn new(row: ConnectorRow) -> Self {
        let next = UnixMillis(i64::MIN);
        Self { row, seen: None, failing: None, failures: 0, next, is_asked: false, alarm: None, turn: Arc::default() }
    }

    /// When it is asked again: after failures ever later, later by how long the answer took, and never all of them at
    /// the same instant.
    fn later(&self, began: UnixMillis, now: UnixMillis) -> UnixMillis {
        let took = now.0.saturating_sub(began.0).clamp(0, EVERY_MS);
        let pause = EVERY_MS.saturating_mul(1i64.checked_shl(self.failures.min(10)).unwrap_or(i64::MAX));
        let pause = pause.min(AT_MOST_EVERY_MS);
        let jitter = pause / 5;
        let pause = pause.saturating_add(took);
        now.plus_millis(pause.saturating_add(rand::rng().random_range(-jitter..=jitter)))
    }

    /// Whether the clock says it is time; a clock that was set back must not silence it.
    const fn is_due(&self, now: UnixMillis) -> bool {
        self.row.entered.on
            && !self.is_asked
            && (self.next.0 <= now.0 || self.next.0.saturating_sub(now.0) > AT_MOST_EVERY_MS.saturating_mul(2))
    }
}

impl ByLine {
    fn new(survey: Survey) -> Self {
        let mut lines: HashMap<String, Vec<Registration>> = HashMap::new();
        let count = survey.registrations.len();
        for one in survey.registrations {
            lines.entry(one.line.clone()).or_default().push(one);
        }
        Self { name: survey.name, count, calls: Some(survey.calls), lines }
    }
}

impl App {
    /// The questions to PBXs; whoever takes them answers them. `None` when somebody has taken them.
    pub fn pbx_asks(&self) -> Option<mpsc::Receiver<PbxAsk>> {
        locked(&self.connectors.taken).take()
    }

    /// The connectors whose time it is, those that wait longest first, and at most so many that no more than a few are
    /// asked at once; each is to be asked with [`App::poll_connector`].
    pub fn due_connectors(&self) -> Vec<ConnectorId> {
        take_due(&mut locked(&self.connectors.all), self.now())
    }

    /// Asks one PBX who is registered and remembers the answer.
    pub async fn poll_connector(&self, id: &ConnectorId) {
        let turn = locked(&self.connectors.all).get(id).map(|known| Arc::clone(&known.turn));
        let Some(turn) = turn else { return };
        let _turn = turn.lock().await;
        let began = self.now();
        let failed = self.survey(id).await.err();
        if let Some(error) = &failed {
            tracing::error!(connector.id = %id, %error, "a connector cannot be made ready to ask");
        }
        if let Some(known) = locked(&self.connectors.all).get_mut(id) {
            known.is_asked = false;
            if failed.is_some() {
                // It would be first in line again at once, and keep others from being asked.
                known.failures = known.failures.saturating_add(1);
                known.next = known.later(began, self.now());
            }
        }
    }

    /// Asks now and remembers; the caller has the connector's turn.
    async fn survey(&self, id: &ConnectorId) -> Result<Result<(), PbxError>, AppError> {
        let Some(row) = self.connectors.row(id) else { return Ok(Err(PbxError::NotAsked)) };
        let target = self.target(&row)?;
        let (answer, answered) = oneshot::channel();
        let began = self.now();
        let ask = PbxAsk::Survey { target, now: began, answer };
        let found = match self.connectors.asks.try_send(ask) {
            Ok(()) => answered.await.unwrap_or(Err(PbxError::NotAsked)),
            Err(_) => Err(PbxError::NotAsked),
        };
        let outcome = found.as_ref().map(|_| ()).map_err(Clone::clone);
        // What nobody asked says nothing of the PBX.
        if outcome != Err(PbxError::NotAsked) {
            self.note_survey(&row, found, began).await;
        }
        Ok(outcome)
    }

    async fn note_survey(&self, row: &ConnectorRow, found: Result<Survey, PbxError>, began: UnixMillis) {
        let now = self.now();
        let change = {
            let mut all = locked(&self.connectors.all);
            // Whoever changed it meanwhile is not answered for.
            let Some(known) = all.get_mut(&row.id).filter(|known| known.row == *row) else { return };
            let wants_alarm = found.is_err();
            // One that is off is asked by who tests it, and that one reads the answer.
            if wants_alarm && !row.entered.on {
                return;
            }
            match found {
                Ok(survey) => {
                    known.seen = Some(Seen { at: now, survey: Arc::new(ByLine::new(survey)), holders: Arc::default() });
                    (known.failing, known.failures) = (None, 0);
                }
                Err(error) => {
                    let since = known.failing.as_ref().map_or(now, |(since, _)| *since);
                    known.failing = Some((since, error));
                    known.failures = known.failures.saturating_add(1);
                }
            }
            known.next = known.later(began, now);
            let failing = known.failing.clone();
            let is_new = known.alarm != Some(wants_alarm);
            known.alarm = Some(wants_alarm);
            is_new.then_some(failing)
        };
        match change {
            None => {}
            Some(Some((_, error))) => self.say_unreached(row, &error).await,
            Some(None) => self.end_unreached(&row.id).await,
        }
    }

    async fn say_unreached(&self, row: &ConnectorRow, error: &PbxError) {
        let (name, host, port) = (&row.entered.name, &row.entered.host, row.entered.port);
        tracing::warn!(connector.id = %row.id, %error, "the connector {name} cannot ask {host}:{port}");
        let entry = sentence::pbx_not_reached(name, &format!("{host}:{port}"), &error.to_string());
        self.raise_about(AlarmKind::PbxNotReached, row.id.as_str(), &entry).await;
    }

    async fn end_unreached(&self, id: &ConnectorId) {
        let kind = AlarmKind::PbxNotReached.as_str();
        if let Err(error) = self.store.end_alarm_about(kind, id.as_str(), self.now()).await {
            tracing::error!(connector.id = %id, %error, "an alarm about a connector could not be ended");
        }
    }

    /// The connector that serves an account, if one does.
    pub(crate) async fn connector_for(&self, account: &AccountId) -> Result<Option<ConnectorId>, AppError> {
        if locked(&self.connectors.all).is_empty() {
            return Ok(None);
        }
        let changes = {
            let nearest = locked(&self.connectors.nearest);
            if let Some(known) = nearest.of.get(account) {
                return Ok(known.clone());
            }
            nearest.changes
        };
        let found = self.store.nearest_connector(account).await?;
        let mut nearest = locked(&self.connectors.nearest);
        if nearest.changes == changes {
            if nearest.of.len() >= REMEMBERED {
                nearest.of.clear();
            }
            nearest.of.insert(account.clone(), found.clone());
        }
        Ok(found)
    }

    fn target(&self, row: &ConnectorRow) -> Result<PbxTarget, AppError> {
        let of = &row.entered;
        let open = |sealed: &Vec<u8>| self.vault.open(&password_owner(row.id.as_str()), sealed);
        Ok(PbxTarget {
            kind: of.kind,
            host: of.host.clone(),
            port: of.port,
            security: of.security,
            certificate: of.certificate,
            reach: of.reach,
            user: of.user.clone(),
            password: row.password.as_ref().map(open).transpose()?,
            path: of.path.clone(),
            profile: of.profile.clone(),
            domain: of.domain.clone(),
        })
    }
}

/// Marks the connectors that are asked next, as far as there is room, and names them.
fn take_due(all: &mut HashMap<ConnectorId, Known>, now: UnixMillis) -> Vec<ConnectorId> {
    let room = AT_ONCE.saturating_sub(all.values().filter(|known| known.is_asked).count());
    let mut due: Vec<_> = all.values_mut().filter(|known| known.is_due(now)).collect();
    due.sort_unstable_by_key(|known| known.next);
    due.into_iter()
        .take(room)
        .map(|known| {
            known.is_asked = true;
            known.row.id.clone()
        })
        .collect()
}

/// What the ciphertext of a connector's password belongs to.
pub(crate) fn password_owner(id: &str) -> String {
    format!("{id}/password")
}
