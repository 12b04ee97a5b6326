//! What is typed: passwords, values, numbers.
//!
//! Decides what is taken, what is refused and what follows. Pure. The MAC address is a password in the reset dialog
//! and for the setup of a starting phone; where a phone leaves the factory without a password, the usual one is refused as a new one.
//! Rules: domain notes 6, providers 3.2. Of a new password no more is known than that: it must not be empty, and be
//! typed twice. Words are ours where the catalog has none.

use std::time::Duration;

use provost_catalog::{MenuAction, ModeKey};

use crate::handset::desk::layer::{Layer, Purpose, Question, Then};
use crate::handset::desk::{Desk, Seen, Wish};
use crate::handset::hidden::Hidden;
use crate::handset::key::Key;
use crate::handset::typing::{Kind, Typing};
use crate::mac::Mac;

impl Desk {
    /// The keys that reset were held: asks for the password.
    pub(crate) fn ask_reset(&mut self) {
        self.ask_password(Then::Reset);
    }

    /// Asks for a new administrator password where a phone has none.
    pub(crate) fn ask_first_password(&mut self, then: Then) {
        let question = Question::new(Purpose::NewPassword(Box::new(then)), "Enter new admin password", Kind::Secret);
        self.layers.push(Layer::Asked(question));
    }

    /// Whether the display waits for the first password of all.
    pub(crate) fn asks_first_password(&self) -> bool {
        let first = |layer: &Layer| match layer {
            Layer::Asked(question) => {
                matches!(&question.purpose, Purpose::NewPassword(then) | Purpose::Again(then, _) if **then == Then::Go)
            }
            _ => false,
        };
        self.layers.iter().any(first)
    }

    /// Puts text where something is being typed.
    pub(crate) fn put(&mut self, text: &str) -> bool {
        match self.layers.last_mut() {
            Some(Layer::Asked(question)) => {
                question.typing.put(text);
                true
            }
            _ => false,
        }
    }

    pub(super) fn press_question(&mut self, key: Key, now: Duration, seen: &Seen) -> Option<Wish> {
        let by_pound = self.hand.handset.mode_key.value == ModeKey::Pound;
        let Some(Layer::Asked(question)) = self.layers.last_mut() else { return None };
        match key {
            Key::Pound if by_pound && question.typing.mode().is_some() => question.typing.next_mode(),
            Key::Delete => question.typing.delete(),
            Key::Right => question.typing.settle(),
            Key::Select => return self.accept(seen),
            Key::Back => {
                self.cancel();
            }
            Key::HookDown if matches!(question.purpose, Purpose::Number) => {
                self.layers.pop();
            }
            key => {
                let sign = key.dial_pad()?;
                let pad = self.hand.pad();
                question.typing.press(sign, now, pad);
            }
        }
        None
    }

    /// Takes what was typed.
    pub(super) fn accept(&mut self, seen: &Seen) -> Option<Wish> {
        if matches!(self.layers.last(), Some(Layer::Choosing { .. })) {
            self.take_choice();
            return None;
        }
        let Some(Layer::Asked(question)) = self.layers.last_mut() else { return None };
        question.typing.settle();
        let text = question.typing.text().to_owned();
        match question.purpose.clone() {
            Purpose::Password(then) => self.password_typed(&text, then, seen),
            Purpose::Value(change) => {
                // A password is not shown again: one that is not typed stays.
                let stays = question.typing.is_secret() && text.is_empty();
                self.layers.pop();
                if !stays {
                    self.changes.insert(change.parameter, text);
                }
                None
            }
            Purpose::NewPassword(then) => self.new_password_typed(text, *then),
            Purpose::Again(then, first) => self.password_repeated(&text, *then, &first.0),
            Purpose::Number => {
                self.layers.pop();
                (!text.is_empty()).then_some(Wish::Dial(Hidden(text)))
            }
            Purpose::Prompt => {
                self.layers.pop();
                (!text.is_empty()).then(|| Wish::Answered(Hidden(vec![text])))
            }
        }
    }

