//! Users and sites as lists: found by a beginning, in order, by the page, within a scope.

use super::{NOW, Scene, id, new_site, new_user};
use provost_core::entry::NewUser;
use provost_core::ids::{AccountId, SiteId, UserId};
use provost_core::rights::Scope;
use provost_store::{ClaimBy, ListedPerson, Page, Store, Within};

async fn add(store: &Store, n: u32, site: &SiteId, (name, extension): (&str, &str)) {
    let user = NewUser { name: name.to_owned(), ..new_user(site, extension) };
    store.add_user(&id("user", n), &user, &[], NOW).await.unwrap();
}

fn names(found: &[ListedPerson]) -> Vec<&str> {
    found.iter().map(|person| person.name.as_str()).collect()
}

/// The scene's site with five users more, and another account below with a site and one user.
async fn scene() -> Scene {
    let scene = Scene::new().await;
    let below: AccountId = id("account", 2);
    scene.store.add_account(&below, "Below", Some(&scene.account), NOW).await.unwrap();
    scene.store.add_site(&id("site", 2), &new_site(&below), NOW).await.unwrap();
    for (n, name, extension) in
        [(2, "ada", "1010"), (3, "Bob", "20"), (4, "Ada Byron", "1002"), (5, "Zoe", "1"), (6, "10 Downing", "9")]
    {
        add(&scene.store, n, &scene.site, (name, extension)).await;
    }
    add(&scene.store, 7, &id("site", 2), ("Adam", "1001")).await;
    scene
}

#[tokio::test]
async fn users_stand_by_name_whatever_the_letters_case() {
    let scene = scene().await;
    let all = scene.store.people(&Within::Everything, "", Page::FIRST).await.unwrap();

    assert_eq!(names(&all), ["10 Downing", "ada", "Ada Byron", "Adam", "Bob", "User 1001", "Zoe"]);
    let ada = &all[2];
    assert_eq!((ada.extension.as_str(), ada.site.1.as_str(), ada.account.1.as_str()), ("1002", "Vienna", "Acme"));
    assert_eq!((ada.lines, ada.devices, ada.welcome), (2, (0, 0), None));
}

#[tokio::test]
async fn a_beginning_finds_extensions_first_and_then_names_and_nobody_twice() {
    let scene = scene().await;
    let found = scene.store.people(&Within::Everything, "10", Page::FIRST).await.unwrap();
    assert_eq!(names(&found), ["User 1001", "Adam", "Ada Byron", "ada", "10 Downing"]);
    let found = scene.store.people(&Within::Everything, "ADA", Page::FIRST).await.unwrap();
    assert_eq!(names(&found), ["ada", "Ada Byron", "Adam"]);
    assert!(scene.store.people(&Within::Everything, "byron", Page::FIRST).await.unwrap().is_empty());
    assert!(scene.store.people(&Within::Everything, "1' OR 1=1", Page::FIRST).await.unwrap().is_empty());
}

#[tokio::test]
async fn pages_follow_one_another_without_a_gap() {
    let scene = scene().await;
    for begins in ["", "10"] {
        let whole = scene.store.people(&Within::Everything, begins, Page::FIRST).await.unwrap();
        let (mut paged, mut after) = (Vec::new(), String::new());
        loop {
            let page = scene.store.people(&Within::Everything, begins, Page { after: &after, limit: 2 }).await.unwrap();
            let Some(last) = page.last() else { break };
            after = last.id.to_string();
            paged.extend(page);
        }
        assert_eq!(paged, whole, "{begins:?}");
    }
}

#[tokio::test]
async fn a_scope_shows_its_own_users_only() {
    let scene = scene().await;
    let tree = scene.store.within(&Scope::Account(scene.account.clone())).await.unwrap();
    for (within, expected) in [
        (tree, 7),
        (Within::Account(scene.account.clone()), 6),
        (Within::Account(id("account", 2)), 1),
        (Within::Site(id("site", 2)), 1),
        (Within::Nothing, 0),
    ] {
        let found = scene.store.people(&within, "", Page::FIRST).await.unwrap();
        assert_eq!(found.len(), expected, "{within:?}");
        assert_eq!(scene.store.count_people(&within, 100).await.unwrap(), i64::try_from(expected).unwrap());
    }
    assert_eq!(scene.store.count_people(&Within::Everything, 3).await.unwrap(), 3, "no further than asked");
}

