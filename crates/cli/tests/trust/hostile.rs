//! Strangers who want the server down: it goes on serving a good phone, and its memory stays bounded.

use crate::phone::{Line, context, socket};
use crate::{is_slow, provost};
use openssl::ssl::{Ssl, SslContext, SslMethod, SslVerifyMode};
use provost_testkit::{Maker, TestServer};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const MAC: &str = "0004f2000004";

/// Half of the deadline for a handshake; it takes milliseconds on a machine that does nothing else.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What a test does to the server's numbers.
struct Siege {
    server: TestServer,
    phone: SslContext,
    before_kb: u64,
}

fn from(group: u8, number: usize) -> IpAddr {
    let [_, _, high, low] = u32::try_from(number).unwrap().to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(127, group, high, low.max(1)))
}

impl Siege {
    fn begin() -> Self {
        let maker = Maker::new();
        let server = TestServer::start(&provost(), &maker);
        let phone = context(Some(&maker.phone(MAC)), |_| {});
        let siege = Self { server, phone, before_kb: 0 };
        siege.phone_is_served();
        let before_kb = siege.server.resident_kb();
        Self { before_kb, ..siege }
    }

    fn address(&self) -> String {
        self.server.address("phones_https")
    }

    /// A good phone gets its file over a new connection.
    fn phone_is_served(&self) {
        let status = Line::open(&self.address(), from(200, 1), &self.phone)
            .and_then(|mut line| line.get(&format!("/{MAC}.cfg")));
        assert_eq!(status, Ok(200), "{}", self.server.log());
    }

