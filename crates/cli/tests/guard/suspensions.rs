//! A proven phone that asks for other phones' files again and again has to wait.

use crate::{MAC, OTHER, ask, command, items, provost, refusal, without_date};
use provost_testkit::{Maker, TestServer};
use serde_json::json;

#[test]
fn the_thirty_first_request_for_another_phones_file_suspends_the_phone_and_a_restart_does_not_lift_it() {
    let maker = Maker::new();
    let mut server = TestServer::start(&provost(), &maker);
    let (pair, other) = (maker.phone(MAC), maker.phone(OTHER));
    let own = format!("/{MAC}.cfg");
    for n in 0..30 {
        assert_eq!(ask(&server, Some(&pair), &format!("/0004f20001{n:02}-provost.cfg")).status, 404);
    }
    assert_eq!(ask(&server, Some(&pair), &own).status, 200, "thirty are borne");

    ask(&server, Some(&pair), &format!("/{OTHER}.cfg"));

    for path in [own.as_str(), "/000000000000.cfg", &format!("/{MAC}-phone.cfg")] {
        assert_eq!(without_date(&ask(&server, Some(&pair), path)), refusal(&server), "{path}");
    }
    assert_eq!(ask(&server, Some(&other), &format!("/{OTHER}.cfg")).status, 200, "others are served on");
    let alarms = items(&command(&server, &["alarms"]));
    assert_eq!((&alarms[0]["kind"], &alarms[0]["subject"]), (&json!("phone-asks-for-others"), &json!(MAC)));
    let told = server.timeline(MAC);
    assert!(told[0].contains("is suspended until"), "{told:?}");
    assert!(told.iter().any(|sentence| sentence.contains("31 times within an hour")), "{told:?}");

    server.kill();
    server.power_on();
    assert_eq!(without_date(&ask(&server, Some(&pair), &own)), refusal(&server), "a power cut lifts nothing");
    assert_eq!(ask(&server, Some(&other), &format!("/{OTHER}.cfg")).status, 200);
}
