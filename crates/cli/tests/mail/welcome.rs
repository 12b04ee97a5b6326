//! The welcome mail: what it says, to whom it goes, its link, and when it should go again.

use crate::scene::{Scene, can_serve_mail, id, provost, until};
use provost_testkit::Reply;
use serde_json::{Value, json};
use std::path::Path;

const MAC: &str = "0004f2a00045";

/// The address of the link in a mail, below the server's root.
fn link(scene: &Scene) -> String {
    let text = until(|| scene.smtp.received().last().cloned()).part("text/plain");
    let line = text.lines().find(|line| line.contains("/welcome/")).unwrap();
    line[line.find("/welcome/").unwrap()..].trim().to_owned()
}

/// Keys a code into a virtual phone at the server, until it shows its user's line.
fn keys_in(scene: &Scene, digits: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../phone/scripts/activation.script");
    let (pair, root) = (scene.maker.phone(MAC), scene.server.root());
    let server = format!("server=https://{}", scene.server.address("phones_https"));
    let (code, sntp) = (format!("code={digits}"), scene.server.address("sntp"));
    let files = [&script, &pair.chain, &pair.key, &root].map(|path| path.to_str().unwrap());
    let [script, chain, key, root] = files;
    let done = provost().run(&[
        "phone",
        "script",
        script,
        "--model",
        "vvx450",
        "--mac",
        MAC,
        "--pace",
        "20",
        "--cert",
        chain,
        "--key",
        key,
        "--ca",
        root,
        "--sntp",
        &sntp,
        "--set",
        &server,
        "--set",
        &code,
        "--set",
        "label=1001",
    ]);
    assert_eq!(done.code, 0, "{}\n{}", done.out, done.err);
}

/// The page behind a link, by GET or POST.
fn page(scene: &Scene, path: &str, method: &str) -> Reply {
    scene.server.phone(None, path, &["--request", method])
}

#[test]
fn a_newcomer_gets_extension_code_and_steps_and_activates_by_what_it_says() {
    if !can_serve_mail() {
        return;
    }
    let scene = Scene::new();
    let user = scene.newcomer("1001");
    let mail = scene.welcome(&user);
    let sent = scene.comes_to(&mail, "sent");

    let received = scene.smtp.received().remove(0);
    let device = scene.server.done("GET", "/devices", None)["items"][0].clone();
    let code = device["activation-code"]["shown"].as_str().unwrap().to_owned();
    assert_eq!(received.to, "user1001@example.com");
    assert_eq!(sent["subject"], "Welcome to Example - Let's Get Started");
    for kind in ["text/plain", "text/html"] {
        let part = received.part(kind);
        for word in ["1001", "User 1001", "Vienna", "VVX 450", code.as_str(), "Activate", "Enter code", "72 hours"] {
            assert!(part.contains(word), "{word}\n{part}");
        }
    }
    assert!(!received.part("text/html").contains("<script") && !received.part("text/html").contains("<table"));
    // What a person does with it, key by key.
    let digits: String = code.chars().filter(char::is_ascii_digit).collect();
    keys_in(&scene, &digits);
    scene.comes_to(&scene.welcome(&user), "sent");
    let text = scene.smtp.received()[1].part("text/plain");
    assert!(text.contains("VVX 450 is activated already") && !text.contains("Activation Code"), "{text}");
    assert!(!scene.server.log().contains(&code) && !scene.server.log().contains(&digits));
}

