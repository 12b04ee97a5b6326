//! The claim: every outcome, and the race.

use super::{NOW, Scene, device_id, id, mac, request};
use provost_core::entry::NewDevice;
use provost_core::facts::Pin;
use provost_core::sentence;
use provost_core::tries::Tried;
use provost_store::{
    Bar, ClaimBy, ClaimOutcome, ClaimRefusal, ClaimRequest, NewCode, NewEvent, PreAssigned, StandingRow, StoreError,
};
use std::sync::Arc;

const CODE: ClaimBy<'static> = ClaimBy::Code(b"code");

fn refused(why: ClaimRefusal) -> ClaimOutcome {
    ClaimOutcome::Refused(why)
}

#[tokio::test]
async fn a_claim_binds_and_tells_in_one_step() {
    let scene = Scene::new().await;
    let device = scene.add_device(1).await;
    scene.issue(&device, b"code").await;
    assert_eq!(scene.store.standing(mac(7)).await.unwrap(), StandingRow::Unbound(Vec::new()));
    assert_eq!(scene.store.bound(mac(7)).await.unwrap(), None);

    let outcome = scene.claim(7, CODE).await;

    assert_eq!(outcome, ClaimOutcome::Claimed(device.clone()));
    let bound = scene.store.bound(mac(7)).await.unwrap().unwrap();
    assert_eq!((&bound.device, bound.pin), (&device, Pin::Undecided));
    assert_eq!(
        (bound.admin_password.as_slice(), bound.user_password.as_slice()),
        (&b"admin sealed"[..], &b"user sealed"[..])
    );
    assert_eq!(bound.user.as_deref(), Some(scene.user.as_str()));
    assert_eq!(scene.store.phone_of(&device).await.unwrap(), Some(mac(7)));
    let standing = StandingRow::Bound { device: device.clone(), model: "vvx450".to_owned(), bar: None };
    assert_eq!(scene.store.standing(mac(7)).await.unwrap(), standing);
    let timeline = scene.store.timeline(mac(7), None, 9).await.unwrap();
    assert!(timeline.len() == 1 && timeline[0].sentence.contains("extension 1001"), "{timeline:?}");
    assert_eq!(scene.store.device(&device).await.unwrap().unwrap().code, None);
}

