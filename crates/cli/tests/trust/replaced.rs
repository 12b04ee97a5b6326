//! The server's own certificate: replaced while phones are served, and told when it nears its end.

use crate::phone::{Line, context};
use crate::{provost, within};
use openssl::x509::X509;
use provost_core::time::UnixMillis;
use provost_pki::authority::{KeyAndChain, ServerAuthority, ServerKeyKind, Validity};
use provost_testkit::{Maker, PhoneKey, ServerSetup, TestServer, skipped};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const MAC: &str = "0004f2000004";
const PATH: &str = "/0004f2000004.cfg";

#[expect(clippy::disallowed_methods, reason = "certificates for the real server are made for the real day")]
fn now() -> UnixMillis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    UnixMillis(i64::try_from(since.as_millis()).unwrap())
}

/// The files a server is configured with, and who issues them.
struct Files {
    folder: tempfile::TempDir,
    authority: ServerAuthority,
}

impl Files {
    fn new() -> Self {
        let authority = ServerAuthority::generate("Test Server Root", Validity::days_from(now(), 900)).unwrap();
        Self { folder: tempfile::tempdir().unwrap(), authority }
    }

    fn issue(&self, days: i64) -> KeyAndChain {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        self.authority.issue(&names, ServerKeyKind::Rsa2048, Validity::days_from(now(), days)).unwrap()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, pair: &KeyAndChain) {
        replace(&self.path("server.key"), pair.key_pem.reveal());
        replace(&self.path("server.crt"), &pair.chain_pem);
    }

    fn setup(&self) -> ServerSetup {
        let (certificate, key) = (self.path("server.crt"), self.path("server.key"));
        let sections = format!("[tls]\ncertificate = {certificate:?}\nkey = {key:?}\n");
        ServerSetup { top: String::new(), sections }
    }
}

fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    std::fs::write(&new, text).unwrap();
    std::fs::rename(&new, path).unwrap();
}

fn certificate(pair: &KeyAndChain) -> Vec<u8> {
    X509::from_pem(pair.chain_pem.as_bytes()).unwrap().to_der().unwrap()
}

/// The certificate a new connection sees.
fn shown(address: &str) -> Vec<u8> {
    Line::open(address, HERE, &context(None, |_| {})).unwrap().shown().to_der().unwrap()
}

/// What threads of phones do while certificates change, and what went wrong.
#[derive(Default)]
struct Load {
    over: AtomicBool,
    answers: AtomicUsize,
}

impl Load {
    /// Asks again and again over one connection.
    fn keep_alive(&self, server: &TestServer, phone: &PhoneKey) -> Result<(), String> {
        let context = context(Some(phone), |_| {});
        let mut line = Line::open(&server.address("phones_https"), HERE, &context)?;
        while !self.over.load(Ordering::Relaxed) {
            self.expect_200(line.get(PATH)?)?;
        }
        Ok(())
    }

    /// Asks once over each new connection; old firmware by static RSA, new by TLS 1.3.
    fn anew(&self, server: &TestServer, phone: &PhoneKey, old: bool) -> Result<(), String> {
        let context = context(Some(phone), |context| {
            if old {
                context.set_max_proto_version(Some(openssl::ssl::SslVersion::TLS1_2)).unwrap();
                context.set_cipher_list("AES128-SHA:@SECLEVEL=0").unwrap();
            }
        });
        while !self.over.load(Ordering::Relaxed) {
            self.expect_200(Line::open(&server.address("phones_https"), HERE, &context)?.get(PATH)?)?;
        }
        Ok(())
    }

    fn expect_200(&self, status: u16) -> Result<(), String> {
        self.answers.fetch_add(1, Ordering::Relaxed);
        if status == 200 { Ok(()) } else { Err(format!("answered {status}")) }
    }
}

#[test]
fn certificates_replaced_under_load_drop_no_connection_and_show_at_once() {
    const TIMES: usize = 20;
    let (maker, files) = (Maker::new(), Files::new());
    let pairs: Vec<KeyAndChain> = (0..TIMES).map(|_| files.issue(90)).collect();
    files.put(&files.issue(90));
    let server = TestServer::start_with(&provost(), &maker, &files.setup());
    let address = server.address("phones_https");
    let (load, phone) = (Load::default(), maker.phone(MAC));

    let answered = std::thread::scope(|scope| {
        let mut phones = Vec::new();
        for _ in 0..2 {
            phones.push(scope.spawn(|| load.keep_alive(&server, &phone)));
        }
        for old in [false, true] {
            let (load, server, phone) = (&load, &server, &phone);
            phones.push(scope.spawn(move || load.anew(server, phone, old)));
        }
        for pair in &pairs {
            let before = load.answers.load(Ordering::Relaxed);
            files.put(pair);
            server.signal("HUP");
            within(20, || (shown(&address) == certificate(pair)).then_some(()), || server.log());
            within(20, || (load.answers.load(Ordering::Relaxed) > before).then_some(()), || server.log());
        }
        load.over.store(true, Ordering::Relaxed);
        for phone in phones {
            assert_eq!(phone.join().unwrap(), Ok(()), "{}", server.log());
        }
        load.answers.load(Ordering::Relaxed)
    });

    println!("{answered} answers while the certificate changed {TIMES} times");
    assert!(answered > TIMES, "{answered}");
}

