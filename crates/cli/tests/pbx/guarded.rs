//! What a connector may not be used for: knocking at the inside, and learning secrets.

use crate::scene::Scene;
use provost_testkit::Reply;
use serde_json::{Value, json};
use std::net::TcpListener;

fn as_tenant(scene: &Scene, method: &str, path: &str, body: &Value) -> Reply {
    let token = json!({ "role": "administrator", "name": "tenant", "account": scene.account });
    let token = scene.server.done("POST", "/tokens", Some(&token))["token"].as_str().unwrap().to_owned();
    let (url, text) = (format!("{}/api/v1{path}", scene.server.address("console")), body.to_string());
    let bearer = format!("Authorization: Bearer {token}");
    let json = "Content-Type: application/json";
    Reply::of(&["--request", method, "--header", &bearer, "--header", json, "--data-binary", &text, &url])
}

#[test]
fn a_tenants_connector_knocks_nowhere_inside_whatever_it_is_called() {
    let scene = Scene::set();
    let inside = TcpListener::bind("127.0.0.1:0").unwrap();
    inside.set_nonblocking(true).unwrap();
    let port = inside.local_addr().unwrap().port();
    let path = format!("/accounts/{}/connectors", scene.account);
    let entered = |host: &str, more: Value| {
        let mut body = json!({ "kind": "kamailio", "host": host, "port": port, "security": "plain-anywhere" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        as_tenant(&scene, "POST", &path, &body)
    };

    assert_eq!(entered("127.0.0.1", json!({ "inside": true })).status, 403);
    for host in ["127.0.0.1", "localhost", "[::1]", "0.0.0.0"] {
        let added = entered(host, json!({}));
        assert_eq!(added.status, 201, "{host}: {}", added.text());
        assert_eq!(added.json()["found"]["state"], "not asked yet", "nobody is kept waiting by a PBX");
        let one = format!("{path}/{}", added.json()["id"].as_str().unwrap());
        let tested = as_tenant(&scene, "POST", &format!("{one}/test"), &json!({}));
        let words = tested.json()["found"]["words"].as_str().unwrap().to_owned();
        assert!(words.contains("only whoever runs the server may let a connector lead"), "{host}: {words}");
        assert_eq!(as_tenant(&scene, "PATCH", &one, &json!({ "inside": true })).status, 403);
        assert_eq!(as_tenant(&scene, "DELETE", &one, &json!({})).status, 200);
    }
    assert_eq!(inside.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "nobody knocked");
}

#[test]
fn what_may_lead_inside_is_not_led_elsewhere_by_a_tenant_nor_its_password_by_anybody() {
    let scene = Scene::set();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let password = json!({ "user": "provost", "password": "t0p-s3cret-ami" });
    let connector = scene.connector("asterisk", port, &password);
    let path = format!("/accounts/{}/connectors/{}", scene.account, connector["id"].as_str().unwrap());

    let away = json!({ "inside": false, "host": "pbx.example.com", "password": "x" });
    for change in [json!({ "port": 22 }), json!({ "user": "another" }), json!({ "password": "x" }), away] {
        assert_eq!(as_tenant(&scene, "PATCH", &path, &change).status, 403, "{change}");
    }
    let moved = scene.server.api("PATCH", &path, Some(&json!({ "host": "127.0.0.2" })));
    assert_eq!((moved.status, &moved.json()["fields"][0]["field"]), (422, &json!("password")), "{}", moved.text());
    assert_eq!(as_tenant(&scene, "PATCH", &path, &json!({ "name": "office" })).status, 200);

    let shown = scene.server.done("GET", &path, None);
    assert_eq!((&shown["has-password"], &shown["name"]), (&json!(true), &json!("office")));
    let mut said = vec![shown.to_string(), scene.server.log(), connector.to_string()];
    said.push(scene.server.done("GET", "/audit", None).to_string());
    said.push(scene.server.sql("SELECT * FROM connectors"));
    let listed = scene.server.cli(&["connector", "list", &scene.account]);
    assert!(listed.code == 0 && listed.out.contains("office  asterisk  127.0.0.1"), "{}{}", listed.out, listed.err);
    said.push(listed.out);
    for text in said {
        assert!(!text.contains("t0p-s3cret-ami"), "{text}");
    }
    let key = scene.server.done("POST", "/accounts", Some(&json!({ "name": "Below", "parent": scene.account })));
    let below = scene.server.done("GET", &format!("/accounts/{}/connectors", key["id"].as_str().unwrap()), None);
    assert_eq!(below["items"], json!([]), "what serves an account is not shown there");
}
