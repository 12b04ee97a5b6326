//! The MAC address a phone carries on its label.
//!
//! Decides what text is a MAC address; shares nothing with the server's own type, on purpose: this
//! crate is the independent witness.

use std::fmt;
use std::str::FromStr;

/// A phone's MAC address; shown as twelve lower-case hexadecimal digits, as phones write it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac([u8; 6]);

/// Text that is not a MAC address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a MAC address; write twelve hexadecimal digits such as 0004f2a1b2c3")]
pub struct NotAMac {
    /// The text as it came, at most its first 40 characters.
    pub found: String,
}

impl Mac {
    /// The address of these six bytes.
    pub const fn new(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }
}

impl FromStr for Mac {
    type Err = NotAMac;

    /// Reads twelve hexadecimal digits of either case, with or without `:`, `-` or `.` between them.
    fn from_str(text: &str) -> Result<Self, NotAMac> {
        let refused = || NotAMac { found: text.chars().take(40).collect() };
        let mut digits = text
            .trim()
            .chars()
            .filter(|digit| !matches!(digit, ':' | '-' | '.'))
            .map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok()));
        let mut nibble = || digits.next().flatten().ok_or_else(refused);
        let mut bytes = [0u8; 6];
        for byte in &mut bytes {
            *byte = (nibble()? << 4) | nibble()?;
        }
        match digits.next() {
            None => Ok(Self(bytes)),
            Some(_) => Err(refused()),
        }
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_is_read_in_every_common_form() {
        for text in ["0004F2A1B2C3", "00:04:f2:a1:b2:c3", "00-04-F2-a1-b2-c3"] {
            assert_eq!(text.parse::<Mac>().unwrap().to_string(), "0004f2a1b2c3");
        }
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "0004f2a1b2c", "0004f2a1b2c3d", "0004f2a1b2cg", "٠٠٠٠٠٠٠٠٠٠٠٠"] {
            assert_eq!(text.parse::<Mac>().unwrap_err().found, text);
        }
    }
}
