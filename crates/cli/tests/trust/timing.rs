//! Whoever is refused learns nothing from how long it took.
//!
//! Probes of every class go over their own keep-alive connections, one round after the other with the classes in random
//! order, so that whatever else the machine does falls on all of them alike.

use crate::phone::{Line, context};
use crate::{is_slow, provost};
use openssl::ssl::SslContext;
use provost_testkit::{Maker, TestServer};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// Bound, with a user.
const BOUND: &str = "0004f2000001";
/// Bound to a device that was disabled.
const DISABLED: &str = "0004f2000002";

const CLASSES: [&str; 7] = [
    "an unknown phone's file",
    "another phone's file",
    "a disabled phone's own file",
    "no certificate",
    "a wrong file",
    "a file of its own that is not there",
    "the same by a phone that nobody knows",
];

/// Rounds on one set of connections: below the thirty requests for others' files that suspend a phone.
const ROUNDS: usize = 25;
/// Sets of connections that ask at the same time; a refusal is mostly waiting.
const STREAMS: usize = 16;

/// Medians may differ by this part of themselves; what a classifier finds is the sharper test.
const MEDIANS_WITHIN: f64 = 0.05;
/// What a classifier may get right, where chance is half.
const GUESSED_AT_MOST: f64 = 0.55;

/// How long each class took in one round, in nanoseconds.
type Round = [u64; CLASSES.len()];

/// A server with a bound and a disabled phone, and a maker for as many others as are wanted.
struct Scene {
    maker: Maker,
    server: TestServer,
    bound: SslContext,
    disabled: SslContext,
    stranger: SslContext,
}

impl Scene {
    fn begin() -> Self {
        let maker = Maker::new();
        let server = TestServer::start(&provost(), &maker);
        let phone = |mac| context(Some(&maker.phone(mac)), |_| {});
        let (bound, disabled, stranger) = (phone(BOUND), phone(DISABLED), context(None, |_| {}));
        let (account, site) = server.site();
        for (mac, phone, extension) in [(BOUND, &bound, "1001"), (DISABLED, &disabled, "1002")] {
            let mut line = Line::open(&server.address("phones_https"), LOOPBACK, phone).unwrap();
            assert_eq!(line.get(&format!("/{mac}.cfg")), Ok(200), "{}", server.log());
            let device = server.device((&account, &site), extension, "vvx500");
            assert_eq!(server.activate(mac, &server.code(&device)).status, 200);
            if mac == DISABLED {
                server.done("POST", &format!("/devices/{device}/disable"), None);
            }
        }
        Self { maker, server, bound, disabled, stranger }
    }

    /// Each class's connection and path. A phone that asks for others' files is a fresh one for each set.
    fn lines(&self, set: usize) -> [(Line, String); CLASSES.len()] {
        let fresh = |kind: u8| context(Some(&self.maker.phone(&format!("0004f2{kind}{set:05x}"))), |_| {});
        let open = |phone: &SslContext, path: String| {
            (Line::open(&self.server.address("phones_https"), LOOPBACK, phone).unwrap(), path)
        };
        // All names are of one length, as an attacker would choose them.
        [
            open(&fresh(1), format!("/0004f2e{set:05x}.cfg")),
            open(&fresh(2), format!("/{BOUND}.cfg")),
            // Not its master file, which would be found among the answers of the last second.
            open(&self.disabled, format!("/{DISABLED}-directory.xml")),
            open(&self.stranger, format!("/{BOUND}.cfg")),
            open(&self.bound, "/settings-old.php".to_owned()),
            open(&self.bound, format!("/{BOUND}.php")),
            open(&fresh(3), format!("/0004f23{set:05x}.php")),
        ]
    }

    /// The timings of one set of connections.
    fn probe_set(&self, set: usize, rng: &mut StdRng) -> Vec<Round> {
        let mut lines = self.lines(set);
        let mut order: [usize; CLASSES.len()] = std::array::from_fn(|class| class);
        let mut rounds = Vec::with_capacity(ROUNDS);
        for round in 0..=ROUNDS {
            order.shuffle(rng);
            let mut took = Round::default();
            for class in order {
                let (line, path) = &mut lines[class];
                let (time, answer) = timed(|| line.ask(path).unwrap());
                took[class] = u64::try_from(time.as_nanos()).unwrap();
                assert_eq!(without_date(&answer), REFUSAL, "{}", CLASSES[class]);
            }
            // The first round finds cold connections.
            if round > 0 {
                rounds.push(took);
            }
        }
        rounds
    }

