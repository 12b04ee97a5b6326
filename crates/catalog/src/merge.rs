//! Layers of catalog files become one set of entries.
//!
//! Decides identity (what makes two entries the same) and how an overlay changes one: field by
//! field, a fact as a whole. Never reads what a field means.

use crate::reader::{Errors, Problem};
use crate::tree::{Node, Place, Table, Value};
use std::collections::BTreeMap;

/// Catalog files of one origin; within a layer every identity stands once.
pub(crate) type Layer = Vec<Table>;

/// A kind of entry and the fields that make its identity; none when there is only one entry.
struct Section {
    name: &'static str,
    identity: &'static [&'static str],
}

const SECTIONS: [Section; 26] = [
    Section { name: "family", identity: &["id"] },
    Section { name: "model", identity: &["id"] },
    Section { name: "hardware", identity: &["id"] },
    Section { name: "handset", identity: &["id"] },
    Section { name: "menu-tree", identity: &["id"] },
    Section { name: "menu", identity: &["id"] },
    Section { name: "firmware-line", identity: &["id"] },
    Section { name: "setting", identity: &["id", "families", "firmware"] },
    Section { name: "constant", identity: &["id"] },
    Section { name: "country", identity: &["code"] },
    Section { name: "file", identity: &["id"] },
    Section { name: "boot-sequence", identity: &["id"] },
    Section { name: "authority", identity: &["id"] },
    Section { name: "guide", identity: &["id"] },
    Section { name: "symptom", identity: &["id"] },
    Section { name: "unsupported", identity: &["id"] },
    Section { name: "gap", identity: &["field"] },
    Section { name: "web-generation", identity: &["id"] },
    Section { name: "web-page", identity: &["id"] },
    Section { name: "phone-web", identity: &[] },
    Section { name: "master-file", identity: &[] },
    Section { name: "phone-rules", identity: &[] },
    Section { name: "directory", identity: &[] },
    Section { name: "image-list", identity: &[] },
    Section { name: "dial-pad", identity: &[] },
    Section { name: "network-rules", identity: &[] },
];

/// All entries of all layers, each kind in the order of first appearance.
#[derive(Debug, Default)]
pub(crate) struct Entries(BTreeMap<&'static str, Vec<Entry>>);

/// One entry and its identity as text.
#[derive(Debug)]
struct Entry {
    identity: String,
    table: Table,
}

impl Entries {
    /// The entries of one kind.
    pub(crate) fn of(&self, section: &str) -> impl Iterator<Item = &Table> {
        self.0.get(section).into_iter().flatten().map(|entry| &entry.table)
    }

    /// The only entry of a kind that has one.
    pub(crate) fn only(&self, section: &str) -> Option<&Table> {
        self.of(section).next()
    }

    fn add(&mut self, section: &'static str, identity: String, table: Table) {
        let entries = self.0.entry(section).or_default();
        match entries.iter_mut().find(|entry| entry.identity == identity) {
            Some(entry) => overlay(&mut entry.table, table),
            None => entries.push(Entry { identity, table }),
        }
    }

    fn push(&mut self, section: &'static str, identity: String, table: Table) {
        self.0.entry(section).or_default().push(Entry { identity, table });
    }
}

/// Puts the layers on top of each other, the first lowest.
pub(crate) fn merge(layers: Vec<Layer>, errors: &mut Errors) -> Entries {
    let mut entries = Entries::default();
    for layer in layers {
        let mut seen: BTreeMap<(&str, String), Place> = BTreeMap::new();
        let written: Vec<_> = layer.into_iter().map(|file| split(file, errors)).collect();
        for (section, table) in written.into_iter().flatten() {
            let identity = identity(section, &table);
            if identity.is_empty() && !section.identity.is_empty() {
                // Nothing to compare by; its reader reports what is missing.
                entries.push(section.name, identity, table);
                continue;
            }
            let key = (section.name, identity.clone());
            if let Some(first) = seen.get(&key) {
                let what = format!("{} `{identity}`", section.name);
                let (file, line) = (first.file.to_string(), first.line);
                errors.push(&table.place, Problem::Duplicate { what, file, line });
                continue;
            }
            seen.insert(key, table.place.clone());
            entries.add(section.name, identity, table);
        }
    }
    entries
}

/// The entries of one file; top-level keys that are no section are refused.
fn split(file: Table, errors: &mut Errors) -> Vec<(&'static Section, Table)> {
    let mut entries = Vec::new();
    for (key, node) in file.fields {
        let Some(section) = SECTIONS.iter().find(|section| section.name == key) else {
            let expected = SECTIONS.iter().map(|section| section.name.to_owned()).collect();
            errors.push(&node.place, Problem::UnknownKey { found: key, expected });
            continue;
        };
        let place = node.place;
        match (node.value, section.identity.is_empty()) {
            (Value::Table(table), true) => entries.push((section, table)),
            (Value::List(items), false) => {
                let tables = items.into_iter().filter_map(|item| entry_table(item, errors));
                entries.extend(tables.map(|table| (section, table)));
            }
            (value, single) => {
                let expected = if single { "one table [name]" } else { "tables [[name]]" };
                errors.push(&place, Problem::WrongKind { found: value.kind(), expected });
            }
        }
    }
    entries
}

fn entry_table(node: Node, errors: &mut Errors) -> Option<Table> {
    match node.value {
        Value::Table(table) => Some(table),
        value => {
            let expected = "a table";
            errors.push(&node.place, Problem::WrongKind { found: value.kind(), expected });
            None
        }
    }
}

fn identity(section: &Section, table: &Table) -> String {
    let fields = section.identity.iter().filter_map(|key| table.fields.get(*key));
    fields.map(|node| text_of(&node.value)).collect::<Vec<_>>().join(" ")
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(choice) => choice.to_string(),
        Value::Unused(kind) => (*kind).to_owned(),
        Value::List(items) => items.iter().map(|item| text_of(&item.value)).collect::<Vec<_>>().join(","),
        Value::Table(table) => {
            let field = |(key, node): (&String, &Node)| format!("{key}={}", text_of(&node.value));
            table.fields.iter().map(field).collect::<Vec<_>>().join(",")
        }
    }
}

/// Changes `below` field by field to what `above` says, and remembers who said it.
fn overlay(below: &mut Table, above: Table) {
    for (key, node) in above.fields {
        let Node { place, value } = node;
        match (below.fields.get_mut(&key), value) {
            (Some(Node { place: written, value: Value::Table(below) }), Value::Table(above)) if !is_unit(&above) => {
                *written = place;
                overlay(below, above);
            }
            (_, value) => {
                below.fields.insert(key, Node { place, value });
            }
        }
    }
    below.place = above.place;
}

/// A fact and a kind mean something only as a whole: half of one with half of another is neither.
fn is_unit(table: &Table) -> bool {
    table.fields.contains_key("value") || table.fields.contains_key("type")
}
