//! Phones as a person's hands know them: display, keys, how letters are typed, how they are reset.
//!
//! Decides which fields must be filled or admitted. Only the virtual phone and those who explain phones use it; what a
//! phone is served never depends on it.

use crate::fact::{Evidence, Fact, Gap, Origin};
use crate::model::settle_gaps;
use crate::reader::{Errors, Problem, Readable, Reader, Word};
use crate::tree::{Node, Table};
use crate::version::Version;
use std::collections::BTreeMap;

/// Phones that feel alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handset {
    /// Its word.
    pub id: String,
    /// Ids of the [`crate::Hardware`] that is so.
    pub models: Vec<String>,
    /// The [`crate::Model`] whose boot facts stand in for those of them that are no model themselves.
    pub boots_like: Option<Fact<String>>,
    /// The family word of their User-Agent, where the model that stands in has another one.
    pub user_agent_family: Option<Fact<String>>,
    /// What they run where their hardware names no version.
    pub firmware: Option<Fact<Version>>,
    /// Rows of the display below its head line.
    pub rows: Fact<u32>,
    /// Characters in a row.
    pub columns: Fact<u32>,
    /// Keys below the display, or places on it that are touched.
    pub soft_keys: Fact<u32>,
    /// Keys beside the display on one page.
    pub line_keys: Fact<u32>,
    /// Whether the display can be touched.
    pub touch: Fact<bool>,
    /// How one changes between digits and letters.
    pub mode_key: Fact<ModeKey>,
    /// Keys to hold together while the phone starts, to reset it without its password.
    pub reset_keys: Option<Fact<Vec<String>>>,
    /// When these keys count.
    pub reset_moment: Option<Fact<ResetMoment>>,
    /// What the administrator password is after the factory.
    pub first_password: Fact<FirstPassword>,
    /// Id of its [`crate::MenuTree`].
    pub menus: Fact<String>,
    /// Fields without a source.
    pub gaps: Vec<Gap>,
    /// Key of the source.
    pub source: String,
    /// How well it is known that these models are alike.
    pub evidence: Evidence,
    /// What a reader should know before relying on it.
    pub note: Option<String>,
}

/// How one changes between digits and letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ModeKey {
    /// A soft key that names the mode.
    SoftKey,
    /// The pound key.
    Pound,
}

impl Word for ModeKey {
    const ALL: &'static [Self] = &[Self::SoftKey, Self::Pound];

    fn word(self) -> &'static str {
        match self {
            Self::SoftKey => "soft-key",
            Self::Pound => "pound",
        }
    }
}

/// When held keys open the reset dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResetMoment {
    /// In the count-down that Cancel brings.
    AfterCancel,
    /// From power on until the application starts.
    FromPowerOn,
}

impl Word for ResetMoment {
    const ALL: &'static [Self] = &[Self::AfterCancel, Self::FromPowerOn];

    fn word(self) -> &'static str {
        match self {
            Self::AfterCancel => "after-cancel",
            Self::FromPowerOn => "from-power-on",
        }
    }
}

/// What the administrator password is after the factory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FirstPassword {
    /// The one in the phone rules.
    Factory,
    /// None: the phone asks for a new one, and the one in the phone rules is refused.
    Asked,
}

impl Word for FirstPassword {
    const ALL: &'static [Self] = &[Self::Factory, Self::Asked];

    fn word(self) -> &'static str {
        match self {
            Self::Factory => "factory",
            Self::Asked => "asked",
        }
    }
}

/// What the keys of the dial pad type when letters are typed, by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialPad {
    /// The signs of a key in the order in which presses bring them; the letters are small.
    pub letters: BTreeMap<String, String>,
    /// What a key types in an address while digits are typed, where that is not its own sign.
    pub address_signs: BTreeMap<String, String>,
    /// What the key for the mode says while digits, capitals and small letters are typed.
    pub mode_words: ModeWords,
    /// Milliseconds after which the next press begins a new letter.
    pub pause_millis: Fact<u32>,
    /// Key of the source.
    pub source: String,
    /// How well it is known.
    pub evidence: Evidence,
    /// What a reader should know before relying on it.
    pub note: Option<String>,
}

