//! Configuration layers, what phones fetched, and what was cleared on them.

use super::backup::entry;
use super::{NOW, Scene, device_id, id, mac};
use provost_core::ids::AccountId;
use provost_core::layers::{Subject, subjects};
use provost_core::sentence;
use provost_core::time::UnixMillis;
use provost_store::{AuditEntry, ClaimBy, FetchedRow, NewEvent, Page, RevisionRow, Store, Within};

fn audit(n: u32) -> AuditEntry {
    AuditEntry { id: format!("01JD0CK3V8{n:016}"), ..entry() }
}

fn revision(subject: &Subject, number: i64, content: &[u8]) -> RevisionRow {
    RevisionRow {
        subject: subject.clone(),
        number,
        at: NOW,
        who: "owner".to_owned(),
        why: Some("test".to_owned()),
        restores: None,
        content: content.to_vec(),
    }
}

async fn revise(store: &Store, n: u32, row: &RevisionRow) -> bool {
    store.audited(audit(n)).revise(row).await.unwrap()
}

fn event(n: u32, at: UnixMillis) -> NewEvent {
    let entry = sentence::action("told".to_owned());
    NewEvent { id: format!("event-configuration-{n}"), mac: mac(7), at, entry, contact: None }
}

#[tokio::test]
async fn a_layer_has_one_revision_that_counts_and_of_two_who_change_it_one_is_first() {
    let scene = Scene::new().await;
    let store = &scene.store;
    let site = Subject::Site(scene.site.clone());

    assert!(store.layers(std::slice::from_ref(&site)).await.unwrap().is_empty());
    assert!(revise(store, 1, &revision(&site, 1, b"one")).await);
    assert!(!revise(store, 2, &revision(&site, 1, b"other")).await, "the first is there");
    assert!(revise(store, 3, &revision(&site, 2, b"two")).await);
    assert!(!revise(store, 4, &revision(&site, 2, b"late")).await);

    let counts = store.layers(std::slice::from_ref(&site)).await.unwrap();
    assert_eq!(counts, [revision(&site, 2, b"two")]);
    assert_eq!(store.revision(&site, 1).await.unwrap(), Some(revision(&site, 1, b"one")));
    assert_eq!(store.revision(&site, 3).await.unwrap(), None);
    let numbers = |rows: Vec<RevisionRow>| rows.into_iter().map(|row| row.number).collect::<Vec<_>>();
    assert_eq!(numbers(store.revisions(&site, i64::MAX, 10).await.unwrap()), [2, 1]);
    assert_eq!(numbers(store.revisions(&site, 2, 10).await.unwrap()), [1]);
    let audit = store.audit(&Within::Everything, Page::FIRST).await.unwrap();
    assert_eq!(audit.len(), 2, "only what was done is in the log");
}

#[tokio::test]
async fn of_a_layer_that_changes_all_the_time_the_newest_revisions_are_kept() {
    let scene = Scene::new().await;
    let site = Subject::Site(scene.site.clone());
    for number in 1..=502i64 {
        let n = u32::try_from(number).unwrap();
        assert!(revise(&scene.store, n, &revision(&site, number, b"x")).await);
    }

    let kept = scene.store.revisions(&site, i64::MAX, 1_000).await.unwrap();

    assert_eq!((kept.len(), kept[0].number, kept[499].number), (500, 502, 3));
    assert_eq!(scene.store.revision(&site, 2).await.unwrap(), None);
}

#[tokio::test]
async fn the_layers_of_a_device_come_in_the_order_asked_for_and_a_bound_phone_knows_its_accounts() {
    let scene = Scene::new().await;
    let store = &scene.store;
    let below: AccountId = id("account", 2);
    store.add_account(&below, "Branch", Some(&scene.account), NOW).await.unwrap();
    assert_eq!(store.accounts_above(&below).await.unwrap(), [scene.account.clone(), below.clone()]);
    let device = scene.add_device(1).await;
    scene.issue(&device, b"d").await;
    scene.claim(7, ClaimBy::Code(b"d")).await;
    let bound = store.bound(mac(7)).await.unwrap().unwrap();
    assert_eq!(bound.accounts, std::slice::from_ref(&scene.account));

    let all = subjects(&bound.accounts, Some(&scene.site), "vvx450", &device);
    for (subject, n) in all.iter().rev().zip(1..) {
        assert!(revise(store, n, &revision(subject, 1, b"x")).await);
    }

    let found: Vec<_> = store.layers(&all).await.unwrap().into_iter().map(|row| row.subject).collect();
    assert_eq!(found, all);
}

