//! What an image's name says, and which names are taken at all.

use super::{ImageRefusal, begins_with, contradiction};
use crate::firmware::Version;
use provost_catalog::Catalog;

/// The longest name of an image, in characters.
pub(super) const NAME_CHARACTERS: usize = 120;

/// Whether a name can be kept and shown anywhere as it is.
pub(super) fn is_plain(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=NAME_CHARACTERS).contains(&name.len()) && name.bytes().all(is_plain)
}

/// The part number a name begins with; a name with two says the same twice. One that stands anywhere else is refused:
/// without it the image would be taken for one of all models.
pub(super) fn part_in(name: &str) -> Result<Option<String>, ImageRefusal> {
    let mut words = name.split('.').peekable();
    let first = words.next_if(|word| is_part_number(word));
    if let (Some(first), Some(second)) = (first, words.next_if(|word| first.is_some() && is_part_number(word)))
        && second != first
    {
        return Err(contradiction("the part it is for", (first, "as its name begins"), second));
    }
    let rest: Vec<&str> = words.collect();
    let elsewhere = rest.iter().find_map(|word| part_within(word));
    match elsewhere {
        Some(part) => Err(ImageRefusal::PartPlace { name: name.to_owned(), part: part.to_owned() }),
        None => Ok(first.map(ToOwned::to_owned)),
    }
}

/// A part number anywhere in a word.
fn part_within(word: &str) -> Option<&str> {
    /// Of `3111-48840-001`.
    const LENGTH: usize = 14;
    let windows = (0..word.len()).map_while(|at| word.get(at..at.checked_add(LENGTH)?));
    windows.filter(|window| is_part_number(window)).last()
}

/// Four, five and three digits with hyphens between.
fn is_part_number(word: &str) -> bool {
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    word.split('-').map(str::len).eq([4, 5, 3]) && word.split('-').all(is_number)
}

/// A name that says the first two numbers of a version, such as `sip_59x.ld`, must be right.
pub(super) fn agrees_with_name(catalog: &Catalog, name: &str, version: &Version) -> Result<(), ImageRefusal> {
    if !catalog.file(&name.to_ascii_lowercase()).is_some_and(|file| file.says_release) {
        return Ok(());
    }
    let digits: Vec<char> = name.chars().skip_while(|letter| !letter.is_ascii_digit()).take(2).collect();
    let [major, minor] = digits.as_slice() else { return Ok(()) };
    let Ok(named) = format!("{major}.{minor}").parse() else { return Ok(()) };
    if begins_with(version, &named) {
        return Ok(());
    }
    Err(contradiction("its version", (format!("{named}.x"), "as its name says"), version))
}