    /// The timings of so many probes of each class, by set of connections; no two runs share a set.
    fn probe(&self, probes: usize, run: usize, seed: u64) -> Vec<Vec<Round>> {
        let sets = run * probes / ROUNDS..(run + 1) * probes / ROUNDS;
        std::thread::scope(|scope| {
            let stream = |sets: std::iter::StepBy<std::ops::Range<usize>>, number: u64| {
                let mut rng = StdRng::seed_from_u64(seed ^ number);
                sets.map(|set| self.probe_set(set, &mut rng)).collect::<Vec<_>>()
            };
            let streams: Vec<_> = (0..STREAMS)
                .map(|number| {
                    let mine = (sets.start + number..sets.end).step_by(STREAMS);
                    scope.spawn(move || stream(mine, u64::try_from(number).unwrap()))
                })
                .collect();
            streams.into_iter().flat_map(|stream| stream.join().unwrap()).collect()
        })
    }
}

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

const REFUSAL: &str =
    "HTTP/1.1 404 Not Found\r\ncontent-type: text/plain\r\ncontent-length: 10\r\ndate: \r\n\r\nnot found\n";

fn without_date(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer);
    let blank = |line: &str| if line.starts_with("date: ") { "date: ".to_owned() } else { line.to_owned() };
    text.split("\r\n").map(blank).collect::<Vec<_>>().join("\r\n")
}

#[expect(clippy::disallowed_methods, reason = "how long a refusal takes is what is tested")]
fn timed<T>(what: impl FnOnce() -> T) -> (Duration, T) {
    let began = std::time::Instant::now();
    let done = what();
    (began.elapsed(), done)
}

/// A part of the line of times, with the class that was more often in it: what an attacker learns from one half.
struct Classifier {
    /// Where each part but the last ends, and whether the second class is guessed in each.
    ends: Vec<u64>,
    is_second: Vec<bool>,
}

impl Classifier {
    /// Learns from as many times of either class, in so many parts.
    fn learned(first: &[u64], second: &[u64], parts: usize) -> Self {
        let mut all: Vec<u64> = first.iter().chain(second).copied().collect();
        all.sort_unstable();
        let mut ends: Vec<u64> = (1..parts).map(|part| all[part * all.len() / parts]).collect();
        ends.dedup();
        let mut balance = vec![0_i64; ends.len() + 1];
        for (times, weight) in [(first, -1), (second, 1)] {
            for time in times {
                balance[ends.partition_point(|end| end <= time)] += weight;
            }
        }
        Self { ends, is_second: balance.into_iter().map(|balance| balance > 0).collect() }
    }

    /// Learns the one time that parts the two classes best.
    fn threshold(first: &[u64], second: &[u64]) -> Self {
        let mut all: Vec<(u64, i64)> = first.iter().map(|time| (*time, -1)).collect();
        all.extend(second.iter().map(|time| (*time, 1)));
        all.sort_unstable();
        let (mut balance, mut best) = (0_i64, (0_i64, 0));
        for (time, weight) in all {
            balance += weight;
            if balance.abs() > best.0.abs() {
                best = (balance, time + 1);
            }
        }
        Self { ends: vec![best.1], is_second: vec![best.0 > 0, best.0 < 0] }
    }

    /// The part of these times that it guesses right, as many of either class.
    fn guesses(&self, first: &[u64], second: &[u64]) -> f64 {
        let says_second = |time: &&u64| self.is_second[self.ends.partition_point(|end| *end <= **time)];
        let share =
            |right: usize, of: usize| f64::from(u32::try_from(right).unwrap()) / f64::from(u32::try_from(of).unwrap());
        let first_right = first.len() - first.iter().filter(says_second).count();
        let second_right = second.iter().filter(says_second).count();
        (share(first_right, first.len()) + share(second_right, second.len())) / 2.0
    }
}

