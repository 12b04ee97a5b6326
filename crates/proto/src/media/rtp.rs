//! RTP packets, read and written.
//!
//! Decides what is a packet and where its payload lies. Never decides from whom packets are taken: the caller compares
//! addresses. Source: RFC 3550 §5.1; sequence numbers and timestamps wrap around.

/// Bytes before the payload of a packet that we write.
pub const HEADER_LEN: usize = 12;

const VERSION: u8 = 2;

/// One packet as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The marker: a talk spurt or a key begins.
    pub marker: bool,
    /// What the payload is, 0 to 127.
    pub payload_type: u8,
    /// One more in each packet, modulo 2^16.
    pub sequence: u16,
    /// When the payload begins, in samples from any origin, modulo 2^32.
    pub timestamp: u32,
    /// Which of the sender's streams this is.
    pub ssrc: u32,
    /// The payload without extension and padding.
    pub payload: &'a [u8],
}

/// Bytes that are no RTP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RtpError {
    /// Ends within its header, source list, extension or padding.
    #[error("an RTP packet of {found} bytes ends before its {part}")]
    Short {
        /// Bytes that came.
        found: usize,
        /// What is not whole.
        part: &'static str,
    },
    /// Another version; STUN and ZRTP look like this.
    #[error("RTP version {0}, expected 2")]
    Version(u8),
    /// Payload types 72 to 76 are RTCP on the same port.
    #[error("this is RTCP, not RTP")]
    Rtcp,
}

impl<'a> Packet<'a> {
    /// Reads one datagram.
    ///
    /// # Errors
    /// [`RtpError`] for anything that is not exactly one packet.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, RtpError> {
        let short = |part| RtpError::Short { found: datagram.len(), part };
        let Some((header, rest)) = datagram.split_first_chunk::<HEADER_LEN>() else { return Err(short("header")) };
        let [flags, kind, s0, s1, t0, t1, t2, t3, i0, i1, i2, i3] = *header;
        if flags >> 6 != VERSION {
            return Err(RtpError::Version(flags >> 6));
        }
        let payload_type = kind & 0x7f;
        // RFC 5761 §4: where both share a port, these are the types of RTCP packets with their first bit cut off.
        if (72..=76).contains(&payload_type) {
            return Err(RtpError::Rtcp);
        }
        let sources = usize::from(flags & 0x0f).saturating_mul(4);
        let mut payload = rest.get(sources..).ok_or(short("source list"))?;
        if flags & 0x10 != 0 {
            let ([_, _, l0, l1], rest) = payload.split_first_chunk::<4>().ok_or(short("extension"))?;
            let words = usize::from(u16::from_be_bytes([*l0, *l1]));
            payload = rest.get(words.saturating_mul(4)..).ok_or(short("extension"))?;
        }
        if flags & 0x20 != 0 {
            let padding = payload.last().copied().map_or(0, usize::from);
            let end = payload.len().checked_sub(padding).filter(|_| padding > 0).ok_or(short("padding"))?;
            payload = payload.get(..end).unwrap_or_default();
        }
        Ok(Self {
            marker: kind & 0x80 != 0,
            payload_type,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([i0, i1, i2, i3]),
            payload,
        })
    }

    /// Writes the packet, without extension and padding, in place of what `out` held.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.clear();
        out.reserve(HEADER_LEN.saturating_add(self.payload.len()));
        out.push(VERSION << 6);
        out.push((u8::from(self.marker) << 7) | (self.payload_type & 0x7f));
        out.extend_from_slice(&self.sequence.to_be_bytes());
        out.extend_from_slice(&self.timestamp.to_be_bytes());
        out.extend_from_slice(&self.ssrc.to_be_bytes());
        out.extend_from_slice(self.payload);
    }
}

/// The packets one side sends: audio and keys of one source, one numbering.
#[derive(Debug, Clone)]
pub struct Outbound {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    /// Nothing was sent just before, so the next audio packet begins a talk spurt.
    paused: bool,
}

impl Outbound {
    /// A new stream; all three should be random (RFC 3550 §5.1).
    pub const fn new(ssrc: u32, sequence: u16, timestamp: u32) -> Self {
        Self { ssrc, sequence, timestamp, paused: true }
    }

    /// Which stream this is.
    pub const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The timestamp of what is sent next.
    pub const fn timestamp(&self) -> u32 {
        self.timestamp
    }

    /// Writes the next audio packet into `out`; one byte of `payload` is one sample.
    pub fn audio(&mut self, payload_type: u8, payload: &[u8], out: &mut Vec<u8>) {
        let marker = std::mem::replace(&mut self.paused, false);
        self.write(Packet { marker, payload_type, sequence: 0, timestamp: self.timestamp, ssrc: 0, payload }, out);
        self.pass(u32::try_from(payload.len()).unwrap_or_default());
    }

