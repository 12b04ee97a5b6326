//! Configuration layers from outside: phones are curl with a factory certificate.

use crate::provost;
use provost_testkit::{Maker, Reply, TestServer};
use serde_json::{Value, json};

const AGENT: &[&str] = &["--user-agent", "FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Application"];
const PHONE: &str = "0004f2000001";

struct Scene {
    maker: Maker,
    server: TestServer,
    account: String,
    site: String,
    device: String,
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

impl Scene {
    /// A VVX 500 bound to a device.
    fn new() -> Self {
        let maker = Maker::new();
        let server = TestServer::start(&provost(), &maker);
        let (account, site) = server.site();
        let device = server.device((&account, &site), "201", "vvx500");
        let scene = Self { maker, server, account, site, device };
        scene.get(&format!("/{PHONE}.cfg"));
        assert_eq!(scene.server.activate(PHONE, &scene.server.code(&scene.device)).status, 200);
        scene
    }

    fn get(&self, path: &str) -> Reply {
        self.server.phone(Some(&self.maker.phone(PHONE)), path, AGENT)
    }

    fn put(&self, path: &str, content: &str) -> Reply {
        let arguments = ["--request", "PUT", "--data-binary", content, AGENT[0], AGENT[1]];
        self.server.phone(Some(&self.maker.phone(PHONE)), path, &arguments)
    }

    /// The configuration as the phone gets it now.
    fn polled(&self) -> String {
        let reply = self.get(&format!("/{PHONE}-provost.cfg"));
        assert_eq!(reply.status, 200);
        reply.text()
    }

    fn set(&self, of: &str, body: &Value) -> Value {
        self.server.done("PATCH", &format!("{of}/configuration"), Some(body))
    }

    fn at(&self, what: &str) -> String {
        format!("/devices/{}/{what}", self.device)
    }

    fn of_device(&self, what: &str) -> Value {
        self.server.done("GET", &self.at(what), None)
    }

    fn effective(&self, parameter: &str) -> Value {
        let all = self.of_device("effective");
        let found = all["items"].as_array().unwrap().iter().find(|item| item["parameter"] == parameter);
        found.cloned().unwrap_or_default()
    }

