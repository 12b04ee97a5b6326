//! Signing in from outside: the first start, a browser's cookie jar, limits over a restart, and the console over TLS.

use crate::provost;
use provost_core::time::UnixMillis;
use provost_pki::authority::{ServerAuthority, ServerKeyKind, Validity};
use provost_testkit::{Maker, Reply, TestServer};
use serde_json::json;
use std::fs;
use std::path::Path;

const PASSWORD: &str = "correct horse battery";

/// A browser without script: a cookie jar.
struct Browser<'a> {
    jar: tempfile::NamedTempFile,
    console: String,
    more: Vec<&'a str>,
}

impl<'a> Browser<'a> {
    fn new(console: &str, more: &[&'a str]) -> Self {
        Self { jar: tempfile::NamedTempFile::new().unwrap(), console: console.to_owned(), more: more.to_vec() }
    }

    fn ask(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let jar = self.jar.path().to_str().unwrap();
        let url = format!("{}{path}", self.console);
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut all = vec!["--cookie", jar, "--cookie-jar", jar];
        all.extend(&self.more);
        for field in &fields {
            all.extend(["--data-urlencode", field]);
        }
        all.push(&url);
        Reply::of(&all)
    }

    fn get(&self, path: &str) -> Reply {
        self.ask(path, &[])
    }

    fn post(&self, path: &str, page: &str, fields: &[(&str, &str)]) -> Reply {
        let text = self.get(page).text();
        let csrf = text.split_once(r#"name="csrf" value=""#).unwrap_or_else(|| panic!("{text}")).1;
        let csrf = csrf.split_once('"').unwrap().0.to_owned();
        let mut fields = fields.to_vec();
        fields.push(("csrf", &csrf));
        self.ask(path, &fields)
    }

    fn sign_in(&self, email: &str, password: &str) -> Reply {
        self.ask("/sign-in", &[("email", email), ("password", password)])
    }

    /// Signs in with a one-time password and chooses [`PASSWORD`].
    fn settle(&self, name: &str, password: &str, email: &str) {
        assert_eq!(self.sign_in(name, password).status, 303);
        let fields = [("email", email), ("name", "Ada"), ("password", PASSWORD), ("again", PASSWORD)];
        assert_eq!(self.post("/new-password", "/new-password", &fields).header("location"), Some("/"));
    }
}

fn first_password(server: &TestServer) -> String {
    let log = server.log();
    let line = log.lines().find(|line| line.contains("sign in as owner with the one-time password")).unwrap();
    line.rsplit(' ').next().unwrap().to_owned()
}

#[test]
fn the_first_start_prints_a_password_that_works_once_and_sessions_survive_a_restart() {
    let mut server = TestServer::start(&provost(), &Maker::new());
    let word = first_password(&server);
    assert_eq!(server.log().matches("one-time password").count(), 1);
    let browser = Browser::new(&server.address("console"), &[]);

    browser.settle("owner", &word, "ada@example.com");

    let again = Browser::new(&server.address("console"), &[]);
    assert_eq!(again.sign_in("owner", &word).status, 403);
    let page = browser.get("/account");
    assert!(page.status == 200 && page.text().contains("ada@example.com"), "{}", page.text());
    server.kill();
    server.power_on();
    assert_eq!(server.log().matches("one-time password").count(), 1, "once, and never again");
    let browser = Browser { console: server.address("console"), ..browser };
    assert_eq!(browser.get("/account").status, 200, "the session is stored");
    let stolen = server.stolen_database();
    let jar = fs::read_to_string(browser.jar.path()).unwrap();
    let ticket = jar.split_whitespace().last().unwrap();
    assert_eq!(ticket.len(), 64);
    for secret in [ticket, PASSWORD, &word] {
        assert!(!stolen.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
    let audit = server.done("GET", "/audit", None).to_string();
    assert!(audit.contains("chose a password of their own as ada@example.com"), "{audit}");
    assert!(!audit.contains(&word) && !audit.contains(PASSWORD), "{audit}");
}

#[test]
fn guessing_is_limited_over_a_restart() {
    let mut server = TestServer::start(&provost(), &Maker::new());
    let new = json!({ "email": "ada@example.com", "name": "Ada", "role": "owner" });
    server.done("POST", "/administrators", Some(&new));
    let guess =
        |server: &TestServer| Browser::new(&server.address("console"), &[]).sign_in("ada@example.com", "a guess");
    for n in 0..5 {
        assert_eq!(guess(&server).status, 403, "{n}");
    }
    // As if somebody had gone on for a while: waits double up to a minute.
    for _ in 0..2 {
        server.sql("INSERT INTO sign_in_tries (at_ms, name, source) SELECT at_ms, name, source FROM sign_in_tries");
    }
    let refused = guess(&server);
    assert!(refused.status == 429 && refused.text().contains("Too many wrong tries"), "{}", refused.text());

    server.kill();
    server.power_on();

    let reply = guess(&server);
    assert_eq!(reply.status, 429, "{}", reply.text());
    assert!(reply.header("retry-after").unwrap().parse::<u64>().unwrap() <= 61, "nobody is kept out for long");
    let audit = server.done("GET", "/audit", None).to_string();
    assert!(audit.contains("5 wrong passwords or codes") && audit.contains("ada@example.com"), "{audit}");
}

#[test]
fn the_command_line_adds_changes_resets_and_removes() {
    let server = TestServer::start(&provost(), &Maker::new());
    let done = |arguments: &[&str]| {
        let mut all = vec!["administrator"];
        all.extend(arguments);
        all.push("--json");
        let finished = server.cli(&all);
        assert_eq!(finished.code, 0, "{arguments:?}: {}", finished.err);
        serde_json::from_str::<serde_json::Value>(&finished.out).unwrap()
    };
    let made = done(&["create", "--email", "Ada@Example.com", "--name", "Ada", "--role", "support"]);
    let (id, word) = (made["id"].as_str().unwrap(), made["one-time-password"].as_str().unwrap());
    let browser = Browser::new(&server.address("console"), &[]);
    browser.settle("ada@example.com", word, "ada@example.com");

    assert_eq!(done(&["change", id, "--role", "installer"])["role"], "installer");
    assert_eq!(browser.get("/").header("location"), Some("/sign-in"), "another role ends the session");
    assert_eq!(done(&["disable", id])["disabled"], true);
    assert_eq!(browser.sign_in("ada@example.com", PASSWORD).status, 403);
    assert_eq!(done(&["enable", id])["disabled"], false);
    assert_eq!(browser.sign_in("ada@example.com", PASSWORD).status, 303);
    assert_eq!(done(&["end-sessions", id])["ended"], 1);
    let reset = done(&["reset-password", id, "--turn-off-totp"]);
    assert_eq!(browser.sign_in("ada@example.com", PASSWORD).status, 403);
    browser.settle("ada@example.com", reset["one-time-password"].as_str().unwrap(), "ada@example.com");
    assert_eq!(done(&["show", id])["must-choose-password"], false);
    done(&["remove", id]);
    let listed = done(&["list"]);
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1), "the first owner alone: {listed}");
    let last = listed["items"][0]["id"].as_str().unwrap();
    assert_ne!(server.cli(&["administrator", "remove", last]).code, 0);
}

#[expect(clippy::disallowed_methods, reason = "certificates for the real server are made for the real day")]
fn now() -> UnixMillis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    UnixMillis(i64::try_from(since.as_millis()).unwrap())
}

/// A certificate for this machine, and who issued it.
fn put_certificate(folder: &Path) {
    let authority = ServerAuthority::generate("Test Console Root", Validity::days_from(now(), 30)).unwrap();
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let pair = authority.issue(&names, ServerKeyKind::P256, Validity::days_from(now(), 20)).unwrap();
    fs::write(folder.join("root.crt"), &authority.root_pem).unwrap();
    fs::write(folder.join("console.key"), pair.key_pem.reveal()).unwrap();
    fs::write(folder.join("console.crt"), &pair.chain_pem).unwrap();
}

/// Starts the server anew with its console at an address that others reach.
fn beyond_loopback(server: &mut TestServer, section: &str) {
    server.stop();
    let text = fs::read_to_string(server.configuration()).unwrap();
    let text = text.replace("console = \"127.0.0.1:0\"", "console = \"0.0.0.0:0\"");
    fs::write(server.configuration(), format!("{text}\n[console]\n{section}")).unwrap();
    server.power_on();
}

#[test]
fn beyond_loopback_the_console_speaks_https_and_takes_up_another_certificate() {
    let mut server = TestServer::start(&provost(), &Maker::new());
    let folder = tempfile::tempdir().unwrap();
    put_certificate(folder.path());
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    beyond_loopback(
        &mut server,
        &format!("certificate = {:?}\nkey = {:?}\n", path("console.crt"), path("console.key")),
    );
    let address = server.address("console");
    assert!(address.starts_with("https://0.0.0.0:"), "{address}");
    let console = address.replace("0.0.0.0", "127.0.0.1");
    let root = path("root.crt");

    let browser = Browser::new(&console, &["--cacert", &root]);
    let word = first_password(&server);
    let page = browser.sign_in("owner", &word);
    let cookie = page.header("set-cookie").unwrap().to_owned();
    assert!(cookie.starts_with("__Host-provost-session=") && cookie.contains("; Secure"), "{cookie}");
    assert_eq!(browser.get("/").header("location"), Some("/new-password"));
    assert_eq!(Reply::of(&["--cacert", &root, &format!("{console}/api/v1/accounts")]).status, 401);
    let plain = console.replace("https", "http");
    assert_eq!(Reply::of(&[&format!("{plain}/sign-in")]).status, 0, "nothing is said in clear");
    for version in ["1.0", "1.1"] {
        let old = Reply::of(&["--cacert", &root, "--tls-max", version, &format!("{console}/sign-in")]);
        assert_eq!(old.status, 0, "TLS {version}");
    }
    let list = |ca: &[&str]| {
        let mut all = vec!["account", "list", "--server", &console, "--token", server.token()];
        all.extend(ca);
        server.cli(&all)
    };
    assert_eq!(list(&["--ca", &root]).code, 0, "{}", list(&["--ca", &root]).err);
    let refused = list(&[]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("the token was not sent"), "{}", refused.err);
    put_certificate(folder.path());
    server.signal("HUP");
    let renewed = || Reply::of(&["--cacert", &root, &format!("{console}/sign-in")]).status == 200;
    let began = std::time::Instant::now();
    while !renewed() {
        assert!(began.elapsed().as_secs() < 20, "{}", server.log());
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let checked = server.cli(&["check"]);
    assert!(
        checked.code == 0 && checked.out.contains("over HTTPS with its own certificate"),
        "{}{}",
        checked.out,
        checked.err
    );
}

#[test]
fn behind_a_proxy_the_client_is_who_the_proxy_says_last() {
    let mut server = TestServer::start(&provost(), &Maker::new());
    beyond_loopback(&mut server, "behind-proxy = true\nproxies = [\"192.0.2.7/32\"]\n");
    let console = server.address("console").replace("0.0.0.0", "127.0.0.1");
    assert!(console.starts_with("http://"), "{console}");
    let word = first_password(&server);

    let forwarded = ["--header", "X-Forwarded-For: 10.9.9.9, 203.0.113.7"];
    let page = Browser::new(&console, &forwarded).sign_in("owner", &word);

    assert_eq!(page.status, 303);
    assert!(page.header("set-cookie").unwrap().starts_with("__Host-"), "the browser is on HTTPS");
    let bearer = format!("Authorization: Bearer {}", server.token());
    let audit = Reply::of(&["--header", &bearer, &format!("{console}/api/v1/audit")]).json();
    assert_eq!(audit["items"][0]["from-where"], "203.0.113.7", "{audit}");
}
