//! Connectors: one for an account, which serves those below it too; their passwords; and lines told from phones.

use super::{NOW, Scene, device_id, id, mac};
use provost_core::entry::connector::NewConnector;
use provost_core::ids::{AccountId, ConnectorId, DeviceId};
use provost_core::pbx::{PbxKind, Reach, Security};
use provost_core::rights::Scope;
use provost_store::{
    AuditEntry, Ciphertext, ClaimBy, ConnectorRow, DeviceLines, NewAlarm, NewPassword, Page, Resealed, StoreError,
};

fn account(n: u32) -> AccountId {
    id("account", n)
}

fn connector(n: u32) -> ConnectorId {
    id("connector", n)
}

pub(super) fn row(n: u32, of: u32) -> ConnectorRow {
    let entered = NewConnector {
        name: "main".to_owned(),
        kind: PbxKind::Asterisk,
        host: "pbx.example.com".to_owned(),
        port: 5039,
        security: Security::Tls,
        certificate: Some("ab".repeat(32).parse().unwrap()),
        user: Some("provost".to_owned()),
        path: "/RPC".to_owned(),
        profile: "internal".to_owned(),
        domain: None,
        reach: Reach::Outside,
        on: true,
    };
    ConnectorRow { id: connector(n), account: account(of), entered, password: Some(vec![1, 2, 3]) }
}

fn entry(what: &str) -> AuditEntry {
    AuditEntry {
        id: what.to_owned(),
        at: NOW,
        who: "a test".to_owned(),
        what: what.to_owned(),
        why: None,
        from: "here".to_owned(),
        account: Some(account(1)),
        site: None,
        request: None,
    }
}

#[tokio::test]
async fn a_connector_is_kept_changed_and_taken_away_with_its_entry() {
    let scene = Scene::new().await;
    let store = &scene.store;
    let mut kept = row(1, 1);
    store.audited(entry("a")).add_connector(&kept, NOW).await.unwrap();
    assert_eq!(store.connectors().await.unwrap(), [kept.clone()]);

    let second = store.audited(entry("b")).add_connector(&row(2, 1), NOW).await;
    let nobodys = store.audited(entry("c")).add_connector(&row(3, 9), NOW).await;
    assert!(matches!(second, Err(StoreError::Exists { .. })), "{second:?}");
    assert!(matches!(nobodys, Err(StoreError::Missing { .. })), "{nobodys:?}");

    kept.entered.host = "192.0.2.1".to_owned();
    (kept.entered.certificate, kept.entered.user, kept.entered.domain) = (None, None, Some("example.com".to_owned()));
    (kept.entered.kind, kept.entered.reach, kept.entered.on) = (PbxKind::FreeSwitch, Reach::Inside, false);
    store.audited(entry("d")).change_connector(&connector(1), &kept.entered, NewPassword::Keep).await.unwrap();
    assert_eq!(store.connectors().await.unwrap(), [kept.clone()]);
    kept.password = None;
    let without = NewPassword::Set(None);
    store.audited(entry("e")).change_connector(&connector(1), &kept.entered, without).await.unwrap();
    assert_eq!(store.connectors().await.unwrap(), [kept.clone()]);
    let none = store.audited(entry("f")).change_connector(&connector(7), &kept.entered, NewPassword::Keep).await;
    assert!(matches!(none, Err(StoreError::Missing { .. })), "{none:?}");

    store.audited(entry("g")).remove_connector(&connector(1)).await.unwrap();
    assert!(store.connectors().await.unwrap().is_empty());
    let gone = store.audited(entry("h")).remove_connector(&connector(1)).await;
    assert!(matches!(gone, Err(StoreError::Missing { .. })), "{gone:?}");
    let within = store.within(&Scope::Account(account(1))).await.unwrap();
    let done: Vec<_> = store.audit(&within, Page::FIRST).await.unwrap().into_iter().map(|entry| entry.what).collect();
    assert_eq!(done, ["g", "e", "d", "a"], "what was not done has no entry");
}

