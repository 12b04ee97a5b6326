//! A site's time zone in the form a phone can hold: an offset and one yearly daylight rule.
//!
//! Decides the rule from the IANA data by looking at its transitions. A phone holds one rule for all
//! years and a shift of one hour, so a zone whose rule moves from year to year, or shifts by another
//! amount, gets its offset of today and a remark instead of a wrong rule.
//! Form of the rule: `date = (n-1)*7+1` with the day of week means "the n-th such weekday" (catalog/SOURCES.md, wz).

use crate::time::UnixMillis;
use jiff::tz::{Dst, TimeZone};
use jiff::{Timestamp, Zoned};

/// How far a phone's clock is from UTC, and when that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneClock {
    /// Seconds east of UTC: in winter with a rule, else as of today.
    pub gmt_offset_s: i32,
    /// The yearly rule, where the zone has one a phone can hold.
    pub daylight: Option<DaylightRule>,
    /// Why there is no rule although the zone changes its clocks.
    pub remark: Option<String>,
}

/// When clocks go one hour ahead, and back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaylightRule {
    /// Start of daylight time.
    pub start: ClockChange,
    /// End of daylight time.
    pub stop: ClockChange,
}

/// A yearly moment such as "the last Sunday of March at 1 o'clock".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockChange {
    /// 1 to 12.
    pub month: i8,
    /// Which of the month's such weekdays.
    pub week: Week,
    /// 1 is Sunday, 7 is Saturday.
    pub day_of_week: i8,
    /// Hour on the clock just before it changes, 0 to 23.
    pub hour: i8,
}

/// Which of a month's weekdays of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Week {
    /// The first to fourth.
    Nth(i8),
    /// The last.
    Last,
}

/// The names of all zones there are, in order.
pub fn zone_names() -> Vec<String> {
    let mut names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    // Places, and UTC; the rest are old names for them.
    names.retain(|name| name == "UTC" || (name.contains('/') && !name.starts_with("Etc/")));
    names.sort_unstable();
    names
}

/// A name that the IANA data does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no time zone; use an IANA name such as Europe/Vienna or America/New_York")]
pub struct TimeZoneError {
    /// The name as it came.
    pub found: String,
}

const YEARS_CHECKED: usize = 3;

/// The clock of `zone` as a phone holds it, from the transitions that follow `now`.
///
/// # Errors
/// [`TimeZoneError`] when the IANA data has no such zone.
pub fn phone_clock(zone: &str, now: UnixMillis) -> Result<PhoneClock, TimeZoneError> {
    let error = || TimeZoneError { found: zone.chars().take(60).collect() };
    if !zone.contains('/') && zone != "UTC" {
        return Err(error());
    }
    let tz = TimeZone::get(zone).map_err(|_| error())?;
    let now = Timestamp::from_millisecond(now.0).map_err(|_| error())?;
    let limit = YEARS_CHECKED.saturating_mul(2);
    let coming: Vec<_> = tz.following(now).take(limit).collect();
    let today = tz.to_offset_info(now);
    let offset_of_today = today.offset().seconds();
    let within_two_years = now.as_second().saturating_add(2 * 366 * 86_400);
    if coming.first().is_none_or(|next| next.timestamp().as_second() > within_two_years) {
        return Ok(PhoneClock { gmt_offset_s: offset_of_today, daylight: None, remark: None });
    }
    let irregular = || PhoneClock {
        gmt_offset_s: offset_of_today,
        daylight: None,
        remark: Some(format!(
            "{zone} changes its clocks in a way one yearly rule cannot say; the phone is told the offset of the day"
        )),
    };
    let (mut starts, mut stops, mut winter) = (Vec::new(), Vec::new(), Vec::new());
    for change in &coming {
        let Some(before) = change.timestamp().checked_sub(jiff::SignedDuration::from_secs(1)).ok() else {
            return Ok(irregular());
        };
        let wall = before.to_zoned(tz.clone());
        let rules = if change.dst() == Dst::Yes { &mut starts } else { &mut stops };
        rules.push(Candidate::of(&wall));
        if change.dst() == Dst::No {
            winter.push(change.offset().seconds());
        }
    }
    let (Some(start), Some(stop), Some(offset)) = (common(&starts), common(&stops), same(&winter)) else {
        return Ok(irregular());
    };
    let one_hour = coming.iter().all(|c| c.dst() == Dst::No || c.offset().seconds().saturating_sub(offset) == 3600);
    if !one_hour {
        return Ok(irregular());
    }
    Ok(PhoneClock { gmt_offset_s: offset, daylight: Some(DaylightRule { start, stop }), remark: None })
}

/// The minute of the day that clocks of `zone` show, 0 to 1439.
///
/// # Errors
/// [`TimeZoneError`] when the IANA data has no such zone.
pub fn minute_of_day(zone: &str, now: UnixMillis) -> Result<u16, TimeZoneError> {
    let error = || TimeZoneError { found: zone.chars().take(60).collect() };
    if !zone.contains('/') && zone != "UTC" {
        return Err(error());
    }
    let tz = TimeZone::get(zone).map_err(|_| error())?;
    let wall = Timestamp::from_millisecond(now.0).map_err(|_| error())?.to_zoned(tz);
    let part = |number: i8| u16::try_from(number).unwrap_or(0);
    Ok(part(wall.hour()).saturating_mul(60).saturating_add(part(wall.minute())))
}

