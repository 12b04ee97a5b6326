//! What the phone does when its keys, its web pages or REST tell it to.
//!
//! Decides what is kept, what is forgotten and when the phone starts again for it.
//! Rules: domain notes 6 (resets), 7.2 (what REST may set) and 10a (device parameters restart the phone).

use provost_catalog::MenuAction;

use crate::event::Event;
use crate::handset::actor::{Actor, Due, Next};
use crate::handset::bench::During;
use crate::handset::desk::Wish;
use crate::handset::order::{Order, OrderRefused, ResetScope};
use crate::settings::{self, Values};
use crate::setup::{ChangedIn, PhoneError};

/// Tones sent for one order; a person keys no longer numbers.
const TONES: usize = 64;

/// What follows.
pub(crate) enum Outcome {
    /// The phone stays in its stage.
    Stay,
    /// It goes on to another.
    Go(Next),
}

/// What an order comes to besides its answer.
pub(crate) type Obeyed = Result<Outcome, OrderRefused>;

impl Actor {
    /// Does what a key asked for, where that does not depend on the stage.
    pub(crate) async fn obey_wish(&mut self, wish: Wish) -> Outcome {
        let done = match wish {
            Wish::Do(action) => {
                let done = self.act(action).await;
                return self.settle(done);
            }
            Wish::Save(values) => self.phone.keep_device(&values.0).map(|()| true),
            Wish::NewPassword(text) => self.new_password(text.0).map(|()| false),
            Wish::Dial(number) => return self.call_and_stay(&number.0).await,
            Wish::Answered(answers) => {
                let answers: Vec<&str> = answers.0.iter().map(String::as_str).collect();
                let Some(number) = self.phone.soft_key_number(&answers) else { return Outcome::Stay };
                return self.call_and_stay(&number).await;
            }
            Wish::Lift => {
                let whom = self.line.as_ref().and_then(|line| line.account().off_hook.clone());
                let Some(number) = whom else { return Outcome::Stay };
                return self.call_and_stay(&number).await;
            }
            Wish::Tones(digits) => {
                if let Some(talk) = &self.talk {
                    talk.tones(&digits.0);
                }
                Ok(false)
            }
            Wish::HangUp => {
                if let Some(talk) = &self.talk {
                    talk.hang_up();
                }
                Ok(false)
            }
            Wish::Update => return self.take_update().await,
            Wish::Later => {
                self.later = true;
                Ok(false)
            }
            Wish::Stop | Wish::StartNow | Wish::LeaveSetup => Ok(false),
        };
        let done = self.restart_if(done).await;
        self.settle(done)
    }

    /// What follows; a failure is told to the log and to whoever stands before the phone.
    fn settle(&mut self, done: Obeyed) -> Outcome {
        done.unwrap_or_else(|refused| {
            self.bench.tell(Event::log(&refused.to_string()));
            self.desk.say(refused.to_string());
            Outcome::Stay
        })
    }

    async fn act(&mut self, action: MenuAction) -> Obeyed {
        let scope = match action {
            MenuAction::ResetLocal => ResetScope::Local,
            MenuAction::ResetWeb => ResetScope::Web,
            MenuAction::ResetDevice => ResetScope::Device,
            MenuAction::FormatFileSystem => ResetScope::FileSystem,
            MenuAction::ResetToFactory => ResetScope::Factory,
            MenuAction::Restart => return Ok(self.restart().await),
            MenuAction::UpdateConfiguration => return self.read_again().await,
            // The desk asks for these itself.
            MenuAction::ChangeAdminPassword | MenuAction::SaveAndReboot | MenuAction::Discard => {
                return Ok(Outcome::Stay);
            }
        };
        self.reset(scope).await
    }

    /// Forgets what `scope` names and starts again.
    async fn reset(&mut self, scope: ResetScope) -> Obeyed {
        let during = self.bench.during(self.phone.reset(scope)).await;
        match during {
            During::Done(done) => self.restart_if(done.map(|()| true)).await,
            During::Unplugged => Ok(Outcome::Go(Next::Off)),
            During::Gone => Ok(Outcome::Go(Next::Gone)),
        }
    }

    async fn restart_if(&mut self, done: Result<bool, PhoneError>) -> Obeyed {
        match done.map_err(failed)? {
            true => Ok(self.restart().await),
            false => Ok(Outcome::Stay),
        }
    }

    /// Says good-bye where a line is up, and starts again.
    pub(crate) async fn restart(&mut self) -> Outcome {
        self.bench.tell(Event::Restarting { changed: Vec::new() });
        match self.give_line_up().await {
            None => Outcome::Go(Next::CountDown),
            Some(next) => Outcome::Go(next),
        }
    }

    async fn call_and_stay(&mut self, number: &str) -> Outcome {
        if let Err(refused) = self.call(number).await {
            self.desk.say(format!("Call failed: {refused}"));
        }
        Outcome::Stay
    }

