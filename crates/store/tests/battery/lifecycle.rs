//! What becomes of a device: another user, another phone, release, removal, and the way back; and its passwords.

use super::{NOW, Scene, device_id, id, mac, new_site, new_user, request};
use provost_core::entry::{NewDevice, NewSite};
use provost_core::ids::{DeviceId, UserId};
use provost_core::lifecycle::DeviceState;
use provost_core::mac::MacAddr;
use provost_core::sentence::{self, Entry};
use provost_core::time::UnixMillis;
use provost_store::{
    AuditEntry, AwaitedRow, Bar, ChangeRefusal, ClaimBy, ClaimOutcome, ClaimRefusal, DeviceChange, Ended, NewCode,
    NewEvent, NewPasswords, Page, PendingPasswords, RemovalRefusal, Restored, RotationRefusal, StandingRow, StoreError,
    Swap, UserDevice, Which, Within,
};

const LATER: UnixMillis = UnixMillis(NOW.0 + 5000);
const NO_MAC: Swap<'static> = Swap { mac: None, code: None };

fn audit(n: &str) -> AuditEntry {
    AuditEntry {
        id: format!("audit-{n}"),
        at: LATER,
        who: "tester".to_owned(),
        what: n.to_owned(),
        why: None,
        from: "this machine".to_owned(),
        account: None,
        site: None,
        request: None,
    }
}

fn tell(of: MacAddr) -> Entry {
    sentence::action(format!("Changed {of}."))
}

fn change<'a>(device: &'a DeviceId, event_id: &'a str) -> DeviceChange<'a> {
    DeviceChange { device, now: LATER, event_id, tell: &tell, carried: &[] }
}

fn event(n: u32, event_id: &str) -> NewEvent {
    NewEvent { id: event_id.to_owned(), mac: mac(n), at: LATER, entry: tell(mac(n)), contact: None }
}

impl Scene {
    /// A device for the scene's user, bound to phone 7.
    async fn bound(&self) -> DeviceId {
        let device = self.add_device(1).await;
        self.issue(&device, b"code").await;
        assert_eq!(self.claim(7, ClaimBy::Code(b"code")).await, ClaimOutcome::Claimed(device.clone()));
        device
    }

    async fn second_user(&self) -> UserId {
        let second: UserId = id("user", 2);
        self.store.add_user(&second, &new_user(&self.site, "1002"), &[], NOW).await.unwrap();
        second
    }

    async fn state(&self, device: &DeviceId) -> DeviceState {
        self.store.device(device).await.unwrap().unwrap().state
    }

    /// Whether the audit log and the phone's timeline hold an entry each for this change, or neither does.
    async fn is_told(&self, n: u32, what: &str) -> (bool, bool) {
        let audit = self.store.audit(&Within::Everything, Page::FIRST).await.unwrap();
        let timeline = self.store.timeline(mac(n), None, 50).await.unwrap();
        (audit.iter().any(|row| row.what == what), timeline.iter().any(|row| row.id == what))
    }

    async fn release(&self, device: &DeviceId, what: &str) -> Result<Option<MacAddr>, ChangeRefusal> {
        self.store.audited(audit(what)).release_device(change(device, what)).await.unwrap()
    }

    async fn restore(&self, device: &DeviceId, what: &str) -> Result<Restored, ChangeRefusal> {
        self.store.audited(audit(what)).restore_device(change(device, what), None, NOW).await.unwrap()
    }
}

