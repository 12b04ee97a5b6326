//! The calls and what each remembers: a dialog of which we are the called side.
//!
//! Rules: RFC 3261 §§12, 13.3, 14.2, 15.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use super::event::{CallId, Flow, Millis};
use super::inbound;
use super::message::Name;
use super::reply::Source;
use super::request::Request;
use super::timers::{Due, Timers};

/// Calls at once of callers without proof that come from one place.
const STRANGERS_OF_ONE_PLACE: usize = 4;

/// All calls.
#[derive(Default)]
pub(crate) struct Calls {
    by_id: HashMap<CallId, Call>,
    /// By our tag, which nobody can guess: who knows it was in the call from the beginning.
    by_tag: HashMap<u64, CallId>,
    /// How many of them proved nothing, and how many of these come from each place.
    unproven: usize,
    places: HashMap<IpAddr, usize>,
    /// The call of each of those with proof.
    by_user: HashMap<Arc<str>, CallId>,
    next: u64,
}

/// One call.
pub(crate) struct Call {
    pub(crate) source: Source,
    /// The proven identity of the caller.
    pub(crate) user: Option<Arc<str>>,
    /// Where a caller without proof called from; its later requests may come from elsewhere.
    place: IpAddr,
    /// Our side's tag.
    pub(crate) tag: u64,
    /// The dialog's Call-ID.
    pub(crate) dialog: String,
    pub(crate) remote_tag: String,
    /// The phone's From, which is the To of our BYE, and the other way round.
    pub(crate) remote: String,
    pub(crate) local: String,
    /// Where requests in the call go: the phone's Contact, and the proxies that want to see them.
    pub(crate) target: String,
    pub(crate) routes: Vec<String>,
    /// The `host:port` the phone knows us by.
    pub(crate) addressed_as: String,
    pub(crate) remote_cseq: u32,
    pub(crate) local_cseq: u32,
    /// The INVITE or UPDATE the application has to answer.
    pub(crate) waiting: Option<Waiting>,
    /// The 200 the phone has to confirm.
    pub(crate) unconfirmed: Option<Unconfirmed>,
    pub(crate) established: bool,
    /// To be ended as soon as the phone confirms.
    pub(crate) hang_up: bool,
    /// When it has lasted too long.
    pub(crate) ends: Millis,
    wake: Option<Millis>,
}

/// A request that waits for the application.
pub(crate) struct Waiting {
    pub(crate) transaction: u64,
    /// The bytes that came, to be answered header by header.
    pub(crate) request: Vec<u8>,
    pub(crate) source: Source,
    pub(crate) cseq: u32,
    pub(crate) invite: bool,
    pub(crate) has_offer: bool,
    pub(crate) until: Millis,
}

/// A 200 to an INVITE without its ACK.
pub(crate) struct Unconfirmed {
    pub(crate) cseq: u32,
    pub(crate) bytes: Arc<[u8]>,
    /// The ACK brings the answer to our offer.
    pub(crate) we_offered: bool,
    pub(crate) wait_ms: u64,
    pub(crate) again: Millis,
    pub(crate) give_up: Millis,
}

impl Call {
    /// The call an INVITE begins.
    pub(crate) fn begin(request: &Request<'_>, source: Source, user: Option<&str>, waiting: Waiting) -> Self {
        let value = |name| request.message.header(name).unwrap_or("").to_owned();
        Self {
            source,
            user: user.map(Arc::from),
            place: place(source.peer.ip()),
            tag: 0,
            dialog: request.call_id.to_owned(),
            remote_tag: request.from.tag().unwrap_or("").to_owned(),
            remote: value(Name::From),
            local: value(Name::To),
            target: inbound::contact(request).unwrap_or_else(|| request.from.uri.to_owned()),
            routes: request.message.listed(Name::RecordRoute).take(16).map(str::to_owned).collect(),
            addressed_as: request.addressed_as(),
            remote_cseq: request.cseq,
            local_cseq: 0,
            ends: waiting.until,
            waiting: Some(waiting),
            unconfirmed: None,
            established: false,
            hang_up: false,
            wake: None,
        }
    }

    /// Whether the caller has proven who it is.
    pub(crate) const fn is_proven(&self) -> bool {
        self.user.is_some()
    }

