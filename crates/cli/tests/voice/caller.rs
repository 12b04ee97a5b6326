//! A caller of these tests' own, for what no phone would do: it loses, repeats and reorders what it sends.
//!
//! Shares no code with Provost: messages are text, the digest is OpenSSL's, key events are bytes of RFC 4733.

use crate::line::Line;
use crate::wire::{Message, Wire};
use openssl::hash::{MessageDigest, hash};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// As long as a phone tries (RFC 3261, 64 T1).
const DEADLINE: Duration = Duration::from_secs(32);
const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);

/// One call.
pub(crate) struct Caller {
    pub(crate) line: Line,
    pub(crate) wire: Wire,
    pub(crate) rtp: UdpSocket,
    /// The payload types it offers.
    pub(crate) formats: &'static str,
    /// Whether the network doubles what it sends.
    pub(crate) doubled: bool,
    call_id: String,
    tag: String,
    cseq: u32,
    to_tag: String,
    /// Where the server wants the voice.
    pub(crate) media: SocketAddr,
    nonce: String,
    count: u32,
    /// What confirms the 200, should it come again.
    ack: Option<String>,
    /// The tags of every 200 to an INVITE: one for each dialogue the server thinks there is.
    dialogues: RefCell<BTreeSet<String>>,
}

fn branch_of(request: &str) -> &str {
    request.split_once("branch=").unwrap().1.split_once("\r\n").unwrap().0
}

