//! Writes the XML that phones read, and reads it back before anybody else does.
//!
//! Decides how any text becomes an attribute or element so that it comes out again exactly: nothing a
//! name or password holds can add a parameter (docs/THREATS.md, rule 11). Text that XML 1.0 cannot
//! hold at all is an error, never dropped.

use quick_xml::Reader;
use quick_xml::events::Event;
use std::collections::BTreeSet;
use std::fmt::Write;

/// Why a document was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// A character outside XML 1.0's.
    #[error("`{name}` holds the character U+{code:04X}, which XML cannot carry")]
    Character {
        /// Attribute or element.
        name: String,
        /// The character's code point.
        code: u32,
    },
    /// A name that is no XML name.
    #[error("`{name}` cannot be the name of a parameter")]
    Name {
        /// The name.
        name: String,
    },
    /// The same parameter twice.
    #[error("the parameter `{name}` stands twice in one file")]
    Duplicate {
        /// The parameter.
        name: String,
    },
    /// Reading back gave something else: a bug, and the file is not served.
    #[error("reading `{name}` back gave another value than was written")]
    ReadBack {
        /// What differed.
        name: String,
    },
}

/// One element with its attributes in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Element name.
    pub name: String,
    /// Attribute names and values.
    pub attributes: Vec<(String, String)>,
}

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";

/// Writes one root element that holds `elements`, reads it back and compares.
///
/// # Errors
/// [`XmlError`] names the attribute at fault; no partial document is returned.
pub fn attributes_document(root: &str, elements: &[Element]) -> Result<String, XmlError> {
    check_name(root)?;
    let mut seen = BTreeSet::new();
    let mut text = String::from(DECLARATION);
    let mut put = |piece: &str| text.push_str(piece);
    put("<");
    put(root);
    put(">\n");
    for element in elements {
        check_name(&element.name)?;
        put("  <");
        put(&element.name);
        for (name, value) in &element.attributes {
            check_name(name)?;
            if !seen.insert(name.as_str()) {
                return Err(XmlError::Duplicate { name: name.clone() });
            }
            put("\n    ");
            put(name);
            put("=\"");
            put(&escaped(name, value)?);
            put("\"");
        }
        put("/>\n");
    }
    put("</");
    put(root);
    put(">\n");
    let wanted = elements.iter().flat_map(|element| element.attributes.iter());
    let read = read_attributes(&text).map_err(|_| XmlError::ReadBack { name: root.to_owned() })?;
    same_in_order(wanted, read.iter())?;
    Ok(text)
}

/// Writes a single element without content: the shape of a master file.
///
/// # Errors
/// As [`attributes_document`].
pub fn single_element(element: &Element) -> Result<String, XmlError> {
    check_name(&element.name)?;
    let mut text = String::from(DECLARATION);
    text.push('<');
    text.push_str(&element.name);
    let mut seen = BTreeSet::new();
    for (name, value) in &element.attributes {
        check_name(name)?;
        if !seen.insert(name.as_str()) {
            return Err(XmlError::Duplicate { name: name.clone() });
        }
        text.push_str("\n  ");
        text.push_str(name);
        text.push_str("=\"");
        text.push_str(&escaped(name, value)?);
        text.push('"');
    }
    text.push_str("/>\n");
    let read = read_attributes(&text).map_err(|_| XmlError::ReadBack { name: element.name.clone() })?;
    same_in_order(element.attributes.iter(), read.iter())?;
    Ok(text)
}

/// Writes `<root><list><item>…` with one text element per field: the shape of a directory.
///
/// # Errors
/// As [`attributes_document`].
pub fn items_document(names: [&str; 3], items: &[Vec<(&str, String)>]) -> Result<String, XmlError> {
    let [root, list, item] = names;
    for name in names {
        check_name(name)?;
    }
    let mut text = format!("{DECLARATION}<{root}>\n  <{list}>\n");
    for fields in items {
        let _ = write!(text, "    <{item}>");
        for (name, value) in fields {
            check_name(name)?;
            let _ = write!(text, "<{name}>{}</{name}>", escaped(name, value)?);
        }
        let _ = writeln!(text, "</{item}>");
    }
    let _ = write!(text, "  </{list}>\n</{root}>\n");
    let wanted: Vec<&str> = items.iter().flatten().map(|(_, value)| value.as_str()).collect();
    if read_leaf_texts(&text).is_none_or(|read| read != wanted) {
        return Err(XmlError::ReadBack { name: root.to_owned() });
    }
    Ok(text)
}

