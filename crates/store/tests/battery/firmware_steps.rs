//! Policies, rings, steps, pauses and doors of firmware, as stored.

use super::{NOW, Scene, mac};
use provost_core::firmware::policy::{AfterRing, Goal, Place, Policy};
use provost_core::firmware::step::{STALE_MS, StepState};
use provost_core::ids::DeviceId;
use provost_core::time::UnixMillis;
use provost_store::{
    AuditEntry, CanaryQuery, ClaimBy, ClaimOutcome, DeviceChange, FirmwareDoorRow, NewEvent, NewStep, Offer, Page,
    PauseRow, PolicyRow, StepEnd, StepFilter, StoreError, TroubleKind, TroubleQuery, Within,
};

fn entry(id: &str) -> AuditEntry {
    AuditEntry { id: id.to_owned(), ..super::backup::entry() }
}

fn policy(id: &str, place: Place, goal: Goal) -> Policy {
    let after = Some(AfterRing { ring: "canary".to_owned(), hours: 48, most_failures: 2 });
    let (model, window) = (Some("vvx450".to_owned()), Some("22:00-05:00".parse().unwrap()));
    Policy { id: id.to_owned(), place, model, ring: None, goal, window, slots: Some(3), after }
}

fn step(id: &str, n: u32, scene: &Scene) -> NewStep {
    NewStep {
        id: id.to_owned(),
        mac: mac(n),
        device: None,
        account: Some(scene.account.clone()),
        site: Some(scene.site.clone()),
        model: "vvx450".to_owned(),
        ring: "general".to_owned(),
        policy: Some("policy".to_owned()),
        image: "image_1".to_owned(),
        file: "sip.ld".to_owned(),
        is_updater: false,
        from: "6.4.7.4560".parse().unwrap(),
        to: "6.4.8.1".parse().unwrap(),
        target: "6.4.8.1".parse().unwrap(),
        why: "the window is open".to_owned(),
        bytes: 42_000_000,
        at: NOW,
    }
}

async fn bound(scene: &Scene, n: u32) -> DeviceId {
    let device = scene.add_device(n).await;
    scene.issue(&device, &[u8::try_from(n).unwrap()]).await;
    let claimed = scene.claim(n, ClaimBy::Code(&[u8::try_from(n).unwrap()])).await;
    assert!(matches!(claimed, ClaimOutcome::Claimed(_)));
    device
}

#[tokio::test]
async fn a_policy_for_the_same_phones_takes_the_place_of_the_one_before_and_keeps_its_pauses() {
    let scene = Scene::new().await;
    let store = &scene.store;
    let row = |id: &str, place: Place, account, goal| PolicyRow {
        policy: policy(id, place, goal),
        account,
        reason: "as agreed".to_owned(),
        changed: NOW,
    };
    let account = Some(scene.account.clone());
    let first = row("1", Place::Account(scene.account.clone()), account.clone(), Goal::Newest);
    assert_eq!(store.audited(entry("1")).set_firmware_policy(&first).await.unwrap(), "1");
    let of_site = row("2", Place::Site(scene.site.clone()), account.clone(), Goal::Keep);
    assert_eq!(store.audited(entry("2")).set_firmware_policy(&of_site).await.unwrap(), "2");
    assert_eq!(store.firmware_policies().await.unwrap(), [first.clone(), of_site.clone()]);

    let version = "6.4.8.1".parse().unwrap();
    let pause = |id: &str| PauseRow {
        id: id.to_owned(),
        policy: "1".to_owned(),
        version: "6.4.8.1".parse().unwrap(),
        at: NOW,
        failures: 2,
        resumed: None,
    };
    assert!(store.audited(entry("3")).pause_firmware(&pause("p1")).await.unwrap());
    assert!(!store.audited(entry("4")).pause_firmware(&pause("p2")).await.unwrap(), "it is paused");
    let changed = row("3", Place::Account(scene.account.clone()), account, Goal::Version("6.4.8.1".parse().unwrap()));
    assert_eq!(store.audited(entry("5")).set_firmware_policy(&changed).await.unwrap(), "1", "the id stays");
    assert_eq!(store.firmware_policies().await.unwrap()[0].policy.goal.to_string(), "6.4.8.1");
    assert_eq!(store.firmware_pauses().await.unwrap(), [pause("p1")]);

    let again = AuditEntry { at: NOW.plus_millis(5), ..entry("6") };
    store.audited(again).resume_firmware("1", &version).await.unwrap();
    assert_eq!(store.firmware_pauses().await.unwrap()[0].resumed, Some(NOW.plus_millis(5)));
    let missing = store.audited(entry("7")).resume_firmware("1", &version).await;
    assert!(matches!(missing, Err(StoreError::Missing { .. })));
    assert!(store.audited(entry("8")).pause_firmware(&pause("p3")).await.unwrap(), "it can be paused again");
    store.audited(entry("9")).remove_firmware_policy("1").await.unwrap();
    assert_eq!(
        (store.firmware_policies().await.unwrap(), store.firmware_pauses().await.unwrap()),
        (vec![of_site], vec![])
    );
    let missing = store.audited(entry("10")).remove_firmware_policy("1").await;
    assert!(matches!(missing, Err(StoreError::Missing { .. })));
}

