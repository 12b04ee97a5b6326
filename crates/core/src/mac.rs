//! The MAC address that names a phone.
//!
//! Decides what text is a MAC address; never guesses a vendor from it (newest units carry blocks of
//! other companies, so an unknown prefix is no reason to refuse a phone).

use std::fmt;
use std::str::FromStr;

/// A phone's MAC address; shown as twelve lower-case hexadecimal digits, as phones write it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddr([u8; 6]);

/// Text that is not a MAC address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a MAC address; expected twelve hexadecimal digits such as 0004f2a1b2c3")]
pub struct MacError {
    /// The text as it came, at most its first 40 characters.
    pub found: String,
}

impl MacAddr {
    /// The address of these six bytes.
    pub const fn new(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }

    /// The six bytes, first transmitted first.
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }

    /// `000000000000`: in file names it means "any phone", never one phone.
    pub fn is_zero(self) -> bool {
        self.0 == [0; 6]
    }

    /// Reads exactly twelve hexadecimal digits of either case, without separators.
    ///
    /// File names and certificates use only this form; [`FromStr`] also takes what people type.
    pub fn from_hex12(text: &str) -> Option<Self> {
        let digits: [u8; 12] = text.as_bytes().try_into().ok()?;
        let mut bytes = [0u8; 6];
        for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
            let [high, low] = *pair;
            *byte = nibble(high)?.checked_mul(16)?.checked_add(nibble(low)?)?;
        }
        Some(Self(bytes))
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(digit.wrapping_sub(b'a').wrapping_add(10)),
        b'A'..=b'F' => Some(digit.wrapping_sub(b'A').wrapping_add(10)),
        _ => None,
    }
}

impl FromStr for MacAddr {
    type Err = MacError;

    /// Reads `0004F2A1B2C3`, `00:04:f2:a1:b2:c3`, `00-04-f2-a1-b2-c3` or `0004.f2a1.b2c3`.
    fn from_str(text: &str) -> Result<Self, MacError> {
        let error = || MacError { found: text.chars().take(40).collect() };
        if text.len() > 17 {
            return Err(error());
        }
        let digits: String = text.trim().chars().filter(|c| !matches!(c, ':' | '-' | '.')).collect();
        Self::from_hex12(&digits).ok_or_else(error)
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for MacAddr {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_people_type_is_one_address() {
        for text in ["0004F2A1B2C3", "00:04:f2:a1:b2:c3", "00-04-F2-a1-b2-c3", "0004.f2a1.b2c3"] {
            assert_eq!(text.parse::<MacAddr>().unwrap().to_string(), "0004f2a1b2c3");
        }
    }

    #[test]
    fn anything_else_is_refused_and_shown() {
        for text in ["", "0004f2a1b2c", "0004f2a1b2cg", "phone.example", "0004f2a1b2c3.cfg", "٠٠٠٠٠٠"] {
            let error = text.parse::<MacAddr>().unwrap_err();
            assert_eq!(error.found, text);
        }
    }

    proptest! {
        #[test]
        fn shown_and_read_again_is_the_same(bytes in any::<[u8; 6]>()) {
            let mac = MacAddr::new(bytes);
            prop_assert_eq!(MacAddr::from_hex12(&mac.to_string()), Some(mac));
            prop_assert_eq!(MacAddr::from_hex12(&mac.to_string().to_uppercase()), Some(mac));
        }
    }
}
