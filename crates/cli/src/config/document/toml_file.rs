//! The entries of a TOML text with the line of each, as far as it can be understood.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::super::problem::{Place, Problem, Wrong};
use super::{Key, Value};

/// What a file says, two levels deep: no section of ours has sections.
#[derive(Debug, Default)]
pub(super) struct TomlFile {
    /// Each value by its key.
    pub(super) entries: BTreeMap<Key, (Value, Place)>,
    /// Each section, in the order of the file.
    pub(super) sections: Vec<(String, Place)>,
}

impl TomlFile {
    /// Reads `text`, which messages call `name`, and what in it is not TOML.
    pub(super) fn read(text: &str, name: &str) -> (Self, Vec<Problem>) {
        let place = |span: Range<usize>| {
            let before = text.as_bytes().get(..span.start).unwrap_or_default();
            Place::Line { file: name.to_owned(), line: line_after(before) }
        };
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut file = Self::default();
        for (key, value) in table.into_inner() {
            file.take_top(key, value, &place);
        }
        let mut problems: Vec<Problem> = Vec::new();
        for error in errors {
            let at = place(error.span().unwrap_or_default());
            let message = error.message().to_owned();
            // The parser can stumble several times over one mistake; the first is the true one.
            if !problems.iter().any(|known| *known.at() == at) {
                problems.push(Problem::new(at, Wrong::Syntax { message }));
            }
        }
        // What was guessed from a broken line would only be reported as a second mistake there.
        let broken = |at: &Place| problems.iter().any(|known| known.at() == at);
        file.entries.retain(|_, (_, at)| !broken(at));
        file.sections.retain(|(_, at)| !broken(at));
        (file, problems)
    }

    fn take_top(
        &mut self,
        key: Spanned<DeString<'_>>,
        value: Spanned<DeValue<'_>>,
        place: &impl Fn(Range<usize>) -> Place,
    ) {
        let at = place(key.span());
        let name = key.into_inner();
        match value.into_inner() {
            DeValue::Table(section) => {
                for (key, value) in section {
                    let at = place(key.span());
                    self.entries.insert(Key::new(&name, key.get_ref()), (read_value(value.into_inner()), at));
                }
                self.sections.push((name.into_owned(), at));
            }
            value => {
                self.entries.insert(Key::new("", &name), (read_value(value), at));
            }
        }
    }
}

fn read_value(value: DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Boolean(flag) => Value::Flag(flag),
        DeValue::Integer(_) | DeValue::Float(_) => Value::Other("a number"),
        DeValue::Datetime(_) => Value::Other("a date or time"),
        DeValue::Table(_) => Value::Other("a section"),
        DeValue::Array(items) => {
            let texts = items.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
            texts.collect::<Option<_>>().map_or(Value::Other("a list with something else than strings"), Value::Texts)
        }
    }
}

/// The number of the line that comes after `before`, counted from 1.
pub(in super::super) fn line_after(before: &[u8]) -> usize {
    before.iter().filter(|byte| **byte == b'\n').count().saturating_add(1)
}
