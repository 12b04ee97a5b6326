//! What home shows and the watch looks for: each list with what belongs on it, and with nothing of another's.

use super::{NOW, Scene, device_id, id, imports, mac, new_site, new_user};
use provost_core::entry::{NewDevice, NewUser};
use provost_core::facts::Pin;
use provost_core::identity::CertificateStatus;
use provost_core::ids::{AccountId, DeviceId, MailId, SiteId, UserId};
use provost_core::import::{ImportKind, ImportMode, ImportState, ImportedRow};
use provost_core::lifecycle::DeviceState;
use provost_core::mail::MailState;
use provost_core::rights::Scope;
use provost_core::sentence;
use provost_core::time::UnixMillis;
use provost_store::{
    Applying, AuditEntry, ClaimBy, Contact, ImportRow, NewAlarm, NewEvent, NewMail, NewWelcome, Page, StagedRow,
    TroubleKind, TroubleQuery, Within,
};

const LATER: UnixMillis = UnixMillis(NOW.0 + 1_000_000);
const KINDS: [TroubleKind; 9] = [
    TroubleKind::CodeExpired,
    TroubleKind::NotClaimed,
    TroubleKind::NotBack,
    TroubleKind::Silent,
    TroubleKind::NotFactory,
    TroubleKind::FirmwareFailed,
    TroubleKind::Clash,
    TroubleKind::NoCode,
    TroubleKind::WelcomeFailed,
];

/// The phone was there, so long after the beginning.
async fn seen(scene: &Scene, n: u32, ms: i64, certificate: CertificateStatus) {
    scene.store.record(&[hello(n, ms, certificate)]).await.unwrap();
}

fn hello(n: u32, ms: i64, certificate: CertificateStatus) -> NewEvent {
    let at = NOW.plus_millis(ms);
    let contact = Contact { certificate, ..super::phones::contact(mac(n), None, at) };
    let entry = sentence::action("Hello.".to_owned());
    NewEvent { id: format!("seen-{n}-{ms}"), mac: mac(n), at, entry, contact: Some(contact) }
}

async fn found(scene: &Scene, kind: TroubleKind, within: &Within, before: UnixMillis) -> Vec<DeviceId> {
    let query = TroubleQuery { within, kind, before, limit: 10 };
    scene.store.troubles(query).await.unwrap().into_iter().filter_map(|one| one.device).collect()
}

/// The same at each of these scopes: everything, the account and the site see it, another account and site do not.
async fn is_seen_by_its_own(scene: &Scene, kind: TroubleKind, before: UnixMillis, device: &DeviceId) {
    let other: AccountId = id("account", 8);
    scene.store.add_account(&other, "Other", None, NOW).await.unwrap();
    let own = scene.store.within(&Scope::Account(scene.account.clone())).await.unwrap();
    for within in [Within::Everything, own, Within::Site(scene.site.clone())] {
        assert_eq!(found(scene, kind, &within, before).await, std::slice::from_ref(device), "{kind:?} {within:?}");
    }
    for within in [Within::Account(other), Within::Site(id("site", 8)), Within::Nothing] {
        assert!(found(scene, kind, &within, before).await.is_empty(), "{kind:?} {within:?}");
    }
}

/// Another account with so many devices that wait for a phone without a code, and as many whose phones are here without a
/// factory certificate: all of them come before the scene's devices in every order.
async fn crowd(scene: &Scene, count: u32) {
    let (account, site): (AccountId, SiteId) = (id("account", 7), id("site", 7));
    scene.store.add_account(&account, "Crowd", None, NOW).await.unwrap();
    scene.store.add_site(&site, &new_site(&account), NOW).await.unwrap();
    scene.store.add_user(&id("user", 7), &new_user(&site, "7001"), &[], NOW).await.unwrap();
    let import = imports::import(scene, 7, ImportKind::Devices, ImportMode::GoodRows);
    let import = ImportRow { account, ..import };
    scene.store.add_import(&import, NOW.plus_days(-7)).await.unwrap();
    let rows: Vec<_> = (1..=count * 2)
        .map(|n| {
            let row = ImportedRow {
                number: i64::from(n),
                site: Some(site.clone()),
                extension: Some("7001".to_owned()),
                model: Some("vvx450".to_owned()),
                mac: (n <= count).then(|| mac(n).to_string()),
                ..ImportedRow::default()
            };
            let id = Some(format!("device_01jd0ck3v7{n:016}"));
            StagedRow { row, id, password: None, faults: Vec::new(), cells: String::new() }
        })
        .collect();
    for some in rows.chunks(1_000) {
        scene.store.stage_import(&import, some, &|_| None).await.unwrap();
    }
    scene.store.import_is(&import.id, ImportState::Applying, None, None).await.unwrap();
    let applying = Applying { import: &import, judge: &|_| None, sealed: &|_, _, _, _| None, now: NOW };
    let mut from = 0;
    while let Some(to) = scene.store.import_stretch(&import.id, from).await.unwrap() {
        let audited = scene.store.audited(entry(&format!("crowd {to}")));
        assert!(audited.apply_good_rows(&applying, (from, to)).await.unwrap());
        from = to;
    }
    let events: Vec<_> = (1..=count).map(|n| hello(n, 500, CertificateStatus::SelfSigned)).collect();
    scene.store.record(&events).await.unwrap();
}

