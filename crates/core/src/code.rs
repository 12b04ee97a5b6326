//! The activation code a person types into a phone.
//!
//! Decides how a code is drawn, checked and shown. Never decides whether it is still good: that is
//! the store's, in one transaction. Thirteen digits as the field uses; the thirteenth is Damm's
//! check digit, which catches every single wrong digit and every swap of neighbors, so a typing
//! mistake is told from a wrong code without asking anybody (docs/THREATS.md, rule 8).

use rand::Rng;
use std::fmt;
use zeroize::Zeroize;

/// Digits in a code, check digit included.
pub const CODE_DIGITS: usize = 13;

/// Days a code can be used after it was issued; the longest any other provider grants.
pub const CODE_VALID_DAYS: i64 = 90;

/// Twelve random digits and one check digit.
#[derive(Clone, PartialEq, Eq)]
pub struct ActivationCode([u8; CODE_DIGITS]);

/// Text that is not an activation code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// Not thirteen digits, separators left out.
    #[error("an activation code has 13 digits, this has {found} ({others} other characters)")]
    Length {
        /// How many digits came.
        found: usize,
        /// How many characters came that are neither digits nor separators.
        others: usize,
    },
    /// Thirteen digits whose last does not fit the others.
    #[error("these digits hold a typing mistake (the check digit does not fit); compare them with the code once more")]
    CheckDigit,
}

impl ActivationCode {
    /// Draws a new code; `rng` must be fit for secrets.
    pub fn draw(rng: &mut impl Rng) -> Self {
        let mut digits = [0u8; CODE_DIGITS];
        let mut number = rand::RngExt::random_range(rng, 0..1_000_000_000_000u64);
        let Some((check, random)) = digits.split_last_mut() else { return Self(digits) };
        for digit in random.iter_mut().rev() {
            *digit = u8::try_from(number % 10).unwrap_or(0);
            number /= 10;
        }
        *check = check_digit(random);
        Self(digits)
    }

    /// Reads a code as people write it: spaces, dashes and dots between the digits do not matter.
    ///
    /// # Errors
    /// [`CodeError`] tells a wrong length from a typing mistake.
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let mut digits = [0u8; CODE_DIGITS];
        let (mut found, mut others) = (0usize, 0usize);
        for c in text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '\u{a0}')) {
            match c.to_digit(10).and_then(|digit| u8::try_from(digit).ok()) {
                Some(digit) => {
                    if let Some(place) = digits.get_mut(found) {
                        *place = digit;
                    }
                    found = found.saturating_add(1);
                }
                None => others = others.saturating_add(1),
            }
        }
        if found != CODE_DIGITS || others > 0 {
            return Err(CodeError::Length { found, others });
        }
        if check_digit(&digits) != 0 {
            return Err(CodeError::CheckDigit);
        }
        Ok(Self(digits))
    }

    /// The thirteen digits without separators: what is hashed, encrypted and sent as DTMF.
    pub fn digits(&self) -> String {
        self.0.iter().map(|digit| char::from(b'0'.saturating_add(*digit))).collect()
    }

    /// The code as a person reads it, grouped 4-4-5: `1234 5678 90123`.
    pub fn grouped(&self) -> String {
        let mut shown = String::with_capacity(CODE_DIGITS.saturating_add(2));
        for (place, digit) in self.0.iter().enumerate() {
            if place == 4 || place == 8 {
                shown.push(' ');
            }
            shown.push(char::from(b'0'.saturating_add(*digit)));
        }
        shown
    }
}

impl fmt::Debug for ActivationCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("ActivationCode(***)")
    }
}

impl Drop for ActivationCode {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// The digit that brings Damm's algorithm to zero; over a whole code the result is 0.
///
/// Source: H. M. Damm, "Total anti-symmetrische Quasigruppen", 2004, the order-10 quasigroup.
fn check_digit(digits: &[u8]) -> u8 {
    const QUASIGROUP: [[u8; 10]; 10] = [
        [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
        [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
        [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
        [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
        [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
        [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
        [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
        [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
        [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
        [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
    ];
    digits.iter().fold(0u8, |interim, digit| {
        QUASIGROUP.get(usize::from(interim)).and_then(|row| row.get(usize::from(*digit))).copied().unwrap_or(10)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;

    fn code(seed: u64) -> ActivationCode {
        ActivationCode::draw(&mut rand::rngs::StdRng::seed_from_u64(seed))
    }

    #[test]
    fn a_code_is_shown_in_groups_of_4_4_5_and_read_back() {
        let code = code(1);

        let shown = code.grouped();

        assert_eq!(shown.split(' ').map(str::len).collect::<Vec<_>>(), [4, 4, 5]);
        assert_eq!(ActivationCode::parse(&shown).unwrap(), code);
        assert_eq!(ActivationCode::parse(&shown.replace(' ', "-")).unwrap(), code);
    }

    #[test]
    fn a_code_is_not_shown_by_debug() {
        assert_eq!(format!("{:?}", code(2)), "ActivationCode(***)");
    }

    #[test]
    fn the_published_example_of_damms_algorithm_holds() {
        assert_eq!(check_digit(&[5, 7, 2]), 4);
    }

    proptest! {
        #[test]
        fn one_wrong_digit_or_two_swapped_neighbors_are_a_typing_mistake(seed: u64, place in 0usize..13, by in 1u32..10) {
            let digits: Vec<char> = code(seed).digits().chars().collect();
            let mut wrong = digits.clone();
            wrong[place] = char::from_digit((wrong[place].to_digit(10).unwrap() + by) % 10, 10).unwrap();
            prop_assert_eq!(ActivationCode::parse(&wrong.iter().collect::<String>()), Err(CodeError::CheckDigit));
            let mut swapped = digits.clone();
            swapped.swap(place.min(11), place.min(11) + 1);
            if swapped != digits {
                prop_assert_eq!(ActivationCode::parse(&swapped.iter().collect::<String>()), Err(CodeError::CheckDigit));
            }
        }

        #[test]
        fn reading_never_panics(text in ".{0,40}") {
            let _ = ActivationCode::parse(&text);
        }
    }
}
