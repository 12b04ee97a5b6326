//! The phone and its line: going online, and doing what a NOTIFY asks.
//!
//! Decides which account the line has, and when it is given up for another. Never waits long for a server
//! that may not exist: the screen says so and the line goes on trying.
//! Rules: domain notes 1.6 (check-sync) and 3.9 B and D (soft key, off-hook call).

use std::time::Duration;

use crate::event::{BootReport, Event, Observer};
use crate::phone::Phone;
use crate::setup::PhoneError;
use crate::sip::{Account, AccountError, Line, LineError, LineState};

/// The line a phone uses when its handset is lifted.
const FIRST_LINE: u32 = 1;
/// How long the phone waits for the first answer about a registration before it goes on.
const SETTLE_LIMIT: Duration = Duration::from_secs(3);

impl Phone {
    /// The account the values in force give the first line.
    ///
    /// # Errors
    /// [`AccountError`] when they give none that this phone can use.
    pub fn account(&self) -> Result<Account, AccountError> {
        Account::of(&self.effective(), &self.facts, FIRST_LINE)
    }

    /// Brings the first line up and waits a moment for the server's first answer.
    ///
    /// A server that refuses or is silent is no error: the line says so, and tries again by itself.
    ///
    /// # Errors
    /// [`LineError::Account`] when the configuration gives the line no account.
    pub async fn go_online(&mut self, observer: &mut Observer<'_>) -> Result<Line, LineError> {
        let mut line = self.open_line()?;
        let state = line.settled(SETTLE_LIMIT).await;
        observer(Event::Line { number: FIRST_LINE, state });
        Ok(line)
    }

    /// Opens the first line and does not wait.
    pub(crate) fn open_line(&mut self) -> Result<Line, LineError> {
        let line = Line::open(self.account()?);
        self.line = Some(line.watch());
        Ok(line)
    }

    /// Forgets a line that was given up.
    pub(crate) fn forget_line(&mut self) {
        self.line = None;
    }

    /// Brings the first line up; it must be registered then.
    ///
    /// # Errors
    /// [`LineError`] when the line has no account, or its server does not take it.
    pub async fn register(&mut self, observer: &mut Observer<'_>) -> Result<Line, LineError> {
        let line = self.go_online(observer).await?;
        match line.state() {
            LineState::Registered { .. } => Ok(line),
            state => Err(LineError::NotRegistered { line: FIRST_LINE, state }),
        }
    }

    /// Does what a NOTIFY check-sync asks, once the line has waited for it: reads the configuration again.
    ///
    /// Where the configuration says so the phone starts again first; else it does only for device values
    /// that changed. A line whose account changed is given up and the new one brought up; both happen at a
    /// restart as well. No line is left when the configuration gives none.
    ///
    /// # Errors
    /// As [`Phone::boot`].
    pub async fn obey_check_sync(
        &mut self,
        line: Line,
        observer: &mut Observer<'_>,
    ) -> Result<(BootReport, Option<Line>), PhoneError> {
        let values = self.effective();
        let always = self.facts.always_restart().filter(|name| values.get(name).is_some_and(|value| value == "1"));
        if always.is_some() {
            self.give_up(line, observer).await;
            self.memory.restart_count = self.memory.restart_count.saturating_add(1);
            observer(Event::Restarting { changed: Vec::new() });
            let report = self.boot(observer).await?;
            let report = BootReport { restarts: report.restarts.saturating_add(1), ..report };
            return Ok((report, self.line_again(observer).await));
        }
        let report = self.poll(observer).await?;
        let same = report.restarts == 0 && self.account().as_ref() == Ok(line.account());
        if same {
            return Ok((report, Some(line)));
        }
        self.give_up(line, observer).await;
        Ok((report, self.line_again(observer).await))
    }

    /// The number the soft key dials once its prompts are answered with `digits`, one for each prompt.
    ///
    /// `None` when the configuration shows no such key, or it does something else.
    pub fn soft_key_number(&self, digits: &[&str]) -> Option<String> {
        let values = self.effective();
        let (on, action) = self.facts.soft_key()?;
        if !on.iter().all(|name| values.get(name).is_some_and(|value| value == "1")) {
            return None;
        }
        dialed(values.get(&action)?, digits)
    }

    async fn give_up(&mut self, line: Line, observer: &mut Observer<'_>) {
        line.power_off().await;
        self.line = None;
        observer(Event::Line { number: FIRST_LINE, state: LineState::Closed });
    }

    async fn line_again(&mut self, observer: &mut Observer<'_>) -> Option<Line> {
        self.go_online(observer).await.ok()
    }
}

/// What a macro dials: text as it stands, `$P<prompt>N<most digits>$` as it was typed, and `$Tinvite$` at
/// the end, which makes it a call. Anything else is not understood.
fn dialed(action: &str, digits: &[&str]) -> Option<String> {
    let rest = action.strip_suffix("$Tinvite$")?;
    let mut number = String::new();
    for (at, part) in rest.split('$').enumerate() {
        if at % 2 == 0 {
            number.push_str(part);
            continue;
        }
        let (prompt, most) = part.strip_prefix('P')?.split_once('N')?;
        let typed = digits.get(prompt.parse::<usize>().ok()?.checked_sub(1)?)?;
        number.extend(typed.chars().take(most.parse().ok()?));
    }
    (rest.matches('$').count() % 2 == 0 && !number.is_empty()).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_macro_dials_what_was_typed() {
        assert_eq!(dialed("*8$P1N4$$P2N2$$Tinvite$", &["12345", "67"]).as_deref(), Some("*8123467"));
        assert_eq!(dialed("$P1N13$$Tinvite$", &["1234567890123"]).as_deref(), Some("1234567890123"));
        for other in ["$FMessages$", "https://example.net/$P1N4$", "$P2N4$$Tinvite$", "$Tinvite$"] {
            assert_eq!(dialed(other, &["1"]), None, "{other}");
        }
    }
}
