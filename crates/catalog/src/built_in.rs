//! The catalog files this program is built with.

use crate::catalog::SourceText;

macro_rules! built_in {
    ($($file:literal),+ $(,)?) => {
        &[$(SourceText {
            name: concat!("catalog/", $file),
            text: include_str!(concat!("../../../catalog/", $file)),
        }),+]
    };
}

const SOURCES: &str = include_str!("../../../catalog/SOURCES.md");

/// What a source's key stands for, as `catalog/SOURCES.md` explains it; `None` for a key of an operator's own.
pub fn source_words(key: &str) -> Option<&'static str> {
    let explained = |line: &'static str| line.strip_prefix("- `")?.split_once("`: ");
    SOURCES.lines().filter_map(explained).find(|(known, _)| *known == key).map(|(_, words)| words)
}

/// Every file of the folder `catalog/`; a test compares the list with the folder.
pub(crate) const BUILT_IN: &[SourceText<'static>] = built_in![
    "authorities.toml",
    "boot.toml",
    "constants.toml",
    "countries.toml",
    "files.toml",
    "firmware.toml",
    "guides.toml",
    "handsets.toml",
    "hardware.toml",
    "menus.toml",
    "network.toml",
    "phone-rules.toml",
    "phone-web.toml",
    "settings.toml",
    "soundpoint-ip.toml",
    "unsupported.toml",
    "vvx.toml",
];
