//! When a phone looks for another configuration by itself.
//!
//! Pure: values, clock and MAC address in, the next moment out. Never waits and never asks.
//! Rules: the maker's guide to provisional polling (domain notes 1.6). That a period below the least counts as the
//! least, that the days of an absolute time are counted from the start, and that a window may go over midnight is
//! concluded; summer time is left out.

use openssl::sha::sha256;

use crate::facts::NetworkFacts;
use crate::mac::Mac;
use crate::settings::Values;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 24 * 60 * MINUTE;

/// Which phone looks, and from when its days count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Poller {
    pub(crate) mac: Mac,
    /// When it was started, in milliseconds since 1970 by its own clock.
    pub(crate) started: i64,
    /// Seconds its day is ahead of Greenwich.
    pub(crate) gmt_offset: i64,
}

/// What the configuration says about polling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Plan {
    mode: Mode,
    period: i64,
    /// Within the day, in milliseconds.
    time: i64,
    end: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Relative,
    Absolute,
    Random,
}

/// The first moment after `now` at which the phone polls, both in milliseconds since 1970; nothing when it does not.
pub(crate) fn next_poll(now: i64, values: &Values, facts: &NetworkFacts, poller: Poller) -> Option<i64> {
    let plan = Plan::of(values, facts)?;
    if plan.mode == Mode::Relative {
        let passed = now.saturating_sub(poller.started).max(0).div_euclid(plan.period);
        return poller.started.checked_add(passed.checked_add(1)?.checked_mul(plan.period)?);
    }
    let offset = poller.gmt_offset.checked_mul(SECOND)?;
    let local = now.checked_add(offset)?;
    let time = plan.time_of(poller);
    let (every, first) = plan.days(poller, offset)?;
    let today = local.div_euclid(DAY);
    // The next day of its own at which the time is still to come.
    let mut day = today.checked_add(first.checked_sub(today)?.rem_euclid(every))?;
    if day.checked_mul(DAY)?.checked_add(time)? <= local {
        day = day.checked_add(every)?;
    }
    day.checked_mul(DAY)?.checked_add(time)?.checked_sub(offset)
}

impl Plan {
    fn of(values: &Values, facts: &NetworkFacts) -> Option<Self> {
        let (words, rules) = (&facts.polling, &facts.rules.polling);
        let held = |name: &Option<String>| name.as_ref().and_then(|name| values.get(name)).map(|value| value.trim());
        held(&words.enabled).filter(|enabled| *enabled == "1")?;
        let is = |said: &str, word: &Option<String>| word.as_ref().is_some_and(|word| word.eq_ignore_ascii_case(said));
        let factory = match rules.mode.value.as_str() {
            "relative" => Mode::Relative,
            "random" => Mode::Random,
            _ => Mode::Absolute,
        };
        let mode = match held(&words.mode) {
            Some(said) if is(said, &words.relative) => Mode::Relative,
            Some(said) if is(said, &words.random) => Mode::Random,
            Some(said) if is(said, &words.absolute) => Mode::Absolute,
            _ => factory,
        };
        let period = held(&words.period).and_then(|text| text.parse::<i64>().ok());
        let period = period.unwrap_or_else(|| rules.period.value.into()).max(rules.period_least.value.into());
        let usual = time_of_day(&rules.time.value).unwrap_or_default();
        let time = held(&words.time).and_then(time_of_day).unwrap_or(usual);
        let end = held(&words.random_end).and_then(time_of_day).unwrap_or(time);
        Some(Self { mode, period: period.checked_mul(SECOND)?, time, end })
    }

    /// Every how many days the phone polls, and one of those days; counted from 1970 by local time.
    fn days(&self, poller: Poller, offset: i64) -> Option<(i64, i64)> {
        let every = self.period.checked_add(DAY)?.checked_sub(1)?.div_euclid(DAY).max(1);
        let started = poller.started.checked_add(offset)?;
        let first = match self.mode {
            // Its own day among all phones, the same for ever.
            Mode::Random => below(every, &[b"day", poller.mac.to_string().as_bytes()]),
            // The first time of day after it was started.
            _ if started.rem_euclid(DAY) < self.time => started.div_euclid(DAY),
            _ => started.div_euclid(DAY).checked_add(1)?,
        };
        Some((every, first))
    }

    /// The time of day; a random one is drawn anew at each start.
    fn time_of(&self, poller: Poller) -> i64 {
        if self.mode != Mode::Random {
            return self.time;
        }
        let window = self.end.saturating_sub(self.time).rem_euclid(DAY);
        let mac = poller.mac.to_string();
        let drawn = below(window.saturating_add(1), &[b"time", mac.as_bytes(), &poller.started.to_be_bytes()]);
        // What is drawn beyond midnight belongs to the same day's early morning.
        self.time.saturating_add(drawn).rem_euclid(DAY)
    }
}

/// `hh:mm` in milliseconds.
fn time_of_day(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let digits = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = |text: &str, below: i64| text.parse::<i64>().ok().filter(|number| digits(text) && *number < below);
    Some(number(hours, 24)?.saturating_mul(60).saturating_add(number(minutes, 60)?).saturating_mul(MINUTE))
}

/// A number from 0 on and below `limit` that depends on nothing but `parts`.
fn below(limit: i64, parts: &[&[u8]]) -> i64 {
    let digest = sha256(&parts.concat());
    let first = digest.first_chunk::<7>().copied().unwrap_or_default();
    let number = first.iter().fold(0_i64, |number, byte| number.wrapping_shl(8) | i64::from(*byte));
    number.rem_euclid(limit.max(1))
}

#[cfg(test)]
mod tests;
