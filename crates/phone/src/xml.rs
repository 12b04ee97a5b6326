//! Reads the XML of a configuration file the way a phone does: attributes of any element, anywhere.
//!
//! Decides whether bytes are a well-formed file and which attributes it holds, in document order.
//! Never knows what an attribute means. Rule: XML 1.0; element names are free (domain: `<PHONE>`,
//! `<set>`, `<polycomConfig>` are all seen in the field).

use std::collections::BTreeSet;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

/// One element with its attributes, both in document order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Element {
    /// The element's name as written.
    pub name: String,
    /// Attribute names and their values, entities resolved.
    pub attributes: Vec<(String, String)>,
}

/// Why a file is no XML a phone would take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum XmlError {
    /// The bytes are no UTF-8 text.
    #[error("byte {at} is not UTF-8")]
    NotUtf8 {
        /// Offset of the first bad byte.
        at: usize,
    },
    /// A character that XML 1.0 cannot hold.
    #[error("character U+{character:04X} cannot stand in XML")]
    Character {
        /// The code point found.
        character: u32,
    },
    /// Broken structure: an unclosed element, a stray bracket, an unknown entity.
    #[error("line {line}: {problem}")]
    Malformed {
        /// Line of the problem, counted from 1.
        line: usize,
        /// The reader's words.
        problem: String,
    },
    /// The same attribute twice in one element.
    #[error("line {line}: attribute `{attribute}` is there twice")]
    Duplicate {
        /// Line where the element ends.
        line: usize,
        /// The attribute's name.
        attribute: String,
    },
    /// No root element, two of them, or text beside it.
    #[error("line {line}: expected exactly one root element and nothing beside it")]
    Root {
        /// Line of the problem, counted from 1.
        line: usize,
    },
}

/// Reads every element of the file.
///
/// # Errors
/// [`XmlError`] for anything that is not one well-formed document; never panics, whatever the bytes.
pub(crate) fn elements(file: &[u8]) -> Result<Vec<Element>, XmlError> {
    let text = std::str::from_utf8(file).map_err(|error| XmlError::NotUtf8 { at: error.valid_up_to() })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    refuse_bad_characters(text)?;
    Walk::new(text).run()
}

/// The letter behind a reference such as `amp` or `#233`; nothing behind a name XML does not know.
pub(crate) fn letter(reference: &str) -> Option<char> {
    let number = match reference.strip_prefix('#') {
        Some(digits) => match digits.strip_prefix('x') {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => digits.parse(),
        },
        None => {
            let known = [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\'')];
            return known.into_iter().find(|(name, _)| *name == reference).map(|(_, letter)| letter);
        }
    };
    char::from_u32(number.ok()?).filter(|letter| is_xml_character(*letter))
}

fn refuse_bad_characters(text: &str) -> Result<(), XmlError> {
    match text.chars().find(|c| !is_xml_character(*c)) {
        None => Ok(()),
        Some(character) => Err(XmlError::Character { character: u32::from(character) }),
    }
}

/// XML 1.0 section 2.2, `Char`; surrogates cannot occur in a `char`.
fn is_xml_character(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

struct Walk<'text> {
    text: &'text str,
    reader: quick_xml::Reader<&'text [u8]>,
    found: Vec<Element>,
    depth: usize,
}

impl<'text> Walk<'text> {
    fn new(text: &'text str) -> Self {
        let mut reader = quick_xml::Reader::from_str(text);
        reader.config_mut().enable_all_checks(true);
        Self { text, reader, found: Vec::new(), depth: 0 }
    }

