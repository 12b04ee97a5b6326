use super::*;
use provost_core::pbx::{Calls, Survey, Way};

const NOW: UnixMillis = UnixMillis(1_795_000_000_000);

fn at(address: &str, agent: &str) -> Registration {
    Registration {
        line: line_of(address).to_owned(),
        contact: "sip:1001@192.0.2.7:5060".to_owned(),
        agent: Some(agent.to_owned()),
        until: Some(NOW.plus_millis(1)),
        way: Way { address_of_record: address.to_owned(), ..Way::default() },
        ..Registration::default()
    }
}

/// What is said where the connector is the account's own and so many phones have the lines.
fn said(
    registrations: Vec<Registration>,
    phones: usize,
    lines: &[&str],
    domain: Option<&str>,
) -> (&'static str, String) {
    let held = |n| lines.iter().map(move |line| ((*line).to_owned(), None, device(n).to_string()));
    let holders = Holders::new((1..=phones).flat_map(held).collect(), domain);
    let view = viewed(registrations, lines, (domain, Some(&holders)), NOW);
    (view.state, view.words)
}

fn device(n: usize) -> DeviceId {
    format!("device_01jd0ck3v8000000000000{n:04}").parse().unwrap()
}

fn viewed(
    registrations: Vec<Registration>,
    lines: &[&str],
    (domain, holders): (Option<&str>, Option<&Holders>),
    now: UnixMillis,
) -> RegisteredView {
    let survey = ByLine::new(Survey { name: "Kamailio".to_owned(), registrations, calls: Calls::Known(0) });
    let lines = DeviceLines { lines: lines.iter().map(|line| ((*line).to_owned(), None)).collect() };
    let phone = MacAddr::from_hex12("0004f2abcdef");
    let evidence = Evidence { device: &device(1), phone, domain, seen_at: NOW, now, holders };
    view(&judge(&survey, &lines, &evidence), (Some("pbx.example.com"), "seen by connector main 12 s ago"))
}

#[test]
fn evidence_is_said_with_where_as_whom_by_what_and_when() {
    let one = vec![at("1001", "PolycomVVX-VVX_500-UA/5.9.7")];

    let words = "registered at pbx.example.com as 1001, seen by connector main 12 s ago".to_owned();
    assert_eq!(said(one.clone(), 1, &["1001"], None), ("registered", words));
    let words = "not registered: pbx.example.com has no contact for 1002, seen by connector main 12 s ago".to_owned();
    assert_eq!(said(one.clone(), 1, &["1002"], None), ("not registered", words));
    let (state, words) = said(one.clone(), 1, &["1001", "1002"], None);
    assert_eq!(state, "registered");
    assert!(words.ends_with("; pbx.example.com has no contact for 1002"), "{words}");
    let (state, words) = said(one, 2, &["1001"], None);
    assert_eq!(state, "not observed");
    assert!(words.contains("1001 is registered; which of 2 phones is not known"), "{words}");
}

#[test]
fn what_another_phone_registered_is_not_this_ones() {
    let others = vec![at("1001", "PolycomVVX-VVX_500-UA/5.9.7_0004f2000001")];
    assert_eq!(said(others, 2, &["1001"], None).0, "not registered");
    let both = vec![at("1001", "x"), at("1001", "PolycomVVX-VVX_500-UA/5.9.7_0004f2abcdef")];
    assert_eq!(said(both, 2, &["1001"], None).0, "registered");
}

#[test]
fn a_line_of_several_domains_is_told_by_its_domain_or_not_at_all() {
    let two = || vec![at("1001@a.example.com", "x"), at("1001@b.example.com", "y")];

    let (state, words) = said(two(), 1, &["1001"], None);
    assert_eq!(state, "not observed");
    assert!(words.contains("in 2 domains"), "{words}");
    assert_eq!(said(two(), 1, &["1001"], Some("B.example.com")).0, "registered");
    assert_eq!(said(two(), 1, &["1001@a.example.com"], Some("b.example.com")).0, "registered");
    assert_eq!(said(two(), 1, &["1001"], Some("c.example.com")).0, "not registered");
}

#[test]
fn a_registration_that_was_over_when_it_was_seen_is_none_and_one_that_ended_since_is_not_observed() {
    let mut one = at("1001", "x");
    one.until = Some(NOW);
    assert_eq!(said(vec![one.clone()], 1, &["1001"], None).0, "not registered");

    one.until = Some(NOW.plus_millis(10_000));
    let own = Holders::default();
    let seen = |now| viewed(vec![one.clone()], &["1001"], (None, Some(&own)), now);
    assert_eq!(seen(NOW.plus_millis(9_999)).state, "registered");
    let since = seen(NOW.plus_millis(10_000));
    assert_eq!((since.state, since.lines[0].state), ("not observed", "not known"));
    assert!(since.words.starts_with("the registration of 1001 ended at "), "{}", since.words);
    let mut renewed = one.clone();
    renewed.until = Some(NOW.plus_millis(60_000));
    let both = viewed(vec![one.clone(), renewed], &["1001"], (None, Some(&own)), NOW.plus_millis(10_000));
    assert_eq!(both.state, "registered");
}

#[test]
fn through_a_providers_connector_only_what_names_the_phone_is_the_phones_whatever_domain_is_typed() {
    let others =
        || vec![at("1001@b.example.com", "PolycomVVX-VVX_500-UA/5.9.7"), at("1001@a.example.com", "x_0004f2000001")];

    for line in ["1001", "1001@b.example.com", "1001@a.example.com", "1002"] {
        let seen = viewed(others(), &[line], (Some("a.example.com"), None), NOW);
        let words = "not observed: the connector belongs to your provider, and no registration names this phone";
        assert_eq!((seen.state, seen.words.as_str()), ("not observed", words), "{line}");
        assert_eq!((&seen.lines[0].contact, &seen.lines[0].user_agent), (&None, &None), "{line}");
    }
    let mut named = others();
    named.push(at("1001@a.example.com", "PolycomVVX-VVX_500-UA/5.9.7_0004f2abcdef"));
    let seen = viewed(named, &["1001", "1002"], (Some("a.example.com"), None), NOW);
    assert_eq!(seen.state, "registered");
    assert_eq!(seen.lines[0].user_agent.as_deref(), Some("PolycomVVX-VVX_500-UA/5.9.7_0004f2abcdef"));
    assert!(seen.words.ends_with("; no registration of 1002 names this phone"), "{}", seen.words);
}

#[test]
fn the_phones_of_every_person_with_the_line_count_and_nothing_of_an_unknown_one_is_shown() {
    let of = |user: &str, name: Option<&str>| (user.to_owned(), name.map(ToOwned::to_owned), device(2).to_string());
    let state = |holders: &Holders| viewed(vec![at("1001", "x")], &["1001"], (None, Some(holders)), NOW);

    assert_eq!(state(&Holders::new(vec![of("1002", None)], None)).state, "registered");
    for other in [of("1001", None), of("sip:1001@example.com", None), of("2001", Some("1001"))] {
        let seen = state(&Holders::new(vec![other], None));
        assert_eq!((seen.state, seen.lines[0].state), ("not observed", "not known"));
        assert!(seen.words.contains("1001 is registered; which of 2 phones is not known"), "{}", seen.words);
        assert_eq!((&seen.lines[0].contact, &seen.lines[0].user_agent), (&None, &None));
    }
}
