//! What an administrator does, and what the page says then.

use super::{Answer, Desk, MAC, VVX_450};
use axum::http::StatusCode;
use provost_app::{Page, PhoneAnswer};

/// The page a form leads to.
async fn follow(desk: &Desk, answer: Answer) -> Answer {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    desk.get(answer.location()).await
}

#[tokio::test]
async fn a_device_is_added_for_a_user_and_the_page_says_so_once() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada Lovelace").await;

    let answer = desk.post("/devices", &[("model", "vvx450"), ("user", &user.id), ("mac", "")]).await;
    assert!(answer.location().starts_with("/devices/device_"), "{}", answer.location());
    let device = answer.location().to_owned();
    // Reading the form's token opened the page before; the message waits for the one after.
    let page = follow(&desk, answer).await;

    page.shows("Added a VVX 450 for Ada Lovelace (201).");
    page.shows("Needs a code");
    page.shows("Issue code");
    desk.get(&device).await.hides("Added a VVX 450");
}

#[tokio::test]
async fn a_device_for_stock_takes_no_code() {
    let desk = Desk::signed_in().await;
    desk.user("Ada").await;

    let page = follow(&desk, desk.post("/devices", &[("model", "vvx450"), ("user", "")]).await).await;

    page.shows("In stock");
    page.shows("no user");
    page.hides("Issue code");
}

