//! Calls the phone makes: from INVITE to the end.
//!
//! Decides what the phone does on each answer. Never rings: calls to it are refused in `answering`.
//! Rules: RFC 3261, 13 to 15, 9 (CANCEL), 8.1.3.4 (redirection) and 22 (challenges).

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use crate::sip::account::SIP_PORT;
use crate::sip::agent::{Agent, Outcome};
use crate::sip::digest::{Challenge, Session};
use crate::sip::leg::{ALLOW, Asked, Ends, Leg, Phase};
use crate::sip::message::{Message, host_of};
use crate::sip::pending::{Pending, Purpose};
use crate::sip::sdp::{Direction, MediaPlan};
use crate::sip::state::{CallState, EndedBy};
use crate::sip::wire::{self, Transport};

/// How long a phone lets the other end ring (RFC 3261, timer C).
const RINGING: Duration = Duration::from_secs(180);
/// Redirections a phone follows in one call.
const REDIRECTIONS: u32 = 5;
/// Challenges answered for one request: one, and two more if the nonce is called stale.
const CHALLENGES: u32 = 3;

impl Agent {
    pub(crate) async fn start_call(&mut self, number: &str, ends: Ends) {
        let server = match (self.server, &self.wire) {
            (Some(server), Some(_)) if self.leg.is_none() => server,
            (_, None) | (None, _) => return drop(ends.state.send_replace(CallState::Ended(EndedBy::Lost))),
            _ => return drop(ends.state.send_replace(CallState::Ended(EndedBy::LineBusy))),
        };
        self.status.send_modify(|status| {
            status.in_call = true;
            status.failed_call = None;
        });
        self.leg = Some(Leg::new(&self.account, number, server, ends));
        self.invite().await;
    }

    async fn invite(&mut self) {
        let Some(leg) = &mut self.leg else { return };
        leg.phase = Phase::Calling { heard: false, given_up: false };
        let offer = leg.offer(Direction::Both);
        self.ask_leg(Purpose::Invite, Some(("application/sdp", offer))).await;
    }

    /// Sends a request of the call.
    async fn ask_leg(&mut self, purpose: Purpose, body: Option<(&str, String)>) {
        let (via, branch) = self.via();
        let contact = self.contact();
        let Some(leg) = &mut self.leg else { return };
        let draft = leg
            .request(&self.account, purpose.method(), &via)
            .header("Contact", contact)
            .header("User-Agent", &self.account.user_agent)
            .header("Allow", ALLOW);
        let bytes = match body {
            Some((kind, body)) => draft.body(kind, &body),
            None => draft.bare(),
        };
        let pending = Pending::new(purpose, branch, (bytes, leg.peer));
        self.ask(pending).await;
    }

    /// 100 and its like came: nothing is repeated any more, and the caller may hear ringing.
    pub(crate) async fn progressed(&mut self, status: u16, answer: &Message) {
        let invites = answer.cseq().is_some_and(|(_, method)| method == "INVITE");
        let Some(leg) = self.leg.as_mut().filter(|_| invites) else { return };
        let Phase::Calling { heard, given_up } = leg.phase else { return };
        leg.phase = Phase::Calling { heard: true, given_up };
        if status > 100 && *leg.state.borrow() == CallState::Dialing {
            leg.state.send_replace(CallState::Ringing);
        }
        if !answer.body.is_empty() {
            leg.hears(&answer.body);
        }
        for pending in self.pending.iter_mut().filter(|pending| pending.purpose == Purpose::Invite) {
            pending.arrived(Instant::now() + RINGING.min(self.account.patience.saturating_mul(6)));
        }
        if given_up && !heard {
            self.cancel().await;
        }
    }

