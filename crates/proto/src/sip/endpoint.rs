//! The machine as its driver sees it: bytes and time in, outputs to poll.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use super::calls::Calls;
use super::credential::Credential;
use super::event::{AskId, CallId, CommandError, Event, Flow, Millis, Output, Rejection, StreamId, UnregisterReason};
use super::nonce::Nonces;
use super::proof::Ask;
use super::registrar::Registrar;
use super::reply::Source;
use super::requests::{Purpose, Requests, Waited};
use super::secrets::Secrets;
use super::settings::Settings;
use super::streams::Stream;
use super::timers::{Due, Timers};
use super::transactions::Transactions;

/// A registrar and answering agent for phones, without sockets and without a clock.
///
/// After every call the driver takes outputs with [`Endpoint::poll`] until there is none, sends, and sleeps until
/// [`Endpoint::next_wake`] or the next bytes.
pub struct Endpoint {
    pub(crate) settings: Settings,
    pub(crate) secrets: Secrets,
    pub(crate) nonces: Nonces,
    pub(crate) timers: Timers,
    pub(crate) transactions: Transactions,
    pub(crate) requests: Requests,
    pub(crate) registrar: Registrar,
    pub(crate) calls: Calls,
    pub(crate) asks: HashMap<AskId, Ask>,
    pub(crate) next_ask: u64,
    pub(crate) streams: HashMap<StreamId, Stream>,
    outputs: VecDeque<Output>,
}

/// How many of each thing is held now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Requests of phones that may still be repeated.
    pub transactions: usize,
    /// Calls, from INVITE to end.
    pub calls: usize,
    /// Registered identities.
    pub registrations: usize,
    /// Questions for a credential.
    pub asks: usize,
    /// TCP connections.
    pub streams: usize,
    /// Requests of ours without an answer.
    pub requests: usize,
    /// Bytes of unfinished messages on all connections.
    pub buffered_bytes: usize,
}

/// Where a registered phone is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registration<'a> {
    /// Where its requests come from.
    pub from: SocketAddr,
    /// The way to it.
    pub flow: Flow,
    /// The address the phone gave.
    pub contact: &'a str,
    /// When it ends.
    pub until: Millis,
}

