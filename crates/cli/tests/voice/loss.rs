//! Whole calls over a network that loses what phones and the server say to each other.

use crate::caller::Caller;
use crate::ear::{Ear, recording};
use crate::keypad::{key, key_well};
use crate::line::{Line, Scene};
use crate::network::{Lost, Network};
use crate::wire::Wire;
use rand::{RngExt, SeedableRng};
use std::time::{Duration, Instant};

const CALLS: u32 = 20;
/// What is lost of SIP.
const SIGNALING: f64 = 0.3;
/// What is lost of the keys: more, so that whole presses are.
const KEYS: f64 = 0.5;
/// A reminder comes after ten seconds of silence; BYE after six of good news, and only once the ACK and itself have come
/// through, of which each try may be four seconds after the one before.
const PATIENCE: Duration = Duration::from_secs(60);
/// Enough of a recording to know it by, so that one lost packet of its two seconds matters seldom.
const EXCERPT: std::ops::Range<usize> = 4_000..5_600;

/// How one try to key a code ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    HungUpOn,
    /// The voice asked for the code again, and said why.
    AskedAgain,
}

/// Keys the code as a person does, `#` after it, and hears what comes of it.
fn try_code(caller: &Caller, ear: &Ear, code: &str, rng: &mut rand::rngs::StdRng) -> End {
    let since = ear.now();
    key(caller, &format!("*{code}#"), |mut packets| {
        packets.retain(|_| !rng.random_bool(KEYS));
        packets
    });
    let asked_again =
        ["wrong-length", "mistyped", "go-on", "code-unknown"].map(|name| recording(name)[EXCERPT].to_vec());
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Some(message) = caller.receive().filter(|message| message.first.starts_with("BYE ")) {
            caller.agrees(&message);
            return End::HungUpOn;
        }
        if asked_again.iter().any(|words| ear.finds(since, words).is_some()) {
            return End::AskedAgain;
        }
    }
    panic!("the caller was left in silence");
}

/// One phone's evening; returns how often it had to key its code.
fn activates(line: &Line, code: &str, (number, lost): (u32, &Lost)) -> usize {
    let network = Network::to(line.server, (u64::from(number), SIGNALING), lost);
    let line = Line { server: network.address, ..line.clone() };
    let mut rng = rand::rngs::StdRng::seed_from_u64(u64::from(number));
    Caller::with(&line, Wire::udp()).register();
    if number.is_multiple_of(2) {
        let mut caller = Caller::with(&line, Wire::udp());
        caller.call();
        assert_eq!(caller.hangs_up(), 200);
        assert_eq!(caller.dialogues(), 1);
    }
    let mut caller = Caller::with(&line, Wire::udp());
    caller.call();
    // The voice goes past the lossy network: what is said must be recognized.
    let ear = Ear::of(&caller);
    let tries = (1..=8).find(|_| try_code(&caller, &ear, code, &mut rng) == End::HungUpOn);
    assert_eq!(caller.dialogues(), 1, "a repeated INVITE began another dialogue");
    tries.expect("eight tries were not enough")
}

#[test]
fn calls_over_a_network_that_loses_three_messages_in_ten_end_in_activation_or_are_asked_again() {
    let scene = Scene::set();
    let lost = Lost::default();
    let phones: Vec<(Line, String, String)> = (0..CALLS)
        .map(|number| {
            let line = Line::of(&scene.server, &scene.maker, &format!("0004f20002{number:02x}"));
            let (device, code) = scene.another(&format!("{}", 2_000 + number), "vvx500");
            (line, device, code)
        })
        .collect();

    let tries: Vec<usize> = std::thread::scope(|threads| {
        let calls: Vec<_> = (0..)
            .zip(&phones)
            .map(|(number, (line, _, code))| {
                let lost = &lost;
                threads.spawn(move || activates(line, code, (number, lost)))
            })
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });

    for (_, device, _) in &phones {
        assert_eq!(scene.state(device), "activated");
    }
    let lost = lost.lock().unwrap();
    println!("codes were keyed {tries:?} times; lost {lost:?}");
    for kind in ["REGISTER", "INVITE", "401", "200", "ACK", "BYE"] {
        assert!(lost.contains_key(kind), "no {kind} was ever lost: {lost:?}");
    }
    assert!(tries.iter().any(|tries| *tries > 1), "no press was ever lost");
}

#[test]
fn an_invite_repeated_before_and_after_its_answer_is_one_call() {
    let scene = Scene::set();
    let mut caller = Caller::with(&scene.line, Wire::udp());
    let contact = scene.line.contact.clone();
    let invitation = caller.proven_invitation(&contact);
    for _ in 0..5 {
        caller.send(&invitation);
    }
    let answer = caller.exchange(&invitation);
    caller.send(&invitation);
    caller.established(&answer);
    let ear = Ear::of(&caller);
    for _ in 0..5 {
        caller.send(&invitation);
    }

    key_well(&caller, &scene.code);
    caller.is_asked("BYE");

    assert_eq!(caller.dialogues(), 1);
    let packets = ear.packets();
    assert!(packets.iter().all(|packet| packet.ssrc == packets[0].ssrc), "two voices spoke");
    assert_eq!(scene.state(&scene.device), "activated");
}
