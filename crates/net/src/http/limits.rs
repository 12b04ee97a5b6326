//! How many, how long: the numbers of the accept loops and their reasons.

use std::time::Duration;

/// Limits of one accept loop.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// Connections from one address (IPv6: one /64) at a time.
    pub connections_per_address: usize,
    /// Handshakes at a time; more wait.
    pub handshakes: usize,
    /// Handshakes from one address at a time; more are closed.
    pub handshakes_per_address: usize,
    /// Handshakes that one address may begin at once after a rest.
    pub handshake_burst_per_address: u32,
    /// And after those, in one second.
    pub handshakes_per_second_per_address: u32,
    /// Whether these two hold for this machine's own addresses too: a proxy that passes TLS on to us comes from one,
    /// with every phone behind it.
    pub rate_on_loopback: bool,
    /// From the connection to the end of the handshake.
    pub handshake: Duration,
    /// From one request's end to the end of the next one's head.
    pub idle: Duration,
    /// Without a byte in either direction while one is wanted.
    pub stall: Duration,
    /// From the shutdown to the last connection's forced end.
    pub drain: Duration,
}

/// 10,000 idle phones and room for those that work: about 31 kB each.
const CONNECTIONS: usize = 16_384;
/// A site behind one translated address, two connections per phone.
const CONNECTIONS_PER_ADDRESS: usize = 1_024;
/// Two seconds of work for two cores at 1 ms a handshake, well within the deadline. A silent one holds a few kB, one that
/// stops after its hello about 40 kB; fewer would let a small flood from a few addresses make phones wait.
const HANDSHAKES: usize = 4_096;
/// An eighth of all, so that it takes many addresses to keep the others out. A site of 1,000 old phones begins 200 a
/// second, and each takes two seconds to sign.
const HANDSHAKES_PER_ADDRESS: usize = 512;
/// A site of 1,000 phones behind one address after a power cut: old firmware opens a connection for each of its 12 files.
const HANDSHAKE_BURST_PER_ADDRESS: u32 = 12_000;
/// Within the same minute these phones restart once to what they were told. An attacker who keeps at it from one address
/// gets a fifth of a core at 1 ms a handshake.
const HANDSHAKES_PER_SECOND_PER_ADDRESS: u32 = 200;
/// The slowest phones compute an RSA signature in about two seconds; a bad line repeats for three.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// A phone fetches its files one after the other within seconds, then not again for hours.
const IDLE: Duration = Duration::from_secs(15);
/// Longer than a database's worst pause, short enough that a vanished phone does not hold its place.
const STALL: Duration = Duration::from_secs(60);
/// The rest of a configuration takes a second; a firmware image is fetched again.
const DRAIN: Duration = Duration::from_secs(10);

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS,
            connections_per_address: CONNECTIONS_PER_ADDRESS,
            handshakes: HANDSHAKES,
            handshakes_per_address: HANDSHAKES_PER_ADDRESS,
            handshake_burst_per_address: HANDSHAKE_BURST_PER_ADDRESS,
            handshakes_per_second_per_address: HANDSHAKES_PER_SECOND_PER_ADDRESS,
            rate_on_loopback: false,
            handshake: HANDSHAKE,
            idle: IDLE,
            stall: STALL,
            drain: DRAIN,
        }
    }
}
