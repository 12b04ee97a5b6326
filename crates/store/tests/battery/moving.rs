//! Moving house: pins that change once, and how far each phone has come.

use super::{NOW, Scene, mac};
use provost_core::facts::Pin;
use provost_core::ids::DeviceId;
use provost_core::sentence;
use provost_core::time::UnixMillis;
use provost_store::{
    Bar, ClaimBy, MoveStanding, MovingBetween, NewEvent, NewMove, Page, PendingMove, Store, StoreError,
};

const OLD: &str = "old.example";
const NEW: &str = "new.example";

fn between() -> MovingBetween {
    let former = Some([OLD.to_owned(), format!("{OLD}:443")]);
    MovingBetween { current: NEW.to_owned(), former }
}

fn no_former() -> MovingBetween {
    MovingBetween { former: None, ..between() }
}

fn pinned(authority: &str) -> Pin {
    Pin::Pinned { authority: authority.to_owned() }
}

fn event(n: u32, id: &str, at: UnixMillis) -> NewEvent {
    let entry = sentence::action(format!("Step {id}."));
    NewEvent { id: id.to_owned(), mac: mac(n), at, entry, contact: None }
}

/// Claims phone `n` and decides its pin; returns its device.
async fn bound(scene: &Scene, n: u32, pin: &Pin) -> DeviceId {
    let device = scene.add_device(n).await;
    scene.claim(n, ClaimBy::PreAssigned(&device)).await;
    scene.store.decide_pin(mac(n), pin, &event(n, &format!("decided-{n}"), NOW)).await.unwrap();
    device
}

async fn lead(store: &Store, n: u32, (pin, to): (&Pin, &str), id: &str) -> Result<Pin, StoreError> {
    let from = if to == NEW { OLD } else { NEW };
    let change = NewMove { mac: mac(n), pin, from, to, told: NOW };
    store.move_pin(&change, &event(n, id, NOW)).await
}

async fn standing(store: &Store, n: u32, between: &MovingBetween) -> MoveStanding {
    store.move_of(mac(n), between).await.unwrap().unwrap().standing
}

async fn steps_told(store: &Store, n: u32) -> usize {
    store.timeline(mac(n), None, 99).await.unwrap().iter().filter(|row| row.sentence.starts_with("Step move")).count()
}

#[tokio::test]
async fn a_pin_moves_once_with_its_sentence_and_only_from_where_it_was_read() {
    let scene = Scene::new().await;
    bound(&scene, 1, &pinned(OLD)).await;
    assert_eq!(standing(&scene.store, 1, &between()).await, MoveStanding::NotYetTold);

    assert_eq!(lead(&scene.store, 1, (&Pin::Undecided, NEW), "move-a").await.unwrap(), pinned(OLD), "read wrongly");
    assert_eq!(lead(&scene.store, 1, (&pinned(OLD), NEW), "move-b").await.unwrap(), pinned(NEW));
    assert_eq!(lead(&scene.store, 1, (&pinned(OLD), NEW), "move-c").await.unwrap(), pinned(NEW), "moved before");

    assert_eq!(scene.store.bound(mac(1)).await.unwrap().unwrap().pin, pinned(NEW));
    assert_eq!(steps_told(&scene.store, 1).await, 1);
    let row = scene.store.move_of(mac(1), &between()).await.unwrap().unwrap();
    assert_eq!((row.standing, row.from.as_deref(), row.told), (MoveStanding::Told, Some(OLD), Some(NOW)));
    assert!(matches!(lead(&scene.store, 9, (&pinned(OLD), NEW), "move-d").await, Err(StoreError::Missing { .. })));
}

#[tokio::test]
async fn undecided_and_left_alone_phones_of_the_former_address_are_pinned_to_the_new_one() {
    let scene = Scene::new().await;
    let left = Pin::LeftAlone { came_in_at: "OLD.example:443".to_owned() };
    bound(&scene, 1, &Pin::Undecided).await;
    bound(&scene, 2, &left).await;
    for n in [1, 2] {
        assert_eq!(standing(&scene.store, n, &between()).await, MoveStanding::NotYetTold);
    }

    assert_eq!(lead(&scene.store, 1, (&Pin::Undecided, NEW), "move-1").await.unwrap(), pinned(NEW));
    assert_eq!(lead(&scene.store, 2, (&left, NEW), "move-2").await.unwrap(), pinned(NEW));
}

#[tokio::test]
async fn each_step_is_noted_once_and_survives_a_restart() {
    let scene = Scene::new().await;
    bound(&scene, 1, &pinned(OLD)).await;
    lead(&scene.store, 1, (&pinned(OLD), NEW), "move-1").await.unwrap();
    let (later, latest) = (NOW.plus_millis(1), NOW.plus_millis(2));
    assert_eq!(scene.store.pending_moves(NEW).await.unwrap(), [PendingMove { mac: mac(1), has_come_back: false }]);

    scene.store.came_back(mac(1), NEW, &event(1, "move-2", later)).await.unwrap();
    scene.store.came_back(mac(1), NEW, &event(1, "move-3", latest)).await.unwrap();
    let pending = scene.store.pending_moves(NEW).await.unwrap();
    assert_eq!(pending, [PendingMove { mac: mac(1), has_come_back: true }]);
    scene.store.arrived(mac(1), OLD, &event(1, "move-4", latest)).await.unwrap();
    assert_eq!(standing(&scene.store, 1, &between()).await, MoveStanding::Told, "that was another address");
    scene.store.arrived(mac(1), NEW, &event(1, "move-5", latest)).await.unwrap();
    scene.store.arrived(mac(1), NEW, &event(1, "move-6", latest.plus_days(1))).await.unwrap();
    scene.store.came_back(mac(1), NEW, &event(1, "move-7", latest)).await.unwrap();
    scene.store.close().await;

    let again = scene.database.open().await.unwrap();
    let row = again.move_of(mac(1), &between()).await.unwrap().unwrap();
    assert_eq!((row.standing, row.back, row.arrived), (MoveStanding::Arrived, Some(later), Some(latest)));
    assert_eq!(steps_told(&again, 1).await, 3, "told, came back, arrived");
    assert_eq!(again.pending_moves(NEW).await.unwrap(), []);
}

