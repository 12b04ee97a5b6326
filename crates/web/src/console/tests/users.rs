//! Users: found, added, changed, welcomed and removed, by whom it is allowed.

use super::{Answer, Desk};
use axum::http::StatusCode;
use provost_app::{Actor, Page};
use provost_core::ids::UserId;

const HOSTILE: &str = "<script>alert(1)</script>\"'\u{202e}&";
const ESCAPED: &str = "&#60;script&#62;alert(1)&#60;/script&#62;&#34;&#39;\u{202e}&#38;";

async fn follow(desk: &Desk, answer: Answer) -> Answer {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    desk.get(answer.location()).await
}

fn fields<'a>(site: &'a str, name: &'a str, extension: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("site", site), ("name", name), ("extension", extension)]
}

/// What a user's lines are: SIP user, digest name, whether a password is kept.
async fn lines(desk: &Desk, id: &str) -> Vec<(String, Option<String>, bool)> {
    let user = desk.app.user(&id.parse().unwrap(), &Actor::control_socket()).await.unwrap();
    user.lines.into_iter().map(|line| (line.user, line.auth_user, line.has_password)).collect()
}

#[tokio::test]
async fn a_user_is_added_with_lines_in_the_order_that_was_asked_for() {
    let desk = Desk::signed_in().await;
    let site = desk.user("Ada").await.site;
    let mut typed = fields(&site, "Grace Hopper", "202");
    typed.extend([("email", "grace@example.com"), ("language", "en")]);
    typed.extend([("lines[0].place", "2"), ("lines[0].user", "203"), ("lines[0].password", "one")]);
    typed.extend([("lines[2].place", "1"), ("lines[2].user", "202"), ("lines[2].auth-user", "grace")]);

    let page = follow(&desk, desk.post("/users/add", &typed).await).await;

    page.shows("Grace Hopper is added. Add a device for them next");
    page.shows("/devices/add?user=user_");
    let all = desk.app.users(Page::FIRST, &Actor::control_socket()).await.unwrap();
    let grace = all.iter().find(|user| user.name == "Grace Hopper").unwrap();
    let expected = [("202".to_owned(), Some("grace".to_owned()), false), ("203".to_owned(), None, true)];
    assert_eq!(lines(&desk, &grace.id).await, expected);
    assert_eq!((grace.email.as_deref(), grace.language.as_deref()), (Some("grace@example.com"), Some("en")));
}

