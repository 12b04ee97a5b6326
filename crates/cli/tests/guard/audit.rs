//! What administrators do is written with the change, and never a secret.

use crate::{MAC, audit, command, items, named_device, provost};
use provost_testkit::{Maker, Reply, TestServer};
use serde_json::json;

#[test]
fn who_did_what_from_where_and_never_the_code_or_the_token() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let device = named_device(&server, MAC);
    server.done("POST", &format!("/devices/{device}/disable"), None);
    command(&server, &["device", "enable", &device]);
    let code = server.code(&device);
    let token = server.done("POST", "/tokens", Some(&json!({ "role": "owner" })));

    let log = audit(&server);

    let told: Vec<_> = log
        .iter()
        .map(|entry| {
            let field = |name: &str| entry[name].as_str().unwrap();
            // Ids differ each time.
            let who = if field("who").starts_with("token \"token_") { "token" } else { field("who") };
            let cut = |what: &'_ str, at: &str| what.split_once(at).map_or(what.len(), |(before, _)| before.len());
            let what = field("what");
            let what = &what[..cut(what, " token_").min(cut(what, " administrator_"))];
            (who, field("from-where"), what)
        })
        .collect();
    let (issued, disabled) = (format!("issued an activation code for {device}"), format!("disabled {device}"));
    let enabled = format!("enabled {device}");
    let wanted = [
        ("token", "127.0.0.1", "made the token"),
        ("token", "127.0.0.1", issued.as_str()),
        ("control socket", "this machine", enabled.as_str()),
        ("token", "127.0.0.1", disabled.as_str()),
    ];
    assert_eq!(told[..4], wanted);
    assert!(told[4].2.starts_with(&format!("added the device {device}")), "{told:?}");
    let first = [
        ("control socket", "this machine", "made the token"),
        ("first start", "this machine", "added the administrator owner"),
        ("first start", "this machine", "made the token"),
    ];
    assert_eq!(told[told.len() - 3..], first);
    let text = json!(log).to_string();
    assert!(!text.contains(&code) && !text.contains(token["token"].as_str().unwrap()), "{text}");
}

#[test]
fn what_was_refused_is_not_written_and_pages_follow_each_other() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let before = audit(&server).len();
    assert_eq!(server.api("POST", "/devices/device_01jd0ck3v80000000000000000/disable", None).status, 404);
    assert_eq!(audit(&server).len(), before);
    for _ in 0..3 {
        server.done("POST", "/tokens", Some(&json!({ "role": "owner" })));
    }

    let (mut after, mut paged) = (String::new(), Vec::new());
    loop {
        let page = server.done("GET", &format!("/audit?limit=2&after={after}"), None);
        paged.extend(items(&page));
        let Some(next) = page["next"].as_str() else { break };
        next.clone_into(&mut after);
    }

    assert_eq!(paged, audit(&server), "newest first, each once");
    assert_eq!(command(&server, &["audit"])["items"], json!(paged));
}

#[test]
fn nobody_reads_or_changes_any_of_it_without_the_token() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let url = |path: &str| format!("{}/api/v1{path}", server.address("console"));

    for path in ["/audit", "/alarms", "/blocked-certificates", "/http-bootstrap", "/exceptions", "/failed-handshakes"] {
        for method in ["GET", "POST", "DELETE"] {
            assert_eq!(Reply::of(&["--request", method, &url(path)]).status, 401, "{method} {path}");
        }
    }
    assert_eq!(server.api("DELETE", "/audit", None).status, 405, "the log is only ever added to");
    assert_eq!(server.api("POST", "/audit", Some(&json!({}))).status, 405);
}

#[test]
fn a_phones_passwords_are_shown_for_a_reason_only_and_differ_from_phone_to_phone() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let (account, site) = server.site();
    let agent = ["--user-agent", "FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Application"];
    let mut revealed = Vec::new();
    for (mac, extension) in [("0004f2000001", "1001"), ("0004f2000002", "1002")] {
        let device = server.device((&account, &site), extension, "vvx500");
        server.phone(Some(&maker.phone(mac)), &format!("/{mac}.cfg"), &agent);
        assert_eq!(server.activate(mac, &server.code(&device)).status, 200);
        let settings = server.phone(Some(&maker.phone(mac)), &format!("/{mac}-provost.cfg"), &agent).text();
        for reason in ["", "two\nlines"] {
            let refused = server.api("POST", &format!("/phones/{mac}/passwords"), Some(&json!({ "reason": reason })));
            assert_eq!(refused.status, 422, "{reason:?}");
        }

        let reason = json!({ "reason": "reset at the desk" });
        let shown = server.done("POST", &format!("/phones/{mac}/passwords"), Some(&reason));

        for word in ["admin-password", "user-password"] {
            let password = shown[word].as_str().unwrap().to_owned();
            assert!(settings.contains(&format!("=\"{password}\"")), "{word} is the one the phone got");
            revealed.push(password);
        }
    }
    let different: std::collections::BTreeSet<_> = revealed.iter().collect();
    assert_eq!(different.len(), 4, "no password is shared");
    let audit = server.done("GET", "/audit", None).to_string();
    assert!(
        audit.contains("read the passwords of phone 0004f2000001") && audit.contains("reset at the desk"),
        "{audit}"
    );
    assert!(!revealed.iter().any(|password| audit.contains(password.as_str())), "the log holds none");
}
