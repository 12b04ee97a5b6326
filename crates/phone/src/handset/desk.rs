//! What lies on the display, layer upon layer: menus, questions, notices.
//!
//! Decides what each key does there and what it makes the phone do; never does it. Pure: time and what is known of
//! the phone are arguments. Words and menus are the catalog's; `draw` turns the layers into a face.

use std::time::Duration;

use provost_catalog::MenuAction;

use crate::handset::desk::layer::{Layer, SoftAction, Then};
use crate::handset::hand::Hand;
use crate::handset::hidden::Hidden;
use crate::handset::key::Key;
use crate::handset::view::View;
use crate::settings::Values;

pub(crate) mod draw;
pub(crate) mod ground;
pub(crate) mod layer;
mod menus;
mod questions;

pub(crate) use ground::{Ground, SoftKey};

/// What is known of the phone while a key is handled.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) view: View,
    /// What the configuration puts on a soft key.
    pub(crate) soft_key: Option<SoftKey>,
    /// Whether lifting the handset calls somebody at once.
    pub(crate) calls_at_once: bool,
    /// What lies over everything else and offers an update.
    pub(crate) notice: Option<String>,
}

impl Seen {
    /// Whether a call is under way.
    pub(crate) fn is_in_call(&self) -> bool {
        self.view.calls.iter().any(|call| call.ended_by.is_none())
    }
}

/// What the keys make the phone do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wish {
    /// Stop the start, so that the count-down shows.
    Stop,
    /// End the count-down.
    StartNow,
    /// What a row of a menu says.
    Do(MenuAction),
    /// Keep these device parameters and restart.
    Save(Hidden<Values>),
    /// Leave the setup as it was.
    LeaveSetup,
    /// Keep another administrator password.
    NewPassword(Hidden<String>),
    /// Call this number.
    Dial(Hidden<String>),
    /// Call what the soft key's macro makes of these answers.
    Answered(Hidden<Vec<String>>),
    /// Call whom the line calls by itself.
    Lift,
    /// Press keys in the call.
    Tones(Hidden<String>),
    /// Hang up.
    HangUp,
    /// Take the update that is offered.
    Update,
    /// Leave it for later.
    Later,
}

impl Wish {
    /// Whether it is done only after whoever pressed the key went on.
    pub(crate) fn takes_long(&self) -> bool {
        matches!(self, Self::Do(_) | Self::Save(_) | Self::Update)
    }

    /// What the display says while that is done; words of ours.
    pub(crate) fn busy_words(&self) -> &'static str {
        match self {
            Self::Do(MenuAction::UpdateConfiguration) => "Reading configuration",
            Self::Do(MenuAction::Restart) | Self::Save(_) => "Restarting",
            Self::Do(_) => "Resetting",
            _ => "Starting",
        }
    }
}

/// The display's layers.
pub(crate) struct Desk {
    pub(crate) hand: Hand,
    layers: Vec<Layer>,
    /// Device parameters changed and not yet kept.
    changes: Values,
    /// The page of line keys shown, counted from 0.
    page: u8,
}

impl Desk {
    pub(crate) fn new(hand: Hand) -> Self {
        Self { hand, layers: Vec::new(), changes: Values::new(), page: 0 }
    }

    /// Takes everything away.
    pub(crate) fn clear(&mut self) {
        self.layers.clear();
        self.changes.clear();
    }

    /// Whether anything lies on the ground.
    pub(crate) fn is_open(&self) -> bool {
        !self.layers.is_empty()
    }

    /// Says a word to the person.
    pub(crate) fn say(&mut self, words: String) {
        self.layers.push(Layer::Notice { words });
    }

    /// Handles one key at `now`.
    pub(crate) fn press(&mut self, key: Key, now: Duration, (ground, seen): (Ground, &Seen)) -> Option<Wish> {
        if let Key::Soft(number) = key {
            let action = self.soft_actions(ground, seen).into_iter().nth(usize::from(number).checked_sub(1)?)?.1;
            return self.soft(action, (ground, seen));
        }
        // Putting the handset down ends a call, whatever lies on the display.
        if key == Key::HookDown && ground == Ground::Idle && seen.is_in_call() {
            return Some(Wish::HangUp);
        }
        match self.layers.last() {
            None => self.press_ground(key, (ground, seen)),
            Some(Layer::Menu { .. }) => self.press_menu(key, (ground, seen)),
            Some(Layer::Asked(_)) => self.press_question(key, now, seen),
            Some(Layer::Choosing { .. }) => self.press_choice(key),
            Some(Layer::Sure(_) | Layer::Notice { .. }) => match key {
                Key::Back | Key::Left => self.soft(SoftAction::Leave, (ground, seen)),
                Key::Home if ground == Ground::Idle => {
                    self.layers.pop();
                    self.go_home(ground)
                }
                Key::Select => {
                    let (_, action) = self.soft_actions(ground, seen).into_iter().next()?;
                    self.soft(action, (ground, seen))
                }
                _ => None,
            },
        }
    }

    /// What a soft key does where it is pressed.
    fn soft(&mut self, action: SoftAction, (ground, seen): (Ground, &Seen)) -> Option<Wish> {
        match action {
            SoftAction::None => None,
            SoftAction::Stop => Some(Wish::Stop),
            SoftAction::StartNow => Some(Wish::StartNow),
            SoftAction::Setup => {
                self.ask_password(Then::Setup);
                self.first_if_none(Then::Setup, seen)
            }
            SoftAction::Select => self.select((ground, seen)),
            SoftAction::Accept => self.accept(seen),
            SoftAction::Mode => {
                if let Some(Layer::Asked(question)) = self.layers.last_mut() {
                    question.typing.next_mode();
                }
                None
            }
            SoftAction::Erase => {
                if let Some(Layer::Asked(question)) = self.layers.last_mut() {
                    question.typing.delete();
                }
                None
            }
            SoftAction::Leave => self.leave(ground),
            SoftAction::Yes => match self.layers.pop() {
                Some(Layer::Sure(action)) => Some(Wish::Do(action)),
                _ => None,
            },
            SoftAction::Macro => self.run_macro(seen),
            SoftAction::NewCall => {
                self.ask_number("");
                None
            }
            SoftAction::HangUp => Some(Wish::HangUp),
            SoftAction::Update => Some(Wish::Update),
            SoftAction::Later => Some(Wish::Later),
        }
    }
}
