//! The columns of each kind of file, and its first row.

use super::ImportKind;
use super::csv::{Record, write_row};
use crate::entry::{FieldError, FieldErrors};

/// A column of a file.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    required: bool,
    example: &'static str,
}

const fn column(name: &'static str, required: bool, example: &'static str) -> Column {
    Column { name, required, example }
}

const USERS: &[Column] = &[
    column("site", false, "Vienna"),
    column("name", true, "Ada Byron"),
    column("extension", true, "1001"),
    column("email", false, "ada@example.com"),
    column("language", false, "de-AT"),
];
const DEVICES: &[Column] = &[
    column("model", true, "vvx450"),
    column("mac", false, "00:04:f2:a1:b2:c3"),
    column("extension", false, "1001"),
    column("site", false, "Vienna"),
];
const LINES: &[Column] = &[
    column("extension", true, "1001"),
    column("site", false, "Vienna"),
    column("sip-user", true, "1001"),
    column("auth-user", false, "1001-auth"),
    column("password", false, "choose-a-long-one"),
];

const fn columns(kind: ImportKind) -> &'static [Column] {
    match kind {
        ImportKind::Users => USERS,
        ImportKind::Devices => DEVICES,
        ImportKind::Lines => LINES,
    }
}

/// The columns of a kind of file, in the order of its template.
pub fn column_names(kind: ImportKind) -> Vec<&'static str> {
    columns(kind).iter().map(|column| column.name).collect()
}

/// An empty file with one example, as a start.
pub fn template(kind: ImportKind) -> String {
    let mut text = String::new();
    write_row(&mut text, columns(kind).iter().map(|column| column.name));
    write_row(&mut text, columns(kind).iter().map(|column| column.example));
    text
}

/// Which cell of a row is which column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub(super) kind: ImportKind,
    pub(super) names: Vec<&'static str>,
}

/// What is wrong with a first row, by the columns as they stand there.
pub type HeaderError = FieldErrors;

impl Header {
    /// The first row of the template.
    pub fn whole(kind: ImportKind) -> Self {
        Self { kind, names: column_names(kind) }
    }

    /// Reads the first row. Letter case does not matter, nor whether a space, `_` or `-` joins words.
    ///
    /// # Errors
    /// Every column that is unknown, doubled or missing.
    pub fn read(kind: ImportKind, record: &Record) -> Result<Self, HeaderError> {
        let known = columns(kind);
        let all: Vec<_> = known.iter().map(|column| column.name).collect();
        let mut names = Vec::with_capacity(record.cells.len());
        let mut errors = Vec::new();
        let mut fault = |field: &str, message: String| errors.push(FieldError { field: field.to_owned(), message });
        for cell in &record.cells {
            let folded = cell.trim().to_lowercase().replace([' ', '_'], "-");
            match all.iter().find(|name| **name == folded) {
                Some(name) if names.contains(name) => fault(name, "is there twice; leave one out".to_owned()),
                Some(name) => names.push(*name),
                None => {
                    let shown: String = cell.trim().chars().take(40).collect();
                    let message =
                        format!("is no column of a file of {}; its columns are {}", kind.as_str(), all.join(", "));
                    fault(if shown.is_empty() { "(empty)" } else { &shown }, message);
                }
            }
        }
        for column in known.iter().filter(|column| column.required && !names.contains(&column.name)) {
            fault(column.name, format!("is missing: the first row names the columns {}", all.join(", ")));
        }
        if errors.is_empty() { Ok(Self { kind, names }) } else { Err(FieldErrors(errors)) }
    }

    /// What the file holds.
    pub const fn kind(&self) -> ImportKind {
        self.kind
    }
}
