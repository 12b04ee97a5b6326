//! My account: password, authenticator, recovery codes, sessions.

use super::{Answer, Desk, PASSWORD, pass};
use axum::http::StatusCode;
use totp_rs::{Algorithm, Builder, Secret};

const ADA: &str = "ada@example.com";
const OTHER: &str = "another good password";

async fn ada() -> Desk {
    let mut desk = Desk::new().await;
    desk.person(ADA, "owner").await;
    pass(1_000);
    desk.enter(ADA, PASSWORD).await;
    desk
}

/// The value of a hidden field.
fn hidden(page: &Answer, name: &str) -> String {
    let rest = page.text.split_once(&format!(r#"name="{name}" value=""#)).unwrap().1;
    rest.split_once('"').unwrap().0.to_owned()
}

/// What an authenticator shows for the secret on the page, at the time of the test.
fn code(secret: &str) -> String {
    let secret = Secret::try_from_base32(secret).unwrap();
    let totp = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(6).with_secret(secret).build().unwrap();
    totp.generate(u64::try_from(super::NOW.get().0 / 1000).unwrap()).to_string()
}

/// Sets an authenticator up; returns its secret and the recovery codes.
async fn with_authenticator(desk: &mut Desk) -> (String, Vec<String>) {
    let page = desk.post("/account/totp", &[]).await;
    page.shows("<svg");
    let shown = page.text.split_once(r#"<code class="wrap">"#).unwrap().1.split_once('<').unwrap().0;
    let secret: String = shown.split(' ').collect();
    let ticket = hidden(&page, "ticket");
    let wrong =
        desk.post("/account/totp/begin", &[("ticket", &ticket), ("code", "000000"), ("current", PASSWORD)]).await;
    wrong.shows("does not fit");
    let fields = [("ticket", ticket.as_str()), ("code", &code(&secret)), ("current", PASSWORD)];
    let done = desk.post("/account/totp/begin", &fields).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    desk.cookie = done.cookie();
    let codes = done.text.split("<li><code>").skip(1).map(|rest| rest.split_once('<').unwrap().0.to_owned());
    (secret, codes.collect())
}

async fn second_step(desk: &Desk, code: &str) -> Answer {
    let page = desk.try_password(ADA, PASSWORD).await;
    assert_eq!((page.status, page.cookie()), (StatusCode::OK, None), "{}", page.text);
    desk.send("POST", "/sign-in/code", &[("ticket", &hidden(&page, "ticket")), ("code", code)]).await
}

#[tokio::test]
async fn a_new_password_takes_the_old_one_and_ends_every_other_session() {
    let mut desk = ada().await;
    let mut elsewhere = desk.elsewhere();
    elsewhere.enter(ADA, PASSWORD).await;
    let change = |current: &'static str, password: &'static str, again: &'static str| {
        [("current", current), ("password", password), ("again", again)]
    };
    for (fields, says) in [
        (change("not the one", OTHER, OTHER), "this is not your password"),
        (change(PASSWORD, OTHER, PASSWORD), "type the same password twice"),
        (change(PASSWORD, ADA, ADA), "your own name or mail address"),
    ] {
        desk.post("/account/password", &fields).await.shows(says);
    }

    let before = desk.cookie.clone();
    let done = desk.post("/account/password", &change(PASSWORD, OTHER, OTHER)).await;

    assert_eq!(done.location(), "/account");
    assert_ne!(done.cookie(), before, "the session is another one");
    assert_eq!(desk.get("/").await.location(), "/sign-in");
    assert_eq!(elsewhere.get("/").await.location(), "/sign-in");
    desk.cookie = done.cookie();
    desk.get("/account").await.shows("Your password is changed");
    assert_eq!(desk.try_password(ADA, PASSWORD).await.status, StatusCode::FORBIDDEN);
    elsewhere.enter(ADA, OTHER).await;
}

#[tokio::test]
async fn with_an_authenticator_a_code_is_asked_for_and_each_is_taken_once() {
    let mut desk = ada().await;
    let before = desk.cookie.clone();
    let (secret, codes) = with_authenticator(&mut desk).await;
    assert_ne!(desk.cookie, before, "the session is another one");
    assert_eq!(codes.len(), 10);
    let visitor = desk.elsewhere();

    let replayed = second_step(&visitor, &code(&secret)).await;
    assert_eq!((replayed.status, replayed.cookie()), (StatusCode::FORBIDDEN, None), "it was used to set it up");
    pass(30_000);
    let fresh = code(&secret);
    assert_eq!(second_step(&visitor, &fresh).await.location(), "/");
    let replayed = second_step(&visitor, &fresh).await;
    assert_eq!(replayed.status, StatusCode::FORBIDDEN, "each code opens once");
    replayed.shows("was used before");
    assert_eq!(second_step(&visitor, &codes[0]).await.location(), "/");
    assert_eq!(second_step(&visitor, &codes[0]).await.status, StatusCode::FORBIDDEN, "each recovery code too");
    assert_eq!(second_step(&visitor, &codes[1].to_uppercase().replace('-', " ")).await.location(), "/");
    desk.get("/account").await.shows("Recovery codes left: 8");
}

#[tokio::test]
async fn the_second_step_needs_the_first_and_is_over_after_five_minutes() {
    let mut desk = ada().await;
    let (secret, _) = with_authenticator(&mut desk).await;
    let visitor = desk.elsewhere();
    let ticket = hidden(&visitor.try_password(ADA, PASSWORD).await, "ticket");
    for ticket in ["", "00", &ticket[2..], &ticket.replace('a', "b")] {
        let answer = visitor.send("POST", "/sign-in/code", &[("ticket", ticket), ("code", &code(&secret))]).await;
        assert_eq!((answer.status, answer.cookie()), (StatusCode::FORBIDDEN, None));
    }

    pass(5 * 60_000);

    let late = visitor.send("POST", "/sign-in/code", &[("ticket", &ticket), ("code", &code(&secret))]).await;
    assert_eq!((late.status, late.cookie()), (StatusCode::FORBIDDEN, None));
}

#[tokio::test]
async fn codes_are_not_guessed_faster_than_passwords() {
    let mut desk = ada().await;
    with_authenticator(&mut desk).await;
    let visitor = desk.elsewhere();
    let ticket = hidden(&visitor.try_password(ADA, PASSWORD).await, "ticket");
    let mut last = StatusCode::OK;

    for _ in 0..8 {
        last = visitor.send("POST", "/sign-in/code", &[("ticket", &ticket), ("code", "000000")]).await.status;
    }

    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn the_authenticator_goes_with_the_password_only() {
    let mut desk = ada().await;
    with_authenticator(&mut desk).await;
    desk.post("/account/totp/end", &[("current", "wrong password")]).await.shows("this is not your password");
    let codes = desk.post("/account/recovery-codes", &[("current", PASSWORD)]).await;
    assert_eq!(codes.text.matches("<li><code>").count(), 10);

    let done = desk.post("/account/totp/end", &[("current", PASSWORD)]).await;

    assert_eq!(done.location(), "/account");
    desk.elsewhere().enter(ADA, PASSWORD).await;
}

#[tokio::test]
async fn ones_own_sessions_are_listed_and_ended_one_or_all() {
    let desk = ada().await;
    let (mut second, mut third) = (desk.elsewhere(), desk.elsewhere());
    second.enter(ADA, PASSWORD).await;
    third.enter(ADA, PASSWORD).await;
    // That in which the password was chosen, by a browser of its own.
    desk.app.end_own_session(&first_session(&desk).await, &session_of(&desk).await).await.unwrap();
    let page = desk.get("/account").await;
    assert_eq!(page.text.matches("this one").count(), 1);
    let ends: Vec<_> = page.text.split("/account/sessions/session_").skip(1).collect();
    assert_eq!(ends.len(), 2);
    let id = format!("session_{}", ends[0].split_once('/').unwrap().0);

    assert_eq!(desk.post(&format!("/account/sessions/{id}/end"), &[]).await.location(), "/account");
    let left = [second.get("/").await.status, third.get("/").await.status];
    assert_eq!(left.iter().filter(|status| **status == StatusCode::OK).count(), 1);
    desk.post("/account/sessions/end-others", &[]).await;
    assert_eq!([second.get("/").await.status, third.get("/").await.status], [StatusCode::SEE_OTHER; 2]);
    assert_eq!(desk.get("/").await.status, StatusCode::OK);
    desk.person("bob@example.com", "owner").await;
    let mut bob = desk.elsewhere();
    bob.enter("bob@example.com", PASSWORD).await;
    let shown = bob.get("/account").await;
    let theirs = desk.app.own_sessions(&session_of(&desk).await).await.unwrap()[0].id.clone();
    shown.hides(&theirs);
    assert_eq!(bob.post(&format!("/account/sessions/{theirs}/end"), &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(desk.get("/").await.status, StatusCode::OK);
}

async fn first_session(desk: &Desk) -> String {
    let all = desk.app.own_sessions(&session_of(desk).await).await.unwrap();
    assert_eq!(all.len(), 4);
    all.into_iter().min_by_key(|one| one.began).unwrap().id
}

async fn session_of(desk: &Desk) -> provost_app::OpenSession {
    let cookie = desk.cookie.clone().unwrap();
    desk.app.open_session(cookie.split_once('=').unwrap().1, None).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_stolen_database_reveals_no_password_session_or_authenticator() {
    let mut desk = ada().await;
    let (secret, codes) = with_authenticator(&mut desk).await;
    let link = desk.app.password_link(ADA).await.unwrap().unwrap();
    let ticket = desk.cookie.clone().unwrap().split_once('=').unwrap().1.to_owned();

    let mut stolen = Vec::new();
    // The folder of firmware images lies beside the database.
    let entries = std::fs::read_dir(desk.folder.path()).unwrap().flatten();
    for file in entries.filter(|entry| entry.path().is_file()) {
        stolen.extend(std::fs::read(file.path()).unwrap());
    }

    let raw = Secret::try_from_base32(&secret).unwrap().as_bytes().to_vec();
    let plain_code: String = codes[0].replace('-', "");
    let words = [PASSWORD, &secret, &ticket, link.reveal(), &codes[0], &plain_code, "ada@example.com"];
    let found: Vec<bool> = words
        .iter()
        .map(|word| word.as_bytes().to_vec())
        .chain([raw, hex::decode(&ticket).unwrap()])
        .map(|word| stolen.windows(word.len()).any(|window| window == word))
        .collect();
    assert_eq!(found, [false, false, false, false, false, false, true, false, false], "all but the mail address");
}

#[tokio::test]
async fn a_one_time_password_opens_once_also_where_two_were_asked_for_the_code() {
    let mut desk = ada().await;
    let (secret, codes) = with_authenticator(&mut desk).await;
    let control = provost_app::Actor::control_socket();
    let all = desk.app.administrators(provost_app::Page::FIRST, &control).await.unwrap();
    let id = all.iter().find(|one| one.email == ADA).unwrap().id.parse().unwrap();
    let once = desk.app.reset_password(&id, false, &control).await.unwrap();
    let browsers = [desk.elsewhere(), desk.elsewhere()];
    let mut tickets = Vec::new();
    for browser in &browsers {
        tickets.push(hidden(&browser.try_password(ADA, once.password.reveal()).await, "ticket"));
    }
    pass(30_000);

    let with = |ticket: usize, code: String| {
        let (browser, ticket) = (&browsers[ticket], tickets[ticket].clone());
        async move { browser.send("POST", "/sign-in/code", &[("ticket", &ticket), ("code", &code)]).await }
    };
    let first = with(0, code(&secret)).await;
    let second = with(1, codes[0].clone()).await;

    assert_eq!(first.location(), "/");
    assert_eq!((second.status, second.cookie()), (StatusCode::FORBIDDEN, None));
}