fn median(mut times: Vec<u64>) -> Duration {
    times.sort_unstable();
    Duration::from_nanos(times[times.len() / 2])
}

/// What an attacker makes of the timings: by what part the largest median is above the smallest, and the best guess of
/// any classifier about any two classes.
#[derive(Debug)]
struct Judgment {
    medians_differ: f64,
    guessed: f64,
    words: String,
}

fn judge(sets: &[Vec<Round>]) -> Judgment {
    let times = |class: usize, half: Option<usize>| -> Vec<u64> {
        let of_half = sets.iter().enumerate().filter(|(set, _)| half.is_none_or(|half| set % 2 == half));
        of_half.flat_map(|(_, rounds)| rounds.iter().map(|round| round[class])).collect()
    };
    let medians: Vec<Duration> = (0..CLASSES.len()).map(|class| median(times(class, None))).collect();
    let medians_differ = medians.iter().max().unwrap().div_duration_f64(*medians.iter().min().unwrap()) - 1.0;
    let mut words: Vec<String> =
        CLASSES.iter().zip(&medians).map(|(class, median)| format!("{class} {median:?}")).collect();
    let mut guessed = 0.0;
    for (first, first_name) in CLASSES.iter().enumerate() {
        for (second, second_name) in CLASSES.iter().enumerate().skip(first + 1) {
            let [learn, test] = [0, 1].map(|half| (times(first, Some(half)), times(second, Some(half))));
            let ways = [
                ("by threshold", Classifier::threshold(&learn.0, &learn.1)),
                ("by parts", Classifier::learned(&learn.0, &learn.1, 16)),
            ];
            for (way, classifier) in ways {
                let right = classifier.guesses(&test.0, &test.1);
                if right > guessed {
                    guessed = right;
                    words.push(format!("{:.1} % {way}: {first_name} or {second_name}", 100.0 * right));
                }
            }
        }
    }
    Judgment { medians_differ, guessed, words: words.join("; ") }
}

impl Judgment {
    fn is_uniform(&self) -> bool {
        self.medians_differ <= MEDIANS_WITHIN && self.guessed < GUESSED_AT_MOST
    }
}

#[test]
fn no_refusal_can_be_told_from_another_by_its_bytes_or_its_time() {
    let seed = u64::from_le_bytes(seed_bytes());
    println!("seed {seed}");
    let scene = Scene::begin();
    let probes = if is_slow() { 20_000 } else { 2_000 };

    let mut sets = scene.probe(probes, 0, seed);
    let mut judgment = judge(&sets);
    if !judgment.is_uniform() {
        // A machine that does much else at the same time: what it did weighs half as much then, a true difference stays.
        println!("once more, for {judgment:?}");
        sets.extend(scene.probe(probes, 1, !seed));
        judgment = judge(&sets);
    }

    println!("{} probes of each class: {}", sets.len() * ROUNDS, judgment.words);
    assert!(judgment.is_uniform(), "{judgment:?}");
}

fn seed_bytes() -> [u8; 8] {
    let mut bytes = [0; 8];
    openssl::rand::rand_bytes(&mut bytes).unwrap();
    bytes
}

/// Times that look like a machine's: a few microseconds of noise, now and then a long one.
fn noise(rng: &mut StdRng) -> u64 {
    let usual = 6_000_000 + rng.random_range(0..80_000_u64);
    if rng.random_range(0..20) == 0 { usual + rng.random_range(0..2_000_000) } else { usual }
}

#[test]
fn the_judge_finds_ten_microseconds_in_noise_and_nothing_where_nothing_is() {
    let mut rng = StdRng::seed_from_u64(1);
    let mut sets = |slower: u64| -> Vec<Vec<Round>> {
        let mut round = || std::array::from_fn(|class| noise(&mut rng) + if class == 2 { slower } else { 0 });
        (0..80).map(|_| (0..ROUNDS).map(|_| round()).collect()).collect()
    };

    assert!(judge(&sets(0)).is_uniform());
    assert!(!judge(&sets(10_000)).is_uniform());
}
