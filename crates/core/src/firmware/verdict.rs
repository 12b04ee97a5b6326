//! How the firmware of a phone stands beside what the catalog knows of its model.
//!
//! Decides from versions alone, in words; what a version means comes from the catalog's facts, with how well each is known.

use provost_catalog::{Fact, Hardware, Version};

/// How a version stands, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FirmwareLevel {
    /// Lower than its model is served well with.
    BelowFloor,
    /// A hole is known in it that a later version closes.
    NotSecure,
    /// Lower than the newest version known.
    BelowTarget,
    /// Nothing speaks against it.
    Good,
    /// The phone has not said what it runs, or nothing is known of its model.
    NotKnown,
}

/// A version as judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirmwareVerdict {
    /// How it stands.
    pub level: FirmwareLevel,
    /// The same in one sentence.
    pub sentence: String,
    /// What to do, where something is to be done.
    pub next: Option<String>,
}

impl FirmwareLevel {
    /// The word for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BelowFloor => "below-floor",
            Self::NotSecure => "not-secure",
            Self::BelowTarget => "below-target",
            Self::Good => "good",
            Self::NotKnown => "not-known",
        }
    }
}

/// What is to be said of a phone that runs this, beside what is known of its model; `coming` is what happens next with
/// its firmware, where that is known.
pub fn judge(known: Option<&Hardware>, runs: Option<&Version>, coming: Option<&str>) -> FirmwareVerdict {
    let elsewhere = |version: &str| coming.map_or_else(|| store_it(version), str::to_owned);
    let verdict = |level, sentence: String, next| FirmwareVerdict { level, sentence, next };
    let (Some(known), Some(runs)) = (known, runs) else {
        let what = if runs.is_none() { "The phone has not said which firmware it runs." } else { NO_MODEL };
        return verdict(FirmwareLevel::NotKnown, what.to_owned(), None);
    };
    let below = |fact: &Option<Fact<Version>>| {
        fact.as_ref().filter(|fact| *runs < fact.value).map(|fact| (fact.value.to_string(), remark(fact)))
    };
    if let Some((floor, remark)) = below(&known.floor) {
        let sentence = format!("{runs} is below {floor}, the lowest its model is served with{remark}.");
        return verdict(FirmwareLevel::BelowFloor, sentence, Some(elsewhere(&floor)));
    }
    if let Some((secure, remark)) = below(&known.secure_from) {
        let sentence = format!(
            "{runs} has a known hole, closed from {secure} on{remark}. Until the phone runs that, its configuration keeps ICE off."
        );
        return verdict(FirmwareLevel::NotSecure, sentence, Some(elsewhere(&secure)));
    }
    if let Some((target, remark)) = below(&known.last) {
        let sentence = format!("{runs} works; {target} is the newest version known{remark}.");
        return verdict(FirmwareLevel::BelowTarget, sentence, Some(elsewhere(&target)));
    }
    match &known.last {
        Some(target) if *runs == target.value => {
            verdict(FirmwareLevel::Good, format!("{runs} is the newest version known for its model."), None)
        }
        Some(target) => {
            let sentence = format!("{runs} is newer than {}, the newest the catalog knows.", target.value);
            verdict(FirmwareLevel::Good, sentence, None)
        }
        None => verdict(FirmwareLevel::Good, format!("Nothing the catalog knows speaks against {runs}."), None),
    }
}

const NO_MODEL: &str = "The catalog knows nothing of its model's firmware.";

/// What the catalog remarks on a version.
fn remark(fact: &Fact<Version>) -> String {
    fact.note.as_deref().map_or(String::new(), |note| format!(" ({note})"))
}

fn store_it(version: &str) -> String {
    format!("Store an image of {version} or newer for its model: it is led there, step by step, as its policy says.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use provost_catalog::Catalog;

    fn level(model: &str, runs: &str) -> FirmwareLevel {
        let catalog = Catalog::built_in().unwrap();
        judge(catalog.hardware(model), Some(&runs.parse().unwrap()), None).level
    }

    #[test]
    fn the_worst_that_is_known_of_a_version_is_said() {
        assert_eq!(level("vvx450", "6.4.2"), FirmwareLevel::BelowFloor);
        assert_eq!(level("vvx450", "6.4.7.4560"), FirmwareLevel::NotSecure);
        assert_eq!(level("vvx450", "6.4.8"), FirmwareLevel::Good);
        assert_eq!(level("vvx500", "5.9.7.4477"), FirmwareLevel::BelowTarget);
        assert_eq!(level("vvx500", "5.9.8.5760"), FirmwareLevel::Good);
        assert_eq!(level("vvx500", "5.9.9"), FirmwareLevel::Good);
    }

    #[test]
    fn of_what_is_below_something_it_is_said_what_comes_next() {
        let catalog = Catalog::built_in().unwrap();
        let known = catalog.hardware("vvx450").unwrap();

        let runs = "6.4.7.4560".parse().unwrap();
        let verdict = judge(Some(known), Some(&runs), None);

        assert!(verdict.sentence.starts_with("6.4.7.4560 has a known hole, closed from 6.4.8 on (CVE-2026-0826"));
        assert!(verdict.next.unwrap().starts_with("Store an image of 6.4.8 or newer"));
        let coming = judge(Some(known), Some(&runs), Some("It waits: it is in a call."));
        assert_eq!(coming.next.as_deref(), Some("It waits: it is in a call."));
    }

    #[test]
    fn what_is_not_known_is_said_so() {
        let catalog = Catalog::built_in().unwrap();
        let known = catalog.hardware("vvx450").unwrap();

        for (known, runs) in [(Some(known), None), (None, Some("6.4.8".parse().unwrap())), (None, None)] {
            let verdict = judge(known, runs.as_ref(), None);
            assert_eq!((verdict.level, verdict.next), (FirmwareLevel::NotKnown, None));
        }
    }
}
