//! The virtual phone against the server: bootstrap, claim, one restart, and values that do not flap.

use crate::provost;
use provost_catalog::Catalog;
use provost_phone::{ChangedIn, DeviceCertificate, Flash, Hardware, Outcome, Pem, Phone, PhoneSetup};
use provost_testkit::{Maker, TestServer};
use serde_json::json;
use std::sync::Arc;
use std::time::SystemTime;

#[expect(clippy::disallowed_methods, reason = "a phone's clock in a test is this machine's")]
fn clock() -> SystemTime {
    SystemTime::now()
}

fn phone(server: &TestServer, maker: &Maker, (model, mac): (&str, &str)) -> Phone {
    let pair = maker.phone(mac);
    let setup = PhoneSetup {
        catalog: Arc::new(Catalog::built_in().unwrap()),
        model: model.to_owned(),
        mac: mac.parse().unwrap(),
        firmware: None,
        hardware: Hardware::default(),
        image_key: None,
        server_url: format!("https://{}", server.address("phones_https")),
        network: None,
        certificate: Some(DeviceCertificate { chain: Pem::File(pair.chain), key: Pem::File(pair.key) }),
        authorities: Some(Pem::File(server.root())),
        sntp: Some(server.address("sntp")),
        flash: Flash::in_memory(),
        clock,
    };
    Phone::new(setup).unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

fn comes_up(model: &str, mac: &str) {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let (account, site) = server.site();
    let device = server.device((&account, &site), "1001", model);
    let mut phone = phone(&server, &maker, (model, mac));
    let runtime = runtime();

    let boot = runtime.block_on(phone.boot(&mut |_| {})).unwrap();
    assert_eq!((boot.outcome, boot.restarts), (Outcome::Configured, 0), "the bootstrap restarts nothing");
    assert_eq!(phone.screen().line_keys[0].label, "Activate", "button 1 of page 1");
    assert!(phone.memory().device.is_empty(), "a stray phone keeps its device settings: {:?}", phone.memory().device);

    assert_eq!(server.activate(mac, &server.code(&device)).status, 200);
    let claimed = runtime.block_on(phone.poll(&mut |_| {})).unwrap();
    assert_eq!((claimed.outcome, claimed.restarts), (Outcome::Configured, 1), "exactly one restart");
    assert!(claimed.rejected.is_empty() && claimed.ignored.is_empty(), "{:?} {:?}", claimed.rejected, claimed.ignored);
    let values = phone.effective();
    assert_eq!(values["reg.1.address"], "1001");
    assert_eq!(values["reg.1.auth.password"], "secret-1001");
    assert_eq!(values["device.prov.serverName"], server.address("phones_https"));
    assert_eq!(values["device.dhcp.bootSrvUseOpt"], "Static");
    assert_eq!(values["device.prov.ztpEnabled"], "0");
    let (admin, user) = (&values["device.auth.localAdminPassword"], &values["device.auth.localUserPassword"]);
    assert!(admin.len() == 8 && admin.bytes().all(|b| b.is_ascii_digit()) && admin != user);

    for _ in 0..2 {
        let quiet = runtime.block_on(phone.poll(&mut |_| {})).unwrap();
        assert_eq!((quiet.restarts, quiet.changed), (0, false), "nothing changed, so nothing may change");
    }
    assert_eq!(phone.effective(), values);
    let again = runtime.block_on(phone.boot(&mut |_| {})).unwrap();
    assert_eq!((again.restarts, again.changed), (0, false), "a power cycle changes nothing either");
}

#[test]
fn a_vvx_450_comes_up_with_exactly_one_restart() {
    comes_up("vvx450", "64167f000450");
}

#[test]
fn a_vvx_500_comes_up_with_exactly_one_restart() {
    comes_up("vvx500", "0004f2000500");
}

#[test]
fn a_soundpoint_550_comes_up_with_exactly_one_restart() {
    comes_up("spip550", "0004f2000550");
}

#[test]
fn names_and_passwords_survive_the_way_into_the_phone_exactly() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let (account, site) = server.site();
    let name = "Zoë \"Z\" <O'Neill> & \u{202e}שלום\u{202c} 😀";
    let password = "p\"a&s<s>w'o r;d=\u{fc}\u{1f511} evil=\"1\"/><x";
    let user = json!({ "site": site, "name": name, "extension": "1001", "lines": [{ "user": "1001", "auth-user": "ü&\"1'", "password": password }] });
    let user = server.done("POST", "/users", Some(&user));
    let device =
        server.done("POST", "/devices", Some(&json!({ "account": account, "model": "vvx450", "user": user["id"] })));
    let mac = "64167f000001";
    let mut phone = phone(&server, &maker, ("vvx450", mac));
    let runtime = runtime();
    runtime.block_on(phone.boot(&mut |_| {})).unwrap();
    assert_eq!(server.activate(mac, &server.code(device["id"].as_str().unwrap())).status, 200);

    let report = runtime.block_on(phone.poll(&mut |_| {})).unwrap();

    assert!(report.rejected.is_empty(), "{:?}", report.rejected);
    let values = phone.effective();
    assert_eq!(values["reg.1.displayName"], name);
    assert_eq!(values["reg.1.auth.password"], password);
    assert_eq!(values["reg.1.auth.userId"], "ü&\"1'");
    assert!(!values.contains_key("evil"));
}

