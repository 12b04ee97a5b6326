//! What guards the files, as stored: each change with its entry in the audit log, or neither.

use crate::engine::Database;
use provost_core::entry::NewDevice;
use provost_core::fingerprint::Fingerprint;
use provost_core::ids::{AccountId, DeviceId};
use provost_core::mac::MacAddr;
use provost_core::time::UnixMillis;
use provost_store::{AuditEntry, Bar, BlockedRow, ExceptionRow, HttpBootstrapRow, NewAlarm, Page, Store, StoreError};
use std::net::IpAddr;

const DEVICE: &str = "device_01jd0ck3v80000000000000000";
const PHONE: MacAddr = MacAddr::new([0, 4, 0xf2, 0, 0, 1]);

async fn store() -> (Database, Store) {
    let database = Database::new().await;
    let store = database.open().await.unwrap();
    let account: AccountId = "account_01jd0ck3v80000000000000000".parse().unwrap();
    store.add_account(&account, "Acme", None, UnixMillis(0)).await.unwrap();
    let device = NewDevice { account, model: "vvx450".to_owned(), user: None, mac: Some(PHONE) };
    store.add_device(&DEVICE.parse().unwrap(), &device, UnixMillis(0)).await.unwrap();
    (database, store)
}

fn entry(id: &str) -> AuditEntry {
    let words = |text: &str| text.to_owned();
    let (at, why) = (UnixMillis(5), Some(words("because")));
    AuditEntry {
        id: words(id),
        at,
        who: words("somebody"),
        what: words("did it"),
        why,
        from: words("192.0.2.1"),
        account: None,
        site: None,
        request: None,
    }
}

fn exception(id: &str, ends: i64) -> ExceptionRow {
    let (opened, ends) = (UnixMillis(100), UnixMillis(ends));
    let device: DeviceId = DEVICE.parse().unwrap();
    let reason = "repaired".to_owned();
    ExceptionRow { id: id.to_owned(), device, mac: PHONE, reason, opened, ends, address: None, sent: None }
}

