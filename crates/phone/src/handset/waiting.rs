//! The moments after power on in which a person can stop the phone: the count-down, held keys, the setup.
//!
//! Decides how long each moment lasts and when held keys count. Rules: domain notes 6 and providers 3.2 (Cancel brings
//! a count-down of five to ten seconds). How long keys must be held nobody says: two seconds are ours.

use std::time::Duration;

use tokio::time::Instant;

use crate::handset::actor::{Actor, Next};
use crate::handset::bench::{Command, acknowledge, answer, starting_face};
use crate::handset::desk::{Ground, Wish};
use crate::handset::key::Key;
use crate::handset::obeying::Outcome;
use crate::handset::order::{Order, OrderRefused};
use crate::handset::view::Stage;

/// How long the phone can be stopped after power on.
const STOPPABLE: Duration = Duration::from_secs(7);
/// How long the count-down is that Cancel brings.
const COUNT_DOWN: Duration = Duration::from_secs(10);
/// How long keys must be held.
const HELD: Duration = Duration::from_secs(2);

/// The moment the phone is in.
struct Moment {
    cancelled: bool,
    /// When it starts by itself.
    ends: Instant,
    /// When the keys held now count.
    fires: Option<Instant>,
}

/// What came of keys.
enum Pressed {
    Nothing,
    /// The phone goes on to another stage.
    Goes(Next),
    /// Something that takes long is to be done.
    Works(Wish),
}

enum Happened {
    Asked(Option<Command>),
    Time,
}

impl Actor {
    pub(crate) async fn count_down(&mut self) -> Next {
        self.desk.clear();
        let mut moment = Moment { cancelled: false, ends: self.end(false), fires: None };
        loop {
            let ground = self.ground(&moment);
            self.show(ground);
            self.look(Stage::CountDown);
            let wake = self.wake(&moment);
            // A command taken is handled below; a wait that is left is begun anew. A key that was pressed in time counts,
            // even if the phone comes to it late.
            let happened = tokio::select! {
                biased;
                command = self.bench.asked.recv() => Happened::Asked(command),
                () = tokio::time::sleep_until(wake) => Happened::Time,
            };
            let next = match happened {
                Happened::Asked(None) => Some(Next::Gone),
                Happened::Asked(Some(command)) => self.while_waiting(command, &mut moment).await,
                Happened::Time => self.time_passed(&mut moment),
            };
            if let Some(next) = next {
                return next;
            }
        }
    }

    /// When the phone starts by itself if its moment begins now.
    fn end(&self, cancelled: bool) -> Instant {
        Instant::now() + self.bench.pace.real(if cancelled { COUNT_DOWN } else { STOPPABLE })
    }

    fn ground(&self, moment: &Moment) -> Ground {
        if !moment.cancelled {
            return Ground::Stoppable;
        }
        let left = match self.bench.still {
            true => COUNT_DOWN,
            false => self.bench.pace.phone(moment.ends.saturating_duration_since(Instant::now())),
        };
        // Whole seconds, so that the face changes once a second.
        Ground::Counting { seconds: u64::try_from(left.as_millis().div_ceil(1000)).unwrap_or_default() }
    }

    /// The next moment at which something happens by itself.
    fn wake(&self, moment: &Moment) -> Instant {
        let second = Instant::now() + self.bench.pace.real(Duration::from_secs(1));
        let ends = if self.is_held_up() { second } else { moment.ends.min(second) };
        moment.fires.map_or(ends, |fires| fires.min(ends))
    }

    /// Nothing starts while somebody types or reads a menu.
    fn is_held_up(&self) -> bool {
        self.desk.is_open() || self.bench.still
    }

    fn time_passed(&mut self, moment: &mut Moment) -> Option<Next> {
        let now = Instant::now();
        if moment.fires.is_some_and(|fires| fires <= now) {
            moment.fires = None;
            self.desk.ask_reset();
        }
        (!self.is_held_up() && moment.ends <= now).then_some(Next::Start)
    }

