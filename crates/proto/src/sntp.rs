//! The time of day on the wire: SNTP answers for phones, and the request a phone makes.
//!
//! Decides whether a datagram is a time request and what the answer says about this host's clock: a phone needs the
//! right year to check a certificate, not the millisecond, so an unsynchronized host answers with a high stratum
//! rather than not at all. Never reads a clock or a socket; answers with exactly 48 bytes, so it amplifies nothing.
//! Rules: RFC 4330 §§3-6, RFC 5905 §7.3; stratum 10 and the silence before `floor` are ours.

use std::time::Duration;

/// The bytes of a message without extension or authentication fields.
pub const MESSAGE_LEN: usize = 48;

/// Seconds from 1900-01-01 to 1970-01-01.
const NTP_TO_UNIX: i64 = 2_208_988_800;
const ERA_SECONDS: i64 = 1 << 32;

/// What an unsynchronized host says: far below any real server, still below 15, which clients refuse.
const STRATUM_UNSYNCHRONIZED: u8 = 10;
/// What a synchronized host says. The kernel does not tell the stratum of its daemon; 3 is a usual one for a host
/// that follows public servers.
const STRATUM_SYNCHRONIZED: u8 = 3;
/// The local clock, as ntpd names it.
const REFERENCE_LOCAL_CLOCK: [u8; 4] = [127, 127, 1, 0];
/// The time daemon on this host: the address of its own source is not known here.
const REFERENCE_OWN_DAEMON: [u8; 4] = [127, 0, 0, 1];
/// Nobody knows how far an unsynchronized clock is off; stratum 10 says so. Clients drop a server that claims more than
/// a second and a half (RFC 5905 MAXDIST; chrony: 3 s, test `chrony_takes_the_time`), and a phone needs the right year.
const DISPERSION_UNSYNCHRONIZED: Duration = Duration::from_secs(1);

const MODE_SYMMETRIC_ACTIVE: u8 = 1;
const MODE_SYMMETRIC_PASSIVE: u8 = 2;
const MODE_CLIENT: u8 = 3;
const MODE_SERVER: u8 = 4;
const LEAP_UNSYNCHRONIZED: u8 = 3;

/// A point in time: seconds since 1970-01-01T00:00:00Z and the nanoseconds after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixTime {
    /// Whole seconds, rounded down.
    pub seconds: i64,
    /// 0 to 999,999,999.
    pub nanos: u32,
}

/// A 64-bit timestamp as the wire carries it: seconds of the current era of 136 years, and a binary fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NtpTimestamp(pub u64);

impl NtpTimestamp {
    /// The timestamp of a point in time, in whichever era it falls.
    pub fn at(time: UnixTime) -> Self {
        let seconds = time.seconds.saturating_add(NTP_TO_UNIX).rem_euclid(ERA_SECONDS).unsigned_abs();
        let fraction = (u64::from(time.nanos.min(999_999_999)) << 32) / 1_000_000_000;
        Self((seconds << 32) | fraction)
    }

    /// The point in time between 1968 and 2104 that this timestamp means.
    ///
    /// Source: RFC 4330 §3: with bit 0 set it counts from 1900, without from 2036-02-07T06:28:16Z.
    pub fn to_unix(self) -> UnixTime {
        let wire = i64::try_from(self.0 >> 32).unwrap_or_default();
        let era = if self.0 >> 63 == 1 { 0 } else { ERA_SECONDS };
        let nanos = ((self.0 & 0xffff_ffff) * 1_000_000_000 + (1 << 31)) >> 32;
        let (carry, nanos) = if nanos >= 1_000_000_000 { (1, 0) } else { (0, nanos) };
        UnixTime { seconds: wire + era - NTP_TO_UNIX + carry, nanos: u32::try_from(nanos).unwrap_or_default() }
    }

    fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(bytes))
    }
}

/// How far this host's clock can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockState {
    /// Nobody disciplines it, or nobody could say.
    Unsynchronized,
    /// A time daemon keeps it.
    Synchronized {
        /// The largest error it may have now.
        max_error: Duration,
    },
}

/// What the answering host knows about its clock.
#[derive(Debug, Clone, Copy)]
pub struct HostClock {
    /// The clock when the request came.
    pub now: UnixTime,
    /// Whether somebody keeps it.
    pub state: ClockState,
    /// The clock's step as a power of two of a second; -20 is about a microsecond.
    pub precision: i8,
}

/// What to do with a datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SntpAnswer {
    /// Send these bytes back to where it came from.
    Reply([u8; MESSAGE_LEN]),
    /// Send nothing.
    Silent(Silence),
}

/// Why a datagram gets no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Silence {
    /// Too short, or not a question.
    #[error("the datagram is no time request")]
    NotARequest,
    /// The host's clock stands before a time that has certainly passed, so it would give phones a wrong year.
    #[error("the host's clock is before {floor} s after 1970, which has passed; set the clock")]
    ClockBeforeFloor {
        /// Seconds since 1970.
        floor: i64,
    },
}

