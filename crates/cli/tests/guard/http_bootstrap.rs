//! Plain HTTP serves nothing, until an administrator opens a bootstrap that holds nothing secret.

use crate::{MAC, OTHER, audit, command, faults, items, named_device, provost, refusal, without_date};
use provost_catalog::Catalog;
use provost_phone::{DeviceCertificate, Flash, Hardware, Outcome, Pem, Phone, PhoneSetup};
use provost_testkit::{Maker, Reply, ServerSetup, TestServer};
use serde_json::json;
use std::sync::Arc;
use std::time::SystemTime;

const RANGE: &str = "127.0.0.0/24";

fn plain(server: &TestServer, path: &str, arguments: &[&str]) -> Reply {
    let url = format!("http://{}{path}", server.address("phones_http"));
    Reply::of(&[arguments, &[&url]].concat())
}

fn open(server: &TestServer, range: &str) -> String {
    let opened = command(server, &["http-bootstrap", "open", range, "--minutes", "60", "--reason", "new floor"]);
    opened["id"].as_str().unwrap().to_owned()
}

#[test]
fn every_mac_gets_the_same_secret_free_files_while_it_is_open_and_nobody_before_and_after() {
    let maker = Maker::new();
    let mut server = TestServer::start(&provost(), &maker);
    named_device(&server, MAC);
    let files = [format!("/{MAC}.cfg"), format!("/{}.cfg", OTHER.to_uppercase()), "/provost-bootstrap.cfg".to_owned()];
    let shut = |server: &TestServer| {
        for path in &files {
            assert_eq!(without_date(&plain(server, path, &[])), refusal(server), "{path}");
        }
    };
    shut(&server);

    let id = open(&server, RANGE);
    let [known, unknown, settings] = [0, 1, 2].map(|n| plain(&server, &files[n], &[]));
    assert_eq!((known.status, &known.body), (200, &unknown.body), "known or not, the same bytes");
    assert!(known.text().contains("provost-bootstrap.cfg") && !known.text().to_lowercase().contains(MAC), "{known:?}");
    let root = std::fs::read_to_string(server.root()).unwrap();
    let text = settings.text();
    assert!(text.contains(&root.trim_end().replace('\n', "&#10;")), "{text}");
    assert!(text.contains(&format!("device.prov.serverName=\"{}\"", server.address("phones_https"))), "{text}");
    for part in ["device.prov.serverType=\"HTTPS\"", "device.set=\"1\"", "device.sec.TLS.customCaCert1.set=\"1\""] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    for secret in ["secret-1001", "1001", "assword", "Ada", "reg.", MAC] {
        assert!(!text.contains(secret), "{secret} stands in {text}");
    }
    assert_eq!(plain(&server, &files[0], &["--head"]).status, 200);

    server.kill();
    server.power_on();
    // The ports are others now, so the settings name another server.
    assert_eq!(plain(&server, &files[0], &[]).body, known.body, "a restart closes nothing");
    assert_eq!(plain(&server, &files[2], &[]).status, 200);
    command(&server, &["http-bootstrap", "close", &id]);
    shut(&server);
    let log = audit(&server);
    assert!(log[0]["what"].as_str().unwrap().starts_with("closed the plain-HTTP bootstrap"), "{log:?}");
    assert_eq!((&log[1]["why"], &log[1]["who"]), (&json!("new floor"), &json!("control socket")));
}

#[test]
fn all_else_over_plain_http_stays_the_one_refusal_and_so_does_all_outside_the_range() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    open(&server, RANGE);
    open(&server, "10.1.0.0/16");
    let own = format!("/{MAC}.cfg");

    for path in ["/", "/000000000000-license.cfg", "/3111-44500-001.sip.ld", "/x", "/provost-bootstrap.cfg/.."] {
        assert_eq!(without_date(&plain(&server, path, &[])), refusal(&server), "{path}");
    }
    for suffix in ["-provost.cfg", "-phone.cfg", "-directory.xml", "-app.log"] {
        assert_eq!(without_date(&plain(&server, &format!("/{MAC}{suffix}"), &[])), refusal(&server), "{suffix}");
    }
    let put = ["--request", "PUT", "--data", "x"];
    assert_eq!(without_date(&plain(&server, &own, &put)), refusal(&server), "GET and HEAD only");
    assert_eq!(without_date(&plain(&server, &own, &["--interface", "127.0.1.1"])), refusal(&server), "out of range");
    let over_tls = server.phone(None, "/provost-bootstrap.cfg", &[]);
    assert_eq!(without_date(&over_tls), refusal(&server), "it is for plain HTTP");
    for table in ["phones", "events", "uploads", "bindings"] {
        assert_eq!(server.sql(&format!("SELECT COUNT(*) FROM {table}")), "0", "a row in {table}");
    }
}

#[test]
fn whoever_read_it_stands_on_the_timeline_of_the_mac_in_memory_only() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    open(&server, RANGE);

    plain(&server, &format!("/{MAC}.cfg"), &[]);

    let told = server.timeline(MAC);
    assert!(told[0].contains("127.0.0.1 read") && told[0].contains("over plain HTTP"), "{told:?}");
    let phone = server.done("GET", &format!("/phones/{MAC}"), None);
    assert!(phone["last-refused"].is_null(), "it was not refused: {phone}");
    assert_eq!(server.sql("SELECT COUNT(*) FROM events"), "0");
}

