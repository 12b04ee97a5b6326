//! The pairs of versions phones are led between, over TLS.

use crate::fleet::{Fleet, Led, boots_with_cuts, runtime};

/// Leads a phone through `stops`, the last being the target, while its power fails again and again.
fn walks(led: Led<'_>, stops: &[&str]) {
    let fleet = Fleet::new();
    for stop in stops {
        fleet.stores(led.model, stop);
    }
    let target = stops.last().unwrap();
    fleet.leads_to(led.model, target);
    let device = fleet.enters(led);

    let (phone, had) = runtime().block_on(boots_with_cuts(&fleet.setup(led, &fleet.https())));

    assert_eq!(phone.memory().firmware, *target, "{:#?}", fleet.server.timeline(led.mac));
    let allowed: Vec<&str> = std::iter::once(led.runs).chain(stops.iter().copied()).collect();
    assert!(had.iter().all(|version| allowed.contains(&version.as_str())), "{had:?}");
    let done = fleet.steps_of(led.mac).into_iter().filter(|(_, _, state)| state == "done");
    let done: Vec<(String, String)> = done.map(|(from, to, _)| (from, to)).collect();
    let expected: Vec<(String, String)> =
        allowed.windows(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect();
    assert_eq!(done, expected, "{:#?}", fleet.server.timeline(led.mac));
    let firmware = fleet.server.done("GET", &format!("/devices/{device}/firmware"), None);
    assert_eq!((firmware["runs"].as_str(), firmware["state"].as_str()), (Some(*target), Some("there")), "{firmware}");
    assert!(phone.effective().contains_key("reg.1.auth.password"), "it is configured at the end of the way");
    let shown = fleet.server.cli(&["firmware", "device", &device]);
    assert!(shown.code == 0 && shown.out.contains(target), "{}{}", shown.out, shown.err);
}

fn phone<'a>(model: &'a str, mac: &'a str, runs: &'a str) -> Led<'a> {
    Led { model, mac, runs, updater: None }
}

#[test]
fn a_vvx_500_goes_from_4_1_by_its_stops_to_the_end_of_5_9() {
    walks(phone("vvx500", "0004f2000501", "4.1.4.7430"), &["5.5.2.8571", "5.7.3.1797", "5.9.8.5760"]);
}

#[test]
fn a_vvx_401_goes_from_5_9_to_6_4() {
    walks(phone("vvx401", "64167f000401", "5.9.8.5760"), &["6.4.7.4560"]);
}

#[test]
fn a_vvx_401_goes_from_5_5_by_its_stops_to_6_4() {
    walks(phone("vvx401", "64167f000402", "5.5.2.8571"), &["5.7.3.1797", "5.9.8.5760", "6.4.7.4560"]);
}

#[test]
fn a_vvx_450_goes_down_from_6_4_7_to_6_4_3() {
    walks(phone("vvx450", "64167f000450", "6.4.7.4560"), &["6.4.3.5814"]);
}

#[test]
fn a_trio_8800_goes_from_5_9_to_7_2() {
    walks(phone("trio8800", "64167f008800", "5.9.5.3182"), &["7.2.8.1000"]);
}

#[test]
fn a_ccx_500_goes_up_within_its_line() {
    walks(phone("ccx500", "64167f000500", "8.0.3.0100"), &["8.1.2.0100"]);
}

#[test]
fn an_edge_e350_goes_up_within_its_line() {
    walks(phone("edgee350", "482567000350", "8.1.0.12774"), &["8.3.1.0614"]);
}
