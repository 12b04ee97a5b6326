//! A phone with a screen and keys, running in a task of its own.
//!
//! Decides how whoever holds the phone speaks to it: keys and power in, face and events out; web pages and REST
//! take the [`View`] and give an [`Order`]. The task is in `actor`; what keys do is decided without it, in `desk`.
//! Every key is handled, and the face shows it, before the press returns; what it makes the phone do may last longer.

mod actions;
mod actor;
mod bench;
mod call;
pub(crate) mod desk;
mod face;
pub(crate) mod factory;
mod hand;
mod hidden;
mod key;
mod obeying;
mod order;
mod running;
mod typing;
mod typist;
mod view;
mod waiting;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::event::Event;
use crate::handset::actor::Actor;
use crate::handset::bench::Command;
use crate::handset::typist::Fingers;
use crate::network::Network;
use crate::setup::{PhoneError, PhoneSetup};

pub use face::{CallFace, Entry, Face, Lamp, LineKeyFace, Row};
pub use key::{Key, NotAKey};
pub use order::{Order, OrderRefused, ResetScope};
pub use typist::NotTyped;
pub use view::{CallView, CertificateState, Stage, View};

/// Commands waiting for the phone's task; a person presses no more keys at once.
const COMMANDS: usize = 64;
/// Events kept for a watcher that is slow; each phone of a fleet has this many.
const EVENTS: usize = 256;

/// How fast the phone's own waits pass: the count-down, the pause between two letters, polling. 1 is real, 50 is
/// fifty times as fast. Networks and calls are always real.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace(pub u32);

impl Pace {
    /// How long a wait of the phone's takes.
    pub fn real(self, phone_time: Duration) -> Duration {
        phone_time.checked_div(self.0.max(1)).unwrap_or(phone_time)
    }

    /// How much of the phone's time has passed.
    pub fn phone(self, real: Duration) -> Duration {
        real.saturating_mul(self.0.max(1))
    }
}

/// A phone with a screen and keys. Clones speak to the same phone; it ends with the last of them.
#[derive(Debug, Clone)]
pub struct Handset {
    commands: mpsc::Sender<Command>,
    face: watch::Receiver<Face>,
    view: watch::Receiver<View>,
    events: broadcast::Sender<Event>,
    pace: Pace,
    fingers: Arc<Fingers>,
}

impl Handset {
    /// Makes a phone without power. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`PhoneError`] when the catalog, the certificate or the flash does not allow it.
    pub fn new(setup: PhoneSetup, pace: Pace) -> Result<Self, PhoneError> {
        let (commands, asked) = mpsc::channel(COMMANDS);
        let (show, face) = watch::channel(Face::default());
        let (events, _) = broadcast::channel(EVENTS);
        let (actor, view) = Actor::new(setup, pace, (asked, show, events.clone()))?;
        let fingers = Arc::new(actor.desk.hand.fingers());
        tokio::spawn(actor.run());
        Ok(Self { commands, face, view, events, pace, fingers })
    }

    /// Gives power; a phone that has it is not changed.
    pub async fn plug_in(&self) {
        self.tell(Command::PlugIn).await;
    }

    /// Takes the power away at this very instant, whatever the phone does.
    pub async fn unplug(&self) {
        self.tell(Command::Unplug).await;
    }

    /// Puts the cable into another network; with none, the address typed in and the caller's clock count. What the
    /// phone took from its network stays until it starts again.
    pub async fn connect(&self, network: Option<Network>) {
        self.tell(|done| Command::Connect(Box::new(network), done)).await;
    }

    /// Presses a key for a moment.
    pub async fn press(&self, key: Key) {
        self.press_quickly(&[key]).await;
    }

    /// Presses keys one after the other as quickly as fingers can: no pause of the phone's ends between them.
    pub async fn press_quickly(&self, keys: &[Key]) {
        let keys = keys.to_vec();
        self.tell(|done| Command::Press(keys, done)).await;
    }

    /// Presses keys together and holds them for so much of the phone's time.
    pub async fn hold(&self, keys: &[Key], phone_time: Duration) {
        let keys = keys.to_vec();
        self.tell(|done| Command::Hold(keys, phone_time, done)).await;
        tokio::time::sleep(self.pace.real(phone_time)).await;
        self.tell(Command::Release).await;
    }

    /// Lets the moments in which a person can stop a starting phone stand still, or begin anew and pass: for hands
    /// that must not be too late however busy the machine is, such as a script's. The rest of the phone goes on.
    pub async fn stand_still(&self, still: bool) {
        self.tell(|done| Command::StandStill(still, done)).await;
    }

    /// Waits for so much of the phone's time.
    pub async fn pause(&self, phone_time: Duration) {
        tokio::time::sleep(self.pace.real(phone_time)).await;
    }

    /// How fast the phone's own waits pass.
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// What the phone shows, always current.
    pub fn face(&self) -> watch::Receiver<Face> {
        self.face.clone()
    }

    /// What the phone does from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// What its web pages and REST tell of it.
    pub async fn view(&self) -> View {
        self.tell(Command::Look).await;
        self.view.borrow().clone()
    }

    /// Makes the phone do something, as its web pages and REST do, and returns once it is done or the phone starts
    /// again for it; a call goes on by itself.
    ///
    /// # Errors
    /// [`OrderRefused`] when the phone does not do it.
    pub async fn order(&self, order: Order) -> Result<(), OrderRefused> {
        let (reply, answer) = oneshot::channel();
        let sent = self.commands.send(Command::Order(order, reply)).await;
        match sent {
            Ok(()) => answer.await.unwrap_or(Err(OrderRefused::Busy)),
            Err(_) => Err(OrderRefused::NoPower),
        }
    }

    async fn tell(&self, command: impl FnOnce(oneshot::Sender<()>) -> Command) {
        let (done, finished) = oneshot::channel();
        // A task that has ended handles nothing more; its face stays as it was.
        if self.commands.send(command(done)).await.is_ok() {
            let _ = finished.await;
        }
    }
}
