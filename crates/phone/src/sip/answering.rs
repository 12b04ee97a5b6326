//! What the phone answers when somebody asks it something.
//!
//! Decides every answer at once; a call to this phone is refused as busy, because nobody sits there.
//! Rules: RFC 3261, 8.2, 12.2.2, 14.2 and 18.2.2; RFC 3581; RFC 6665 (489); domain notes 1.6.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use crate::sip::account::SIP_PORT;
use crate::sip::action;
use crate::sip::agent::Agent;
use crate::sip::leg::{ALLOW, Leg, Phase, Repeated};
use crate::sip::message::{Draft, Message, host_and_port, parameter};
use crate::sip::random;
use crate::sip::sdp::Direction;
use crate::sip::state::EndedBy;
use crate::sip::wire::Transport;

/// The event that makes a phone read its configuration again.
const CHECK_SYNC: &str = "check-sync";
/// First repetition and the last moment of an answer nobody acknowledges (RFC 3261, 13.3.1.4).
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(4);
const GIVEN_UP: Duration = Duration::from_secs(32);

/// One answer before it is written.
struct Answer {
    status: u16,
    reason: &'static str,
    body: Option<String>,
}

impl Answer {
    fn plain(status: u16, reason: &'static str) -> Self {
        Self { status, reason, body: None }
    }
}

impl Agent {
    pub(crate) async fn answer(&mut self, method: &str, request: &Message, from: SocketAddr) {
        if method == "ACK" {
            return self.acknowledged_by(request);
        }
        let Some(key) = request.branch().map(|branch| format!("{method} {branch}")) else { return };
        let known = self.answered.iter().find(|(answered, ..)| *answered == key);
        if let Some((bytes, to)) = known.map(|(_, bytes, to)| (bytes.clone(), *to)) {
            return self.send(&bytes, to).await;
        }
        let ours = self.leg.as_ref().is_some_and(|leg| leg.owns(request));
        let tagged = request.header("to").is_some_and(|to| parameter(to, "tag").is_some());
        let answer = match method {
            "OPTIONS" => Answer::plain(200, "OK"),
            "NOTIFY" => self.notified(request),
            "BYE" | "INFO" if ours => Answer::plain(200, "OK"),
            "INVITE" if ours => self.invited_again(request),
            "INVITE" if !tagged => Answer::plain(486, "Busy Here"),
            "BYE" | "INFO" | "INVITE" | "CANCEL" => Answer::plain(481, "Call/Transaction Does Not Exist"),
            _ => Answer::plain(405, "Method Not Allowed"),
        };
        let to = self.way_back(request, from);
        let bytes = self.written(&answer, request, from);
        Self::keep(&mut self.answered, (key, bytes.clone(), to));
        self.send(&bytes, to).await;
        if method == "INVITE" && ours && answer.status == 200 {
            self.keep_until_acknowledged(bytes, to);
        }
        if method == "BYE" && ours {
            self.end_call(EndedBy::Server);
        }
    }

    fn notified(&mut self, request: &Message) -> Answer {
        let event = request.header("event").and_then(|event| event.split(';').next()).map(str::trim);
        if event.is_some_and(action::is_action) {
            self.take_action(request);
            return Answer::plain(200, "OK");
        }
        if !event.is_some_and(|event| event.eq_ignore_ascii_case(CHECK_SYNC)) {
            return Answer::plain(489, "Bad Event");
        }
        self.status.send_modify(|status| status.check_syncs = status.check_syncs.saturating_add(1));
        Answer::plain(200, "OK")
    }

    /// Hands an action on; a phone that does not obey any, or has too many before it, answers all the same.
    fn take_action(&self, request: &Message) {
        if let Some(action) = action::read(request).filter(|_| self.account.obeys_actions) {
            let _ = self.actions.try_send(action);
        }
    }

