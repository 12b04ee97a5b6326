//! The procedures of the virtual phone's scripts at the real server: what the tests of the phone cannot show, since their
//! servers decide nothing.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests: a failure here is a failed test")]

use provost_testkit::{Finished, Maker, Provost, TestServer};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

const MAC: &str = "0004f2a00045";

/// The binary under test.
fn provost() -> Provost {
    Provost::new(env!("CARGO_BIN_EXE_provost"))
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../phone/scripts").join(name)
}

/// Carries a script out on a phone of this model at the server, with what else it is told.
fn carried_out(server: &TestServer, maker: &Maker, (name, model): (&str, &str), more: &[&str]) -> Finished {
    let pair = maker.phone(MAC);
    let url = format!("server=https://{}", server.address("phones_https"));
    let (file, root) = (script(name), server.root());
    let sntp = server.address("sntp");
    let mut arguments = vec!["phone", "script", file.to_str().unwrap(), "--model", model, "--mac", MAC, "--pace", "50"];
    arguments.extend(["--sntp", &sntp, "--set", &url, "--cert", pair.chain.to_str().unwrap()]);
    arguments.extend(["--key", pair.key.to_str().unwrap(), "--ca", root.to_str().unwrap()]);
    arguments.extend(more);
    provost().run(&arguments)
}

/// The code as the device report shows it, digits alone.
fn code_of_report(server: &TestServer) -> String {
    let shown = server.done("GET", "/devices", None)["items"][0]["activation-code"]["shown"].clone();
    shown.as_str().unwrap().chars().filter(char::is_ascii_digit).collect()
}

fn activates(model: &str) {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let (account, site) = server.site();
    let device = server.device((&account, &site), "1001", model);
    server.code(&device);
    let code = format!("code={}", code_of_report(&server));

    let done = carried_out(&server, &maker, ("activation.script", model), &["--set", &code, "--set", "label=1001"]);

    assert_eq!(done.code, 0, "{}\n{}\n{}", done.out, done.err, server.log());
    assert_eq!(server.done("GET", &format!("/devices/{device}"), None)["state"], "activated");
    assert!(!done.out.contains(&code[5..]), "a code is nothing for the screen: {}", done.out);
}

#[test]
fn the_code_of_the_device_report_is_keyed_into_a_vvx_450() {
    activates("vvx450");
}

#[test]
fn the_code_of_the_device_report_is_keyed_into_a_vvx_500() {
    activates("vvx500");
}

#[test]
fn the_code_of_the_device_report_is_keyed_into_a_soundpoint_ip_550() {
    activates("spip550");
}

#[test]
fn a_wrong_code_leaves_the_phone_unclaimed_and_the_script_says_what_it_saw() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let (account, site) = server.site();
    let device = server.device((&account, &site), "1001", "vvx450");
    server.code(&device);

    let wrong = ["--set", "code=0000000000000", "--set", "label=1001"];
    let done = carried_out(&server, &maker, ("activation.script", "vvx450"), &wrong);

    assert_eq!(done.code, 1, "{}", done.out);
    for words in ["activation.script:17: expect line", "in step 4", "found: the line keys are \"Activate\""] {
        assert!(done.err.contains(words), "{words}: {}", done.err);
    }
    assert_eq!(server.done("GET", &format!("/devices/{device}"), None)["state"], "assigned");
}

#[test]
fn three_families_of_phones_come_up_at_once_and_the_figures_add_up() {
    let folder = tempfile::tempdir().unwrap();
    let (data, ready) = (folder.path().join("data"), folder.path().join("ready.json"));
    let mut up = provost().command();
    let up = up.args(["up", "--data"]).arg(&data).arg("--ready-file").arg(&ready).stdout(Stdio::piped());
    let mut up = up.spawn().unwrap();
    let mut said = BufReader::new(up.stdout.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().starts_with("The phone is up.")));
    let ready: Value = serde_json::from_slice(&std::fs::read(&ready).unwrap()).unwrap();
    let url = format!("https://{}", ready["phones_https"].as_str().unwrap());

    let models = "vvx450,vvx500,spip550";
    let data = data.to_str().unwrap();
    let done =
        provost().run(&["fleet", "--phones", "60", "--server", &url, "--models", models, "--json", "--data", data]);

    let _ = std::process::Command::new("kill").args(["-TERM", &up.id().to_string()]).status();
    assert!(up.wait().unwrap().success());
    assert_eq!(done.code, 0, "{}\n{}", done.out, done.err);
    let figures: Value = serde_json::from_str(done.out.lines().last().unwrap()).unwrap();
    assert_eq!((&figures["booted"], &figures["polls"]), (&60.into(), &60.into()), "{figures}");
    assert_eq!(figures["failures"], serde_json::json!({}), "{figures}");
}
