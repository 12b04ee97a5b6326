use super::imports::{device_row, fill};
use super::{NOW, Scene, id, mac, new_site, new_user};
use provost_core::identity::CertificateStatus;
use provost_core::ids::{AccountId, DeviceId, SiteId, UserId};
use provost_core::lifecycle::DeviceState;
use provost_core::rights::Scope;
use provost_core::sentence;
use provost_store::{
    Bar, ClaimBy, Contact, NewEvent, ReportFilter, ReportOrder, ReportPage, ReportPlace, ReportQuery, Within,
};
use std::time::{Duration, Instant};

const ORDERS: [ReportOrder; 7] = [
    ReportOrder::Device,
    ReportOrder::Mac,
    ReportOrder::Extension,
    ReportOrder::Status,
    ReportOrder::Site,
    ReportOrder::User,
    ReportOrder::LastContact,
];

fn query(order: ReportOrder, limit: u32) -> ReportQuery {
    ReportQuery {
        within: Within::Everything,
        filter: ReportFilter::default(),
        order,
        descending: false,
        after: None,
        limit,
    }
}

async fn page(scene: &Scene, query: &ReportQuery) -> ReportPage {
    scene.store.device_report(query).await.unwrap()
}

/// Every device of a report, page by page.
async fn all(scene: &Scene, mut query: ReportQuery) -> Vec<DeviceId> {
    let mut ids = Vec::new();
    loop {
        let page = page(scene, &query).await;
        ids.extend(page.rows.into_iter().map(|row| row.id));
        match page.next {
            Some(next) => query.after = Some(next),
            None => return ids,
        }
    }
}

async fn seen(scene: &Scene, n: u32, ms: i64) {
    let contact = Contact {
        mac: mac(n),
        model: Some("vvx450".to_owned()),
        firmware: Some("5.9.8".to_owned()),
        updater: None,
        certificate: CertificateStatus::FactoryInstalled,
        certificate_note: None,
        fingerprint: None,
        address: "10.0.0.1".to_owned(),
        at: NOW.plus_millis(ms),
    };
    let event = NewEvent {
        id: format!("seen-{n}-{ms}"),
        mac: mac(n),
        at: NOW,
        entry: sentence::action("Hello.".to_owned()),
        contact: Some(contact),
    };
    scene.store.record(&[event]).await.unwrap();
}

/// What the report says of every device is what the device itself says.
async fn agrees(scene: &Scene) {
    for row in page(scene, &query(ReportOrder::Device, 500)).await.rows {
        let device = scene.store.device(&row.id).await.unwrap().unwrap();
        assert_eq!(
            (row.status, row.mac, row.extension, row.user, row.site, row.last_contact),
            (device.state, device.mac, device.extension, device.user_name, device.site_name, device.last_seen)
        );
    }
}

#[tokio::test]
async fn the_report_follows_every_change_of_a_device() {
    let scene = Scene::new().await;
    let (one, two) = (scene.add_device(1).await, scene.add_device(2).await);
    agrees(&scene).await;

    scene.issue(&one, b"digest").await;
    seen(&scene, 7, 5).await;
    scene.claim(7, ClaimBy::Code(b"digest")).await;
    agrees(&scene).await;
    seen(&scene, 7, 9_000).await;
    scene.store.bar_device(&two, Some(Bar::Quarantined)).await.unwrap();
    agrees(&scene).await;

    let rows = page(&scene, &query(ReportOrder::Mac, 10)).await.rows;
    assert_eq!(rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>(), [two.clone(), one.clone()]);
    assert_eq!((rows[0].status, rows[1].status), (DeviceState::Quarantined, DeviceState::Activated));
    assert_eq!(rows[1].last_contact, Some(NOW.plus_millis(9_000)));
    assert_eq!(rows[1].admin_password.as_deref(), Some(&b"admin sealed"[..]));
    let by_status = |status| ReportQuery {
        filter: ReportFilter { status: Some(status), ..ReportFilter::default() },
        ..query(ReportOrder::Status, 10)
    };
    assert_eq!(all(&scene, by_status(DeviceState::Quarantined)).await, [two]);
    assert_eq!(all(&scene, by_status(DeviceState::Activated)).await, [one]);
}

#[tokio::test]
async fn a_phone_that_comes_before_its_device_is_known_is_contacted_at_once() {
    let scene = Scene::new().await;
    seen(&scene, 3, 0).await;
    let named = provost_core::entry::NewDevice { mac: Some(mac(3)), ..scene.device() };
    scene.store.add_device(&id("device", 1), &named, NOW).await.unwrap();
    let later = provost_core::entry::NewDevice { mac: Some(mac(4)), user: None, ..scene.device() };
    scene.store.add_device(&id("device", 2), &later, NOW).await.unwrap();
    seen(&scene, 4, 0).await;

    let rows = page(&scene, &query(ReportOrder::Mac, 10)).await.rows;

    assert!(rows.iter().all(|row| row.status == DeviceState::Contacted), "{rows:?}");
    agrees(&scene).await;
}