    /// Whether `request` is of this dialog.
    pub(crate) fn owns(&self, request: &Request<'_>) -> bool {
        self.dialog == request.call_id && self.remote_tag == request.from.tag().unwrap_or("")
    }

    /// Sets the alarm to whatever comes first.
    pub(crate) fn set_alarm(&mut self, timers: &mut Timers, id: CallId) {
        let waiting = self.waiting.as_ref().map(|waiting| waiting.until);
        let unconfirmed = self.unconfirmed.as_ref().map(|unconfirmed| unconfirmed.again.min(unconfirmed.give_up));
        let first = [waiting, unconfirmed].into_iter().flatten().fold(self.ends, Millis::min);
        timers.set(&mut self.wake, &Due::Call(id), Some(first));
    }
}

impl Calls {
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// The call a user is in.
    pub(crate) fn of_user(&self, user: &str) -> Option<CallId> {
        self.by_user.get(user).copied()
    }

    /// Whether one more may begin, or the status to refuse it with. Those without proof get half of the table, and
    /// few calls from one place; a user gets one, and no second one is asked for here before the first has ended.
    pub(crate) fn admits(&self, user: Option<&str>, from: IpAddr, limit: usize) -> Result<(), u16> {
        let busy = match user {
            Some(user) => self.by_user.contains_key(user),
            None => self.places.get(&place(from)).is_some_and(|count| *count >= STRANGERS_OF_ONE_PLACE),
        };
        let full = self.by_id.len() >= limit || (user.is_none() && self.unproven >= limit.div_ceil(2));
        match (busy, full) {
            (true, _) => Err(486),
            (false, true) => Err(503),
            (false, false) => Ok(()),
        }
    }

    /// Whether a call comes the way of `flow`.
    pub(crate) fn any_on(&self, flow: Flow) -> bool {
        self.by_id.values().any(|call| call.source.flow == flow)
    }

    pub(crate) fn insert(&mut self, mut call: Call, tag: u64) -> CallId {
        self.next = self.next.wrapping_add(1);
        let id = CallId(self.next);
        call.tag = tag;
        match &call.user {
            Some(user) => {
                self.by_user.insert(Arc::clone(user), id);
            }
            None => {
                self.unproven = self.unproven.saturating_add(1);
                let count = self.places.entry(call.place).or_default();
                *count = count.saturating_add(1);
            }
        }
        self.by_tag.insert(tag, id);
        self.by_id.insert(id, call);
        id
    }

    pub(crate) fn get_mut(&mut self, id: CallId) -> Option<&mut Call> {
        self.by_id.get_mut(&id)
    }

    /// The call a request with a To tag belongs to.
    pub(crate) fn of(&mut self, request: &Request<'_>) -> Option<(CallId, &mut Call)> {
        let tag = request.to.tag().filter(|tag| tag.len() == 16)?;
        let id = *self.by_tag.get(&u64::from_str_radix(tag, 16).ok()?)?;
        let call = self.by_id.get_mut(&id).filter(|call| call.owns(request))?;
        Some((id, call))
    }

    pub(crate) fn remove(&mut self, timers: &mut Timers, id: CallId) -> Option<Call> {
        let mut call = self.by_id.remove(&id)?;
        timers.set(&mut call.wake, &Due::Call(id), None);
        self.by_tag.remove(&call.tag);
        match &call.user {
            Some(user) => {
                self.by_user.remove(user);
            }
            None => {
                self.unproven = self.unproven.saturating_sub(1);
                self.leave(call.place);
            }
        }
        Some(call)
    }

    fn leave(&mut self, place: IpAddr) {
        let left = self.places.get(&place).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            self.places.remove(&place);
        } else {
            self.places.insert(place, left);
        }
    }

    /// An alarm rang: the slot is empty.
    pub(crate) fn rang(&mut self, id: CallId) {
        if let Some(call) = self.by_id.get_mut(&id) {
            call.wake = None;
        }
    }
}

/// What counts as one place: an IPv4 address, or the /64 of an IPv6 one, of which every host has plenty.
fn place(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
        ip @ IpAddr::V4(_) => ip,
    }
}
