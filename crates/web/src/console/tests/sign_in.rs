//! Who gets in, for how long, and with what around every answer.

use super::{Desk, MAC, PASSWORD, pass};
use crate::console::Reach;
use crate::console::sessions::MOST_WRONG_TOKENS;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use provost_core::sign_in::{SESSION_IDLE_MS, SESSION_LASTS_MS};

const PAGES: [&str; 6] = [
    "/",
    "/phones/0004f2a1b2c3",
    "/account",
    "/administrators",
    "/administrators/administrator_01jd0000000000000000000000",
    "/new-password",
];
const FORMS: [&str; 21] = [
    "/devices",
    "/devices/device_01jd0000000000000000000000/code",
    "/devices/device_01jd0000000000000000000000/disable",
    "/devices/device_01jd0000000000000000000000/quarantine",
    "/devices/device_01jd0000000000000000000000/enable",
    "/phones/activate",
    "/sign-out",
    "/new-password",
    "/account/password",
    "/account/totp",
    "/account/totp/begin",
    "/account/totp/end",
    "/account/recovery-codes",
    "/account/sessions/session_x/end",
    "/account/sessions/end-others",
    "/administrators",
    "/administrators/administrator_01jd0000000000000000000000",
    "/administrators/administrator_01jd0000000000000000000000/disable",
    "/administrators/administrator_01jd0000000000000000000000/remove",
    "/administrators/administrator_01jd0000000000000000000000/reset-password",
    "/administrators/administrator_01jd0000000000000000000000/end-sessions",
];

#[tokio::test]
async fn nobody_sees_or_changes_anything_without_signing_in() {
    let desk = Desk::new().await;

    for path in PAGES {
        let answer = desk.get(path).await;
        assert_eq!((answer.status, answer.location(), answer.text.as_str()), (StatusCode::SEE_OTHER, "/sign-in", ""));
    }
    for path in FORMS {
        let answer = desk.send("POST", path, &[("csrf", "x"), ("mac", MAC)]).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/sign-in"), "{path}");
    }
}

#[tokio::test]
async fn the_owner_token_opens_the_page_and_the_cookie_is_strict() {
    let mut desk = Desk::new().await;

    let answer = desk.try_token(&format!(" {}\n", desk.token)).await;

    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/"));
    let cookie = answer.header("set-cookie").to_owned();
    for attribute in ["; HttpOnly", "; SameSite=Strict", "; Path=/", "; Max-Age=43200"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert_eq!(cookie.split(['=', ';']).nth(1).unwrap().len(), 64, "32 random bytes: {cookie}");
    assert!(!cookie.contains(&desk.token));
    desk.cookie = answer.cookie();
    desk.get("/").await.shows("<h1>Home</h1>");
    assert_eq!(desk.get("/sign-in").await.location(), "/");
}

#[tokio::test]
async fn a_wrong_token_is_told_so_and_not_repeated() {
    let desk = Desk::new().await;

    let answer = desk.try_token("pvt_wrong").await;

    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.cookie().is_none());
    answer.shows("That is no token of this server");
    answer.hides("pvt_wrong");
}

