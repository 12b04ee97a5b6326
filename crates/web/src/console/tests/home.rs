//! Home: what needs a hand with its reason, numbers that lead to their devices, and the first steps.

use super::live::of;
use super::{Desk, MAC, VVX_450, pass};
use axum::http::StatusCode;
use provost_app::Actor;
use provost_core::entry::AccountInput;
use provost_core::identity::{CertificateStatus, Verdict};

const HOSTILE: &str = "<script>alert(1)</script>\"'&\u{202e}";
const DAY: i64 = 86_400_000;

/// Days later, at the same desk: the session of before is over.
async fn days_later(desk: &Desk, days: i64) -> Desk {
    pass(days * DAY);
    let mut browser = desk.elsewhere();
    browser.cookie = browser.try_token(&desk.token).await.cookie();
    browser
}

#[tokio::test]
async fn an_empty_server_leads_to_the_next_form_at_each_step() {
    let desk = Desk::signed_in().await;
    let page = desk.get("/").await;
    page.shows("First, create an account");
    page.shows(r#"href="/sites">Create an account</a>"#);
    let devices = desk.get("/devices").await;
    devices.hides("<h2 id=\"add\">");

    let account = AccountInput { name: "Example".to_owned(), parent: None };
    desk.app.add_account(account, &Actor::control_socket()).await.unwrap();
    desk.get("/").await.shows("Next, create a site");

    let user = desk.user("Ada").await;
    let page = desk.get("/").await;
    page.shows("Next, add a device");
    page.shows(r#"href="/devices">Add a device</a>"#);

    desk.device(&user, None).await;
    let page = desk.get("/").await;
    page.hides("Next, add");
    page.shows("Needs a hand now");
}

#[tokio::test]
async fn who_may_change_nothing_is_not_led_to_forms() {
    let desk = Desk::signed_in().await;
    for role in ["support", "installer", "read-only"] {
        let (browser, _) = of(&desk, &format!("{role}@example.com"), (role, None)).await;

        let page = browser.get("/").await;

        assert_eq!(page.status, StatusCode::OK, "{role}");
        page.hides("First, create an account");
        assert_eq!(page.text.contains("Activate the phone</button>"), role == "installer", "{role}");
    }
}

#[tokio::test]
async fn devices_are_counted_by_state_and_each_number_leads_to_them() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada").await;
    desk.device(&user, Some(MAC)).await;
    desk.device(&user, None).await;
    desk.phone_asks(VVX_450).await;

    let page = desk.get("/").await;

    page.shows(r#"<a href="/devices?status=activated"><strong>1</strong> <span>activated</span></a>"#);
    page.shows(r#"<a href="/devices?status=assigned"><strong>1</strong> <span>waiting for a phone</span></a>"#);
    page.shows(r#"<strong>0</strong> <span>missed a poll</span>"#);
    page.hides("status=quarantined");
    page.shows("1 of 2 activated");
    page.shows(r#"<progress max="2" value="1""#);
    page.shows(r#"data-live="/live/home""#);
}

#[tokio::test]
async fn a_device_that_was_forgotten_and_a_code_that_expired_stand_there_with_reason_and_next_step() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada Lovelace").await;
    let device = desk.device(&user, None).await;
    desk.get("/").await.shows("Nothing. Phones that do not come back");

    let desk = days_later(&desk, 3).await;
    let page = desk.get("/").await;
    page.shows("No code for days");
    page.shows("Issue a code, or enter the MAC address of the phone.");
    page.shows(&format!(r#"href="/devices/{}"><bdi>Ada Lovelace</bdi></a>"#, device.id));
    page.shows("3 days ago</time>");
    page.shows("Head office");

    desk.app.issue_code(&device.id.parse().unwrap(), &Actor::control_socket()).await.unwrap();
    desk.get("/").await.hides("No code for days");
    let page = days_later(&desk, 100).await.get("/").await;
    page.shows("The code has expired");
    page.hides("No code for days");
}

#[tokio::test]
async fn a_phone_that_is_here_and_not_claimed_and_one_that_stopped_asking_are_named() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada").await;
    let device = desk.device(&user, Some(MAC)).await;
    desk.phone_asks("FileTransport PolycomVVX-VVX_500-UA/5.9.8.5760 Type/Application").await;
    let page = desk.get("/").await;
    page.shows("Here, and not claimed");
    page.shows(&format!(r#"<a class="mono" href="/phones/{MAC}"><bdi>{MAC}</bdi></a> <bdi>Ada</bdi>"#));

    desk.phone_asks(VVX_450).await;
    assert_eq!(
        desk.app.device(&device.id.parse().unwrap(), &Actor::control_socket()).await.unwrap().state,
        "activated"
    );
    desk.get("/").await.hides("Here, and not claimed");
    let page = days_later(&desk, 2).await.get("/").await;

    page.shows("Stopped asking");
    page.shows("last here <time");
    page.shows(r#"<strong>1</strong> <span>missed a poll</span>"#);
}

#[tokio::test]
async fn a_claimed_phone_on_firmware_below_the_floor_is_named_until_it_runs_better() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada").await;
    desk.device(&user, Some(MAC)).await;
    desk.phone_asks("FileTransport PolycomVVX-VVX_450-UA/6.4.2.3008 Type/Application").await;

    let page = desk.get("/").await;
    page.shows("Old firmware");
    page.shows("Its page says what it is led to next");
    page.shows(&format!(r#"href="/phones/{MAC}""#));

    desk.phone_asks("FileTransport PolycomVVX-VVX_450-UA/6.4.8.1 Type/Application").await;
    desk.get("/").await.hides("Old firmware");
}

#[tokio::test]
async fn names_cannot_become_a_part_of_home() {
    let desk = Desk::signed_in().await;
    let user = desk.user(HOSTILE).await;
    desk.device(&user, None).await;

    let page = days_later(&desk, 3).await.get("/").await;

    page.shows("&#60;script&#62;alert(1)");
    page.hides("<script>alert");
}

#[tokio::test]
async fn another_account_sees_nothing_of_it() {
    let desk = Desk::signed_in().await;
    let (ada, bob) = (desk.user("Ada Lovelace").await, desk.user("Bob").await);
    desk.device(&ada, None).await;
    desk.device(&ada, Some(MAC)).await;
    desk.phone_asks(VVX_450).await;
    desk.device(&bob, None).await;
    pass(3 * DAY);
    let (of_ada, _) = of(&desk, "ada@example.com", ("administrator", Some(&ada.account))).await;
    let (of_bob, _) = of(&desk, "bob@example.com", ("administrator", Some(&bob.account))).await;

    let (own, other) = (of_ada.get("/").await, of_bob.get("/").await);

    own.shows(&format!("/phones/{MAC}"));
    own.shows("1 of 2 activated");
    let phone = format!("/phones/{MAC}");
    for secret in [&phone, "Ada Lovelace", "1 of 2", "Phones seen that nobody claimed"] {
        other.hides(secret);
    }
    other.shows("0 of 1 activated");
    other.shows("No code for days");
}

#[tokio::test]
async fn an_error_page_has_the_menu_for_who_is_signed_in_and_for_nobody_else() {
    let desk = Desk::signed_in().await;
    let nobody = desk.elsewhere();
    let unproven = Verdict { status: CertificateStatus::SelfSigned, ..Verdict::none_presented() };
    desk.ask_as_phone(unproven, "/0004f2000001.cfg", "curl/8").await;

    for path in ["/nothing", "/phones/nonsense", "/phones/0004f2ffffff", "/assets/nothing"] {
        let page = desk.get(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        page.shows("Nothing here");
        page.shows(r#"<nav id="menu""#);
        assert!(!page.header("content-security-policy").is_empty());
    }
    let foreign = desk.send("POST", "/devices", &[("csrf", "wrong")]).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    foreign.shows(r#"<nav id="menu""#);
    let page = nobody.get("/nothing").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    page.hides(r#"<nav id="menu""#);
}
