//! Administrators, their sessions and links, and tries to sign in.

use super::{NOW, Scene, id};
use provost_core::entry::administrator::Person;
use provost_core::ids::{AccountId, AdministratorId, TokenId};
use provost_core::rights::{Role, Scope};
use provost_core::sign_in::{COUNTS_FOR_MS, FREE_PER_NAME, LINK_AGAIN_MS, LINK_LASTS_MS, MOST_SESSIONS};
use provost_core::time::UnixMillis;
use provost_store::{
    AdministratorChanged, AdministratorRow, AuditEntry, Audited, Holder, Page, Proven, SessionRow, SetPassword,
    SignInTry, SignInTurn, Store, StoreError, Within,
};
use std::sync::atomic::{AtomicU32, Ordering};

static ENTRIES: AtomicU32 = AtomicU32::new(0);

fn who(n: u32) -> AdministratorId {
    id("administrator", n)
}

fn audited(store: &Store) -> Audited<'_> {
    store.audited(AuditEntry {
        id: format!("sign-in-{:06}", ENTRIES.fetch_add(1, Ordering::Relaxed)),
        at: NOW,
        who: "a test".to_owned(),
        what: "did it".to_owned(),
        why: None,
        from: "here".to_owned(),
        account: None,
        site: None,
        request: None,
    })
}

fn administrator(n: u32, role: Role, scope: Scope) -> AdministratorRow {
    AdministratorRow {
        id: who(n),
        person: Person {
            email: format!("{n}@example.com"),
            name: format!("Number {n}"),
            language: Some("de".to_owned()),
        },
        role,
        scope,
        password: Some(format!("hash {n}")),
        password_set: NOW,
        once_until: Some(NOW.plus_days(3)),
        totp: None,
        disabled: None,
        created: NOW,
        signed_in: None,
    }
}

/// Owners 1 and 2 of the whole server, 3 of the scene's account.
async fn people() -> Scene {
    let scene = Scene::new().await;
    let account: AccountId = id("account", 1);
    for (n, scope) in [(1, Scope::Platform), (2, Scope::Platform), (3, Scope::Account(account))] {
        audited(&scene.store).add_administrator(&administrator(n, Role::Owner, scope)).await.unwrap();
    }
    scene
}

async fn read(store: &Store, n: u32) -> AdministratorRow {
    store.administrator(&who(n), &Within::Everything).await.unwrap().unwrap()
}

fn session(holder: &Holder, name: &str, used: UnixMillis) -> SessionRow {
    let (address, browser) = ("192.0.2.1".to_owned(), "a browser".to_owned());
    SessionRow { id: name.to_owned(), holder: holder.clone(), address, browser, began: used, used }
}

fn set(hash: &str) -> SetPassword<'_> {
    SetPassword { hash, once_until: None, now: NOW.plus_millis(5), was: None }
}

#[tokio::test]
async fn administrators_are_read_back_listed_within_a_scope_and_have_one_name_each() {
    let scene = people().await;
    let store = &scene.store;

    assert!(store.has_administrators().await.unwrap());
    assert_eq!(read(store, 3).await, administrator(3, Role::Owner, Scope::Account(id("account", 1))));
    assert_eq!(store.administrator_named("2@example.com").await.unwrap().unwrap().id, who(2));
    assert_eq!(store.administrator_named("nobody@example.com").await.unwrap(), None);
    let within = store.within(&Scope::Account(id("account", 1))).await.unwrap();
    let listed = store.administrators(&within, Page::FIRST).await.unwrap();
    assert_eq!(listed.iter().map(|row| row.id.clone()).collect::<Vec<_>>(), [who(3)]);
    assert_eq!(store.administrator(&who(1), &within).await.unwrap(), None);
    let page = Page { after: who(1).as_str().to_owned().leak(), limit: 1 };
    let paged = store.administrators(&Within::Everything, page).await.unwrap();
    assert_eq!(paged.iter().map(|row| row.id.clone()).collect::<Vec<_>>(), [who(2)]);
    let mut twin = administrator(4, Role::Support, Scope::Platform);
    twin.person.email = "1@example.com".to_owned();
    assert!(matches!(audited(store).add_administrator(&twin).await, Err(StoreError::Exists { .. })));
    let stray = administrator(4, Role::Support, Scope::Account(id("account", 9)));
    assert!(matches!(audited(store).add_administrator(&stray).await, Err(StoreError::Missing { .. })));
}