/// Answers one datagram.
///
/// `floor` is a time that has certainly passed (the build date or the last stored time): a clock before it is wrong,
/// and silence makes the phone ask elsewhere.
///
/// Source: RFC 4330 §6.
pub fn answer(datagram: &[u8], host: &HostClock, floor: UnixTime) -> SntpAnswer {
    let Some(request) = datagram.first_chunk::<MESSAGE_LEN>() else {
        return SntpAnswer::Silent(Silence::NotARequest);
    };
    let [flags, _, poll, ..] = *request;
    let version = (flags >> 3) & 7;
    let mode = match flags & 7 {
        MODE_CLIENT => MODE_SERVER,
        MODE_SYMMETRIC_ACTIVE => MODE_SYMMETRIC_PASSIVE,
        _ => return SntpAnswer::Silent(Silence::NotARequest),
    };
    if !(1..=4).contains(&version) {
        return SntpAnswer::Silent(Silence::NotARequest);
    }
    if host.now < floor {
        return SntpAnswer::Silent(Silence::ClockBeforeFloor { floor: floor.seconds });
    }

    let (stratum, reference, dispersion) = match host.state {
        ClockState::Unsynchronized => (STRATUM_UNSYNCHRONIZED, REFERENCE_LOCAL_CLOCK, DISPERSION_UNSYNCHRONIZED),
        ClockState::Synchronized { max_error } => (STRATUM_SYNCHRONIZED, REFERENCE_OWN_DAEMON, max_error),
    };
    let asked = timestamp(request, 40).0.to_be_bytes();
    let now = NtpTimestamp::at(host.now).0.to_be_bytes();
    let mut reply = Writer::default();
    // Leap 0 even when unsynchronized: phones drop an answer with leap 3, and then check no certificate at all.
    reply.put(&[(version << 3) | mode, stratum, poll]);
    reply.put(&host.precision.to_be_bytes());
    // The delay to the root is within the error the kernel states, so it is not counted a second time.
    reply.put(&short_format(Duration::ZERO));
    reply.put(&short_format(dispersion));
    reply.put(&reference);
    reply.put(&now);
    reply.put(&asked);
    reply.put(&now);
    reply.put(&now);
    SntpAnswer::Reply(reply.bytes)
}

/// The 48 bytes a phone asks with; the answer must bring `transmit` back.
pub fn request(transmit: NtpTimestamp) -> [u8; MESSAGE_LEN] {
    let mut message = Writer::default();
    message.put(&[(4 << 3) | MODE_CLIENT]);
    message.put(&[0; 39]);
    message.put(&transmit.0.to_be_bytes());
    message.bytes
}

/// What a server said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// The server's clock when it answered.
    pub time: UnixTime,
    /// 1 to 15: how far it is from a reference clock.
    pub stratum: u8,
    /// The largest error it admits, delay left out.
    pub dispersion: Duration,
}

/// An answer a client must not believe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// A datagram below 48 bytes.
    #[error("the time answer has {found} bytes, expected {MESSAGE_LEN}")]
    Short {
        /// Its length.
        found: usize,
    },
    /// Not a server's answer.
    #[error("the time answer has mode {found}, expected {MODE_SERVER}")]
    Mode {
        /// The mode it has.
        found: u8,
    },
    /// The timestamp we sent did not come back: it answers somebody else's question.
    #[error("the time answer does not belong to this request")]
    NotOurs,
    /// The server says that it has no time.
    #[error("the time server's clock is not synchronized")]
    Unsynchronized,
    /// A kiss-o'-death (0) or no server (16 and above).
    #[error("the time answer has stratum {found}, expected 1 to 15")]
    Stratum {
        /// The stratum it has.
        found: u8,
    },
    /// It names no time.
    #[error("the time answer holds no time")]
    NoTime,
}

/// Reads the answer to the request that was made with `transmit`.
///
/// # Errors
/// [`ReplyError`] when RFC 4330 §5 tells a client to discard it.
pub fn read_reply(datagram: &[u8], transmit: NtpTimestamp) -> Result<Reply, ReplyError> {
    let Some(message) = datagram.first_chunk::<MESSAGE_LEN>() else {
        return Err(ReplyError::Short { found: datagram.len() });
    };
    let [flags, stratum, ..] = *message;
    if flags & 7 != MODE_SERVER {
        return Err(ReplyError::Mode { found: flags & 7 });
    }
    if timestamp(message, 24) != transmit {
        return Err(ReplyError::NotOurs);
    }
    if flags >> 6 == LEAP_UNSYNCHRONIZED {
        return Err(ReplyError::Unsynchronized);
    }
    if !(1..=15).contains(&stratum) {
        return Err(ReplyError::Stratum { found: stratum });
    }
    let time = timestamp(message, 40);
    if time == NtpTimestamp(0) {
        return Err(ReplyError::NoTime);
    }
    let dispersion = timestamp(message, 8).0 >> 32;
    Ok(Reply { time: time.to_unix(), stratum, dispersion: Duration::from_micros((dispersion * 1_000_000) >> 16) })
}

/// The eight bytes at `offset` as a timestamp.
fn timestamp(message: &[u8; MESSAGE_LEN], offset: usize) -> NtpTimestamp {
    let bytes = message.get(offset..).and_then(|rest| rest.first_chunk::<8>());
    NtpTimestamp::from_bytes(bytes.copied().unwrap_or_default())
}

/// Seconds as 16 bits before and 16 after the binary point, at most the largest there is.
fn short_format(span: Duration) -> [u8; 4] {
    let units = (span.as_micros() << 16) / 1_000_000;
    u32::try_from(units).unwrap_or(u32::MAX).to_be_bytes()
}

/// Fills a message from its start.
struct Writer {
    bytes: [u8; MESSAGE_LEN],
    filled: usize,
}

impl Default for Writer {
    fn default() -> Self {
        Self { bytes: [0; MESSAGE_LEN], filled: 0 }
    }
}

impl Writer {
    fn put(&mut self, field: &[u8]) {
        for (slot, byte) in self.bytes.iter_mut().skip(self.filled).zip(field) {
            *slot = *byte;
        }
        self.filled = self.filled.saturating_add(field.len());
    }
}

#[cfg(test)]
mod tests;
