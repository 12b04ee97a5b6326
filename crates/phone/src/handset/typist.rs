//! A person who types: which keys to press for a text.
//!
//! Decides it from the face alone and what is printed on the keys, as a person would; the phone knows nothing of it.

use std::time::Duration;

use provost_catalog::DialPad;

use crate::handset::Handset;
use crate::handset::key::Key;

/// Why a text cannot be typed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTyped {
    /// The phone asks for nothing.
    #[error("nothing can be typed: the phone asks for nothing")]
    NothingAsked,
    /// No key types this sign here.
    #[error("no key of this phone types `{sign}` here")]
    NoKey {
        /// The sign.
        sign: char,
    },
}

/// What a person must know of the keys.
#[derive(Debug)]
pub(crate) struct Fingers {
    pub(crate) pad: DialPad,
    /// Whether the pound key changes the mode.
    pub(crate) by_pound: bool,
}

/// How a sign is typed in one mode: the key, and how often it is pressed.
type Taps = (char, usize);

impl Handset {
    /// Types a text as a person would: changes the mode, presses a key as often as a letter needs, and waits before
    /// the next letter of the same key. Digits need only be typed, so a phone that asks for nothing begins to dial.
    ///
    /// # Errors
    /// [`NotTyped`] when the phone asks for nothing and `text` is no number, or no key types a sign.
    pub async fn type_text(&self, text: &str) -> Result<(), NotTyped> {
        let mut before = None;
        for sign in text.chars() {
            let mode = self.face.borrow().entry.as_ref().map(|entry| entry.mode);
            let (key, times) = match mode {
                None if Key::of_dial_pad(sign).is_none() => return Err(NotTyped::NothingAsked),
                None | Some(None) => (sign, 1),
                Some(Some(_)) => self.reach(sign).await?,
            };
            let pressed = Key::of_dial_pad(key).ok_or(NotTyped::NoKey { sign })?;
            if before == Some(key) {
                self.pause(Duration::from_millis(u64::from(self.fingers.pad.pause_millis.value).saturating_add(1)))
                    .await;
            }
            self.press_quickly(&vec![pressed; times]).await;
            before = Some(key).filter(|_| times > 1 || !sign.is_ascii_digit());
        }
        Ok(())
    }

    /// Changes the mode until it types `sign`, and says how.
    async fn reach(&self, sign: char) -> Result<Taps, NotTyped> {
        // There are three modes.
        for _ in 0..3 {
            let mode = self.face.borrow().entry.as_ref().and_then(|entry| entry.mode);
            if let Some(taps) = mode.and_then(|mode| self.fingers.taps(mode, sign)) {
                return Ok(taps);
            }
            let key = self.mode_key().ok_or(NotTyped::NoKey { sign })?;
            self.press(key).await;
        }
        Err(NotTyped::NoKey { sign })
    }

    fn mode_key(&self) -> Option<Key> {
        if self.fingers.by_pound {
            return Some(Key::Pound);
        }
        let words = &self.fingers.pad.mode_words;
        let face = self.face.borrow();
        let named = [&words.digits, &words.capitals, &words.small].into_iter().find_map(|word| face.soft_key(word));
        named.map(Key::Soft)
    }
}

impl Fingers {
    /// How a sign is typed in this mode, if it is.
    fn taps(&self, mode: &str, sign: char) -> Option<Taps> {
        // Where the pound key changes the mode, it types nothing.
        let types = |key: char| key != '#' || !self.by_pound;
        let folds = match mode {
            // The star is left out: in an address it is a dot, and nothing on the display tells which it will be.
            "123" => return Some((sign, 1)).filter(|(key, _)| key.is_ascii_digit() || *key == '#' && types('#')),
            "ABC" => |letter: char| letter.to_ascii_uppercase(),
            _ => |letter: char| letter,
        };
        // Digits are at the end of a long row of letters: nobody types them so.
        let wanted = Some(sign).filter(|sign| !sign.is_ascii_digit())?;
        self.pad.letters.iter().find_map(|(key, letters)| {
            let key = key.chars().next().filter(|key| types(*key))?;
            let at = letters.chars().position(|letter| folds(letter) == wanted)?;
            Some((key, at.saturating_add(1)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use provost_catalog::Catalog;

    #[test]
    fn star_and_pound_are_typed_unless_the_pound_key_changes_the_mode() {
        let pad = Catalog::built_in().unwrap().dial_pad().clone();
        let fingers = |by_pound: bool| Fingers { pad: pad.clone(), by_pound };

        for mode in ["123", "ABC", "abc"] {
            assert_eq!(fingers(false).taps(mode, '#'), Some(('#', 1)), "{mode}");
            assert_eq!(fingers(true).taps(mode, '#'), None, "{mode}");
        }
        assert_eq!(fingers(true).taps("abc", '*'), Some(('*', 1)));
        assert_eq!(fingers(false).taps("123", '*'), None);
        assert_eq!(fingers(false).taps("ABC", 'C'), Some(('2', 3)));
    }
}