#[tokio::test]
async fn a_page_after_somebody_outside_the_scope_is_the_first_one() {
    let scene = scene().await;
    let own = Within::Account(id("account", 2));
    for n in [2, 5, 6] {
        let outside: UserId = id("user", n);
        for begins in ["", "10"] {
            let page = Page { after: outside.as_str(), limit: 10 };
            let found = scene.store.people(&own, begins, page).await.unwrap();
            assert_eq!(names(&found), ["Adam"], "{n} {begins:?}");
        }
    }
    let adam: UserId = id("user", 7);
    assert!(scene.store.people(&own, "", Page { after: adam.as_str(), limit: 10 }).await.unwrap().is_empty());
}

#[tokio::test]
async fn where_many_are_the_order_is_walked_and_finds_the_same() {
    let scene = scene().await;
    let many = 4_100;
    for n in 0..many {
        let (name, extension) = (format!("person {n:05}"), format!("5{n:05}"));
        let user = NewUser { name, lines: Vec::new(), ..new_user(&scene.site, &extension) };
        scene.store.add_user(&id::<UserId>("user", 1000 + n), &user, &[], NOW).await.unwrap();
    }
    let own = Within::Account(scene.account.clone());

    let found = scene.store.people(&own, "person 0", Page { after: "", limit: 3 }).await.unwrap();
    assert_eq!(names(&found), ["person 00000", "person 00001", "person 00002"]);
    let last: UserId = id("user", 1000 + many - 1);
    let rest = scene.store.people(&own, "", Page { after: last.as_str(), limit: 50 }).await.unwrap();
    assert_eq!(names(&rest), ["User 1001", "Zoe"]);
    let adams = scene.store.people(&Within::Everything, "adam", Page::FIRST).await.unwrap();
    assert_eq!(names(&adams), ["Adam"]);
    assert!(scene.store.people(&own, "adam", Page::FIRST).await.unwrap().is_empty(), "of the account below");
}

#[tokio::test]
async fn devices_are_counted_with_those_that_have_their_phone() {
    let scene = scene().await;
    let (one, _) = (scene.add_device(1).await, scene.add_device(2).await);
    scene.issue(&one, b"digest").await;
    scene.claim(1, ClaimBy::Code(b"digest")).await;

    let found = scene.store.people(&Within::Everything, "1001", Page::FIRST).await.unwrap();

    assert_eq!(found[0].devices, (2, 1));
    let site = scene.store.listed_site(&scene.site).await.unwrap().unwrap();
    assert_eq!((site.users, site.devices), (6, 2));
    assert_eq!(scene.store.listed_site(&id("site", 9)).await.unwrap(), None);
}

#[tokio::test]
async fn accounts_stand_above_those_below_them_with_their_sites() {
    let scene = scene().await;
    scene.store.add_account(&id("account", 3), "Beside", None, NOW).await.unwrap();
    let ids = |rows: &[provost_store::AccountRow]| rows.iter().map(|row| row.id.clone()).collect::<Vec<AccountId>>();

    let all = scene.store.branch(&Within::Everything, Page::FIRST).await.unwrap();
    assert_eq!(ids(&all), [id("account", 1), id("account", 2), id("account", 3)]);
    assert_eq!(all.iter().map(|row| row.depth).collect::<Vec<_>>(), [1, 2, 1]);
    let second = scene.store.branch(&Within::Everything, Page { after: all[0].id.as_str(), limit: 1 }).await.unwrap();
    assert_eq!(ids(&second), [id("account", 2)]);
    let at_site = scene.store.branch(&Within::Site(id("site", 2)), Page::FIRST).await.unwrap();
    assert_eq!(ids(&at_site), [id("account", 2)]);

    let sites = scene.store.sites_of(&ids(&all), &Within::Everything, 9).await.unwrap();
    let figures: Vec<_> = sites.iter().map(|site| (site.account.clone(), site.users)).collect();
    assert_eq!(figures, [(id("account", 1), 6), (id("account", 2), 1)]);
    let own = scene.store.sites_of(&ids(&all), &Within::Site(id("site", 2)), 9).await.unwrap();
    assert_eq!(own.len(), 1);
    assert!(scene.store.sites_of(&[], &Within::Everything, 9).await.unwrap().is_empty());
}
