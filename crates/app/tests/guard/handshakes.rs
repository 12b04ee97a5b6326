//! A handshake that failed proves nothing; where only one phone was seen, it is most likely that one's.

use super::{OTHER, PHONE, Scene, address, later, proven, unproven};
use provost_core::identity::Transport;

const WORDS: &str = "the phone does not trust our certificate";

fn fail(scene: &Scene, from: &str) {
    scene.app.note_failed_handshake(address(from), WORDS.to_owned(), Some("load the CA".to_owned()));
}

#[tokio::test]
async fn it_stands_on_the_timeline_of_the_only_phone_last_seen_there() {
    let scene = Scene::new().await;
    scene.get(&proven(PHONE, "192.0.2.7"), &format!("/{PHONE}.cfg")).await;
    later(1);

    fail(&scene, "192.0.2.7");
    fail(&scene, "192.0.2.7");

    let told = scene.told(PHONE).await.remove(0);
    let wanted = format!(
        "Somebody at 192.0.2.7, where phone {PHONE} was last seen, could not complete TLS: {WORDS}. This happened 2 times. load the CA"
    );
    assert_eq!(told, wanted);
    let listed = scene.app.failed_handshakes(&provost_app::Actor::control_socket()).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed.first().unwrap().mac.map(|mac| mac.to_string()).as_deref(), Some(PHONE));
}

#[tokio::test]
async fn where_two_phones_were_seen_it_is_nobodys() {
    let scene = Scene::new().await;
    for phone in [PHONE, OTHER] {
        scene.get(&proven(phone, "192.0.2.7"), &format!("/{phone}.cfg")).await;
    }

    fail(&scene, "192.0.2.7");

    assert!(
        scene
            .app
            .failed_handshakes(&provost_app::Actor::control_socket())
            .await
            .unwrap()
            .first()
            .unwrap()
            .mac
            .is_none()
    );
    for phone in [PHONE, OTHER] {
        assert!(!scene.told(phone).await.iter().any(|sentence| sentence.contains("could not complete TLS")));
    }
}

#[tokio::test]
async fn a_phone_that_never_proved_itself_is_known_by_what_it_asked_over_plain_http() {
    let scene = Scene::new().await;
    scene.get(&unproven(Transport::Plain, "192.0.2.8"), &format!("/{PHONE}.cfg")).await;

    fail(&scene, "192.0.2.8");
    fail(&scene, "192.0.2.9");

    assert!(scene.told(PHONE).await.iter().any(|told| told.contains("at 192.0.2.8, where") && told.contains(WORDS)));
    let listed = scene.app.failed_handshakes(&provost_app::Actor::control_socket()).await.unwrap();
    assert_eq!(listed.iter().filter(|failed| failed.mac.is_some()).count(), 1);
}

#[tokio::test]
async fn a_flood_of_failures_is_bounded_forgotten_after_a_day_and_makes_no_row() {
    let scene = Scene::new().await;
    for third in 0..=255 {
        for fourth in 0..16 {
            fail(&scene, &format!("198.51.{third}.{fourth}"));
        }
    }
    for n in 0..100 {
        scene.app.note_failed_handshake(address("192.0.2.7"), format!("reason {n}"), None);
    }

    let listed = scene.app.failed_handshakes(&provost_app::Actor::control_socket()).await.unwrap();
    assert_eq!(listed.len(), 2000);
    assert_eq!(listed.iter().filter(|failed| failed.address == "192.0.2.7").count(), 50);
    later(25 * 3_600_000);
    assert!(scene.app.failed_handshakes(&provost_app::Actor::control_socket()).await.unwrap().is_empty());
}

#[tokio::test]
async fn hostile_words_stay_one_line() {
    let scene = Scene::new().await;
    scene.app.note_failed_handshake(address("192.0.2.7"), format!("a\nb\u{202e}{}", "x".repeat(9000)), None);

    let words = scene.app.failed_handshakes(&provost_app::Actor::control_socket()).await.unwrap().remove(0).words;

    assert!(words.chars().count() <= 400 && !words.contains(['\n', '\u{202e}']), "{words}");
}