#[tokio::test]
async fn the_nearest_account_up_the_tree_that_has_one_serves() {
    let scene = Scene::new().await;
    let store = &scene.store;
    for (n, parent) in [(2, Some(account(1))), (3, Some(account(2))), (4, None)] {
        store.add_account(&account(n), "Another", parent.as_ref(), NOW).await.unwrap();
    }
    store.audited(entry("a")).add_connector(&row(1, 1), NOW).await.unwrap();
    let mut second = row(2, 2);
    store.audited(entry("b")).add_connector(&second, NOW).await.unwrap();

    let nearest = async |n| store.nearest_connector(&account(n)).await.unwrap();
    assert_eq!(nearest(1).await, Some(connector(1)));
    assert_eq!(nearest(2).await, Some(connector(2)));
    assert_eq!(nearest(3).await, Some(connector(2)));
    assert_eq!(nearest(4).await, None);

    second.entered.on = false;
    store.audited(entry("c")).change_connector(&connector(2), &second.entered, NewPassword::Keep).await.unwrap();
    assert_eq!(nearest(3).await, Some(connector(1)), "one that is off is none");
}

#[tokio::test]
async fn an_alarm_about_a_connector_is_its_accounts() {
    let scene = Scene::new().await;
    let store = &scene.store;
    store.add_account(&account(4), "Another", None, NOW).await.unwrap();
    store.audited(entry("a")).add_connector(&row(1, 1), NOW).await.unwrap();
    let about = connector(1);
    let alarm =
        NewAlarm { id: "01", kind: "pbx-not-reached", subject: about.as_str(), at: NOW, sentence: "s", advice: "a" };
    store.raise_alarm(&alarm).await.unwrap();

    for (n, seen) in [(1, 1), (4, 0)] {
        let within = store.within(&Scope::Account(account(n))).await.unwrap();
        assert_eq!(store.alarms(&within, Page::FIRST).await.unwrap().len(), seen, "account {n}");
    }
    let site = store.within(&Scope::Site { account: account(1), site: id("site", 1) }).await.unwrap();
    assert!(store.alarms(&site, Page::FIRST).await.unwrap().is_empty());
    let all = store.within(&Scope::Platform).await.unwrap();
    assert_eq!(store.alarms(&all, Page::FIRST).await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_lines_in_use_are_those_of_every_bound_phone_of_the_account_and_of_no_other() {
    let scene = Scene::new().await;
    scene.store.add_account(&account(4), "Another", None, NOW).await.unwrap();
    let first = scene.add_device(1).await;
    let lines = scene.store.lines_of_device(&first).await.unwrap().lines;
    assert!(!lines.is_empty());
    assert!(
        scene.store.lines_in_use(&account(1)).await.unwrap().is_empty(),
        "a device without a phone has none in use"
    );
    for n in [1, 2] {
        let device = if n == 1 { first.clone() } else { scene.add_device(n).await };
        let digest = format!("code{n}");
        scene.issue(&device, digest.as_bytes()).await;
        scene.claim(n, ClaimBy::Code(digest.as_bytes())).await;
    }

    let of = |device: DeviceId| lines.iter().map(move |(user, name)| (user.clone(), name.clone(), device.to_string()));
    let wanted: Vec<_> = of(first.clone()).chain(of(device_id(2))).collect();
    assert_eq!(scene.store.lines_in_use(&account(1)).await.unwrap(), wanted);
    assert!(scene.store.lines_in_use(&account(4)).await.unwrap().is_empty());
    assert_eq!(scene.store.phone_of(&first).await.unwrap(), Some(mac(1)));
    assert_eq!(scene.store.lines_of_device(&device_id(99)).await.unwrap(), DeviceLines::default());
}

#[tokio::test]
async fn a_connectors_password_is_written_for_another_key() {
    let scene = Scene::new().await;
    let store = &scene.store;
    store.audited(entry("a")).add_connector(&row(1, 1), NOW).await.unwrap();
    let change = |sealed: Ciphertext<'_>| {
        let first = match sealed {
            Ciphertext::Connector { id, password } => [id.as_bytes(), password].concat(),
            _ => b"other".to_vec(),
        };
        Ok::<_, ()>(Resealed { first, second: Vec::new(), digest: Vec::new(), name: String::new() })
    };

    store.audited(entry("b")).reseal(("key-id", "new"), change).await.unwrap();

    let wanted = [connector(1).as_str().as_bytes(), &[1, 2, 3]].concat();
    assert_eq!(store.connectors().await.unwrap()[0].password, Some(wanted));
}
