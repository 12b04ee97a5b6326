//! Who does not prove to be a phone gets one and the same nothing, and leaves no row.

use crate::provost;
use provost_testkit::{Maker, PhoneKey, Reply, TestServer};
use serde_json::json;

const MAC: &str = "0004f2000004";
const OTHER: &str = "0004f2000005";
const AGENT: &[&str] = &["--user-agent", "FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Application"];

fn without_date(reply: &Reply) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let headers = reply.headers.iter().filter(|(name, _)| name != "date").cloned().collect();
    (reply.status, headers, reply.body.clone())
}

#[test]
fn strangers_get_404_their_reason_is_shown_and_no_row_is_made() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let cases: [(Option<PhoneKey>, &str, &str); 4] = [
        (None, "None presented", "presented no certificate"),
        (Some(maker.self_signed(MAC)), "Self-signed", ""),
        (Some(maker.signed("phone.example")), "Invalid", "phone.example"),
        (Some(maker.look_alike(MAC)), "Invalid", "Test Maker Equipment Issuing CA 1"),
    ];

    for (pair, status, reason) in &cases {
        let reply = server.phone(pair.as_ref(), &format!("/{MAC}.cfg"), AGENT);
        assert_eq!(reply.status, 404, "{status}");
        let phone = server.done("GET", &format!("/phones/{MAC}"), None);
        assert_eq!(phone["certificate"]["status"], json!(status), "{phone}");
        assert!(phone["certificate"]["reason"].as_str().unwrap().contains(reason), "{phone}");
        assert!(server.timeline(MAC)[0].contains(status), "{:?}", server.timeline(MAC));
    }

    let listed = server.done("GET", "/strangers", None);
    assert_eq!(listed["items"].as_array().unwrap().len(), cases.len(), "{listed}");
    for table in ["phones", "events", "uploads", "bindings"] {
        assert_eq!(server.sql(&format!("SELECT COUNT(*) FROM {table}")), "0", "a stranger made a row in {table}");
    }
}

#[test]
fn plain_http_serves_nothing_and_says_why() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);

    let reply = Reply::of(&[&format!("http://{}/{MAC}.cfg", server.address("phones_http"))]);

    assert_eq!(reply.status, 404);
    assert!(server.timeline(MAC)[0].contains("plain HTTP"), "{:?}", server.timeline(MAC));
}

#[test]
fn another_phones_file_is_refused_and_stands_on_the_asking_phones_own_timeline() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let pair = maker.phone(MAC);

    for path in [format!("/{OTHER}.cfg"), format!("/{OTHER}-provost.cfg"), format!("/{}-app.log", OTHER.to_uppercase())]
    {
        assert_eq!(server.phone(Some(&pair), &path, AGENT).status, 404, "{path}");
    }
    let put = server.phone(
        Some(&pair),
        &format!("/{OTHER}-web.cfg"),
        &[AGENT, &["--request", "PUT", "--data", "x"]].concat(),
    );
    assert_eq!(put.status, 404);

    let timeline = server.timeline(MAC);
    assert_eq!(timeline.len(), 4, "each attempt is told: {timeline:?}");
    assert!(timeline.iter().all(|sentence| sentence.contains(&format!("belongs to phone {OTHER}"))), "{timeline:?}");
    assert_eq!(server.sql("SELECT COUNT(*) FROM uploads"), "0");
    assert_eq!(server.api("GET", &format!("/phones/{OTHER}"), None).status, 404);
}

#[test]
fn every_refusal_is_the_same_bytes() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let pair = maker.phone(MAC);
    let (account, site) = server.site();
    let device = server.device((&account, &site), "1001", "vvx500");
    assert_eq!(server.phone(Some(&pair), &format!("/{MAC}.cfg"), AGENT).status, 200);
    assert_eq!(server.activate(MAC, &server.code(&device)).status, 200);
    let ask = |pair: Option<&PhoneKey>, path: &str| without_date(&server.phone(pair, path, AGENT));

    let no_certificate = ask(None, &format!("/{MAC}.cfg"));
    let mut refusals = vec![
        ask(None, "/"),
        ask(None, &format!("/{OTHER}.cfg")),
        ask(Some(&maker.self_signed(MAC)), &format!("/{MAC}.cfg")),
        ask(Some(&pair), &format!("/{OTHER}.cfg")),
        ask(Some(&pair), "/no-such-file"),
        ask(Some(&pair), &format!("/{MAC}-license.cfg")),
    ];
    server.done("POST", &format!("/devices/{device}/disable"), None);
    refusals.push(ask(Some(&pair), &format!("/{MAC}.cfg")));
    server.done("POST", &format!("/devices/{device}/quarantine"), None);
    refusals.push(ask(Some(&pair), "/000000000000.cfg"));

    for refusal in refusals {
        assert_eq!(refusal, no_certificate);
    }
    server.done("POST", &format!("/devices/{device}/enable"), None);
    assert_eq!(server.phone(Some(&pair), &format!("/{MAC}.cfg"), AGENT).status, 200, "enabled again");
    assert!(server.timeline(MAC).iter().any(|sentence| sentence.contains("disabled or quarantined")));
}

#[test]
fn the_api_lets_nobody_in_without_the_token() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let url = |path: &str| format!("{}/api/v1{path}", server.address("console"));

    for path in
        ["/accounts", "/devices", "/phones", "/phones/0004f2000004/timeline", "/strangers", "/models", "/nothing"]
    {
        assert_eq!(Reply::of(&[&url(path)]).status, 401, "{path}");
        assert_eq!(Reply::of(&["--header", "Authorization: Bearer pvt_0000", &url(path)]).status, 401, "{path}");
    }
    assert_eq!(Reply::of(&["--request", "POST", "--data", "{\"role\":\"owner\"}", &url("/tokens")]).status, 401);
}

#[test]
fn a_phone_that_does_not_trust_our_certificate_is_seen_with_what_to_do() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    assert_eq!(server.phone(Some(&maker.phone(MAC)), &format!("/{MAC}.cfg"), AGENT).status, 200);

    // Without --cacert curl trusts public authorities only, as a phone would.
    let distrust = Reply::of(&[&format!("https://{}/{MAC}.cfg", server.address("phones_https"))]);
    assert_eq!(distrust.status, 0);

    // The server reads the alert when curl has gone already: ask until it has.
    let mut answers = (0..500).map(|_| server.done("GET", "/failed-handshakes", None).to_string());
    let seen = answers.find(|answer| answer.contains("platform CA 1")).unwrap_or_default();
    assert!(seen.contains("platform CA 1"), "what to do is said: {seen}");
    assert!(
        server.timeline(MAC).iter().any(|sentence| sentence.contains("could not complete TLS")),
        "{:?}",
        server.timeline(MAC)
    );
}
