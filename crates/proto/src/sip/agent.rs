//! The answering agent: how calls begin, are answered, and end from our side.
//!
//! What the phone does inside a call is in `dialog`. Rules: RFC 3261 §§13.3, 14.2, 15.1; every call that was announced
//! ends with exactly one [`Event::Ended`].

use super::calls::{Call, Unconfirmed, Waiting};
use super::endpoint::Endpoint;
use super::event::{Body, CallId, CommandError, Dialed, EndReason, Event, IncomingCall, Millis, Rejection};
use super::message::{Message, Name};
use super::reply::{self, ALLOW, Source};
use super::request::{Fault, Request};
use super::requests::Purpose;
use super::timers::{GIVE_UP, T1, longer};
use super::transactions::{Finality, Owner};
use super::write::Writer;

/// How long the 200 of a caller without proof is tried: four repetitions (after 1, 2, 4 and 8 T1 each) and the wait
/// after them. Its sender may be forged, and then somebody else gets them all.
const UNPROVEN_GIVE_UP: u64 = 23 * T1;
/// Hops a request of ours may take.
const MAX_FORWARDS: u32 = 70;

impl Endpoint {
    /// Announces a call whose caller is proven, or whose number needs no proof.
    pub(crate) fn begin_call(
        &mut self,
        now: Millis,
        source: Source,
        (request, bytes): (&Request<'_>, &[u8]),
        (transaction, user): (u64, Option<String>),
    ) {
        let limits = self.settings.limits;
        if let Some(older) = user.as_deref().and_then(|user| self.calls.of_user(user)) {
            // Who proves to be the same phone and calls anew has lost the older call: it crashed, or its BYE was lost.
            self.finish(now, older, EndReason::Replaced);
        }
        if let Err(status) = self.calls.admits(user.as_deref(), source.peer.ip(), limits.calls) {
            return self.refuse_in(now, source, request.message, (transaction, status.into()));
        }
        if let Some(writer) = reply::reply(request.message, source, 0, 100, "") {
            self.respond(now, transaction, Finality::Provisional, writer.finish());
        }
        let waiting = Waiting {
            transaction,
            request: bytes.to_vec(),
            source,
            cseq: request.cseq,
            invite: true,
            has_offer: !request.body.is_empty(),
            until: now.plus(limits.answer_ms),
        };
        let call = Call::begin(request, source, user.as_deref(), waiting);
        let id = self.calls.insert(call, self.secrets.token());
        self.set_call_alarm(id);
        self.transactions.set_owner(transaction, Owner::Call(id));
        self.tell(Event::Incoming(IncomingCall {
            call: id,
            user,
            claimed_user: request.claimed_user(),
            dialed: Dialed(request.dialed(&self.settings.unproven_numbers).unwrap_or_default()),
            from: source.peer,
            offer: offer(request),
            user_agent: request.user_agent(),
        }));
    }

    pub(crate) fn accept_waiting(
        &mut self,
        now: Millis,
        id: CallId,
        sdp: &[u8],
        first: bool,
    ) -> Result<(), CommandError> {
        let call = self.calls.get_mut(id).ok_or(CommandError::NoSuchCall)?;
        let begun = call.established || call.unconfirmed.is_some();
        let waiting = call.waiting.take_if(|_| begun != first).ok_or(CommandError::NotNow)?;
        let (tag, addressed_as) = (call.tag, call.addressed_as.clone());
        let address = self.own_address(waiting.source.flow, &addressed_as);
        let Some(bytes) = self.success(&waiting, (tag, &address), sdp) else { return Err(CommandError::NotNow) };
        self.respond(now, waiting.transaction, Finality::Success, bytes.clone());
        if let Some(call) = self.calls.get_mut(id) {
            if first {
                call.ends = now.plus(self.settings.limits.call_ms);
            }
            call.unconfirmed = waiting.invite.then(|| Unconfirmed {
                cseq: waiting.cseq,
                bytes: bytes.into(),
                we_offered: !waiting.has_offer,
                wait_ms: T1,
                again: now.plus(T1),
                give_up: now.plus(if call.is_proven() { GIVE_UP } else { UNPROVEN_GIVE_UP }),
            });
        }
        self.set_call_alarm(id);
        Ok(())
    }

    /// The 200 to an INVITE or UPDATE.
    fn success(&self, waiting: &Waiting, (tag, address): (u64, &str), sdp: &[u8]) -> Option<Vec<u8>> {
        let message = Message::parse(&waiting.request).ok()?;
        let mut writer = reply::reply(&message, waiting.source, tag, 200, "")?;
        for route in message.all(Name::RecordRoute) {
            writer = writer.header("Record-Route", route);
        }
        let writer = writer.header("Contact", contact(waiting.source, address)).header("Allow", ALLOW);
        Some(self.signed(writer.header("Supported", "")).body("application/sdp", sdp))
    }

    pub(crate) fn reject_call(&mut self, now: Millis, id: CallId, rejection: &Rejection) -> Result<(), CommandError> {
        let call = self.calls.get_mut(id).ok_or(CommandError::NoSuchCall)?;
        if call.established || call.unconfirmed.is_some() {
            return Err(CommandError::NotNow);
        }
        self.refuse_waiting(now, id, rejection);
        self.end(id, EndReason::Rejected);
        Ok(())
    }

    /// Answers what waits with anything but success.
    pub(crate) fn refuse_waiting(&mut self, now: Millis, id: CallId, rejection: &Rejection) -> bool {
        let Some(call) = self.calls.get_mut(id) else { return false };
        let Some(waiting) = call.waiting.take() else { return false };
        let tag = call.tag;
        self.set_call_alarm(id);
        let status = if (300..700).contains(&rejection.status) { rejection.status } else { 500 };
        let Ok(message) = Message::parse(&waiting.request) else { return false };
        let Some(mut writer) = reply::reply(&message, waiting.source, tag, status, &rejection.reason) else {
            return false;
        };
        for (name, value) in &rejection.headers {
            writer = writer.header(name, value);
        }
        let bytes = self.signed(writer).finish();
        self.respond(now, waiting.transaction, Finality::Refusal, bytes);
        true
    }

    pub(crate) fn refuse_change(&mut self, now: Millis, id: CallId) -> Result<(), CommandError> {
        let call = self.calls.get_mut(id).ok_or(CommandError::NoSuchCall)?;
        let changing = call.waiting.is_some() && (call.established || call.unconfirmed.is_some());
        let refused = changing && self.refuse_waiting(now, id, &Rejection::new(488));
        if refused { Ok(()) } else { Err(CommandError::NotNow) }
    }

    pub(crate) fn hang_up_call(&mut self, now: Millis, id: CallId) -> Result<(), CommandError> {
        let call = self.calls.get_mut(id).ok_or(CommandError::NoSuchCall)?;
        if !call.established && call.unconfirmed.is_some() {
            // A BYE must not overtake the ACK (RFC 3261 §15).
            call.hang_up = true;
            return Ok(());
        }
        self.finish(now, id, EndReason::HungUp);
        Ok(())
    }

    /// Ends a call from our side: with a refusal before the answer, with BYE after it.
    pub(crate) fn finish(&mut self, now: Millis, id: CallId, why: EndReason) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let answered = call.established || call.unconfirmed.is_some();
        self.refuse_waiting(now, id, &Rejection::new(if answered { 487 } else { 480 }));
        if answered {
            self.bye(now, id);
        }
        self.end(id, why);
    }