fn md5(text: &str) -> String {
    hash(MessageDigest::md5(), text.as_bytes()).unwrap().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Caller {
    /// Over UDP, on a network that doubles everything.
    pub(crate) fn new(line: &Line) -> Self {
        Self { doubled: true, ..Self::with(line, Wire::udp()) }
    }

    /// Calls by this wire; what is lost is sent again as RFC 3261 wants it and not oftener.
    pub(crate) fn with(line: &Line, wire: Wire) -> Self {
        let rtp = UdpSocket::bind("127.0.0.1:0").unwrap();
        rtp.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        Self {
            line: line.clone(),
            wire,
            rtp,
            formats: "0 8 101",
            doubled: false,
            call_id: format!("{:016x}", rand::random::<u64>()),
            tag: format!("{:08x}", rand::random::<u32>()),
            cseq: 0,
            to_tag: String::new(),
            media: "127.0.0.1:9".parse().unwrap(),
            nonce: String::new(),
            count: 0,
            ack: None,
            dialogues: RefCell::default(),
        }
    }

    /// Registers; the number of times the present nonce was used is returned.
    pub(crate) fn register(&mut self) -> u32 {
        loop {
            match self.registers_once() {
                200 => return self.count,
                401 => {}
                other => panic!("REGISTER was answered {other}"),
            }
        }
    }

    /// One REGISTER, with a proof once there was a challenge.
    pub(crate) fn registers_once(&mut self) -> u16 {
        let uri = format!("sip:{}", self.line.server);
        self.cseq += 1;
        let authorization = self.authorization("REGISTER", &uri);
        let text = self.request("REGISTER", &uri, &authorization, "");
        self.exchange(&text).status()
    }

    /// Calls the activation number and has it answered.
    pub(crate) fn call(&mut self) {
        let contact = self.line.contact.clone();
        let answer = self.invite(&contact);
        assert_eq!(answer.status(), 200, "{}", answer.first);
        self.established(&answer);
    }

    /// Sends INVITE until it is answered for good, digest and all; 200 is not confirmed yet. A third 401 is for good.
    pub(crate) fn invite(&mut self, number: &str) -> Message {
        let mut challenges = 0;
        loop {
            let text = self.invitation(number);
            let answer = self.exchange(&text);
            challenges += u32::from(answer.status() == 401);
            if answer.status() != 401 || challenges == 3 {
                return answer;
            }
            self.send(&self.ack(&self.uri(number), branch_of(&text), answer.header("To").unwrap()));
        }
    }

    /// The next INVITE, with a proof once there was a challenge.
    pub(crate) fn invitation(&mut self, number: &str) -> String {
        let uri = self.uri(number);
        self.cseq += 1;
        let authorization = self.authorization("INVITE", &uri);
        self.request("INVITE", &uri, &authorization, &self.offer())
    }

    /// Gets a challenge and returns the INVITE that proves the line, not sent yet.
    pub(crate) fn proven_invitation(&mut self, number: &str) -> String {
        let text = self.invitation(number);
        let challenge = self.exchange(&text);
        assert_eq!(challenge.status(), 401);
        self.send(&self.ack(&self.uri(number), branch_of(&text), challenge.header("To").unwrap()));
        self.invitation(number)
    }

    pub(crate) fn offer(&self) -> String {
        let port = self.rtp.local_addr().unwrap().port();
        format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
             m=audio {port} RTP/AVP {}\r\na=rtpmap:101 telephone-event/8000\r\n",
            self.formats
        )
    }

    fn uri(&self, number: &str) -> String {
        format!("sip:{number}@{}", self.line.server)
    }

    /// Calls the activation number and gives up at once; whichever was faster, the call is over then.
    pub(crate) fn calls_and_cancels(&mut self) {
        let contact = self.line.contact.clone();
        let (uri, text) = (self.uri(&contact), self.proven_invitation(&contact));
        self.send(&text);
        let cancel = format!(
            "CANCEL {uri} SIP/2.0\r\n{}To: <{uri}>\r\nCSeq: {} CANCEL\r\nContent-Length: 0\r\n\r\n",
            self.common(branch_of(&text)),
            self.cseq
        );
        self.send(&cancel);
        let invite = format!("{} INVITE", self.cseq);
        let answer = self.waits_for(|message| message.status() >= 200 && message.header("CSeq") == Some(&invite));
        if answer.status() == 200 {
            self.established(&answer);
            assert_eq!(self.hangs_up(), 200);
        } else {
            assert_eq!(answer.status(), 487);
            self.send(&self.ack(&uri, branch_of(&text), answer.header("To").unwrap()));
        }
    }

    /// Confirms a 200 and learns where the voice goes.
    pub(crate) fn established(&mut self, answer: &Message) {
        let to = answer.header("To").unwrap().to_owned();
        answer.to_tag().unwrap().clone_into(&mut self.to_tag);
        let line = answer.text.lines().find(|line| line.starts_with("m=audio ")).unwrap();
        let port: u16 = line.split(' ').nth(1).unwrap().parse().unwrap();
        self.media = (self.line.server.ip(), port).into();
        let uri = self.uri(&self.line.contact);
        let ack = self.ack(&uri, &format!("z9hG4bK{:x}", rand::random::<u64>()), &to);
        self.send(&ack);
        self.ack = Some(ack);
    }

    /// Ends the call; returns the status of the answer.
    pub(crate) fn hangs_up(&mut self) -> u16 {
        let bye = self.within("BYE", "");
        self.exchange(&bye).status()
    }

    /// The next request of the call, with a session description as its body or none.
    pub(crate) fn within(&mut self, method: &str, body: &str) -> String {
        self.cseq += 1;
        let uri = self.uri(&self.line.contact);
        self.request(method, &uri, "", body)
    }

    fn common(&self, branch: &str) -> String {
        let Line { user, server, .. } = &self.line;
        let (local, name) = (self.wire.local(), self.wire.name());
        format!(
            "Via: SIP/2.0/{name} {local};rport;branch={branch}\r\nMax-Forwards: 70\r\n\
             From: <sip:{user}@{server}>;tag={}\r\nCall-ID: {}\r\n",
            self.tag, self.call_id
        )
    }

    fn ack(&self, uri: &str, branch: &str, to: &str) -> String {
        let (common, cseq) = (self.common(branch), self.cseq);
        format!("ACK {uri} SIP/2.0\r\n{common}To: {to}\r\nCSeq: {cseq} ACK\r\nContent-Length: 0\r\n\r\n")
    }

    fn authorization(&mut self, method: &str, uri: &str) -> String {
        if self.nonce.is_empty() {
            return String::new();
        }
        self.count += 1;
        let Line { user, password, server, .. } = &self.line;
        let realm = server.ip();
        let (count, nonce) = (format!("{:08x}", self.count), &self.nonce);
        let proof = md5(&format!("{user}:{realm}:{password}"));
        let request = md5(&format!("{method}:{uri}"));
        let response = md5(&format!("{proof}:{nonce}:{count}:abc:auth:{request}"));
        format!(
            "Authorization: Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", \
             response=\"{response}\", algorithm=MD5, cnonce=\"abc\", qop=auth, nc={count}\r\n"
        )
    }

    fn request(&self, method: &str, uri: &str, authorization: &str, body: &str) -> String {
        let (user, local) = (&self.line.user, self.wire.local());
        let target = if method == "REGISTER" { self.uri(user) } else { uri.to_owned() };
        let tag = if self.to_tag.is_empty() { String::new() } else { format!(";tag={}", self.to_tag) };
        let kind = match (body.is_empty(), method) {
            (true, _) => "",
            (false, "INFO") => "Content-Type: application/dtmf-relay\r\n",
            (false, _) => "Content-Type: application/sdp\r\n",
        };
        let transport = self.wire.name().to_lowercase();
        format!(
            "{method} {uri} SIP/2.0\r\n{}To: <{target}>{tag}\r\nCSeq: {} {method}\r\n\
             Contact: <sip:{user}@{local};transport={transport}>\r\n{authorization}{kind}Content-Length: {}\r\n\r\n{body}",
            self.common(&format!("z9hG4bK{:x}", rand::random::<u64>())),
            self.cseq,
            body.len()
        )
    }

    pub(crate) fn send(&self, text: &str) {
        self.wire.send(text.as_bytes(), self.line.server);
    }

    /// Sends until a final answer comes; an INVITE no more once it is being worked on.
    pub(crate) fn exchange(&mut self, text: &str) -> Message {
        let (began, mut wait, mut heard_of) = (Instant::now(), T1, false);
        while began.elapsed() < DEADLINE {
            if !heard_of {
                self.send(text);
            }
            if self.doubled {
                self.send(text);
            }
            let waiting = Instant::now();
            while waiting.elapsed() < wait {
                let Some(message) = self.receive() else { continue };
                let ours = message.header("CSeq").is_some_and(|cseq| cseq.starts_with(&format!("{} ", self.cseq)));
                if message.status() == 0 || !ours {
                    continue;
                }
                if message.status() < 200 {
                    heard_of = text.starts_with("INVITE ");
                    continue;
                }
                if let Some(nonce) = message.header("WWW-Authenticate").and_then(|all| all.split_once("nonce=\"")) {
                    nonce.1.split_once('"').unwrap().0.clone_into(&mut self.nonce);
                    self.count = 0;
                }
                return message;
            }
            wait = (wait * 2).min(T2);
        }
        panic!("nobody answered within {DEADLINE:?}");
    }

    /// The next message, within a twentieth of a second; an answer that was confirmed and comes again is confirmed again.
    pub(crate) fn receive(&self) -> Option<Message> {
        let message = self.wire.receive()?;
        if message.status() == 200 && message.header("CSeq").is_some_and(|cseq| cseq.ends_with(" INVITE")) {
            self.dialogues.borrow_mut().extend(message.to_tag().map(str::to_owned));
            if let Some(ack) = &self.ack {
                self.send(ack);
            }
        }
        Some(message)
    }

    /// How many dialogues the server has told of.
    pub(crate) fn dialogues(&self) -> usize {
        self.dialogues.borrow().len()
    }

    fn waits_for(&self, wanted: impl Fn(&Message) -> bool) -> Message {
        let began = Instant::now();
        while began.elapsed() < DEADLINE {
            if let Some(message) = self.receive().filter(&wanted) {
                return message;
            }
        }
        panic!("it did not come within {DEADLINE:?}");
    }

    /// Waits for a request of the server's within this call, for one of an older call may come to the same port;
    /// a NOTIFY belongs to no call.
    pub(crate) fn waits_for_request(&self, method: &str) -> Message {
        self.waits_for(|message| {
            let ours = method == "NOTIFY" || message.header("Call-ID") == Some(self.call_id.as_str());
            ours && message.first.starts_with(&format!("{method} "))
        })
    }

    /// Waits for a request of the server's and answers it 200.
    pub(crate) fn is_asked(&self, method: &str) -> Message {
        let message = self.waits_for_request(method);
        self.agrees(&message);
        message
    }

    /// Answers a request of the server's with 200.
    pub(crate) fn agrees(&self, request: &Message) {
        let keep = ["Via", "From", "To", "Call-ID", "CSeq"]
            .map(|name| format!("{name}: {}\r\n", request.header(name).unwrap_or_else(|| panic!("no {name}"))));
        self.send(&format!("SIP/2.0 200 OK\r\n{}Content-Length: 0\r\n\r\n", keep.concat()));
    }
}
