//! A phone without factory certificate is let in once, by an administrator's word and no other way.

use crate::{MAC, OTHER, ask, ask_from, audit, command, faults, items, named_device, provost, refusal, without_date};
use provost_testkit::{Maker, Reply, TestServer};
use serde_json::{Value, json};

fn open(server: &TestServer, device: &str, mac: &str) -> Reply {
    let body = json!({ "mac": mac, "minutes": 30, "reason": "certificate lost in repair" });
    server.api("POST", &format!("/devices/{device}/exception"), Some(&body))
}

fn settings() -> String {
    format!("/{MAC}-provost.cfg")
}

fn own() -> String {
    format!("/{MAC}.cfg")
}

#[test]
fn it_lets_exactly_that_phone_in_over_tls_from_the_first_address_and_tells_why() {
    let maker = Maker::new();
    let mut server = TestServer::start(&provost(), &maker);
    let device = named_device(&server, MAC);
    assert_eq!(ask(&server, None, &own()).status, 404, "a device alone lets nobody in");

    assert_eq!(open(&server, &device, MAC).status, 201);
    let plain = Reply::of(&[&format!("http://{}{}", server.address("phones_http"), own())]);
    assert_eq!(without_date(&plain), refusal(&server), "never over plain HTTP");
    for path in [format!("/{OTHER}.cfg"), "/000000000000.cfg".to_owned(), "/3111-44500-001.sip.ld".to_owned()] {
        assert_eq!(without_date(&ask(&server, None, &path)), refusal(&server), "{path}");
    }

    let first = ("127.0.0.9", own());
    assert_eq!(ask_from(&server, None, (first.0, &first.1)).status, 200);
    let configuration = ask_from(&server, None, ("127.0.0.9", &settings()));
    assert!(configuration.text().contains("secret-1001"), "as the bound phone would: {}", configuration.text());
    for path in [own(), settings()] {
        assert_eq!(without_date(&ask(&server, None, &path)), refusal(&server), "another address: {path}");
    }
    let put = ["--interface", "127.0.0.9", "--request", "PUT", "--data", "x"];
    assert_eq!(server.phone(None, &format!("/{MAC}-app.log"), &put).status, 404, "it reads only");

    let told = server.timeline(MAC);
    let says = |part: &str| told.iter().any(|sentence| sentence.contains(part));
    for part in [
        "lets this phone in once without a factory certificate",
        "certificate lost in repair",
        "Somebody at 127.0.0.9 is let in as this phone without proof",
        "certificate None presented (let in by exception: certificate lost in repair)",
        "was claimed for extension 1001",
    ] {
        assert!(says(part), "{part} is missing in {told:?}");
    }
    let listed = items(&command(&server, &["exception", "list"]));
    assert_eq!((&listed[0]["address"], &listed[0]["device"]), (&json!("127.0.0.9"), &json!(device)));
    assert!(!listed[0]["sent-at"].is_null());
    let entry = audit(&server).into_iter().find(|entry| entry["why"] == "certificate lost in repair").unwrap();
    assert!(entry["what"].as_str().unwrap().contains(MAC), "{entry}");

    server.kill();
    server.power_on();
    assert_eq!(ask_from(&server, None, ("127.0.0.9", &settings())).status, 200, "a restart ends nothing");
    assert_eq!(ask(&server, None, &settings()).status, 404, "nor does it let another in");
    command(&server, &["exception", "revoke", &device]);
    assert_eq!(ask_from(&server, None, ("127.0.0.9", &settings())).status, 404, "taken back");
    assert!(items(&server.done("GET", "/exceptions", None)).is_empty());
    assert!(server.timeline(MAC).iter().any(|sentence| sentence.contains("took the exception back")));
}

#[test]
fn a_blocked_certificate_is_not_let_in_by_an_exception() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let device = named_device(&server, MAC);
    let pair = maker.phone(MAC);
    ask(&server, Some(&pair), &own());
    let phone = server.done("GET", &format!("/phones/{MAC}"), None);
    let blocked = json!({ "sha256": phone["fingerprint"], "reason": "stolen" });
    server.done("POST", "/blocked-certificates", Some(&blocked));
    assert_eq!(open(&server, &device, MAC).status, 201);

    assert_eq!(ask(&server, Some(&pair), &own()).status, 404);
    assert_eq!(ask(&server, None, &own()).status, 200, "who shows none is let in");
}

#[test]
fn it_is_made_for_one_named_phone_one_at_a_time_and_not_for_long() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let device = named_device(&server, MAC);
    let post = |body: &Value| server.api("POST", &format!("/devices/{device}/exception"), Some(body));

    assert_eq!(open(&server, &device, OTHER).json()["code"], "exception-other-phone");
    let long = json!({ "mac": "x", "minutes": 121, "reason": "" });
    assert_eq!(faults(&post(&long)), ["mac", "minutes", "reason"]);
    assert_eq!(open(&server, "device_01jd0ck3v80000000000000000", MAC).status, 404);
    command(&server, &["exception", "open", &device, "--mac", MAC, "--minutes", "120", "--reason", "x"]);
    assert_eq!(open(&server, &device, MAC).status, 409, "one at a time");
    assert_eq!(server.sql("SELECT COUNT(*) FROM exceptions"), "1");
    server.done("DELETE", &format!("/devices/{device}/exception"), None);
    assert_eq!(server.api("DELETE", &format!("/devices/{device}/exception"), None).status, 404);
    server.done("POST", &format!("/devices/{device}/disable"), None);
    assert_eq!(open(&server, &device, MAC).json()["code"], "device-barred");
}
