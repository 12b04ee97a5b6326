//! Keys by the names REST and push use.
//!
//! Decides which key a name means: `Line1` and its like, what the catalog lists, and our own words.

use crate::handset::Key;
use crate::web::site::Site;

/// The key a tool means.
pub(crate) fn named(site: &Site, name: &str) -> Option<Key> {
    let name = name.trim();
    if let Some(number) = name.strip_prefix("Line") {
        return number.parse().ok().filter(|number| *number > 0).map(Key::Line);
    }
    let known = &site.web.key_names.value;
    let word = known.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or(name, |(_, word)| word);
    word.parse().ok()
}
