//! Those who get nothing: strangers, the wrong phone, unknown models.

use super::{OTHERS, OURS, Scene, VVX450, mac, proven, says, settings, stranger};
use provost_app::{Page, PhoneAnswer, PhoneMethod};
use provost_core::identity::{CertificateStatus, Peer, Transport, Verdict};
use std::net::IpAddr;
use std::sync::Arc;

#[tokio::test]
async fn another_phones_file_is_refused_and_told_to_the_one_that_asked() {
    let scene = Scene::new().await;
    scene.bound(OTHERS).await;
    let before = scene.told(OTHERS).await;

    for path in [format!("/{OTHERS}.cfg"), settings(OTHERS), settings(&OTHERS.to_uppercase())] {
        assert_eq!(scene.get(OURS, &path).await, PhoneAnswer::NotFound, "{path}");
    }

    assert!(says(&scene.told(OURS).await, &[&format!("belongs to phone {OTHERS}, not to this one")]));
    assert_eq!(scene.told(OTHERS).await, before);
}

#[tokio::test]
async fn another_phones_master_file_claims_nothing_for_anybody() {
    let scene = Scene::new().await;
    let customer = scene.customer("Acme").await;
    scene.device(&customer, Some(OURS)).await;
    scene.device(&customer, Some(OTHERS)).await;

    scene.get(OURS, &format!("/{OTHERS}.cfg")).await;

    assert!(!says(&scene.told(OURS).await, &["was claimed"]) && !says(&scene.told(OTHERS).await, &["was claimed"]));
}

#[tokio::test]
async fn a_model_the_catalog_does_not_know_gets_nothing_and_is_quoted() {
    let scene = Scene::new().await;
    let unknown = "FileTransport PolycomVVX-VVX_999-UA/9.9.9 Type/Application";
    let forged = "Mozilla`\r\nadmin: \u{202e}yes";

    for user_agent in [unknown, forged] {
        let answer = scene.ask(&proven(OURS), PhoneMethod::Get, &settings(OURS), Some(user_agent)).await;
        assert_eq!(answer, PhoneAnswer::NotFound);
    }

    let told = scene.told(OURS).await;
    assert!(says(&told, &["model not in the catalog", unknown]), "{told:?}");
    assert!(says(&told, &["Mozilla\u{fffd}\u{fffd}\u{fffd}admin: \u{fffd}yes`"]), "{told:?}");
}

#[tokio::test]
async fn without_a_certificate_there_is_nothing_but_the_reason_on_the_timeline() {
    let scene = Scene::new().await;

    for _ in 0..3 {
        let answer = scene.ask(&stranger(), PhoneMethod::Get, &settings(OURS), Some(VVX450)).await;
        assert_eq!(answer, PhoneAnswer::NotFound);
    }

    let told = scene.told(OURS).await;
    assert_eq!(told.len(), 1);
    assert!(says(&told, &["Somebody at 192.0.2.66", "it presented no certificate", "3 times"]), "{told:?}");
    let view = scene.app.phone(mac(OURS), &provost_app::Actor::control_socket()).await.unwrap();
    assert_eq!((view.certificate.status, view.first_seen), ("None presented", None));
}

#[tokio::test]
async fn a_good_certificate_over_plain_http_proves_nothing() {
    let scene = Scene::new().await;
    scene.bound(OURS).await;
    let plain = Peer { transport: Transport::Plain, ..proven(OURS) };

    for path in [format!("/{OURS}.cfg"), settings(OURS), "/000000000000.cfg".to_owned()] {
        assert_eq!(scene.ask(&plain, PhoneMethod::Get, &path, Some(VVX450)).await, PhoneAnswer::NotFound, "{path}");
    }

    assert!(says(&scene.told(OURS).await, &["it asked over plain HTTP, which proves nothing"]));
}

#[tokio::test]
async fn strangers_never_create_a_row() {
    let scene = Scene::new().await;
    let reason = Some("its issuer `X` is no known phone maker's authority".to_owned());
    let invalid =
        Verdict { status: CertificateStatus::Invalid, reason, fingerprint: Some([1; 32]), ..Verdict::none_presented() };

    for n in 0..200u8 {
        let peer = Peer {
            address: IpAddr::from([192, 0, 2, n]),
            transport: Transport::Tls,
            verdict: Arc::new(invalid.clone()),
        };
        let phone = format!("0004f20000{n:02x}");
        for method in [PhoneMethod::Get, PhoneMethod::Head, PhoneMethod::Put("x".into())] {
            let answer = scene.ask(&peer, method, &format!("/{phone}-app.log"), Some(VVX450)).await;
            assert_eq!(answer, PhoneAnswer::NotFound);
        }
        assert!(scene.store.timeline(mac(&phone), None, 9).await.unwrap().is_empty());
        assert!(scene.app.uploads(mac(&phone), &provost_app::Actor::control_socket()).await.unwrap().is_empty());
    }

    assert_eq!(scene.known_phones().await, 0);
    assert_eq!(scene.app.strangers(&provost_app::Actor::control_socket()).unwrap().len(), 200);
    assert!(scene.app.devices(Page::FIRST, &provost_app::Actor::control_socket()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_stranger_is_refused_alike_with_and_without_a_store() {
    let scene = Scene::new().await;
    let before = scene.ask(&stranger(), PhoneMethod::Get, &settings(OURS), Some(VVX450)).await;

    scene.store.close().await;

    assert_eq!(scene.ask(&stranger(), PhoneMethod::Get, &settings(OURS), Some(VVX450)).await, before);
}

#[tokio::test]
async fn no_path_of_a_proven_phone_leaves_its_files() {
    let scene = Scene::new().await;

    for path in ["/", "/../provost.db", "/etc/passwd", "/0004f2a1b2c3/../../x.cfg", "/\u{0}.ld", "/%2e%2e/x.cfg"] {
        assert_eq!(scene.get(OURS, path).await, PhoneAnswer::NotFound, "{path:?}");
        assert_eq!(scene.put(OURS, path, "x").await, PhoneAnswer::NotFound, "{path:?}");
    }

    assert!(scene.app.uploads(mac(OURS), &provost_app::Actor::control_socket()).await.unwrap().is_empty());
    assert!(!scene.told(OURS).await.concat().contains('\u{0}'));
}