    /// Runs `attack` while a good phone asks again and again; both say how often.
    fn while_served(&self, attack: impl FnOnce() -> usize) -> String {
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let phone = scope.spawn(|| {
                let (mut served, mut longest) = (0, Duration::ZERO);
                loop {
                    longest = longest.max(timed(|| self.phone_is_served()));
                    served += 1;
                    if over.load(Ordering::Relaxed) {
                        return (served, longest);
                    }
                    std::thread::sleep(Duration::from_millis(20));
                }
            });
            let attack = std::panic::catch_unwind(std::panic::AssertUnwindSafe(attack));
            over.store(true, Ordering::Relaxed);
            let (served, longest) = phone.join().unwrap();
            let attacks = attack.unwrap();
            assert!(longest < LONGEST_WAIT, "the good phone waited {longest:?}");
            format!("{attacks} attacks, {served} answers to the good phone, {longest:?} at most")
        })
    }

    /// How much more memory the server holds than before.
    fn grown_kb(&self) -> u64 {
        self.server.resident_kb().saturating_sub(self.before_kb)
    }

    fn end(&mut self, what: &str, grown_kb: u64, most_kb: u64) {
        println!("{what}; {} kB before, {grown_kb} kB more, at most {most_kb} kB", self.before_kb);
        assert!(grown_kb < most_kb, "{what}: {grown_kb} kB more than the {} kB before", self.before_kb);
        self.phone_is_served();
        assert!(!self.server.log().contains("panicked"), "{}", self.server.log());
        assert_eq!(self.server.stop(), Some(0), "{}", self.server.log());
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a phone waits is what is tested")]
fn timed(what: impl FnOnce()) -> Duration {
    let began = std::time::Instant::now();
    what();
    began.elapsed()
}

/// Numbers that look random and are the same for the same seed (xorshift64*).
struct Random(u64);

impl Random {
    /// Seeded anew each time; the seed is printed, and a failing one can be put in its place.
    fn seeded() -> Self {
        let seed = u64::from_le_bytes(rand_bytes());
        println!("seed {seed}");
        Self(seed | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }
}

fn rand_bytes() -> [u8; 8] {
    let mut bytes = [0; 8];
    openssl::rand::rand_bytes(&mut bytes).unwrap();
    bytes
}

/// A socket that keeps what is written and has nothing to read.
#[derive(Debug, Default)]
struct Recorder(Vec<u8>);

impl Read for Recorder {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

impl Write for Recorder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The first message of a client with these suites.
fn hello(suites: &str) -> Vec<u8> {
    let mut client = SslContext::builder(SslMethod::tls_client()).unwrap();
    client.set_verify(SslVerifyMode::NONE);
    client.set_cipher_list(&format!("{suites}:@SECLEVEL=0")).unwrap();
    if suites == "AES128-SHA" {
        client.set_max_proto_version(Some(openssl::ssl::SslVersion::TLS1_2)).unwrap();
    }
    match Ssl::new(&client.build()).unwrap().connect(Recorder::default()) {
        Err(openssl::ssl::HandshakeError::WouldBlock(half)) => half.get_ref().0.clone(),
        other => panic!("{other:?}"),
    }
}

/// A hello with a few things wrong, or nothing but chance.
fn damaged(random: &mut Random, hellos: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = hellos[random.below(hellos.len())].clone();
    match random.below(6) {
        0 => bytes.truncate(random.below(bytes.len())),
        1 => bytes = (0..random.below(2_000)).map(|_| random.byte()).collect(),
        2 => {
            let at = random.below(bytes.len());
            let more: Vec<u8> = (0..random.below(20_000)).map(|_| random.byte()).collect();
            bytes.splice(at..at, more);
        }
        3 => bytes = bytes.iter().chain(&bytes).copied().collect(),
        _ => {
            for _ in 0..=random.below(8) {
                let at = random.below(bytes.len());
                bytes[at] = random.byte();
            }
        }
    }
    bytes
}

#[test]
fn damaged_hellos_are_survived() {
    let mut siege = Siege::begin();
    let mut random = Random::seeded();
    let hellos = ["DEFAULT", "AES128-SHA", "ECDHE-RSA-AES128-SHA"].map(hello);
    let times = if is_slow() { 400_000 } else { 20_000 };

    let what = siege.while_served(|| {
        for number in 0..times {
            let bytes = damaged(&mut random, &hellos);
            let mut socket = socket(&siege.address(), from(1, number % 250)).unwrap();
            // The server may have closed before all of it was sent.
            let _ = socket.write_all(&bytes);
            let _ = socket.shutdown(Shutdown::Write);
            // A server that hangs on it fails this by the socket's own time limit.
            let mut answer = Vec::new();
            let end = socket.read_to_end(&mut answer);
            let is_late = end.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
            assert!(!is_late, "no end after {}", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        }
        times
    });

    let grown = siege.grown_kb();
    siege.end(&what, grown, 20_000);
}

#[test]
fn half_open_connections_keep_nobody_out() {
    let mut siege = Siege::begin();
    let mut grown = 0;

    let what = siege.while_served(|| {
        let mut open = Vec::new();
        for number in 0..2_000 {
            let mut socket = socket(&siege.address(), from(2, number % 8)).unwrap();
            if number % 2 == 0 {
                let _ = socket.write_all(&[22]);
            }
            open.push(socket);
        }
        grown = siege.grown_kb();
        // Until the server has ended the last of them by itself.
        for mut socket in open.drain(..) {
            let end = socket.read(&mut [0]);
            assert!(!matches!(end, Err(error) if error.kind() == io::ErrorKind::WouldBlock), "still open");
        }
        2_000
    });

    siege.end(&what, grown, 40_000);
}

#[test]
fn a_byte_a_second_is_too_slow() {
    let mut siege = Siege::begin();
    let clients = if is_slow() { 2_000 } else { 300 };
    let hello = hello("DEFAULT");
    let mut grown = 0;

    let what = siege.while_served(|| {
        let mut open: Vec<_> =
            (0..clients).map(|number| socket(&siege.address(), from(3, number % 8)).unwrap()).collect();
        // The deadline is 10 s; a socket that the server has closed refuses a byte soon after.
        for byte in hello.iter().take(13) {
            open.retain_mut(|socket| socket.write_all(&[*byte]).is_ok());
            grown = grown.max(siege.grown_kb());
            std::thread::sleep(Duration::from_secs(1));
        }
        assert_eq!(open.len(), 0, "still open after 13 s");
        clients
    });

    siege.end(&what, grown, 40_000);
}

#[test]
fn idle_connections_cost_little_and_are_closed() {
    let mut siege = Siege::begin();
    let phones = if is_slow() { 10_000 } else { 500 };
    raise_open_files(&siege, phones);
    let plain = context(None, |_| {});
    let mut grown = 0;

    let what = siege.while_served(|| {
        let groups: usize = 2;
        let address = siege.address();
        let mut open: Vec<Line> = std::thread::scope(|scope| {
            let (address, plain) = (&address, &plain);
            let each = phones / groups;
            let openers = (0..groups).map(|group| {
                scope.spawn(move || {
                    let one = |number| Line::open(address, from(4, (group * each + number) % 32), plain).unwrap();
                    (0..each).map(one).collect::<Vec<_>>()
                })
            });
            let openers: Vec<_> = openers.collect();
            openers.into_iter().flat_map(|opener| opener.join().unwrap()).collect()
        });
        grown = siege.grown_kb();
        // The last ones are young enough to be open still; then all are closed by the server.
        assert_eq!(open.last_mut().unwrap().get("/"), Ok(404));
        for line in &mut open {
            line.wait_for_end();
        }
        phones
    });

    let most = u64::try_from(phones).unwrap() * 40 + 20_000;
    siege.end(&what, grown, most);
}

/// Lets this process and the server have so many sockets, where the system's ordinary limit is lower.
fn raise_open_files(siege: &Siege, sockets: usize) {
    for pid in [std::process::id(), siege.server.pid()] {
        let wanted = sockets + 2_000;
        let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
        let now: usize = files.split_whitespace().nth(3).unwrap().parse().unwrap_or(usize::MAX);
        if now >= wanted {
            continue;
        }
        let limit = format!("--nofile={wanted}:");
        let raised = Command::new("prlimit").args(["--pid", &pid.to_string(), &limit]).status();
        assert!(raised.is_ok_and(|raised| raised.success()), "prlimit cannot raise the number of open files");
    }
}
