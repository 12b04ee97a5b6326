//! Who somebody is: challenges, and the questions to the application that compare passwords.
//!
//! A challenge costs no memory. An answer to one waits for its password; only a right one spends a nonce count, and
//! only a right one under an old nonce is called stale (RFC 7616 §3.4). Unknown users and wrong passwords look alike.

use super::credential::Credential;
use super::digest::{Algorithm, Authorization, ChallengeText};
use super::endpoint::Endpoint;
use super::event::{AskId, Event, Millis};
use super::message::{Message, Name};
use super::nonce::{NonceId, Nonces};
use super::registrar::{Denial, Wish};
use super::reply::{self, Source};
use super::request::{Fault, Request};
use super::timers::Due;
use super::transactions::{self, Finality, Owner, Trust};
use super::uri::Uri;

/// Longer names are nobody's.
const MAX_USER_BYTES: usize = 128;
/// An INVITE that waits longer is told so (RFC 3261 §17.2.1).
const TRYING_AFTER_MS: u64 = 200;

/// A request whose sender's password is being looked up.
pub(crate) struct Ask {
    transaction: u64,
    source: Source,
    request: Vec<u8>,
    /// The nonce, when it is ours and young.
    nonce: Option<NonceId>,
    give_up: Millis,
    /// The sender was told to wait, so it repeats nothing: our answer must be repeated until it has it.
    told_to_wait: bool,
    wake: Option<Millis>,
}

/// What to say besides the challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Offer {
    stale: bool,
    sha256: bool,
}