    /// Forgets a call and says so.
    pub(crate) fn end(&mut self, id: CallId, why: EndReason) {
        if self.calls.remove(&mut self.timers, id).is_some() {
            self.tell(Event::Ended { call: id, why });
        }
    }

    fn bye(&mut self, now: Millis, id: CallId) {
        let branch = self.secrets.token();
        let Some(call) = self.calls.get_mut(id) else { return };
        call.local_cseq = call.local_cseq.saturating_add(1);
        let (source, addressed_as) = (call.source, call.addressed_as.clone());
        // Nobody there ever answered: once is enough.
        let once = !call.is_proven() && !call.established;
        let mut writer = Writer::request("BYE", &call.target)
            .header("To", &call.remote)
            .header("From", format_args!("{};tag={:016x}", call.local, call.tag))
            .header("Call-ID", &call.dialog)
            .header("CSeq", format_args!("{} BYE", call.local_cseq));
        for route in &call.routes {
            writer = writer.header("Route", route);
        }
        let bytes = self.routed(writer, source, (branch, &addressed_as)).finish();
        if once {
            return self.send(source.flow, bytes.into());
        }
        self.dispatch(now, branch, Purpose::Bye, (source, bytes));
    }

    /// Adds what every request of ours says.
    fn routed(&self, writer: Writer, source: Source, (branch, addressed_as): (u64, &str)) -> Writer {
        let address = self.own_address(source.flow, addressed_as);
        let transport = transport(source);
        writer
            .header("Via", format_args!("SIP/2.0/{transport} {address};rport;branch=z9hG4bK{branch:016x}"))
            .header("Max-Forwards", MAX_FORWARDS)
            .header("User-Agent", &self.settings.server_name)
    }

