//! Templates: the nearest holds, only good ones are saved, and a preview shows no codes unasked.

use crate::scene::{Scene, can_serve_mail, id, until};
use serde_json::{Value, json};

const NASTY: &str = "<img src=x onerror=alert(1)>";

#[test]
fn the_template_of_the_account_holds_and_below_it_too_in_the_language_of_the_user() {
    if !can_serve_mail() {
        return;
    }
    let scene = Scene::new();
    let path = format!("/accounts/{}/mail-templates/welcome", scene.account);
    let set = |language: &str, subject: &str| {
        let body = json!({ "subject": subject, "text": "{{ user.name }}", "html": "" });
        scene.server.done("PUT", &format!("{path}/{language}"), Some(&body))
    };
    assert_eq!(scene.server.done("GET", &format!("{path}/any"), None)["from"], "built-in");
    set("any", "Hello {{ user.name }}");
    set("de", "Hallo {{ user.name }}");
    let user = scene.newcomer("1001");
    scene.server.done("PATCH", &format!("/users/{user}"), Some(&json!({ "language": "de-AT", "name": NASTY })));

    let german = scene.welcome(&user);
    scene.server.done("DELETE", &format!("{path}/de"), None);
    let other = scene.welcome(&user);

    assert_eq!(german["subject"], format!("Hallo {NASTY}"));
    assert_eq!(other["subject"], format!("Hello {NASTY}"));
    let below = json!({ "name": "Below", "parent": scene.account });
    let below = id(&scene.server.done("POST", "/accounts", Some(&below)));
    let held = scene.server.done("GET", &format!("/accounts/{below}/mail-templates/welcome/en"), None);
    assert_eq!((&held["from"], &held["language"]), (&json!("above"), &json!("any")));
    let gone = scene.server.api("DELETE", &format!("{path}/de"), None);
    assert_eq!(gone.status, 404, "{}", gone.text());
}

#[test]
fn what_cannot_be_filled_in_for_everybody_is_not_saved_and_the_line_is_named() {
    if !can_serve_mail() {
        return;
    }
    let scene = Scene::new();
    let path = format!("/accounts/{}/mail-templates/welcome/any", scene.account);
    for (field, draft) in [
        ("text", "x\n{{ user.nickname }}"),
        ("html", "{% autoescape false %}{{ user.name }}{% endautoescape %}"),
        ("subject", "{{ devices[0].code }}"),
        ("text", "{{ 'x' * 100000000 }}"),
    ] {
        let mut body = json!({ "subject": "x", "text": "x", "html": "x" });
        body[field] = json!(draft);

        let refused = scene.server.api("PUT", &path, Some(&body));

        assert_eq!((refused.status, &refused.json()["fields"][0]["field"]), (422, &json!(field)), "{}", refused.text());
    }
    assert_eq!(scene.server.done("GET", &path, None)["from"], "built-in");
    let unknown = scene.server.api("GET", &path.replace("welcome", "other"), None);
    assert_eq!(unknown.status, 404);
}

#[test]
fn a_name_is_text_in_every_part_of_a_mail_and_on_the_page_of_its_link() {
    if !can_serve_mail() {
        return;
    }
    let scene = Scene::new();
    let user = scene.newcomer("1001");
    scene.server.done("PATCH", &format!("/users/{user}"), Some(&json!({ "name": NASTY })));

    scene.comes_to(&scene.welcome(&user), "sent");

    let received = scene.smtp.received().remove(0);
    assert!(!received.part("text/html").contains("<img"), "{}", received.part("text/html"));
    let text = received.part("text/plain");
    assert!(text.contains(NASTY), "{text}");
    let line = text.lines().find(|line| line.contains("/welcome/")).unwrap();
    let shown = scene.server.phone(None, &line[line.find("/welcome/").unwrap()..], &["--request", "POST"]);
    assert!(
        shown.status == 200 && !shown.text().contains("<img") && shown.text().contains("&#60;img"),
        "{}",
        shown.text()
    );
}

#[test]
fn a_preview_masks_codes_unless_somebody_who_may_says_why() {
    if !can_serve_mail() {
        return;
    }
    let scene = Scene::new();
    let user = scene.newcomer("1001");
    let device = scene.server.done("GET", "/devices", None)["items"][0].clone();
    let code = scene.server.code(&id(&device));
    let path = format!("/accounts/{}/mail-templates/welcome/preview", scene.account);
    let preview = |body: &Value| scene.server.done("POST", &path, Some(body));
    let digits = |view: &Value| view["text"].as_str().unwrap().replace(' ', "");

    let sample = preview(&json!({ "text": "Dear {{ user.name }}: {% for d in devices %}{{ d.code }}{% endfor %}" }));
    let masked = preview(&json!({ "user": user }));
    let shown = preview(&json!({ "user": user, "reason": "the customer asked" }));

    assert!(sample["text"].as_str().unwrap().starts_with("Dear Ada"), "{sample}");
    assert!(masked["masked"] == true && !digits(&masked).contains(&code), "{masked}");
    assert!(shown["masked"] == false && digits(&shown).contains(&code), "{shown}");
    let audit = scene.server.done("GET", "/audit", None)["items"][0].clone();
    assert_eq!(audit["why"], "the customer asked");
    assert!(until(|| Some(scene.smtp.received())).is_empty(), "nothing is sent");
    let support = json!({ "role": "support", "account": scene.account });
    let support = scene.server.done("POST", "/tokens", Some(&support))["token"].as_str().unwrap().to_owned();
    let server = scene.server.address("console");
    let refused = scene.server.cli(&[
        "mail",
        "template",
        "preview",
        "--account",
        &scene.account,
        "--user",
        &user,
        "--reveal",
        "curious",
        "--server",
        &server,
        "--token",
        &support,
    ]);
    assert!(refused.code == 1 && refused.err.contains("may not"), "{}{}", refused.out, refused.err);
}