/// What somebody else wrote, read as far as it can be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Names and values of all elements' attributes, in order.
    pub list: Vec<(String, String)>,
    /// Whether that is everything the text holds.
    pub is_whole: bool,
}

/// Far more than a phone has settings.
const MOST_PARAMETERS: usize = 5000;
const MOST_NAME_BYTES: usize = 200;
const MOST_VALUE_BYTES: usize = 8192;

/// Reads the parameters of a file that a phone wrote: anything may stand in it, so nothing of it is believed and nothing
/// of it is an error. What is broken, or larger than any phone writes, is left out and said.
pub fn parameters(bytes: &[u8]) -> Parameters {
    let text = String::from_utf8_lossy(bytes);
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    let config = reader.config_mut();
    (config.check_end_names, config.allow_unmatched_ends, config.allow_dangling_amp) = (false, true, true);
    let mut read = Parameters { list: Vec::new(), is_whole: true };
    loop {
        match reader.read_event() {
            Ok(Event::Start(element) | Event::Empty(element)) => {
                for attribute in element.attributes().with_checks(false) {
                    let Ok(attribute) = attribute else {
                        read.is_whole = false;
                        continue;
                    };
                    let name: &str = attribute.key.as_ref();
                    // What is no parameter, such as a version or a namespace, has no dot.
                    if !name.contains('.') || check_name(name).is_err() {
                        continue;
                    }
                    let value = match quick_xml::escape::unescape(&attribute.value) {
                        Ok(value) => value.into_owned(),
                        Err(_) => attribute.value.to_string(),
                    };
                    let fits = name.len() <= MOST_NAME_BYTES && value.len() <= MOST_VALUE_BYTES;
                    if !fits || read.list.len() >= MOST_PARAMETERS {
                        read.is_whole = false;
                        continue;
                    }
                    read.list.push((name.to_owned(), value));
                }
            }
            Ok(Event::Eof) => return read,
            Ok(_) => {}
            Err(_) => {
                read.is_whole = false;
                return read;
            }
        }
    }
}

fn same_in_order<'a>(
    wanted: impl Iterator<Item = &'a (String, String)>,
    mut read: impl Iterator<Item = &'a (String, String)>,
) -> Result<(), XmlError> {
    for pair in wanted {
        if read.next() != Some(pair) {
            return Err(XmlError::ReadBack { name: pair.0.clone() });
        }
    }
    match read.next() {
        Some((name, _)) => Err(XmlError::ReadBack { name: name.clone() }),
        None => Ok(()),
    }
}

fn check_name(name: &str) -> Result<(), XmlError> {
    let good = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    if good { Ok(()) } else { Err(XmlError::Name { name: name.to_owned() }) }
}

/// The text with everything escaped that would mean something, or be normalized, inside an attribute.
fn escaped(name: &str, value: &str) -> Result<String, XmlError> {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // An XML reader turns these into spaces unless they come as references.
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\t' => out.push_str("&#9;"),
            c if is_xml_character(c) => out.push(c),
            c => return Err(XmlError::Character { name: name.to_owned(), code: u32::from(c) }),
        }
    }
    Ok(out)
}

/// Whether XML 1.0 can hold the character. Source: XML 1.0 (fifth edition), production 2.
pub const fn is_xml_character(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')
}

/// All attributes of all elements, in order.
fn read_attributes(text: &str) -> Result<Vec<(String, String)>, quick_xml::Error> {
    let mut reader = Reader::from_str(text);
    let mut read = Vec::new();
    loop {
        match reader.read_event()? {
            Event::Start(element) | Event::Empty(element) => {
                for attribute in element.attributes() {
                    let attribute = attribute?;
                    let name = attribute.key.as_ref().to_owned();
                    let value = quick_xml::escape::unescape(&attribute.value)?.into_owned();
                    read.push((name, value));
                }
            }
            Event::Eof => return Ok(read),
            _ => {}
        }
    }
}

