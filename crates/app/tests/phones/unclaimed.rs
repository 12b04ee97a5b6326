//! Phones nobody claimed, and those whose MAC was entered beforehand.

use super::{OURS, Scene, VVX450, VVX450_UPDATER, VVX500, a_second_later, mac, proven, says, settings, text};
use provost_app::{AppError, PhoneAnswer, PhoneMethod};
use provost_core::entry::DeviceInput;

#[tokio::test]
async fn an_unclaimed_phone_gets_a_master_file_and_the_bootstrap() {
    let scene = Scene::new().await;

    let master = text(scene.get(OURS, &format!("/{OURS}.cfg")).await);
    let default = text(scene.get(OURS, "/000000000000.cfg").await);
    let bootstrap = text(scene.get(OURS, &settings(OURS)).await);

    assert!(master.contains("APP_FILE_PATH=\"\"") && master.contains(&format!("{OURS}-provost.cfg")), "{master}");
    assert_eq!(default, master);
    assert!(bootstrap.contains("\"Activate\"") && !bootstrap.contains("device."), "{bootstrap}");
    assert_eq!(scene.get(OURS, &format!("/{OURS}-directory.xml")).await, PhoneAnswer::NotFound);
    assert!(says(&scene.told(OURS).await, &["Read its bootstrap", "VVX 450 on firmware 6.4.7.4560"]));
}

#[tokio::test]
async fn the_updaters_version_is_not_taken_for_the_firmware() {
    let scene = Scene::new().await;
    let log = format!("/{OURS}-boot.log");
    let content = PhoneMethod::Put("x".into());

    scene.ask(&proven(OURS), content, &log, Some(VVX450_UPDATER)).await;
    let after_updater = scene.app.phone(mac(OURS), &provost_app::Actor::control_socket()).await.unwrap();
    scene.get(OURS, &format!("/{OURS}.cfg")).await;
    let after_boot = scene.app.phone(mac(OURS), &provost_app::Actor::control_socket()).await.unwrap();

    assert_eq!((after_updater.firmware, after_updater.updater.as_deref()), (None, Some("6.4.7.3828")));
    assert_eq!(after_boot.firmware.as_deref(), Some("6.4.7.4560"));
    assert_eq!(after_boot.updater.as_deref(), Some("6.4.7.3828"));
}

#[tokio::test]
async fn a_request_without_user_agent_is_answered_for_the_model_known_before() {
    let scene = Scene::new().await;
    let path = settings(OURS);
    let asked = async || scene.ask(&proven(OURS), PhoneMethod::Get, &path, None).await;

    assert_eq!(asked().await, PhoneAnswer::NotFound);
    let before = scene.get(OURS, &path).await;
    scene.told(OURS).await;
    a_second_later();

    assert_eq!(asked().await, before);
}

#[tokio::test]
async fn a_mac_entered_beforehand_claims_at_the_first_master_file() {
    let scene = Scene::new().await;
    let device = scene.device(&scene.customer("Acme").await, Some(OURS)).await;
    let master = format!("/{OURS}.cfg");

    scene.ask(&proven(OURS), PhoneMethod::Head, &master, Some(VVX450)).await;
    assert!(!says(&scene.told(OURS).await, &["was claimed"]));
    scene.get(OURS, &master).await;

    assert!(text(scene.get(OURS, &settings(OURS)).await).contains("device.auth.localAdminPassword"));
    assert!(says(&scene.told(OURS).await, &["was claimed for extension 1001", "entered its MAC beforehand"]));
    assert_eq!(
        scene.app.device(&device.id.parse().unwrap(), &provost_app::Actor::control_socket()).await.unwrap().state,
        "activated"
    );
}

#[tokio::test]
async fn a_mac_entered_in_two_accounts_serves_neither() {
    let scene = Scene::new().await;
    scene.device(&scene.customer("Acme").await, Some(OURS)).await;
    scene.device(&scene.customer("Other").await, Some(OURS)).await;

    scene.get(OURS, &format!("/{OURS}.cfg")).await;
    let bootstrap = text(scene.get(OURS, &settings(OURS)).await);

    assert!(bootstrap.contains("\"Activate\"") && !bootstrap.contains("device."), "{bootstrap}");
    assert!(says(&scene.told(OURS).await, &["entered with more than one device", "stays unclaimed"]));
    assert!(scene.app.phone(mac(OURS), &provost_app::Actor::control_socket()).await.unwrap().device.is_none());
}

#[tokio::test]
async fn a_mac_entered_for_nobody_or_for_another_model_keeps_the_bootstrap() {
    let scene = Scene::new().await;
    let customer = scene.customer("Acme").await;
    let for_nobody = "0004f2000001";
    let input = DeviceInput {
        account: customer.0.clone(),
        model: "vvx450".to_owned(),
        user: None,
        mac: Some(for_nobody.to_owned()),
    };
    scene.app.add_device(input, &provost_app::Actor::control_socket()).await.unwrap();
    scene.device(&customer, Some(OURS)).await;

    scene.get(for_nobody, &format!("/{for_nobody}.cfg")).await;
    scene.ask(&proven(OURS), PhoneMethod::Get, &format!("/{OURS}.cfg"), Some(VVX500)).await;
    let bootstrap = scene.ask(&proven(OURS), PhoneMethod::Get, &settings(OURS), Some(VVX500)).await;

    assert!(text(bootstrap).contains("\"Activate\""));
    assert!(says(&scene.told(for_nobody).await, &["a device that has no user", "stays unclaimed"]));
    assert!(says(&scene.told(OURS).await, &["model VVX 450", "says it is a VVX 500"]));
}

#[tokio::test]
async fn a_code_is_refused_for_a_phone_of_another_model_and_for_one_never_seen() {
    let scene = Scene::new().await;
    let device = scene.device(&scene.customer("Acme").await, None).await;
    let (code, _) =
        scene.app.issue_code(&device.id.parse().unwrap(), &provost_app::Actor::control_socket()).await.unwrap();

    let unseen =
        scene.app.activate(mac(OURS), &code.digits(), &provost_app::Actor::control_socket()).await.unwrap_err();
    scene.ask(&proven(OURS), PhoneMethod::Get, &format!("/{OURS}.cfg"), Some(VVX500)).await;
    let other = scene.app.activate(mac(OURS), &code.digits(), &provost_app::Actor::control_socket()).await.unwrap_err();

    assert!(matches!(&unseen, AppError::Refused { code: "phone-unknown", .. }), "{unseen}");
    let AppError::Refused { code: word, reference, .. } = &other else { panic!("{other}") };
    assert_eq!(*word, "code-other-model");
    assert!(says(&scene.told(OURS).await, &["for a VVX 450, the phone is a VVX 500", reference]));
    assert!(!scene.told(OURS).await.concat().contains(&code.digits()));
}
