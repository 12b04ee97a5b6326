//! Text typed on a dial pad: digits, and letters by pressing a key several times.
//!
//! Decides what each press makes of the text. Time is an argument. The signs of each key are the catalog's.

use std::fmt;
use std::time::Duration;

use provost_catalog::{DialPad, ModeWords};

/// Longest text a phone takes; the limit of its own web page.
const LONGEST: usize = 255;

/// What the dial pad types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Digits,
    Capitals,
    Small,
}

impl Mode {
    /// The word faces show for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Digits => "123",
            Self::Capitals => "ABC",
            Self::Small => "abc",
        }
    }

    /// What the mode key says.
    pub(crate) fn label(self, words: &ModeWords) -> &str {
        match self {
            Self::Digits => &words.digits,
            Self::Capitals => &words.capitals,
            Self::Small => &words.small,
        }
    }

    fn next(self) -> Self {
        match self {
            Self::Digits => Self::Capitals,
            Self::Capitals => Self::Small,
            Self::Small => Self::Digits,
        }
    }
}

/// What kind of text is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An address, or any other text.
    Address,
    /// A password; shown masked.
    Secret,
    /// Keys of the dial pad as they are; there are no modes.
    Dialed,
    /// Digits alone; there are no modes.
    Number,
}

/// Text being typed; no debug output shows it.
#[derive(Clone)]
pub(crate) struct Typing {
    text: String,
    kind: Kind,
    mode: Mode,
    /// The key pressed last, which sign of it stands there, and when it was pressed.
    last: Option<(char, usize, Duration)>,
}

impl Typing {
    /// Starts with `text` already there. A password begins with digits, an address with small letters.
    pub(crate) fn new(kind: Kind, text: &str) -> Self {
        let mode = if kind == Kind::Address { Mode::Small } else { Mode::Digits };
        Self { text: text.to_owned(), kind, mode, last: None }
    }

    /// Whether it is masked.
    pub(crate) fn is_secret(&self) -> bool {
        self.kind == Kind::Secret
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The text as it is shown.
    pub(crate) fn shown(&self) -> String {
        match self.kind {
            Kind::Secret => "*".repeat(self.text.chars().count()),
            Kind::Address | Kind::Dialed | Kind::Number => self.text.clone(),
        }
    }

    /// The mode, where there are any.
    pub(crate) fn mode(&self) -> Option<Mode> {
        self.has_modes().then_some(self.mode)
    }

    /// Presses a key of the dial pad at `now`.
    pub(crate) fn press(&mut self, key: char, now: Duration, pad: &DialPad) {
        let name = key.to_string();
        let letters: Vec<char> = match (self.kind, self.mode) {
            (Kind::Number, _) if !key.is_ascii_digit() => return,
            (Kind::Dialed | Kind::Number, _) => vec![key],
            (Kind::Address, Mode::Digits) => pad.address_signs.get(&name).unwrap_or(&name).chars().collect(),
            (Kind::Secret, Mode::Digits) => vec![key],
            (_, Mode::Capitals) => letters(pad, &name).map(|letter| letter.to_ascii_uppercase()).collect(),
            (_, Mode::Small) => letters(pad, &name).collect(),
        };
        let pause = Duration::from_millis(pad.pause_millis.value.into());
        let again = self.last.filter(|(before, _, at)| *before == key && now.saturating_sub(*at) < pause);
        let (replaced, at) = match again {
            Some((_, at, _)) if letters.len() > 1 => {
                (self.text.pop(), at.saturating_add(1).checked_rem(letters.len()).unwrap_or_default())
            }
            _ => (None, 0),
        };
        let Some(sign) = letters.get(at) else { return };
        if self.add(*sign) {
            self.last = Some((key, at, now));
        } else {
            // The field is full: what stood there stays, and the next press replaces none of it.
            self.text.extend(replaced);
            self.settle();
        }
    }

    /// Ends the letter under way, as the right arrow does.
    pub(crate) fn settle(&mut self) {
        self.last = None;
    }

    pub(crate) fn next_mode(&mut self) {
        self.settle();
        if self.has_modes() {
            self.mode = self.mode.next();
        }
    }

    pub(crate) fn delete(&mut self) {
        self.settle();
        self.text.pop();
    }

    /// Puts text in as it is; signs no display shows are left out.
    pub(crate) fn put(&mut self, text: &str) {
        self.settle();
        let takes = |sign: &char| !sign.is_control() && (self.kind != Kind::Number || sign.is_ascii_digit());
        let taken: Vec<char> = text.chars().filter(takes).collect();
        for sign in taken {
            self.add(sign);
        }
    }

    fn has_modes(&self) -> bool {
        matches!(self.kind, Kind::Address | Kind::Secret)
    }

    /// Adds a sign, if there is room for it.
    fn add(&mut self, sign: char) -> bool {
        let fits = self.text.len().saturating_add(sign.len_utf8()) <= LONGEST;
        if fits {
            self.text.push(sign);
        }
        fits
    }
}

impl fmt::Debug for Typing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signs = self.text.chars().count();
        out.debug_struct("Typing").field("kind", &self.kind).field("signs", &signs).finish_non_exhaustive()
    }
}

