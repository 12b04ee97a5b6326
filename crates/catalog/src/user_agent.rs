//! The User-Agent of a phone's file requests, written and read.
//!
//! Decides what one says, by the form in the catalog; never trusts it: it proves nothing.

use crate::boot::BootStage;
use crate::model::Model;
use crate::rules::PhoneRules;
use crate::version::Version;

/// What a User-Agent says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserAgent<'a> {
    /// The family word.
    pub family: &'a str,
    /// The model word, for [`crate::Catalog::model_by_user_agent_token`].
    pub token: &'a str,
    /// The version of the program that asks.
    pub version: Version,
    /// The program that asks; `None` when the phone does not say (firmware before 4.0).
    pub stage: Option<BootStage>,
}

const PLACEHOLDERS: [&str; 4] = ["{family}", "{token}", "{version}", "{stage}"];

/// A program of a phone that asks for files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Program<'a> {
    /// Which one.
    pub stage: BootStage,
    /// Its own version.
    pub version: &'a Version,
    /// The application's version, which decides how the phone names itself.
    pub application: &'a Version,
}

impl PhoneRules {
    /// The User-Agent this model sends; with `serial`, its MAC in lower case is tagged on.
    pub fn user_agent_of(&self, model: &Model, program: Program<'_>, serial: Option<&str>) -> String {
        let tag = serial.map(|mac| self.user_agent_serial.value.replace("{mac}", mac));
        let version = format!("{}{}", program.version, tag.unwrap_or_default());
        // Every sent User-Agent is made of one model's words, so replacing one by one is safe.
        let token = model.user_agent_tokens.first().map_or("", |token| token.value.as_str());
        let undivided = &self.user_agent_undivided.value;
        let form = if *program.application < undivided.below { &undivided.form } else { &self.user_agent.value };
        form.replace("{family}", self.family_word(model, program.application))
            .replace("{token}", token)
            .replace("{version}", &version)
            .replace("{stage}", self.stage_word(program.stage))
    }

    fn family_word<'a>(&'a self, model: &'a Model, application: &Version) -> &'a str {
        let mut early = self.user_agent_early_families.iter().map(|fact| &fact.value);
        let other = early.find(|early| early.family == model.family && *application < early.below);
        other.map_or(model.user_agent_family.value.as_str(), |early| early.word.as_str())
    }

    fn stage_word(&self, stage: BootStage) -> &str {
        match stage {
            BootStage::Updater => &self.user_agent_updater.value,
            BootStage::Application => &self.user_agent_application.value,
        }
    }
}

impl<'a> UserAgent<'a> {
    pub(crate) fn read(rules: &PhoneRules, text: &'a str) -> Option<Self> {
        let form = rules.user_agent.value.as_str();
        let [before, family_end, token_end, stage_begin] = literals(form)?;
        let text = text.strip_prefix(before)?;
        let (family, text) = text.split_once(family_end)?;
        let (token, text) = text.split_once(token_end)?;
        let (version, stage) = match text.split_once(stage_begin) {
            Some((version, stage)) => (version, Some(stage)),
            None => (text, None),
        };
        // A tagged serial stands behind the version after a space; it is no part of it.
        let version = version.split(' ').next()?.parse().ok()?;
        let known = |word: &str| {
            [BootStage::Updater, BootStage::Application].into_iter().find(|stage| rules.stage_word(*stage) == word)
        };
        let stage = match stage {
            Some(word) => Some(known(word)?),
            None => None,
        };
        Some(Self { family, token, version, stage })
    }
}

/// What stands before each placeholder of the form, in order.
pub(crate) fn literals(form: &str) -> Option<[&str; 4]> {
    let mut rest = form;
    let mut found = [""; 4];
    for (literal, placeholder) in found.iter_mut().zip(PLACEHOLDERS) {
        (*literal, rest) = rest.split_once(placeholder)?;
    }
    rest.is_empty().then_some(found)
}
