//! Turns the files a phone read into the values it works with.
//!
//! Decides which file wins, which device values are taken and what the phone ends up with. Never reads
//! a socket. Rules, all as facts of the catalog: the earlier file overrules the later; the phone's menu
//! overrules its web pages, which overrule the server; a device value counts only with its own mark and
//! the mark for all.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::facts::DeviceRule;
use crate::flash::{CachedFile, Memory};
use crate::xml::{self, XmlError};

/// Parameter names and values.
pub type Values = BTreeMap<String, String>;

/// What one set of files says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Ordinary parameters.
    pub(crate) ordinary: Values,
    /// Device parameters that carry their marks.
    pub(crate) device: Values,
    /// Device parameters without a mark, which the phone ignores.
    pub(crate) ignored: Vec<String>,
}

/// Reads one file; of a name written in two elements the earlier stands.
pub(crate) fn parameters(file: &[u8]) -> Result<Values, XmlError> {
    let mut values = Values::new();
    for element in xml::elements(file)? {
        for (name, value) in element.attributes {
            if let Entry::Vacant(free) = values.entry(name) {
                free.insert(value);
            }
        }
    }
    Ok(values)
}

/// Reads what the phone holds: its own overrides before the server's files.
///
/// Files that are no XML were refused when they came.
pub(crate) fn read(memory: &Memory, rule: &DeviceRule) -> Reading {
    let mut merged = memory.phone_overrides.clone();
    let mut add = |values: Values| {
        for (name, value) in values {
            merged.entry(name).or_insert(value);
        }
    };
    add(memory.web_overrides.clone());
    let file = |file: &CachedFile| parameters(file.text.as_bytes()).unwrap_or_default();
    match rule.earlier_file_wins {
        true => memory.files.iter().map(file).for_each(add),
        false => memory.files.iter().rev().map(file).for_each(add),
    }
    split(merged, rule)
}

fn split(merged: Values, rule: &DeviceRule) -> Reading {
    let mut reading = Reading::default();
    let marked = |name: &str| merged.get(name).is_some_and(|mark| mark == &rule.on);
    let all = marked(&rule.all);
    for (name, value) in &merged {
        if !name.starts_with(&rule.prefix) {
            reading.ordinary.insert(name.clone(), value.clone());
        } else if name.ends_with(&rule.suffix) {
            // A mark, not a value.
        } else if all && marked(&format!("{name}{}", rule.suffix)) {
            reading.device.insert(name.clone(), value.clone());
        } else {
            reading.ignored.push(name.clone());
        }
    }
    reading
}

/// What the phone works with: defaults are the phone's own and stay unlisted.
pub(crate) fn effective(memory: &Memory, rule: &DeviceRule) -> Values {
    let mut values = read(memory, rule).ordinary;
    values.extend(memory.device.clone());
    values
}

/// The parameters whose change from `before` to `after` makes the phone start again.
pub(crate) fn restart_causes(before: &Values, after: &Values, rule: &DeviceRule) -> Vec<String> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names
        .into_iter()
        .filter(|name| rule.restart_prefixes.iter().any(|prefix| name.starts_with(prefix)))
        .filter(|name| before.get(*name) != after.get(*name))
        .cloned()
        .collect()
}

/// Writes an overrides file as the phone uploads it.
pub(crate) fn overrides_file(values: &Values) -> String {
    let attributes: String = values.iter().map(|(name, value)| format!("\n    {name}=\"{}\"", escape(value))).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<PHONE_CONFIG>\n  <OVERRIDES{attributes}/>\n</PHONE_CONFIG>\n"
    )
}

/// Whether `name` can stand as an attribute's name in an overrides file.
pub(crate) fn is_parameter_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && characters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

/// Writes a value so that it can stand in an attribute.
pub(crate) fn escape(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\n' => text.push_str("&#10;"),
            '\r' => text.push_str("&#13;"),
            '\t' => text.push_str("&#9;"),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rule() -> DeviceRule {
        DeviceRule {
            prefix: "device.".to_owned(),
            suffix: ".set".to_owned(),
            all: "device.set".to_owned(),
            on: "1".to_owned(),
            earlier_file_wins: true,
            restart_prefixes: vec!["device.".to_owned()],
        }
    }

    fn holding(files: &[&str]) -> Memory {
        let file = |text: &&str| CachedFile { name: "x.cfg".to_owned(), text: (*text).to_owned() };
        Memory { files: files.iter().map(file).collect(), ..Memory::default() }
    }

    #[test]
    fn the_earlier_file_overrules_the_later() {
        let memory = holding(&["<a label=\"first\"/>", "<a label=\"second\" other=\"2\"/>"]);

        let read = effective(&memory, &rule());

        assert_eq!(read["label"], "first");
        assert_eq!(read["other"], "2");
    }

    #[test]
    fn a_device_value_counts_only_with_both_marks() {
        let cases = [
            ("<a device.x=\"5\"/>", false),
            ("<a device.set=\"1\" device.x=\"5\"/>", false),
            ("<a device.x.set=\"1\" device.x=\"5\"/>", false),
            ("<a device.set=\"0\" device.x.set=\"1\" device.x=\"5\"/>", false),
            ("<a device.set=\"1\"/>", false),
            ("<a device.set=\"1\" device.x.set=\"1\" device.x=\"5\"/>", true),
        ];
        for (text, taken) in cases {
            let read = read(&holding(&[text]), &rule());
            assert_eq!(read.device.contains_key("device.x"), taken, "{text}");
        }
    }

    #[test]
    fn a_device_value_among_the_overrides_needs_its_marks_too() {
        let unmarked = Values::from([("device.x".to_owned(), "5".to_owned())]);
        let memory = Memory { web_overrides: unmarked, ..Memory::default() };

        assert!(effective(&memory, &rule()).is_empty());
        assert_eq!(read(&memory, &rule()).ignored, ["device.x"]);
    }

    #[test]
    fn the_menu_overrules_the_web_pages_and_those_the_server() {
        let named = |value: &str| Values::from([("label".to_owned(), value.to_owned())]);
        let mut memory = holding(&["<a label=\"server\"/>"]);
        assert_eq!(effective(&memory, &rule())["label"], "server");
        memory.web_overrides = named("web");
        assert_eq!(effective(&memory, &rule())["label"], "web");
        memory.phone_overrides = named("menu");
        assert_eq!(effective(&memory, &rule())["label"], "menu");
    }

    #[test]
    fn only_a_changed_device_value_makes_the_phone_start_again() {
        let values = |device: &str, label: &str| {
            Values::from([("device.x".to_owned(), device.to_owned()), ("reg.1.label".to_owned(), label.to_owned())])
        };
        let causes = |after| restart_causes(&values("1", "a"), &after, &rule());

        assert_eq!(causes(values("2", "a")), ["device.x"]);
        assert!(causes(values("1", "b")).is_empty());
    }

    proptest! {
        #[test]
        fn what_the_phone_uploads_it_reads_back(value in "[^\u{0}-\u{8}\u{b}\u{c}\u{e}-\u{1f}\u{fffe}\u{ffff}]*") {
            let values = Values::from([("reg.1.label".to_owned(), value)]);

            let read = parameters(overrides_file(&values).as_bytes()).unwrap();

            prop_assert_eq!(read, values);
        }
    }
}
