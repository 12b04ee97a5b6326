//! Whom a phone trusts beside the authorities it came with.
//!
//! Decides which loaded certificates count and whether the built-in ones do, by the phone's own list. Never judges a
//! server's certificate: OpenSSL does.
//! Source: domain notes 3.7 and 10a (old phones lack current roots; working servers load theirs at first). That
//! everything counts where no list is set, and how the words of a list are put together, is concluded.

use std::collections::BTreeMap;

use openssl::base64::decode_block;
use openssl::x509::X509;
use provost_catalog::NetworkRules;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// What a phone's flash says about trust, as it stands there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Trust {
    /// The loaded certificates that count, as text.
    loaded: Vec<String>,
    /// Whether only those count.
    pub(crate) only_loaded: bool,
    /// Whether a server's certificate may carry any name.
    pub(crate) any_name: bool,
}

impl Trust {
    pub(crate) fn of(device: &BTreeMap<String, String>, rules: &NetworkRules) -> Self {
        let list = device.get(&rules.trust.list.value).map(|list| list.to_ascii_lowercase());
        let counts =
            |word: &str| list.as_ref().is_none_or(|list| list.is_empty() || list == "all" || list.contains(word));
        let held = |parameter: &String| device.get(parameter).filter(|text| !text.trim().is_empty()).cloned();
        let slots = (1..).zip(&rules.trust.authorities.value);
        let loaded: Vec<String> =
            slots.filter(|(slot, _)| counts(&format!("platform{slot}"))).filter_map(|(_, name)| held(name)).collect();
        let any_name = device.get(&rules.trust.strict_name.value).is_some_and(|strict| strict == "0");
        Self { only_loaded: !counts("builtin") && !loaded.is_empty(), loaded, any_name }
    }

    /// The certificates that are some; a phone passes over what is none.
    pub(crate) fn certificates(&self) -> Vec<X509> {
        self.loaded.iter().filter_map(|text| certificate(text)).collect()
    }
}

/// A certificate as a configuration file holds it: with or without its first and last line, its line breaks kept or
/// turned into blanks.
fn certificate(text: &str) -> Option<X509> {
    let body = text.split_once(BEGIN).map_or(text, |(_, body)| body);
    let body = body.split_once(END).map_or(body, |(body, _)| body);
    let base64: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    X509::from_der(&decode_block(&base64).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::tests::network_facts;
    use proptest::prelude::*;

    fn trust(pairs: &[(&str, &str)]) -> Trust {
        let device = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Trust::of(&device, &network_facts().rules)
    }

    #[test]
    fn the_list_says_which_authorities_count() {
        for (list, loaded, only_loaded) in [
            ("", vec!["one", "two"], false),
            ("All", vec!["one", "two"], false),
            ("BuiltIn", vec![], false),
            ("BuiltInAndPlatform1", vec!["one"], false),
            ("Platform2", vec!["two"], true),
        ] {
            let told = [
                ("device.sec.TLS.customCaCert1", "one"),
                ("device.sec.TLS.customCaCert2", "two"),
                ("device.sec.TLS.profile.caCertList1", list),
            ];
            let trust = trust(&told);
            assert_eq!(
                (trust.loaded, trust.only_loaded),
                (loaded.into_iter().map(str::to_owned).collect(), only_loaded)
            );
        }
        assert!(!trust(&[("device.sec.TLS.profile.caCertList1", "Platform1")]).only_loaded, "nothing is loaded");
    }

    proptest! {
        #[test]
        fn no_text_breaks_anything(text in ".{0,200}") {
            prop_assert!(certificate(&text).is_none());
        }
    }
}