#[tokio::test]
async fn the_last_owner_of_the_whole_server_is_neither_changed_away_nor_removed() {
    let scene = people().await;
    let store = &scene.store;
    let mut first = read(store, 1).await;
    first.role = Role::Support;
    first.person.name = "Another".to_owned();
    let before = read(store, 1).await;
    assert_eq!(
        audited(store).change_administrator((&before, &first), false).await.unwrap(),
        AdministratorChanged::Done
    );
    assert_eq!(read(store, 1).await, first);
    assert_eq!(
        audited(store).change_administrator((&before, &before), false).await.unwrap(),
        AdministratorChanged::Otherwise,
        "what was decided about another state of them"
    );

    let mut second = read(store, 2).await;
    second.disabled = Some(NOW);
    let before = read(store, 2).await;
    let done = audited(store).change_administrator((&before, &second), true).await.unwrap();
    assert_eq!(done, AdministratorChanged::LastOwner);
    assert_eq!(audited(store).remove_administrator(&who(2)).await.unwrap(), AdministratorChanged::LastOwner);
    assert_eq!(
        audited(store).remove_administrator(&who(3)).await.unwrap(),
        AdministratorChanged::Done,
        "of an account"
    );
    assert_eq!(audited(store).remove_administrator(&who(9)).await.unwrap(), AdministratorChanged::Missing);
    let nobody = administrator(9, Role::Support, Scope::Platform);
    assert_eq!(
        audited(store).change_administrator((&nobody, &nobody), true).await.unwrap(),
        AdministratorChanged::Missing
    );
    assert_eq!(read(store, 2).await.disabled, None);
}

#[tokio::test]
async fn a_one_time_password_a_step_and_a_recovery_code_are_each_used_once() {
    let scene = people().await;
    let store = &scene.store;
    let row = session(&Holder::Administrator(who(1)), "session_a", NOW);
    let enter = async |hash: &str, with_totp: bool| {
        audited(store).sign_in(b"a", &row, (Proven { id: &who(1), hash }, with_totp)).await.unwrap()
    };
    assert!(!enter("another hash", false).await && !enter("hash 1", true).await);
    assert!(enter("hash 1", false).await);
    assert!(!enter("hash 1", false).await, "it is used up");
    assert_eq!(read(store, 1).await.password, None);
    assert!(audited(store).set_password(&who(1), set("own"), false).await.unwrap());
    let (proven, false_one) = (Proven { id: &who(1), hash: "own" }, Proven { id: &who(1), hash: "other" });

    assert!(!store.use_totp_step(&who(1), 100).await.unwrap(), "there is no authenticator");
    let codes = [b"one".to_vec(), b"two".to_vec()];
    assert!(!audited(store).begin_totp(false_one, (b"sealed", 100), &codes).await.unwrap());
    assert!(!audited(store).renew_recovery_codes(proven, &codes).await.unwrap(), "there is no authenticator");
    assert!(audited(store).begin_totp(proven, (b"sealed", 100), &codes).await.unwrap());
    assert!(!enter("own", false).await && enter("own", true).await, "who was judged without it is not let in");
    assert_eq!(read(store, 1).await.totp.as_deref(), Some(b"sealed".as_slice()));
    assert!(!store.use_totp_step(&who(1), 100).await.unwrap() && !store.use_totp_step(&who(1), 99).await.unwrap());
    assert!(store.use_totp_step(&who(1), 101).await.unwrap());
    assert!(!store.use_totp_step(&who(1), 101).await.unwrap());
    assert!(!store.use_totp_step(&who(1), 81).await.unwrap());
    assert!(store.use_totp_step(&who(1), 80).await.unwrap(), "a clock that was set back shuts nobody out");
    assert!(!store.use_totp_step(&who(1), 80).await.unwrap());
    assert!(!store.use_recovery_code(&who(2), b"one").await.unwrap(), "another's");
    assert!(store.use_recovery_code(&who(1), b"one").await.unwrap());
    assert!(!store.use_recovery_code(&who(1), b"one").await.unwrap());
    assert_eq!(store.recovery_codes_left(&who(1)).await.unwrap(), 1);
    assert!(!audited(store).renew_recovery_codes(false_one, &[b"three".to_vec()]).await.unwrap());
    assert!(audited(store).renew_recovery_codes(proven, &[b"three".to_vec()]).await.unwrap());
    assert!(!store.use_recovery_code(&who(1), b"two").await.unwrap());
    assert!(!audited(store).end_totp(false_one).await.unwrap());
    assert!(audited(store).end_totp(proven).await.unwrap());
    assert_eq!((read(store, 1).await.totp, store.recovery_codes_left(&who(1)).await.unwrap()), (None, 0));
}

