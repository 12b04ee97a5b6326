//! What a phone is told and what it sent, as pages show it: secrets for a reason, and nothing that a phone says runs.

use super::phone::{ROLES, another_account, bound, phone_does, seat};
use super::{Desk, MAC, VVX_450};
use axum::body::Bytes;
use axum::http::StatusCode;
use provost_app::{Actor, Page, PhoneAnswer, PhoneMethod};

const LOG: &str = "/phones/0004f2a1b2c3/files/0004f2a1b2c3-app.log";
const OWN: &str = "/phones/0004f2a1b2c3/files/0004f2a1b2c3-phone.cfg";
const CONFIGURATION: &str = "/phones/0004f2a1b2c3/configuration";

async fn sends(desk: &Desk, ending: &str, content: &[u8]) {
    let put = PhoneMethod::Put(Bytes::copy_from_slice(content));
    let answer = phone_does(desk, put, &format!("/{MAC}-{ending}")).await;
    assert!(matches!(answer, PhoneAnswer::Kept(_)), "{answer:?}");
}

fn own_settings(value: &str) -> String {
    format!(
        r#"<?xml version="1.0"?><PHONE_CONFIG><OVERRIDES up.timeout="{value}" sip.loginPassword="s3cret" /></PHONE_CONFIG>"#
    )
}

