//! What a call sounded like.
//!
//! Decides what is counted of the packets that come, and what counts as voice. Times are arguments.
//! Rules: RFC 3550, 5.1; G.711.

use std::time::Duration;

use tokio::time::Instant;

use crate::sip::sdp::Law;

/// Spacings kept of one call: an hour of packets.
const SPACINGS: usize = 180_000;
/// Mean sample above which a packet is voice: 50 dB below the loudest.
const VOICE: u32 = 100;

/// What was heard of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Packets of the agreed sound.
    pub packets: u64,
    /// Packets that were no sound of this call.
    pub strange: u64,
    /// Packets missing by their numbers.
    pub lost: u64,
    /// Packets that came behind a later one.
    pub late: u64,
    /// Time between packets at its worst.
    pub largest_gap: Duration,
    /// Time between packets that 99 of 100 stay within.
    pub p99_spacing: Duration,
    /// Time between packets in the middle.
    pub median_spacing: Duration,
    /// How long somebody spoke.
    pub voice: Duration,
    /// How samples were coded.
    pub law: Law,
    /// The beginning of what was said, as it came.
    pub sound: Vec<u8>,
}

/// What waiters need to know while a call goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Hearing {
    pub(crate) packets: u64,
    pub(crate) voice: Duration,
    pub(crate) last_voice: Option<Instant>,
}

/// The ear: takes packets one by one.
#[derive(Debug)]
pub(crate) struct Ear {
    heard: Heard,
    now: Hearing,
    last: Option<Instant>,
    highest: Option<u16>,
    spacings: Vec<u32>,
    keep: usize,
}

impl Ear {
    pub(crate) fn new(keep: usize) -> Self {
        let heard = Heard {
            packets: 0,
            strange: 0,
            lost: 0,
            late: 0,
            largest_gap: Duration::ZERO,
            p99_spacing: Duration::ZERO,
            median_spacing: Duration::ZERO,
            voice: Duration::ZERO,
            law: Law::Mu,
            sound: Vec::new(),
        };
        Self { heard, now: Hearing::default(), last: None, highest: None, spacings: Vec::new(), keep }
    }

    /// Takes one datagram that came at `now`.
    pub(crate) fn packet(&mut self, datagram: &[u8], (law, payload): (Law, u8), now: Instant) -> Hearing {
        let Some((sequence, sound)) = read(datagram, payload) else {
            self.heard.strange = self.heard.strange.saturating_add(1);
            return self.now;
        };
        self.heard.law = law;
        self.heard.packets = self.heard.packets.saturating_add(1);
        self.space(now);
        self.number(sequence);
        let room = self.keep.saturating_sub(self.heard.sound.len());
        self.heard.sound.extend(sound.iter().take(room));
        if is_voice(sound, law) {
            let millis = u64::try_from(sound.len() / 8).unwrap_or(0);
            self.heard.voice = self.heard.voice.saturating_add(Duration::from_millis(millis));
            self.now.last_voice = Some(now);
        }
        self.now.packets = self.heard.packets;
        self.now.voice = self.heard.voice;
        self.now
    }

    /// Forgets the last packet's time: the other end was told to be silent.
    pub(crate) fn pause(&mut self) {
        self.last = None;
        self.highest = None;
    }

    pub(crate) fn finish(mut self) -> Heard {
        self.spacings.sort_unstable();
        let at = |part: usize| {
            let index = self.spacings.len().saturating_mul(part) / 100;
            let index = index.min(self.spacings.len().saturating_sub(1));
            Duration::from_micros(self.spacings.get(index).copied().unwrap_or(0).into())
        };
        Heard { p99_spacing: at(99), median_spacing: at(50), ..self.heard }
    }

    fn space(&mut self, now: Instant) {
        if let Some(last) = self.last.replace(now) {
            let gap = now.saturating_duration_since(last);
            self.heard.largest_gap = self.heard.largest_gap.max(gap);
            if self.spacings.len() < SPACINGS {
                self.spacings.push(u32::try_from(gap.as_micros()).unwrap_or(u32::MAX));
            }
        }
    }

