//! With Debian's Kamailio: who is registered, check-sync to a phone, and never during a call.

use crate::kamailio::{Kamailio, Tracks};
use crate::scene::{MAC, Scene, until};
use crate::sipp::{calls, free_port, hears_notify, registers, takes_a_call};
use serde_json::{Value, json};

const AGENT: &str = "PolycomVVX-VVX_500-UA/5.9.7.4477";

#[test]
fn a_registration_is_seen_with_its_evidence_and_gone_when_it_is_gone() {
    let (kamailio, scene) = (Kamailio::start(Tracks::Calls), Scene::set());
    let connector = scene.connector("kamailio", kamailio.rpc, &json!({}));

    let words = connector["found"]["words"].as_str().unwrap();
    assert!(
        words.starts_with("Kamailio 5.") && words.ends_with(" answers: 0 registrations; calls are known, 0 now."),
        "{words}"
    );
    let seen = scene.registered();
    assert_eq!(seen["state"], "not registered");
    assert!(seen["words"].as_str().unwrap().contains("127.0.0.1 has no contact for 1001"), "{seen}");

    let at = free_port();
    registers(kamailio.sip, "1001", at, AGENT);
    assert!(scene.tested(&connector).contains("answers: 1 registration;"));
    let seen = scene.registered();
    let words = seen["words"].as_str().unwrap();
    assert_eq!(seen["state"], "registered");
    assert!(words.starts_with("registered at 127.0.0.1 as 1001, seen by connector main "), "{words}");
    assert_eq!((&seen["connector"], &seen["lines"][0]["user-agent"]), (&connector["id"], &json!(AGENT)));
    assert_eq!(seen["lines"][0]["contact"], format!("sip:1001@127.0.0.1:{at}"));
    let report = scene.server.done("GET", "/reports/devices?columns=registered", None);
    assert!(
        report["items"][0]["registered"].as_str().unwrap().starts_with("registered at 127.0.0.1 as 1001"),
        "{report}"
    );
}

#[test]
fn the_phone_hears_check_sync_and_its_answer_is_said_and_kept() {
    let (kamailio, scene) = (Kamailio::start(Tracks::Calls), Scene::set());
    scene.connector("kamailio", kamailio.rpc, &json!({}));
    let unregistered = scene.check_sync(&[]);
    assert!(unregistered.err.contains("phone-not-registered") && unregistered.code != 0, "{}", unregistered.err);
    let at = free_port();
    registers(kamailio.sip, "1001", at, AGENT);

    let phone = hears_notify(at, "200 OK");
    let told = scene.check_sync(&["--reason", "new ring tone"]);

    assert_eq!(told.code, 0, "{}", told.err);
    assert_eq!(told.out.trim(), format!("Phone {MAC} was told through 1001: 200 OK."));
    let heard = phone.ended();
    assert!(heard.contains(&format!("NOTIFY sip:1001@127.0.0.1:{at} SIP/2.0")), "{heard}");
    assert!(heard.contains("Event: check-sync\r\n") && heard.contains("Content-Length: 0\r\n"), "{heard}");
    let timeline = scene.server.timeline(MAC);
    assert!(
        timeline[0].contains("(NOTIFY check-sync) through its PBX, line 1001: 200 OK. Reason: new ring tone."),
        "{timeline:?}"
    );
    let audit = scene.server.done("GET", "/audit?limit=1", None)["items"][0].clone();
    assert_eq!(audit["why"], "new ring tone");
    assert!(
        audit["what"].as_str().unwrap().starts_with(&format!("asked to have phone {MAC} of {} told", scene.device)),
        "{audit}"
    );

    let phone = hears_notify(at, "489 Bad Event");
    let refused = scene.check_sync(&["--reboot", "true"]);
    assert!(refused.code != 0 && refused.err.contains("489 Bad Event"), "{}", refused.err);
    assert!(phone.ended().contains("Event: check-sync;reboot=true\r\n"));
}

