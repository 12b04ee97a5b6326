//! Codes that are keyed in calls: what binds, what is refused and found again, and how often one may try.

use super::{CLOCK, OTHERS, OURS, Scene, mac, now, says};
use provost_app::{Activated, Actor, AppError, DeviceView, TOO_MANY_TRIES};
use provost_core::code::ActivationCode;
use provost_core::mac::MacAddr;
use rand::SeedableRng;
use std::net::IpAddr;

const HOUR_MS: i64 = 3_600_000;
const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

/// A code that nobody issued.
pub(super) fn wrong(n: u64) -> ActivationCode {
    ActivationCode::draw(&mut rand::rngs::StdRng::seed_from_u64(n))
}

fn nth(n: u32) -> String {
    format!("0004f2{n:06x}")
}

/// The stable word of a refusal.
pub(super) fn word(result: Result<Activated, AppError>) -> String {
    match result {
        Ok(_) => "activated".to_owned(),
        Err(AppError::Refused { code, .. }) => code.to_owned(),
        Err(AppError::TooManyTries { .. }) => TOO_MANY_TRIES.to_owned(),
        Err(other) => panic!("{other}"),
    }
}

pub(super) async fn code_for(scene: &Scene, device: &DeviceView) -> ActivationCode {
    scene.app.issue_code(&device.id.parse().unwrap(), &Actor::control_socket()).await.unwrap().0
}

async fn here(scene: &Scene, phone: &str) -> MacAddr {
    scene.get(phone, &format!("/{phone}.cfg")).await;
    mac(phone)
}

#[tokio::test]
async fn a_code_in_a_call_binds_the_calling_phone_and_says_for_whom() {
    let scene = Scene::with_voice().await;
    let customer = scene.customer("Acme").await;
    let (first, second) = (scene.device(&customer, None).await, scene.device(&customer, None).await);
    let (code, another) = (code_for(&scene, &first).await, code_for(&scene, &second).await);
    let (ours, others) = (here(&scene, OURS).await, here(&scene, OTHERS).await);

    let activated = scene.app.activate_by_call(ours, HERE, &code).await.unwrap();
    assert_eq!((activated.extension(), activated.mac), (Some("1001"), ours));
    assert_eq!(word(scene.app.activate_by_call(ours, HERE, &code).await), "activated", "the answer may have been lost");
    assert_eq!(word(scene.app.activate_by_call(others, HERE, &code).await), "code-used");
    assert_eq!(word(scene.app.activate_by_call(ours, HERE, &another).await), "phone-has-device");

    assert!(says(&scene.told(OURS).await, &["was claimed for extension 1001", "in a call"]));
    assert!(says(&scene.told(OTHERS).await, &["in a call from 192.0.2.7 and refused", "used by another phone"]));
}

#[tokio::test]
async fn a_reference_that_was_read_out_leads_to_phone_time_cause_and_next_step() {
    let scene = Scene::with_voice().await;
    let ours = here(&scene, OURS).await;

    let refused = scene.app.activate_by_call(ours, HERE, &wrong(1)).await.unwrap_err();

    let AppError::Refused { reference, .. } = refused else { panic!("{refused}") };
    let found = scene
        .app
        .reference(&reference.to_lowercase().replace("r-", "r "), &provost_app::Actor::control_socket())
        .await
        .unwrap();
    assert_eq!(found.phone.map(|phone| phone.to_string()).as_deref(), Some(OURS));
    assert_eq!(found.at, now().to_string());
    assert!(found.sentence.contains("nobody has this activation code"), "{found:?}");
    assert!(found.next_step.as_deref().unwrap().contains("Compare the code"), "{found:?}");
    let shown = scene.app.timeline(ours, None, 9, &provost_app::Actor::control_socket()).await.unwrap().items;
    assert!(shown.iter().any(|item| item.reference.as_deref() == Some(&reference)), "{shown:?}");
    let scene = scene.restarted().await;
    assert_eq!(scene.app.reference(&reference, &provost_app::Actor::control_socket()).await.unwrap(), found);
    for nothing in ["R-AAAAAA", "", "R-' OR 1", "../phones"] {
        assert!(
            matches!(
                scene.app.reference(nothing, &provost_app::Actor::control_socket()).await,
                Err(AppError::NotFound { .. })
            ),
            "{nothing}"
        );
    }
}

