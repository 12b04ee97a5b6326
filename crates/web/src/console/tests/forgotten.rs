//! A forgotten password: the same words for everybody, and a link that works once.

use super::{Desk, PASSWORD, pass};
use axum::http::StatusCode;
use provost_core::sign_in::LINK_LASTS_MS;

const ADA: &str = "ada@example.com";
const OTHER: &str = "another good password";

#[tokio::test]
async fn without_a_mail_server_the_page_says_so_and_what_to_do() {
    let desk = Desk::new().await;
    desk.person(ADA, "owner").await;

    let page = desk.get("/forgotten").await;

    page.shows("no mail server configured");
    assert!(!desk.app.can_mail_links());
    page.shows("administrator reset-password");
    let (known, unknown) = (
        desk.send("POST", "/forgotten", &[("email", ADA)]).await,
        desk.send("POST", "/forgotten", &[("email", "eve@example.com")]).await,
    );
    assert_eq!((known.status, known.text), (unknown.status, unknown.text), "who is asked for changes nothing");
}

#[tokio::test]
async fn a_link_chooses_a_password_once_and_ends_every_session() {
    let desk = Desk::new().await;
    desk.person(ADA, "owner").await;
    let mut signed_in = desk.elsewhere();
    signed_in.enter(ADA, PASSWORD).await;
    let link = desk.app.password_link(ADA).await.unwrap().unwrap();
    assert!(desk.app.password_link(ADA).await.unwrap().is_none(), "not another within five minutes");
    assert!(desk.app.password_link("eve@example.com").await.unwrap().is_none());
    let path = format!("/new-password/{}", link.reveal());
    for _ in 0..2 {
        assert_eq!(desk.get(&path).await.status, StatusCode::OK, "looking uses nothing up");
    }
    let choose = |password: &'static str, again: &'static str| [("password", password), ("again", again)];
    desk.send("POST", &path, &choose(OTHER, PASSWORD)).await.shows("type the same password twice");
    desk.send("POST", &path, &choose("short", "short")).await.shows("12 to 128");

    let done = desk.send("POST", &path, &choose(OTHER, OTHER)).await;

    assert_eq!((done.location(), done.cookie()), ("/sign-in", None));
    assert_eq!(signed_in.get("/").await.location(), "/sign-in");
    desk.elsewhere().enter(ADA, OTHER).await;
    let again = desk.send("POST", &path, &choose(PASSWORD, PASSWORD)).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    again.shows("does not work");
    assert_eq!(desk.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(desk.get("/new-password/00").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_link_is_over_after_an_hour_and_when_the_password_was_changed() {
    let mut desk = Desk::new().await;
    desk.person(ADA, "owner").await;
    let link = desk.app.password_link(ADA).await.unwrap().unwrap();
    pass(LINK_LASTS_MS);
    assert!(!desk.app.is_password_link(link.reveal()).await.unwrap());
    let link = desk.app.password_link(ADA).await.unwrap().unwrap();
    assert!(desk.app.is_password_link(link.reveal()).await.unwrap());

    desk.enter(ADA, PASSWORD).await;
    let fields = [("current", PASSWORD), ("password", OTHER), ("again", OTHER)];
    assert_eq!(desk.post("/account/password", &fields).await.location(), "/account");

    assert!(!desk.app.is_password_link(link.reveal()).await.unwrap());
}
