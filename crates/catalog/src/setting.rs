//! Settings: Provost's own word for something, and the maker's parameter that says it.
//!
//! Decides how a value is written and whether the parameter can hold it; never cuts or repairs one.

use crate::fact::{Evidence, Origin};
use crate::reader::{Errors, Problem, Readable, Reader, Word};
use crate::tree::{Node, Table};
use crate::version::VersionRange;
use std::collections::BTreeMap;

/// One setting as some families and versions spell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Provost's word ("line.address").
    pub id: String,
    /// The maker's parameter, with `{line}` and `{server}` where numbers go.
    pub parameter: String,
    /// Ids of the families it is for; empty for all.
    pub families: Vec<String>,
    /// The firmware it is for.
    pub firmware: VersionRange,
    /// What values it takes.
    pub kind: ValueKind,
    /// Whether the phone needs the enable key beside it.
    pub enable: bool,
    /// Key of the source.
    pub source: String,
    /// How well it is known.
    pub evidence: Evidence,
    /// What a reader should know before relying on it.
    pub note: Option<String>,
}

/// What values a parameter takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueKind {
    /// Any text within limits.
    Text {
        /// The most bytes of UTF-8 it holds.
        max_bytes: usize,
        /// Characters it cannot hold.
        forbidden: String,
        /// The only characters it can hold; `None` for any that is not forbidden.
        allowed: Option<String>,
    },
    /// A whole number.
    Integer {
        /// The lowest it takes.
        min: i64,
        /// The highest it takes.
        max: i64,
    },
    /// `0` or `1`.
    Boolean,
    /// Our word and the maker's value for it.
    Choice(BTreeMap<String, String>),
}

/// A value the parameter cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// More bytes than the parameter holds.
    #[error("the value is {found} bytes long, and the phone holds at most {max}")]
    TooLong {
        /// Its length in bytes of UTF-8.
        found: usize,
        /// The most bytes the parameter holds.
        max: usize,
    },
    /// A character the parameter cannot hold.
    #[error("the phone cannot hold the character {character:?} here")]
    Forbidden {
        /// The first such character.
        character: char,
    },
    /// Not a whole number.
    #[error("`{found}` is not a whole number")]
    NotANumber {
        /// The value as it came.
        found: String,
    },
    /// A number outside what the parameter takes.
    #[error("{found} is outside {min} to {max}")]
    OutOfRange {
        /// The number as it came.
        found: i64,
        /// The lowest it takes.
        min: i64,
        /// The highest it takes.
        max: i64,
    },
    /// Neither true nor false.
    #[error("`{found}` is neither true nor false")]
    NotABoolean {
        /// The value as it came.
        found: String,
    },
    /// None of the words.
    #[error("`{found}` is not one of: {}", allowed.join(", "))]
    NotAChoice {
        /// The value as it came.
        found: String,
        /// The words there are.
        allowed: Vec<String>,
    },
}

impl Setting {
    /// The parameter's name for this line and server, both counted from 1.
    pub fn parameter(&self, line: u32, server: u32) -> String {
        self.parameter.replace("{line}", &line.to_string()).replace("{server}", &server.to_string())
    }

    /// The value as the phone reads it.
    ///
    /// # Errors
    /// What the parameter cannot hold, which is refused on entry and never cut.
    pub fn encode(&self, value: &str) -> Result<String, ValueError> {
        self.kind.encode(value)
    }

    /// Orders entries of one id: the one for fewer phones first.
    pub(crate) fn breadth(&self) -> (bool, usize) {
        (self.families.is_empty(), usize::MAX.saturating_sub(self.firmware.bounds()))
    }