    fn invited_again(&mut self, request: &Message) -> Answer {
        let Some(leg) = self.leg.as_mut() else { return Answer::plain(481, "Call/Transaction Does Not Exist") };
        if leg.asked.is_some() || leg.phase != Phase::Up {
            return Answer::plain(491, "Request Pending");
        }
        let body = match request.body.is_empty() {
            true => Some(leg.offer(Direction::Both)),
            false => leg.take_offer(&request.body),
        };
        match body {
            Some(body) => Answer { status: 200, reason: "OK", body: Some(body) },
            None => Answer::plain(488, "Not Acceptable Here"),
        }
    }

    /// ACK ends the repetition of an answer; it may bring the sound the other end chose.
    fn acknowledged_by(&mut self, request: &Message) {
        if let Some(leg) = self.leg.as_mut().filter(|leg| leg.owns(request)) {
            leg.repeated = None;
            if !request.body.is_empty() {
                leg.hears(&request.body);
            }
        }
    }

    fn keep_until_acknowledged(&mut self, bytes: Vec<u8>, to: SocketAddr) {
        let now = Instant::now();
        let keep = |leg: &mut Leg| {
            leg.repeated = Some(Repeated { bytes, to, at: now + FIRST, every: FIRST, deadline: now + GIVEN_UP });
        };
        self.leg.as_mut().map(keep).unwrap_or_default();
    }

    /// Repeats an answer nobody acknowledged, and hangs up when nobody ever does.
    pub(crate) async fn repeat_answer(&mut self, now: Instant) {
        let Some(repeated) = self.leg.as_mut().and_then(|leg| leg.repeated.as_mut()) else { return };
        if repeated.at > now {
            return;
        }
        if repeated.deadline <= now {
            return self.hang_up().await;
        }
        repeated.every = repeated.every.saturating_mul(2).min(LONGEST);
        repeated.at = (now + repeated.every).min(repeated.deadline);
        let (bytes, to) = (repeated.bytes.clone(), repeated.to);
        self.send(&bytes, to).await;
    }

    fn written(&self, answer: &Answer, request: &Message, from: SocketAddr) -> Vec<u8> {
        let mut draft = Draft::answer(answer.status, answer.reason);
        for (at, via) in request.all("via").enumerate() {
            draft = draft.header("Via", if at == 0 { seen_from(via, from) } else { via.to_owned() });
        }
        let to = request.header("to").unwrap_or_default();
        let to = match parameter(to, "tag") {
            Some(_) => to.to_owned(),
            None => format!("{to};tag={}", random::token()),
        };
        draft = draft
            .header("From", request.header("from").unwrap_or_default())
            .header("To", to)
            .header("CSeq", request.header("cseq").unwrap_or_default())
            .header("Call-ID", request.header("call-id").unwrap_or_default())
            .header("Contact", self.contact())
            .header("User-Agent", &self.account.user_agent)
            .header("Allow", ALLOW);
        match &answer.body {
            Some(body) => draft.body("application/sdp", body),
            None => draft.bare(),
        }
    }

    /// Where the answer goes: back where the request came from, or to the port its Via names.
    fn way_back(&self, request: &Message, from: SocketAddr) -> SocketAddr {
        let via = request.via().unwrap_or_default();
        if self.account.transport == Transport::Tcp || parameter(via, "rport").is_some() {
            return from;
        }
        let sent_by = via.split(';').next().and_then(|via| via.rsplit(' ').next()).and_then(host_and_port);
        let port = sent_by.and_then(|(_, port)| port).unwrap_or(SIP_PORT);
        (from.ip(), port).into()
    }
}

/// The topmost Via with the address the request came from (RFC 3581, 4).
fn seen_from(via: &str, from: SocketAddr) -> String {
    let (first, others) = via.split_once(',').map_or((via, None), |(first, others)| (first, Some(others)));
    let mut parts: Vec<String> = first.split(';').map(str::to_owned).collect();
    for part in &mut parts {
        if part.trim().eq_ignore_ascii_case("rport") {
            *part = format!("rport={}", from.port());
        }
    }
    parts.push(format!("received={}", from.ip()));
    let first = parts.join(";");
    others.map_or_else(|| first.clone(), |others| format!("{first},{others}"))
}