/// What the key for the mode says, which is the mode and what follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModeWords {
    /// While digits are typed.
    pub digits: String,
    /// While capitals are.
    pub capitals: String,
    /// While small letters are.
    pub small: String,
}

const MAY_BE_GAPS: [&str; 2] = ["reset-keys", "reset-moment"];
/// The keys of a dial pad.
const KEYS: &str = "0123456789*#";

impl Handset {
    pub(crate) fn read(table: &Table, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::new(table, errors);
        let id = fields.required_text("id");
        let models = fields.required("models");
        let boots_like = fields.optional("boots-like");
        let user_agent_family = fields.optional("user-agent-family");
        let firmware = fields.optional("firmware");
        let (rows, columns) = (fields.required("rows"), fields.required("columns"));
        let (soft_keys, line_keys) = (fields.required("soft-keys"), fields.required("line-keys"));
        let (touch, mode_key) = (fields.required("touch"), fields.required("mode-key"));
        let reset_keys: Option<Fact<Vec<String>>> = fields.optional("reset-keys");
        let reset_moment = fields.optional("reset-moment");
        let first_password = fields.required("first-password");
        let menus = fields.required("menus");
        let gaps: Vec<Gap> = fields.optional("gaps").unwrap_or_default();
        let origin = fields.origin();
        for key in reset_keys.iter().flat_map(|keys| &keys.value).filter(|key| !is_key(key)) {
            fields.refuse("reset-keys", Problem::Malformed { found: key.clone(), expected: "a key of the dial pad" });
        }
        let gaps = settle_gaps(&mut fields, table, (gaps, &MAY_BE_GAPS));
        fields.finish();
        let Origin { source, evidence, note } = origin?;
        Some(Self {
            id: id?,
            models: models?,
            boots_like,
            user_agent_family,
            firmware,
            rows: rows?,
            columns: columns?,
            soft_keys: soft_keys?,
            line_keys: line_keys?,
            touch: touch?,
            mode_key: mode_key?,
            reset_keys,
            reset_moment,
            first_password: first_password?,
            menus: menus?,
            gaps,
            source,
            evidence,
            note,
        })
    }
}

impl DialPad {
    pub(crate) fn read(table: &Table, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::new(table, errors);
        let letters: Option<BTreeMap<String, String>> = fields.required("letters");
        let address_signs: BTreeMap<String, String> = fields.optional("address-signs").unwrap_or_default();
        let mode_words = fields.required("mode-words");
        let pause_millis = fields.required("pause-millis");
        let origin = fields.origin();
        let keys = letters.iter().chain([&address_signs]).flat_map(BTreeMap::keys);
        for key in keys.filter(|key| !is_key(key)).cloned().collect::<Vec<_>>() {
            fields.refuse("letters", Problem::Malformed { found: key, expected: "a key of the dial pad" });
        }
        fields.finish();
        let Origin { source, evidence, note } = origin?;
        let (letters, mode_words, pause_millis) = (letters?, mode_words?, pause_millis?);
        Some(Self { letters, address_signs, mode_words, pause_millis, source, evidence, note })
    }
}

impl Readable for ModeWords {
    const EXPECTED: &'static str = "a table { digits, capitals, small }";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::of_node(node, Self::EXPECTED, errors)?;
        let (digits, capitals) = (fields.required_text("digits"), fields.required_text("capitals"));
        let small = fields.required_text("small");
        fields.finish();
        Some(Self { digits: digits?, capitals: capitals?, small: small? })
    }
}

fn is_key(text: &str) -> bool {
    text.len() == 1 && KEYS.contains(text)
}
