//! Codes and claims: each refusal names its cause; nothing half done.

use crate::provost;
use provost_testkit::{Maker, Reply, TestServer};
use serde_json::json;

const AGENT_500: &[&str] = &["--user-agent", "FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Application"];
const AGENT_450: &[&str] = &["--user-agent", "FileTransport PolycomVVX-VVX_450-UA/6.4.7.4560 Type/Application"];

fn seen(server: &TestServer, maker: &Maker, mac: &str, agent: &[&str]) -> Reply {
    server.phone(Some(&maker.phone(mac)), &format!("/{mac}.cfg"), agent)
}

fn refusal(reply: &Reply) -> String {
    assert_eq!(reply.status, 409, "{}", reply.text());
    let body = reply.json();
    assert!(body["reference"].as_str().unwrap().starts_with("R-"), "{body}");
    body["code"].as_str().unwrap().to_owned()
}

#[test]
fn each_refused_code_names_its_cause() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let (account, site) = server.site();
    let device = server.device((&account, &site), "1001", "vvx500");
    let other_model = server.device((&account, &site), "1002", "vvx450");
    seen(&server, &maker, "0004f2000001", AGENT_500);
    seen(&server, &maker, "0004f2000002", AGENT_500);
    let replaced = server.code(&device);
    let code = server.code(&device);

    assert_eq!(refusal(&server.activate("0004f2000009", &code)), "phone-unknown");
    assert_eq!(refusal(&server.activate("0004f2000001", "1234")), "code-length");
    let mistyped = if code.ends_with('0') { format!("{}1", &code[..12]) } else { format!("{}0", &code[..12]) };
    assert_eq!(refusal(&server.activate("0004f2000001", &mistyped)), "code-mistyped");
    assert_eq!(refusal(&server.activate("0004f2000001", "0000000000000")), "code-unknown");
    assert_eq!(refusal(&server.activate("0004f2000001", &replaced)), "code-replaced");
    assert_eq!(refusal(&server.activate("0004f2000001", &server.code(&other_model))), "code-other-model");
    let grouped = format!("{} {} {}", &code[..4], &code[4..8], &code[8..]);
    assert_eq!(server.activate("0004F2000001", &grouped).status, 200, "as people write it");
    assert_eq!(server.activate("0004f2000001", &code).status, 200, "the same phone may ask again");
    assert_eq!(refusal(&server.activate("0004f2000002", &code)), "code-used");
    let second = server.device((&account, &site), "1003", "vvx500");
    assert_eq!(refusal(&server.activate("0004f2000001", &server.code(&second))), "phone-has-device");

    let timeline = server.timeline("0004f2000002");
    assert!(timeline[0].contains("used by another phone") && timeline[0].contains("reference R-"), "{timeline:?}");
}

#[test]
fn an_expired_code_is_refused_as_expired() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let (account, site) = server.site();
    let device = server.device((&account, &site), "1001", "vvx500");
    seen(&server, &maker, "0004f2000001", AGENT_500);
    let code = server.code(&device);

    server.sql("UPDATE codes SET expires_ms = 1000");

    assert_eq!(refusal(&server.activate("0004f2000001", &code)), "code-expired");
}

#[test]
fn a_code_is_issued_only_for_a_user() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let (account, _) = server.site();
    let stock = server.done("POST", "/devices", Some(&json!({ "account": account, "model": "vvx450" })));

    let reply = server.api("POST", &format!("/devices/{}/codes", stock["id"].as_str().unwrap()), None);

    assert_eq!(refusal(&reply), "owner-not-saved");
}

#[test]
fn a_phone_named_beforehand_is_claimed_at_its_first_contact() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let (account, site) = server.site();
    let user =
        json!({ "site": site, "name": "Ada", "extension": "1001", "lines": [{ "user": "1001", "password": "x" }] });
    let user = server.done("POST", "/users", Some(&user));
    let device = json!({ "account": account, "model": "vvx500", "user": user["id"], "mac": "00:04:F2:00:00:01" });
    let device = server.done("POST", "/devices", Some(&device));
    assert_eq!(device["state"], "assigned");

    seen(&server, &maker, "0004f2000001", AGENT_500);

    let phone = server.done("GET", "/phones/0004f2000001", None);
    assert_eq!(phone["device"]["state"], "activated", "{phone}");
    assert!(server.timeline("0004f2000001").iter().any(|sentence| sentence.contains("claimed for extension 1001")));
}