#[tokio::test]
async fn a_device_moves_to_another_user_with_its_phone_and_an_open_code_does_not() {
    let scene = Scene::new().await;
    let (device, second) = (scene.bound().await, scene.second_user().await);
    let stock = scene.add_device(2).await;
    scene.issue(&stock, b"for the first").await;

    let unbound_only =
        scene.store.audited(audit("a")).move_device(change(&device, "a"), &second, Which::Unbound).await.unwrap();
    let moved = scene.store.audited(audit("b")).move_device(change(&device, "b"), &second, Which::Any).await.unwrap();
    let assigned =
        scene.store.audited(audit("c")).move_device(change(&stock, "c"), &second, Which::Unbound).await.unwrap();

    assert_eq!((unbound_only, moved, assigned), (Err(ChangeRefusal::HasPhone), Ok(Some(mac(7))), Ok(None)));
    assert_eq!(scene.is_told(7, "a").await, (false, false), "what was refused is told nowhere");
    assert_eq!(scene.is_told(7, "b").await, (true, true));
    assert_eq!(scene.store.bound(mac(7)).await.unwrap().unwrap().user.as_deref(), Some(second.as_str()));
    assert_eq!(
        scene.claim(8, ClaimBy::Code(b"for the first")).await,
        ClaimOutcome::Refused(ClaimRefusal::Voided),
        "whoever has the code would become the second user"
    );
    let no_user: UserId = id("user", 9);
    let missing = scene.store.audited(audit("d")).move_device(change(&device, "d"), &no_user, Which::Any).await;
    assert!(matches!(missing, Err(StoreError::Missing { .. })), "{missing:?}");
    let no_device = device_id(9);
    let missing = scene.store.audited(audit("e")).move_device(change(&no_device, "e"), &second, Which::Any).await;
    assert!(matches!(missing, Err(StoreError::Missing { .. })), "{missing:?}");
}

#[tokio::test]
async fn a_device_goes_back_to_stock_and_its_phone_is_nobodys() {
    let scene = Scene::new().await;
    let device = scene.bound().await;

    let phone = scene.store.audited(audit("a")).unassign_device(change(&device, "a")).await.unwrap();

    assert_eq!(phone, Ok(Some(mac(7))));
    assert_eq!(scene.is_told(7, "a").await, (true, true));
    assert_eq!(scene.state(&device).await, DeviceState::Added);
    assert_eq!(scene.store.standing(mac(7)).await.unwrap(), StandingRow::Unbound(Vec::new()));
    assert_eq!(scene.store.awaited().await.unwrap(), [], "nobody waits for it");
    assert_eq!(scene.store.passwords_of_device(&device).await.unwrap().len(), 1, "its password is kept");
    assert_eq!(
        scene.claim(7, ClaimBy::Code(b"code")).await,
        ClaimOutcome::Refused(ClaimRefusal::UsedUp),
        "its old code is used up, also for the same phone"
    );
    let history = scene.store.phones_of_device(&device).await.unwrap();
    assert_eq!(history[0].ended, Some((LATER, Ended::Unassigned)));
}

#[tokio::test]
async fn a_swap_keeps_the_device_and_sets_the_old_phone_aside() {
    let scene = Scene::new().await;
    let device = scene.bound().await;
    scene.store.replace_upload(mac(7), ("0004f2000007-directory.xml", b"friends"), NOW).await.unwrap();
    scene.store.append_upload(mac(7), ("0004f2000007-app.log", b"log"), NOW).await.unwrap();
    let carried = ["0004f2000007-directory.xml".to_owned()];
    let code = NewCode { device: &device, digest: b"new", shown: b"s", issued: LATER, expires: LATER.plus_days(1) };

    let swap = Swap { mac: None, code: Some(&code) };
    let with = DeviceChange { carried: &carried, ..change(&device, "a") };
    let old = scene.store.audited(audit("a")).swap_device(with, swap).await.unwrap();

    assert_eq!(old, Ok(mac(7)));
    assert_eq!(scene.is_told(7, "a").await, (true, true));
    let aside = StandingRow::SetAside { device: device.clone(), since: LATER };
    assert_eq!(scene.store.standing(mac(7)).await.unwrap(), aside);
    assert_eq!(scene.store.set_aside_from(mac(7)).await.unwrap(), Some(device.clone()));
    assert_eq!(scene.claim(7, ClaimBy::Code(b"new")).await, ClaimOutcome::Refused(ClaimRefusal::Barred));
    assert_eq!(scene.claim(8, ClaimBy::Code(b"new")).await, ClaimOutcome::Claimed(device.clone()));
    assert_eq!(scene.store.bound(mac(8)).await.unwrap().unwrap().user.as_deref(), Some(scene.user.as_str()));
    let friends = scene.store.upload(mac(8), "0004f2000008-directory.xml").await.unwrap();
    assert_eq!(friends.as_deref(), Some(&b"friends"[..]), "what its user changed came along");
    assert_eq!(scene.store.uploads(mac(8)).await.unwrap().len(), 1, "the log did not");
    let history: Vec<_> = scene.store.phones_of_device(&device).await.unwrap();
    assert_eq!(
        history.iter().map(|phone| phone.mac).collect::<std::collections::BTreeSet<_>>(),
        [mac(7), mac(8)].into()
    );
    let seen = scene.store.timeline_between(mac(7), (NOW, LATER), ("", 9)).await.unwrap();
    assert_eq!(seen.len(), 2, "claim and swap: {seen:?}");

    assert!(scene.store.audited(audit("r")).readmit_phone(&event(7, "r")).await.unwrap());
    assert!(!scene.store.audited(audit("s")).readmit_phone(&event(7, "s")).await.unwrap(), "it is in already");
    assert_eq!((scene.is_told(7, "r").await, scene.is_told(7, "s").await), ((true, true), (false, false)));
    assert_eq!(scene.store.standing(mac(7)).await.unwrap(), StandingRow::Unbound(Vec::new()));
}

