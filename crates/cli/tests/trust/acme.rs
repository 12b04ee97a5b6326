//! Certificates that Provost gets by itself, from an authority that is not ours.

mod pebble;

use crate::phone::{Line, context};
use crate::{provost, within};
use openssl::x509::X509;
use pebble::{Pebble, Way, ask, status};
use provost_core::time::UnixMillis;
use provost_pki::authority::{ServerAuthority, ServerKeyKind, Validity};
use provost_testkit::{ServerSetup, TestServer};
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const NAME: &str = "phones.example.com";
const RSA: &str = "ECDHE-RSA-AES128-GCM-SHA256";
const ECDSA: &str = "ECDHE-ECDSA-AES128-GCM-SHA256";

fn setup(pebble: &Pebble, more: &str) -> ServerSetup {
    let (directory, root) = (pebble.directory(), pebble.listener_root());
    ServerSetup {
        top: format!("public-url = \"https://{NAME}\"\n"),
        sections: format!(
            "[log]\nlevel = \"debug\"\n[tls]\nacme-directory = {directory:?}\nacme-contact = \"mailto:a@example.com\"\n\
             acme-authority = {root:?}\n{more}"
        ),
    }
}

/// What `openssl s_client` says when it asks for `NAME`, knows this root, and can only this cipher suite.
fn handshake(server: &TestServer, root: &Path, suite: &str) -> String {
    let output = Command::new("openssl")
        .args(["s_client", "-tls1_2", "-cipher", suite, "-connect", &server.address("phones_https")])
        .args(["-servername", NAME, "-verify_hostname", NAME, "-verify_return_error", "-CAfile"])
        .arg(root)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The certificate seen, if everything about it is right.
fn accepted(server: &TestServer, root: &Path, suite: &str) -> Option<X509> {
    let said = handshake(server, root, suite);
    let is_good = said.contains("Verify return code: 0 (ok)") && said.contains(suite);
    X509::from_pem(said.as_bytes()).ok().filter(|_| is_good)
}

fn both(server: &TestServer, root: &Path) -> Option<[X509; 2]> {
    Some([accepted(server, root, RSA)?, accepted(server, root, ECDSA)?])
}

fn lead_here(pebble: &Pebble, server: &TestServer) {
    pebble.relay.lead(Way::To(server.address("phones_http")));
}

#[test]
fn certificates_of_both_kinds_come_by_themselves_and_are_kept_over_a_restart() {
    let Some(pebble) = Pebble::start() else { return };
    let mut server = TestServer::start_without_authorities(&provost(), &setup(&pebble, ""));
    let own = handshake(&server, &server.root(), RSA);
    lead_here(&pebble, &server);
    let root = pebble.root();
    let all = || format!("{}\n{}", server.log(), pebble.log());

    let [rsa, p256] = within(60, || both(&server, &root), all);

    assert!(own.contains("Provost Server Root"), "{own}");
    assert!(server.log().contains("until ACME brings a certificate, phones see one of Provost's own authority"));
    assert_eq!((rsa.public_key().unwrap().bits(), p256.public_key().unwrap().bits()), (2048, 256));
    assert_eq!((pebble.orders(), pebble.accounts()), (2, 1), "{}", pebble.log());
    let checked = server.cli(&["check"]);
    for words in [
        &format!("certificates for {NAME} come from {} (ACME)", pebble.directory()),
        &format!("RSA certificate for {NAME}, issued by Pebble Intermediate CA"),
        &format!("P-256 certificate for {NAME}, issued by Pebble Intermediate CA"),
        "89 days left",
    ] {
        assert!(checked.out.contains(words), "{words} is missing in:\n{}{}", checked.out, checked.err);
    }
    let folder = server.data().join("server/acme");
    for file in ["account.json", "rsa.pem", "p256.pem"] {
        let mode = std::fs::metadata(folder.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }

    assert_eq!(server.stop(), Some(0));
    server.power_on();

    let serials = |pair: &[X509; 2]| pair.each_ref().map(|each| each.serial_number().to_bn().unwrap().to_vec());
    assert_eq!(serials(&both(&server, &root).unwrap()), serials(&[rsa, p256]));
    let looked = || (server.log().matches("no certificate is to be ordered").count() == 2).then_some(());
    within(20, looked, || server.log());
    assert_eq!((pebble.orders(), pebble.accounts()), (2, 1), "{}", pebble.log());
}

#[test]
fn nothing_is_answered_to_anybody_but_the_token_of_an_order_under_way() {
    let Some(pebble) = Pebble::start() else { return };
    let server = TestServer::start_without_authorities(&provost(), &setup(&pebble, ""));
    lead_here(&pebble, &server);

    let root = pebble.root();
    within(60, || both(&server, &root), || format!("{}\n{}", server.log(), pebble.log()));

    let plain = server.address("phones_http");
    let same = |answer: &str| answer.lines().filter(|line| !line.starts_with("date")).collect::<Vec<_>>().join("\n");
    let refusal = same(&ask(&plain, "GET", "/nothing"));
    assert_eq!(status(&refusal), 404, "{refusal}");
    let seen = pebble.relay.seen();
    assert!(seen.len() >= 2, "{}", pebble.log());
    for each in seen {
        let token = each.path.strip_prefix("/.well-known/acme-challenge/").unwrap();
        assert!(each.answer.ends_with(&format!("\r\n\r\n{}", each.answer.lines().last().unwrap())), "{}", each.answer);
        assert!(each.answer.lines().last().unwrap().starts_with(&format!("{token}.")), "{}", each.answer);
        for (path, status) in each.beside {
            assert_eq!(status, 404, "{path}");
        }
        // The order is over.
        assert_eq!(same(&ask(&plain, "GET", &each.path)), refusal, "{}", each.path);
    }
}

#[expect(clippy::disallowed_methods, reason = "certificates for the real server are made for the real day")]
fn now() -> UnixMillis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    UnixMillis(i64::try_from(since.as_millis()).unwrap())
}

/// Puts pairs in place as if ACME had brought them 70 of their 90 days ago; returns their root.
fn put_old_pairs(pebble: &Pebble, server: &TestServer) -> std::path::PathBuf {
    let validity = |from, to| Validity { not_before: now().plus_days(from), not_after: now().plus_days(to) };
    let authority = ServerAuthority::generate("Old Public Root", validity(-400, 400)).unwrap();
    let folder = server.data().join("server/acme");
    std::fs::create_dir_all(&folder).unwrap();
    for (file, kind) in [("rsa.pem", ServerKeyKind::Rsa2048), ("p256.pem", ServerKeyKind::P256)] {
        let pair = authority.issue(&[NAME.to_owned()], kind, validity(-70, 20)).unwrap();
        let text = format!("Directory: {}\n{}{}", pebble.directory(), pair.key_pem.reveal(), pair.chain_pem);
        std::fs::write(folder.join(file), text).unwrap();
    }
    let root = folder.join("old-root.crt");
    std::fs::write(&root, authority.root_pem).unwrap();
    root
}

#[test]
fn certificates_in_their_last_third_are_renewed_and_no_connection_is_dropped() {
    let Some(pebble) = Pebble::start() else { return };
    let mut server = TestServer::start_without_authorities(&provost(), &setup(&pebble, ""));
    lead_here(&pebble, &server);
    let root = pebble.root();
    within(60, || both(&server, &root), || format!("{}\n{}", server.log(), pebble.log()));
    assert_eq!(server.stop(), Some(0));
    put_old_pairs(&pebble, &server);
    // Until phones are connected, and no longer: the authority waits some seconds only.
    pebble.relay.lead(Way::Waiting);
    server.power_on();

    let (over, connected, answers) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let phone = || {
            let mut line = Line::open(&server.address("phones_https"), HERE, &context(None, |_| {}))?;
            connected.fetch_add(1, Ordering::Relaxed);
            while !over.load(Ordering::Relaxed) {
                assert_eq!(line.get("/000000000000.cfg")?, 404);
                answers.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<(), String>(())
        };
        let phones = [scope.spawn(phone), scope.spawn(phone)];
        within(20, || (connected.load(Ordering::Relaxed) == 2).then_some(()), || server.log());
        lead_here(&pebble, &server);
        // Long enough for a second try, should the authority have lost its patience.
        within(150, || both(&server, &root), || format!("{}\n{}", server.log(), pebble.log()));
        let before = answers.load(Ordering::Relaxed);
        within(20, || (answers.load(Ordering::Relaxed) > before + 10).then_some(()), || server.log());
        over.store(true, Ordering::Relaxed);
        for phone in phones {
            assert_eq!(phone.join().unwrap(), Ok(()), "{}", server.log());
        }
    });
    assert!(pebble.orders() >= 4 && pebble.accounts() == 1, "{}", pebble.log());
    // There was an alarm about the old pair, and it is over.
    let alarms = |state: &str| server.sql(&format!("SELECT COUNT(*) FROM alarms WHERE ended_ms IS {state}"));
    let ended = || (alarms("NULL") == "0" && alarms("NOT NULL") == "1").then_some(());
    within(20, ended, || server.cli(&["alarms"]).out);
}