    fn layers(&self) -> [String; 6] {
        let Self { account, site, device, .. } = self;
        [
            String::new(),
            format!("/accounts/{account}"),
            format!("/sites/{site}"),
            "/models/vvx500".to_owned(),
            format!("/accounts/{account}/models/vvx500"),
            format!("/devices/{device}"),
        ]
    }
}

#[test]
fn each_layer_wins_over_those_before_it_on_the_wire_and_taking_it_back_restores_them() {
    let scene = Scene::new();
    let before = scene.polled();
    assert!(before.contains("nat.keepalive.interval=\"30\""), "{before}");

    for (layer, value) in scene.layers().iter().zip(40..) {
        let shown = scene.set(layer, &json!({ "settings": { "nat.keepalive": value }, "reason": "test" }));
        assert_eq!((&shown["revision"], &shown["reaches"]["devices"]), (&json!(1), &json!(1)), "{shown}");
        let now = scene.polled();
        assert!(now.contains(&format!("nat.keepalive.interval=\"{value}\"")), "{layer}: {now}");
        assert_eq!(now, scene.polled(), "it does not flap");
    }
    let item = scene.effective("nat.keepalive.interval");
    assert_eq!((&item["value"], &item["layer"]), (&json!("45"), &json!("device")));
    let over: Vec<_> = item["overridden"].as_array().unwrap().iter().map(|over| text(over, "value")).collect();
    assert_eq!(over, ["44", "43", "42", "41", "40", "30"]);
    assert_eq!(item["overridden"][2]["origin"]["name"], "Vienna");
    assert_eq!(item["overridden"][3]["origin"]["name"], "Example");

    for layer in scene.layers() {
        let back = scene.server.done("POST", &format!("{layer}/configuration/revert"), None);
        assert_eq!((&back["revision"], &back["settings"]), (&json!(2), &json!({})), "{back}");
    }
    assert_eq!(scene.polled(), before, "the same bytes as ever");
    let history = scene.server.done("GET", &format!("/sites/{}/configuration/history", scene.site), None);
    let items = history["items"].as_array().unwrap();
    assert_eq!((items.len(), &items[0]["restores"], &items[1]["why"]), (2, &json!(0), &json!("test")));
    assert_eq!(
        items[1]["changes"][0],
        json!({ "name": "nat.keepalive", "kind": "setting", "before": null, "after": "42" })
    );
    let audit = scene.server.done("GET", "/audit", None).to_string();
    assert!(
        audit.contains("reverted the configuration of platform to revision 0, as revision 2: nat.keepalive"),
        "{audit}"
    );
}

#[test]
fn what_a_phone_cannot_hold_or_provost_decides_itself_is_refused_by_name_and_nothing_changes() {
    let scene = Scene::new();
    let before = scene.polled();
    let body = json!({
        "settings": { "nat.keepalive": "ten", "line.auth-password": "x", "dscp.sip": 46, "nothing.such": true },
        "raw": { "nat.keepalive.interval": "15", "reg.1.auth.password": "x", "device.set": "1", "a b": "1" },
    });

    let reply = scene.server.api("PATCH", &format!("/sites/{}/configuration", scene.site), Some(&body));

    assert_eq!(reply.status, 422, "{}", reply.text());
    let answer = reply.json();
    let of = |name: &str| {
        let all = answer["fields"].as_array().unwrap();
        let found = all.iter().find(|field| field["field"] == name);
        found.map_or_else(|| panic!("{name} is not in {answer}"), |field| text(field, "message"))
    };
    assert!(of("settings.nat.keepalive").contains("whole number"));
    assert!(of("settings.line.auth-password").contains("user's lines"));
    assert!(of("settings.nothing.such").contains("no setting of the catalog"));
    assert!(of("raw.nat.keepalive.interval").contains("the setting `nat.keepalive`"));
    assert!(of("raw.reg.1.auth.password").contains("user's lines"));
    assert!(of("raw.device.set").contains("written by Provost") && of("raw.a b").contains("no parameter"));
    assert_eq!(answer["fields"].as_array().unwrap().len(), 7);
    assert_eq!(scene.polled(), before);
    let unknown = scene.server.api("PATCH", "/models/vvx999/configuration", Some(&json!({ "settings": {} })));
    assert_eq!(unknown.status, 404);
}

#[test]
fn a_raw_parameter_is_told_as_it_stands_and_a_secret_one_is_hidden_sealed_and_revealed_for_a_reason() {
    let scene = Scene::new();
    let secret = "s3cr3t\"&<> ß";
    let raw = json!({ "device.net.dot1x.password": secret, "up.own": "a\"b" });

    let shown = scene.set(&format!("/sites/{}", scene.site), &json!({ "raw": raw }));

    assert_eq!(shown["raw"]["device.net.dot1x.password"], "(hidden)");
    let warned = shown["warnings"].as_array().unwrap().iter().any(|w| text(w, "message").contains("as it stands"));
    assert!(warned, "{shown}");
    let file = scene.polled();
    assert!(file.contains("up.own=\"a&quot;b\"") && file.contains("device.net.dot1x.password.set=\"1\""), "{file}");
    assert!(file.contains("s3cr3t&quot;&amp;&lt;&gt; ß"), "{file}");
    let stored = scene.server.sql("SELECT * FROM configuration_revisions");
    assert!(!stored.contains("s3cr3t") && !stored.contains("up.own"), "{stored}");
    let history = scene.server.done("GET", &format!("/sites/{}/configuration/history", scene.site), None);
    for masked in [&history, &scene.of_device("effective"), &scene.of_device("fetched-diff")] {
        assert!(!masked.to_string().contains("s3cr3t"), "{masked}");
    }
    let reveal = json!({ "reason": "moving" });
    let layer = scene.server.done("POST", &format!("/sites/{}/configuration/secrets", scene.site), Some(&reveal));
    assert_eq!(layer["raw"]["device.net.dot1x.password"], secret);
    let all = scene.server.done("POST", &scene.at("effective/secrets"), Some(&reveal)).to_string();
    assert!(all.contains("secret-201") && all.contains("s3cr3t"), "{all}");
    let none = scene.server.api("POST", &scene.at("effective/secrets"), Some(&json!({ "reason": " " })));
    assert_eq!(none.status, 422);
    let back = scene.server.api(
        "PATCH",
        &format!("/sites/{}/configuration", scene.site),
        Some(&json!({ "raw": { "device.net.dot1x.password": "(hidden)" } })),
    );
    assert_eq!(back.status, 422, "a mask is no value");
}

#[test]
fn a_preview_is_what_the_phone_gets_after_the_change_and_changes_nothing_itself() {
    let scene = Scene::new();
    let before = scene.polled();
    let change = json!({ "settings": { "nat.keepalive": 20 }, "raw": { "up.own": "1", "codec.none": "x" } });
    let mut asked = change.clone();
    asked["layer"] = json!("site");

    let masked = scene.server.done("POST", &scene.at("preview"), Some(&asked));
    asked["reveal"] = json!("test");
    let shown = scene.server.done("POST", &scene.at("preview"), Some(&asked));

    let changes: Vec<_> =
        masked["changes"].as_array().unwrap().iter().map(|c| (text(c, "parameter"), text(c, "change"))).collect();
    let pair = |name: &str, word: &str| (name.to_owned(), word.to_owned());
    assert_eq!(
        changes,
        [pair("codec.none", "added"), pair("nat.keepalive.interval", "changed"), pair("up.own", "added")]
    );
    assert!(!masked.to_string().contains("secret-201") && masked.to_string().contains("(hidden)"), "{masked}");
    assert_eq!(scene.polled(), before, "nothing was changed");
    scene.set(&format!("/sites/{}", scene.site), &change);
    assert_eq!(text(&shown["files"][1], "content"), scene.polled(), "byte for byte");
    assert_eq!(text(&shown["files"][1], "name"), format!("{PHONE}-provost.cfg"));
    assert_eq!(text(&shown["files"][0], "content"), scene.get(&format!("/{PHONE}.cfg")).text());
    let wrong = json!({ "layer": "site", "settings": { "nat.keepalive": "x" } });
    assert_eq!(scene.server.api("POST", &scene.at("preview"), Some(&wrong)).status, 422);
}

#[test]
fn what_was_fetched_last_is_compared_with_what_would_be_told_now() {
    let scene = Scene::new();
    assert_eq!(scene.of_device("fetched-diff")["state"], "never-fetched");

    scene.polled();
    let same = scene.of_device("fetched-diff");
    assert_eq!((&same["state"], same["items"].as_array().map(Vec::len)), (&json!("same"), Some(0)), "{same}");
    assert!(text(&same, "summary").starts_with("unchanged since fetched at "));
    scene.set(&format!("/accounts/{}", scene.account), &json!({ "settings": { "nat.keepalive": 17 } }));
    let differs = scene.of_device("fetched-diff");
    let wanted = json!({ "parameter": "nat.keepalive.interval", "change": "changed", "before": "30", "after": "17" });
    assert_eq!((&differs["state"], &differs["items"]), (&json!("differs"), &json!([wanted])), "{differs}");
    scene.polled();
    assert_eq!(scene.of_device("fetched-diff")["state"], "same");
    let rows = scene.server.sql("SELECT COUNT(*) FROM fetched_configurations");
    assert_eq!(rows.trim(), "1");
}

#[test]
fn what_was_set_on_the_phone_is_the_topmost_layer_until_it_is_cleared_and_the_phone_fetched_that() {
    let scene = Scene::new();
    let (menu, web) = (format!("/{PHONE}-phone.cfg"), format!("/{PHONE}-web.cfg"));
    let refused = scene.server.api("DELETE", &scene.at("overrides"), None);
    assert_eq!((refused.status, &refused.json()["code"]), (409, &json!("nothing-to-clear")));
    scene.put(&menu, "<PHONE_CONFIG><OVERRIDES up.ring=\"2\" nat.keepalive.interval=\"99\"/></PHONE_CONFIG>");
    scene.put(&web, "<PHONE_CONFIG><OVERRIDES up.ring=\"5\" up.web=\"1\" x.password=\"abc\"/><OVERRIDES broken=");

    let own = scene.of_device("overrides");

    let of =
        |name: &str| own["items"].as_array().unwrap().iter().find(|item| item["parameter"] == name).cloned().unwrap();
    assert_eq!((text(&of("up.ring"), "value"), text(&of("up.ring"), "from")), ("2".into(), "phone menu".into()));
    assert_eq!(of("nat.keepalive.interval")["hides"], "30");
    assert_eq!((text(&of("x.password"), "value"), text(&of("up.web"), "from")), ("(hidden)".into(), "web page".into()));
    assert_eq!(own["files"][1]["is-whole"], false, "{own}");
    let item = scene.effective("nat.keepalive.interval");
    assert_eq!(
        (&item["value"], &item["layer"], &item["overridden"][0]["value"]),
        (&json!("99"), &json!("phone"), &json!("30"))
    );

    let cleared = scene.server.done("DELETE", &scene.at("overrides"), Some(&json!({ "reason": "test" })));
    assert_eq!((&cleared["items"], &cleared["clearing"][0]["state"]), (&json!([]), &json!("waiting")), "{cleared}");
    assert_eq!(scene.effective("nat.keepalive.interval")["value"], "30");
    for path in [&menu, &web] {
        let emptied = scene.get(path);
        assert!(emptied.status == 200 && !emptied.text().contains("up."), "{}", emptied.text());
    }
    let fetched = scene.of_device("overrides");
    assert!(fetched["clearing"].as_array().unwrap().iter().all(|one| one["state"] == "fetched"), "{fetched}");
    scene.put(&menu, "<PHONE_CONFIG><OVERRIDES up.ring=\"3\"/></PHONE_CONFIG>");
    assert_eq!(scene.of_device("overrides")["items"][0]["value"], "3", "what is set after that counts");
    let timeline = scene.server.timeline(PHONE).join("\n");
    assert!(timeline.contains("cleared what was set on this phone itself"), "{timeline}");
}

#[test]
fn nobody_sees_more_of_a_layer_above_than_that_it_is_there() {
    let scene = Scene::new();
    scene.set("", &json!({ "raw": { "own.password": "of-the-server" }, "settings": { "nat.keepalive": 25 } }));
    let token = json!({ "role": "administrator", "account": scene.account });
    let token = text(&scene.server.done("POST", "/tokens", Some(&token)), "token");
    let url = format!("{}/api/v1", scene.server.address("console"));
    let bearer = format!("Authorization: Bearer {token}");
    let ask = |method: &str, path: &str, body: &str| {
        let address = format!("{url}{path}");
        let typed = ["--header", "Content-Type: application/json", "--data-binary", body];
        let mut all = vec!["--request", method, "--header", &bearer];
        all.extend(if body.is_empty() { &[][..] } else { &typed[..] });
        all.push(&address);
        Reply::of(&all)
    };

    let reader = json!({ "role": "read-only", "account": scene.account });
    let reader = text(&scene.server.done("POST", "/tokens", Some(&reader)), "token");
    let guess = format!("{url}{}", scene.at("preview"));
    let header = format!("Authorization: Bearer {reader}");
    let typed = "Content-Type: application/json";
    let body = r#"{"layer":"device","raw":{"own.password":"of-the-server"}}"#;
    let guessed = Reply::of(&["--header", &header, "--header", typed, "--data-binary", body, &guess]);
    assert_eq!(guessed.status, 403, "who may see no secrets may not guess them either: {}", guessed.text());
    assert_eq!(ask("GET", "/configuration", "").status, 403);
    assert_eq!(ask("PATCH", "/configuration", r#"{"settings":{"nat.keepalive":1}}"#).status, 403);
    let revealed = ask("POST", &scene.at("effective/secrets"), r#"{"reason":"test"}"#).text();
    assert!(revealed.contains("secret-201") && !revealed.contains("of-the-server"), "{revealed}");
    assert!(revealed.contains("the whole server"), "{revealed}");
    let changed =
        ask("PATCH", &format!("/accounts/{}/configuration", scene.account), r#"{"settings":{"nat.keepalive":26}}"#);
    assert_eq!(changed.status, 200, "{}", changed.text());
}

#[test]
fn layers_are_shown_set_and_reverted_from_the_command_line() {
    let scene = Scene::new();
    let run = |arguments: &[&str]| {
        let done = scene.server.cli(&[&["configuration"], arguments].concat());
        assert_eq!(done.code, 0, "{arguments:?}: {}", done.err);
        done.out
    };

    let set = run(&["set", "--site", &scene.site, "nat.keepalive=15", "--raw", "up.own=1", "--reason", "test"]);
    assert!(set.contains("nat.keepalive=15") && set.contains("as it stands"), "{set}");
    let preview = run(&["preview", &scene.device, "--layer", "site", "nat.keepalive=16"]);
    assert!(preview.contains("nat.keepalive.interval: 15 -> 16"), "{preview}");
    let files = run(&["preview", &scene.device, "nat.keepalive=16", "--files"]);
    assert!(files.contains("nat.keepalive.interval=\"16\"") && files.contains("<?xml"), "{files}");
    assert!(run(&["effective", &scene.device]).contains("nat.keepalive.interval  15  site  Vienna"));
    run(&["set", "--platform", "nat.keepalive=20"]);
    let hides = run(&["effective", &scene.device]);
    assert!(
        hides.lines().any(|line| line.starts_with("nat.keepalive.interval") && line.ends_with("hides 20 of platform"))
    );
    assert!(run(&["history", "--site", &scene.site]).contains("nat.keepalive: - -> 15"));
    scene.polled();
    assert!(run(&["diff", &scene.device]).contains("unchanged since"));
    run(&["set", "--site", &scene.site, "--unset-raw", "up.own"]);
    run(&["revert", "--site", &scene.site]);
    assert!(run(&["show", "--site", &scene.site]).contains("up.own=1"));
    run(&["revert", "--site", &scene.site, "--to", "0"]);
    assert!(!run(&["show", "--site", &scene.site]).contains("up.own=1"));
    scene.put(&format!("/{PHONE}-phone.cfg"), "<a up.ring=\"2\"/>");
    assert!(run(&["overrides", &scene.device]).contains("up.ring  2  phone menu"));
    assert!(run(&["clear", &scene.device, "--reason", "test"]).contains("it waits for the phone"));
    let refused = scene.server.cli(&["configuration", "set", "--platform", "nat.keepalive=x"]);
    assert!(refused.code != 0 && refused.err.contains("settings.nat.keepalive"), "{}", refused.err);
}
