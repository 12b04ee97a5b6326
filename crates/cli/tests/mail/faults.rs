//! A mail server that refuses, stalls, disappears, dies and returns: each mail arrives once, and whoever waits is told why.

use crate::scene::{Scene, can_serve_mail, id, until};
use crate::smtp::Smtp;
use serde_json::json;

#[test]
fn what_is_refused_for_good_says_so_in_the_servers_words_and_can_be_sent_again() {
    if !can_serve_mail() {
        return;
    }
    let scene = Scene::new();
    scene.smtp.behave("refuse");
    let mail = scene.welcome(&scene.newcomer("1001"));

    let refused = scene.comes_to(&mail, "refused");

    assert_eq!(refused["answer"], "550 5.1.1 nobody of that name here");
    assert_eq!((&refused["again"], &refused["tries"]), (&json!(true), &json!(1)));
    let alarm = &until(|| Some(scene.alarms("mail-not-sent")).filter(|all| !all.is_empty()))[0];
    assert!(alarm["sentence"].as_str().unwrap().contains("user1001@example.com"), "{alarm}");
    assert_eq!(alarm["subject"], json!(scene.account));
    scene.smtp.behave("accept");
    let again = scene.server.cli(&["mail", "again", &id(&mail)]);
    assert_eq!(again.code, 0, "{}", again.err);
    scene.comes_to(&mail, "sent");
    assert_eq!(scene.smtp.counted().into_values().collect::<Vec<_>>(), [1]);
    let once_more = scene.server.api("POST", &format!("/mail/{}/again", id(&mail)), None);
    assert_eq!((once_more.status, &once_more.json()["code"]), (409, &json!("mail-not-again")));
}

#[test]
fn a_server_that_turns_strangers_away_for_a_while_gets_the_mail_at_the_next_try() {
    if !can_serve_mail() {
        return;
    }
    let scene = Scene::new();
    scene.smtp.behave("grey");
    let mail = scene.welcome(&scene.newcomer("1001"));

    let waits = until(|| Some(scene.mail(&mail)).filter(|mail| mail["tries"] == 1));

    assert_eq!((&waits["state"], &waits["answer"]), (&json!("waiting"), &json!("451 4.7.1 come back in a moment")));
    let sent = scene.comes_to(&mail, "sent");
    assert_eq!((&sent["tries"], &sent["answer"]), (&json!(2), &json!("250 2.0.0 taken")));
    assert_eq!((scene.smtp.counted().into_values().collect::<Vec<_>>(), scene.smtp.asked()), (vec![1], 2));
}

#[test]
fn mails_wait_for_a_server_that_is_away_and_each_arrives_once() {
    if !can_serve_mail() {
        return;
    }
    let mut scene = Scene::with(Smtp::off(), "");
    let mails: Vec<_> = (1001..1006).map(|n| scene.welcome(&scene.newcomer(&n.to_string()))).collect();

    let waits = until(|| Some(scene.mail(&mails[0])).filter(|mail| !mail["answer"].is_null()));

    assert!(waits["answer"].as_str().unwrap().contains("cannot be reached"), "{waits}");
    scene.smtp.power_on();
    for mail in &mails {
        scene.comes_to(mail, "sent");
    }
    let counted = scene.smtp.counted();
    assert!(counted.len() == 5 && counted.values().all(|count| *count == 1), "{counted:?}");
}

#[test]
fn a_server_that_dies_in_the_middle_of_a_mail_gets_it_whole_when_it_is_back() {
    if !can_serve_mail() {
        return;
    }
    let mut scene = Scene::new();
    scene.smtp.behave("die-in-data");
    let mail = scene.welcome(&scene.newcomer("1001"));
    scene.smtp.died();
    scene.smtp.behave("accept");
    scene.smtp.power_on();

    let sent = scene.comes_to(&mail, "sent");

    assert_eq!(sent["tries"], 2, "{sent}");
    assert_eq!(scene.smtp.counted().into_values().collect::<Vec<_>>(), [1]);
    assert!(scene.smtp.received()[0].part("text/html").trim_end().ends_with("</html>"));
}

#[test]
fn a_server_that_dies_before_its_answer_may_have_the_mail_and_a_person_decides() {
    if !can_serve_mail() {
        return;
    }
    let mut scene = Scene::new();
    scene.smtp.behave("die-after-data");
    let mail = scene.welcome(&scene.newcomer("1001"));
    scene.smtp.died();
    scene.smtp.behave("accept");
    scene.smtp.power_on();

    let doubtful = scene.comes_to(&mail, "doubtful");

    assert!(doubtful["answer"].as_str().unwrap().contains("without an answer"), "{doubtful}");
    assert_eq!(until(|| Some(scene.alarms("mail-not-sent")).filter(|all| !all.is_empty())).len(), 1);
    let next = scene.welcome(&scene.newcomer("1002"));
    scene.comes_to(&next, "sent");
    let counted = scene.smtp.counted();
    assert!(counted.len() == 2 && counted.values().all(|count| *count == 1), "not sent again by itself: {counted:?}");
    // Told that it did not arrive, a person has it sent again: with the same Message-ID.
    scene.server.done("POST", &format!("/mail/{}/again", id(&mail)), None);
    scene.comes_to(&mail, "sent");
    assert_eq!(scene.smtp.counted().len(), 2, "its Message-ID is the one it had");
}

#[test]
fn of_a_mail_that_is_asked_for_twice_while_it_waits_the_newest_is_sent() {
    if !can_serve_mail() {
        return;
    }
    let mut scene = Scene::with(Smtp::off(), "");
    let user = scene.newcomer("1001");
    let first = scene.welcome(&user);
    let second = scene.welcome(&user);

    assert_eq!(scene.mail(&first)["state"], "replaced");
    scene.smtp.power_on();
    scene.comes_to(&second, "sent");
    assert_eq!(scene.smtp.received().len(), 1);
    let replaced = scene.server.api("POST", &format!("/mail/{}/again", id(&first)), None);
    assert_eq!(replaced.status, 409, "{}", replaced.text());
}

#[test]
fn a_server_that_refuses_the_sender_is_set_up_wrong_and_every_mail_waits_for_that() {
    if !can_serve_mail() {
        return;
    }
    for mode in ["refuse-sender", "refuse-sender-late"] {
        let scene = Scene::new();
        scene.smtp.behave(mode);
        let mails: Vec<_> = (1001..1004).map(|n| scene.welcome(&scene.newcomer(&n.to_string()))).collect();

        let waits = until(|| Some(scene.mail(&mails[2])).filter(|mail| !mail["answer"].is_null()));
        // The second try comes after more than the first pause, since a server that lets us in is not one that takes mails.
        until(|| Some(scene.smtp.asked()).filter(|asked| *asked >= 3));

        assert_eq!((&waits["state"], &waits["tries"]), (&json!("waiting"), &json!(0)), "{mode}: {waits}");
        assert!(scene.alarms("mail-not-sent").is_empty());
        scene.smtp.behave("accept");
        for mail in &mails {
            assert_eq!(scene.comes_to(mail, "sent")["tries"], json!(1));
        }
        assert!(scene.smtp.counted().values().all(|count| *count == 1));
    }
}
