//! The mail server of a test.

use crate::scene::until;
use provost_testkit::PhoneKey;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

pub(crate) struct Smtp {
    child: Option<Child>,
    folder: TempDir,
    pub(crate) port: u16,
    arguments: Vec<String>,
}

/// A mail as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) to: String,
    pub(crate) message_id: String,
    /// Headers and body as they were sent.
    pub(crate) content: String,
    pub(crate) is_tls: bool,
    pub(crate) who: String,
}

impl Smtp {
    /// A server that takes everything.
    pub(crate) fn start() -> Self {
        let mut smtp = Self::off();
        smtp.power_on();
        smtp
    }

    /// A server that speaks only after STARTTLS, with this certificate, and only to this user.
    pub(crate) fn secured(pair: &PhoneKey, (user, password): (&str, &str)) -> Self {
        let mut smtp = Self::off();
        let path = |path: &Path| path.to_str().unwrap().to_owned();
        smtp.arguments = vec!["--chain".into(), path(&pair.chain), "--key".into(), path(&pair.key)];
        smtp.arguments.extend(["--user", user, "--password", password].map(str::to_owned));
        smtp.power_on();
        smtp
    }

    /// A server that is not running yet, at a port that is its own.
    pub(crate) fn off() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let smtp = Self { child: None, folder: tempfile::tempdir().unwrap(), port, arguments: Vec::new() };
        smtp.behave("accept");
        smtp
    }

    /// From the next command on.
    pub(crate) fn behave(&self, mode: &str) {
        let file = self.folder.path().join("mode");
        std::fs::write(file.with_extension("new"), mode).unwrap();
        std::fs::rename(file.with_extension("new"), file).unwrap();
    }

    pub(crate) fn power_on(&mut self) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mail/server.py");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let child = Command::new("/usr/bin/python3")
            .arg(script)
            .arg("--folder")
            .arg(self.folder.path())
            .args(["--port", &self.port.to_string()])
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("python3 (Debian: python3, python3-aiosmtpd)");
        let child = self.child.insert(child);
        let folder = self.folder.path();
        until(|| {
            let log = || std::fs::read_to_string(folder.join("log")).unwrap_or_default();
            assert!(child.try_wait().unwrap().is_none(), "the mail server ended:\n{}", log());
            TcpStream::connect(("127.0.0.1", self.port)).ok()
        });
    }

    pub(crate) fn power_off(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Waits until it ended by itself.
    pub(crate) fn died(&mut self) {
        let child = self.child.as_mut().unwrap();
        until(|| child.try_wait().unwrap());
        self.child = None;
    }

    fn lines(&self, name: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// How often somebody asked whether a recipient is taken.
    pub(crate) fn asked(&self) -> usize {
        self.lines("asked").len()
    }

    /// Whether somebody waits for the word to send the content.
    pub(crate) fn holds(&self) -> bool {
        !self.lines("held").is_empty()
    }

    /// Every mail that was taken, in order.
    pub(crate) fn received(&self) -> Vec<Received> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let read = |mail: Value| {
            let content = text(&mail["content"]).replace("\r\n", "\n");
            let id = content.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap_or_default().to_owned();
            let to = text(&mail["to"][0]);
            Received { to, message_id: id, is_tls: mail["tls"] == true, who: text(&mail["who"]), content }
        };
        self.lines("received").into_iter().map(read).collect()
    }

    /// How often each Message-ID arrived.
    pub(crate) fn counted(&self) -> BTreeMap<String, usize> {
        let mut counted = BTreeMap::new();
        for mail in self.received() {
            *counted.entry(mail.message_id).or_default() += 1;
        }
        counted
    }
}

impl Received {
    /// A part as its reader sees it: `text/plain` or `text/html`.
    pub(crate) fn part(&self, kind: &str) -> String {
        let (_, part) = self.content.split_once(&format!("Content-Type: {kind}")).unwrap();
        let (head, body) = part.split_once("\n\n").unwrap();
        let body = body.split("\n--").next().unwrap();
        let encoding = head.lines().find_map(|line| line.strip_prefix("Content-Transfer-Encoding: "));
        match encoding {
            Some("quoted-printable") => unquoted(body),
            Some("base64") => {
                use base64::Engine as _;
                let bytes = base64::engine::general_purpose::STANDARD.decode(body.replace('\n', "")).unwrap();
                String::from_utf8(bytes).unwrap()
            }
            _ => body.to_owned(),
        }
    }
}

fn unquoted(body: &str) -> String {
    let joined = body.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.as_bytes();
    while let [first, more @ ..] = rest {
        rest = more;
        let hex = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
        match (first, more) {
            (b'=', [one, two, after @ ..]) => {
                bytes.push(hex(&[*one, *two]));
                rest = after;
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).unwrap()
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.power_off();
    }
}