#[test]
fn a_renewal_that_fails_until_the_last_days_is_an_alarm_and_the_old_pair_is_still_shown() {
    let Some(pebble) = Pebble::start() else { return };
    pebble.relay.lead(Way::Closed);
    let mut server = TestServer::start_without_authorities(&provost(), &setup(&pebble, ""));
    assert_eq!(server.stop(), Some(0));
    let old_root = put_old_pairs(&pebble, &server);
    server.power_on();

    let alarms = || server.cli(&["alarms"]).out;
    within(20, || alarms().contains("expires in 19 days").then_some(()), || server.log());

    let checked = server.cli(&["check"]).out;
    assert!(checked.contains("warning: renewal is late; look into the log about the RSA certificate"), "{checked}");
    assert!(both(&server, &old_root).is_some(), "{}", server.log());
}

#[test]
fn a_failed_challenge_leaves_provosts_own_certificate_and_says_once_what_to_do() {
    let Some(pebble) = Pebble::start() else { return };
    let server = TestServer::start_without_authorities(&provost(), &setup(&pebble, ""));
    pebble.relay.lead(Way::Closed);

    let told = || server.log().lines().find(|line| line.contains("no RSA certificate")).map(ToOwned::to_owned);
    let line = within(60, told, || format!("{}\n{}", server.log(), pebble.log()));

    for words in [
        "ERROR",
        &format!("no RSA certificate for {NAME} from {}", pebble.directory()),
        &format!("the authority could not see that {NAME} leads here: "),
        &format!("make http://{NAME}/.well-known/acme-challenge/ at port 80 lead to listen.phones-http"),
        "the next try is in about 1 min",
    ] {
        assert!(line.contains(words), "{words} is missing in: {line}");
    }
    assert_eq!(server.log().matches("ERROR").count(), 1, "{}", server.log());
    assert!(both(&server, &server.root()).is_some(), "{}", server.log());
    assert_eq!(pebble.orders(), 1, "{}", pebble.log());
    for each in pebble.relay.seen() {
        assert_eq!(status(&ask(&server.address("phones_http"), "GET", &each.path)), 404);
    }
    let checked = server.cli(&["check"]).out;
    for words in ["warning: none is here yet", "an RSA certificate is ordered while Provost runs: there is none yet"] {
        assert!(checked.contains(words), "{words} is missing in:\n{checked}");
    }
}

