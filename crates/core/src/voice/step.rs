//! What goes into a conversation and what comes out of it.

use super::prompt::Prompt;
use super::refusal::Refusal;
use crate::code::{ActivationCode, CODE_DIGITS};
use crate::secret::Secret;
use std::fmt;

/// Milliseconds of a clock that only goes forward, from any origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Millis(pub u64);

impl Millis {
    /// This many milliseconds later.
    #[must_use]
    pub const fn plus(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }
}

/// A key that means something here. `Debug` does not tell which.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key(pub(super) char);

impl Key {
    /// `0` to `9`, `*` and `#`; the keys `A` to `D` mean nothing here.
    pub fn from_char(key: char) -> Option<Self> {
        matches!(key, '0'..='9' | '*' | '#').then_some(Self(key))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Key(***)")
    }
}

/// How a call begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// The caller is asked for a code.
    Ask,
    /// The phone asked for the code itself and dialed it.
    Code(Secret),
    /// An emergency number was dialed.
    Emergency(String),
}

impl Opening {
    /// What a dialed number means: one of `emergency_numbers`, about as many digits as a code has, or anything else.
    pub fn of_dialed(dialed: &str, emergency_numbers: &[String]) -> Self {
        if emergency_numbers.iter().any(|number| number == dialed) {
            return Self::Emergency(dialed.to_owned());
        }
        let digits = dialed.chars().filter(char::is_ascii_digit).count();
        let near = CODE_DIGITS.saturating_sub(3)..=CODE_DIGITS.saturating_add(3);
        let plain = dialed.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '.' | ' '));
        if plain && near.contains(&digits) { Self::Code(Secret::from(dialed)) } else { Self::Ask }
    }
}

/// Tells the end of one [`Step::Say`] from that of an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SayId(pub(super) u32);

/// What to do, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Stop what is being said and say these one after another; report the end to [`super::Dialogue::played`].
    Say {
        /// What to report.
        id: SayId,
        /// Never empty.
        prompts: Vec<Prompt>,
    },
    /// Stop what is being said.
    Hush,
    /// Try this code and bring the answer to [`super::Dialogue::verdict`].
    Try(ActivationCode),
    /// Call [`super::Dialogue::woke`] then, and no longer at the time named before; a call too early does no harm.
    WakeAt(Millis),
    /// Tell an administrator that somebody needed help.
    Emergency {
        /// The number dialed or keyed.
        number: String,
    },
    /// End the call; nothing follows.
    HangUp,
}

/// What became of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The phone is bound.
    Activated {
        /// For whom; none for a user without one.
        extension: Option<String>,
    },
    /// It is not.
    Refused {
        /// Why.
        why: Refusal,
        /// What an administrator finds the refusal by, as `R-7KQ4MX`; none if nothing was written down.
        reference: Option<String>,
    },
}
