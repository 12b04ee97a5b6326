//! The values of a configuration by section and key, from the file and the environment.
//!
//! Decides which of the two counts, what is of the wrong type, and what nobody asked for: a key is
//! known because the reader asks for it, so there is no list beside the reader that could go stale.
//! Never does: judging what a text means.

mod nearest;
mod toml_file;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub(super) use toml_file::line_after;

use super::problem::{ConfigErrors, Place, Problem, Refusal, Wrong};
use nearest::Known;
use toml_file::TomlFile;

/// Names that start like ours but belong to the command line's API clients and to the tests.
const FOREIGN_VARIABLES: [&str; 5] =
    ["PROVOST_SERVER", "PROVOST_TOKEN", "PROVOST_SHARED", "PROVOST_SLOW", "PROVOST_BLESS"];

/// A value as it was given, of a type that some key takes.
#[derive(Debug)]
enum Value {
    Text(String),
    Texts(Vec<String>),
    Flag(bool),
    /// From the environment, which knows no types: it is read as whatever the key takes.
    Variable(String),
    /// Of a type that no key takes, by its name.
    Other(&'static str),
}

impl Value {
    const fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Variable(_) => "a string",
            Self::Texts(_) => "a list",
            Self::Flag(_) => "a boolean",
            Self::Other(name) => name,
        }
    }

    /// Why a key that takes `expected` refuses this value.
    const fn wrong_type(&self, expected: &'static str) -> Refusal {
        Refusal::Type { found: self.type_name(), expected }
    }
}

/// A key of a section; the section of a key at the top of the file is empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    section: String,
    name: String,
}

impl Key {
    pub(super) fn new(section: &str, name: &str) -> Self {
        Self { section: section.to_owned(), name: name.to_owned() }
    }

    /// As messages show it: `listen.console`.
    pub(super) fn dotted(&self) -> String {
        if self.section.is_empty() { self.name.clone() } else { format!("{}.{}", self.section, self.name) }
    }

    /// The environment variable that overrides it: `PROVOST_LISTEN__CONSOLE`.
    pub(super) fn variable(&self) -> String {
        format!("PROVOST_{}", self.dotted().replace('.', "__").replace('-', "_").to_ascii_uppercase())
    }
}

