//! A blocked certificate proves nothing any more, at once and after a restart.

use crate::{MAC, OTHER, ask, audit, command, faults, items, provost, refusal, without_date};
use provost_testkit::{Maker, TestServer};
use serde_json::json;

#[test]
fn a_blocked_certificate_is_a_stranger_until_it_is_taken_off_the_list() {
    let maker = Maker::new();
    let mut server = TestServer::start(&provost(), &maker);
    let (pair, other) = (maker.phone(MAC), maker.phone(OTHER));
    let own = format!("/{MAC}.cfg");
    assert_eq!(ask(&server, Some(&pair), &own).status, 200);
    let phone = server.done("GET", &format!("/phones/{MAC}"), None);
    let sha256 = phone["fingerprint"].as_str().unwrap().to_owned();

    let with_colons: Vec<_> =
        sha256.to_uppercase().as_bytes().chunks(2).map(|two| String::from_utf8_lossy(two).into_owned()).collect();
    let blocked = json!({ "sha256": with_colons.join(":"), "reason": "stolen" });
    assert_eq!(server.done("POST", "/blocked-certificates", Some(&blocked))["sha256"], json!(sha256));
    for path in [own.as_str(), "/000000000000.cfg", &format!("/{MAC}-provost.cfg"), &format!("/{OTHER}.cfg")] {
        assert_eq!(without_date(&ask(&server, Some(&pair), path)), refusal(&server), "{path}");
    }
    assert_eq!(ask(&server, Some(&other), &format!("/{OTHER}.cfg")).status, 200, "others are served on");
    let said = &server.timeline(MAC)[0];
    assert!(said.contains("its certificate is on the block list (stolen)"), "{said}");
    let phone = server.done("GET", &format!("/phones/{MAC}"), None);
    assert_eq!(phone["last-refused"]["status"], "Invalid");

    server.kill();
    server.power_on();
    assert_eq!(ask(&server, Some(&pair), &own).status, 404, "a restart lifts nothing");

    command(&server, &["blocked", "remove", &sha256]);
    assert_eq!(ask(&server, Some(&pair), &own).status, 200);
    let log = audit(&server);
    assert_eq!(log[1]["what"], json!(format!("blocked the certificate {sha256}")));
    assert_eq!(log[1]["why"], json!("stolen"));
    assert!(log[1]["who"].as_str().unwrap().ends_with("(owner)"), "{}", log[1]["who"]);
    assert_eq!(log[0]["what"], json!(format!("took the certificate {sha256} off the block list")));
}

#[test]
fn the_list_by_commands_refuses_what_is_no_fingerprint_no_reason_or_there_already() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let sha256 = "ab".repeat(32);

    command(&server, &["blocked", "add", &sha256, "--reason", "lost"]);

    assert_eq!(items(&command(&server, &["blocked", "list"]))[0]["reason"], "lost");
    let entry = |sha256: &str, reason: &str| json!({ "sha256": sha256, "reason": reason });
    let post = |body| server.api("POST", "/blocked-certificates", Some(&body));
    assert_eq!(post(entry(&sha256, "again")).status, 409);
    assert_eq!(faults(&post(entry("abc", " "))), ["sha256", "reason"]);
    assert_eq!(server.cli(&["blocked", "remove", &"cd".repeat(32)]).code, 1);
    assert_eq!(items(&server.done("GET", "/blocked-certificates", None)).len(), 1);
}
