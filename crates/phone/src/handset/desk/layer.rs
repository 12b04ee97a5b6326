//! The kinds of layers, and what the soft keys below each are.
//!
//! Decides nothing but shapes: `desk` decides what happens on them.

use provost_catalog::{Choice, MenuAction};

use crate::handset::hidden::Hidden;
use crate::handset::typing::{Kind, Typing};

/// One layer on the display.
#[derive(Debug, Clone)]
pub(crate) enum Layer {
    /// A menu; the arrows are at the row `at`.
    Menu { menu: String, title: String, at: usize },
    /// Something is typed.
    Asked(Question),
    /// One of a few values is chosen.
    Choosing { change: Change, choices: Vec<Choice>, at: usize },
    /// A last question before something is lost.
    Sure(MenuAction),
    /// A word to the person; Cancel takes it away.
    Notice { words: String },
}

/// Something that is typed.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) purpose: Purpose,
    pub(crate) prompt: String,
    pub(crate) typing: Typing,
}

/// What typed text is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The administrator password, or the MAC address where that counts.
    Password(Then),
    /// A parameter.
    Value(Change),
    /// A new administrator password.
    NewPassword(Box<Then>),
    /// The same once more.
    Again(Box<Then>, Hidden<String>),
    /// A number to call.
    Number,
    /// What the soft key's macro asks.
    Prompt,
}

/// A parameter under change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) title: String,
    pub(crate) parameter: String,
}

/// What follows a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Then {
    /// This menu.
    Open { menu: String, title: String },
    /// The setup.
    Setup,
    /// The last question before a reset.
    Reset,
    /// Whatever is below.
    Back,
    /// The phone goes on as usual; this was its first password.
    Go,
}

/// What a soft key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SoftAction {
    None,
    Stop,
    StartNow,
    Setup,
    Select,
    Accept,
    Mode,
    Erase,
    Leave,
    Yes,
    Macro,
    NewCall,
    HangUp,
    Update,
    Later,
}

impl Layer {
    /// A menu with the arrows at its first row.
    pub(crate) fn menu(menu: String, title: String) -> Self {
        Self::Menu { menu, title, at: 0 }
    }
}

impl Question {
    pub(crate) fn new(purpose: Purpose, prompt: &str, kind: Kind) -> Self {
        Self { purpose, prompt: prompt.to_owned(), typing: Typing::new(kind, "") }
    }
}
