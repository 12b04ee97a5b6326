//! Accounts and sites: the tree, what phones at a site are told, and who may change it.

use super::{Answer, Desk};
use axum::http::StatusCode;
use provost_app::{Actor, SiteView};

const HOSTILE: &str = "<script>alert(1)</script>\"'&";
const ESCAPED: &str = "&#60;script&#62;alert(1)&#60;/script&#62;&#34;&#39;&#38;";

async fn follow(desk: &Desk, answer: Answer) -> Answer {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    desk.get(answer.location()).await
}

async fn site(desk: &Desk, id: &str) -> SiteView {
    desk.app.site(&id.parse().unwrap(), &Actor::control_socket()).await.unwrap()
}

#[tokio::test]
async fn from_an_empty_server_to_an_account_a_branch_and_a_site() {
    let desk = Desk::signed_in().await;
    desk.get("/sites").await.shows("There is no account yet.");

    let added = desk.post("/accounts/add", &[("name", HOSTILE)]).await;
    let account = added.location().trim_start_matches("/accounts/").to_owned();
    let page = follow(&desk, added).await;
    page.shows(ESCAPED);
    page.hides("<script>alert");
    desk.get(&format!("/accounts/add?parent={account}")).await.shows("It will be below");
    let below = desk.post("/accounts/add", &[("name", "Branch"), ("parent", &account)]).await;
    follow(&desk, below).await.shows(&format!("<a href=\"/accounts/{account}\">"));
    let typed = [
        ("account", account.as_str()),
        ("name", "Head office"),
        ("time-zone", "Europe/Vienna"),
        ("vlan", "100"),
        ("sip-servers[1].host", "pbx.example.com"),
        ("sip-servers[1].port", "5070"),
        ("sip-servers[1].transport", "tcp"),
    ];
    let page = follow(&desk, desk.post("/sites/add", &typed).await).await;
    page.shows("Head office is added. Add its users next.");
    let tree = desk.get("/sites").await;
    tree.shows("Head office");
    tree.shows(r#"<li class="level-1">"#);
    tree.shows("0 users</a>, 0 devices");
    let renamed = follow(&desk, desk.post(&format!("/accounts/{account}"), &[("name", "Example")]).await).await;
    renamed.shows("The account is called Example now.");
    let refused = desk.post(&format!("/accounts/{account}"), &[("name", "")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.shows(r#"id="name-error""#);
}

#[tokio::test]
async fn a_site_is_changed_field_by_field_and_faults_stand_beside_them() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada").await;
    let page = format!("/sites/{}", user.site);
    desk.get(&page).await.shows("<option value=\"America/New_York\">");
    let bad = [
        ("name", HOSTILE),
        ("time-zone", "Mars/Olympus"),
        ("vlan", "many"),
        ("sip-servers[0].host", "pbx.example.com"),
        ("sip-servers[0].port", "99999"),
    ];

    let refused = desk.post(&page, &bad).await;

    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for field in ["vlan", "sip-servers[0].port"] {
        refused.shows(&format!(r#"id="{field}-error""#));
    }
    refused.shows(ESCAPED);
    let zone = [("name", "Head office"), ("time-zone", "Mars/Olympus")];
    desk.post(&page, &zone).await.shows(r#"id="time-zone-error""#);
    let good = [
        ("name", "Vienna"),
        ("time-zone", "Europe/Vienna"),
        ("language", "de-AT"),
        ("vlan", "7"),
        ("voicemail", "*97"),
        ("emergency-address", "Main Street 1"),
        ("sip-servers[0].host", ""),
        ("sip-servers[2].host", "two.example.com"),
        ("sip-servers[2].transport", "tls"),
    ];
    follow(&desk, desk.post(&page, &good).await).await.shows("Vienna is changed.");
    let now = site(&desk, &user.site).await;
    assert_eq!((now.name.as_str(), now.vlan, now.voicemail.as_deref()), ("Vienna", Some(7), Some("*97")));
    assert_eq!((now.sip_servers.len(), now.sip_servers[0].transport), (1, "tls"));
}

#[tokio::test]
async fn a_form_that_shows_what_is_over_takes_away_no_server_of_a_colleague() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada").await;
    let page = format!("/sites/{}", user.site);
    let shown = desk.get(&page).await;
    let before = shown.text.split_once(r#"name="before" value=""#).unwrap().1.split_once('"').unwrap().0;
    let typed = [
        ("before", before),
        ("name", "Head office"),
        ("time-zone", "Europe/Vienna"),
        ("sip-servers[0].host", "pbx.example.com"),
        ("sip-servers[1].host", "two.example.com"),
    ];
    follow(&desk, desk.post(&page, &typed).await).await.shows("Head office is changed.");

    let refused = desk.post(&page, &typed[..4]).await;

    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.shows("Somebody else changed this site meanwhile, so nothing was changed; open the page anew");
    assert_eq!(site(&desk, &user.site).await.sip_servers.len(), 2);
}

#[tokio::test]
async fn an_emergency_route_is_set_and_taken_away() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada").await;
    let (page, route) = (format!("/sites/{}", user.site), format!("/sites/{}/emergency-route", user.site));

    let refused = desk.post(&route, &[("networks", "nonsense"), ("to", "a b")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.shows(r#"id="networks-error""#);
    refused.shows(r#"id="to-error""#);
    let set = desk.post(&route, &[("networks", "10.1.0.0/16\r\n10.2.0.0/16"), ("to", "gw.example.com")]).await;
    follow(&desk, set).await.shows("are sent on to <bdi class=\"mono\">gw.example.com</bdi>");
    assert_eq!(site(&desk, &user.site).await.emergency_route.unwrap().networks.len(), 2);
    follow(&desk, desk.post(&format!("{route}/remove"), &[]).await).await.shows("sent on to nobody");
    desk.get(&page).await.hides("Take the route away");
}

#[tokio::test]
async fn a_site_is_removed_once_nobody_is_there() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada").await;
    let page = format!("/sites/{}", user.site);
    desk.get(&page).await.shows("While users are here");
    follow(&desk, desk.post(&format!("{page}/remove"), &[]).await).await.shows("1 users are at this site");

    desk.app.remove_user(&user.id.parse().unwrap(), &Actor::control_socket()).await.unwrap();
    let gone = follow(&desk, desk.post(&format!("{page}/remove"), &[]).await).await;

    gone.shows("Head office is removed.");
    assert_eq!(desk.get(&page).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn each_role_reads_sites_and_only_some_change_them() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada").await;
    let page = format!("/sites/{}", user.site);
    for (role, may_change) in
        [("owner", true), ("administrator", true), ("support", false), ("installer", false), ("read-only", false)]
    {
        let browser = desk.role(role, None).await;
        let (tree, one) = (browser.get("/sites").await, browser.get(&page).await);
        tree.shows("Head office");
        one.shows("Europe/Vienna");
        browser.get(&format!("/accounts/{}", user.account)).await.shows("Example Company");
        assert_eq!(tree.text.contains("Add an account"), may_change, "{role}");
        assert_eq!(one.text.contains("Save the route"), may_change, "{role}");
        if !may_change {
            for path in ["", "/remove", "/emergency-route", "/emergency-route/remove"] {
                let answer = browser.post(&format!("{page}{path}"), &[("name", "X"), ("time-zone", "UTC")]).await;
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{role} {path}");
            }
            for path in ["/sites/add", "/accounts/add"] {
                assert_eq!(browser.get(path).await.status, StatusCode::FORBIDDEN, "{role} {path}");
                let typed = [("name", "X"), ("account", user.account.as_str()), ("time-zone", "UTC")];
                assert_eq!(browser.post(path, &typed).await.status, StatusCode::FORBIDDEN, "{role} {path}");
            }
        }
    }
}

#[tokio::test]
async fn another_account_sees_and_changes_no_site() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada").await;
    let other = desk.stranger_account().await;
    let browser = desk.role("administrator", Some(&other)).await;
    let (page, account) = (format!("/sites/{}", user.site), format!("/accounts/{}", user.account));

    let tree = browser.get("/sites").await;
    tree.shows("Somebody else");
    tree.hides("Head office");
    tree.hides("Add an account</a>");
    for path in [page.as_str(), account.as_str(), &format!("/sites/add?account={}", user.account)] {
        assert_eq!(browser.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    for path in [page.clone(), format!("{page}/remove"), format!("{page}/emergency-route"), account] {
        let typed = [("name", "X"), ("time-zone", "UTC"), ("networks", "10.0.0.0/8"), ("to", "x.example.com")];
        assert_eq!(browser.post(&path, &typed).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let top = browser.post("/accounts/add", &[("name", "At the top")]).await;
    assert_eq!(top.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(site(&desk, &user.site).await.name, "Head office");
}

#[tokio::test]
async fn whoever_has_one_site_sees_that_one_and_its_account_only() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada").await;
    let input = provost_app::TokenInput {
        role: "administrator".to_owned(),
        name: None,
        account: Some(user.account.clone()),
        site: Some(user.site.clone()),
        expires_in_days: None,
    };
    let made = desk.app.add_token(input, &Actor::control_socket()).await.unwrap();
    let mut browser = desk.elsewhere();
    browser.cookie = browser.try_token(made.token.reveal()).await.cookie();

    browser.get("/sites").await.shows("Head office");
    browser.get(&format!("/sites/{}", user.site)).await.shows("Save the route");
    let account = browser.get(&format!("/accounts/{}", user.account)).await;
    account.shows("Example Company");
    account.hides("Rename");
    let renamed = browser.post(&format!("/accounts/{}", user.account), &[("name", "X")]).await;
    assert_eq!(renamed.status, StatusCode::NOT_FOUND);
    browser.get("/users").await.shows("Ada");
}

#[tokio::test]
async fn a_form_of_another_page_changes_no_site() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada").await;
    let page = format!("/sites/{}", user.site);
    let account = format!("/accounts/{}", user.account);
    for path in [format!("{page}/remove"), format!("{page}/emergency-route"), page, account, "/sites/add".to_owned()] {
        assert_eq!(desk.send("POST", &path, &[("name", "X")]).await.status, StatusCode::FORBIDDEN, "{path}");
    }
}
