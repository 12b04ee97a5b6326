//! Who is blocked, suspended, excepted and let near: the real binary, driven by curl, OpenSSL's certificates and the
//! virtual phone.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests: a failure here is a failed test"
)]

mod alarms;
mod audit;
mod blocked;
mod exceptions;
mod http_bootstrap;
mod suspensions;

use provost_testkit::{PhoneKey, Provost, Reply, TestServer};
use serde_json::{Value, json};

const MAC: &str = "0004f2000014";
const OTHER: &str = "0004f2000015";
const AGENT: &[&str] = &["--user-agent", "FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Application"];

/// The binary under test.
fn provost() -> Provost {
    Provost::new(env!("CARGO_BIN_EXE_provost"))
}

/// What of an answer must be the same for every refusal.
fn without_date(reply: &Reply) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let headers = reply.headers.iter().filter(|(name, _)| name != "date").cloned().collect();
    (reply.status, headers, reply.body.clone())
}

/// A VVX 500 asks over TLS, from this address of the loopback network.
fn ask_from(server: &TestServer, pair: Option<&PhoneKey>, (from, path): (&str, &str)) -> Reply {
    server.phone(pair, path, &[AGENT, &["--interface", from]].concat())
}

fn ask(server: &TestServer, pair: Option<&PhoneKey>, path: &str) -> Reply {
    ask_from(server, pair, ("127.0.0.1", path))
}

/// The refusal that all others must equal: a stranger asks for nothing in particular.
fn refusal(server: &TestServer) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let reply = without_date(&ask(server, None, "/"));
    assert_eq!(reply.0, 404);
    reply
}

/// A device of the VVX 500 that names the phone beforehand; returns its id.
fn named_device(server: &TestServer, mac: &str) -> String {
    let (account, site) = server.site();
    let line = json!({ "user": "1001", "password": "secret-1001" });
    let user = json!({ "site": site, "name": "Ada", "extension": "1001", "lines": [line] });
    let user = server.done("POST", "/users", Some(&user));
    let device = json!({ "account": account, "model": "vvx500", "user": user["id"], "mac": mac });
    server.done("POST", "/devices", Some(&device))["id"].as_str().unwrap().to_owned()
}

fn items(list: &Value) -> Vec<Value> {
    list["items"].as_array().unwrap().clone()
}

/// What stands in the audit log, newest first.
fn audit(server: &TestServer) -> Vec<Value> {
    items(&server.done("GET", "/audit", None))
}

/// What a subcommand prints as JSON.
fn command(server: &TestServer, arguments: &[&str]) -> Value {
    let done = server.cli(&[arguments, &["--json"]].concat());
    assert_eq!(done.code, 0, "{arguments:?}: {}", done.err);
    serde_json::from_str(&done.out).unwrap_or_else(|error| panic!("{error}: {}", done.out))
}

/// The fields that a refused entry names.
fn faults(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 422, "{}", reply.text());
    items(&json!({ "items": reply.json()["fields"] }))
        .iter()
        .map(|fault| fault["field"].as_str().unwrap().to_owned())
        .collect()
}
