//! Checks that need more than one entry: references, uniqueness, and rules of ours.

use crate::catalog::Catalog;
use crate::constant::Stage;
use crate::merge::Entries;
use crate::reader::{Errors, Problem};
use crate::tree::{Node, Place, Table, Value};
use std::collections::BTreeMap;

/// Refuses names of families, models and boot sequences that do not exist, and words of two models.
pub(crate) fn references(entries: &Entries, errors: &mut Errors) {
    let families = names(entries, "family");
    let models = names(entries, "model");
    let boots = names(entries, "boot-sequence");
    for model in entries.of("model") {
        resolve(text_at(model, "family"), ("family", &families), errors);
        resolve(text_at(model, "boot-sequence"), ("boot sequence", &boots), errors);
    }
    let lines = names(entries, "firmware-line");
    for hardware in entries.of("hardware") {
        resolve(text_at(hardware, "line"), ("firmware line", &lines), errors);
    }
    handsets(entries, &models, errors);
    for boot in entries.of("boot-sequence") {
        resolve(text_at(boot, "instead-of"), ("boot sequence", &boots), errors);
    }
    for (place, family) in entries.only("phone-rules").into_iter().flat_map(early_families) {
        resolve(Some((place, family)), ("family", &families), errors);
    }
    for setting in entries.of("setting") {
        for (place, family) in texts_at(setting, "families") {
            resolve(Some((place, family)), ("family", &families), errors);
        }
    }
    for constant in entries.of("constant") {
        resolve(text_at(constant, "family"), ("family", &families), errors);
        resolve(text_at(constant, "model"), ("model", &models), errors);
    }
    for guide in entries.of("guide") {
        for (place, family) in texts_at(guide, "families") {
            resolve(Some((place, family)), ("family", &families), errors);
        }
    }
    let guides = names(entries, "guide");
    for symptom in entries.of("symptom") {
        resolve(text_at(symptom, "guide"), ("guide", &guides), errors);
    }
    for key in ["user-agent-tokens", "part-numbers"] {
        unique(entries.of("model").flat_map(|model| texts_at(model, key)), key, errors);
        unique(entries.of("hardware").flat_map(|hardware| texts_at(hardware, key)), key, errors);
    }
    let zones = entries.of("country").flat_map(|country| texts_at(country, "time-zones"));
    unique(zones, "time-zones", errors);
    unique(constant_uses(entries).iter().map(|(place, use_)| (place, use_.as_str())), "parameter", errors);
}

/// Refuses hardware, models, trees and menus that do not exist, and hardware that two handsets claim.
fn handsets(entries: &Entries, models: &[String], errors: &mut Errors) {
    let hardware = names(entries, "hardware");
    let (trees, menus) = (names(entries, "menu-tree"), names(entries, "menu"));
    for handset in entries.of("handset") {
        for (place, model) in texts_at(handset, "models") {
            resolve(Some((place, model)), ("hardware", &hardware), errors);
        }
        resolve(text_at(handset, "boots-like"), ("model", models), errors);
        resolve(text_at(handset, "menus"), ("menu tree", &trees), errors);
    }
    unique(entries.of("handset").flat_map(|handset| texts_at(handset, "models")), "models", errors);
    for tree in entries.of("menu-tree") {
        for key in ["main", "setup", "leave"] {
            resolve(text_at(tree, key), ("menu", &menus), errors);
        }
    }
    for row in entries.of("menu").flat_map(|menu| tables_at(menu, "rows")) {
        resolve(text_at(row, "opens"), ("menu", &menus), errors);
    }
}

/// The tables of a list.
fn tables_at<'a>(table: &'a Table, key: &str) -> Vec<&'a Table> {
    let Some(Value::List(items)) = table.fields.get(key).map(|node| &node.value) else {
        return Vec::new();
    };
    let tables = items.iter().filter_map(|item| match &item.value {
        Value::Table(table) => Some(table),
        _ => None,
    });
    tables.collect()
}

/// The families that early firmware called otherwise.
fn early_families<'a>(rules: &'a Table) -> Vec<(&'a Place, &'a str)> {
    let Some(Value::List(items)) = rules.fields.get("user-agent-early-families").map(|node| &node.value) else {
        return Vec::new();
    };
    let inside = |node: &'a Node, key: &str| match &node.value {
        Value::Table(table) => table.fields.get(key),
        _ => None,
    };
    items.iter().filter_map(|item| text_of(inside(inside(item, "value")?, "family")?)).collect()
}

