//! The pages that help: point a phone, symptoms, models, audit, search.

use super::{Desk, MAC};
use axum::http::StatusCode;
use provost_app::{Actor, TokenInput};
use provost_core::entry::AccountInput;

const OLD_VVX: &str = "FileTransport PolycomVVX-VVX_500-UA/5.8.0.12848 Type/Application";
const HOSTILE: &str = "%3Cscript%3Ealert(1)%3C/script%3E";

impl Desk {
    pub(super) async fn signed_in_as(role: &str) -> Self {
        let mut desk = Self::new().await;
        desk.enter_with(TokenInput { role: role.to_owned(), ..TokenInput::default() }).await;
        desk
    }

    /// Signs in with a token made for this.
    pub(super) async fn enter_with(&mut self, input: TokenInput) {
        let token = self.app.add_token(input, &Actor::control_socket()).await.unwrap().token;
        self.cookie = self.try_token(token.reveal()).await.cookie();
    }
}

#[tokio::test]
async fn a_phone_is_pointed_here_with_this_servers_addresses_and_its_models_keys() {
    let desk = Desk::signed_in().await;

    let any = desk.get("/point").await;
    for told in ["HTTPS", "phones.example.com", "https://phones.example.com"] {
        any.shows(&format!(r#"<code class="value">{told}</code>"#));
    }
    any.shows("Provisioning Server");
    any.shows(r#"<code class="value">Device Certificate: Factory Installed</code> is what is needed"#);
    any.shows("<dt>DHCP option 161</dt>");
    any.shows("<dt>Setup key while it starts</dt><dd>Restart the phone");
    any.shows(r#"aria-label="QR code: https://phones.example.com""#);
    any.shows(r#"aria-label="QR code: https://phones.example.com/activate""#);
    any.hides("Reset it without its password");

    let vvx = desk.get("/point?model=vvx450").await;
    vvx.shows(r#"<code class="value">1 3 5</code>"#);
    vvx.hides("{reset-keys}");
    desk.get("/point?model=spip550").await.shows(r#"<code class="value">4 6 8 *</code>"#);
    assert_eq!(desk.get("/point?model=nothing").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_doctor_reads_the_record_of_the_phone_and_says_what_it_bears_out() {
    let desk = Desk::signed_in().await;
    desk.phone_asks(OLD_VVX).await;

    let page = desk.get(&format!("/doctor?says=Line+Unregistered&phone={MAC}")).await;
    page.shows("This is likely it");
    page.shows("It runs 5.8.0.12848; its model needs 5.9.4.3247 at least.");

    let page = desk.get(&format!("/doctor?says=could+not+contact+provisioning+server&phone={MAC}")).await;
    page.shows("Not this, it seems");
    let page = desk.get("/doctor?says=could+not+contact+provisioning+server&phone=0004f2000001").await;
    page.shows("Nobody ever asked here in its name");
    page.shows("the keys to press");

    let page = desk.get("/doctor?says=sntp+error").await;
    page.shows("It believes it is 1999");
    page.hides("This is likely it");
    desk.get("/doctor?says=smoke&phone=zebra").await.shows("Nothing known sounds like that");
    desk.get("/doctor?says=smoke&phone=zebra").await.shows("phone-error");
}

#[tokio::test]
async fn nothing_typed_into_a_search_becomes_a_part_of_the_page() {
    let desk = Desk::signed_in().await;
    for path in ["/doctor?says=", "/doctor?says=busy&phone=", "/models?q=", "/point?model=", "/audit?after="] {
        let answer = desk.get(&format!("{path}{HOSTILE}")).await;
        answer.hides("<script>");
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
    desk.post("/search", &[("q", "<script>alert(1)</script>")]).await.hides("<script>");
}

#[tokio::test]
async fn models_are_found_by_name_and_part_number_with_what_is_not_known_of_them() {
    let desk = Desk::signed_in().await;
    let page = desk.get("/models").await;
    for model in desk.app.catalog().models() {
        page.shows(&model.name.value);
    }
    let page = desk.get("/models?q=3111-44500-001").await;
    page.shows("VVX 500");
    page.hides("VVX 450");
    let model = desk.get("/models/vvx500").await;
    model.shows("<dt>Secure from</dt><dd>the bulletins at hand do not name it</dd>");
    model.shows("5.9.4.3247");
    model.shows("Source: 8x8 support");
    assert_eq!(desk.get("/models/zebra").await.status, StatusCode::NOT_FOUND);
    desk.get("/models?q=zebra").await.shows("No model of that name");
}

#[tokio::test]
async fn the_audit_log_is_for_those_who_may_read_it() {
    let support = Desk::signed_in_as("support").await;
    support.get("/audit").await.shows("<h1>Audit</h1>");
    support.get("/").await.shows(r#"href="/audit""#);

    let installer = Desk::signed_in_as("installer").await;
    assert_eq!(installer.get("/audit").await.status, StatusCode::FORBIDDEN);
    installer.get("/").await.hides(r#"href="/audit""#);
}

#[tokio::test]
async fn one_box_finds_a_phone_a_person_a_code_and_a_reference() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada Lovelace").await;
    let device = desk.device(&user, None).await;
    desk.phone_asks(OLD_VVX).await;

    let find = async |typed: &str| desk.post("/search", &[("q", typed)]).await;
    assert_eq!(find("00:04:F2:A1:B2:C3").await.location(), format!("/phones/{MAC}"));
    find("ada").await.shows("<bdi>Ada Lovelace</bdi>");
    find("201").await.shows("<bdi>Ada Lovelace</bdi>");
    find("zebra").await.shows("Nothing is called so");
    assert_eq!(find("").await.location(), "/search");
    let places = find("HEAD").await;
    places.shows(&format!(r#"<a href="/sites/{}"><bdi>Head office</bdi>"#, user.site));
    places.shows("site of <bdi>Example Company</bdi>");
    find("example").await.shows(&format!(r#"<a href="/accounts/{}">"#, user.account));

    let (code, _) = desk.app.issue_code(&device.id.parse().unwrap(), &Actor::control_socket()).await.unwrap();
    find(&code.digits()).await.shows("<bdi>Ada Lovelace</bdi>");

    let mac = MAC.parse().unwrap();
    let refused = desk.app.activate(mac, "0000000000000", &Actor::control_socket()).await.unwrap_err();
    let provost_app::AppError::Refused { reference, .. } = refused else { panic!("{refused:?}") };
    find(&reference).await.shows(&reference);
}

#[tokio::test]
async fn a_name_that_begins_beyond_ascii_is_found_as_it_is_written() {
    let desk = Desk::signed_in().await;
    let input = AccountInput { name: "Österreich Nord".to_owned(), parent: None };
    let account = desk.app.add_account(input, &Actor::control_socket()).await.unwrap();

    for typed in ["Österreich", "Österreich NORD", "Ö"] {
        let found = desk.post("/search", &[("q", typed)]).await;
        found.shows(&format!(r#"<a href="/accounts/{}">"#, account.id));
    }
}

#[tokio::test]
async fn what_is_searched_for_never_stands_in_an_address() {
    let desk = Desk::signed_in().await;
    desk.user("Ada Lovelace").await;

    desk.get("/").await.shows(r#"<form class="search" role="search" method="post" action="/search">"#);
    let page = desk.get("/search?q=ada").await;
    assert_eq!(page.status, StatusCode::OK);
    page.hides("Lovelace");
    assert_eq!(desk.send("POST", "/search", &[("q", "ada")]).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn nobody_finds_a_site_or_account_of_others() {
    let mut desk = Desk::signed_in().await;
    desk.user("Ada Lovelace").await;
    let other = AccountInput { name: "Another".to_owned(), parent: None };
    let other = desk.app.add_account(other, &Actor::control_socket()).await.unwrap();
    desk.enter_with(TokenInput { role: "administrator".to_owned(), account: Some(other.id), ..TokenInput::default() })
        .await;

    for typed in ["head", "example", "ada", "201"] {
        desk.post("/search", &[("q", typed)]).await.shows("Nothing is called so");
    }
    desk.post("/search", &[("q", "anoth")]).await.shows("<bdi>Another</bdi>");
}

#[tokio::test]
async fn nobody_is_helped_without_signing_in() {
    let desk = Desk::new().await;
    for path in ["/point", "/doctor", "/models", "/audit", "/search", "/roles", "/settings", "/models/vvx450"] {
        let answer = desk.get(path).await;
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "/sign-in"), "{path}");
    }
}

#[tokio::test]
async fn models_that_are_not_served_are_named_with_the_reason() {
    let desk = Desk::signed_in().await;

    desk.get("/models").await.shows("Not supported, and why");
    let page = desk.get("/models?q=rove+b4").await;
    page.shows("<h3>Rove</h3>");
    page.shows("No model of that name is supported");
    page.hides("<h3>Trio</h3>");
}

#[tokio::test]
async fn devices_of_a_model_are_counted_as_far_as_one_may_see() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada").await;
    for _ in 0..3 {
        desk.device(&user, None).await;
    }

    desk.get("/models").await.shows(r#"<a href="/devices?model=vvx450">3</a>"#);
    desk.get("/models/vvx450").await.shows("There are 3 devices of this model");

    let other = AccountInput { name: "Another".to_owned(), parent: None };
    let other = desk.app.add_account(other, &Actor::control_socket()).await.unwrap();
    let mut stranger = desk.elsewhere();
    let input = TokenInput { role: "read-only".to_owned(), account: Some(other.id), ..TokenInput::default() };
    stranger.enter_with(input).await;
    stranger.get("/models").await.hides("/devices?model=vvx450");
    stranger.get("/models/vvx450").await.shows("There is no device of this model");
}
