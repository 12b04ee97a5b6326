//! Accounts, sites, users, devices, codes, tokens and named values.

use super::{NOW, Scene, device_id, id, mac, new_site, new_user};
use provost_core::entry::NewDevice;
use provost_core::ids::{AccountId, SiteId, UserId};
use provost_core::lifecycle::DeviceState;
use provost_core::rights::Scope;
use provost_store::{Bar, ClaimBy, CodeRefusal, FoundPlace, NewCode, Page, StoreError};

#[tokio::test]
async fn what_was_entered_is_read_back_whole() {
    let scene = Scene::new().await;

    let accounts = scene.store.accounts(&provost_store::Within::Everything, Page::FIRST).await.unwrap();
    let site = scene.store.site(&scene.site).await.unwrap().unwrap();
    let user = scene.store.user(&scene.user).await.unwrap().unwrap();

    assert_eq!((accounts[0].id.clone(), accounts[0].name.as_str()), (scene.account.clone(), "Acme"));
    assert_eq!(site.site, new_site(&scene.account));
    assert_eq!((&user.site, &user.account, user.extension.as_str()), (&scene.site, &scene.account, "1001"));
    let lines: Vec<_> = user.lines.iter().map(|line| (line.sip_user.as_str(), line.password.clone())).collect();
    assert_eq!(lines, [("1001", Some(vec![1, 2])), ("1050", None)]);
    assert_eq!(scene.store.site(&id("site", 9)).await.unwrap(), None);
    assert_eq!(scene.store.user(&id("user", 9)).await.unwrap(), None);
    assert_eq!(scene.store.device(&device_id(9)).await.unwrap(), None);
}

#[tokio::test]
async fn lists_are_paged_by_id_and_filtered() {
    let scene = Scene::new().await;
    let other: AccountId = id("account", 2);
    scene.store.add_account(&other, "Other", None, NOW).await.unwrap();
    for n in 2..=5 {
        let account = if n % 2 == 0 { &other } else { &scene.account };
        scene.store.add_site(&id("site", n), &new_site(account), NOW).await.unwrap();
        scene.store.add_user(&id("user", n), &new_user(&scene.site, &format!("100{n}")), &[], NOW).await.unwrap();
        scene.add_device(n).await;
    }

    let first = scene.store.sites(&provost_store::Within::Everything, Page { after: "", limit: 3 }).await.unwrap();
    let rest = scene
        .store
        .sites(&provost_store::Within::Everything, Page { after: first[2].id.as_str(), limit: 3 })
        .await
        .unwrap();
    let theirs = scene.store.sites(&provost_store::Within::Account(other.clone()), Page::FIRST).await.unwrap();
    let ids: Vec<SiteId> = first.into_iter().chain(rest).map(|row| row.id).collect();
    assert_eq!(ids, (1..=5).map(|n| id("site", n)).collect::<Vec<SiteId>>());
    assert_eq!(theirs.iter().map(|row| row.id.clone()).collect::<Vec<_>>(), [id("site", 2), id("site", 4)]);
    assert_eq!(
        scene
            .store
            .accounts(&provost_store::Within::Everything, Page { after: scene.account.as_str(), limit: 9 })
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        scene
            .store
            .users(&provost_store::Within::Site(scene.site.clone()), Page { after: "", limit: 2 })
            .await
            .unwrap()
            .len(),
        2
    );
    assert_eq!(scene.store.users(&provost_store::Within::Site(id("site", 2)), Page::FIRST).await.unwrap(), []);
    assert_eq!(
        scene
            .store
            .users(&provost_store::Within::Everything, Page { after: "user_01jd0ck3v80000000000000004", limit: 9 })
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        scene.store.devices(&provost_store::Within::Everything, Page { after: "", limit: 3 }).await.unwrap().len(),
        3
    );
    assert_eq!(
        scene.store.devices(&provost_store::Within::Account(scene.account.clone()), Page::FIRST).await.unwrap().len(),
        4
    );
    assert_eq!(scene.store.devices(&provost_store::Within::Account(other.clone()), Page::FIRST).await.unwrap(), []);
}

