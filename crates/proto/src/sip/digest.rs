//! Digest: what a server challenges with, what a client answers, and whether the answer is right.
//!
//! MD5 and SHA-256 with `qop=auth`, or without `qop` from a client that knows none. Never `-sess`, never `auth-int`.
//! Rules: RFC 7616, RFC 8760; RFC 3261 §22.

use std::borrow::Cow;
use std::fmt;

use md5::Md5;
use sha2::{Digest, Sha256};

use super::field;

/// The hash of a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// What every phone knows.
    Md5,
    /// RFC 8760.
    Sha256,
}

impl Algorithm {
    /// The word on the wire.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    fn of(text: Option<&str>) -> Option<Self> {
        match text {
            None => Some(Self::Md5),
            Some(text) if text.eq_ignore_ascii_case("MD5") => Some(Self::Md5),
            Some(text) if text.eq_ignore_ascii_case("SHA-256") => Some(Self::Sha256),
            Some(_) => None,
        }
    }

    /// The hash of `parts` with colons between them.
    fn hex(self, parts: &[&str]) -> Hex {
        match self {
            Self::Md5 => Hex::of(&hashed::<Md5>(parts)),
            Self::Sha256 => Hex::of(&hashed::<Sha256>(parts)),
        }
    }
}

fn hashed<D: Digest>(parts: &[&str]) -> sha2::digest::Output<D> {
    let mut hash = D::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            hash.update(b":");
        }
        hash.update(part.as_bytes());
    }
    hash.finalize()
}

/// A hash in lower-case hexadecimal.
#[derive(Clone, Copy)]
struct Hex {
    digits: [u8; 64],
    len: usize,
}

impl Hex {
    fn of(hash: &[u8]) -> Self {
        let mut digits = [b'0'; 64];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(hash) {
            pair.copy_from_slice(&[hex_digit(byte >> 4), hex_digit(byte & 15)]);
        }
        Self { digits, len: hash.len().saturating_mul(2).min(64) }
    }

    fn text(&self) -> &str {
        self.digits.get(..self.len).and_then(|digits| std::str::from_utf8(digits).ok()).unwrap_or("")
    }
}

/// The digit of a number below 16.
pub(crate) const fn hex_digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0'.wrapping_add(nibble) } else { b'a'.wrapping_add(nibble.wrapping_sub(10)) }
}

/// The parts that both sides hash.
struct Proof<'a> {
    algorithm: Algorithm,
    username: &'a str,
    realm: &'a str,
    password: &'a str,
    method: &'a str,
    uri: &'a str,
    nonce: &'a str,
    /// `nc` as sent and `cnonce`; none without `qop`.
    counted: Option<(&'a str, &'a str)>,
}

impl Proof<'_> {
    fn response(&self) -> Hex {
        let ha1 = self.algorithm.hex(&[self.username, self.realm, self.password]);
        let ha2 = self.algorithm.hex(&[self.method, self.uri]);
        match self.counted {
            Some((nc, cnonce)) => self.algorithm.hex(&[ha1.text(), self.nonce, nc, cnonce, "auth", ha2.text()]),
            None => self.algorithm.hex(&[ha1.text(), self.nonce, ha2.text()]),
        }
    }
}

/// An `Authorization` header of the Digest scheme.
pub struct Authorization<'a> {
    /// Who it says to be.
    pub username: Cow<'a, str>,
    /// For which realm.
    pub realm: Cow<'a, str>,
    /// Under which nonce.
    pub nonce: Cow<'a, str>,
    /// For which address.
    pub uri: Cow<'a, str>,
    /// With which hash.
    pub algorithm: Algorithm,
    /// The nonce count, a hexadecimal number; none from a client that knows no `qop`.
    pub count: Option<u32>,
    nc: &'a str,
    cnonce: Cow<'a, str>,
    response: &'a str,
}

impl fmt::Debug for Authorization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization").field("username", &self.username).finish_non_exhaustive()
    }
}

impl<'a> Authorization<'a> {
    /// Reads the header's value; none for another scheme, another algorithm, or a part that is missing.
    #[must_use]
    pub fn parse(value: &'a str) -> Option<Self> {
        let parts = Parts::of(value)?;
        let qop = parts.value("qop");
        let nc = parts.value("nc").unwrap_or("");
        let count = match qop {
            None => None,
            Some("auth") if (1..=8).contains(&nc.len()) && !nc.starts_with('+') => {
                Some(u32::from_str_radix(nc, 16).ok()?)
            }
            Some(_) => return None,
        };
        let cnonce = parts.text("cnonce");
        if count.is_some() && cnonce.is_none() {
            return None;
        }
        Some(Self {
            username: parts.text("username")?,
            realm: parts.text("realm")?,
            nonce: parts.text("nonce")?,
            uri: parts.text("uri")?,
            algorithm: Algorithm::of(parts.value("algorithm"))?,
            count,
            nc,
            cnonce: cnonce.unwrap_or_default(),
            response: parts.value("response")?,
        })
    }