    async fn while_waiting(&mut self, command: Command, moment: &mut Moment) -> Option<Next> {
        match command {
            Command::Unplug(done) => {
                self.bench.unplug(done);
                return Some(Next::Off);
            }
            Command::Press(keys, done) => {
                let pressed = self.press_waiting(&keys, moment).await;
                self.show_pressed(&pressed, moment);
                acknowledge(done);
                return self.finish(pressed, moment).await;
            }
            Command::Hold(keys, phone_time, done) => {
                let long = phone_time >= HELD;
                if long && !self.desk.is_open() && self.desk.hand.resets(&keys, moment.cancelled) {
                    moment.fires = Some(Instant::now() + self.bench.pace.real(HELD));
                }
                acknowledge(done);
            }
            Command::Release(done) => {
                let next = self.time_passed(moment);
                moment.fires = None;
                self.show_next(next, moment);
                acknowledge(done);
                return next;
            }
            Command::Look(done) => {
                self.look(Stage::CountDown);
                acknowledge(done);
            }
            Command::StandStill(still, done) => {
                self.bench.still = still;
                moment.ends = self.end(moment.cancelled);
                acknowledge(done);
            }
            Command::Connect(network, done) => self.connect(*network, done),
            Command::PlugIn(done) => acknowledge(done),
            Command::Order(Order::Key(key), reply) => {
                let pressed = self.press_waiting(&[key], moment).await;
                self.show_pressed(&pressed, moment);
                answer(reply, Ok(()));
                return self.finish(pressed, moment).await;
            }
            Command::Order(_, reply) => answer(reply, Err(OrderRefused::Busy)),
        }
        None
    }

    fn show_next(&mut self, next: Option<Next>, moment: &Moment) {
        match next {
            None => self.show(self.ground(moment)),
            Some(next) => self.announce(next),
        }
    }

    fn show_pressed(&mut self, pressed: &Pressed, moment: &Moment) {
        match pressed {
            Pressed::Nothing => self.show_next(None, moment),
            Pressed::Goes(next) => self.show_next(Some(*next), moment),
            Pressed::Works(wish) => self.bench.show(starting_face(wish.busy_words().to_owned())),
        }
    }

    /// Does what takes long, with whoever pressed the key told already.
    async fn finish(&mut self, pressed: Pressed, moment: &Moment) -> Option<Next> {
        let next = match pressed {
            Pressed::Nothing => return None,
            Pressed::Goes(next) => return Some(next),
            Pressed::Works(wish) => match self.obey_wish(wish).await {
                Outcome::Stay => None,
                Outcome::Go(next) => Some(next),
            },
        };
        self.show_next(next, moment);
        next
    }

    async fn press_waiting(&mut self, keys: &[Key], moment: &mut Moment) -> Pressed {
        // Keys pressed quickly are pressed at one moment, however busy the machine is.
        let now = self.bench.up();
        for key in keys {
            let ground = self.ground(moment);
            let seen = self.seen(ground);
            let was_open = self.desk.is_open();
            let wish = self.desk.press(*key, now, (ground, &seen));
            match wish {
                None => {}
                Some(Wish::Stop) => {
                    moment.cancelled = true;
                    moment.ends = self.end(true);
                }
                Some(Wish::StartNow | Wish::LeaveSetup) => return Pressed::Goes(Next::Start),
                Some(wish) if wish.takes_long() => return Pressed::Works(wish),
                Some(wish) => {
                    if let Outcome::Go(next) = self.obey_wish(wish).await {
                        return Pressed::Goes(next);
                    }
                }
            }
            if was_open && !self.desk.is_open() {
                // The person left the dialog: the phone counts again.
                moment.cancelled = true;
                moment.ends = self.end(true);
            }
        }
        Pressed::Nothing
    }
}
