//! Says what somebody who wrote an unknown name most likely meant.

use std::collections::BTreeSet;

use super::super::problem::Wrong;
use super::Key;

/// More changed letters than this make another word.
const MOST_TYPOS: usize = 3;

/// The keys that are known.
pub(super) struct Known<'a>(pub(super) &'a BTreeSet<Key>);

impl Known<'_> {
    /// Whether `section` has any key; the top of the file always has.
    pub(super) fn has_section(&self, section: &str) -> bool {
        self.0.iter().any(|key| key.section == section)
    }

    pub(super) fn unknown_section(&self, section: &str) -> Wrong {
        if self.0.contains(&Key::new("", section)) {
            return Wrong::NotAValue { key: section.to_owned() };
        }
        let mut sections: BTreeSet<&str> = self.0.iter().map(|key| key.section.as_str()).collect();
        sections.remove("");
        let advice = match nearest(section, sections.iter().copied()) {
            Some(meant) => format!("did you mean [{meant}]?"),
            None => format!("the sections are {}", listed(sections.into_iter())),
        };
        Wrong::UnknownSection { section: section.to_owned(), advice }
    }

    /// Why nothing asked for `key`, whose value is `found`.
    pub(super) fn unknown_key(&self, key: &Key, found: &'static str) -> Wrong {
        if key.section.is_empty() && self.has_section(&key.name) {
            return Wrong::NotASection { section: key.name.clone(), found };
        }
        let siblings = || self.0.iter().filter(|known| known.section == key.section);
        let elsewhere = || self.0.iter().find(|known| known.name == key.name);
        let near = nearest(&key.name, siblings().map(|known| known.name.as_str()));
        let near = near.map(|name| Key::new(&key.section, name));
        let advice = match near.as_ref().or_else(elsewhere) {
            Some(meant) => format!("did you mean `{}`?", meant.dotted()),
            None => format!("known here are {}", listed(siblings().map(|known| known.name.as_str()))),
        };
        Wrong::UnknownKey { key: key.dotted(), advice }
    }

    pub(super) fn unknown_variable(&self, name: &str) -> Wrong {
        let variables: Vec<String> = self.0.iter().map(Key::variable).collect();
        let advice = match nearest(name, variables.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean {meant}?"),
            None => "a variable is named after its key, as PROVOST_LISTEN__CONSOLE is after listen.console".to_owned(),
        };
        Wrong::UnknownVariable { advice }
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// The one of `names` that is fewest typos away from `word`, if it is few.
fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = MOST_TYPOS.min(word.chars().count() / 2);
    names.map(|name| (typos(word, name), name)).filter(|(count, _)| *count <= most).min().map(|(_, name)| name)
}

/// How many letters must be put in, left out or changed to make one of the other (Levenshtein).
fn typos(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut diagonal = line;
        let mut left = line.saturating_add(1);
        let mut next = vec![left];
        for (above, expected) in row.iter().skip(1).zip(&other) {
            let changed = diagonal.saturating_add(usize::from(letter != *expected));
            left = changed.min(left.saturating_add(1)).min(above.saturating_add(1));
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typos_are_counted_in_letters() {
        assert_eq!(typos("consle", "console"), 1);
        assert_eq!(typos("data_dir", "data-dir"), 1);
        assert_eq!(typos("", "abc"), 3);
        assert_eq!(typos("kitten", "sitting"), 3);
        assert_eq!(typos("same", "same"), 0);
    }

    #[test]
    fn a_wholly_different_word_is_near_to_nothing() {
        assert_eq!(nearest("sip", ["tls", "log"].into_iter()), None);
        assert_eq!(nearest("ab", ["cd"].into_iter()), None);
    }
}
