//! Client transactions: our NOTIFY and BYE, repeated until somebody answers.
//!
//! Rules: RFC 3261 §17.1.2. A response is known by its branch, which nobody can guess.

use std::collections::HashMap;
use std::sync::Arc;

use super::event::{Flow, Millis};
use super::timers::{Due, GIVE_UP, T1, T2, Timers, longer};

/// Our requests without a final answer.
#[derive(Default)]
pub(crate) struct Requests(HashMap<u64, Sent>);

/// One request.
struct Sent {
    purpose: Purpose,
    flow: Flow,
    bytes: Arc<[u8]>,
    wait_ms: u64,
    give_up: Millis,
    wake: Option<Millis>,
}

/// Who wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    Notify { user: String },
    Bye,
}

impl Purpose {
    const fn method(&self) -> &'static str {
        match self {
            Self::Notify { .. } => "NOTIFY",
            Self::Bye => "BYE",
        }
    }
}

/// What an alarm brought.
pub(crate) enum Waited {
    Again(Flow, Arc<[u8]>),
    GaveUp(Purpose),
    Nothing,
}

impl Requests {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Remembers a request that is being sent.
    pub(crate) fn open(
        &mut self,
        (now, timers): (Millis, &mut Timers),
        branch: u64,
        purpose: Purpose,
        (flow, bytes): (Flow, Arc<[u8]>),
    ) {
        let give_up = now.plus(GIVE_UP);
        let mut sent = Sent { purpose, flow, bytes, wait_ms: T1, give_up, wake: None };
        let wake = if matches!(flow, Flow::Udp(_)) { now.plus(T1) } else { give_up };
        timers.set(&mut sent.wake, &Due::Request(branch), Some(wake));
        self.0.insert(branch, sent);
    }

    /// Takes a response: whose request is over, if it is.
    pub(crate) fn answered(&mut self, timers: &mut Timers, branch: u64, method: &str, status: u16) -> Option<Purpose> {
        let sent = self.0.get_mut(&branch).filter(|sent| sent.purpose.method() == method)?;
        if status < 200 {
            sent.wait_ms = T2;
            return None;
        }
        timers.set(&mut sent.wake, &Due::Request(branch), None);
        self.0.remove(&branch).map(|sent| sent.purpose)
    }

    /// An alarm rang.
    pub(crate) fn due(&mut self, now: Millis, timers: &mut Timers, branch: u64) -> Waited {
        let Some(sent) = self.0.get_mut(&branch) else { return Waited::Nothing };
        sent.wake = None;
        if now >= sent.give_up {
            return self.0.remove(&branch).map_or(Waited::Nothing, |sent| Waited::GaveUp(sent.purpose));
        }
        sent.wait_ms = longer(sent.wait_ms);
        timers.set(&mut sent.wake, &Due::Request(branch), Some(now.plus(sent.wait_ms).min(sent.give_up)));
        Waited::Again(sent.flow, Arc::clone(&sent.bytes))
    }

    /// The requests that waited on a connection which is gone.
    pub(crate) fn lost(&mut self, timers: &mut Timers, flow: Flow) -> Vec<Purpose> {
        let gone = self.0.extract_if(|_, sent| sent.flow == flow);
        gone.map(|(branch, mut sent)| {
            timers.set(&mut sent.wake, &Due::Request(branch), None);
            sent.purpose
        })
        .collect()
    }
}
