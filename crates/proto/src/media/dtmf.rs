//! Keys as RFC 4733 events, received and sent.
//!
//! Decides that one press is exactly one digit, whatever is repeated, lost or reordered. A press is told at the first of
//! its packets that arrives, be it the last one sent. All packets of a press carry the timestamp of its beginning, so a
//! press is known by stream, timestamp and key. The key belongs to it because some gateways leave the timestamp where it
//! was: another key with the same timestamp is another press. Rules: RFC 4733 §§2.3, 2.5.

use super::rtp::{Outbound, Packet};
use super::{Digit, SAMPLE_RATE};

/// Presses remembered to know their late packets by. Nobody keys 32 digits while a packet is under way.
const REMEMBERED: usize = 32;
/// The largest duration a packet can say, 8.19 s; a longer press goes on in a new segment.
const SEGMENT: u32 = 0xffff;
/// How far from a whole segment the next one may begin: senders end it up to a few packets early or one sample late.
const SEGMENT_SLACK: u32 = SAMPLE_RATE / 5;
/// A segment is followed by another only if it was seen to last; packets of its last seconds may be lost.
const SEGMENT_SEEN: u32 = SEGMENT / 2;

/// The bytes of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Event {
    digit: Digit,
    end: bool,
    duration: u16,
}

impl Event {
    /// Reads the first event of a payload; none if it is no key.
    ///
    /// Packing several events into one packet is for tones that follow each other without a pause (RFC 4733 §2.5.1.5);
    /// keys do not, and what some phones put after the first event is not one.
    fn parse(payload: &[u8]) -> Option<Self> {
        let [code, flags, d0, d1] = *payload.first_chunk::<4>()?;
        let digit = Digit::from_event(code)?;
        Some(Self { digit, end: flags & 0x80 != 0, duration: u16::from_be_bytes([d0, d1]) })
    }

    fn bytes(self) -> [u8; 4] {
        let [d0, d1] = self.duration.to_be_bytes();
        [self.digit.event(), (u8::from(self.end) << 7) | VOLUME, d0, d1]
    }
}

/// The power of a sent key in -dBm0.
const VOLUME: u8 = 10;

/// A press that was told.
#[derive(Debug, Clone, Copy)]
struct Press {
    ssrc: u32,
    timestamp: u32,
    digit: Digit,
    duration: u16,
    ended: bool,
}

impl Press {
    /// Whether an event that begins at `timestamp` is this key still held down.
    fn continues_at(&self, timestamp: u32) -> bool {
        let since = timestamp.wrapping_sub(self.timestamp);
        let whole = since.abs_diff(SEGMENT) <= SEGMENT_SLACK;
        !self.ended && whole && u32::from(self.duration) >= SEGMENT_SEEN
    }
}

/// Finds the presses in the event packets of one call.
#[derive(Debug, Clone)]
pub struct Receiver {
    presses: [Option<Press>; REMEMBERED],
    next: usize,
}

impl Default for Receiver {
    fn default() -> Self {
        Self::new()
    }
}

impl Receiver {
    /// Nothing was pressed yet.
    pub const fn new() -> Self {
        Self { presses: [None; REMEMBERED], next: 0 }
    }

    /// Takes a packet of the agreed event payload type; tells the key if this is the first packet of a press.
    ///
    /// Events above 15 (flash, tones of modems) and payloads that are too short are nothing.
    pub fn receive(&mut self, packet: &Packet<'_>) -> Option<Digit> {
        let event = Event::parse(packet.payload)?;
        let mut own =
            self.presses.iter_mut().flatten().filter(|press| press.ssrc == packet.ssrc && press.digit == event.digit);
        if let Some(known) = own.find(|press| press.timestamp == packet.timestamp) {
            known.duration = known.duration.max(event.duration);
            known.ended |= event.end;
            return None;
        }
        let mut own = self.presses.iter().flatten();
        let held = own.any(|press| {
            press.ssrc == packet.ssrc && press.digit == event.digit && press.continues_at(packet.timestamp)
        });
        self.remember(Press {
            ssrc: packet.ssrc,
            timestamp: packet.timestamp,
            digit: event.digit,
            duration: event.duration,
            ended: event.end,
        });
        (!held).then_some(event.digit)
    }

    fn remember(&mut self, press: Press) {
        if let Some(place) = self.presses.get_mut(self.next) {
            *place = Some(press);
        }
        self.next = self.next.saturating_add(1).checked_rem(REMEMBERED).unwrap_or(0);
    }
}

/// Times a finished press is told, since the last packet must not be lost (RFC 4733 §2.5.1.4).
const ENDS: u8 = 3;

/// Sends one press, one packet at a time.
#[derive(Debug, Clone)]
pub struct Sender {
    digit: Digit,
    began: Option<u32>,
    length: u32,
    elapsed: u32,
    ends: u8,
}

impl Sender {
    /// A key pressed for `length_ms`; people take 50 to 100 ms.
    pub const fn new(digit: Digit, length_ms: u32) -> Self {
        let length = length_ms.saturating_mul(SAMPLE_RATE / 1000);
        Self { digit, began: None, length, elapsed: 0, ends: 0 }
    }

    /// Writes the next packet into `out` and returns true; false when the press and its three ends are sent.
    ///
    /// Call it once per packet time of `samples` (160 for 20 ms), in place of an audio packet. Between two presses let
    /// some time go by, in audio or with [`Outbound::pause`].
    pub fn next(&mut self, stream: &mut Outbound, payload_type: u8, samples: u32, out: &mut Vec<u8>) -> bool {
        if self.ends == ENDS {
            return false;
        }
        let began = *self.began.get_or_insert(stream.timestamp());
        let marker = self.elapsed == 0;
        if self.ends == 0 {
            self.elapsed = self.elapsed.saturating_add(samples).min(self.length.max(1));
        }
        let end = self.elapsed >= self.length;
        // A segment that is full is not ended; the next begins where it stopped (RFC 4733 §2.5.1.3).
        let segment = self.elapsed.saturating_sub(1) / SEGMENT;
        let offset = segment.saturating_mul(SEGMENT);
        let duration = u16::try_from(self.elapsed.saturating_sub(offset)).unwrap_or(u16::MAX);
        let payload = Event { digit: self.digit, end, duration }.bytes();
        let timestamp = began.wrapping_add(offset);
        stream.write(Packet { marker, payload_type, sequence: 0, timestamp, ssrc: 0, payload: &payload }, out);
        stream.pass(samples);
        self.ends = self.ends.saturating_add(u8::from(end));
        true
    }
}

#[cfg(test)]
mod tests;