    pub(crate) fn read(table: &Table, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::new(table, errors);
        let id = fields.required_text("id");
        let parameter: Option<String> = fields.required_text("parameter");
        let families = fields.optional("families").unwrap_or_default();
        let firmware = fields.optional("firmware").unwrap_or_default();
        let kind = fields.required("kind");
        let enable = fields.optional("enable").unwrap_or_default();
        let origin = fields.origin();
        if let Some(parameter) = &parameter {
            let name = parameter.replace("{line}", "1").replace("{server}", "1");
            check_parameter(&mut fields, ("parameter", &name));
        }
        fields.finish();
        let Origin { source, evidence, note } = origin?;
        let (id, parameter, kind) = (id?, parameter?, kind?);
        Some(Self { id, parameter, families, firmware, kind, enable, source, evidence, note })
    }
}

/// Refuses what cannot be a parameter's name.
pub(crate) fn check_parameter(fields: &mut Reader<'_>, field: (&str, &str)) {
    let (key, parameter) = field;
    let begins = parameter.starts_with(|first: char| first.is_ascii_alphabetic());
    let written = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !begins || !parameter.chars().all(written) {
        let expected =
            "a parameter's name, such as prov.polling.enabled; only settings may have {line} and {server} in it";
        fields.refuse(key, Problem::Malformed { found: parameter.to_owned(), expected });
    }
}

impl ValueKind {
    fn encode(&self, value: &str) -> Result<String, ValueError> {
        match self {
            Self::Text { max_bytes, forbidden, allowed } => {
                let refused =
                    |c: &char| forbidden.contains(*c) || allowed.as_ref().is_some_and(|set| !set.contains(*c));
                if let Some(character) = value.chars().find(refused) {
                    return Err(ValueError::Forbidden { character });
                }
                if value.len() > *max_bytes {
                    return Err(ValueError::TooLong { found: value.len(), max: *max_bytes });
                }
                Ok(value.to_owned())
            }
            Self::Integer { min, max } => {
                let not_a_number = |_| ValueError::NotANumber { found: value.to_owned() };
                let found: i64 = value.parse().map_err(not_a_number)?;
                if !(*min..=*max).contains(&found) {
                    return Err(ValueError::OutOfRange { found, min: *min, max: *max });
                }
                Ok(found.to_string())
            }
            Self::Boolean => match value {
                "1" | "true" => Ok("1".to_owned()),
                "0" | "false" => Ok("0".to_owned()),
                _ => Err(ValueError::NotABoolean { found: value.to_owned() }),
            },
            Self::Choice(choices) => choices.get(value).cloned().ok_or_else(|| ValueError::NotAChoice {
                found: value.to_owned(),
                allowed: choices.keys().cloned().collect(),
            }),
        }
    }
}

/// The `type` of a kind, as written.
#[derive(Clone, Copy)]
enum KindWord {
    Text,
    Integer,
    Boolean,
    Choice,
}

impl Word for KindWord {
    const ALL: &'static [Self] = &[Self::Text, Self::Integer, Self::Boolean, Self::Choice];

    fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Choice => "choice",
        }
    }
}

impl Readable for ValueKind {
    const EXPECTED: &'static str = "a table such as { type = \"boolean\" }";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::of_node(node, Self::EXPECTED, errors)?;
        let kind = match fields.required("type")? {
            KindWord::Boolean => Some(Self::Boolean),
            KindWord::Choice => fields.required("choices").map(Self::Choice),
            KindWord::Integer => {
                let (min, max) = (fields.required("min"), fields.required("max"));
                min.zip(max).map(|(min, max)| Self::Integer { min, max })
            }
            KindWord::Text => {
                let max_bytes = fields.required("max-bytes");
                let forbidden = fields.optional("forbidden").unwrap_or_default();
                let allowed = fields.optional("allowed");
                max_bytes.map(|max_bytes| Self::Text { max_bytes, forbidden, allowed })
            }
        };
        if let Some(Self::Integer { min, max }) = kind
            && min > max
        {
            fields.refuse("min", Problem::OutOfBounds { found: min, min: i64::MIN, max });
        }
        fields.finish();
        kind
    }
}