#[test]
fn a_phone_in_a_call_is_left_alone_until_it_hung_up() {
    let (kamailio, scene) = (Kamailio::start(Tracks::Calls), Scene::set());
    let connector = scene.connector("kamailio", kamailio.rpc, &json!({}));
    let (at, other) = (free_port(), free_port());
    registers(kamailio.sip, "1001", at, AGENT);
    registers(kamailio.sip, "1002", other, AGENT);
    let callee = takes_a_call(other);
    let caller = calls(kamailio.sip, ("1001", "1002"), 4_000);
    until(|| scene.tested(&connector).contains("calls are known, 1 now").then_some(()));

    let refused = scene.server.api("POST", &format!("/devices/{}/check-sync", scene.device), None);
    assert_eq!((refused.status, &refused.json()["code"]), (409, &json!("phone-in-call")), "{}", refused.text());

    caller.ended();
    callee.ended();
    let phone = hears_notify(at, "200 OK");
    until(|| (scene.check_sync(&[]).code == 0).then_some(()));
    phone.ended();
}

#[test]
fn where_calls_are_not_tracked_that_is_said_and_the_phone_is_told_all_the_same() {
    let (kamailio, scene) = (Kamailio::start(Tracks::Nothing), Scene::set());
    let connector = scene.connector("kamailio", kamailio.rpc, &json!({}));
    assert!(connector["found"]["words"].as_str().unwrap().contains("calls cannot be known: dialogs are not tracked"));
    let at = free_port();
    registers(kamailio.sip, "1001", at, AGENT);
    let phone = hears_notify(at, "200 OK");

    let told = scene.check_sync(&[]);

    assert!(
        told.out.contains("Calls cannot be known with this PBX: dialogs are not tracked"),
        "{}{}",
        told.out,
        told.err
    );
    phone.ended();
}

#[test]
fn of_two_phones_with_one_line_the_one_that_names_itself_is_known() {
    let (kamailio, scene) = (Kamailio::start(Tracks::Calls), Scene::set());
    let connector = scene.connector("kamailio", kamailio.rpc, &json!({}));
    let user = scene.server.done("GET", &format!("/devices/{}", scene.device), None)["user"].clone();
    let second = json!({ "account": scene.account, "model": "vvx500", "user": user });
    let second = scene.server.done("POST", "/devices", Some(&second));
    scene.claims("0004f2a00051", second["id"].as_str().unwrap());
    let at = free_port();
    registers(kamailio.sip, "1001", at, AGENT);
    scene.tested(&connector);

    let seen = scene.registered();
    assert_eq!(seen["state"], "not observed");
    assert!(seen["words"].as_str().unwrap().contains("1001 is registered; which of 2 phones is not known"), "{seen}");
    assert!(scene.check_sync(&[]).err.contains("phone-not-known"));
    registers(kamailio.sip, "1001", at, &format!("{AGENT}_{MAC}"));
    scene.tested(&connector);
    assert_eq!(scene.registered()["state"], "registered");
}

#[test]
fn a_pbx_that_is_gone_is_one_alarm_until_it_is_back_and_a_restart_sees_anew() {
    let (mut kamailio, mut scene) = (Kamailio::start(Tracks::Calls), Scene::set());
    let connector = scene.connector("kamailio", kamailio.rpc, &json!({}));
    registers(kamailio.sip, "1001", free_port(), AGENT);
    kamailio.power_off();

    for _ in 0..3 {
        assert!(scene.tested(&connector).contains("cannot be asked: no connection"), "{}", scene.tested(&connector));
    }
    let alarms = scene.alarms();
    assert_eq!((alarms.len(), &alarms[0]["kind"], &alarms[0]["times"]), (1, &json!("pbx-not-reached"), &json!(1)));
    assert!(
        scene.registered()["words"]
            .as_str()
            .unwrap()
            .starts_with("not observed: connector main cannot ask 127.0.0.1 since ")
    );

    kamailio.power_on();
    assert!(scene.tested(&connector).contains("answers"));
    assert_eq!(scene.alarms(), Vec::<Value>::new());
    registers(kamailio.sip, "1001", free_port(), AGENT);
    assert_eq!(scene.server.stop(), Some(0));
    scene.server.power_on();
    // Nobody asks for it: the server does by itself.
    until(|| (scene.registered()["state"] == "registered").then_some(()));
}
