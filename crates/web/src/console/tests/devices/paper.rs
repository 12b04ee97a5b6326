//! Labels and letters.

use super::{Desk, MAC, StatusCode, VVX_450, follow};

#[tokio::test]
async fn a_label_has_name_extension_model_code_and_its_picture() {
    let desk = Desk::signed_in().await;
    let device = desk.device(&desk.user("Ada Lovelace").await, None).await;
    let code = desk.code(&device.id).await;

    let page = desk.get(&format!("/devices/labels?id={0}&id={0}&id=nonsense", device.id)).await;

    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.text.matches(r#"class="label""#).count(), 1);
    for said in
        ["Ada Lovelace", "ext. <bdi>201</bdi>", "VVX 450", code.shown.as_str(), "QR code of the activation code"]
    {
        page.shows(said);
    }
    desk.get("/devices/labels").await.shows("No device was chosen");
}

#[tokio::test]
async fn a_letter_says_what_the_code_is_for_and_what_to_do() {
    let desk = Desk::signed_in().await;
    let device = desk.device(&desk.user("Ada Lovelace").await, None).await;
    let code = desk.code(&device.id).await;
    let stock = desk.stock(&device.account).await;

    let page = desk.get(&format!("/devices/letters?id={}&id={}", device.id, stock.id)).await;

    assert_eq!(page.text.matches(r#"<article class="letter">"#).count(), 1);
    for said in [
        "Ada Lovelace",
        code.shown.as_str(),
        &code.expires_at[..10],
        "https://phones.example.com/activate",
        "cannot place calls, emergency calls included",
        "If it does not show Activate",
        "Provisioning Server",
    ] {
        page.shows(said);
    }
    // Nobody answers calls at this server, so nobody is told to call.
    page.hides("when the voice asks");
}

#[tokio::test]
async fn looking_at_paper_issues_nothing_and_a_form_issues_what_is_missing() {
    let desk = Desk::signed_in().await;
    let ada = desk.user("Ada").await;
    let without = desk.device(&ada, None).await;
    let with = desk.device(&ada, None).await;
    let code = desk.code(&with.id).await;
    let stock = desk.stock(&ada.account).await;
    let ids = [("id", without.id.as_str()), ("id", &with.id), ("id", &stock.id), ("paper", "letters")];

    let page = desk.get(&format!("/devices/labels?id={}&id={}&id={}", without.id, with.id, stock.id)).await;
    page.shows("One of these devices has no open activation code");
    assert!(desk.device_now(&without.id).await.activation_code.is_none());
    let done = desk.post("/devices/codes", &ids).await;

    assert_eq!(done.location(), format!("/devices/letters?id={}&id={}&id={}", without.id, with.id, stock.id));
    follow(&desk, done).await.shows("A code was issued.");
    assert!(desk.device_now(&without.id).await.activation_code.is_some());
    assert_eq!(desk.device_now(&with.id).await.activation_code.unwrap().shown, code.shown, "an open one stays");
}

#[tokio::test]
async fn a_phone_that_is_its_own_already_needs_no_code_on_paper() {
    let desk = Desk::signed_in().await;
    let device = desk.device(&desk.user("Ada").await, Some(MAC)).await;
    desk.get(&format!("/devices/letters?id={}", device.id)).await.shows("needs no code");

    desk.phone_asks(VVX_450).await;
    desk.get(&format!("/devices/letters?id={}", device.id)).await.shows("yours already");
    desk.get(&format!("/devices/labels?id={}", device.id)).await.shows("activated");
}