#[tokio::test]
async fn sessions_are_found_by_their_digest_bounded_and_ended_by_what_changes() {
    let scene = people().await;
    let store = &scene.store;
    let (mine, token) = (Holder::Administrator(who(1)), Holder::Token(id::<TokenId>("token", 1)));
    let row = session(&mine, "session_a", NOW);
    assert!(audited(store).set_password(&who(1), set("own"), false).await.unwrap());
    let proven = Proven { id: &who(1), hash: "own" };
    assert!(audited(store).sign_in(b"a", &row, (proven, false)).await.unwrap());
    audited(store).begin_session(b"t", &session(&token, "session_t", NOW)).await.unwrap();
    assert_eq!(store.session(b"a").await.unwrap(), Some(row));
    assert_eq!(store.session(b"t").await.unwrap().unwrap().holder, token);
    assert_eq!(store.session(b"x").await.unwrap(), None);
    assert_eq!(read(store, 1).await.signed_in, Some(NOW));
    let later = NOW.plus_millis(60_000);
    store.session_used("session_a", "192.0.2.9", later).await.unwrap();
    let used = store.session(b"a").await.unwrap().unwrap();
    assert_eq!((used.used, used.address.as_str()), (later, "192.0.2.9"));

    for n in 0..=MOST_SESSIONS {
        let digest = format!("d{n}");
        let row = session(&mine, &format!("session_{n}"), later.plus_millis(n.into()));
        assert!(store.add_session(digest.as_bytes(), &row, Some("own")).await.unwrap());
    }
    let kept = store.sessions_of(&mine, later).await.unwrap();
    assert_eq!(u32::try_from(kept.len()).unwrap(), MOST_SESSIONS);
    assert_eq!(kept[0].id, format!("session_{MOST_SESSIONS}"), "the one used last first");
    assert_eq!(store.session(b"a").await.unwrap(), None, "the one used least recently went");
    assert!(!audited(store).end_session(&token, "session_5").await.unwrap(), "another's");
    assert!(audited(store).end_session(&mine, "session_5").await.unwrap());
    assert!(!audited(store).end_session(&mine, "session_5").await.unwrap());
    assert_eq!(audited(store).end_other_sessions(&mine, "session_6").await.unwrap(), u64::from(MOST_SESSIONS) - 2);
    assert_eq!(audited(store).end_sessions(&who(1)).await.unwrap(), 1);
    assert!(store.session(b"t").await.unwrap().is_some(), "the token's stays");
    let over = later.plus_days(1);
    assert!(store.sessions_of(&token, over).await.unwrap().is_empty());
    assert!(!store.add_session(b"n", &session(&mine, "session_n", over), Some("other")).await.unwrap());
    assert!(store.add_session(b"n", &session(&mine, "session_n", over), Some("own")).await.unwrap());
    assert!(store.sessions_of(&mine, NOW).await.unwrap().is_empty(), "of a clock that was set back");
    assert_eq!(store.session(b"t").await.unwrap(), None, "what is over goes with the next");
    store.drop_session(b"n").await.unwrap();
    assert_eq!(store.session(b"n").await.unwrap(), None);
}

