//! The phone's task: from power on to power off, one stage after the other.
//!
//! Decides what follows what. Each stage takes commands all the time; a power cut ends any of them at once, and
//! the phone then finds what its flash holds. The count-down is in `waiting`, the ready phone in `running`.

use std::collections::VecDeque;

use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::Instant;

use crate::event::Event;
use crate::handset::Pace;
use crate::handset::bench::{Bench, Command, Done, During, acknowledge, answer, starting_face};
use crate::handset::call::Talk;
use crate::handset::desk::{Desk, Ground, Seen};
use crate::handset::face::Face;
use crate::handset::factory::Factory;
use crate::handset::hand::Hand;
use crate::handset::order::OrderRefused;
use crate::handset::view::{CallView, Stage, View};
use crate::network::Network;
use crate::phone::Phone;
use crate::setup::{PhoneError, PhoneSetup};
use crate::sip::Line;

/// What a stage ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Off,
    CountDown,
    Start,
    Running,
    Gone,
}

/// What waits until a call is over; the later of two includes the earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// A line with the account of this moment.
    Line,
    /// Reading the configuration.
    Configuration,
    /// What a check-sync asks.
    CheckSync,
    /// Starting again.
    Restart,
}

/// What belongs to one handset; `running` and `waiting` work on it.
pub(crate) struct Actor {
    pub(crate) setup: PhoneSetup,
    pub(crate) phone: Phone,
    pub(crate) bench: Bench,
    pub(crate) desk: Desk,
    pub(crate) line: Option<Line>,
    pub(crate) talk: Option<Talk>,
    /// The last calls, the oldest first.
    pub(crate) calls: VecDeque<CallView>,
    /// Calls in the phone's life.
    pub(crate) call_count: u64,
    /// When the phone reads its configuration next by itself.
    pub(crate) poll_at: Option<Instant>,
    /// Somebody put the notice of an update off; it stays so until the phone starts or reads its configuration.
    pub(crate) later: bool,
    /// What waits for the end of the call.
    pub(crate) due: Option<Due>,
    factory: Factory,
}

impl Actor {
    /// A phone without power, and where its pictures can be seen.
    pub(crate) fn new(
        setup: PhoneSetup,
        pace: Pace,
        ends: (mpsc::Receiver<Command>, watch::Sender<Face>, broadcast::Sender<Event>),
    ) -> Result<(Self, watch::Receiver<View>), PhoneError> {
        let phone = Phone::new(setup.clone())?;
        let desk = Desk::new(Hand::of(&setup.catalog, &setup.model, &phone.memory().firmware)?);
        let factory = Factory::of(setup.certificate.as_ref());
        let (picture, seen) = watch::channel(phone.picture(factory));
        let bench = Bench::new(ends, picture, pace);
        let (line, talk) = (None, None);
        let calls = VecDeque::new();
        let (call_count, poll_at, later, due) = (0, None, false, None);
        Ok((Self { setup, phone, bench, desk, line, talk, calls, call_count, poll_at, later, due, factory }, seen))
    }

    pub(crate) async fn run(mut self) {
        let mut next = Next::Off;
        loop {
            next = match next {
                Next::Off => self.without_power().await,
                Next::CountDown => self.count_down().await,
                Next::Start => self.start().await,
                Next::Running => self.running().await,
                Next::Gone => return,
            };
        }
    }

    async fn without_power(&mut self) -> Next {
        // Neither the line nor a call says good-bye: the power is gone.
        self.line = None;
        self.talk = None;
        self.due = None;
        self.calls.clear();
        self.desk.clear();
        self.phone.forget_line();
        self.catch_up();
        self.bench.is_off();
        loop {
            match self.bench.asked.recv().await {
                None => return Next::Gone,
                Some(Command::PlugIn(done)) => {
                    let next = self.power_on();
                    if next.is_some() {
                        self.show(Ground::Stoppable);
                    }
                    acknowledge(done);
                    if let Some(next) = next {
                        return next;
                    }
                }
                Some(Command::Order(_, reply)) => answer(reply, Err(OrderRefused::NoPower)),
                Some(Command::Look(done)) => {
                    self.look(Stage::Off);
                    acknowledge(done);
                }
                Some(Command::Connect(network, done)) => self.connect(*network, done),
                Some(Command::StandStill(still, done)) => {
                    self.bench.still = still;
                    acknowledge(done);
                }
                Some(Command::Unplug(done) | Command::Press(_, done)) => acknowledge(done),
                Some(Command::Hold(_, _, done) | Command::Release(done)) => acknowledge(done),
            }
        }
    }

