//! The settings of the catalog that a layer may hold, in words for people who choose one.

use provost_catalog::{Catalog, Setting, ValueKind};
use provost_core::layers::owner_of;

/// A setting that can be entered.
pub(super) struct Offered {
    pub(super) id: String,
    /// The maker's parameter, where it is one.
    pub(super) parameters: String,
    /// What values it takes.
    pub(super) takes: String,
    pub(super) by_line: bool,
    /// What to know before using it.
    pub(super) note: Option<String>,
    /// The families it is known of; empty for all.
    pub(super) families: String,
}

/// Everything that may stand in a layer, by name; settings that follow from people, sites and the server are left out.
pub(super) fn offered(catalog: &Catalog) -> Vec<Offered> {
    let mut all: Vec<Offered> = Vec::new();
    for setting in catalog.settings().filter(|setting| owner_of(&setting.id).is_none()) {
        match all.iter_mut().find(|known| known.id == setting.id) {
            Some(known) => known.also(setting),
            None => all.push(Offered::new(setting)),
        }
    }
    all.sort_by(|one, other| one.id.cmp(&other.id));
    all
}

impl Offered {
    fn new(setting: &Setting) -> Self {
        Self {
            id: setting.id.clone(),
            parameters: setting.parameter.clone(),
            takes: takes(&setting.kind),
            by_line: setting.parameter.contains("{line}"),
            note: setting.note.clone(),
            families: setting.families.join(", "),
        }
    }

    /// The same setting, spelled for other phones.
    fn also(&mut self, setting: &Setting) {
        if !self.parameters.split(", ").any(|known| known == setting.parameter) {
            self.parameters.push_str(", ");
            self.parameters.push_str(&setting.parameter);
        }
        if setting.families.is_empty() || self.families.is_empty() {
            self.families.clear();
        } else {
            self.families.push_str(", ");
            self.families.push_str(&setting.families.join(", "));
        }
    }

    /// The maker's parameter and what it takes.
    pub(super) fn words(&self) -> String {
        format!("{}: {}", self.parameters, self.hint())
    }

    /// One line for the list that a browser offers.
    pub(super) fn hint(&self) -> String {
        match &self.note {
            Some(note) => format!("{}; {note}", self.takes),
            None => self.takes.clone(),
        }
    }
}

fn takes(kind: &ValueKind) -> String {
    match kind {
        ValueKind::Text { max_bytes, allowed: Some(allowed), .. } => {
            format!("text of these characters: {allowed}, at most {max_bytes}")
        }
        ValueKind::Text { max_bytes, .. } => format!("text, at most {max_bytes} bytes"),
        ValueKind::Integer { min, max } => format!("a whole number from {min} to {max}"),
        ValueKind::Boolean => "true or false".to_owned(),
        ValueKind::Choice(choices) => {
            format!("one of: {}", choices.keys().map(String::as_str).collect::<Vec<_>>().join(", "))
        }
    }
}
