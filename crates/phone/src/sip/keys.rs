//! Keys pressed during a call, as telephone events.
//!
//! Decides which packets one press is: 100 ms down, the end said three times, 100 ms until the next.
//! Rules: RFC 4733, 2.3 and 2.5; press and pause as phones send them (remembered).

use std::collections::VecDeque;

use tokio::sync::oneshot;

/// Packets while a key is down, one every 20 ms.
const DOWN: u16 = 5;
/// Packets of silence before the next key.
const UP: u16 = 5;
/// Clock ticks of one packet.
pub(crate) const TICKS: u16 = 160;
/// How loud the key is said to be, in dB below the loudest; a phone's usual value.
const VOLUME: u8 = 10;

/// What the phone sends in one 20 ms slot.
#[derive(Debug)]
pub(crate) enum Slot {
    /// A packet of silence.
    Silence,
    /// A packet of a key being held.
    Down { event: u8, duration: u16, first: bool },
    /// The end of a key, said three times.
    Released { event: u8, duration: u16 },
    /// All keys before this were sent; takes no time.
    Done(oneshot::Sender<()>),
}

/// The event number of a key.
pub(crate) fn event(key: char) -> Option<u8> {
    "0123456789*#ABCD".chars().position(|known| known == key.to_ascii_uppercase()).and_then(|at| at.try_into().ok())
}

/// Appends one press to `slots`.
pub(crate) fn press(slots: &mut VecDeque<Slot>, event: u8) {
    let down = (1..DOWN).map(|packet| Slot::Down { event, duration: packet.saturating_mul(TICKS), first: packet == 1 });
    slots.extend(down);
    slots.push_back(Slot::Released { event, duration: DOWN.saturating_mul(TICKS) });
    slots.extend((0..UP).map(|_| Slot::Silence));
}

/// The four bytes of an event packet.
pub(crate) fn payload(event: u8, duration: u16, end: bool) -> [u8; 4] {
    let [high, low] = duration.to_be_bytes();
    [event, if end { 0x80 | VOLUME } else { VOLUME }, high, low]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_keys_have_events() {
        assert_eq!("09*#aD".chars().filter_map(event).collect::<Vec<_>>(), [0, 9, 10, 11, 12, 15]);
        assert_eq!(event('E'), None);
    }

    #[test]
    fn a_press_is_a_tenth_of_a_second_down_and_as_long_up() {
        let mut slots = VecDeque::new();

        press(&mut slots, 7);

        assert_eq!(slots.len(), 10);
        assert!(matches!(slots[0], Slot::Down { event: 7, duration: 160, first: true }));
        assert!(matches!(slots[4], Slot::Released { event: 7, duration: 800 }));
        assert_eq!(payload(7, 800, true), [7, 0x8a, 3, 32]);
    }
}
