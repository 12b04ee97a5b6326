//! Who a phone says it is to a server that asks for a user and a password.
//!
//! Decides whose credentials count - those in the address, else those the phone was told, else those from the
//! factory - and how a challenge is answered: Basic, or Digest with MD5. Never sends any unasked.
//! Source: domain notes 1.5; RFC 7617 and RFC 2617.

use std::collections::BTreeMap;

use http::Method;
use openssl::base64::encode_block;
use percent_encoding::percent_decode_str;
use provost_catalog::NetworkRules;
use url::Url;

use crate::sip::{Challenge, Password, Proof, Session, token};

/// A user of a provisioning server.
#[derive(Debug)]
pub(crate) struct User {
    name: String,
    password: Password,
}

impl User {
    /// Whose name goes to the server behind `url`.
    pub(crate) fn of(url: &Url, device: &BTreeMap<String, String>, rules: &NetworkRules) -> Self {
        let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        if !url.username().is_empty() {
            let password = url.password().map(plain).unwrap_or_default();
            return Self { name: plain(url.username()), password: Password::new(password) };
        }
        let told = |name: &str| device.get(name).unwrap_or(&rules.factory_server_user.value).clone();
        let password = Password::new(told(&rules.server_password_parameter.value));
        Self { name: told(&rules.server_user_parameter.value), password }
    }

    /// The value of `Authorization`; nothing for a challenge a phone does not know.
    pub(crate) fn answer(&self, challenge: &str, method: &Method, url: &Url) -> Option<String> {
        let scheme = challenge.split([' ', '\t']).next().unwrap_or_default();
        if scheme.eq_ignore_ascii_case("Basic") {
            let pair = format!("{}:{}", self.name, self.password.reveal());
            return Some(format!("Basic {}", encode_block(pair.as_bytes())));
        }
        let uri = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let cnonce = token();
        let proof = Proof {
            user: &self.name,
            password: self.password.reveal(),
            method: method.as_str(),
            uri: &uri,
            cnonce: &cnonce,
        };
        Session::new(Challenge::read(challenge, false)?).answer(&proof).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::network_facts;

    fn user(url: &str, device: &[(&str, &str)]) -> User {
        let device = device.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        User::of(&url.parse().unwrap(), &device, &network_facts().rules)
    }

    fn basic(user: &User) -> String {
        let url = "https://phones.example/x.cfg".parse().unwrap();
        user.answer("Basic realm=\"phones\"", &Method::GET, &url).unwrap()
    }

    #[test]
    fn the_address_comes_before_what_the_phone_was_told_and_that_before_the_factory() {
        let told = [("device.prov.user", "told"), ("device.prov.password", "secret")];

        let in_address = user("https://user:pa%20ss@phones.example/x.cfg", &told);
        assert_eq!(basic(&in_address), format!("Basic {}", encode_block(b"user:pa ss")));
        assert_eq!(basic(&user("https://phones.example", &told)), format!("Basic {}", encode_block(b"told:secret")));
        let factory = format!("Basic {}", encode_block(b"PlcmSpIp:PlcmSpIp"));
        assert_eq!(basic(&user("https://phones.example", &[])), factory);
        assert!(!format!("{in_address:?}").contains("pa ss"));
    }

    #[test]
    fn a_challenge_no_phone_knows_is_not_answered() {
        let url = "https://phones.example/x.cfg".parse().unwrap();

        for challenge in ["Bearer", "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256", ""] {
            assert_eq!(user("https://phones.example", &[]).answer(challenge, &Method::GET, &url), None, "{challenge}");
        }
        let digest = user("https://phones.example", &[]);
        let answer = digest.answer("Digest realm=\"r\", nonce=\"n\", qop=\"auth\"", &Method::PUT, &url).unwrap();
        assert!(answer.starts_with("Digest username=\"PlcmSpIp\"") && answer.contains("uri=\"/x.cfg\""), "{answer}");
    }
}
