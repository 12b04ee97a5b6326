//! Phones that are led from a former address to the new one.

use super::{OTHERS, OURS, PUBLIC, Scene, VVX450, mac, now, proven, says, settings, stranger, text};
use provost_app::{App, Former, Parts, PhoneAnswer, PhoneMethod, PhoneRequest, Told, Vault};
use provost_catalog::Catalog;
use provost_core::identity::Peer;
use std::sync::Arc;

const NEW: &str = "new.example.com";

/// The server after a restart with a new address, at which the scene's becomes the former one.
async fn moving(scene: &Scene) -> Arc<App> {
    let former = Former { public_url: format!("https://{PUBLIC}").parse().unwrap(), time_server: PUBLIC.to_owned() };
    let told = Told {
        public_url: format!("https://{NEW}").parse().unwrap(),
        former: Some(former),
        time_server: NEW.to_owned(),
        ..scene.app.told().clone()
    };
    let parts = Parts {
        store: scene.store.clone(),
        catalog: Arc::new(Catalog::built_in().unwrap()),
        vault: Vault::new(&[7; provost_app::KEY_BYTES]).unwrap(),
        told,
        clock: now,
    };
    App::start(parts).await.unwrap()
}

async fn ask(app: &App, (peer, host): (&Peer, &str), (method, path): (PhoneMethod, &str)) -> PhoneAnswer {
    let request = PhoneRequest { peer, method, path, user_agent: Some(VVX450), host: Some(host) };
    app.phone_request(request).await
}

async fn configuration(app: &App, host: &str) -> String {
    text(ask(app, (&proven(OURS), host), (PhoneMethod::Get, &settings(OURS))).await)
}

async fn state(app: &App) -> Option<&'static str> {
    app.phone(mac(OURS)).await.unwrap().moving.map(|moving| moving.state)
}

#[tokio::test]
async fn within_one_second_too_every_answer_after_the_move_holds_the_new_address() {
    let scene = Scene::new().await;
    scene.bound(OURS).await;
    let before = text(scene.get(OURS, &settings(OURS)).await);
    let app = moving(&scene).await;

    assert_eq!(configuration(&app, "10.0.0.1").await, before, "elsewhere it is told nothing");
    ask(&app, (&proven(OURS), PUBLIC), (PhoneMethod::Head, &settings(OURS))).await;
    assert_eq!(state(&app).await, Some("not-yet-told"), "a HEAD reads nothing");
    let moved = configuration(&app, PUBLIC).await;

    assert_eq!(moved, before.replace(PUBLIC, NEW));
    assert_eq!(configuration(&app, "10.0.0.1").await, moved, "no answer of before is given again");
}

#[tokio::test]
async fn a_phone_that_was_left_alone_at_the_former_address_is_led_and_others_are_not() {
    let scene = Scene::new().await;
    scene.bound(OURS).await;
    let elsewhere = text(ask(&scene.app, (&proven(OURS), "10.0.0.1"), (PhoneMethod::Get, &settings(OURS))).await);
    let app = moving(&scene).await;

    for host in [PUBLIC, NEW] {
        assert_eq!(configuration(&app, host).await, elsewhere, "it came in at neither, so it keeps what it has");
    }
    assert_eq!(state(&app).await, None);
}

#[tokio::test]
async fn only_a_phone_that_proves_itself_arrives() {
    let scene = Scene::new().await;
    scene.bound(OURS).await;
    text(scene.get(OURS, &settings(OURS)).await);
    let app = moving(&scene).await;
    configuration(&app, PUBLIC).await;
    let master = format!("/{OURS}.cfg");

    ask(&app, (&stranger(), NEW), (PhoneMethod::Get, &master)).await;
    ask(&app, (&proven(OTHERS), NEW), (PhoneMethod::Get, &master)).await;
    assert_eq!(state(&app).await, Some("told"));

    ask(&app, (&proven(OURS), NEW), (PhoneMethod::Get, &master)).await;
    assert_eq!(state(&app).await, Some("arrived"));
    assert!(says(&scene.told(OURS).await, &["It arrived", NEW]));
}

#[tokio::test]
async fn a_move_that_is_held_pins_a_new_phone_to_the_former_address_and_leads_it_later() {
    let scene = Scene::new().await;
    scene.bound(OURS).await;
    let app = moving(&scene).await;
    app.hold_move(Some("the certificate is not for it".to_owned()));

    let held = configuration(&app, PUBLIC).await;
    assert!(held.contains(&format!("device.prov.serverName=\"{PUBLIC}\"")), "{held}");
    assert!(app.move_summary().await.unwrap().summary.starts_with("No phone is told new.example.com at present"));
    app.hold_move(None);

    assert_eq!(configuration(&app, PUBLIC).await, held.replace(PUBLIC, NEW));
}

#[tokio::test]
async fn a_phone_that_comes_in_at_the_new_address_by_itself_is_pinned_there_even_while_the_move_is_held() {
    let scene = Scene::new().await;
    scene.bound(OURS).await;
    let before = text(scene.get(OURS, &settings(OURS)).await);
    let app = moving(&scene).await;
    app.hold_move(Some("the certificate is not for it".to_owned()));

    assert_eq!(configuration(&app, NEW).await, before.replace(PUBLIC, NEW));
}
