//! Constants: parameters that every phone of a scope gets with the same value.
//!
//! Decides which stage and scope a constant is for. The rule that the bootstrap stage holds nothing
//! of the phone's platform settings is checked where the catalog is put together.

use crate::fact::{Evidence, Origin};
use crate::reader::{Errors, Problem, Reader, Word};
use crate::setting::check_parameter;
use crate::tree::Table;
use crate::version::VersionRange;

/// The kind of configuration a phone is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// What an unclaimed phone gets.
    Bootstrap,
    /// What a claimed phone gets.
    Configuration,
}

impl Stage {
    /// The word used in catalog files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bootstrap => "bootstrap",
            Self::Configuration => "configuration",
        }
    }
}

impl Word for Stage {
    const ALL: &'static [Self] = &[Self::Bootstrap, Self::Configuration];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

/// The phones a constant is for, widest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// All phones.
    Platform,
    /// The models of one family.
    Family(String),
    /// One model.
    Model(String),
}

/// A parameter with a fixed value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constant {
    /// Provost's word for it, by which an overlay changes it.
    pub id: String,
    /// The maker's parameter.
    pub parameter: String,
    /// The value as the phone reads it.
    pub value: String,
    /// The stages it belongs to.
    pub stages: Vec<Stage>,
    /// The phones it is for.
    pub scope: Scope,
    /// The firmware it is for.
    pub firmware: VersionRange,
    /// Whether the phone needs the enable key beside it.
    pub enable: bool,
    /// Key of the source.
    pub source: String,
    /// How well it is known.
    pub evidence: Evidence,
    /// What a reader should know before relying on it.
    pub note: Option<String>,
}

impl Constant {
    pub(crate) fn read(table: &Table, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::new(table, errors);
        let id = fields.required_text("id");
        let parameter = fields.required_text("parameter");
        let value = fields.required("value");
        let stages: Option<Vec<Stage>> = fields.required("stages");
        let family = fields.optional("family").map(Scope::Family);
        let model = fields.optional("model").map(Scope::Model);
        let firmware = fields.optional("firmware").unwrap_or_default();
        let enable = fields.optional("enable").unwrap_or_default();
        let origin = fields.origin();
        if let Some(parameter) = &parameter {
            check_parameter(&mut fields, ("parameter", parameter));
        }
        if stages.as_ref().is_some_and(Vec::is_empty) {
            fields.refuse("stages", Problem::Empty { key: "stages".to_owned() });
        }
        if family.is_some() && model.is_some() {
            let expected = "one scope: `family` or `model`, not both";
            fields.refuse("model", Problem::Malformed { found: "model".to_owned(), expected });
        }
        fields.finish();
        let scope = model.or(family).unwrap_or(Scope::Platform);
        let Origin { source, evidence, note } = origin?;
        let (id, parameter, value, stages) = (id?, parameter?, value?, stages?);
        Some(Self { id, parameter, value, stages, scope, firmware, enable, source, evidence, note })
    }
}
