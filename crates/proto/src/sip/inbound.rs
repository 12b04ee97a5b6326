//! What becomes of a message: which transaction, call or table it is for, or why it is refused.
//!
//! Order: shape, sense (`request`), repetition (`transactions`), then the method. Rules: RFC 3261 §8.2.

use super::endpoint::Endpoint;
use super::event::{Event, Flow, Millis};
use super::field::Via;
use super::message::{Message, Name, Start};
use super::reply::{self, ACCEPT, ALLOW, Source};
use super::request::{Fault, Request};
use super::requests::Purpose;
use super::transactions::{self, Finality, Owner, Trust};
use super::write::Writer;

/// Seconds after which a full table is worth another try.
const RETRY_AFTER_S: u32 = 10;

/// Whether the bytes were a message at all. A connection that carries something else cannot be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Message,
    Broken,
}

impl Endpoint {
    pub(crate) fn receive(&mut self, now: Millis, source: Source, bytes: &[u8]) -> Shape {
        if bytes.len() > self.settings.limits.message_bytes {
            self.refuse_unread(source, bytes, 513);
            return Shape::Broken;
        }
        let Ok(message) = Message::parse(bytes) else {
            self.refuse_unread(source, bytes, 400);
            return Shape::Broken;
        };
        match message.start {
            Start::Response { status, .. } => self.response(&message, status),
            Start::Request { .. } => match Request::check(&message) {
                Ok(request) => self.request(now, source, &request, bytes),
                Err(fault) => self.refuse(&message, source, fault),
            },
        }
        Shape::Message
    }

    /// Refuses what could not be read, when at least its hops can be.
    pub(crate) fn refuse_unread(&mut self, source: Source, bytes: &[u8], status: u16) {
        let head = bytes.get(..self.settings.limits.message_bytes).unwrap_or(bytes);
        let text = String::from_utf8_lossy(head);
        if let Some(message) = Message::salvage(&text) {
            self.refuse(&message, source, status.into());
        }
    }

    fn response(&mut self, message: &Message<'_>, status: u16) {
        // Our requests have one hop; a response with more is somebody else's (RFC 3261 §8.1.3.3).
        let mut vias = message.listed(Name::Via);
        let (Some(top), None) = (vias.next().and_then(Via::parse), vias.next()) else { return };
        let branch = top.branch().and_then(|branch| branch.get(7..)).filter(|branch| branch.len() == 16);
        let Some(branch) = branch.and_then(|branch| u64::from_str_radix(branch, 16).ok()) else { return };
        let cseq = message.header(Name::CSeq).and_then(super::field::CSeq::parse);
        let Some(cseq) = cseq else { return };
        let done = self.requests.answered(&mut self.timers, branch, cseq.method, status);
        if let Some(Purpose::Notify { user }) = done {
            self.tell(Event::NotifyDone { user, status: Some(status) });
        }
    }

    fn request(&mut self, now: Millis, source: Source, request: &Request<'_>, bytes: &[u8]) {
        let key = transactions::key(request, source.flow);
        let known = self.transactions.find(&key);
        match (request.method, known) {
            ("ACK", known) => self.ack(now, source, request, known),
            ("CANCEL", Some(transaction)) => self.cancel(now, source, request, transaction),
            ("CANCEL", None) => self.refuse(request.message, source, 481.into()),
            (_, Some(transaction)) => {
                if let Some(answer) = self.transactions.repeated(transaction) {
                    self.send(source.flow, answer);
                }
            }
            (_, None) if self.transactions.has_merged(request) => self.refuse(request.message, source, 482.into()),
            ("REGISTER", None) => self.prove(now, source, (request, key), bytes),
            ("INVITE", None) if request.to.tag().is_none() => self.invite(now, source, (request, key), bytes),
            ("INVITE" | "BYE" | "INFO" | "UPDATE", None) => self.in_dialog(now, source, (request, key), bytes),
            ("OPTIONS", None) => self.options(source, request),
            ("SUBSCRIBE", None) => self.refuse(request.message, source, 489.into()),
            ("PRACK" | "REFER" | "MESSAGE" | "NOTIFY" | "PUBLISH", None) => {
                self.refuse(request.message, source, 405.into());
            }
            (_, None) => self.refuse(request.message, source, 501.into()),
        }
    }

    /// OPTIONS needs no credentials and, inside a call, only says whether the call still is.
    fn options(&mut self, source: Source, request: &Request<'_>) {
        if request.to.tag().is_some() && self.calls.of(request).is_none() {
            return self.refuse(request.message, source, 481.into());
        }
        let tag = self.stateless_tag(request.message);
        let Some(writer) = reply::reply(request.message, source, tag, 200, "") else { return };
        let writer = writer.header("Allow", ALLOW).header("Accept", ACCEPT).header("Accept-Encoding", "identity");
        let bytes = self.signed(writer.header("Accept-Language", "en").header("Supported", "")).finish();
        self.send(source.flow, bytes.into());
    }

