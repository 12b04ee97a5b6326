//! What the pages show, and that nothing from outside can become a part of them.

use super::{Desk, MAC, NOW, VVX_450, pass};
use axum::http::StatusCode;
use provost_app::PhoneAnswer;
use provost_core::identity::{CertificateStatus, Verdict};

const HOSTILE: &str = "<script>alert(1)</script>\"'&";
const ESCAPED: &str = "&#60;script&#62;alert(1)&#60;/script&#62;";

fn stranger(reason: &str) -> Verdict {
    Verdict {
        status: CertificateStatus::SelfSigned,
        reason: Some(reason.to_owned()),
        fingerprint: Some([1; 32]),
        ..Verdict::none_presented()
    }
}

#[tokio::test]
async fn the_models_of_the_catalog_and_the_users_with_extension_and_site_can_be_chosen() {
    let desk = Desk::signed_in().await;
    desk.user("Ada Lovelace").await;

    let page = desk.get("/devices/add").await;
    for model in desk.app.catalog().models() {
        page.shows(&format!(r#"<h2>{} <span class="model">"#, model.name.value));
        page.shows(&format!(r#"href="/devices/add?model={}""#, model.id));
    }

    let page = desk.get("/devices/add?model=vvx450&who=ada").await;
    page.shows("<bdi>Ada Lovelace</bdi>");
    page.shows("ext. <bdi>201</bdi> · <bdi>Head office</bdi>");
    page.shows("Stock, no user yet");
}

#[tokio::test]
async fn a_name_cannot_become_a_part_of_the_page() {
    let desk = Desk::signed_in().await;
    let user = desk.user(HOSTILE).await;

    desk.post("/devices", &[("model", "vvx450"), ("user", &user.id), ("mac", MAC)]).await;
    let page = desk.get("/devices").await;
    let phone = desk.get(&format!("/phones/{MAC}")).await;

    // In the message, beside the box that checks the row, and in the table.
    assert_eq!(page.text.matches(ESCAPED).count(), 3, "{}", page.text);
    page.hides("<script>");
    phone.shows(ESCAPED);
    phone.hides("<script>");
}

#[tokio::test]
async fn what_a_phone_or_a_stranger_says_cannot_become_a_part_of_the_page() {
    let desk = Desk::signed_in().await;
    desk.phone_asks(HOSTILE).await;
    desk.phone_asks("FileTransport <img src=x onerror=alert(1)>/1.2.3.4 Type/Application").await;
    let answer = desk.ask_as_phone(stranger(HOSTILE), &format!("/{MAC}-{HOSTILE}.cfg"), HOSTILE).await;
    assert_eq!(answer, PhoneAnswer::NotFound);

    for path in ["/strangers", &format!("/phones/{MAC}")] {
        let page = desk.get(path).await;
        assert_eq!(page.status, StatusCode::OK);
        page.shows(ESCAPED);
        page.hides("<script>");
        page.hides("<img");
    }
}

#[tokio::test]
async fn strangers_are_listed_with_reason_advice_and_how_often() {
    let desk = Desk::signed_in().await;
    for _ in 0..3 {
        desk.ask_as_phone(stranger("it signed its certificate itself"), "/0004f2000001.cfg", "curl/8").await;
    }

    let page = desk.get("/strangers").await;

    page.shows("it signed its certificate itself");
    page.shows("Self-signed");
    page.shows("3 times");
    page.shows("192.0.2.7");
    page.shows("Only a certificate the maker put into the phone proves it");
    page.shows(r#"href="/phones/0004f2000001""#);
    let phone = desk.get("/phones/0004f2000001").await;
    phone.shows("Never proven");
    phone.shows("it signed its certificate itself");
    phone.shows("What to do");
}

#[tokio::test]
async fn a_phone_that_nobody_claimed_is_listed_and_says_what_it_cannot_do() {
    let desk = Desk::signed_in().await;
    desk.phone_asks(VVX_450).await;
    pass(180_000);

    let page = desk.get("/").await;
    page.shows(&format!(r#"href="/phones/{MAC}">{MAC}</a>"#));
    page.shows(">3 minutes ago</time>");
    page.shows("An unclaimed phone cannot place emergency calls.");
    let phone = desk.get(&format!("/phones/{MAC}")).await;

    phone.shows("Unclaimed");
    phone.shows("cannot place emergency calls");
    phone.shows("6.4.7.4560");
    phone.shows("Factory Installed");
    phone.shows("Enter a code for this phone");
}

#[tokio::test]
async fn a_bound_phones_story_says_why_it_was_claimed() {
    let desk = Desk::signed_in().await;
    desk.device(&desk.user("Ada").await, Some(MAC)).await;
    desk.phone_asks(VVX_450).await;

    let phone = desk.get(&format!("/phones/{MAC}")).await;

    phone.shows("Activated");
    phone.hides("a-sip-password");
    phone.shows("because an administrator entered its MAC beforehand");
}

#[tokio::test]
async fn older_entries_of_a_timeline_are_one_link_away() {
    let desk = Desk::signed_in().await;
    for _ in 0..60 {
        desk.phone_asks(VVX_450).await;
        // Read in between, or the same request again and again becomes one entry.
        desk.get(&format!("/phones/{MAC}")).await;
        pass(1000);
    }
    let first = desk.get(&format!("/phones/{MAC}")).await;
    let link = first.text.split_once("?before=").unwrap().1.split_once('#').unwrap().0.to_owned();

    let older = desk.get(&format!("/phones/{MAC}?before={link}")).await;

    assert_eq!(first.text.matches("class=\"sentence\"").count(), 50);
    assert_eq!(older.text.matches("class=\"sentence\"").count(), 10);
    older.shows("Newest</a>");
    older.hides("Older</a>");
    assert_eq!(desk.get(&format!("/phones/{MAC}?before=%22%3E%ff&before=x")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn exact_times_in_utc_stand_behind_the_words() {
    let desk = Desk::signed_in().await;
    desk.phone_asks(VVX_450).await;
    let at = NOW.get().to_string();

    desk.get("/").await.shows(&format!("title=\"{} {} UTC\"", &at[..10], &at[11..19]));
}
