use crate::built_in::BUILT_IN;
use crate::reader::Errors;
use crate::tree::{Node, Table, Value, parse};
use crate::{Catalog, SourceText};
use std::collections::BTreeSet;
use std::path::Path;

const SOURCES: &str = include_str!("../../../../catalog/SOURCES.md");

#[test]
fn every_file_is_free_of_mistakes() {
    if let Err(errors) = Catalog::built_in() {
        panic!("{errors}");
    }
}

#[test]
fn every_file_of_the_folder_is_built_in() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let names = entries.map(|name| name.into_string().unwrap());
    let in_folder: BTreeSet<String> =
        names.filter(|name| name.ends_with(".toml")).map(|name| format!("catalog/{name}")).collect();

    let built_in: BTreeSet<String> = BUILT_IN.iter().map(|file| file.name.to_owned()).collect();

    assert_eq!(built_in, in_folder);
}

/// The texts in backticks that begin a list item.
fn items() -> BTreeSet<&'static str> {
    let item = |line: &'static str| line.strip_prefix("- `")?.split_once('`').map(|(item, _)| item);
    SOURCES.lines().filter_map(item).collect()
}

/// Calls `see` with each table of a file and the way to it.
fn walk(way: &str, table: &Table, see: &mut impl FnMut(&str, &Table)) {
    see(way, table);
    for (key, node) in &table.fields {
        let way = if key == "value" { way.to_owned() } else { format!("{way} {key}") };
        walk_node(&way, node, see);
    }
}

fn walk_node(way: &str, node: &Node, see: &mut impl FnMut(&str, &Table)) {
    match &node.value {
        Value::Table(table) => {
            let name = table.fields.get("id").map(|id| &id.value);
            match name {
                Some(Value::Text(id)) => walk(&format!("{way} {id}"), table, see),
                _ => walk(way, table, see),
            }
        }
        Value::List(items) => items.iter().for_each(|item| walk_node(way, item, see)),
        _ => {}
    }
}

fn each_table(mut see: impl FnMut(&str, &Table)) {
    let mut errors = Errors::default();
    for SourceText { name, text } in BUILT_IN {
        walk("", &parse(name, text, &mut errors), &mut see);
    }
    errors.into_result().unwrap();
}

fn text<'a>(table: &'a Table, key: &str) -> Option<&'a str> {
    match &table.fields.get(key)?.value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

#[test]
fn every_source_is_explained() {
    let known = items();
    let mut unexplained = BTreeSet::new();

    each_table(|way, table| {
        for key in text(table, "source").into_iter().flat_map(|keys| keys.split(", ")) {
            if !known.contains(key) {
                unexplained.insert(format!("{key} ({})", way.trim()));
            }
        }
    });

    assert!(unexplained.is_empty(), "{unexplained:#?}");
}

#[test]
fn every_explained_source_is_used() {
    let mut used = BTreeSet::new();
    each_table(|_, table| {
        used.extend(text(table, "source").into_iter().flat_map(|k| k.split(", ")).map(str::to_owned));
    });

    let keys = SOURCES.split("## Inferred").next().unwrap();
    let unused: Vec<&str> =
        items().into_iter().filter(|item| keys.contains(&format!("- `{item}`")) && !used.contains(*item)).collect();

    assert!(unused.is_empty(), "{unused:#?}");
}

#[test]
fn exactly_what_is_inferred_is_listed_and_noted() {
    let mut inferred = BTreeSet::new();
    each_table(|way, table| {
        if text(table, "evidence") == Some("inferred") {
            inferred.insert(way.trim().to_owned());
            assert!(text(table, "note").is_some(), "{way} is inferred without a note");
        }
    });

    let list = SOURCES.split("## Inferred").nth(1).expect("SOURCES.md has a list of what is inferred");
    let item = |line: &str| Some(line.strip_prefix("- `")?.split_once('`')?.0.to_owned());
    let listed: BTreeSet<String> = list.lines().filter_map(item).collect();

    let missing: Vec<_> = inferred.difference(&listed).collect();
    let stale: Vec<_> = listed.difference(&inferred).collect();
    assert!(missing.is_empty() && stale.is_empty(), "missing {missing:#?}\nstale {stale:#?}");
}

#[test]
fn nothing_is_said_to_be_unsupported_that_is_served() {
    let catalog = Catalog::built_in().unwrap();
    let served: BTreeSet<_> = catalog.models().map(|model| model.name.value.to_lowercase()).collect();

    assert!(!catalog.unsupported().is_empty());
    for entry in catalog.unsupported() {
        for model in &entry.models {
            assert!(!served.contains(&model.to_lowercase()), "{model} in {}", entry.id);
        }
    }
}

#[test]
fn every_model_has_a_handset_with_the_same_reset_keys() {
    let catalog = Catalog::built_in().unwrap();

    for model in catalog.models() {
        let handset = catalog.handset(&model.id).unwrap_or_else(|| panic!("{} has no handset", model.id));
        let keys = |keys: &Option<crate::Fact<Vec<String>>>| keys.as_ref().map(|keys| keys.value.clone());
        assert_eq!(keys(&model.reset_keys), keys(&handset.reset_keys), "{}", model.id);
        assert!(catalog.menu_tree(handset).is_some());
    }
}
