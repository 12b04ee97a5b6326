//! Bound and barred phones.

use super::{OURS, PUBLIC, Scene, VVX450, a_second_later, mac, proven, says, settings, text};
use provost_app::{Bar, PhoneAnswer, PhoneMethod, PhoneRequest};

#[tokio::test]
async fn a_bound_phone_gets_the_same_configuration_at_every_poll() {
    let scene = Scene::new().await;
    scene.bound(OURS).await;

    let first = text(scene.get(OURS, &settings(OURS)).await);
    a_second_later();
    let second = text(scene.get(OURS, &settings(OURS)).await);

    assert_eq!(first, second);
    assert!(first.contains("reg.1.address=\"1001\"") && first.contains("s3cret&lt;&amp;&gt;"), "{first}");
    assert!(first.contains("device.auth.localAdminPassword.set=\"1\""), "{first}");
    assert!(text(scene.get(OURS, &format!("/{OURS}-directory.xml")).await).contains("<fn>Bo</fn><ct>1002</ct>"));
    let told = scene.told(OURS).await;
    assert!(says(&told, &["Read its configuration"]) && !told.concat().contains("s3cret"), "{told:?}");
}

#[tokio::test]
async fn two_phones_have_passwords_of_their_own() {
    let scene = Scene::new().await;
    let second = "0004f2000009";
    scene.bound(OURS).await;
    scene.bound(second).await;
    let password = |file: String| {
        let (_, rest) = file.split_once("device.auth.localAdminPassword=\"").unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };

    let ours = password(text(scene.get(OURS, &settings(OURS)).await));
    let theirs = password(text(scene.get(second, &settings(second)).await));

    assert!(ours.len() == 8 && theirs.len() == 8 && ours != theirs);
}

#[tokio::test]
async fn a_phone_that_came_in_at_our_address_is_pinned_for_good() {
    let scene = Scene::new().await;
    scene.bound(OURS).await;

    let first = text(scene.get(OURS, &settings(OURS)).await);
    let elsewhere = ask_at(&scene, "10.0.0.1").await;

    assert!(first.contains(&format!("device.prov.serverName=\"{PUBLIC}\"")), "{first}");
    assert_eq!(elsewhere, first);
    assert!(says(&scene.told(OURS).await, &["told to stay with phones.example.com"]));
}

#[tokio::test]
async fn a_phone_that_came_in_elsewhere_is_left_alone_and_that_is_said() {
    let scene = Scene::new().await;
    scene.bound(OURS).await;

    let first = ask_at(&scene, "10.0.0.1").await;
    let second = text(scene.get(OURS, &settings(OURS)).await);

    assert!(!first.contains("device.prov.") && !first.contains("device.dhcp."), "{first}");
    assert_eq!(second, first);
    assert!(says(&scene.told(OURS).await, &["left as it is", "`10.0.0.1`", "not at https://phones.example.com"]));
}

async fn ask_at(scene: &Scene, host: &str) -> String {
    let request = PhoneRequest {
        peer: &proven(OURS),
        method: PhoneMethod::Get,
        path: &settings(OURS),
        user_agent: Some(VVX450),
        host: Some(host),
    };
    text(scene.app.phone_request(request).await)
}

#[tokio::test]
async fn a_barred_phone_gets_nothing_and_is_served_again_when_enabled() {
    let scene = Scene::new().await;
    let device = scene.bound(OURS).await.id.parse().unwrap();
    let before = scene.get(OURS, &settings(OURS)).await;

    for bar in [Bar::Disabled, Bar::Quarantined] {
        scene.app.bar_device(&device, Some(bar), &provost_app::Actor::control_socket()).await.unwrap();
        for path in [format!("/{OURS}.cfg"), settings(OURS), "/000000000000.cfg".to_owned(), format!("/{OURS}-web.cfg")]
        {
            assert_eq!(scene.get(OURS, &path).await, PhoneAnswer::NotFound, "{path}");
        }
        assert_eq!(scene.put(OURS, &format!("/{OURS}-app.log"), "x").await, PhoneAnswer::NotFound);
    }
    assert!(says(&scene.told(OURS).await, &["its device is disabled or quarantined"]));
    assert!(scene.app.uploads(mac(OURS), &provost_app::Actor::control_socket()).await.unwrap().is_empty());

    scene.app.bar_device(&device, None, &provost_app::Actor::control_socket()).await.unwrap();
    assert_eq!(scene.get(OURS, &settings(OURS)).await, before);
}

#[tokio::test]
async fn without_a_store_a_phone_is_told_to_come_back_and_never_bootstrapped() {
    let scene = Scene::new().await;
    scene.bound(OURS).await;
    scene.get(OURS, &settings(OURS)).await;

    scene.store.close().await;
    a_second_later();

    for path in [format!("/{OURS}.cfg"), settings(OURS), format!("/{OURS}-directory.xml"), format!("/{OURS}-app.log")] {
        assert_eq!(scene.get(OURS, &path).await, PhoneAnswer::ComeBackLater, "{path}");
    }
    assert_eq!(scene.get("0004f2000001", &settings("0004f2000001")).await, PhoneAnswer::ComeBackLater);
    assert_eq!(scene.put(OURS, &format!("/{OURS}-app.log"), "x").await, PhoneAnswer::ComeBackLater);
}
