//! Facts of the catalog as the pages say them: the value, how well it is known, who says so.

use provost_catalog::{
    ActivationDoor, Catalog, Evidence, Fact, Gap, Model, PasswordRule, SipDigest, TlsOffer, source_words,
};
use std::fmt::Display;

/// A fact in words.
pub(super) struct Known {
    pub(super) value: String,
    /// How well it is known.
    pub(super) evidence: &'static str,
    /// Whether nobody was seen to confirm it.
    pub(super) is_doubtful: bool,
    pub(super) note: Option<String>,
    /// Who says so.
    pub(super) sources: Vec<String>,
}

/// The fact with its value as it is written.
pub(super) fn known<T: Display>(fact: &Fact<T>) -> Known {
    said(fact, fact.value.to_string())
}

/// The fact with its value in these words.
pub(super) fn said<T>(fact: &Fact<T>, value: String) -> Known {
    Known {
        value,
        evidence: words_of(fact.evidence),
        is_doubtful: fact.evidence == Evidence::Inferred,
        note: fact.note.clone(),
        sources: sources(&fact.source),
    }
}

/// How well something is known, in words.
pub(super) const fn words_of(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::OnHardware => "recorded from a phone",
        Evidence::VendorDoc => "the maker's document",
        Evidence::PublicCode => "public code",
        Evidence::Community => "forums and support pages",
        Evidence::Inferred => "concluded, not confirmed",
    }
}

/// The same for the word that stands in views.
pub(in crate::console) fn evidence_words(word: &str) -> &'static str {
    let all =
        [Evidence::OnHardware, Evidence::VendorDoc, Evidence::PublicCode, Evidence::Community, Evidence::Inferred];
    all.into_iter().find(|evidence| evidence.as_str() == word).map_or("not said", words_of)
}

/// The sources of a fact; a key that only an operator knows stands as it is.
pub(in crate::console) fn sources(keys: &str) -> Vec<String> {
    keys.split(", ").map(|key| source_words(key).unwrap_or(key).to_owned()).collect()
}

/// The ways to enter a code, in words.
pub(super) fn doors(doors: &[ActivationDoor]) -> String {
    let words = |door: &ActivationDoor| match door {
        ActivationDoor::Voice => "a call that asks for the code",
        ActivationDoor::SoftKey => "a key that asks for the code",
    };
    doors.iter().map(words).collect::<Vec<_>>().join("; ")
}

pub(super) const fn tls(offer: TlsOffer) -> &'static str {
    match offer {
        TlsOffer::StaticRsaTls12 => "TLS 1.2 with RSA key exchange only",
        TlsOffer::EcdheTls12 => "TLS 1.2 with ephemeral keys",
    }
}

pub(super) fn digests(digests: &[SipDigest]) -> String {
    let word = |digest: &SipDigest| match digest {
        SipDigest::Md5 => "MD5",
        SipDigest::Sha256 => "SHA-256",
    };
    digests.iter().map(word).collect::<Vec<_>>().join(", ")
}

pub(super) fn password(rule: &PasswordRule) -> String {
    format!("{} characters of {}", rule.length, rule.alphabet)
}

/// What nobody sourced of a model and of its firmware.
pub(super) fn gaps_of<'c>(catalog: &'c Catalog, model: &'c Model) -> impl Iterator<Item = &'c Gap> {
    // Hardware repeats what the model admits about its parts.
    let of_firmware = |gap: &&Gap| gap.field != "part-numbers" && gap.field != "user-agent-tokens";
    let hardware = catalog.hardware(&model.id).into_iter().flat_map(|known| &known.gaps);
    model.gaps.iter().chain(hardware.filter(of_firmware))
}

/// What the catalog calls a field, as a person says it.
pub(super) fn field_words(field: &str) -> &str {
    match field {
        "part-numbers" => "Part numbers",
        "line-keys" => "Line keys",
        "registrations" => "Lines it can register",
        "reset-keys" => "Keys to reset it",
        "end-of-life" => "End of life",
        "floor" => "Lowest firmware",
        "secure-from" => "Secure from",
        "last" => "Newest firmware known",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gap_of_the_catalog_is_said_in_words() {
        let catalog = Catalog::built_in().unwrap();
        for gap in catalog.models().flat_map(|model| gaps_of(&catalog, model)) {
            assert!(field_words(&gap.field).starts_with(char::is_uppercase), "{}", gap.field);
        }
    }

    #[test]
    fn a_source_is_said_in_words_and_an_operators_own_as_it_is() {
        let said = sources("8x8, own tests");

        assert!(said[0].starts_with("8x8 support"), "{said:?}");
        assert_eq!(said[1], "own tests");
    }
}
