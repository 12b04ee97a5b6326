//! *Add Device Model*.

use super::{Desk, StatusCode, follow};
use provost_app::{Actor, Page};

async fn how_many(desk: &Desk) -> usize {
    desk.app.devices(Page::FIRST, &Actor::control_socket()).await.unwrap().len()
}

#[tokio::test]
async fn a_model_is_found_by_name_or_part_number_and_shown_with_its_facts() {
    let desk = Desk::signed_in().await;
    desk.user("Ada").await;

    let all = desk.get("/devices/add").await;
    all.shows("VVX 450");
    all.shows("SoundPoint IP 550");
    let found = desk.get("/devices/add?q=3111-48840").await;
    found.shows("VVX 450");
    found.hides("SoundPoint IP 550");
    found.shows(r#"aria-label="Scheme of a VVX 450: 12 line keys""#);
    assert_eq!(found.text.matches(r#"class="line-key"#).count(), 12);
    for fact in [
        "Line keys",
        "Lines it registers",
        "Lowest firmware",
        "6.4.3",
        "Newest firmware known",
        "public code",
        "community",
    ] {
        found.shows(fact);
    }
    desk.get("/devices/add?q=toaster").await.shows("No model of that name is known");
}

#[tokio::test]
async fn users_are_found_by_typing_and_never_listed_all() {
    let desk = Desk::signed_in().await;
    let ada = desk.user("Ada Lovelace").await;
    for at in 0..25 {
        desk.colleague(&ada, &format!("Bob {at:02}"), &format!("3{at:02}")).await;
    }

    let none = desk.get("/devices/add?model=vvx450").await;
    none.hides("Ada Lovelace");
    let by_extension = desk.get("/devices/add?model=vvx450&who=20").await;
    by_extension.shows("Ada Lovelace");
    let many = desk.get("/devices/add?model=vvx450&who=bob").await;
    assert_eq!(many.text.matches("<bdi>Bob").count(), 20);
    many.shows("There are more");
    let given = desk.get(&format!("/devices/add?model=vvx450&user={}", ada.id)).await;
    given.shows(&format!(r#"value="{}" checked"#, ada.id));
}

#[tokio::test]
async fn a_box_of_phones_is_added_to_stock_at_once() {
    let desk = Desk::signed_in().await;
    desk.user("Ada").await;

    let added = desk.post("/devices", &[("model", "vvx450"), ("user", ""), ("count", "12")]).await;

    assert_eq!(added.location(), "/devices?model=vvx450&status=added");
    follow(&desk, added).await.shows("Added 12 VVX 450 to stock.");
    assert_eq!(how_many(&desk).await, 12);
    for count in ["0", "51", "many", "-1"] {
        let refused = desk.post("/devices", &[("model", "vvx450"), ("user", ""), ("count", count)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{count}");
        refused.shows("from 1 to 50");
    }
    assert_eq!(how_many(&desk).await, 12);
}

#[tokio::test]
async fn for_a_user_or_a_phone_there_is_one_device_at_a_time() {
    let desk = Desk::signed_in().await;
    let ada = desk.user("Ada").await;

    for fields in [
        [("model", "vvx450"), ("user", ada.id.as_str()), ("mac", ""), ("count", "2")],
        [("model", "vvx450"), ("user", ""), ("mac", "0004f2a1b2c3"), ("count", "2")],
    ] {
        desk.post("/devices", &fields).await.shows("one device is added at a time");
    }
    assert_eq!(how_many(&desk).await, 0);
}

#[tokio::test]
async fn somebody_for_one_account_finds_no_user_of_another() {
    let desk = Desk::signed_in().await;
    let ada = desk.user("Ada").await;
    let bob = desk.user("Bob").await;
    let theirs = desk.beside("administrator", Some(&ada.account)).await;

    theirs.get("/devices/add?model=vvx450&who=b").await.hides("Bob");
    theirs.get(&format!("/devices/add?model=vvx450&user={}", bob.id)).await.hides("Bob");
    let refused = theirs.post("/devices", &[("model", "vvx450"), ("user", &bob.id)]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(how_many(&desk).await, 0);
}
