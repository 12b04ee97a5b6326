//! `provost up`: one command, nothing configured, a phone that works.

use crate::provost;
use provost_testkit::Reply;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

#[test]
fn up_ends_with_a_bound_phone_prints_the_page_and_goes_on_serving() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut child = provost().command().args(["up", "--data"]).arg(&data).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        said.push(line.unwrap());
        if said.last().unwrap().starts_with("The phone is up.") {
            break;
        }
    }
    let last = said.last().cloned().unwrap_or_default();
    assert!(last.starts_with("The phone is up."), "{}", said.join("\n"));
    let console = last.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
    let token = last.split_whitespace().last().unwrap();

    let devices =
        Reply::of(&["--header", &format!("Authorization: Bearer {token}"), &format!("{console}/api/v1/devices")]);

    assert_eq!(devices.json()["items"][0]["state"], "activated", "{}", devices.text());
    assert_eq!(devices.json()["items"][0]["mac"], "0004f2a00001");
    let page = Reply::of(&["--location", &format!("{console}/")]);
    assert!(page.status == 200 && page.text().contains("<html"), "{page:?}");
    for name in ["maker-bundle.crt", "server-root.crt", "0004f2a00001.chain.pem", "0004f2a00001.key"] {
        assert!(data.join("lab").join(name).exists(), "{name} is not in the lab");
    }
    let _ = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(child.wait().unwrap().success());
    what_stands_in_is_said(&said.join("\n"));
}

fn what_stands_in_is_said(said: &str) {
    for part in [
        "stands in",
        "of voice",
        "keys 13 digits",
        "NOTIFY check-sync came",
        "an image of the lab's own form",
        "flashed 3111-48840-001.sip.ld: from 6.4.2",
        "Activate",
        "restarts by itself",
    ] {
        assert!(said.contains(part), "`{part}` is missing in:\n{said}");
    }
}

#[test]
fn up_again_on_the_same_data_brings_up_another_phone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let up = || provost().run(&["up", "--exit", "--data", data.to_str().unwrap()]);

    let (first, second) = (up(), up());

    assert_eq!((first.code, second.code), (0, 0), "{}{}", first.err, second.err);
    assert!(second.out.contains("0004f2a00002"), "{}", second.out);
}

#[test]
fn a_virtual_phone_boots_from_the_command_line_with_the_labs_pair() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let ready = folder.path().join("ready.json");
    let mut up = provost()
        .command()
        .args(["up", "--data"])
        .arg(&data)
        .arg("--ready-file")
        .arg(&ready)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(up.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("The phone is up.")));
    let ready: serde_json::Value = serde_json::from_slice(&std::fs::read(&ready).unwrap()).unwrap();
    let server = format!("https://{}", ready["phones_https"].as_str().unwrap());

    let boot = provost().run(&[
        "phone",
        "boot",
        "--server",
        &server,
        "--model",
        "vvx500",
        "--mac",
        "0004f2b00001",
        "--json",
        "--sntp",
        ready["sntp"].as_str().unwrap(),
        "--data",
        data.to_str().unwrap(),
    ]);

    let _ = std::process::Command::new("kill").args(["-TERM", &up.id().to_string()]).status();
    let _ = up.wait();
    assert_eq!(boot.code, 0, "{}", boot.err);
    let first: serde_json::Value = serde_json::from_str(boot.out.lines().next().unwrap()).unwrap();
    assert_eq!(first["method"], "PUT");
    assert_eq!(first["path"], "/0004f2b00001-boot.log");
    assert_eq!(first["user-agent"], "FileTransport PolycomVVX-VVX_500-UA/5.9.7.47435 Type/Updater");
    for field in ["at", "status", "bytes"] {
        assert!(!first[field].is_null(), "{field} is missing in {first}");
    }
}

#[test]
fn up_leaves_the_data_of_a_real_server_alone() {
    let maker = provost_testkit::Maker::new();
    let mut server = provost_testkit::TestServer::start(&provost(), &maker);
    server.stop();
    let before = server.cli(&["trust", "list", "--json"]).out;

    let up = server.cli(&["up", "--exit"]);

    assert_eq!(up.code, 64, "{}{}", up.out, up.err);
    assert_eq!(server.cli(&["trust", "list", "--json"]).out, before, "no lab's authority is trusted");
    assert!(!server.data().join("lab").exists());
}
