//! The ready phone: keys, the line, calls, and reading the configuration again.
//!
//! Decides what wakes a ready phone and which account its line has. Rules: domain notes 1.6 (check-sync), 3.9.

use std::future::pending;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::event::Event;
use crate::handset::actions::order_of;
use crate::handset::actor::{Actor, Due, Next};
use crate::handset::bench::{Command, During, acknowledge, answer, starting_face};
use crate::handset::call::{Progress, Talk};
use crate::handset::desk::{Ground, Wish};
use crate::handset::key::Key;
use crate::handset::obeying::{Obeyed, Outcome, failed};
use crate::handset::order::{Order, OrderRefused};
use crate::handset::view::{CallView, Stage};
use crate::sip::{Action, CallError, CallState, EndedBy, Line, LineState, Status, Told};

/// Calls a phone tells of.
const CALLS: usize = 10;
/// How often the display's clock is looked at.
const CLOCK: Duration = Duration::from_secs(20);
/// The shortest period of polling (domain notes 1.6).
const LEAST_PERIOD: Duration = Duration::from_secs(3600);
/// Longer than anybody waits for a NOTIFY.
const EVER: Duration = Duration::from_secs(365 * 24 * 3600);

enum Happened {
    Asked(Option<Command>),
    Line,
    Call,
    Due,
    CheckSync,
    Action(Action),
    Poll,
    Time,
}

impl Actor {
    pub(crate) async fn running(&mut self) -> Next {
        if let Some(next) = self.renew_line(true).await.next() {
            return next;
        }
        self.plan_poll(Duration::ZERO);
        let mut status = self.line.as_ref().map(Line::watch);
        loop {
            let seen = self.seen(Ground::Idle);
            self.desk.settle_first_password(&seen);
            self.bench.show(self.desk.draw(Ground::Idle, &seen));
            self.look(Stage::Idle);
            // A call is not disturbed; what is due then is done after it.
            let poll = self.poll_at.filter(|_| self.talk.is_none());
            let due = self.due.filter(|_| self.talk.is_none());
            let call = self.talk.as_ref().map(|talk| talk.progress.clone());
            // Each only waits and loses nothing when another wins; what it found is handled below.
            let happened = tokio::select! {
                biased;
                command = self.bench.asked.recv() => Happened::Asked(command),
                () = std::future::ready(()), if due.is_some() => Happened::Due,
                () = changed(&mut status) => Happened::Line,
                () = goes_on(call, self.calls.back().map(|call| &call.state)) => Happened::Call,
                happened = told(&mut self.line) => happened,
                () = after(poll) => Happened::Poll,
                () = tokio::time::sleep(CLOCK) => Happened::Time,
            };
            let outcome = match happened {
                Happened::Asked(None) => Outcome::Go(Next::Gone),
                Happened::Asked(Some(command)) => self.while_running(command).await,
                Happened::Line => self.line_changed(&status),
                Happened::Call => self.call_changed(),
                Happened::Due => self.do_due().await,
                Happened::CheckSync => self.obey_check_sync().await,
                Happened::Action(action) => self.obey_action(&action).await,
                Happened::Poll => self.poll().await,
                Happened::Time => Outcome::Stay,
            };
            if let Some(next) = outcome.next() {
                return next;
            }
            if status.is_none() || self.line_is_new(&status) {
                status = self.line.as_ref().map(Line::watch);
            }
        }
    }