#[tokio::test]
async fn a_phone_is_in_one_step_and_so_many_of_a_site_at_a_time() {
    let scene = Scene::new().await;
    let store = &scene.store;
    assert_eq!(store.offer_firmware_step(&step("1", 1, &scene), 2).await.unwrap(), Offer::Offered);
    assert_eq!(store.offer_firmware_step(&step("2", 1, &scene), 1).await.unwrap(), Offer::InAnother, "one at a time");
    assert_eq!(store.offer_firmware_step(&step("3", 2, &scene), 2).await.unwrap(), Offer::Offered);
    assert_eq!(store.offer_firmware_step(&step("4", 3, &scene), 2).await.unwrap(), Offer::SlotsFull);
    let has_slot = async |n, slots| {
        store.has_firmware_slot(mac(n), (Some(&scene.site), &scene.account), (slots, NOW)).await.unwrap()
    };
    assert_eq!((has_slot(3, 2).await, has_slot(3, 3).await, has_slot(1, 2).await), (false, true, true));
    let elsewhere = NewStep { site: None, ..step("5", 4, &scene) };
    assert_eq!(store.offer_firmware_step(&elsewhere, 1).await.unwrap(), Offer::Offered, "another place has its own");
    let nowhere = NewStep { site: None, account: None, ..step("7", 5, &scene) };
    assert_eq!(store.offer_firmware_step(&nowhere, 1).await.unwrap(), Offer::Offered, "so has what nobody claimed");
    assert_eq!(store.phones_in_firmware_steps().await.unwrap(), [mac(1), mac(2), mac(4), mac(5)]);

    let later = NOW.plus_millis(STALE_MS);
    let late = NewStep { at: later, ..step("6", 3, &scene) };
    let offered = store.offer_firmware_step(&late, 1).await.unwrap();
    assert_eq!(offered, Offer::Offered, "who is not heard of for long holds no slot");
    let first = store.open_firmware_step(mac(1)).await.unwrap().unwrap();
    assert!(!store.renew_firmware_step(&first, 1, later).await.unwrap());
    assert!(store.renew_firmware_step(&first, 2, later).await.unwrap());
    assert_eq!(store.open_firmware_step(mac(1)).await.unwrap().unwrap().touched, later);
}

#[tokio::test]
async fn a_step_ends_with_the_device_it_was_for() {
    let scene = Scene::new().await;
    let store = &scene.store;
    let device = bound(&scene, 1).await;
    let step = NewStep { device: Some(device.clone()), ..step("1", 1, &scene) };
    assert_eq!(store.offer_firmware_step(&step, 1).await.unwrap(), Offer::Offered);

    let tell = |_| provost_core::sentence::action("Released.".to_owned());
    let change = DeviceChange { device: &device, now: NOW, event_id: "event", tell: &tell, carried: &[] };
    assert_eq!(store.audited(entry("1")).release_device(change).await.unwrap().unwrap(), Some(mac(1)));

    assert!(store.open_firmware_step(mac(1)).await.unwrap().is_none());
    let rows = store.firmware_steps(StepFilter::default(), Page { after: "", limit: 9 }).await.unwrap();
    assert_eq!(rows[0].state, StepState::Withdrawn);
}

