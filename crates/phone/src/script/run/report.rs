//! What a script came to.
//!
//! Decides the words of a failure: where, what was to be done, what was expected, what was found, and the whole
//! face as it stood then.

use std::fmt;
use std::time::Duration;

use crate::handset::Face;
use crate::script::picture::picture;
use crate::script::statement::Origin;

/// A step that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepReport {
    /// Its number, as the script gives it.
    pub number: String,
    /// Its words.
    pub words: String,
    /// How long it took, in real time.
    pub took: Duration,
}

/// Why a script did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScriptFailure {
    /// It uses a variable nobody gave a value; nothing was done yet.
    #[error("{origin}: `{{{name}}}` has no value; give it one, or write `let {name} \"...\"` in the script")]
    Variable {
        /// Where.
        origin: Origin,
        /// The variable.
        name: String,
    },
    /// The phone cannot be made as the script takes for granted.
    #[error("{origin}: {reason}")]
    Given {
        /// Where.
        origin: Origin,
        /// Why.
        reason: String,
    },
    /// A statement was not fulfilled.
    #[error(transparent)]
    Failed(Box<Failed>),
}

/// A statement that was not fulfilled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Failed {
    /// Where.
    pub origin: Origin,
    /// The step it belongs to: number and words.
    pub step: Option<(String, String)>,
    /// The statement as it stands.
    pub statement: String,
    /// What was found instead.
    pub found: String,
    /// What the phone showed then.
    pub face: Face,
}

impl fmt::Display for Failed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}: {}", self.origin, self.statement)?;
        if let Some((number, words)) = &self.step {
            writeln!(out, "  in step {number} \"{words}\"")?;
        }
        writeln!(out, "  found: {}", self.found)?;
        writeln!(out, "  the phone shows:")?;
        picture(&self.face).lines().try_for_each(|line| writeln!(out, "    {line}"))
    }
}
