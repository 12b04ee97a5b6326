//! Moving house: phones are led from one `public-url` to another, each once, and followed until they arrived.

use crate::provost;
use provost_catalog::Catalog;
use provost_core::time::UnixMillis;
use provost_phone::{DeviceCertificate, Flash, Hardware, Outcome, Pem, Phone, PhoneSetup};
use provost_pki::authority::{ServerAuthority, ServerKeyKind, Validity};
use provost_testkit::{Maker, Reply, ServerSetup, TestServer};
use serde_json::Value;
use std::io::copy;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

const MAC: &str = "0004f2000001";
const OTHER: &str = "0004f2000002";
const AGENT: &[&str] = &["--user-agent", "FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Application"];
const OLD: &str = "https://old.example";
const NEW: &str = "https://new.example";
/// Another provider's name, which leads here.
const ELSEWHERE: &str = "https://third.example";

fn setup(top: &str) -> ServerSetup {
    ServerSetup { top: top.to_owned(), sections: String::new() }
}

/// Starts the server again with another top of its configuration.
fn restart_with(server: &mut TestServer, (old, new): (&str, &str)) {
    server.stop();
    let text = std::fs::read_to_string(server.configuration()).unwrap();
    assert!(text.contains(old), "{text}");
    std::fs::write(server.configuration(), text.replace(old, new)).unwrap();
    server.power_on();
}

fn one(url: &str) -> String {
    format!("public-url = \"{url}\"")
}

fn both(new: &str, old: &str) -> String {
    format!("public-url = [\"{new}\", \"{old}\"]")
}

/// A phone asks by this name; curl compares it with the certificate, which no name of another provider stands in.
fn ask_at(server: &TestServer, maker: &Maker, (at, mac, path): (&str, &str, &str)) -> Reply {
    let pair = maker.phone(mac);
    let (root, door) = (server.root(), format!("::{}", server.address("phones_https")));
    let files = [root.to_str().unwrap(), pair.chain.to_str().unwrap(), pair.key.to_str().unwrap()];
    let (url, header) = match at {
        ELSEWHERE => (format!("{OLD}{path}"), "Host: third.example"),
        _ => (format!("{at}{path}"), "Accept: */*"),
    };
    let mut all = vec!["--connect-to", &door, "--cacert", files[0], "--cert", files[1], "--key", files[2]];
    all.extend(AGENT);
    all.extend(["--header", header]);
    all.push(&url);
    Reply::of(&all)
}

fn configuration_at(server: &TestServer, maker: &Maker, (at, mac): (&str, &str)) -> String {
    assert_eq!(ask_at(server, maker, (at, mac, &format!("/{mac}.cfg"))).status, 200);
    let reply = ask_at(server, maker, (at, mac, &format!("/{mac}-provost.cfg")));
    assert_eq!(reply.status, 200, "{}", reply.trouble);
    reply.text()
}

/// Binds both phones, which ask at these addresses for the first time.
fn two_bound_phones(server: &TestServer, maker: &Maker, at: [&str; 2]) -> [String; 2] {
    let (account, site) = server.site();
    [(MAC, at[0], "1001"), (OTHER, at[1], "1002")].map(|(mac, at, extension)| {
        let device = server.device((&account, &site), extension, "vvx500");
        configuration_at(server, maker, (at, mac));
        assert_eq!(server.activate(mac, &server.code(&device)).status, 200);
        configuration_at(server, maker, (at, mac))
    })
}

fn progress(server: &TestServer, mac: &str) -> Value {
    server.done("GET", &format!("/phones/{mac}"), None)["move"].clone()
}

fn summary(server: &TestServer) -> Value {
    server.done("GET", "/move", None)
}

fn not_arrived(server: &TestServer) -> Vec<(String, String)> {
    let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    summary(server)["items"].as_array().unwrap().iter().map(|item| (text(item, "mac"), text(item, "state"))).collect()
}

fn sentences(server: &TestServer, mac: &str, part: &str) -> usize {
    server.timeline(mac).iter().filter(|sentence| sentence.contains(part)).count()
}

