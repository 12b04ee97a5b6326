//! Mail: the outbox, sending again, and templates with their preview.

use super::{Answer, Desk};
use axum::http::StatusCode;
use provost_app::{Actor, MailInput};
use provost_core::mail::MailContent;

const HOSTILE: &str = "<script>alert(1)</script>";

async fn follow(desk: &Desk, answer: Answer) -> Answer {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    desk.get(answer.location()).await
}

/// A mail of an account, or of the whole server.
async fn queued(desk: &Desk, to: &str, account: Option<&str>) -> String {
    let account = account.map(|id| id.parse().unwrap());
    let content = MailContent { subject: HOSTILE.to_owned(), text: "what it says".to_owned(), html: None };
    let mail = MailInput { kind: "welcome", to, account: account.as_ref(), content: &content };
    desk.app.queue_mail(mail).await.unwrap().to_string()
}

#[tokio::test]
async fn without_a_mail_server_the_page_says_what_to_write_into_the_configuration() {
    let desk = Desk::signed_in().await;

    let page = desk.get("/mail").await;

    page.shows("No mail server is set up");
    page.shows("smtp-url = ");
    page.shows("No mail was written yet.");
}

#[tokio::test]
async fn the_outbox_shows_states_in_words_and_never_what_a_mail_says() {
    let desk = Desk::signed_in().await;
    desk.app.use_mail_server("mail.example.com");
    queued(&desk, "ada@example.com", None).await;

    let page = desk.get("/mail").await;

    page.shows("ada@example.com");
    page.shows("Waiting");
    page.shows("It goes out within seconds.");
    page.hides(HOSTILE);
    page.hides("what it says");
    desk.get("/mail?state=waiting").await.shows("ada@example.com");
    let refused = desk.get("/mail?state=refused").await;
    refused.hides("ada@example.com");
    refused.shows("No such mail.");
    desk.get("/mail?state=%3Cscript%3E&user=nonsense").await.shows("ada@example.com");
}