    fn number(&mut self, sequence: u16) {
        let Some(highest) = self.highest else {
            self.highest = Some(sequence);
            return;
        };
        // Numbers wrap (RFC 3550, 5.1): the upper half of the circle is behind.
        match sequence.wrapping_sub(highest) {
            ahead @ 1..0x8000 => {
                self.heard.lost = self.heard.lost.saturating_add(u64::from(ahead).saturating_sub(1));
                self.highest = Some(sequence);
            }
            _ => {
                self.heard.late = self.heard.late.saturating_add(1);
                self.heard.lost = self.heard.lost.saturating_sub(1);
            }
        }
    }
}

/// The number and the sound of a packet of this payload type.
fn read(datagram: &[u8], payload: u8) -> Option<(u16, &[u8])> {
    let (head, rest) = datagram.split_first_chunk::<12>()?;
    let [first, second, high, low, ..] = *head;
    if first >> 6 != 2 || second & 0x7f != payload {
        return None;
    }
    let sources = usize::from(first & 0x0f).saturating_mul(4);
    let mut sound = rest.get(sources..)?;
    if first & 0x10 != 0 {
        let (extension, behind) = sound.split_first_chunk::<4>()?;
        let [_, _, high, low] = *extension;
        sound = behind.get(usize::from(u16::from_be_bytes([high, low])).saturating_mul(4)..)?;
    }
    if first & 0x20 != 0 {
        let padding = usize::from(*sound.last()?);
        sound = sound.get(..sound.len().checked_sub(padding)?)?;
    }
    Some((u16::from_be_bytes([high, low]), sound))
}

fn is_voice(sound: &[u8], law: Law) -> bool {
    let sum: u32 = sound.iter().fold(0, |sum, byte| sum.saturating_add(magnitude(*byte, law)));
    let count = u32::try_from(sound.len()).unwrap_or(u32::MAX);
    sum.checked_div(count).is_some_and(|mean| mean > VOICE)
}

/// How far a sample is from silence, of 32,768 (G.711).
fn magnitude(byte: u8, law: Law) -> u32 {
    match law {
        Law::Mu => {
            let bits = !byte;
            let mantissa = (u32::from(bits & 0x0f) << 3).saturating_add(0x84);
            (mantissa << ((bits & 0x70) >> 4)).saturating_sub(0x84)
        }
        Law::A => {
            let bits = byte ^ 0x55;
            let mantissa = u32::from(bits & 0x0f) << 4;
            match (bits & 0x70) >> 4 {
                0 => mantissa.saturating_add(8),
                segment => mantissa.saturating_add(0x108) << segment.saturating_sub(1),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence: u16, byte: u8) -> Vec<u8> {
        let mut packet = vec![0x80, 0];
        packet.extend(sequence.to_be_bytes());
        packet.extend([0; 8]);
        packet.extend([byte; 160]);
        packet
    }

    #[test]
    fn gaps_losses_and_late_packets_are_counted() {
        let start = Instant::now();
        let mut ear = Ear::new(usize::MAX);

        for (sequence, millis) in [(65_534, 0), (65_535, 20), (2, 80), (1, 81), (0, 82)] {
            ear.packet(&packet(sequence, 0xff), (Law::Mu, 0), start + Duration::from_millis(millis));
        }
        let heard = ear.finish();

        assert_eq!((heard.packets, heard.lost, heard.late), (5, 0, 2));
        assert_eq!(heard.largest_gap, Duration::from_millis(60));
    }

    #[test]
    fn a_tone_is_voice_and_silence_is_none_in_both_laws() {
        assert!(is_voice(&[0x80, 0x00, 0x9f], Law::Mu) && is_voice(&[0xaa, 0x2a], Law::A));
        assert!(!is_voice(&[0xff, 0x7f], Law::Mu) && !is_voice(&[0xd5, 0x55], Law::A) && !is_voice(&[], Law::A));
        assert_eq!((magnitude(0x80, Law::Mu), magnitude(0xff, Law::Mu)), (32_124, 0));
        assert_eq!((magnitude(0xaa, Law::A), magnitude(0xd5, Law::A)), (32_256, 8));
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_is_strange_is_not_heard() {
        let mut ear = Ear::new(200);
        let now = Instant::now();

        for sequence in 0..3 {
            ear.packet(&packet(sequence, 0), (Law::Mu, 0), now);
        }
        ear.packet(&packet(3, 0), (Law::A, 8), now);
        ear.packet(b"short", (Law::Mu, 0), now);

        let heard = ear.finish();
        assert_eq!((heard.sound.len(), heard.packets, heard.strange), (200, 3, 2));
        assert_eq!(heard.voice, Duration::from_millis(60));
    }
}