/// One year's change: it may fit "the n-th weekday" and "the last weekday" at once.
struct Candidate {
    month: i8,
    nth: i8,
    is_last: bool,
    day_of_week: i8,
    hour: i8,
}

impl Candidate {
    /// Reads the change from the last second before it on the wall clock.
    fn of(before: &Zoned) -> Self {
        // The clock shows 01:59:59 just before it changes "at 2": round up to the hour.
        let moment = before.datetime().checked_add(jiff::Span::new().seconds(1)).unwrap_or_else(|_| before.datetime());
        let day = moment.day();
        Self {
            month: moment.month(),
            nth: day.saturating_sub(1).checked_div(7).unwrap_or(0).saturating_add(1),
            is_last: day.saturating_add(7) > moment.date().days_in_month(),
            day_of_week: moment.weekday().to_sunday_one_offset(),
            hour: moment.hour(),
        }
    }
}

/// The one rule all years agree on; "last" wins where both readings hold.
fn common(years: &[Candidate]) -> Option<ClockChange> {
    let first = years.first()?;
    if years.iter().any(|y| y.month != first.month || y.day_of_week != first.day_of_week || y.hour != first.hour) {
        return None;
    }
    let week = if years.iter().all(|y| y.is_last) {
        Week::Last
    } else if years.iter().all(|y| y.nth == first.nth) && first.nth <= 4 {
        Week::Nth(first.nth)
    } else {
        return None;
    };
    Some(ClockChange { month: first.month, week, day_of_week: first.day_of_week, hour: first.hour })
}

fn same(values: &[i32]) -> Option<i32> {
    let first = *values.first()?;
    values.iter().all(|value| *value == first).then_some(first)
}

impl ClockChange {
    /// The day of the month a phone is told: `(n-1)*7+1`, or 1 for "last", which has a flag of its own.
    pub const fn date(&self) -> i8 {
        match self.week {
            Week::Nth(n) => n.saturating_sub(1).saturating_mul(7).saturating_add(1),
            Week::Last => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOVEMBER_2026: UnixMillis = UnixMillis(1_795_000_000_000);

    fn rule(zone: &str) -> (i32, String, String) {
        let clock = phone_clock(zone, NOVEMBER_2026).unwrap();
        let show = |c: ClockChange| format!("{}/{:?}/{} at {}", c.month, c.week, c.day_of_week, c.hour);
        let rule = clock.daylight.unwrap_or_else(|| panic!("{zone} has no rule"));
        (clock.gmt_offset_s, show(rule.start), show(rule.stop))
    }

    #[test]
    fn the_rules_of_known_zones_are_found() {
        assert_eq!(rule("America/New_York"), (-18000, "3/Nth(2)/1 at 2".into(), "11/Nth(1)/1 at 2".into()));
        assert_eq!(rule("Europe/Vienna"), (3600, "3/Last/1 at 2".into(), "10/Last/1 at 3".into()));
        assert_eq!(rule("Europe/London"), (0, "3/Last/1 at 1".into(), "10/Last/1 at 2".into()));
        assert_eq!(rule("Australia/Sydney"), (36000, "10/Nth(1)/1 at 2".into(), "4/Nth(1)/1 at 3".into()));
    }

    #[test]
    fn the_time_of_year_does_not_change_the_answer() {
        let july = UnixMillis(1_784_000_000_000);
        for zone in ["America/New_York", "Europe/Vienna", "Australia/Sydney", "Asia/Tokyo"] {
            assert_eq!(phone_clock(zone, july), phone_clock(zone, NOVEMBER_2026), "{zone}");
        }
    }

    #[test]
    fn a_zone_without_daylight_time_has_none_and_no_remark() {
        let clock = phone_clock("Asia/Kolkata", NOVEMBER_2026).unwrap();
        assert_eq!(clock, PhoneClock { gmt_offset_s: 19800, daylight: None, remark: None });
    }

    #[test]
    fn a_rule_no_phone_can_hold_is_said_and_not_guessed() {
        for zone in ["Australia/Lord_Howe", "Antarctica/Troll", "America/Santiago"] {
            let clock = phone_clock(zone, NOVEMBER_2026).unwrap();
            assert!(clock.daylight.is_none() && clock.remark.is_some(), "{zone}: {clock:?}");
        }
    }

    #[test]
    fn without_a_rule_the_phone_shows_the_time_of_today() {
        let july = UnixMillis(1_784_000_000_000);
        let hours = |zone, now| f64::from(phone_clock(zone, now).unwrap().gmt_offset_s) / 3600.0;

        assert_eq!((hours("Australia/Lord_Howe", july), hours("Australia/Lord_Howe", NOVEMBER_2026)), (10.5, 11.0));
        assert_eq!((hours("Antarctica/Troll", july), hours("Antarctica/Troll", NOVEMBER_2026)), (2.0, 0.0));
        // The zone's last daylight time became its standard time in 2026: no change ahead, none to be undone.
        assert_eq!((hours("America/Vancouver", july), hours("America/Vancouver", NOVEMBER_2026)), (-7.0, -7.0));
    }

    #[test]
    fn an_unknown_zone_is_refused_with_an_example() {
        assert!(phone_clock("Mars/Olympus", NOVEMBER_2026).unwrap_err().to_string().contains("Europe/Vienna"));
        assert!(phone_clock("../etc/passwd", NOVEMBER_2026).is_err());
    }
}
