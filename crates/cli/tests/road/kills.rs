//! A power cut at any instant of a binding or a pin: nothing acknowledged is lost, nothing is half done.

use crate::provost;
use openssl::ssl::{Ssl, SslContext, SslFiletype, SslMethod, SslVerifyMode};
use provost_testkit::{Maker, PhoneKey, TestServer};
use rand::{RngExt, SeedableRng};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Kills in `./test`; `./test --slow` does six times as many.
const KILLS: usize = 500;
const AGENT: &[&str] = &["--user-agent", "FileTransport PolycomVVX-VVX_500-UA/5.9.7.4477 Type/Application"];

/// The longest wait before the kill: about twice what an activation takes.
const LATEST_KILL_US: u64 = 6_000;

struct Candidate {
    mac: String,
    device: String,
    code: String,
}

fn candidates(server: &TestServer, maker: &Maker) -> Vec<Candidate> {
    let (account, site) = server.site();
    // What phones say of themselves is not what is tested here: one proves itself, the others are copied.
    let first = "0004f2000000";
    let seen = server.phone(Some(&maker.phone(first)), &format!("/{first}.cfg"), AGENT);
    assert_eq!(seen.status, 200);
    assert!(server.timeline(first).len() == 1);
    (0..kills())
        .map(|number| {
            let mac = format!("0004f2{number:06x}");
            server.sql(&format!(
                "INSERT OR IGNORE INTO phones SELECT '{mac}', model, firmware, updater, certificate, certificate_note, \
                 fingerprint, address, first_seen_ms, last_seen_ms FROM phones WHERE mac = '{first}'"
            ));
            let device = server.device((&account, &site), &format!("{}", 10_000 + number), "vvx500");
            let code = server.code(&device);
            Candidate { mac, device, code }
        })
        .collect()
}

/// Sends an activation, kills the server after `wait`, and returns whether success was acknowledged.
fn activate_and_kill(server: &mut TestServer, candidate: &Candidate, wait: Duration) -> bool {
    let console = server.address("console");
    let address = console.trim_start_matches("http://").to_owned();
    let body = json!({ "code": candidate.code }).to_string();
    let request = format!(
        "POST /api/v1/phones/{}/activate HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        candidate.mac,
        server.token(),
        body.len()
    );
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    // Not a wait for something to happen: the instant of the power cut is what is varied.
    std::thread::sleep(wait);
    server.kill();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer.starts_with(b"HTTP/1.1 200")
}

/// Binding, used code and timeline entry: all of them or none.
fn is_bound(server: &TestServer, candidate: &Candidate) -> bool {
    let Candidate { mac, device, .. } = candidate;
    let found = server.sql(&format!(
        "SELECT (SELECT COUNT(*) FROM bindings WHERE mac = '{mac}' AND device = '{device}'), \
                (SELECT COUNT(*) FROM codes WHERE device = '{device}' AND used_by = '{mac}'), \
                (SELECT COUNT(*) FROM events WHERE mac = '{mac}' AND kind = 'claim')"
    ));
    match found.as_str() {
        "1|1|1" => true,
        "0|0|0" => false,
        other => panic!("half done: binding, code and timeline of {mac} are {other}"),
    }
}

fn kills() -> usize {
    if std::env::var_os("PROVOST_SLOW").is_some() { 6 * KILLS } else { KILLS }
}

#[test]
fn a_kill_at_any_instant_of_a_binding_loses_nothing_acknowledged_and_leaves_nothing_half_done() {
    let seed = rand::random::<u64>();
    println!("seed {seed}");
    let mut rng = rand::rngs::StdRng::seed_from_u64(seed);
    let maker = Maker::new();
    let mut server = TestServer::start(&provost(), &maker);
    let candidates = candidates(&server, &maker);
    let (mut acknowledged, mut done) = (0, 0);

    for candidate in &candidates {
        let wait = Duration::from_micros(rng.random_range(0..LATEST_KILL_US));
        let promised = activate_and_kill(&mut server, candidate, wait);
        server.power_on();
        let bound = is_bound(&server, candidate);

        assert!(bound || !promised, "{} was told it is bound, and is not", candidate.mac);
        acknowledged += usize::from(promised);
        done += usize::from(bound);
        if !bound {
            let again = server.activate(&candidate.mac, &candidate.code);
            assert_eq!(again.status, 200, "the code of an interrupted binding still works: {}", again.text());
        }
    }

    println!("{} kills: {done} bindings were done, {acknowledged} of them acknowledged", candidates.len());
    assert!(done > candidates.len() / 100 && done < candidates.len(), "the kills missed the binding: {done} were done");
    assert_eq!(server.sql("PRAGMA integrity_check"), "ok");
    configurations_are_whole(&server, &maker, &candidates);
}

