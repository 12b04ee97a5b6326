//! Reads the master configuration file.
//!
//! Decides which image, which files and which folders the master file names for this model. Never
//! fetches them. Rules: domain notes 2.1 (attributes, per-model elements) and 2.2 (variables).

use crate::facts::Facts;
use crate::settings::{Values, parameters};
use crate::xml::XmlError;

/// What the master file says to this phone, variables replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Master {
    /// The image to run; empty when the phone keeps its own.
    pub(crate) image: String,
    /// The configuration files in the order given.
    pub(crate) files: Vec<String>,
    attributes: Values,
}

impl Master {
    pub(crate) fn read(file: &[u8], facts: &Facts) -> Result<Self, XmlError> {
        let attributes: Values =
            parameters(file)?.into_iter().map(|(name, value)| (name, facts.expand(&value))).collect();
        let names = facts.master_file();
        let token = facts.model_token();
        let image = for_model(&attributes, &names.image_attribute, token).trim().to_owned();
        let files = for_model(&attributes, &names.config_files_attribute, token)
            .split(&names.config_files_separator)
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect();
        Ok(Self { image, files, attributes })
    }

    /// `file` in the folder the master file names with `attribute`.
    pub(crate) fn place(&self, file: &str, attribute: &str, facts: &Facts) -> String {
        let folder = for_model(&self.attributes, attribute, facts.model_token()).trim().trim_end_matches('/');
        match folder {
            "" => file.to_owned(),
            folder => format!("{folder}/{file}"),
        }
    }
}

/// The model's own attribute (`<ATTRIBUTE>_<model>`) if the file has it, else the common one.
fn for_model<'a>(attributes: &'a Values, attribute: &str, model_token: &str) -> &'a str {
    attributes
        .get(&format!("{attribute}_{model_token}"))
        .or_else(|| attributes.get(attribute))
        .map_or("", String::as_str)
}
