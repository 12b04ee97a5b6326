//! The doors to an activation that need no call: the page for people, references, emergency routes.

use crate::provost;
use provost_testkit::{Maker, Reply, ServerSetup, TestServer};
use serde_json::json;

const MAC: &str = "0004f2a1b2c3";
const AGENT: &[&str] = &["--user-agent", "FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Application"];

/// What a browser sends with the page's form.
fn entered(server: &TestServer, code: &str, mac: &str, more: &[&str]) -> Reply {
    let (code, mac) = (format!("code={code}"), format!("mac={mac}"));
    let form = ["--data-urlencode", &code, "--data-urlencode", &mac];
    server.phone(None, "/activate", &[&form, more].concat())
}

/// A server with a phone that was here and a device's code.
fn scene(setup: &ServerSetup) -> (TestServer, String) {
    let maker = Maker::new();
    let server = TestServer::start_with(&provost(), &maker, setup);
    let (account, site) = server.site();
    let device = server.device((&account, &site), "1001", "vvx500");
    assert_eq!(server.phone(Some(&maker.phone(MAC)), &format!("/{MAC}.cfg"), AGENT).status, 200);
    let code = server.code(&device);
    (server, code)
}

/// The reference that stands in a page.
fn reference(page: &str) -> String {
    page.split_once("Reference <code>").and_then(|(_, rest)| rest.split_once('<')).unwrap().0.to_owned()
}

#[test]
fn a_person_activates_the_phone_in_front_of_them_on_the_page() {
    let (server, code) = scene(&ServerSetup::default());

    let page = server.phone(None, "/activate", &[]);
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("script"), "{policy}");
    assert_eq!([page.header("cache-control"), page.header("set-cookie")], [Some("no-store"), None]);
    assert!(!page.text().contains("<script"), "{}", page.text());

    let grouped = format!("{} {}-{}", &code[..4], &code[4..8], &code[8..]);
    let done = entered(&server, &grouped, "B2:C3", &[]);
    assert_eq!(done.status, 200, "{}", done.text());
    assert!(done.text().contains("extension <bdi>1001</bdi>"), "{}", done.text());
    assert!(server.timeline(MAC)[0].contains("on the web page"), "{:?}", server.timeline(MAC));
    assert_eq!(server.sql("SELECT how FROM bindings"), "page");
}

#[test]
fn a_refusal_on_the_page_is_found_by_its_reference() {
    let (server, code) = scene(&ServerSetup::default());

    let unknown = entered(&server, "0000000000000", "b2c3", &[]);
    assert_eq!(unknown.status, 409);
    let word = reference(&unknown.text());
    let found = server.done("GET", &format!("/references/{word}"), None);
    assert!(found["sentence"].as_str().unwrap().contains("nobody has this activation code"), "{found}");
    assert!(found["phone"].is_null() && found["next-step"].is_string(), "{found}");
    let shown = server.cli(&["reference", &word.to_lowercase()]);
    assert!(shown.code == 0 && shown.out.contains(&word) && shown.out.contains("Compare the code"), "{}", shown.out);
    assert_eq!(server.api("GET", "/references/R-AAAAAA", None).status, 404);

    let nowhere = entered(&server, &code, "ffff", &[]);
    assert!(nowhere.text().contains("No unclaimed phone whose MAC ends so"), "{}", nowhere.text());
    let wrong = entered(&server, "12345", "xyz\"><script>", &[]);
    assert_eq!(wrong.status, 422);
    let text = wrong.text();
    assert!(text.contains("aria-invalid") && text.contains("code-problem") && text.contains("mac-problem"), "{text}");
    assert!(!text.contains("<script"), "{text}");
    assert_eq!(server.sql("SELECT COUNT(*) FROM bindings"), "0");
    assert_eq!(
        server.sql("SELECT COUNT(*) FROM events WHERE sentence LIKE '%web page%'"),
        "0",
        "nobody proved anything"
    );
}

