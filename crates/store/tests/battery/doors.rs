//! Names of activation lines, wrong tries, phones waited for, and emergency routes.

use super::{NOW, Scene, device_id, mac, request};
use provost_core::mac::MacAddr;
use provost_core::sentence;
use provost_core::tries::Tried;
use provost_store::{
    AuditEntry, AwaitedRow, Bar, ClaimBy, ClaimOutcome, ClaimRefusal, ClaimRequest, EmergencyRouteRow, NewCode,
    NewEvent, SipIdentityRow, StoreError,
};
use std::sync::Arc;

fn identity(of: MacAddr, user: &str, password: &[u8]) -> SipIdentityRow {
    SipIdentityRow { mac: of, user: user.to_owned(), password: password.to_vec() }
}

fn phone(n: u32) -> Tried {
    Tried::Phone { mac: mac(n), from: [192, 0, 2, 1].into() }
}

#[tokio::test]
async fn a_phone_keeps_the_first_name_it_got_and_no_two_share_one() {
    let scene = Scene::new().await;
    let store = &scene.store;
    assert_eq!(store.sip_identity_of(mac(7)).await.unwrap(), None);

    let first = store.keep_sip_identity(&identity(mac(7), "one", b"a"), NOW).await.unwrap();
    let again = store.keep_sip_identity(&identity(mac(7), "two", b"b"), NOW).await.unwrap();
    let taken = store.keep_sip_identity(&identity(mac(8), "one", b"c"), NOW).await;

    assert_eq!((&first, &again), (&identity(mac(7), "one", b"a"), &first));
    assert!(matches!(taken, Err(StoreError::Exists { .. })), "{taken:?}");
    assert_eq!(store.sip_identity("one", NOW).await.unwrap(), Some(first));
    assert_eq!(store.sip_identity("two", NOW).await.unwrap(), None);
}

#[tokio::test]
async fn a_claimed_phone_is_waited_for_and_its_name_ends_soon_after_it_came_back() {
    let scene = Scene::new().await;
    let device = scene.add_device(1).await;
    scene.issue(&device, b"code").await;
    let kept = scene.store.keep_sip_identity(&identity(mac(7), "one", b"a"), NOW).await.unwrap();
    scene.claim(7, ClaimBy::Code(b"code")).await;
    let waited = AwaitedRow { mac: mac(7), since: NOW, noted: None };
    assert_eq!(scene.store.awaited().await.unwrap(), [waited]);
    scene.store.note_awaited(&[mac(7), mac(8)], NOW).await.unwrap();
    assert_eq!(scene.store.awaited().await.unwrap(), [AwaitedRow { noted: Some(NOW), ..waited }]);

    scene.store.returned(mac(7), NOW.plus_millis(-1), NOW).await.unwrap();
    assert_eq!(scene.store.awaited_phone(mac(7)).await.unwrap().map(|row| row.since), Some(NOW), "it was claimed anew");
    scene.store.returned(mac(7), NOW, NOW).await.unwrap();
    assert_eq!(scene.store.awaited_phone(mac(7)).await.unwrap(), None);
    let contact = super::phones::contact(mac(7), None, NOW);
    let entry = sentence::action("Came back.".to_owned()).found_by("R-ABCDEF");
    let event = NewEvent { id: "z".to_owned(), mac: mac(7), at: NOW, entry, contact: Some(contact) };
    scene.store.record(&[event]).await.unwrap();

    assert_eq!(scene.store.awaited().await.unwrap(), []);
    assert_eq!(scene.store.sip_identity("one", NOW).await.unwrap(), Some(kept), "it may sign off");
    assert_eq!(scene.store.sip_identity_of(mac(7)).await.unwrap(), None, "it is told no more");
    assert_eq!(scene.store.sip_identity("one", NOW.plus_millis(10 * 60_000)).await.unwrap(), None);
    let found = scene.store.event_by_reference("R-ABCDEF").await.unwrap().unwrap();
    assert_eq!((found.mac, found.reference.as_deref()), (mac(7), Some("R-ABCDEF")));
    assert_eq!(scene.store.event_by_reference("R-AAAAAA").await.unwrap(), None);
    let new = scene.store.keep_sip_identity(&identity(mac(7), "new", b"n"), NOW).await.unwrap();
    assert_eq!(new.user, "new", "an unclaimed phone gets a fresh one");
}

#[tokio::test]
async fn the_name_of_a_barred_phone_is_not_found() {
    let scene = Scene::new().await;
    let device = scene.add_device(1).await;
    scene.issue(&device, b"code").await;
    scene.store.keep_sip_identity(&identity(mac(7), "one", b"a"), NOW).await.unwrap();
    scene.claim(7, ClaimBy::Code(b"code")).await;

    scene.store.bar_device(&device, Some(Bar::Disabled)).await.unwrap();
    assert_eq!(scene.store.sip_identity("one", NOW).await.unwrap(), None);
    scene.store.bar_device(&device, None).await.unwrap();
    assert!(scene.store.sip_identity("one", NOW).await.unwrap().is_some());
}

