//! Broken and hostile messages of somebody who has proven a line and is in a call, and on the call's voice port.

use crate::caller::Caller;
use crate::ear::Ear;
use crate::hostile::{damage, still_serves};
use crate::keypad::key_well;
use crate::line::{Line, Scene};
use crate::wire::Wire;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use std::net::UdpSocket;
use std::time::{Duration, Instant};

/// Callers at once.
const ATTACKERS: u64 = 3;
/// Rounds in one call, if it lasts; then the phone crashes and calls anew.
const ROUNDS: usize = 200;
/// The longest anybody may wait for an answer to a call meanwhile: a flood fills the server's buffers, and what is lost
/// there is sent again half a second, one, two and four later.
const PATIENCE: Duration = Duration::from_secs(20);

const METHODS: [&str; 12] =
    ["INVITE", "INVITE", "UPDATE", "UPDATE", "INFO", "INFO", "INFO", "ACK", "OPTIONS", "PRACK", "REFER", "BYE"];
const NUMBERS: [&str; 7] = ["0", "-1", "2147483648", "4294967295", "4294967296", "99999999999999999999", "x"];
/// Lines of session descriptions, most of them wrong. Addresses are this machine's own, for the voice may go there.
const LINES: [&str; 22] = [
    "c=IN IP4 127.0.0.1",
    "c=IN IP4 0.0.0.0",
    "c=IN IP6 ::1",
    "c=IN IP4 localhost",
    "m=audio 0 RTP/AVP 0",
    "m=audio 9 RTP/AVP",
    "m=audio 99999 RTP/AVP 0 8 101",
    "m=audio 9/2 RTP/AVP 0 0 0 0 8 8 101 255 256 -1",
    "m=audio 9 RTP/SAVP 0",
    "m=video 9 RTP/AVP 31",
    "m=",
    "a=ptime:0",
    "a=ptime:65535",
    "a=ptime:1",
    "a=rtpmap:0 telephone-event/8000",
    "a=rtpmap:101 PCMU/8000",
    "a=rtpmap:101 telephone-event/0",
    "a=fmtp:101 0-255,,-",
    "a=inactive",
    "a=sendonly",
    "a=sendrecv",
    "t=0 0",
];

/// A request of the call that is wrong somewhere, or right.
fn message(caller: &mut Caller, rng: &mut StdRng) -> Vec<u8> {
    let method = *METHODS.choose(rng).unwrap();
    let body = match method {
        // No digits: three attackers who key all the time would find well-formed codes and use up their tries.
        "INFO" => {
            format!("Signal={}\r\nDuration=160\r\n", ["*", "#", "A", "10", "11", "16", "*#", ""].choose(rng).unwrap())
        }
        "INVITE" | "UPDATE" if rng.random_bool(0.5) => {
            let lines = (0..rng.random_range(0..12)).map(|_| *LINES.choose(rng).unwrap());
            format!("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n{}\r\n", lines.collect::<Vec<_>>().join("\r\n"))
        }
        "INVITE" | "UPDATE" => caller.offer(),
        _ => String::new(),
    };
    let mut text = caller.within(method, &body);
    if rng.random_bool(0.1) {
        let name = *["CSeq: ", "Content-Length: ", "Max-Forwards: "].choose(rng).unwrap();
        let (before, after) = text.split_once(name).unwrap();
        let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
        text = format!("{before}{name}{}{after}", NUMBERS.choose(rng).unwrap());
    }
    let mut bytes = text.into_bytes();
    // Half of them whole, so that the call comes into every state there is.
    if rng.random_bool(0.5) {
        for _ in 0..rng.random_range(1..5) {
            damage(&mut bytes, rng);
        }
    }
    bytes
}

/// Whether every address in it for the voice is this machine's own, or none at all.
fn stays_here(message: &[u8]) -> bool {
    let text = String::from_utf8_lossy(message);
    let address = |line: &str| line.split_whitespace().last().and_then(|last| last.parse::<std::net::IpAddr>().ok());
    text.lines().filter_map(address).all(|ip| ip.is_loopback() || ip.is_unspecified())
}

