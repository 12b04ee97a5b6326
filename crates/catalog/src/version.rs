//! Firmware versions: dotted numbers, compared part by part.
//!
//! Decides order and ranges; never which version a phone should have. The maker pads parts with
//! zeros ("8.3.1.0614") and phones repeat the padding, so the text is kept beside the numbers.

use crate::reader::{Errors, Problem, Readable, Reader};
use crate::tree::Node;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// A firmware version; `5.9` comes before `5.9.0`, and `8.3.1.0614` equals `8.3.1.614`.
#[derive(Clone)]
pub struct Version {
    parts: Vec<u64>,
    text: String,
}

const MOST_BYTES: usize = 32;

/// Text that is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not a version; expected numbers with dots such as 5.9.7.4477")]
pub struct VersionError {
    /// The text as it came, at most its first 40 characters.
    pub found: String,
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let number = |part: &str| {
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| part.parse().ok()).flatten()
        };
        // Phones say up to 12 characters; what a stranger says must not grow what is stored.
        let parts: Option<Vec<u64>> =
            if text.len() > MOST_BYTES { None } else { text.split('.').map(number).collect() };
        match parts {
            Some(parts) => Ok(Self { parts, text: text.to_owned() }),
            None => Err(VersionError { found: text.chars().take(40).collect() }),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl Eq for Version {}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts.hash(state);
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts.cmp(&other.parts)
    }
}

impl Readable for Version {
    const EXPECTED: &'static str = "a version in quotes, such as \"5.9.7.4477\"";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let text = String::read(node, errors)?;
        text.parse().map_err(|error: VersionError| errors.push(&node.place, Problem::Version(error))).ok()
    }
}

/// Versions from one on, below another; without bounds every version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct VersionRange {
    /// The first version in the range.
    pub from: Option<Version>,
    /// The first version after the range.
    pub below: Option<Version>,
}

impl VersionRange {
    /// Whether `version` is in the range.
    pub fn contains(&self, version: &Version) -> bool {
        self.from.as_ref().is_none_or(|from| version >= from) && self.below.as_ref().is_none_or(|below| version < below)
    }

    /// Number of bounds: the more, the more specific.
    pub(crate) fn bounds(&self) -> usize {
        usize::from(self.from.is_some()).saturating_add(usize::from(self.below.is_some()))
    }
}

impl Readable for VersionRange {
    const EXPECTED: &'static str = "a table { from, below }, either or both";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let mut fields = Reader::of_node(node, Self::EXPECTED, errors)?;
        let range = Self { from: fields.optional("from"), below: fields.optional("below") };
        fields.finish();
        if let (Some(from), Some(below)) = (&range.from, &range.below)
            && from >= below
        {
            let (from, below) = (from.to_string(), below.to_string());
            errors.push(&node.place, Problem::EmptyRange { from, below });
            return None;
        }
        Some(range)
    }
}
