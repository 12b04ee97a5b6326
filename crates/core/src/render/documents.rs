//! The files themselves: master file, parameter file, directory.

use super::{Effective, RenderError};
use crate::facts::Contact;
use crate::xml::{Element, attributes_document, items_document, single_element};
use provost_catalog::{Catalog, Version};
use std::collections::BTreeMap;

/// The master file: which files to read and which firmware to run.
///
/// `image` is empty unless a firmware step is due: the phone then keeps the version it has.
///
/// # Errors
/// [`RenderError::Xml`] when a name cannot stand in XML.
pub fn master(catalog: &Catalog, image: &str, files: &[&str]) -> Result<String, RenderError> {
    let format = catalog.master_file();
    let mut attributes = vec![
        (format.image_attribute.clone(), image.to_owned()),
        (format.config_files_attribute.clone(), files.join(&format.config_files_separator)),
    ];
    attributes.extend(format.empty_attributes.iter().map(|name| (name.clone(), String::new())));
    Ok(single_element(&Element { name: format.element.clone(), attributes })?)
}

/// The parameter file: one element per first word of the parameters, one parameter a line.
///
/// # Errors
/// [`RenderError::Xml`] when a value cannot stand in XML or a parameter stands twice.
pub fn settings_document(catalog: &Catalog, values: &[Effective]) -> Result<String, RenderError> {
    let rules = catalog.phone_rules();
    let mut groups: BTreeMap<&str, Vec<(String, String)>> = BTreeMap::new();
    for value in values {
        let group = value.parameter.split('.').next().unwrap_or(&value.parameter);
        let attributes = groups.entry(group).or_default();
        if value.enable {
            attributes.push((format!("{}{}", value.parameter, rules.set_suffix.value), "1".to_owned()));
        }
        attributes.push((value.parameter.clone(), value.value.clone()));
    }
    if values.iter().any(|value| value.enable) {
        let group = rules.set_all.value.split('.').next().unwrap_or(&rules.set_all.value);
        groups.entry(group).or_default().insert(0, (rules.set_all.value.clone(), "1".to_owned()));
    }
    let elements: Vec<_> =
        groups.into_iter().map(|(name, attributes)| Element { name: name.to_owned(), attributes }).collect();
    Ok(attributes_document(&rules.config_root.value, &elements)?)
}

/// The directory of a phone: one entry per contact.
///
/// # Errors
/// [`RenderError::Xml`] when a name cannot stand in XML.
pub fn directory(catalog: &Catalog, contacts: &[Contact]) -> Result<String, RenderError> {
    let format = catalog.directory();
    let items: Vec<_> = contacts
        .iter()
        .map(|contact| {
            vec![
                (format.first_name.as_str(), contact.name.clone()),
                (format.contact.as_str(), contact.extension.clone()),
            ]
        })
        .collect();
    Ok(items_document([&format.root, &format.list, &format.item], &items)?)
}

/// The versions that a phone's own upgrade page offers: each with the address of its image. None is a list too.
///
/// # Errors
/// [`RenderError::Xml`] when an address cannot stand in XML.
pub fn image_list(catalog: &Catalog, images: &[(Version, String)]) -> Result<String, RenderError> {
    let format = catalog.image_list();
    let item = |(version, path): &(Version, String)| {
        vec![(format.version.as_str(), version.to_string()), (format.path.as_str(), path.clone())]
    };
    let items: Vec<_> = images.iter().map(item).collect();
    Ok(items_document([&format.root, &format.list, &format.item], &items)?)
}
