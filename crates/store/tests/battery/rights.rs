//! Accounts in a tree, tokens, what a scope reaches, and every secret for another key.

use super::{NOW, Scene, device_id, id, mac, new_site, new_user};
use provost_core::entry::NewDevice;
use provost_core::ids::{AccountId, SiteId, TokenId, UserId};
use provost_core::rights::{Role, Scope};
use provost_store::{
    AuditEntry, Ciphertext, ClaimBy, NewCode, Page, ResealError, Resealed, Revoked, Store, TokenRow, Within,
};

fn account(n: u32) -> AccountId {
    id("account", n)
}

fn entry(n: u32) -> AuditEntry {
    AuditEntry {
        id: format!("audit-{n}"),
        at: NOW,
        who: "a test".to_owned(),
        what: "did it".to_owned(),
        why: None,
        from: "here".to_owned(),
        account: None,
        site: None,
        request: None,
    }
}

fn token(n: u32, role: Role, scope: Scope) -> TokenRow {
    let id: TokenId = id("token", n);
    TokenRow { id, name: None, role, scope, created: NOW, expires: None, revoked: None, used: None }
}

/// The scene's account 1; below it 2, below that 3; beside them 4. Each of 2 to 4 has a site, a user and a device.
async fn tree() -> Scene {
    let scene = Scene::new().await;
    for (n, parent) in [(2, Some(account(1))), (3, Some(account(2))), (4, None)] {
        scene.store.add_account(&account(n), "Another", parent.as_ref(), NOW).await.unwrap();
        let (site, user): (SiteId, UserId) = (id("site", n), id("user", n));
        scene.store.add_site(&site, &new_site(&account(n)), NOW).await.unwrap();
        scene.store.add_user(&user, &new_user(&site, "1001"), &[None, None], NOW).await.unwrap();
        let device = NewDevice { account: account(n), model: "vvx450".to_owned(), user: Some(user), mac: None };
        scene.store.add_device(&device_id(n), &device, NOW).await.unwrap();
    }
    scene.add_device(1).await;
    scene
}

async fn devices_in(store: &Store, scope: &Scope) -> Vec<String> {
    let within = store.within(scope).await.unwrap();
    let rows = store.devices(&within, Page::FIRST).await.unwrap();
    rows.into_iter().map(|row| row.id.to_string().chars().last().unwrap().to_string()).collect()
}

#[tokio::test]
async fn a_scope_reaches_an_account_and_all_below_it_and_nothing_else() {
    let scene = tree().await;
    let store = &scene.store;
    let of = |n| Scope::Account(account(n));

    assert_eq!(devices_in(store, &Scope::Platform).await, ["1", "2", "3", "4"]);
    assert_eq!(devices_in(store, &of(1)).await, ["1", "2", "3"]);
    assert_eq!(devices_in(store, &of(2)).await, ["2", "3"]);
    assert_eq!(devices_in(store, &of(3)).await, ["3"]);
    assert_eq!(devices_in(store, &of(4)).await, ["4"]);
    assert!(devices_in(store, &of(9)).await.is_empty(), "an account that never was");
    assert_eq!(devices_in(store, &Scope::Site { account: account(3), site: id("site", 3) }).await, ["3"]);
    for (below, top, is) in [(3, 1, true), (3, 3, true), (1, 3, false), (4, 1, false), (9, 1, false), (1, 9, false)] {
        assert_eq!(store.is_below(&account(below), &account(top)).await.unwrap(), is, "{below} below {top}");
    }
}

