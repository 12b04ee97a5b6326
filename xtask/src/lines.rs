//! Checks how long source files are, that a note about missing work names its issue, and that no
//! test is switched off: one that cannot run here prints `skipped: why`, which `./test` counts.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Failure, say};

/// Above this a file is listed, since it wants to be two.
const LONG: usize = 400;
/// Above this the check fails.
const TOO_LONG: usize = 700;

/// Where the project's own text lies. What is built, fetched or generated lies elsewhere.
const FOLDERS: [&str; 7] = ["crates", "xtask", "tests", "packaging", "catalog", "migrations", ".ci"];
const FILES: [&str; 3] = ["provost", "test", "bench"];

/// Files of the tests' own making, and pictures, hold no notes of ours.
const WITH_NOTES: [&str; 9] = ["rs", "toml", "sql", "html", "css", "js", "sh", "py", ""];

/// In two parts, or this file would be refused itself.
const NOTES: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// In two parts for the same reason.
const SWITCHED_OFF: &str = concat!("#[", "ignore");

/// Fails naming each file that is too long, each note without an issue and each test switched off.
pub(crate) fn check(root: &Path) -> Result<(), Failure> {
    let mut paths: Vec<PathBuf> = FILES.iter().map(|name| root.join(name)).filter(|path| path.is_file()).collect();
    for folder in FOLDERS.iter().map(|name| root.join(name)).filter(|path| path.is_dir()) {
        collect(&folder, &mut paths)?;
    }
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if !WITH_NOTES.contains(&extension) {
            continue;
        }
        let text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        found.extend(bare_notes(&name, &text));
        found.extend(switched_off(&name, &text));
        match text.lines().count() {
            count if extension == "rs" && count > TOO_LONG => {
                found.push(format!("{name}: {count} lines, at most {TOO_LONG}; split it"));
            }
            count if extension == "rs" && count > LONG => say(&format!("{name}: {count} lines; {LONG} is the aim\n")),
            _ => {}
        }
    }
    if found.is_empty() { Ok(()) } else { Err(found.into()) }
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() && entry.file_name() != "target" && entry.file_name() != "node_modules" {
            collect(&entry.path(), paths)?;
        } else if kind.is_file() {
            paths.push(entry.path());
        }
    }
    Ok(())
}

/// Each note in `text` that is not followed by an issue's number, as `(#41)`.
fn bare_notes(name: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for note in NOTES {
            if words(line, note).any(|rest| !names_issue(rest)) {
                let number = index.saturating_add(1);
                found.push(format!("{name}:{number}: {note} without an issue; write {note}(#41): and the fact"));
            }
        }
    }
    found
}

/// Each test in `text` that would not be run.
fn switched_off(name: &str, text: &str) -> Vec<String> {
    let lines = text.lines().enumerate().filter(|(_, line)| line.contains(SWITCHED_OFF));
    let numbers = lines.map(|(index, _)| index.saturating_add(1));
    numbers
        .map(|number| format!("{name}:{number}: a test is switched off; print `skipped: why` in it instead"))
        .collect()
}

/// What follows each place where `word` stands in `line` as a word of its own.
fn words<'a>(line: &'a str, word: &'a str) -> impl Iterator<Item = &'a str> {
    line.match_indices(word).filter_map(move |(start, _)| {
        let before = line.get(..start)?.chars().next_back();
        let rest = line.get(start.saturating_add(word.len())..)?;
        let part_of_word =
            |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
        (!part_of_word(before) && !part_of_word(rest.chars().next())).then_some(rest)
    })
}

fn names_issue(rest: &str) -> bool {
    let number = rest.strip_prefix("(#").and_then(|rest| rest.split_once(')')).map(|(number, _)| number);
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTE: &str = NOTES[0];

    #[test]
    fn a_note_without_an_issue_is_found_with_its_line() {
        let found = bare_notes("a.rs", &format!("fn a() {{}}\n// {NOTE}: later\n"));

        assert_eq!(found, [format!("a.rs:2: {NOTE} without an issue; write {NOTE}(#41): and the fact")]);
    }

    #[test]
    fn a_note_with_its_issue_is_fine() {
        assert_eq!(bare_notes("a.rs", &format!("// {NOTE}(#41): option 82 is ignored")), Vec::<String>::new());
        assert_eq!(bare_notes("a.rs", &format!("// {NOTE}(#): later")).len(), 1);
        assert_eq!(bare_notes("a.rs", &format!("// {NOTE}(anna): later")).len(), 1);
    }

    #[test]
    fn a_test_that_is_switched_off_is_found_with_its_line() {
        let found = switched_off("a.rs", &format!("#[test]\n{SWITCHED_OFF} = \"slow\"]\nfn a() {{}}\n"));

        assert_eq!(found, ["a.rs:2: a test is switched off; print `skipped: why` in it instead"]);
    }

    #[test]
    fn a_word_that_only_contains_the_note_is_another_word() {
        assert_eq!(bare_notes("a.rs", &format!("const {NOTE}_LIST: u8 = 1; // MAS{NOTE}N")), Vec::<String>::new());
    }
}
