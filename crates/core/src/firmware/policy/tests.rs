use super::*;
use proptest::prelude::*;

const TOP: &str = "account_01jd0ck3v80000000000000001";
const BELOW: &str = "account_01jd0ck3v80000000000000002";
const SITE: &str = "site_01jd0ck3v80000000000000001";

fn policy(id: &str, place: Place, (model, ring): (Option<&str>, Option<&str>)) -> Policy {
    Policy {
        id: id.to_owned(),
        place,
        model: model.map(str::to_owned),
        ring: ring.map(str::to_owned),
        goal: Goal::Newest,
        window: None,
        slots: None,
        after: None,
    }
}

fn account(text: &str) -> Place {
    Place::Account(text.parse().unwrap())
}

fn chosen(policies: &[Policy], ring: &str) -> Option<String> {
    let accounts = [TOP.parse().unwrap(), BELOW.parse().unwrap()];
    let site = SITE.parse().unwrap();
    let of = Whereabouts { accounts: &accounts, site: Some(&site), model: "vvx450", ring };
    choose(policies, &of).policy.map(|policy| policy.id)
}

#[test]
fn the_nearest_policy_counts_and_it_is_said_which() {
    let mut policies = vec![policy("server", Place::Platform, (None, None))];
    assert_eq!(chosen(&policies, GENERAL).as_deref(), Some("server"));
    policies.push(policy("top", account(TOP), (Some("vvx450"), Some(GENERAL))));
    assert_eq!(chosen(&policies, GENERAL).as_deref(), Some("top"));
    policies.push(policy("below", account(BELOW), (None, None)));
    assert_eq!(chosen(&policies, GENERAL).as_deref(), Some("below"), "the nearer account, whatever the other names");
    policies.push(policy("site", Place::Site(SITE.parse().unwrap()), (None, None)));
    policies.push(policy("site-ring", Place::Site(SITE.parse().unwrap()), (None, Some("canary"))));
    policies.push(policy("site-model", Place::Site(SITE.parse().unwrap()), (Some("vvx450"), None)));
    policies.push(policy("site-other", Place::Site(SITE.parse().unwrap()), (Some("vvx500"), None)));
    assert_eq!(chosen(&policies, "canary").as_deref(), Some("site-model"), "the model before the ring");
    policies.push(policy("site-both", Place::Site(SITE.parse().unwrap()), (Some("vvx450"), Some("canary"))));
    assert_eq!(chosen(&policies, "canary").as_deref(), Some("site-both"));
    assert_eq!(chosen(&policies, GENERAL).as_deref(), Some("site-model"));

    let accounts = [TOP.parse().unwrap()];
    let of = Whereabouts { accounts: &accounts, site: None, model: "vvx450", ring: GENERAL };
    let counts = choose(&policies, &of);
    assert_eq!(counts.why, format!("the policy for the account {TOP}, model vvx450, ring general counts"));
}

#[test]
fn an_account_does_not_read_what_those_above_decided() {
    let accounts = [TOP.parse().unwrap(), BELOW.parse().unwrap()];
    let site = SITE.parse().unwrap();
    let of = Whereabouts { accounts: &accounts, site: Some(&site), model: "vvx450", ring: GENERAL };
    let mut policies = vec![policy("server", Place::Platform, (None, None)), policy("top", account(TOP), (None, None))];
    policies.push(policy("top-model", account(TOP), (Some("vvx450"), None)));
    assert_eq!(choose(&policies, &of).why, "a policy of an account above counts");
    policies.push(policy("below", account(BELOW), (None, None)));
    assert_eq!(choose(&policies, &of).why, format!("the policy for the account {BELOW} counts"));
    policies.push(policy("site", Place::Site(SITE.parse().unwrap()), (None, None)));
    assert!(choose(&policies, &of).why.ends_with("counts: another one reaches it, and this is the nearest"));
}

#[test]
fn without_a_policy_the_default_counts() {
    let of = Whereabouts { accounts: &[], site: None, model: "vvx450", ring: GENERAL };

    let counts = choose(&[], &of);

    assert_eq!((counts.goal(), counts.window(), counts.slots()), (&Goal::Newest, Window::NIGHT, 5));
    assert!(counts.why.contains("default"));
}

#[test]
fn windows_and_goals_are_read_as_they_are_written() {
    for text in ["22:00-05:00", "08:30-09:00", "always", "00:00-23:59"] {
        assert_eq!(text.parse::<Window>().unwrap().to_string(), text);
    }
    for text in ["", "22-05", "24:00-05:00", "22:60-05:00", "22:00", "9:00-10:00", "05:00-05:00", "+2:00-03:00"] {
        assert!(text.parse::<Window>().is_err(), "{text}");
    }
    for text in ["newest", "keep", "6.4.7.4560"] {
        assert_eq!(text.parse::<Goal>().unwrap().to_string(), text);
    }
    assert!("latest".parse::<Goal>().unwrap_err().to_string().contains("newest, keep"));
}

fn at(text: &str) -> UnixMillis {
    UnixMillis::from_rfc3339(text).unwrap()
}