#[tokio::test]
async fn a_mail_is_tried_again_by_who_may_and_by_nobody_else() {
    let desk = Desk::signed_in().await;
    desk.app.use_mail_server("mail.example.com");
    let user = desk.user("Ada").await;
    let again = format!("/mail/{}/again", queued(&desk, "ada@example.com", Some(&user.account)).await);

    follow(&desk, desk.post(&again, &[]).await).await.shows("The mail to ada@example.com is tried again now");
    for (role, sees) in
        [("owner", true), ("administrator", true), ("support", false), ("installer", false), ("read-only", false)]
    {
        let browser = desk.role(role, None).await;
        let expected = if sees { StatusCode::OK } else { StatusCode::FORBIDDEN };
        assert_eq!(browser.get("/mail").await.status, expected, "{role}");
        let expected = if sees { StatusCode::SEE_OTHER } else { StatusCode::FORBIDDEN };
        assert_eq!(browser.post(&again, &[]).await.status, expected, "{role}");
    }
    let other = desk.stranger_account().await;
    let browser = desk.role("administrator", Some(&other)).await;
    browser.get("/mail").await.hides("ada@example.com");
    assert_eq!(browser.post(&again, &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(desk.send("POST", &again, &[("csrf", "0")]).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn an_account_gets_a_template_of_its_own_and_loses_it_again() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada").await;
    let list = format!("/mail/templates?account={}", user.account);
    let first = desk.get(&list).await;
    first.shows("comes with Provost");
    first.shows("Write one of our own from it");
    let edit = format!("/mail/templates/edit?account={}&language=de", user.account);
    desk.get(&edit).await.shows("What you see holds now.");

    let bad = [
        ("account", user.account.as_str()),
        ("language", "de"),
        ("subject", "Hello {{ code }}"),
        ("text", "line 1\r\n{% macro x() %}{% endmacro %}"),
        ("html", ""),
    ];
    let refused = desk.post("/mail/templates/edit", &bad).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    refused.shows(r#"id="subject-error""#);
    refused.shows(r#"id="text-error""#);
    refused.shows("line 2");
    let good = [
        ("account", user.account.as_str()),
        ("language", "de"),
        ("subject", "Hallo {{ user.name }}"),
        ("text", "Durchwahl {{ user.extension }}"),
        ("html", "<p>{{ user.name }}</p>"),
    ];
    let saved = follow(&desk, desk.post("/mail/templates/edit", &good).await).await;
    saved.shows("The template is saved and holds for Example Company");
    saved.shows("this account&#39;s");
    desk.get(&edit).await.shows("Hallo {{ user.name }}");
    let gone = desk.post("/mail/templates/remove", &[("account", &user.account), ("language", "de")]).await;
    follow(&desk, gone).await.shows("The template is removed");
    desk.get(&list).await.hides("Hallo");
    assert_eq!(desk.get("/mail/templates/edit?language=%3Cb%3E").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_preview_is_kept_in_a_sandbox_where_nothing_runs_and_nothing_is_loaded() {
    let desk = Desk::signed_in().await;
    let user = desk.user(HOSTILE).await;
    desk.device(&user, None).await;
    let page = desk.get(&format!("/mail/templates/edit?account={}&user={}", user.account, user.id)).await;
    let policy = page.header("content-security-policy").to_owned();
    assert!(policy.contains("frame-src 'self'") && !policy.contains("unsafe"), "{policy}");
    page.shows("sandbox></iframe>");
    assert!(!desk.get("/mail").await.header("content-security-policy").contains("frame-src"));
    let draft = |part: &'static str, whom: &'static str| {
        let whom = if whom.is_empty() { String::new() } else { user.id.clone() };
        [
            ("account", user.account.clone()),
            ("user", user.id.clone()),
            ("for", whom),
            ("subject", "For {{ user.name }}".to_owned()),
            ("text", "{{ user.name }} {% for d in devices %}{{ d.code }}{% endfor %}".to_owned()),
            ("html", "<p style=\"color:red\">{{ user.name }}</p><script>x()</script>".to_owned()),
            ("part", part.to_owned()),
        ]
    };
    let send = async |part: &'static str, whom: &'static str| {
        let fields = draft(part, whom);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        desk.post("/mail/templates/preview", &fields).await
    };

    let html = send("html", "them").await;
    let policy = html.header("content-security-policy");
    assert!(policy.starts_with("sandbox; default-src 'none'; style-src 'unsafe-inline'"), "{policy}");
    assert!(policy.contains("frame-ancestors 'self'") && !policy.contains("script-src"), "{policy}");
    html.shows("&lt;script&gt;alert(1)");
    html.hides("<script>alert");
    let text = send("text", "them").await;
    text.shows("Codes are masked.");
    text.hides("<script>alert");
    assert!(text.header("content-security-policy").starts_with("sandbox;"));
    send("text", "").await.hides("Codes are masked.");
    let faulty = [("account", user.account.as_str()), ("subject", "x"), ("text", "{{ nobody }}"), ("html", "")];
    desk.post("/mail/templates/preview", &faulty).await.shows("<strong>text</strong>");
}

#[tokio::test]
async fn a_long_draft_fits_and_other_forms_stay_short() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada").await;
    let long = "a long line of text\n".repeat(3_000);
    let fields = [("account", user.account.as_str()), ("language", "any"), ("subject", "x"), ("text", &long)];

    let saved = desk.post("/mail/templates/edit", &fields).await;

    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text);
    let other = desk.post(&format!("/accounts/{}", user.account), &[("name", &long)]).await;
    assert_eq!(other.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn templates_of_others_are_neither_seen_nor_changed() {
    let desk = Desk::signed_in().await;
    let user = desk.user("Ada").await;
    let other = desk.stranger_account().await;
    let browser = desk.role("administrator", Some(&other)).await;
    browser.get("/mail/templates").await.shows("Somebody else");
    for path in ["/mail/templates", "/mail/templates/edit"] {
        let answer = browser.get(&format!("{path}?account={}", user.account)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    let server = browser.get("/mail/templates/edit").await;
    assert_eq!(server.status, StatusCode::FORBIDDEN, "{}", server.text);
    let fields = [("account", user.account.as_str()), ("language", "any"), ("subject", "x"), ("text", "x")];
    for path in ["/mail/templates/edit", "/mail/templates/preview", "/mail/templates/remove"] {
        assert_eq!(browser.post(path, &fields).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let of_server = [("language", "any"), ("subject", "x"), ("text", "x")];
    assert_eq!(browser.post("/mail/templates/edit", &of_server).await.status, StatusCode::FORBIDDEN);
    let administrator = desk.role("administrator", None).await;
    administrator.get("/mail/templates/edit").await.hides(">Save</button>");
    assert_eq!(administrator.post("/mail/templates/edit", &of_server).await.status, StatusCode::FORBIDDEN);
    let reader = desk.role("read-only", None).await;
    reader.get(&format!("/mail/templates?account={}", user.account)).await.shows("Look at it");
    assert_eq!(reader.post("/mail/templates/edit", &fields).await.status, StatusCode::FORBIDDEN);
    for path in ["/mail/templates/edit", "/mail/templates/preview", "/mail/templates/remove"] {
        assert_eq!(desk.send("POST", path, &fields).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert!(desk.app.mail_templates(None, &Actor::control_socket()).await.unwrap().len() == 1);
}
