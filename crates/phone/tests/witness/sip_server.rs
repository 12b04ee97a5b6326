//! A SIP server that does what a test says, step by step; shares nothing with Provost's or the phone's.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use openssl::hash::{MessageDigest, hash};
use provost_phone::{Account, Password};
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// Longer than anything a test waits for.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);
pub(crate) const USER: &str = "k3m5x7q2abcd";
pub(crate) const PASSWORD: &str = "Sesame1234";
pub(crate) const REALM: &str = "realm, with \\\"comma\\\"";

/// A message that came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) text: String,
    pub(crate) from: SocketAddr,
}

impl Asked {
    pub(crate) fn line(&self) -> &str {
        self.text.lines().next().unwrap()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.text.lines().any(|line| line.starts_with(&format!("{name}: ")))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.text.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        found.unwrap_or_else(|| panic!("no {name} in {}", self.text))
    }

    /// A field of the credentials.
    pub(crate) fn credential(&self, name: &str) -> String {
        let value = self.header("Authorization").strip_prefix("Digest ").unwrap();
        let start = format!("{name}=");
        let found = value.split(", ").find_map(|field| field.strip_prefix(&start));
        found.unwrap_or_default().trim_matches('"').to_owned()
    }

    /// The port its description names for sound.
    pub(crate) fn sound_port(&self) -> u16 {
        let line = self.text.lines().find_map(|line| line.strip_prefix("m=audio ")).unwrap();
        line.split(' ').next().unwrap().parse().unwrap()
    }

    /// Whether the credentials prove the password, worked out anew.
    pub(crate) fn is_proven(&self) -> bool {
        let realm = REALM.replace("\\\"", "\"");
        let method = self.line().split(' ').next().unwrap();
        let uri = self.line().split(' ').nth(1).unwrap();
        let field = |name| self.credential(name);
        let ha1 = md5(&format!("{USER}:{realm}:{PASSWORD}"));
        let ha2 = md5(&format!("{method}:{uri}"));
        let middle = format!("{}:{}:{}:auth", field("nonce"), field("nc"), field("cnonce"));
        field("uri") == uri && field("response") == md5(&format!("{ha1}:{middle}:{ha2}"))
    }
}

pub(crate) struct SipServer {
    pub(crate) socket: UdpSocket,
    pub(crate) address: SocketAddr,
    seen: HashSet<String>,
}

impl SipServer {
    pub(crate) async fn start() -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
        Self { address: socket.local_addr().unwrap(), socket, seen: HashSet::new() }
    }

    /// The next message, which must be a request of this method or an answer of this status; repetitions
    /// of earlier ones are passed over.
    pub(crate) async fn expect(&mut self, first: &str) -> Asked {
        loop {
            let asked = self.receive().await;
            if self.seen.insert(asked.text.clone()) {
                let expected = asked.line().starts_with(&format!("{first} "))
                    || asked.line().starts_with(&format!("SIP/2.0 {first} "));
                assert!(expected, "expected {first}, got {}", asked.text);
                return asked;
            }
        }
    }

    /// The next message, repeated or not.
    pub(crate) async fn receive(&self) -> Asked {
        let mut datagram = vec![0; 65_535];
        let received = timeout(LIMIT, self.socket.recv_from(&mut datagram)).await.expect("the phone says nothing");
        let (length, from) = received.unwrap();
        Asked { text: String::from_utf8(datagram[..length].to_vec()).unwrap(), from }
    }

    /// Answers with more header lines, each ending with a line break, and a body.
    pub(crate) async fn answer(&self, asked: &Asked, status: &str, more: &str, body: &str) {
        let text = answer(asked, status, more, body);
        self.socket.send_to(text.as_bytes(), asked.from).await.unwrap();
    }

    pub(crate) async fn ok(&self, asked: &Asked, more: &str) {
        self.answer(asked, "200 OK", more, "").await;
    }

    pub(crate) async fn challenge(&self, asked: &Asked, nonce: &str) {
        self.answer(asked, "401 Unauthorized", &challenge(nonce, "MD5", ""), "").await;
    }

    /// Takes one registration: challenge, proof, 200.
    pub(crate) async fn registers(&mut self, expires: u32) -> Asked {
        let first = self.expect("REGISTER").await;
        self.challenge(&first, "n1").await;
        let proven = self.expect("REGISTER").await;
        self.ok(&proven, &granted(&proven, expires)).await;
        proven
    }

    pub(crate) async fn send(&self, to: SocketAddr, text: &str) {
        self.socket.send_to(text.as_bytes(), to).await.unwrap();
    }

    /// A request outside of any call.
    pub(crate) fn outside(&self, method: &str, branch: &str, more: &str) -> String {
        format!(
            "{method} sip:{USER}@phone SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bK{branch};rport\r\n\
             From: <sip:server@test>;tag=s1\r\nTo: <sip:{USER}@test>\r\nCall-ID: outside-{branch}\r\n\
             CSeq: 1 {method}\r\n{more}Content-Length: 0\r\n\r\n",
            self.address
        )
    }

    /// An account at this server.
    pub(crate) fn account(&self) -> Account {
        let account = Account::new(("127.0.0.1", self.address.port()), (USER, Password::new(PASSWORD)));
        Account { label: "Activate".to_owned(), off_hook: Some("activate".to_owned()), ..account }
    }
}

/// A challenge as a header line.
pub(crate) fn challenge(nonce: &str, algorithm: &str, more: &str) -> String {
    format!(
        "WWW-Authenticate: Digest realm=\"{REALM}\", nonce=\"{nonce}\", qop=\"auth\", algorithm={algorithm}{more}\r\n"
    )
}

/// What a registrar says of the registration it took.
pub(crate) fn granted(asked: &Asked, expires: u32) -> String {
    let uri = asked.header("Contact").split(['<', '>']).nth(1).unwrap();
    format!("Contact: <sip:other@192.0.2.7>;expires=7, <{uri}>;expires={expires}\r\n")
}

pub(crate) fn answer(asked: &Asked, status: &str, more: &str, body: &str) -> String {
    let to = asked.header("To");
    let tag = if to.contains(";tag=") || status.starts_with("100") { "" } else { ";tag=server" };
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "SIP/2.0 {status}\r\nVia: {};received=127.0.0.1\r\nFrom: {}\r\nTo: {to}{tag}\r\nCall-ID: {}\r\nCSeq: {}\r\n\
         {more}{kind}Content-Length: {}\r\n\r\n{body}",
        asked.header("Via"),
        asked.header("From"),
        asked.header("Call-ID"),
        asked.header("CSeq"),
        body.len()
    )
}

fn md5(text: &str) -> String {
    hash(MessageDigest::md5(), text.as_bytes()).unwrap().iter().map(|byte| format!("{byte:02x}")).collect()
}
