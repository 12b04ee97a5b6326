//! Every phone of the test maker, good and bad, by every protocol a phone may speak, under every rule an administrator
//! may set, with OpenSSL's own client.
//!
//! What is expected is written from docs/THREATS.md 1-4 and from what `legacy-tls` promises, not from the code.

use crate::phone::USER_AGENT;
use crate::provost;
use provost_testkit::{ServerSetup, TestServer, shared, skipped};
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

const MAC: &str = "0004f2aabbcc";

/// What a phone offers, as arguments of `openssl s_client`.
struct Way {
    name: &'static str,
    arguments: &'static [&'static str],
    served: Served,
}

/// When a way of speaking completes a handshake.
#[derive(Clone, Copy, PartialEq)]
enum Served {
    Always,
    /// Only with `legacy-tls`; without, the administrator reads this.
    Legacy(&'static str),
    Never,
}

const SHA1: Served = Served::Legacy("it offers SHA-1 signatures only, which needs `legacy-tls = true`");
const TLS10: Served = Served::Legacy("it offers TLS 1.0 only, which needs `legacy-tls = true`");
const TLS11: Served = Served::Legacy("it offers TLS 1.1 only, which needs `legacy-tls = true`");

const ANY: &str = "DEFAULT@SECLEVEL=0";
const STATIC_RSA: &str = "kRSA+AES@SECLEVEL=0";

const WAYS: [Way; 10] = [
    Way { name: "TLS 1.0", arguments: &["-tls1", "-cipher", ANY], served: TLS10 },
    Way { name: "TLS 1.0 static RSA", arguments: &["-tls1", "-cipher", STATIC_RSA], served: TLS10 },
    Way { name: "TLS 1.1", arguments: &["-tls1_1", "-cipher", ANY], served: TLS11 },
    Way { name: "TLS 1.1 static RSA", arguments: &["-tls1_1", "-cipher", STATIC_RSA], served: TLS11 },
    Way { name: "TLS 1.2", arguments: &["-tls1_2", "-cipher", ANY], served: Served::Always },
    Way { name: "TLS 1.2 static RSA", arguments: &["-tls1_2", "-cipher", STATIC_RSA], served: Served::Always },
    Way { name: "TLS 1.2 SHA-1", arguments: &["-tls1_2", "-cipher", ANY, "-sigalgs", "RSA+SHA1"], served: SHA1 },
    Way {
        name: "TLS 1.2 static RSA SHA-1",
        arguments: &["-tls1_2", "-cipher", STATIC_RSA, "-sigalgs", "RSA+SHA1"],
        served: SHA1,
    },
    Way { name: "TLS 1.3", arguments: &["-tls1_3", "-cipher", ANY], served: Served::Always },
    // TLS 1.3 has no SHA-1 signature in its handshake (RFC 8446, 4.2.3), so there is nothing to be lenient about.
    Way {
        name: "TLS 1.3 SHA-1",
        arguments: &["-tls1_3", "-cipher", ANY, "-sigalgs", "RSA+SHA1"],
        served: Served::Never,
    },
];

/// When a phone's certificate proves it; the text is what the administrator reads when it does not.
#[derive(Clone, Copy)]
enum Proves {
    Always,
    IfExpiredIsAccepted(&'static str),
    WithLegacy(&'static str),
    Never(&'static str),
}

const PHONES: [(&str, Proves); 9] = [
    ("good", Proves::Always),
    ("leafonly", Proves::Always),
    ("expired", Proves::IfExpiredIsAccepted("it expired on 2020-01-01 and `accept-expired-leaf` is off")),
    ("sha1", Proves::WithLegacy("it is signed with SHA-1, which only `legacy-tls = true` accepts")),
    ("rsa1024", Proves::WithLegacy("it is signed with SHA-1, which only `legacy-tls = true` accepts")),
    ("selfsigned", Proves::Never("it is signed by its own key and not by a phone maker's authority")),
    (
        "rogue",
        Proves::Never(
            "it only looks issued by `Test Maker Equipment Issuing CA sha256`: \
             the signature was not made by that authority's key",
        ),
    ),
    ("notmac", Proves::Never("its name `phone.example` is no MAC address")),
    ("ca", Proves::Never("it is marked as an authority (CA:TRUE), so it is not a phone's own certificate")),
];

/// What must come of one connection.
#[derive(Debug, PartialEq)]
enum Outcome {
    Served,
    /// 404, and this reason in the list of those who proved nothing.
    NotFound(String),
    /// No connection, and this in the log, where we are the ones who refuse.
    Refused(Option<&'static str>),
}

#[derive(Debug, Clone, Copy)]
struct Rules {
    legacy: bool,
    accept_expired: bool,
}

fn expected(phone: Proves, way: &Way, rules: Rules) -> Outcome {
    match way.served {
        Served::Never => return Outcome::Refused(None),
        Served::Legacy(why) if !rules.legacy => return Outcome::Refused(Some(why)),
        _ => {}
    }
    match phone {
        Proves::Always => Outcome::Served,
        Proves::IfExpiredIsAccepted(_) if rules.accept_expired => Outcome::Served,
        Proves::WithLegacy(_) if rules.legacy => Outcome::Served,
        Proves::IfExpiredIsAccepted(why) | Proves::WithLegacy(why) | Proves::Never(why) => {
            Outcome::NotFound(why.to_owned())
        }
    }
}

/// What one run of the client saw.
struct Seen {
    status: Option<u16>,
    resumed: bool,
    said: String,
}

/// One connection from an address of its own, by which the server's own words about it are found.
fn connect(phone: &Path, way: &Way, addresses: (&str, &str), session: (&str, &Path)) -> Seen {
    let file = |end: &str| phone.with_extension(end);
    let (from, server) = addresses;
    let mut client = Command::new("openssl")
        .args(["s_client", "-connect", server, "-bind", &format!("{from}:0"), "-ign_eof"])
        .arg("-cert")
        .arg(file("chain.pem"))
        .arg("-cert_chain")
        .arg(file("chain.pem"))
        .arg("-key")
        .arg(file("key"))
        .args(way.arguments)
        .args([session.0.as_ref(), session.1.as_os_str()])
        // The system's own file may forbid what old phones do.
        .env("OPENSSL_CONF", "/dev/null")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let request =
        format!("GET /{MAC}.cfg HTTP/1.1\r\nHost: localhost\r\nUser-Agent: {USER_AGENT}\r\nConnection: close\r\n\r\n");
    // A client whose handshake was refused is gone before it reads.
    let _ = client.stdin.take().unwrap().write_all(request.as_bytes());
    let output = client.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    // The client prints a session wherever it comes, be it in the middle of a line; it never prints what it sent.
    let status = said.split("HTTP/1.1 ").nth(1).and_then(|rest| rest.get(..3)?.parse().ok());
    Seen { status, resumed: said.contains("\nReused, "), said }
}

/// Every case of one server: its failures in words.
fn try_all(pki: &Path, rules: Rules) -> (u32, Vec<String>) {
    let setup = ServerSetup {
        top: String::new(),
        sections: format!(
            "[tls]\nlegacy-tls = {}\naccept-expired-leaf = {}\n[log]\nlevel = \"debug\"\nformat = \"json\"\n",
            rules.legacy, rules.accept_expired
        ),
    };
    let server = TestServer::start_trusting(&provost(), &pki.join("maker-bundle.crt"), &setup);
    let sessions = tempfile::tempdir().unwrap();
    let cases: Vec<_> = PHONES.iter().flat_map(|phone| WAYS.iter().map(move |way| (phone, way))).collect();
    let (next, failures) = (AtomicU32::new(0), Mutex::new(Vec::new()));
    let outcomes = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(((phone, proves), way)) = cases.get(usize::try_from(number).unwrap()) else { return };
                    let wanted = expected(*proves, way, rules);
                    let session = sessions.path().join(number.to_string());
                    for (again, option) in [(false, "-sess_out"), (true, "-sess_in")] {
                        if again && !session.exists() {
                            continue;
                        }
                        let from = format!("127.{}.{}.1", 1 + number, 1 + u8::from(again));
                        let address = server.address("phones_https");
                        let seen = connect(&pki.join(phone), way, (&from, &address), (option, &session));
                        let case = format!("{phone} by {} with {rules:?}, again: {again}", way.name);
                        let status = match wanted {
                            Outcome::Served => Some(200),
                            Outcome::NotFound(_) => Some(404),
                            Outcome::Refused(_) => None,
                        };
                        let resumed = again && status.is_some();
                        if (seen.status, seen.resumed) != (status, resumed) {
                            let found = (seen.status, seen.resumed);
                            let failure = format!("{case}: {found:?}, expected {wanted:?}\n{}", seen.said);
                            failures.lock().unwrap().push(failure);
                        }
                        outcomes.lock().unwrap().push((case, from));
                    }
                    if !matches!(wanted, Outcome::Refused(_)) && !session.exists() {
                        failures.lock().unwrap().push(format!("{phone} by {}: no session to resume", way.name));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    let outcomes = outcomes.into_inner().unwrap();
    let tried = u32::try_from(outcomes.len()).unwrap();
    failures.extend(words_missing(&server, outcomes, &cases, rules));
    (tried, failures)
}

/// The cases about which the administrator does not read what the policy says.
fn words_missing(
    server: &TestServer,
    outcomes: Vec<(String, String)>,
    cases: &[(&(&str, Proves), &Way)],
    rules: Rules,
) -> Vec<String> {
    let strangers = server.done("GET", "/strangers", None);
    let log: Vec<Value> = server.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let of = |from: &str| {
        let listed = strangers["items"].as_array().unwrap().iter().filter(|item| item["address"] == from);
        let reasons: Vec<String> = listed.map(|item| item["reason"].as_str().unwrap().to_owned()).collect();
        let logged = log.iter().map(|line| &line["fields"]).filter(|fields| fields["address"] == from);
        let failures: Vec<String> = logged.filter_map(|fields| Some(fields["failure"].as_str()?.to_owned())).collect();
        (reasons, failures)
    };
    let mut missing = Vec::new();
    for (case, from) in outcomes {
        let number: usize = from.split('.').nth(1).unwrap().parse().unwrap();
        let ((_, proves), way) = cases[number - 1];
        let wanted = expected(*proves, way, rules);
        let (reasons, failures) = of(&from);
        let told = match &wanted {
            Outcome::Served => reasons.is_empty() && failures.is_empty(),
            Outcome::NotFound(reason) => reasons == [reason.as_str()] && failures.is_empty(),
            Outcome::Refused(Some(why)) => reasons.is_empty() && failures == [*why],
            // The client itself may give up before it has said a word.
            Outcome::Refused(None) => reasons.is_empty(),
        };
        if !told {
            missing.push(format!("{case}: {reasons:?} and {failures:?}, expected {wanted:?}"));
        }
    }
    missing
}

#[test]
fn every_phone_by_every_protocol_under_every_rule_is_as_the_policy_says() {
    let Some(shared) = shared() else { return };
    let script = shared.join("bench/mkpki.sh");
    if !script.exists() {
        return skipped("there is no bench/mkpki.sh in the shared folder");
    }
    let pki = tempfile::tempdir().unwrap();
    let made = Command::new("bash").arg(script).args([pki.path().as_os_str(), MAC.to_uppercase().as_ref()]).output();
    let made = made.unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));

    let mut tried = 0;
    let mut failures = Vec::new();
    std::thread::scope(|scope| {
        let rules = [false, true]
            .into_iter()
            .flat_map(|legacy| [false, true].into_iter().map(move |accept_expired| Rules { legacy, accept_expired }));
        let servers: Vec<_> = rules
            .map(|rules| {
                scope.spawn({
                    let pki = pki.path();
                    move || try_all(pki, rules)
                })
            })
            .collect();
        for server in servers {
            let (of_one, wrong) = server.join().unwrap();
            tried += of_one;
            failures.extend(wrong);
        }
    });

    println!("{tried} connections");
    assert!(failures.is_empty(), "{} of {tried}:\n{}", failures.len(), failures.join("\n"));
    // 9 phones under 4 rules; of 10 ways 3 are served without `legacy-tls` and 9 with it, and these once more.
    assert_eq!(tried, 9 * 2 * (10 + 3) + 9 * 2 * (10 + 9));
}