#[tokio::test]
async fn guessing_is_limited_for_everybody_together_and_locks_the_owner_never_out() {
    let desk = Desk::new().await;
    for _ in 0..MOST_WRONG_TOKENS {
        assert_eq!(desk.try_token("pvt_guess").await.status, StatusCode::FORBIDDEN);
    }

    let answer = desk.try_token("pvt_guess").await;

    assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "61"));
    answer.shows("Too many wrong tokens");
    assert_eq!(desk.try_token(&desk.token).await.status, StatusCode::SEE_OTHER);
    pass(61_000);
    assert_eq!(desk.try_token("pvt_guess").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn another_web_page_can_neither_sign_in_nor_use_up_the_tries() {
    let desk = Desk::new().await;

    for _ in 0..=MOST_WRONG_TOKENS {
        let request = Request::post("/sign-in").header("sec-fetch-site", "cross-site");
        let answer = desk.ask(request.body(Body::from("token=x")).unwrap()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }

    assert_eq!(desk.try_token(&desk.token).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn every_sign_in_draws_a_new_session_and_ends_the_old_one() {
    let mut desk = Desk::signed_in().await;
    let before = desk.cookie.clone().unwrap();

    let after = desk.try_token(&desk.token).await.cookie().unwrap();

    assert_ne!(before, after);
    assert_eq!(desk.get("/").await.location(), "/sign-in");
    let planted = "f".repeat(64);
    desk.cookie = Some(format!("provost-session=planted; provost-session={planted}; {after}"));
    assert_eq!(desk.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_session_id_that_was_planted_before_sign_in_opens_nothing_after_it() {
    let mut desk = Desk::new().await;
    let planted = format!("provost-session={}", "a".repeat(64));
    desk.cookie = Some(planted.clone());

    let drawn = desk.try_token(&desk.token).await.cookie().unwrap();

    assert_ne!(drawn, planted);
    assert_eq!(desk.get("/").await.location(), "/sign-in");
}

#[tokio::test]
async fn a_session_is_over_after_twelve_hours_and_after_signing_out() {
    let mut desk = Desk::signed_in().await;
    for _ in 1..12 {
        pass(SESSION_LASTS_MS / 12);
        assert_eq!(desk.get("/").await.status, StatusCode::OK);
    }
    pass(SESSION_LASTS_MS / 12);
    assert_eq!(desk.get("/").await.location(), "/sign-in");

    desk.cookie = desk.try_token(&desk.token).await.cookie();
    let out = desk.post("/sign-out", &[]).await;

    assert_eq!(out.location(), "/sign-in");
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(desk.get("/").await.location(), "/sign-in");
}

#[tokio::test]
async fn a_session_is_over_after_two_hours_without_a_request() {
    let desk = Desk::signed_in().await;
    pass(SESSION_IDLE_MS - 1);
    assert_eq!(desk.get("/").await.status, StatusCode::OK);

    pass(SESSION_IDLE_MS);

    assert_eq!(desk.get("/").await.location(), "/sign-in");
}

#[tokio::test]
async fn over_https_the_cookie_is_secure_and_bound_to_the_host_and_no_other_counts() {
    let mut desk = Desk::reached(Reach::Https).await;

    let answer = desk.try_token(&desk.token).await;

    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.starts_with("__Host-provost-session=") && cookie.contains("; Secure"), "{cookie}");
    assert!(cookie.contains("; Path=/;") && !cookie.contains("Domain"), "{cookie}");
    desk.cookie = answer.cookie().map(|cookie| cookie.replace("__Host-", ""));
    assert_eq!(desk.get("/").await.location(), "/sign-in");
    desk.cookie = answer.cookie();
    assert_eq!(desk.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn no_page_to_go_on_at_is_taken_from_the_request() {
    let desk = Desk::new().await;
    desk.person("ada@example.com", "owner").await;

    for path in ["/sign-in?next=https://evil.example", "/sign-in?next=//evil.example/", "/sign-in?return_to=/x"] {
        desk.get(path).await.hides("evil.example");
        let fields = [("email", "ada@example.com"), ("password", PASSWORD), ("next", "https://evil.example")];
        assert_eq!(desk.send("POST", path, &fields).await.location(), "/", "{path}");
    }
    for path in ["//evil.example", "//evil.example/..", "/\\evil.example"] {
        assert!(!desk.get(path).await.location().contains("evil"), "{path}");
    }
}

#[tokio::test]
async fn a_form_without_this_sessions_token_changes_nothing() {
    let mut desk = Desk::signed_in().await;
    let user = desk.user("Ada").await;
    let other = desk.csrf().await;
    let session = desk.try_token(&desk.token).await.cookie();
    let ticket = session.clone().unwrap().split_once('=').unwrap().1.to_owned();
    desk.cookie = session;

    for path in FORMS {
        for csrf in [Some(ticket.as_str()), None, Some(""), Some("x"), Some(other.as_str())] {
            let mut fields = vec![("model", "vvx450"), ("user", user.id.as_str()), ("mac", MAC), ("code", "1")];
            fields.extend(csrf.map(|csrf| ("csrf", csrf)));
            let answer = desk.send("POST", path, &fields).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {csrf:?}");
            answer.shows("Nothing was changed");
        }
    }
    assert!(
        desk.app.devices(provost_app::Page::FIRST, &provost_app::Actor::control_socket()).await.unwrap().is_empty()
    );
}

/// Addresses of assets change with their content.
const KEPT: &str = "public, max-age=31536000, immutable";
const OWN_SCRIPT: &str = "<script src=\"/assets/console.js?v=";

#[tokio::test]
async fn every_answer_carries_the_strict_headers() {
    let desk = Desk::signed_in().await;
    let elsewhere = Desk::new().await;

    let answers = [
        desk.get("/").await,
        desk.get("/phones/0004f2ffffff").await,
        desk.get("/no/such/page").await,
        desk.get("/phones/activate").await,
        desk.get("/phones/%ff").await,
        desk.get("/assets/console.css").await,
        desk.get("/assets/icon.svg").await,
        desk.get("/assets/console.js").await,
        desk.send("DELETE", "/", &[]).await,
        desk.send("POST", "/devices", &[]).await,
        desk.send("POST", "/devices", &[("csrf", &"x".repeat(20_000))]).await,
        elsewhere.get("/").await,
        elsewhere.get("/sign-in").await,
        elsewhere.try_token("x").await,
    ];

    for answer in answers {
        let policy = answer.header("content-security-policy");
        assert_eq!(
            policy,
            "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        let is_asset = ["text/css; charset=utf-8", "image/svg+xml", "text/javascript; charset=utf-8"]
            .contains(&answer.header("content-type"));
        assert_eq!(answer.header("cache-control"), if is_asset { KEPT } else { "no-store" });
        // One script, of a file of ours; none within the page.
        assert_eq!(answer.text.matches("<script").count(), answer.text.matches(OWN_SCRIPT).count());
        answer.hides(" style=");
    }
}

#[tokio::test]
async fn what_is_not_there_or_not_readable_is_said_in_words() {
    let desk = Desk::signed_in().await;

    for path in ["/no/such/page", "/phones/0004f2ffffff", "/phones/%ff", "/phones/not-a-mac"] {
        let answer = desk.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        answer.shows("Nothing here");
    }
    let answer = desk.send("DELETE", "/", &[]).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    answer.shows("Not that way");
    let answer = desk.send("POST", "/devices", &[("csrf", &"x".repeat(20_000))]).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    answer.shows("could not be read");
}

#[tokio::test]
async fn a_clock_that_was_set_back_lets_no_session_and_no_link_live_for_years() {
    let desk = Desk::new().await;
    desk.person("ada@example.com", "owner").await;
    pass(400 * 86_400_000);
    let mut ahead = desk.elsewhere();
    ahead.enter("ada@example.com", PASSWORD).await;
    let link = desk.app.password_link("ada@example.com").await.unwrap().unwrap();

    pass(-400 * 86_400_000);

    assert_eq!(ahead.get("/").await.location(), "/sign-in");
    assert!(!desk.app.is_password_link(link.reveal()).await.unwrap());
    assert!(
        desk.app.password_link("ada@example.com").await.unwrap().is_some(),
        "nor does it keep another from being made"
    );
    desk.elsewhere().enter("ada@example.com", PASSWORD).await;
}
