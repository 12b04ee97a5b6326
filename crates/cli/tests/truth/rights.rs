//! Every endpoint with tokens of every role: what another account has is neither seen nor counted, and within the own
//! account each role may what the table says.

use crate::provost;
use provost_core::rights::{Right, Role};
use provost_testkit::{Maker, Reply, TestServer};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const AGENT: &[&str] = &["--user-agent", "FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Application"];
const PHONE: &str = "0004f2000001";
const NEVER: &str = "0004f20000ff";

/// What an endpoint does for somebody of an account.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// A list: others' entries change nothing in it.
    List,
    /// One entry: another's is as one that never was.
    One,
    /// Of the whole server: forbidden to whoever has an account.
    Server,
    /// The same for everybody.
    Free,
}

/// Method, address, body, what it is, and the right it takes. Names in braces are filled in.
type Row = (&'static str, &'static str, &'static str, Kind, Right);

const KEEPALIVE: &str = r#"{"settings":{"nat.keepalive":15}}"#;
const WHY: &str = r#"{"reason":"test"}"#;

/// It may not lead to this machine, and so is answered at once.
const CONNECTOR: &str = r#"{"kind":"kamailio","host":"127.0.0.1","port":9,"on":false}"#;

const ADMINISTRATOR: &str =
    r#"{"email":"x{extension}@example.com","name":"x","role":"read-only","account":"{account}"}"#;
const TEMPLATE: &str = r#"{"subject":"x","text":"x","html":"x"}"#;

const POLICY: &str = r#"{"account":"{account}","target":"keep","reason":"test"}"#;
const VERSION: &str = r#"{"version":"5.9.8.1","reason":"test"}"#;
const DOOR: &str = r#"{"mac":"0004f2000099","model":"spip550","hours":1,"reason":"test"}"#;

const ROWS: &[Row] = &[
    ("GET", "/models", "", Kind::Free, Right::Read),
    ("GET", "/accounts", "", Kind::List, Right::Read),
    ("POST", "/accounts", r#"{"name":"x","parent":"{account}"}"#, Kind::One, Right::Change),
    ("GET", "/accounts/{account}", "", Kind::One, Right::Read),
    ("PATCH", "/accounts/{account}", r#"{"name":"x"}"#, Kind::One, Right::Change),
    ("GET", "/accounts/{account}/connectors", "", Kind::One, Right::Read),
    ("POST", "/accounts/{account}/connectors", CONNECTOR, Kind::One, Right::Change),
    ("GET", "/accounts/{account}/connectors/{connector}", "", Kind::One, Right::Read),
    ("PATCH", "/accounts/{account}/connectors/{connector}", r#"{"name":"x"}"#, Kind::One, Right::Change),
    ("DELETE", "/accounts/{account}/connectors/{connector}", "", Kind::One, Right::Change),
    ("POST", "/accounts/{account}/connectors/{connector}/test", "", Kind::One, Right::Change),
    ("POST", "/devices/{device}/check-sync", "{}", Kind::One, Right::Change),
    ("GET", "/tokens", "", Kind::List, Right::Tokens),
    ("POST", "/tokens", r#"{"role":"read-only","account":"{account}"}"#, Kind::One, Right::Tokens),
    ("DELETE", "/tokens/{token}", "", Kind::One, Right::Tokens),
    ("GET", "/administrators", "", Kind::List, Right::Tokens),
    ("POST", "/administrators", ADMINISTRATOR, Kind::One, Right::Tokens),
    ("GET", "/administrators/{administrator}", "", Kind::One, Right::Tokens),
    ("PATCH", "/administrators/{administrator}", r#"{"name":"x"}"#, Kind::One, Right::Tokens),
    ("DELETE", "/administrators/{administrator}", "", Kind::One, Right::Tokens),
    ("POST", "/administrators/{administrator}/reset-password", "{}", Kind::One, Right::Tokens),
    ("DELETE", "/administrators/{administrator}/sessions", "", Kind::One, Right::Tokens),
    ("GET", "/sites", "", Kind::List, Right::Read),
    ("POST", "/sites", r#"{"account":"{account}","name":"x","time-zone":"Europe/Vienna"}"#, Kind::One, Right::Change),
    ("GET", "/sites/{site}", "", Kind::One, Right::Read),
    ("PATCH", "/sites/{site}", r#"{"name":"x"}"#, Kind::One, Right::Change),
    ("DELETE", "/sites/{empty-site}", "", Kind::One, Right::Change),
    (
        "PUT",
        "/sites/{site}/emergency-route",
        r#"{"networks":["10.9.0.0/16"],"to":"pbx.example.com"}"#,
        Kind::One,
        Right::Change,
    ),
    ("DELETE", "/sites/{site}/emergency-route", "", Kind::One, Right::Change),
    ("GET", "/users", "", Kind::List, Right::Read),
    (
        "POST",
        "/users",
        r#"{"site":"{site}","name":"x","extension":"{extension}","lines":[]}"#,
        Kind::One,
        Right::Change,
    ),
    ("GET", "/users/{user}", "", Kind::One, Right::Read),
    ("PATCH", "/users/{user}", r#"{"name":"x"}"#, Kind::One, Right::Change),
    ("DELETE", "/users/{free-user}", "", Kind::One, Right::Change),
    ("POST", "/users/{user}/welcome-mail", "", Kind::One, Right::Secrets),
    ("POST", "/mail/welcome", r#"{"account":"{account}"}"#, Kind::One, Right::Secrets),
    ("GET", "/mail", "", Kind::List, Right::Read),
    ("GET", "/mail/{mail}", "", Kind::One, Right::Read),
    ("POST", "/mail/{mail}/again", "", Kind::One, Right::Secrets),
    ("GET", "/mail/templates", "", Kind::Server, Right::Read),
    ("GET", "/mail/templates/{kind}/{language}", "", Kind::Server, Right::Read),
    ("PUT", "/mail/templates/{kind}/{language}", TEMPLATE, Kind::Server, Right::Platform),
    ("DELETE", "/mail/templates/{kind}/{language}", "", Kind::Server, Right::Platform),
    ("POST", "/mail/templates/{kind}/preview", "", Kind::Server, Right::Read),
    ("GET", "/accounts/{account}/mail-templates", "", Kind::One, Right::Read),
    ("GET", "/accounts/{account}/mail-templates/{kind}/{language}", "", Kind::One, Right::Read),
    ("PUT", "/accounts/{account}/mail-templates/{kind}/{language}", TEMPLATE, Kind::One, Right::Change),
    ("DELETE", "/accounts/{account}/mail-templates/{kind}/{language}", "", Kind::One, Right::Change),
    ("POST", "/accounts/{account}/mail-templates/{kind}/preview", "", Kind::One, Right::Read),
    ("GET", "/alarm-mail", "", Kind::Server, Right::Read),
    ("PUT", "/alarm-mail", r#"{"addresses":[]}"#, Kind::Server, Right::Platform),
    ("GET", "/accounts/{account}/alarm-mail", "", Kind::One, Right::Read),
    ("PUT", "/accounts/{account}/alarm-mail", r#"{"addresses":[]}"#, Kind::One, Right::Change),
    ("GET", "/devices", "", Kind::List, Right::Read),
    ("POST", "/devices", r#"{"account":"{account}","model":"vvx500"}"#, Kind::One, Right::Change),
    ("GET", "/devices/{device}", "", Kind::One, Right::Read),
    ("DELETE", "/devices/{device}", WHY, Kind::One, Right::Change),
    ("GET", "/devices/released", "", Kind::List, Right::Read),
    ("POST", "/devices/{device}/codes", "", Kind::One, Right::Secrets),
    ("POST", "/devices/{device}/assign", r#"{"user":"{user}"}"#, Kind::One, Right::Change),
    ("POST", "/devices/{device}/move", r#"{"user":"{user}"}"#, Kind::One, Right::Change),
    ("POST", "/devices/{device}/unassign", WHY, Kind::One, Right::Change),
    ("POST", "/devices/{device}/swap", WHY, Kind::One, Right::Activate),
    ("POST", "/devices/{device}/release", WHY, Kind::One, Right::Change),
    ("POST", "/devices/{device}/restore", "{}", Kind::One, Right::Change),
    ("POST", "/devices/{device}/passwords", WHY, Kind::One, Right::Secrets),
    ("POST", "/devices/{device}/rotate-passwords", WHY, Kind::One, Right::Secrets),
    ("GET", "/devices/{device}/phones", "", Kind::One, Right::Read),
    ("GET", "/devices/{device}/timeline", "", Kind::One, Right::Read),
    ("POST", "/devices/{device}/exception", r#"{"mac":"{mac}","minutes":5,"reason":"test"}"#, Kind::One, Right::Change),
    ("DELETE", "/devices/{device}/exception", "", Kind::One, Right::Change),
    ("POST", "/devices/{device}/disable", "", Kind::One, Right::Change),
    ("POST", "/devices/{device}/quarantine", "", Kind::One, Right::Change),
    ("POST", "/devices/{device}/enable", "", Kind::One, Right::Change),
    ("GET", "/phones", "", Kind::List, Right::Read),
    ("GET", "/phones/{mac}", "", Kind::One, Right::Read),
    ("GET", "/phones/{mac}/timeline", "", Kind::One, Right::Read),
    ("GET", "/phones/{mac}/configuration", "", Kind::One, Right::Read),
    ("GET", "/phones/{mac}/files", "", Kind::One, Right::Read),
    ("POST", "/phones/{mac}/passwords", WHY, Kind::One, Right::Secrets),
    ("POST", "/phones/{mac}/activate", r#"{"code":"{code}"}"#, Kind::One, Right::Activate),
    ("POST", "/phones/{mac}/readmit", WHY, Kind::One, Right::Change),
    ("GET", "/move", "", Kind::Server, Right::Read),
    ("GET", "/reports/devices", "", Kind::List, Right::Read),
    ("POST", "/reports/devices/secrets", WHY, Kind::List, Right::Secrets),
    ("GET", "/imports", "", Kind::List, Right::Read),
    ("POST", "/imports", "", Kind::One, Right::Change),
    ("GET", "/imports/template", "", Kind::Free, Right::Read),
    ("GET", "/imports/{import}", "", Kind::One, Right::Read),
    ("GET", "/imports/{import}/rows", "", Kind::One, Right::Read),
    ("GET", "/configuration", "", Kind::Server, Right::Read),
    ("PATCH", "/configuration", KEEPALIVE, Kind::Server, Right::Platform),
    ("GET", "/configuration/history", "", Kind::Server, Right::Read),
    ("POST", "/configuration/revert", "", Kind::Server, Right::Platform),
    ("POST", "/configuration/secrets", WHY, Kind::Server, Right::Secrets),
    ("GET", "/models/{model}/configuration", "", Kind::Server, Right::Read),
    ("PATCH", "/models/{model}/configuration", KEEPALIVE, Kind::Server, Right::Platform),
    ("GET", "/models/{model}/configuration/history", "", Kind::Server, Right::Read),
    ("POST", "/models/{model}/configuration/revert", "", Kind::Server, Right::Platform),
    ("POST", "/models/{model}/configuration/secrets", WHY, Kind::Server, Right::Secrets),
    ("GET", "/accounts/{account}/configuration", "", Kind::One, Right::Read),
    ("PATCH", "/accounts/{account}/configuration", KEEPALIVE, Kind::One, Right::Change),
    ("GET", "/accounts/{account}/configuration/history", "", Kind::One, Right::Read),
    ("POST", "/accounts/{account}/configuration/revert", "", Kind::One, Right::Change),
    ("POST", "/accounts/{account}/configuration/secrets", WHY, Kind::One, Right::Secrets),
    ("GET", "/accounts/{account}/models/{model}/configuration", "", Kind::One, Right::Read),
    ("PATCH", "/accounts/{account}/models/{model}/configuration", KEEPALIVE, Kind::One, Right::Change),
    ("GET", "/accounts/{account}/models/{model}/configuration/history", "", Kind::One, Right::Read),
    ("POST", "/accounts/{account}/models/{model}/configuration/revert", "", Kind::One, Right::Change),
    ("POST", "/accounts/{account}/models/{model}/configuration/secrets", WHY, Kind::One, Right::Secrets),
    ("GET", "/sites/{site}/configuration", "", Kind::One, Right::Read),
    ("PATCH", "/sites/{site}/configuration", KEEPALIVE, Kind::One, Right::Change),
    ("GET", "/sites/{site}/configuration/history", "", Kind::One, Right::Read),
    ("POST", "/sites/{site}/configuration/revert", "", Kind::One, Right::Change),
    ("POST", "/sites/{site}/configuration/secrets", WHY, Kind::One, Right::Secrets),
    ("GET", "/devices/{device}/configuration", "", Kind::One, Right::Read),
    ("PATCH", "/devices/{device}/configuration", KEEPALIVE, Kind::One, Right::Change),
    ("GET", "/devices/{device}/configuration/history", "", Kind::One, Right::Read),
    ("POST", "/devices/{device}/configuration/revert", "", Kind::One, Right::Change),
    ("POST", "/devices/{device}/configuration/secrets", WHY, Kind::One, Right::Secrets),
    ("GET", "/devices/{device}/effective", "", Kind::One, Right::Read),
    ("POST", "/devices/{device}/effective/secrets", WHY, Kind::One, Right::Secrets),
    ("POST", "/devices/{device}/preview", KEEPALIVE, Kind::One, Right::Read),
    ("GET", "/devices/{device}/fetched-diff", "", Kind::One, Right::Read),
    ("GET", "/devices/{device}/overrides", "", Kind::One, Right::Read),
    ("DELETE", "/devices/{device}/overrides", "", Kind::One, Right::Change),
    ("GET", "/references/{reference}", "", Kind::One, Right::Read),
    ("GET", "/strangers", "", Kind::Server, Right::Read),
    ("GET", "/audit", "", Kind::List, Right::Audit),
    ("GET", "/alarms", "", Kind::List, Right::Read),
    ("POST", "/alarms/{alarm}/end", "", Kind::One, Right::Change),
    ("GET", "/blocked-certificates", "", Kind::Server, Right::Read),
    ("POST", "/blocked-certificates", r#"{"sha256":"00","reason":"test"}"#, Kind::Server, Right::Platform),
    ("DELETE", "/blocked-certificates/{sha256}", "", Kind::Server, Right::Platform),
    ("GET", "/firmware/images", "", Kind::Free, Right::Read),
    ("POST", "/firmware/images", "", Kind::Server, Right::Platform),
    ("GET", "/firmware/images/{image}", "", Kind::Free, Right::Read),
    ("DELETE", "/firmware/images/{image}", "", Kind::Server, Right::Platform),
    ("GET", "/firmware/policies", "", Kind::List, Right::Read),
    ("POST", "/firmware/policies", POLICY, Kind::One, Right::Change),
    ("DELETE", "/firmware/policies/{policy}", "", Kind::One, Right::Change),
    ("POST", "/firmware/policies/{policy}/pause", VERSION, Kind::One, Right::Change),
    ("POST", "/firmware/policies/{policy}/resume", VERSION, Kind::One, Right::Change),
    ("GET", "/firmware/rings", "", Kind::List, Right::Read),
    ("PUT", "/firmware/rings/{device}", r#"{"ring":"canary"}"#, Kind::One, Right::Change),
    ("GET", "/firmware/steps", "", Kind::List, Right::Read),
    ("GET", "/firmware/spread", "", Kind::List, Right::Read),
    ("GET", "/firmware/ladder", "", Kind::Free, Right::Read),
    ("GET", "/firmware/doors", "", Kind::Server, Right::Read),
    ("POST", "/firmware/doors", DOOR, Kind::Server, Right::Platform),
    ("DELETE", "/firmware/doors/{alarm}", "", Kind::Server, Right::Platform),
    ("GET", "/devices/{device}/firmware", "", Kind::One, Right::Read),
    ("POST", "/devices/{device}/firmware/now", WHY, Kind::One, Right::Change),
    ("GET", "/http-bootstrap", "", Kind::Server, Right::Read),
    ("POST", "/http-bootstrap", r#"{"range":"10.0.0.0/8","minutes":5,"reason":"test"}"#, Kind::Server, Right::Platform),
    ("DELETE", "/http-bootstrap/{alarm}", "", Kind::Server, Right::Platform),
    ("GET", "/exceptions", "", Kind::List, Right::Read),
    ("GET", "/failed-handshakes", "", Kind::Server, Right::Read),
    ("GET", "/backup", "", Kind::Server, Right::Platform),
    ("GET", "/restore", "", Kind::Server, Right::Read),
    ("POST", "/restore/confirm", WHY, Kind::Server, Right::Platform),
];

/// The address as the router names it: what stands in braces differs.
fn shape(path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn the_table_has_a_row_for_every_endpoint() {
    let mut routed: Vec<_> = provost_web::api::endpoints()
        .into_iter()
        .map(|endpoint| (endpoint.method.to_string(), shape(endpoint.path)))
        .collect();
    let mut tested: Vec<_> = ROWS.iter().map(|(method, path, ..)| ((*method).to_owned(), shape(path))).collect();
    routed.sort();
    tested.sort();

    assert_eq!(tested, routed);
}

type Names = BTreeMap<&'static str, String>;

fn filled(text: &str, names: &Names) -> String {
    names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

fn ask(server: &TestServer, token: &str, (method, path, body): (&str, &str, &str)) -> Reply {
    let url = format!("{}/api/v1{path}", server.address("console"));
    let bearer = format!("Authorization: Bearer {token}");
    let mut all = vec!["--request", method, "--header", bearer.as_str()];
    if !body.is_empty() {
        all.extend(["--header", "Content-Type: application/json", "--data-binary", body]);
    }
    all.push(&url);
    Reply::of(&all)
}

/// What is asked of an endpoint, with its names filled in.
fn asked(server: &TestServer, token: &str, (method, path, body): (&str, &str, &str), names: &Names) -> Reply {
    let (mut path, mut body) = (filled(path, names), filled(body, names));
    if (method, path.as_str()) == ("POST", "/imports") {
        path = format!("/imports?kind=users&mode=dry-run&account={}", names["account"]);
        body = "name,extension\nx,1\n".to_owned();
    }
    if (method, path.as_str()) == ("POST", "/firmware/images") {
        path.push_str("?name=sip.ld");
    }
    if path == "/firmware/ladder" {
        path.push_str("?model=vvx500&version=5.9.7.1&target=5.9.8.1");
    }
    if path == "/imports/template" {
        path.push_str("?kind=users");
    }
    ask(server, token, (method, &path, &body))
}

/// The answer without what differs each time: the reference, and the names that were asked for.
fn essence(reply: &Reply, names: &Names) -> (u16, String) {
    let mut longest_first: Vec<&String> = names.values().collect();
    // One name may stand in another.
    longest_first.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let mut text = longest_first.into_iter().fold(reply.text(), |text, name| text.replace(name.as_str(), "NAME"));
    if let Ok(Value::Object(mut fields)) = serde_json::from_str(&text) {
        fields.remove("reference");
        text = Value::Object(fields).to_string();
    }
    (reply.status, text)
}

struct Scene {
    server: TestServer,
    maker: Maker,
}

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

impl Scene {
    fn new() -> Self {
        let maker = Maker::new();
        Self { server: TestServer::start(&provost(), &maker), maker }
    }

    fn token(&self, role: Role, account: &str) -> String {
        let body = json!({ "role": role.as_str(), "name": role.as_str(), "account": account });
        self.server.done("POST", "/tokens", Some(&body))["token"].as_str().unwrap().to_owned()
    }

    fn boots(&self, mac: &str) {
        self.server.phone(Some(&self.maker.phone(mac)), &format!("/{mac}.cfg"), AGENT);
    }

    /// An account with one of everything, its phone with this MAC bound.
    fn account_with_everything(&self, mac: &str) -> Names {
        let (account, site) = self.server.site();
        let device = self.server.device((&account, &site), "201", "vvx500");
        self.boots(mac);
        let refused = self.server.activate(mac, "0000000000000");
        let reference = refused.json()["reference"].as_str().unwrap().to_owned();
        let code = self.server.code(&device);
        assert_eq!(self.server.activate(mac, &code).status, 200);
        let token = json!({ "role": "support", "account": account });
        let token = id(&self.server.done("POST", "/tokens", Some(&token)));
        let administrator =
            json!({ "email": format!("{mac}@example.com"), "name": "A", "role": "support", "account": account });
        let administrator = id(&self.server.done("POST", "/administrators", Some(&administrator)));
        let alarm = format!("01ALARM{mac}");
        self.server.sql(&format!(
            "INSERT INTO alarms (id, kind, subject, raised_ms, last_ms, times, sentence, advice) \
             VALUES ('{alarm}', 'emergency-call', '{mac}', 1, 1, 1, 's', 'a')"
        ));
        let mail = format!("mail_01jd0ck3v80000{mac}");
        self.server.sql(&format!(
            "INSERT INTO mails (id, account, site, kind, address, subject, state, tries, next_ms, created_ms) \
             VALUES ('{mail}', '{account}', '{site}', 'welcome', 'a@example.com', 's', 'refused', 1, 1, 1)"
        ));
        let mut names = Names::from([
            ("mail", mail),
            ("kind", "welcome".to_owned()),
            ("language", "de".to_owned()),
            ("account", account),
            ("site", site),
            ("device", device),
            ("mac", mac.to_owned()),
            ("code", code),
            ("token", token),
            ("administrator", administrator),
            ("reference", reference),
            ("alarm", alarm),
            ("model", "vvx500".to_owned()),
            ("sha256", "ab".repeat(32)),
            ("image", "image_01jd0ck3v80000000000000001".to_owned()),
        ]);
        let shown = self.server.done("GET", &format!("/devices/{}", names["device"]), None);
        names.insert("user", shown["user"].as_str().unwrap().to_owned());
        let imported = asked(&self.server, self.server.token(), ("POST", "/imports", ""), &names);
        names.insert("import", id(&imported.json()));
        let connector = ("POST", "/accounts/{account}/connectors", CONNECTOR);
        let connector = asked(&self.server, self.server.token(), connector, &names);
        names.insert("connector", id(&connector.json()));
        let policy = asked(&self.server, self.server.token(), ("POST", "/firmware/policies", POLICY), &names);
        names.insert("policy", id(&policy.json()));
        self.refresh(&mut names);
        names
    }

    /// What a change uses up: a site and a user that nobody needs, an extension that is free.
    fn refresh(&self, names: &mut Names) {
        let count = self.server.sql("SELECT COUNT(*) FROM persons");
        let extension = format!("7{count:0>5}");
        let site = json!({ "account": names["account"], "name": "Empty", "time-zone": "Europe/Vienna" });
        names.insert("empty-site", id(&self.server.done("POST", "/sites", Some(&site))));
        let user = json!({ "site": names["site"], "name": "Free", "extension": extension, "lines": [] });
        names.insert("free-user", id(&self.server.done("POST", "/users", Some(&user))));
        names.insert("extension", format!("8{count:0>5}"));
    }
}

fn never() -> Names {
    let of = |word: &str| format!("{word}_01jd0ck3v80000000000000009");
    Names::from([
        ("account", of("account")),
        ("site", of("site")),
        ("empty-site", of("site")),
        ("user", of("user")),
        ("free-user", of("user")),
        ("extension", "999999".to_owned()),
        ("device", of("device")),
        ("token", of("token")),
        ("administrator", of("administrator")),
        ("connector", of("connector")),
        ("mail", of("mail")),
        ("kind", "welcome".to_owned()),
        ("language", "de".to_owned()),
        ("import", "import_01jd0ck3v80000000000000009".to_owned()),
        ("mac", NEVER.to_owned()),
        ("code", String::new()),
        ("reference", "R-AAAAAA".to_owned()),
        ("alarm", "01NEVER".to_owned()),
        ("policy", "01never".to_owned()),
        ("model", "vvx500".to_owned()),
        ("sha256", "cd".repeat(32)),
        ("image", "image_01jd0ck3v80000000000000009".to_owned()),
    ])
}

#[test]
fn nothing_of_another_account_is_seen_or_counted_by_any_role() {
    let scene = Scene::new();
    let server = &scene.server;
    let (mine, _) = server.site();
    let tokens: Vec<_> = Role::ALL.into_iter().map(|role| (role, scene.token(role, &mine))).collect();
    let mut lists = Vec::new();
    let nobody = never();
    // Reading the secrets of a report is written down: it would stand in the audit log the second time.
    let listed: Vec<_> = ROWS.iter().filter(|row| row.3 == Kind::List && row.0 == "GET").collect();
    for (role, token) in &tokens {
        for (method, path, body, ..) in &listed {
            lists.push(((*role, *path), asked(server, token, (method, path, body), &nobody)));
        }
    }
    let theirs = scene.account_with_everything(PHONE);
    // They want the code to be right in form, and one that is nobody's.
    let mut nobody = nobody;
    nobody.insert("code", theirs["code"].clone());
    let before = server.done("GET", &format!("/devices/{}", theirs["device"]), None);

    for ((role, path), reply) in &lists {
        let token = &tokens.iter().find(|(known, _)| known == role).unwrap().1;
        let again = asked(server, token, ("GET", path, ""), &nobody);
        // Of a token it says when it was used last.
        if *path == "/tokens" {
            let count = |reply: &Reply| reply.json()["items"].as_array().map(Vec::len);
            assert_eq!((again.status, count(&again)), (reply.status, count(reply)), "{role} {path}");
        } else {
            assert_eq!(essence(&again, &nobody), essence(reply, &nobody), "{role} GET {path}");
        }
    }
    for (role, token) in &tokens {
        for (method, path, body, kind, right) in ROWS {
            let reply = asked(server, token, (method, path, body), &theirs);
            match kind {
                Kind::List | Kind::Free => {
                    for name in ["account", "site", "user", "device", "mac", "token", "administrator"] {
                        assert!(!reply.text().contains(&theirs[name]), "{role} {method} {path}: {}", reply.text());
                    }
                }
                Kind::Server => assert_eq!(reply.status, 403, "{role} {method} {path}: {}", reply.text()),
                Kind::One => {
                    let missing = asked(server, token, (method, path, body), &nobody);
                    assert_eq!(essence(&reply, &theirs), essence(&missing, &nobody), "{role} {method} {path}");
                    assert!(matches!(reply.status, 403 | 404 | 409), "{role} {method} {path} {}", reply.text());
                }
            }
            if *kind == Kind::List && !role.may(*right) {
                assert_eq!(reply.status, 403, "{role} {method} {path}");
            }
        }
    }
    assert_eq!(server.done("GET", &format!("/devices/{}", theirs["device"]), None), before, "nothing was changed");
}

#[test]
fn within_its_account_each_role_may_what_the_table_says() {
    let scene = Scene::new();
    let server = &scene.server;
    let mut names = scene.account_with_everything(PHONE);
    let tokens: Vec<_> = Role::ALL.into_iter().rev().map(|role| (role, scene.token(role, &names["account"]))).collect();

    // What changes something comes after what is read, and what takes the device away last.
    let when = |row: &&Row| match (row.0, row.1) {
        ("GET", _) => 0,
        ("DELETE", "/devices/{device}") => 4,
        ("DELETE", _) => 3,
        (_, "/devices/{device}/unassign" | "/devices/{device}/swap" | "/devices/{device}/release") => 2,
        _ => 1,
    };
    let mut rows: Vec<&Row> = ROWS.iter().collect();
    rows.sort_by_key(when);
    for (method, path, body, kind, right) in rows {
        for (role, token) in &tokens {
            let reply = asked(server, token, (method, path, body), &names);
            let words = format!("{role} {method} {path}: {} {}", reply.status, reply.text());
            if *kind == Kind::Server || !role.may(*right) {
                assert_eq!((reply.status, &reply.json()["code"]), (403, &json!("forbidden")), "{words}");
            } else {
                // What was done by the role before is there no more, or said to be done.
                assert!(matches!(reply.status, 200..=299 | 404 | 409 | 422), "{words}");
            }
            if role.may(*right) && right == &Right::Read && *kind == Kind::One {
                assert!(reply.status == 200 || path.contains("reference"), "{words}");
            }
            if role.may(*right) && right == &Right::Change {
                scene.refresh(&mut names);
            }
        }
    }
}

#[test]
fn an_installer_activates_a_phone_with_a_code_of_his_account_and_no_other() {
    let scene = Scene::new();
    let server = &scene.server;
    let theirs = scene.account_with_everything(PHONE);
    let (account, site) = server.site();
    let device = server.device((&account, &site), "301", "vvx500");
    let (mine, other) = (server.code(&device), server.device((&theirs["account"], &theirs["site"]), "302", "vvx500"));
    let other = server.code(&other);
    scene.boots("0004f2000002");
    let installer = scene.token(Role::Installer, &account);
    let activate = |mac: &str, code: &str| {
        let path = format!("/phones/{mac}/activate");
        let reply = ask(server, &installer, ("POST", &path, &json!({ "code": code }).to_string()));
        (reply.status, reply.json())
    };

    assert_eq!(activate("0004f2000002", &other).1["code"], "code-unknown");
    assert_eq!(activate(PHONE, &mine).1["code"], "phone-unknown");
    assert_eq!(ask(server, &installer, ("GET", "/phones/0004f2000002", "")).status, 404, "nobody's phone");
    let (status, done) = activate("0004f2000002", &mine);
    assert_eq!((status, &done["device"]["id"]), (200, &json!(device)));
    assert_eq!(ask(server, &installer, ("GET", "/phones/0004f2000002", "")).status, 200);
    assert!(done["device"]["activation-code"].is_null());
    let audit = server.done("GET", "/audit", None);
    assert_eq!(audit["items"][0]["who"], r#"token "installer" (installer)"#, "{audit}");
}

#[test]
fn what_a_phone_did_at_its_former_account_is_not_shown_to_the_next() {
    let scene = Scene::new();
    let server = &scene.server;
    let former = scene.account_with_everything(PHONE);
    server.done("POST", &format!("/devices/{}/release", former["device"]), None);
    let (account, site) = server.site();
    let device = server.device((&account, &site), "301", "vvx500");
    scene.boots(PHONE);
    assert_eq!(server.activate(PHONE, &server.code(&device)).status, 200);
    let (theirs, whole) = (scene.token(Role::Administrator, &account), server.timeline(PHONE));
    let told = |token: &str| {
        let page = ask(server, token, ("GET", &format!("/phones/{PHONE}/timeline"), "")).json();
        page["items"].as_array().unwrap().iter().map(|item| item["sentence"].to_string()).collect::<Vec<_>>()
    };

    let shown = told(&theirs);

    assert!(whole.iter().any(|sentence| sentence.contains("extension 201")), "{whole:?}");
    assert!(shown.iter().any(|sentence| sentence.contains("extension 301")), "{shown:?}");
    assert!(!shown.iter().any(|sentence| sentence.contains("201")), "{shown:?}");
}

#[test]
fn a_clash_is_shown_to_who_holds_both_accounts_and_to_nobody_else() {
    let scene = Scene::new();
    let server = &scene.server;
    let top = id(&server.done("POST", "/accounts", Some(&json!({ "name": "Top" }))));
    let below = |name: &str| id(&server.done("POST", "/accounts", Some(&json!({ "name": name, "parent": top }))));
    let (one, two) = (below("One"), below("Two"));
    let named = |account: &str| {
        id(&server.done("POST", "/devices", Some(&json!({ "account": account, "model": "vvx500", "mac": PHONE }))))
    };
    let (first, second) = (named(&one), named(&two));
    scene.boots(PHONE);
    let (above, inside) = (scene.token(Role::Support, &top), scene.token(Role::Administrator, &one));
    let get = |token: &str, path: &str| ask(server, token, ("GET", path, ""));

    let seen = get(&above, &format!("/phones/{PHONE}")).json();
    assert_eq!(seen["clash"].as_array().unwrap().len(), 2, "{seen}");
    assert_eq!(get(&above, &format!("/devices/{first}")).json()["clash"][1]["device"], json!(second));
    let own = get(&inside, &format!("/devices/{first}")).json();
    assert_eq!(
        (&own["clash"], &own["not-served"]),
        (&Value::Null, &json!("its phone is not served; ask your provider"))
    );
    assert_eq!(get(&inside, &format!("/phones/{PHONE}")).status, 404);
    assert_eq!(get(&inside, &format!("/devices/{second}")).status, 404);
}

#[test]
fn a_token_makes_none_above_itself_ends_in_time_and_the_last_owner_stays() {
    let scene = Scene::new();
    let server = &scene.server;
    let (account, site) = server.site();
    let administrator = scene.token(Role::Administrator, &account);
    let make = |body: Value| ask(server, &administrator, ("POST", "/tokens", &body.to_string()));

    assert_eq!(make(json!({ "role": "owner" })).status, 422);
    assert_eq!(make(json!({ "role": "god" })).status, 422);
    let made = make(json!({ "role": "installer", "site": site, "expires-in-days": 1, "name": "Front desk" })).json();
    assert_eq!((&made["account"], &made["site"]), (&json!(account), &json!(site)));
    let desk = made["token"].as_str().unwrap();
    assert_eq!(ask(server, desk, ("GET", "/sites", "")).json()["items"].as_array().unwrap().len(), 1);
    server.sql(&format!("UPDATE tokens SET expires_ms = 1000 WHERE id = '{}'", id(&made)));
    let over = ask(server, desk, ("GET", "/sites", ""));
    assert!(over.status == 401 && over.text().contains("expired at 1970"), "{}", over.text());
    let gone = make(json!({ "role": "support" })).json();
    let revoked = server.cli(&["token", "revoke", &id(&gone)]);
    assert_eq!(revoked.code, 0, "{}", revoked.err);
    assert_eq!(ask(server, gone["token"].as_str().unwrap(), ("GET", "/sites", "")).status, 401);
    let listed = server.cli(&["token", "list", "--json"]);
    let listed: Value = serde_json::from_str(&listed.out).unwrap();
    let owners: Vec<_> = listed["items"].as_array().unwrap().iter().filter(|token| token["role"] == "owner").collect();
    let answers: Vec<_> =
        owners.iter().map(|token| server.api("DELETE", &format!("/tokens/{}", id(token)), None).status).collect();
    assert!(answers.iter().any(|status| *status != 200), "{answers:?}: one owner stays");
    assert!(server.cli(&["account", "list"]).out.contains(&account));
}

#[test]
fn accounts_nest_to_a_limit_and_are_renamed_from_the_command_line() {
    let scene = Scene::new();
    let server = &scene.server;
    let create = |parent: Option<&str>| {
        let mut arguments = vec!["account", "create", "--name", "Level", "--json"];
        arguments.extend(parent.into_iter().flat_map(|parent| ["--parent", parent]));
        server.cli(&arguments)
    };
    let mut last = id(&serde_json::from_str(&create(None).out).unwrap());
    for _ in 1..8 {
        last = id(&serde_json::from_str(&create(Some(&last)).out).unwrap());
    }

    let ninth = create(Some(&last));
    assert!(ninth.code != 0 && ninth.err.contains("level 8"), "{}", ninth.err);
    let renamed = server.cli(&["account", "rename", &last, "--name", "Leaf"]);
    assert_eq!(renamed.code, 0, "{}", renamed.err);
    assert!(server.cli(&["account", "show", &last]).out.contains("Leaf"));
    let token = scene.token(Role::Administrator, &last);
    let beside = ask(server, &token, ("POST", "/accounts", r#"{"name":"x"}"#));
    assert!(beside.status == 422 && beside.text().contains("below its own"), "{}", beside.text());
}

#[test]
fn a_rotated_key_opens_what_the_one_before_did_wherever_it_was_cut_off() {
    let scene = Scene::new();
    let mut server = scene.server;
    let (account, site) = server.site();
    let device = server.device((&account, &site), "201", "vvx500");
    let code = server.code(&device);
    let running = server.cli(&["key", "rotate"]);
    assert!(running.code != 0 && running.err.contains(&server.pid().to_string()), "{}", running.err);
    let file = |name: &str| server_file(&server, name);
    let (key, new, old) = (file("secret.key"), file("secret.key.new"), file("secret.key.old"));
    server.stop();
    let first = std::fs::read(&key).unwrap();

    let rotated = server.cli(&["key", "rotate"]);
    assert_eq!(rotated.code, 0, "{}", rotated.err);
    let second = std::fs::read(&key).unwrap();
    assert!(first != second && std::fs::read(&old).unwrap() == first && !new.exists());
    // Cut off after the database had the new key, before its file was in place.
    std::fs::rename(&key, &new).unwrap();
    std::fs::rename(&old, &key).unwrap();
    let shown = |server: &TestServer| {
        server.done("GET", &format!("/devices/{device}"), None)["activation-code"]["code"].clone()
    };
    server.power_on();
    assert_eq!(shown(&server), json!(code));
    assert_eq!((std::fs::read(&key).unwrap(), std::fs::read(&old).unwrap()), (second.clone(), first.clone()));
    server.stop();
    // Cut off before the database had it: the next start clears away what is no use.
    std::fs::write(&new, hex_of(7)).unwrap();
    std::fs::set_permissions(&new, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    server.power_on();
    assert_eq!(shown(&server), json!(code));
    assert!(!new.exists() && !old.exists() && std::fs::read(&key).unwrap() == second);
    let mac = PHONE;
    server.phone(Some(&scene.maker.phone(mac)), &format!("/{mac}.cfg"), AGENT);
    assert_eq!(server.activate(mac, &code).status, 200, "the code is found under the new key");
}

fn server_file(server: &TestServer, name: &str) -> std::path::PathBuf {
    server.data().join(name)
}

fn hex_of(byte: u8) -> String {
    format!("{byte:02x}").repeat(32)
}
