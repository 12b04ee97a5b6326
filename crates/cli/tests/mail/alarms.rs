//! Alarms by mail: each once when it begins, many together, to whom they belong.

use crate::scene::{Scene, can_serve_mail, until};
use serde_json::json;
use std::time::Duration;

/// Raises an alarm as the server would.
fn raise(scene: &Scene, n: usize, subject: &str) {
    let sentence = format!("Something happened {n}.");
    let now = "(SELECT MAX(since_ms) + 1 FROM alarm_addresses)";
    scene.server.sql(&format!(
        "INSERT INTO alarms (id, kind, subject, raised_ms, last_ms, times, sentence, advice) \
         VALUES ('01ALARM{n:03}', 'emergency-call', '{subject}', {now}, {now}, 1, '{sentence}', 'Look.')"
    ));
}

#[test]
fn an_alarm_is_mailed_once_when_it_begins_and_many_together() {
    if !can_serve_mail() {
        return;
    }
    let scene = Scene::new();
    let to = json!({ "addresses": ["phones@example.com"] });
    scene.server.done("PUT", "/alarm-mail", Some(&to));
    let of_account = format!("/accounts/{}/alarm-mail", scene.account);
    scene.server.done("PUT", &of_account, Some(&json!({ "addresses": ["customer@example.org"] })));

    raise(&scene, 1, "0004f2000001");
    until(|| Some(()).filter(|()| !scene.smtp.received().is_empty()));
    for n in 2..10 {
        raise(&scene, n, &format!("0004f200000{n}"));
    }
    until(|| Some(()).filter(|()| scene.smtp.received().iter().any(|mail| mail.content.contains("happened 9."))));
    std::thread::sleep(Duration::from_secs(12));

    let received = scene.smtp.received();
    assert!(received.iter().all(|mail| mail.to == "phones@example.com"), "phones of nobody are not the customer's");
    for n in 1..10 {
        let of = received.iter().filter(|mail| mail.content.contains(&format!("happened {n}."))).count();
        assert_eq!(of, 1, "alarm {n}");
    }
    assert!(received.len() <= 3, "{} mails", received.len());
    assert!(received[0].content.contains("Subject: Phones: Something happened 1."), "{}", received[0].content);
}

#[test]
fn an_account_is_told_of_its_own_phones() {
    if !can_serve_mail() {
        return;
    }
    let scene = Scene::new();
    let user = scene.person("1001");
    let device = json!({ "account": scene.account, "model": "vvx450", "user": user, "mac": "0004f2000001" });
    scene.server.done("POST", "/devices", Some(&device));
    let of_account = format!("/accounts/{}/alarm-mail", scene.account);
    scene.server.done("PUT", &of_account, Some(&json!({ "addresses": ["customer@example.org"] })));

    raise(&scene, 1, "0004f2000001");

    let mail = until(|| scene.smtp.received().first().cloned());
    assert_eq!(mail.to, "customer@example.org");
    let listed = scene.server.done("GET", "/mail", None)["items"][0].clone();
    assert_eq!((&listed["kind"], &listed["account"]), (&json!("alarm"), &json!(scene.account)));
}
