//! Boot sequences: what a phone asks for, in order, from power on to ready.
//!
//! Decides nothing: the virtual phone walks a sequence, and the timeline names its steps.

use crate::fact::{Evidence, Fact, Origin};
use crate::reader::{Errors, Problem, Readable, Reader, Word};
use crate::tree::{Node, Table};
use crate::version::{Version, VersionRange};

/// The requests of one boot, as recorded or concluded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootSequence {
    /// The word models name it by.
    pub id: String,
    /// For which firmware it takes the place of another sequence; `None` for one that models name.
    pub variant: Option<BootVariant>,
    /// The steps, first one first.
    pub steps: Vec<BootStep>,
    /// Key of the source.
    pub source: String,
    /// How well it is known.
    pub evidence: Evidence,
    /// What a reader should know before relying on it.
    pub note: Option<String>,
}

/// The firmware that boots otherwise than its model's sequence says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootVariant {
    /// Id of the sequence whose place it takes.
    pub instead_of: String,
    /// The application versions that boot so.
    pub firmware: VersionRange,
    /// The boot program that such firmware comes with, where a virtual phone is told nothing else.
    pub updater: Option<Fact<Version>>,
}

/// One step of a boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootStep {
    /// The program that asks.
    pub stage: BootStage,
    /// What it does.
    pub action: BootAction,
    /// The file's name with `{mac}`, `{part}` and `{image}`; `None` where the master file says.
    pub file: Option<String>,
    /// The name asked for when the first does not exist.
    pub fallback: Option<String>,
    /// Key of the source.
    pub source: String,
    /// How well it is known.
    pub evidence: Evidence,
    /// What a reader should know before relying on it.
    pub note: Option<String>,
}

/// The program that runs on the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BootStage {
    /// The small program that boots and flashes.
    Updater,
    /// The telephone itself.
    Application,
}

impl Word for BootStage {
    const ALL: &'static [Self] = &[Self::Updater, Self::Application];

    fn word(self) -> &'static str {
        match self {
            Self::Updater => "updater",
            Self::Application => "application",
        }
    }
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BootAction {
    /// Fetches a file; its absence is no error.
    Get,
    /// Stores a file on the server.
    Put,
    /// Asks for a log's head, then stores the new lines.
    AppendLog,
    /// Fetches the master file and reads it.
    Master,
    /// Compares and perhaps fetches an image: the one the master file names, or one of a fixed name.
    Image,
    /// Fetches the configuration files the master file lists.
    ConfigFiles,
}

impl Word for BootAction {
    const ALL: &'static [Self] = &[Self::Get, Self::Put, Self::AppendLog, Self::Master, Self::Image, Self::ConfigFiles];

    fn word(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Put => "put",
            Self::AppendLog => "append-log",
            Self::Master => "master",
            Self::Image => "image",
            Self::ConfigFiles => "config-files",
        }
    }
}

/// A step whose origin, when it names none, is its sequence's.
struct WrittenStep {
    stage: BootStage,
    action: BootAction,
    file: Option<String>,
    fallback: Option<String>,
    origin: Option<Origin>,
}

impl Readable for WrittenStep {
    const EXPECTED: &'static str = "a table { stage, action, file, fallback }";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::of_node(node, Self::EXPECTED, errors)?;
        let stage = fields.required("stage");
        let action = fields.required("action");
        let file: Option<String> = fields.optional("file");
        let fallback = fields.optional("fallback");
        let own_origin = fields.has("source") || fields.has("evidence") || fields.has("note");
        let origin = if own_origin { fields.origin() } else { None };
        if file.is_none() && !matches!(action, None | Some(BootAction::ConfigFiles)) {
            fields.refuse("file", Problem::Missing { key: "file".to_owned() });
        }
        fields.finish();
        Some(Self { stage: stage?, action: action?, file, fallback, origin })
    }
}

impl WrittenStep {
    fn with_origin_of(self, sequence: &Origin) -> BootStep {
        let Origin { source, evidence, note } = self.origin.unwrap_or_else(|| Origin {
            source: sequence.source.clone(),
            evidence: sequence.evidence,
            note: None,
        });
        let Self { stage, action, file, fallback, .. } = self;
        BootStep { stage, action, file, fallback, source, evidence, note }
    }
}

impl BootSequence {
    pub(crate) fn read(table: &Table, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::new(table, errors);
        let id = fields.required_text("id");
        let variant = BootVariant::read(&mut fields);
        let steps: Option<Vec<WrittenStep>> = fields.required("steps");
        let origin = fields.origin();
        fields.finish();
        let (id, origin) = (id?, origin?);
        let steps = steps?.into_iter().map(|step| step.with_origin_of(&origin)).collect();
        let Origin { source, evidence, note } = origin;
        Some(Self { id, variant, steps, source, evidence, note })
    }
}

impl BootVariant {
    /// The fields of a variant: the first two stand together or not at all, the third needs them.
    fn read(fields: &mut Reader<'_>) -> Option<Self> {
        let instead_of: Option<String> = fields.optional("instead-of");
        let firmware: Option<VersionRange> = fields.optional("firmware");
        let updater = fields.optional("updater");
        for (key, needed) in
            [("instead-of", "firmware"), ("firmware", "instead-of"), ("updater", "instead-of"), ("updater", "firmware")]
        {
            if fields.has(key) && !fields.has(needed) {
                fields.refuse(key, Problem::Missing { key: needed.to_owned() });
            }
        }
        Some(Self { instead_of: instead_of?, firmware: firmware?, updater })
    }
}
