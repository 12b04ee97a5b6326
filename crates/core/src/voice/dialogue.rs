//! The conversation with somebody who keys an activation code.
//!
//! Pure: takes keys, verdicts, the end of what was played, and the time; returns what to do. Rules of ours:
//! a code is sent off at its thirteenth digit or at `#`; `*` starts over; any key stops the voice; ten seconds of silence
//! bring a reminder, the third goodbye; a call ends after three minutes. An emergency number is never just a wrong code.

use super::prompt::{Prompt, Spoken};
use super::refusal::Refusal;
use super::step::{Key, Millis, Opening, SayId, Step, Verdict};
use crate::code::{ActivationCode, CODE_DIGITS, CodeError};
use std::fmt;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Silence after which the caller is reminded.
const SILENCE_MS: u64 = 10_000;
/// Reminders before goodbye.
const REMINDERS: u8 = 2;
/// A pause after an emergency number means that it is meant as one; a code has more digits to come.
const EMERGENCY_PAUSE_MS: u64 = 3_000;
/// A decision that takes longer is announced.
const PATIENCE_MS: u64 = 1_500;
/// A decision that takes longer than this is none.
const DECISION_MS: u64 = 20_000;
/// The longest a caller may take; phones that were laid down must not hold a line.
const CALL_MS: u64 = 180_000;
/// The longest last words are waited for, should nobody report their end.
const LAST_WORDS_MS: u64 = 45_000;
/// The most characters of an extension that are read out.
const SPOKEN_EXTENSION: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Keys are taken, whether something is said or not.
    Keying,
    /// A code was sent off.
    Deciding { until: Millis, announce: Option<Millis> },
    /// Last words are said.
    Leaving { until: Millis },
    /// The call is over.
    Over,
}

/// One call. `Debug` does not tell what was keyed.
#[derive(Debug, Clone)]
pub struct Dialogue {
    emergency_numbers: Arc<[String]>,
    ends: Millis,
    state: State,
    keyed: Keyed,
    /// A code was sent off at its last digit; the `#` that people are told to press is still to come.
    pound_due: bool,
    /// What was keyed was told as an emergency already.
    emergency_told: bool,
    reminders: u8,
    said: u32,
    saying: bool,
    /// When silence has lasted long enough; none while something is said.
    silent: Option<Millis>,
    wake: Option<Millis>,
}

/// Digits keyed so far.
#[derive(Clone, Default)]
struct Keyed(Zeroizing<String>);

impl fmt::Debug for Keyed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Keyed(***)")
    }
}

impl Dialogue {
    /// Begins when the call was answered.
    pub fn start(now: Millis, opening: &Opening, emergency_numbers: Arc<[String]>) -> (Self, Vec<Step>) {
        let mut dialogue = Self {
            emergency_numbers,
            ends: now.plus(CALL_MS),
            state: State::Keying,
            keyed: Keyed::default(),
            pound_due: false,
            emergency_told: false,
            reminders: 0,
            said: 0,
            saying: false,
            silent: None,
            wake: None,
        };
        let mut steps = Vec::new();
        match opening {
            Opening::Ask => dialogue.say(vec![Prompt::Welcome, Prompt::EnterCode], &mut steps),
            Opening::Code(dialed) => dialogue.submit(now, dialed.reveal(), &mut steps),
            Opening::Emergency(number) => {
                steps.push(Step::Emergency { number: number.clone() });
                dialogue.leave(now, vec![Prompt::NotInService, Prompt::NotInService], &mut steps);
            }
        }
        dialogue.set_wake(&mut steps);
        (dialogue, steps)
    }

    /// A key was pressed.
    pub fn key(&mut self, now: Millis, key: Key) -> Vec<Step> {
        let mut steps = Vec::new();
        let after_code = std::mem::take(&mut self.pound_due) && key.0 == '#';
        if self.state != State::Keying || after_code {
            return steps;
        }
        self.reminders = 0;
        self.silent = Some(now.plus(SILENCE_MS));
        match key.0 {
            '*' => {
                self.forget_keyed();
                self.say(vec![Prompt::EnterCode], &mut steps);
            }
            '#' => self.pound(now, &mut steps),
            digit => self.digit(now, digit, &mut steps),
        }
        self.set_wake(&mut steps);
        steps
    }

