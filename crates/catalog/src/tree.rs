//! TOML text as a tree in which every value knows its file and line.
//!
//! Decides nothing about phones. Goes on after an error, so that all of them are reported at once.

use crate::reader::{Errors, Problem};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

/// Where something is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: Arc<str>,
    pub(crate) line: usize,
}

/// A value and where it is written: the line of its key, or its own within a list.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

/// The kinds of values catalog files use.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    Boolean(bool),
    List(Vec<Node>),
    Table(Table),
    /// A kind no catalog field has (float, date); holds its name for the message.
    Unused(&'static str),
}

/// Keys with values.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) place: Place,
    pub(crate) fields: BTreeMap<String, Node>,
}

impl Value {
    /// What an error calls this kind of value.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "a number",
            Self::Boolean(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Unused(kind) => kind,
        }
    }
}

impl Table {
    /// Where `key` is written, else where the table begins.
    pub(crate) fn place_of(&self, key: &str) -> &Place {
        self.fields.get(key).map_or(&self.place, |node| &node.place)
    }

    /// Whether the dotted path of keys leads to a value.
    pub(crate) fn has_path(&self, path: &str) -> bool {
        let Some((first, rest)) = path.split_once('.') else {
            return self.fields.contains_key(path);
        };
        match self.fields.get(first).map(|node| &node.value) {
            Some(Value::Table(table)) => table.has_path(rest),
            _ => false,
        }
    }
}

/// Reads the text of the file called `name`; what cannot be read is reported and left out.
pub(crate) fn parse(name: &str, text: &str, errors: &mut Errors) -> Table {
    let lines = Lines::of(name, text);
    let (document, problems) = DeTable::parse_recoverable(text);
    for problem in problems {
        let place = lines.place(&problem.span().unwrap_or_default());
        errors.push(&place, Problem::Syntax { found: problem.message().to_owned() });
    }
    lines.table(document.get_ref(), lines.place(&(0..0)), errors)
}

/// Finds the line of a byte offset.
struct Lines {
    file: Arc<str>,
    /// Offset of each line's first byte, ascending.
    starts: Vec<usize>,
}

impl Lines {
    fn of(name: &str, text: &str) -> Self {
        let after_newline = |(at, byte): (usize, u8)| (byte == b'\n').then(|| at.saturating_add(1));
        let starts = std::iter::once(0).chain(text.bytes().enumerate().filter_map(after_newline));
        Self { file: name.into(), starts: starts.collect() }
    }

    fn place(&self, span: &Range<usize>) -> Place {
        let line = self.starts.partition_point(|start| *start <= span.start);
        Place { file: Arc::clone(&self.file), line }
    }

    fn table(&self, table: &DeTable<'_>, place: Place, errors: &mut Errors) -> Table {
        let mut fields = BTreeMap::new();
        for (key, value) in table {
            let place = self.place(&key.span());
            let value = self.value(value, &place, errors);
            fields.insert(key.get_ref().to_string(), Node { place, value });
        }
        Table { place, fields }
    }

    fn value(&self, value: &Spanned<DeValue<'_>>, place: &Place, errors: &mut Errors) -> Value {
        match value.get_ref() {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Integer(number) => integer(number, place, errors),
            DeValue::Boolean(choice) => Value::Boolean(*choice),
            DeValue::Float(_) => Value::Unused("a number with a fraction"),
            DeValue::Datetime(_) => Value::Unused("a date"),
            DeValue::Table(table) => Value::Table(self.table(table, place.clone(), errors)),
            DeValue::Array(items) => Value::List(
                items
                    .iter()
                    .map(|item| {
                        let place = self.place(&item.span());
                        let value = self.value(item, &place, errors);
                        Node { place, value }
                    })
                    .collect(),
            ),
        }
    }
}

fn integer(number: &DeInteger<'_>, place: &Place, errors: &mut Errors) -> Value {
    if let Ok(number) = i64::from_str_radix(number.as_str(), number.radix()) {
        return Value::Integer(number);
    }
    errors.push(place, Problem::NumberTooLarge { found: number.as_str().to_owned() });
    Value::Unused("a number too large")
}
