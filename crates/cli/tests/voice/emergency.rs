//! Emergency numbers dialed on a phone that nobody claimed.

use crate::caller::Caller;
use crate::line::{MAC, Scene, until};
use crate::sipp::{Does, run, run_at};
use serde_json::json;
use std::net::UdpSocket;

fn alarms(scene: &Scene) -> Vec<String> {
    let alarms = scene.server.done("GET", "/alarms", None);
    alarms["items"].as_array().unwrap().iter().map(ToString::to_string).collect()
}

#[test]
fn an_emergency_call_is_answered_at_once_and_is_an_alarm() {
    let scene = Scene::set();
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();

    // No call of an emergency is challenged: who it is follows from where its line is registered.
    run_at(port, &scene.line, "u1", &[Does::Registers]).unwrap();
    run_at(port, &scene.line, "u1", &[Does::CallsForHelp("112"), Does::IsHungUpOn]).unwrap();

    scene.told(MAC, "112");
    let raised = until(|| Some(alarms(&scene)).filter(|alarms| !alarms.is_empty())).unwrap();
    assert!(raised[0].contains("112") && raised[0].contains("0004f2000001"), "{raised:?}");
}

#[test]
fn whoever_cannot_prove_the_line_is_answered_in_an_emergency_all_the_same_and_makes_no_row() {
    let scene = Scene::set();
    // What the phone itself did is written first.
    scene.told(MAC, "bootstrap");
    let before = scene.server.sql("SELECT (SELECT COUNT(*) FROM alarms), (SELECT COUNT(*) FROM phones)");
    let nobody = crate::line::Line { user: "nobody".to_owned(), ..scene.line.clone() };

    // The phone's own name is no proof either: its line is registered nowhere, or elsewhere.
    for stranger in [nobody, scene.line.clone()] {
        let mut caller = Caller::new(&stranger);
        let answer = caller.invite("911");
        assert!(answer.first.contains("200"), "{}", answer.first);
        caller.established(&answer);
    }
    let after = scene.server.sql("SELECT (SELECT COUNT(*) FROM alarms), (SELECT COUNT(*) FROM phones)");
    assert_eq!(before, after);
}

#[test]
fn a_site_with_an_emergency_route_has_the_call_sent_there() {
    let scene = Scene::set();
    let route = json!({ "networks": ["127.0.0.0/8"], "to": "gateway.example.com:5070" });
    scene.server.done("PUT", &format!("/sites/{}/emergency-route", scene.site), Some(&route));

    let answer = Caller::new(&scene.line).invite("112");

    assert!(answer.first.contains("302"), "{}", answer.first);
    assert_eq!(answer.header("Contact"), Some("<sip:112@gateway.example.com:5070>"));
}

#[test]
fn an_emergency_number_keyed_at_the_voice_is_an_alarm_too() {
    let scene = Scene::set();

    run(&scene.line, "u1", &[Does::Calls(&scene.line.contact), Does::Keys("911#"), Does::HangsUp]).unwrap();

    let raised = until(|| Some(alarms(&scene)).filter(|alarms| !alarms.is_empty())).unwrap();
    assert!(raised[0].contains("911"), "{raised:?}");
}

#[test]
fn whoever_hangs_up_in_an_emergency_is_not_said_to_have_given_up_a_code() {
    let scene = Scene::set();
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();

    run_at(port, &scene.line, "u1", &[Does::Registers]).unwrap();
    run_at(port, &scene.line, "u1", &[Does::CallsForHelp("112"), Does::HangsUp]).unwrap();

    // A second call comes after the first one's end was told.
    run_at(port, &scene.line, "u1", &[Does::Calls(&scene.line.contact), Does::HangsUp]).unwrap();
    let told = scene.told(MAC, "ung up");
    assert_eq!(told.iter().filter(|sentence| sentence.contains("ung up")).count(), 1, "{told:#?}");
}