#[tokio::test]
async fn another_password_ends_sessions_and_links() {
    let scene = people().await;
    let store = &scene.store;
    let mine = Holder::Administrator(who(1));
    let begin = async || {
        assert!(store.add_session(b"a", &session(&mine, "session_a", NOW), None).await.unwrap());
        assert!(store.add_password_link((&who(1), "1@example.com"), b"link", NOW).await.unwrap());
    };
    begin().await;
    let of_another = SetPassword { was: Some("another hash"), ..set("new") };
    assert!(!audited(store).set_password(&who(1), of_another, false).await.unwrap());
    assert!(store.session(b"a").await.unwrap().is_some(), "nothing ended");
    let of_this = SetPassword { was: Some("hash 1"), ..set("new") };
    assert!(audited(store).set_password(&who(1), of_this, false).await.unwrap());
    assert!(!audited(store).set_password(&who(9), set("new"), false).await.unwrap());
    let row = read(store, 1).await;
    assert_eq!((row.password.as_deref(), row.once_until, row.password_set), (Some("new"), None, NOW.plus_millis(5)));
    assert_eq!(store.session(b"a").await.unwrap(), None);
    assert_eq!(store.password_link(b"link", NOW).await.unwrap(), None);

    begin().await;
    let person = Person { email: "me@example.com".to_owned(), name: "Me".to_owned(), language: None };
    assert!(!audited(store).settle_administrator(&who(1), &person, set("own")).await.unwrap(), "it is settled");
    let once = SetPassword { once_until: Some(NOW.plus_days(1)), ..set("once") };
    assert!(audited(store).set_password(&who(1), once, false).await.unwrap());
    assert!(!audited(store).settle_administrator(&who(1), &person, set("own")).await.unwrap(), "it was not used");
    let used = (Proven { id: &who(1), hash: "once" }, false);
    assert!(audited(store).sign_in(b"a", &session(&mine, "session_a", NOW), used).await.unwrap());
    assert!(audited(store).settle_administrator(&who(1), &person, set("own")).await.unwrap());
    let row = read(store, 1).await;
    assert_eq!((row.person.email.as_str(), row.password.as_deref()), ("me@example.com", Some("own")));
    assert_eq!(store.session(b"a").await.unwrap(), None);
    let taken = Person { email: "2@example.com".to_owned(), ..person };
    assert!(audited(store).set_password(&who(1), once, false).await.unwrap());
    assert!(audited(store).sign_in(b"a", &session(&mine, "session_a", NOW), used).await.unwrap());
    let refused = audited(store).settle_administrator(&who(1), &taken, set("x")).await;
    assert!(matches!(refused, Err(StoreError::Exists { .. })));
    assert!(audited(store).set_password(&who(1), set("x"), false).await.unwrap());
    let proven = Proven { id: &who(1), hash: "x" };
    assert!(audited(store).begin_totp(proven, (b"s", 1), &[b"c".to_vec()]).await.unwrap());
    assert!(audited(store).set_password(&who(1), set("y"), true).await.unwrap());
    assert_eq!(read(store, 1).await.totp, None);
}

#[tokio::test]
async fn after_the_third_link_without_use_the_next_is_made_when_the_first_is_over() {
    let scene = people().await;
    let store = &scene.store;
    let at = |times: i64| NOW.plus_millis(LINK_AGAIN_MS * times);
    let add = async |n: u32, now| {
        let mail = format!("{n}@example.com");
        store.add_password_link((&who(n), &mail), format!("{n} {now:?}").as_bytes(), now).await.unwrap()
    };
    for times in 0..3 {
        assert!(add(1, at(times)).await);
    }
    assert!(!add(1, at(3)).await);
    assert!(!add(1, NOW.plus_millis(LINK_LASTS_MS - 1)).await);
    assert!(add(2, at(3)).await, "others get theirs");
    assert!(add(1, NOW.plus_millis(LINK_LASTS_MS)).await);
    let digest = format!("1 {:?}", at(2));
    assert!(audited(store).use_password_link(digest.as_bytes(), &who(1), set("chosen")).await.unwrap());
    assert!(add(1, NOW.plus_millis(LINK_LASTS_MS + LINK_AGAIN_MS)).await, "after a use it begins anew");
}