#[tokio::test]
async fn a_step_goes_from_offered_to_its_end_and_tells_how_far_it_came() {
    let scene = Scene::new().await;
    let store = &scene.store;
    let offered = step("1", 1, &scene);
    assert_eq!(store.offer_firmware_step(&offered, 1).await.unwrap(), Offer::Offered);
    let open = async || store.open_firmware_step(mac(1)).await.unwrap().unwrap();
    assert_eq!((open().await.step, open().await.state), (offered, StepState::Offered));

    store.firmware_asked("1", true, NOW.plus_millis(1)).await.unwrap();
    store.firmware_moved("1", 21_000_000, NOW.plus_millis(2)).await.unwrap();
    store.firmware_moved("1", 4_096, NOW.plus_millis(3)).await.unwrap();
    let row = open().await;
    assert_eq!((row.state, row.sent, row.asked), (StepState::Loading, 21_000_000, Some(NOW.plus_millis(1))));
    assert_eq!(row.touched, NOW.plus_millis(3));
    store.firmware_moved("1", 42_000_000, NOW.plus_millis(4)).await.unwrap();
    store.firmware_asked("1", false, NOW.plus_millis(5)).await.unwrap();
    assert_eq!(open().await.state, StepState::Sent, "asked once more, it was sent whole all the same");
    assert!(!open().await.went_on);
    store.firmware_went_on(mac(1)).await.unwrap();
    assert!(open().await.went_on);
    store.firmware_moved("1", 42_000_000, NOW.plus_millis(6)).await.unwrap();
    assert!(!open().await.went_on, "the whole image was sent again");
    for (at, tries) in [(59_000, 1), (60_001, 2), (70_000, 2), (121_000, 3)] {
        store.firmware_asked("1", true, NOW.plus_millis(at)).await.unwrap();
        assert_eq!(open().await.tries, tries, "{at}");
    }

    let end = StepEnd { id: "1", state: StepState::Failed, as_what: "6.4.7.4560", at: NOW.plus_millis(6) };
    assert!(store.end_firmware_step(end).await.unwrap() && !store.end_firmware_step(end).await.unwrap());
    assert!(store.open_firmware_step(mac(1)).await.unwrap().is_none());
    assert_eq!(store.firmware_attempts(mac(1), "image_1", UnixMillis(0)).await.unwrap(), 1);
    assert_eq!(store.firmware_attempts(mac(1), "image_1", NOW.plus_millis(6)).await.unwrap(), 0);
    assert_eq!(store.firmware_attempts(mac(1), "image_2", UnixMillis(0)).await.unwrap(), 0);

    assert_eq!(store.offer_firmware_step(&step("2", 1, &scene), 1).await.unwrap(), Offer::Offered);
    let listed = async |filter, page| {
        let rows = store.firmware_steps(filter, page).await.unwrap();
        rows.into_iter().map(|row| row.step.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(StepFilter::default(), Page::FIRST).await, ["2", "1"]);
    assert_eq!(listed(StepFilter::default(), Page { after: "2", limit: 5 }).await, ["1"]);
    let failed = StepFilter { state: Some(StepState::Failed), ..StepFilter::default() };
    assert_eq!(listed(failed, Page::FIRST).await, ["1"]);
    assert!(listed(StepFilter { mac: Some(mac(2)), ..failed }, Page::FIRST).await.is_empty());
    let own = Within::Account(scene.account.clone());
    assert_eq!(listed(StepFilter { within: Some(&own), ..failed }, Page::FIRST).await, ["1"]);
    assert!(listed(StepFilter { within: Some(&Within::Nothing), ..failed }, Page::FIRST).await.is_empty());
}

#[tokio::test]
async fn where_a_phone_stands_and_how_those_that_go_first_fare_is_read_back() {
    let scene = Scene::new().await;
    let store = &scene.store;
    let device = bound(&scene, 1).await;
    assert_eq!(store.firmware_place(mac(2)).await.unwrap(), None);
    let place = store.firmware_place(mac(1)).await.unwrap().unwrap();
    assert_eq!((&place.device, &place.account, &place.site), (&device, &scene.account, &Some(scene.site.clone())));
    assert_eq!((place.time_zone.as_deref(), place.ring, place.now_since), (Some("Europe/Vienna"), None, None));
    assert!(!place.is_configured);
    let contact = super::phones::contact(mac(1), Some("6.4.8.1"), NOW);
    let entry_of = provost_core::sentence::action("Asked.".to_owned());
    let event = NewEvent { id: "event-seen".to_owned(), mac: mac(1), at: NOW, entry: entry_of, contact: Some(contact) };
    store.record(&[event]).await.unwrap();

    store.audited(entry("1")).set_firmware_ring(&device, Some("canary")).await.unwrap();
    store.audited(entry("2")).want_firmware_now(&device, "it cannot wait").await.unwrap();
    let place = store.firmware_place(mac(1)).await.unwrap().unwrap();
    assert_eq!((place.ring.as_deref(), place.now_since), (Some("canary"), Some(entry("2").at)));
    let rings = store.firmware_rings(&Within::Account(scene.account.clone()), Page::FIRST).await.unwrap();
    assert_eq!((rings[0].device.clone(), rings[0].ring.as_str()), (device.clone(), "canary"));
    assert_eq!(store.firmware_rings_in_use().await.unwrap(), ["canary"]);
    store.end_firmware_now(&device).await.unwrap();
    assert_eq!(store.firmware_place(mac(1)).await.unwrap().unwrap().now_since, None);

    let of_canary = NewStep { ring: "canary".to_owned(), policy: None, ..step("1", 1, &scene) };
    assert_eq!(store.offer_firmware_step(&of_canary, 1).await.unwrap(), Offer::Offered);
    let end = StepEnd { id: "1", state: StepState::Done, as_what: "6.4.8.1", at: NOW.plus_millis(9) };
    store.end_firmware_step(end).await.unwrap();
    let within = Within::Site(scene.site.clone());
    let of = CanaryQuery { within: &within, ring: "canary", model: "vvx450" };
    let canaries = store.firmware_canaries(of).await.unwrap();
    assert_eq!((canaries.len(), canaries[0].came_back), (1, Some(NOW.plus_millis(9))));
    assert!(store.firmware_canaries(CanaryQuery { model: "vvx500", ..of }).await.unwrap().is_empty());

    let target = "6.4.8.1".parse().unwrap();
    let failed = async |id: &'static str, new: NewStep| {
        assert_eq!(store.offer_firmware_step(&NewStep { id: id.to_owned(), ..new }, 9).await.unwrap(), Offer::Offered);
        let end = StepEnd { id, state: StepState::Failed, as_what: "6.4.7", at: NOW.plus_millis(20) };
        store.end_firmware_step(end).await.unwrap();
    };
    failed("2", NewStep { ring: "canary".to_owned(), policy: None, ..step("2", 1, &scene) }).await;
    failed("3", step("3", 2, &scene)).await;
    failed("4", NewStep { policy: None, ..step("4", 3, &scene) }).await;
    assert_eq!(store.firmware_failures(of, ("policy", &target), NOW).await.unwrap(), 2);
    assert_eq!(store.firmware_failures(of, ("policy", &target), NOW.plus_millis(20)).await.unwrap(), 0);

    let spread = store.firmware_spread(&Within::Everything).await.unwrap();
    assert_eq!(spread.iter().map(|row| row.phones).sum::<i64>(), 1, "{spread:?}");
    assert!(store.firmware_spread(&Within::Nothing).await.unwrap().is_empty());
    store.audited(entry("3")).set_firmware_ring(&device, None).await.unwrap();
    assert!(store.firmware_rings(&Within::Everything, Page::FIRST).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_door_is_open_for_one_phone_once_until_its_end_or_earlier() {
    let scene = Scene::new().await;
    let store = &scene.store;
    let door = |id: &str, n| FirmwareDoorRow {
        id: id.to_owned(),
        mac: mac(n),
        model: "spip550".to_owned(),
        reason: "old phone".to_owned(),
        opened: NOW,
        ends: NOW.plus_days(1),
        closed: None,
    };
    let open = async || {
        let rows = store.open_firmware_doors(NOW.plus_millis(9)).await.unwrap();
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    store.audited(entry("1")).open_firmware_door(&door("1", 1)).await.unwrap();
    assert_eq!(store.open_firmware_doors(NOW).await.unwrap(), [door("1", 1)]);
    assert!(store.open_firmware_doors(NOW.plus_days(1)).await.unwrap().is_empty(), "it is over");
    store.audited(entry("2")).open_firmware_door(&door("2", 1)).await.unwrap();
    store.audited(entry("3")).open_firmware_door(&door("3", 2)).await.unwrap();
    assert_eq!(open().await, ["2", "3"], "a phone has one");
    let close = AuditEntry { at: NOW.plus_millis(1), ..entry("4") };
    store.audited(close).close_firmware_door("2").await.unwrap();
    let again = store.audited(AuditEntry { at: NOW.plus_millis(2), ..entry("5") }).close_firmware_door("2").await;
    assert!(matches!(again, Err(StoreError::Missing { .. })));
    store.end_firmware_door("3", NOW.plus_millis(3)).await.unwrap();
    assert!(open().await.is_empty());
}

#[tokio::test]
async fn claimed_phones_are_found_by_the_versions_they_run_and_by_a_last_step_that_failed() {
    let scene = Scene::new().await;
    let store = &scene.store;
    let devices = [bound(&scene, 1).await, bound(&scene, 2).await];
    for (n, firmware) in [(1, "6.4.2.3008"), (2, "6.4.8.1"), (3, "6.4.2.3008"), (4, "6.4.2.3009")] {
        let at = NOW.plus_millis(i64::from(n));
        let contact = Some(super::phones::contact(mac(n), Some(firmware), at));
        let entry = provost_core::sentence::action("Hello.".to_owned());
        store.record(&[NewEvent { id: format!("seen-{n}"), mac: mac(n), at, entry, contact }]).await.unwrap();
    }
    let pair = |firmware: &str| ("vvx450".to_owned(), firmware.to_owned());
    let (old, new) = (pair("6.4.2.3008"), pair("6.4.8.1"));
    assert_eq!(store.versions_seen().await.unwrap(), [old.clone(), pair("6.4.2.3009"), new.clone()]);
    let running = async |versions: &[(String, String)], within: &Within| {
        let found = store.phones_running(versions, within, 9).await.unwrap();
        found.into_iter().filter_map(|one| one.device).collect::<Vec<_>>()
    };
    let own = Within::Account(scene.account.clone());
    assert_eq!(running(std::slice::from_ref(&old), &own).await, devices[..1], "the other two are nobody's");
    assert_eq!(
        running(&[old.clone(), new.clone()], &Within::Everything).await,
        [devices[1].clone(), devices[0].clone()]
    );
    assert!(running(&[old], &Within::Nothing).await.is_empty() && running(&[], &own).await.is_empty());

    let failed = async |before: UnixMillis| {
        let query = TroubleQuery { within: &own, kind: TroubleKind::FirmwareFailed, before, limit: 9 };
        store.troubles(query).await.unwrap().into_iter().filter_map(|one| one.device).collect::<Vec<_>>()
    };
    let of_device = |id: &str, at| NewStep { device: Some(devices[0].clone()), at, ..step(id, 1, &scene) };
    assert_eq!(store.offer_firmware_step(&of_device("1", NOW), 9).await.unwrap(), Offer::Offered);
    assert!(failed(NOW).await.is_empty(), "it is under way");
    let end = StepEnd { id: "1", state: StepState::Failed, as_what: "6.4.7.4560", at: NOW };
    assert!(store.end_firmware_step(end).await.unwrap());
    assert_eq!(failed(NOW).await, devices[..1]);
    assert_eq!(store.offer_firmware_step(&of_device("2", NOW), 9).await.unwrap(), Offer::Offered);
    assert!(failed(NOW).await.is_empty(), "it is tried again");
}
