//! A call, as whoever holds the handset hears it.
//!
//! Decides how long each wait may last and what counts as the end of a prompt. The line's task keeps the
//! signaling, the call's own task the sound. A call that is dropped hangs up.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::sip::agent::Command;
use crate::sip::heard::{Heard, Hearing};
use crate::sip::keys;
use crate::sip::line::LineError;
use crate::sip::media::{Handles, Keys};
use crate::sip::sdp::{Direction, MediaPlan};
use crate::sip::state::{CallState, EndedBy};

/// Silence after voice that counts as the end of what is said.
const PROMPT_END: Duration = Duration::from_millis(700);
/// How long one key may take: ten times what it needs.
const KEY_LIMIT: Duration = Duration::from_secs(2);

/// A call.
#[derive(Debug)]
pub struct Call {
    commands: mpsc::Sender<Command>,
    state: watch::Receiver<CallState>,
    plan: watch::Receiver<Option<MediaPlan>>,
    keys: Option<mpsc::Sender<Keys>>,
    hearing: watch::Receiver<Hearing>,
    heard: JoinHandle<Heard>,
    /// The phone's end of the sound; also the call's name.
    sound: SocketAddr,
    patience: Duration,
    connected_at: Option<Instant>,
    /// What was said before the last key.
    listened: Duration,
}

/// What a call came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallReport {
    /// Who or what ended it.
    pub ended_by: EndedBy,
    /// From the answer to the end; nothing when it was never answered.
    pub duration: Duration,
    /// What was heard.
    pub heard: Heard,
}

/// Why a call does not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The line cannot call.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The number has signs that would end a line or an address in a request, or is too long.
    #[error("this cannot be dialed: it has signs no number or address has, or too many")]
    NoNumber,
    /// The server was never found.
    #[error("the phone has no way to its SIP server")]
    Offline,
    /// No socket for the sound.
    #[error("no sound: {0}")]
    Sound(io::ErrorKind),
    /// The call is over, or never began.
    #[error("the call is over: {0}")]
    Ended(EndedBy),
    /// A wait was too long.
    #[error("nothing more happened in the call within {} s", limit.as_secs())]
    Late {
        /// How long the phone waited.
        limit: Duration,
    },
    /// The phone has no such key.
    #[error("a phone has no key `{key}`")]
    NoSuchKey {
        /// The key.
        key: char,
    },
    /// The other end did not agree to telephone events.
    #[error("the other end takes no telephone events")]
    NoEvents,
}

impl Call {
    pub(crate) fn new(
        commands: mpsc::Sender<Command>,
        (state, plan): (watch::Receiver<CallState>, watch::Receiver<Option<MediaPlan>>),
        (handles, heard): (Handles, JoinHandle<Heard>),
        (sound, patience): (SocketAddr, Duration),
    ) -> Self {
        let Handles { keys, hearing } = handles;
        let (keys, connected_at, listened) = (Some(keys), None, Duration::ZERO);
        Self { commands, state, plan, keys, hearing, heard, sound, patience, connected_at, listened }
    }

    /// Waits until somebody answers.
    ///
    /// # Errors
    /// [`CallError::Ended`] when the call is refused, or nobody answers.
    pub async fn connected(&mut self) -> Result<(), CallError> {
        // The line's task ends every call in bounded time.
        let state = self.state.wait_for(|state| !matches!(state, CallState::Dialing | CallState::Ringing)).await;
        match state.as_deref() {
            Ok(CallState::Ended(by)) => Err(CallError::Ended(by.clone())),
            Ok(_) => {
                self.connected_at.get_or_insert_with(Instant::now);
                Ok(())
            }
            Err(_) => Err(CallError::Ended(EndedBy::Lost)),
        }
    }

