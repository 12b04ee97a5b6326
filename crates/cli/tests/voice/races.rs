//! Keys over a bad network, many calls at once, and nonces that live long.

use crate::caller::Caller;
use crate::keypad::{key, key_well};
use crate::line::{Line, Scene, until};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[test]
fn one_press_is_one_digit_though_packets_are_tripled_and_out_of_order() {
    let scene = Scene::set();
    let mut rng = rand::rngs::StdRng::seed_from_u64(7);
    let mut caller = Caller::new(&scene.line);

    caller.call();
    key(&caller, &scene.code, |mut packets| {
        packets.extend(packets.clone());
        packets.extend(packets.clone());
        packets.shuffle(&mut rng);
        packets
    });

    caller.is_asked("BYE");
    assert_eq!(scene.state(&scene.device), "activated");
}

#[test]
fn a_code_arrives_though_three_packets_in_ten_are_lost() {
    let scene = Scene::set();
    let seed = rand::random::<u64>();
    println!("seed {seed}");
    let mut rng = rand::rngs::StdRng::seed_from_u64(seed);
    let mut caller = Caller::new(&scene.line);

    caller.call();
    key(&caller, &scene.code, |mut packets| {
        // Of six packets all are lost once in 1,400 presses; a person would key such a digit again.
        let spared = rng.random_range(0..packets.len());
        let mut number = 0;
        packets.retain(|_| {
            number += 1;
            number - 1 == spared || rng.random_bool(0.7)
        });
        packets
    });

    caller.is_asked("BYE");
    assert_eq!(scene.state(&scene.device), "activated");
}

/// Between two packets.
const SPACING: Duration = Duration::from_millis(20);
/// As far as 99 of 100 packets may come too early or too late.
const JITTER: Duration = Duration::from_millis(5);
/// A machine that is later than this by itself, with nothing of ours in the way, is too busy to be measured on strictly.
const OWN_JITTER: Duration = Duration::from_millis(2);
const WINDOW: Duration = Duration::from_secs(3);
/// Windows looked at: callers who key nothing are hung up on after three quarters of a minute.
const WINDOWS: usize = 8;

/// Of these the 99th of 100.
fn p99(mut late: Vec<Duration>) -> Duration {
    late.sort();
    late[late.len() * 99 / 100]
}

/// Lets time pass until there was a window in which a thread that only waits was woken in time, or else takes the
/// calmest of all; returns its beginning, and how late such a thread was in it. How late the machine itself is says
/// nothing about the server.
fn window_to_measure_in() -> (Instant, Duration) {
    let mut calmest: Option<(Instant, Duration)> = None;
    for _ in 0..WINDOWS {
        let began = Instant::now();
        let mut late = Vec::new();
        while began.elapsed() < WINDOW {
            let asleep = Instant::now();
            std::thread::sleep(SPACING);
            late.push(asleep.elapsed() - SPACING);
        }
        let own = p99(late);
        if calmest.is_none_or(|(_, before)| own < before) {
            calmest = Some((began, own));
        }
        if own < OWN_JITTER {
            break;
        }
    }
    calmest.unwrap()
}

#[test]
fn fifty_calls_at_once_are_all_answered_and_heard_without_a_gap() {
    let scene = Scene::set();
    let lines: Vec<(Line, String, String)> = (0..50)
        .map(|number| {
            let line = Line::of(&scene.server, &scene.maker, &format!("0004f20001{number:02x}"));
            let (device, code) = scene.another(&format!("{}", 2_000 + number), "vvx500");
            (line, device, code)
        })
        .collect();

    let (answered, measured) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (began, own, arrivals) = std::thread::scope(|threads| {
        let calls: Vec<_> = lines
            .iter()
            .map(|(line, _, code)| {
                let (answered, measured) = (&answered, &measured);
                threads.spawn(move || {
                    let mut caller = Caller::new(line);
                    caller.call();
                    answered.fetch_add(1, Ordering::Relaxed);
                    // From the first packet on: one that waits here would be taken for one that came late.
                    let arrivals = caller.listen_while(|| !measured.load(Ordering::Relaxed));
                    key_well(&caller, code);
                    caller.is_asked("BYE");
                    arrivals
                })
            })
            .collect();
        until(|| (answered.load(Ordering::Relaxed) == lines.len()).then_some(())).expect("fifty answers");
        let (began, own) = window_to_measure_in();
        measured.store(true, Ordering::Relaxed);
        let arrivals: Vec<Vec<Instant>> = calls.into_iter().map(|call| call.join().unwrap()).collect();
        (began, own, arrivals)
    });

    for (_, device, _) in &lines {
        assert_eq!(scene.state(device), "activated");
    }
    let within = |at: &Instant| (began..began + WINDOW).contains(at);
    let gaps = arrivals.iter().flat_map(|call| call.windows(2).filter(|pair| pair.iter().all(within)));
    let off: Vec<Duration> = gaps.map(|pair| (pair[1] - pair[0]).abs_diff(SPACING)).collect();
    let (packets, worst, p99) = (off.len(), off.iter().max().copied(), p99(off));
    println!(
        "{packets} packets, 99 of 100 within {p99:?} of {SPACING:?}, the worst {worst:?}; a thread that waits: {own:?}"
    );
    assert!(packets > 50 * 140, "only {packets} packets came");
    // A packet passes two threads that the machine may wake late: the sender's and the listener's.
    let excused = if own < OWN_JITTER { Duration::ZERO } else { own * 2 };
    assert!(p99 < JITTER + excused, "{p99:?} where a thread that only waits is {own:?} late");
}

#[test]
fn a_nonce_is_good_beyond_its_256th_use() {
    let scene = Scene::set();
    let mut caller = Caller::new(&scene.line);

    let counts: Vec<u32> = (0..300).map(|_| caller.register()).collect();

    assert!(counts.iter().any(|count| *count > 0x100), "the nonce was replaced after {:?} uses", counts.iter().max());
}
