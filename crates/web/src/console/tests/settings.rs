//! Roles and settings: each sees what is theirs, tokens are shown once, a restore is confirmed.

use super::{Desk, NOW};
use axum::http::StatusCode;
use provost_app::{Actor, ShownCertificate, Surroundings, TokenInput};
use provost_core::entry::AccountInput;

const HOSTILE: &str = "<script>alert(1)</script>'&";
const ESCAPED: &str = "&#60;script&#62;alert(1)&#60;/script&#62;";

fn told(desk: &Desk) {
    let ends = NOW.get().plus_days(12);
    desk.app.look_around(move |_| Surroundings {
        listeners: vec![("phones-https", "192.0.2.1:443".to_owned())],
        certificates: vec![ShownCertificate {
            kind: "RSA".to_owned(),
            names: vec![HOSTILE.to_owned()],
            origin: "configured",
            ends,
        }],
        data_dir: "/srv/provost".to_owned(),
        database: "PostgreSQL",
        key_file: "/srv/provost/secret.key".to_owned(),
        key_exported: false,
    });
}

#[tokio::test]
async fn an_owner_of_the_whole_server_sees_how_it_stands_and_others_do_not() {
    let desk = Desk::signed_in().await;
    told(&desk);

    let page = desk.get("/settings").await;
    for text in ["192.0.2.1:443", "PostgreSQL", "/srv/provost/secret.key", "key not copied", "in 12 days", ESCAPED] {
        page.shows(text);
    }
    page.hides("<script>");

    for role in ["administrator", "support", "installer", "read-only"] {
        let desk = Desk::signed_in_as(role).await;
        told(&desk);
        let page = desk.get("/settings").await;
        assert_eq!(page.status, StatusCode::OK, "{role}");
        page.shows("https://phones.example.com");
        for text in ["192.0.2.1:443", "/srv/provost", "key not copied"] {
            page.hides(text);
        }
        assert_eq!(page.text.contains("Make a token"), role == "administrator", "{role}");
    }

    let mut desk = Desk::signed_in().await;
    told(&desk);
    let account = AccountInput { name: "Example".to_owned(), parent: None };
    let account = desk.app.add_account(account, &Actor::control_socket()).await.unwrap();
    let input = TokenInput { role: "owner".to_owned(), account: Some(account.id), ..TokenInput::default() };
    desk.enter_with(input).await;
    desk.get("/settings").await.hides("192.0.2.1:443");
}

#[tokio::test]
async fn a_token_is_shown_once_opens_what_it_may_and_is_revoked() {
    let desk = Desk::signed_in().await;

    let fields = [("name", "Front desk"), ("role", "installer"), ("place", ""), ("days", "30")];
    let anywhere = desk.post("/settings/tokens", &fields).await;
    assert_eq!(anywhere.status, StatusCode::UNPROCESSABLE_ENTITY);
    anywhere.shows("choose how far it reaches");
    let fields = [("name", "Front desk"), ("role", "installer"), ("place", "all"), ("days", "30")];
    let made = desk.post("/settings/tokens", &fields).await;
    let token = made.text.split_once("<pre tabindex=\"0\">").unwrap().1.split_once('<').unwrap().0.to_owned();
    assert!(token.starts_with("pvt_"));
    made.shows("as installer until");
    let list = desk.get("/settings").await;
    list.shows("<bdi>Front desk</bdi>");
    list.hides(&token);

    let other = desk.elsewhere();
    assert_eq!(other.try_token(&token).await.location(), "/");
    let tokens = desk.app.tokens(provost_app::Page::FIRST, &Actor::control_socket()).await.unwrap();
    let id = &tokens.iter().find(|one| one.name.as_deref() == Some("Front desk")).unwrap().id;
    let path = format!("/settings/tokens/{id}/revoke");
    assert_eq!(desk.post(&path, &[]).await.location(), "/settings");
    desk.get("/settings").await.shows("opens nothing any more");
    assert_ne!(other.try_token(&token).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_last_token_of_an_owner_stays_and_a_reload_of_a_new_one_makes_no_other() {
    let desk = Desk::signed_in().await;
    let tokens = desk.app.tokens(provost_app::Page::FIRST, &Actor::control_socket()).await.unwrap();

    desk.post(&format!("/settings/tokens/{}/revoke", tokens[0].id), &[]).await;
    desk.get("/settings").await.shows("Not done.");
    assert_eq!(desk.get("/settings/tokens").await.location(), "/settings");
}

#[tokio::test]
async fn what_is_wrong_with_a_new_token_stands_beside_its_field_with_what_was_typed() {
    let desk = Desk::signed_in_as("administrator").await;

    let page = desk
        .post("/settings/tokens", &[("name", HOSTILE), ("role", "owner"), ("place", "all"), ("days", "soon")])
        .await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    page.shows("may more than your own");
    page.shows(ESCAPED);
    page.hides("<script>");
    let page = desk
        .post("/settings/tokens", &[("name", "x"), ("role", "installer"), ("place", "all"), ("days", "soon")])
        .await;
    page.shows(r#"aria-describedby="days-error""#);
}

#[tokio::test]
async fn whoever_may_not_makes_and_revokes_no_token_and_confirms_no_restore() {
    let owner = Desk::signed_in().await;
    let tokens = owner.app.tokens(provost_app::Page::FIRST, &Actor::control_socket()).await.unwrap();
    let revoke = format!("/settings/tokens/{}/revoke", tokens[0].id);
    for role in ["administrator", "support", "installer", "read-only"] {
        let mut desk = owner.elsewhere();
        desk.enter_with(TokenInput { role: role.to_owned(), ..TokenInput::default() }).await;
        let mut refused = vec![("/settings/restore", vec![])];
        if role != "administrator" {
            refused.extend([("/settings/tokens", vec![("role", "read-only")]), (revoke.as_str(), vec![])]);
        }
        for (path, fields) in refused {
            assert_eq!(desk.post(path, &fields).await.status, StatusCode::FORBIDDEN, "{role} {path}");
        }
    }
    for path in ["/settings/restore", "/settings/tokens", revoke.as_str()] {
        assert_eq!(owner.send("POST", path, &[]).await.status, StatusCode::FORBIDDEN, "{path} without its token");
    }
}

#[tokio::test]
async fn roles_say_who_may_what_and_name_people_to_whoever_may_see_them() {
    let desk = Desk::signed_in().await;
    let id = desk.person("ada@example.com", "support").await;

    let page = desk.get("/roles").await;
    page.shows("You are <strong>owner</strong>");
    page.shows(&format!(r#"<a href="/administrators/{id}">"#));
    page.shows("Read the audit log");

    let mut support = desk.elsewhere();
    support.enter_with(TokenInput { role: "support".to_owned(), ..TokenInput::default() }).await;
    let page = support.get("/roles").await;
    page.shows("You are <strong>support</strong>");
    page.hides("ada@example.com");
    page.hides("/administrators/");
}