#[test]
fn a_stock_device_with_a_mac_is_claimed_once_a_user_is_set() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let (account, site) = server.site();
    let device = json!({ "account": account, "model": "vvx500", "mac": "0004f2000001" });
    let device = server.done("POST", "/devices", Some(&device))["id"].as_str().unwrap().to_owned();
    seen(&server, &maker, "0004f2000001", AGENT_500);
    assert!(server.timeline("0004f2000001").iter().any(|sentence| sentence.contains("no user")));
    let user = server.done("POST", "/users", Some(&json!({ "site": site, "name": "Ada", "extension": "1001" })));
    let assign = json!({ "user": user["id"] });

    assert_eq!(server.done("POST", &format!("/devices/{device}/assign"), Some(&assign))["extension"], "1001");
    seen(&server, &maker, "0004f2000001", AGENT_500);

    assert_eq!(server.done("GET", "/phones/0004f2000001", None)["device"]["state"], "activated");
    assert_eq!(refusal(&server.api("POST", &format!("/devices/{device}/assign"), Some(&assign))), "device-has-phone");
}

#[test]
fn a_phone_named_beforehand_with_another_model_keeps_the_bootstrap_and_the_timeline_says_so() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let (account, site) = server.site();
    let user = server.done("POST", "/users", Some(&json!({ "site": site, "name": "Ada", "extension": "1001" })));
    let device = json!({ "account": account, "model": "vvx500", "user": user["id"], "mac": "0004f2000001" });
    server.done("POST", "/devices", Some(&device));

    assert_eq!(seen(&server, &maker, "0004f2000001", AGENT_450).status, 200);

    let settings = server.phone(Some(&maker.phone("0004f2000001")), "/0004f2000001-provost.cfg", AGENT_450).text();
    assert!(settings.contains("Activate"), "{settings}");
    let timeline = server.timeline("0004f2000001");
    assert!(
        timeline.iter().any(|sentence| sentence.contains("VVX 500") && sentence.contains("VVX 450")),
        "{timeline:?}"
    );
}

#[test]
fn a_phone_that_came_in_at_another_address_is_not_pinned() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let (account, site) = server.site();
    let device = server.device((&account, &site), "1001", "vvx500");
    seen(&server, &maker, "0004f2000001", AGENT_500);
    assert_eq!(server.activate("0004f2000001", &server.code(&device)).status, 200);
    let ask = |more: &[&str]| {
        let arguments = [AGENT_500, more].concat();
        server.phone(Some(&maker.phone("0004f2000001")), "/0004f2000001-provost.cfg", &arguments).text()
    };

    let first = ask(&["--header", "Host: old-provider.example"]);
    let second = ask(&[]);

    assert!(!first.contains("device.prov.serverName") && first.contains("device.auth.localAdminPassword"), "{first}");
    assert_eq!(first, second, "the decision is kept, or the value would flap");
    let timeline = server.timeline("0004f2000001");
    assert!(timeline.iter().any(|sentence| sentence.contains("old-provider.example")), "{timeline:?}");
}

#[test]
fn a_failing_database_means_come_back_later_and_never_the_bootstrap() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let (account, site) = server.site();
    let device = server.device((&account, &site), "1001", "vvx500");
    seen(&server, &maker, "0004f2000001", AGENT_500);
    assert_eq!(server.activate("0004f2000001", &server.code(&device)).status, 200);

    server.sql("ALTER TABLE bindings RENAME TO elsewhere");

    for path in ["/0004f2000001.cfg", "/0004f2000001-provost.cfg", "/0004f2000001-directory.xml", "/000000000000.cfg"] {
        let reply = server.phone(Some(&maker.phone("0004f2000001")), path, AGENT_500);
        assert_eq!((reply.status, reply.text().as_str()), (503, "come back later\n"), "{path}");
    }
    server.sql("ALTER TABLE elsewhere RENAME TO bindings");
    assert_eq!(seen(&server, &maker, "0004f2000001", AGENT_500).status, 200, "it comes back by itself");
}

#[test]
fn a_database_stolen_without_the_key_reveals_no_code_and_no_password() {
    let maker = Maker::new();
    let mut server = TestServer::start(&provost(), &maker);
    let (account, site) = server.site();
    let device = server.device((&account, &site), "1001", "vvx500");
    let code = server.code(&device);
    server.stop();

    let bytes = server.stolen_database();

    for secret in [code.as_str(), "secret-1001", server.token()] {
        assert!(
            !bytes.windows(secret.len()).any(|window| window == secret.as_bytes()),
            "a secret stands in the database"
        );
    }
    for secret in [code.as_str(), "secret-1001"] {
        assert!(!server.log().contains(secret), "a secret stands in the log");
    }
}

#[test]
fn a_user_with_more_lines_than_the_phone_holds_is_refused_and_not_cut() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let (account, site) = server.site();
    let lines: Vec<_> = (1..=12).map(|number| json!({ "user": format!("10{number:02}") })).collect();
    let user = json!({ "site": site, "name": "Ada", "extension": "1001", "lines": lines });
    let user = server.done("POST", "/users", Some(&user));

    let device = json!({ "account": account, "model": "spip550", "user": user["id"] });
    let reply = server.api("POST", "/devices", Some(&device));

    assert_eq!(reply.status, 422, "{}", reply.text());
    assert!(reply.text().contains("12 SIP lines"), "{}", reply.text());
}