#[test]
fn an_authority_that_cannot_prove_itself_is_told_nothing() {
    let Some(pebble) = Pebble::start() else { return };
    let directory = pebble.directory();
    let setup = ServerSetup {
        top: format!("public-url = \"https://{NAME}\"\n"),
        sections: format!("[tls]\nacme-directory = {directory:?}\n"),
    };
    let server = TestServer::start_without_authorities(&provost(), &setup);

    let told = || server.log().lines().find(|line| line.contains("no RSA certificate")).map(ToOwned::to_owned);
    let line = within(60, told, || server.log());

    assert!(line.contains("no TLS with 127.") && line.contains("name its root in tls.acme-authority"), "{line}");
    assert_eq!(pebble.accounts(), 0);
}

#[test]
fn roots_for_the_authority_that_cannot_be_read_are_a_fault_of_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("provost.toml");
    for content in [None, Some("nothing")] {
        let root = folder.path().join("root.pem");
        if let Some(content) = content {
            std::fs::write(&root, content).unwrap();
        }
        let text = format!(
            "public-url = \"https://{NAME}\"\n[tls]\nacme-directory = \"https://acme.example/\"\n\
             acme-authority = {root:?}\n"
        );
        std::fs::write(&file, text).unwrap();
        let checked = provost().run(&["check", "--config", file.to_str().unwrap()]);

        assert_eq!(checked.code, 78, "{}", checked.err);
        assert!(checked.err.contains("provost.toml:3: tls.acme-authority: cannot take roots from"), "{}", checked.err);
    }
}
