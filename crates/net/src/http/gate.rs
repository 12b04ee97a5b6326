//! Counts what is open, in all and per address, and refuses what is too much.

use super::source::Source;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Lets in up to a number in all and per address.
#[derive(Debug)]
pub(crate) struct Gate {
    most: usize,
    most_per_source: usize,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    all: usize,
    /// Only sources that are inside now, so it is never larger than `all`.
    per_source: HashMap<Source, usize>,
}

/// A place inside; dropping it leaves.
#[derive(Debug)]
pub(crate) struct Slot {
    gate: Arc<Gate>,
    source: Source,
}

impl Gate {
    pub(crate) fn new(most: usize, most_per_source: usize) -> Arc<Self> {
        Arc::new(Self { most, most_per_source, inside: Mutex::default() })
    }

    /// A place for a connection from this address, if there is one.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Slot> {
        let source = Source::from(address);
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let here = inside.per_source.get(&source).copied().unwrap_or_default();
        if inside.all >= self.most || here >= self.most_per_source {
            return None;
        }
        inside.all = inside.all.saturating_add(1);
        inside.per_source.insert(source, here.saturating_add(1));
        Some(Slot { gate: Arc::clone(self), source })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut inside = self.gate.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.all = inside.all.saturating_sub(1);
        let here = inside.per_source.get(&self.source).copied().unwrap_or_default();
        if here <= 1 {
            inside.per_source.remove(&self.source);
        } else {
            inside.per_source.insert(self.source, here.saturating_sub(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_every_place() {
        let gate = Gate::new(3, 2);
        let (loud, quiet) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());

        let first = gate.enter(loud).unwrap();
        let _second = gate.enter(loud).unwrap();

        assert!(gate.enter(loud).is_none());
        let _third = gate.enter(quiet).unwrap();
        assert!(gate.enter("10.0.0.3".parse().unwrap()).is_none(), "three in all");
        drop(first);
        assert!(gate.enter(loud).is_some());
    }

    #[test]
    fn a_whole_ipv6_network_counts_as_one_address() {
        let gate = Gate::new(9, 1);

        let _inside = gate.enter("2001:db8::1".parse().unwrap()).unwrap();

        assert!(gate.enter("2001:db8::2".parse().unwrap()).is_none());
        assert!(gate.enter("2001:db8:0:1::2".parse().unwrap()).is_some());
    }

    #[test]
    fn an_empty_gate_remembers_nobody() {
        let gate = Gate::new(9, 9);
        drop((gate.enter("10.0.0.1".parse().unwrap()), gate.enter("10.0.0.1".parse().unwrap())));
        assert_eq!(gate.inside.lock().unwrap().per_source.len(), 0);
    }
}