#[tokio::test]
async fn after_ten_wrong_codes_a_phone_waits_and_others_at_its_address_do_not() {
    let scene = Scene::with_voice().await;
    let device = scene.device(&scene.customer("Acme").await, None).await;
    let code = code_for(&scene, &device).await;
    let (ours, others) = (here(&scene, OURS).await, here(&scene, OTHERS).await);
    for n in 0..10 {
        assert_eq!(word(scene.app.activate_by_call(ours, HERE, &wrong(n)).await), "code-unknown");
    }

    let right = scene.app.activate_by_call(ours, HERE, &code).await.unwrap_err();
    let wrong_again = scene.app.activate_by_call(ours, HERE, &wrong(99)).await.unwrap_err();
    let plain = |error: &AppError| error.to_string();
    assert_eq!(plain(&right), plain(&wrong_again), "nobody looked whether the code is right");
    let in_an_hour = now().plus_millis(HOUR_MS);
    assert!(plain(&right).contains(&in_an_hour.to_string()), "{right}");
    assert!(matches!(right, AppError::TooManyTries { again, .. } if again == in_an_hour), "a voice says how long");
    let scene = scene.restarted().await;
    assert_eq!(
        word(scene.app.activate_by_call(ours, HERE, &code).await),
        "too-many-tries",
        "a restart forgives nothing"
    );

    CLOCK.set(now().plus_millis(HOUR_MS - 1));
    assert_eq!(word(scene.app.activate_by_call(ours, HERE, &code).await), "too-many-tries");
    assert_eq!(word(scene.app.activate_by_call(others, HERE, &code).await), "activated");
}

#[tokio::test]
async fn an_hour_later_the_phone_may_try_again() {
    let scene = Scene::with_voice().await;
    let device = scene.device(&scene.customer("Acme").await, None).await;
    let code = code_for(&scene, &device).await;
    let ours = here(&scene, OURS).await;
    for n in 0..11 {
        scene.app.activate_by_call(ours, HERE, &wrong(n)).await.unwrap_err();
    }

    CLOCK.set(now().plus_millis(HOUR_MS));

    assert_eq!(word(scene.app.activate_by_call(ours, HERE, &code).await), "activated");
}

#[tokio::test]
async fn at_an_address_with_sixty_wrong_codes_only_phones_that_made_none_may_try() {
    let scene = Scene::with_voice().await;
    let customer = scene.customer("Acme").await;
    let (first, second) = (scene.device(&customer, None).await, scene.device(&customer, None).await);
    let (code, another) = (code_for(&scene, &first).await, code_for(&scene, &second).await);
    for n in 0..61 {
        let phone = here(&scene, &nth(n / 10)).await;
        assert_eq!(word(scene.app.activate_by_call(phone, HERE, &wrong(n.into())).await), "code-unknown");
    }

    let elsewhere = [198, 51, 100, 1].into();
    assert_eq!(word(scene.app.activate_by_call(mac(&nth(6)), HERE, &code).await), "too-many-tries");
    let clean = here(&scene, &nth(7)).await;
    assert_eq!(word(scene.app.activate_by_call(clean, HERE, &code).await), "activated");
    assert_eq!(word(scene.app.activate_by_call(mac(&nth(6)), elsewhere, &another).await), "activated");
}

#[tokio::test]
async fn no_code_stands_in_the_database_or_on_a_timeline() {
    let scene = Scene::with_voice().await;
    let device = scene.device(&scene.customer("Acme").await, None).await;
    let code = code_for(&scene, &device).await;
    let ours = here(&scene, OURS).await;
    let guessed = wrong(5);
    scene.app.activate_by_call(ours, HERE, &guessed).await.unwrap_err();
    scene.app.activate_by_page(HERE, &guessed.digits(), "b2c3").await.unwrap_err();
    scene.app.activate(ours, &guessed.digits(), &provost_app::Actor::control_socket()).await.unwrap_err();
    scene.app.activate_by_call(ours, HERE, &code).await.unwrap();
    let told = scene.told(OURS).await.concat();
    scene.app.stop().await;

    // The folder of firmware images lies beside the database.
    let entries = std::fs::read_dir(scene.folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.is_file());
    let bytes: Vec<u8> = files.flat_map(|file| std::fs::read(file).unwrap()).collect();
    assert!(!bytes.is_empty());
    for code in [&code, &guessed] {
        for written in [code.digits(), code.grouped(), code.grouped().replace(' ', "-")] {
            assert!(!told.contains(&written));
            assert!(!bytes.windows(written.len()).any(|window| window == written.as_bytes()));
        }
    }
}
