//! A machine, a clock, and everything it ever said; and the requests that a phone would write.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::SocketAddr;

use provost_proto::sip::digest::{Answering, Challenge};
use provost_proto::sip::message::{Message, Name};
use provost_proto::sip::{
    AskId, CallId, Credential, Endpoint, Event, Flow, IncomingCall, Millis, Output, Settings, StreamId,
};

pub(crate) const OFFER: &str =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\nm=audio 2222 RTP/AVP 0 101\r\n";
pub(crate) const ANSWER: &[u8] =
    b"v=0\r\no=- 9 9 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 101\r\n";

pub(crate) struct World {
    pub(crate) endpoint: Endpoint,
    pub(crate) now: Millis,
    /// What was sent since it was last looked at.
    pub(crate) sent: Vec<(Flow, String)>,
    /// What happened since it was last looked at; questions for credentials are answered, not kept.
    pub(crate) events: Vec<Event>,
    pub(crate) closed: Vec<StreamId>,
    /// Questions not answered, when `answering` is off.
    pub(crate) asks: Vec<AskId>,
    pub(crate) answering: bool,
    passwords: HashMap<String, Credential>,
}

pub(crate) fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 10], port))
}

pub(crate) fn udp(port: u16) -> Flow {
    Flow::Udp(address(port))
}

pub(crate) fn settings() -> Settings {
    let mut settings = Settings::new("provost", "Provost");
    settings.unproven_numbers = vec!["911".to_owned()];
    settings
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(settings())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let passwords = [("alice", "wonder"), ("bob", "builder")];
        Self {
            endpoint: Endpoint::new(settings, [7; 32]),
            now: Millis(1_000_000),
            sent: Vec::new(),
            events: Vec::new(),
            closed: Vec::new(),
            asks: Vec::new(),
            answering: true,
            passwords: passwords.map(|(user, password)| (user.to_owned(), Credential::new(password))).into(),
        }
    }

    pub(crate) fn knows(&mut self, user: &str, credential: Credential) {
        self.passwords.insert(user.to_owned(), credential);
    }

    /// Gives a datagram and collects what comes of it.
    pub(crate) fn datagram(&mut self, port: u16, bytes: impl AsRef<[u8]>) {
        self.endpoint.datagram(self.now, address(port), bytes.as_ref());
        self.drain();
    }

    /// Gives a datagram and returns the only answer.
    pub(crate) fn ask(&mut self, port: u16, bytes: impl AsRef<[u8]>) -> String {
        self.sent.clear();
        self.datagram(port, bytes);
        let finals: Vec<_> = self.sent.drain(..).filter(|(_, text)| !text.starts_with("SIP/2.0 100")).collect();
        let [(to, text)] = &finals[..] else { panic!("one answer was expected: {finals:?}") };
        assert_eq!(*to, udp(port));
        text.clone()
    }

    /// The status of the only answer.
    pub(crate) fn status(&mut self, port: u16, bytes: impl AsRef<[u8]>) -> u16 {
        status(&self.ask(port, bytes))
    }

    pub(crate) fn stream(&mut self, id: u64, bytes: impl AsRef<[u8]>) {
        self.endpoint.stream_bytes(self.now, StreamId(id), bytes.as_ref());
        self.drain();
    }

    /// Lets time pass, ringing every alarm when it is due.
    pub(crate) fn advance(&mut self, ms: u64) {
        let end = self.now.plus(ms);
        while let Some(wake) = self.endpoint.next_wake().filter(|wake| *wake <= end) {
            self.now = self.now.max(wake);
            self.endpoint.tick(self.now);
            self.drain();
        }
        self.now = end;
    }

    pub(crate) fn drain(&mut self) {
        while let Some(output) = self.endpoint.poll() {
            match output {
                Output::Transmit { to, bytes } => self.sent.push((to, String::from_utf8_lossy(&bytes).into_owned())),
                Output::CloseStream(stream) => self.closed.push(stream),
                Output::Event(Event::Credentials { ask, user }) if self.answering => {
                    let credential = self.passwords.get(&user).cloned();
                    self.endpoint.credentials(self.now, ask, credential.as_ref());
                }
                Output::Event(Event::Credentials { ask, .. }) => self.asks.push(ask),
                Output::Event(event) => self.events.push(event),
            }
        }
    }

    pub(crate) fn take_sent(&mut self) -> Vec<String> {
        self.sent.drain(..).map(|(_, text)| text).collect()
    }

    pub(crate) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// The call that came in.
    pub(crate) fn incoming(&mut self) -> IncomingCall {
        let events = self.take_events();
        let [Event::Incoming(call)] = &events[..] else { panic!("one call was expected: {events:?}") };
        call.clone()
    }

    /// Answers the challenge to `request`, as a phone does with its next request.
    pub(crate) fn prove(&mut self, port: u16, request: &Request, password: &str) -> Request {
        let challenge = self.ask(port, request.text());
        assert_eq!(status(&challenge), 401, "{challenge}");
        request.next().proving(&challenge, password, 1)
    }

    /// A call of alice's that was accepted and confirmed: its id, its INVITE, and the 200.
    pub(crate) fn established(&mut self, port: u16) -> (CallId, Request, String) {
        let invite = self.prove(port, &Request::invite("5551000"), "wonder");
        self.datagram(port, invite.text());
        let call = self.incoming().call;
        self.sent.clear();
        self.endpoint.accept(self.now, call, ANSWER).unwrap();
        self.drain();
        let ok = self.take_sent().remove(0);
        self.datagram(port, invite.ack(&ok).text());
        assert_eq!(self.take_events(), [Event::Established { call, answer: None }]);
        (call, invite, ok)
    }
}

