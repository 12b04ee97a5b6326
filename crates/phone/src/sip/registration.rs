//! Registering the line, again and again.
//!
//! Decides when the phone registers, how it proves itself and when it gives up for a while.
//! Rules: RFC 3261, 10.2 and 22; the refresh a minute ahead is remembered from phones.

use std::time::Duration;

use tokio::time::Instant;

use crate::sip::account::Account;
use crate::sip::agent::Agent;
use crate::sip::digest::{Challenge, Proof, Session};
use crate::sip::leg::ALLOW;
use crate::sip::message::{Draft, Message, parameter, uri_of};
use crate::sip::pending::{Pending, Purpose};
use crate::sip::random;
use crate::sip::state::{LineState, LineTrouble};

/// How long before its end a registration is renewed; half way when that is sooner.
const AHEAD: Duration = Duration::from_secs(60);
/// How long a refused or unanswered line waits before it tries again.
const RETRY: Duration = Duration::from_secs(30);
/// Challenges answered in one go: one, and two more if the server calls its own nonce stale.
const CHALLENGES: u32 = 3;

pub(crate) struct Registration {
    call_id: String,
    tag: String,
    cseq: u32,
    asked: Duration,
    session: Option<Session>,
    /// Challenges answered since the last success.
    challenges: u32,
    /// When it is tried again.
    pub(crate) next: Option<Instant>,
}

impl Registration {
    pub(crate) fn new(account: &Account) -> Self {
        Self {
            call_id: random::token(),
            tag: random::token(),
            cseq: 0,
            asked: account.expires,
            session: None,
            challenges: 0,
            next: None,
        }
    }
}

impl Agent {
    /// Sends one REGISTER, proven with the last challenge where there was one.
    pub(crate) async fn register(&mut self, purpose: Purpose) {
        let Some(server) = self.server else { return };
        let (via, branch) = self.via();
        let bytes = self.register_request(purpose, &via);
        self.pending.retain(|pending| pending.purpose.of_call());
        self.ask(Pending::new(purpose, branch, (bytes, server))).await;
    }

    fn register_request(&mut self, purpose: Purpose, via: &str) -> Vec<u8> {
        let uri = format!("sip:{}", self.account.host_and_port());
        let contact = format!("{};methods=\"{ALLOW}\"", self.contact());
        let registration = &mut self.registration;
        registration.cseq = registration.cseq.saturating_add(1);
        let seconds = if purpose == Purpose::Unregister { 0 } else { registration.asked.as_secs() };
        let own = self.account.uri();
        let mut draft = Draft::request("REGISTER", &uri)
            .header("Via", via)
            .header("From", format!("<{own}>;tag={}", registration.tag))
            .header("To", format!("<{own}>"))
            .header("CSeq", format!("{} REGISTER", registration.cseq))
            .header("Call-ID", &registration.call_id)
            .header("Contact", contact)
            .header("User-Agent", &self.account.user_agent)
            .header("Max-Forwards", 70)
            .header("Expires", seconds);
        let cnonce = random::token();
        let proof = Proof {
            user: &self.account.user,
            password: self.account.password.reveal(),
            method: "REGISTER",
            uri: &uri,
            cnonce: &cnonce,
        };
        if let Some((name, value)) = registration.session.as_mut().and_then(|session| session.answer(&proof)) {
            draft = draft.header(name, value);
        }
        draft.bare()
    }

    pub(crate) async fn registration_answered(
        &mut self,
        purpose: Purpose,
        answer: &Message,
        (status, reason): (u16, String),
    ) {
        match status {
            200..=299 if purpose == Purpose::Unregister => {}
            200..=299 => self.registered(answer),
            401 | 407 => self.challenged(purpose, answer, (status, reason)).await,
            423 => match answer.header("min-expires").and_then(|seconds| seconds.parse().ok()) {
                Some(seconds) if Duration::from_secs(seconds) > self.registration.asked => {
                    self.registration.asked = Duration::from_secs(seconds);
                    self.register(purpose).await;
                }
                _ => self.unregistered(LineTrouble::Refused { status, reason }),
            },
            _ => self.unregistered(LineTrouble::Refused { status, reason }),
        }
    }

    fn registered(&mut self, answer: &Message) {
        let contact = self.contact();
        let own = uri_of(&contact);
        let ours = answer.all("contact").flat_map(|line| line.split(',')).find(|one| uri_of(one) == own);
        let seconds = ours.and_then(|contact| parameter(contact, "expires")).or_else(|| answer.header("expires"));
        let granted =
            seconds.and_then(|seconds| seconds.parse().ok()).map_or(self.registration.asked, Duration::from_secs);
        let half = granted.checked_div(2).unwrap_or(granted).max(Duration::from_millis(500));
        self.registration.challenges = 0;
        self.registration.next = Some(Instant::now() + granted.saturating_sub(AHEAD).max(half));
        self.status.send_modify(|status| {
            status.state = LineState::Registered { granted };
            status.registrations = status.registrations.saturating_add(1);
        });
    }

    async fn challenged(&mut self, purpose: Purpose, answer: &Message, (status, reason): (u16, String)) {
        let Some(challenge) = Challenge::first(answer, status) else {
            return self.unregistered(LineTrouble::Challenge);
        };
        let count = self.registration.challenges;
        // A nonce may have grown old since the last success; a fresh one must then do.
        if count > 0 && !challenge.stale || count >= CHALLENGES {
            self.registration.session = None;
            return self.unregistered(LineTrouble::Refused { status, reason });
        }
        self.registration.challenges = count.saturating_add(1);
        self.registration.session = Some(Session::new(challenge));
        self.register(purpose).await;
    }

    pub(crate) fn unregistered(&mut self, why: LineTrouble) {
        self.registration.challenges = 0;
        self.registration.next = Some(Instant::now() + RETRY);
        self.status.send_modify(|status| {
            if status.state != LineState::Off {
                status.state = LineState::Unregistered(why);
            }
        });
    }
}