    /// Whether the client knows `password`.
    #[must_use]
    pub fn proves(&self, password: &str, method: &str) -> bool {
        let proof = Proof {
            algorithm: self.algorithm,
            username: &self.username,
            realm: &self.realm,
            password,
            method,
            uri: &self.uri,
            nonce: &self.nonce,
            counted: self.count.map(|_| (self.nc, self.cnonce.as_ref())),
        };
        let expected = proof.response();
        let (expected, shown) = (expected.text().as_bytes(), self.response.as_bytes());
        // All bytes are looked at, so that the time taken does not tell how many were right.
        let different = expected.iter().zip(shown).fold(0, |sum, (a, b)| sum | (a ^ b.to_ascii_lowercase()));
        expected.len() == shown.len() && different == 0
    }
}

/// The value of a challenge: `WWW-Authenticate`.
pub(crate) struct ChallengeText<'a> {
    pub(crate) realm: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) algorithm: Algorithm,
    pub(crate) stale: bool,
}

impl fmt::Display for ChallengeText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stale = if self.stale { ", stale=true" } else { "" };
        write!(
            f,
            "Digest realm=\"{}\", nonce=\"{}\", algorithm={}, qop=\"auth\"{stale}",
            Quoted(self.realm),
            self.nonce,
            self.algorithm.text()
        )
    }
}

/// A challenge as a client reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge<'a> {
    /// For which realm.
    pub realm: Cow<'a, str>,
    /// To be used in the answer.
    pub nonce: Cow<'a, str>,
    /// To be echoed, if present.
    pub opaque: Option<Cow<'a, str>>,
    /// The hash.
    pub algorithm: Algorithm,
    /// The password was right and only the nonce too old.
    pub stale: bool,
    /// Whether `qop=auth` is offered.
    pub counted: bool,
}

/// What a client answers with.
pub struct Answering<'a> {
    /// Who.
    pub username: &'a str,
    /// The secret.
    pub password: &'a str,
    /// The method of the request.
    pub method: &'a str,
    /// Its Request-URI.
    pub uri: &'a str,
    /// Anything random.
    pub cnonce: &'a str,
    /// How often this nonce was used, with this time.
    pub count: u32,
}

impl<'a> Challenge<'a> {
    /// Reads the value of a `WWW-Authenticate` or `Proxy-Authenticate`; none for what cannot be answered.
    #[must_use]
    pub fn parse(value: &'a str) -> Option<Self> {
        let parts = Parts::of(value)?;
        let qop = parts.value("qop");
        let counted = qop.is_some_and(|offers| offers.split(',').any(|offer| field::trim(offer) == "auth"));
        if qop.is_some() && !counted {
            return None;
        }
        Some(Self {
            realm: parts.text("realm")?,
            nonce: parts.text("nonce")?,
            opaque: parts.text("opaque"),
            algorithm: Algorithm::of(parts.value("algorithm"))?,
            stale: parts.value("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
            counted,
        })
    }

    /// The value of the `Authorization` or `Proxy-Authorization` that answers it.
    #[must_use]
    pub fn answer(&self, with: &Answering<'_>) -> String {
        let nc = format!("{:08x}", with.count);
        let proof = Proof {
            algorithm: self.algorithm,
            username: with.username,
            realm: &self.realm,
            password: with.password,
            method: with.method,
            uri: with.uri,
            nonce: &self.nonce,
            counted: self.counted.then_some((nc.as_str(), with.cnonce)),
        };
        let mut text = format!(
            "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{}\", response=\"{}\", algorithm={}",
            Quoted(with.username),
            Quoted(&self.realm),
            Quoted(&self.nonce),
            Quoted(with.uri),
            proof.response().text(),
            self.algorithm.text()
        );
        if self.counted {
            text.push_str(&format!(", cnonce=\"{}\", qop=auth, nc={nc}", Quoted(with.cnonce)));
        }
        if let Some(opaque) = &self.opaque {
            text.push_str(&format!(", opaque=\"{}\"", Quoted(opaque)));
        }
        text
    }
}

/// Text for between quotes.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut pieces = self.0.split_inclusive(['"', '\\']);
        pieces.try_for_each(|piece| match piece.strip_suffix(['"', '\\']) {
            Some(plain) => write!(f, "{plain}\\{}", piece.get(plain.len()..).unwrap_or("")),
            None => f.write_str(piece),
        })
    }
}

/// The parameters after `Digest`.
struct Parts<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Parts<'a> {
    fn of(value: &'a str) -> Option<Self> {
        let (scheme, rest) = field::trim(value).split_once([' ', '\t', '\r', '\n'])?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let part = |text: &'a str| {
            let (name, value) = text.split_once('=')?;
            Some((field::trim(name), field::trim(value)))
        };
        field::list(rest).filter(|text| !text.is_empty()).map(part).collect::<Option<_>>().map(Self)
    }

    /// The value without quotes, escapes kept.
    fn value(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| field::unquote(value))
    }

    /// The value without quotes and escapes.
    fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        let value = self.value(name)?;
        if !value.contains('\\') {
            return Some(Cow::Borrowed(value));
        }
        let mut plain = String::with_capacity(value.len());
        let mut chars = value.chars();
        while let Some(char) = chars.next() {
            plain.extend(if char == '\\' { chars.next() } else { Some(char) });
        }
        Some(Cow::Owned(plain))
    }
}