    /// Sends a request of ours; without memory when too many wait, which is better than not at all.
    fn dispatch(&mut self, now: Millis, branch: u64, purpose: Purpose, (source, bytes): (Source, Vec<u8>)) {
        let bytes: std::sync::Arc<[u8]> = bytes.into();
        if self.requests.len() < self.settings.limits.requests {
            let sent = (source.flow, std::sync::Arc::clone(&bytes));
            self.requests.open((now, &mut self.timers), branch, purpose, sent);
        }
        self.send(source.flow, bytes);
    }

    pub(crate) fn send_notify(&mut self, now: Millis, user: &str, event: &str) -> bool {
        let Some(entry) = self.registrar.find(user) else { return false };
        let (source, addressed_as) = (entry.source, entry.addressed_as.clone());
        if !self.reaches(source.flow) || self.requests.len() >= self.settings.limits.requests {
            return false;
        }
        let address = self.own_address(source.flow, &addressed_as);
        let (branch, tag, call) = (self.secrets.token(), self.secrets.token(), self.secrets.token());
        // Phones take check-sync outside of any subscription; RFC 6665 §4.1.3 wants the state all the same.
        let writer = Writer::request("NOTIFY", &entry.contact)
            .header("To", format_args!("<{}>", entry.contact))
            .header("From", format_args!("<sip:{address}>;tag={tag:016x}"))
            .header("Call-ID", format_args!("{call:016x}"))
            .header("CSeq", "1 NOTIFY")
            .header("Contact", contact(source, &address))
            .header("Event", event)
            .header("Subscription-State", "terminated");
        let bytes = self.routed(writer, source, (branch, &addressed_as)).finish();
        self.dispatch(now, branch, Purpose::Notify { user: user.to_owned() }, (source, bytes));
        true
    }

    pub(crate) fn call_due(&mut self, now: Millis, id: CallId) {
        self.calls.rang(id);
        let Some(call) = self.calls.get_mut(id) else { return };
        let begun = call.established || call.unconfirmed.is_some();
        if now >= call.ends {
            return self.finish(now, id, if begun { EndReason::TooLong } else { EndReason::Unanswered });
        }
        if call.unconfirmed.as_ref().is_some_and(|unconfirmed| now >= unconfirmed.give_up) {
            let why = if call.hang_up { EndReason::HungUp } else { EndReason::NeverConfirmed };
            return self.finish(now, id, why);
        }
        if call.waiting.as_ref().is_some_and(|waiting| now >= waiting.until) {
            self.refuse_waiting(now, id, &Rejection::new(488));
        }
        self.repeat_success(now, id);
        self.set_call_alarm(id);
    }

    fn repeat_success(&mut self, now: Millis, id: CallId) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let flow = call.source.flow;
        let Some(unconfirmed) = call.unconfirmed.as_mut().filter(|unconfirmed| now >= unconfirmed.again) else {
            return;
        };
        unconfirmed.wait_ms = longer(unconfirmed.wait_ms);
        unconfirmed.again = now.plus(unconfirmed.wait_ms);
        let bytes = std::sync::Arc::clone(&unconfirmed.bytes);
        self.send(flow, bytes);
    }

    pub(crate) fn set_call_alarm(&mut self, id: CallId) {
        if let Some(call) = self.calls.get_mut(id) {
            call.set_alarm(&mut self.timers, id);
        }
    }

    /// A refusal of a request in a call, by its transaction.
    pub(crate) fn refuse_in_call(
        &mut self,
        now: Millis,
        source: Source,
        request: &Request<'_>,
        (transaction, status): (u64, u16),
    ) {
        self.refuse_in(now, source, request.message, (transaction, Fault::from(status)));
    }
}

/// The session description of a request, when it has one.
pub(crate) fn offer(request: &Request<'_>) -> Option<Body> {
    (!request.body.is_empty()).then(|| Body(request.body.to_vec()))
}

const fn transport(source: Source) -> &'static str {
    match source.flow {
        super::event::Flow::Udp(_) => "UDP",
        super::event::Flow::Stream(_) => "TCP",
    }
}

/// Where the phone reaches us, by the transport it came with.
fn contact(source: Source, address: &str) -> String {
    match source.flow {
        super::event::Flow::Udp(_) => format!("<sip:{address}>"),
        super::event::Flow::Stream(_) => format!("<sip:{address};transport=tcp>"),
    }
}