    pub(super) fn password_typed(&mut self, text: &str, then: Then, seen: &Seen) -> Option<Wish> {
        let own = matches!(then, Then::Reset | Then::Setup) && text.parse::<Mac>() == Ok(seen.view.mac);
        if !own && !seen.view.is_admin_password(text) {
            let words = self.hand.tree.wrong_password.clone();
            if let Some(Layer::Asked(question)) = self.layers.last_mut() {
                question.typing = Typing::new(Kind::Secret, "");
            }
            self.layers.push(Layer::Notice { words });
            return None;
        }
        self.layers.pop();
        self.go_on(then)
    }

    pub(super) fn new_password_typed(&mut self, text: String, then: Then) -> Option<Wish> {
        let refused = text.is_empty() || text == self.hand.factory_password() && self.hand.asks_for_password();
        self.layers.pop();
        if refused {
            self.ask_first_password(then);
            self.layers.push(Layer::Notice { words: "This password cannot be used".to_owned() });
            return None;
        }
        let purpose = Purpose::Again(Box::new(then), Hidden(text));
        self.layers.push(Layer::Asked(Question::new(purpose, "Confirm admin password", Kind::Secret)));
        None
    }

    pub(super) fn password_repeated(&mut self, text: &str, then: Then, first: &str) -> Option<Wish> {
        self.layers.pop();
        if text != first {
            self.ask_first_password(then);
            self.layers.push(Layer::Notice { words: "The passwords are not the same".to_owned() });
            return None;
        }
        // What follows only opens menus: whatever wish there is is the new password.
        let _ = self.go_on(then);
        Some(Wish::NewPassword(Hidden(text.to_owned())))
    }

    pub(super) fn go_on(&mut self, then: Then) -> Option<Wish> {
        match then {
            Then::Open { menu, title } => self.layers.push(Layer::menu(menu, title)),
            Then::Setup => {
                let menu = self.hand.tree.setup.clone();
                let title = self.hand.menu(&menu).map_or_else(String::new, |menu| menu.title.clone());
                self.layers.push(Layer::menu(menu, title));
            }
            Then::Reset => self.layers.push(Layer::Sure(MenuAction::ResetToFactory)),
            Then::Back | Then::Go => {}
        }
        None
    }

    /// Asks for a new password in place of one that does not exist.
    pub(super) fn first_if_none(&mut self, then: Then, seen: &Seen) -> Option<Wish> {
        if seen.view.admin_password.is_none() {
            self.layers.pop();
            self.ask_first_password(then);
        }
        None
    }

    pub(super) fn ask_password(&mut self, then: Then) {
        self.layers.push(Layer::Asked(Question::new(Purpose::Password(then), "Enter password", Kind::Secret)));
    }

    pub(crate) fn ask_number(&mut self, begun: &str) {
        let mut question = Question::new(Purpose::Number, "Enter number", Kind::Dialed);
        question.typing.put(begun);
        self.layers.push(Layer::Asked(question));
    }

    pub(super) fn run_macro(&mut self, seen: &Seen) -> Option<Wish> {
        let soft_key = seen.soft_key.as_ref()?;
        let Some(prompt) = &soft_key.prompt else { return Some(Wish::Answered(Hidden(Vec::new()))) };
        self.layers.push(Layer::Asked(Question::new(Purpose::Prompt, prompt, Kind::Dialed)));
        None
    }

    pub(super) fn cancel(&mut self) {
        let first = self.asks_first_password();
        match self.layers.last() {
            // A phone without a password asks until it has one.
            Some(Layer::Asked(question)) if first && matches!(question.purpose, Purpose::NewPassword(_)) => {}
            Some(Layer::Asked(question)) if first && matches!(question.purpose, Purpose::Again(..)) => {
                self.layers.pop();
                self.ask_first_password(Then::Go);
            }
            _ => {
                self.layers.pop();
            }
        }
    }
}
