//! What the display shows when no layer lies on it, and what the keys do then.
//!
//! Decides how a call begins and ends by the keys. Rules: domain notes 3.9 B and D, 6. That a digit begins to dial and
//! that the arrows turn the pages of line keys is ours.

use crate::handset::desk::layer::{Layer, Then};
use crate::handset::desk::{Desk, Seen, Wish};
use crate::handset::hidden::Hidden;
use crate::handset::key::Key;

/// What lies under the layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ground {
    /// The phone starts and can be stopped.
    Stoppable,
    /// It was stopped and counts down.
    Counting {
        /// Seconds until it starts by itself.
        seconds: u64,
    },
    /// It is ready.
    Idle,
}

/// The soft key of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SoftKey {
    /// The word above it.
    pub(crate) label: String,
    /// What it asks before it dials; nothing when it asks nothing.
    pub(crate) prompt: Option<String>,
}

impl Desk {
    pub(super) fn press_ground(&mut self, key: Key, (ground, seen): (Ground, &Seen)) -> Option<Wish> {
        if ground != Ground::Idle {
            return None;
        }
        let in_call = seen.is_in_call();
        match key {
            Key::HookDown | Key::Speaker if in_call => Some(Wish::HangUp),
            key if in_call => key.dial_pad().map(|sign| Wish::Tones(Hidden(sign.to_string()))),
            Key::HookUp | Key::Speaker => self.lift(seen),
            Key::Home => self.open_main(),
            Key::Left | Key::Right => {
                self.turn_page(key, seen);
                None
            }
            Key::Line(number) => self.press_line(number, seen),
            Key::Touch(number) if self.hand.handset.touch.value => self.press_line(number, seen),
            key => {
                let begun = key.dial_pad()?.to_string();
                self.ask_number(&begun);
                None
            }
        }
    }

    /// Lifts the handset: a line that calls somebody by itself does.
    pub(super) fn lift(&mut self, seen: &Seen) -> Option<Wish> {
        if seen.calls_at_once {
            return Some(Wish::Lift);
        }
        self.ask_number("");
        None
    }

    fn open_main(&mut self) -> Option<Wish> {
        let menu = self.hand.tree.main.clone();
        let title = self.hand.menu(&menu).map_or_else(String::new, |menu| menu.title.clone());
        self.layers.push(Layer::menu(menu, title));
        None
    }

    fn press_line(&mut self, number: u8, seen: &Seen) -> Option<Wish> {
        let at = usize::from(self.page(seen).checked_mul(self.hand.line_keys())?.checked_add(number.checked_sub(1)?)?);
        let key = seen.view.lines.get(at).filter(|_| number <= self.hand.line_keys())?;
        // This phone brings up its first line only; another one's key does nothing.
        if key.line == 1 { self.lift(seen) } else { None }
    }

    fn turn_page(&mut self, key: Key, seen: &Seen) {
        let pages = self.pages(seen);
        let page = self.page(seen);
        self.page = match key {
            Key::Left => page.checked_sub(1).unwrap_or(pages.saturating_sub(1)),
            _ => page.saturating_add(1).checked_rem(pages).unwrap_or_default(),
        };
    }

    /// The page that is shown: there may be fewer than when it was turned to.
    pub(super) fn page(&self, seen: &Seen) -> u8 {
        self.page.min(self.pages(seen).saturating_sub(1))
    }

    /// Pages of line keys; one at least.
    pub(super) fn pages(&self, seen: &Seen) -> u8 {
        let pages = seen.view.lines.len().div_ceil(usize::from(self.hand.line_keys()));
        u8::try_from(pages).unwrap_or(u8::MAX).max(1)
    }

    /// A phone without an administrator password asks for one as soon as it is ready; one that got a password
    /// elsewhere stops asking.
    pub(crate) fn settle_first_password(&mut self, seen: &Seen) {
        let lacks = seen.view.admin_password.is_none();
        if lacks && !self.is_open() {
            self.ask_first_password(Then::Go);
        } else if !lacks && self.asks_first_password() {
            self.clear();
        }
    }
}
