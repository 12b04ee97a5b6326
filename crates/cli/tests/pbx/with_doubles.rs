//! With doubles of PBXs that Debian does not have: what is asked of them, and what is made of what they say.

use crate::doubles::Double;
use crate::scene::Scene;
use serde_json::{Value, json};

fn asked_and_told(scene: &Scene, double: &Double, connector: &Value, (name, notify): (&str, &str)) {
    let words = connector["found"]["words"].as_str().unwrap();
    assert_eq!(words, format!("{name} answers: 1 registration; calls are known, 0 now."));
    let seen = scene.registered();
    assert!(
        seen["words"].as_str().unwrap().starts_with("registered at 127.0.0.1 as 1001, seen by connector main "),
        "{seen}"
    );
    assert_eq!(seen["lines"][0]["contact"], "sip:1001@192.0.2.7:5060");

    // Only 1001 is registered; the phone talks on its second line, or is called by its digest name.
    let user = scene.server.done("GET", &format!("/devices/{}", scene.device), None)["user"].clone();
    let lines = json!({ "lines": [{ "user": "1001", "auth-user": "digest1001", "password": "a" }, { "user": "1002", "password": "b" }] });
    scene.server.done("PATCH", &format!("/users/{}", user.as_str().unwrap()), Some(&lines));
    for busy in ["1001", "1002", "digest1001"] {
        double.is_in_call(Some(busy));
        let refused = scene.check_sync(&[]);
        assert!(refused.code != 0 && refused.err.contains("phone-in-call"), "{busy}: {}", refused.err);
        assert!(double.told_with(notify).is_empty(), "{busy}");
    }
    double.is_in_call(Some("3001"));
    let told = scene.check_sync(&["--reboot", "false"]);
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(told.out.contains("does not say what"), "{}", told.out);
    assert_eq!(double.told_with(notify).len(), 1, "{:?}", double.told());
}

#[test]
fn asterisks_manager_says_who_is_registered_and_sends_check_sync_outside_of_calls() {
    let (double, scene) = (Double::asterisk(), Scene::set());
    let sign_in = json!({ "user": "provost", "password": "opensesame" });
    let connector = scene.connector("asterisk", double.port, &sign_in);

    asked_and_told(&scene, &double, &connector, ("Asterisk 20.6.0", "PJSIPNotify"));

    let notify = double.told_with("PJSIPNotify").remove(0);
    assert!(notify.contains("\nEndpoint: 1001\nVariable: Event=check-sync;reboot=false"), "{notify}");
    assert!(double.told().iter().all(|text| !text.contains("opensesame")), "the secret itself is never sent");
}

#[test]
fn freeswitchs_event_socket_says_who_is_registered_and_sends_check_sync_outside_of_calls() {
    let (double, scene) = (Double::freeswitch(), Scene::set());
    let connector = scene.connector("freeswitch", double.port, &json!({ "password": "ClueCon" }));

    asked_and_told(&scene, &double, &connector, ("FreeSWITCH 1.10.9-release+git~20230101", "sendevent NOTIFY"));

    let notify = double.told_with("sendevent NOTIFY").remove(0);
    let wanted = "profile: internal\ncontent-type: application/simple-message-summary\n\
                  event-string: check-sync;reboot=false\nuser: 1001\nhost: pbx.example.com\ncall-id: G7Zf-1";
    assert!(notify.ends_with(wanted), "{notify}");
}

#[test]
fn a_wrong_password_a_wrong_profile_and_a_wrong_kind_are_told_apart() {
    let scene = Scene::set();
    let (asterisk, freeswitch) = (Double::asterisk(), Double::freeswitch());
    let found = |kind: &str, port: u16, more: Value| {
        let connector = scene.connector(kind, port, &more);
        let path = format!("/accounts/{}/connectors/{}", scene.account, connector["id"].as_str().unwrap());
        scene.server.done("DELETE", &path, None);
        connector["found"]["words"].as_str().unwrap().to_owned()
    };

    let wrong = found("asterisk", asterisk.port, json!({ "user": "provost", "password": "no" }));
    assert!(wrong.ends_with("cannot be asked: it refuses the name or the password."), "{wrong}");
    let wrong = found("freeswitch", freeswitch.port, json!({ "password": "no" }));
    assert!(wrong.ends_with("cannot be asked: it refuses the name or the password."), "{wrong}");
    let profile = found("freeswitch", freeswitch.port, json!({ "password": "ClueCon", "profile": "phones" }));
    assert!(profile.contains("it refuses `sofia status profile`: Invalid Profile!"), "{profile}");
    let kind = found("asterisk", freeswitch.port, json!({ "user": "provost", "password": "x" }));
    assert!(kind.contains("what answers is no Asterisk manager"), "{kind}");
}