#[tokio::test]
async fn a_swap_is_refused_whole_with_its_reason() {
    let scene = Scene::new().await;
    let (device, stock) = (scene.bound().await, scene.add_device(2).await);
    let third = NewDevice { mac: Some(mac(9)), ..scene.device() };
    scene.store.add_device(&device_id(3), &third, NOW).await.unwrap();
    let swap = async |of: &DeviceId, with: Swap<'_>| {
        scene.store.audited(audit("x")).swap_device(change(of, "x"), with).await.unwrap()
    };
    let to = |n| Swap { mac: Some(mac(n)), code: None };

    assert_eq!(swap(&stock, NO_MAC).await, Err(ChangeRefusal::NoPhone));
    assert_eq!(swap(&device, to(7)).await, Err(ChangeRefusal::SamePhone));
    assert_eq!(swap(&device, to(9)).await, Err(ChangeRefusal::PhoneNamed(mac(9))));
    scene.claim(9, ClaimBy::PreAssigned(&device_id(3))).await;
    assert_eq!(swap(&device, to(9)).await, Err(ChangeRefusal::PhoneTaken(mac(9))));
    scene.store.bar_device(&device, Some(Bar::Disabled)).await.unwrap();
    assert_eq!(swap(&device, to(8)).await, Err(ChangeRefusal::Disabled));
    assert_eq!(scene.is_told(7, "x").await, (false, false));
    assert_eq!(scene.store.phone_of(&device).await.unwrap(), Some(mac(7)));

    scene.store.bar_device(&device, Some(Bar::Quarantined)).await.unwrap();
    assert_eq!(swap(&device, to(8)).await, Ok(mac(7)), "a lost phone is quarantined first");
    assert_eq!(scene.claim(8, ClaimBy::PreAssigned(&device)).await, ClaimOutcome::Claimed(device.clone()));
    let back = scene.store.audited(audit("y")).swap_device(change(&device, "y"), to(7)).await.unwrap();
    assert_eq!(back, Err(ChangeRefusal::PhoneSetAside(mac(7))));
}

