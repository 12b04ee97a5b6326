//! Which phone is named which image when, and what it gets: the real binary over real sockets, asked by curl with clients'
//! certificates.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests: a failure here is a failed test"
)]

mod door;
mod image;
mod policy;
mod rights;

use provost_testkit::{Maker, PhoneKey, Provost, Reply, TestServer};
use serde_json::{Value, json};

const MAC: &str = "0004f2000014";
const OTHER: &str = "0004f2000015";
const PART: &str = "3111-48840-001";
const OLD: &str = "6.4.8.1";
const NEW: &str = "6.4.8.2";

/// The binary under test.
fn provost() -> Provost {
    Provost::new(env!("CARGO_BIN_EXE_provost"))
}

/// An image as it is put into the store.
struct Image<'a> {
    id: &'a str,
    kind: &'a str,
    part: Option<&'a str>,
    name: &'a str,
    version: &'a str,
    bytes: Vec<u8>,
}

impl<'a> Image<'a> {
    /// The application of a part.
    fn of(id: &'a str, part: &'a str, version: &'a str) -> Self {
        Self { id, kind: "application", part: Some(part), name: "sip.ld", version, bytes: content(id) }
    }
}

/// Bytes that are not those of another image: more than one piece of the store's.
fn content(seed: &str) -> Vec<u8> {
    let mut state = seed.bytes().fold(7u64, |all, byte| all.wrapping_mul(31).wrapping_add(u64::from(byte)));
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        u8::try_from(state >> 56).unwrap()
    };
    (0..700_001).map(|_| next()).collect()
}

fn sha256(path: &std::path::Path) -> String {
    let output = std::process::Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap().to_owned()
}

/// Puts images into the store of a server that is stopped meanwhile.
fn stock(server: &mut TestServer, images: &[Image<'_>]) {
    assert_eq!(server.stop(), Some(0));
    let folder = server.data().join("firmware");
    std::fs::create_dir_all(&folder).unwrap();
    for image in images {
        let path = folder.join("new");
        std::fs::write(&path, &image.bytes).unwrap();
        let digest = sha256(&path);
        std::fs::rename(&path, folder.join(format!("{digest}.image"))).unwrap();
        let (id, kind, version, bytes) = (image.id, image.kind, image.version, image.bytes.len());
        let part = image.part.map_or("NULL".to_owned(), |part| format!("'{part}'"));
        let name = image.part.map_or(image.name.to_owned(), |part| format!("{part}.{}", image.name));
        server.sql(&format!(
            "INSERT INTO firmware_images (id, name, kind, part, line, version, sha256, bytes, object, source, put_by, put_ms) \
             VALUES ('{id}', '{name}', '{kind}', {part}, NULL, '{version}', '{digest}', {bytes}, '{digest}', 'test', 'test', 1)"
        ));
    }
    server.power_on();
}

/// A server with the image of a VVX 450 that is newer than what its phones run.
fn stocked(maker: &Maker) -> TestServer {
    let mut server = TestServer::start(&provost(), maker);
    stock(&mut server, &[Image::of("image_new", PART, NEW)]);
    server
}

fn agent(version: &str, program: &str) -> String {
    format!("FileTransport PolycomVVX-VVX_450-UA/{version} Type/{program}")
}

/// A VVX 450 asks.
fn ask(server: &TestServer, pair: &PhoneKey, (path, version): (&str, &str), more: &[&str]) -> Reply {
    let agent = agent(version, "Application");
    server.phone(Some(pair), path, &[&["--user-agent", &agent], more].concat())
}

/// The image its master file names, when it runs this.
fn named(server: &TestServer, (pair, mac): (&PhoneKey, &str), version: &str) -> String {
    let reply = ask(server, pair, (&format!("/{mac}.cfg"), version), &[]);
    assert_eq!(reply.status, 200, "{}", reply.text());
    image_in(&reply.text())
}

fn image_in(master: &str) -> String {
    let rest = master.split_once("APP_FILE_PATH=\"").unwrap().1;
    rest.split_once('"').unwrap().0.to_owned()
}

/// The phone loads its image, does not take it, and goes on with its files.
fn declines(server: &TestServer, (pair, mac): (&PhoneKey, &str)) {
    assert_eq!(ask(server, pair, (&own_image(), OLD), &[]).status, 200);
    assert_eq!(ask(server, pair, (&format!("/{mac}-provost.cfg"), OLD), &[]).status, 200);
}

fn own_image() -> String {
    format!("/{PART}.sip.ld")
}

/// What of an answer must be the same for every refusal.
fn without_date(reply: &Reply) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let headers = reply.headers.iter().filter(|(name, _)| name != "date").cloned().collect();
    (reply.status, headers, reply.body.clone())
}

/// The refusal that all others must equal: a stranger asks for nothing in particular.
fn refusal(server: &TestServer) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let reply = without_date(&server.phone(None, "/", &[]));
    assert_eq!(reply.0, 404);
    reply
}

/// A VVX 450 of a new user that names its phone beforehand; returns its id.
fn device_for(server: &TestServer, (account, site): (&str, &str), (extension, mac): (&str, &str)) -> String {
    let line = json!({ "user": extension, "password": format!("secret-{extension}") });
    let user = json!({ "site": site, "name": "Ada", "extension": extension, "lines": [line] });
    let user = server.done("POST", "/users", Some(&user));
    let device = json!({ "account": account, "model": "vvx450", "user": user["id"], "mac": mac });
    server.done("POST", "/devices", Some(&device))["id"].as_str().unwrap().to_owned()
}

/// A phone that is in use: claimed, and it has read its configuration.
fn in_use(server: &TestServer, maker: &Maker, (device, mac): (&str, &str)) -> PhoneKey {
    let pair = maker.phone(mac);
    let keep = json!({ "site": site_of(server, device), "target": "keep", "reason": "until it is in use" });
    let policy = server.done("POST", "/firmware/policies", Some(&keep));
    assert_eq!(named(server, (&pair, mac), OLD), "");
    assert_eq!(ask(server, &pair, (&format!("/{mac}-provost.cfg"), OLD), &[]).status, 200);
    server.done("DELETE", &format!("/firmware/policies/{}?reason=used", policy["id"].as_str().unwrap()), None);
    // What a phone fetched is written after the answer; whoever reads a timeline waits for it.
    server.timeline(mac);
    pair
}

fn site_of(server: &TestServer, device: &str) -> String {
    server.sql(&format!("SELECT u.site FROM devices d JOIN persons u ON u.id = d.person WHERE d.id = '{device}'"))
}

fn set_policy(server: &TestServer, fields: &Value) -> Value {
    let mut body = json!({ "window": "always", "target": "newest", "reason": "test" });
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    server.done("POST", "/firmware/policies", Some(&body))
}

fn has(timeline: &[String], words: &str) -> bool {
    timeline.iter().any(|sentence| sentence.contains(words))
}

/// What a subcommand prints as JSON.
fn command(server: &TestServer, arguments: &[&str]) -> Value {
    let done = server.cli(&[arguments, &["--json"]].concat());
    assert_eq!(done.code, 0, "{arguments:?}: {}", done.err);
    serde_json::from_str(&done.out).unwrap_or_else(|error| panic!("{error}: {}", done.out))
}
