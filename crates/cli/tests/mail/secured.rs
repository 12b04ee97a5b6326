//! TLS: a certificate that is not good gets nothing, and the words say why.

use crate::scene::{Scene, can_serve_mail, provost, until};
use crate::smtp::Smtp;
use provost_testkit::{Maker, ServerSetup, TestServer};
use serde_json::json;

const USER: (&str, &str) = ("provost@example.com", "hunter2 and more");

/// The section's lines for a server at this port; the password stands in a file.
fn lines(port: u16, folder: &std::path::Path, authority: Option<&std::path::Path>) -> String {
    let password = folder.join("smtp.password");
    std::fs::write(&password, format!("{}\n", USER.1)).unwrap();
    let authority = authority.map_or(String::new(), |file| format!("smtp-authority = \"{}\"\n", file.display()));
    format!(
        "smtp-url = \"smtp://provost%40example.com@localhost:{port}\"\nstarttls = \"required\"\n\
         smtp-password-file = \"{}\"\n{authority}",
        password.display()
    )
}

#[test]
fn a_mail_goes_out_over_starttls_signed_in_by_the_password_in_a_file() {
    if !can_serve_mail() {
        return;
    }
    let (makers, folder) = (Maker::new(), tempfile::tempdir().unwrap());
    let smtp = Smtp::secured(&makers.signed("localhost"), USER);
    let more = lines(smtp.port, folder.path(), Some(&makers.bundle()));
    let scene = Scene::with(smtp, &more);

    let mail = scene.welcome(&scene.newcomer("1001"));

    scene.comes_to(&mail, "sent");
    let received = &scene.smtp.received()[0];
    assert!(received.is_tls, "{received:?}");
    assert_eq!(received.who, USER.0);
    assert!(!scene.server.log().contains(USER.1));
}

#[test]
fn a_certificate_of_nobody_known_or_for_another_name_is_refused_in_clear_words() {
    if !can_serve_mail() {
        return;
    }
    let (makers, folder) = (Maker::new(), tempfile::tempdir().unwrap());
    for (name, authority, words) in [
        ("localhost", None, "local issuer certificate"),
        ("mail.example.org", Some(makers.bundle()), "ostname mismatch"),
    ] {
        let smtp = Smtp::secured(&makers.signed(name), USER);
        let more = lines(smtp.port, folder.path(), authority.as_deref());
        let scene = Scene::with(smtp, &more);
        let mail = scene.welcome(&scene.newcomer("1001"));

        let waits = until(|| Some(scene.mail(&mail)).filter(|mail| !mail["answer"].is_null()));

        let answer = waits["answer"].as_str().unwrap();
        assert!(answer.contains("certificate is not good for localhost") && answer.contains(words), "{answer}");
        assert!(answer.ends_with("name the authority that signed it with smtp-authority"), "{answer}");
        assert_eq!((&waits["state"], scene.smtp.asked()), (&json!("waiting"), 0));
    }
}

#[test]
fn a_server_without_starttls_gets_nothing_where_it_is_required() {
    if !can_serve_mail() {
        return;
    }
    let smtp = Smtp::start();
    let more = format!("smtp-url = \"smtp://127.0.0.1:{}\"\nstarttls = \"required\"\n", smtp.port);
    let scene = Scene::with(smtp, &more);
    let mail = scene.welcome(&scene.newcomer("1001"));

    let waits = until(|| Some(scene.mail(&mail)).filter(|mail| !mail["answer"].is_null()));

    assert!(waits["answer"].as_str().unwrap().contains("offers no STARTTLS"), "{waits}");
    assert_eq!(scene.smtp.asked(), 0);
}

#[test]
fn without_a_mail_server_whatever_needs_one_says_so() {
    let server = TestServer::start(&provost(), &Maker::new());
    let (account, site) = server.site();
    let user = json!({ "site": site, "name": "Ada", "extension": "1001", "email": "ada@example.com" });
    let user = server.done("POST", "/users", Some(&user))["id"].as_str().unwrap().to_owned();

    for (method, path, body) in [
        ("POST", format!("/users/{user}/welcome-mail"), json!({})),
        ("POST", "/mail/welcome".to_owned(), json!({ "account": account })),
        ("PUT", "/alarm-mail".to_owned(), json!({ "addresses": ["a@example.com"] })),
    ] {
        let reply = server.api(method, &path, Some(&body));
        assert_eq!((reply.status, &reply.json()["code"]), (409, &json!("no-mail-server")), "{path}");
        assert!(reply.text().contains("[mail]"), "{}", reply.text());
    }
    assert_eq!(server.done("GET", "/alarm-mail", None), json!({ "addresses": [], "mail-server": false }));
    let checked = server.cli(&["check"]);
    assert!(checked.out.contains("no mail server is configured"), "{}{}", checked.out, checked.err);
}

#[test]
fn check_names_a_password_file_that_is_not_there() {
    let setup = ServerSetup {
        top: String::new(),
        sections: "[mail]\nsmtp-url = \"smtp://u@mail.example.com\"\nfrom = \"a@example.com\"\n\
                   smtp-password-file = \"gone\"\n"
            .to_owned(),
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("provost.toml");
    std::fs::write(&file, &setup.sections).unwrap();

    let checked = provost().run(&["check", "--config", file.to_str().unwrap()]);

    assert_eq!(checked.code, 78, "{}{}", checked.out, checked.err);
    assert!(checked.err.contains("smtp-password-file") && checked.err.contains("gone"), "{}", checked.err);
}