/// A configuration as it was written, read key by key.
#[derive(Debug)]
pub(super) struct Document {
    base_dir: PathBuf,
    file: TomlFile,
    variables: BTreeMap<String, OsString>,
    asked: BTreeSet<Key>,
    refused: BTreeSet<Key>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Document {
    pub(super) fn new<E>(text: &str, name: &str, base_dir: &Path, env: E) -> Self
    where
        E: IntoIterator<Item = (OsString, OsString)>,
    {
        let (file, problems) = TomlFile::read(text, name);
        Self {
            base_dir: base_dir.to_owned(),
            file,
            variables: env.into_iter().filter_map(our_variable).collect(),
            asked: BTreeSet::new(),
            refused: BTreeSet::new(),
            problems,
            warnings: Vec::new(),
        }
    }

    /// Reads a text and what `parse` makes of it.
    pub(super) fn parsed<T>(
        &mut self,
        section: &str,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, Refusal>,
    ) -> Option<T> {
        self.parsed_at(section, name, parse).map(|(parsed, _)| parsed)
    }

    /// Reads `true` or `false`.
    pub(super) fn flag(&mut self, section: &str, name: &str) -> Option<bool> {
        self.value(section, name, flag).map(|(flag, _)| flag)
    }

    /// Reads a list of texts and where it stands; a single text is a list of one.
    pub(super) fn list(&mut self, section: &str, name: &str) -> Option<(Vec<String>, Place)> {
        self.value(section, name, texts)
    }

    /// Reads a path, relative to the base folder.
    pub(super) fn path(&mut self, section: &str, name: &str) -> Option<PathBuf> {
        self.path_at(section, name).map(|(path, _)| path)
    }

    /// Reads a path, relative to the base folder, and where it stands.
    pub(super) fn path_at(&mut self, section: &str, name: &str) -> Option<(PathBuf, Place)> {
        let (path, place) = self.value(section, name, text)?;
        Some((self.base_dir.join(path), place))
    }

    /// Reads a list of paths and where it stands, as [`Self::list`] and [`Self::path`] do.
    pub(super) fn paths(&mut self, section: &str, name: &str) -> Option<(Vec<PathBuf>, Place)> {
        let (paths, place) = self.list(section, name)?;
        Some((paths.iter().map(|path| self.base_dir.join(path)).collect(), place))
    }

    /// Reads a text, what `parse` makes of it, and where it stands.
    pub(super) fn parsed_at<T>(
        &mut self,
        section: &str,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, Refusal>,
    ) -> Option<(T, Place)> {
        self.value(section, name, |value| parse(&text(value)?))
    }

    /// Reads what the environment, or else the file, says; a refusal is kept and reads as absent.
    fn value<T>(
        &mut self,
        section: &str,
        name: &str,
        read: impl FnOnce(Value) -> Result<T, Refusal>,
    ) -> Option<(T, Place)> {
        let key = Key::new(section, name);
        let in_file = self.file.entries.remove(&key);
        let variable = self.variables.remove(&key.variable());
        self.asked.insert(key.clone());
        let (value, place) = match variable {
            None => in_file?,
            Some(text) => {
                let place = Place::Variable { name: key.variable() };
                match text.into_string() {
                    Ok(text) => (Value::Variable(text), place),
                    Err(_) => {
                        self.refuse(place, &key, Refusal::NotUtf8);
                        return None;
                    }
                }
            }
        };
        match read(value) {
            Ok(read) => Some((read, place)),
            Err(refusal) => {
                self.refuse(place, &key, refusal);
                None
            }
        }
    }

    /// Keeps `refusal` of a value of `key` for the report.
    pub(super) fn refuse(&mut self, place: Place, key: &Key, refusal: Refusal) {
        self.refused.insert(key.clone());
        self.problems.push(Problem::new(place, Wrong::Value { key: key.dotted(), refusal }));
    }

    /// Whether a value of `key` was refused.
    pub(super) fn has_refused(&self, key: &Key) -> bool {
        self.refused.contains(key)
    }

    /// Keeps `refusal` as something that works but is likely not meant.
    pub(super) fn warn(&mut self, place: Place, key: &Key, refusal: Refusal) {
        self.warnings.push(Problem::new(place, Wrong::Value { key: key.dotted(), refusal }));
    }

    /// The folder that relative paths start at.
    pub(super) fn base_dir(&self) -> &Path {
        &self.base_dir
    }

    /// Ends the reading: whatever nobody asked for is unknown. The warnings are left.
    ///
    /// # Errors
    /// Everything that was refused.
    pub(super) fn finish(mut self) -> Result<Vec<Problem>, ConfigErrors> {
        let known = Known(&self.asked);
        for (section, place) in &self.file.sections {
            if !known.has_section(section) {
                self.problems.push(Problem::new(place.clone(), known.unknown_section(section)));
            }
        }
        for (key, (value, place)) in &self.file.entries {
            if known.has_section(&key.section) {
                self.problems.push(Problem::new(place.clone(), known.unknown_key(key, value.type_name())));
            }
        }
        for name in self.variables.keys() {
            let place = Place::Variable { name: name.clone() };
            self.warnings.push(Problem::new(place, known.unknown_variable(name)));
        }
        if self.problems.is_empty() { Ok(self.warnings) } else { Err(ConfigErrors::sorted(self.problems)) }
    }

    /// Every key the file gives and nobody has asked for yet.
    #[cfg(test)]
    pub(super) fn given(&self) -> BTreeSet<Key> {
        self.file.entries.keys().cloned().collect()
    }

    /// Every key that was asked for so far.
    #[cfg(test)]
    pub(super) const fn asked(&self) -> &BTreeSet<Key> {
        &self.asked
    }
}

fn our_variable((name, value): (OsString, OsString)) -> Option<(String, OsString)> {
    let name = name.into_string().ok()?;
    (name.starts_with("PROVOST_") && !FOREIGN_VARIABLES.contains(&name.as_str())).then_some((name, value))
}

fn text(value: Value) -> Result<String, Refusal> {
    match value {
        Value::Text(text) | Value::Variable(text) if text.trim().is_empty() => Err(Refusal::Empty),
        Value::Text(text) | Value::Variable(text) => Ok(text),
        other => Err(other.wrong_type("a string in quotes")),
    }
}

fn texts(value: Value) -> Result<Vec<String>, Refusal> {
    let texts = match value {
        Value::Text(text) => vec![text],
        Value::Texts(texts) => texts,
        Value::Variable(list) => list.split(',').map(|text| text.trim().to_owned()).collect(),
        other => return Err(other.wrong_type("a string in quotes, or a list of them")),
    };
    if texts.iter().any(|text| text.trim().is_empty()) { Err(Refusal::Empty) } else { Ok(texts) }
}

fn flag(value: Value) -> Result<bool, Refusal> {
    match value {
        Value::Flag(flag) => Ok(flag),
        Value::Variable(word) if word == "true" => Ok(true),
        Value::Variable(word) if word == "false" => Ok(false),
        Value::Variable(found) => Err(Refusal::NotOneOf { found, known: "true, false" }),
        other => Err(other.wrong_type("true or false without quotes")),
    }
}
