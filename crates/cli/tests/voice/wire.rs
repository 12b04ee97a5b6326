//! SIP messages on a socket: what a caller sends and receives, over UDP or TCP.

use std::cell::RefCell;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

/// The way to the server.
pub(crate) enum Wire {
    Udp(UdpSocket),
    /// A connection, and the bytes of a message that is not whole yet.
    Tcp(RefCell<(TcpStream, Vec<u8>)>),
}

/// A received message: its first line, its headers, its body.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) first: String,
    pub(crate) text: String,
}

impl Message {
    fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        Self { first: text.lines().next().unwrap_or_default().to_owned(), text }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.text.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.trim().eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// The status of an answer; 0 for a request.
    pub(crate) fn status(&self) -> u16 {
        let answer = self.first.strip_prefix("SIP/2.0 ");
        answer.and_then(|rest| rest.split(' ').next()?.parse().ok()).unwrap_or(0)
    }

    /// The tag that the server gave the call.
    pub(crate) fn to_tag(&self) -> Option<&str> {
        self.header("To")?.split_once("tag=").map(|(_, tag)| tag)
    }
}

impl Wire {
    pub(crate) fn udp() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        Self::Udp(socket)
    }

    pub(crate) fn tcp(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        Self::Tcp(RefCell::new((stream, Vec::new())))
    }

    /// The transport's name in a Via.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Udp(_) => "UDP",
            Self::Tcp(_) => "TCP",
        }
    }

    pub(crate) fn local(&self) -> SocketAddr {
        match self {
            Self::Udp(socket) => socket.local_addr().unwrap(),
            Self::Tcp(stream) => stream.borrow().0.local_addr().unwrap(),
        }
    }

    pub(crate) fn send(&self, bytes: &[u8], server: SocketAddr) {
        match self {
            Self::Udp(socket) => {
                socket.send_to(bytes, server).unwrap();
            }
            Self::Tcp(stream) => stream.borrow_mut().0.write_all(bytes).unwrap(),
        }
    }

    /// The next message, within a twentieth of a second.
    pub(crate) fn receive(&self) -> Option<Message> {
        let mut bytes = [0; 65_536];
        match self {
            Self::Udp(socket) => {
                let length = came(socket.recv(&mut bytes))?;
                Some(Message::read(&bytes[..length]))
            }
            Self::Tcp(stream) => {
                let (stream, held) = &mut *stream.borrow_mut();
                if whole(held).is_none() {
                    let length = came(stream.read(&mut bytes))?;
                    held.extend(&bytes[..length]);
                }
                let message: Vec<u8> = held.drain(..whole(held)?).collect();
                Some(Message::read(&message))
            }
        }
    }

    /// Takes what is there and waits for nothing.
    pub(crate) fn drain(&self) -> Vec<Message> {
        let Self::Udp(socket) = self else { return Vec::new() };
        socket.set_nonblocking(true).unwrap();
        let messages = std::iter::from_fn(|| self.receive()).collect();
        socket.set_nonblocking(false).unwrap();
        messages
    }
}

fn came(received: std::io::Result<usize>) -> Option<usize> {
    match received {
        Ok(length) => Some(length),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {
            None
        }
        // A server that was killed.
        Err(error) if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset) => None,
        Err(error) => panic!("{error}"),
    }
}

/// The length of the first message, once all of it is there.
fn whole(held: &[u8]) -> Option<usize> {
    let head = held.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let length = Message::read(&held[..head]).header("Content-Length").map_or(0, |length| length.parse().unwrap());
    (held.len() >= head + length).then_some(head + length)
}
