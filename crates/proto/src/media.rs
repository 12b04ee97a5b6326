//! What a phone call carries: the session description, RTP, G.711 and keys.
//!
//! Decides what is understood and what is sent back. Never touches a socket or a clock, and no bytes make it panic.
//! Rules: RFC 3264 and 8866 (session descriptions), RFC 3550 (RTP), RFC 4733 (keys as events), ITU-T G.711.

pub mod dtmf;
pub mod g711;
pub mod info;
pub mod rtp;
pub mod sdp;

use std::fmt;

/// Samples a second, of both G.711 laws and of telephone events.
pub const SAMPLE_RATE: u32 = 8000;

/// A key of a telephone: `0` to `9`, `*`, `#`, `A` to `D`.
///
/// Several of them are somebody's activation code, so `Debug` does not tell which key it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digit(u8);

/// In the order of the event codes of RFC 4733 §3.2.
const KEYS: [u8; 16] = *b"0123456789*#ABCD";

impl Digit {
    /// The key with this event code; none above 15 (flash and the tones of modems).
    pub fn from_event(event: u8) -> Option<Self> {
        KEYS.get(usize::from(event)).map(|_| Self(event))
    }

    /// The key as printed on it; small letters count too.
    pub fn from_char(key: char) -> Option<Self> {
        let place = KEYS.iter().position(|known| char::from(*known) == key.to_ascii_uppercase())?;
        u8::try_from(place).ok().map(Self)
    }

    /// The event code of RFC 4733, 0 to 15.
    pub const fn event(self) -> u8 {
        self.0
    }

    /// The key as printed on it; every call is a place where a code may leak.
    pub fn reveal(self) -> char {
        KEYS.get(usize::from(self.0)).map_or('0', |key| char::from(*key))
    }
}

impl fmt::Debug for Digit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Digit(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_by_its_event_code_and_by_its_print() {
        for (event, key) in (0..16).zip("0123456789*#ABCD".chars()) {
            let digit = Digit::from_event(event).unwrap();
            assert_eq!((digit.event(), digit.reveal()), (event, key));
            assert_eq!(Digit::from_char(key), Some(digit));
        }
        assert_eq!(Digit::from_event(16), None);
        assert_eq!(Digit::from_char('d'), Digit::from_event(15));
        assert_eq!(Digit::from_char('E'), None);
    }

    #[test]
    fn a_key_is_not_shown_by_debug() {
        assert_eq!(format!("{:?}", Digit::from_char('7')), "Some(Digit(***))");
    }
}