    async fn while_running(&mut self, command: Command) -> Outcome {
        match command {
            Command::Unplug(done) => {
                self.bench.unplug(done);
                return Outcome::Go(Next::Off);
            }
            Command::Press(keys, done) => {
                let wish = self.press_running(&keys).await;
                self.show_wish(wish.as_ref());
                acknowledge(done);
                return self.finish_wish(wish).await;
            }
            Command::Order(Order::Key(key), reply) => {
                let wish = self.press_running(&[key]).await;
                self.show_wish(wish.as_ref());
                answer(reply, Ok(()));
                return self.finish_wish(wish).await;
            }
            Command::StandStill(still, done) => {
                self.bench.still = still;
                acknowledge(done);
            }
            Command::Look(done) => {
                self.look(Stage::Idle);
                acknowledge(done);
            }
            Command::Order(order, reply) => {
                let (outcome, said) = match self.obey(order).await {
                    Ok(outcome) => (outcome, Ok(())),
                    Err(refused) => (Outcome::Stay, Err(refused)),
                };
                self.show_outcome(&outcome);
                answer(reply, said);
                return outcome;
            }
            Command::Connect(network, done) => self.connect(*network, done),
            Command::PlugIn(done) | Command::Hold(_, _, done) | Command::Release(done) => acknowledge(done),
        }
        Outcome::Stay
    }

