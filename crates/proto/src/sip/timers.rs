//! What is due when.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::event::{AskId, CallId, Millis, StreamId};

/// The first wait for a repetition (RFC 3261 §17.1.1.1).
pub(crate) const T1: u64 = 500;
/// The longest wait between two repetitions.
pub(crate) const T2: u64 = 4000;
/// How long a message may live in the network.
pub(crate) const T4: u64 = 5000;
/// How long a transaction is tried.
pub(crate) const GIVE_UP: u64 = 64 * T1;

/// Whose time has come.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    Transaction(u64),
    Request(u64),
    Call(CallId),
    Ask(AskId),
    Stream(StreamId),
    Registration(Arc<str>),
}

/// An ordered set of alarms. Each owner has one at most and keeps its time, so that it can be moved.
#[derive(Default)]
pub(crate) struct Timers(BTreeSet<(Millis, Due)>);

impl Timers {
    /// Moves an alarm to `at`, or takes it away.
    pub(crate) fn set(&mut self, slot: &mut Option<Millis>, due: &Due, at: Option<Millis>) {
        if *slot == at {
            return;
        }
        if let Some(old) = slot.take() {
            self.0.remove(&(old, due.clone()));
        }
        if let Some(at) = at {
            self.0.insert((at, due.clone()));
        }
        *slot = at;
    }

    /// Takes the next alarm that is due.
    pub(crate) fn pop(&mut self, now: Millis) -> Option<Due> {
        let (at, _) = self.0.first()?;
        if *at > now { None } else { self.0.pop_first().map(|(_, due)| due) }
    }

    pub(crate) fn next(&self) -> Option<Millis> {
        self.0.first().map(|(at, _)| *at)
    }
}

/// Doubles a wait up to T2.
pub(crate) const fn longer(wait_ms: u64) -> u64 {
    if wait_ms >= T2 / 2 { T2 } else { wait_ms.saturating_mul(2) }
}
