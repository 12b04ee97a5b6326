//! A line of the phone, as whoever holds the phone uses it.
//!
//! Decides how long each wait may last. The line's own task does the work (`agent`); this handle asks it
//! and looks at what it knows. A line that is dropped without [`Line::power_off`] says no good-bye.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::sip::account::{Account, AccountError};
use crate::sip::action::Action;
use crate::sip::agent::{Agent, Command};
use crate::sip::call::{Call, CallError};
use crate::sip::leg::Ends;
use crate::sip::media::{self, Media};
use crate::sip::state::{CallState, LineState, Status};

/// Longer than a line takes to say good-bye.
const POWER_OFF_LIMIT: Duration = Duration::from_secs(5);
/// How long a call waits for a line that was just opened to find its server; ours.
const OPENING: Duration = Duration::from_secs(2);
/// Commands waiting for the line's task; a person presses no more keys at once.
const COMMANDS: usize = 8;
/// The longest number or address a phone dials; ours.
const LONGEST_NUMBER: usize = 255;
/// Actions waiting for whoever holds the phone; more are forgotten.
const ACTIONS: usize = 8;

/// A line that speaks SIP.
#[derive(Debug)]
pub struct Line {
    account: Account,
    commands: mpsc::Sender<Command>,
    status: watch::Receiver<Status>,
    task: Task,
    obeyed: u64,
    actions: mpsc::Receiver<Action>,
}

/// What the server told the phone to do.
#[derive(Debug)]
pub(crate) enum Told {
    /// To read its configuration.
    CheckSync,
    /// Something else.
    Action(Action),
}

/// The line's task; ends with the handle.
#[derive(Debug)]
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Why a line does not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// There is no account to speak for.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The line did not come to the registration asked for.
    #[error("line {line} {state}")]
    NotRegistered {
        /// The line.
        line: u32,
        /// What it came to.
        state: LineState,
    },
    /// No NOTIFY came.
    #[error("nobody told line {line} to read its configuration within {} s", limit.as_secs())]
    NotTold {
        /// The line.
        line: u32,
        /// How long the phone waited.
        limit: Duration,
    },
    /// The key calls nobody.
    #[error("line {line} calls nobody when its key is pressed")]
    NobodyToCall {
        /// The line.
        line: u32,
    },
    /// The line's task is gone.
    #[error("line {line} is closed")]
    Closed {
        /// The line.
        line: u32,
    },
}

impl Line {
    /// Brings a line up; it registers by itself, now and before each registration ends.
    ///
    /// Must be called within a tokio runtime.
    pub fn open(account: Account) -> Self {
        let (commands, asked) = mpsc::channel(COMMANDS);
        let (sender, status) = watch::channel(Status::new(account.line, account.registers));
        let (told, actions) = mpsc::channel(ACTIONS);
        let task = tokio::spawn(Agent::new(account.clone(), sender, (asked, told)).run());
        Self { account, commands, status, task: Task(task), obeyed: 0, actions }
    }

    /// Waits until the first answer about the registration is known, at most `limit`.
    pub async fn settled(&mut self, limit: Duration) -> LineState {
        let settled = |status: &Status| match status.state {
            LineState::Registering => false,
            LineState::Off => status.local.is_some(),
            _ => true,
        };
        // Either way the state is what is known now.
        let _ = timeout(limit, self.status.wait_for(settled)).await;
        self.state()
    }

    /// Waits until the server took the registration.
    ///
    /// # Errors
    /// [`LineError::NotRegistered`] when it did not within `limit`.
    pub async fn registered(&mut self, limit: Duration) -> Result<(), LineError> {
        let registered = |status: &Status| matches!(status.state, LineState::Registered { .. });
        self.until(limit, registered).await
    }

    /// Registers once more now, as the phone does before a registration ends.
    ///
    /// # Errors
    /// [`LineError::NotRegistered`] when the server did not take it within `limit`.
    pub async fn refresh(&mut self, limit: Duration) -> Result<(), LineError> {
        let before = self.status.borrow().registrations;
        self.tell(Command::Refresh).await?;
        self.until(limit, |status| status.registrations > before).await
    }

    /// What is known of the registration.
    pub fn state(&self) -> LineState {
        self.status.borrow().state.clone()
    }

    /// Its account.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Times the server took the registration.
    pub fn registrations(&self) -> u64 {
        self.status.borrow().registrations
    }

    /// Presses the line's key, or lifts the handset, and waits until somebody answers.
    ///
    /// # Errors
    /// [`CallError`] when the key calls nobody or the call does not come about.
    pub async fn dial_activation(&mut self) -> Result<Call, CallError> {
        let nobody = LineError::NobodyToCall { line: self.account.line };
        let contact = self.account.off_hook.clone().ok_or(nobody)?;
        self.dial(&contact).await
    }

    /// Dials `number` and waits until somebody answers.
    ///
    /// # Errors
    /// [`CallError`] when the call does not come about.
    pub async fn dial(&mut self, number: &str) -> Result<Call, CallError> {
        let mut call = self.start_call(number).await?;
        call.connected().await?;
        Ok(call)
    }