#[tokio::test]
async fn a_link_works_once_within_its_hour_and_is_not_made_twice_at_once() {
    let scene = people().await;
    let store = &scene.store;
    let (one, mail) = (who(1), "1@example.com");
    let add = async |digest: &[u8], now| store.add_password_link((&one, mail), digest, now).await.unwrap();
    assert!(!store.add_password_link((&one, "2@example.com"), b"link", NOW).await.unwrap(), "another's address");
    assert!(add(b"ahead", NOW.plus_days(300)).await);
    assert_eq!(store.password_link(b"ahead", NOW).await.unwrap(), None, "of a clock that was set back");
    assert!(add(b"link", NOW).await, "nor does it keep others from being made");
    assert!(!add(b"link 2", NOW.plus_millis(LINK_AGAIN_MS - 1)).await);
    assert!(add(b"link 2", NOW.plus_millis(LINK_AGAIN_MS)).await);
    assert_eq!(store.password_link(b"link", NOW.plus_millis(LINK_LASTS_MS - 1)).await.unwrap(), Some(who(1)));
    assert_eq!(store.password_link(b"link", NOW.plus_millis(LINK_LASTS_MS)).await.unwrap(), None);

    assert!(!audited(store).use_password_link(b"other", &who(1), set("x")).await.unwrap());
    assert!(!audited(store).use_password_link(b"link", &who(2), set("x")).await.unwrap(), "another's");
    assert!(audited(store).use_password_link(b"link", &who(1), set("chosen")).await.unwrap());
    assert!(!audited(store).use_password_link(b"link", &who(1), set("x")).await.unwrap());
    assert_eq!(read(store, 1).await.password.as_deref(), Some("chosen"));
    assert_eq!(store.password_link(b"link 2", NOW).await.unwrap(), None, "the others went too");

    let (later, before) = (NOW.plus_days(1), read(store, 1).await);
    assert!(add(b"link 3", later).await);
    let mut moved = before.clone();
    moved.person.email = "moved@example.com".to_owned();
    assert_eq!(
        audited(store).change_administrator((&before, &moved), false).await.unwrap(),
        AdministratorChanged::Done
    );
    assert_eq!(store.password_link(b"link 3", later).await.unwrap(), None, "it was mailed to another address");
}

#[tokio::test]
async fn tries_are_counted_before_they_are_judged_and_forgiven_where_they_were_right() {
    let scene = people().await;
    let store = &scene.store;
    let at = |source: &'static str, now| SignInTry { name: "keyed", source, now };
    for before in 0..FREE_PER_NAME {
        assert_eq!(store.begin_sign_in(at("a", NOW)).await.unwrap(), SignInTurn::Look { before });
    }
    let until = NOW.plus_millis(1_000);
    assert_eq!(store.begin_sign_in(at("b", NOW)).await.unwrap(), SignInTurn::Wait(until), "the name waits everywhere");
    let other = SignInTry { name: "other", source: "b", now: NOW };
    assert_eq!(store.begin_sign_in(other).await.unwrap(), SignInTurn::Look { before: 0 });

    store.forgive_sign_in(at("home", NOW)).await.unwrap();
    assert_eq!(
        store.begin_sign_in(at("home", NOW)).await.unwrap(),
        SignInTurn::Look { before: 0 },
        "not where its owner was"
    );
    assert!(matches!(store.begin_sign_in(at("b", NOW)).await.unwrap(), SignInTurn::Wait(_)));
    store.forgive_sign_in(at("a", NOW)).await.unwrap();
    assert_eq!(store.begin_sign_in(at("b", NOW)).await.unwrap(), SignInTurn::Look { before: 1 }, "that of home");
    let over = NOW.plus_millis(COUNTS_FOR_MS);
    assert_eq!(store.begin_sign_in(at("b", over)).await.unwrap(), SignInTurn::Look { before: 0 });
}

#[tokio::test]
async fn tries_of_many_at_once_are_limited_as_one_after_the_other() {
    let scene = people().await;
    let all = (0..40).map(|_| {
        let store = scene.store.clone();
        tokio::spawn(async move {
            let tried = SignInTry { name: "keyed", source: "a", now: NOW };
            store.begin_sign_in(tried).await.unwrap()
        })
    });
    let mut looked = 0;
    for one in all.collect::<Vec<_>>() {
        looked += usize::from(matches!(one.await.unwrap(), SignInTurn::Look { .. }));
    }

    assert_eq!(looked, FREE_PER_NAME);
}

#[tokio::test]
async fn the_secret_of_an_authenticator_is_written_for_another_key() {
    let scene = people().await;
    let store = &scene.store;
    let proven = Proven { id: &who(2), hash: "hash 2" };
    assert!(audited(store).begin_totp(proven, (b"sealed", 1), &[]).await.unwrap());
    store.set_meta("key-id", "old").await.unwrap();
    let other = |sealed: provost_store::Ciphertext<'_>| {
        let is_totp =
            matches!(sealed, provost_store::Ciphertext::Totp { id, secret: b"sealed" } if id == who(2).as_str());
        let first = if is_totp { b"again".to_vec() } else { b"x".to_vec() };
        Ok::<_, ()>(provost_store::Resealed { first, second: vec![], digest: vec![], name: String::new() })
    };

    audited(store).reseal(("key-id", "new"), other).await.unwrap();

    assert_eq!(read(store, 2).await.totp.as_deref(), Some(b"again".as_slice()));
}