fn address(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

async fn log(store: &Store) -> Vec<String> {
    store
        .audit(&provost_store::Within::Everything, Page::FIRST)
        .await
        .unwrap()
        .into_iter()
        .map(|entry| entry.id)
        .collect()
}

#[tokio::test]
async fn a_change_that_is_refused_leaves_no_entry_and_one_without_entry_is_not_made() {
    let (_database, store) = store().await;
    let unknown: DeviceId = "device_01jd0ck3v80000000000000001".parse().unwrap();
    let device: DeviceId = DEVICE.parse().unwrap();

    let refused = store.audited(entry("1")).bar_device(&unknown, Some(Bar::Disabled)).await;
    assert!(matches!(refused, Err(StoreError::Missing { .. })));
    assert!(log(&store).await.is_empty());
    store.audited(entry("1")).bar_device(&device, Some(Bar::Disabled)).await.unwrap();
    assert_eq!(store.audit(&provost_store::Within::Everything, Page::FIRST).await.unwrap(), [entry("1")]);

    // An entry that cannot be written, since its id is taken, takes the change with it.
    assert!(store.audited(entry("1")).bar_device(&device, None).await.is_err());
    assert_eq!(store.device(&device).await.unwrap().unwrap().state.as_str(), "disabled");
}

#[tokio::test]
async fn the_audit_log_is_read_newest_first_in_pages() {
    let (_database, store) = store().await;
    for id in ["1", "2", "3"] {
        store.audited(entry(id)).only().await.unwrap();
    }

    assert_eq!(log(&store).await, ["3", "2", "1"]);
    let page = store.audit(&provost_store::Within::Everything, Page { after: "3", limit: 1 }).await.unwrap();
    assert_eq!(page, [entry("2")]);
}

#[tokio::test]
async fn a_certificate_is_blocked_once_and_taken_off_once() {
    let (_database, store) = store().await;
    let row = BlockedRow { sha256: Fingerprint([7; 32]), reason: "lost".to_owned(), at: UnixMillis(1) };

    store.audited(entry("1")).block_certificate(&row).await.unwrap();
    assert!(matches!(store.audited(entry("2")).block_certificate(&row).await, Err(StoreError::Exists { .. })));
    assert_eq!(store.blocked_certificates().await.unwrap(), std::slice::from_ref(&row));
    store.audited(entry("3")).unblock_certificate(row.sha256).await.unwrap();
    let again = store.audited(entry("4")).unblock_certificate(row.sha256).await;
    assert!(matches!(again, Err(StoreError::Missing { .. })));
    assert_eq!(log(&store).await, ["3", "1"]);
}

#[tokio::test]
async fn an_alarm_is_counted_while_open_and_begins_anew_after_its_end() {
    let (_database, store) = store().await;
    let raise = async |id: &str, at: i64, sentence: &str| {
        let alarm = NewAlarm { id, kind: "k", subject: "s", at: UnixMillis(at), sentence, advice: "do" };
        store.raise_alarm(&alarm).await.unwrap();
    };

    raise("1", 10, "first").await;
    raise("2", 20, "second").await;
    let alarm = store.alarm("1").await.unwrap().unwrap();
    assert_eq!((alarm.raised, alarm.last, alarm.times), (UnixMillis(10), UnixMillis(20), 2));
    assert_eq!(alarm.sentence, "second", "the newest words");
    assert!(store.alarm("2").await.unwrap().is_none());

    store.end_alarm_about("k", "other", UnixMillis(25)).await.unwrap();
    store.audited(entry("1")).end_alarm("1", UnixMillis(30)).await.unwrap();
    raise("3", 40, "third").await;
    let alarms = store.alarms(&provost_store::Within::Everything, Page::FIRST).await.unwrap();
    let told: Vec<_> = alarms.iter().map(|alarm| (alarm.id.as_str(), alarm.times, alarm.ended)).collect();
    assert_eq!(told, [("3", 1, None), ("1", 2, Some(UnixMillis(30)))]);
}

#[tokio::test]
async fn an_opening_is_read_back_until_it_ends_or_is_closed() {
    let (_database, store) = store().await;
    let row = |id: &str| HttpBootstrapRow {
        id: id.to_owned(),
        range: "2001:db8::/32".parse().unwrap(),
        reason: "floor".to_owned(),
        opened: UnixMillis(10),
        ends: UnixMillis(20),
        closed: None,
    };
    store.audited(entry("1")).open_http_bootstrap(&row("1")).await.unwrap();
    store.audited(entry("2")).open_http_bootstrap(&row("2")).await.unwrap();

    assert_eq!(store.open_http_bootstraps(UnixMillis(19)).await.unwrap(), [row("1"), row("2")]);
    assert!(store.open_http_bootstraps(UnixMillis(20)).await.unwrap().is_empty());
    store.audited(entry("3")).close_http_bootstrap("1", UnixMillis(15)).await.unwrap();
    assert_eq!(store.open_http_bootstraps(UnixMillis(19)).await.unwrap(), [row("2")]);
    let late = store.audited(entry("4")).close_http_bootstrap("2", UnixMillis(20)).await;
    assert!(matches!(late, Err(StoreError::Missing { .. })));
}

#[tokio::test]
async fn of_two_addresses_exactly_one_is_the_first_to_use_an_exception() {
    let (_database, store) = store().await;
    store.audited(entry("1")).make_exception(&exception("1", 900)).await.unwrap();
    let uses = [1, 2].map(|last| {
        let store = store.clone();
        tokio::spawn(async move { store.use_exception("1", address(last), UnixMillis(200)).await.unwrap() })
    });

    let mut won = Vec::new();
    for attempt in uses {
        won.push(attempt.await.unwrap());
    }

    assert_eq!(won.iter().filter(|won| **won).count(), 1);
    let kept = store.open_exceptions(UnixMillis(200)).await.unwrap().remove(0).address.unwrap();
    assert!(store.use_exception("1", kept, UnixMillis(200)).await.unwrap(), "the same again");
    assert!(!store.use_exception("1", kept, UnixMillis(900)).await.unwrap(), "not after its end");
}

#[tokio::test]
async fn a_device_has_one_exception_at_a_time_and_the_first_sending_ends_it_early() {
    let (_database, store) = store().await;
    store.audited(entry("1")).make_exception(&exception("1", 900)).await.unwrap();
    let second = store.audited(entry("2")).make_exception(&exception("2", 950)).await;
    assert!(matches!(second, Err(StoreError::Exists { .. })));

    store.exception_served("1", UnixMillis(300), UnixMillis(400)).await.unwrap();
    store.exception_served("1", UnixMillis(350), UnixMillis(899)).await.unwrap();
    let row = store.open_exceptions(UnixMillis(399)).await.unwrap().remove(0);
    assert_eq!((row.sent, row.ends), (Some(UnixMillis(300)), UnixMillis(400)), "the first sending counts");
    assert!(store.open_exceptions(UnixMillis(400)).await.unwrap().is_empty());

    let next = ExceptionRow { opened: UnixMillis(500), ..exception("3", 900) };
    store.audited(entry("3")).make_exception(&next).await.unwrap();
    store.audited(entry("4")).revoke_exception(&next.device, UnixMillis(600)).await.unwrap();
    assert!(!store.use_exception("3", address(1), UnixMillis(601)).await.unwrap(), "taken back");
    assert_eq!(log(&store).await, ["4", "3", "1"]);
}

#[tokio::test]
async fn a_suspension_is_read_back_until_its_end_and_the_newest_counts() {
    let (_database, store) = store().await;
    store.suspend(PHONE, UnixMillis(0), UnixMillis(10)).await.unwrap();
    store.suspend(PHONE, UnixMillis(5), UnixMillis(15)).await.unwrap();

    assert_eq!(store.suspensions(UnixMillis(14)).await.unwrap(), [(PHONE, UnixMillis(15))]);
    assert!(store.suspensions(UnixMillis(15)).await.unwrap().is_empty());
}