/// A packet for the voice port: no RTP, broken RTP, another payload, or an event that no key makes.
fn noise(rng: &mut StdRng) -> Vec<u8> {
    let mut packet = vec![0x80, 101];
    packet.extend(rng.random::<[u8; 10]>());
    match rng.random_range(0..6) {
        0 => packet = (0..rng.random_range(0..1_600)).map(|_| rng.random()).collect(),
        1 => packet.truncate(rng.random_range(0..12)),
        2 => packet[0] = rng.random(),
        3 => packet[1] = rng.random(),
        _ => {}
    }
    if rng.random_bool(0.7) {
        // `*`, `#`, A to D and what is no key; a duration of any length, ended or not, and volumes there are none of.
        let code = [10, 11, 12, 15, 16, 17, 255][rng.random_range(0..7)];
        packet.extend([code, rng.random(), rng.random(), rng.random()]);
        let length = packet.len() - rng.random_range(0..4);
        packet.truncate(length);
    }
    packet
}

/// Calls, rages, and calls anew until the time is over; returns how many messages and packets that were, and the
/// longest wait for an answer to a call.
fn rages(line: &Line, seed: u64, time: Duration) -> (u64, Duration) {
    let mut rng = StdRng::seed_from_u64(seed);
    let (began, mut sent, mut longest) = (Instant::now(), 0, Duration::ZERO);
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    while began.elapsed() < time {
        let calling = Instant::now();
        let mut caller = Caller::with(line, Wire::udp());
        caller.call();
        longest = longest.max(calling.elapsed());
        caller.rtp.set_nonblocking(true).unwrap();
        for _ in 0..rng.random_range(1..ROUNDS) {
            let bytes = message(&mut caller, &mut rng);
            if stays_here(&bytes) {
                caller.wire.send(&bytes, line.server);
            }
            for _ in 0..4 {
                caller.send_media(&noise(&mut rng));
                let _ = stranger.send_to(&noise(&mut rng), caller.media);
            }
            sent += 9;
            while caller.rtp.recv(&mut [0; 2_048]).is_ok() {}
            let over = |text: &str| text.starts_with("BYE ") || text.starts_with("SIP/2.0 481");
            if caller.wire.drain().iter().any(|message| over(&message.first)) {
                break;
            }
        }
    }
    (sent, longest)
}

#[test]
fn damage_within_calls_and_on_their_voice_ports_is_survived_and_others_are_activated() {
    let scene = Scene::set();
    let seed = rand::random::<u64>() >> 1;
    println!("seed {seed}");
    let time = Duration::from_secs(if std::env::var_os("PROVOST_SLOW").is_some() { 600 } else { 10 });
    let lines: Vec<Line> = (0..ATTACKERS)
        .map(|number| Line::of(&scene.server, &scene.maker, &format!("0004f20003{number:02x}")))
        .collect();
    let mut settled = 0;

    let (sent, longest) = std::thread::scope(|threads| {
        let attackers: Vec<_> =
            (0..).zip(&lines).map(|(number, line)| threads.spawn(move || rages(line, seed + number, time))).collect();
        // Transactions live for half a minute: what is held at half time is what it may hold.
        std::thread::sleep(time / 2);
        settled = scene.server.resident_kb();
        let ends =
            attackers.into_iter().map(|attacker| attacker.join().unwrap_or_else(|_| panic!("{}", scene.server.log())));
        ends.fold((0, Duration::ZERO), |(sent, longest), (more, wait)| (sent + more, longest.max(wait)))
    });

    let after = scene.server.resident_kb();
    println!(
        "{sent} messages and packets, calls answered within {longest:?}, {settled} kB at half time, {after} kB at the end"
    );
    let log = scene.server.log();
    assert!(!log.contains("panicked") && !log.contains("broke its own handling"), "{log}");
    assert!(longest < PATIENCE, "{longest:?}");
    assert!(after < settled + 40_000, "{settled} kB became {after}");
    still_serves(&scene);
    let mut caller = Caller::with(&scene.line, Wire::udp());
    caller.call();
    let _ear = Ear::of(&caller);
    key_well(&caller, &scene.code);
    caller.is_asked("BYE");
    assert_eq!(scene.state(&scene.device), "activated");
}