#[test]
fn a_phone_of_the_old_name_is_told_the_new_one_once_and_counts_as_moved_when_it_was_seen_there() {
    let maker = Maker::new();
    let mut server = TestServer::start_with(&provost(), &maker, &setup(&one(OLD)));
    let [before, other_before] = two_bound_phones(&server, &maker, [OLD, ELSEWHERE]);
    assert!(before.contains("device.prov.serverName=\"old.example\"") && !other_before.contains("prov.serverName"));
    assert_eq!(progress(&server, MAC), Value::Null, "nothing moves yet");

    restart_with(&mut server, (&one(OLD), &both(NEW, OLD)));
    assert_eq!(progress(&server, MAC)["state"], "not-yet-told");
    let told = configuration_at(&server, &maker, (OLD, MAC));
    let wanted = before.replace("old.example", "new.example");
    assert_eq!(told, wanted, "server and time server are others now, all else is the same");
    assert!(told.contains("device.prov.serverName=\"new.example\""), "{told}");
    assert_eq!(configuration_at(&server, &maker, (ELSEWHERE, OTHER)), other_before, "not a byte differs");
    assert_eq!(progress(&server, MAC)["state"], "told");
    assert_eq!(summary(&server)["counts"]["told"], 1);

    server.kill();
    server.power_on();
    assert_eq!(progress(&server, MAC)["state"], "told", "a restart forgets nothing");
    assert_eq!(configuration_at(&server, &maker, (NEW, MAC)), told, "and changes nothing");
    let arrived = progress(&server, MAC);
    assert_eq!((&arrived["state"], &arrived["from"]), (&"arrived".into(), &"old.example".into()), "{arrived}");
    for at in [OLD, NEW, ELSEWHERE] {
        assert_eq!(configuration_at(&server, &maker, (at, MAC)), told, "served at every name, the same");
    }
    assert_eq!([sentences(&server, MAC, "told to move"), sentences(&server, MAC, "It arrived")], [1, 1]);
    assert!(not_arrived(&server).is_empty());
    let shown = server.cli(&["move"]);
    assert!(
        shown.out.contains("Everyone arrived") && shown.out.contains("old.example can be retired"),
        "{}",
        shown.out
    );
}

#[test]
fn a_phone_that_never_arrives_is_served_at_the_old_name_and_listed_with_what_to_look_at() {
    let maker = Maker::new();
    let mut server = TestServer::start_with(&provost(), &maker, &setup(&one(OLD)));
    two_bound_phones(&server, &maker, [OLD, OLD]);
    restart_with(&mut server, (&one(OLD), &both(NEW, OLD)));
    let told = configuration_at(&server, &maker, (OLD, MAC));
    assert_eq!(sentences(&server, MAC, "asked at old.example again"), 0, "it has not started over yet");

    for _ in 0..2 {
        assert_eq!(configuration_at(&server, &maker, (OLD, MAC)), told, "it is served, and nothing flaps");
    }
    assert_eq!(sentences(&server, MAC, "asked at old.example again"), 1);
    let expected = [(MAC, "told"), (OTHER, "not-yet-told")].map(|(mac, state)| (mac.to_owned(), state.to_owned()));
    assert_eq!(not_arrived(&server), expected);
    let phone = progress(&server, MAC);
    assert!(!phone["came-back-at"].is_null() && phone["arrived-at"].is_null(), "{phone}");
    assert!(phone["sentence"].as_str().unwrap().contains("try https://new.example/ from its network"), "{phone}");
    let shown = server.cli(&["move"]);
    assert!(shown.out.contains("1 not told yet, 1 told and not seen there yet"), "{}", shown.out);

    restart_with(&mut server, (&both(NEW, OLD), &both(OLD, NEW)));
    let back = configuration_at(&server, &maker, (OLD, MAC));
    assert_eq!(back, told.replace("new.example", "old.example"), "whoever swaps the names leads it back");
    configuration_at(&server, &maker, (OLD, MAC));
    assert_eq!(progress(&server, MAC)["state"], "arrived");
    assert_eq!(progress(&server, OTHER), Value::Null, "it never left");
}

