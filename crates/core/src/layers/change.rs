//! A change to a layer, checked entry by entry before anything is stored.

use super::names::{is_spelled, setting_name};
use super::{Entries, HIDDEN, owner_of};
use crate::entry::{FieldError, FieldErrors};
use crate::xml::is_xml_character;
use provost_catalog::{Catalog, Model, Setting, Stage};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// A value as JSON says it.
#[derive(Clone, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum SettingValue {
    /// Text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// `true` or `false`.
    Truth(bool),
}

/// A change to a layer: what is named is set, or taken away with `null`; all else stays.
#[derive(Clone, Default, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LayerChange {
    /// Values by the catalog's word for the setting, for one line only with `@` and its number.
    pub settings: BTreeMap<String, Option<SettingValue>>,
    /// Values by the maker's parameter, for what the catalog does not know.
    pub raw: BTreeMap<String, Option<SettingValue>>,
    /// Why, for the history.
    pub reason: Option<String>,
}

/// The models that a layer can reach.
#[derive(Debug, Clone)]
pub struct Reach<'a> {
    /// What is known of phones.
    pub catalog: &'a Catalog,
    /// The models.
    pub models: Vec<&'a Model>,
}

/// What an administrator should know of an entry that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The entry (`raw.own.parameter`).
    pub field: String,
    /// What to know.
    pub message: String,
}

/// Far more than a phone has keys; a layer is read with each configuration.
const MOST_ENTRIES: usize = 500;
const MOST_NAME_BYTES: usize = 200;
/// A certificate fits.
const MOST_VALUE_BYTES: usize = 4096;
/// All names and values of a layer: it is told to every phone it reaches, and each revision keeps all of it.
const MOST_BYTES: usize = 64 * 1024;

impl fmt::Display for SettingValue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => out.write_str(text),
            Self::Number(number) => write!(out, "{number}"),
            Self::Truth(truth) => write!(out, "{truth}"),
        }
    }
}

impl LayerChange {
    /// The layer with this change. Only what is set is checked: what stands in the layer already stays, and can always
    /// be taken away.
    ///
    /// # Errors
    /// All entries at fault.
    pub fn onto(&self, before: &Entries, reach: &Reach<'_>) -> Result<Entries, FieldErrors> {
        let (mut after, mut errors) = (before.clone(), Vec::new());
        let mut fault = |field: String, message: String| errors.push(FieldError { field, message });
        for (name, value) in &self.settings {
            match value {
                None => drop(after.settings.remove(name)),
                Some(value) => match reach.setting(name, &value.to_string()) {
                    Ok(()) => drop(after.settings.insert(name.clone(), value.to_string())),
                    Err(message) => fault(format!("settings.{}", shown(name)), message),
                },
            }
        }
        for (name, value) in &self.raw {
            match value {
                None => drop(after.raw.remove(name)),
                Some(value) => {
                    let twin = after.raw.keys().find(|known| *known != name && known.eq_ignore_ascii_case(name));
                    let checked = match twin {
                        Some(twin) => Err(format!("stands in this layer as `{twin}` already; change that one")),
                        None => reach.raw(name, &value.to_string()),
                    };
                    match checked {
                        Ok(()) => drop(after.raw.insert(name.clone(), value.to_string())),
                        Err(message) => fault(format!("raw.{}", shown(name)), message),
                    }
                }
            }
        }
        if after.count() > MOST_ENTRIES {
            fault("settings".to_owned(), format!("would be {} entries; a layer holds {MOST_ENTRIES}", after.count()));
        }
        let bytes = after.bytes();
        if bytes > MOST_BYTES {
            fault("settings".to_owned(), format!("would be {bytes} bytes in all; a layer holds {MOST_BYTES}"));
        }
        if errors.is_empty() { Ok(after) } else { Err(FieldErrors(errors)) }
    }
}

