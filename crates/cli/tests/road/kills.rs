//! A power cut at any instant of a binding: nothing acknowledged is lost, nothing is half done.

use crate::provost;
use provost_testkit::{Maker, TestServer};
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
    assert!(done > candidates.len() / 20 && done < candidates.len(), "the kills missed the binding: {done} were done");
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