#[tokio::test]
async fn a_released_device_comes_back_as_it_was() {
    let scene = Scene::new().await;
    let device = scene.bound().await;
    let before = scene.store.bound(mac(7)).await.unwrap().unwrap();

    assert_eq!(scene.release(&device, "a").await, Ok(Some(mac(7))));
    assert_eq!(scene.is_told(7, "a").await, (true, true));
    assert_eq!(scene.state(&device).await, DeviceState::Released);
    assert_eq!(scene.store.standing(mac(7)).await.unwrap(), StandingRow::Unbound(Vec::new()));
    assert_eq!(scene.release(&device, "b").await, Err(ChangeRefusal::Released(LATER)));
    let second = scene.second_user().await;
    let moved = scene.store.audited(audit("c")).move_device(change(&device, "c"), &second, Which::Any).await.unwrap();
    assert_eq!(moved, Err(ChangeRefusal::Released(LATER)));
    let listed = scene.store.releases(&Within::Everything, Page::FIRST).await.unwrap();
    assert_eq!((listed.len(), &listed[0].device, listed[0].mac), (1, &device, Some(mac(7))));

    let restored = scene.restore(&device, "d").await.unwrap();

    assert_eq!(restored, Restored { phone: Some(mac(7)), passwords: Some(before.passwords.clone()) });
    assert_eq!(scene.is_told(7, "d").await, (true, true));
    assert_eq!(scene.store.bound(mac(7)).await.unwrap(), Some(before));
    assert_eq!(scene.state(&device).await, DeviceState::Activated);
    assert_eq!(scene.store.release_of(&device).await.unwrap(), None);
    assert_eq!(scene.restore(&device, "e").await, Err(ChangeRefusal::NotReleased));
}

#[tokio::test]
async fn a_restore_is_refused_when_it_is_too_late_or_phone_or_user_are_gone() {
    let scene = Scene::new().await;
    let device = scene.bound().await;
    scene.release(&device, "a").await.unwrap();

    let late = scene.store.audited(audit("b")).restore_device(change(&device, "b"), None, LATER.plus_millis(1)).await;
    assert_eq!(late.unwrap(), Err(ChangeRefusal::TooLate { released: LATER }));

    let other = scene.add_device(2).await;
    scene.issue(&other, b"other").await;
    let claimed = scene.store.claim(&request(7, ClaimBy::Code(b"other"), "again")).await.unwrap();
    assert_eq!(claimed, ClaimOutcome::Claimed(other.clone()));
    assert_eq!(scene.restore(&device, "c").await, Err(ChangeRefusal::PhoneTaken(mac(7))));
    scene.release(&other, "d").await.unwrap();

    let second = scene.second_user().await;
    scene.store.audited(audit("u")).remove_user(&scene.user).await.unwrap().unwrap();
    assert_eq!(scene.restore(&device, "e").await, Err(ChangeRefusal::UserGone));
    let for_another = scene.store.audited(audit("f")).restore_device(change(&device, "f"), Some(&second), NOW).await;
    assert_eq!(for_another.unwrap().unwrap().phone, Some(mac(7)));
    assert_eq!(scene.store.bound(mac(7)).await.unwrap().unwrap().user.as_deref(), Some(second.as_str()));
    assert!(scene.store.pending_passwords().await.unwrap().len() == 1, "it may hold what the other device gave it");
}

#[tokio::test]
async fn a_device_is_removed_when_it_was_released_or_never_had_a_phone_and_can_be_restored() {
    let scene = Scene::new().await;
    let (device, stock) = (scene.bound().await, scene.add_device(2).await);
    scene.issue(&stock, b"stock").await;
    let remove =
        async |of: &DeviceId, what: &str| scene.store.audited(audit(what)).remove_device(change(of, what)).await;

    assert_eq!(remove(&device, "a").await.unwrap(), Err(ChangeRefusal::StillKept));
    assert_eq!(remove(&stock, "b").await.unwrap(), Ok(()));
    scene.release(&device, "c").await.unwrap();
    assert_eq!(remove(&device, "d").await.unwrap(), Ok(()));

    assert_eq!(scene.store.devices(&Within::Everything, Page::FIRST).await.unwrap(), []);
    assert!(matches!(remove(&device, "e").await, Err(StoreError::Missing { .. })));
    assert_eq!(scene.claim(8, ClaimBy::Code(b"stock")).await, ClaimOutcome::Refused(ClaimRefusal::UnknownCode));
    assert_eq!(scene.store.passwords_of_device(&device).await.unwrap().len(), 1, "passwords stay");
    assert_eq!(scene.store.device_of_passwords(mac(7)).await.unwrap(), Some(device.clone()));
    assert_eq!(scene.store.release_of(&device).await.unwrap().unwrap().removed, Some(LATER));

    assert_eq!(scene.restore(&device, "f").await.unwrap().phone, Some(mac(7)));
    assert_eq!(scene.restore(&stock, "g").await.unwrap().phone, None);
    assert_eq!(
        (scene.state(&device).await, scene.state(&stock).await),
        (DeviceState::Activated, DeviceState::Assigned)
    );
    let missing = scene.store.audited(audit("h")).restore_device(change(&device_id(9), "h"), None, NOW).await;
    assert!(matches!(missing, Err(StoreError::Missing { .. })), "{missing:?}");
}