impl Reach<'_> {
    /// Whether every phone that has the setting can hold the value.
    fn setting(&self, name: &str, value: &str) -> Result<(), String> {
        let Some((id, line)) = setting_name(name) else {
            return Err("names no line; behind the @ stands its number, counted from 1 as on the phone".to_owned());
        };
        if let Some(why) = owner_of(id) {
            return Err(format!("cannot be set here: {why}"));
        }
        let all: Vec<&Setting> = self.catalog.settings().filter(|setting| setting.id == id).collect();
        let reached: Vec<_> = all.iter().filter(|setting| self.has(setting)).collect();
        if all.is_empty() {
            return Err(self.no_such(id));
        }
        if reached.is_empty() {
            let mut families: Vec<_> = all.iter().flat_map(|setting| &setting.families).map(String::as_str).collect();
            families.sort_unstable();
            families.dedup();
            return Err(format!("is known of {} only, and this layer reaches none of them", families.join(", ")));
        }
        if line.is_some() && !reached.iter().any(|setting| setting.parameter.contains("{line}")) {
            return Err(format!("is not counted by line; write `{id}`"));
        }
        if let Some(bad) = value.chars().find(|c| c.is_control() || !is_xml_character(*c)) {
            return Err(format!("holds the control character U+{:04X}; leave it out", u32::from(bad)));
        }
        match reached.iter().find_map(|setting| Some((setting, setting.encode(value).err()?))) {
            Some((setting, error)) if reached.len() > 1 && !setting.families.is_empty() => {
                Err(format!("{error} ({})", setting.families.join(", ")))
            }
            Some((_, error)) => Err(error.to_string()),
            None => Ok(()),
        }
    }

    fn has(&self, setting: &Setting) -> bool {
        setting.families.is_empty() || self.models.iter().any(|model| setting.families.contains(&model.family))
    }

    fn no_such(&self, id: &str) -> String {
        let group = id.split('.').next().unwrap_or_default();
        let mut near: Vec<_> = self
            .catalog
            .settings()
            .filter(|setting| setting.id.split('.').next() == Some(group) && owner_of(&setting.id).is_none())
            .map(|setting| setting.id.as_str())
            .collect();
        near.dedup();
        let near = if near.is_empty() { String::new() } else { format!("; it knows {}", near.join(", ")) };
        format!("is no setting of the catalog{near}; what it does not know is entered under `raw`, by the maker's name")
    }

    /// Whether a parameter may be told as it stands.
    fn raw(&self, name: &str, value: &str) -> Result<(), String> {
        let rules = self.catalog.phone_rules();
        let written = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let good = name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.contains('.')
            && !name.ends_with('.')
            && !name.contains("..")
            && name.chars().all(written);
        if !good || name.len() > MOST_NAME_BYTES {
            return Err("is no parameter; the maker's names are words with dots between".to_owned());
        }
        let lower = name.to_ascii_lowercase();
        if lower.ends_with(&rules.set_suffix.value.to_ascii_lowercase())
            || lower == rules.set_all.value.to_ascii_lowercase()
        {
            return Err("is written by Provost beside each parameter that needs it; leave it out".to_owned());
        }
        let settings = self.catalog.settings().filter(|setting| is_spelled(&setting.parameter, name));
        if let Some(setting) = settings.into_iter().next() {
            return Err(match owner_of(&setting.id) {
                Some(why) => format!("cannot be set here: {why}"),
                None => format!(
                    "is the setting `{0}`; enter it under `settings` as `{0}`, where its value is checked",
                    setting.id
                ),
            });
        }
        if let Some(known) = self.by_itself(name)
            && known.0 != name
        {
            return Err(format!("is written `{}`", known.0));
        }
        if value == HIDDEN {
            return Err("is how a secret is shown; write its value, or leave it out to keep it".to_owned());
        }
        if value.len() > MOST_VALUE_BYTES {
            return Err(format!("is {} bytes long; at most {MOST_VALUE_BYTES} are kept", value.len()));
        }
        match value.chars().find(|c| c.is_control() || !is_xml_character(*c)) {
            Some(bad) => Err(format!("holds the control character U+{:04X}; leave it out", u32::from(bad))),
            None => Ok(()),
        }
    }

    /// What Provost tells a phone in reach under this name by itself.
    fn by_itself(&self, parameter: &str) -> Option<(&str, &str)> {
        let constants = self
            .models
            .iter()
            .flat_map(|model| self.catalog.constants(Stage::Configuration, model, &model.firmware.reference.value));
        constants
            .map(|constant| (constant.parameter.as_str(), constant.value.as_str()))
            .find(|(known, _)| known.eq_ignore_ascii_case(parameter))
    }
}

/// What to know of a layer's entries: raw ones are checked by nobody.
pub fn warnings(entries: &Entries, reach: &Reach<'_>) -> Vec<Warning> {
    let whose = match reach.models.as_slice() {
        [model] => format!("for {} {}", model.id, model.firmware.reference.value),
        _ => "for any model this layer reaches".to_owned(),
    };
    let warning = |name: &String| {
        let message = match reach.by_itself(name) {
            Some((_, value)) => {
                format!("Provost tells `{value}` by itself; the value here takes its place, and nobody checked it")
            }
            None => format!("not in the catalog {whose}: the phone takes it as it stands"),
        };
        Warning { field: format!("raw.{name}"), message }
    };
    entries.raw.keys().map(warning).collect()
}

/// At most 80 characters of what came, for a message.
fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}
