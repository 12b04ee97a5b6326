//! The connector of an account: added, tested, changed and removed, by whom it is allowed.

use super::{Answer, Desk};
use axum::http::StatusCode;
use provost_app::{Actor, ConnectorView};

const HOSTILE: &str = "<script>alert(1)</script>";

async fn follow(desk: &Desk, answer: Answer) -> Answer {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    desk.get(answer.location()).await
}

/// The fields of a Kamailio that nobody runs: an address that is refused at once.
const FIELDS: [(&str, &str); 6] = [
    ("kind", "kamailio"),
    ("host", "127.0.0.1"),
    ("port", "9"),
    ("security", "plain"),
    ("inside", "yes"),
    ("on", "yes"),
];

async fn connectors(desk: &Desk, account: &str) -> Vec<ConnectorView> {
    desk.app.connectors(&account.parse().unwrap(), &Actor::control_socket()).await.unwrap()
}

/// An account with a connector, and the connector's page.
async fn with_connector(desk: &Desk) -> (String, String) {
    let user = desk.user("Ada").await;
    let mut fields = FIELDS.to_vec();
    fields.extend([("user", "provost"), ("password", "a-password-of-the-pbx")]);
    let added = desk.post(&format!("/accounts/{}/connectors/add", user.account), &fields).await;
    let page = added.location().to_owned();
    follow(desk, added).await.shows("Test it now");
    (user.account, page)
}

#[tokio::test]
async fn a_connector_is_added_tested_changed_and_removed() {
    let desk = Desk::signed_in().await;
    let (account, page) = with_connector(&desk).await;
    desk.get(&format!("/accounts/{account}")).await.shows(&page);
    desk.get(&page).await.hides("a-password-of-the-pbx");

    // Nobody is there who could ask.
    drop(desk.app.pbx_asks());
    let tested = follow(&desk, desk.post(&format!("{page}/test"), &[]).await).await;
    tested.shows("Not done.");
    tested.shows("127.0.0.1:9 cannot be asked");
    let mut fields = FIELDS.to_vec();
    fields.extend([("name", "other"), ("user", "provost")]);
    follow(&desk, desk.post(&page, &fields).await).await.shows("The connector other is changed.");
    assert!(connectors(&desk, &account).await[0].has_password, "left empty it stays");
    fields.push(("no-password", "yes"));
    follow(&desk, desk.post(&page, &fields).await).await;
    assert!(!connectors(&desk, &account).await[0].has_password);
    let removed = desk.post(&format!("{page}/remove"), &[]).await;
    assert_eq!(removed.location(), format!("/accounts/{account}"));
    assert!(connectors(&desk, &account).await.is_empty());
}

#[tokio::test]
async fn what_is_wrong_stands_beside_its_field_and_a_second_one_is_refused() {
    let desk = Desk::signed_in().await;
    let (account, page) = with_connector(&desk).await;
    let add = format!("/accounts/{account}/connectors/add");

    let bad = [("kind", "kamailio"), ("host", HOSTILE), ("port", "x")];
    let refused = desk.post(&add, &bad).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.shows(r#"id="port-error""#);
    refused.hides(HOSTILE);
    let host = desk.post(&add, &[("kind", "kamailio"), ("host", HOSTILE)]).await;
    host.shows(r#"id="host-error""#);
    host.hides(HOSTILE);
    desk.post(&add, &FIELDS).await.shows("This account has a connector");
    assert_eq!(connectors(&desk, &account).await.len(), 1);
    // Another machine is not told what only the one of before is to know.
    let mut elsewhere = FIELDS.to_vec();
    elsewhere[1] = ("host", "127.0.0.2");
    let refused = desk.post(&page, &elsewhere).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.shows(r#"id="password-error""#);
}

#[tokio::test]
async fn each_role_sees_it_and_only_some_change_it() {
    let desk = Desk::signed_in().await;
    let (account, page) = with_connector(&desk).await;
    let add = format!("/accounts/{account}/connectors/add");
    for (role, may_change) in
        [("owner", true), ("administrator", true), ("support", false), ("installer", false), ("read-only", false)]
    {
        let browser = desk.role(role, None).await;
        let shown = browser.get(&page).await;
        shown.shows("127.0.0.1:9");
        assert_eq!(shown.text.contains("Remove this connector"), may_change, "{role}");
        assert_eq!(shown.text.contains("It may lead to loopback"), role == "owner", "{role}");
        if !may_change {
            assert_eq!(browser.get(&add).await.status, StatusCode::FORBIDDEN, "{role}");
            for path in [add.clone(), page.clone(), format!("{page}/test"), format!("{page}/remove")] {
                assert_eq!(browser.post(&path, &FIELDS).await.status, StatusCode::FORBIDDEN, "{role} {path}");
            }
        }
    }
    assert_eq!(connectors(&desk, &account).await.len(), 1);
}

#[tokio::test]
async fn another_account_finds_no_connector_and_leads_none_inside() {
    let desk = Desk::signed_in().await;
    let (_, page) = with_connector(&desk).await;
    let other = desk.stranger_account().await;
    let browser = desk.role("administrator", Some(&other)).await;

    assert_eq!(browser.get(&page).await.status, StatusCode::NOT_FOUND);
    for path in [page.clone(), format!("{page}/test"), format!("{page}/remove")] {
        assert_eq!(browser.post(&path, &FIELDS).await.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(desk.send("POST", &path, &FIELDS).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let inside = browser.post(&format!("/accounts/{other}/connectors/add"), &FIELDS).await;
    assert_eq!(inside.status, StatusCode::FORBIDDEN, "{}", inside.text);
    assert!(connectors(&desk, &other).await.is_empty());
    assert_eq!(desk.get("/accounts/nonsense/connectors/add").await.status, StatusCode::NOT_FOUND);
}