#[tokio::test]
async fn what_another_devices_user_left_on_a_phone_goes_when_it_is_claimed_for_this_one() {
    let scene = Scene::new().await;
    let (device, other) = (scene.bound().await, scene.add_device(2).await);
    scene.store.append_upload(mac(7), ("0004f2000007-app.log", b"calls"), NOW).await.unwrap();
    scene.release(&device, "a").await.unwrap();
    assert_eq!(scene.store.uploads(mac(7)).await.unwrap().len(), 1);

    scene.issue(&other, b"other").await;
    scene.store.claim(&request(7, ClaimBy::Code(b"other"), "again")).await.unwrap();

    assert_eq!(scene.store.uploads(mac(7)).await.unwrap(), []);
}

#[tokio::test]
async fn old_and_new_passwords_are_kept_until_the_phone_has_the_new_ones() {
    let scene = Scene::new().await;
    let device = scene.bound().await;
    let first = scene.store.bound(mac(7)).await.unwrap().unwrap().passwords;
    let pending = |id: &str, is_fetched| [PendingPasswords { mac: mac(7), id: id.to_owned(), is_fetched }];
    assert_eq!(scene.store.pending_passwords().await.unwrap(), pending(&first, false));
    scene.store.passwords_taken(&first, &event(7, "early")).await.unwrap();
    assert_eq!(scene.store.pending_passwords().await.unwrap(), pending(&first, false), "it has not read them");
    scene.store.passwords_fetched(&first, LATER).await.unwrap();
    scene.store.passwords_taken(&first, &event(7, "first")).await.unwrap();
    assert_eq!(scene.store.pending_passwords().await.unwrap(), []);
    assert_eq!(scene.is_told(7, "first").await, (false, false), "there were none before");

    let new = NewPasswords { id: "second", admin: b"a2", user: b"u2", admin_digest: b"d2", made: LATER };
    assert!(!scene.store.is_admin_password_known(b"d2").await.unwrap());
    let rotate = async |of: &DeviceId, n| {
        scene.store.audited(audit("rotated")).rotate_passwords(of, &new, &event(n, "rotated")).await.unwrap()
    };
    assert_eq!(rotate(&device, 8).await, Err(RotationRefusal::NoPhone), "another phone has it");
    assert_eq!(rotate(&device, 7).await, Ok(()));
    assert_eq!(scene.is_told(7, "rotated").await, (true, true));
    assert!(scene.store.is_admin_password_known(b"d2").await.unwrap());
    assert_eq!(scene.store.bound(mac(7)).await.unwrap().unwrap().admin_password, b"a2");
    let both = scene.store.passwords_of_device(&device).await.unwrap();
    assert_eq!(both.iter().map(|row| row.admin.as_slice()).collect::<Vec<_>>(), [&b"a2"[..], b"admin sealed"]);
    assert!(both.iter().all(|row| row.replaced.is_none()), "{both:?}");

    scene.store.passwords_fetched("second", LATER.plus_millis(1)).await.unwrap();
    scene.store.passwords_fetched("second", LATER.plus_millis(9)).await.unwrap();
    assert_eq!(scene.store.pending_passwords().await.unwrap(), pending("second", true));
    scene.store.passwords_taken("second", &event(7, "taken")).await.unwrap();

    let both = scene.store.passwords_of_device(&device).await.unwrap();
    let standing: Vec<_> = both.iter().map(|row| (row.fetched, row.taken.is_some(), row.replaced.is_some())).collect();
    assert_eq!(standing, [(Some(LATER.plus_millis(1)), true, false), (Some(LATER), true, true)]);
    assert!(scene.is_told(7, "taken").await.1);
}

