//! Server transactions: the same request twice is one request, and gets the same answer twice.
//!
//! Kept only for requests that changed something or will: refusals before a proof are made without memory
//! (RFC 3261 §8.2.7). Of each only the bytes of the last answer are held. Finished ones go in order of age when there
//! are too many; only unfinished ones can fill the table, and those of callers without proof a quarter of it. Rules:
//! RFC 3261 §17.2, RFC 6026.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::event::{AskId, CallId, Flow, Millis};
use super::request::Request;
use super::timers::{Due, GIVE_UP, T1, T4, Timers, longer};

/// INVITEs of strangers get one part in this many of the table.
const STRANGERS_SHARE: usize = 4;

/// All transactions.
#[derive(Default)]
pub(crate) struct Transactions {
    by_id: HashMap<u64, Transaction>,
    by_key: HashMap<Key, u64>,
    /// INVITEs by what they have in common when they come over two ways (RFC 3261 §8.2.2.2).
    merged: HashMap<Arc<str>, u64>,
    /// Finished transactions but INVITE's, the oldest first, and when they may go.
    finished: VecDeque<(Millis, u64)>,
    /// How many INVITEs there are of callers who proved nothing; the calls of some are long over.
    unproven: usize,
    next: u64,
}

/// A name that two phones cannot share: where the request came from is a part of it.
pub(crate) type Key = (Flow, Arc<str>);

/// One request and its last answer.
pub(crate) struct Transaction {
    key: Key,
    merge: Option<Arc<str>>,
    invite: bool,
    /// An INVITE of a caller who proved nothing.
    unproven: bool,
    state: State,
    pub(crate) owner: Owner,
    answer: Option<Arc<[u8]>>,
    wait_ms: u64,
    give_up: Millis,
    wake: Option<Millis>,
}

/// Who will answer it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Nobody,
    Ask(AskId),
    Call(CallId),
}

/// For whom a transaction is begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Somebody who has proven who it is, or is about to.
    User,
    /// Somebody who called a number that needs no proof. Its INVITEs stay until their ACK, which may never come.
    Stranger,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No final answer yet.
    Proceeding,
    /// An INVITE with 2xx: repetitions are absorbed, the call repeats the answer (RFC 6026).
    Accepted,
    /// An INVITE with another final answer, without its ACK.
    Refused,
    /// The same, with it.
    Confirmed,
    /// Another request with its final answer.
    Finished,
}

/// What a final answer means for an INVITE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finality {
    Provisional,
    Success,
    Refusal,
}

/// The key of a request; ACK and CANCEL share that of their INVITE.
pub(crate) fn key(request: &Request<'_>, flow: Flow) -> Key {
    let method = if matches!(request.method, "ACK" | "CANCEL") { "INVITE" } else { request.method };
    let text = match request.via.branch() {
        Some(branch) => format!("{branch}\n{}\n{method}", request.via.sent_by),
        None => {
            // A sender of RFC 2543 age (§17.2.3 of RFC 3261): the To tag is left out, its ACK has ours.
            let (tag, via) = (request.from.tag().unwrap_or(""), request.via.sent_by);
            format!("\n{}\n{tag}\n{} {method}\n{via}", request.call_id, request.cseq)
        }
    };
    (flow, text.into())
}

fn merge_key(request: &Request<'_>) -> Option<Arc<str>> {
    let fresh = request.method == "INVITE" && request.to.tag().is_none();
    fresh.then(|| format!("{}\n{}\n{}", request.call_id, request.from.tag().unwrap_or(""), request.cseq).into())
}

impl Transactions {
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(crate) fn find(&self, key: &Key) -> Option<u64> {
        self.by_key.get(key).copied()
    }

    pub(crate) fn owner(&self, id: u64) -> Option<Owner> {
        self.by_id.get(&id).map(|transaction| transaction.owner)
    }

    pub(crate) fn set_owner(&mut self, id: u64, owner: Owner) {
        if let Some(transaction) = self.by_id.get_mut(&id) {
            transaction.owner = owner;
        }
    }

    /// Whether the same INVITE came over another way already.
    pub(crate) fn has_merged(&self, request: &Request<'_>) -> bool {
        merge_key(request).is_some_and(|merge| self.merged.contains_key(&merge))
    }

