//! Administrators: signing in with a password, what they may make of each other, and what nobody can find out.

use super::{Desk, PASSWORD, pass};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use provost_app::Actor;
use provost_core::entry::administrator::{AdministratorChange, AdministratorInput};
use provost_core::sign_in::FREE_PER_NAME;
use std::time::Instant;

const ADA: &str = "ada@example.com";

async fn audit(desk: &Desk) -> Vec<String> {
    let log = desk.app.audit(provost_app::Page::FIRST, &Actor::control_socket()).await.unwrap();
    log.into_iter().map(|entry| format!("{}: {}", entry.who, entry.what)).collect()
}

#[tokio::test]
async fn the_first_owner_signs_in_once_and_says_who_he_is_before_anything_else() {
    let mut desk = Desk::new().await;
    let first = desk.app.first_administrator().await.unwrap().unwrap();
    assert!(desk.app.first_administrator().await.unwrap().is_none(), "once");
    let word = first.password.reveal();

    let answer = desk.try_password("owner", word).await;

    desk.cookie = answer.cookie();
    for path in ["/", "/account", "/administrators", "/phones/0004f2a1b2c3", "/sign-in"] {
        assert_eq!(desk.get(path).await.location(), "/new-password", "{path}");
    }
    let csrf = desk.csrf_of("/new-password").await;
    assert_eq!(desk.send("POST", "/devices", &[("csrf", &csrf)]).await.location(), "/new-password");
    let elsewhere = desk.elsewhere();
    assert_eq!(elsewhere.try_password("owner", word).await.status, StatusCode::FORBIDDEN, "it works once");
    let short = [("csrf", csrf.as_str()), ("email", ADA), ("name", "Ada"), ("password", "short"), ("again", "short")];
    let refused = desk.send("POST", "/new-password", &short).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.shows("12 to 128");
    refused.shows(ADA);
    let chosen =
        [("csrf", csrf.as_str()), ("email", ADA), ("name", "Ada"), ("password", PASSWORD), ("again", PASSWORD)];
    let done = desk.send("POST", "/new-password", &chosen).await;
    assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, "/"));
    assert_eq!(desk.get("/").await.location(), "/sign-in", "the session of before is over");
    desk.cookie = done.cookie();
    desk.get("/").await.shows("<h1>Home</h1>");
    desk.get("/account").await.shows(ADA);
    desk.elsewhere().enter(ADA, PASSWORD).await;
    assert_eq!(desk.try_password("owner", PASSWORD).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_one_time_password_is_over_after_three_days() {
    let desk = Desk::new().await;
    let input = AdministratorInput {
        email: ADA.to_owned(),
        name: "Ada".to_owned(),
        role: "support".to_owned(),
        ..AdministratorInput::default()
    };
    let made = desk.app.add_administrator(input, &Actor::control_socket()).await.unwrap();
    pass(3 * 86_400_000);

    let answer = desk.try_password(ADA, made.password.reveal()).await;

    assert_eq!((answer.status, answer.cookie()), (StatusCode::FORBIDDEN, None));
    answer.shows("is over");
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "how long an answer takes is what is tested")]
async fn a_name_that_nobody_has_and_a_wrong_password_are_answered_alike() {
    let desk = Desk::new().await;
    desk.person(ADA, "owner").await;
    let id = desk.person("bob@example.com", "support").await;
    let off = AdministratorChange { disabled: Some(true), ..AdministratorChange::default() };
    desk.app.change_administrator(&id.parse().unwrap(), off, &Actor::control_socket()).await.unwrap();
    let mut times = Vec::new();

    let mut answers = Vec::new();
    for (email, password) in
        [(ADA, "wrong password 1"), ("eve@example.com", "wrong password 1"), ("bob@example.com", PASSWORD)]
    {
        let began = Instant::now();
        let answer = desk.try_password(email, password).await;
        times.push(began.elapsed().as_secs_f64());
        assert!(answer.cookie().is_none());
        answers.push((answer.status, answer.text.replace(email, "NAME")));
    }

    assert_eq!(answers[0].0, StatusCode::FORBIDDEN);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "the same words");
    // Without the hash for nobody it would be a hundredth.
    assert!(times.iter().all(|time| *time > times[0] / 4.0 && *time < times[0] * 4.0), "{times:?}");
}

