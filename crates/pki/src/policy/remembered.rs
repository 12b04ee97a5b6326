//! The leaves that were proven, so that a phone costs one signature check per start and not one per connection.
//!
//! Only proven leaves are kept: a stranger cannot fill the memory without a maker's signature. Bounded by two
//! generations; a leaf in use moves to the younger one, the older one is dropped whole.

use super::refusal::Refusal;
use super::{Facts, Weakness};
use crate::certificate::{Fingerprint, day};
use provost_core::identity::{CertificateStatus, Verdict};
use provost_core::time::UnixMillis;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Leaves per generation: two generations of these hold the phones of a large server in about 30 MB.
const GENERATION: usize = 32_768;

/// A leaf with everything proven but the dates.
#[derive(Debug)]
pub(super) struct Proven {
    facts: Facts,
    in_its_days: Arc<Verdict>,
    after_its_days: Arc<Verdict>,
}

impl Proven {
    pub(super) fn new(facts: Facts, fingerprint: Fingerprint) -> Self {
        let weak = facts.weaknesses.iter().map(Weakness::to_string);
        let expired = format!("it expired on {}", day(facts.not_after));
        let verdict = |notes: Vec<String>| {
            Arc::new(Verdict {
                status: CertificateStatus::FactoryInstalled,
                mac: Some(facts.mac),
                reason: None,
                note: if notes.is_empty() { None } else { Some(notes.join("; ")) },
                fingerprint: Some(fingerprint),
            })
        };
        let in_its_days = verdict(weak.clone().collect());
        let after_its_days = verdict(weak.chain([expired]).collect());
        Self { facts, in_its_days, after_its_days }
    }

    /// The verdict on this day.
    pub(super) fn at(&self, now: UnixMillis, accept_expired: bool) -> Result<Arc<Verdict>, Refusal> {
        let authority = &self.facts.authority;
        if now < authority.not_before {
            return Err(Refusal::AuthorityNotYetValid { issuer: authority.name.clone(), from: authority.not_before });
        }
        if now > authority.not_after {
            return Err(Refusal::AuthorityExpired { issuer: authority.name.clone(), on: authority.not_after });
        }
        if now < self.facts.not_before {
            return Err(Refusal::NotYetValid { from: self.facts.not_before });
        }
        match (now > self.facts.not_after, accept_expired) {
            (false, _) => Ok(Arc::clone(&self.in_its_days)),
            (true, true) => Ok(Arc::clone(&self.after_its_days)),
            (true, false) => Err(Refusal::Expired { on: self.facts.not_after }),
        }
    }
}

/// Proven leaves by their SHA-256.
#[derive(Debug, Default)]
pub(super) struct Remembered(Mutex<Generations>);

#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Fingerprint, Arc<Proven>>,
    old: HashMap<Fingerprint, Arc<Proven>>,
}

impl Remembered {
    pub(super) fn find(&self, fingerprint: &Fingerprint) -> Option<Arc<Proven>> {
        let mut both = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(proven) = both.young.get(fingerprint) {
            return Some(Arc::clone(proven));
        }
        let proven = both.old.remove(fingerprint)?;
        both.insert(*fingerprint, Arc::clone(&proven));
        Some(proven)
    }

    pub(super) fn keep(&self, fingerprint: Fingerprint, proven: Proven) -> Arc<Proven> {
        let proven = Arc::new(proven);
        let mut both = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        both.insert(fingerprint, Arc::clone(&proven));
        proven
    }
}

impl Generations {
    fn insert(&mut self, fingerprint: Fingerprint, proven: Arc<Proven>) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(fingerprint, proven);
    }
}