#[test]
fn a_window_is_open_by_the_clocks_of_the_site_on_the_nights_they_change_too() {
    let is_open = |window: &str, time| window.parse::<Window>().unwrap().is_open("Europe/Vienna", at(time)).unwrap();

    assert!(is_open("22:00-05:00", "2026-11-30T22:30:00+01:00") && is_open("22:00-05:00", "2026-12-01T04:59:59+01:00"));
    assert!(!is_open("22:00-05:00", "2026-12-01T05:00:00+01:00"));
    assert!(!is_open("22:00-05:00", "2026-07-01T21:30:00+02:00"), "summer time is the site's time");
    // At 2 the clocks go to 3: an hour that is not there opens nothing.
    assert!(
        !is_open("02:00-03:00", "2026-03-29T01:59:00+01:00") && !is_open("02:00-03:00", "2026-03-29T03:00:00+02:00")
    );
    // At 3 they go back to 2: the hour comes twice.
    assert!(is_open("02:00-03:00", "2026-10-25T02:30:00+02:00") && is_open("02:00-03:00", "2026-10-25T02:30:00+01:00"));
    assert!(Window::NIGHT.is_open("Mars/Olympus", at("2026-10-25T02:30:00Z")).is_err());
}

proptest! {
    #[test]
    fn a_window_is_open_for_as_long_as_it_says_and_its_reverse_for_the_rest(a in 0u16..1440, b in 0u16..1440) {
        prop_assume!(a != b);
        let (window, reverse) = (Window { opens: a, closes: b }, Window { opens: b, closes: a });
        let length = (i32::from(b) - i32::from(a)).rem_euclid(1440);
        let open = (0..1440u16).filter(|minute| window.holds(*minute)).count();
        prop_assert_eq!(i32::try_from(open).unwrap(), length);
        prop_assert!((0..1440u16).all(|minute| window.holds(minute) != reverse.holds(minute)));
        prop_assert_eq!(window.to_string().parse::<Window>().unwrap(), window);
    }

    #[test]
    fn whatever_is_written_as_a_window_never_panics(text in "\\PC{0,12}") {
        let _ = text.parse::<Window>();
        let _ = text.parse::<Goal>();
    }

    #[test]
    fn within_a_day_each_minute_on_the_clock_is_met(
        zone in prop::sample::select(vec!["Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]),
        day in 0i64..3650,
    ) {
        let begin = UnixMillis(1_700_000_000_000).plus_days(day);
        let met = |minutes: i64| minute_of_day(zone, begin.plus_millis(minutes * 60_000)).unwrap();
        // Clocks shift by a whole number of minutes at most twice a year, so a minute later is nearly always one more.
        let steps = (0..1440).filter(|n| (met(*n) + 1) % 1440 != met(n + 1)).count();
        prop_assert!(steps <= 1, "{zone} {begin}");
    }
}

fn free() -> Now {
    Now { window: WindowNow::Open, ring: RingNow::Clear, failures: 0, call: CallNow::Idle }
}

#[test]
fn what_lasts_is_said_before_what_passes() {
    let closed = WindowNow::Closed { window: Window::NIGHT, zone: "Europe/Vienna".to_owned() };
    let paused = RingNow::Paused { since: UnixMillis(5), failures: 2 };

    assert_eq!(wait(&free()), None);
    assert_eq!(wait(&Now { call: CallNow::Talks, ..free() }), Some(Wait::InCall));
    assert_eq!(wait(&Now { call: CallNow::NotKnown, ..free() }), Some(Wait::CallNotKnown));
    let now = Now { window: closed.clone(), call: CallNow::Talks, ..free() };
    assert!(wait(&now).unwrap().to_string().contains("22:00-05:00 only (Europe/Vienna)"));
    let now = Now { window: closed, ring: paused, ..free() };
    assert!(matches!(wait(&now), Some(Wait::Paused { failures: 2, .. })));
    assert_eq!(wait(&Now { failures: 3, ..now }), Some(Wait::GivenUp(3)));
    assert_eq!(wait(&Now { failures: 2, ..free() }), None);
}

#[test]
fn others_follow_once_a_canary_ran_the_version_for_its_hours() {
    let after = AfterRing { ring: "canary".to_owned(), hours: 24, most_failures: 1 };
    let version: Version = "6.4.8.1".parse().unwrap();
    let canary = |firmware: &str, came_back: Option<i64>| Canary {
        firmware: Some(firmware.parse().unwrap()),
        came_back: came_back.map(UnixMillis),
    };
    let now = UnixMillis(0).plus_days(10);
    let day_ago = now.plus_days(-1).0;

    assert!(!has_shown(&after, &version, &[], now));
    assert!(!has_shown(&after, &version, &[canary("6.4.8.1", Some(day_ago + 1))], now), "not yet");
    assert!(!has_shown(&after, &version, &[canary("6.4.7.1", Some(day_ago))], now), "it went back");
    assert!(has_shown(&after, &version, &[canary("6.4.7.1", None), canary("6.4.8.1", Some(day_ago))], now));
    assert!(has_shown(&after, &version, &[canary("6.4.8.1", None)], now), "it ran it before");
}