impl Endpoint {
    /// A machine that knows nobody. `seed` must be secret and fresh: nonces, tags and branches come from it.
    #[must_use]
    pub fn new(settings: Settings, seed: [u8; 32]) -> Self {
        Self {
            nonces: Nonces::new(settings.nonce_ms, settings.limits.nonces),
            secrets: Secrets::new(seed),
            settings,
            timers: Timers::default(),
            transactions: Transactions::default(),
            requests: Requests::default(),
            registrar: Registrar::default(),
            calls: Calls::default(),
            asks: HashMap::new(),
            next_ask: 0,
            streams: HashMap::new(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes a datagram.
    pub fn datagram(&mut self, now: Millis, from: SocketAddr, bytes: &[u8]) {
        let flow = Flow::Udp(from);
        match bytes {
            b"\r\n\r\n" => self.send(flow, Arc::from(super::framing::PONG)),
            // Keep-alives of phones behind a NAT, which want no answer.
            b"\r\n" | b"\0" | b"" => {}
            _ => {
                self.receive(now, Source { flow, peer: from }, bytes);
            }
        }
    }

    /// Takes a new TCP connection, or closes it when there are too many.
    pub fn stream_opened(&mut self, now: Millis, stream: StreamId, peer: SocketAddr) {
        self.open_stream(now, stream, peer);
    }

    /// Takes what a connection brought, in pieces of any size.
    pub fn stream_bytes(&mut self, now: Millis, stream: StreamId, bytes: &[u8]) {
        self.read_stream(now, stream, bytes);
    }

    /// Learns that a connection is gone. Calls and registrations live on: the phone may come back on another.
    pub fn stream_closed(&mut self, _now: Millis, stream: StreamId) {
        self.drop_stream(stream);
    }

    /// Does what is due; harmless when nothing is.
    pub fn tick(&mut self, now: Millis) {
        self.transactions.sweep(now);
        while let Some(due) = self.timers.pop(now) {
            match due {
                Due::Transaction(id) => {
                    if let Some((flow, bytes)) = self.transactions.due(now, &mut self.timers, id) {
                        self.send(flow, bytes);
                    }
                }
                Due::Request(branch) => self.request_due(now, branch),
                Due::Call(id) => self.call_due(now, id),
                Due::Ask(id) => self.ask_due(now, id),
                Due::Stream(id) => self.stream_due(now, id),
                Due::Registration(user) => {
                    if self.registrar.expired(&user) {
                        let (user, why) = (user.as_ref().to_owned(), UnregisterReason::Expired);
                        self.tell(Event::Unregistered { user, why });
                    }
                }
            }
        }
    }

    /// When [`Endpoint::tick`] is due next.
    #[must_use]
    pub fn next_wake(&self) -> Option<Millis> {
        [self.timers.next(), self.transactions.next_sweep()].into_iter().flatten().min()
    }

    /// The next thing to do, in order.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Answers [`Event::Credentials`]; none when there is no such user. An unknown `ask` is ignored: the phone may
    /// have given up.
    pub fn credentials(&mut self, now: Millis, ask: AskId, credential: Option<&Credential>) {
        self.judge(now, ask, credential);
    }

    /// Answers a call with 200 and a session description: the answer to its offer, or our offer when it had none.
    ///
    /// # Errors
    /// [`CommandError::NoSuchCall`] when the phone was faster; [`CommandError::NotNow`] when it is answered.
    pub fn accept(&mut self, now: Millis, call: CallId, sdp: &[u8]) -> Result<(), CommandError> {
        self.accept_waiting(now, call, sdp, true)
    }

    /// Answers a call with anything but 200. [`Event::Ended`] follows at once.
    ///
    /// # Errors
    /// As [`Endpoint::accept`].
    pub fn reject(&mut self, now: Millis, call: CallId, rejection: &Rejection) -> Result<(), CommandError> {
        self.reject_call(now, call, rejection)
    }

    /// Answers a re-INVITE or UPDATE with 200 and a session description.
    ///
    /// # Errors
    /// [`CommandError::NotNow`] when none waits.
    pub fn answer_offer(&mut self, now: Millis, call: CallId, sdp: &[u8]) -> Result<(), CommandError> {
        self.accept_waiting(now, call, sdp, false)
    }

    /// Answers a re-INVITE or UPDATE with 488; the call goes on as it was.
    ///
    /// # Errors
    /// As [`Endpoint::answer_offer`].
    pub fn refuse_offer(&mut self, now: Millis, call: CallId) -> Result<(), CommandError> {
        self.refuse_change(now, call)
    }

    /// Ends a call with BYE, after the phone's ACK when that is still to come; a call not answered yet is rejected
    /// with 480. [`Event::Ended`] follows.
    ///
    /// # Errors
    /// [`CommandError::NoSuchCall`] when it ended already.
    pub fn hang_up(&mut self, now: Millis, call: CallId) -> Result<(), CommandError> {
        self.hang_up_call(now, call)
    }

    /// Sends NOTIFY with `event` (`check-sync`) and no body where `user` registered from.
    ///
    /// False when it is not registered, its connection is gone, or too many wait: then no event follows. After true,
    /// [`Event::NotifyDone`] follows within 32 s.
    pub fn notify(&mut self, now: Millis, user: &str, event: &str) -> bool {
        self.send_notify(now, user, event)
    }

    /// Drops the registration of `user`. Its next REGISTER asks for its credential again, as every one does.
    pub fn forget(&mut self, _now: Millis, user: &str) {
        if self.registrar.unbind(&mut self.timers, user, None) {
            self.tell(Event::Unregistered { user: user.to_owned(), why: UnregisterReason::Forgotten });
        }
    }

    /// Where `user` is registered.
    #[must_use]
    pub fn registration(&self, user: &str) -> Option<Registration<'_>> {
        let entry = self.registrar.find(user)?;
        let Source { flow, peer } = entry.source;
        Some(Registration { from: peer, flow, contact: &entry.contact, until: entry.until })
    }

    /// How full the tables are.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            transactions: self.transactions.len(),
            calls: self.calls.len(),
            registrations: self.registrar.len(),
            asks: self.asks.len(),
            streams: self.streams.len(),
            requests: self.requests.len(),
            buffered_bytes: self.streams.values().map(Stream::held).sum(),
        }
    }

    /// Sends, unless the connection is gone.
    pub(crate) fn send(&mut self, to: Flow, bytes: Arc<[u8]>) {
        if self.reaches(to) {
            self.outputs.push_back(Output::Transmit { to, bytes });
        }
    }

    pub(crate) fn reaches(&self, flow: Flow) -> bool {
        match flow {
            Flow::Udp(_) => true,
            Flow::Stream(stream) => self.streams.contains_key(&stream),
        }
    }

    pub(crate) fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(crate) fn close(&mut self, stream: StreamId) {
        self.outputs.push_back(Output::CloseStream(stream));
    }

    fn request_due(&mut self, now: Millis, branch: u64) {
        match self.requests.due(now, &mut self.timers, branch) {
            Waited::Again(flow, bytes) => self.send(flow, bytes),
            Waited::GaveUp(purpose) => self.unanswered(purpose),
            Waited::Nothing => {}
        }
    }

    pub(crate) fn unanswered(&mut self, purpose: Purpose) {
        match purpose {
            Purpose::Notify { user } => self.tell(Event::NotifyDone { user, status: None }),
            Purpose::Bye => {}
        }
    }
}
