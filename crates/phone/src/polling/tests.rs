use super::*;
use crate::facts::tests::network_facts;
use proptest::prelude::*;

/// 2026-09-21T14:13:20Z.
const NOW: i64 = 1_790_000_000_000;
const HOUR: i64 = 60 * MINUTE;

fn values(pairs: &[(&str, &str)]) -> Values {
    let on = [("prov.polling.enabled", "1")];
    on.iter().chain(pairs).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn phone(mac: &str, started: i64) -> Poller {
    Poller { mac: mac.parse().unwrap(), started, gmt_offset: 0 }
}

fn next(pairs: &[(&str, &str)], poller: Poller) -> i64 {
    next_poll(NOW, &values(pairs), network_facts(), poller).unwrap()
}

fn day_and_time(moment: i64) -> (i64, i64) {
    (moment.div_euclid(DAY), moment.rem_euclid(DAY))
}

const MODE: &str = "prov.polling.mode";
const PERIOD: &str = "prov.polling.period";
const TIME: &str = "prov.polling.time";
const END: &str = "prov.polling.timeRandomEnd";

#[test]
fn a_phone_polls_only_where_it_is_told_to() {
    let poller = phone("0004f2000001", NOW);

    assert_eq!(next_poll(NOW, &Values::new(), network_facts(), poller), None);
    assert_eq!(next_poll(NOW, &values(&[("prov.polling.enabled", "0")]), network_facts(), poller), None);
}

#[test]
fn told_nothing_else_it_polls_every_day_at_three() {
    let poller = phone("0004f2000001", NOW - HOUR);

    assert_eq!(day_and_time(next(&[], poller)), (NOW.div_euclid(DAY) + 1, 3 * HOUR));
    assert_eq!(day_and_time(next(&[(TIME, "15:30")], poller)), (NOW.div_euclid(DAY), 15 * HOUR + 30 * MINUTE));
    assert_eq!(next(&[(TIME, "25:00")], poller), next(&[], poller), "what is no time is not obeyed");
}

#[test]
fn the_time_of_day_is_the_one_where_the_phone_is() {
    let poller = Poller { gmt_offset: -5 * 3600, ..phone("0004f2000001", NOW) };

    assert_eq!(day_and_time(next(&[], poller)).1, 8 * HOUR);
}

#[test]
fn a_relative_period_counts_from_the_start_and_is_never_below_an_hour() {
    let poller = phone("0004f2000001", NOW - 10 * HOUR - 5);

    assert_eq!(next(&[(MODE, "rel"), (PERIOD, "7200")], poller), poller.started + 12 * HOUR);
    assert_eq!(next(&[(MODE, "rel"), (PERIOD, "60")], poller), poller.started + 11 * HOUR);
    assert_eq!(next(&[(MODE, "rel")], poller), poller.started + DAY);
}

#[test]
fn a_longer_period_is_whole_days() {
    let started = NOW - 2 * DAY;
    let poller = phone("0004f2000001", started);

    let moment = next(&[(PERIOD, "100000")], poller);

    // First at three in the morning after the start, then every second day.
    let first = (started.div_euclid(DAY) + 1) * DAY + 3 * HOUR;
    assert_eq!(moment, first + 2 * DAY);
}

#[test]
fn a_random_day_is_the_macs_own_and_the_time_is_drawn_at_each_start() {
    let week = [(MODE, "random"), (PERIOD, "604800"), (TIME, "01:00"), (END, "05:00")];
    let days: std::collections::BTreeSet<i64> =
        (0..50).map(|number| day_and_time(next(&week, phone(&format!("0004f20000{number:02x}"), NOW))).0).collect();
    let times: std::collections::BTreeSet<i64> =
        (0..50).map(|start| day_and_time(next(&week, phone("0004f2000001", NOW - start * HOUR))).1).collect();

    assert_eq!(days.len(), 7, "fifty phones spread over the whole week");
    assert!(times.len() > 40, "a start draws another time: {times:?}");
}

fn minute(minute: i64) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

proptest! {
    #[test]
    fn the_next_poll_is_ahead_and_no_further_than_its_period(
        mode in "rel|abs|random|", period in 0_i64..2_000_000, time in 0_i64..1440, end in 0_i64..1440,
        before in 0_i64..100_000_000_000, offset in -43_200_i64..50_400, mac in 1_u32..0x00ff_ffff,
    ) {
        let (time, end, period_text) = (minute(time), minute(end), period.to_string());
        let pairs = [(MODE, mode.as_str()), (PERIOD, &period_text), (TIME, &time), (END, &end)];
        let poller = Poller { gmt_offset: offset, ..phone(&format!("0004f2{mac:06x}"), NOW - before) };

        let moment = next(&pairs, poller);

        let seconds = period.max(3600);
        let longest = if mode == "rel" { seconds * SECOND } else { (seconds + 86_399) / 86_400 * DAY };
        prop_assert!(moment > NOW && moment - NOW <= longest);
    }

    #[test]
    fn polls_of_one_start_come_at_one_time_of_day_and_whole_days_apart(
        period in 86_400_i64..2_000_000, end in 0_i64..1440, mac in 1_u32..0x00ff_ffff,
    ) {
        let (end, period) = (minute(end), period.to_string());
        let told = values(&[(MODE, "random"), (PERIOD, &period), (TIME, "22:00"), (END, &end)]);
        let (facts, poller) = (network_facts(), phone(&format!("0004f2{mac:06x}"), NOW));
        let first = next_poll(NOW, &told, facts, poller).unwrap();

        let second = next_poll(first, &told, facts, poller).unwrap();

        prop_assert_eq!((second - first).rem_euclid(DAY), 0);
        prop_assert_eq!(next_poll(second - 1, &told, facts, poller), Some(second));
    }

    #[test]
    fn the_random_day_stays_when_the_phone_starts_again(before in 0_i64..100_000_000, mac in 1_u32..0x00ff_ffff) {
        let week = [(MODE, "random"), (PERIOD, "604800"), (TIME, "01:00"), (END, "05:00")];
        let mac = format!("0004f2{mac:06x}");
        let day = |started| day_and_time(next(&week, phone(&mac, started))).0;

        prop_assert_eq!(day(NOW) % 7, day(NOW - before) % 7);
    }

    #[test]
    fn a_drawn_time_is_within_its_window(start in 0_i64..1_000_000, begin in 0_i64..1440, long in 0_i64..1440) {
        let pairs = [(MODE, "random"), (TIME, &minute(begin)), (END, &minute((begin + long) % 1440))];

        let time = day_and_time(next(&pairs, phone("0004f2000001", NOW - start))).1;

        prop_assert!((time - begin * MINUTE).rem_euclid(DAY) <= long * MINUTE);
    }

    #[test]
    fn no_values_and_no_clock_break_anything(
        period in ".{0,12}", time in ".{0,6}", mode in ".{0,6}", now: i64, started: i64, gmt_offset: i64,
    ) {
        let told = values(&[(MODE, &mode), (PERIOD, &period), (TIME, &time), (END, &time)]);
        let poller = Poller { gmt_offset, started, ..phone("0004f2000001", 0) };

        let _ = next_poll(now, &told, network_facts(), poller);
    }
}