/// The texts of the fields (root, list, item, field: the fourth level), in order; `None` when broken.
fn read_leaf_texts(text: &str) -> Option<Vec<String>> {
    const FIELD_LEVEL: usize = 4;
    let mut reader = Reader::from_str(text);
    let mut fields = Vec::new();
    let (mut level, mut field) = (0usize, String::new());
    loop {
        match reader.read_event().ok()? {
            Event::Start(_) => {
                level = level.checked_add(1)?;
                field.clear();
            }
            Event::Text(piece) => field.push_str(&piece),
            Event::GeneralRef(reference) => {
                let name: &str = &reference;
                field.push_str(&quick_xml::escape::unescape(&format!("&{name};")).ok()?);
            }
            Event::End(_) => {
                if level == FIELD_LEVEL {
                    fields.push(std::mem::take(&mut field));
                }
                level = level.checked_sub(1)?;
            }
            Event::Eof => return Some(fields),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(value: &str) -> Result<String, XmlError> {
        let attributes = vec![("reg.1.label".to_owned(), value.to_owned())];
        attributes_document("polycomConfig", &[Element { name: "reg".to_owned(), attributes }])
    }

    #[test]
    fn what_means_something_to_xml_is_only_text() {
        let text = one("\" evil=\"1\"/><a b='\u{202e}&\n\t").unwrap();

        assert!(!text.contains("evil=\"1"), "{text}");
        assert!(text.contains("&#10;&#9;"), "{text}");
    }

    #[test]
    fn a_character_xml_cannot_hold_is_an_error() {
        assert!(matches!(one("a\u{0}b"), Err(XmlError::Character { code: 0, .. })));
        assert!(matches!(one("a\u{fffe}"), Err(XmlError::Character { .. })));
    }

    #[test]
    fn a_parameter_that_stands_twice_is_an_error() {
        let element =
            Element { name: "a".into(), attributes: vec![("x".into(), "1".into()), ("x".into(), "2".into())] };
        assert_eq!(attributes_document("r", &[element]), Err(XmlError::Duplicate { name: "x".into() }));
    }

    #[test]
    fn what_a_phone_wrote_is_read_as_far_as_it_can_be() {
        let of = |text: &str| parameters(text.as_bytes());
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());

        let good =
            of("<?xml version=\"1.0\"?><PHONE_CONFIG><OVERRIDES up.x=\"a &amp; b\" lcl.y='2' id='3'/></PHONE_CONFIG>");
        assert_eq!(good, Parameters { list: vec![pair("up.x", "a & b"), pair("lcl.y", "2")], is_whole: true });
        let cut = of("<PHONE_CONFIG><OVERRIDES up.x=\"1\"/><OVERRIDES up.y=\"2");
        assert_eq!(cut, Parameters { list: vec![pair("up.x", "1")], is_whole: false });
        assert!(of("").list.is_empty() && of("no xml at all").list.is_empty());
        let many: String = (0..6000).map(|n| format!("<a p.{n}=\"1\"/>")).collect();
        assert!(!of(&many).is_whole && of(&many).list.len() == MOST_PARAMETERS);
        let bomb = "<!DOCTYPE a [<!ENTITY b \"c\">]><a p.q=\"&b;\"/>";
        assert_eq!(of(bomb).list, [pair("p.q", "&b;")], "an entity is text and is never expanded");
    }

    proptest! {
        #[test]
        fn no_bytes_stop_the_reading_of_what_a_phone_wrote(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parameters(&bytes);
        }

        #[test]
        fn what_provost_wrote_is_read_back_by_the_tolerant_reader_too(value in any::<String>()) {
            if let Ok(text) = one(&value) {
                let fits = value.len() <= MOST_VALUE_BYTES;
                prop_assert_eq!(parameters(text.as_bytes()).list.first().map(|(_, read)| read == &value), fits.then_some(true));
            }
        }

        #[test]
        fn every_xml_text_survives_as_attribute_and_as_element(value in any::<String>()) {
            let holds = value.chars().all(is_xml_character);
            prop_assert_eq!(one(&value).is_ok(), holds);
            let items = [vec![("fn", value.clone())]];
            prop_assert_eq!(items_document(["directory", "item_list", "item"], &items).is_ok(), holds);
        }
    }
}