    /// Dials `number` and does not wait.
    ///
    /// # Errors
    /// [`CallError`] when the phone has no way to its server.
    pub async fn start_call(&mut self, number: &str) -> Result<Call, CallError> {
        if !can_be_dialed(number) {
            return Err(CallError::NoNumber);
        }
        let local = self.way_to_server().await.ok_or(CallError::Offline)?;
        let socket = media::socket(local.ip()).await.map_err(|error| CallError::Sound(error.kind()))?;
        let sound = socket.local_addr().map_err(|error| CallError::Sound(error.kind()))?;
        let (plan, plan_seen) = watch::channel(None);
        let (state, state_seen) = watch::channel(CallState::Dialing);
        let (media, handles) = Media::new(socket, plan_seen.clone(), &self.account);
        self.tell(Command::Call { number: number.to_owned(), ends: Ends { state, plan, sound } }).await?;
        let heard = tokio::spawn(media.run());
        let patience = self.account.patience;
        Ok(Call::new(self.commands.clone(), (state_seen, plan_seen), (handles, heard), (sound, patience)))
    }

    /// Where the line speaks from. A key may be pressed before a line that was just opened has found its server.
    async fn way_to_server(&self) -> Option<SocketAddr> {
        let mut status = self.status.clone();
        let found = timeout(OPENING, status.wait_for(|status| status.local.is_some())).await;
        found.ok()?.ok()?.local
    }

    /// Waits until the server told the phone to read its configuration, and any call is over.
    ///
    /// # Errors
    /// [`LineError::NotTold`] when nobody did within `limit`.
    pub async fn wait_for_check_sync(&mut self, limit: Duration) -> Result<(), LineError> {
        let obeyed = self.obeyed;
        let told = |status: &Status| status.check_syncs > obeyed && !status.in_call;
        match timeout(limit, self.status.wait_for(told)).await {
            Ok(Ok(status)) => {
                self.obeyed = status.check_syncs;
                Ok(())
            }
            _ => Err(LineError::NotTold { line: self.account.line, limit }),
        }
    }

    /// Waits for either: to be told to read the configuration, or to do something. Nothing when the line has ended,
    /// or nobody did within `limit`.
    pub(crate) async fn told(&mut self, limit: Duration) -> Option<Told> {
        let obeyed = self.obeyed;
        let asked = |status: &Status| status.check_syncs > obeyed && !status.in_call;
        // Both only wait; what one found is taken here.
        let told = tokio::select! {
            status = self.status.wait_for(asked) => status.ok().map(|status| Err(status.check_syncs)),
            action = self.actions.recv() => action.map(Ok),
            () = tokio::time::sleep(limit) => None,
        };
        match told? {
            Ok(action) => Some(Told::Action(action)),
            Err(check_syncs) => {
                self.obeyed = check_syncs;
                Some(Told::CheckSync)
            }
        }
    }

    /// Times the phone was told to read its configuration, those it has obeyed included.
    pub fn check_syncs(&self) -> u64 {
        self.status.borrow().check_syncs
    }

    /// The next thing a NOTIFY told the phone to do; nothing when the line is closed.
    ///
    /// Loses nothing when it is given up waiting for.
    pub async fn next_action(&mut self) -> Option<Action> {
        self.actions.recv().await
    }

    /// Ends a call, takes the registration back and closes the line.
    pub async fn power_off(mut self) {
        // A task that is gone has nothing to say good-bye for; one that hangs is stopped by the drop.
        let _ = self.commands.send(Command::Close).await;
        let _ = timeout(POWER_OFF_LIMIT, &mut self.task.0).await;
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    async fn until(&mut self, limit: Duration, done: impl FnMut(&Status) -> bool) -> Result<(), LineError> {
        let done = matches!(timeout(limit, self.status.wait_for(done)).await, Ok(Ok(_)));
        let missed = || LineError::NotRegistered { line: self.account.line, state: self.state() };
        if done { Ok(()) } else { Err(missed()) }
    }

    async fn tell(&self, command: Command) -> Result<(), LineError> {
        self.commands.send(command).await.map_err(|_| LineError::Closed { line: self.account.line })
    }
}

/// Whether a number or address can stand in a request. It may come from the network, and must never become a line of
/// its own there.
fn can_be_dialed(number: &str) -> bool {
    let foreign = |sign: char| sign.is_control() || sign.is_whitespace() || "<>\"".contains(sign);
    !number.is_empty() && number.len() <= LONGEST_NUMBER && !number.contains(foreign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_becomes_a_line_of_a_request() {
        for good in ["110", "*98#", "activate", "sip:100@pbx.example;transport=tcp"] {
            assert!(can_be_dialed(good), "{good}");
        }
        for bad in ["", "110\r\nX: y", "110\n", "1 1", "1>;x", "1\u{85}", &"1".repeat(300)] {
            assert!(!can_be_dialed(bad), "{bad:?}");
        }
    }
}
