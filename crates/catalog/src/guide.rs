//! What a person does at a phone, step by step, and what a phone's complaint means.
//!
//! Decides nothing: the console fills the places in the steps, core judges a complaint against a phone's record.

use crate::fact::{Evidence, Origin};
use crate::reader::{Errors, Problem, Reader, Word};
use crate::tree::Table;

/// A procedure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guide {
    /// The word symptoms name it by.
    pub id: String,
    /// What it is for.
    pub title: String,
    /// Where it is done.
    pub place: GuidePlace,
    /// The families it is for; empty for all.
    pub families: Vec<String>,
    /// What to do, in order. `{server-type}` `{server}` `{sntp}` `{dhcp-value}` `{reset-keys}` are to be filled.
    pub steps: Vec<String>,
    /// What to know before the first step.
    pub warning: Option<String>,
    /// Key of the source.
    pub source: String,
    /// How well it is known.
    pub evidence: Evidence,
    /// What a reader should know before relying on it.
    pub note: Option<String>,
}

/// Where a procedure is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GuidePlace {
    /// At the running phone.
    Phone,
    /// At the phone while it starts.
    Boot,
    /// In the phone's web page.
    Web,
    /// In the network's DHCP server.
    Network,
}

impl Word for GuidePlace {
    const ALL: &'static [Self] = &[Self::Phone, Self::Boot, Self::Web, Self::Network];

    fn word(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Boot => "boot",
            Self::Web => "web",
            Self::Network => "network",
        }
    }
}

/// What a screen shows or a person says, and what is behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symptom {
    /// Its word.
    pub id: String,
    /// As lists show it.
    pub title: String,
    /// How it is said.
    pub says: Vec<String>,
    /// Why it happens.
    pub cause: String,
    /// What to do, in order; `{sntp}` is to be filled.
    pub cure: Vec<String>,
    /// What in a phone's record tells whether it is this.
    pub check: Option<SymptomCheck>,
    /// The procedure that helps.
    pub guide: Option<String>,
    /// Key of the source.
    pub source: String,
    /// How well it is known.
    pub evidence: Evidence,
    /// What a reader should know before relying on it.
    pub note: Option<String>,
}

/// What of a phone's record is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SymptomCheck {
    /// Its firmware beside its model's floor.
    Firmware,
    /// Whether its time was right.
    Clock,
    /// Whether it is claimed.
    Claimed,
    /// Whether its device has a user and a code.
    Assignment,
    /// Whether it came here at all.
    Contact,
    /// Whether it has a password of its own.
    Password,
    /// Whether its model is known.
    Model,
    /// What it showed as its certificate.
    Certificate,
}

impl Word for SymptomCheck {
    const ALL: &'static [Self] = &[
        Self::Firmware,
        Self::Clock,
        Self::Claimed,
        Self::Assignment,
        Self::Contact,
        Self::Password,
        Self::Model,
        Self::Certificate,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Firmware => "firmware",
            Self::Clock => "clock",
            Self::Claimed => "claimed",
            Self::Assignment => "assignment",
            Self::Contact => "contact",
            Self::Password => "password",
            Self::Model => "model",
            Self::Certificate => "certificate",
        }
    }
}

impl Guide {
    pub(crate) fn read(table: &Table, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::new(table, errors);
        let id = fields.required_text("id");
        let title = fields.required_text("title");
        let place = fields.required("place");
        let families = fields.optional("families").unwrap_or_default();
        let steps = required_list(&mut fields, "steps");
        let warning = fields.optional("warning");
        let origin = fields.origin();
        fields.finish();
        let Origin { source, evidence, note } = origin?;
        let (id, title, place, steps) = (id?, title?, place?, steps?);
        Some(Self { id, title, place, families, steps, warning, source, evidence, note })
    }
}

impl Symptom {
    pub(crate) fn read(table: &Table, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::new(table, errors);
        let id = fields.required_text("id");
        let title = fields.required_text("title");
        let says = required_list(&mut fields, "says");
        let cause = fields.required_text("cause");
        let cure = required_list(&mut fields, "cure");
        let check = fields.optional("check");
        let guide = fields.optional("guide");
        let origin = fields.origin();
        fields.finish();
        let Origin { source, evidence, note } = origin?;
        let (id, title, says, cause, cure) = (id?, title?, says?, cause?, cure?);
        Some(Self { id, title, says, cause, cure, check, guide, source, evidence, note })
    }
}

fn required_list(fields: &mut Reader<'_>, key: &'static str) -> Option<Vec<String>> {
    let list: Option<Vec<String>> = fields.required(key);
    if list.as_ref().is_some_and(Vec::is_empty) {
        fields.refuse(key, Problem::Empty { key: key.to_owned() });
    }
    list
}
