//! The figures of a fleet.
//!
//! Decides what is counted and how it is said. Percentiles are those of the phones that succeeded, by nearest rank.

use crate::out::say;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// What one phone took, or why it failed.
pub(super) type Took = Result<Duration, String>;

/// Bytes of a memory page (Linux on every machine this is built for).
const PAGE: u64 = 4096;

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Figures {
    phones: usize,
    booted: usize,
    seconds: f64,
    boots_per_second: f64,
    boot: Percentiles,
    polls: usize,
    poll: Percentiles,
    memory_bytes_per_phone: Option<u64>,
    failures: BTreeMap<String, usize>,
    #[serde(skip)]
    poll_times: Vec<Duration>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Percentiles {
    p50_ms: u64,
    p99_ms: u64,
    max_ms: u64,
}

impl Figures {
    pub(super) fn of_boots(boots: Vec<Took>, whole: Duration) -> Self {
        let mut figures = Self { phones: boots.len(), seconds: whole.as_secs_f64(), ..Self::default() };
        let times = figures.sort(boots);
        figures.booted = times.len();
        let count = u32::try_from(times.len()).map_or(f64::MAX, f64::from);
        figures.boots_per_second = if figures.seconds > 0.0 { count / figures.seconds } else { 0.0 };
        figures.boot = percentiles(times);
        figures
    }

    pub(super) fn add_polls(&mut self, polls: Vec<Took>) {
        self.polls = self.polls.saturating_add(polls.len());
        let times = self.sort(polls);
        self.poll_times.extend(times);
        self.poll = percentiles(self.poll_times.clone());
    }

    pub(super) fn memory(&mut self, before: Option<u64>, after: Option<u64>, phones: usize) {
        let phones = u64::try_from(phones).unwrap_or(u64::MAX);
        let grown = before.zip(after).map(|(before, after)| after.saturating_sub(before));
        self.memory_bytes_per_phone = grown.and_then(|grown| grown.checked_div(phones));
    }

    pub(super) fn failures(&self) -> usize {
        self.failures.values().sum()
    }

    pub(super) fn say(&self, json: bool) {
        if json {
            // Numbers and texts only: there is nothing to fail on.
            say(serde_json::to_string(self).unwrap_or_default());
            return;
        }
        let Percentiles { p50_ms, p99_ms, max_ms } = self.boot;
        say(format!(
            "booted   {} of {} in {:.1} s: {:.1} boots a second",
            self.booted, self.phones, self.seconds, self.boots_per_second
        ));
        if self.booted > 0 {
            say(format!("a boot   {p50_ms} ms half of them, {p99_ms} ms 99 %, {max_ms} ms the longest"));
        }
        if self.polls > 0 {
            let Percentiles { p50_ms, p99_ms, max_ms } = self.poll;
            say(format!(
                "a poll   {p50_ms} ms half of them, {p99_ms} ms 99 %, {max_ms} ms the longest, of {}",
                self.polls
            ));
        }
        if let Some(bytes) = self.memory_bytes_per_phone {
            say(format!("memory   {} KiB a phone in this process", bytes / 1024));
        }
        for (reason, count) in &self.failures {
            say(format!("failed   {count}: {reason}"));
        }
    }

    /// Notes the failures by reason and gives back the times of the others.
    fn sort(&mut self, took: Vec<Took>) -> Vec<Duration> {
        let mut times = Vec::new();
        for took in took {
            match took {
                Ok(time) => times.push(time),
                Err(reason) => {
                    let count = self.failures.entry(reason).or_default();
                    *count = count.saturating_add(1);
                }
            }
        }
        times
    }
}

fn percentiles(mut times: Vec<Duration>) -> Percentiles {
    times.sort_unstable();
    let rank = |percent: usize| times.len().saturating_mul(percent).div_ceil(100).saturating_sub(1);
    let at = |rank: usize| times.get(rank).map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    Percentiles { p50_ms: at(rank(50)), p99_ms: at(rank(99)), max_ms: at(times.len().saturating_sub(1)) }
}

/// What of this process is in memory; nothing where the system does not say.
pub(super) fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    text.split(' ').nth(1)?.parse::<u64>().ok()?.checked_mul(PAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let times = |range: std::ops::RangeInclusive<u64>| range.map(Duration::from_millis).rev().collect::<Vec<_>>();

        assert_eq!(percentiles(times(1..=100)), Percentiles { p50_ms: 50, p99_ms: 99, max_ms: 100 });
        assert_eq!(percentiles(times(7..=7)), Percentiles { p50_ms: 7, p99_ms: 7, max_ms: 7 });
        assert_eq!(percentiles(Vec::new()), Percentiles::default());
    }

    #[test]
    fn failures_are_counted_by_reason_and_left_out_of_the_times() {
        let boots = vec![Ok(Duration::from_millis(10)), Err("refused".to_owned()), Err("refused".to_owned())];

        let figures = Figures::of_boots(boots, Duration::from_secs(2));

        assert_eq!((figures.phones, figures.booted, figures.failures()), (3, 1, 2));
        assert_eq!(figures.failures["refused"], 2);
        assert_eq!(figures.boot.max_ms, 10);
        assert!((figures.boots_per_second - 0.5).abs() < 1e-9);
    }
}