#[tokio::test]
async fn every_list_keeps_within_the_scope_and_its_pages() {
    let scene = tree().await;
    let store = &scene.store;
    let within = store.within(&Scope::Account(account(2))).await.unwrap();
    let site = Within::Site(id("site", 2));

    let accounts = store.accounts(&within, Page::FIRST).await.unwrap();
    assert_eq!(accounts.iter().map(|row| row.depth).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(accounts[1].parent, Some(account(2)));
    assert_eq!(store.sites(&within, Page::FIRST).await.unwrap().len(), 2);
    assert_eq!(store.users(&within, Page::FIRST).await.unwrap().len(), 2);
    let page = store.users(&within, Page { after: "user_01jd0ck3v80000000000000002", limit: 5 }).await.unwrap();
    assert_eq!(page.len(), 1);
    assert_eq!(store.accounts(&site, Page::FIRST).await.unwrap().len(), 1, "a site shows its account");
    assert_eq!(store.sites(&site, Page::FIRST).await.unwrap().len(), 1);
    assert_eq!(store.users(&site, Page::FIRST).await.unwrap().len(), 1);
    assert_eq!(store.devices(&site, Page { after: "", limit: 1 }).await.unwrap().len(), 1);
    assert_eq!(store.exceptions_open_in(&site, NOW).await.unwrap(), []);
    assert_eq!(store.devices(&Within::Nothing, Page::FIRST).await.unwrap(), []);
}

#[tokio::test]
async fn the_audit_log_of_an_account_holds_what_was_done_in_it() {
    let scene = tree().await;
    let store = &scene.store;
    let in_two = entry(2).about(&account(2), Some(&id("site", 2)));
    for entry in [entry(1), in_two.clone(), entry(3).about(&account(4), None)] {
        store.audited(entry).only().await.unwrap();
    }

    assert_eq!(store.audit(&Within::Everything, Page::FIRST).await.unwrap().len(), 3);
    let within = store.within(&Scope::Account(account(1))).await.unwrap();
    assert_eq!(store.audit(&within, Page::FIRST).await.unwrap(), std::slice::from_ref(&in_two));
    assert_eq!(store.audit(&Within::Site(id("site", 2)), Page::FIRST).await.unwrap(), [in_two]);
    assert_eq!(store.audit(&Within::Site(id("site", 3)), Page::FIRST).await.unwrap(), []);
}

#[tokio::test]
async fn an_account_is_renamed_and_one_that_is_not_there_is_not() {
    let scene = tree().await;

    scene.store.audited(entry(1)).rename_account(&account(2), "Renamed").await.unwrap();
    assert_eq!(scene.store.account(&account(2)).await.unwrap().unwrap().name, "Renamed");
    assert!(scene.store.audited(entry(2)).rename_account(&account(9), "x").await.is_err());
    assert!(scene.store.audited(entry(3)).add_account(&account(8), "x", Some(&account(9)), NOW).await.is_err());
    assert_eq!(scene.store.audit(&Within::Everything, Page::FIRST).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_phone_that_two_accounts_name_belongs_to_who_holds_both() {
    let scene = tree().await;
    let store = &scene.store;
    for (n, of) in [(12, 2), (14, 4)] {
        let device = NewDevice { account: account(of), model: "vvx450".to_owned(), user: None, mac: Some(mac(7)) };
        store.add_device(&device_id(n), &device, NOW).await.unwrap();
    }

    let claimants = store.claimants(mac(7)).await.unwrap();
    assert_eq!(claimants.iter().map(|one| one.account.clone()).collect::<Vec<_>>(), [account(2), account(4)]);
    assert!(claimants.iter().all(|one| !one.bound));
    for n in [12, 14] {
        assert!(store.device(&device_id(n)).await.unwrap().unwrap().clashes);
    }
    assert!(!store.device(&device_id(1)).await.unwrap().unwrap().clashes);
    assert_eq!(store.claimants(mac(8)).await.unwrap(), []);
}

#[tokio::test]
async fn a_bound_phone_belongs_to_the_account_of_its_device_only() {
    let scene = tree().await;
    let store = &scene.store;
    let code =
        NewCode { device: &device_id(2), digest: b"digest", shown: b"sealed", issued: NOW, expires: NOW.plus_days(90) };
    store.issue_code(&code).await.unwrap().unwrap();
    assert_eq!(store.device_of_code(b"digest").await.unwrap(), Some(device_id(2)));
    assert_eq!(store.device_of_code(b"other").await.unwrap(), None);
    scene.claim(7, ClaimBy::Code(b"digest")).await;
    let named = NewDevice { account: account(4), model: "vvx450".to_owned(), user: None, mac: Some(mac(7)) };
    store.add_device(&device_id(14), &named, NOW).await.unwrap();

    let bound: Vec<_> = store.claimants(mac(7)).await.unwrap().into_iter().filter(|one| one.bound).collect();
    assert_eq!(bound.len(), 1);
    assert_eq!((&bound[0].account, &bound[0].site), (&account(2), &Some(id("site", 2))));
    assert!(store.device(&device_id(14)).await.unwrap().unwrap().clashes);
    assert!(!store.device(&device_id(2)).await.unwrap().unwrap().clashes);
}

#[tokio::test]
async fn a_token_is_found_by_its_digest_and_shown_in_its_scope() {
    let scene = tree().await;
    let store = &scene.store;
    assert!(!store.has_tokens().await.unwrap());
    let site = Scope::Site { account: account(2), site: id("site", 2) };
    let desk = TokenRow {
        name: Some("Front desk".to_owned()),
        expires: Some(NOW.plus_days(1)),
        ..token(2, Role::Installer, site.clone())
    };
    store.add_token(b"one", &token(1, Role::Owner, Scope::Platform)).await.unwrap();
    store.audited(entry(1)).add_token(b"two", &desk).await.unwrap();
    store.add_token(b"three", &token(3, Role::Support, Scope::Account(account(4)))).await.unwrap();

    assert!(store.has_tokens().await.unwrap());
    assert_eq!(store.token(b"two").await.unwrap().unwrap(), desk);
    assert_eq!(store.token(b"none").await.unwrap(), None);
    assert!(desk.is_open(NOW) && !desk.is_open(NOW.plus_days(1)));
    let within = store.within(&Scope::Account(account(1))).await.unwrap();
    assert_eq!(store.tokens(&within, Page::FIRST).await.unwrap(), std::slice::from_ref(&desk));
    assert_eq!(store.tokens(&Within::Everything, Page { after: "", limit: 2 }).await.unwrap().len(), 2);
    assert_eq!(store.token_by_id(&id("token", 3), &within).await.unwrap(), None);
    store.token_used(&desk.id, NOW.plus_millis(5)).await.unwrap();
    let used = store.token_by_id(&desk.id, &Within::Site(id("site", 2))).await.unwrap().unwrap().used;
    assert_eq!(used, Some(NOW.plus_millis(5)));
    let missing = token(9, Role::Owner, Scope::Account(account(9)));
    assert!(store.add_token(b"nine", &missing).await.is_err());
}

#[tokio::test]
async fn the_last_owner_of_the_whole_server_that_stays_is_not_revoked() {
    let scene = tree().await;
    let store = &scene.store;
    let revoke = async |n: u32| store.audited(entry(100 + n)).revoke_token(&id("token", n), NOW).await.unwrap();
    store.add_token(b"1", &token(1, Role::Owner, Scope::Platform)).await.unwrap();
    store.add_token(b"2", &token(2, Role::Owner, Scope::Account(account(1)))).await.unwrap();
    let ends = TokenRow { expires: Some(NOW.plus_days(1)), ..token(3, Role::Owner, Scope::Platform) };
    store.add_token(b"3", &ends).await.unwrap();

    assert_eq!(revoke(1).await, Revoked::LastOwner);
    assert_eq!(revoke(2).await, Revoked::Done);
    assert_eq!(revoke(9).await, Revoked::Missing);
    store.add_token(b"4", &token(4, Role::Owner, Scope::Platform)).await.unwrap();
    assert_eq!(revoke(1).await, Revoked::Done);
    assert_eq!(revoke(1).await, Revoked::Before);
    assert_eq!(revoke(4).await, Revoked::LastOwner);
    assert!(!store.token(b"1").await.unwrap().unwrap().is_open(NOW));
    assert_eq!(store.audit(&Within::Everything, Page::FIRST).await.unwrap().len(), 2, "only what was done");
}

/// Turns every ciphertext and name round: what a key does, for a test.
fn turned(sealed: &Ciphertext<'_>) -> Resealed {
    let turn = |bytes: &[u8]| bytes.iter().rev().copied().collect::<Vec<u8>>();
    let mut done = Resealed { first: Vec::new(), second: Vec::new(), digest: b"found".to_vec(), name: String::new() };
    match sealed {
        Ciphertext::Line { password, .. }
        | Ciphertext::ImportRow { password, .. }
        | Ciphertext::Connector { password, .. } => done.first = turn(password),
        Ciphertext::Request { answer, .. } => done.first = turn(answer),
        Ciphertext::Totp { secret, .. } => done.first = turn(secret),
        Ciphertext::Revision { content, .. }
        | Ciphertext::Fetched { content, .. }
        | Ciphertext::Mail { content, .. } => done.first = turn(content),
        Ciphertext::Code { device, shown } => {
            done.first = turn(shown);
            done.digest = device.as_bytes().to_vec();
        }
        Ciphertext::Passwords { admin, user, .. } => (done.first, done.second) = (turn(admin), turn(user)),
        Ciphertext::SipIdentity { user, password, .. } => {
            done.first = turn(password);
            done.name = user.chars().rev().collect();
        }
    }
    done
}

#[tokio::test]
async fn every_secret_is_written_for_another_key_or_none_is() {
    let scene = tree().await;
    let store = &scene.store;
    let device = device_id(1);
    let code = NewCode { device: &device, digest: b"digest", shown: b"sealed", issued: NOW, expires: NOW.plus_days(9) };
    store.issue_code(&code).await.unwrap().unwrap();
    scene.claim(7, ClaimBy::Code(b"digest")).await;
    let identity = provost_store::SipIdentityRow { mac: mac(7), user: "abc".to_owned(), password: vec![1, 2] };
    store.keep_sip_identity(&identity, NOW).await.unwrap();
    let now =
        provost_store::NewRequest { id: "request", fingerprint: "asked", process: "p", now: NOW, forget_before: NOW };
    store.begin_request(&now).await.unwrap();
    store.answer_request("request", 201, &[1, 2]).await.unwrap();
    store.set_meta("key-id", "old").await.unwrap();
    let passwords = store.bound(mac(7)).await.unwrap().unwrap();

    let failed = store.audited(entry(1)).reseal(("key-id", "new"), |sealed| match sealed {
        Ciphertext::SipIdentity { .. } => Err("cannot"),
        other => Ok(turned(&other)),
    });
    assert!(matches!(failed.await, Err(ResealError::Secret("cannot"))));
    assert_eq!(store.meta("key-id").await.unwrap().as_deref(), Some("old"));
    assert_eq!(store.device_of_code(b"digest").await.unwrap(), Some(device.clone()));

    let done = store.audited(entry(2)).reseal(("key-id", "new"), |sealed| Ok::<_, ()>(turned(&sealed)));
    assert_eq!(done.await.unwrap(), 5, "a line, a code, a pair of passwords, an identity, an answer");
    assert_eq!(store.meta("key-id").await.unwrap().as_deref(), Some("new"));
    assert_eq!(store.device_of_code(device.as_str().as_bytes()).await.unwrap(), Some(device));
    let turn = |bytes: &[u8]| bytes.iter().rev().copied().collect::<Vec<u8>>();
    let after = store.bound(mac(7)).await.unwrap().unwrap();
    assert_eq!(after.admin_password, turn(&passwords.admin_password));
    assert_eq!(after.user_password, turn(&passwords.user_password));
    let identity = store.sip_identity_of(mac(7)).await.unwrap().unwrap();
    assert_eq!((identity.user.as_str(), identity.password), ("cba", vec![2, 1]));
    assert_eq!(store.user(&scene.user).await.unwrap().unwrap().lines[0].password, Some(vec![2, 1]));
    let answered = provost_store::Begun::Answered { status: 201, answer: vec![2, 1] };
    assert_eq!(store.begin_request(&now).await.unwrap(), answered);
    let audit = store.audit(&Within::Everything, Page::FIRST).await.unwrap();
    assert_eq!(audit.iter().map(|entry| entry.id.as_str()).collect::<Vec<_>>(), ["audit-2"]);
}
