//! Phones that are led from a former address to the new one.

use super::{OTHERS, OURS, PUBLIC, Scene, VVX450, mac, now, proven, says, settings, stranger, text};
use provost_app::{Actor, App, Bar, Parts, PhoneAnswer, PhoneMethod, PhoneRequest, Told, Vault};
use provost_catalog::Catalog;
use provost_core::entry::guard::{ExceptionInput, HttpBootstrapInput};
use provost_core::identity::{Peer, Transport};
use std::sync::Arc;

const NEW: &str = "new.example.com";
const THIRD: &str = "third.example.com";

/// The server after a restart with a new address, at which the scene's becomes the former one.
async fn moving(scene: &Scene) -> Arc<App> {
    named(scene, (NEW, Some(PUBLIC))).await
}

/// The server after a restart with this public-url and former one.
async fn named(scene: &Scene, (current, former): (&str, Option<&str>)) -> Arc<App> {
    let told = Told {
        public_url: format!("https://{current}").parse().unwrap(),
        former: former.map(|host| format!("https://{host}").parse().unwrap()),
        ..scene.app.told().clone()
    };
    started(scene, told).await
}

async fn started(scene: &Scene, told: Told) -> Arc<App> {
    let parts = Parts {
        store: scene.store.clone(),
        catalog: Arc::new(Catalog::built_in().unwrap()),
        vault: Vault::new(&[7; provost_app::KEY_BYTES]).unwrap(),
        told,
        clock: now,
        firmware_store: scene.folder.path().join("firmware"),
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

async fn own(app: &App, (phone, host): (&str, &str)) -> String {
    text(ask(app, (&proven(phone), host), (PhoneMethod::Get, &settings(phone))).await)
}

async fn state(app: &App) -> Option<&'static str> {
    app.phone(mac(OURS), &provost_app::Actor::control_socket()).await.unwrap().moving.map(|moving| moving.state)
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
    assert!(
        app.move_summary(&provost_app::Actor::control_socket())
            .await
            .unwrap()
            .summary
            .starts_with("No phone is told new.example.com at present")
    );
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

#[tokio::test]
async fn neither_swapping_the_names_nor_removing_one_changes_a_phone_that_lives_elsewhere() {
    let scene = Scene::new().await;
    let third = named(&scene, (THIRD, None)).await;
    scene.device(&scene.customer("Other").await, Some(OTHERS)).await;
    ask(&third, (&proven(OTHERS), THIRD), (PhoneMethod::Get, &format!("/{OTHERS}.cfg"))).await;
    let pinned = own(&third, (OTHERS, THIRD)).await;
    scene.bound(OURS).await;
    let left_alone = own(&scene.app, (OURS, "10.0.0.1:8443")).await;
    assert!(pinned.contains(&format!("device.prov.serverName=\"{THIRD}\"")), "{pinned}");
    assert!(left_alone.contains("device.sntp.serverName=\"10.0.0.1\""), "{left_alone}");

    for names in [(PUBLIC, None), (NEW, Some(PUBLIC)), (PUBLIC, Some(NEW)), (NEW, Some(THIRD)), (NEW, None)] {
        let app = named(&scene, names).await;
        assert_eq!(own(&app, (OURS, "10.0.0.1:8443")).await, left_alone, "{names:?}");
        assert_eq!(own(&app, (OTHERS, "10.0.0.1")).await, pinned, "{names:?}");
    }
}

#[tokio::test]
async fn with_a_time_server_of_its_own_the_server_tells_that_wherever_a_phone_lives() {
    let scene = Scene::new().await;
    scene.bound(OURS).await;
    let time_server = Some("time.example.com".to_owned());
    let app = started(&scene, Told { time_server, ..scene.app.told().clone() }).await;

    let told = configuration(&app, PUBLIC).await;

    assert!(told.contains("device.sntp.serverName=\"time.example.com\""), "{told}");
}

#[tokio::test]
async fn a_phone_that_nobody_claimed_is_kept_at_the_name_it_asks_at_else_at_the_former() {
    let scene = Scene::new().await;
    let app = moving(&scene).await;

    for (at, home) in [(PUBLIC, PUBLIC), (NEW, NEW), ("10.0.0.1", PUBLIC)] {
        let bootstrap = configuration(&app, at).await;
        assert!(bootstrap.contains(&format!("tcpIpApp.sntp.address=\"{home}\"")), "{at}: {bootstrap}");
        assert!(!bootstrap.contains("device."), "nothing that restarts it: {bootstrap}");
    }
}

#[tokio::test]
async fn who_was_let_in_by_an_exception_moves_nobodys_pin() {
    let scene = Scene::new().await;
    let device = scene.bound(OURS).await;
    let before = text(scene.get(OURS, &settings(OURS)).await);
    let app = moving(&scene).await;
    let input = ExceptionInput { mac: OURS.to_owned(), minutes: 5, reason: "repaired".to_owned() };
    app.make_exception(&device.id.parse().unwrap(), input, &Actor::control_socket()).await.unwrap();

    let read = text(ask(&app, (&stranger(), PUBLIC), (PhoneMethod::Get, &settings(OURS))).await);

    assert_eq!((read, state(&app).await), (before.clone(), Some("not-yet-told")));
    assert_eq!(configuration(&app, PUBLIC).await, before.replace(PUBLIC, NEW), "the phone itself is led");
}

#[tokio::test]
async fn while_the_move_is_held_the_plain_http_bootstrap_names_the_former_address() {
    let scene = Scene::new().await;
    let app = moving(&scene).await;
    let input = HttpBootstrapInput { range: "192.0.2.0/24".to_owned(), minutes: 30, reason: "new floor".to_owned() };
    app.open_http_bootstrap(input, &Actor::control_socket()).await.unwrap();
    let plain = Peer { transport: Transport::Plain, ..stranger() };
    let read = async || text(ask(&app, (&plain, NEW), (PhoneMethod::Get, "/provost-bootstrap.cfg")).await);

    app.hold_move(Some("the certificate is not for it".to_owned()));
    let held = read().await;
    app.hold_move(None);

    assert!(held.contains(&format!("device.prov.serverName=\"{PUBLIC}\"")), "{held}");
    assert!(held.contains(&format!("device.sntp.serverName=\"{PUBLIC}\"")) && !held.contains(NEW), "{held}");
    assert_eq!(read().await, held.replace(PUBLIC, NEW));
}

#[tokio::test]
async fn a_disabled_phone_does_not_keep_the_move_open() {
    let scene = Scene::new().await;
    let device = scene.bound(OURS).await.id.parse().unwrap();
    text(scene.get(OURS, &settings(OURS)).await);
    let app = moving(&scene).await;
    assert!(
        app.move_summary(&provost_app::Actor::control_socket())
            .await
            .unwrap()
            .summary
            .contains("Keep phones.example.com")
    );

    app.bar_device(&device, Some(Bar::Disabled), &Actor::control_socket()).await.unwrap();

    let summary = app.move_summary(&provost_app::Actor::control_socket()).await.unwrap();
    assert_eq!((summary.counts.barred, summary.counts.not_yet_told), (1, 0));
    assert!(summary.summary.contains("can be retired") && summary.summary.contains("1 that are disabled"));
    let moving = app.phone(mac(OURS), &provost_app::Actor::control_socket()).await.unwrap().moving.unwrap();
    assert_eq!(moving.state, "barred");
    assert!(moving.sentence.contains("not waited for"), "{}", moving.sentence);
}