    fn invite(&mut self, now: Millis, source: Source, (request, key): (&Request<'_>, transactions::Key), bytes: &[u8]) {
        if let Err(fault) = check_body(request) {
            return self.refuse(request.message, source, fault);
        }
        let numbers = &self.settings.unproven_numbers;
        let Some(dialed) = request.dialed(numbers) else { return self.refuse(request.message, source, 404.into()) };
        if !numbers.contains(&dialed) {
            return self.prove(now, source, (request, key), bytes);
        }
        if let Err(status) = self.calls.admits(None, source.peer.ip(), self.settings.limits.calls) {
            return self.refuse(request.message, source, status.into());
        }
        let Some(transaction) = self.open(source, (request, key), Trust::Stranger) else { return };
        self.begin_call(now, source, (request, bytes), (transaction, None));
    }

    /// Opens a transaction, or says that there are too many.
    pub(crate) fn open(
        &mut self,
        source: Source,
        (request, key): (&Request<'_>, transactions::Key),
        trust: Trust,
    ) -> Option<u64> {
        let opened = self.transactions.open(key, request, trust, self.settings.limits.transactions);
        if opened.is_none() {
            self.refuse(request.message, source, 503.into());
        }
        opened
    }

    fn ack(&mut self, now: Millis, source: Source, request: &Request<'_>, known: Option<u64>) {
        let refused = known.is_some_and(|id| self.transactions.acknowledged(now, &mut self.timers, id));
        if !refused {
            self.confirm(now, source, request);
        }
    }

    fn cancel(&mut self, now: Millis, source: Source, request: &Request<'_>, transaction: u64) {
        let (tag, owner) = match self.transactions.owner(transaction) {
            Some(Owner::Call(id)) => {
                (self.calls.get_mut(id).map(|call| call.tag), self.transactions.owner(transaction))
            }
            owner => (None, owner),
        };
        let tag = tag.unwrap_or_else(|| self.stateless_tag(request.message));
        if let Some(writer) = reply::reply(request.message, source, tag, 200, "") {
            let bytes = self.signed(writer).finish();
            self.send(source.flow, bytes.into());
        }
        match owner {
            Some(Owner::Ask(ask)) => self.give_up_ask(now, ask, 487),
            Some(Owner::Call(call)) => self.cancel_call(now, call, transaction),
            Some(Owner::Nobody) | None => {}
        }
    }

    /// Answers without memory: the same request again is refused again. An ACK is never answered.
    pub(crate) fn refuse(&mut self, message: &Message<'_>, source: Source, fault: Fault) {
        let tag = self.stateless_tag(message);
        if let Some(bytes) = self.refusal(message, source, tag, fault) {
            self.send(source.flow, bytes.into());
        }
    }

    /// Answers finally in a transaction, which repeats the answer of an INVITE until its ACK.
    pub(crate) fn refuse_in(
        &mut self,
        now: Millis,
        source: Source,
        message: &Message<'_>,
        (transaction, fault): (u64, Fault),
    ) {
        let tag = self.stateless_tag(message);
        if let Some(bytes) = self.refusal(message, source, tag, fault) {
            self.respond(now, transaction, Finality::Refusal, bytes);
        }
    }

    fn refusal(&self, message: &Message<'_>, source: Source, tag: u64, fault: Fault) -> Option<Vec<u8>> {
        if message.method() == Some("ACK") {
            return None;
        }
        let mut writer = reply::reply(message, source, tag, fault.status, "")?;
        writer = match fault.status {
            405 | 489 | 501 => writer.header("Allow", ALLOW),
            415 => writer.header("Accept", ACCEPT),
            503 => writer.header("Retry-After", RETRY_AFTER_S),
            _ => writer,
        };
        if let Some((name, value)) = fault.header {
            writer = writer.header(name, value);
        }
        Some(self.signed(writer).finish())
    }

    /// Sends an answer of a transaction, unless it has its final one.
    pub(crate) fn respond(&mut self, now: Millis, transaction: u64, finality: Finality, bytes: Vec<u8>) {
        let bytes = bytes.into();
        let timers = (now, &mut self.timers);
        if let Some(flow) = self.transactions.answer(timers, transaction, finality, &bytes) {
            self.send(flow, bytes);
        }
    }

    /// Names the software.
    pub(crate) fn signed(&self, writer: Writer) -> Writer {
        writer.header("Server", &self.settings.server_name)
    }

    pub(crate) fn stateless_tag(&self, message: &Message<'_>) -> u64 {
        let value = |name| message.header(name).unwrap_or("");
        self.secrets.tag_for(value(Name::CallId), value(Name::From))
    }

    /// The address the phone shall use for us.
    pub(crate) fn own_address(&self, flow: Flow, addressed_as: &str) -> String {
        let fixed = match flow {
            Flow::Udp(_) => &self.settings.udp_contact,
            Flow::Stream(_) => &self.settings.tcp_contact,
        };
        fixed.as_deref().unwrap_or(addressed_as).to_owned()
    }
}

/// Whether we can read the session description, if there is one.
pub(crate) fn check_body(request: &Request<'_>) -> Result<(), Fault> {
    let encoded =
        request.message.header(Name::ContentEncoding).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity"));
    if encoded {
        return Err(Fault { status: 415, header: Some(("Accept-Encoding", "identity".to_owned())) });
    }
    if request.body.is_empty() || request.content_type() == "application/sdp" { Ok(()) } else { Err(415.into()) }
}

/// The address of the phone itself, when the request names it.
pub(crate) fn contact(request: &Request<'_>) -> Option<String> {
    let contact = request.message.listed(Name::Contact).next().and_then(super::field::NameAddr::parse)?;
    Some(contact.uri.to_owned())
}