#[tokio::test]
async fn every_order_pages_through_all_devices_once_and_backward_as_well() {
    let scene = Scene::new().await;
    fill(&scene, 300).await;
    for n in [5, 70, 200] {
        seen(&scene, n, i64::from(n)).await;
    }

    for order in ORDERS {
        let forward = all(&scene, query(order, 37)).await;
        let mut backward = all(&scene, ReportQuery { descending: true, ..query(order, 41) }).await;
        backward.reverse();

        assert_eq!(forward.len(), 300, "{order:?}");
        assert_eq!(forward, backward, "{order:?}");
        let whole: Vec<_> = page(&scene, &query(order, 500)).await.rows;
        let keys: Vec<_> = whole
            .iter()
            .map(|row| match order {
                ReportOrder::Device => row.model.clone(),
                ReportOrder::Mac => row.mac.map(|mac| mac.to_string()).unwrap_or_default(),
                ReportOrder::Extension => row.extension.clone().unwrap_or_default(),
                ReportOrder::Status => row.status.to_string(),
                ReportOrder::Site => row.site.clone().unwrap_or_default(),
                ReportOrder::User => row.user.clone().unwrap_or_default(),
                ReportOrder::LastContact => format!("{:020}", row.last_contact.map_or(0, |at| at.0)),
            })
            .collect();
        assert!(keys.is_sorted(), "{order:?}");
    }
}

#[tokio::test]
async fn filters_find_by_beginning_model_site_and_missed_contact() {
    let scene = Scene::new().await;
    fill(&scene, 60).await;
    seen(&scene, 5, 0).await;
    seen(&scene, 6, 60_000).await;
    let found = async |filter: ReportFilter| all(&scene, ReportQuery { filter, ..query(ReportOrder::User, 10) }).await;
    let begins = |text: &str| ReportFilter { begins: Some(text.to_owned()), ..ReportFilter::default() };

    assert_eq!(found(begins("0004f200000")).await.len(), 15);
    assert_eq!(found(begins("2000")).await.len(), 10);
    assert_eq!(found(begins("person 2000")).await.len(), 10);
    assert_eq!(found(begins("%")).await.len(), 0);
    let model = ReportFilter { model: Some("vvx101".to_owned()), ..ReportFilter::default() };
    assert_eq!(found(model.clone()).await.len(), 20);
    assert!(found(ReportFilter { status: Some(DeviceState::Activated), ..model }).await.is_empty());
    let site = |id: &SiteId| ReportFilter { site: Some(id.to_string()), ..ReportFilter::default() };
    assert_eq!(found(site(&scene.site)).await.len(), 60);
    assert_eq!(found(site(&id("site", 77))).await.len(), 0);
    let missed = ReportFilter { missed_since: Some(NOW.plus_millis(1)), ..ReportFilter::default() };
    assert_eq!(found(missed).await.len(), 59);
}

#[tokio::test]
async fn a_scope_sees_its_own_devices_and_pages_through_a_tree_in_order() {
    let scene = Scene::new().await;
    fill(&scene, 30).await;
    let (below, beside): (AccountId, AccountId) = (id("account", 2), id("account", 3));
    scene.store.add_account(&below, "Below", Some(&scene.account), NOW).await.unwrap();
    scene.store.add_account(&beside, "Beside", None, NOW).await.unwrap();
    for (n, account) in [(2, &below), (3, &beside)] {
        let (site, user): (SiteId, UserId) = (id("site", n), id("user", n));
        scene.store.add_site(&site, &new_site(account), NOW).await.unwrap();
        scene.store.add_user(&user, &new_user(&site, "1001"), &[], NOW).await.unwrap();
        let device = provost_core::entry::NewDevice {
            account: account.clone(),
            model: "vvx101".to_owned(),
            user: Some(user),
            mac: Some(mac(500 + n)),
        };
        scene.store.add_device(&id("device", n), &device, NOW).await.unwrap();
    }
    let seen = async |scope: Scope| {
        let within = scene.store.within(&scope).await.unwrap();
        all(&scene, ReportQuery { within, ..query(ReportOrder::Mac, 7) }).await
    };

    let tree = seen(Scope::Account(scene.account.clone())).await;
    assert_eq!(tree.len(), 31);
    assert_eq!(tree.last(), Some(&id("device", 2)));
    assert_eq!(seen(Scope::Account(beside.clone())).await, [id("device", 3)]);
    assert_eq!(seen(Scope::Account(id("account", 9))).await, []);
    let site = Scope::Site { account: below.clone(), site: id("site", 2) };
    assert_eq!(seen(site).await, [id("device", 2)]);
    let within = Within::Site(id("site", 2));
    let other = ReportFilter { site: Some(scene.site.to_string()), ..ReportFilter::default() };
    assert_eq!(all(&scene, ReportQuery { within, filter: other, ..query(ReportOrder::Mac, 7) }).await, []);
}