/// The status of a response.
pub(crate) fn status(text: &str) -> u16 {
    Message::parse(text.as_bytes()).unwrap().status().unwrap()
}

/// The first header of that name.
pub(crate) fn header(text: &str, name: Name<'_>) -> String {
    Message::parse(text.as_bytes()).unwrap().header(name).unwrap_or("").to_owned()
}

/// What a phone answers to a request of ours.
pub(crate) fn answer_to(request: &str, status: u16) -> String {
    let mut text = format!("SIP/2.0 {status} x\r\n");
    for name in [Name::Via, Name::From, Name::To, Name::CallId, Name::CSeq] {
        text += &format!("{}: {}\r\n", name.text(), header(request, name));
    }
    text + "Content-Length: 0\r\n\r\n"
}

/// A request under construction.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) uri: String,
    pub(crate) user: String,
    pub(crate) call_id: String,
    pub(crate) tag: String,
    pub(crate) to: String,
    pub(crate) cseq: u32,
    pub(crate) branch: String,
    pub(crate) transport: &'static str,
    pub(crate) headers: Vec<String>,
    pub(crate) authorization: Option<String>,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn new(method: &'static str, uri: &str) -> Self {
        Self {
            method,
            uri: uri.to_owned(),
            user: "alice".to_owned(),
            call_id: "call-1@192.0.2.10".to_owned(),
            tag: "from1".to_owned(),
            to: format!("<{uri}>"),
            cseq: 1,
            branch: "one".to_owned(),
            transport: "UDP",
            headers: Vec::new(),
            authorization: None,
            content_type: "application/sdp",
            body: String::new(),
        }
    }

    pub(crate) fn invite(number: &str) -> Self {
        let mut request = Self::new("INVITE", &format!("sip:{number}@192.0.2.1"));
        request.headers.push("Contact: <sip:alice@192.0.2.10:5060>".to_owned());
        request.body = OFFER.to_owned();
        request
    }

    pub(crate) fn register(expires: &str) -> Self {
        let mut request = Self::new("REGISTER", "sip:192.0.2.1");
        request.to = "<sip:alice@192.0.2.1>".to_owned();
        request.headers.push("Contact: <sip:alice@192.0.2.10:5060>".to_owned());
        if !expires.is_empty() {
            request.headers.push(format!("Expires: {expires}"));
        }
        request
    }

    pub(crate) fn with(mut self, header: &str) -> Self {
        self.headers.push(header.to_owned());
        self
    }

    pub(crate) fn by(mut self, user: &str) -> Self {
        if self.method == "REGISTER" {
            self.to = format!("<sip:{user}@192.0.2.1>");
        }
        self.user = user.to_owned();
        self
    }

    /// The next request of the same dialog or registration: a new transaction.
    pub(crate) fn next(&self) -> Self {
        let mut next = self.clone();
        next.cseq += 1;
        next.branch = format!("{}-{}", self.branch.split('-').next().unwrap(), next.cseq);
        next
    }

    pub(crate) fn proving(mut self, challenge: &str, password: &str, count: u32) -> Self {
        let value = header(challenge, Name::WwwAuthenticate);
        let challenge = Challenge::parse(&value).unwrap();
        let (username, method, uri) = (self.user.as_str(), self.method, self.uri.as_str());
        let with = Answering { username, password, method, uri, cnonce: "c0ffee", count };
        self.authorization = Some(challenge.answer(&with));
        self
    }

    /// Another method in the dialog that `ok` made.
    pub(crate) fn in_dialog(&self, method: &'static str, ok: &str) -> Self {
        let mut request = self.next();
        request.method = method;
        request.to = header(ok, Name::To);
        request.authorization = None;
        request.headers.retain(|header| header.starts_with("Contact"));
        if method != "INVITE" {
            request.body = String::new();
        }
        request
    }

    /// The ACK of a 2xx: the number of its INVITE, a branch of its own.
    pub(crate) fn ack(&self, ok: &str) -> Self {
        let mut ack = self.in_dialog("ACK", ok);
        ack.cseq = self.cseq;
        ack.branch = format!("{}-ack", self.branch);
        ack
    }

    /// CANCEL, or the ACK of a refusal: the branch of its INVITE.
    pub(crate) fn same_hop(&self, method: &'static str) -> Self {
        let mut request = self.clone();
        request.method = method;
        request.body = String::new();
        request.headers.clear();
        request
    }

    pub(crate) fn text(&self) -> String {
        let mut text = format!("{} {} SIP/2.0\r\n", self.method, self.uri);
        let branch = format!("z9hG4bK{}", self.branch);
        write!(text, "Via: SIP/2.0/{} 192.0.2.10;branch={branch};rport\r\n", self.transport).unwrap();
        write!(text, "From: <sip:{}@192.0.2.1>;tag={}\r\nTo: {}\r\n", self.user, self.tag, self.to).unwrap();
        write!(text, "Call-ID: {}\r\nCSeq: {} {}\r\nMax-Forwards: 70\r\n", self.call_id, self.cseq, self.method)
            .unwrap();
        for header in &self.headers {
            write!(text, "{header}\r\n").unwrap();
        }
        if let Some(authorization) = &self.authorization {
            write!(text, "Authorization: {authorization}\r\n").unwrap();
        }
        if !self.body.is_empty() {
            write!(text, "Content-Type: {}\r\n", self.content_type).unwrap();
        }
        write!(text, "Content-Length: {}\r\n\r\n{}", self.body.len(), self.body).unwrap();
        text
    }
}