/// Each stage a constant's parameter is written in, as text that two constants may not share.
fn constant_uses(entries: &Entries) -> Vec<(Place, String)> {
    let mut uses = Vec::new();
    for constant in entries.of("constant") {
        let Some((place, parameter)) = text_at(constant, "parameter") else {
            continue;
        };
        let scope = text_at(constant, "model").or_else(|| text_at(constant, "family"));
        let scope = scope.map_or("all phones", |(_, scope)| scope);
        let bounded = constant.fields.contains_key("firmware");
        for (_, stage) in texts_at(constant, "stages").into_iter().filter(|_| !bounded) {
            uses.push((place.clone(), format!("{parameter} ({stage}, {scope})")));
        }
    }
    uses
}

/// Refuses platform parameters in the bootstrap, enable keys where they do not belong, and other parameters in menus.
pub(crate) fn platform_parameters(catalog: &Catalog, entries: &Entries, errors: &mut Errors) {
    let prefix = catalog.phone_rules().device_prefix.value.as_str();
    for row in entries.of("menu").flat_map(|menu| tables_at(menu, "rows")) {
        let edited = text_at(row, "edits").filter(|(_, parameter)| !parameter.starts_with(prefix));
        if let Some((place, parameter)) = edited {
            let expected = "a platform parameter: menus change no other";
            errors.push(place, Problem::Malformed { found: parameter.to_owned(), expected });
        }
    }
    for table in entries.of("setting").chain(entries.of("constant")) {
        let Some((place, parameter)) = text_at(table, "parameter") else {
            continue;
        };
        let on_platform = parameter.to_ascii_lowercase().starts_with(&prefix.to_ascii_lowercase());
        let enable = table.fields.get("enable").map(|node| &node.value);
        let enable = matches!(enable, Some(Value::Boolean(true)));
        let (parameter, prefix) = (parameter.to_owned(), prefix.to_owned());
        if enable != on_platform {
            let problem = Problem::EnableMismatch { parameter, expected: on_platform, prefix };
            errors.push(table.place_of("enable"), problem);
            continue;
        }
        let mut stages = texts_at(table, "stages").into_iter();
        if on_platform && stages.any(|(_, stage)| stage == Stage::Bootstrap.as_str()) {
            errors.push(place, Problem::DeviceParameterInBootstrap { parameter, prefix });
        }
    }
}

fn names(entries: &Entries, section: &str) -> Vec<String> {
    let ids = entries.of(section).filter_map(|table| text_at(table, "id"));
    ids.map(|(_, id)| id.to_owned()).collect()
}

fn resolve(name: Option<(&Place, &str)>, known: (&'static str, &[String]), errors: &mut Errors) {
    let Some((place, found)) = name else { return };
    let (what, expected) = known;
    if !expected.iter().any(|name| name == found) {
        let (found, expected) = (found.to_owned(), expected.to_vec());
        errors.push(place, Problem::Unresolved { what, found, expected });
    }
}

fn unique<'a>(texts: impl Iterator<Item = (&'a Place, &'a str)>, key: &str, errors: &mut Errors) {
    let mut seen: BTreeMap<&str, &Place> = BTreeMap::new();
    for (place, text) in texts {
        if let Some(first) = seen.insert(text, place) {
            let what = format!("{key} `{text}`");
            let (file, line) = (first.file.to_string(), first.line);
            errors.push(place, Problem::Duplicate { what, file, line });
        }
    }
}

/// The text of a field, whether written plainly or as a fact.
fn text_at<'a>(table: &'a Table, key: &str) -> Option<(&'a Place, &'a str)> {
    text_of(table.fields.get(key)?)
}

/// The texts of a list, whether written plainly or as facts.
fn texts_at<'a>(table: &'a Table, key: &str) -> Vec<(&'a Place, &'a str)> {
    match table.fields.get(key).map(|node| &node.value) {
        Some(Value::List(items)) => items.iter().filter_map(text_of).collect(),
        _ => Vec::new(),
    }
}

fn text_of(node: &Node) -> Option<(&Place, &str)> {
    match &node.value {
        Value::Text(text) => Some((&node.place, text)),
        Value::Table(fact) => text_of(fact.fields.get("value")?),
        _ => None,
    }
}
