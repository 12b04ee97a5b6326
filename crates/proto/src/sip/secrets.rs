//! Everything that must not be guessed, made from one seed: tags, branches, and the seal of nonces.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::digest::hex_digit;

/// A keyed generator: the outcome depends on the seed and on how often it was asked.
pub(crate) struct Secrets {
    keyed: Hmac<Sha256>,
    count: u64,
}

/// Keeps the uses of one key apart.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Use {
    Token,
    Nonce,
    Tag,
}

impl Secrets {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        // HMAC itself fills a short key up with zeros to the size of a block.
        let mut key = [0; 64];
        key.iter_mut().zip(seed).for_each(|(to, from)| *to = from);
        Self { keyed: <Hmac<Sha256> as KeyInit>::new(&key.into()), count: 0 }
    }

    /// A number nobody can guess.
    pub(crate) fn token(&mut self) -> u64 {
        let number = self.next_number().to_be_bytes();
        let seal = self.seal(Use::Token, &[&number]);
        u64::from_be_bytes(first(&seal))
    }

    /// A number never given before.
    pub(crate) const fn next_number(&mut self) -> u64 {
        self.count = self.count.wrapping_add(1);
        self.count
    }

    /// The same tag for the same request: for answers nothing is remembered of (RFC 3261 §8.2.7).
    pub(crate) fn tag_for(&self, call_id: &str, from: &str) -> u64 {
        u64::from_be_bytes(first(&self.seal(Use::Tag, &[call_id.as_bytes(), b"\n", from.as_bytes()])))
    }

    /// Sixteen bytes that only this seed can make of `parts`.
    pub(crate) fn seal(&self, purpose: Use, parts: &[&[u8]]) -> [u8; 16] {
        let mut mac = self.keyed.clone();
        mac.update(match purpose {
            Use::Token => b"token",
            Use::Nonce => b"nonce",
            Use::Tag => b"tag  ",
        });
        for part in parts {
            mac.update(part);
        }
        first(&mac.finalize().into_bytes())
    }
}

/// The first bytes of more.
fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut taken = [0; N];
    for (to, from) in taken.iter_mut().zip(bytes) {
        *to = *from;
    }
    taken
}

/// Lower-case hexadecimal of bytes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [hex_digit(byte >> 4), hex_digit(byte & 15)]);
    digits.map(char::from).collect()
}
