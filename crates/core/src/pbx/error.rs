//! Why a PBX could not be asked, in words for whoever set the connector up.

use super::Standing;
use std::net::IpAddr;

/// Why a PBX could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PbxError {
    /// No address for the name.
    #[error("the name {host} has no address")]
    NoAddress {
        /// The name.
        host: String,
    },
    /// An address the connector may not lead to.
    #[error("{address} is {standing}, where only whoever runs the server may let a connector lead (`inside`)")]
    Inside {
        /// The address.
        address: IpAddr,
        /// What it is.
        standing: Standing,
    },
    /// A password would cross a public network in clear.
    #[error(
        "{address} is a public address, and `plain` speaks to loopback and private ones only; use `tls`, or `plain-anywhere` if the way there is safe by other means"
    )]
    InClear {
        /// The address.
        address: IpAddr,
    },
    /// Nobody took the connection.
    #[error("no connection: {why}")]
    NoConnection {
        /// What the system said.
        why: String,
    },
    /// The handshake failed.
    #[error("no TLS: {why}")]
    NoTls {
        /// What was wrong.
        why: String,
    },
    /// It took too long.
    #[error("no answer within {seconds} s")]
    Late {
        /// The limit.
        seconds: u64,
    },
    /// The connection ended in the middle.
    #[error("the connection broke: {why}")]
    Broken {
        /// What the system said.
        why: String,
    },
    /// It speaks something else.
    #[error("what answers is no {kind}: {what}")]
    NotThis {
        /// What was expected, as people write it.
        kind: &'static str,
        /// What came instead.
        what: &'static str,
    },
    /// It does not let us in.
    #[error("it refuses the name or the password")]
    SignIn,
    /// It does not do what was asked.
    #[error("it refuses `{command}`: {answer}")]
    Refused {
        /// What it was asked to do.
        command: &'static str,
        /// What it said, at most a line.
        answer: String,
    },
    /// More than is held in memory.
    #[error("it said more than {limit} {of}")]
    TooMuch {
        /// How much is taken.
        limit: usize,
        /// Of what.
        of: &'static str,
    },
    /// The server stops, or was asked too much at once.
    #[error("the server did not come to it")]
    NotAsked,
}

/// At most a line of what a stranger's program said, fit for a message.
pub fn shown(text: &str) -> String {
    const MOST: usize = 120;
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST).collect::<String>().trim().to_owned()
}