#[tokio::test]
async fn counts_and_list_agree_and_the_list_is_paged_by_mac() {
    let scene = Scene::new().await;
    let elsewhere = Pin::LeftAlone { came_in_at: String::new() };
    for (n, pin) in
        [(1, pinned(OLD)), (2, pinned(OLD)), (3, pinned(OLD)), (4, pinned(NEW)), (5, pinned("third.example"))]
    {
        bound(&scene, n, &pin).await;
    }
    bound(&scene, 6, &elsewhere).await;
    bound(&scene, 7, &Pin::Undecided).await;
    for n in [2, 3] {
        lead(&scene.store, n, (&pinned(OLD), NEW), &format!("move-{n}")).await.unwrap();
    }
    scene.store.arrived(mac(3), NEW, &event(3, "arrived", NOW)).await.unwrap();

    let mut counts = scene.store.move_counts(&between()).await.unwrap();
    counts.sort();
    assert_eq!(
        counts,
        [
            (MoveStanding::NotYetTold, 2),
            (MoveStanding::Told, 1),
            (MoveStanding::Arrived, 1),
            (MoveStanding::AtHome, 1),
            (MoveStanding::Elsewhere, 1),
            (MoveStanding::LeftAlone, 1),
        ]
    );
    let macs = |rows: Vec<provost_store::MoveRow>| rows.into_iter().map(|row| row.mac).collect::<Vec<_>>();
    let first = macs(scene.store.not_arrived(&between(), Page { after: "", limit: 2 }).await.unwrap());
    let after = mac(2).to_string();
    let rest = macs(scene.store.not_arrived(&between(), Page { after: &after, limit: 2 }).await.unwrap());
    assert_eq!((first, rest), (vec![mac(1), mac(2)], vec![mac(7)]));

    let without = scene.store.move_counts(&no_former()).await.unwrap();
    assert!(without.contains(&(MoveStanding::Undecided, 1)) && without.contains(&(MoveStanding::Elsewhere, 2)));
    assert_eq!(macs(scene.store.not_arrived(&no_former(), Page::FIRST).await.unwrap()), [mac(2)], "still watched");
}

#[tokio::test]
async fn swapped_addresses_move_a_phone_back_and_start_its_progress_over() {
    let scene = Scene::new().await;
    bound(&scene, 1, &pinned(OLD)).await;
    lead(&scene.store, 1, (&pinned(OLD), NEW), "move-1").await.unwrap();
    scene.store.arrived(mac(1), NEW, &event(1, "move-2", NOW)).await.unwrap();
    let swapped = MovingBetween { current: OLD.to_owned(), former: Some([NEW.to_owned(), format!("{NEW}:443")]) };
    assert_eq!(standing(&scene.store, 1, &swapped).await, MoveStanding::NotYetTold);

    assert_eq!(lead(&scene.store, 1, (&pinned(NEW), OLD), "move-3").await.unwrap(), pinned(OLD));

    let row = scene.store.move_of(mac(1), &swapped).await.unwrap().unwrap();
    assert_eq!((row.standing, row.from.as_deref(), row.arrived), (MoveStanding::Told, Some(NEW), None));
}

#[tokio::test]
async fn barred_phones_are_waited_for_again_when_they_are_served_again() {
    let scene = Scene::new().await;
    let mut devices = Vec::new();
    for (n, pin) in [(1, Pin::Undecided), (2, pinned(OLD)), (3, pinned(OLD)), (4, pinned(OLD)), (5, pinned(NEW))] {
        devices.push(bound(&scene, n, &pin).await);
    }
    for n in [3, 4] {
        lead(&scene.store, n, (&pinned(OLD), NEW), &format!("move-{n}")).await.unwrap();
    }
    scene.store.arrived(mac(4), NEW, &event(4, "arrived", NOW)).await.unwrap();
    for (device, bar) in devices.iter().zip([Bar::Disabled, Bar::Quarantined].into_iter().cycle()) {
        scene.store.bar_device(device, Some(bar)).await.unwrap();
    }

    let mut counts = scene.store.move_counts(&between()).await.unwrap();
    counts.sort();
    assert_eq!(counts, [(MoveStanding::Arrived, 1), (MoveStanding::AtHome, 1), (MoveStanding::Barred, 3)]);
    assert_eq!(scene.store.not_arrived(&between(), Page::FIRST).await.unwrap(), []);

    for device in &devices {
        scene.store.bar_device(device, None).await.unwrap();
    }
    for (n, expected) in [(1, MoveStanding::NotYetTold), (2, MoveStanding::NotYetTold), (3, MoveStanding::Told)] {
        assert_eq!(standing(&scene.store, n, &between()).await, expected);
    }
}