#[test]
fn the_page_is_for_tls_and_for_forms_of_its_own() {
    let (server, code) = scene(&ServerSetup::default());
    let nothing = server.phone(None, "/no-such-file", &[]);

    let plain = Reply::of(&[&format!("http://{}/activate", server.address("phones_http"))]);
    assert_eq!((plain.status, &plain.body), (404, &nothing.body));
    for path in ["/activate/", "/Activate", "/activate.html", "/activate/x"] {
        let reply = server.phone(None, path, &[]);
        assert_eq!((reply.status, &reply.body), (404, &nothing.body), "{path}");
    }
    assert_eq!(entered(&server, &code, "b2c3", &["--header", "Sec-Fetch-Site: cross-site"]).status, 403);
    let long = "1".repeat(10_000);
    assert_eq!(entered(&server, &long, "b2c3", &[]).status, 400);
    assert_eq!(server.phone(None, "/activate", &["--request", "PUT", "--data", "x"]).status, 404);
    assert_eq!(server.sql("SELECT COUNT(*) FROM bindings"), "0");
}

#[test]
fn no_code_stands_in_a_log_at_trace_or_in_the_database() {
    let setup = ServerSetup { sections: "[log]\nlevel = \"trace\"\n".to_owned(), ..ServerSetup::default() };
    let (server, code) = scene(&setup);
    let guessed = "0000000000000";

    entered(&server, guessed, "b2c3", &[]);
    server.activate(MAC, guessed);
    entered(&server, &code, "ffff", &[]);
    assert_eq!(entered(&server, &code, "b2c3", &[]).status, 200);

    let grouped = format!("{} {} {}", &code[..4], &code[4..8], &code[8..]);
    let (log, dump) = (server.log(), server.stolen_database());
    let dump = String::from_utf8_lossy(&dump);
    for written in [code.as_str(), &grouped, guessed] {
        assert!(!log.contains(written), "{written} stands in the log");
        assert!(!dump.contains(written), "{written} stands in the database");
    }
}

#[test]
fn the_sixty_first_wrong_code_from_one_address_waits_and_a_restart_forgives_nothing() {
    let (mut server, code) = scene(&ServerSetup::default());
    for _ in 0..60 {
        assert_eq!(entered(&server, "0000000000000", "b2c3", &[]).status, 409);
    }
    server.kill();
    server.power_on();

    let refused = entered(&server, &code, "b2c3", &[]);

    assert_eq!(refused.status, 409);
    assert!(refused.text().contains("Too many wrong activation codes"), "{}", refused.text());
    assert_eq!(server.sql("SELECT COUNT(*) FROM bindings"), "0");
    assert_eq!(server.activate(MAC, &code).status, 200, "an administrator is not locked out");
}

#[test]
fn an_emergency_route_is_set_shown_and_taken_away() {
    let (server, _) = scene(&ServerSetup::default());
    let site = server.done("GET", "/sites", None)["items"][0]["id"].as_str().unwrap().to_owned();
    let address = format!("/sites/{site}/emergency-route");

    let set =
        server.cli(&["site", "emergency-route", &site, "--network", "10.1.0.0/16", "--to", "pbx.example.com:5070"]);
    assert_eq!(set.code, 0, "{}", set.err);
    let shown = server.done("GET", "/sites", None);
    let wanted = json!({ "networks": ["10.1.0.0/16"], "to": "pbx.example.com:5070" });
    assert_eq!(shown["items"][0]["emergency-route"], wanted, "{shown}");
    let wrong = server.api("PUT", &address, Some(&json!({ "networks": ["everywhere"], "to": "pbx@example" })));
    assert_eq!((wrong.status, wrong.json()["fields"].as_array().unwrap().len()), (422, 2), "{}", wrong.text());

    assert_eq!(server.cli(&["site", "emergency-route", &site, "--none"]).code, 0);
    assert_eq!(server.api("DELETE", &address, None).status, 404);
    let audit = server.done("GET", "/audit", None).to_string();
    assert!(audit.contains("sent emergency calls of") && audit.contains("took away the emergency route"), "{audit}");
}