#[test]
fn what_a_parameter_cannot_hold_is_refused_on_entry_and_named() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let (account, site) = server.site();
    let long = "x".repeat(300);
    let line = |field: &str, value: &str| {
        let mut line = json!({ "user": "1001", "password": "good" });
        line[field] = json!(value);
        json!({ "site": site, "name": "Ada", "extension": "1001", "lines": [line] })
    };

    for (body, field) in [
        (line("password", "two\nlines"), "lines[0].password"),
        (line("password", "bell\u{7}"), "lines[0].password"),
        (line("password", &long), "lines[0].password"),
        (line("password", ""), "lines[0].password"),
        (line("auth-user", "tab\tbed"), "lines[0].auth-user"),
        (line("user", "two words"), "lines[0].user"),
        (json!({ "site": site, "name": "new\nline", "extension": "1001" }), "name"),
        (json!({ "site": site, "name": "Ada", "extension": "10 01" }), "extension"),
        (json!({ "site": site, "name": "", "extension": "" }), "extension"),
        (json!({ "site": site, "name": "Ada", "extension": "1001", "email": "nobody" }), "email"),
    ] {
        let reply = server.api("POST", "/users", Some(&body));
        assert_eq!(reply.status, 422, "{body}: {}", reply.text());
        let fields: Vec<_> = reply.json()["fields"].as_array().unwrap().iter().map(|f| f["field"].clone()).collect();
        assert!(fields.contains(&json!(field)), "{field} not in {fields:?}");
        assert!(!reply.text().contains("two\\nlines") && !reply.text().contains(&long), "the password is not repeated");
    }
    let site = json!({ "account": account, "name": "X", "time-zone": "Mars/Olympus", "country": "ZZ", "vlan": 5000,
                       "sip-servers": [{ "host": "a b", "transport": "pigeon" }] });
    let reply = server.api("POST", "/sites", Some(&site));
    assert_eq!(reply.json()["fields"].as_array().unwrap().len(), 5, "every field at once: {}", reply.text());
    assert_eq!(server.sql("SELECT COUNT(*) FROM persons"), "0");
}

#[test]
fn settings_changed_on_the_phone_are_kept_and_come_back() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let (account, site) = server.site();
    let device = server.device((&account, &site), "1001", "vvx500");
    let mac = "0004f2000500";
    let mut phone = phone(&server, &maker, ("vvx500", mac));
    let runtime = runtime();
    runtime.block_on(phone.boot(&mut |_| {})).unwrap();
    assert_eq!(server.activate(mac, &server.code(&device)).status, 200);
    runtime.block_on(phone.poll(&mut |_| {})).unwrap();

    runtime.block_on(phone.change_setting(ChangedIn::Menu, ("up.backlight.onIntensity", "2"))).unwrap();

    let kept = server.phone(
        Some(&maker.phone(mac)),
        &format!("/{mac}-phone.cfg"),
        &["--user-agent", "FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Application"],
    );
    assert!(kept.text().contains("up.backlight.onIntensity=\"2\""), "{}", kept.text());
    runtime.block_on(phone.boot(&mut |_| {})).unwrap();
    assert_eq!(phone.effective()["up.backlight.onIntensity"], "2");
}