impl Endpoint {
    /// Challenges the sender, or asks for the password of whom it says to be.
    pub(crate) fn prove(
        &mut self,
        now: Millis,
        source: Source,
        (request, key): (&Request<'_>, transactions::Key),
        bytes: &[u8],
    ) {
        let shown = authorization(request.message, &self.settings.realm);
        let Some(shown) = shown.filter(|shown| !shown.username.is_empty() && shown.username.len() <= MAX_USER_BYTES)
        else {
            let offer = Offer { stale: false, sha256: self.claims_sha256(request, source) };
            let fault = self.challenge(now, offer);
            return self.challenge_without_memory(request.message, source, fault);
        };
        // A proof is for one number: it must not be carried over to another.
        if Uri::parse(&shown.uri).map(|uri| uri.user).ok() != Some(request.uri.user) {
            return self.refuse(request.message, source, 400.into());
        }
        if self.asks.len() >= self.settings.limits.asks {
            return self.refuse(request.message, source, 503.into());
        }
        let Some(transaction) = self.open(source, (request, key), Trust::User) else { return };
        self.next_ask = self.next_ask.wrapping_add(1);
        let id = AskId(self.next_ask);
        let nonce = self.nonces.recognize(&self.secrets, now, &shown.nonce);
        let give_up = now.plus(self.settings.limits.answer_ms);
        let mut ask =
            Ask { transaction, source, request: bytes.to_vec(), nonce, give_up, told_to_wait: false, wake: None };
        let wake = if request.method == "INVITE" { now.plus(TRYING_AFTER_MS).min(give_up) } else { give_up };
        self.timers.set(&mut ask.wake, &Due::Ask(id), Some(wake));
        self.asks.insert(id, ask);
        self.transactions.set_owner(transaction, Owner::Ask(id));
        self.tell(Event::Credentials { ask: id, user: shown.username.into_owned() });
    }

    pub(crate) fn judge(&mut self, now: Millis, id: AskId, credential: Option<&Credential>) {
        let Some(ask) = self.close_ask(id) else { return };
        // It could be read when it came.
        let Ok(message) = Message::parse(&ask.request) else { return };
        let Ok(request) = Request::check(&message) else { return };
        let Some(shown) = authorization(&message, &self.settings.realm) else { return };
        let known = credential.filter(|credential| shown.proves(credential.password(), request.method));
        let sha256 = credential.is_some_and(Credential::knows_sha256);
        let Some(_) = known else {
            let user = shown.username.into_owned();
            self.tell(Event::Unproven { user, from: ask.source.peer });
            return self.challenge_again(now, &ask, &message, Offer { stale: false, sha256 });
        };
        if !ask.nonce.is_some_and(|nonce| self.nonces.spend(now, nonce, shown.count)) {
            return self.challenge_again(now, &ask, &message, Offer { stale: true, sha256 });
        }
        self.prove_stream(now, ask.source.flow);
        let user = shown.username.into_owned();
        if request.method == "REGISTER" {
            return self.register(now, (&request, &ask), user, sha256);
        }
        self.begin_call(now, ask.source, (&request, &ask.request), (ask.transaction, Some(user)));
    }

    fn register(&mut self, now: Millis, (request, ask): (&Request<'_>, &Ask), user: String, sha256: bool) {
        let to = Uri::parse(request.to.uri).ok().and_then(|uri| uri.user_text());
        if to.as_ref() != Some(&user) {
            return self.refuse_in(now, ask.source, request.message, (ask.transaction, 403.into()));
        }
        let limit = self.settings.limits.registrations;
        let wish = Wish::of(request, self.settings.expires);
        let wish = wish.and_then(|wish| self.registrar.admits(&user, request, limit).map(|()| wish));
        let wish = match wish {
            Ok(wish) => wish,
            Err(denial) => {
                let fault = self.denied(denial);
                return self.refuse_in(now, ask.source, request.message, (ask.transaction, fault));
            }
        };
        match wish {
            Wish::Fetch => {}
            Wish::Unbind { contact } => {
                if self.registrar.unbind(&mut self.timers, &user, contact.as_deref()) {
                    let why = super::event::UnregisterReason::Asked;
                    self.tell(Event::Unregistered { user: user.clone(), why });
                }
            }
            Wish::Bind { contact, expires_s } => {
                let until = now.plus(u64::from(expires_s).saturating_mul(1000));
                let granted = (contact.clone(), until, sha256);
                self.registrar.bind(&mut self.timers, &user, (request, ask.source), granted);
                let (user, from, user_agent) = (user.clone(), ask.source.peer, request.user_agent());
                self.tell(Event::Registered { user, from, contact, expires_s, user_agent });
            }
        }
        let tag = self.stateless_tag(request.message);
        let Some(mut writer) = reply::reply(request.message, ask.source, tag, 200, "") else { return };
        if let Some(entry) = self.registrar.find(&user) {
            let left_s = entry.until.since(now).div_ceil(1000);
            writer = writer.header("Contact", format_args!("<{}>;expires={left_s}", entry.contact));
        }
        let bytes = self.signed(writer).finish();
        self.respond(now, ask.transaction, Finality::Success, bytes);
    }

    fn denied(&self, denial: Denial) -> Fault {
        match denial {
            Denial::Malformed => 400.into(),
            Denial::TooBrief => {
                let least = self.settings.expires.min_s.to_string();
                Fault { status: 423, header: Some(("Min-Expires", least)) }
            }
            Denial::OutOfOrder => 500.into(),
            Denial::Full => 503.into(),
        }
    }

    fn challenge_again(&mut self, now: Millis, ask: &Ask, message: &Message<'_>, offer: Offer) {
        let challenge = self.challenge(now, offer);
        if ask.told_to_wait {
            if let Some(bytes) = self.challenged(message, ask.source, challenge) {
                self.respond(now, ask.transaction, Finality::Refusal, bytes);
            }
            return;
        }
        self.transactions.close(&mut self.timers, ask.transaction);
        self.challenge_without_memory(message, ask.source, challenge);
    }

    fn challenge_without_memory(&mut self, message: &Message<'_>, source: Source, challenge: (String, Offer)) {
        if let Some(bytes) = self.challenged(message, source, challenge) {
            self.send(source.flow, bytes.into());
        }
    }

    fn challenge(&mut self, now: Millis, offer: Offer) -> (String, Offer) {
        (Nonces::issue(&mut self.secrets, now), offer)
    }

    /// MD5 comes first: many phones read the first challenge only.
    fn challenged(&self, message: &Message<'_>, source: Source, (nonce, offer): (String, Offer)) -> Option<Vec<u8>> {
        let tag = self.stateless_tag(message);
        let mut writer = reply::reply(message, source, tag, 401, "")?;
        let second = offer.sha256.then_some(Algorithm::Sha256);
        for algorithm in [Some(Algorithm::Md5), second].into_iter().flatten() {
            let text = ChallengeText { realm: &self.settings.realm, nonce: &nonce, algorithm, stale: offer.stale };
            writer = writer.header("WWW-Authenticate", text);
        }
        Some(self.signed(writer).finish())
    }

    /// Whether the sender is where a phone that knows SHA-256 is registered.
    fn claims_sha256(&self, request: &Request<'_>, source: Source) -> bool {
        let entry = request.claimed_user().and_then(|user| self.registrar.find(&user));
        entry.is_some_and(|entry| entry.knows_sha256 && entry.source == source)
    }

    /// Ends a question without its answer.
    pub(crate) fn give_up_ask(&mut self, now: Millis, id: AskId, status: u16) {
        let Some(ask) = self.close_ask(id) else { return };
        if let Ok(message) = Message::parse(&ask.request) {
            self.refuse_in(now, ask.source, &message, (ask.transaction, status.into()));
        }
    }

    pub(crate) fn ask_due(&mut self, now: Millis, id: AskId) {
        let Some(ask) = self.asks.get_mut(&id) else { return };
        ask.wake = None;
        if now >= ask.give_up {
            return self.give_up_ask(now, id, 503);
        }
        ask.told_to_wait = true;
        self.timers.set(&mut ask.wake, &Due::Ask(id), Some(ask.give_up));
        let (transaction, source) = (ask.transaction, ask.source);
        let bytes = Message::parse(&ask.request).ok().and_then(|message| reply::reply(&message, source, 0, 100, ""));
        if let Some(writer) = bytes {
            self.respond(now, transaction, Finality::Provisional, writer.finish());
        }
    }

    fn close_ask(&mut self, id: AskId) -> Option<Ask> {
        let mut ask = self.asks.remove(&id)?;
        self.timers.set(&mut ask.wake, &Due::Ask(id), None);
        self.transactions.set_owner(ask.transaction, Owner::Nobody);
        Some(ask)
    }
}

/// The answer to a challenge of ours, if there is one that can be read.
fn authorization<'a>(message: &Message<'a>, realm: &str) -> Option<Authorization<'a>> {
    message.all(Name::Authorization).filter_map(Authorization::parse).find(|shown| shown.realm == realm)
}
