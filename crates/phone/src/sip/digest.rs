//! Digest credentials as a phone makes them.
//!
//! Decides what a challenge asks and what answers it: the first challenge only, MD5 only, quality
//! `auth` or none. Never tries a second challenge: many user agents do not (domain notes 10a).
//! Rules: RFC 3261, 22.4; RFC 2617.

use openssl::hash::{MessageDigest, hash};

use crate::sip::message::Message;

/// What a server asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    proxy: bool,
    realm: String,
    nonce: String,
    opaque: Option<String>,
    /// The server takes `qop=auth`.
    counted: bool,
    pub(crate) stale: bool,
}

/// A challenge being answered again and again, each time with the next count.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    challenge: Challenge,
    count: u32,
}

/// Whose credentials, and for which request.
#[derive(Clone, Copy)]
pub(crate) struct Proof<'a> {
    pub(crate) user: &'a str,
    pub(crate) password: &'a str,
    pub(crate) method: &'a str,
    pub(crate) uri: &'a str,
    pub(crate) cnonce: &'a str,
}

impl Challenge {
    /// The first challenge of a 401 or 407; `None` when this phone cannot answer it.
    pub(crate) fn first(answer: &Message, status: u16) -> Option<Self> {
        let (name, proxy) = if status == 407 { ("proxy-authenticate", true) } else { ("www-authenticate", false) };
        Self::read(answer.header(name)?, proxy)
    }

    /// A challenge as its header says it.
    pub(crate) fn read(header: &str, proxy: bool) -> Option<Self> {
        let (scheme, rest) = header.split_once([' ', '\t'])?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let mut challenge =
            Self { proxy, realm: String::new(), nonce: String::new(), opaque: None, counted: false, stale: false };
        for (name, value) in fields(rest) {
            match name.to_ascii_lowercase().as_str() {
                "realm" => challenge.realm = value,
                "nonce" => challenge.nonce = value,
                "opaque" => challenge.opaque = Some(value),
                "stale" => challenge.stale = value.eq_ignore_ascii_case("true"),
                "qop" => challenge.counted = value.split(',').any(|qop| qop.trim().eq_ignore_ascii_case("auth")),
                "algorithm" if !value.eq_ignore_ascii_case("MD5") => return None,
                _ => {}
            }
        }
        Some(challenge).filter(|challenge| !challenge.nonce.is_empty())
    }
}

impl Session {
    pub(crate) fn new(challenge: Challenge) -> Self {
        Self { challenge, count: 0 }
    }

    /// The header that answers the challenge once more; `None` when the count is used up or there is no MD5.
    pub(crate) fn answer(&mut self, proof: &Proof<'_>) -> Option<(&'static str, String)> {
        self.count = self.count.checked_add(1)?;
        let Challenge { proxy, realm, nonce, opaque, counted, .. } = &self.challenge;
        let Proof { user, password, method, uri, cnonce } = proof;
        let count = format!("{:08x}", self.count);
        let ha1 = md5(&format!("{user}:{realm}:{password}"))?;
        let ha2 = md5(&format!("{method}:{uri}"))?;
        let response = match counted {
            true => md5(&format!("{ha1}:{nonce}:{count}:{cnonce}:auth:{ha2}"))?,
            false => md5(&format!("{ha1}:{nonce}:{ha2}"))?,
        };
        let mut value =
            format!("Digest username=\"{}\", realm=\"{}\", nonce=\"{}\"", quoted(user), quoted(realm), quoted(nonce));
        if *counted {
            value.push_str(&format!(", qop=auth, cnonce=\"{cnonce}\", nc={count}"));
        }
        if let Some(opaque) = opaque {
            value.push_str(&format!(", opaque=\"{}\"", quoted(opaque)));
        }
        value.push_str(&format!(", uri=\"{uri}\", response=\"{response}\", algorithm=MD5"));
        Some((if *proxy { "Proxy-Authorization" } else { "Authorization" }, value))
    }
}

/// The fields of one challenge; a second challenge on the same line ends it.
fn fields(mut rest: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    while let Some((name, behind)) = rest.split_once('=') {
        let name = name.trim_start_matches([',', ' ', '\t']).trim();
        if name.contains([' ', '\t']) {
            break;
        }
        let (value, left) = match behind.trim_start().strip_prefix('"') {
            Some(text) => unquoted(text),
            None => {
                let end = behind.find(',').unwrap_or(behind.len());
                let (value, left) = behind.split_at_checked(end).unwrap_or((behind, ""));
                (value.trim().to_owned(), left)
            }
        };
        found.push((name.to_owned(), value));
        rest = left;
    }
    found
}

/// The text up to the closing quote, and what is left behind it.
fn unquoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, text.get(at..).and_then(|rest| rest.strip_prefix('"')).unwrap_or_default()),
            '\\' => value.extend(characters.next().map(|(_, character)| character)),
            other => value.push(other),
        }
    }
    (value, "")
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

fn md5(text: &str) -> Option<String> {
    let digest = hash(MessageDigest::md5(), text.as_bytes()).ok()?;
    Some(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(value: &str) -> Option<Challenge> {
        let text = format!("SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: {value}\r\n\r\n");
        Challenge::first(&Message::read(text.as_bytes()).unwrap(), 401)
    }

    #[test]
    fn the_answer_is_the_one_of_the_rfc() {
        // RFC 2617, 3.5.
        let nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
        let text =
            format!("Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", nonce=\"{nonce}\", opaque=\"5c\"");
        let proof = Proof {
            user: "Mufasa",
            password: "Circle Of Life",
            method: "GET",
            uri: "/dir/index.html",
            cnonce: "0a4f113b",
        };

        let (name, value) = Session::new(challenge(&text).unwrap()).answer(&proof).unwrap();

        assert_eq!(name, "Authorization");
        assert!(value.contains("response=\"6629fae49393a05397450978507c4ef1\""), "{value}");
        assert!(value.contains("nc=00000001") && value.contains("opaque=\"5c\""), "{value}");
    }

    #[test]
    fn the_count_is_hexadecimal() {
        let mut session = Session::new(challenge("Digest realm=\"r\", nonce=\"n\", qop=\"auth\"").unwrap());
        let proof = Proof { user: "u", password: "p", method: "REGISTER", uri: "sip:x", cnonce: "c" };

        let counts: Vec<String> = (0..0x101).map(|_| session.answer(&proof).unwrap().1).collect();

        assert!(counts[9].contains("nc=0000000a"));
        assert!(counts[0x100].contains("nc=00000101"));
    }

    #[test]
    fn only_the_first_challenge_counts_and_only_md5() {
        assert_eq!(challenge("Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256"), None);
        let both = challenge("Digest realm=\"a, b\", nonce=\"1\", Digest realm=\"c\", nonce=\"2\"").unwrap();
        assert_eq!((both.realm.as_str(), both.nonce.as_str()), ("a, b", "1"));
        assert!(challenge("Digest realm=\"r\", nonce=\"n\", stale=TRUE").unwrap().stale);
        assert_eq!(challenge("Basic realm=\"r\""), None);
    }
}
