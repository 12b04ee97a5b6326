//! After the claim: who is told to restart, and what is said of a phone that does not come back.

use super::calls::code_for;
use super::{CLOCK, OTHERS, OURS, Scene, mac, now, says, settings};
use provost_core::sentence::LineEvent;
use std::net::IpAddr;

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));
const MINUTE_MS: i64 = 60_000;

fn later(minutes: i64) {
    CLOCK.set(now().plus_millis(minutes * MINUTE_MS));
}

/// A claimed phone that has not read its configuration; the id of its device.
async fn claimed(scene: &Scene) -> String {
    let device = scene.device(&scene.customer("Acme").await, None).await;
    let code = code_for(scene, &device).await;
    scene.get(OURS, &format!("/{OURS}.cfg")).await;
    scene.app.activate_by_call(mac(OURS), HERE, &code).await.unwrap();
    device.id
}

async fn awaited(scene: &Scene, device: &str) -> Option<String> {
    scene.app.device(&device.parse().unwrap(), &provost_app::Actor::control_socket()).await.unwrap().awaited
}

#[tokio::test]
async fn a_claimed_phone_is_to_be_told_to_restart_until_it_read_its_configuration() {
    let scene = Scene::with_voice().await;
    let mut restarts = scene.app.restarts();
    let device = claimed(&scene).await;

    assert_eq!(restarts.try_recv().unwrap(), mac(OURS));
    assert!(restarts.try_recv().is_err());
    assert!(scene.app.wants_restart(mac(OURS)).await && scene.app.awaited() == [mac(OURS)]);
    scene.app.line_event(mac(OURS), LineEvent::ToldToRestart);
    assert!(!scene.app.wants_restart(mac(OURS)).await, "it was told just now");
    later(1);
    assert!(scene.app.wants_restart(mac(OURS)).await, "it registered again and did not restart");
    assert!(awaited(&scene, &device).await.unwrap().contains("told to restart at"));

    scene.get(OURS, &settings(OURS)).await;
    assert!(!scene.app.wants_restart(mac(OURS)).await && scene.app.awaited().is_empty());
    assert_eq!(awaited(&scene, &device).await, None);
    assert!(says(&scene.told(OURS).await, &["came back as theirs"]));
    scene.get(OURS, &settings(OURS)).await;
    let told = scene.told(OURS).await;
    assert_eq!(told.iter().filter(|sentence| sentence.contains("came back")).count(), 1, "{told:?}");
    assert!(scene.restarted().await.app.awaited().is_empty());
}

#[tokio::test]
async fn a_claim_whose_asker_hangs_up_is_followed_by_all_that_follows_a_claim() {
    let scene = Scene::with_voice().await;
    let mut restarts = scene.app.restarts();
    let device = scene.device(&scene.customer("Acme").await, None).await;
    let code = code_for(&scene, &device).await;
    scene.get(OURS, &format!("/{OURS}.cfg")).await;
    scene.told(OURS).await;

    let app = std::sync::Arc::clone(&scene.app);
    let mut asked = Box::pin(async move { app.activate_by_call(mac(OURS), HERE, &code).await.map(drop) });
    // Asked until the database has it, and not once more.
    while scene.store.awaited().await.unwrap().is_empty() {
        let asked_once = std::future::poll_fn(|context| {
            let _ = asked.as_mut().poll(context);
            std::task::Poll::Ready(())
        });
        asked_once.await;
        tokio::task::yield_now().await;
    }
    drop(asked);

    assert_eq!(restarts.recv().await.unwrap(), mac(OURS));
    assert_eq!(scene.app.awaited(), [mac(OURS)]);
}

#[tokio::test]
async fn the_same_code_once_more_tells_a_phone_that_is_waited_for_to_restart_again() {
    let scene = Scene::with_voice().await;
    let device = scene.device(&scene.customer("Acme").await, None).await;
    let code = code_for(&scene, &device).await;
    scene.get(OURS, &format!("/{OURS}.cfg")).await;
    scene.app.activate_by_call(mac(OURS), HERE, &code).await.unwrap();
    scene.app.line_event(mac(OURS), LineEvent::ToldToRestart);
    let mut restarts = scene.app.restarts();

    scene.app.activate_by_call(mac(OURS), HERE, &code).await.unwrap();
    assert!(restarts.try_recv().is_err(), "it is restarting");
    later(1);
    scene.app.activate_by_call(mac(OURS), HERE, &code).await.unwrap();
    assert_eq!(restarts.try_recv().unwrap(), mac(OURS));

    scene.get(OURS, &settings(OURS)).await;
    scene.app.activate_by_call(mac(OURS), HERE, &code).await.unwrap();
    assert!(restarts.try_recv().is_err() && scene.app.awaited().is_empty(), "it came back");
}