    /// How far the call is.
    pub fn state(&self) -> CallState {
        self.state.borrow().clone()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<CallState> {
        self.state.clone()
    }

    /// Listens until somebody speaks, or spoke already.
    ///
    /// # Errors
    /// [`CallError::Ended`] when the call ends before, [`CallError::Late`] when nobody does within `limit`.
    pub async fn voice_begins(&mut self, limit: Duration) -> Result<(), CallError> {
        let spoke = timeout(limit, self.hearing.wait_for(|hearing| hearing.last_voice.is_some())).await;
        match spoke.map(|spoke| spoke.is_ok()) {
            Ok(true) => Ok(()),
            Ok(false) => Err(CallError::Ended(end_of(&mut self.state).await)),
            Err(_) => Err(CallError::Late { limit }),
        }
    }

    /// Listens until something new was said and 0.7 s of silence followed; returns how long it was.
    ///
    /// # Errors
    /// [`CallError::Ended`] when the call ends meanwhile, [`CallError::Late`] when that takes longer than
    /// `limit`.
    pub async fn wait_for_prompt_end(&mut self, limit: Duration) -> Result<Duration, CallError> {
        match timeout(limit, self.prompt_end()).await {
            Ok(Ok(all)) => {
                let said = all.saturating_sub(self.listened);
                self.listened = all;
                Ok(said)
            }
            Ok(Err(by)) => Err(CallError::Ended(by)),
            Err(_) => Err(CallError::Late { limit }),
        }
    }

    async fn prompt_end(&mut self) -> Result<Duration, EndedBy> {
        loop {
            let hearing = *self.hearing.borrow_and_update();
            let ended = match &*self.state.borrow_and_update() {
                CallState::Ended(by) => Some(by.clone()),
                _ => None,
            };
            if let Some(by) = ended {
                return Err(by);
            }
            let said = hearing.last_voice.filter(|_| hearing.voice > self.listened);
            let silent_at = said.map(|last| last + PROMPT_END);
            if silent_at.is_some_and(|at| at <= Instant::now()) {
                return Ok(hearing.voice);
            }
            // All of these only wait, and are looked at again above.
            tokio::select! {
                () = wait_until(silent_at) => {}
                changed = self.hearing.changed() => if changed.is_err() { return Err(end_of(&mut self.state).await) },
                changed = self.state.changed() => if changed.is_err() { return Err(EndedBy::Lost) },
            }
        }
    }

    /// Presses keys one after the other, as telephone events; 0.2 s each.
    ///
    /// # Errors
    /// [`CallError`] when there is no such key, the other end takes no events, or the call ended.
    pub async fn key(&mut self, digits: &str) -> Result<(), CallError> {
        let events = events(digits)?;
        if self.plan.borrow().as_ref().is_none_or(|plan| plan.events.is_none()) {
            return Err(self.over().unwrap_or(CallError::NoEvents));
        }
        let limit = KEY_LIMIT.saturating_mul(u32::try_from(events.len()).unwrap_or(u32::MAX).max(1));
        let (done, sent) = oneshot::channel();
        let keys = self.keys.clone().ok_or(CallError::Ended(EndedBy::Phone))?;
        self.listened = self.hearing.borrow().voice;
        let over = || self.over().unwrap_or(CallError::Ended(EndedBy::Lost));
        keys.send(Keys { events, done }).await.map_err(|_| over())?;
        match timeout(limit, sent).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(over()),
            Err(_) => Err(CallError::Late { limit }),
        }
    }

    /// Presses keys one after the other, each as a SIP INFO.
    ///
    /// # Errors
    /// [`CallError`] when there is no such key, the call ended, or INFO is refused.
    pub async fn key_by_info(&mut self, digits: &str) -> Result<(), CallError> {
        events(digits)?;
        for digit in digits.chars() {
            self.listened = self.hearing.borrow().voice;
            let body = ("application/dtmf-relay", format!("Signal={digit}\r\nDuration=100\r\n"));
            self.ask(|done| Command::Info { body, done }).await?;
        }
        Ok(())
    }

    /// Holds the call: this end sends nothing it could be heard by.
    ///
    /// # Errors
    /// [`CallError`] when the other end refuses.
    pub async fn hold(&mut self) -> Result<(), CallError> {
        self.ask(|done| Command::Turn { direction: Direction::SendOnly, done }).await
    }

    /// Takes a held call up again.
    ///
    /// # Errors
    /// [`CallError`] when the other end refuses.
    pub async fn resume(&mut self) -> Result<(), CallError> {
        self.ask(|done| Command::Turn { direction: Direction::Both, done }).await
    }

    /// Puts the handset down: cancels a call nobody answered yet, ends one that is up.
    ///
    /// # Errors
    /// [`CallError::Late`] when the line does not end the call, which would be its mistake.
    pub async fn hang_up(self) -> Result<CallReport, CallError> {
        // A line that is gone has ended the call already.
        let _ = self.commands.send(Command::HangUp { call: self.sound }).await;
        let limit = self.patience.saturating_mul(2);
        self.until_ended(limit).await
    }

    /// Waits until the call is over, whoever ends it.
    ///
    /// # Errors
    /// [`CallError::Late`] when it is not within `limit`; the phone then hangs up.
    pub async fn until_ended(mut self, limit: Duration) -> Result<CallReport, CallError> {
        let Ok(ended_by) = timeout(limit, end_of(&mut self.state)).await else {
            return Err(CallError::Late { limit });
        };
        let duration = self.connected_at.map(|at| at.elapsed()).unwrap_or_default();
        self.keys = None;
        let heard = (&mut self.heard).await.map_err(|_| CallError::Ended(EndedBy::Lost))?;
        Ok(CallReport { ended_by, duration, heard })
    }

    async fn ask(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<(), EndedBy>>) -> Command,
    ) -> Result<(), CallError> {
        let (done, outcome) = oneshot::channel();
        let over = || self.over().unwrap_or(CallError::Ended(EndedBy::Lost));
        self.commands.send(command(done)).await.map_err(|_| over())?;
        match outcome.await {
            Ok(outcome) => outcome.map_err(CallError::Ended),
            Err(_) => Err(over()),
        }
    }

    fn over(&self) -> Option<CallError> {
        match &*self.state.borrow() {
            CallState::Ended(by) => Some(CallError::Ended(by.clone())),
            _ => None,
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // A full or closed channel means the line is busy ending calls; its deadlines do the rest.
        let _ = self.commands.try_send(Command::HangUp { call: self.sound });
        self.heard.abort();
    }
}

fn events(digits: &str) -> Result<Vec<u8>, CallError> {
    digits.chars().map(|key| keys::event(key).ok_or(CallError::NoSuchKey { key })).collect()
}

async fn wait_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Waits until the call is over, and says how.
async fn end_of(state: &mut watch::Receiver<CallState>) -> EndedBy {
    let ended = state.wait_for(|state| matches!(state, CallState::Ended(_))).await;
    match ended.as_deref() {
        Ok(CallState::Ended(by)) => by.clone(),
        _ => EndedBy::Lost,
    }
}