fn letters<'a>(pad: &'a DialPad, key: &str) -> impl Iterator<Item = char> + 'a {
    pad.letters.get(key).map(String::as_str).unwrap_or_default().chars()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use provost_catalog::Catalog;

    fn typed(kind: Kind, modes: usize, keys: &[(char, u64)]) -> Typing {
        let catalog = Catalog::built_in().unwrap();
        let mut typing = Typing::new(kind, "");
        (0..modes).for_each(|_| typing.next_mode());
        for (key, millis) in keys {
            typing.press(*key, Duration::from_millis(*millis), catalog.dial_pad());
        }
        typing
    }

    #[test]
    fn the_third_press_of_two_is_a_c() {
        assert_eq!(typed(Kind::Secret, 2, &[('2', 0), ('2', 200), ('2', 400)]).text(), "c");
        assert_eq!(typed(Kind::Secret, 1, &[('2', 0), ('2', 200), ('2', 400)]).text(), "C");
    }

    #[test]
    fn a_pause_begins_a_new_letter() {
        assert_eq!(typed(Kind::Secret, 2, &[('2', 0), ('2', 1000)]).text(), "aa");
        assert_eq!(typed(Kind::Secret, 2, &[('2', 0), ('3', 10), ('3', 20)]).text(), "ae");
    }

    #[test]
    fn digits_need_no_pause_and_a_star_is_a_dot_in_an_address() {
        assert_eq!(typed(Kind::Secret, 0, &[('4', 0), ('4', 1), ('*', 2)]).text(), "44*");
        assert_eq!(typed(Kind::Address, 1, &[('1', 0), ('1', 1), ('*', 2), ('9', 3)]).text(), "11.9");
    }

    #[test]
    fn a_number_holds_digits_alone() {
        let mut typing = typed(Kind::Number, 0, &[('1', 0), ('*', 1), ('#', 2), ('2', 3)]);

        typing.put("x3");

        assert_eq!((typing.text(), typing.mode()), ("123", None));
    }

    #[test]
    fn a_password_is_shown_as_stars() {
        let typing = typed(Kind::Secret, 0, &[('4', 0), ('5', 1), ('6', 2)]);

        assert_eq!((typing.text(), typing.shown().as_str()), ("456", "***"));
    }

    #[test]
    fn a_full_field_keeps_what_stands_in_it() {
        let catalog = Catalog::built_in().unwrap();
        let mut typing = Typing::new(Kind::Address, "");
        typing.put(&"x".repeat(LONGEST));

        for millis in [0, 100, 200] {
            typing.press('2', Duration::from_millis(millis), catalog.dial_pad());
        }

        assert_eq!(typing.text(), "x".repeat(LONGEST));
    }

    #[test]
    fn what_is_typed_is_in_no_debug_output() {
        assert!(!format!("{:?}", typed(Kind::Secret, 0, &[('4', 0), ('5', 1), ('6', 2)])).contains("456"));
    }

    proptest! {
        #[test]
        fn no_text_grows_beyond_its_limit(texts in proptest::collection::vec("\\PC{0,80}", 0..8)) {
            let mut typing = Typing::new(Kind::Address, "");
            texts.iter().for_each(|text| typing.put(text));

            prop_assert!(typing.text().len() <= LONGEST);
        }
    }
}