#[test]
fn what_may_not_be_opened_is_refused_and_named() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let post = |range: &str, minutes: u32, reason: &str| {
        let body = json!({ "range": range, "minutes": minutes, "reason": reason });
        server.api("POST", "/http-bootstrap", Some(&body))
    };

    assert_eq!(faults(&post("0.0.0.0/0", 1441, "")), ["range", "minutes", "reason"]);
    assert_eq!(faults(&post("10.1.2.3/16", 0, "x")), ["range", "minutes"]);
    assert_eq!(server.api("DELETE", "/http-bootstrap/nothing", None).status, 404);
    assert!(items(&command(&server, &["http-bootstrap", "list"])).is_empty());
}

#[test]
fn opening_says_what_to_key_into_phones_and_is_refused_while_nothing_answers_plain_http() {
    let maker = Maker::new();
    let top = |text: &str| ServerSetup { top: text.to_owned(), sections: String::new() };
    let named = "public-url = \"https://phones.example.com\"\npublic-http-url = \"http://plain.example.com:8080\"";
    let open = ["http-bootstrap", "open", RANGE, "--minutes", "60", "--reason", "new floor"];

    let server = TestServer::start(&provost(), &maker);
    assert_eq!(command(&server, &open)["url"], format!("http://{}", server.address("phones_http")), "where it listens");
    let mut server = TestServer::start_with(&provost(), &maker, &top(named));
    assert_eq!(command(&server, &open)["url"], "http://plain.example.com:8080", "as it is configured");
    assert!(server.cli(&["http-bootstrap", "list"]).out.contains("http://plain.example.com:8080"));
    server.stop();
    let text = std::fs::read_to_string(server.configuration()).unwrap();
    let without = text.replace("phones-http = \"127.0.0.1:0\"", "phones-http = \"off\"");
    std::fs::write(server.configuration(), without).unwrap();
    server.power_on();

    let body = json!({ "range": RANGE, "minutes": 60, "reason": "new floor" });
    let refused = server.api("POST", "/http-bootstrap", Some(&body));
    assert_eq!((refused.status, &refused.json()["code"]), (409, &json!("plain-http-off")), "{}", refused.text());
    assert!(refused.text().contains("listen.phones-http"), "{}", refused.text());
    assert!(server.cli(&["check"]).out.contains("public-http-url is set, but listen.phones-http is \"off\""));
}

#[test]
fn a_server_with_a_certificate_of_the_operators_own_hands_out_no_authority() {
    let maker = Maker::new();
    let pair = maker.signed("127.0.0.1");
    let sections = format!("[tls]\ncertificate = {:?}\nkey = {:?}\n", pair.chain, pair.key);
    let setup = ServerSetup { top: String::new(), sections };
    let server = TestServer::start_with(&provost(), &maker, &setup);
    open(&server, RANGE);

    let text = plain(&server, "/provost-bootstrap.cfg", &[]).text();

    assert!(text.contains("device.prov.serverName") && !text.contains("sec.TLS"), "{text}");
}

#[expect(clippy::disallowed_methods, reason = "a phone's clock in a test is this machine's")]
fn clock() -> SystemTime {
    SystemTime::now()
}

#[test]
fn a_phone_walks_from_plain_http_over_its_restart_to_its_bootstrap_over_tls() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    open(&server, RANGE);
    let pair = maker.phone(MAC);
    let setup = PhoneSetup {
        catalog: Arc::new(Catalog::built_in().unwrap()),
        model: "vvx500".to_owned(),
        mac: MAC.parse().unwrap(),
        firmware: None,
        hardware: Hardware::default(),
        image_key: None,
        server_url: format!("http://{}", server.address("phones_http")),
        network: None,
        certificate: Some(DeviceCertificate { chain: Pem::File(pair.chain.clone()), key: Pem::File(pair.key.clone()) }),
        // It knows nobody who could have signed the server's certificate.
        authorities: Some(Pem::File(maker.bundle())),
        sntp: Some(server.address("sntp")),
        flash: Flash::in_memory(),
        clock,
    };
    let mut phone = Phone::new(setup).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();

    let boot = runtime.block_on(phone.boot(&mut |_| {})).unwrap();

    assert_eq!((boot.outcome, boot.restarts), (Outcome::Configured, 1), "it loads the authority and starts again");
    assert_eq!(phone.boot_server().unwrap(), format!("https://{}/", server.address("phones_https")));
    assert!(phone.memory().device["device.sec.TLS.customCaCert1"].contains("BEGIN CERTIFICATE"));
    assert_eq!(phone.screen().line_keys[0].label, "Activate");
    let told = server.timeline(MAC);
    assert!(told.iter().any(|sentence| sentence.contains("Read its bootstrap")), "{told:?}");
    assert_eq!(server.done("GET", &format!("/phones/{MAC}"), None)["certificate"]["status"], "Factory Installed");
}