#[tokio::test]
async fn a_log_is_shown_as_text_in_which_nothing_runs() {
    let desk = Desk::signed_in().await;
    bound(&desk).await;
    sends(&desk, "app.log", b"<script>alert(1)</script>\n\x1b[31mred\0\xff\nplain\n").await;

    let page = desk.get(LOG).await;

    page.shows("&#60;script&#62;alert(1)&#60;/script&#62;");
    page.shows("&#60;U+001B&#62;[31mred&#60;U+0000&#62;&#60;0xFF&#62;");
    page.hides("<script>alert");
    page.hides("\u{1b}");
    desk.get("/phones/0004f2a1b2c3/files").await.shows(&format!(r#"href="{LOG}""#));
}

#[tokio::test]
async fn of_a_long_log_the_end_is_shown_and_all_of_it_is_given_away_as_text() {
    let desk = Desk::signed_in().await;
    bound(&desk).await;
    let long: String = (0..30_000).map(|line| format!("line {line}\n")).collect();
    sends(&desk, "app.log", long.as_bytes()).await;

    let page = desk.get(LOG).await;
    let file = desk.get(&format!("{LOG}/download")).await;

    page.shows("Only the end is shown");
    page.shows("line 29999\n");
    page.hides("\nline 1\n");
    assert_eq!(file.text, long);
    assert_eq!(file.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"0004f2a1b2c3-app.log\"");
    assert_eq!(file.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn logs_are_for_who_looks_into_troubles_and_what_people_typed_for_who_sees_secrets() {
    let desk = Desk::signed_in().await;
    bound(&desk).await;
    sends(&desk, "app.log", b"started\n").await;
    sends(&desk, "phone.cfg", own_settings("9").as_bytes()).await;

    for role in ROLES {
        let seat = seat(&desk, role, None).await;
        let reads_logs = matches!(role, "owner" | "administrator" | "support");
        let reads_all = matches!(role, "owner" | "administrator");
        let as_allowed = |may: bool| if may { StatusCode::OK } else { StatusCode::FORBIDDEN };

        assert_eq!(seat.get(LOG).await.status, as_allowed(reads_logs), "{role}");
        assert_eq!(seat.get(&format!("{LOG}/download")).await.status, as_allowed(reads_logs), "{role}");
        let asked = seat.get(OWN).await;
        assert_eq!(asked.status, as_allowed(reads_all), "{role}");
        asked.hides("s3cret");
        let shown = seat.post(OWN, &[("reason", "a ticket")]).await;
        assert_eq!(shown.status, as_allowed(reads_all), "{role}");
        assert_eq!(shown.text.contains("s3cret"), reads_all, "{role}");
        let list = seat.get("/phones/0004f2a1b2c3/files").await;
        assert_eq!(list.text.contains("not with your role"), !reads_all, "{role}");
    }
}

#[tokio::test]
async fn what_people_typed_is_shown_and_given_away_for_a_reason_that_is_kept() {
    let desk = Desk::signed_in().await;
    bound(&desk).await;
    sends(&desk, "phone.cfg", own_settings("9").as_bytes()).await;

    let without = desk.post(OWN, &[("reason", "")]).await;
    assert_eq!(without.status, StatusCode::UNPROCESSABLE_ENTITY);
    without.hides("s3cret");
    assert_eq!(desk.get(&format!("{OWN}/download")).await.status, StatusCode::CONFLICT);
    desk.post(OWN, &[("reason", "ticket 7")]).await.shows("s3cret");
    let file = desk.post(&format!("{OWN}/download"), &[("reason", "ticket 8")]).await;
    assert_eq!(file.text, own_settings("9"));

    let audit = desk.app.audit(Page::FIRST, &Actor::control_socket()).await.unwrap();
    let read: Vec<_> = audit.iter().filter(|entry| entry.what.contains("-phone.cfg")).collect();
    let reasons: Vec<_> = read.iter().filter_map(|entry| entry.why.as_deref()).collect();
    assert_eq!(reasons.len(), 2);
    assert!(reasons.contains(&"ticket 7") && reasons.contains(&"ticket 8"));
}

#[tokio::test]
async fn a_file_there_is_not_and_one_of_another_account_are_the_same() {
    let desk = Desk::signed_in().await;
    bound(&desk).await;
    sends(&desk, "app.log", b"started\n").await;
    let others = another_account(&desk).await;
    let other = seat(&desk, "owner", Some(&others)).await;

    assert_eq!(desk.get("/phones/0004f2a1b2c3/files/nothing.log").await.status, StatusCode::NOT_FOUND);
    assert_eq!(desk.get("/phones/0004f2a1b2c3/files/..%2F..%2Fsecret.key").await.status, StatusCode::NOT_FOUND);
    assert_eq!(desk.get("/phones/0004f2a1b2c4/files/0004f2a1b2c3-app.log").await.status, StatusCode::NOT_FOUND);
    assert_eq!(other.get(LOG).await.status, StatusCode::NOT_FOUND);
    assert_eq!(other.get(&format!("{LOG}/download")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_a_phone_sent_for_somebody_else_is_not_shown_to_who_names_it_next() {
    let desk = Desk::signed_in().await;
    let device = bound(&desk).await;
    sends(&desk, "app.log", b"dialed 5551234\n").await;
    let owner = Actor::control_socket();
    desk.app.release_device(&device.id.parse().unwrap(), Some("sold"), &owner).await.unwrap();
    let next = desk.user("Bob").await;
    desk.device(&next, Some(MAC)).await;
    let bob = seat(&desk, "administrator", Some(&next.account)).await;

    assert_eq!(bob.get("/phones/0004f2a1b2c3").await.status, StatusCode::OK);
    assert_eq!(bob.get(LOG).await.status, StatusCode::NOT_FOUND);
    desk.phone_asks(VVX_450).await;
    assert_eq!(bob.get(LOG).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn every_value_stands_with_its_origin_and_can_be_filtered() {
    let desk = Desk::signed_in().await;
    bound(&desk).await;

    let all = desk.get(CONFIGURATION).await;
    let one = desk.get(&format!("{CONFIGURATION}?q=REG.1.ADDRESS")).await;
    let by_site = desk.get(&format!("{CONFIGURATION}?layer=site")).await;
    let none = desk.get(&format!("{CONFIGURATION}?q=%3Cscript%3E")).await;

    all.shows("reg.1.address");
    all.shows("hidden</span>");
    all.hides("a-sip-password");
    all.shows(r#"<span class="layer">device</span>"#);
    one.shows("<p class=\"under-filter\">1 of ");
    by_site.hides("<bdi>reg.1.address</bdi>");
    none.shows("No value is like that");
    none.hides("<script>");
    let secret = desk.get(&format!("{CONFIGURATION}?q=a-sip-password")).await;
    secret.shows("<p class=\"under-filter\">0 of ");
}

#[tokio::test]
async fn secrets_among_the_values_are_shown_for_a_reason_that_is_kept() {
    let desk = Desk::signed_in().await;
    let device = bound(&desk).await;
    let secrets = format!("{CONFIGURATION}/secrets");

    let without = desk.post(&secrets, &[("reason", "")]).await;
    assert_eq!(without.status, StatusCode::UNPROCESSABLE_ENTITY);
    without.hides("a-sip-password");
    desk.post(&secrets, &[("reason", "no sound")]).await.shows("a-sip-password");
    let of_device = format!("/devices/{}/effective", device.id);
    desk.get(&of_device).await.hides("a-sip-password");
    desk.post(&format!("{of_device}/secrets"), &[("reason", "no sound")]).await.shows("a-sip-password");

    let audit = desk.app.audit(Page::FIRST, &Actor::control_socket()).await.unwrap();
    let kept = audit.iter().filter(|entry| entry.why.as_deref() == Some("no sound")).count();
    assert_eq!(kept, 2);
}

#[tokio::test]
async fn what_was_set_on_the_phone_stands_above_and_is_cleared() {
    let desk = Desk::signed_in().await;
    bound(&desk).await;
    sends(&desk, "phone.cfg", own_settings("&lt;b&gt;9").as_bytes()).await;

    let page = desk.get(CONFIGURATION).await;
    page.shows("Set on the phone itself");
    page.shows("up.timeout");
    page.shows("&#60;b&#62;9");
    page.hides("s3cret");
    let answer = desk.post(&format!("{CONFIGURATION}/clear"), &[("reason", "back to ours")]).await;
    assert_eq!(answer.location(), CONFIGURATION);
    let page = desk.get(CONFIGURATION).await;

    page.shows("is emptied here");
    page.shows("it waits for the phone&#39;s next start");
    page.hides("up.timeout");
    let again = desk.post(&format!("{CONFIGURATION}/clear"), &[]).await;
    desk.get(again.location()).await.shows("Nothing was set on a phone of this device itself");
}

#[tokio::test]
async fn a_phone_without_device_is_told_nothing_of_its_own_and_one_expected_what_it_will_be_told() {
    let desk = Desk::signed_in().await;
    desk.phone_asks(VVX_450).await;
    desk.get(CONFIGURATION).await.shows("No device has this phone, so it is told nothing of its own");

    let device = desk.device(&desk.user("Ada").await, Some("0004f2a1b2c4")).await;
    let expected = desk.get("/phones/0004f2a1b2c4/configuration").await;

    expected.shows("No phone is bound to this device yet");
    expected.shows("reg.1.address");
    desk.get(&format!("/devices/{}/effective", device.id)).await.shows("reg.1.address");
}
