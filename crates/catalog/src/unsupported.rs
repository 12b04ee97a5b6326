//! Phones that are not served, and why: so that nobody has to find out by trying.
//!
//! Decides nothing: what is here is shown, and a model of the catalog is served whatever stands here.

use crate::fact::{Evidence, Origin};
use crate::reader::{Errors, Reader};
use crate::tree::Table;

/// A kind of phones that is not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// Its word.
    pub id: String,
    /// What they are called together.
    pub name: String,
    /// The models, as people know them; none where it is no matter of the model.
    pub models: Vec<String>,
    /// Why, in sentences.
    pub why: String,
    /// What can be done all the same.
    pub instead: Option<String>,
    /// Key of the source.
    pub source: String,
    /// How well it is known.
    pub evidence: Evidence,
    /// What a reader should know before relying on it.
    pub note: Option<String>,
}

impl Unsupported {
    pub(crate) fn read(table: &Table, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::new(table, errors);
        let id = fields.required_text("id");
        let name = fields.required_text("name");
        let models: Option<Vec<String>> = fields.required("models");
        let why = fields.required_text("why");
        let instead = fields.optional("instead");
        let origin = fields.origin();
        fields.finish();
        let Origin { source, evidence, note } = origin?;
        let (id, name, models, why) = (id?, name?, models?, why?);
        Some(Self { id, name, models, why, instead, source, evidence, note })
    }
}