    /// Everything of the [`Step::Say`] with this id was played.
    pub fn played(&mut self, now: Millis, id: SayId) -> Vec<Step> {
        let mut steps = Vec::new();
        if id != SayId(self.said) || !std::mem::take(&mut self.saying) {
            return steps;
        }
        match self.state {
            State::Keying => self.silent = Some(now.plus(SILENCE_MS)),
            State::Leaving { .. } => self.hang_up(&mut steps),
            State::Deciding { .. } | State::Over => {}
        }
        self.set_wake(&mut steps);
        steps
    }

    /// The time named by [`Step::WakeAt`] came.
    pub fn woke(&mut self, now: Millis) -> Vec<Step> {
        let mut steps = Vec::new();
        match self.state {
            State::Keying if now >= self.ends => self.leave(now, vec![Prompt::Goodbye], &mut steps),
            State::Keying if self.silent.is_some_and(|silent| now >= silent) => self.remind(now, &mut steps),
            State::Deciding { until, .. } if now >= until => {
                self.leave(now, vec![Prompt::ServerFailing, Prompt::Goodbye], &mut steps);
            }
            State::Deciding { until, announce: Some(at) } if now >= at => {
                self.state = State::Deciding { until, announce: None };
                self.say(vec![Prompt::OneMoment], &mut steps);
            }
            State::Leaving { until } if now >= until => self.hang_up(&mut steps),
            _ => {}
        }
        // An alarm is gone once it rang, even too early: it is set again.
        self.wake = None;
        self.set_wake(&mut steps);
        steps
    }

    /// What became of the code of the last [`Step::Try`]; one that comes too late changes nothing.
    pub fn verdict(&mut self, now: Millis, verdict: &Verdict) -> Vec<Step> {
        let mut steps = Vec::new();
        if !matches!(self.state, State::Deciding { .. }) {
            return steps;
        }
        match verdict {
            Verdict::Activated { extension } => {
                let mut prompts = vec![Prompt::Activated];
                let digits: Vec<Prompt> =
                    Prompt::spelled(extension.as_deref().unwrap_or_default()).take(SPOKEN_EXTENSION).collect();
                if !digits.is_empty() {
                    prompts = vec![Prompt::ActivatedFor];
                    prompts.extend(digits);
                }
                prompts.push(Prompt::Restarting);
                self.leave(now, prompts, &mut steps);
            }
            Verdict::Refused { why, reference } => self.refuse(now, *why, reference.as_deref(), &mut steps),
        }
        self.set_wake(&mut steps);
        steps
    }

    /// Whether [`Step::HangUp`] was given.
    pub fn is_over(&self) -> bool {
        self.state == State::Over
    }

    fn digit(&mut self, now: Millis, digit: char, steps: &mut Vec<Step>) {
        if std::mem::take(&mut self.saying) {
            steps.push(Step::Hush);
        }
        self.emergency_told = false;
        self.keyed.0.push(digit);
        if self.is_emergency() {
            self.silent = Some(now.plus(EMERGENCY_PAUSE_MS));
        }
        if self.keyed.0.len() >= CODE_DIGITS {
            self.pound_due = true;
            let keyed = std::mem::take(&mut self.keyed);
            self.submit(now, &keyed.0, steps);
        }
    }

    fn pound(&mut self, now: Millis, steps: &mut Vec<Step>) {
        if self.is_emergency() {
            self.tell_emergency(steps);
            self.forget_keyed();
        } else if self.keyed.0.is_empty() {
            self.say(vec![Prompt::EnterCode], steps);
        } else {
            let keyed = std::mem::take(&mut self.keyed);
            self.submit(now, &keyed.0, steps);
        }
    }

