//! Broken and hostile messages: answered or ignored, survived, and phones served on.

use crate::caller::Caller;
use crate::line::Scene;
use provost_testkit::shared;
use rand::{RngExt, SeedableRng};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::time::{Duration, Instant};

/// The torture messages of RFC 4475 by name.
fn torture() -> Option<Vec<(String, Vec<u8>)>> {
    let folder = shared()?.join("rfc4475");
    let folder = if folder.is_dir() { folder } else { shared()?.join("data/rfc4475") };
    let mut messages: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect();
    messages.sort();
    Some(messages)
}

pub(crate) fn still_serves(scene: &Scene) {
    assert!(Caller::new(&scene.line).register() > 0);
}

#[test]
fn every_torture_message_is_survived_over_udp_and_tcp() {
    let Some(messages) = torture() else { return };
    let scene = Scene::set();
    assert!(messages.len() >= 49, "{}", messages.len());
    let before = scene.server.resident_kb();

    for (name, message) in &messages {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        udp.send_to(message, scene.line.server).unwrap();
        let mut tcp = TcpStream::connect(scene.line.server).unwrap();
        let _ = tcp.write_all(message);
        tcp.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let _ = tcp.read(&mut [0; 4_096]);
        assert!(!scene.server.log().contains("panicked"), "{name}");
    }

    still_serves(&scene);
    assert!(scene.server.resident_kb() < before + 8_000, "{before} kB became {}", scene.server.resident_kb());
}

#[test]
fn damaged_messages_are_survived_for_as_long_as_they_come() {
    let Some(messages) = torture() else { return };
    let scene = Scene::set();
    let seed = rand::random::<u64>();
    println!("seed {seed}");
    let mut rng = rand::rngs::StdRng::seed_from_u64(seed);
    let time = Duration::from_secs(if std::env::var_os("PROVOST_SLOW").is_some() { 600 } else { 60 });
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    let (began, mut sent, mut settled) = (Instant::now(), 0u64, 0);
    while began.elapsed() < time {
        for _ in 0..200 {
            let mut message = messages[rng.random_range(0..messages.len())].1.clone();
            for _ in 0..rng.random_range(1..8) {
                damage(&mut message, &mut rng);
            }
            let _ = udp.send_to(&message[..message.len().min(65_000)], scene.line.server);
            sent += 1;
        }
        let mut tcp = TcpStream::connect(scene.line.server).unwrap();
        let mut message = messages[rng.random_range(0..messages.len())].1.clone();
        damage(&mut message, &mut rng);
        let _ = tcp.write_all(&message);
        while udp.recv(&mut [0; 65_536]).is_ok() {}
        // Transactions live for half a minute: what is held at a quarter of the time is what it may hold.
        if settled == 0 && began.elapsed() > time / 2 {
            settled = scene.server.resident_kb();
        }
    }
    println!("{sent} damaged messages; {settled} kB at half time, {} kB at the end", scene.server.resident_kb());
    assert!(!scene.server.log().contains("panicked"), "{}", scene.server.log());
    assert!(scene.server.resident_kb() < settled + 40_000, "{settled} kB became {}", scene.server.resident_kb());
    still_serves(&scene);
}

pub(crate) fn damage(message: &mut Vec<u8>, rng: &mut rand::rngs::StdRng) {
    if message.is_empty() {
        return;
    }
    let at = rng.random_range(0..message.len());
    match rng.random_range(0..5) {
        0 => message[at] = rng.random(),
        1 => message.truncate(at),
        2 => {
            message.remove(at);
        }
        3 => message.insert(at, rng.random()),
        _ => {
            let end = (at + rng.random_range(1..64)).min(message.len());
            let piece = message[at..end].to_vec();
            let to = rng.random_range(0..message.len());
            message.splice(to..to, piece);
        }
    }
}

#[test]
fn a_thousand_half_open_connections_cost_less_than_20_kb_each_and_keep_nobody_out() {
    let scene = Scene::set();
    let before = scene.server.resident_kb();

    let half: Vec<TcpStream> = (0..1_000)
        .map(|_| {
            let mut stream = TcpStream::connect(scene.line.server).unwrap();
            // The answer to the ping shows that the connection was taken up; then comes half a message.
            stream.write_all(b"\r\n\r\n").unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            stream.read_exact(&mut [0; 2]).unwrap();
            stream.write_all(b"REGISTER sip:x SIP/2.0\r\nVia: SIP/2.0/TCP ").unwrap();
            stream
        })
        .collect();

    still_serves(&scene);
    let mut another = TcpStream::connect(scene.line.server).unwrap();
    another.write_all(b"\r\n\r\n").unwrap();
    another.read_exact(&mut [0; 2]).unwrap();
    let growth = scene.server.resident_kb().saturating_sub(before);
    println!("1,000 half-open connections: {growth} kB");
    assert!(growth < 20_000, "{growth} kB");
    drop(half);
    still_serves(&scene);
}

#[test]
fn options_needs_no_proof_and_what_is_not_spoken_is_refused_politely() {
    let scene = Scene::set();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let ask = |method: &str| {
        let text = format!(
            "{method} sip:{server} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};rport;branch=z9hG4bK{method}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:x@127.0.0.1>;tag=1\r\nTo: <sip:{server}>\r\nCall-ID: {method}\r\n\
             CSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n",
            server = scene.line.server,
            port = udp.local_addr().unwrap().port()
        );
        udp.send_to(text.as_bytes(), scene.line.server).unwrap();
        let mut answer = [0; 4_096];
        let length = udp.recv(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    };

    let options = ask("OPTIONS");
    assert!(options.starts_with("SIP/2.0 200") && options.contains("\r\nAllow:"), "{options}");
    let subscribe = ask("MESSAGE");
    assert!(subscribe.starts_with("SIP/2.0 405") || subscribe.starts_with("SIP/2.0 501"), "{subscribe}");
}