/// Some of the phones fetch their configuration twice: it is whole and does not change.
fn configurations_are_whole(server: &TestServer, maker: &Maker, candidates: &[Candidate]) {
    for candidate in candidates.iter().step_by(50) {
        let pair = maker.phone(&candidate.mac);
        let path = format!("/{}-provost.cfg", candidate.mac);
        let first = server.phone(Some(&pair), &path, AGENT);
        assert!(first.text().contains("device.auth.localAdminPassword"), "{}", first.text());
        assert_eq!(server.phone(Some(&pair), &path, AGENT).body, first.body);
    }
}

/// A phone whose MAC is entered with a device beforehand.
struct PreAssigned {
    mac: String,
    device: String,
    phone: SslContext,
}

/// What the database holds of it: bindings to its device, pins, entries about its claim.
type Stored = (usize, String, usize);

impl PreAssigned {
    fn enter(server: &TestServer, maker: &Maker, (account, user): (&str, &str), number: usize) -> Self {
        let mac = format!("0004f2{number:06x}");
        let device = json!({ "account": account, "model": "vvx500", "user": user, "mac": mac });
        let device = server.done("POST", "/devices", Some(&device))["id"].as_str().unwrap().to_owned();
        let PhoneKey { chain, key } = maker.phone(&mac);
        let mut phone = SslContext::builder(SslMethod::tls_client()).unwrap();
        phone.set_verify(SslVerifyMode::NONE);
        phone.set_certificate_chain_file(chain).unwrap();
        phone.set_private_key_file(key, SslFiletype::PEM).unwrap();
        Self { mac, device, phone: phone.build() }
    }

    /// Asks for a file, kills the server after `wait`, and returns the file if all of it had come.
    fn ask_and_kill(&self, server: &mut TestServer, path: &str, wait: Duration) -> Option<String> {
        let address = server.address("phones_https");
        let mut stream = Ssl::new(&self.phone).unwrap().connect(TcpStream::connect(&address).unwrap()).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: {}\r\n\r\n", AGENT[1]);
        stream.write_all(request.as_bytes()).unwrap();
        // Not a wait for something to happen: the instant of the power cut is what is varied.
        std::thread::sleep(wait);
        server.kill();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.strip_prefix("HTTP/1.1 200")?.split_once("\r\n\r\n")?;
        let length = head.split("content-length: ").nth(1)?.lines().next()?;
        (body.len() == length.parse::<usize>().unwrap()).then(|| body.to_owned())
    }

    fn stored(&self, server: &TestServer) -> Stored {
        let Self { mac, device, .. } = self;
        let found = server.sql(&format!(
            "SELECT (SELECT COUNT(*) FROM bindings WHERE mac = '{mac}' AND device = '{device}'), \
                    (SELECT COALESCE(pin || ' ' || pin_address, '') FROM bindings WHERE mac = '{mac}'), \
                    (SELECT COUNT(*) FROM events WHERE mac = '{mac}' AND kind = 'claim')"
        ));
        let columns: Vec<&str> = found.split('|').collect();
        (columns[0].parse().unwrap(), columns[1].to_owned(), columns[2].parse().unwrap())
    }

    fn settings_path(&self) -> String {
        format!("/{}-provost.cfg", self.mac)
    }

