//! Requests that wait for their answers.
//!
//! Decides when a request is sent again and when nobody will answer any more. Times are arguments.
//! Rules: RFC 3261, 17.1 (timers A, B, E and F); a stream repeats nothing.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use crate::sip::wire::Transport;

/// The first repetition (T1) and the longest wait between repetitions but for INVITE (T2).
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(4);

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Register,
    Unregister,
    Invite,
    Reinvite,
    Cancel,
    Bye,
    Info,
}

impl Purpose {
    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::Register | Self::Unregister => "REGISTER",
            Self::Invite | Self::Reinvite => "INVITE",
            Self::Cancel => "CANCEL",
            Self::Bye => "BYE",
            Self::Info => "INFO",
        }
    }

    /// It belongs to a call, and ends with it.
    pub(crate) fn of_call(self) -> bool {
        !matches!(self, Self::Register | Self::Unregister)
    }
}

/// One request on its way.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) branch: String,
    pub(crate) purpose: Purpose,
    pub(crate) bytes: Vec<u8>,
    pub(crate) to: SocketAddr,
    repeat: Option<(Instant, Duration)>,
    pub(crate) deadline: Instant,
}

impl Pending {
    pub(crate) fn new(purpose: Purpose, branch: String, (bytes, to): (Vec<u8>, SocketAddr)) -> Self {
        Self { branch, purpose, bytes, to, repeat: None, deadline: Instant::now() }
    }

    /// Starts its timers: it was sent at `now`.
    pub(crate) fn sent(self, now: Instant, transport: Transport, patience: Duration) -> Self {
        let repeat = (transport == Transport::Udp).then(|| (now + FIRST, FIRST));
        Self { repeat, deadline: now + patience, ..self }
    }

    /// An answer says that it arrived: no repetition, and new patience.
    pub(crate) fn arrived(&mut self, deadline: Instant) {
        self.repeat = None;
        self.deadline = deadline;
    }

    /// Whether it is to be sent again at `now`.
    pub(crate) fn repeats(&mut self, now: Instant) -> bool {
        let Some((at, every)) = self.repeat.filter(|(at, _)| *at <= now) else { return false };
        let next = every.saturating_mul(2);
        let next = if self.purpose.method() == "INVITE" { next } else { next.min(LONGEST) };
        self.repeat = Some((at + next, next));
        true
    }

    /// When something is due next.
    pub(crate) fn wake(&self) -> Instant {
        self.repeat.map_or(self.deadline, |(at, _)| at.min(self.deadline))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repetitions(purpose: Purpose, transport: Transport) -> Vec<u128> {
        let start = Instant::now();
        let to = ([192, 0, 2, 1], 5060).into();
        let mut pending =
            Pending::new(purpose, String::new(), (Vec::new(), to)).sent(start, transport, Duration::from_secs(32));
        let mut times = Vec::new();
        while pending.wake() < pending.deadline {
            let now = pending.wake();
            assert!(pending.repeats(now));
            times.push((now - start).as_millis());
        }
        times
    }

    #[test]
    fn requests_are_repeated_as_the_rfc_says() {
        let invite = [500, 1500, 3500, 7500, 15_500, 31_500];
        assert_eq!(repetitions(Purpose::Invite, Transport::Udp), invite);
        let register = [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
        assert_eq!(repetitions(Purpose::Register, Transport::Udp), register);
        assert!(repetitions(Purpose::Invite, Transport::Tcp).is_empty());
    }
}
