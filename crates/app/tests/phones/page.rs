//! The web page's use-case: a code and the end of a MAC.

use super::calls::{code_for, word, wrong};
use super::{CLOCK, OTHERS, OURS, Scene, VVX500, mac, now, proven, says};
use provost_app::{AppError, PhoneMethod};
use std::net::IpAddr;

const BROWSER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 5));

#[tokio::test]
async fn a_code_and_the_end_of_the_mac_activate_the_phone() {
    let scene = Scene::new().await;
    let device = scene.device(&scene.customer("Acme").await, None).await;
    let code = code_for(&scene, &device).await;
    scene.get(OURS, &format!("/{OURS}.cfg")).await;
    scene.get(OTHERS, &format!("/{OTHERS}.cfg")).await;

    let activated = scene.app.activate_by_page(BROWSER, &code.grouped(), "B2:C3").await.unwrap();

    assert_eq!((activated.mac, activated.extension()), (mac(OURS), Some("1001")));
    assert_eq!(word(scene.app.activate_by_page(BROWSER, &code.digits(), "b2c3").await), "activated", "once more");
    assert_eq!(word(scene.app.activate_by_page(BROWSER, &code.digits(), "b2c4").await), "code-used");
    assert!(says(&scene.told(OURS).await, &["was claimed for extension 1001", "on the web page"]));
}

#[tokio::test]
async fn without_a_right_code_nobody_learns_which_phones_there_are() {
    let scene = Scene::new().await;
    scene.get(OURS, &format!("/{OURS}.cfg")).await;
    scene.told(OURS).await;

    let said = async |tail| match scene.app.activate_by_page(BROWSER, &wrong(1).digits(), tail).await {
        Err(AppError::Refused { code, message, .. }) => (code, message),
        other => panic!("{other:?}"),
    };

    assert_eq!(said("b2c3").await, said("ffff").await);
    assert_eq!(scene.told(OURS).await.len(), 1, "the phone's timeline says nothing of it");
}

#[tokio::test]
async fn with_a_right_code_it_is_said_what_is_missing() {
    let scene = Scene::new().await;
    let device = scene.device(&scene.customer("Acme").await, None).await;
    let code = code_for(&scene, &device).await.digits();
    let twin = "0004f2ffb2c3";
    assert_eq!(word(scene.app.activate_by_page(BROWSER, &code, "b2c3").await), "phone-not-here");

    scene.ask(&proven(OURS), PhoneMethod::Get, &format!("/{OURS}.cfg"), Some(VVX500)).await;
    assert_eq!(word(scene.app.activate_by_page(BROWSER, &code, "b2c3").await), "code-other-model");
    assert!(says(
        &scene.told(OURS).await,
        &["on the web page and was refused", "for a VVX 450, the phone is a VVX 500"]
    ));

    for phone in [OURS, twin] {
        scene.get(phone, &format!("/{phone}.cfg")).await;
    }
    assert_eq!(word(scene.app.activate_by_page(BROWSER, &code, "b2c3").await), "several-phones");
    CLOCK.set(now().plus_millis(25 * 3_600_000));
    assert_eq!(word(scene.app.activate_by_page(BROWSER, &code, OURS).await), "phone-not-here", "it is long gone");
    scene.get(twin, &format!("/{twin}.cfg")).await;
    assert_eq!(scene.app.activate_by_page(BROWSER, &code, "b2c3").await.unwrap().mac, mac(twin));
}

#[tokio::test]
async fn what_cannot_be_right_is_said_field_by_field_and_not_counted() {
    let scene = Scene::new().await;
    let digits = wrong(1).digits();
    let mistyped = format!("{}{}", &digits[..12], if digits.ends_with('0') { '1' } else { '0' });

    for _ in 0..100 {
        let AppError::Fields(errors) = scene.app.activate_by_page(BROWSER, &mistyped, "xyz").await.unwrap_err() else {
            panic!("no field errors")
        };
        assert_eq!(errors.0.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), ["code", "mac"]);
        assert!(errors.0[0].message.contains("typing mistake"), "{errors}");
    }
    assert_eq!(word(scene.app.activate_by_page(BROWSER, &digits, "b2c3").await), "code-unknown");
}

#[tokio::test]
async fn after_sixty_wrong_codes_an_address_waits_and_nobody_else_does() {
    let scene = Scene::with_voice().await;
    let device = scene.device(&scene.customer("Acme").await, None).await;
    let code = code_for(&scene, &device).await;
    scene.get(OURS, &format!("/{OURS}.cfg")).await;
    for n in 0..60 {
        assert_eq!(word(scene.app.activate_by_page(BROWSER, &wrong(n).digits(), "b2c3").await), "code-unknown");
    }

    let refused = scene.app.activate_by_page(BROWSER, &wrong(99).digits(), "b2c3").await.unwrap_err();
    assert!(matches!(&refused, AppError::TooManyTries { .. }), "{refused}");
    assert_eq!(word(scene.app.activate_by_page(BROWSER, &code.digits(), "b2c3").await), "too-many-tries");
    let AppError::TooManyTries { reference, .. } = refused else { panic!("{refused}") };
    let found = scene.app.reference(&reference, &provost_app::Actor::control_socket()).await.unwrap();
    assert!(found.phone.is_none() && found.sentence.contains("Somebody at 203.0.113.5"), "{found:?}");
    let scene = scene.restarted().await;
    assert_eq!(word(scene.app.activate_by_page(BROWSER, &code.digits(), "b2c3").await), "too-many-tries");

    assert_eq!(word(scene.app.activate_by_call(mac(OURS), BROWSER, &code).await), "activated", "a call from there");
    let neighbor = [203, 0, 113, 6].into();
    assert_eq!(word(scene.app.activate_by_page(neighbor, &code.digits(), "b2c3").await), "activated");
}
