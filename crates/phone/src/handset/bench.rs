//! What the phone's task keeps beside the phone itself: commands that come, faces and pictures that go.
//!
//! Decides what is done with commands while the phone is busy: power goes at once, keys do nothing, orders are
//! refused, whoever looks sees the last picture with the face of this moment. Never touches the phone.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::event::Event;
use crate::handset::Pace;
use crate::handset::face::{Face, Lamp, Row};
use crate::handset::key::Key;
use crate::handset::order::{Order, OrderRefused};
use crate::handset::view::{Stage, View};
use crate::network::Network;

/// Says that a command was handled.
pub(crate) type Done = oneshot::Sender<()>;

/// What the handles ask of the task.
#[derive(Debug)]
pub(crate) enum Command {
    PlugIn(Done),
    Unplug(Done),
    Connect(Box<Option<Network>>, Done),
    Press(Vec<Key>, Done),
    /// Keys held together for so much of the phone's time.
    Hold(Vec<Key>, Duration, Done),
    Release(Done),
    /// Takes a new picture.
    Look(Done),
    /// Lets the count-downs stand still, or pass.
    StandStill(bool, Done),
    Order(Order, oneshot::Sender<Result<(), OrderRefused>>),
}

/// How a piece of work ended.
pub(crate) enum During<T> {
    /// It is done.
    Done(T),
    /// The power went.
    Unplugged,
    /// Nobody holds the phone any more.
    Gone,
}

pub(crate) struct Bench {
    pub(crate) asked: mpsc::Receiver<Command>,
    show: watch::Sender<Face>,
    picture: watch::Sender<View>,
    events: broadcast::Sender<Event>,
    pub(crate) pace: Pace,
    /// Whether the count-downs stand still.
    pub(crate) still: bool,
    /// When power came.
    pub(crate) since: Option<Instant>,
    /// The network the cable was put into while the phone was busy.
    replugged: Option<Box<Option<Network>>>,
    /// Whoever took the power and waits until it is gone.
    unplugged: Vec<Done>,
}

impl Bench {
    pub(crate) fn new(
        (asked, show, events): (mpsc::Receiver<Command>, watch::Sender<Face>, broadcast::Sender<Event>),
        picture: watch::Sender<View>,
        pace: Pace,
    ) -> Self {
        let (still, since, replugged, unplugged) = (false, None, None, Vec::new());
        Self { asked, show, picture, events, pace, still, since, replugged, unplugged }
    }

    /// How long the phone has had power, by its own time.
    pub(crate) fn up(&self) -> Duration {
        self.since.map(|since| self.pace.phone(since.elapsed())).unwrap_or_default()
    }

    /// Shows a face, if it is another one.
    pub(crate) fn show(&self, face: Face) {
        self.show.send_if_modified(|shown| {
            let changed = *shown != face;
            if changed {
                *shown = face;
            }
            changed
        });
    }

    pub(crate) fn take_picture(&self, picture: View) {
        let (face, starts) = (self.show.borrow().clone(), self.picture.borrow().starts);
        self.picture.send_replace(View { up: self.up(), starts, face, ..picture });
    }

    /// The last picture, brought up to date as far as that can be done without the phone.
    pub(crate) fn refresh(&self) {
        let (face, up) = (self.show.borrow().clone(), self.up());
        self.picture.send_modify(|picture| (picture.face, picture.up) = (face, up));
    }

    /// Notes how far the phone is.
    pub(crate) fn reach(&self, stage: Stage) {
        self.picture.send_modify(|picture| picture.stage = stage);
    }

    pub(crate) fn tell(&self, event: Event) {
        // Nobody may be listening.
        let _ = self.events.send(event);
    }