    /// Lets time go by without a packet; the next one begins a talk spurt.
    pub const fn pause(&mut self, samples: u32) {
        self.paused = true;
        self.pass(samples);
    }

    /// Writes `packet` with this stream's next number.
    pub(super) fn write(&mut self, packet: Packet<'_>, out: &mut Vec<u8>) {
        Packet { sequence: self.sequence, ssrc: self.ssrc, ..packet }.write(out);
        self.sequence = self.sequence.wrapping_add(1);
    }

    pub(super) const fn pass(&mut self, samples: u32) {
        self.timestamp = self.timestamp.wrapping_add(samples);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_packet_is_written_as_the_rfc_draws_it() {
        let mut out = vec![1, 2, 3];
        let packet = Packet {
            marker: true,
            payload_type: 101,
            sequence: 0x1234,
            timestamp: 0x5678_9abc,
            ssrc: 0xdef0_1122,
            payload: b"ab",
        };

        packet.write(&mut out);

        assert_eq!(out, [0x80, 0xe5, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 0x11, 0x22, b'a', b'b']);
        assert_eq!(Packet::parse(&out), Ok(packet));
    }

    #[test]
    fn source_list_extension_and_padding_are_left_out_of_the_payload() {
        let mut bytes = vec![0x80 | 0x20 | 0x10 | 2, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        bytes.extend([9; 8]);
        bytes.extend([0xbe, 0xde, 0, 1, 7, 7, 7, 7]);
        bytes.extend(b"payload");
        bytes.extend([0, 0, 3]);

        assert_eq!(Packet::parse(&bytes).map(|packet| packet.payload), Ok(&b"payload"[..]));
    }

    #[test]
    fn a_packet_that_ends_too_early_says_where() {
        let whole = [0x80, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
        let with = |flags: u8, rest: &[u8]| {
            let mut bytes = whole.to_vec();
            bytes[0] = flags;
            bytes.extend_from_slice(rest);
            Packet::parse(&bytes).map(|packet| packet.payload.len())
        };

        assert_eq!(Packet::parse(&whole[..11]), Err(RtpError::Short { found: 11, part: "header" }));
        assert_eq!(with(0x81, &[0; 3]), Err(RtpError::Short { found: 15, part: "source list" }));
        assert_eq!(with(0x90, &[0, 0, 0]), Err(RtpError::Short { found: 15, part: "extension" }));
        assert_eq!(with(0x90, &[0, 0, 0, 1]), Err(RtpError::Short { found: 16, part: "extension" }));
        assert_eq!(with(0xa0, &[1, 2, 4]), Err(RtpError::Short { found: 15, part: "padding" }));
        assert_eq!(with(0xa0, &[0]), Err(RtpError::Short { found: 13, part: "padding" }));
        assert_eq!(with(0xa0, &[]), Err(RtpError::Short { found: 12, part: "padding" }));
        assert_eq!(with(0x40, &[]), Err(RtpError::Version(1)));
        assert_eq!(with(0x80, &[]), Ok(0));
    }

    #[test]
    fn rtcp_on_the_same_port_is_told_apart() {
        assert_eq!(Packet::parse(&[0x80, 200, 0, 6, 0, 0, 0, 2, 0, 0, 0, 3]), Err(RtpError::Rtcp));
    }

    #[test]
    fn numbering_wraps_around_and_a_pause_moves_the_time_only() {
        let mut stream = Outbound::new(7, u16::MAX, u32::MAX - 79);
        let mut out = Vec::new();
        let mut sent = |stream: &mut Outbound| {
            stream.audio(0, &[0xff; 160], &mut out);
            let packet = Packet::parse(&out).unwrap();
            (packet.marker, packet.sequence, packet.timestamp)
        };

        assert_eq!(sent(&mut stream), (true, u16::MAX, u32::MAX - 79));
        assert_eq!(sent(&mut stream), (false, 0, 80));
        stream.pause(320);
        assert_eq!(sent(&mut stream), (true, 1, 560));
    }

    proptest! {
        #[test]
        fn no_datagram_panics(mut bytes: Vec<u8>, version: bool) {
            if let (true, Some(first)) = (version, bytes.first_mut()) {
                *first = (*first & 0x3f) | 0x80;
            }
            let _ = Packet::parse(&bytes);
        }

        #[test]
        fn what_is_written_is_read_back(payload: Vec<u8>, marker: bool, sequence: u16, timestamp: u32, ssrc: u32) {
            let packet = Packet { marker, payload_type: 8, sequence, timestamp, ssrc, payload: &payload };
            let mut out = Vec::new();
            packet.write(&mut out);
            prop_assert_eq!(Packet::parse(&out), Ok(packet));
        }
    }
}