#[test]
fn a_phone_whose_server_fails_keeps_its_configuration() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let (account, site) = server.site();
    let device = server.device((&account, &site), "1001", "vvx500");
    let mac = "0004f2000500";
    let mut phone = phone(&server, &maker, ("vvx500", mac));
    let runtime = runtime();
    runtime.block_on(phone.boot(&mut |_| {})).unwrap();
    assert_eq!(server.activate(mac, &server.code(&device)).status, 200);
    runtime.block_on(phone.poll(&mut |_| {})).unwrap();
    let values = phone.effective();
    // Any change ends the answers that were just made; else the failure is noticed within a second.
    server.done("POST", "/users", Some(&json!({ "site": site, "name": "Bob", "extension": "1002" })));

    server.sql("ALTER TABLE bindings RENAME TO elsewhere");
    let report = runtime.block_on(phone.boot(&mut |_| {})).unwrap();

    assert!(matches!(report.outcome, Outcome::KeptCached(_)), "{:?}", report.outcome);
    assert_eq!(phone.effective(), values);
}

#[test]
fn a_site_without_sip_server_gives_a_configuration_without_line_and_says_so() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let account = server.done("POST", "/accounts", Some(&json!({ "name": "Example" })));
    let site = json!({ "account": account["id"], "name": "Bare", "time-zone": "Asia/Kolkata" });
    let site = server.done("POST", "/sites", Some(&site));
    let ids = (account["id"].as_str().unwrap(), site["id"].as_str().unwrap());
    let device = server.device(ids, "1001", "spip550");
    let mac = "0004f2000550";
    let mut phone = phone(&server, &maker, ("spip550", mac));
    let runtime = runtime();
    runtime.block_on(phone.boot(&mut |_| {})).unwrap();
    assert_eq!(server.activate(mac, &server.code(&device)).status, 200);

    runtime.block_on(phone.poll(&mut |_| {})).unwrap();

    assert!(!phone.effective().contains_key("reg.1.address"), "no line");
    assert_eq!(phone.effective()["tcpIpApp.sntp.gmtOffset"], "19800");
    let page = server.done("GET", &format!("/phones/{mac}/timeline"), None);
    let said = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .any(|item| item["advice"].as_str().is_some_and(|a| a.contains("no SIP server")));
    assert!(said, "{page}");
}

#[test]
fn effective_values_know_their_layer_and_hide_secrets() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let (account, site) = server.site();
    let device = server.device((&account, &site), "1001", "vvx450");
    let mac = "64167f000450";
    let mut phone = phone(&server, &maker, ("vvx450", mac));
    runtime().block_on(phone.boot(&mut |_| {})).unwrap();
    assert_eq!(server.activate(mac, &server.code(&device)).status, 200);

    let values = server.done("GET", &format!("/phones/{mac}/configuration"), None);

    let of = |parameter: &str| {
        let item = values["items"].as_array().unwrap().iter().find(|item| item["parameter"] == parameter).unwrap();
        (item["layer"].as_str().unwrap().to_owned(), item["value"].as_str().unwrap().to_owned())
    };
    assert_eq!(of("reg.1.address"), ("device".to_owned(), "1001".to_owned()));
    assert_eq!(of("reg.1.server.1.address").0, "site");
    assert_eq!(of("tcpIpApp.sntp.gmtOffset"), ("site".to_owned(), "3600".to_owned()));
    assert_eq!(of("tcpIpApp.sntp.address").0, "platform");
    assert_eq!(of("reg.1.auth.password").1, "(hidden)");
    assert_eq!(of("device.auth.localAdminPassword").1, "(hidden)");
}