#[tokio::test]
async fn wrong_tries_are_counted_with_the_claim_and_a_right_one_is_not() {
    let scene = Scene::new().await;
    let device = scene.add_device(1).await;
    scene.issue(&device, b"code").await;
    let tried =
        |digest: &'static [u8]| ClaimRequest { tried: Some(phone(7)), ..request(7, ClaimBy::Code(digest), "e") };
    for _ in 0..10 {
        let outcome = scene.store.claim(&tried(b"wrong")).await.unwrap();
        assert_eq!(outcome, ClaimOutcome::Refused(ClaimRefusal::UnknownCode));
    }

    let again = NOW.plus_millis(3_600_000);
    let over = ClaimOutcome::Refused(ClaimRefusal::TooManyTries { again });
    assert_eq!(scene.store.claim(&tried(b"code")).await.unwrap(), over);
    assert_eq!(scene.store.count_wrong_try(phone(7), NOW).await.unwrap(), Some(again));
    let later = ClaimRequest { now: again, ..tried(b"code") };
    assert_eq!(scene.store.claim(&later).await.unwrap(), ClaimOutcome::Claimed(device));
    assert_eq!(scene.store.count_wrong_try(phone(7), again).await.unwrap(), None, "none of before counts");
}

#[tokio::test]
async fn a_clock_that_was_ahead_locks_nobody_out() {
    let scene = Scene::new().await;
    let ahead = NOW.plus_days(30);
    for _ in 0..10 {
        scene.store.count_wrong_try(phone(7), ahead).await.unwrap();
    }
    assert!(scene.store.count_wrong_try(phone(7), ahead).await.unwrap().is_some());

    assert_eq!(scene.store.count_wrong_try(phone(7), NOW).await.unwrap(), None);
}

#[tokio::test]
async fn an_emergency_route_is_replaced_as_a_whole_and_written_with_its_audit_entry() {
    let scene = Scene::new().await;
    let entry = |n: u32| AuditEntry {
        id: format!("audit-{n}"),
        at: NOW,
        who: "a test".to_owned(),
        what: "set a route".to_owned(),
        why: None,
        from: "here".to_owned(),
        account: None,
        site: None,
        request: None,
    };
    let route = |networks: &[&str], to: &str| EmergencyRouteRow {
        site: scene.site.clone(),
        networks: networks.iter().map(|text| text.parse().unwrap()).collect(),
        to: to.to_owned(),
    };
    let (first, second) = (route(&["10.1.0.0/16", "10.2.0.0/16"], "a"), route(&["10.3.0.0/16"], "b:5070"));

    scene.store.audited(entry(1)).set_emergency_route(&first).await.unwrap();
    assert_eq!(scene.store.emergency_routes().await.unwrap(), [first]);
    scene.store.audited(entry(2)).set_emergency_route(&second).await.unwrap();
    assert_eq!(scene.store.emergency_routes().await.unwrap(), [second]);
    scene.store.audited(entry(3)).remove_emergency_route(&scene.site).await.unwrap();
    assert_eq!(scene.store.emergency_routes().await.unwrap(), []);
    let none = scene.store.audited(entry(4)).remove_emergency_route(&scene.site).await;
    assert!(matches!(none, Err(StoreError::Missing { .. })), "{none:?}");
    assert_eq!(
        scene.store.audit(&provost_store::Within::Everything, provost_store::Page::FIRST).await.unwrap().len(),
        3
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_phones_that_key_one_code_at_once_one_wins_a_thousand_times() {
    let scene = Arc::new(Scene::new().await);
    for round in 1..=1000u32 {
        let device = device_id(round);
        scene.store.add_device(&device, &scene.device(), NOW).await.unwrap();
        let digest = round.to_be_bytes();
        let code = NewCode { device: &device, digest: &digest, shown: b"s", issued: NOW, expires: NOW.plus_days(1) };
        scene.store.issue_code(&code).await.unwrap().unwrap();

        let race = |n: u32| {
            let scene = Arc::clone(&scene);
            tokio::spawn(async move {
                let event = format!("event-{n}");
                let tried = Tried::Phone { mac: mac(n), from: [192, 0, 2, 1].into() };
                let request = ClaimRequest { tried: Some(tried), ..request(n, ClaimBy::Code(&digest), &event) };
                scene.store.claim(&request).await.unwrap()
            })
        };
        let (first, second) = (race(2 * round), race(2 * round + 1));
        let outcomes = [first.await.unwrap(), second.await.unwrap()];

        let won = outcomes.iter().filter(|outcome| **outcome == ClaimOutcome::Claimed(device.clone())).count();
        let lost = ClaimOutcome::Refused(ClaimRefusal::Used);
        assert!(won == 1 && outcomes.contains(&lost), "round {round}: {outcomes:?}");
    }
}