    fn submit(&mut self, now: Millis, digits: &str, steps: &mut Vec<Step>) {
        self.forget_keyed();
        match ActivationCode::parse(digits) {
            Ok(code) => {
                self.state = State::Deciding { until: now.plus(DECISION_MS), announce: Some(now.plus(PATIENCE_MS)) };
                self.silent = None;
                if std::mem::take(&mut self.saying) {
                    steps.push(Step::Hush);
                }
                steps.push(Step::Try(code));
            }
            Err(CodeError::Length { .. }) => self.say(vec![Prompt::WrongLength, Prompt::EnterCode], steps),
            Err(CodeError::CheckDigit) => self.say(vec![Prompt::Mistyped, Prompt::EnterCode], steps),
        }
    }

    fn refuse(&mut self, now: Millis, why: Refusal, reference: Option<&str>, steps: &mut Vec<Step>) {
        let mut prompts = vec![why.prompt()];
        prompts.extend(why.wait());
        // Every reference begins with `R-`, which tells nothing.
        let reference = reference.map(|reference| reference.strip_prefix("R-").unwrap_or(reference));
        if let Some(reference) = reference.filter(|reference| reference.chars().any(|c| Spoken::new(c).is_some())) {
            prompts.push(Prompt::Reference);
            prompts.extend(Prompt::spelled(reference));
        }
        if why.another_code_may_do() {
            prompts.push(Prompt::AnotherCode);
            self.state = State::Keying;
            self.say(prompts, steps);
        } else {
            prompts.push(Prompt::Goodbye);
            self.leave(now, prompts, steps);
        }
    }

    /// Silence lasted: an emergency number stands alone, or the caller needs a reminder.
    fn remind(&mut self, now: Millis, steps: &mut Vec<Step>) {
        if self.is_emergency() && !self.emergency_told {
            // The digits stay: should they be a code's first, the rest of it still counts.
            self.emergency_told = true;
            self.tell_emergency(steps);
            return;
        }
        if self.reminders == REMINDERS {
            self.leave(now, vec![Prompt::Goodbye], steps);
            return;
        }
        self.reminders = self.reminders.saturating_add(1);
        if self.emergency_told {
            self.forget_keyed();
        }
        self.say(vec![if self.keyed.0.is_empty() { Prompt::EnterCode } else { Prompt::GoOn }], steps);
    }

    fn tell_emergency(&mut self, steps: &mut Vec<Step>) {
        steps.push(Step::Emergency { number: self.keyed.0.to_string() });
        self.say(vec![Prompt::NotInService, Prompt::NotInService], steps);
    }

    fn is_emergency(&self) -> bool {
        self.emergency_numbers.iter().any(|number| *number == *self.keyed.0)
    }

    fn forget_keyed(&mut self) {
        self.keyed = Keyed::default();
        self.emergency_told = false;
    }

    fn say(&mut self, prompts: Vec<Prompt>, steps: &mut Vec<Step>) {
        self.said = self.said.wrapping_add(1);
        self.saying = true;
        self.silent = None;
        steps.push(Step::Say { id: SayId(self.said), prompts });
    }

    fn leave(&mut self, now: Millis, last_words: Vec<Prompt>, steps: &mut Vec<Step>) {
        self.forget_keyed();
        self.state = State::Leaving { until: now.plus(LAST_WORDS_MS) };
        self.say(last_words, steps);
    }

    fn hang_up(&mut self, steps: &mut Vec<Step>) {
        self.state = State::Over;
        steps.push(Step::HangUp);
    }

    /// Names the next time something is due, if it is another than the one named before.
    fn set_wake(&mut self, steps: &mut Vec<Step>) {
        let due = match self.state {
            State::Keying => Some(self.silent.map_or(self.ends, |silent| silent.min(self.ends))),
            State::Deciding { until, announce } => Some(announce.unwrap_or(until)),
            State::Leaving { until } => Some(until),
            State::Over => None,
        };
        if due != self.wake {
            self.wake = due;
            steps.extend(due.map(Step::WakeAt));
        }
    }
}

#[cfg(test)]
mod tests;