    /// The master file, with the server killed meanwhile: the claim is whole, or nothing happened and the phone gets it
    /// when it asks again. Returns whether it was done, and whether the phone had its file.
    fn claim_and_kill(&self, server: &mut TestServer, maker: &Maker, wait: Duration) -> (bool, bool) {
        let master = format!("/{}.cfg", self.mac);
        let promised = self.ask_and_kill(server, &master, wait).is_some();
        server.power_on();
        let bound = match self.stored(server) {
            (1, pin, 1) if pin.is_empty() => true,
            (0, pin, 0) if pin.is_empty() => false,
            other => panic!("half done: bindings, pin and entries of {} are {other:?}", self.mac),
        };
        assert!(bound || !promised, "{} read its master file, and is not bound", self.mac);
        if !bound {
            assert_eq!(server.phone(Some(&maker.phone(&self.mac)), &master, AGENT).status, 200);
            assert_eq!(self.stored(server).0, 1, "a phone whose claim was interrupted is claimed when it asks again");
        }
        (bound, promised)
    }

    /// The first configuration, with the server killed meanwhile: what the phone read is what it gets ever after.
    fn configure_and_kill(&self, server: &mut TestServer, maker: &Maker, wait: Duration) -> (bool, bool) {
        let first_home = server.address("phones_https");
        let read = self.ask_and_kill(server, &self.settings_path(), wait);
        server.power_on();
        let pinned = match self.stored(server) {
            (1, pin, 2) if pin == format!("pinned {first_home}") => true,
            (1, pin, 1) if pin.is_empty() => false,
            other => panic!("half done: bindings, pin and entries of {} are {other:?}", self.mac),
        };
        assert!(pinned || read.is_none(), "{} was told to stay, and that is forgotten", self.mac);
        let again = server.phone(Some(&maker.phone(&self.mac)), &self.settings_path(), AGENT);
        assert_eq!(again.status, 200);
        if let Some(first) = &read {
            for name in ["device.auth.localAdminPassword", "device.auth.localUserPassword", "device.prov.serverName"] {
                assert_eq!(value(first, name), value(&again.text(), name), "{name} of {}", self.mac);
            }
        }
        (pinned, read.is_some())
    }
}

/// What a parameter file sets a parameter to.
fn value(file: &str, name: &str) -> String {
    let after = file.split_once(&format!("{name}=\"")).unwrap_or_else(|| panic!("no {name} in {file}")).1;
    after.split_once('"').unwrap().0.to_owned()
}

#[test]
fn a_kill_at_any_instant_of_a_claim_by_mac_or_of_the_first_configuration_leaves_neither_half_done() {
    let seed = rand::random::<u64>();
    println!("seed {seed}");
    let mut rng = rand::rngs::StdRng::seed_from_u64(seed);
    let maker = Maker::new();
    let mut server = TestServer::start(&provost(), &maker);
    let (account, site) = server.site();
    let line = json!([{ "user": "1001", "password": "secret-1001" }]);
    let user = json!({ "site": site, "name": "Ada", "extension": "1001", "lines": line });
    let user = server.done("POST", "/users", Some(&user))["id"].as_str().unwrap().to_owned();
    let phones: Vec<_> =
        (1..=kills() / 5).map(|number| PreAssigned::enter(&server, &maker, (&account, &user), number)).collect();
    let (mut claims, mut pins) = ((0, 0), (0, 0));

    for phone in &phones {
        let mut wait = || Duration::from_micros(rng.random_range(0..LATEST_KILL_US));
        let claim = phone.claim_and_kill(&mut server, &maker, wait());
        let pin = phone.configure_and_kill(&mut server, &maker, wait());
        for (count, (done, told)) in [(&mut claims, claim), (&mut pins, pin)] {
            *count = (count.0 + usize::from(done), count.1 + usize::from(told));
        }
    }

    println!("{} kills each: {claims:?} claims were done and acknowledged, {pins:?} pins", phones.len());
    for (done, _) in [claims, pins] {
        assert!(done > phones.len() / 50 && done < phones.len(), "the kills missed: {done} were done");
    }
    assert_eq!(server.sql("PRAGMA integrity_check"), "ok");
}
