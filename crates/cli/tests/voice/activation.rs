//! Activation by a call, by SIPp: right, wrong, used, expired, another model's code, and everything that goes wrong on
//! the way.

use crate::caller::Caller;
use crate::line::{Line, MAC, Scene};
use crate::sipp::{Does, run, run_at};
use std::net::UdpSocket;

/// Calls the activation number, keys these, and is hung up on or hangs up.
fn keys<'a>(scene: &'a Scene, keys: &'a str, end: Does<'a>) -> [Does<'a>; 4] {
    [Does::Calls(&scene.line.contact), Does::Pauses(300), Does::Keys(keys), end]
}

fn call(scene: &Scene, line: &Line, transport: &str, steps: &[Does<'_>]) {
    if let Err(trouble) = run(line, transport, steps) {
        panic!("{trouble}\n{}", scene.server.log());
    }
}

#[test]
fn a_keyed_code_activates_over_udp_and_over_tcp_and_success_ends_the_call() {
    for transport in ["u1", "t1"] {
        let scene = Scene::set();

        call(&scene, &scene.line, transport, &keys(&scene, &scene.code, Does::IsHungUpOn));

        assert_eq!(scene.state(&scene.device), "activated", "{transport}");
        scene.told(MAC, "1001");
    }
}

#[test]
fn a_registered_phone_is_told_to_read_its_configuration_after_the_call() {
    let scene = Scene::set();
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();

    run_at(port, &scene.line, "u1", &[Does::Registers]).unwrap();
    run_at(port, &scene.line, "u1", &keys(&scene, &scene.code, Does::IsHungUpOn)).unwrap();

    assert_eq!(scene.state(&scene.device), "activated");
    scene.told(MAC, "Was told to restart");
}

#[test]
fn a_phone_that_is_claimed_while_it_waits_is_told_by_notify_to_read_its_configuration() {
    let scene = Scene::set();
    let mut phone = Caller::new(&scene.line);
    phone.register();

    scene.enter(MAC, &scene.code);

    let notify = phone.is_asked("NOTIFY");
    assert_eq!(notify.header("Event"), Some("check-sync"));
    scene.told(MAC, "Was told to restart");
}

#[test]
fn the_thirteen_digits_may_be_dialed_at_once_as_the_soft_key_does() {
    let scene = Scene::set();

    call(&scene, &scene.line, "u1", &[Does::Calls(&scene.code), Does::IsHungUpOn]);

    assert_eq!(scene.state(&scene.device), "activated");
}

#[test]
fn each_refusal_is_told_with_its_cause_and_a_reference_and_another_code_may_be_keyed() {
    let scene = Scene::set();
    let (_, other_model) = scene.another("1002", "vvx450");
    let (used_device, used) = scene.another("1003", "vvx500");
    let (_, expired) = scene.another("1004", "vvx500");
    Line::of(&scene.server, &scene.maker, "0004f2000003");
    scene.enter("0004f2000003", &used);
    scene.server.sql(
        "UPDATE codes SET expires_ms = 1000 WHERE device = (SELECT id FROM devices WHERE person = \
         (SELECT id FROM persons WHERE extension = '1004'))",
    );

    for (code, words) in [
        ("0000000000000", "nobody has"),
        (other_model.as_str(), "is for a"),
        (used.as_str(), "used by another phone"),
        (expired.as_str(), "expired"),
    ] {
        call(&scene, &scene.line, "u1", &keys(&scene, code, Does::HangsUp));
        let told = scene.told(MAC, words);
        let sentence = told.iter().find(|sentence| sentence.contains(words)).unwrap();
        assert!(sentence.contains("R-"), "{sentence}");
    }

    assert_eq!(scene.state(&used_device), "activated");
    assert_eq!(scene.state(&scene.device), "assigned");
    call(&scene, &scene.line, "u1", &keys(&scene, &scene.code, Does::IsHungUpOn));
    assert_eq!(scene.state(&scene.device), "activated");
}

#[test]
fn a_mistyped_code_is_keyed_again_in_the_same_call() {
    let scene = Scene::set();
    let wrong = if scene.code.ends_with('0') { '1' } else { '0' };
    let mistyped = format!("{}{wrong}", &scene.code[..12]);
    let started_over = format!("123*{}", scene.code);

    call(
        &scene,
        &scene.line,
        "u1",
        &[
            Does::Calls(&scene.line.contact),
            Does::Keys(&mistyped),
            Does::Pauses(200),
            Does::Keys(&started_over),
            Does::IsHungUpOn,
        ],
    );

    assert_eq!(scene.state(&scene.device), "activated");
    assert!(!scene.server.timeline(MAC).iter().any(|sentence| sentence.contains("refused")));
}

#[test]
fn hanging_up_in_the_middle_and_cancel_leave_everything_as_it_was() {
    let scene = Scene::set();
    let half = &scene.code[..6];

    call(&scene, &scene.line, "u1", &keys(&scene, half, Does::HangsUp));
    Caller::new(&scene.line).calls_and_cancels();

    assert_eq!(scene.state(&scene.device), "assigned");
    call(&scene, &scene.line, "u1", &keys(&scene, &scene.code, Does::IsHungUpOn));
    assert_eq!(scene.state(&scene.device), "activated");
}

#[test]
fn a_lost_ack_and_a_new_offer_do_not_disturb_the_call() {
    let scene = Scene::set();
    let (first, second) = scene.code.split_at(6);

    call(
        &scene,
        &scene.line,
        "u1",
        &[
            Does::CallsAndLosesItsAck(&scene.line.contact),
            Does::Keys(first),
            Does::Reinvites,
            Does::Keys(second),
            Does::IsHungUpOn,
        ],
    );

    assert_eq!(scene.state(&scene.device), "activated");
}

#[test]
fn a_phone_that_cannot_prove_its_line_is_not_answered() {
    let scene = Scene::set();
    let impostor = Line { password: "guessed".to_owned(), ..scene.line.clone() };
    let stranger = Line { user: "nobody".to_owned(), ..scene.line.clone() };

    for line in [impostor, stranger] {
        let answer = Caller::new(&line).invite(&scene.line.contact);
        assert!(answer.first.starts_with("SIP/2.0 401"), "{}", answer.first);
    }

    assert_eq!(scene.state(&scene.device), "assigned");
}

#[test]
fn too_many_wrong_codes_have_to_wait_and_nobody_else_does_and_a_restart_does_not_help() {
    let mut scene = Scene::set();
    let other = Line::of(&scene.server, &scene.maker, "0004f2000002");
    let (other_device, other_code) = scene.another("1002", "vvx500");
    for code in unknown_codes().take(10) {
        call(&scene, &scene.line, "u1", &keys(&scene, &code, Does::HangsUp));
        scene.told(MAC, "nobody has");
    }

    call(&scene, &scene.line, "u1", &keys(&scene, &scene.code, Does::IsHungUpOn));
    scene.told(MAC, "too many wrong");
    assert_eq!(scene.state(&scene.device), "assigned", "not even the right one is looked at");

    call(&scene, &other, "u1", &[Does::Calls(&other_code), Does::IsHungUpOn]);
    assert_eq!(scene.state(&other_device), "activated");

    assert_eq!(scene.server.stop(), Some(0));
    scene.server.power_on();
    let line = Line::of(&scene.server, &scene.maker, MAC);
    call(&scene, &line, "u1", &keys(&scene, &scene.code, Does::IsHungUpOn));
    assert_eq!(scene.state(&scene.device), "assigned");
}

/// Codes with a right check digit that nobody has.
fn unknown_codes() -> impl Iterator<Item = String> {
    (0..).map(|number: u64| {
        let digits = format!("{number:012}");
        (0..10).map(|check| format!("{digits}{check}")).find(|code| is_well_formed(code)).unwrap()
    })
}

/// The check digit by Damm's own table (H. M. Damm, 2004), not by Provost's code.
fn is_well_formed(code: &str) -> bool {
    const TABLE: [[u8; 10]; 10] = [
        [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
        [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
        [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
        [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
        [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
        [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
        [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
        [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
        [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
        [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
    ];
    code.bytes().fold(0, |interim, digit| TABLE[usize::from(interim)][usize::from(digit - b'0')]) == 0
}

#[test]
fn no_code_stands_in_the_log_at_its_finest_or_in_the_database() {
    let scene = Scene::on_with_trace();
    let (_, dialed) = scene.another("1002", "vvx500");
    let other = Line::of(&scene.server, &scene.maker, "0004f2000002");
    call(&scene, &scene.line, "u1", &keys(&scene, "0000000000000", Does::HangsUp));
    call(&scene, &scene.line, "u1", &keys(&scene, &scene.code, Does::IsHungUpOn));
    scene.told(MAC, "1001");
    call(&scene, &other, "u1", &[Does::Calls(&dialed), Does::IsHungUpOn]);
    scene.told("0004f2000002", "1002");

    let log = scene.server.log();
    let database = scene.server.sql(".dump");
    for secret in [scene.code.as_str(), &dialed, "0000000000000", scene.line.password.as_str(), "Signal="] {
        assert!(!log.contains(secret), "the log holds a secret");
        assert!(!database.contains(secret), "the database holds a secret in plain text");
    }
    assert!(log.contains("TRACE") || log.contains("DEBUG"), "the finest log was asked for");
}
