use crate::provost;
use provost_testkit::{Maker, Reply, TestServer};
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Stdio};

const COLUMNS: &str = "Device,MAC Address,Device Admin Password,Extension Number,Status,Activation Code,Site,User,\
                       firmware,last contact,certificate status,registered";

fn server() -> (Maker, TestServer) {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    (maker, server)
}

/// CSV as Python's own module reads it.
fn by_python(csv: &[u8]) -> Vec<Vec<String>> {
    const READ: &str = "import csv, io, json, sys\n\
        text = io.TextIOWrapper(sys.stdin.buffer, encoding='utf-8', newline='')\n\
        json.dump(list(csv.reader(text, strict=True)), sys.stdout)";
    let mut child =
        Command::new("python3").args(["-c", READ]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(csv).unwrap();
    serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap()
}

/// A request with a token of some role.
fn with_token(server: &TestServer, token: &str, arguments: &[&str], path: &str) -> Reply {
    let bearer = format!("Authorization: Bearer {token}");
    let url = format!("{}/api/v1{path}", server.address("console"));
    let mut all = vec!["--header", &bearer];
    all.extend(arguments);
    all.push(&url);
    Reply::of(&all)
}

fn token_of(server: &TestServer, role: &str) -> String {
    let made = server.done("POST", "/tokens", Some(&json!({ "role": role, "name": role })));
    made["token"].as_str().unwrap().to_owned()
}

#[test]
fn the_report_has_the_columns_of_the_trade_in_json_and_csv() {
    let (_maker, server) = server();
    let (account, site) = server.site();
    let bad = json!({ "site": site, "name": "=HYPERLINK(\"http://example.com\"), \"B\"", "extension": "+1001" });
    let user = server.done("POST", "/users", Some(&bad));
    let device = json!({ "account": account, "model": "vvx450", "user": user["id"], "mac": "0004f2a00001" });
    server.done("POST", "/devices", Some(&device));
    server.device((&account, &site), "1002", "vvx500");

    let page = server.done("GET", "/reports/devices?sort=user", None);
    let csv = server.api("GET", "/reports/devices?sort=user&format=csv", None);

    let first = &page["items"][0];
    assert_eq!(first["device"], "VVX 450");
    assert_eq!(first["mac-address"], "0004f2a00001");
    assert_eq!(first["device-admin-password"], Value::Null);
    assert_eq!((&first["extension-number"], &first["status"]), (&json!("+1001"), &json!("assigned")));
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    let rows = by_python(&csv.body);
    assert_eq!(rows[0].join(","), COLUMNS);
    assert_eq!(rows.len(), 3);
    // Made text by an apostrophe, so that no spreadsheet computes it.
    assert_eq!(rows[1][7], format!("'{}", first["user"].as_str().unwrap()));
    assert_eq!(rows[1][3], "'+1001");
    for (row, item) in rows[1..].iter().zip(page["items"].as_array().unwrap()) {
        assert_eq!(row[0], item["device"].as_str().unwrap());
        assert_eq!(row[6], item["site"].as_str().unwrap());
    }
}

#[test]
fn columns_filters_orders_and_pages_are_the_askers_choice() {
    let (_maker, server) = server();
    let (account, site) = server.site();
    for n in 0..7 {
        server.device((&account, &site), &format!("10{n}"), ["vvx450", "vvx500"][n % 2]);
    }

    let mut seen = Vec::new();
    let mut next = String::new();
    loop {
        let path = format!("/reports/devices?sort=-extension&columns=extension-number,user&limit=3&after={next}");
        let page = server.done("GET", &path, None);
        for item in page["items"].as_array().unwrap() {
            assert_eq!(item.as_object().unwrap().len(), 3, "{item}");
            seen.push(item["extension-number"].as_str().unwrap().to_owned());
        }
        let Some(after) = page["next"].as_str() else { break };
        next = after.to_owned();
    }
    assert_eq!(seen, ["106", "105", "104", "103", "102", "101", "100"]);
    let found = |query: &str| {
        let page = server.done("GET", &format!("/reports/devices?{query}"), None);
        page["items"].as_array().unwrap().len()
    };
    assert_eq!(found("model=vvx500"), 3);
    assert_eq!(found("model=vvx500&search=103"), 1);
    assert_eq!(found("search=user%2010"), 7);
    assert_eq!(found(&format!("site={site}&status=assigned")), 7);
    assert_eq!(found("status=activated"), 0);
    let wrong =
        server.api("GET", "/reports/devices?status=dead&sort=price&columns=device,colour&missed-contact-since=x", None);
    assert_eq!(wrong.status, 422);
    let fields: Vec<_> =
        wrong.json()["fields"].as_array().unwrap().iter().map(|field| field["field"].clone()).collect();
    assert_eq!(fields, ["status", "missed-contact-since", "sort", "columns"]);
}

#[test]
fn secrets_are_exported_for_a_reason_by_who_may_and_that_is_written_down() {
    let (maker, server) = server();
    let (account, site) = server.site();
    let activated = server.device((&account, &site), "1001", "vvx450");
    let pair = maker.phone("0004f2a00007");
    let agent = "FileTransport PolycomVVX-VVX_450-UA/5.9.8.5760 (SN:0004f2a00007) Type/Application";
    server.phone(Some(&pair), "/0004f2a00007.cfg", &["--user-agent", agent]);
    let reply = server.activate("0004f2a00007", &server.code(&activated));
    assert_eq!(reply.status, 200, "{}", reply.text());
    let waiting = server.device((&account, &site), "1002", "vvx450");
    let code = server.code(&waiting);

    let page = server.done("GET", "/reports/devices?sort=extension", None);
    let plain = server.api("GET", "/reports/devices?format=csv", None).text();
    let secrets = "/reports/devices/secrets";
    let why = json!({ "reason": "audit of the lobby phones", "filters": { "sort": "extension" } });
    let told = server.api("POST", secrets, Some(&why));

    assert_eq!(page["items"][0]["device-admin-password"], "hidden");
    let rows = by_python(&told.body);
    let passwords = json!({ "reason": "compare" });
    let known = server.done("POST", "/phones/0004f2a00007/passwords", Some(&passwords));
    assert!(known.to_string().contains(&format!("\"{}\"", rows[1][2])), "{rows:?} {known}");
    assert_eq!(rows[2][5].replace(' ', ""), code);
    assert_eq!(page["items"][1]["activation-code"]["shown"], json!(rows[2][5]));
    assert!(!plain.contains(&rows[1][2]) && !plain.contains(&rows[2][5]) && plain.contains("open until "), "{plain}");
    let audit = server.done("GET", "/audit", None).to_string();
    assert!(audit.contains("exported admin passwords") && audit.contains("audit of the lobby phones"), "{audit}");
    assert_eq!(server.api("POST", secrets, Some(&json!({ "reason": " " }))).status, 422);
    for role in ["support", "installer", "read-only"] {
        let token = token_of(&server, role);
        let body = ["--header", "Content-Type: application/json", "--data-binary", "{\"reason\":\"curious\"}"];
        assert_eq!(with_token(&server, &token, &body, secrets).status, 403, "{role}");
        let page = with_token(&server, &token, &[], "/reports/devices?sort=extension");
        let item = &page.json()["items"][1]["activation-code"];
        assert_eq!((&item["open"], &item["shown"]), (&json!(true), &Value::Null), "{role}");
    }
}

#[test]
fn the_command_line_prints_the_same_report() {
    let (_maker, server) = server();
    let (account, site) = server.site();
    let device = server.device((&account, &site), "1001", "vvx450");
    let code = server.code(&device);

    let lines = server.cli(&["report", "devices", "--columns", "extension-number,user"]);
    assert_eq!(lines.out, format!("id  extension-number  user\n{device}  1001  User 1001\n"), "{}", lines.err);
    let json: Value = serde_json::from_str(&server.cli(&["report", "devices", "--json"]).out).unwrap();
    assert_eq!(json, server.done("GET", "/reports/devices", None));
    let csv = server.cli(&["report", "devices", "--csv", "--status", "assigned"]);
    assert_eq!(csv.out.as_bytes(), server.api("GET", "/reports/devices?format=csv", None).body);
    let secrets =
        server.cli(&["report", "devices", "--secrets", "--reason", "new phones", "--columns", "activation-code"]);
    assert_eq!(secrets.out.replace(' ', ""), format!("ActivationCode\r\n{code}\r\n"));
    assert_eq!(server.cli(&["report", "devices", "--secrets"]).code, 64);
    assert_eq!(server.cli(&["report", "devices", "--status", "dead"]).code, 1);
}
