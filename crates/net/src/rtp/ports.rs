//! Which UDP ports calls take.

use std::io;
use std::net::{IpAddr, UdpSocket};
use std::ops::RangeInclusive;

/// The even ports of a range, taken in turn so that a late packet of an ended call meets no other call.
#[derive(Debug)]
pub(super) struct Ports {
    first: u16,
    /// How many even ports there are.
    many: u16,
    next: u16,
}

impl Ports {
    pub(super) fn new(range: RangeInclusive<u16>) -> Self {
        // RTP takes even ports (RFC 3550 section 11); some phones send their reports to the odd one above.
        let first = range.start().saturating_add(range.start() % 2);
        let many = range.end().checked_sub(first).map_or(0, |span| (span / 2).saturating_add(1));
        Self { first, many, next: 0 }
    }

    /// How many calls find a port.
    pub(super) fn len(&self) -> usize {
        usize::from(self.many)
    }

    /// A socket that does not block, at the next free port.
    pub(super) fn bind(&mut self, address: IpAddr) -> io::Result<UdpSocket> {
        for _ in 0..self.many {
            let port = self.first.saturating_add(self.next.saturating_mul(2));
            self.next = self.next.saturating_add(1).checked_rem(self.many).unwrap_or(0);
            match UdpSocket::bind((address, port)) {
                Ok(socket) => {
                    socket.set_nonblocking(true)?;
                    return Ok(socket);
                }
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::AddrInUse, "every port of sip.rtp-ports is taken"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_ports_are_taken_in_turn_and_no_others() {
        let address = IpAddr::from([127, 0, 0, 1]);
        // Of these some may be taken by others; three free neighbors are found sooner or later.
        let start = (20_001..30_000).step_by(50).find(|start| {
            let mut ports = Ports::new(*start..=start + 5);
            ports.many == 3 && [0; 3].map(|_| ports.bind(address).ok()).iter().all(Option::is_some)
        });
        let start = start.expect("six free ports in a row");
        let mut ports = Ports::new(start..=start + 5);

        let taken = [0; 3].map(|_| ports.bind(address).unwrap());

        let numbers = taken.each_ref().map(|socket| socket.local_addr().unwrap().port());
        assert_eq!(numbers, [start + 1, start + 3, start + 5]);
        assert_eq!(ports.bind(address).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(taken);
        assert_eq!(ports.bind(address).unwrap().local_addr().unwrap().port(), start + 1);
    }
}