#[tokio::test]
async fn what_is_wrong_stands_beside_each_field_and_nothing_typed_is_lost() {
    let desk = Desk::signed_in().await;
    let site = desk.user("Ada").await.site;
    let mut typed = fields(&site, HOSTILE, "two words");
    typed.extend([("lines[0].user", "a b"), ("lines[0].password", "secret-typed")]);

    let answer = desk.post("/users/add", &typed).await;

    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    answer.shows("Nobody was added.");
    answer.shows(r#"id="extension-error""#);
    answer.shows(r#"id="lines[0].user-error""#);
    answer.shows(ESCAPED);
    answer.hides("<script>alert");
    answer.hides("secret-typed");
    assert_eq!(answer.text.matches(" autofocus").count(), 1);
    let taken = desk.post("/users/add", &fields(&site, "Another", "201")).await;
    assert_eq!(taken.status, StatusCode::UNPROCESSABLE_ENTITY);
    taken.shows("extension at this site");
}

#[tokio::test]
async fn a_password_that_is_left_empty_stays_but_not_for_another_sip_user() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada").await;
    let page = format!("/users/{}", user.id);
    let mut typed = fields(&user.site, "Ada Byron", "201");
    typed.extend([("lines[0].user", "201"), ("lines[0].was", "201"), ("lines[0].auth-user", "ada")]);

    follow(&desk, desk.post(&page, &typed).await).await.shows("Ada Byron is changed.");
    assert_eq!(lines(&desk, &user.id).await, [("201".to_owned(), Some("ada".to_owned()), true)]);

    let mut other = fields(&user.site, "Ada Byron", "201");
    other.extend([("lines[0].user", "299"), ("lines[0].was", "201")]);
    let refused = desk.post(&page, &other).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.shows("was of the SIP user 201; type the one of 299");
    other.push(("lines[0].password", "new"));
    follow(&desk, desk.post(&page, &other).await).await;
    assert_eq!(lines(&desk, &user.id).await, [("299".to_owned(), None, true)]);
    // Without any SIP user the line goes.
    follow(&desk, desk.post(&page, &fields(&user.site, "Ada", "201")).await).await;
    assert!(lines(&desk, &user.id).await.is_empty());
}

#[tokio::test]
async fn a_form_that_shows_what_is_over_takes_away_no_line_of_a_colleague() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada").await;
    let page = format!("/users/{}", user.id);
    let shown = desk.get(&page).await;
    let before = shown.text.split_once(r#"name="before" value=""#).unwrap().1.split_once('"').unwrap().0;
    let mut colleague = fields(&user.site, "Ada", "201");
    colleague.extend([("before", before), ("lines[0].user", "201"), ("lines[0].was", "201"), ("lines[1].user", "202")]);
    follow(&desk, desk.post(&page, &colleague).await).await.shows("Ada is changed.");
    let mut stale = fields(&user.site, "Ada Byron", "201");
    stale.extend([("before", before), ("lines[0].user", "201"), ("lines[0].was", "201")]);

    let refused = desk.post(&page, &stale).await;

    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.shows("Somebody else changed this user meanwhile, so nothing was changed; open the page anew");
    refused.shows("Ada Byron");
    assert_eq!(desk.post(&page, &stale).await.status, StatusCode::UNPROCESSABLE_ENTITY, "nor when it is sent again");
    assert_eq!(lines(&desk, &user.id).await.len(), 2);
}

#[tokio::test]
async fn users_are_found_by_how_a_name_or_extension_begins_and_by_site() {
    let desk = Desk::signed_in().await;
    let ada = desk.user("Ada Lovelace").await;
    let bob = desk.user("Bob").await;

    let found = desk.get("/users?q=ada").await;
    found.shows("Ada Lovelace");
    found.hides("<bdi>Bob</bdi>");
    desk.get("/users?q=20").await.shows("<bdi>Bob</bdi>");
    let at_site = desk.get(&format!("/users?site={}", bob.site)).await;
    at_site.shows("<bdi>Bob</bdi>");
    at_site.hides("Ada Lovelace");
    let nobody = desk.get("/users?q=%3Cscript%3Ex").await;
    nobody.shows("begins with “<bdi>&#60;script&#62;x</bdi>”");
    nobody.hides("<script>x");
    assert_eq!(desk.get("/users?site=nonsense").await.status, StatusCode::NOT_FOUND);
    desk.get(&format!("/users/{}", ada.id)).await.shows("Head office");
}

#[tokio::test]
async fn a_long_list_goes_on_behind_its_last_user() {
    let desk = Desk::signed_in().await;
    let ada = desk.user("Ada").await;
    for n in 0..60 {
        let input = provost_core::entry::UserInput {
            site: ada.site.clone(),
            name: format!("Person {n:02}"),
            extension: format!("3{n:02}"),
            email: None,
            language: None,
            lines: Vec::new(),
        };
        desk.app.add_user(input, &Actor::control_socket()).await.unwrap();
    }

    let first = desk.get("/users?q=3").await;

    first.shows("Person 49");
    first.hides("Person 50");
    let next = first.text.split_once(r#"<a class="button" href="/users?q=3&#38;site=&#38;after="#).unwrap().1;
    let next = next.split_once('"').unwrap().0;
    let second = desk.get(&format!("/users?q=3&site=&after={next}")).await;
    second.shows("Person 50");
    second.hides("Person 49");
    second.shows("First page");
}

#[tokio::test]
async fn the_welcome_mail_goes_to_those_who_are_ticked_and_says_why_others_get_none() {
    let desk = Desk::signed_in().await;
    let user = desk.user(HOSTILE).await;
    let without_server = desk.post("/users/welcome", &[("user", &user.id)]).await;
    without_server.shows("no mail server is configured");
    desk.get("/users").await.shows("No mail server is set up");
    desk.app.use_mail_server("mail.example.com");
    desk.get("/users").await.shows("Send Welcome Email");

    let answer = desk.post("/users/welcome", &[("user", &user.id), ("user", "user_nonsense")]).await;

    assert_eq!(answer.status, StatusCode::OK);
    answer.shows("has no mail address; save one with the user");
    answer.shows(ESCAPED);
    answer.hides("<script>alert");
    desk.post("/users/welcome", &[]).await.shows("Nobody was chosen.");
    let page = format!("/users/{}", user.id);
    let mut typed = fields(&user.site, "Ada", "201");
    typed.push(("email", "ada@example.com"));
    follow(&desk, desk.post(&page, &typed).await).await.shows("Send it without a device");
    let refused = follow(&desk, desk.post(&format!("{page}/welcome"), &[]).await).await;
    refused.shows("has no device; assign one, then send the mail");
    desk.device(&user, None).await;
    let sent = follow(&desk, desk.post(&format!("{page}/welcome"), &[]).await).await;
    sent.shows("The welcome mail to ada@example.com is on its way.");
    sent.shows("Send Welcome Email again");
    desk.get("/users").await.shows("Waiting");
    desk.device(&user, None).await;
    desk.get(&page).await.shows("A device was assigned since");
    let everybody = desk.post("/users/welcome", &[("everybody-at", &user.site)]).await;
    everybody.shows("1 welcome mails are on their way.");
}

#[tokio::test]
async fn a_user_is_removed_once_no_device_is_for_them() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada").await;
    let device = desk.device(&user, None).await;
    let page = format!("/users/{}", user.id);
    desk.get(&page).await.shows("Move, unassign or release the devices first");

    let refused = follow(&desk, desk.post(&format!("{page}/remove"), &[]).await).await;
    refused.shows("1 devices are for this user");
    let control = Actor::control_socket();
    desk.app.remove_device(&device.id.parse().unwrap(), None, &control).await.unwrap();
    let gone = follow(&desk, desk.post(&format!("{page}/remove"), &[]).await).await;

    gone.shows("Ada (201) is removed.");
    assert_eq!(desk.get(&page).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn each_role_sees_what_it_may_and_has_no_other_buttons() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada").await;
    desk.app.use_mail_server("mail.example.com");
    let (list, page) = ("/users".to_owned(), format!("/users/{}", user.id));
    for (role, may_change) in
        [("owner", true), ("administrator", true), ("support", false), ("installer", false), ("read-only", false)]
    {
        let browser = desk.role(role, None).await;
        let (users, one) = (browser.get(&list).await, browser.get(&page).await);
        users.shows("Ada");
        one.shows("<h1><bdi>Ada</bdi>");
        for (answer, words) in [(&users, "Add a user"), (&users, "Send Welcome Email"), (&one, "Remove this user")] {
            assert_eq!(answer.text.contains(words), may_change, "{role}: {words}");
        }
        let expected = if may_change { StatusCode::OK } else { StatusCode::FORBIDDEN };
        assert_eq!(browser.get("/users/add").await.status, expected, "{role}");
        if !may_change {
            for (path, typed) in [
                ("/users/add".to_owned(), fields(&user.site, "X", "9")),
                (page.clone(), fields(&user.site, "X", "9")),
                (format!("{page}/welcome"), Vec::new()),
                (format!("{page}/remove"), Vec::new()),
                ("/users/welcome".to_owned(), vec![("user", user.id.as_str())]),
            ] {
                assert_eq!(browser.post(&path, &typed).await.status, StatusCode::FORBIDDEN, "{role} {path}");
            }
        }
    }
}

#[tokio::test]
async fn another_account_finds_nothing_and_changes_nothing() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada").await;
    let other = desk.stranger_account().await;
    let browser = desk.role("administrator", Some(&other)).await;
    let page = format!("/users/{}", user.id);

    browser.get("/users").await.hides("<bdi>Ada");
    browser.get("/users?q=a").await.hides("<bdi>Ada");
    assert_eq!(browser.get(&format!("/users?site={}", user.site)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get(&page).await.status, StatusCode::NOT_FOUND);
    for path in [page.clone(), format!("{page}/welcome"), format!("{page}/remove")] {
        let answer = browser.post(&path, &fields(&user.site, "X", "9")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    let added = browser.post("/users/add", &fields(&user.site, "X", "9")).await;
    assert_eq!(added.status, StatusCode::UNPROCESSABLE_ENTITY);
    let id: UserId = user.id.parse().unwrap();
    assert_eq!(desk.app.user(&id, &Actor::control_socket()).await.unwrap().name, "Ada");
}

#[tokio::test]
async fn a_form_of_another_page_changes_no_user() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada").await;
    let page = format!("/users/{}", user.id);
    for path in ["/users/add".to_owned(), "/users/welcome".to_owned(), format!("{page}/remove"), page] {
        for csrf in ["", "0000000000000000000000000000000000000000000000000000000000000000"] {
            assert_eq!(desk.send("POST", &path, &[("csrf", csrf)]).await.status, StatusCode::FORBIDDEN, "{path}");
        }
    }
}
