//! How often a phone is told to ask by itself.

use super::Target;
use crate::lifecycle::Polling;
use provost_catalog::Stage;

/// A phone that asks a few minutes late has missed nothing.
const SLACK_S: i64 = 300;

/// How often the phone asks with the values of this stage; `None` when they do not say.
pub fn polling(target: Target<'_>, stage: Stage) -> Option<Polling> {
    let Target { catalog, model, firmware } = target;
    let constants = catalog.constants(stage, model, firmware);
    let value = |id: &str| {
        let parameter = catalog.setting(id, model, firmware)?.parameter(1, 1);
        // A later layer replaces an earlier one.
        constants.iter().rev().find(|constant| constant.parameter == parameter).map(|constant| constant.value.as_str())
    };
    let every_s = value("polling.period")?.parse().ok().filter(|seconds: &i64| *seconds > 0)?;
    // Within a window of the day, one poll may be early and the next one late.
    let window_s = value("polling.time").and_then(of_day).zip(value("polling.random-end").and_then(of_day));
    let window_s = window_s.map_or(0, |(from, to)| to.saturating_sub(from).rem_euclid(DAY_S));
    Some(Polling { every_s, slack_s: SLACK_S.saturating_add(window_s) })
}

const DAY_S: i64 = 86_400;

/// Seconds from midnight of `HH:MM`.
fn of_day(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    Some(hours.saturating_mul(3600).saturating_add(minutes.saturating_mul(60)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use provost_catalog::Catalog;

    #[test]
    fn claimed_phones_ask_daily_within_their_window_and_unclaimed_ones_hourly() {
        let catalog = Catalog::built_in().unwrap();
        let of = |id: &str, stage| {
            let model = catalog.model(id).unwrap();
            polling(Target { catalog: &catalog, model, firmware: &model.firmware.reference.value }, stage)
        };
        assert_eq!(of("vvx450", Stage::Configuration), Some(Polling { every_s: 86_400, slack_s: 300 + 4 * 3600 }));
        assert_eq!(of("spip550", Stage::Configuration), Some(Polling { every_s: 86_400, slack_s: 300 }));
        assert_eq!(of("vvx450", Stage::Bootstrap), Some(Polling { every_s: 3601, slack_s: 300 }));
    }
}
