//! Strangers, connections that failed, exceptions, blocked certificates and plain HTTP: what the page shows and does.

use super::live::of;
use super::{Desk, MAC};
use axum::http::StatusCode;
use provost_app::Actor;
use provost_core::entry::guard::ExceptionInput;

const HOSTILE: &str = "<script>alert(1)</script>\"'&";
const ESCAPED: &str = "&#60;script&#62;alert(1)&#60;/script&#62;";
const SHA: &str = "00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff";

#[tokio::test]
async fn a_connection_that_failed_is_listed_with_what_to_do_and_escaped() {
    let desk = Desk::signed_in().await;
    for _ in 0..2 {
        let advice = Some(format!("Set the phone's time {HOSTILE}"));
        desk.app.note_failed_handshake([192, 0, 2, 7].into(), format!("it does not trust us {HOSTILE}"), advice);
    }

    let page = desk.get("/strangers").await;

    page.shows(&format!("it does not trust us {ESCAPED}"));
    page.shows("Set the phone");
    page.shows("2 times");
    page.hides("<script>alert");
}

#[tokio::test]
async fn plain_http_is_opened_for_a_time_with_a_reason_and_closed() {
    let desk = Desk::signed_in().await;
    let bad = [("range", "everywhere"), ("minutes", "soon"), ("reason", "")];
    let refused = desk.post("/strangers/open", &bad).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.shows(r#"id="range-error""#);
    refused.shows("must be from 1 to 1440");
    refused.shows(r#"id="open-reason-error""#);
    refused.shows(r#"value="everywhere""#);
    assert_eq!(refused.text.matches(" autofocus").count(), 1);

    let answer =
        desk.post("/strangers/open", &[("range", "10.20.0.0/16"), ("minutes", "30"), ("reason", HOSTILE)]).await;

    assert_eq!(answer.location(), "/strangers");
    let page = desk.get("/strangers").await;
    page.shows("Plain HTTP is open for 10.20.0.0/16");
    page.shows("in 30 minutes</time>");
    page.shows(ESCAPED);
    page.hides("<script>alert");
    let id = desk.app.http_bootstraps(&Actor::control_socket()).await.unwrap().remove(0).id;
    let answer = desk.post("/strangers/close", &[("id", &id)]).await;
    assert_eq!(answer.location(), "/strangers");
    desk.get("/strangers").await.shows("It is closed.");
    assert_eq!(desk.post("/strangers/close", &[("id", &id)]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_certificate_is_blocked_with_a_reason_and_unblocked() {
    let desk = Desk::signed_in().await;
    let refused = desk.post("/strangers/block", &[("sha256", "zz"), ("reason", "stolen")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.shows(r#"id="sha256-error""#);
    refused.shows(r#"value="stolen""#);

    let answer = desk.post("/strangers/block", &[("sha256", SHA), ("reason", HOSTILE)]).await;

    assert_eq!(answer.location(), "/strangers");
    let page = desk.get("/strangers").await;
    page.shows(&format!(r#"<code class="wrap">{SHA}</code>"#));
    page.shows(ESCAPED);
    let twice = desk.post("/strangers/block", &[("sha256", SHA), ("reason", "again")]).await;
    assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(desk.post("/strangers/unblock", &[("sha256", SHA)]).await.location(), "/strangers");
    desk.get("/strangers").await.shows("None is blocked.");
    assert_eq!(desk.post("/strangers/unblock", &[("sha256", "nonsense")]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_exception_that_holds_is_taken_back() {
    let desk = Desk::signed_in().await;
    let device = desk.device(&desk.user("Ada").await, Some(MAC)).await;
    let input = ExceptionInput { mac: MAC.to_owned(), minutes: 60, reason: "repaired board".to_owned() };
    desk.app.make_exception(&device.id.parse().unwrap(), input, &Actor::control_socket()).await.unwrap();
    let page = desk.get("/strangers").await;
    page.shows("repaired board");
    page.shows("not used yet");

    let answer = desk.post("/strangers/revoke", &[("device", &device.id)]).await;

    assert_eq!(answer.location(), "/strangers");
    let page = desk.get("/strangers").await;
    page.shows("is taken back");
    page.hides("repaired board");
}

#[tokio::test]
async fn each_role_has_the_buttons_it_may_press_and_no_others() {
    let desk = Desk::signed_in().await;
    let device = desk.device(&desk.user("Ada").await, Some(MAC)).await;
    let input = ExceptionInput { mac: MAC.to_owned(), minutes: 60, reason: "repaired".to_owned() };
    desk.app.make_exception(&device.id.parse().unwrap(), input, &Actor::control_socket()).await.unwrap();
    let forms: [(&str, &[(&str, &str)]); 3] = [
        ("/strangers/open", &[("range", "10.0.0.0/8"), ("minutes", "5"), ("reason", "x")]),
        ("/strangers/block", &[("sha256", SHA), ("reason", "x")]),
        ("/strangers/unblock", &[("sha256", SHA)]),
    ];
    for (role, server, change) in [
        ("owner", true, true),
        ("administrator", false, true),
        ("support", false, false),
        ("installer", false, false),
        ("read-only", false, false),
    ] {
        let (browser, _) = of(&desk, &format!("{role}@example.com"), (role, None)).await;
        let page = browser.get("/strangers").await;
        assert_eq!(page.status, StatusCode::OK, "{role}");
        assert_eq!(page.text.contains("Block it</button>"), server, "{role}");
        assert_eq!(page.text.contains("Open plain HTTP</button>"), server, "{role}");
        assert_eq!(page.text.contains("Take back</button>"), change, "{role}");
        for (path, fields) in forms {
            assert_eq!(browser.send("POST", path, fields).await.status, StatusCode::FORBIDDEN, "no token: {path}");
            if !server {
                assert_eq!(browser.post(path, fields).await.status, StatusCode::FORBIDDEN, "{role} {path}");
            }
        }
    }
}

#[tokio::test]
async fn who_has_one_account_does_not_see_strangers() {
    let desk = Desk::signed_in().await;
    let ada = desk.user("Ada").await;
    let (of_ada, _) = of(&desk, "ada@example.com", ("owner", Some(&ada.account))).await;

    for path in ["/strangers", "/live/strangers"] {
        assert_eq!(of_ada.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    of_ada.get("/").await.hides(r#"href="/strangers""#);
}