    fn run(mut self) -> Result<Vec<Element>, XmlError> {
        loop {
            let event = self.reader.read_event().map_err(|error| self.malformed(&error))?;
            match event {
                Event::Start(tag) => {
                    self.element(&tag)?;
                    self.depth = self.depth.saturating_add(1);
                }
                Event::Empty(tag) => self.element(&tag)?,
                Event::End(_) => self.depth = self.depth.saturating_sub(1),
                Event::Text(text) => {
                    if self.depth == 0 && !text.trim().is_empty() {
                        return Err(self.root());
                    }
                }
                Event::CData(_) if self.depth == 0 => return Err(self.root()),
                Event::GeneralRef(name) => self.reference(&name)?,
                Event::Eof => break,
                Event::CData(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
        if self.depth > 0 || self.found.is_empty() {
            return Err(self.root());
        }
        Ok(self.found)
    }

    fn element(&mut self, tag: &BytesStart<'_>) -> Result<(), XmlError> {
        if self.depth == 0 && !self.found.is_empty() {
            return Err(self.root());
        }
        let mut names = BTreeSet::new();
        let mut attributes = Vec::new();
        // Checked below with a set: the reader's own check takes quadratic time.
        for attribute in tag.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| self.malformed(&error))?;
            let name = attribute.key.as_ref().to_owned();
            if attribute.value.contains('<') {
                return Err(self.malformed(&format_args!("`<` in the value of `{name}`")));
            }
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| self.malformed(&error))?;
            refuse_bad_characters(&value)?;
            if !names.insert(name.clone()) {
                return Err(XmlError::Duplicate { line: self.line(), attribute: name });
            }
            attributes.push((name, value.into_owned()));
        }
        self.found.push(Element { name: tag.name().as_ref().to_owned(), attributes });
        Ok(())
    }

    fn reference(&self, name: &str) -> Result<(), XmlError> {
        let known = name.starts_with('#') || matches!(name, "amp" | "lt" | "gt" | "quot" | "apos");
        if self.depth == 0 || !known {
            return Err(self.malformed(&format_args!("unknown entity `&{name};`")));
        }
        Ok(())
    }

    fn malformed(&self, problem: &dyn std::fmt::Display) -> XmlError {
        XmlError::Malformed { line: self.line(), problem: problem.to_string() }
    }

    fn root(&self) -> XmlError {
        XmlError::Root { line: self.line() }
    }

    fn line(&self) -> usize {
        let read = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
        let newlines = self.text.bytes().take(read).filter(|byte| *byte == b'\n').count();
        newlines.saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(file: &str) -> Vec<(String, String)> {
        elements(file.as_bytes()).unwrap().into_iter().flat_map(|element| element.attributes).collect()
    }

    #[test]
    fn attributes_of_any_element_at_any_depth_are_read_in_order() {
        let file = "<?xml version=\"1.0\"?><!-- x --><a one=\"1\"><b><c two='2'/></b>text<d three=\"\"/></a>";

        let read = values(file);

        let expected = [("one", "1"), ("two", "2"), ("three", "")];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn entities_and_newlines_written_as_references_survive() {
        let read = values("<a v=\"&quot;&amp;&lt;&gt;&#39;&#10;&#x5d0;\"/>");

        assert_eq!(read[0].1, "\"&<>'\n\u{5d0}");
    }

    #[test]
    fn the_same_attribute_twice_in_one_element_is_refused_with_its_line() {
        let error = elements(b"<a>\n<b v=\"1\" v=\"2\"/></a>").unwrap_err();

        assert_eq!(error.to_string(), "line 2: attribute `v` is there twice");
    }

    #[test]
    fn broken_files_are_refused() {
        let broken: [&[u8]; 13] = [
            b"",
            b"plain text",
            b"<a",
            b"<a>",
            b"<a></b>",
            b"<a/><b/>",
            b"<a/>tail",
            b"<a v=1/>",
            b"<a v=\"<\"/>",
            b"<a v=\"&nope;\"/>",
            b"<a v=\"&#1;\"/>",
            b"<a v=\"\x01\"/>",
            b"<a v=\"\xff\"/>",
        ];
        for file in broken {
            assert!(elements(file).is_err(), "{}", String::from_utf8_lossy(file));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(file in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = elements(&file);
        }

        #[test]
        fn no_text_that_looks_like_a_file_makes_it_panic(file in "[<>/a&;#x\"'= !\\[\\]?-]{0,80}") {
            let _ = elements(file.as_bytes());
        }
    }
}