/// A bootstrap without the port of the voice, which is another after each start of a test server.
fn without_voice_port(text: &str) -> String {
    let name = "reg.1.server.1.port=\"";
    let Some((before, rest)) = text.split_once(name) else { return text.to_owned() };
    format!("{before}{name}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()))
}

#[test]
fn an_unclaimed_phone_keeps_its_bootstrap_and_one_claimed_at_the_old_name_is_pinned_to_the_new() {
    let maker = Maker::new();
    let mut server = TestServer::start_with(&provost(), &maker, &setup(&one(OLD)));
    let before = configuration_at(&server, &maker, (OLD, MAC));
    restart_with(&mut server, (&one(OLD), &both(NEW, OLD)));
    let same = configuration_at(&server, &maker, (OLD, MAC));
    assert_eq!(without_voice_port(&same), without_voice_port(&before));

    let [pinned, _] = two_bound_phones(&server, &maker, [OLD, NEW]);

    assert!(pinned.contains("device.prov.serverName=\"new.example\""), "{pinned}");
    assert!(sentences(&server, MAC, "came in at old.example, the former address") == 1);
    assert_eq!(not_arrived(&server), [(MAC.to_owned(), "told".to_owned())]);
    assert_eq!(progress(&server, OTHER), Value::Null, "it lives at the new name from the start");
}

/// The files of a certificate for these names, put in place of those before.
fn put_certificate(folder: &Path, authority: &ServerAuthority, names: &[&str]) {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let today = clock().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
    let validity = Validity::days_from(UnixMillis(i64::try_from(today).unwrap()), 900);
    let issued = authority.issue(&names, ServerKeyKind::Rsa2048, validity).unwrap();
    std::fs::write(folder.join("server.key"), issued.key_pem.reveal()).unwrap();
    std::fs::write(folder.join("server.crt"), issued.chain_pem).unwrap();
}

#[test]
fn nobody_is_told_a_name_until_the_certificate_holds_it() {
    let maker = Maker::new();
    let folder = tempfile::tempdir().unwrap();
    let validity = Validity::days_from(UnixMillis(0), 36_500);
    let authority = ServerAuthority::generate("Test Server Root", validity).unwrap();
    put_certificate(folder.path(), &authority, &["old.example"]);
    let files = ["server.crt", "server.key"].map(|name| folder.path().join(name));
    let sections = format!("[tls]\ncertificate = {:?}\nkey = {:?}\n", files[0], files[1]);
    let mut server = TestServer::start_with(&provost(), &maker, &ServerSetup { top: one(OLD), sections });
    std::fs::create_dir_all(server.root().parent().unwrap()).unwrap();
    std::fs::write(server.root(), &authority.root_pem).unwrap();
    let [before, _] = two_bound_phones(&server, &maker, [OLD, OLD]);
    restart_with(&mut server, (&one(OLD), &both(NEW, OLD)));

    let checked = server.cli(&["check"]);
    assert!(checked.out.contains("does not hold new.example"), "{}", checked.out);
    assert!(checked.out.contains("curl https://new.example/"), "what to try: {}", checked.out);
    assert!(!checked.out.contains("does not hold old.example"), "{}", checked.out);
    let held = summary(&server);
    assert!(held["held"].as_str().unwrap().contains("does not hold new.example"), "{held}");
    assert_eq!(configuration_at(&server, &maker, (OLD, MAC)), before, "it stays as it is");

    put_certificate(folder.path(), &authority, &["old.example", "new.example"]);
    server.signal("HUP");
    let released = (0..5_000).any(|_| summary(&server)["held"].is_null());
    assert!(released, "{}", server.log());
    assert_eq!(
        configuration_at(&server, &maker, (OLD, MAC)),
        before.replace("old.example", "new.example"),
        "the move goes on by itself"
    );
}

#[test]
fn check_names_both_addresses_and_provosts_own_certificates_hold_them() {
    let maker = Maker::new();
    let server = TestServer::start_with(&provost(), &maker, &setup(&both(NEW, OLD)));

    let checked = server.cli(&["check"]);

    assert_eq!(checked.code, 0, "{}", checked.err);
    assert!(checked.out.contains(&format!("phones move from {OLD} to {NEW}")), "{}", checked.out);
    assert!(checked.out.contains("the certificates hold new.example and old.example"), "{}", checked.out);
}

/// An address that stays while the server behind it starts again, and that can be shut as a firewall would.
struct Door {
    address: String,
    behind: Arc<Mutex<Option<String>>>,
}

impl Door {
    fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let behind = Arc::new(Mutex::new(None::<String>));
        let leads = Arc::clone(&behind);
        std::thread::spawn(move || {
            for came in listener.incoming().flatten() {
                let to = leads.lock().unwrap().clone();
                if let Some(there) = to.and_then(|to| TcpStream::connect(to).ok()) {
                    join(came, there);
                }
            }
        });
        Self { address, behind }
    }

    fn lead_to(&self, server: &TestServer) {
        *self.behind.lock().unwrap() = Some(server.address("phones_https"));
    }

    fn shut(&self) {
        *self.behind.lock().unwrap() = None;
    }

    fn named(&self, host: &str) -> String {
        self.address.replace("127.0.0.1", host)
    }
}

