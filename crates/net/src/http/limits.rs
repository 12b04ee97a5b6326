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
/// Half a second of work for two cores at 1 ms a handshake; a flood of half-open ones holds 20 kB each at most.
const HANDSHAKES: usize = 512;
/// A quarter of all, so that no single address keeps the others out.
const HANDSHAKES_PER_ADDRESS: usize = 128;
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
            handshake: HANDSHAKE,
            idle: IDLE,
            stall: STALL,
            drain: DRAIN,
        }
    }
}
