//! The time: right, modest about its source, and silent when it can't be right.

use crate::provost;
use provost_testkit::{Maker, TestServer, skipped};
use std::net::UdpSocket;
use std::process::Command;
use std::time::Duration;

fn ask(address: &str) -> Option<[u8; 48]> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(1500))).unwrap();
    let mut request = [0u8; 48];
    request[0] = 0x23;
    request[40..48].copy_from_slice(b"originat");
    socket.send_to(&request, address).unwrap();
    let mut reply = [0u8; 48];
    socket.recv(&mut reply).ok().map(|_| reply)
}

fn is_there(program: &str) -> bool {
    Command::new("sh").args(["-c", &format!("command -v {program}")]).output().is_ok_and(|found| found.status.success())
}

#[test]
fn a_request_is_answered_as_rfc_4330_says() {
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);

    let reply = ask(&server.address("sntp")).expect("an answer");

    assert_eq!(reply[0], 0x24, "leap 0, version 4, server");
    assert!((1..=10).contains(&reply[1]), "stratum {}", reply[1]);
    assert_eq!(&reply[24..32], b"originat", "the originate time is the request's transmit time");
}

#[test]
fn chrony_takes_the_time() {
    if !is_there("chronyd") {
        return skipped("chronyd is not installed");
    }
    let maker = Maker::new();
    let server = TestServer::start(&provost(), &maker);
    let address = server.address("sntp");
    let port = address.rsplit(':').next().unwrap();

    let output = Command::new("chronyd")
        .args(["-Q", "-t", "8", "-f", "/dev/null", "-u", "root"])
        .arg(format!("server 127.0.0.1 port {port} iburst maxsamples 1"))
        .output()
        .unwrap();

    let said = String::from_utf8_lossy(&output.stderr);
    let said = format!("{}{said}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success() && said.contains("System clock wrong by"), "{said}");
    let wrong_by = said.split("wrong by ").nth(1).unwrap().split(' ').next().unwrap().parse::<f64>().unwrap();
    assert!(wrong_by.abs() < 0.1, "{said}");
}

#[test]
fn a_clock_before_the_build_date_makes_the_server_silent() {
    if !is_there("faketime") {
        return skipped("faketime is not installed");
    }
    let maker = Maker::new();
    let folder = tempfile::tempdir().unwrap();
    let ready = folder.path().join("ready.json");
    let config = folder.path().join("provost.toml");
    let listen =
        "[listen]\nphones-https = \"127.0.0.1:0\"\nphones-http = \"off\"\nconsole = \"off\"\nsntp = \"127.0.0.1:0\"\n";
    std::fs::write(&config, format!("data-dir = \"data\"\n{listen}")).unwrap();
    drop(maker);

    let mut child = Command::new("faketime")
        .args(["-f", "@2001-01-01 00:00:00", env!("CARGO_BIN_EXE_provost"), "serve", "--config"])
        .arg(&config)
        .arg("--ready-file")
        .arg(&ready)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while !ready.exists() {
        assert!(child.try_wait().unwrap().is_none(), "the server ended");
        std::thread::sleep(Duration::from_millis(5));
    }
    let ready: serde_json::Value = serde_json::from_slice(&std::fs::read(&ready).unwrap()).unwrap();

    let answer = ask(ready["sntp"].as_str().unwrap());

    let pid = ready["pid"].as_u64().unwrap().to_string();
    let _ = Command::new("kill").args(["-TERM", &pid]).status();
    let _ = child.wait();
    assert_eq!(answer, None, "a time that has passed long ago must not be handed out");
}
