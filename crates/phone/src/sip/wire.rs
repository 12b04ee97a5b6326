//! The phone's way to its SIP server: datagrams or one stream.
//!
//! Decides where a message ends and what address the phone has on this way; never what is in one.
//! Rules: RFC 3261, 18; the stream is framed by Content-Length (18.3).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use crate::sip::message::{MESSAGE_LIMIT, framed_length};

/// How long the phone waits for a name or a connection.
const OPEN_LIMIT: Duration = Duration::from_secs(5);
/// How long a stream may take no bytes before it counts as lost.
const SEND_LIMIT: Duration = Duration::from_secs(5);

/// How SIP travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// One stream.
    Tcp,
}

impl Transport {
    /// The word in Via.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        }
    }
}

pub(crate) enum Wire {
    Udp { socket: UdpSocket, local: SocketAddr, datagram: Vec<u8> },
    Tcp { stream: TcpStream, local: SocketAddr, server: SocketAddr, unread: Vec<u8> },
}

impl Wire {
    pub(crate) async fn open(transport: Transport, server: SocketAddr) -> io::Result<Self> {
        match transport {
            Transport::Udp => {
                let ip = own_address(server).await?;
                let socket = UdpSocket::bind((ip, 0)).await?;
                let local = socket.local_addr()?;
                Ok(Self::Udp { socket, local, datagram: vec![0; MESSAGE_LIMIT] })
            }
            Transport::Tcp => {
                let stream = within(OPEN_LIMIT, TcpStream::connect(server)).await?;
                let local = stream.local_addr()?;
                Ok(Self::Tcp { stream, local, server, unread: Vec::new() })
            }
        }
    }

    /// The phone's own address, as its Contact says it.
    pub(crate) fn local(&self) -> SocketAddr {
        match self {
            Self::Udp { local, .. } | Self::Tcp { local, .. } => *local,
        }
    }

    /// Sends one message; a stream has only one other end, whatever `to` says.
    pub(crate) async fn send(&mut self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        match self {
            Self::Udp { socket, .. } => socket.send_to(bytes, to).await.map(drop),
            Self::Tcp { stream, .. } => within(SEND_LIMIT, stream.write_all(bytes)).await,
        }
    }

    /// The next whole message and where it came from. Nothing is lost when the caller stops waiting.
    pub(crate) async fn receive(&mut self) -> io::Result<(Vec<u8>, SocketAddr)> {
        match self {
            Self::Udp { socket, datagram, .. } => {
                let (length, from) = socket.recv_from(datagram).await?;
                Ok((datagram.get(..length).unwrap_or_default().to_vec(), from))
            }
            Self::Tcp { stream, server, unread, .. } => loop {
                if let Some(message) = next_message(unread) {
                    return Ok((message, *server));
                }
                if unread.len() > MESSAGE_LIMIT {
                    return Err(io::ErrorKind::InvalidData.into());
                }
                if stream.read_buf(unread).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            },
        }
    }
}

/// Cuts one message off the front; keep-alives before it are dropped.
fn next_message(unread: &mut Vec<u8>) -> Option<Vec<u8>> {
    let blanks = unread.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    unread.drain(..blanks);
    let length = framed_length(unread).filter(|length| *length <= unread.len())?;
    Some(unread.drain(..length).collect())
}

/// Finds the address behind a name.
pub(crate) async fn resolve(host: &str, port: u16) -> io::Result<SocketAddr> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok((ip, port).into());
    }
    let mut found = within(OPEN_LIMIT, tokio::net::lookup_host((host, port))).await?;
    found.next().ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// The phone's address towards `server`: asked of the routing table, nothing is sent.
async fn own_address(server: SocketAddr) -> io::Result<IpAddr> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let probe = UdpSocket::bind((any, 0)).await?;
    probe.connect(server).await?;
    Ok(probe.local_addr()?.ip())
}

async fn within<T>(limit: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match tokio::time::timeout(limit, work).await {
        Ok(done) => done,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_on_a_stream_end_with_their_length() {
        let one = "SIP/2.0 200 OK\r\nContent-Length: 3\r\n\r\nabc";
        let mut unread = format!("\r\n\r\n{one}\r\n{one}SIP/2").into_bytes();

        assert_eq!(next_message(&mut unread).unwrap(), one.as_bytes());
        assert_eq!(next_message(&mut unread).unwrap(), one.as_bytes());
        assert_eq!(next_message(&mut unread), None);
        assert_eq!(unread, b"SIP/2");
    }
}