    pub(crate) async fn invite_answered(
        &mut self,
        pending: Pending,
        answer: &Message,
        (status, reason): (u16, String),
    ) {
        if status < 300 {
            return self.accepted(&pending, answer).await;
        }
        let Some(leg) = &mut self.leg else { return };
        let ack = leg.beside_invite("ACK", answer.header("to"));
        Self::keep(&mut self.acknowledged, (pending.branch, ack.clone(), pending.to));
        self.send(&ack, pending.to).await;
        let Some(leg) = &mut self.leg else { return };
        let given_up = matches!(leg.phase, Phase::Calling { given_up: true, .. });
        if pending.purpose == Purpose::Reinvite {
            return self.in_call_answered(pending.purpose, answer, (status, reason)).await;
        }
        match status {
            _ if given_up => self.end_call(EndedBy::Phone),
            300..=399 => self.redirect(answer, (status, reason)).await,
            401 | 407 => match leg.challenged(answer, status) {
                Ok(()) => self.invite().await,
                Err(Some(by)) => self.end_call(by),
                Err(None) => self.end_call(EndedBy::Refused { status, reason }),
            },
            _ => self.end_call(EndedBy::Refused { status, reason }),
        }
    }

    /// 200 came: it is acknowledged whatever happens next.
    async fn accepted(&mut self, pending: &Pending, answer: &Message) {
        let (via, _) = self.via();
        let Some(leg) = &mut self.leg else { return };
        let next = leg.accepted(answer);
        let ack = leg.acknowledge(&via);
        let peer = self.peer_at(&next, pending.to).await;
        Self::keep(&mut self.acknowledged, (pending.branch.clone(), ack.clone(), peer));
        self.send(&ack, peer).await;
        let Some(leg) = &mut self.leg else { return };
        leg.peer = peer;
        leg.challenges = 0;
        let given_up = matches!(leg.phase, Phase::Calling { given_up: true, .. });
        let first = matches!(leg.phase, Phase::Calling { .. });
        if leg.phase != Phase::Ending {
            leg.phase = Phase::Up;
        }
        let usable = leg.hears(&answer.body);
        leg.tell(Ok(()));
        if given_up {
            self.hang_up().await;
        } else if !usable {
            leg.state.send_replace(CallState::Ended(EndedBy::NoSound));
            self.hang_up().await;
        } else if first {
            leg.state.send_replace(CallState::Connected);
        }
    }

    async fn redirect(&mut self, answer: &Message, (status, reason): (u16, String)) {
        let Some(leg) = &mut self.leg else { return };
        let Some(contact) = answer.header("contact").and_then(|line| line.split(',').next()) else {
            return self.end_call(EndedBy::Refused { status, reason });
        };
        if leg.redirections >= REDIRECTIONS {
            return self.end_call(EndedBy::Redirections);
        }
        leg.redirected(contact);
        let (target, peer) = (leg.target.clone(), leg.peer);
        let peer = self.peer_at(&target, peer).await;
        if let Some(leg) = &mut self.leg {
            leg.peer = peer;
        }
        self.invite().await;
    }

    /// Where a URI leads; the former place when it leads nowhere, and always on a stream.
    async fn peer_at(&self, uri: &str, former: SocketAddr) -> SocketAddr {
        match host_of(uri).filter(|_| self.account.transport == Transport::Udp) {
            Some((host, port)) => wire::resolve(host, port.unwrap_or(SIP_PORT)).await.unwrap_or(former),
            None => former,
        }
    }

    pub(crate) async fn in_call_answered(
        &mut self,
        purpose: Purpose,
        answer: &Message,
        (status, reason): (u16, String),
    ) {
        let Some(leg) = &mut self.leg else { return };
        if matches!(status, 401 | 407) && leg.challenged(answer, status).is_ok() {
            let body = leg.asked.as_ref().map(|asked| asked.body.clone());
            return self.ask_leg(purpose, body.filter(|_| purpose != Purpose::Bye)).await;
        }
        leg.challenges = 0;
        match purpose {
            Purpose::Bye => self.end_call(EndedBy::Phone),
            _ if status < 300 => leg.tell(Ok(())),
            _ => leg.tell(Err(EndedBy::Refused { status, reason })),
        }
    }