    fn new_password(&mut self, text: String) -> Result<(), PhoneError> {
        match self.phone.admin_password_word() {
            Some(name) => self.phone.keep_device(&Values::from([(name, text)])),
            None => Ok(()),
        }
    }

    /// Does what was ordered.
    pub(crate) async fn obey(&mut self, order: Order) -> Obeyed {
        match order {
            Order::Reboot | Order::Restart => Ok(self.restart().await),
            Order::RestartWhenFree => match self.wait_for_call(Due::Restart) {
                true => Ok(Outcome::Stay),
                false => Ok(self.restart().await),
            },
            Order::ResetToFactory => self.reset(ResetScope::Factory).await,
            Order::Reset(scope) => self.reset(scope).await,
            Order::UpdateConfiguration => self.read_again().await,
            Order::Set { values, place } => self.set(values, place).await,
            Order::ChangeAdminPassword { old, new } => self.change_password(&old, new),
            Order::Key(key) => Ok(match self.press_running(&[key]).await {
                Some(wish) => self.obey_wish(wish).await,
                None => Outcome::Stay,
            }),
            Order::Text(text) => match self.desk.put(&text) {
                true => Ok(Outcome::Stay),
                false => Err(OrderRefused::NothingTyped),
            },
            Order::Dial { number } => self.call(&number).await.map(|()| Outcome::Stay),
            Order::EndCall => {
                self.talk.as_ref().ok_or(OrderRefused::NoCall)?.hang_up();
                Ok(Outcome::Stay)
            }
            Order::SendDtmf(digits) => self.send_tones(digits),
            Order::Show(words) => {
                self.desk.say(words);
                Ok(Outcome::Stay)
            }
            Order::ForgetLog => {
                self.phone.forget_log().map_err(failed)?;
                Ok(Outcome::Stay)
            }
            Order::Upgrade { url } => self.upgrade(&url).await,
        }
    }

    fn send_tones(&mut self, digits: String) -> Obeyed {
        if digits.is_empty()
            || digits.len() > TONES
            || !digits.chars().all(|sign| "0123456789*#ABCDabcd".contains(sign))
        {
            return Err(OrderRefused::NotTones);
        }
        self.talk.as_ref().ok_or(OrderRefused::NoCall)?.tones(&digits);
        Ok(Outcome::Stay)
    }

    fn change_password(&mut self, old: &str, new: String) -> Obeyed {
        let seen = self.view(crate::handset::view::Stage::Idle);
        if !seen.is_admin_password(old) {
            return Err(OrderRefused::WrongPassword);
        }
        let refused = new == self.desk.hand.factory_password() && self.desk.hand.asks_for_password();
        if new.is_empty() || refused {
            return Err(OrderRefused::PasswordNotAllowed);
        }
        self.new_password(new).map_err(failed)?;
        Ok(Outcome::Stay)
    }

    async fn set(&mut self, values: Values, place: ChangedIn) -> Obeyed {
        if let Some(name) = values.keys().find(|name| !settings::is_parameter_name(name)) {
            return Err(OrderRefused::ParameterName { name: name.clone() });
        }
        let (device, others): (Values, Values) =
            values.into_iter().partition(|(name, _)| self.phone.is_device_parameter(name));
        let before = self.phone.memory().device.clone();
        self.phone.keep_device(&device).map_err(failed)?;
        for (name, value) in &others {
            let change = self.phone.change_setting(place, (name, value));
            match self.bench.during(change).await {
                During::Done(done) => done.map_err(failed)?,
                During::Unplugged => return Ok(Outcome::Go(Next::Off)),
                During::Gone => return Ok(Outcome::Go(Next::Gone)),
            }
        }
        if before != self.phone.memory().device {
            return Ok(match self.wait_for_call(Due::Restart) {
                true => Outcome::Stay,
                false => self.restart().await,
            });
        }
        self.plan_poll(std::time::Duration::ZERO);
        match self.wait_for_call(Due::Line) {
            true => Ok(Outcome::Stay),
            false => Ok(self.renew_line(false).await),
        }
    }

    /// Puts something off to the end of the call, if there is one.
    pub(crate) fn wait_for_call(&mut self, due: Due) -> bool {
        let waits = self.talk.is_some();
        if waits {
            self.due = self.due.max(Some(due));
        }
        waits
    }

    /// Does what waited for the end of the call.
    pub(crate) async fn do_due(&mut self) -> Outcome {
        match self.due.take() {
            None => Outcome::Stay,
            Some(Due::Line) => self.renew_line(false).await,
            Some(Due::Configuration) => {
                let done = self.read_again().await;
                self.settle(done)
            }
            Some(Due::CheckSync) => self.obey_check_sync().await,
            Some(Due::Restart) => self.restart().await,
        }
    }
}

pub(crate) fn failed(error: PhoneError) -> OrderRefused {
    OrderRefused::Failed { reason: error.to_string() }
}