#[tokio::test]
async fn what_a_layer_reaches_is_counted_also_in_accounts_below() {
    let scene = Scene::new().await;
    let store = &scene.store;
    let below: AccountId = id("account", 2);
    store.add_account(&below, "Branch", Some(&scene.account), NOW).await.unwrap();
    scene.add_device(1).await;
    let other = provost_core::entry::NewDevice { account: below.clone(), user: None, ..scene.device() };
    store.add_device(&device_id(2), &other, NOW).await.unwrap();
    let model = |id: &str| id.to_owned();

    for (subject, wanted) in [
        (Subject::Platform, 2),
        (Subject::Account(scene.account.clone()), 2),
        (Subject::Account(below.clone()), 1),
        (Subject::Site(scene.site.clone()), 1),
        (Subject::Model(model("vvx450")), 2),
        (Subject::Model(model("vvx500")), 0),
        (Subject::AccountModel(scene.account.clone(), model("vvx450")), 2),
        (Subject::AccountModel(below, model("vvx500")), 0),
        (Subject::Device(device_id(2)), 1),
    ] {
        assert_eq!(store.reached(&subject).await.unwrap(), wanted, "{subject}");
        let some = store.some_reached(&subject, 10).await.unwrap();
        assert_eq!(i64::try_from(some.len()).unwrap(), wanted, "{subject}");
        assert_eq!(store.some_reached(&subject, 1).await.unwrap().len(), some.len().min(1), "{subject}");
    }
}

#[tokio::test]
async fn of_a_device_in_a_layer_it_is_known_whose_it_is_and_which_phone_it_has() {
    let scene = Scene::new().await;
    let store = &scene.store;
    scene.add_device(1).await;
    let stock = provost_core::entry::NewDevice { user: None, mac: Some(mac(7)), ..scene.device() };
    store.add_device(&device_id(2), &stock, NOW).await.unwrap();

    let some = store.some_reached(&Subject::Platform, 10).await.unwrap();

    let found: Vec<_> = some.iter().map(|one| (&one.device, one.user_name.is_some(), one.mac)).collect();
    assert_eq!(found, [(&device_id(1), true, None), (&device_id(2), false, Some(mac(7)))]);
    assert!(some[0].extension.is_some() && some[1].extension.is_none());
}

#[tokio::test]
async fn what_a_phone_fetched_is_replaced_and_goes_with_the_phone() {
    let scene = Scene::new().await;
    let store = &scene.store;
    let row = |at, digest: &[u8]| FetchedRow {
        mac: mac(7),
        device: device_id(1),
        at: UnixMillis(at),
        digest: digest.to_vec(),
        content: b"sealed".to_vec(),
    };
    store.keep_fetched(&[row(1, b"a")]).await.unwrap();
    assert_eq!(store.fetched(mac(7)).await.unwrap(), None, "it is not the device's phone, or is it no more");
    let device = scene.add_device(1).await;
    scene.issue(&device, b"d").await;
    scene.claim(7, ClaimBy::Code(b"d")).await;

    store.keep_fetched(&[row(1, b"a")]).await.unwrap();
    store.keep_fetched(&[row(2, b"b")]).await.unwrap();

    assert_eq!(store.fetched(mac(7)).await.unwrap(), Some(row(2, b"b")));
    let digests = store.fetched_digests(&[mac(6), mac(7)]).await.unwrap();
    assert_eq!(digests, [(mac(7), (device_id(1).to_string(), b"b".to_vec()))].into());
    assert!(store.fetched_digests(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_was_set_on_a_phone_is_emptied_and_that_waits_for_the_phone() {
    let scene = Scene::new().await;
    let store = &scene.store;
    let device = scene.add_device(1).await;
    scene.issue(&device, b"d").await;
    scene.claim(7, ClaimBy::Code(b"d")).await;
    let name = format!("{}-phone.cfg", mac(7));
    store.replace_upload(mac(7), (&name, b"<a up.x=\"1\"/>"), NOW).await.unwrap();
    let clear = async |n: u32, device: &_| {
        let files = [(name.clone(), b"empty".to_vec())];
        store.audited(audit(n)).clear_overrides((mac(7), device, "owner"), &files, &event(n, NOW)).await.unwrap()
    };

    assert!(!clear(1, &device_id(2)).await, "the phone is another device's");
    assert!(clear(2, &device).await);
    assert_eq!(store.upload(mac(7), &name).await.unwrap().as_deref(), Some(&b"empty"[..]));
    assert_eq!(store.unfetched_overrides().await.unwrap(), [(mac(7), name.clone())]);
    let later = NOW.plus_millis(5);
    store.emptied_was_fetched((mac(7), &name), &event(3, later)).await.unwrap();
    store.emptied_was_fetched((mac(7), &name), &event(4, later)).await.unwrap();
    let cleared = store.cleared_overrides(mac(7)).await.unwrap();
    assert_eq!((cleared.len(), cleared[0].fetched, cleared[0].who.as_str()), (1, Some(later), "owner"));
    assert!(store.unfetched_overrides().await.unwrap().is_empty());
    assert!(clear(5, &device).await, "once more");
    store.clearing_was_overtaken((mac(7), &name), &event(6, later)).await.unwrap();
    assert!(store.cleared_overrides(mac(7)).await.unwrap().is_empty());
    let told = store.timeline(mac(7), None, 100).await.unwrap();
    let told = told.iter().filter(|row| row.sentence == "told").count();
    assert_eq!(told, 4, "what changed nothing is not told");
}