    /// Sends INFO or a re-INVITE in the call that is up; one at a time.
    pub(crate) async fn ask_in_call(&mut self, purpose: Purpose, body: (&'static str, String), done: Outcome) {
        let free = |leg: &&mut Leg| leg.phase == Phase::Up && leg.asked.is_none();
        let Some(leg) = self.leg.as_mut().filter(free) else {
            // Whoever asked may have stopped waiting.
            let _ = done.send(Err(EndedBy::LineBusy));
            return;
        };
        leg.asked = Some(Asked { body: body.clone(), done });
        self.ask_leg(purpose, Some(body)).await;
    }

    /// Holds the call or takes it up again.
    pub(crate) async fn turn(&mut self, direction: Direction, done: Outcome) {
        let offer = self.leg.as_mut().map(|leg| leg.offer(direction)).unwrap_or_default();
        self.ask_in_call(Purpose::Reinvite, ("application/sdp", offer), done).await;
    }

    /// Ends the call from this side: CANCEL before it is connected, BYE after.
    pub(crate) async fn hang_up(&mut self) {
        let Some(leg) = &mut self.leg else { return };
        match leg.phase {
            Phase::Calling { heard: true, given_up: false } => self.cancel().await,
            // RFC 3261, 9.1: CANCEL waits until something was answered.
            Phase::Calling { heard: false, .. } => leg.phase = Phase::Calling { heard: false, given_up: true },
            Phase::Calling { .. } | Phase::Ending => {}
            Phase::Up => {
                leg.phase = Phase::Ending;
                leg.repeated = None;
                self.ask_leg(Purpose::Bye, None).await;
            }
        }
    }

    async fn cancel(&mut self) {
        let Some(leg) = &mut self.leg else { return };
        leg.phase = Phase::Calling { heard: true, given_up: true };
        let bytes = leg.beside_invite("CANCEL", None);
        let Some(invite) = self.pending.iter_mut().find(|pending| pending.purpose == Purpose::Invite) else { return };
        // A server that never ends the INVITE must not hold the phone.
        invite.deadline = Instant::now() + self.account.patience;
        let pending = Pending::new(Purpose::Cancel, invite.branch.clone(), (bytes, invite.to));
        self.ask(pending).await;
    }

    /// The call is over; whoever waits for it learns how.
    pub(crate) fn end_call(&mut self, by: EndedBy) {
        let Some(mut leg) = self.leg.take() else { return };
        let by = match (leg.phase, leg.state.borrow().clone()) {
            // What was announced before BYE stands.
            (_, CallState::Ended(announced)) => announced,
            (Phase::Calling { given_up: true, .. }, _) => EndedBy::Phone,
            _ => by,
        };
        leg.tell(Err(by.clone()));
        let connected = *leg.state.borrow() == CallState::Connected;
        self.pending.retain(|pending| !pending.purpose.of_call());
        self.status.send_modify(|status| {
            status.in_call = false;
            if !connected && by != EndedBy::Phone {
                status.failed_call = Some(by.clone());
            }
        });
        leg.state.send_replace(CallState::Ended(by));
    }

    /// The other end repeats its answer: our acknowledgment was lost.
    pub(crate) async fn acknowledge_again(&mut self, branch: &str) {
        let kept = self.acknowledged.iter().find(|(known, ..)| known == branch);
        if let Some((bytes, to)) = kept.map(|(_, bytes, to)| (bytes.clone(), *to)) {
            self.send(&bytes, to).await;
        }
    }
}

impl Leg {
    /// Takes a challenge; refuses one it cannot answer, or one repeated without being stale.
    fn challenged(&mut self, answer: &Message, status: u16) -> Result<(), Option<EndedBy>> {
        let challenge = Challenge::first(answer, status).ok_or(Some(EndedBy::Challenge))?;
        if self.challenges > 0 && !challenge.stale || self.challenges >= CHALLENGES {
            return Err(None);
        }
        self.challenges = self.challenges.saturating_add(1);
        self.session = Some(Session::new(challenge));
        Ok(())
    }

    /// Takes the other end's offer and says what this end does.
    pub(crate) fn take_offer(&mut self, body: &[u8]) -> Option<String> {
        let plan = MediaPlan::read(body)?;
        let answer = self.ours.answer(&plan);
        self.ours.version = self.ours.version.saturating_add(1);
        self.plan.send_replace(Some(plan));
        Some(answer)
    }
}
