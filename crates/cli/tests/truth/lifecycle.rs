//! What becomes of devices, with phones that are curl with a factory certificate.

use crate::provost;
use provost_testkit::{Maker, Reply, TestServer};
use serde_json::{Value, json};

const AGENT: &[&str] = &["--user-agent", "FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Application"];
const UPDATER: &[&str] = &["--user-agent", "FileTransport PolycomVVX-VVX_500-UA/5.9.7.47435 Type/Updater"];
const OLD: &str = "0004f2000001";
const NEW: &str = "0004f2000002";

/// A server with one site, and what the tests ask of it.
struct Scene {
    maker: Maker,
    server: TestServer,
    home: (String, String),
}

impl Scene {
    fn new() -> Self {
        let maker = Maker::new();
        let server = TestServer::start(&provost(), &maker);
        let home = server.site();
        Self { maker, server, home }
    }

    fn device(&self, extension: &str) -> String {
        self.server.device((&self.home.0, &self.home.1), extension, "vvx500")
    }

    fn master(&self, mac: &str, agent: &[&str]) -> Reply {
        self.server.phone(Some(&self.maker.phone(mac)), &format!("/{mac}.cfg"), agent)
    }

    fn settings(&self, mac: &str) -> String {
        self.server.phone(Some(&self.maker.phone(mac)), &format!("/{mac}-provost.cfg"), AGENT).text()
    }

    /// A device bound to the phone by its code.
    fn bound(&self, extension: &str, mac: &str) -> String {
        let device = self.device(extension);
        self.master(mac, AGENT);
        assert_eq!(self.server.activate(mac, &self.server.code(&device)).status, 200);
        device
    }

    fn post(&self, device: &str, what: &str, body: &Value) -> Value {
        self.server.done("POST", &format!("/devices/{device}/{what}"), Some(body))
    }

    fn refused(&self, device: &str, what: &str, body: &Value) -> (u16, Value) {
        let reply = self.server.api("POST", &format!("/devices/{device}/{what}"), Some(body));
        (reply.status, reply.json())
    }

    fn passwords(&self, device: &str) -> Vec<(String, String)> {
        let shown = self.post(device, "passwords", &json!({ "reason": "test" }));
        let pair = |item: &Value| (text(item, "state"), text(item, "admin-password"));
        shown["items"].as_array().unwrap().iter().map(pair).collect()
    }