    /// Begins a transaction; none when there are `limit` that cannot go, or too many of strangers.
    pub(crate) fn open(&mut self, key: Key, request: &Request<'_>, trust: Trust, limit: usize) -> Option<u64> {
        let invite = request.method == "INVITE";
        let unproven = invite && trust == Trust::Stranger;
        if unproven && self.unproven >= limit.div_ceil(STRANGERS_SHARE) {
            return None;
        }
        while self.by_id.len() >= limit {
            let (_, oldest) = self.finished.pop_front()?;
            self.drop_tables(oldest);
        }
        self.next = self.next.wrapping_add(1);
        let id = self.next;
        let merge = merge_key(request);
        if let Some(merge) = &merge {
            self.merged.insert(Arc::clone(merge), id);
        }
        self.by_key.insert(key.clone(), id);
        self.unproven = self.unproven.saturating_add(usize::from(unproven));
        let transaction = Transaction {
            key,
            merge,
            invite,
            unproven,
            state: State::Proceeding,
            owner: Owner::Nobody,
            answer: None,
            wait_ms: T1,
            give_up: Millis(0),
            wake: None,
        };
        self.by_id.insert(id, transaction);
        Some(id)
    }

    /// Remembers an answer, and says where to send it; none when the transaction is over or answered finally.
    pub(crate) fn answer(
        &mut self,
        (now, timers): (Millis, &mut Timers),
        id: u64,
        finality: Finality,
        bytes: &Arc<[u8]>,
    ) -> Option<Flow> {
        let transaction = self.by_id.get_mut(&id).filter(|transaction| transaction.state == State::Proceeding)?;
        let flow = transaction.key.0;
        let datagram = matches!(flow, Flow::Udp(_));
        transaction.answer = Some(Arc::clone(bytes));
        transaction.give_up = now.plus(GIVE_UP);
        match (transaction.invite, finality) {
            (_, Finality::Provisional) => {}
            (true, Finality::Success) => {
                transaction.state = State::Accepted;
                timers.set(&mut transaction.wake, &Due::Transaction(id), Some(transaction.give_up));
            }
            (true, Finality::Refusal) => {
                transaction.state = State::Refused;
                let wake = if datagram { now.plus(T1) } else { transaction.give_up };
                timers.set(&mut transaction.wake, &Due::Transaction(id), Some(wake));
            }
            (false, _) if datagram => {
                transaction.state = State::Finished;
                self.finished.push_back((transaction.give_up, id));
            }
            // On a connection nothing is repeated.
            (false, _) => self.drop_tables(id),
        }
        Some(flow)
    }

    /// The same request came again: the bytes to send again, if any.
    pub(crate) fn repeated(&self, id: u64) -> Option<Arc<[u8]>> {
        let transaction = self.by_id.get(&id)?;
        let silent = matches!(transaction.state, State::Accepted | State::Confirmed);
        if silent { None } else { transaction.answer.clone() }
    }

    /// An ACK came. Returns whether it was for a refusal, and so ends here.
    pub(crate) fn acknowledged(&mut self, now: Millis, timers: &mut Timers, id: u64) -> bool {
        let Some(transaction) = self.by_id.get_mut(&id) else { return false };
        match transaction.state {
            State::Refused if matches!(transaction.key.0, Flow::Udp(_)) => {
                transaction.state = State::Confirmed;
                timers.set(&mut transaction.wake, &Due::Transaction(id), Some(now.plus(T4)));
                true
            }
            State::Refused => {
                self.close(timers, id);
                true
            }
            State::Confirmed => true,
            State::Proceeding | State::Accepted | State::Finished => false,
        }
    }

    /// An alarm rang: what to send again where.
    pub(crate) fn due(&mut self, now: Millis, timers: &mut Timers, id: u64) -> Option<(Flow, Arc<[u8]>)> {
        let transaction = self.by_id.get_mut(&id)?;
        transaction.wake = None;
        if transaction.state != State::Refused || now >= transaction.give_up {
            self.drop_tables(id);
            return None;
        }
        transaction.wait_ms = longer(transaction.wait_ms);
        let wake = now.plus(transaction.wait_ms).min(transaction.give_up);
        timers.set(&mut transaction.wake, &Due::Transaction(id), Some(wake));
        Some((transaction.key.0, transaction.answer.clone()?))
    }

    /// Forgets finished transactions that nobody will repeat any more.
    pub(crate) fn sweep(&mut self, now: Millis) {
        while let Some((_, id)) = self.finished.pop_front_if(|(until, _)| *until <= now) {
            self.drop_tables(id);
        }
    }

    pub(crate) fn next_sweep(&self) -> Option<Millis> {
        self.finished.front().map(|(until, _)| *until)
    }

    /// Ends a transaction without trace.
    pub(crate) fn close(&mut self, timers: &mut Timers, id: u64) {
        if let Some(transaction) = self.by_id.get_mut(&id) {
            timers.set(&mut transaction.wake, &Due::Transaction(id), None);
        }
        self.drop_tables(id);
    }

    fn drop_tables(&mut self, id: u64) {
        let Some(transaction) = self.by_id.remove(&id) else { return };
        self.by_key.remove(&transaction.key);
        self.unproven = self.unproven.saturating_sub(usize::from(transaction.unproven));
        if let Some(merge) = transaction.merge.filter(|merge| self.merged.get(merge) == Some(&id)) {
            self.merged.remove(&merge);
        }
    }
}
