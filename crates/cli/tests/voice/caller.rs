//! A caller of these tests' own, for what no phone would do: it loses, repeats and reorders what it sends.
//!
//! Shares no code with Provost: messages are text, the digest is OpenSSL's, key events are bytes of RFC 4733.

use crate::line::{Line, until};
use openssl::hash::{MessageDigest, hash};
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(20);

/// One call over UDP.
pub(crate) struct Caller {
    line: Line,
    sip: UdpSocket,
    pub(crate) rtp: UdpSocket,
    call_id: String,
    tag: String,
    cseq: u32,
    to_tag: String,
    /// Where the server wants the voice.
    pub(crate) media: SocketAddr,
    nonce: String,
    count: u32,
}

/// A received message: its first line, its headers, its body.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) first: String,
    text: String,
}

impl Message {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.text.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.trim().eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    fn status(&self) -> u16 {
        self.first.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }
}

fn branch_of(request: &str) -> &str {
    request.split_once("branch=").unwrap().1.split_once("\r\n").unwrap().0
}

fn md5(text: &str) -> String {
    hash(MessageDigest::md5(), text.as_bytes()).unwrap().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Caller {
    pub(crate) fn new(line: &Line) -> Self {
        let sip = UdpSocket::bind("127.0.0.1:0").unwrap();
        let rtp = UdpSocket::bind("127.0.0.1:0").unwrap();
        for socket in [&sip, &rtp] {
            socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        }
        Self {
            line: line.clone(),
            sip,
            rtp,
            call_id: format!("{:016x}", rand::random::<u64>()),
            tag: format!("{:08x}", rand::random::<u32>()),
            cseq: 0,
            to_tag: String::new(),
            media: "127.0.0.1:9".parse().unwrap(),
            nonce: String::new(),
            count: 0,
        }
    }

    /// Registers; the number of times the present nonce was used is returned.
    pub(crate) fn register(&mut self) -> u32 {
        let uri = format!("sip:{}", self.line.server);
        loop {
            self.cseq += 1;
            let authorization = self.authorization("REGISTER", &uri);
            let text = self.request("REGISTER", &uri, &authorization, "");
            match self.exchange(&text).status() {
                200 => return self.count,
                401 => {}
                other => panic!("REGISTER was answered {other}"),
            }
        }
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
        let uri = format!("sip:{number}@{}", self.line.server);
        let mut challenges = 0;
        loop {
            self.cseq += 1;
            let authorization = self.authorization("INVITE", &uri);
            let port = self.rtp.local_addr().unwrap().port();
            let sdp = format!(
                "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                 m=audio {port} RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
            );
            let text = self.request("INVITE", &uri, &authorization, &sdp);
            let answer = self.exchange(&text);
            challenges += u32::from(answer.status() == 401);
            if answer.status() != 401 || challenges == 3 {
                return answer;
            }
            self.send(&self.ack(&uri, branch_of(&text), answer.header("To").unwrap()));
        }
    }

    /// Calls the activation number and gives up at once; whichever was faster, the call is over then.
    pub(crate) fn calls_and_cancels(&mut self) {
        let uri = format!("sip:{}@{}", self.line.contact, self.line.server);
        self.cseq += 1;
        let text = self.request("INVITE", &uri, "", "");
        let challenge = self.exchange(&text);
        assert_eq!(challenge.status(), 401);
        self.send(&self.ack(&uri, branch_of(&text), challenge.header("To").unwrap()));
        self.cseq += 1;
        let authorization = self.authorization("INVITE", &uri);
        let text = self.request("INVITE", &uri, &authorization, "");
        self.send(&text);
        let cancel = format!(
            "CANCEL {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {};rport;branch={}\r\nMax-Forwards: 70\r\n\
             From: <sip:{}@{}>;tag={}\r\nTo: <{uri}>\r\nCall-ID: {}\r\nCSeq: {} CANCEL\r\nContent-Length: 0\r\n\r\n",
            self.sip.local_addr().unwrap(),
            branch_of(&text),
            self.line.user,
            self.line.server,
            self.tag,
            self.call_id,
            self.cseq
        );
        self.send(&cancel);
        let invite = format!("{} INVITE", self.cseq);
        let answer = until(|| {
            self.receive().filter(|message| message.status() >= 200 && message.header("CSeq") == Some(invite.as_str()))
        });
        let answer = answer.expect("a final answer to the INVITE");
        if answer.status() == 200 {
            self.established(&answer);
            self.cseq += 1;
            let bye = self.request("BYE", &uri, "", "");
            assert_eq!(self.exchange(&bye).status(), 200);
        } else {
            assert_eq!(answer.status(), 487);
            self.send(&self.ack(&uri, branch_of(&text), answer.header("To").unwrap()));
        }
    }

    /// Confirms a 200 and learns where the voice goes.
    pub(crate) fn established(&mut self, answer: &Message) {
        let to = answer.header("To").unwrap().to_owned();
        to.split_once("tag=").unwrap().1.clone_into(&mut self.to_tag);
        let line = answer.text.lines().find(|line| line.starts_with("m=audio ")).unwrap();
        let port: u16 = line.split(' ').nth(1).unwrap().parse().unwrap();
        self.media = (self.line.server.ip(), port).into();
        let uri = format!("sip:{}@{}", self.line.contact, self.line.server);
        self.send(&self.ack(&uri, &format!("z9hG4bK{:x}", rand::random::<u64>()), &to));
    }

    fn ack(&self, uri: &str, branch: &str, to: &str) -> String {
        format!(
            "ACK {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {};rport;branch={branch}\r\nMax-Forwards: 70\r\n\
             From: <sip:{}@{}>;tag={}\r\nTo: {to}\r\nCall-ID: {}\r\nCSeq: {} ACK\r\nContent-Length: 0\r\n\r\n",
            self.sip.local_addr().unwrap(),
            self.line.user,
            self.line.server,
            self.tag,
            self.call_id,
            self.cseq
        )
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
        let local = self.sip.local_addr().unwrap();
        let Line { user, server, .. } = &self.line;
        let target = if method == "REGISTER" { format!("sip:{user}@{server}") } else { uri.to_owned() };
        let tag = if self.to_tag.is_empty() { String::new() } else { format!(";tag={}", self.to_tag) };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {local};rport;branch=z9hG4bK{:x}\r\nMax-Forwards: 70\r\n\
             From: <sip:{user}@{server}>;tag={}\r\nTo: <{target}>{tag}\r\nCall-ID: {}\r\nCSeq: {} {method}\r\n\
             Contact: <sip:{user}@{local}>\r\n{authorization}{kind}Content-Length: {}\r\n\r\n{body}",
            rand::random::<u64>(),
            self.tag,
            self.call_id,
            self.cseq,
            body.len()
        )
    }

    pub(crate) fn send(&self, text: &str) {
        self.sip.send_to(text.as_bytes(), self.line.server).unwrap();
    }

    /// Sends until a final answer comes, twice each time: a network may double what it carries.
    fn exchange(&mut self, text: &str) -> Message {
        let began = Instant::now();
        while began.elapsed() < DEADLINE {
            self.send(text);
            self.send(text);
            let wait = Instant::now();
            while wait.elapsed() < Duration::from_millis(500) {
                let Some(message) = self.receive() else { continue };
                let ours = message.header("CSeq").is_some_and(|cseq| cseq.starts_with(&format!("{} ", self.cseq)));
                if !message.first.starts_with("SIP/2.0 ") || !ours || message.status() < 200 {
                    continue;
                }
                if let Some(nonce) = message.header("WWW-Authenticate").and_then(|all| all.split_once("nonce=\"")) {
                    nonce.1.split_once('"').unwrap().0.clone_into(&mut self.nonce);
                    self.count = 0;
                }
                return message;
            }
        }
        panic!("nobody answered within {DEADLINE:?}");
    }

    /// The next message, within a twentieth of a second.
    pub(crate) fn receive(&self) -> Option<Message> {
        let mut datagram = [0; 65_536];
        let length = match self.sip.recv(&mut datagram) {
            Ok(length) => length,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return None,
            Err(error) => panic!("{error}"),
        };
        let text = String::from_utf8_lossy(&datagram[..length]).into_owned();
        let first = text.lines().next().unwrap_or_default().to_owned();
        Some(Message { first, text })
    }

    /// Waits for a request of the server's and answers it 200.
    pub(crate) fn is_asked(&self, method: &str) -> Message {
        let began = Instant::now();
        while began.elapsed() < DEADLINE {
            let Some(message) = self.receive() else { continue };
            if message.first.starts_with(&format!("{method} ")) {
                let keep = ["Via", "From", "To", "Call-ID", "CSeq"]
                    .map(|name| format!("{name}: {}\r\n", message.header(name).unwrap_or_else(|| panic!("no {name}"))));
                self.send(&format!("SIP/2.0 200 OK\r\n{}Content-Length: 0\r\n\r\n", keep.concat()));
                return message;
            }
        }
        panic!("no {method} came within {DEADLINE:?}");
    }

    /// The packets of one press: three that tell it goes on, three that tell it ended.
    pub(crate) fn press(&self, key: char, sequence: &mut u16, timestamp: u32) -> Vec<Vec<u8>> {
        let event = "0123456789*#".find(key).unwrap();
        (0..6u16)
            .map(|number| {
                let end = if number >= 3 { 0x80 } else { 0 };
                let marker = if number == 0 { 0x80 } else { 0 };
                let duration = 160 * (number.min(3) + 1);
                let mut packet = vec![0x80, marker | 101];
                packet.extend(sequence.to_be_bytes());
                packet.extend(timestamp.to_be_bytes());
                packet.extend(7u32.to_be_bytes());
                packet.extend([u8::try_from(event).unwrap(), end | 10]);
                packet.extend(duration.to_be_bytes());
                *sequence = sequence.wrapping_add(1);
                packet
            })
            .collect()
    }

    /// Sends packets to where the server listens.
    pub(crate) fn send_media(&self, packet: &[u8]) {
        self.rtp.send_to(packet, self.media).unwrap();
    }

    /// The arrival times of the server's packets while it speaks, for so long.
    pub(crate) fn listen(&self, time: Duration) -> Vec<Instant> {
        let (began, mut arrivals, mut packet) = (Instant::now(), Vec::new(), [0; 2_048]);
        while began.elapsed() < time {
            if self.rtp.recv(&mut packet).is_ok() {
                arrivals.push(Instant::now());
            }
        }
        arrivals
    }
}