#[tokio::test]
async fn a_place_from_outside_is_a_device_and_a_time() {
    let device = id::<DeviceId>("device", 1).to_string();

    assert!(ReportPlace::checked("x".to_owned(), &device, ReportOrder::User).is_ok());
    assert!(ReportPlace::checked("x".to_owned(), &device, ReportOrder::LastContact).is_err());
    assert!(ReportPlace::checked("x".to_owned(), "device", ReportOrder::User).is_err());
}

/// The shortest time of each, taken in turns: everything else is the machine's other work.
#[expect(clippy::disallowed_methods, reason = "what is measured is time")]
async fn fastest(few: (&Scene, &ReportQuery), many: (&Scene, &ReportQuery)) -> (Duration, Duration) {
    let mut best = [Duration::MAX; 2];
    for _ in 0..80 {
        for ((scene, query), best) in [few, many].into_iter().zip(&mut best) {
            let began = Instant::now();
            let page = page(scene, query).await;
            *best = began.elapsed().min(*best);
            assert_eq!(page.rows.len(), 50);
        }
    }
    (best[0], best[1])
}

#[tokio::test]
async fn a_page_among_fifty_thousand_takes_no_longer_than_among_a_thousand() {
    let (small, large) = (Scene::new().await, Scene::new().await);
    fill(&small, 1_000).await;
    fill(&large, 50_000).await;
    // From the middle, within one account.
    let middle = async |scene: &Scene, order| {
        let mut query = ReportQuery { within: Within::Account(scene.account.clone()), ..query(order, 100) };
        for _ in 0..4 {
            query.after = page(scene, &query).await.next;
        }
        ReportQuery { limit: 50, ..query }
    };

    for order in ORDERS {
        let first = query(order, 50);
        let first = fastest((&small, &first), (&large, &first)).await;
        let (few, many) = (middle(&small, order).await, middle(&large, order).await);
        let behind = fastest((&small, &few), (&large, &many)).await;
        for (few, many) in [first, behind] {
            println!("{order:?}: {few:?} among 1,000, {many:?} among 50,000");
            assert!(many < few * 3 / 2, "{order:?}: {few:?} among 1,000, {many:?} among 50,000");
        }
    }
}

#[tokio::test]
async fn a_filter_that_few_match_is_found_among_many_whatever_the_order() {
    let scene = Scene::new().await;
    fill(&scene, 25_000).await;
    let rare = device_row(&scene, 12_345, None, None).id.unwrap().parse().unwrap();
    scene.store.bar_device(&rare, Some(Bar::Disabled)).await.unwrap();

    for order in ORDERS {
        let filter = ReportFilter { status: Some(DeviceState::Disabled), ..ReportFilter::default() };
        let found = page(&scene, &ReportQuery { filter, ..query(order, 50) }).await;
        assert_eq!(
            found.rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>(),
            std::slice::from_ref(&rare),
            "{order:?}"
        );
        assert_eq!(found.next, None);
    }
    // Two filters that many match each, and no device both: the page is short and says where to go on.
    let filter = ReportFilter {
        status: Some(DeviceState::Assigned),
        begins: Some("person".to_owned()),
        missed_since: Some(NOW.plus_days(-90_000)),
        ..ReportFilter::default()
    };
    let found = all(&scene, ReportQuery { filter, ..query(ReportOrder::Extension, 50) }).await;
    assert!(found.is_empty());
}

#[tokio::test]
async fn devices_are_counted_by_model_as_far_as_the_scope_reaches() {
    let scene = Scene::new().await;
    for n in 1..=3 {
        scene.add_device(n).await;
    }
    let other = id::<AccountId>("account", 9);
    scene.store.add_account(&other, "Other", None, NOW).await.unwrap();

    let within = |scope: Scope| {
        let store = scene.store.clone();
        async move { store.within(&scope).await.unwrap() }
    };
    for (scope, count) in [
        (Scope::Platform, Some(3)),
        (Scope::Account(id("account", 1)), Some(3)),
        (Scope::Site { account: id("account", 1), site: id("site", 1) }, Some(3)),
        (Scope::Account(other), None),
    ] {
        let counts = scene.store.devices_by_model(&within(scope).await).await.unwrap();
        assert_eq!(counts.get("vvx450").copied(), count);
        assert_eq!(counts.len(), usize::from(count.is_some()));
    }
}