#[test]
fn the_link_shows_the_codes_once_and_only_to_who_presses_the_button() {
    if !can_serve_mail() {
        return;
    }
    let scene = Scene::new();
    let user = scene.newcomer("1001");
    scene.comes_to(&scene.welcome(&user), "sent");
    let link = link(&scene);
    let code =
        scene.server.done("GET", "/devices", None)["items"][0]["activation-code"]["shown"].as_str().unwrap().to_owned();

    for _ in 0..3 {
        let looked = page(&scene, &link, "GET");
        assert!(looked.status == 200 && !looked.text().contains(&code), "{}", looked.text());
        assert!(looked.text().contains("Show my activation codes"));
        assert!(looked.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    }
    let foreign = scene.server.phone(None, &link, &["--request", "POST", "--header", "Sec-Fetch-Site: cross-site"]);
    assert_eq!(foreign.status, 403);
    let shown = page(&scene, &link, "POST");
    assert!(shown.status == 200 && shown.text().contains(&code), "{}", shown.text());
    let again = page(&scene, &link, "POST");
    assert!(again.status == 410 && again.text().contains("used already") && !again.text().contains(&code));
    let never = page(&scene, &format!("/welcome/{}", "ab".repeat(24)), "POST");
    assert_eq!(never.status, 404);
    let audit = scene.server.done("GET", "/audit", None)["items"][0].clone();
    assert_eq!(audit["who"], "link of a welcome mail");
    assert_eq!(audit["from-where"], "127.0.0.1");
    let plain = Reply::of(&[&format!("http://{}{link}", scene.server.address("phones_http"))]);
    assert_eq!((plain.status, plain.text()), (404, "not found\n".to_owned()), "over plain HTTP there is no such page");
}

#[test]
fn a_link_ends_with_a_newer_mail_with_its_time_and_with_its_user() {
    if !can_serve_mail() {
        return;
    }
    let scene = Scene::new();
    let user = scene.newcomer("1001");
    scene.comes_to(&scene.welcome(&user), "sent");
    let first = link(&scene);
    scene.comes_to(&scene.welcome(&user), "sent");
    assert_eq!(page(&scene, &first, "POST").status, 404);

    let second = link(&scene);
    let left =
        scene.server.sql("SELECT (expires_ms - (SELECT ended_ms FROM mails m WHERE m.id = mail)) FROM mail_links");
    assert_eq!(left, (72 * 3_600_000).to_string(), "counted from when the mail server took it");
    scene.server.sql("UPDATE mail_links SET expires_ms = 1");
    let late = page(&scene, &second, "POST");
    assert!(late.status == 410 && late.text().contains("too old"), "{}", late.text());
}

#[test]
fn a_device_assigned_later_offers_to_send_again_and_a_good_code_is_used_again() {
    if !can_serve_mail() {
        return;
    }
    let scene = Scene::new();
    let user = scene.person("1001");
    let path = format!("/users/{user}");
    let refused = scene.try_welcome(&user, &json!({}));
    assert_eq!((refused.status, &refused.json()["code"]), (409, &json!("no-device")));
    assert_eq!(scene.server.done("GET", &path, None)["welcome-mail"], Value::Null);

    let mail = scene.try_welcome(&user, &json!({ "without-device": true })).json();
    scene.comes_to(&mail, "sent");
    assert!(scene.smtp.received()[0].part("text/plain").contains("another mail"));
    let told = || scene.server.done("GET", &path, None)["welcome-mail"].clone();
    assert_eq!((&told()["device-assigned-since"], &told()["state"]), (&json!(false), &json!("sent")));
    let device = scene.device(&user, "vvx450");
    assert_eq!(told()["device-assigned-since"], json!(true));
    let code = scene.server.code(&device);
    let etag = scene.server.api("GET", &path, None).header("etag").unwrap().to_owned();
    scene.comes_to(&scene.welcome(&user), "sent");
    assert_eq!(told()["device-assigned-since"], json!(false));
    assert!(scene.smtp.received()[1].part("text/plain").replace(' ', "").contains(&code), "the open code is used");
    assert_eq!(scene.server.api("GET", &path, None).header("etag").unwrap(), etag, "no change of the user");
    let listed = scene.server.done("GET", "/users", None);
    assert_eq!(listed["items"][0]["welcome-mail"], told());
}

#[test]
fn many_are_sent_at_once_and_each_who_gets_none_is_told_why() {
    if !can_serve_mail() {
        return;
    }
    let scene = Scene::new();
    let (good, without_device) = (scene.newcomer("1001"), scene.person("1002"));
    let body = json!({ "site": scene.site, "name": "No Mail", "extension": "1003" });
    let without_mail = id(&scene.server.done("POST", "/users", Some(&body)));
    let never = "user_01jd0ck3v80000000000000009";

    let sent = scene.server.cli(&["mail", "welcome", &good, &without_device, &without_mail, never, "--json"]);

    let sent: Value = serde_json::from_str(&sent.out).unwrap_or_else(|_| serde_json::json!(sent.err));
    let verdict = |user: &str| {
        let items = sent["items"].as_array().unwrap();
        items.iter().find(|item| item["user"] == user).unwrap()["verdict"].clone()
    };
    assert_eq!(verdict(&good), "queued");
    assert_eq!(verdict(&without_device), "no-device");
    assert_eq!(verdict(&without_mail), "no-mail-address");
    assert_eq!(verdict(never), "not-found");
    until(|| Some(()).filter(|()| scene.smtp.received().len() == 1));
    let rest = scene.server.cli(&["mail", "welcome", "--site", &scene.site, "--not-yet-sent", "--without-device"]);
    assert_eq!(rest.code, 0, "{}", rest.err);
    until(|| Some(()).filter(|()| scene.smtp.received().len() == 2));
    let listed = scene.server.cli(&["mail", "list", "--user", &without_device]);
    assert!(listed.out.contains("user1002@example.com") && !listed.out.contains("user1001"), "{}", listed.out);
    let neither = scene.server.api("POST", "/mail/welcome", Some(&json!({})));
    assert_eq!(neither.status, 422, "{}", neither.text());
}

#[test]
fn a_stolen_database_holds_no_code_and_no_link_of_a_mail() {
    if !can_serve_mail() {
        return;
    }
    let scene = Scene::new();
    scene.comes_to(&scene.welcome(&scene.newcomer("1001")), "sent");
    let token = link(&scene).trim_start_matches("/welcome/").to_owned();
    let shown =
        scene.server.done("GET", "/devices", None)["items"][0]["activation-code"]["shown"].as_str().unwrap().to_owned();

    let stolen = scene.server.stolen_database();

    let holds = |text: &str| stolen.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("user1001@example.com") && !holds(&token) && !holds(&shown));
}

