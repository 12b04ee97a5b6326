//! Digest authentication for REST, push and state polling.
//!
//! Decides which nonces are good: each for some minutes, with counts that only rise. Rules: RFC 2617, MD5, `auth`;
//! the hashes are `proto`'s.

use std::collections::VecDeque;
use std::time::Duration;

use provost_proto::sip::digest::Authorization;
use tokio::time::Instant;

use crate::sip::random;
use crate::web::asked::Asked;

/// The realm phones name; ours.
const REALM: &str = "Phone";
/// How long a nonce is good; ours.
const NONCE_LIFE: Duration = Duration::from_secs(300);
/// Nonces kept; the oldest goes first.
const NONCES: usize = 128;

struct Nonce {
    text: String,
    made: Instant,
    count: u32,
}

/// The nonces that are out.
#[derive(Default)]
pub(crate) struct Nonces(VecDeque<Nonce>);

/// What somebody's proof is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Right.
    Good,
    /// Right, but for a nonce that is too old or used.
    Stale,
    /// Wrong.
    Bad,
}

impl Nonces {
    /// The challenge for somebody who has not proved anything.
    pub(crate) fn challenge(&mut self, stale: bool, now: Instant) -> String {
        if self.0.len() >= NONCES {
            self.0.pop_front();
        }
        let text = format!("{}{}", random::token(), random::token());
        let stale = if stale { ", stale=true" } else { "" };
        let challenge = format!("Digest realm=\"{REALM}\", nonce=\"{text}\", algorithm=MD5, qop=\"auth\"{stale}");
        self.0.push_back(Nonce { text, made: now, count: 0 });
        challenge
    }

    /// Judges the proof in `header` for this request; the name must be `name`.
    pub(crate) fn judge(&mut self, asked: &Asked, (name, password): (&str, &str), now: Instant) -> Proof {
        let Some(shown) = asked.header("authorization").and_then(Authorization::parse) else { return Proof::Bad };
        let same = shown.username == name && shown.realm == REALM && shown.uri == asked.target();
        if !same || !shown.proves(password, asked.method().as_str()) {
            return Proof::Bad;
        }
        self.0.retain(|nonce| now.saturating_duration_since(nonce.made) < NONCE_LIFE);
        match (self.0.iter_mut().find(|nonce| nonce.text == shown.nonce), shown.count) {
            (Some(nonce), Some(count)) if count > nonce.count => {
                nonce.count = count;
                Proof::Good
            }
            // A client that counts nothing may use a nonce once.
            (Some(nonce), None) if nonce.count == 0 => {
                nonce.count = u32::MAX;
                Proof::Good
            }
            _ => Proof::Stale,
        }
    }
}