    fn show_outcome(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Stay => self.show(Ground::Idle),
            Outcome::Go(next) => self.announce(*next),
        }
    }

    fn show_wish(&mut self, wish: Option<&Wish>) {
        match wish {
            None => self.show(Ground::Idle),
            Some(wish) => self.bench.show(starting_face(wish.busy_words().to_owned())),
        }
    }

    /// Does what takes long, with whoever pressed the key told already.
    async fn finish_wish(&mut self, wish: Option<Wish>) -> Outcome {
        let Some(wish) = wish else { return Outcome::Stay };
        let outcome = self.obey_wish(wish).await;
        self.show_outcome(&outcome);
        outcome
    }

    /// Presses keys, does what is done at once, and gives back what takes long.
    pub(crate) async fn press_running(&mut self, keys: &[Key]) -> Option<Wish> {
        // Keys pressed quickly are pressed at one moment, however busy the machine is.
        let now = self.bench.up();
        for key in keys {
            let seen = self.seen(Ground::Idle);
            let wish = self.desk.press(*key, now, (Ground::Idle, &seen));
            match wish {
                Some(wish) if wish.takes_long() => return Some(wish),
                // What does not take long leaves the phone where it is.
                Some(wish) => {
                    let _ = self.obey_wish(wish).await;
                }
                None => {}
            }
        }
        None
    }

    fn line_changed(&mut self, status: &Option<watch::Receiver<Status>>) -> Outcome {
        if let Some(status) = status {
            let (number, state) = (status.borrow().line, status.borrow().state.clone());
            self.bench.tell(Event::Line { number, state });
        }
        Outcome::Stay
    }

    /// Notes how far the call is.
    fn call_changed(&mut self) -> Outcome {
        let Some(progress) = self.talk.as_ref().map(|talk| talk.progress.borrow().clone()) else {
            return Outcome::Stay;
        };
        if let Some(call) = self.calls.back_mut() {
            call.state = progress.state.clone();
            if let CallState::Ended(by) = &progress.state {
                call.ended_by = Some(by.clone());
            }
            if let Some(report) = &progress.report {
                call.duration = Some(report.duration);
                call.heard = Some(std::sync::Arc::new(report.heard.clone()));
            }
        }
        if progress.over {
            self.talk = None;
        }
        Outcome::Stay
    }

    /// Calls a number.
    pub(crate) async fn call(&mut self, number: &str) -> Result<(), OrderRefused> {
        if self.talk.is_some() {
            return Err(OrderRefused::InCall);
        }
        let line = self.line.as_mut().ok_or(OrderRefused::NoLine)?;
        let account_line = line.account().line;
        let call = line.start_call(number).await.map_err(|error| match error {
            CallError::Offline | CallError::Line(_) => OrderRefused::NoLine,
            other => OrderRefused::Failed { reason: other.to_string() },
        })?;
        self.call_count = self.call_count.saturating_add(1);
        if self.calls.len() >= CALLS {
            self.calls.pop_front();
        }
        self.calls.push_back(CallView {
            reference: self.call_count,
            line: account_line,
            number: number.to_owned(),
            state: CallState::Dialing,
            ended_by: None,
            duration: None,
            heard: None,
        });
        self.talk = Some(Talk::begin(call));
        Ok(())
    }

    /// Notes when the phone polls next by itself, not before `least` of its own time has passed.
    ///
    /// A phone that lives faster than its clock would else come to the same hour of the day again and again.
    pub(crate) fn plan_poll(&mut self, least: Duration) {
        let wait = self.phone.next_poll().map(|wait| self.bench.pace.real(wait.max(least)));
        self.poll_at = wait.and_then(|wait| Instant::now().checked_add(wait));
    }

    async fn poll(&mut self) -> Outcome {
        let done = self.read_again().await;
        self.plan_poll(LEAST_PERIOD);
        done.unwrap_or_else(|refused| {
            self.bench.tell(Event::log(&refused.to_string()));
            Outcome::Stay
        })
    }

    /// Reads the configuration again, as at the polling time; a call is not disturbed.
    pub(crate) async fn read_again(&mut self) -> Obeyed {
        if self.wait_for_call(Due::Configuration) {
            return Ok(Outcome::Stay);
        }
        self.later = false;
        let mut observer = self.bench.observer(false);
        let work = self.phone.poll(&mut observer);
        let during = self.bench.during(work).await;
        self.catch_up();
        self.plan_poll(Duration::ZERO);
        match during {
            During::Done(Ok(report)) => {
                if report.restarts > 0 {
                    self.desk.clear();
                }
                Ok(self.renew_line(report.restarts > 0).await)
            }
            During::Done(Err(error)) => Err(failed(error)),
            During::Unplugged => Ok(Outcome::Go(Next::Off)),
            During::Gone => Ok(Outcome::Go(Next::Gone)),
        }
    }

    /// Takes an image from a folder, if one there is another version for this phone.
    pub(crate) async fn upgrade(&mut self, folder: &str) -> Obeyed {
        let mut tell = self.bench.observer(false);
        let mut why = "the folder has no image for this phone, or cannot be reached".to_owned();
        let mut observer = |event: Event| {
            match &event {
                Event::ImageRefused { file, reason } => why = format!("{file} is not taken: {reason}"),
                Event::ImageCurrent { file, version } => why = format!("{file} is {version}, which the phone runs"),
                _ => {}
            }
            tell(event);
        };
        let work = self.phone.upgrade_from(folder, &mut observer);
        match self.bench.during(work).await {
            During::Done(Ok(Some(_))) => Ok(self.restart().await),
            During::Done(Ok(None)) => Err(OrderRefused::Failed { reason: why }),
            During::Done(Err(error)) => Err(failed(error)),
            During::Unplugged => Ok(Outcome::Go(Next::Off)),
            During::Gone => Ok(Outcome::Go(Next::Gone)),
        }
    }

    /// Does what a NOTIFY with an action asks, if it can.
    async fn obey_action(&mut self, action: &Action) -> Outcome {
        let Some(order) = order_of(action) else {
            self.bench.tell(Event::log(&format!("{}: this phone does not do that", action.uri)));
            return Outcome::Stay;
        };
        match self.obey(order).await {
            Ok(outcome) => outcome,
            Err(refused) => {
                self.bench.tell(Event::log(&format!("{}: {refused}", action.uri)));
                Outcome::Stay
            }
        }
    }

    /// Takes the update that waits: the phone starts with the other provider's configuration.
    pub(crate) async fn take_update(&mut self) -> Outcome {
        if let Some(next) = self.give_line_up().await {
            return Outcome::Go(next);
        }
        self.desk.clear();
        let mut observer = self.bench.observer(true);
        let work = self.phone.accept_update(&mut observer);
        let during = self.bench.during(work).await;
        self.catch_up();
        match during {
            During::Done(taken) => {
                if let Err(error) = taken {
                    self.bench.tell(Event::log(&error.to_string()));
                }
                Outcome::Go(Next::Running)
            }
            During::Unplugged => Outcome::Go(Next::Off),
            During::Gone => Outcome::Go(Next::Gone),
        }
    }

    /// Does what a NOTIFY asks: the phone's own rule says whether it starts again for it.
    pub(crate) async fn obey_check_sync(&mut self) -> Outcome {
        if self.wait_for_call(Due::CheckSync) {
            return Outcome::Stay;
        }
        let Some(line) = self.line.take() else { return Outcome::Stay };
        let mut observer = self.bench.observer(false);
        let work = self.phone.obey_check_sync(line, &mut observer);
        let during = self.bench.during(work).await;
        self.catch_up();
        self.plan_poll(Duration::ZERO);
        match during {
            During::Done(Ok((report, line))) => {
                self.line = line;
                if report.restarts > 0 {
                    self.desk.clear();
                }
                Outcome::Stay
            }
            During::Done(Err(error)) => {
                // The line went with the attempt; it comes up again with what is in flash.
                self.bench.tell(Event::log(&error.to_string()));
                self.renew_line(true).await
            }
            During::Unplugged => Outcome::Go(Next::Off),
            During::Gone => Outcome::Go(Next::Gone),
        }
    }

    /// Gives a line up whose account changed, or any line if `anew`, and brings one up where there is an account.
    pub(crate) async fn renew_line(&mut self, anew: bool) -> Outcome {
        let account = self.phone.account();
        let same = self.line.as_ref().is_some_and(|line| account.as_ref() == Ok(line.account()));
        if same && !anew {
            return Outcome::Stay;
        }
        if let Some(next) = self.give_line_up().await {
            return Outcome::Go(next);
        }
        self.line = self.phone.open_line().ok();
        Outcome::Stay
    }

    /// Says good-bye; something else follows only when the power goes meanwhile.
    pub(crate) async fn give_line_up(&mut self) -> Option<Next> {
        self.talk = None;
        if let Some(call) = self.calls.back_mut().filter(|call| call.ended_by.is_none()) {
            (call.state, call.ended_by) = (CallState::Ended(EndedBy::Phone), Some(EndedBy::Phone));
        }
        let line = self.line.take()?;
        let during = self.bench.during(line.power_off()).await;
        self.phone.forget_line();
        self.bench.tell(Event::Line { number: 1, state: LineState::Closed });
        match during {
            During::Done(()) => None,
            During::Unplugged => Some(Next::Off),
            During::Gone => Some(Next::Gone),
        }
    }

    fn line_is_new(&self, status: &Option<watch::Receiver<Status>>) -> bool {
        match (&self.line, status) {
            (Some(line), Some(status)) => !line.watch().same_channel(status),
            (None, Some(_)) => true,
            _ => false,
        }
    }
}

impl Outcome {
    fn next(&self) -> Option<Next> {
        match self {
            Self::Stay => None,
            Self::Go(next) => Some(*next),
        }
    }
}

/// Waits until the line says something new; for ever when there is none, or its task has ended.
async fn changed(status: &mut Option<watch::Receiver<Status>>) {
    let Some(status) = status else { return pending().await };
    if status.changed().await.is_err() {
        pending::<()>().await;
    }
}

/// Waits until the call is somewhere else than `known`, or over.
async fn goes_on(progress: Option<watch::Receiver<Progress>>, known: Option<&CallState>) {
    let Some(mut progress) = progress else { return pending().await };
    let news = |progress: &Progress| progress.over || Some(&progress.state) != known;
    if progress.wait_for(news).await.is_err() {
        pending::<()>().await;
    }
}

/// Waits until the server tells the phone to read its configuration, or to do something.
async fn told(line: &mut Option<Line>) -> Happened {
    let Some(line) = line else { return pending().await };
    match line.told(EVER).await {
        Some(Told::CheckSync) => Happened::CheckSync,
        Some(Told::Action(action)) => Happened::Action(action),
        None => pending().await,
    }
}

/// Waits until then; for ever when nothing is said.
async fn after(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => pending().await,
    }
}