/// A device for the scene's user, claimed by phone `n`.
async fn claimed(scene: &Scene, n: u32) -> DeviceId {
    let device = scene.add_device(n).await;
    let digest = format!("code {n}");
    scene.issue(&device, digest.as_bytes()).await;
    scene.claim(n, ClaimBy::Code(digest.as_bytes())).await;
    device
}

fn entry(what: &str) -> AuditEntry {
    AuditEntry {
        id: what.to_owned(),
        at: NOW,
        who: "a test".to_owned(),
        what: what.to_owned(),
        why: None,
        from: "here".to_owned(),
        account: None,
        site: None,
        request: None,
    }
}

#[tokio::test]
async fn nothing_needs_a_hand_where_there_is_nothing() {
    let scene = Scene::new().await;

    for kind in KINDS {
        assert!(found(&scene, kind, &Within::Everything, LATER).await.is_empty(), "{kind:?}");
    }
    assert!(scene.store.devices_by_state(&Within::Everything).await.unwrap().is_empty());
    assert!(scene.store.site_progress(&Within::Everything).await.unwrap().is_empty());
}

#[tokio::test]
async fn devices_are_counted_by_state_and_sites_by_progress_within_a_scope() {
    let scene = Scene::new().await;
    claimed(&scene, 1).await;
    scene.add_device(2).await;
    scene.add_device(3).await;
    let stock = NewDevice { account: scene.account.clone(), model: "vvx450".to_owned(), user: None, mac: None };
    scene.store.add_device(&device_id(4), &stock, NOW).await.unwrap();

    let all = scene.store.devices_by_state(&Within::Everything).await.unwrap();
    assert_eq!(all, [(DeviceState::Activated, 1), (DeviceState::Added, 1), (DeviceState::Assigned, 2)]);
    let at_site = scene.store.devices_by_state(&Within::Site(scene.site.clone())).await.unwrap();
    assert_eq!(at_site, [(DeviceState::Activated, 1), (DeviceState::Assigned, 2)]);
    let progress = scene.store.site_progress(&Within::Account(scene.account.clone())).await.unwrap().remove(0);
    assert_eq!((progress.site, progress.name.as_str()), (scene.site.clone(), "Vienna"));
    assert_eq!((progress.account, progress.activated, progress.wanted), (scene.account.clone(), 1, 3));
    assert!(scene.store.site_progress(&Within::Account(id("account", 9))).await.unwrap().is_empty());
    assert!(scene.store.devices_by_state(&Within::Nothing).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_code_that_is_over_needs_a_hand_until_there_is_another() {
    let scene = Scene::new().await;
    let device = scene.add_device(1).await;
    scene.issue(&device, b"one").await;
    let over = NOW.plus_days(90);

    assert!(found(&scene, TroubleKind::CodeExpired, &Within::Everything, over.plus_millis(-1)).await.is_empty());
    is_seen_by_its_own(&scene, TroubleKind::CodeExpired, over, &device).await;
    let query = TroubleQuery { within: &Within::Everything, kind: TroubleKind::CodeExpired, before: over, limit: 1 };
    let row = scene.store.troubles(query).await.unwrap().remove(0);
    assert_eq!((row.at, row.person, row.mac), (over, Some(scene.user.clone()), None));
    assert_eq!(
        (row.extension.as_deref(), row.site.as_deref(), row.model.as_deref()),
        (Some("1001"), Some("Vienna"), Some("vvx450"))
    );

    scene.claim(1, ClaimBy::Code(b"one")).await;
    assert!(found(&scene, TroubleKind::CodeExpired, &Within::Everything, over).await.is_empty());
}

#[tokio::test]
async fn a_device_without_a_code_is_forgotten_after_a_while() {
    let scene = Scene::new().await;
    let device = scene.add_device(1).await;

    assert!(found(&scene, TroubleKind::NoCode, &Within::Everything, NOW.plus_millis(-1)).await.is_empty());
    is_seen_by_its_own(&scene, TroubleKind::NoCode, NOW, &device).await;

    scene.issue(&device, b"one").await;
    assert!(found(&scene, TroubleKind::NoCode, &Within::Everything, NOW).await.is_empty());
}

#[tokio::test]
async fn a_phone_that_is_named_and_here_is_not_claimed() {
    let scene = Scene::new().await;
    let named = NewDevice { mac: Some(mac(1)), ..scene.device() };
    scene.store.add_device(&device_id(1), &named, NOW).await.unwrap();
    assert!(found(&scene, TroubleKind::NotClaimed, &Within::Everything, LATER).await.is_empty(), "not here yet");

    seen(&scene, 1, 5, CertificateStatus::FactoryInstalled).await;

    is_seen_by_its_own(&scene, TroubleKind::NotClaimed, LATER, &device_id(1)).await;
}

#[tokio::test]
async fn a_claimed_phone_that_is_noted_not_to_come_back_needs_a_hand_until_it_does() {
    let scene = Scene::new().await;
    let device = claimed(&scene, 1).await;
    assert!(found(&scene, TroubleKind::NotBack, &Within::Everything, LATER).await.is_empty(), "it has time");

    scene.store.note_awaited(&[mac(1)], NOW).await.unwrap();

    is_seen_by_its_own(&scene, TroubleKind::NotBack, LATER, &device).await;
    scene.store.returned(mac(1), NOW, LATER).await.unwrap();
    assert!(found(&scene, TroubleKind::NotBack, &Within::Everything, LATER).await.is_empty());
}

#[tokio::test]
async fn a_claimed_phone_is_silent_since_it_was_here_last_and_one_without_factory_certificate_is_told_apart() {
    let scene = Scene::new().await;
    let device = claimed(&scene, 1).await;
    let other = claimed(&scene, 2).await;
    seen(&scene, 1, 5, CertificateStatus::FactoryInstalled).await;
    seen(&scene, 2, 50, CertificateStatus::SelfSigned).await;
    let since = NOW.plus_millis(20);

    is_seen_by_its_own(&scene, TroubleKind::Silent, since, &device).await;
    assert_eq!(scene.store.silent_count(&Within::Everything, since).await.unwrap(), 1);
    assert_eq!(scene.store.silent_count(&Within::Account(id("account", 9)), since).await.unwrap(), 0);
    assert_eq!(found(&scene, TroubleKind::NotFactory, &Within::Site(scene.site.clone()), LATER).await, [other]);
    assert!(found(&scene, TroubleKind::NotFactory, &Within::Account(id("account", 9)), LATER).await.is_empty());
}

#[tokio::test]
async fn however_many_others_have_the_same_trouble_ones_own_is_found() {
    let scene = Scene::new().await;
    scene.store.add_account(&id("account", 2), "Below", Some(&scene.account), NOW).await.unwrap();
    crowd(&scene, 2_001).await;
    let silent = claimed(&scene, 5_001).await;
    seen(&scene, 5_001, 5, CertificateStatus::SelfSigned).await;
    let named = NewDevice { mac: Some(mac(5_002)), ..scene.device() };
    scene.store.add_device(&device_id(5_002), &named, NOW).await.unwrap();
    seen(&scene, 5_002, 5, CertificateStatus::FactoryInstalled).await;
    let waiting = scene.add_device(5_003).await;

    let tree = scene.store.within(&Scope::Account(scene.account.clone())).await.unwrap();
    assert!(matches!(tree, Within::Tree { .. }));
    for within in [tree, Within::Account(scene.account.clone()), Within::Site(scene.site.clone())] {
        let of = async |kind| found(&scene, kind, &within, LATER).await;
        assert_eq!(of(TroubleKind::Silent).await, std::slice::from_ref(&silent), "{within:?}");
        assert_eq!(of(TroubleKind::NotFactory).await, std::slice::from_ref(&silent), "{within:?}");
        assert_eq!(of(TroubleKind::NotClaimed).await, [device_id(5_002)], "{within:?}");
        assert_eq!(of(TroubleKind::NoCode).await, std::slice::from_ref(&waiting), "{within:?}");
        assert_eq!(scene.store.silent_count(&within, LATER).await.unwrap(), 1, "{within:?}");
    }
    let all = found(&scene, TroubleKind::Silent, &Within::Everything, LATER).await;
    assert_eq!(all, [silent], "phones that are not claimed are looked at for nothing");
}

#[tokio::test]
async fn two_devices_that_name_one_phone_are_seen_each_by_its_own_account() {
    let scene = Scene::new().await;
    let other: AccountId = id("account", 2);
    scene.store.add_account(&other, "Other", None, NOW).await.unwrap();
    for (n, account) in [(1, &scene.account), (2, &other)] {
        let named = NewDevice { account: account.clone(), model: "vvx450".to_owned(), user: None, mac: Some(mac(7)) };
        scene.store.add_device(&device_id(n), &named, NOW).await.unwrap();
    }

    let all = found(&scene, TroubleKind::Clash, &Within::Everything, LATER).await;
    assert_eq!(all, [device_id(1), device_id(2)]);
    assert_eq!(found(&scene, TroubleKind::Clash, &Within::Account(other), LATER).await, [device_id(2)]);
}

#[tokio::test]
async fn a_welcome_mail_that_failed_is_about_its_user() {
    let scene = Scene::new().await;
    let (store, mail): (_, MailId) = (&scene.store, id("mail", 1));
    let new = NewMail {
        id: &mail,
        account: Some(&scene.account),
        site: Some(&scene.site),
        person: Some(&scene.user),
        kind: "welcome",
        address: "a@example.com",
        subject: "Hello",
        content: b"sealed",
        now: NOW,
    };
    let welcome = NewWelcome { person: &scene.user, devices: &[], link: (b"link", LATER) };
    store.audited(entry("w")).add_welcome(&new, &welcome).await.unwrap();
    let users = async |within: &Within| {
        let query = TroubleQuery { within, kind: TroubleKind::WelcomeFailed, before: LATER, limit: 10 };
        store.troubles(query).await.unwrap().into_iter().filter_map(|one| one.person).collect::<Vec<UserId>>()
    };
    assert!(users(&Within::Everything).await.is_empty());

    store.mail_ended(&mail, MailState::Refused, ("550 no", NOW), None).await.unwrap();

    for within in [Within::Everything, Within::Account(scene.account.clone()), Within::Site(scene.site.clone())] {
        assert_eq!(users(&within).await, std::slice::from_ref(&scene.user));
    }
    assert!(users(&Within::Account(id("account", 9))).await.is_empty());

    let elsewhere: SiteId = id("site", 2);
    store.add_site(&elsewhere, &new_site(&scene.account), NOW).await.unwrap();
    let moved = NewUser { lines: Vec::new(), ..new_user(&elsewhere, "1001") };
    store.audited(entry("moved")).change_user(&scene.user, &moved, &[], &[]).await.unwrap();
    assert_eq!(users(&Within::Site(elsewhere)).await, std::slice::from_ref(&scene.user), "where the user is now");
    assert!(users(&Within::Site(scene.site.clone())).await.is_empty(), "and nowhere else");
}

#[tokio::test]
async fn a_site_is_silent_where_its_phones_stopped_within_the_window() {
    let scene = Scene::new().await;
    let (from, to) = (NOW.plus_millis(10), NOW.plus_millis(100));
    for (n, ms) in [(1, 20), (2, 30), (3, 150), (4, 5)] {
        claimed(&scene, n).await;
        seen(&scene, n, ms, CertificateStatus::FactoryInstalled).await;
    }
    let quiet: SiteId = id("site", 2);
    scene.store.add_site(&quiet, &new_site(&scene.account), NOW).await.unwrap();
    scene.store.add_user(&id("user", 2), &new_user(&quiet, "2001"), &[], NOW).await.unwrap();

    for (id, subject) in [("1", &scene.site), ("2", &quiet)] {
        let (subject, at) = (subject.as_str(), NOW.plus_millis(110));
        let alarm = NewAlarm { id, kind: "gone", subject, at, sentence: "s", advice: "a" };
        scene.store.raise_alarm(&alarm).await.unwrap();
    }

    let sites = scene.store.silent_sites((from, to), ("gone", 85)).await.unwrap();

    assert_eq!(sites.len(), 2, "{sites:?}");
    let one = sites.iter().find(|silence| silence.site == scene.site).unwrap();
    assert_eq!((one.polling, one.silent), (3, 2), "the one that was here before the window counts for nothing");
    assert_eq!((one.alarmed_polling, one.alarmed_silent), (2, 1), "nor does one before the alarm's");
    assert_eq!((one.last, one.name.as_str(), &one.account), (NOW.plus_millis(30), "Vienna", &scene.account));
    let other = sites.iter().find(|silence| silence.site == quiet).unwrap();
    assert_eq!((other.polling, other.silent, other.alarmed_polling, other.alarmed_silent), (0, 0, 0, 0));
    let plain = scene.store.silent_sites((from, to), ("never", 85)).await.unwrap().remove(0);
    assert_eq!((plain.polling, plain.silent, plain.alarmed_polling, plain.alarmed_silent), (3, 2, 0, 0));
    let earlier = scene.store.silent_sites((NOW.plus_millis(40), to), ("never", 85)).await.unwrap();
    assert!(earlier.is_empty(), "they stopped before: {earlier:?}");
    scene.store.end_alarm_about("gone", quiet.as_str(), LATER).await.unwrap();
    let open = scene.store.silent_sites((NOW.plus_millis(40), to), ("gone", 85)).await.unwrap();
    assert_eq!(open.iter().map(|silence| &silence.site).collect::<Vec<_>>(), [&scene.site]);
}

#[tokio::test]
async fn a_phone_that_was_left_alone_and_stopped_is_found_while_others_of_its_site_ask() {
    let scene = Scene::new().await;
    let window = (NOW.plus_millis(10), NOW.plus_millis(100));
    claimed(&scene, 1).await;
    seen(&scene, 1, 20, CertificateStatus::FactoryInstalled).await;
    let entry = sentence::action("Left alone.".to_owned());
    let event = NewEvent { id: "pin".to_owned(), mac: mac(1), at: NOW, entry, contact: None };
    let left = Pin::LeftAlone { came_in_at: "192.0.2.1".to_owned() };
    scene.store.decide_pin(mac(1), &left, &event).await.unwrap();
    assert!(scene.store.left_alone_and_silent(window, 10).await.unwrap().is_empty(), "nobody else asks");

    claimed(&scene, 2).await;
    seen(&scene, 2, 150, CertificateStatus::FactoryInstalled).await;

    assert_eq!(scene.store.left_alone_and_silent(window, 10).await.unwrap(), [(mac(1), NOW.plus_millis(20))]);
}

#[tokio::test]
async fn alarms_of_a_site_are_its_own_and_open_and_ended_ones_are_told_apart() {
    let scene = Scene::new().await;
    let store = &scene.store;
    let raise = async |id: &str, kind: &str| {
        let (subject, at) = (scene.site.as_str(), NOW);
        store.raise_alarm(&NewAlarm { id, kind, subject, at, sentence: "s", advice: "a" }).await.unwrap();
    };
    raise("1", "gone").await;
    raise("2", "other").await;
    store.end_alarm_about("gone", scene.site.as_str(), LATER).await.unwrap();

    for within in [Within::Everything, Within::Account(scene.account.clone()), Within::Site(scene.site.clone())] {
        let ids = |rows: Vec<provost_store::AlarmRow>| rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
        assert_eq!(ids(store.open_alarms(&within, 10).await.unwrap()), ["2"]);
        assert_eq!(ids(store.ended_alarms(&within, Page::FIRST).await.unwrap()), ["1"]);
        assert!(store.ended_alarms(&within, Page { after: "1", limit: 10 }).await.unwrap().is_empty());
    }
    assert!(store.open_alarms(&Within::Site(id("site", 9)), 10).await.unwrap().is_empty());
    assert_eq!(store.open_alarms_of("other").await.unwrap(), [scene.site.to_string()]);
    assert!(store.open_alarms_of("gone").await.unwrap().is_empty());
    let is_alarmed =
        async |kind: &str, after: UnixMillis| store.is_alarmed(kind, scene.site.as_str(), after).await.unwrap();
    assert!(is_alarmed("other", LATER).await && is_alarmed("gone", NOW).await);
    assert!(!is_alarmed("gone", LATER).await && !is_alarmed("never", NOW).await);
}

#[tokio::test]
async fn whoever_watches_commits_is_woken_by_what_is_stored_and_by_nothing_else() {
    let scene = Scene::new().await;
    let mut commits = scene.store.commits();

    scene.store.device(&device_id(1)).await.unwrap();
    assert!(!commits.has_changed().unwrap());
    scene.store.set_meta("a", "b").await.unwrap();
    assert!(commits.has_changed().unwrap());
    commits.mark_unchanged();
    assert!(!commits.has_changed().unwrap());
}
