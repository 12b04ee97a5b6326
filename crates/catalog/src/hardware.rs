//! Hardware and the lines of firmware it runs: parts, floors, and the steps phones may take.
//!
//! Decides which fields must be filled or admitted. Holds every phone whose images may be at hand, with or without a
//! [`crate::Model`]: an image must never reach a part it is not for, whatever else is known of it.

use crate::fact::{Evidence, Fact, Gap, Origin};
use crate::file::is_part_number;
use crate::model::settle_gaps;
use crate::reader::{Errors, Problem, Readable, Reader, Word};
use crate::tree::{Node, Table};
use crate::version::{Version, VersionRange};

/// One kind of phone as its firmware sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hardware {
    /// The model's letters and digits in lower case, as [`crate::Model::id`].
    pub id: String,
    /// The name people know it by.
    pub name: String,
    /// Id of its [`FirmwareLine`]; `None` where nothing leads further.
    pub line: Option<String>,
    /// The maker's part numbers, which image names begin with.
    pub part_numbers: Vec<Fact<String>>,
    /// The model words of its User-Agent.
    pub user_agent_tokens: Vec<Fact<String>>,
    /// Why it gets no image at all, where that is so.
    pub refused: Option<String>,
    /// The lowest it is served well with; a phone is never brought below it.
    pub floor: Option<Fact<Version>>,
    /// The lowest some of it can run at all.
    pub hardware_floors: Vec<HardwareFloor>,
    /// The first version without a known hole.
    pub secure_from: Option<Fact<Version>>,
    /// The highest version known.
    pub last: Option<Fact<Version>>,
    /// Versions never to bring it to.
    pub known_bad: Vec<Fact<VersionRange>>,
    /// Fields without a source.
    pub gaps: Vec<Gap>,
    /// Key of the source.
    pub source: String,
    /// How well it is known.
    pub evidence: Evidence,
    /// What a reader should know before relying on it.
    pub note: Option<String>,
}

/// The lowest version hardware can run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HardwareFloor {
    /// That version.
    pub version: Version,
    /// The hardware revisions it is so for; none for all, or where that is not known.
    pub revisions: Vec<String>,
    /// Key of the source.
    pub source: String,
    /// How well it is known.
    pub evidence: Evidence,
    /// What a reader should know before relying on it.
    pub note: Option<String>,
}

/// Software that hardware shares, and how a phone gets from one version of it to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirmwareLine {
    /// The word hardware names it by.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// The image a master file names, without a part number.
    pub image: String,
    /// The steps phones may take; any other pair of versions is refused.
    pub steps: Vec<FirmwareStep>,
    /// Key of the source.
    pub source: String,
    /// How well it is known.
    pub evidence: Evidence,
    /// What a reader should know before relying on it.
    pub note: Option<String>,
}

/// One step phones may take: from any version of one range to any of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirmwareStep {
    /// The application the phone runs.
    pub from: VersionRange,
    /// What its updater (BootROM before 4.0) must be; `None` where it is no matter.
    pub updater: Option<VersionRange>,
    /// What it may be brought to: of the application, or of the updater for an updater's image.
    pub to: VersionRange,
    /// What the image replaces.
    pub image: ImageKind,
    /// Key of the source.
    pub source: String,
    /// How well it is known.
    pub evidence: Evidence,
    /// What a reader should know before relying on it.
    pub note: Option<String>,
}

/// What an image replaces on the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImageKind {
    /// The application, and from 4.0 on the updater with it.
    Application,
    /// The updater alone: the BootROM of firmware before 4.0.
    Updater,
}

impl ImageKind {
    /// The word used in catalog files, the database and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Updater => "updater",
        }
    }
}

impl Word for ImageKind {
    const ALL: &'static [Self] = &[Self::Application, Self::Updater];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

/// A word that names no kind of image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no kind of image; write application or updater")]
pub struct NoImageKind {
    /// The word, at most its first 40 characters.
    pub found: String,
}

impl std::str::FromStr for ImageKind {
    type Err = NoImageKind;

    fn from_str(text: &str) -> Result<Self, NoImageKind> {
        let known = Self::ALL.iter().copied().find(|kind| kind.as_str() == text);
        known.ok_or_else(|| NoImageKind { found: text.chars().take(40).collect() })
    }
}

const MAY_BE_GAPS: [&str; 5] = ["part-numbers", "user-agent-tokens", "floor", "secure-from", "last"];

impl Hardware {
    pub(crate) fn read(table: &Table, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::new(table, errors);
        let id = fields.required_text("id");
        let name = fields.required_text("name");
        let line = fields.optional("line");
        let part_numbers: Vec<Fact<String>> = fields.optional("part-numbers").unwrap_or_default();
        let user_agent_tokens = fields.optional("user-agent-tokens").unwrap_or_default();
        let refused = fields.optional("refused");
        let floor = fields.optional("floor");
        let hardware_floors = fields.optional("hardware-floors").unwrap_or_default();
        let secure_from = fields.optional("secure-from");
        let last = fields.optional("last");
        let known_bad = fields.optional("known-bad").unwrap_or_default();
        let gaps: Vec<Gap> = fields.optional("gaps").unwrap_or_default();
        let origin = fields.origin();
        for part in part_numbers.iter().filter(|part| !is_part_number(&part.value)) {
            let expected = "a part number, such as 3111-48840-001";
            fields.refuse("part-numbers", Problem::Malformed { found: part.value.clone(), expected });
        }
        let gaps = settle_gaps(&mut fields, table, (gaps, &MAY_BE_GAPS));
        fields.finish();
        let Origin { source, evidence, note } = origin?;
        let (id, name) = (id?, name?);
        Some(Self {
            id,
            name,
            line,
            part_numbers,
            user_agent_tokens,
            refused,
            floor,
            hardware_floors,
            secure_from,
            last,
            known_bad,
            gaps,
            source,
            evidence,
            note,
        })
    }
}

impl Readable for HardwareFloor {
    const EXPECTED: &'static str = "a table { version, revisions, source, evidence }";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::of_node(node, Self::EXPECTED, errors)?;
        let version = fields.required("version");
        let revisions = fields.optional("revisions").unwrap_or_default();
        let origin = fields.origin();
        fields.finish();
        let Origin { source, evidence, note } = origin?;
        Some(Self { version: version?, revisions, source, evidence, note })
    }
}

impl FirmwareLine {
    pub(crate) fn read(table: &Table, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::new(table, errors);
        let id = fields.required_text("id");
        let name = fields.required_text("name");
        let image: Option<String> = fields.required_text("image");
        let steps = fields.required("steps");
        let origin = fields.origin();
        if let Some(found) = image.clone().filter(|name| !is_image_name(name)) {
            let expected = "the name of an image without folder and part number, such as sip.ld";
            fields.refuse("image", Problem::Malformed { found, expected });
        }
        fields.finish();
        let Origin { source, evidence, note } = origin?;
        Some(Self { id: id?, name: name?, image: image?, steps: steps?, source, evidence, note })
    }
}

fn is_image_name(name: &str) -> bool {
    let stem = name.strip_suffix(".ld").unwrap_or_default();
    !stem.is_empty() && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl Readable for FirmwareStep {
    const EXPECTED: &'static str = "a table { from, updater, to, image, source, evidence }";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::of_node(node, Self::EXPECTED, errors)?;
        let from = fields.required("from");
        let updater = fields.optional("updater");
        let to = fields.required("to");
        let image = fields.required("image");
        let origin = fields.origin();
        fields.finish();
        let Origin { source, evidence, note } = origin?;
        Some(Self { from: from?, updater, to: to?, image: image?, source, evidence, note })
    }
}