#[tokio::test]
async fn an_extension_is_taken_once_a_site() {
    let scene = Scene::new().await;
    scene.store.add_site(&id("site", 2), &new_site(&scene.account), NOW).await.unwrap();

    let again = scene.store.add_user(&id("user", 2), &new_user(&scene.site, "1001"), &[], NOW).await;
    let elsewhere = scene.store.add_user(&id("user", 3), &new_user(&id("site", 2), "1001"), &[], NOW).await;

    assert!(matches!(again, Err(StoreError::Exists { .. })), "{again:?}");
    elsewhere.unwrap();
    assert_eq!(scene.store.user(&id("user", 2)).await.unwrap(), None);
}

#[tokio::test]
async fn a_mac_is_named_once_an_account_and_other_accounts_do_not_notice() {
    let scene = Scene::new().await;
    let other: AccountId = id("account", 2);
    scene.store.add_account(&other, "Other", None, NOW).await.unwrap();
    let named =
        |account: &AccountId| NewDevice { account: account.clone(), mac: Some(mac(1)), user: None, ..scene.device() };
    scene.store.add_device(&device_id(1), &named(&scene.account), NOW).await.unwrap();

    let again = scene.store.add_device(&device_id(2), &named(&scene.account), NOW).await;
    let elsewhere = scene.store.add_device(&device_id(3), &named(&other), NOW).await;

    assert!(matches!(again, Err(StoreError::Exists { .. })), "{again:?}");
    elsewhere.unwrap();
}

#[tokio::test]
async fn what_refers_to_nothing_is_refused() {
    let scene = Scene::new().await;
    let missing =
        |result: Result<(), StoreError>| assert!(matches!(result, Err(StoreError::Missing { .. })), "{result:?}");

    missing(scene.store.add_site(&id("site", 2), &new_site(&id("account", 9)), NOW).await);
    missing(scene.store.add_user(&id("user", 2), &new_user(&id("site", 9), "1002"), &[], NOW).await);
    let nobody: UserId = id("user", 9);
    missing(scene.store.add_device(&device_id(2), &NewDevice { user: Some(nobody), ..scene.device() }, NOW).await);
    missing(scene.store.bar_device(&device_id(9), Some(Bar::Disabled)).await);
}

#[tokio::test]
async fn colleagues_are_the_others_of_the_site_by_name() {
    let scene = Scene::new().await;
    scene.store.add_site(&id("site", 2), &new_site(&scene.account), NOW).await.unwrap();
    for (n, site, extension) in [(2, 1, "1003"), (3, 1, "1002"), (4, 2, "1004")] {
        scene.store.add_user(&id("user", n), &new_user(&id("site", site), extension), &[], NOW).await.unwrap();
    }

    let colleagues = scene.store.colleagues(&scene.site, &scene.user).await.unwrap();

    let pair = |extension: &str| (format!("User {extension}"), extension.to_owned());
    assert_eq!(colleagues, [pair("1002"), pair("1003")]);
}

#[tokio::test]
async fn a_device_shows_its_state_and_can_be_barred_and_served_again() {
    let scene = Scene::new().await;
    let device = scene.add_device(1).await;
    scene.store.add_device(&device_id(2), &NewDevice { user: None, ..scene.device() }, NOW).await.unwrap();
    let state = async |n| scene.store.device(&device_id(n)).await.unwrap().unwrap().state;

    assert_eq!((state(1).await, state(2).await), (DeviceState::Assigned, DeviceState::Added));
    scene.store.bar_device(&device, Some(Bar::Disabled)).await.unwrap();
    assert_eq!(state(1).await, DeviceState::Disabled);
    scene.store.bar_device(&device, Some(Bar::Quarantined)).await.unwrap();
    assert_eq!(state(1).await, DeviceState::Quarantined);
    scene.store.bar_device(&device, None).await.unwrap();
    assert_eq!(state(1).await, DeviceState::Assigned);
    let row = scene.store.device(&device).await.unwrap().unwrap();
    assert_eq!((row.user_name.as_deref(), row.site_name.as_deref()), (Some("User 1001"), Some("Vienna")));
}

