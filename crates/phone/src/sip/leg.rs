//! One call as the agent keeps it.
//!
//! Decides what requests of this call look like; never sends one. Rules: RFC 3261, 12 (dialogs), 9
//! (CANCEL) and 17.1.1.3 (ACK of a refusal).

use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use crate::sip::account::Account;
use crate::sip::digest::{Proof, Session};
use crate::sip::message::{Draft, Message, parameter, uri_of};
use crate::sip::random;
use crate::sip::sdp::{Direction, MediaPlan, Ours};
use crate::sip::state::{CallState, EndedBy};

/// The methods this phone answers.
pub(crate) const ALLOW: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, NOTIFY";

/// How far the signaling of a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// INVITE is out; `heard` says whether anything was answered, which CANCEL must wait for.
    Calling { heard: bool, given_up: bool },
    /// Both ends can speak.
    Up,
    /// BYE is out.
    Ending,
}

/// An answer the phone repeats until it is acknowledged.
#[derive(Debug, Clone)]
pub(crate) struct Repeated {
    pub(crate) bytes: Vec<u8>,
    pub(crate) to: SocketAddr,
    pub(crate) at: Instant,
    pub(crate) every: Duration,
    pub(crate) deadline: Instant,
}

pub(crate) struct Leg {
    pub(crate) call_id: String,
    from: String,
    to: String,
    /// The request URI: what was dialed, later the other end's Contact.
    pub(crate) target: String,
    routes: Vec<String>,
    cseq: u32,
    /// Branch and number of the last INVITE.
    pub(crate) invite: (String, u32),
    pub(crate) session: Option<Session>,
    /// Challenges answered for the request that is out.
    pub(crate) challenges: u32,
    pub(crate) redirections: u32,
    pub(crate) phase: Phase,
    pub(crate) ours: Ours,
    pub(crate) direction: Direction,
    pub(crate) peer: SocketAddr,
    pub(crate) state: watch::Sender<CallState>,
    pub(crate) plan: watch::Sender<Option<MediaPlan>>,
    pub(crate) repeated: Option<Repeated>,
    /// An INFO or re-INVITE whose outcome somebody awaits, with its body to send it again.
    pub(crate) asked: Option<Asked>,
}

/// A request inside the call that somebody awaits.
pub(crate) struct Asked {
    pub(crate) body: (&'static str, String),
    pub(crate) done: oneshot::Sender<Result<(), EndedBy>>,
}

/// What the handle of a call hands to the agent.
pub(crate) struct Ends {
    pub(crate) state: watch::Sender<CallState>,
    pub(crate) plan: watch::Sender<Option<MediaPlan>>,
    pub(crate) sound: SocketAddr,
}

impl Leg {
    pub(crate) fn new(account: &Account, number: &str, peer: SocketAddr, ends: Ends) -> Self {
        let target = account.target(number);
        let session = u32::from_be_bytes(random::bytes()) >> 1;
        Self {
            call_id: format!("{}@{}", random::token(), ends.sound.ip()),
            from: format!("\"{}\" <{}>;tag={}", quoted(&account.label), account.uri(), random::token()),
            to: format!("<{target}>"),
            target,
            routes: Vec::new(),
            cseq: 0,
            invite: (String::new(), 0),
            session: None,
            challenges: 0,
            redirections: 0,
            phase: Phase::Calling { heard: false, given_up: false },
            ours: Ours { address: ends.sound, session, version: session },
            direction: Direction::Both,
            peer,
            state: ends.state,
            plan: ends.plan,
            repeated: None,
            asked: None,
        }
    }

    /// A request with the next number, proven where a challenge was answered before.
    pub(crate) fn request(&mut self, account: &Account, method: &'static str, via: &str) -> Draft {
        self.cseq = self.cseq.saturating_add(1);
        if method == "INVITE" {
            self.invite = (via.to_owned(), self.cseq);
        }
        let mut draft = self.head(method, via, (&self.to, self.cseq));
        let cnonce = random::token();
        let proof = Proof {
            user: &account.user,
            password: account.password.reveal(),
            method,
            uri: &self.target,
            cnonce: &cnonce,
        };
        if let Some((name, value)) = self.session.as_mut().and_then(|session| session.answer(&proof)) {
            draft = draft.header(name, value);
        }
        draft
    }

    /// CANCEL or the ACK of a refusal: both repeat the INVITE they belong to.
    pub(crate) fn beside_invite(&self, method: &str, to: Option<&str>) -> Vec<u8> {
        let (via, number) = &self.invite;
        self.head(method, via, (to.unwrap_or(&self.to), *number)).bare()
    }

    /// The ACK of an accepted INVITE, a transaction of its own.
    pub(crate) fn acknowledge(&self, via: &str) -> Vec<u8> {
        self.head("ACK", via, (&self.to, self.invite.1)).bare()
    }

    fn head(&self, method: &str, via: &str, (to, number): (&str, u32)) -> Draft {
        let mut draft = Draft::request(method, &self.target).header("Via", via);
        for route in &self.routes {
            draft = draft.header("Route", route);
        }
        draft
            .header("From", &self.from)
            .header("To", to)
            .header("CSeq", format!("{number} {method}"))
            .header("Call-ID", &self.call_id)
            .header("Max-Forwards", 70)
    }

    /// Learns the other end from its acceptance; returns the host requests go to from now on.
    pub(crate) fn accepted(&mut self, answer: &Message) -> String {
        if let Some(to) = answer.header("to") {
            to.clone_into(&mut self.to);
        }
        if let Some(contact) = answer.header("contact") {
            uri_of(contact).clone_into(&mut self.target);
        }
        if matches!(self.phase, Phase::Calling { .. }) {
            self.routes = answer.all("record-route").flat_map(|line| line.split(',')).map(trimmed).collect();
            self.routes.reverse();
        }
        self.routes.first().map_or_else(|| self.target.clone(), |route| uri_of(route).to_owned())
    }

    /// Starts over at another place; the server there knows nothing of this call.
    pub(crate) fn redirected(&mut self, contact: &str) {
        uri_of(contact).clone_into(&mut self.target);
        self.to = format!("<{}>", self.target);
        self.redirections = self.redirections.saturating_add(1);
        self.session = None;
        self.challenges = 0;
    }

    /// Whether a request of the other end belongs to this call.
    pub(crate) fn owns(&self, request: &Message) -> bool {
        let tag = |value: Option<&str>| value.and_then(|value| parameter(value, "tag")).map(str::to_owned);
        request.header("call-id") == Some(&self.call_id)
            && tag(request.header("to")) == tag(Some(&self.from))
            && tag(request.header("from")) == tag(Some(&self.to))
    }

    /// A new description of the phone's own end.
    pub(crate) fn offer(&mut self, direction: Direction) -> String {
        self.direction = direction;
        let text = self.ours.offer(direction);
        self.ours.version = self.ours.version.saturating_add(1);
        text
    }

    /// Takes what the other end says of sound.
    pub(crate) fn hears(&self, body: &[u8]) -> bool {
        // What an early answer said stands when the last one says nothing.
        if body.is_empty() {
            return self.plan.borrow().is_some();
        }
        let plan = MediaPlan::read(body);
        let usable = plan.is_some();
        self.plan.send_replace(plan);
        usable
    }

    /// Somebody's request inside the call came to this.
    pub(crate) fn tell(&mut self, outcome: Result<(), EndedBy>) {
        if let Some(asked) = self.asked.take() {
            // Whoever asked may have stopped waiting.
            let _ = asked.done.send(outcome);
        }
    }
}

fn trimmed(text: &str) -> String {
    text.trim().to_owned()
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