    fn says(&self, mac: &str, words: &str) -> bool {
        self.server.timeline(mac).iter().any(|sentence| sentence.contains(words))
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

#[test]
fn a_swap_keeps_user_and_history_and_the_old_phone_gets_nothing_any_more() {
    let scene = Scene::new();
    let device = scene.bound("1001", OLD);
    let directory = format!("/{OLD}-directory.xml");
    let friends = ["--request", "PUT", "--data-binary", "<directory/>", AGENT[0], AGENT[1]];
    scene.server.phone(Some(&scene.maker.phone(OLD)), &directory, &friends);

    let swapped = scene.post(&device, "swap", &json!({ "reason": "screen broken" }));

    assert_eq!((text(&swapped, "extension"), &swapped["mac"]), ("1001".to_owned(), &Value::Null));
    for agent in [UPDATER, AGENT] {
        assert_eq!(scene.master(OLD, agent).status, 404, "the certificate helps no more");
    }
    assert!(scene.says(OLD, "An administrator replaced this phone of extension 1001"));
    assert!(scene.says(OLD, "another phone took its place on 2"));
    let code = text(&swapped["activation-code"], "code");
    assert_eq!(scene.server.activate(OLD, &code).status, 409, "and no code helps it");
    scene.master(NEW, AGENT);
    assert_eq!(scene.server.activate(NEW, &code).status, 200);
    let configuration = scene.settings(NEW);
    assert!(configuration.contains("\"1001\"") && configuration.contains("secret-1001"), "{configuration}");
    let kept = scene.server.phone(Some(&scene.maker.phone(NEW)), &format!("/{NEW}-directory.xml"), AGENT);
    assert_eq!(kept.text(), "<directory/>", "what the user changed came along");
    let history = scene.server.done("GET", &format!("/devices/{device}/timeline"), None);
    let sentences: Vec<_> = history["items"].as_array().unwrap().iter().map(|item| text(item, "sentence")).collect();
    assert!(sentences.iter().any(|s| s.contains("replaced this phone")), "{sentences:?}");
    let phones = scene.server.done("GET", &format!("/devices/{device}/phones"), None);
    assert_eq!(
        (text(&phones["items"][0], "mac"), text(&phones["items"][1], "ended-how")),
        (NEW.into(), "swapped".into())
    );

    scene.server.done("POST", &format!("/phones/{OLD}/readmit"), None);
    assert_eq!(scene.master(OLD, AGENT).status, 200);
    assert!(scene.settings(OLD).contains("Activate"));
}

#[test]
fn a_swap_by_mac_needs_no_code_and_the_command_line_does_it_too() {
    let scene = Scene::new();
    let device = scene.bound("1001", OLD);

    let done = scene.server.cli(&["device", "swap", &device, "--mac", "00:04:f2:00:00:02", "--json"]);

    assert_eq!(done.code, 0, "{}", done.err);
    scene.master(NEW, AGENT);
    assert!(scene.settings(NEW).contains("secret-1001"));
    assert_eq!(scene.master(OLD, AGENT).status, 404);
    let (status, body) = scene.refused(&device, "swap", &json!({ "mac": OLD }));
    assert_eq!((status, text(&body, "code")), (409, "phone-set-aside".to_owned()));
    let (status, body) = scene.refused(&device, "swap", &json!({ "mac": "nonsense" }));
    assert_eq!((status, text(&body["fields"][0], "field")), (422, "mac".to_owned()));
    let audit = scene.server.done("GET", "/audit", None);
    let swapped = audit["items"].as_array().unwrap().iter().find(|item| text(item, "what").contains("swapped"));
    assert_eq!(swapped.map(|item| text(item, "who")), Some("control socket".to_owned()));
}

#[test]
fn a_released_device_is_restored_with_the_same_phone_and_passwords() {
    let scene = Scene::new();
    let device = scene.bound("1001", OLD);
    let before = scene.settings(OLD);

    let released = scene.post(&device, "release", &json!({ "reason": "left" }));

    assert_eq!((text(&released, "state"), &released["user"]), ("released".to_owned(), &Value::Null));
    assert!(scene.settings(OLD).contains("Activate") && !scene.settings(OLD).contains("localAdminPassword"));
    assert!(scene.says(OLD, "An administrator released this phone's device"));
    let listed = scene.server.done("GET", "/devices/released", None);
    assert_eq!(text(&listed["items"][0], "id"), device);
    let removed = scene.server.done("DELETE", &format!("/devices/{device}"), None);
    assert_eq!(text(&removed, "state"), "removed");
    assert_eq!(scene.server.api("GET", &format!("/devices/{device}"), None).status, 404);
    let shown = scene.passwords(&device);
    assert!(before.contains(&shown[0].1), "the password is kept after removal");

    let restored = scene.server.cli(&["device", "restore", &device, "--json"]);

    assert_eq!(restored.code, 0, "{}", restored.err);
    assert_eq!(scene.settings(OLD), before, "as if nothing had been");
    assert_eq!(scene.passwords(&device).len(), 1);
    let (status, body) = scene.refused(&device, "restore", &json!({}));
    assert_eq!((status, text(&body, "code")), (409, "device-not-released".to_owned()));
}

#[test]
fn a_restore_says_until_when_it_was_possible_or_that_the_phone_is_somebody_elses() {
    let scene = Scene::new();
    let (device, other) = (scene.bound("1001", OLD), scene.device("1002"));
    scene.post(&device, "release", &json!({}));
    assert_eq!(scene.server.activate(OLD, &scene.server.code(&other)).status, 200);

    let (status, body) = scene.refused(&device, "restore", &json!({}));
    assert_eq!((status, text(&body, "code")), (409, "phone-has-device".to_owned()));
    assert!(text(&body, "message").contains("must be released there"), "{body}");

    scene.server.sql("UPDATE releases SET released_ms = 1000");
    let (status, body) = scene.refused(&device, "restore", &json!({}));
    assert_eq!((status, text(&body, "code")), (409, "restore-too-late".to_owned()));
    assert!(text(&body, "message").contains("until 1970-01-31"), "{body}");
}

#[test]
fn old_and_new_password_are_shown_until_the_phone_fetched_the_new_one_and_restarted() {
    let mut scene = Scene::new();
    let device = scene.bound("1001", OLD);
    scene.settings(OLD);
    scene.master(OLD, UPDATER);
    let first = scene.passwords(&device)[0].clone();
    assert_eq!(first.0, "on-phone");

    let unreasoned = scene.refused(&device, "rotate-passwords", &json!({ "reason": " " }));
    assert_eq!(unreasoned.0, 422);
    scene.post(&device, "rotate-passwords", &json!({ "reason": "technician left" }));
    scene.server.kill();
    scene.server.power_on();

    let states = |scene: &Scene| scene.passwords(&device).into_iter().map(|(state, _)| state).collect::<Vec<_>>();
    assert_eq!(states(&scene), ["waiting", "on-phone"]);
    scene.master(OLD, UPDATER);
    assert_eq!(states(&scene), ["waiting", "on-phone"], "a restart before it read them changes nothing");
    let new = scene.passwords(&device)[0].1.clone();
    assert!(scene.settings(OLD).contains(&new) && new != first.1);
    assert_eq!(states(&scene), ["fetched", "on-phone"]);
    scene.master(OLD, AGENT);
    assert_eq!(states(&scene), ["fetched", "on-phone"], "a poll is no restart");
    scene.server.kill();
    scene.server.power_on();
    scene.master(OLD, UPDATER);
    assert_eq!(states(&scene), ["on-phone", "former"]);
    assert!(scene.says(OLD, "Restarted with its new passwords"));
    let by_mac = scene.server.done("POST", &format!("/phones/{OLD}/passwords"), Some(&json!({ "reason": "test" })));
    assert_eq!(text(&by_mac, "admin-password"), new);
    assert!(!scene.server.log().contains(&new));
    let audit = scene.server.done("GET", "/audit", None);
    let reasons: Vec<_> = audit["items"].as_array().unwrap().iter().filter_map(|item| item["why"].as_str()).collect();
    assert!(reasons.contains(&"technician left") && reasons.contains(&"test"), "{reasons:?}");
}

#[test]
fn two_devices_of_one_user_both_come_up_and_one_moves_while_bound() {
    let scene = Scene::new();
    let first = scene.bound("1001", OLD);
    let user = scene.server.done("GET", &format!("/devices/{first}"), None)["user"].clone();
    let device = json!({ "account": scene.home.0, "model": "vvx500", "user": user, "mac": NEW });
    let second = text(&scene.server.done("POST", "/devices", Some(&device)), "id");
    scene.master(NEW, AGENT);
    for mac in [OLD, NEW] {
        assert!(scene.settings(mac).contains("secret-1001"), "{mac}");
    }

    let other = scene.device("1002");
    let other_user = scene.server.done("GET", &format!("/devices/{other}"), None)["user"].clone();
    let assigned = scene.refused(&second, "assign", &json!({ "user": other_user }));
    assert_eq!((assigned.0, text(&assigned.1, "code")), (409, "device-has-phone".to_owned()));
    let moved = scene.server.cli(&["device", "move", &second, "--user", other_user.as_str().unwrap()]);

    assert_eq!(moved.code, 0, "{}", moved.err);
    assert!(scene.settings(NEW).contains("secret-1002") && !scene.settings(NEW).contains("secret-1001"));
    assert!(scene.settings(OLD).contains("secret-1001"));
    assert!(scene.says(NEW, "from extension 1001 to extension 1002"));
}

#[test]
fn an_unassigned_phone_reads_the_bootstrap_and_its_code_is_used_up() {
    let scene = Scene::new();
    let device = scene.device("1001");
    scene.master(OLD, AGENT);
    let code = scene.server.code(&device);
    assert_eq!(scene.server.activate(OLD, &code).status, 200);

    let stock = scene.post(&device, "unassign", &json!({}));

    assert_eq!((text(&stock, "state"), &stock["extension"]), ("added".to_owned(), &Value::Null));
    assert!(scene.settings(OLD).contains("Activate"));
    assert_eq!(scene.server.activate(OLD, &code).status, 409);
    assert_eq!(scene.passwords(&device).len(), 1, "its password is kept");
}

#[test]
fn a_changed_user_and_site_are_in_the_next_configuration() {
    let scene = Scene::new();
    let device = scene.bound("1001", OLD);
    let user = text(&scene.server.done("GET", &format!("/devices/{device}"), None), "user");
    scene.settings(OLD);

    let edited =
        scene.server.cli(&["user", "edit", &user, "--name", "Ada King", "--line", "1001", "--line", "1044:x44"]);
    assert_eq!(edited.code, 0, "{}", edited.err);
    let change = json!({ "sip-servers": [{ "host": "pbx-c.example.com" }], "vlan": 7 });
    scene.server.done("PATCH", &format!("/sites/{}", scene.home.1), Some(&change));

    let configuration = scene.settings(OLD);
    for part in ["Ada King", "secret-1001", "1044", "x44", "pbx-c.example.com"] {
        assert!(configuration.contains(part), "{part}: {configuration}");
    }
    assert!(!configuration.contains("pbx-a.example.com"));
    assert!(scene.says(OLD, "An administrator changed extension 1001"));
    let wrong = scene.server.api("PATCH", &format!("/sites/{}", scene.home.1), Some(&json!({ "vlan": 9999 })));
    assert_eq!((wrong.status, text(&wrong.json()["fields"][0], "field")), (422, "vlan".to_owned()));
    assert_eq!(scene.server.api("DELETE", &format!("/users/{user}"), None).status, 409, "a device is for them");
    scene.post(&device, "release", &json!({}));
    assert_eq!(scene.server.api("DELETE", &format!("/users/{user}"), None).status, 200);
    assert_eq!(scene.server.cli(&["site", "remove", &scene.home.1]).code, 0);
}

#[test]
fn a_device_shows_missed_polls_and_claims_no_registration() {
    let scene = Scene::new();
    let device = scene.bound("1001", OLD);
    let view = || scene.server.done("GET", &format!("/devices/{device}"), None);
    let nobody = json!({ "state": "not observed", "words": "not observed: no connector serves this account" });
    assert_eq!((&view()["missed-polls"], &view()["registered"]), (&json!(0), &nobody));

    scene.server.sql("UPDATE phones SET last_seen_ms = last_seen_ms - 3 * 86400000");

    assert_eq!(view()["missed-polls"], 2);
    assert_eq!(view()["state"], "activated", "liveness is no state");
}
