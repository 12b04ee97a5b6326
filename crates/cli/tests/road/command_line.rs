//! The command line: the API thinly, exit codes, JSON.

use crate::provost;
use provost_testkit::{Maker, TestServer, shared};
use serde_json::{Value, json};
use std::fs;

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn walk_by_commands(server: &TestServer) -> (Value, Value) {
    let run = |arguments: &[&str]| {
        let done = server.cli(&[arguments, &["--json"]].concat());
        assert_eq!(done.code, 0, "{arguments:?}: {}", done.err);
        value(&done.out)
    };
    let account = run(&["account", "create", "--name", "Example"]);
    let account = account["id"].as_str().unwrap();
    let site = run(&[
        "site",
        "create",
        "--account",
        account,
        "--name",
        "Vienna",
        "--time-zone",
        "Europe/Vienna",
        "--sip-server",
        "pbx.example.com:5061/tls",
        "--sip-server",
        "[2001:db8::1]",
    ]);
    let user = run(&[
        "user",
        "create",
        "--site",
        site["id"].as_str().unwrap(),
        "--name",
        "Ada",
        "--extension",
        "1001",
        "--line",
        "1001:pass:word",
    ]);
    let device =
        run(&["device", "create", "--account", account, "--model", "vvx450", "--user", user["id"].as_str().unwrap()]);
    let code = run(&["code", "issue", device["id"].as_str().unwrap()]);
    assert_eq!(site["sip-servers"][1], json!({ "host": "[2001:db8::1]", "port": 5060, "transport": "udp" }));
    assert_eq!(code["code"].as_str().unwrap().len(), 13);
    (device, run(&["device", "list"]))
}

#[test]
fn the_commands_work_beside_a_running_server_through_its_socket() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);

    let (device, list) = walk_by_commands(&server);

    assert_eq!(list["items"][0]["id"], device["id"]);
    assert_eq!(server.done("GET", "/devices", None), list, "the same answer over HTTP");
    let remote =
        provost().run(&["device", "list", "--json", "--server", &server.address("console"), "--token", server.token()]);
    assert_eq!(value(&remote.out), list);
}

#[test]
fn the_commands_work_on_the_folder_itself_when_nobody_holds_it() {
    let maker = Maker::new();
    let mut server = TestServer::start(&provost(), &maker);
    server.stop();

    let (device, list) = walk_by_commands(&server);

    assert_eq!(list["items"][0]["id"], device["id"]);
    assert_eq!(list["items"][0]["state"], "assigned");
}

#[test]
fn exit_codes_tell_usage_configuration_and_failure_apart() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);

    assert_eq!(provost().run(&["nonsense"]).code, 64);
    assert_eq!(provost().run(&["serve", "--no-such-option"]).code, 64);
    assert_eq!(provost().run::<&str>(&[]).code, 64);
    assert_eq!(provost().run(&["--help"]).code, 0);
    assert_eq!(provost().run(&["check", "--config", "/nowhere/provost.toml"]).code, 78);
    let missing = server.cli(&["code", "issue", "device_01jd0000000000000000000000"]);
    assert_eq!(missing.code, 1);
    assert!(missing.err.contains("there is no device"), "{}", missing.err);
    let fields = server.cli(&["site", "create", "--account", "account_x", "--name", "X", "--time-zone", "Mars/Base"]);
    assert!(fields.err.contains("account") && fields.err.contains("time-zone"), "{}", fields.err);
}

#[test]
fn every_command_has_help_with_an_example() {
    for command in [
        vec!["up"],
        vec!["serve"],
        vec!["check"],
        vec!["models"],
        vec!["trust", "list"],
        vec!["trust", "import"],
        vec!["phone", "boot"],
        vec!["phone", "image"],
        vec!["account", "create"],
        vec!["site", "create"],
        vec!["user", "create"],
        vec!["device", "create"],
        vec!["code", "issue"],
        vec!["timeline"],
        vec!["activate"],
        vec!["strangers"],
        vec!["token", "create"],
        vec!["device", "assign"],
        vec!["device", "disable"],
        vec!["device", "list"],
    ] {
        let help = provost().run(&[command.clone(), vec!["--help"]].concat());
        assert_eq!(help.code, 0, "{command:?}");
        assert!(help.out.contains("Example"), "{command:?} has no example:\n{}", help.out);
    }
}

#[test]
fn models_are_listed_as_an_array() {
    let models = value(&provost().run(&["models", "--json"]).out);

    let ids: Vec<_> = models.as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
    for id in ["spip550", "vvx450", "vvx500"] {
        assert!(ids.contains(&id), "{ids:?}");
    }
}

#[test]
fn the_true_makers_authorities_import_and_one_changed_byte_does_not() {
    let Some(shared) = shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let import = |file: &std::path::Path| {
        provost().run(&["trust", "import", "--data", data.to_str().unwrap(), file.to_str().unwrap()])
    };

    for entry in fs::read_dir(shared.join("data/poly-ca")).unwrap() {
        let path = entry.unwrap().path();
        let imported = import(&path);
        assert_eq!(imported.code, 0, "{}: {}", path.display(), imported.err);
        let changed = folder.path().join("changed.pem");
        let text = fs::read_to_string(&path).unwrap();
        let place = text.len() / 2;
        let other = if text.as_bytes()[place] == b'A' { "B" } else { "A" };
        fs::write(&changed, format!("{}{other}{}", &text[..place], &text[place + 1..])).unwrap();
        assert_eq!(import(&changed).code, 1, "one changed byte");
    }

    let list = provost().run(&["trust", "list", "--json", "--data", data.to_str().unwrap()]);
    let states: Vec<_> = value(&list.out).as_array().unwrap().iter().map(|a| a["state"].clone()).collect();
    assert_eq!(states, [json!("imported"), json!("imported"), json!("imported"), json!("imported")]);
}

#[test]
fn an_authority_the_catalog_does_not_pin_needs_custom() {
    let maker = Maker::new();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let bundle = maker.bundle();

    let refused = provost().run(&["trust", "import", "--data", data, bundle.to_str().unwrap()]);

    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("--custom"), "{}", refused.err);
}