#[tokio::test]
async fn a_phone_that_was_told_and_does_not_come_back_is_said_to_need_a_power_cycle() {
    let scene = Scene::with_voice().await;
    let device = claimed(&scene).await;
    scene.app.line_event(mac(OURS), LineEvent::ToldToRestart);
    later(2);
    scene.app.note_overdue().await.unwrap();
    assert!(!says(&scene.told(OURS).await, &["has not come back"]));

    later(1);
    scene.app.note_overdue().await.unwrap();
    scene.app.note_overdue().await.unwrap();

    let told = scene.told(OURS).await;
    assert_eq!(told.iter().filter(|sentence| sentence.contains("has not come back: power-cycle it")).count(), 1);
    assert!(awaited(&scene, &device).await.unwrap().ends_with("power-cycle it."));
    let scene = scene.restarted().await;
    assert_eq!(scene.app.awaited(), [mac(OURS)], "a restart forgets nobody");
    scene.app.note_overdue().await.unwrap();
    let told = scene.told(OURS).await;
    assert_eq!(told.iter().filter(|sentence| sentence.contains("power-cycle")).count(), 1, "said once: {told:?}");
}

#[tokio::test]
async fn a_phone_that_could_not_be_told_is_said_to_be_so() {
    let scene = Scene::with_voice().await;
    claimed(&scene).await;

    later(5);
    scene.app.note_overdue().await.unwrap();

    assert!(says(&scene.told(OURS).await, &["not registered here, so it could not be told"]));
}

#[tokio::test]
async fn where_no_voice_answers_a_phone_has_its_polling_time() {
    let scene = Scene::new().await;
    scene.bound(OURS).await;

    later(64);
    scene.app.note_overdue().await.unwrap();
    assert!(!says(&scene.told(OURS).await, &["power-cycle it"]));
    later(1);
    scene.app.note_overdue().await.unwrap();
    assert!(says(&scene.told(OURS).await, &["power-cycle it"]));
}

#[tokio::test]
async fn a_registered_phone_that_a_device_names_now_is_told_to_restart() {
    let scene = Scene::with_voice().await;
    let mut restarts = scene.app.restarts();
    scene.get(OURS, &format!("/{OURS}.cfg")).await;
    assert!(!scene.app.wants_restart(mac(OURS)).await);
    let customer = scene.customer("Acme").await;

    scene.device(&customer, Some(OURS)).await;
    scene.device(&customer, Some(OTHERS)).await;

    assert_eq!(restarts.try_recv().unwrap(), mac(OURS));
    assert!(restarts.try_recv().is_err(), "the other phone was never here");
    assert!(scene.app.wants_restart(mac(OURS)).await);
    scene.get(OURS, &format!("/{OURS}.cfg")).await;
    scene.get(OURS, &settings(OURS)).await;
    assert!(!scene.app.wants_restart(mac(OURS)).await && restarts.try_recv().is_err(), "it came by itself");
}

#[tokio::test]
async fn registrations_are_told_once_and_again_from_another_address() {
    let scene = Scene::with_voice().await;
    let registered = |from: [u8; 4]| LineEvent::Registered { from: from.into(), user_agent: Some("PolycomVVX") };
    for from in [[192, 0, 2, 7], [192, 0, 2, 7], [192, 0, 2, 8], [192, 0, 2, 8]] {
        scene.app.line_event(mac(OURS), registered(from));
    }
    scene.app.line_event(mac(OURS), LineEvent::Unregistered);
    scene.app.line_event(mac(OURS), registered([192, 0, 2, 8]));

    let told = scene.told(OURS).await;
    assert_eq!(told.iter().filter(|sentence| sentence.starts_with("Registered")).count(), 3, "{told:?}");
}
