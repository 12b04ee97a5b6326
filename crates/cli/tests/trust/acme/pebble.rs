//! A certificate authority for one test: Debian's `pebble`, a DNS server that leads every name here, and a relay in
//! the place of port 80.

use crate::within;
use provost_testkit::{Reply, skipped};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A running authority; ends with the test.
pub(super) struct Pebble {
    folder: tempfile::TempDir,
    child: Child,
    listen: [String; 2],
    pub(super) relay: Arc<Relay>,
}

impl Drop for Pebble {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Pebble {
    /// Starts one that asks through its relay, and asks anew for each order; `None`, said as skipped, where it is not
    /// installed.
    pub(super) fn start() -> Option<Self> {
        if Command::new("pebble").arg("-help").stderr(Stdio::null()).status().is_err() {
            skipped("pebble is not installed");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let (relay, http_port) = Relay::start();
        // Two ports are needed before the process that opens them is there; no other test uses this address.
        let host = address_of_our_own();
        let free = || TcpListener::bind((host, 0)).unwrap();
        let listen = [free(), free()].map(|free| free.local_addr().unwrap().to_string());
        make_certificate(folder.path(), host);
        let configuration = serde_json::json!({ "pebble": {
            "listenAddress": listen[0], "managementListenAddress": listen[1],
            "certificate": folder.path().join("listener.crt"), "privateKey": folder.path().join("listener.key"),
            "httpPort": http_port, "tlsPort": 1, "certificateValidityPeriod": 90 * 24 * 60 * 60,
        } });
        std::fs::write(folder.path().join("pebble.json"), configuration.to_string()).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let child = Command::new("pebble")
            .arg("-config")
            .arg(folder.path().join("pebble.json"))
            .args(["-dnsserver", &dns_server()])
            .envs([("PEBBLE_VA_NOSLEEP", "1"), ("PEBBLE_WFE_NONCEREJECT", "0"), ("PEBBLE_AUTHZREUSE", "0")])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let pebble = Self { folder, child, listen, relay };
        for address in &pebble.listen {
            within(20, || TcpStream::connect(address).ok(), || pebble.log());
        }
        Some(pebble)
    }

    pub(super) fn directory(&self) -> String {
        format!("https://{}/dir", self.listen[0])
    }

    /// What proves the authority's own server.
    pub(super) fn listener_root(&self) -> PathBuf {
        self.folder.path().join("listener.crt")
    }

    /// The root that phones would know.
    pub(super) fn root(&self) -> PathBuf {
        let file = self.folder.path().join("root.crt");
        let url = format!("https://{}/roots/0", self.listen[1]);
        let found = Reply::of(&["--cacert", self.listener_root().to_str().unwrap(), &url]);
        std::fs::write(&file, found.body).unwrap();
        file
    }

    pub(super) fn orders(&self) -> usize {
        self.log().matches("POST /order-plz").count()
    }

    pub(super) fn accounts(&self) -> usize {
        self.log().matches("POST /sign-me-up").count()
    }

    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

/// A loopback address that nothing else listens at: of this process, and of this call.
fn address_of_our_own() -> Ipv4Addr {
    static CALLS: AtomicU8 = AtomicU8::new(64);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, CALLS.fetch_add(1, Ordering::Relaxed), high, low.clamp(1, 254))
}

fn make_certificate(folder: &Path, host: Ipv4Addr) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=pebble"])
        .args(["-addext", &format!("subjectAltName=IP:{host}")])
        .arg("-keyout")
        .arg(folder.join("listener.key"))
        .arg("-out")
        .arg(folder.join("listener.crt"))
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(made.success());
}

/// Answers every question for an IPv4 address with 127.0.0.1, and others with nothing; ends with the process.
fn dns_server() -> String {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut packet = [0; 1024];
        while let Ok((length, from)) = socket.recv_from(&mut packet) {
            let asked = &packet[..length];
            let mut end = 12;
            while asked[end] != 0 {
                end += usize::from(asked[end]) + 1;
            }
            let question = &asked[12..end + 5];
            let is_ipv4 = question[question.len() - 4..question.len() - 2] == [0, 1];
            let mut answer = asked[..2].to_vec();
            answer.extend([0x81, 0x80, 0, 1, 0, u8::from(is_ipv4), 0, 0, 0, 0]);
            answer.extend(question);
            if is_ipv4 {
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]);
            }
            let _ = socket.send_to(&answer, from);
        }
    });
    address
}

/// Where what the authority asks goes.
#[derive(Clone)]
pub(super) enum Way {
    /// Nowhere yet: it waits.
    Waiting,
    /// The connection is closed.
    Closed,
    /// To this address.
    To(String),
}

/// Stands where the authority asks, hands it on, and tries what else is answered at that moment.
pub(super) struct Relay {
    way: Mutex<Way>,
    seen: Mutex<Vec<Seen>>,
}

/// A question of the authority's.
#[derive(Clone)]
pub(super) struct Seen {
    pub(super) path: String,
    /// The whole answer to it, asked from here just before.
    pub(super) answer: String,
    /// The status of each path close to it at the same moment.
    pub(super) beside: Vec<(String, u16)>,
}

impl Relay {
    fn start() -> (Arc<Self>, u16) {
        let relay = Arc::new(Self { way: Mutex::new(Way::Waiting), seen: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let of_thread = Arc::clone(&relay);
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let relay = Arc::clone(&of_thread);
                std::thread::spawn(move || relay.hand_on(socket.unwrap()));
            }
        });
        (relay, port)
    }

    pub(super) fn lead(&self, way: Way) {
        *self.way.lock().unwrap() = way;
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    fn hand_on(&self, mut socket: TcpStream) {
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if socket.read(&mut byte).unwrap_or(0) == 0 {
                return;
            }
            request.push(byte[0]);
        }
        let head = String::from_utf8(request).unwrap();
        let path = head.split(' ').nth(1).unwrap().to_owned();
        let way = || Some(self.way.lock().unwrap().clone()).filter(|way| !matches!(way, Way::Waiting));
        let target = match within(30, way, || "the relay leads nowhere".to_owned()) {
            Way::To(target) => target,
            Way::Waiting | Way::Closed => {
                self.seen.lock().unwrap().push(Seen { path, answer: String::new(), beside: Vec::new() });
                return;
            }
        };
        let answer = ask(&target, "GET", &path);
        let others = [format!("{path}x"), format!("{path}/"), path[..path.len() - 1].to_owned(), format!("//{path}")];
        let folder = ["/.well-known/acme-challenge/", "/.well-known/acme-challenge/other", "/.well-known/"];
        let others = others.into_iter().chain(folder.map(ToOwned::to_owned));
        let beside = others.map(|other| (other.clone(), status(&ask(&target, "GET", &other)))).collect();
        self.seen.lock().unwrap().push(Seen { path: path.clone(), answer, beside });
        let _ = socket.write_all(ask(&target, "GET", &path).as_bytes());
    }
}

/// The whole answer to one plain request.
pub(super) fn ask(target: &str, method: &str, path: &str) -> String {
    let mut socket = TcpStream::connect(target).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(socket, "{method} {path} HTTP/1.1\r\nHost: phones.example.com\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

pub(super) fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}
