//! Asks a time server what time it is.
//!
//! Decides how often a phone asks and how long it waits; the bytes are the codec's. Never sets a clock.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use provost_proto::sntp::{self, NtpTimestamp, ReplyError};
use tokio::net::UdpSocket;

/// Questions sent before the phone gives up.
const ATTEMPTS: u32 = 3;
/// Wait for each answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);
/// UDP port of a server given without one (RFC 4330).
const PORT: u16 = 123;

/// Why no time came.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SntpFailure {
    /// The name leads nowhere, or the network refuses.
    #[error("cannot ask {server}: {source}")]
    Network {
        /// The server as configured.
        server: String,
        /// The reason.
        source: io::Error,
    },
    /// The name has no address.
    #[error("{server} has no address")]
    NoAddress {
        /// The server as configured.
        server: String,
    },
    /// The answer must not be believed.
    #[error("{server} answered, but {reason}")]
    Refused {
        /// The server as configured.
        server: String,
        /// The reason.
        reason: ReplyError,
    },
    /// Nothing came.
    #[error("{server} did not answer")]
    Silent {
        /// The server as configured.
        server: String,
    },
}

/// Asks `server` (`HOST` or `HOST:PORT`) and returns its time in milliseconds since 1970.
pub(crate) async fn ask(server: &str) -> Result<i64, SntpFailure> {
    let network = |source| SntpFailure::Network { server: server.to_owned(), source };
    let address = resolve(server).await?;
    let local: SocketAddr = match address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(local).await.map_err(network)?;
    socket.connect(address).await.map_err(network)?;
    let mut last = SntpFailure::Silent { server: server.to_owned() };
    for _ in 0..ATTEMPTS {
        match tokio::time::timeout(ANSWER_LIMIT, attempt(&socket)).await {
            Ok(Ok(millis)) => return Ok(millis),
            Ok(Err(Trouble::Network(source))) => last = network(source),
            Ok(Err(Trouble::Refused(reason))) => {
                last = SntpFailure::Refused { server: server.to_owned(), reason };
            }
            Err(_) => {}
        }
    }
    Err(last)
}

enum Trouble {
    Network(io::Error),
    Refused(ReplyError),
}

async fn attempt(socket: &UdpSocket) -> Result<i64, Trouble> {
    // An unpredictable mark, so that only who saw the question can answer it.
    let mut mark = [0u8; 8];
    openssl::rand::rand_bytes(&mut mark).map_err(|error| Trouble::Network(io::Error::other(error)))?;
    let mark = NtpTimestamp(u64::from_be_bytes(mark));
    socket.send(&sntp::request(mark)).await.map_err(Trouble::Network)?;
    let mut datagram = [0u8; 256];
    loop {
        let length = socket.recv(&mut datagram).await.map_err(Trouble::Network)?;
        match sntp::read_reply(datagram.get(..length).unwrap_or_default(), mark) {
            Ok(reply) => {
                let millis = i64::from(reply.time.nanos / 1_000_000);
                return Ok(reply.time.seconds.saturating_mul(1000).saturating_add(millis));
            }
            // A late answer to an earlier question; ours may still come.
            Err(ReplyError::NotOurs) => {}
            Err(reason) => return Err(Trouble::Refused(reason)),
        }
    }
}

async fn resolve(server: &str) -> Result<SocketAddr, SntpFailure> {
    let network = |source| SntpFailure::Network { server: server.to_owned(), source };
    let has_port = server.parse::<SocketAddr>().is_ok() || server.split(':').count() == 2;
    let found = match has_port {
        true => tokio::net::lookup_host(server).await.map_err(network)?.next(),
        false => tokio::net::lookup_host((server, PORT)).await.map_err(network)?.next(),
    };
    found.ok_or_else(|| SntpFailure::NoAddress { server: server.to_owned() })
}
