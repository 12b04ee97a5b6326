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

/// Every file of the folder `catalog/`; a test compares the list with the folder.
pub(crate) const BUILT_IN: &[SourceText<'static>] = built_in![
    "authorities.toml",
    "boot.toml",
    "constants.toml",
    "countries.toml",
    "files.toml",
    "guides.toml",
    "phone-rules.toml",
    "settings.toml",
    "soundpoint-ip.toml",
    "vvx.toml",
];
