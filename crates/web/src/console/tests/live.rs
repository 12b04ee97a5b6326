//! Streams that say when a page has changed: what they say, to whom, and when they end.

use super::{Desk, MAC, NOW, PASSWORD, VVX_450, pass};
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, COOKIE};
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use provost_app::Actor;
use provost_core::entry::administrator::{AdministratorChange, AdministratorInput};
use provost_core::sign_in::SESSION_IDLE_MS;
use std::time::Duration;
use tokio::time::timeout;

const HOME: &str = "/live/home";

/// A stream as a browser reads it.
struct Events(Body);

impl Events {
    async fn open(desk: &Desk, path: &str) -> Self {
        let (status, body) = begun(desk, path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        let mut events = Self(body);
        assert_eq!(events.next().await.as_deref(), Some("retry: 3000\n\n"));
        events
    }

    /// The next event; `None` at the end of the stream.
    async fn next(&mut self) -> Option<String> {
        let frame = timeout(Duration::from_secs(10), self.0.frame()).await.expect("an event in time")?;
        Some(String::from_utf8(frame.unwrap().into_data().unwrap().to_vec()).unwrap())
    }

    /// Whether nothing is said for longer than a change takes to be said.
    async fn is_quiet(&mut self) -> bool {
        timeout(Duration::from_secs(3), self.0.frame()).await.is_err()
    }
}

async fn begun(desk: &Desk, path: &str) -> (StatusCode, Body) {
    use tower::ServiceExt;
    let cookie = desk.cookie.clone().unwrap_or_default();
    let request = Request::get(path).header(COOKIE, cookie).body(Body::empty()).unwrap();
    let response = desk.console.clone().oneshot(request).await.unwrap();
    let kind = response.headers().get(CONTENT_TYPE).unwrap().to_str().unwrap().to_owned();
    assert_eq!(kind == "text/event-stream", response.status() == StatusCode::OK);
    (response.status(), response.into_body())
}

/// A browser of an administrator with this role, of an account or of the whole server.
pub(super) async fn of(desk: &Desk, email: &str, (role, account): (&str, Option<&str>)) -> (Desk, String) {
    let mut browser = desk.elsewhere();
    let input = AdministratorInput {
        email: email.to_owned(),
        name: "Somebody".to_owned(),
        role: role.to_owned(),
        account: account.map(str::to_owned),
        ..AdministratorInput::default()
    };
    let made = desk.app.add_administrator(input, &Actor::control_socket()).await.unwrap();
    browser.cookie = browser.try_password(email, made.password.reveal()).await.cookie();
    let csrf = browser.csrf_of("/new-password").await;
    let fields = [("email", email), ("name", "Somebody"), ("password", PASSWORD), ("again", PASSWORD), ("csrf", &csrf)];
    browser.cookie = browser.send("POST", "/new-password", &fields).await.cookie();
    (browser, made.view.id)
}

#[tokio::test]
async fn a_phone_that_asks_is_told_on_its_page_on_home_and_on_its_devices() {
    let desk = Desk::signed_in().await;
    let device = desk.device(&desk.user("Ada").await, Some(MAC)).await;
    let paths = [HOME.to_owned(), format!("/live/phones/{MAC}"), format!("/live/devices/{}", device.id)];
    let mut streams = Vec::new();
    for path in &paths {
        streams.push(Events::open(&desk, path).await);
    }

    desk.phone_asks(VVX_450).await;

    for (path, stream) in paths.iter().zip(&mut streams) {
        assert_eq!(stream.next().await.as_deref(), Some("event: changed\ndata:\n\n"), "{path}");
    }
}

#[tokio::test]
async fn nobody_learns_that_another_account_is_busy() {
    let desk = Desk::signed_in().await;
    let (ada, bob) = (desk.user("Ada").await, desk.user("Bob").await);
    let (of_bob, _) = of(&desk, "bob@example.com", ("administrator", Some(&bob.account))).await;
    let device = desk.device(&ada, Some(MAC)).await;
    let mut events = Events::open(&of_bob, HOME).await;

    desk.phone_asks(VVX_450).await;

    assert!(events.is_quiet().await);
    for path in [format!("/live/phones/{MAC}"), format!("/live/devices/{}", device.id)] {
        assert_eq!(begun(&of_bob, &path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_stream_is_over_with_its_session_and_when_its_rights_change() {
    let desk = Desk::signed_in().await;
    let disabled = AdministratorChange { disabled: Some(true), ..AdministratorChange::default() };
    let demoted = AdministratorChange { role: Some("read-only".to_owned()), ..AdministratorChange::default() };
    for (email, change) in
        [("ada@example.com", Some(disabled)), ("bob@example.com", Some(demoted)), ("eve@example.com", None)]
    {
        let (browser, id) = of(&desk, email, ("administrator", None)).await;
        let mut events = Events::open(&browser, HOME).await;

        match change {
            Some(change) => {
                desk.app.change_administrator(&id.parse().unwrap(), change, &Actor::control_socket()).await.unwrap();
            }
            None => {
                browser.post("/sign-out", &[]).await;
            }
        }

        assert_eq!(events.next().await.as_deref(), Some("event: over\ndata:\n\n"), "{email}");
        assert_eq!(events.next().await, None, "{email}");
    }
}

#[tokio::test]
async fn a_page_that_stays_open_does_not_keep_its_session() {
    let desk = Desk::signed_in().await;
    let cookie = desk.cookie.clone().unwrap();
    let by_script = || Request::get("/").header(COOKIE, &cookie).header("sec-fetch-dest", "empty");
    let _events = Events::open(&desk, HOME).await;

    for _ in 0..4 {
        pass(SESSION_IDLE_MS / 4 - 1);
        assert_eq!(desk.ask(by_script().body(Body::empty()).unwrap()).await.status, StatusCode::OK);
    }
    pass(SESSION_IDLE_MS / 4);

    assert_eq!(desk.get("/").await.location(), "/sign-in", "{}", NOW.get());
}

#[tokio::test]
async fn a_session_has_eight_streams_at_a_time_and_a_ninth_when_one_has_ended() {
    let desk = Desk::signed_in().await;
    let mut streams = Vec::new();
    for _ in 0..8 {
        streams.push(Events::open(&desk, HOME).await);
    }

    assert_eq!(begun(&desk, HOME).await.0, StatusCode::SERVICE_UNAVAILABLE);

    streams.pop();
    Events::open(&desk, HOME).await;
}

#[tokio::test]
async fn streams_end_when_the_server_does() {
    let desk = Desk::signed_in().await;
    let mut events = Events::open(&desk, HOME).await;

    desk.app.begin_to_end();

    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn a_stream_takes_a_session_and_a_phone_that_is_known() {
    let desk = Desk::signed_in().await;

    assert_eq!(desk.elsewhere().get(HOME).await.location(), "/sign-in");
    assert_eq!(begun(&desk, "/live/phones/0004f2000009").await.0, StatusCode::NOT_FOUND);
    assert_eq!(begun(&desk, "/live/devices/nonsense").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_the_script_of_an_open_page_fetches_takes_no_notice_from_the_page_that_is_gone_to() {
    let desk = Desk::signed_in().await;
    let device = desk.device(&desk.user("Ada").await, None).await;
    let page = format!("/devices/{}", device.id);
    let done = desk.post(&format!("{page}/disable"), &[]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);

    let cookie = desk.cookie.clone().unwrap();
    let by_script = Request::get(&page).header(COOKIE, cookie).header("sec-fetch-dest", "empty");
    desk.ask(by_script.body(Body::empty()).unwrap()).await.hides("is disabled: its phone");

    desk.get(&page).await.shows("is disabled: its phone");
    desk.get(&page).await.hides("is disabled: its phone");
}