#[test]
fn a_broken_pair_leaves_the_one_before_it_and_says_why() {
    let (maker, files) = (Maker::new(), Files::new());
    let (first, other) = (files.issue(90), files.issue(90));
    files.put(&first);
    let server = TestServer::start_with(&provost(), &maker, &files.setup());
    let address = server.address("phones_https");

    replace(&files.path("server.key"), other.key_pem.reveal());
    server.signal("HUP");
    within(20, || server.log().contains("this key does not belong to the certificate").then_some(()), || server.log());
    assert_eq!(shown(&address), certificate(&first));
    replace(&files.path("server.crt"), "nothing");
    server.signal("HUP");
    within(20, || server.log().contains("no certificate in it").then_some(()), || server.log());
    assert_eq!(shown(&address), certificate(&first));
    assert!(server.log().contains("server.crt"), "{}", server.log());

    // Without a signal: the other half arrives, and the files are looked at by themselves.
    replace(&files.path("server.crt"), &other.chain_pem);
    within(20, || (shown(&address) == certificate(&other)).then_some(()), || server.log());
}

#[test]
fn chain_names_and_days_left_are_told_and_the_last_thirty_days_are_a_warning() {
    let (maker, files) = (Maker::new(), Files::new());
    files.put(&files.issue(90));
    let server = TestServer::start_with(&provost(), &maker, &files.setup());
    let told = "RSA certificate for localhost, 127.0.0.1, issued by Test Server Root: 89 days left";

    let fine = server.cli(&["check"]);
    assert!(fine.out.contains(told) && !fine.out.contains("warning: renew"), "{}", fine.out);
    assert!(server.log().contains(told), "{}", server.log());
    files.put(&files.issue(20));
    server.signal("HUP");
    within(20, || server.log().contains(": 19 days left").then_some(()), || server.log());

    let check = server.cli(&["check"]);
    assert_eq!(check.code, 0);
    let renew = "renew the RSA certificate for localhost, 127.0.0.1, issued by Test Server Root: 19 days left";
    assert!(check.out.contains(&format!("warning: {renew}")), "{}", check.out);
    let server = TestServer::start_with(&provost(), &maker, &files.setup());
    let error = || server.log().lines().any(|line| line.contains("ERROR") && line.contains(renew)).then_some(());
    within(20, error, || server.log());
}

#[test]
fn provosts_own_certificate_is_renewed_while_it_runs() {
    let library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
    if !Path::new(library).exists() {
        return skipped("faketime is not installed");
    }
    let folder = tempfile::tempdir().unwrap();
    let (ready, config, clock) =
        (folder.path().join("ready"), folder.path().join("provost.toml"), folder.path().join("clock"));
    let listen = "phones-https = \"127.0.0.1:0\"\nphones-http = \"off\"\nconsole = \"off\"\nsntp = \"off\"\n";
    std::fs::write(&config, format!("data-dir = \"data\"\n[listen]\n{listen}")).unwrap();
    std::fs::write(&clock, "+0").unwrap();
    let mut server = provost()
        .command()
        .env("LD_PRELOAD", library)
        .env("FAKETIME_TIMESTAMP_FILE", &clock)
        .env("FAKETIME_CACHE_DURATION", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("DONT_FAKE_MONOTONIC", "1")
        .args(["serve", "--config"])
        .arg(&config)
        .arg("--ready-file")
        .arg(&ready)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let told = within(60, || std::fs::read(&ready).ok(), || "no ready file".to_owned());
    let told: serde_json::Value = serde_json::from_slice(&told).unwrap();
    let address = told["phones_https"].as_str().unwrap();
    let before = shown(address);

    // Two years less 29 days: fewer than 60 days are left.
    replace(&clock, "+701d");
    let renewed = std::panic::catch_unwind(|| {
        within(30, || Some(shown(address)).filter(|now| *now != before), || "the same certificate".to_owned())
    });

    let _ = Command::new("kill").args(["-TERM", &server.id().to_string()]).status();
    assert!(server.wait().unwrap().success());
    let left = |der: &[u8]| {
        let day = openssl::asn1::Asn1Time::from_unix(now().plus_days(701).seconds()).unwrap();
        day.diff(X509::from_der(der).unwrap().not_after()).unwrap().days
    };
    assert!(left(&before) < 60 && left(&renewed.unwrap()) > 700);
}
