//! Nonces that remember their own age: nothing is kept for a stranger who only asks for one.
//!
//! A nonce is the time it was made, a number, and a seal over both. Only those under which somebody proved a password
//! are remembered, with the highest count used; when there are too many, the oldest become stale, never replayable.

use std::collections::BTreeMap;

use super::event::Millis;
use super::secrets::{Secrets, Use, hex};
use super::uri::hex_digit_value;

/// Which nonces were used how often.
pub(crate) struct Nonces {
    used: BTreeMap<NonceId, u32>,
    /// Nonces up to this one are stale whatever their age.
    floor: Option<NonceId>,
    lifetime_ms: u64,
    limit: usize,
}

/// When a nonce was made, and its number: ordered by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NonceId {
    made: Millis,
    number: u64,
}

impl NonceId {
    fn seal(self, secrets: &Secrets) -> [u8; 16] {
        secrets.seal(Use::Nonce, &[&self.made.0.to_be_bytes(), &self.number.to_be_bytes()])
    }
}

impl Nonces {
    pub(crate) const fn new(lifetime_ms: u64, limit: usize) -> Self {
        Self { used: BTreeMap::new(), floor: None, lifetime_ms, limit }
    }

    /// A new nonce.
    pub(crate) fn issue(secrets: &mut Secrets, now: Millis) -> String {
        let id = NonceId { made: now, number: secrets.next_number() };
        let mut bytes = [0; 32];
        let parts = id.made.0.to_be_bytes().into_iter().chain(id.number.to_be_bytes()).chain(id.seal(secrets));
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        hex(&bytes)
    }

    /// The nonce that `text` is, if it is ours and young enough to be used.
    pub(crate) fn recognize(&self, secrets: &Secrets, now: Millis, text: &str) -> Option<NonceId> {
        let (made, rest) = number(text)?;
        let (number, seal) = number(rest)?;
        let id = NonceId { made: Millis(made), number };
        let genuine = seal == hex(&id.seal(secrets));
        let young = now.since(id.made) <= self.lifetime_ms && self.floor.is_none_or(|floor| id > floor);
        (genuine && young).then_some(id)
    }

    /// Uses a nonce for the `count`th time; false when that was done before.
    ///
    /// A client that does not count may use it once.
    pub(crate) fn spend(&mut self, now: Millis, id: NonceId, count: Option<u32>) -> bool {
        let count = count.unwrap_or(u32::MAX);
        if self.floor.is_some_and(|floor| id <= floor)
            || self.used.get(&id).is_some_and(|last| count <= *last)
            || count == 0
        {
            return false;
        }
        self.used.insert(id, count);
        let oldest_usable = Millis(now.0.saturating_sub(self.lifetime_ms));
        while let Some(oldest) = self.used.first_entry() {
            let id = *oldest.key();
            let expired = id.made < oldest_usable;
            if !expired && self.used.len() <= self.limit {
                break;
            }
            self.used.pop_first();
            self.floor = if expired { self.floor } else { Some(id) };
        }
        true
    }
}

/// The number that the first 16 digits are, and the rest.
fn number(text: &str) -> Option<(u64, &str)> {
    let (digits, rest) = text.split_at_checked(16)?;
    let value = digits.bytes().try_fold(0_u64, |value, digit| Some(value << 4 | u64::from(hex_digit_value(digit)?)))?;
    Some((value, rest))
}
