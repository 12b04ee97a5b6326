//! A phone fact: a value, who says so, and how well it is known.
//!
//! Decides the words of evidence; never judges whether a source is right. The keys of sources are
//! explained in `catalog/SOURCES.md`.

use crate::reader::{Errors, Readable, Reader, Word};
use crate::tree::Node;

/// How well a fact is known, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// Recorded from a real phone.
    OnHardware,
    /// Written in the maker's own documents.
    VendorDoc,
    /// Read in public source code that works with real phones.
    PublicCode,
    /// Read in forums, support articles and blogs.
    Community,
    /// Concluded or remembered; nobody was seen to confirm it.
    Inferred,
}

impl Evidence {
    /// The word used in catalog files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnHardware => "on-hardware",
            Self::VendorDoc => "vendor-doc",
            Self::PublicCode => "public-code",
            Self::Community => "community",
            Self::Inferred => "inferred",
        }
    }
}

impl Word for Evidence {
    const ALL: &'static [Self] =
        &[Self::OnHardware, Self::VendorDoc, Self::PublicCode, Self::Community, Self::Inferred];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

/// A value with its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact<T> {
    /// What is so.
    pub value: T,
    /// Key of the source, explained in `catalog/SOURCES.md`.
    pub source: String,
    /// How well it is known.
    pub evidence: Evidence,
    /// What a reader should know before relying on it.
    pub note: Option<String>,
}

impl<T: Readable> Readable for Fact<T> {
    const EXPECTED: &'static str = "a table { value, source, evidence }";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::of_node(node, Self::EXPECTED, errors)?;
        let value = fields.required("value");
        let origin = fields.origin();
        fields.finish();
        let Origin { source, evidence, note } = origin?;
        Some(Self { value: value?, source, evidence, note })
    }
}

/// Source, evidence and note of an entry that is one fact as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) source: String,
    pub(crate) evidence: Evidence,
    pub(crate) note: Option<String>,
}

/// A field nobody found a source for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The field's key in the catalog file (`line-keys`), or the setting's id.
    pub field: String,
    /// Why it is empty.
    pub why: String,
}

impl Readable for Gap {
    const EXPECTED: &'static str = "a table { field, why }";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::of_node(node, Self::EXPECTED, errors)?;
        let field = fields.required("field");
        let why = fields.required("why");
        fields.finish();
        Some(Self { field: field?, why: why? })
    }
}