#[tokio::test]
async fn a_new_code_voids_the_old_one() {
    let scene = Scene::new().await;
    let device = scene.add_device(1).await;
    let issue = async |digest: &[u8], shown: &[u8]| {
        let code = NewCode { device: &device, digest, shown, issued: NOW, expires: NOW.plus_days(1) };
        scene.store.issue_code(&code).await
    };

    issue(b"one", b"shown one").await.unwrap().unwrap();
    issue(b"two", b"shown two").await.unwrap().unwrap();

    let open = scene.store.devices(&provost_store::Within::Everything, Page::FIRST).await.unwrap();
    assert_eq!(
        open.iter().map(|row| row.code.clone()).collect::<Vec<_>>(),
        [Some((b"shown two".to_vec(), NOW.plus_days(1)))]
    );
    // Digits drawn a second time change nothing: the open code stays open.
    let again = issue(b"one", b"shown three").await;
    assert!(matches!(again, Err(StoreError::Exists { .. })), "{again:?}");
    assert_eq!(scene.store.device(&device).await.unwrap().unwrap().code.unwrap().0, b"shown two");
}

#[tokio::test]
async fn a_code_is_issued_from_saved_state_only() {
    let scene = Scene::new().await;
    let [barred, bound] = [scene.add_device(1).await, scene.add_device(2).await];
    scene.store.add_device(&device_id(3), &NewDevice { user: None, ..scene.device() }, NOW).await.unwrap();
    scene.store.bar_device(&barred, Some(Bar::Quarantined)).await.unwrap();
    scene.claim(2, ClaimBy::PreAssigned(&bound)).await;
    let refusal = async |n| {
        let code = NewCode { device: &device_id(n), digest: b"d", shown: b"s", issued: NOW, expires: NOW.plus_days(1) };
        scene.store.issue_code(&code).await.unwrap().unwrap_err()
    };

    assert_eq!(refusal(1).await, CodeRefusal::Barred);
    assert_eq!(refusal(2).await, CodeRefusal::Bound);
    assert_eq!(refusal(3).await, CodeRefusal::NoUser);
    assert_eq!(refusal(9).await, CodeRefusal::NoDevice);
}

#[tokio::test]
async fn tokens_and_named_values_are_kept() {
    let scene = Scene::new().await;

    scene.store.set_meta("key", "1").await.unwrap();
    scene.store.set_meta("key", "2").await.unwrap();

    assert_eq!(scene.store.meta("key").await.unwrap().as_deref(), Some("2"));
    assert_eq!(scene.store.meta("none").await.unwrap(), None);
}

#[tokio::test]
async fn sites_and_accounts_are_found_by_the_beginning_of_their_name_within_the_scope() {
    let scene = Scene::new().await;
    let (account, site) = (id::<AccountId>("account", 1), id::<SiteId>("site", 1));
    let found = async |scope: Scope, begins: &str| {
        let within = scene.store.within(&scope).await.unwrap();
        let (sites, accounts) = scene.store.places_called(&within, begins, 5).await.unwrap();
        let name = |place: FoundPlace| (place.name, place.account_name);
        (sites.into_iter().map(name).collect::<Vec<_>>(), accounts.into_iter().map(name).collect::<Vec<_>>())
    };
    let vienna = || vec![("Vienna".to_owned(), Some("Acme".to_owned()))];
    let acme = || vec![("Acme".to_owned(), None)];

    assert_eq!(found(Scope::Platform, "vie").await, (vienna(), vec![]));
    assert_eq!(found(Scope::Platform, "ac").await, (vec![], acme()));
    assert_eq!(found(Scope::Platform, "ienna").await, (vec![], vec![]));
    assert_eq!(found(Scope::Platform, "%").await, (vec![], vec![]));
    assert_eq!(found(Scope::Account(account.clone()), "a").await, (vec![], acme()));
    assert_eq!(found(Scope::Site { account: account.clone(), site }, "v").await, (vienna(), vec![]));
    assert_eq!(found(Scope::Site { account, site: id("site", 1) }, "a").await, (vec![], vec![]));
    assert_eq!(found(Scope::Account(id("account", 7)), "").await, (vec![], vec![]));
}
