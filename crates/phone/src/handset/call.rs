//! The call a person has: a task that holds it, keys tones into it and hangs up.
//!
//! Decides nothing about signaling. Dropping the handle is a power cut: nothing more is said.

use std::sync::Arc;

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;

use crate::sip::{Call, CallReport, CallState};

/// Longer than a call that is over takes to be put away.
const PUT_AWAY: std::time::Duration = std::time::Duration::from_secs(5);
/// Tones waiting; a person presses no more keys at once.
const WAITING: usize = 64;

/// How a call goes.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    pub(crate) state: CallState,
    /// What it came to, once it is over and put away.
    pub(crate) report: Option<Arc<CallReport>>,
    /// Whether nothing more comes.
    pub(crate) over: bool,
}

/// A call under way.
pub(crate) struct Talk {
    tones: mpsc::Sender<String>,
    down: Arc<Notify>,
    pub(crate) progress: watch::Receiver<Progress>,
    task: JoinHandle<()>,
}

impl Drop for Talk {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Talk {
    pub(crate) fn begin(call: Call) -> Self {
        let (tones, asked) = mpsc::channel(WAITING);
        let down = Arc::new(Notify::new());
        let first = Progress { state: call.state(), report: None, over: false };
        let (tell, progress) = watch::channel(first);
        let task = tokio::spawn(run(call, (asked, Arc::clone(&down)), tell));
        Self { tones, down, progress, task }
    }

    /// Keys tones, once those before are sent. More than can wait are lost, as on a phone.
    pub(crate) fn tones(&self, digits: &str) {
        let _ = self.tones.try_send(digits.to_owned());
    }

    /// Puts the handset down, whatever tones are still waiting.
    pub(crate) fn hang_up(&self) {
        self.down.notify_one();
    }
}

/// What the task does next.
enum Turn {
    Tones(String),
    Down,
    Changed,
    Ended,
}

async fn run(mut call: Call, (mut asked, down): (mpsc::Receiver<String>, Arc<Notify>), tell: watch::Sender<Progress>) {
    let mut state = call.watch();
    let mut connected = false;
    let report = loop {
        let now = state.borrow_and_update().clone();
        tell.send_modify(|progress| progress.state = now.clone());
        if now == CallState::Connected && !connected {
            // It is connected already: this only notes when.
            connected = call.connected().await.is_ok();
        }
        let turn = match now {
            CallState::Ended(_) => Turn::Ended,
            // All only wait; what was taken is handled below. Nobody left to hold the call has put it down.
            _ => tokio::select! {
                biased;
                () = down.notified() => Turn::Down,
                tones = asked.recv() => tones.map_or(Turn::Down, Turn::Tones),
                changed = state.changed() => if changed.is_ok() { Turn::Changed } else { Turn::Ended },
            },
        };
        match turn {
            Turn::Changed => {}
            Turn::Tones(digits) => {
                // A key that cannot be sent is not heard; the state tells when the call is over. Tones that are cut
                // short by the handset going down are lost with the call.
                let is_down = tokio::select! {
                    biased;
                    () = down.notified() => true,
                    _ = call.key(&digits) => false,
                };
                if is_down {
                    break call.hang_up().await;
                }
            }
            Turn::Down => break call.hang_up().await,
            Turn::Ended => break call.until_ended(PUT_AWAY).await,
        }
    };
    tell.send_modify(|progress| {
        if let Ok(report) = report {
            progress.state = CallState::Ended(report.ended_by.clone());
            progress.report = Some(Arc::new(report));
        } else if !matches!(progress.state, CallState::Ended(_)) {
            progress.state = CallState::Ended(crate::sip::EndedBy::Lost);
        }
        progress.over = true;
    });
}
