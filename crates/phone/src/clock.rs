//! The phone's own clock.
//!
//! Decides what time the phone believes it is: 1 January 1999 from power-on until a time server
//! answered. Never reads the host's clock itself; the caller hands one in.
//! Source: community reports that phones without time start in 1999 and refuse certificates as "not
//! yet valid" (memory, strong; domain notes 4.4).

use std::time::{SystemTime, UNIX_EPOCH};

/// Reads the caller's clock; it also stamps the request log.
pub type HostClock = fn() -> SystemTime;

/// 1999-01-01T00:00:00Z in milliseconds since 1970.
const POWER_ON_MILLIS: i64 = 915_148_800_000;

/// A clock that runs with the host's, from where it was set.
#[derive(Debug, Clone)]
pub(crate) struct PhoneClock {
    host: HostClock,
    offset_millis: i64,
}

impl PhoneClock {
    /// The clock of a phone that has just got power.
    pub(crate) fn power_on(host: HostClock) -> Self {
        Self { host, offset_millis: POWER_ON_MILLIS.saturating_sub(unix_millis(host())) }
    }

    /// Forgets the time, as at every start: the clock has no battery.
    pub(crate) fn forget(&mut self) {
        *self = Self::power_on(self.host);
    }

    /// Takes a time server's `now` (milliseconds since 1970).
    pub(crate) fn set(&mut self, now: i64) {
        self.offset_millis = now.saturating_sub(unix_millis((self.host)()));
    }

    /// Takes the host's time.
    pub(crate) fn follow_host(&mut self) {
        self.offset_millis = 0;
    }

    /// What the phone believes, in milliseconds since 1970.
    pub(crate) fn now_millis(&self) -> i64 {
        unix_millis((self.host)()).saturating_add(self.offset_millis)
    }

    /// What the host believes, in milliseconds since 1970.
    pub(crate) fn host_millis(&self) -> i64 {
        unix_millis((self.host)())
    }
}

/// RFC 3339 in UTC with milliseconds.
pub(crate) fn rfc3339(millis: i64) -> String {
    match jiff::Timestamp::from_millisecond(millis) {
        Ok(at) => format!("{at:.3}"),
        Err(_) => format!("{millis} ms after 1970"),
    }
}

fn unix_millis(at: SystemTime) -> i64 {
    match at.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, i64::wrapping_neg),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn in_2026() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_790_000_000)
    }

    #[test]
    fn a_phone_without_time_believes_it_is_1999() {
        let clock = PhoneClock::power_on(in_2026);

        assert_eq!(rfc3339(clock.now_millis()), "1999-01-01T00:00:00.000Z");
    }

    #[test]
    fn a_time_server_sets_it() {
        let mut clock = PhoneClock::power_on(in_2026);

        clock.set(1_000);

        assert_eq!(clock.now_millis(), 1_000);
        assert_eq!(clock.host_millis(), 1_790_000_000_000);
    }
}
