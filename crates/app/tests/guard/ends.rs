//! What was opened or suspended ends on time, and a restart changes nothing about it.

use super::{MINUTE, OTHER, PHONE, Scene, by, later, proven, unproven};
use provost_app::{Actor, PhoneAnswer};
use provost_core::entry::guard::{ExceptionInput, HttpBootstrapInput};
use provost_core::identity::{Peer, Transport};

async fn open_bootstrap(scene: &Scene, minutes: u32) {
    let (range, reason) = ("10.1.0.0/16".to_owned(), "new floor".to_owned());
    scene.app.open_http_bootstrap(HttpBootstrapInput { range, minutes, reason }, &by()).await.unwrap();
}

async fn except(scene: &Scene, device: &str, minutes: u32) {
    let input = ExceptionInput { mac: PHONE.to_owned(), minutes, reason: "repaired".to_owned() };
    scene.app.make_exception(&device.parse().unwrap(), input, &by()).await.unwrap();
}

fn own(file: &str) -> String {
    format!("/{PHONE}{file}")
}

#[tokio::test]
async fn the_plain_http_bootstrap_survives_a_restart_and_ends_on_time() {
    let mut scene = Scene::new().await;
    let phone = unproven(Transport::Plain, "10.1.2.3");
    assert!(!scene.is_served(&phone, &own(".cfg")).await, "off by default");

    open_bootstrap(&scene, 30).await;
    assert!(scene.is_served(&phone, &own(".cfg")).await);
    scene.restart().await;
    later(30 * MINUTE - 1);
    assert!(scene.is_served(&phone, "/provost-bootstrap.cfg").await);

    later(1);
    assert_eq!(scene.get(&phone, &own(".cfg")).await, PhoneAnswer::NotFound);
    assert_eq!(scene.get(&phone, "/provost-bootstrap.cfg").await, PhoneAnswer::NotFound);
    assert!(scene.app.http_bootstraps(&provost_app::Actor::control_socket()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_suspension_outlasts_a_restart_by_what_is_left_of_its_hour() {
    let mut scene = Scene::new().await;
    let (phone, other) = (proven(PHONE, "10.1.2.3"), proven(OTHER, "10.1.2.3"));
    for _ in 0..30 {
        scene.get(&phone, &format!("/{OTHER}.cfg")).await;
    }
    assert!(scene.is_served(&phone, &own(".cfg")).await, "thirty are borne");

    scene.get(&phone, &format!("/{OTHER}.cfg")).await;
    assert_eq!(scene.get(&phone, &own(".cfg")).await, PhoneAnswer::NotFound);
    later(30 * MINUTE);
    scene.restart().await;
    assert_eq!(scene.get(&phone, &own(".cfg")).await, PhoneAnswer::NotFound);
    assert!(scene.is_served(&other, &format!("/{OTHER}.cfg")).await, "others are served on");

    later(30 * MINUTE);
    assert!(scene.is_served(&phone, &own(".cfg")).await, "the hour is over");
    assert_eq!(scene.alarms().await, [("phone-asks-for-others".to_owned(), PHONE.to_owned(), 1, true)]);
}

/// Whether the phone gets its master file and its configuration now.
async fn both(scene: &Scene, peer: &Peer) -> [bool; 2] {
    [scene.is_served(peer, &own(".cfg")).await, scene.is_served(peer, &own("-provost.cfg")).await]
}

#[tokio::test]
async fn an_exception_ends_ten_minutes_after_the_configuration_was_sent() {
    let mut scene = Scene::new().await;
    let device = scene.device(PHONE).await;
    let phone = unproven(Transport::Tls, "10.1.2.3");
    assert_eq!(both(&scene, &phone).await, [false, false]);

    except(&scene, &device, 120).await;
    later(60 * MINUTE);
    assert_eq!(both(&scene, &phone).await, [true, true]);
    scene.restart().await;
    later(10 * MINUTE - 1);
    assert_eq!(both(&scene, &phone).await, [true, true], "it restarts once and reads again");
    assert_eq!(both(&scene, &unproven(Transport::Tls, "10.1.2.4")).await, [false, false], "the first address only");

    later(1);
    assert_eq!(both(&scene, &phone).await, [false, false]);
    except(&scene, &device, 5).await;
}

#[tokio::test]
async fn an_exception_nobody_used_ends_at_its_end() {
    let scene = Scene::new().await;
    let device = scene.device(PHONE).await;
    except(&scene, &device, 5).await;

    later(5 * MINUTE);

    assert_eq!(both(&scene, &unproven(Transport::Tls, "10.1.2.3")).await, [false, false]);
    assert!(scene.app.exceptions(&provost_app::Actor::control_socket()).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_exception_holds_only_while_its_device_is_served_and_names_the_phone() {
    let scene = Scene::new().await;
    let device = scene.device(PHONE).await;
    let phone = unproven(Transport::Tls, "10.1.2.3");
    except(&scene, &device, 30).await;
    assert_eq!(both(&scene, &phone).await, [true, true]);

    let barred = Some(provost_app::Bar::Disabled);
    scene.app.bar_device(&device.parse().unwrap(), barred, &Actor::first_start()).await.unwrap();

    assert_eq!(both(&scene, &phone).await, [false, false]);
}
