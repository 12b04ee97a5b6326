//! What a person sees of a phone: the display as texts, the labels of its keys, its lamp.
//!
//! Decides nothing: the phone's task writes it, faces in a terminal or a browser draw it, scripts read it.

use crate::screen::Registration;

/// The face of a phone. Equal faces are equal pictures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Face {
    /// Whether the phone has power; without it everything else is empty.
    pub power: bool,
    /// The head line of the display.
    pub title: String,
    /// The rows the display shows now; a menu with more rows than the display has is paged.
    pub rows: Vec<Row>,
    /// The words above the soft keys, from the left; an unused key has none.
    pub soft_keys: Vec<String>,
    /// The line keys of the page shown, from the top.
    pub line_keys: Vec<LineKeyFace>,
    /// The page of line keys shown and how many there are, counted from 1.
    pub page: (u8, u8),
    /// What lies over everything else.
    pub pop_up: Option<String>,
    /// What is being typed.
    pub entry: Option<Entry>,
    /// The call, as long as there is one.
    pub call: Option<CallFace>,
    /// The phone's clock, `1999-01-01 00:00`.
    pub clock: String,
    /// The lamp.
    pub lamp: Lamp,
}

/// One row of the display.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// Its text; in a menu the name of an item.
    pub text: String,
    /// What the item is set to, or says.
    pub value: Option<String>,
    /// Whether it is the one the arrows are at.
    pub selected: bool,
}

/// A line key and what is beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineKeyFace {
    /// The key's number on its page, counted from 1.
    pub key: u8,
    /// The text beside the key; empty when the key does nothing.
    pub label: String,
    /// What is known of the line's registration; nothing for a key without a line.
    pub registration: Option<Registration>,
}

/// What is being typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What is asked for.
    pub prompt: String,
    /// The text as it is shown, masked where it is secret.
    pub text: String,
    /// What the dial pad types: `123`, `abc` or `ABC`; nothing where it types digits only.
    pub mode: Option<&'static str>,
}

/// A call as the display shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallFace {
    /// Whom it is with.
    pub number: String,
    /// How far it is, in words.
    pub state: String,
}

/// The lamp of a phone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lamp {
    /// Dark.
    #[default]
    Off,
    /// Lit, as while the phone starts and in a call.
    On,
}

impl Face {
    /// The soft key with this word, counted from 1; case does not matter.
    pub fn soft_key(&self, word: &str) -> Option<u8> {
        let at = self.soft_keys.iter().position(|known| known.eq_ignore_ascii_case(word))?;
        u8::try_from(at).ok()?.checked_add(1)
    }

    /// Everything that can be read on the phone, line by line.
    pub fn text(&self) -> String {
        let rows = self.rows.iter().map(|row| match &row.value {
            Some(value) => format!("{}: {value}", row.text),
            None => row.text.clone(),
        });
        let entry = self.entry.iter().map(|entry| format!("{} {}", entry.prompt, entry.text));
        let call = self.call.iter().map(|call| format!("{}: {}", call.state, call.number));
        let keys = self.line_keys.iter().filter(|key| !key.label.is_empty()).map(|key| key.label.clone());
        let soft = self.soft_keys.iter().filter(|word| !word.is_empty()).cloned();
        let whole = std::iter::once(self.title.clone()).chain(self.pop_up.clone()).chain(rows).chain(entry);
        whole.chain(call).chain(keys).chain(soft).collect::<Vec<_>>().join("\n")
    }
}
