//! What the phone does in a call: ACK, BYE, CANCEL, new offers, INFO.
//!
//! Who knows our tag was there when the call began, so nothing here is challenged again. Rules: RFC 3261 §§12.2.2,
//! 13.3.1.4, 14.2, 15.1.2; RFC 3311 (UPDATE is answered as a re-INVITE is, without body at once); RFC 6086 (INFO).

use super::agent;
use super::calls::Waiting;
use super::endpoint::Endpoint;
use super::event::{Body, CallId, EndReason, Event, Millis, Rejection};
use super::inbound;
use super::reply::{self, Source};
use super::request::Request;
use super::transactions::{Finality, Key, Owner, Trust};

impl Endpoint {
    /// An ACK for a 200.
    pub(crate) fn confirm(&mut self, now: Millis, source: Source, request: &Request<'_>) {
        let Some((id, call)) = self.calls.of(request) else { return };
        let Some(unconfirmed) = call.unconfirmed.take_if(|unconfirmed| unconfirmed.cseq == request.cseq) else {
            return;
        };
        call.source = source;
        let first = !std::mem::replace(&mut call.established, true);
        if call.hang_up {
            return self.finish(now, id, EndReason::HungUp);
        }
        self.set_call_alarm(id);
        if first {
            let answer = if unconfirmed.we_offered { agent::offer(request) } else { None };
            self.tell(Event::Established { call: id, answer });
        }
    }

    pub(crate) fn cancel_call(&mut self, now: Millis, id: CallId, transaction: u64) {
        let Some(call) = self.calls.get_mut(id) else { return };
        if call.waiting.as_ref().is_none_or(|waiting| waiting.transaction != transaction) {
            // Our answer was faster (RFC 3261 §9.2).
            return;
        }
        let begun = call.established || call.unconfirmed.is_some();
        self.refuse_waiting(now, id, &Rejection::new(487));
        if !begun {
            self.end(id, EndReason::Cancelled);
        }
    }

    pub(crate) fn in_dialog(&mut self, now: Millis, source: Source, (request, key): (&Request<'_>, Key), bytes: &[u8]) {
        let Some((id, call)) = self.calls.of(request) else {
            return self.refuse(request.message, source, 481.into());
        };
        if request.cseq <= call.remote_cseq {
            return self.refuse(request.message, source, 500.into());
        }
        call.remote_cseq = request.cseq;
        // A phone behind a NAT, or on a new connection, may come another way than before.
        call.source = source;
        let pending = call.waiting.is_some() || call.unconfirmed.is_some();
        let trust = if call.is_proven() { Trust::User } else { Trust::Stranger };
        let Some(transaction) = self.open(source, (request, key), trust) else { return };
        self.transactions.set_owner(transaction, Owner::Call(id));
        match request.method {
            "BYE" => self.bye_received(now, source, request, (id, transaction)),
            "INFO" => self.info_received(now, source, request, (id, transaction)),
            "UPDATE" if request.body.is_empty() => self.done(now, source, request, transaction),
            _ if pending => self.refuse_in_call(now, source, request, (transaction, 491)),
            _ => self.offer_received(now, source, (request, bytes), (id, transaction)),
        }
    }

    fn bye_received(&mut self, now: Millis, source: Source, request: &Request<'_>, (id, transaction): (CallId, u64)) {
        self.done(now, source, request, transaction);
        self.refuse_waiting(now, id, &Rejection::new(487));
        self.end(id, EndReason::PhoneHungUp);
    }

    fn info_received(&mut self, now: Millis, source: Source, request: &Request<'_>, (id, transaction): (CallId, u64)) {
        let content_type = request.content_type();
        let known = matches!(content_type.as_str(), "application/dtmf-relay" | "application/dtmf");
        if !known && !request.body.is_empty() {
            return self.refuse_in_call(now, source, request, (transaction, 415));
        }
        self.done(now, source, request, transaction);
        if !request.body.is_empty() {
            self.tell(Event::Info { call: id, content_type, body: Body(request.body.to_vec()) });
        }
    }

    /// A re-INVITE, or an UPDATE with an offer.
    fn offer_received(
        &mut self,
        now: Millis,
        source: Source,
        (request, bytes): (&Request<'_>, &[u8]),
        (id, transaction): (CallId, u64),
    ) {
        if let Err(fault) = inbound::check_body(request) {
            return self.refuse_in(now, source, request.message, (transaction, fault));
        }
        let invite = request.method == "INVITE";
        if invite && let Some(writer) = reply::reply(request.message, source, 0, 100, "") {
            self.respond(now, transaction, Finality::Provisional, writer.finish());
        }
        let until = now.plus(self.settings.limits.answer_ms);
        if let Some(call) = self.calls.get_mut(id) {
            call.waiting = Some(Waiting {
                transaction,
                request: bytes.to_vec(),
                source,
                cseq: request.cseq,
                invite,
                has_offer: !request.body.is_empty(),
                until,
            });
            if let Some(contact) = inbound::contact(request) {
                call.target = contact;
            }
        }
        self.set_call_alarm(id);
        self.tell(Event::Offer { call: id, offer: agent::offer(request) });
    }

    /// 200 without anything.
    fn done(&mut self, now: Millis, source: Source, request: &Request<'_>, transaction: u64) {
        let Some(writer) = reply::reply(request.message, source, 0, 200, "") else { return };
        let bytes = self.signed(writer).finish();
        self.respond(now, transaction, Finality::Success, bytes);
    }
}
