//! Who may decide about firmware: by role and account, each change with an entry in the audit log.

use crate::{MAC, device_for, provost};
use provost_testkit::{Maker, Reply, TestServer};
use serde_json::{Value, json};

fn token(server: &TestServer, fields: &Value) -> String {
    server.done("POST", "/tokens", Some(fields))["token"].as_str().unwrap().to_owned()
}

fn as_of(server: &TestServer, token: &str, (method, path): (&str, &str), body: Option<&Value>) -> Reply {
    let url = format!("{}/api/v1{path}", server.address("console"));
    let bearer = format!("Authorization: Bearer {token}");
    let text = body.map(Value::to_string).unwrap_or_default();
    let mut all = vec!["--request", method, "--header", &bearer];
    if body.is_some() {
        all.extend(["--header", "Content-Type: application/json", "--data-binary", &text]);
    }
    all.push(&url);
    Reply::of(&all)
}

#[test]
fn an_account_decides_about_its_own_phones_and_the_server_about_all() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let (account, site) = server.site();
    let device = device_for(&server, (&account, &site), ("1001", MAC));
    let other = server.done("POST", "/accounts", Some(&json!({ "name": "Other" })));
    let other = other["id"].as_str().unwrap();
    let own = token(&server, &json!({ "role": "administrator", "account": account }));
    let foreign = token(&server, &json!({ "role": "administrator", "account": other }));
    let support = token(&server, &json!({ "role": "support", "account": account }));
    let policy = |place: &str, id: &str| json!({ place: id, "target": "keep", "reason": "freeze" });
    let post = |token: &str, body: &Value| as_of(&server, token, ("POST", "/firmware/policies"), Some(body)).status;

    assert_eq!(post(&own, &policy("account", &account)), 201);
    assert_eq!(post(&own, &policy("site", &site)), 201);
    assert_eq!(post(&own, &json!({ "target": "keep", "reason": "all of it" })), 403, "the whole server");
    assert_eq!(post(&foreign, &policy("account", &account)), 404, "as if there were none");
    assert_eq!(post(&foreign, &policy("site", &site)), 404);
    assert_eq!(post(&support, &policy("account", &account)), 403);
    assert_eq!(post(&own, &json!({ "target": "latest", "reason": "" })), 422);

    let listed =
        |token: &str, path: &str| as_of(&server, token, ("GET", path), None).json()["items"].as_array().unwrap().len();
    assert_eq!((listed(&support, "/firmware/policies"), listed(&foreign, "/firmware/policies")), (2, 0));
    let ring = json!({ "ring": "canary" });
    let path = format!("/firmware/rings/{device}");
    let put = |token: &str| as_of(&server, token, ("PUT", &path), Some(&ring)).status;
    assert_eq!((put(&foreign), put(&support), put(&own)), (404, 403, 200));
    assert_eq!((listed(&support, "/firmware/rings"), listed(&foreign, "/firmware/rings")), (1, 0));
    let door = json!({ "mac": MAC, "model": "spip550", "hours": 1, "reason": "old" });
    assert_eq!(as_of(&server, &own, ("POST", "/firmware/doors"), Some(&door)).status, 403, "doors are the server's");
    let first = server.done("GET", "/firmware/policies", None)["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/firmware/policies/{first}");
    assert_eq!(as_of(&server, &foreign, ("DELETE", &path), None).status, 404);
    assert_eq!(as_of(&server, &support, ("DELETE", &path), None).status, 403);
    assert_eq!(as_of(&server, &own, ("DELETE", &format!("{path}?reason=over")), None).status, 200);

    let audit = server.done("GET", "/audit", None)["items"].to_string();
    for words in ["set the firmware of the account", "into the firmware ring canary", "took away the firmware policy"] {
        assert!(audit.contains(words), "{words} is missing in {audit}");
    }
}
