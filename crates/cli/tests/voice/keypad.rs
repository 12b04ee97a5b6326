//! Keys as a phone sends them within the audio, and the voice as a bare stream of packets.

use crate::caller::Caller;
use std::time::{Duration, Instant};

/// A person's pace; packets of two presses never pass each other.
const PACE: Duration = Duration::from_millis(40);

/// Sends the presses of a code, each 160 ms after the one before, as `network` carries them.
pub(crate) fn key(caller: &Caller, code: &str, mut network: impl FnMut(Vec<Vec<u8>>) -> Vec<Vec<u8>>) {
    let (mut sequence, first) = (rand::random(), rand::random::<u32>());
    for (number, digit) in code.chars().enumerate() {
        let timestamp = first.wrapping_add(u32::try_from(number).unwrap() * 1_280);
        for packet in network(caller.press(digit, &mut sequence, timestamp)) {
            caller.send_media(&packet);
        }
        std::thread::sleep(PACE);
    }
}

/// The same on a network that loses nothing.
pub(crate) fn key_well(caller: &Caller, code: &str) {
    key(caller, code, |packets| packets);
}

impl Caller {
    /// The packets of one press: three that tell it goes on, three that tell it ended.
    pub(crate) fn press(&self, key: char, sequence: &mut u16, timestamp: u32) -> Vec<Vec<u8>> {
        let event = "0123456789*#".find(key).unwrap();
        (0..6u16)
            .map(|number| {
                let end = if number >= 3 { 0x80 } else { 0 };
                let marker = if number == 0 { 0x80 } else { 0 };
                let duration = 160 * (number.min(3) + 1);
                let mut packet = vec![0x80, marker | 101];
                packet.extend(sequence.to_be_bytes());
                packet.extend(timestamp.to_be_bytes());
                packet.extend(7u32.to_be_bytes());
                packet.extend([u8::try_from(event).unwrap(), end | 10]);
                packet.extend(duration.to_be_bytes());
                *sequence = sequence.wrapping_add(1);
                packet
            })
            .collect()
    }

    /// Sends packets to where the server listens.
    pub(crate) fn send_media(&self, packet: &[u8]) {
        self.rtp.send_to(packet, self.media).unwrap();
    }

    /// The arrival times of the server's packets, for so long.
    pub(crate) fn listen(&self, time: Duration) -> Vec<Instant> {
        let began = Instant::now();
        self.listen_while(|| began.elapsed() < time)
    }

    /// The same while this holds.
    pub(crate) fn listen_while(&self, holds: impl Fn() -> bool) -> Vec<Instant> {
        let (mut arrivals, mut packet) = (Vec::new(), [0; 2_048]);
        while holds() {
            if self.rtp.recv(&mut packet).is_ok() {
                arrivals.push(Instant::now());
            }
        }
        arrivals
    }
}
