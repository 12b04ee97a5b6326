//! One leaf in two networks: a move is none, coming back is one.

use crate::{AGENT, MAC, ask_from, audit, command, items, provost};
use provost_testkit::{Maker, TestServer};
use serde_json::json;

const HERE: &str = "127.0.1.5";
const THERE: &str = "127.0.2.5";

#[test]
fn a_certificate_that_comes_back_to_a_network_it_left_is_an_alarm_until_somebody_ends_it() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let pair = maker.phone(MAC);
    let own = format!("/{MAC}.cfg");
    let contact = |from: &str| assert_eq!(ask_from(&server, Some(&pair), (from, &own)).status, 200, "{from}");
    for from in [HERE, "127.0.1.77", THERE, THERE] {
        contact(from);
    }
    assert!(items(&server.done("GET", "/alarms", None)).is_empty(), "a phone that moves is none");

    contact(HERE);

    let alarms = items(&command(&server, &["alarms"]));
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert_eq!((&alarms[0]["kind"], &alarms[0]["subject"]), (&json!("certificate-in-two-networks"), &json!(MAC)));
    let words = alarms[0]["sentence"].as_str().unwrap();
    assert!(words.contains("127.0.1.0/24") && words.contains("127.0.2.0/24"), "{words}");
    assert!(server.timeline(MAC).iter().any(|told| told == words), "{:?}", server.timeline(MAC));
    let id = alarms[0]["id"].as_str().unwrap();
    assert!(!command(&server, &["alarms", "end", id])["ended-at"].is_null());
    assert_eq!(server.api("POST", &format!("/alarms/{id}/end"), None).status, 404, "once");
    assert!(audit(&server)[0]["what"].as_str().unwrap().contains("certificate-in-two-networks"));
}

#[test]
fn whoever_shows_no_good_certificate_raises_no_alarm() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let forged = maker.look_alike(MAC);

    for from in [HERE, THERE, HERE, THERE] {
        let reply = server.phone(Some(&forged), &format!("/{MAC}.cfg"), &[AGENT, &["--interface", from]].concat());
        assert_eq!(reply.status, 404);
    }

    assert!(items(&server.done("GET", "/alarms", None)).is_empty());
    assert_eq!(server.sql("SELECT COUNT(*) FROM alarms"), "0");
}