#[test]
fn mails_that_waited_in_a_backup_are_not_sent_by_what_was_restored_from_it() {
    if !can_serve_mail() {
        return;
    }
    let scene = Scene::with(crate::smtp::Smtp::off(), "");
    let mail = scene.welcome(&scene.newcomer("1001"));
    let folder = tempfile::tempdir().unwrap();
    let (file, other) = (folder.path().join("backup"), folder.path().join("data"));
    let backup = scene.server.cli(&["backup", file.to_str().unwrap()]);
    assert_eq!(backup.code, 0, "{}", backup.err);
    if scene.server.is_on_postgres() {
        return;
    }
    std::fs::create_dir(&other).unwrap();
    std::fs::set_permissions(&other, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    std::fs::copy(scene.server.data().join("secret.key"), other.join("secret.key")).unwrap();

    let restored = provost().run(&["restore", file.to_str().unwrap(), "--data", other.to_str().unwrap()]);

    assert_eq!(restored.code, 0, "{}{}", restored.out, restored.err);
    let shown = provost().run(&["mail", "show", &id(&mail), "--json", "--data", other.to_str().unwrap()]);
    let shown: Value = serde_json::from_str(&shown.out).unwrap();
    assert_eq!(shown["state"], "doubtful");
}

#[test]
fn a_corrected_address_takes_back_what_went_to_the_old_one() {
    if !can_serve_mail() {
        return;
    }
    let scene = Scene::new();
    let user = scene.newcomer("1001");
    let mail = scene.welcome(&user);
    scene.comes_to(&mail, "sent");
    let old = scene.smtp.received()[0].clone();
    let path = format!("/users/{user}");
    let told = || scene.server.done("GET", &path, None)["welcome-mail"].clone();
    assert_eq!((&told()["to"], &told()["address-changed-since"]), (&json!("user1001@example.com"), &json!(false)));

    scene.server.done("PATCH", &path, Some(&json!({ "email": "right@example.com" })));

    assert_eq!((&told()["to"], &told()["address-changed-since"]), (&json!("user1001@example.com"), &json!(true)));
    let again = scene.welcome(&user);
    scene.comes_to(&again, "sent");
    assert_eq!(told()["address-changed-since"], json!(false));
    let new = scene.smtp.received()[1].clone();
    assert_eq!(new.to, "right@example.com");
    let code = |mail: &crate::smtp::Received| {
        let text = mail.part("text/plain");
        text.lines().find(|line| line.chars().filter(char::is_ascii_digit).count() >= 13).map(str::to_owned).unwrap()
    };
    assert_ne!(code(&old), code(&new), "whoever has the old mail has a code that was voided");
}

#[test]
fn a_mail_that_says_what_is_not_so_any_more_is_not_sent_again() {
    if !can_serve_mail() {
        return;
    }
    let scene = Scene::new();
    let again = |mail: &Value| scene.server.api("POST", &format!("/mail/{}/again", id(mail)), None);
    scene.smtp.behave("refuse");
    let (one, two) = (scene.newcomer("1001"), scene.newcomer("1002"));
    let (first, second) = (scene.welcome(&one), scene.welcome(&two));
    for mail in [&first, &second] {
        scene.comes_to(mail, "refused");
    }
    let device = scene.server.done("GET", "/devices", None)["items"][0]["id"].as_str().unwrap().to_owned();
    scene.server.code(&device);
    scene.server.done("PATCH", &format!("/users/{two}"), Some(&json!({ "email": "right@example.com" })));

    for (mail, why) in [(&first, "replaced, or is over"), (&second, "another mail address")] {
        let refused = again(mail);
        assert_eq!((refused.status, &refused.json()["code"]), (409, &json!("mail-not-again")), "{}", refused.text());
        assert!(refused.text().contains(why), "{}", refused.text());
    }
    assert!(scene.smtp.received().is_empty());
}
