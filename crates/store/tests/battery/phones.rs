//! Phones, timelines and uploads.

use super::{NOW, Scene, mac};
use provost_core::identity::CertificateStatus;
use provost_core::mac::MacAddr;
use provost_core::sentence::{self, EventKind};
use provost_core::time::UnixMillis;
use provost_store::{Contact, Kept, NewEvent, Page, UploadError};
use std::collections::BTreeSet;

const KIB: usize = 1024;

pub(super) fn contact(of: MacAddr, firmware: Option<&str>, at: UnixMillis) -> Contact {
    Contact {
        mac: of,
        model: firmware.map(|_| "vvx450".to_owned()),
        firmware: firmware.map(str::to_owned),
        updater: None,
        certificate: CertificateStatus::FactoryInstalled,
        certificate_note: None,
        fingerprint: Some([7; 32]),
        address: "192.0.2.1".to_owned(),
        at,
    }
}

fn event(n: i64, of: MacAddr, contact: Option<Contact>) -> NewEvent {
    let at = NOW.plus_millis(n);
    NewEvent { id: format!("event-{n:06}"), mac: of, at, entry: sentence::action(format!("Entry {n}.")), contact }
}

#[tokio::test]
async fn a_contact_that_says_less_forgets_nothing() {
    let scene = Scene::new().await;
    let later = NOW.plus_days(1);

    scene.store.record(&[event(1, mac(1), Some(contact(mac(1), Some("6.4.7"), NOW)))]).await.unwrap();
    scene.store.record(&[event(2, mac(1), Some(contact(mac(1), None, later)))]).await.unwrap();

    let phone = scene.store.phone(mac(1)).await.unwrap().unwrap();
    assert_eq!((phone.model.as_deref(), phone.firmware.as_deref()), (Some("vvx450"), Some("6.4.7")));
    assert_eq!((phone.first_seen, phone.last_seen), (NOW, later));
    assert_eq!(scene.store.phone(mac(2)).await.unwrap(), None);
}

#[tokio::test]
async fn phones_are_paged_by_mac() {
    let scene = Scene::new().await;
    let events: Vec<_> = (1..=5).map(|n| event(n.into(), mac(n), Some(contact(mac(n), None, NOW)))).collect();
    scene.store.record(&events).await.unwrap();

    let first = scene.store.phones(&provost_store::Within::Everything, Page { after: "", limit: 3 }).await.unwrap();
    let rest = scene
        .store
        .phones(&provost_store::Within::Everything, Page { after: &first[2].mac.to_string(), limit: 3 })
        .await
        .unwrap();

    let macs: Vec<_> = first.into_iter().chain(rest).map(|row| row.mac).collect();
    assert_eq!(macs, (1..=5).map(mac).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_timeline_is_newest_first_paged_and_of_one_phone() {
    let scene = Scene::new().await;
    let mut events: Vec<_> = (1..=5).map(|n| event(n, mac(1), None)).collect();
    events.push(event(6, mac(2), None));
    scene.store.record(&events).await.unwrap();

    let first = scene.store.timeline(mac(1), None, 3).await.unwrap();
    let rest = scene.store.timeline(mac(1), Some(&first[2].id), 3).await.unwrap();

    let read: Vec<_> = first.iter().chain(&rest).map(|row| row.sentence.as_str()).collect();
    assert_eq!(read, ["Entry 5.", "Entry 4.", "Entry 3.", "Entry 2.", "Entry 1."]);
    assert_eq!((first[0].kind.as_str(), first[0].at, first[0].mac), ("action", NOW.plus_millis(5), mac(1)));
}

fn asked(n: i64, of: MacAddr) -> NewEvent {
    let mut event = event(n, of, None);
    event.entry.kind = EventKind::Request;
    event
}

#[tokio::test]
async fn of_what_a_phone_asked_the_newest_600_entries_are_kept_and_its_story_for_good() {
    let scene = Scene::new().await;
    let story = event(1, mac(1), None);
    let requests = (2..=651).map(|n| asked(n, mac(1)));
    scene.store.record(&[story].into_iter().chain(requests).collect::<Vec<_>>()).await.unwrap();
    let others: Vec<_> = (1001..=1010).map(|n| asked(n, mac(2))).collect();
    scene.store.record(&others).await.unwrap();

    scene.store.prune_timelines(&BTreeSet::from([mac(1), mac(2)])).await.unwrap();

    let kept = scene.store.timeline(mac(1), None, 1000).await.unwrap();
    let told: Vec<_> = kept.iter().map(|row| row.sentence.as_str()).collect();
    assert_eq!((kept.len(), told[599], told[600]), (601, "Entry 52.", "Entry 1."));
    assert_eq!(scene.store.timeline(mac(2), None, 1000).await.unwrap().len(), 10);
}

#[tokio::test]
async fn an_upload_replaces_the_one_before_and_is_the_phones_own() {
    let scene = Scene::new().await;

    let first = scene.store.replace_upload(mac(1), ("a-phone.cfg", b"one"), NOW).await.unwrap();
    let second = scene.store.replace_upload(mac(1), ("a-phone.cfg", b"two"), NOW.plus_days(1)).await.unwrap();

    assert_eq!((first, second), (Kept::New, Kept::Known));
    assert_eq!(scene.store.upload(mac(1), "a-phone.cfg").await.unwrap().as_deref(), Some(&b"two"[..]));
    assert_eq!(scene.store.upload(mac(2), "a-phone.cfg").await.unwrap(), None);
    assert_eq!(scene.store.uploads(mac(1)).await.unwrap(), [("a-phone.cfg".to_owned(), 3, NOW.plus_days(1))]);
    assert_eq!(scene.store.uploads(mac(2)).await.unwrap(), []);
}

#[tokio::test]
async fn of_a_log_the_newest_512_kib_are_kept() {
    let scene = Scene::new().await;
    let name = "a-app.log";

    let first = scene.store.append_upload(mac(1), (name, &vec![b'a'; 300 * KIB]), NOW).await.unwrap();
    let second = scene.store.append_upload(mac(1), (name, &vec![b'b'; 300 * KIB]), NOW).await.unwrap();

    assert_eq!((first, second), (Kept::New, Kept::Known));
    let log = scene.store.upload(mac(1), name).await.unwrap().unwrap();
    assert_eq!(log.len(), 512 * KIB);
    assert_eq!(log.iter().filter(|byte| **byte == b'a').count(), 212 * KIB);
    assert!(log.ends_with(&vec![b'b'; 300 * KIB]));
    let whole = [vec![b'c'; 600 * KIB], vec![b'd'; KIB]].concat();
    scene.store.append_upload(mac(1), (name, &whole), NOW).await.unwrap();
    let log = scene.store.upload(mac(1), name).await.unwrap().unwrap();
    assert!(log.len() == 512 * KIB && log.starts_with(b"c") && log.ends_with(b"d"));
}

#[tokio::test]
async fn the_33rd_file_of_a_phone_is_refused_and_known_ones_are_not() {
    let scene = Scene::new().await;
    for n in 0..32 {
        scene.store.replace_upload(mac(1), (&format!("{n}.cfg"), b"x"), NOW).await.unwrap();
    }

    let another = scene.store.append_upload(mac(1), ("more.log", b"x"), NOW).await;

    assert!(matches!(another, Err(UploadError::TooMany(32))), "{another:?}");
    assert_eq!(scene.store.replace_upload(mac(1), ("3.cfg", b"y"), NOW).await.unwrap(), Kept::Known);
    assert_eq!(scene.store.replace_upload(mac(2), ("more.log", b"x"), NOW).await.unwrap(), Kept::New);
}