fn join(one: TcpStream, other: TcpStream) {
    for (mut from, mut to) in [(one.try_clone().unwrap(), other.try_clone().unwrap()), (other, one)] {
        std::thread::spawn(move || {
            let _ = copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "a phone's clock in a test is this machine's")]
fn clock() -> SystemTime {
    SystemTime::now()
}

fn virtual_phone(server: &TestServer, maker: &Maker, server_url: String) -> Phone {
    let pair = maker.phone(MAC);
    let setup = PhoneSetup {
        catalog: Arc::new(Catalog::built_in().unwrap()),
        model: "vvx500".to_owned(),
        mac: MAC.parse().unwrap(),
        firmware: None,
        hardware: Hardware::default(),
        image_key: None,
        server_url,
        network: None,
        certificate: Some(DeviceCertificate { chain: Pem::File(pair.chain), key: Pem::File(pair.key) }),
        authorities: Some(Pem::File(server.root())),
        sntp: None,
        flash: Flash::in_memory(),
        clock,
    };
    Phone::new(setup).unwrap()
}

#[test]
fn a_phone_moves_with_exactly_one_restart_and_then_asks_at_the_new_address() {
    let maker = Maker::new();
    let (old_door, new_door) = (Door::open(), Door::open());
    let (old, new) = (old_door.address.clone(), new_door.named("localhost"));
    let [old_url, new_url] = [&old, &new].map(|at| format!("https://{at}"));
    let mut server = TestServer::start_with(&provost(), &maker, &setup(&one(&old_url)));
    old_door.lead_to(&server);
    let (account, site) = server.site();
    let device = server.device((&account, &site), "1001", "vvx500");
    let mut phone = virtual_phone(&server, &maker, old_url.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(phone.boot(&mut |_| {})).unwrap();
    assert_eq!(server.activate(MAC, &server.code(&device)).status, 200);
    assert_eq!(runtime.block_on(phone.poll(&mut |_| {})).unwrap().restarts, 1);
    assert_eq!(phone.effective()["device.prov.serverName"], old);

    restart_with(&mut server, (&one(&old_url), &both(&new_url, &old_url)));
    old_door.lead_to(&server);
    new_door.lead_to(&server);
    let moved = runtime.block_on(phone.poll(&mut |_| {})).unwrap();

    assert_eq!((moved.outcome, moved.restarts), (Outcome::Configured, 1), "exactly one restart");
    assert_eq!(phone.effective()["device.prov.serverName"], new);
    assert_eq!(progress(&server, MAC)["state"], "arrived", "its restart asked there");
    old_door.shut();
    for _ in 0..2 {
        let quiet = runtime.block_on(phone.poll(&mut |_| {})).unwrap();
        assert_eq!((quiet.outcome, quiet.restarts, quiet.changed), (Outcome::Configured, 0, false));
    }
    assert_eq!(sentences(&server, MAC, "again"), 0);
}
