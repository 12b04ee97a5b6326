//! Takes typed values out of tables, strictly: unknown keys are refused, every problem is reported.
//!
//! Decides what is wrong with a field and says it with file, line and remedy; never guesses a value.

use crate::fact::Origin;
use crate::tree::{Node, Place, Table, Value};
use crate::version::VersionError;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// One thing wrong in a catalog file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogError {
    /// The file's name as the caller gave it.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub problem: Problem,
}

impl fmt::Display for CatalogError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.file, self.line, self.problem)
    }
}

impl std::error::Error for CatalogError {}

/// Everything wrong in the catalog files, in the order of files and lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogErrors(pub Vec<CatalogError>);

impl fmt::Display for CatalogErrors {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, error) in self.0.iter().enumerate() {
            if at > 0 {
                out.write_str("\n")?;
            }
            write!(out, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for CatalogErrors {}

/// What can be wrong with a catalog file; each message ends with what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Not TOML.
    #[error("not valid TOML: {found}; correct the syntax")]
    Syntax {
        /// The parser's words.
        found: String,
    },
    /// A whole number that does not fit.
    #[error("{found} is larger than any number the catalog uses; write a smaller one")]
    NumberTooLarge {
        /// The number as written.
        found: String,
    },
    /// A key nobody reads.
    #[error("unknown key `{found}`; remove it or write one of: {}", expected.join(", "))]
    UnknownKey {
        /// The key as written.
        found: String,
        /// The keys that may stand there.
        expected: Vec<String>,
    },
    /// A mandatory key is absent.
    #[error("`{key}` is missing; add it")]
    Missing {
        /// The absent key.
        key: String,
    },
    /// A field without a source is neither filled nor admitted.
    #[error("`{key}` is neither filled nor listed in `gaps`; fill it or list it with the reason")]
    NotEvenAGap {
        /// The absent key.
        key: String,
    },
    /// A value of another kind.
    #[error("expected {expected}, found {found}; correct it")]
    WrongKind {
        /// The kind found.
        found: &'static str,
        /// The kind wanted.
        expected: &'static str,
    },
    /// An empty text where one must stand.
    #[error("`{key}` is empty; write its text")]
    Empty {
        /// The key whose value is empty.
        key: String,
    },
    /// A word that is not one of a fixed set.
    #[error("`{found}` is not one of the words here; write one of: {}", expected.join(", "))]
    UnknownWord {
        /// The word as written.
        found: String,
        /// The words that may stand there.
        expected: Vec<&'static str>,
    },
    /// Not a version.
    #[error("{0}")]
    Version(VersionError),
    /// A range no version can be in.
    #[error("no version is from {from} on and below {below}; write the lower one as `from`")]
    EmptyRange {
        /// The lower bound as written.
        from: String,
        /// The upper bound as written.
        below: String,
    },
    /// A number outside its bounds.
    #[error("{found} is outside {min} to {max}; write a number within")]
    OutOfBounds {
        /// The number as written.
        found: i64,
        /// The lowest allowed.
        min: i64,
        /// The highest allowed.
        max: i64,
    },
    /// The same identity twice in one layer of files.
    #[error("{what} is already in {file}:{line}; remove one of them")]
    Duplicate {
        /// What is there twice ("model `vvx450`").
        what: String,
        /// The file of the first.
        file: String,
        /// The line of the first.
        line: usize,
    },
    /// A name of something that does not exist.
    #[error("there is no {what} `{found}`; add it or write one of: {}", expected.join(", "))]
    Unresolved {
        /// What was looked for ("family").
        what: &'static str,
        /// The name as written.
        found: String,
        /// The names that exist.
        expected: Vec<String>,
    },
    /// A text that breaks the form its field has.
    #[error("`{found}` is not {expected}; correct it")]
    Malformed {
        /// The text as written.
        found: String,
        /// The form, with an example.
        expected: &'static str,
    },
    /// The bootstrap would change the phone's own platform settings.
    #[error(
        "`{parameter}` may not be in the bootstrap stage, which holds no `{prefix}*`: a stray phone is never re-homed or locked; move it to the configuration stage"
    )]
    DeviceParameterInBootstrap {
        /// The parameter as written.
        parameter: String,
        /// The prefix of the phone's platform settings.
        prefix: String,
    },
    /// A platform parameter without its enable key, or another one with it.
    #[error(
        "`enable` must be {expected} for `{parameter}`: exactly the `{prefix}*` parameters need the enable key; correct it"
    )]
    EnableMismatch {
        /// The parameter as written.
        parameter: String,
        /// What `enable` has to be.
        expected: bool,
        /// The prefix of the phone's platform settings.
        prefix: String,
    },
}

/// Collects what is wrong.
#[derive(Debug, Default)]
pub(crate) struct Errors(Vec<CatalogError>);

impl Errors {
    pub(crate) fn push(&mut self, place: &Place, problem: Problem) {
        self.0.push(CatalogError { file: place.file.to_string(), line: place.line, problem });
    }

    /// `Ok` when nothing was wrong; otherwise everything, in the order of files and lines.
    pub(crate) fn into_result(mut self) -> Result<(), CatalogErrors> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.0.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        self.0.dedup();
        Err(CatalogErrors(self.0))
    }
}

/// A value that a catalog file can hold.
pub(crate) trait Readable: Sized {
    /// What an error says should stand there.
    const EXPECTED: &'static str;

    /// The value, or `None` after reporting what is wrong.
    fn read(node: &Node, errors: &mut Errors) -> Option<Self>;
}

