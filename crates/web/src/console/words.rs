//! Times and sizes in words.

use jiff::Timestamp;
use provost_core::time::UnixMillis;

/// A point in time, for people and exactly.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    /// RFC 3339, for programs.
    pub(super) exact: String,
    /// Exact, for people, in UTC.
    pub(super) shown: String,
    /// As seen from now ("3 minutes ago").
    pub(super) words: String,
    /// Whether it is over.
    pub(super) is_past: bool,
}

impl Moment {
    /// Reads the RFC 3339 text of a view; text that is no time is shown as it is.
    pub(super) fn read(text: &str, now: UnixMillis) -> Self {
        match text.parse::<Timestamp>() {
            Ok(at) => Self::of(at, now),
            Err(_) => Self { exact: text.to_owned(), shown: text.to_owned(), words: text.to_owned(), is_past: true },
        }
    }

    /// The moment at this time.
    pub(super) fn at(at: UnixMillis, now: UnixMillis) -> Self {
        Self::read(&at.to_string(), now)
    }

    fn of(at: Timestamp, now: UnixMillis) -> Self {
        let seconds = now.0.saturating_sub(at.as_millisecond()).div_euclid(1000);
        Self {
            exact: at.to_string(),
            shown: at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
            words: relative(seconds),
            is_past: seconds >= 0,
        }
    }
}

/// A distance in time, positive for the past.
fn relative(seconds: i64) -> String {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    let distance = seconds.saturating_abs();
    let (count, unit) = match distance {
        0..5 => return "just now".to_owned(),
        5..MINUTE => (distance, "second"),
        MINUTE..HOUR => (distance.div_euclid(MINUTE), "minute"),
        HOUR..DAY => (distance.div_euclid(HOUR), "hour"),
        _ => (distance.div_euclid(DAY), "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    if seconds < 0 { format!("in {count} {unit}{plural}") } else { format!("{count} {unit}{plural} ago") }
}

/// The devices that match all of these, as the address of their page.
pub(super) fn devices_at(filters: &[(&str, &str)]) -> String {
    let encoded =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let pairs: Vec<_> = filters.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    format!("/devices?{}", pairs.join("&"))
}

/// A size in bytes, kB or MB, rounded down to a tenth.
pub(super) fn size(bytes: i64) -> String {
    const KILO: i64 = 1000;
    const MEGA: i64 = 1_000_000;
    let tenths = |unit: i64| (bytes.div_euclid(unit), bytes.rem_euclid(unit).saturating_mul(10).div_euclid(unit));
    match bytes {
        ..KILO => format!("{bytes} bytes"),
        KILO..MEGA => {
            let (whole, tenth) = tenths(KILO);
            format!("{whole}.{tenth} kB")
        }
        _ => {
            let (whole, tenth) = tenths(MEGA);
            format!("{whole}.{tenth} MB")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_said_in_the_largest_whole_unit() {
        for (seconds, words) in [
            (0, "just now"),
            (-4, "just now"),
            (59, "59 seconds ago"),
            (60, "1 minute ago"),
            (3_599, "59 minutes ago"),
            (7_200, "2 hours ago"),
            (86_400, "1 day ago"),
            (-604_800, "in 7 days"),
            (i64::MAX, "106751991167300 days ago"),
        ] {
            assert_eq!(relative(seconds), words);
        }
    }

    #[test]
    fn a_moment_is_exact_beside_its_words() {
        let now = UnixMillis(1_790_000_180_000);
        let moment = Moment::at(UnixMillis(1_790_000_000_000), now);

        assert_eq!(
            (moment.words.as_str(), moment.shown.as_str(), moment.is_past),
            ("3 minutes ago", "2026-09-21 14:13:20 UTC", true)
        );
        assert_eq!(Moment::read("no time", now).words, "no time");
    }

    #[test]
    fn sizes_are_rounded_down() {
        assert_eq!(
            [0, 999, 1_000, 1_999, 999_999, 1_250_000].map(size),
            ["0 bytes", "999 bytes", "1.0 kB", "1.9 kB", "999.9 kB", "1.2 MB"]
        );
    }
}