#[tokio::test]
async fn fields_at_fault_are_named_beside_them_and_what_was_typed_stays() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada").await;

    let fields = [("model", ""), ("user", user.id.as_str()), ("mac", "00:04:zz\"><b>")];
    let no_model = desk.post("/devices", &fields).await;
    let fields = [("model", "vvx450"), ("user", user.id.as_str()), ("mac", "00:04:zz\"><b>")];
    let bad_mac = desk.post("/devices", &fields).await;

    assert_eq!(no_model.status, StatusCode::UNPROCESSABLE_ENTITY);
    no_model.shows(r#"id="model-error"><bdi>Choose a model."#);
    assert_eq!(bad_mac.status, StatusCode::UNPROCESSABLE_ENTITY);
    bad_mac.shows(r#"id="mac-error"><bdi>`00:04:zz"#);
    bad_mac.shows(r#"value="00:04:zz&#34;&#62;&#60;b&#62;""#);
    bad_mac.shows(r#"name="model" value="vvx450""#);
    bad_mac.shows(&format!(r#"name="user" value="{}" checked"#, user.id));
    bad_mac.hides("<b>");
    assert_eq!(bad_mac.text.matches(" autofocus").count(), 1);
    assert!(desk.app.devices(Page::FIRST, &provost_app::Actor::control_socket()).await.unwrap().is_empty());
}

#[tokio::test]
async fn with_two_accounts_stock_asks_for_one_and_a_user_of_the_other_is_refused() {
    let desk = Desk::signed_in().await;
    let ada = desk.user("Ada").await;
    let bob = desk.user("Bob").await;
    desk.get("/devices/add?model=vvx450").await.shows(r#"<select id="account""#);

    let none = desk.post("/devices", &[("model", "vvx450"), ("user", "")]).await;
    none.shows("Choose an account.");
    let foreign = desk.post("/devices", &[("account", &ada.account), ("model", "vvx450"), ("user", &bob.id)]).await;
    foreign.shows(r#"id="user-error""#);
    assert!(desk.app.devices(Page::FIRST, &provost_app::Actor::control_socket()).await.unwrap().is_empty());

    let of_bob = desk.post("/devices", &[("model", "vvx450"), ("user", &bob.id)]).await;
    follow(&desk, of_bob).await.shows("Added a VVX 450 for Bob (201).");
}

#[tokio::test]
async fn a_code_is_issued_shown_in_groups_and_replaced() {
    let desk = Desk::signed_in().await;
    let device = desk.device(&desk.user("Ada").await, None).await;
    let issue = format!("/devices/{}/code", device.id);

    let page = follow(&desk, desk.post(&issue, &[]).await).await;

    let code = desk.app.devices(Page::FIRST, &provost_app::Actor::control_socket()).await.unwrap()[0]
        .activation_code
        .clone()
        .unwrap();
    let groups: Vec<_> = code.shown.split(' ').map(str::len).collect();
    assert_eq!(groups, [4, 4, 5]);
    page.shows(&format!(r#"<p class="big-code">{}</p>"#, code.shown));
    page.shows(&format!(r#"data-copy="{}""#, code.code));
    page.shows("QR code of the activation code");
    page.shows("expires <time");
    page.shows("Waiting for its code");
    let page = follow(&desk, desk.post(&issue, &[]).await).await;
    page.hides(&code.shown);
    page.shows("New code");
}

#[tokio::test]
async fn entering_the_code_binds_the_phone_and_leads_to_its_page() {
    let desk = Desk::signed_in().await;
    let device = desk.device(&desk.user("Ada").await, None).await;
    let (code, _) =
        desk.app.issue_code(&device.id.parse().unwrap(), &provost_app::Actor::control_socket()).await.unwrap();
    assert!(matches!(desk.phone_asks(VVX_450).await, PhoneAnswer::File(_)));

    let answer = desk.post("/phones/activate", &[("mac", "00:04:F2:A1:B2:C3"), ("code", &code.grouped())]).await;

    assert_eq!(answer.location(), format!("/phones/{MAC}"));
    let page = follow(&desk, answer).await;
    page.shows("is bound to the VVX 450 of Ada");
    page.shows("Activated");
    let page = desk.get("/devices").await;
    page.shows("Activated");
    page.hides("New code");
    page.hides("Issue code");
}

#[tokio::test]
async fn a_wrong_code_comes_back_with_reason_and_reference_beside_it() {
    let desk = Desk::signed_in().await;
    desk.phone_asks(VVX_450).await;

    let bad_mac = desk.post("/phones/activate", &[("mac", "nonsense"), ("code", "123")]).await;
    assert_eq!(bad_mac.status, StatusCode::UNPROCESSABLE_ENTITY);
    bad_mac.shows("`nonsense` is not a MAC address");
    bad_mac.shows(r#"value="123""#);
    let wrong = desk.post("/phones/activate", &[("mac", MAC), ("code", "123")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    wrong.shows("Reference <code>R-");
    wrong.shows(&format!(r#"value="{MAC}""#));
    let from_its_page = desk.post("/phones/activate", &[("mac", MAC), ("code", "123"), ("back", "phone")]).await;
    assert_eq!(from_its_page.location(), format!("/phones/{MAC}"));
    follow(&desk, from_its_page).await.shows("Reference <code>R-");
}

#[tokio::test]
async fn a_disabled_device_says_what_its_phone_keeps_until_it_is_enabled() {
    let desk = Desk::signed_in().await;
    let device = desk.device(&desk.user("Ada").await, Some(MAC)).await;
    desk.phone_asks(VVX_450).await;
    let path = |action: &str| format!("/devices/{}/{action}", device.id);

    for (action, word) in [("disable", "Disabled"), ("quarantine", "Quarantined")] {
        let page = follow(&desk, desk.post(&path(action), &[]).await).await;
        page.shows(word);
        page.shows("gets nothing and keeps its old settings until it is reset");
        page.shows(">Enable</button>");
        page.hides(">Disable</button>");
        assert_eq!(desk.phone_asks(VVX_450).await, PhoneAnswer::NotFound);
    }

    let answer = desk.post(&path("enable"), &[("back", "phone")]).await;
    assert_eq!(answer.location(), format!("/phones/{MAC}"));
    let page = follow(&desk, answer).await;
    page.shows("is served again");
    page.shows("An administrator disabled this phone&#39;s device");
    assert!(matches!(desk.phone_asks(VVX_450).await, PhoneAnswer::File(_)));
}

#[tokio::test]
async fn a_form_leads_to_no_address_it_names_itself() {
    let desk = Desk::signed_in().await;
    let device = desk.device(&desk.user("Ada").await, Some(MAC)).await;

    let answer = desk.post(&format!("/devices/{}/disable", device.id), &[("back", "https://example.net/")]).await;

    assert_eq!(answer.location(), format!("/devices/{}", device.id));
}

#[tokio::test]
async fn an_action_on_a_device_that_is_not_there_is_a_404() {
    let desk = Desk::signed_in().await;

    for id in ["device_01jd0000000000000000000000", "nonsense"] {
        for action in ["disable", "code"] {
            let answer = desk.post(&format!("/devices/{id}/{action}"), &[]).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{id} {action}");
        }
    }
}
