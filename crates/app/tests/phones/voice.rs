//! The activation line of an unclaimed phone: its own name and password, and whom they prove.

use super::{OTHERS, OURS, Scene, VVX450, a_second_later, mac, now, proven, settings, stranger, text};
use provost_app::{Actor, Bar, PhoneMethod};
use provost_core::entry::DeviceInput;
use provost_core::entry::guard::ExceptionInput;

/// The value of a parameter in a file.
pub(super) fn value(file: &str, parameter: &str) -> Option<String> {
    let (_, rest) = file.split_once(&format!("{parameter}=\""))?;
    rest.split_once('"').map(|(value, _)| value.to_owned())
}

/// Name and password as the phone reads them.
async fn line_of(scene: &Scene, phone: &str) -> (String, String) {
    let file = text(scene.get(phone, &settings(phone)).await);
    (value(&file, "reg.1.auth.userId").unwrap(), value(&file, "reg.1.auth.password").unwrap())
}

#[tokio::test]
async fn each_unclaimed_phone_has_a_name_and_password_of_its_own_that_stay() {
    let scene = Scene::with_voice().await;

    let ours = line_of(&scene, OURS).await;
    let others = line_of(&scene, OTHERS).await;
    a_second_later();
    assert_eq!(line_of(&scene, OURS).await, ours, "or it would restart again and again");

    assert!(ours.0 != others.0 && ours.1 != others.1);
    let credential = scene.app.sip_credential(&ours.0).await.unwrap().unwrap();
    assert_eq!((credential.mac, credential.password.reveal()), (mac(OURS), ours.1.as_str()));
    assert!(!credential.sha256, "nobody saw such a phone understand it");
    assert_eq!(scene.app.sip_user(mac(OTHERS)).await.unwrap(), Some(others.0));
    let scene = scene.restarted().await;
    assert_eq!(line_of(&scene, OURS).await, ours, "it was stored before it was served");
    assert!(scene.app.sip_credential(&ours.0).await.unwrap().is_some());
}

#[tokio::test]
async fn a_name_that_nobody_was_given_proves_nobody() {
    let scene = Scene::with_voice().await;
    let (user, _) = line_of(&scene, OURS).await;

    for made_up in ["", "activate", OURS, "aaaaaaaaaaaa", &user[1..], &user.to_uppercase(), "' OR 1=1 --"] {
        assert_eq!(scene.app.sip_credential(made_up).await.unwrap(), None, "{made_up}");
    }
}

#[tokio::test]
async fn the_line_of_a_barred_phone_answers_nothing_while_it_is_barred() {
    let scene = Scene::with_voice().await;
    let (user, _) = line_of(&scene, OURS).await;
    assert!(scene.app.sip_credential(&user).await.unwrap().is_some());
    let (account, _) = scene.customer("Acme").await;
    let input = DeviceInput { account, model: "vvx450".to_owned(), user: None, mac: Some(OURS.to_owned()) };
    let device = scene.app.add_device(input, &provost_app::Actor::control_socket()).await.unwrap().id.parse().unwrap();

    let mut barred = scene.app.barred();
    scene.app.bar_device(&device, Some(Bar::Quarantined), &Actor::control_socket()).await.unwrap();
    assert_eq!(barred.try_recv().unwrap(), user, "whoever keeps its registration is told");
    assert_eq!(scene.app.sip_credential(&user).await.unwrap(), None, "at once, whatever was remembered");
    scene.app.bar_device(&device, None, &Actor::control_socket()).await.unwrap();
    assert!(barred.try_recv().is_err());
    assert!(scene.app.sip_credential(&user).await.unwrap().is_some());
}

#[tokio::test]
async fn nothing_secret_is_told_to_a_phone_that_is_let_in_without_proof() {
    let scene = Scene::with_voice().await;
    let (account, _) = scene.customer("Acme").await;
    let input = DeviceInput { account, model: "vvx450".to_owned(), user: None, mac: Some(OURS.to_owned()) };
    let device = scene.app.add_device(input, &provost_app::Actor::control_socket()).await.unwrap().id.parse().unwrap();
    let exception = ExceptionInput { mac: OURS.to_owned(), minutes: 30, reason: "repaired".to_owned() };
    scene.app.make_exception(&device, exception, &Actor::control_socket()).await.unwrap();

    let file = text(scene.ask(&stranger(), PhoneMethod::Get, &settings(OURS), Some(VVX450)).await);

    assert!(file.contains("\"Activate\"") && !file.contains("password"), "{file}");
    assert_eq!(scene.app.sip_user(mac(OURS)).await.unwrap(), None);
    let proven = text(scene.ask(&proven(OURS), PhoneMethod::Get, &settings(OURS), Some(VVX450)).await);
    assert!(value(&proven, "reg.1.auth.password").is_some(), "{proven}");
}

#[tokio::test]
async fn without_a_listener_for_calls_a_bootstrap_is_as_before_and_makes_no_name() {
    let scene = Scene::new().await;

    let file = text(scene.get(OURS, &settings(OURS)).await);

    assert_eq!(value(&file, "reg.1.server.1.register").as_deref(), Some("0"));
    assert_eq!(scene.app.sip_user(mac(OURS)).await.unwrap(), None);
}

#[tokio::test]
async fn the_name_outlives_the_claim_until_the_phone_read_its_configuration() {
    let scene = Scene::with_voice().await;
    let (user, _) = line_of(&scene, OURS).await;
    let device = scene.device(&scene.customer("Acme").await, None).await;
    let (code, _) = scene.app.issue_code(&device.id.parse().unwrap(), &Actor::control_socket()).await.unwrap();
    scene.app.activate_by_call(mac(OURS), [192, 0, 2, 7].into(), &code).await.unwrap();

    assert!(scene.app.sip_credential(&user).await.unwrap().is_some(), "it is to be told to restart");
    let file = text(scene.get(OURS, &settings(OURS)).await);
    assert!(file.contains("device.auth.localAdminPassword") && !file.contains(&user), "{file}");
    scene.told(OURS).await;
    assert!(scene.app.sip_credential(&user).await.unwrap().is_some(), "it may sign off");
    super::CLOCK.set(now().plus_millis(10 * 60_000));
    assert_eq!(scene.app.sip_credential(&user).await.unwrap(), None);
    assert_eq!(scene.app.sip_user(mac(OURS)).await.unwrap(), None);
}