/// One of a fixed set of words.
pub(crate) trait Word: Copy + 'static {
    const ALL: &'static [Self];

    fn word(self) -> &'static str;
}

impl<T: Word> Readable for T {
    const EXPECTED: &'static str = "a word in quotes";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let Value::Text(found) = &node.value else {
            return wrong_kind::<Self>(node, errors);
        };
        let known = T::ALL.iter().copied().find(|word| word.word() == found);
        if known.is_none() {
            let expected = T::ALL.iter().map(|word| word.word()).collect();
            errors.push(&node.place, Problem::UnknownWord { found: found.clone(), expected });
        }
        known
    }
}

impl Readable for String {
    const EXPECTED: &'static str = "text in quotes";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        match &node.value {
            Value::Text(text) => Some(text.clone()),
            _ => wrong_kind::<Self>(node, errors),
        }
    }
}

impl Readable for bool {
    const EXPECTED: &'static str = "true or false";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        match node.value {
            Value::Boolean(choice) => Some(choice),
            _ => wrong_kind::<Self>(node, errors),
        }
    }
}

impl Readable for i64 {
    const EXPECTED: &'static str = "a whole number";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        match node.value {
            Value::Integer(number) => Some(number),
            _ => wrong_kind::<Self>(node, errors),
        }
    }
}

impl Readable for u32 {
    const EXPECTED: &'static str = "a whole number";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let found = i64::read(node, errors)?;
        let number = Self::try_from(found).ok();
        if number.is_none() {
            let problem = Problem::OutOfBounds { found, min: 0, max: Self::MAX.into() };
            errors.push(&node.place, problem);
        }
        number
    }
}

impl Readable for usize {
    const EXPECTED: &'static str = "a whole number";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        Self::try_from(u32::read(node, errors)?).ok()
    }
}

impl<T: Readable> Readable for Vec<T> {
    const EXPECTED: &'static str = "a list";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let Value::List(items) = &node.value else {
            return wrong_kind::<Self>(node, errors);
        };
        // All items are read before the first absent one decides, so that each is reported.
        let read: Vec<Option<T>> = items.iter().map(|item| T::read(item, errors)).collect();
        read.into_iter().collect()
    }
}

impl<T: Readable> Readable for BTreeMap<String, T> {
    const EXPECTED: &'static str = "a table";

    fn read(node: &Node, errors: &mut Errors) -> Option<Self> {
        let Value::Table(table) = &node.value else {
            return wrong_kind::<Self>(node, errors);
        };
        let read: Vec<Option<(String, T)>> =
            table.fields.iter().map(|(key, node)| Some((key.clone(), T::read(node, errors)?))).collect();
        read.into_iter().collect()
    }
}

pub(crate) fn wrong_kind<T: Readable>(node: &Node, errors: &mut Errors) -> Option<T> {
    let problem = Problem::WrongKind { found: node.value.kind(), expected: T::EXPECTED };
    errors.push(&node.place, problem);
    None
}

/// Takes the fields of one table; [`Self::finish`] refuses what was not asked for.
pub(crate) struct Reader<'a> {
    table: &'a Table,
    errors: &'a mut Errors,
    known: BTreeSet<&'static str>,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(table: &'a Table, errors: &'a mut Errors) -> Self {
        Self { table, errors, known: BTreeSet::new() }
    }

    /// A reader for a node that must be a table.
    pub(crate) fn of_node(node: &'a Node, expected: &'static str, errors: &'a mut Errors) -> Option<Self> {
        if let Value::Table(table) = &node.value {
            return Some(Self::new(table, errors));
        }
        let problem = Problem::WrongKind { found: node.value.kind(), expected };
        errors.push(&node.place, problem);
        None
    }

    pub(crate) fn optional<T: Readable>(&mut self, key: &'static str) -> Option<T> {
        self.known.insert(key);
        let node = self.table.fields.get(key)?;
        T::read(node, self.errors)
    }

    pub(crate) fn required<T: Readable>(&mut self, key: &'static str) -> Option<T> {
        if !self.table.fields.contains_key(key) {
            let problem = Problem::Missing { key: key.to_owned() };
            self.errors.push(&self.table.place, problem);
        }
        self.optional(key)
    }

    /// A text that must stand there and not be empty.
    pub(crate) fn required_text(&mut self, key: &'static str) -> Option<String> {
        let text: String = self.required(key)?;
        if text.trim().is_empty() {
            self.refuse(key, Problem::Empty { key: key.to_owned() });
            return None;
        }
        Some(text)
    }

    /// `source`, `evidence` and `note`, which every fact carries.
    pub(crate) fn origin(&mut self) -> Option<Origin> {
        let source = self.required_text("source");
        let evidence = self.required("evidence");
        let note = self.optional("note");
        Some(Origin { source: source?, evidence: evidence?, note })
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.fields.contains_key(key)
    }

    /// Reports a problem at the line of `key`.
    pub(crate) fn refuse(&mut self, key: &str, problem: Problem) {
        self.errors.push(self.table.place_of(key), problem);
    }

    /// Reports every key that nobody asked for.
    pub(crate) fn finish(self) {
        let unknown = self.table.fields.iter().filter(|(key, _)| !self.known.contains(key.as_str()));
        for (key, node) in unknown {
            let expected = self.known.iter().map(|key| (*key).to_owned()).collect();
            self.errors.push(&node.place, Problem::UnknownKey { found: key.clone(), expected });
        }
    }
}