    /// Passes on what the phone does, and shows it while it starts, or once it starts again.
    pub(crate) fn observer(&self, starting: bool) -> impl FnMut(Event) + Send + use<> {
        let (show, picture, events) = (self.show.clone(), self.picture.clone(), self.events.clone());
        let mut starting = starting;
        move |event| {
            starting |= matches!(event, Event::Starting { .. } | Event::Restarting { .. });
            if matches!(event, Event::Starting { .. }) {
                picture.send_modify(|picture| picture.starts = picture.starts.saturating_add(1));
            }
            if let (true, Some((stage, words))) = (starting, progress(&event)) {
                picture.send_modify(|picture| picture.stage = stage);
                show.send_if_modified(|face| {
                    let shown = starting_face(words);
                    let changed = *face != shown;
                    *face = shown;
                    changed
                });
            }
            let _ = events.send(event);
        }
    }

    /// Works with an eye on the commands: the power may go at any instant.
    pub(crate) async fn during<T>(&mut self, work: impl Future<Output = T>) -> During<T> {
        let mut work = pin!(work);
        loop {
            // Taking a command loses nothing of the work, which goes on in the next round.
            let command = tokio::select! {
                biased;
                command = self.asked.recv() => command,
                done = &mut work => return During::Done(done),
            };
            match command {
                None => return During::Gone,
                Some(Command::Unplug(done)) => {
                    self.unplugged.push(done);
                    return During::Unplugged;
                }
                Some(command) => self.while_busy(command),
            }
        }
    }

    pub(crate) fn unplug(&mut self, done: Done) {
        self.unplugged.push(done);
    }

    /// The power is gone, and whoever took it is told so.
    pub(crate) fn is_off(&mut self) {
        self.since = None;
        self.show(Face::default());
        self.refresh();
        self.reach(Stage::Off);
        for done in std::mem::take(&mut self.unplugged) {
            acknowledge(done);
        }
    }

    /// The network the cable was put into while the phone was busy, if it was.
    pub(crate) fn replugged(&mut self) -> Option<Option<Network>> {
        self.replugged.take().map(|network| *network)
    }

    fn while_busy(&mut self, command: Command) {
        match command {
            Command::PlugIn(done)
            | Command::Unplug(done)
            | Command::Press(_, done)
            | Command::Hold(_, _, done)
            | Command::Release(done) => acknowledge(done),
            Command::StandStill(still, done) => {
                self.still = still;
                acknowledge(done);
            }
            Command::Connect(network, done) => {
                self.replugged = Some(network);
                acknowledge(done);
            }
            Command::Look(done) => {
                self.refresh();
                acknowledge(done);
            }
            Command::Order(_, reply) => answer(reply, Err(OrderRefused::Busy)),
        }
    }
}

/// Says that a command was handled; nobody may be waiting any more.
pub(crate) fn acknowledge(done: Done) {
    let _ = done.send(());
}

pub(crate) fn answer(reply: oneshot::Sender<Result<(), OrderRefused>>, outcome: Result<(), OrderRefused>) {
    let _ = reply.send(outcome);
}

/// How far a starting phone is and what its display says; words of ours.
fn progress(event: &Event) -> Option<(Stage, String)> {
    match event {
        Event::Starting { .. } => Some((Stage::Updater, "Starting".to_owned())),
        Event::ClockSet { .. } | Event::ClockNotSet { .. } => {
            Some((Stage::Application, "Loading Application".to_owned()))
        }
        Event::Request(_) => Some((Stage::Application, "Reading configuration".to_owned())),
        Event::ImageAsked { .. } => Some((Stage::Updater, "Looking for software".to_owned())),
        Event::ImageProgress { percent, .. } => Some((Stage::Updater, format!("Updating software {percent} %"))),
        Event::Restarting { .. } => Some((Stage::Application, "Restarting".to_owned())),
        _ => None,
    }
}

/// A face that says one thing.
pub(crate) fn starting_face(words: String) -> Face {
    let rows = vec![Row { text: words, ..Row::default() }];
    Face { power: true, rows, lamp: Lamp::On, page: (1, 1), ..Face::default() }
}