#[tokio::test]
async fn guessing_is_slowed_down_for_one_name_and_its_owner_is_not_kept_out_where_he_was_before() {
    let desk = Desk::new().await;
    desk.person(ADA, "owner").await;
    let from = |last: u8| {
        let verdict = std::sync::Arc::new(provost_core::identity::Verdict::none_presented());
        let transport = provost_core::identity::Transport::Plain;
        provost_core::identity::Peer { address: [198, 51, 100, last].into(), transport, verdict }
    };
    let ask = async |last: u8, password: &str| {
        let body = format!("email=ada%40example.com&password={}", password.replace(' ', "+"));
        let request = Request::post("/sign-in").header("content-type", "application/x-www-form-urlencoded");
        desk.ask(request.extension(from(last)).body(Body::from(body)).unwrap()).await
    };
    assert_eq!(ask(1, PASSWORD).await.status, StatusCode::SEE_OTHER, "the owner's own place");
    for n in 0..FREE_PER_NAME {
        assert_eq!(ask(2, "a wrong password").await.status, StatusCode::FORBIDDEN, "{n}");
    }

    let limited = ask(3, "a wrong password").await;

    assert_eq!((limited.status, limited.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "2"));
    limited.shows("Too many wrong tries");
    assert_eq!(ask(3, PASSWORD).await.status, StatusCode::TOO_MANY_REQUESTS, "the right one is not looked at either");
    assert_eq!(ask(1, PASSWORD).await.status, StatusCode::SEE_OTHER, "but where the owner was before");
    pass(1_001);
    assert_eq!(ask(3, PASSWORD).await.status, StatusCode::SEE_OTHER, "and after a second anywhere");
    let log = audit(&desk).await;
    assert!(
        log.iter().any(|entry| entry.starts_with("sign-in page: 5 wrong passwords") && entry.contains(ADA)),
        "{log:?}"
    );
}

fn new<'a>(role: &'a str, place: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("email", "new@example.com"), ("name", "New"), ("role", role), ("place", place)]
}

