//! Provost is killed while it sends: no mail is lost, and none arrives twice.

use crate::scene::{Scene, can_serve_mail, id, until};
use std::collections::BTreeMap;
use std::time::Duration;

#[test]
fn killed_before_the_end_of_a_mail_it_sends_it_again() {
    if !can_serve_mail() {
        return;
    }
    let mut scene = Scene::new();
    scene.smtp.behave("hold-before-data");
    let mail = scene.welcome(&scene.newcomer("1001"));
    until(|| scene.smtp.holds().then_some(()));
    scene.server.kill();
    scene.smtp.behave("accept");

    scene.server.power_on();

    scene.comes_to(&mail, "sent");
    assert_eq!(scene.smtp.counted().into_values().collect::<Vec<_>>(), [1]);
}

#[test]
fn killed_after_the_end_of_a_mail_it_does_not_send_it_again_and_says_so() {
    if !can_serve_mail() {
        return;
    }
    let mut scene = Scene::new();
    scene.smtp.behave("hold-after-data");
    let mail = scene.welcome(&scene.newcomer("1001"));
    until(|| Some(()).filter(|()| !scene.smtp.received().is_empty()));
    assert_eq!(scene.mail(&mail)["state"], "handing-over");
    scene.server.kill();
    scene.smtp.behave("accept");

    scene.server.power_on();

    let doubtful = scene.comes_to(&mail, "doubtful");
    assert!(doubtful["answer"].as_str().unwrap().contains("stopped while it waited"), "{doubtful}");
    assert_eq!(scene.alarms("mail-not-sent").len(), 1);
    let next = scene.welcome(&scene.newcomer("1002"));
    scene.comes_to(&next, "sent");
    let counted = scene.smtp.counted();
    assert!(counted.len() == 2 && counted.values().all(|count| *count == 1), "{counted:?}");
}

#[test]
fn killed_at_any_instant_it_sends_no_mail_twice_and_loses_none() {
    if !can_serve_mail() {
        return;
    }
    let mut scene = Scene::new();
    scene.smtp.behave("slow");
    let people: Vec<_> = (0..24).map(|n| scene.newcomer(&(1001 + n).to_string())).collect();
    let mut mails = Vec::new();
    for (round, some) in people.chunks(4).enumerate() {
        mails.extend(some.iter().map(|user| scene.welcome(user)));
        std::thread::sleep(Duration::from_millis(40 * u64::try_from(round).unwrap() + 15));
        scene.server.kill();
        scene.server.power_on();
    }

    let ended = |scene: &Scene| {
        let listed = scene.server.done("GET", "/mail", None)["items"].as_array().unwrap().clone();
        let states: BTreeMap<String, String> =
            listed.iter().map(|mail| (id(mail), mail["state"].as_str().unwrap().to_owned())).collect();
        states.values().all(|state| state == "sent" || state == "doubtful").then_some(states)
    };
    let states = until(|| ended(&scene));
    assert_eq!(states.len(), mails.len());
    let counted = scene.smtp.counted();
    assert!(counted.values().all(|count| *count == 1), "{counted:?}");
    let arrived = |mail: &str| counted.keys().any(|id| id.contains(mail));
    for (mail, state) in &states {
        assert!(arrived(mail) || state == "doubtful", "{mail} is {state} and did not arrive");
    }
    // What did not arrive is known by name; a person has it sent again, and then all of them arrived once.
    scene.smtp.behave("accept");
    for mail in states.keys().filter(|mail| !arrived(mail)) {
        scene.server.done("POST", &format!("/mail/{mail}/again"), None);
    }
    until(|| Some(()).filter(|()| scene.smtp.counted().len() == mails.len()));
    assert!(scene.smtp.counted().values().all(|count| *count == 1));
}
