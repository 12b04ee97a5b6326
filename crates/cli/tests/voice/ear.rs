//! What a caller hears: the packets of the voice as they came, beside the recordings they must be made of.
//!
//! Reads the language pack's files itself and decodes G.711 by its own tables' formula, not by Provost's code.

use crate::caller::Caller;
use crate::line::until;
use std::net::UdpSocket;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// One packet of the voice.
#[derive(Debug, Clone)]
pub(crate) struct Packet {
    pub(crate) payload_type: u8,
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
    pub(crate) ssrc: u32,
    pub(crate) payload: Vec<u8>,
}

impl Packet {
    /// Nothing where it is no plain RTP: what a server still has to say to whoever had this port before.
    fn read(bytes: &[u8]) -> Option<Self> {
        let plain = bytes.len() > 12 && bytes[0] == 0x80;
        plain.then(|| Self {
            payload_type: bytes[1] & 0x7f,
            sequence: u16::from_be_bytes([bytes[2], bytes[3]]),
            timestamp: u32::from_be_bytes(bytes[4..8].try_into().unwrap()),
            ssrc: u32::from_be_bytes(bytes[8..12].try_into().unwrap()),
            payload: bytes[12..].to_vec(),
        })
    }
}

/// Listens to a call until dropped.
pub(crate) struct Ear {
    packets: Arc<Mutex<Vec<Packet>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ear {
    pub(crate) fn of(caller: &Caller) -> Self {
        let socket = caller.rtp.try_clone().unwrap();
        let (packets, stop) = (Arc::<Mutex<Vec<Packet>>>::default(), Arc::<AtomicBool>::default());
        let thread = {
            let (packets, stop) = (Arc::clone(&packets), Arc::clone(&stop));
            std::thread::spawn(move || listen(&socket, &packets, &stop))
        };
        Self { packets, stop, thread: Some(thread) }
    }

    pub(crate) fn packets(&self) -> Vec<Packet> {
        self.packets.lock().unwrap().clone()
    }

    /// How many samples came; a place from which to listen on.
    pub(crate) fn now(&self) -> usize {
        self.packets.lock().unwrap().iter().map(|packet| packet.payload.len()).sum()
    }

    /// Where in everything that came from `since` on these samples are, if they are.
    pub(crate) fn finds(&self, since: usize, samples: &[u8]) -> Option<usize> {
        let heard: Vec<u8> = self.packets().into_iter().flat_map(|packet| packet.payload).skip(since).collect();
        heard.windows(samples.len()).position(|window| window == samples).map(|place| since + place)
    }

    /// Waits for these samples.
    pub(crate) fn hears(&self, since: usize, samples: &[u8]) -> usize {
        until(|| self.finds(since, samples)).expect("these words were not said")
    }
}

fn listen(socket: &UdpSocket, packets: &Mutex<Vec<Packet>>, stop: &AtomicBool) {
    let mut bytes = [0; 2_048];
    while !stop.load(Ordering::Relaxed) {
        // The caller's own time limit; nothing comes while a server is down.
        if let Ok(length) = socket.recv(&mut bytes) {
            packets.lock().unwrap().extend(Packet::read(&bytes[..length]));
        }
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// A recording of the language pack, as it stands in its file.
pub(crate) fn recording(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/voice/en");
    std::fs::read(folder.join(format!("{name}.ulaw"))).unwrap()
}

/// The same one after another.
pub(crate) fn recordings(names: &[&str]) -> Vec<u8> {
    names.iter().flat_map(|name| recording(name)).collect()
}

/// The recordings of a text's digits and letters.
pub(crate) fn spelled(text: &str) -> Vec<u8> {
    let name =
        |c: char| if c.is_ascii_digit() { format!("digit-{c}") } else { format!("letter-{}", c.to_ascii_lowercase()) };
    text.chars().flat_map(|character| recording(&name(character))).collect()
}

/// A mu-law byte as a sample.
pub(crate) fn from_mu(byte: u8) -> f64 {
    let bits = !byte;
    let magnitude = (f64::from(bits & 0x0f) * 2.0 + 33.0) * f64::from(1u32 << (bits >> 4 & 7)) - 33.0;
    if bits & 0x80 == 0 { magnitude } else { -magnitude }
}

/// An A-law byte as a sample, of half the scale.
pub(crate) fn from_a(byte: u8) -> f64 {
    let bits = byte ^ 0x55;
    let (segment, step) = (bits >> 4 & 7, f64::from(bits & 0x0f) * 2.0 + 1.0);
    let magnitude = if segment == 0 { step } else { (step + 32.0) * f64::from(1u32 << (segment - 1)) };
    if bits & 0x80 == 0 { -magnitude } else { magnitude }
}