#[tokio::test]
async fn users_and_sites_change_and_go_when_they_are_not_used() {
    let scene = Scene::new().await;
    let device = scene.bound().await;
    let second = scene.second_user().await;
    let devices = scene.store.devices_of_user(&scene.user).await.unwrap();
    assert_eq!(devices, [UserDevice { device: device.clone(), model: "vvx450".to_owned(), phone: Some(mac(7)) }]);
    assert_eq!(scene.store.phones_at_site(&scene.site).await.unwrap(), 1);

    let mut changed = new_user(&scene.site, "1003");
    changed.lines.truncate(1);
    let change = |of: &UserId, user, what: &'static str| {
        let (store, of) = (scene.store.clone(), of.clone());
        async move { store.audited(audit(what)).change_user(&of, &user, &[Some(vec![9])], &[event(7, what)]).await }
    };
    change(&scene.user, changed, "u").await.unwrap();
    let row = scene.store.user(&scene.user).await.unwrap().unwrap();
    assert_eq!((row.extension.as_str(), row.lines.len(), &row.lines[0].password), ("1003", 1, &Some(vec![9])));
    assert_eq!(scene.is_told(7, "u").await, (true, true));
    let taken = change(&second, new_user(&scene.site, "1003"), "t").await;
    assert!(matches!(taken, Err(StoreError::Exists { .. })), "{taken:?}");
    let missing = change(&id("user", 9), new_user(&scene.site, "1009"), "m").await;
    assert!(matches!(missing, Err(StoreError::Missing { .. })), "{missing:?}");

    let servers = new_site(&scene.account).sip_servers;
    let site =
        NewSite { name: "Graz".to_owned(), vlan: None, sip_servers: servers[1..].to_vec(), ..new_site(&scene.account) };
    scene.store.audited(audit("s")).change_site(&scene.site, &site).await.unwrap();
    assert_eq!(scene.store.site(&scene.site).await.unwrap().unwrap().site, site);
    let missing = scene.store.audited(audit("n")).change_site(&id("site", 9), &site).await;
    assert!(matches!(missing, Err(StoreError::Missing { .. })), "{missing:?}");

    let remove_site = async |what: &str| scene.store.audited(audit(what)).remove_site(&scene.site).await.unwrap();
    assert_eq!(remove_site("r").await, Err(RemovalRefusal::Users(2)));
    let remove_user = async |user: &UserId, what: &str| scene.store.audited(audit(what)).remove_user(user).await;
    assert_eq!(remove_user(&scene.user, "v").await.unwrap(), Err(RemovalRefusal::Devices(1)));
    scene.release(&device, "w").await.unwrap();
    for (user, what) in [(&scene.user, "x"), (&second, "y")] {
        assert_eq!(remove_user(user, what).await.unwrap(), Ok(()));
    }
    assert!(matches!(remove_user(&second, "z").await, Err(StoreError::Missing { .. })));
    assert_eq!(remove_site("q").await, Ok(()));
    assert_eq!(scene.store.site(&scene.site).await.unwrap(), None);
}

#[tokio::test]
async fn a_phone_that_is_waited_for_is_not_any_more_once_it_is_nobodys() {
    let scene = Scene::new().await;
    let device = scene.bound().await;
    assert_eq!(scene.store.awaited().await.unwrap(), [AwaitedRow { mac: mac(7), since: NOW, noted: None }]);

    scene.release(&device, "a").await.unwrap();

    assert_eq!(scene.store.awaited().await.unwrap(), []);
}
