//! The image store from outside: the real binary, files made by Python's zipfile, sent by curl and the command line.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests: a failure here is a failed test"
)]

mod files;
mod full_disk;
mod refused;
mod store;
mod trouble;

use provost_testkit::{Maker, Provost, Reply, TestServer};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// The binary under test.
fn provost() -> Provost {
    Provost::new(env!("CARGO_BIN_EXE_provost"))
}

fn server() -> TestServer {
    TestServer::start(&provost(), &Maker::new())
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Sends a file by curl, as it is read; `said` is what follows its name in the query.
fn upload(server: &TestServer, token: &str, file: &Path, said: &str) -> Reply {
    let name = file.file_name().unwrap().to_str().unwrap();
    let url = format!("{}/api/v1/firmware/images?name={name}{said}", server.address("console"));
    let bearer = format!("Authorization: Bearer {token}");
    Reply::of(&["--max-time", "180", "--request", "POST", "--header", &bearer, "--upload-file", path(file), &url])
}

fn images(server: &TestServer) -> Vec<Value> {
    server.done("GET", "/firmware/images", None)["items"].as_array().unwrap().clone()
}

/// What lies in the image store.
fn stored(server: &TestServer) -> Vec<String> {
    let entries = fs::read_dir(server.data().join("firmware")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != "lock").collect();
    names.sort();
    names
}

/// Nothing of a refused upload is anywhere.
fn nothing_is_kept(server: &TestServer) {
    assert_eq!(stored(server), Vec::<String>::new());
    assert_eq!(server.sql("SELECT COUNT(*) FROM firmware_images"), "0");
}

/// Asks until it is so.
fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(90), "it never came to this: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
