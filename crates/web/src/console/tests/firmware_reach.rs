//! Firmware: whom a policy reaches is said before it is made, and stays when it is changed; what a known hole means.

use super::firmware::{kept, policies};
use super::phone::bound;
use super::{Desk, VVX_450};
use axum::body::Body;
use axum::http::header::COOKIE;
use axum::http::{Request, StatusCode};

#[tokio::test]
async fn the_whole_server_is_reached_only_by_whoever_chooses_it() {
    let desk = Desk::signed_in().await;
    desk.get("/firmware/policies").await.shows(r#"<option value="" selected>Choose"#);

    for fields in [&[("goal", "newest"), ("reason", "x")][..], &[("place", "all"), ("goal", "newest"), ("reason", "x")]]
    {
        let refused = desk.post("/firmware/policies", fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        refused.shows(r#"id="place-error""#);
    }

    assert!(policies(&desk).await.is_empty());
    kept(&desk).await;
    desk.get("/firmware/policies").await.shows("<bdi>Every phone of this server</bdi>");
}

#[tokio::test]
async fn a_place_that_is_gone_is_said_beside_its_field() {
    let desk = Desk::signed_in().await;
    let mut account = desk.user("Ada").await.account.to_string();
    let other = if account.ends_with('0') { '1' } else { '0' };
    account.pop();
    let place = format!("account:{account}{other}");

    let fields = [("place", place.as_str()), ("goal", "keep"), ("reason", "x")];
    let refused = desk.post("/firmware/policies", &fields).await;

    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.shows(r#"id="place-error""#);
    refused.shows("is not there any more");
    assert!(policies(&desk).await.is_empty());
}

#[tokio::test]
async fn a_policy_keeps_its_phones_when_it_is_changed() {
    let desk = Desk::signed_in().await;
    let ada = desk.user("Ada").await;
    let policy = kept(&desk).await;
    let place = format!("account:{}", ada.account);
    let page = desk.get(&format!("/firmware/policies?change={}", policy.id)).await;
    page.shows("It stays the policy for: <strong><bdi>Every phone of this server");
    page.hides(r#"<select id="place""#);
    page.hides(r#"<input id="ring""#);

    let change = ("change", policy.id.as_str());
    let rest = [("goal", "newest"), ("reason", "over")];
    for other in [[("place", place.as_str()), ("model", "")], [("place", "server"), ("model", "vvx450")]] {
        let fields: Vec<_> = [change].into_iter().chain(other).chain(rest).collect();
        let refused = desk.post("/firmware/policies", &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        refused.shows("A policy keeps its place, model and ring.");
        refused.shows(r#"name="place" value="server""#);
    }
    let fields: Vec<_> = [change, ("place", "server")].into_iter().chain(rest).collect();
    assert_eq!(desk.post("/firmware/policies", &fields).await.location(), "/firmware/policies");

    let all = policies(&desk).await;
    assert_eq!((all.len(), all[0].target.as_str()), (1, "newest"));
    desk.post(&format!("/firmware/policies/{}/remove", policy.id), &[("reason", "done")]).await;
    let refused = desk.post("/firmware/policies", &fields).await;
    refused.shows("was removed meanwhile");
    assert!(policies(&desk).await.is_empty());
}

#[tokio::test]
async fn the_page_of_an_account_leads_to_a_policy_for_it() {
    let desk = Desk::signed_in().await;
    let ada = desk.user("Ada").await;
    let to = format!("/firmware/policies?place=account:{}", ada.account);

    desk.get(&format!("/accounts/{}", ada.account)).await.shows(&format!(r#"href="{to}#form""#));

    desk.get(&to).await.shows(&format!(r#"<option value="account:{}" selected>"#, ada.account));
}

#[tokio::test]
async fn a_known_hole_is_said_with_what_it_costs_and_what_closes_it() {
    let desk = Desk::signed_in().await;
    let device = bound(&desk).await;
    desk.phone_asks(VVX_450).await;

    let overview = desk.get("/firmware").await;
    overview.shows("its configuration keeps ICE off");
    overview.shows("or newer for the VVX 450");
    let page = desk.get(&format!("/devices/{}", device.id)).await;
    page.shows("so its configuration keeps ICE off. An image of 6.4.8 or newer for the VVX 450 closes it.");
}

#[tokio::test]
async fn the_script_of_an_open_page_does_not_have_all_phones_counted_again() {
    let desk = Desk::signed_in().await;
    bound(&desk).await;
    let request = Request::get("/firmware")
        .header(COOKIE, desk.cookie.clone().unwrap_or_default())
        .header("sec-fetch-mode", "cors")
        .header("sec-fetch-dest", "empty");

    let renewed = desk.ask(request.body(Body::empty()).unwrap()).await;

    renewed.hides("What runs where");
    renewed.shows(r#"data-part="under-way""#);
    desk.get("/firmware").await.shows("What runs where");
}