    /// What was in memory is gone; what is in flash is found again.
    fn power_on(&mut self) -> Option<Next> {
        let made = Phone::new(self.setup.clone()).and_then(|phone| Ok((self.hand(&phone)?, phone)));
        match made {
            Ok((hand, phone)) => {
                self.phone = phone;
                self.desk = Desk::new(hand);
                self.bench.since = Some(Instant::now());
                Some(Next::CountDown)
            }
            Err(error) => {
                self.bench.tell(Event::log(&error.to_string()));
                None
            }
        }
    }

    async fn start(&mut self) -> Next {
        self.desk.clear();
        self.later = false;
        self.due = None;
        let mut observer = self.bench.observer(true);
        let work = self.phone.boot(&mut observer);
        let next = match self.bench.during(work).await {
            During::Done(outcome) => {
                if let Err(error) = outcome {
                    // The phone goes on with what it has; its display says what is wrong.
                    self.bench.tell(Event::log(&error.to_string()));
                }
                Next::Running
            }
            During::Unplugged => Next::Off,
            During::Gone => Next::Gone,
        };
        self.catch_up();
        // A new version may have other menus.
        if let Ok(hand) = self.hand(&self.phone) {
            self.desk.hand = hand;
        }
        next
    }

    /// Shows at once what a key brought about, so that whoever pressed it sees it when the press returns.
    pub(crate) fn announce(&mut self, next: Next) {
        match next {
            Next::CountDown => {
                self.desk.clear();
                self.show(Ground::Stoppable);
                self.bench.reach(Stage::CountDown);
            }
            Next::Start => {
                self.bench.show(starting_face("Starting".to_owned()));
                self.bench.reach(Stage::Updater);
            }
            Next::Off | Next::Running | Next::Gone => {}
        }
    }

    /// Puts the cable into another network.
    pub(crate) fn connect(&mut self, network: Option<Network>, done: Done) {
        self.setup.network = network.clone();
        self.phone.connect(network);
        acknowledge(done);
    }

    /// Does what could not be done while the phone was busy.
    pub(crate) fn catch_up(&mut self) {
        if let Some(network) = self.bench.replugged() {
            self.setup.network = network.clone();
            self.phone.connect(network);
        }
    }

    fn hand(&self, phone: &Phone) -> Result<Hand, PhoneError> {
        Ok(Hand::of(&self.setup.catalog, &self.setup.model, &phone.memory().firmware)?)
    }

    /// Takes a picture of the phone as it is now.
    pub(crate) fn look(&self, stage: Stage) {
        self.bench.take_picture(self.view(stage));
    }

    pub(crate) fn view(&self, stage: Stage) -> View {
        let picture = self.phone.picture(self.factory);
        View { stage, calls: self.calls.iter().cloned().collect(), ..picture }
    }

    /// What is known of the phone for whoever handles a key or draws.
    pub(crate) fn seen(&self, ground: Ground) -> Seen {
        let stage = if ground == Ground::Idle { Stage::Idle } else { Stage::CountDown };
        Seen {
            view: self.view(stage),
            soft_key: self.phone.soft_key(),
            calls_at_once: self.line.as_ref().is_some_and(|line| line.account().off_hook.is_some()),
            notice: self.phone.update_notice().filter(|_| !self.later),
        }
    }

    /// Shows the display as it is now.
    pub(crate) fn show(&self, ground: Ground) {
        self.bench.show(self.desk.draw(ground, &self.seen(ground)));
    }
}