#[tokio::test]
async fn nobody_makes_or_changes_somebody_who_may_more_or_reaches_further() {
    let mut desk = Desk::new().await;
    let owner = desk.person("owner@example.com", "owner").await;
    let user = desk.user("Somebody").await;
    let (theirs, control) = (user.account.clone(), Actor::control_socket());
    let other = provost_core::entry::AccountInput { name: "Another".to_owned(), parent: None };
    let other = desk.app.add_account(other, &control).await.unwrap().id;
    let admin = desk.person(ADA, "administrator").await;
    let to_account = AdministratorChange { account: Some(Some(theirs.clone())), ..AdministratorChange::default() };
    desk.app.change_administrator(&admin.parse().unwrap(), to_account, &control).await.unwrap();
    desk.enter(ADA, PASSWORD).await;

    for (role, place) in [("owner", ""), ("owner", theirs.as_str()), ("support", other.as_str()), ("nonsense", "")] {
        let refused = desk.post("/administrators", &new(role, place)).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{role} {place}");
        refused.shows("Nobody was added");
    }
    for path in ["", "/disable", "/remove", "/reset-password", "/end-sessions"] {
        let answer = desk.post(&format!("/administrators/{owner}{path}"), &new("support", "")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: outside the account there is nobody");
    }
    desk.get("/administrators").await.hides("owner@example.com");
    let raise = [("email", ADA), ("name", "Ada"), ("role", "owner"), ("place", theirs.as_str())];
    let raised = desk.post(&format!("/administrators/{admin}"), &raise).await;
    assert_eq!(raised.status, StatusCode::UNPROCESSABLE_ENTITY, "nor himself");
    let made = desk.post("/administrators", &new("administrator", &theirs)).await;
    assert_eq!(made.status, StatusCode::OK);
    made.shows("One-time password");
    let all = desk.app.administrators(provost_app::Page::FIRST, &control).await.unwrap();
    let made = all.iter().find(|one| one.email == "new@example.com").unwrap();
    assert_eq!((made.role, made.account.as_deref()), ("administrator", Some(theirs.as_str())));
    assert_eq!(all.iter().find(|one| one.id == admin).unwrap().role, "administrator");
}

#[tokio::test]
async fn who_is_disabled_or_whose_role_changes_is_out_with_the_next_request() {
    let mut desk = Desk::new().await;
    desk.person("owner@example.com", "owner").await;
    let id = desk.person(ADA, "administrator").await;
    let control = Actor::control_socket();
    let parsed = id.parse().unwrap();
    let change = |change: AdministratorChange| desk.app.change_administrator(&parsed, change, &control);
    let mut ada = desk.elsewhere();
    ada.enter(ADA, PASSWORD).await;

    change(AdministratorChange { role: Some("read-only".to_owned()), ..AdministratorChange::default() }).await.unwrap();
    assert_eq!(ada.get("/").await.location(), "/sign-in");
    ada.enter(ADA, PASSWORD).await;
    assert_eq!(ada.get("/administrators").await.status, StatusCode::FORBIDDEN, "what a read-only one may");
    change(AdministratorChange { disabled: Some(true), ..AdministratorChange::default() }).await.unwrap();
    assert_eq!(ada.get("/").await.location(), "/sign-in");
    assert_eq!(ada.try_password(ADA, PASSWORD).await.status, StatusCode::FORBIDDEN);
    change(AdministratorChange { disabled: Some(false), ..AdministratorChange::default() }).await.unwrap();
    ada.enter(ADA, PASSWORD).await;
    desk.enter("owner@example.com", PASSWORD).await;
    let shown = desk.post(&format!("/administrators/{id}/reset-password"), &[]).await;
    shown.shows("One-time password");
    assert_eq!(ada.get("/").await.location(), "/sign-in");
    let removed = desk.post(&format!("/administrators/{id}/remove"), &[]).await;
    assert_eq!(removed.location(), "/administrators");
    desk.get("/administrators").await.hides("<bdi>ada@example.com");
    let log = audit(&desk).await;
    for told in [
        "changed the administrator ada@example.com",
        "reset the password of the",
        "removed the",
        "signed in at the console",
    ] {
        assert!(log.iter().any(|entry| entry.contains(told)), "{told}: {log:?}");
    }
    assert!(log.iter().any(|entry| entry.starts_with("administrator owner@example.com (owner): removed")), "{log:?}");
}

#[tokio::test]
async fn the_last_owner_stays_and_nobody_shuts_himself_out() {
    let mut desk = Desk::new().await;
    let id = desk.person(ADA, "owner").await;
    desk.enter(ADA, PASSWORD).await;
    for path in ["/disable", "/remove"] {
        desk.post(&format!("/administrators/{id}{path}"), &[]).await;
        desk.get(&format!("/administrators/{id}")).await.shows("this is yourself");
    }

    let refused = desk.app.remove_administrator(&id.parse().unwrap(), &Actor::control_socket()).await.unwrap_err();

    assert!(refused.to_string().contains("last owner"), "{refused}");
    desk.person("bob@example.com", "owner").await;
    desk.app.remove_administrator(&id.parse().unwrap(), &Actor::control_socket()).await.unwrap();
}

/// An account and a site of it, with an administrator of that site.
async fn of_a_site(desk: &Desk) -> (String, String, String) {
    let user = desk.user("Somebody").await;
    let id = desk.person(ADA, "support").await;
    let there = AdministratorChange {
        account: Some(Some(user.account.clone())),
        site: Some(Some(user.site.clone())),
        ..AdministratorChange::default()
    };
    desk.app.change_administrator(&id.parse().unwrap(), there, &Actor::control_socket()).await.unwrap();
    (id, user.account, user.site)
}

#[tokio::test]
async fn nobody_comes_to_reach_further_because_a_part_of_his_place_was_left_out() {
    let mut desk = Desk::new().await;
    desk.person("owner@example.com", "owner").await;
    let (id, account, site) = of_a_site(&desk).await;
    let (parsed, control) = (id.parse().unwrap(), Actor::control_socket());
    let change = |change: AdministratorChange| desk.app.change_administrator(&parsed, change, &control);
    let place = |view: &provost_app::AdministratorView| (view.account.clone(), view.site.clone());

    let same = AdministratorChange { account: Some(Some(account.clone())), ..AdministratorChange::default() };
    assert_eq!(place(&change(same).await.unwrap()), (Some(account.clone()), Some(site.clone())), "the site stays");
    let other = provost_core::entry::AccountInput { name: "Another".to_owned(), parent: None };
    let other = desk.app.add_account(other, &control).await.unwrap().id;
    let elsewhere = AdministratorChange { account: Some(Some(other)), ..AdministratorChange::default() };
    assert!(change(elsewhere).await.unwrap_err().to_string().contains("no site of that account"));
    let whole = AdministratorChange { site: Some(None), ..AdministratorChange::default() };
    assert_eq!(place(&change(whole).await.unwrap()), (Some(account.clone()), None), "and not the whole server");
    desk.enter("owner@example.com", PASSWORD).await;
    let path = format!("/administrators/{id}");
    for fields in [vec![], vec![("place", "")]] {
        let mut fields = fields.clone();
        fields.extend([("email", ADA), ("name", "Ada"), ("role", "support")]);
        assert_eq!(desk.post(&path, &fields).await.location(), path);
        let now = desk.app.administrator(&parsed, &control).await.unwrap();
        assert_eq!(place(&now), (Some(account.clone()), None));
    }
    let server = [("email", ADA), ("name", "Ada"), ("role", "support"), ("place", "all")];
    assert_eq!(desk.post(&path, &server).await.location(), path);
    assert_eq!(place(&desk.app.administrator(&parsed, &control).await.unwrap()), (None, None), "where it was chosen");
}

#[tokio::test]
async fn whoever_is_added_is_given_a_place_and_not_the_first_of_the_list() {
    let mut desk = Desk::new().await;
    desk.person("owner@example.com", "owner").await;
    desk.enter("owner@example.com", PASSWORD).await;

    let refused = desk.post("/administrators", &new("support", "")).await;

    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.shows("choose who they are for");
    desk.get("/administrators").await.shows(r#"<option value="" selected>"#);
    desk.post("/administrators", &new("support", "all")).await.shows("One-time password");
}

#[tokio::test]
async fn a_form_that_was_opened_before_anothers_change_undoes_nothing() {
    let mut desk = Desk::new().await;
    desk.person("owner@example.com", "owner").await;
    let id = desk.person(ADA, "administrator").await;
    desk.enter("owner@example.com", PASSWORD).await;
    let path = format!("/administrators/{id}");
    let page = desk.get(&path).await.text;
    let before = page.split_once(r#"name="before" value=""#).unwrap().1.split_once('"').unwrap().0.to_owned();
    let (parsed, control) = (id.parse().unwrap(), Actor::control_socket());
    let less = AdministratorChange { role: Some("read-only".to_owned()), ..AdministratorChange::default() };
    desk.app.change_administrator(&parsed, less, &control).await.unwrap();

    let mut fields = vec![("email", ADA), ("name", "Ada B."), ("role", "administrator"), ("place", "all")];
    fields.push(("before", &before));
    let refused = desk.post(&path, &fields).await;

    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.shows("somebody else changed this administrator meanwhile");
    assert_eq!(desk.app.administrator(&parsed, &control).await.unwrap().role, "read-only");
}

#[tokio::test]
async fn changes_of_many_at_once_undo_none_of_each_other() {
    let desk = Desk::new().await;
    let id = desk.person(ADA, "administrator").await;
    desk.person("owner@example.com", "owner").await;
    let (parsed, control) = (id.parse().unwrap(), Actor::control_socket());
    let changes = [
        AdministratorChange { role: Some("read-only".to_owned()), ..AdministratorChange::default() },
        AdministratorChange { disabled: Some(true), ..AdministratorChange::default() },
        AdministratorChange { name: Some("Another Name".to_owned()), ..AdministratorChange::default() },
        AdministratorChange { language: Some(Some("de".to_owned())), ..AdministratorChange::default() },
    ];

    let all = changes.map(|change| desk.app.change_administrator(&parsed, change, &control));
    let [a, b, c, d] = all;
    let (a, b, c, d) = tokio::join!(a, b, c, d);

    for done in [a, b, c, d] {
        done.unwrap();
    }
    let now = desk.app.administrator(&parsed, &control).await.unwrap();
    assert_eq!((now.role, now.disabled, now.name.as_str()), ("read-only", true, "Another Name"));
    assert_eq!(now.language.as_deref(), Some("de"));
}

#[tokio::test]
async fn nobody_resets_his_own_password_nor_leads_his_own_links_elsewhere() {
    let mut desk = Desk::new().await;
    let id = desk.person(ADA, "owner").await;
    desk.enter(ADA, PASSWORD).await;
    let path = format!("/administrators/{id}");

    let reset = desk.post(&format!("{path}/reset-password"), &[("turn-off-totp", "yes")]).await;

    assert_eq!((reset.status, reset.location()), (StatusCode::SEE_OTHER, path.as_str()));
    desk.get(&path).await.shows("this is yourself");
    let moved = [("email", "eve@example.com"), ("name", "Ada"), ("role", "owner"), ("place", "all")];
    let moved = desk.post(&path, &moved).await;
    assert_eq!(moved.status, StatusCode::UNPROCESSABLE_ENTITY);
    moved.shows("this is your own");
    desk.elsewhere().enter(ADA, PASSWORD).await;
}

#[tokio::test]
async fn names_that_nobody_has_fill_no_audit_log() {
    let desk = Desk::new().await;
    desk.person(ADA, "owner").await;
    let before = audit(&desk).await.len();

    for n in 0..FREE_PER_NAME * 3 {
        desk.try_password(&format!("invented-{}@example.com", n / FREE_PER_NAME), "a wrong password").await;
    }

    assert_eq!(audit(&desk).await.len(), before);
}

#[tokio::test]
async fn a_sign_in_that_was_judged_before_a_change_opens_no_session_after_it() {
    let desk = Desk::new().await;
    desk.person("owner@example.com", "owner").await;
    let id = desk.person(ADA, "support").await;
    let (parsed, control) = (id.parse().unwrap(), Actor::control_socket());
    let mut in_flight = Vec::new();
    for _ in 0..6 {
        let desk = desk.elsewhere();
        in_flight.push(tokio::spawn(async move {
            let answer = desk.try_password(ADA, PASSWORD).await;
            (desk, answer.cookie())
        }));
    }
    tokio::task::yield_now().await;
    desk.app.reset_password(&parsed, false, &control).await.unwrap();

    for one in in_flight {
        let (mut desk, cookie) = one.await.unwrap();
        desk.cookie = cookie;
        assert_eq!(desk.get("/account").await.location(), "/sign-in");
    }
}
