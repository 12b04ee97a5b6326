//! The keys of a phone and the words for them.
//!
//! Decides which words name a key; never what a key does.

use std::fmt;
use std::str::FromStr;

/// A key, or a place on a display that is touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// A digit of the dial pad, 0 to 9.
    Digit(u8),
    /// The star.
    Star,
    /// The pound sign.
    Pound,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// The key within the arrows.
    Select,
    /// Home; `menu` on phones that call it so.
    Home,
    /// Back.
    Back,
    /// A key below the display, counted from 1.
    Soft(u8),
    /// A key beside the display, counted from 1 on each page.
    Line(u8),
    /// A row of a display that can be touched, counted from 1.
    Touch(u8),
    /// The handset is lifted.
    HookUp,
    /// The handset is put down.
    HookDown,
    /// The speaker key.
    Speaker,
    /// Delete.
    Delete,
    /// Louder.
    VolumeUp,
    /// Quieter.
    VolumeDown,
}

/// Keys that have one word each.
const WORDS: [(Key, &str); 15] = [
    (Key::Star, "*"),
    (Key::Pound, "#"),
    (Key::Up, "up"),
    (Key::Down, "down"),
    (Key::Left, "left"),
    (Key::Right, "right"),
    (Key::Select, "select"),
    (Key::Home, "home"),
    (Key::Back, "back"),
    (Key::HookUp, "off hook"),
    (Key::HookDown, "on hook"),
    (Key::Speaker, "speaker"),
    (Key::Delete, "delete"),
    (Key::VolumeUp, "volume up"),
    (Key::VolumeDown, "volume down"),
];
/// Other words people use for the same keys.
const ALSO: [(Key, &str); 3] = [(Key::Home, "menu"), (Key::Star, "star"), (Key::Pound, "pound")];

/// Text that names no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no key; write a digit, * or #, up, select, home, `soft 1`, `line 1`, `off hook` and so on")]
pub struct NotAKey {
    /// The text as it came, at most its first 40 characters.
    pub found: String,
}

impl Key {
    /// The key of the dial pad with this sign.
    pub fn of_dial_pad(sign: char) -> Option<Self> {
        match sign {
            '*' => Some(Self::Star),
            '#' => Some(Self::Pound),
            _ => sign.to_digit(10).and_then(|digit| u8::try_from(digit).ok()).map(Self::Digit),
        }
    }

    /// What the dial pad's key is called; `None` for any other key.
    pub fn dial_pad(self) -> Option<char> {
        match self {
            Self::Digit(digit) => char::from_digit(digit.into(), 10),
            Self::Star => Some('*'),
            Self::Pound => Some('#'),
            _ => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digit(digit) => write!(out, "{digit}"),
            Self::Soft(number) => write!(out, "soft {number}"),
            Self::Line(number) => write!(out, "line {number}"),
            Self::Touch(row) => write!(out, "touch {row}"),
            key => out.write_str(WORDS.iter().find(|(known, _)| known == key).map_or("", |(_, word)| word)),
        }
    }
}

impl FromStr for Key {
    type Err = NotAKey;

    /// Reads a key's word in either case, blanks folded.
    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let refused = || NotAKey { found: text.chars().take(40).collect() };
        let word = text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some((key, _)) = WORDS.iter().chain(&ALSO).find(|(_, known)| *known == word) {
            return Ok(*key);
        }
        let mut signs = word.chars();
        if let (Some(sign), None) = (signs.next(), signs.next()) {
            return Self::of_dial_pad(sign).ok_or_else(refused);
        }
        let (kind, number) = word.split_once(' ').ok_or_else(refused)?;
        let number: u8 = number.parse().ok().filter(|number| *number > 0).ok_or_else(refused)?;
        match kind {
            "soft" => Ok(Self::Soft(number)),
            "line" => Ok(Self::Line(number)),
            "touch" => Ok(Self::Touch(number)),
            _ => Err(refused()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_key_is_read_back_from_its_word() {
        let numbered = [Key::Soft(4), Key::Line(12), Key::Touch(1)].into_iter();
        for key in numbered.chain((0..=9).map(Key::Digit)).chain(WORDS.map(|(key, _)| key)) {
            assert_eq!(key.to_string().parse(), Ok(key));
        }
        assert_eq!(" Off  HOOK".parse(), Ok(Key::HookUp));
        assert_eq!("Menu".parse(), Ok(Key::Home));
    }

    #[test]
    fn other_words_are_refused_with_what_was_found() {
        for text in ["", "soft", "soft 0", "line 300", "a", "10", "٣"] {
            assert_eq!(text.parse::<Key>().unwrap_err().found, text);
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,60}") {
            if let Ok(key) = text.parse::<Key>() {
                prop_assert_eq!(key.to_string().parse(), Ok(key));
            }
        }
    }
}