#[tokio::test]
async fn the_same_phone_may_enter_its_code_again_and_changes_nothing() {
    let scene = Scene::new().await;
    let device = scene.add_device(1).await;
    scene.issue(&device, b"code").await;
    scene.claim(7, CODE).await;

    let again = ClaimRequest { admin_password: b"another", ..request(7, CODE, "event-again") };
    let outcome = scene.store.claim(&again).await.unwrap();

    assert_eq!(outcome, ClaimOutcome::ClaimedBefore(device));
    assert_eq!(scene.store.bound(mac(7)).await.unwrap().unwrap().admin_password, b"admin sealed");
    assert_eq!(scene.store.timeline(mac(7), None, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn every_refusal_has_its_reason_and_leaves_nothing_behind() {
    let scene = Scene::new().await;
    let device = scene.add_device(1).await;
    assert_eq!(scene.claim(7, CODE).await, refused(ClaimRefusal::UnknownCode));

    scene.issue(&device, b"void").await;
    scene.issue(&device, b"code").await;
    assert_eq!(scene.claim(7, ClaimBy::Code(b"void")).await, refused(ClaimRefusal::Voided));

    let late = ClaimRequest { now: NOW.plus_days(90), ..request(7, CODE, "late") };
    assert_eq!(scene.store.claim(&late).await.unwrap(), refused(ClaimRefusal::Expired(NOW.plus_days(90))));
    let other = ClaimRequest { model: "vvx500", ..request(7, CODE, "other") };
    let wanted = "vvx450".to_owned();
    assert_eq!(scene.store.claim(&other).await.unwrap(), refused(ClaimRefusal::OtherModel { wanted }));

    scene.store.bar_device(&device, Some(Bar::Disabled)).await.unwrap();
    assert_eq!(scene.claim(7, CODE).await, refused(ClaimRefusal::Barred));
    scene.store.bar_device(&device, None).await.unwrap();
    assert_eq!(scene.store.standing(mac(7)).await.unwrap(), StandingRow::Unbound(Vec::new()));
    assert_eq!(scene.store.timeline(mac(7), None, 9).await.unwrap(), []);

    assert_eq!(scene.claim(7, CODE).await, ClaimOutcome::Claimed(device.clone()));
    assert_eq!(scene.claim(8, CODE).await, refused(ClaimRefusal::Used));
    assert_eq!(scene.claim(8, ClaimBy::PreAssigned(&device)).await, refused(ClaimRefusal::DeviceBound));
    let second = scene.add_device(2).await;
    scene.issue(&second, b"second").await;
    assert_eq!(scene.claim(7, ClaimBy::Code(b"second")).await, refused(ClaimRefusal::PhoneBound));
    assert_eq!(scene.claim(7, ClaimBy::PreAssigned(&device)).await, ClaimOutcome::ClaimedBefore(device));
}

#[tokio::test]
async fn a_device_without_user_is_claimed_by_nobody() {
    let scene = Scene::new().await;
    let device = device_id(1);
    scene.store.add_device(&device, &NewDevice { user: None, mac: Some(mac(7)), ..scene.device() }, NOW).await.unwrap();

    assert_eq!(scene.claim(7, ClaimBy::PreAssigned(&device)).await, refused(ClaimRefusal::NoUser));
    let gone = scene.store.claim(&request(7, ClaimBy::PreAssigned(&device_id(9)), "gone")).await;
    assert!(matches!(gone, Err(StoreError::Missing { .. })), "{gone:?}");
    let named = PreAssigned { device, model: "vvx450".to_owned(), has_user: false, bar: None };
    assert_eq!(scene.store.standing(mac(7)).await.unwrap(), StandingRow::Unbound(vec![named]));
}

#[tokio::test]
async fn a_claim_by_mac_voids_the_devices_open_code() {
    let scene = Scene::new().await;
    let device = scene.add_device(1).await;
    scene.issue(&device, b"code").await;

    scene.claim(7, ClaimBy::PreAssigned(&device)).await;

    assert_eq!(scene.claim(8, CODE).await, refused(ClaimRefusal::Voided));
}

#[tokio::test]
async fn devices_of_two_accounts_may_name_one_phone_and_both_are_seen() {
    let scene = Scene::new().await;
    let other = id("account", 2);
    scene.store.add_account(&other, "Other", None, NOW).await.unwrap();
    for (n, account) in [(1, &scene.account), (2, &other)] {
        let device = NewDevice { account: account.clone(), mac: Some(mac(7)), user: None, ..scene.device() };
        scene.store.add_device(&device_id(n), &device, NOW).await.unwrap();
    }

    let StandingRow::Unbound(named) = scene.store.standing(mac(7)).await.unwrap() else { panic!("bound") };

    assert_eq!(named.iter().map(|n| n.device.clone()).collect::<Vec<_>>(), [device_id(1), device_id(2)]);
}

#[tokio::test]
async fn the_first_decision_on_pinning_stands() {
    let scene = Scene::new().await;
    let device = scene.add_device(1).await;
    scene.claim(7, ClaimBy::PreAssigned(&device)).await;
    let (left, pinned) =
        (Pin::LeftAlone { came_in_at: "10.0.0.1".to_owned() }, Pin::Pinned { authority: "p.example".to_owned() });

    let told = |id: &str, sentence: &str| NewEvent {
        id: id.to_owned(),
        mac: mac(7),
        at: NOW,
        entry: sentence::action(sentence.to_owned()),
        contact: None,
    };
    let (first, second) = (told("y", "Left alone."), told("z", "Pinned."));

    assert_eq!(scene.store.decide_pin(mac(7), &Pin::Undecided, &first).await.unwrap(), Pin::Undecided);
    assert_eq!(scene.store.decide_pin(mac(7), &left, &first).await.unwrap(), left);
    assert_eq!(scene.store.decide_pin(mac(7), &pinned, &second).await.unwrap(), left);

    assert_eq!(scene.store.bound(mac(7)).await.unwrap().unwrap().pin, left);
    let timeline = scene.store.timeline(mac(7), None, 10).await.unwrap();
    let decisions = timeline.iter().filter(|row| row.kind == "action").count();
    assert_eq!(decisions, 1, "only the decision that stands is told: {timeline:?}");
    assert!(matches!(scene.store.decide_pin(mac(8), &pinned, &second).await, Err(StoreError::Missing { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_hundred_phones_with_one_code_one_wins() {
    let scene = Arc::new(Scene::new().await);
    for round in 1..=50u32 {
        let device = scene.add_device(round).await;
        let digest = round.to_be_bytes();
        let code = NewCode { device: &device, digest: &digest, shown: b"s", issued: NOW, expires: NOW.plus_days(1) };
        scene.store.issue_code(&code).await.unwrap().unwrap();

        let phones = (0..100).map(|n| {
            let (scene, phone) = (Arc::clone(&scene), round * 1000 + n);
            tokio::spawn(async move { scene.claim(phone, ClaimBy::Code(&digest)).await })
        });
        let mut won = 0;
        for phone in phones.collect::<Vec<_>>() {
            match phone.await.unwrap() {
                ClaimOutcome::Claimed(winner) if winner == device => won += 1,
                outcome => assert_eq!(outcome, refused(ClaimRefusal::Used), "round {round}"),
            }
        }

        assert_eq!(won, 1, "round {round}");
        assert!(scene.store.phone_of(&device).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn claims_of_one_step_are_judged_by_what_those_before_them_left() {
    let scene = Scene::new().await;
    let devices = [scene.add_device(1).await, scene.add_device(2).await, scene.add_device(3).await];
    for (device, digest) in devices.iter().zip([&b"one"[..], b"two", b"three"]) {
        scene.issue(device, digest).await;
    }
    let by = |n, digest, event| request(n, ClaimBy::Code(digest), event);
    let claims = [
        by(7, b"one", "event-1"),
        by(8, b"one", "event-2"),
        by(7, b"one", "event-3"),
        by(7, b"two", "event-4"),
        request(9, ClaimBy::PreAssigned(&devices[0]), "event-5"),
        by(9, b"none", "event-6"),
        by(9, b"two", "event-7"),
        request(10, ClaimBy::PreAssigned(&devices[2]), "event-8"),
    ];

    let outcomes = scene.store.claim_all(&claims).await.unwrap();

    let [first, second, third] = devices;
    let expected = [
        ClaimOutcome::Claimed(first.clone()),
        refused(ClaimRefusal::Used),
        ClaimOutcome::ClaimedBefore(first),
        refused(ClaimRefusal::PhoneBound),
        refused(ClaimRefusal::DeviceBound),
        refused(ClaimRefusal::UnknownCode),
        ClaimOutcome::Claimed(second),
        ClaimOutcome::Claimed(third.clone()),
    ];
    assert_eq!(outcomes, expected);
    for n in [7, 9, 10] {
        assert_eq!(scene.store.timeline(mac(n), None, 9).await.unwrap().len(), 1, "phone {n}");
        assert!(scene.store.bound(mac(n)).await.unwrap().is_some(), "phone {n}");
    }
    assert_eq!(scene.store.device(&third).await.unwrap().unwrap().code, None, "its open code is void");
}

#[tokio::test]
async fn wrong_tries_of_one_step_count_for_those_behind_them() {
    let scene = Scene::new().await;
    let device = scene.add_device(1).await;
    scene.issue(&device, b"code").await;
    let tried = Some(Tried::Phone { mac: mac(7), from: [192, 0, 2, 7].into() });
    let wrong = ClaimRequest { tried, ..request(7, ClaimBy::Code(b"wrong"), "event") };
    let mut claims = vec![wrong; 10];
    claims.push(ClaimRequest { tried, ..request(7, CODE, "event") });

    let outcomes = scene.store.claim_all(&claims).await.unwrap();

    let last = outcomes.last().unwrap();
    assert!(matches!(last, ClaimOutcome::Refused(ClaimRefusal::TooManyTries { .. })), "{last:?}");
}
