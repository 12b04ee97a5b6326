//! Models that have no boot facts of their own.
//!
//! Decides that such a phone boots as the model its handset names, under its own name, part number and User-Agent.
//! Source: the catalog; nothing is made up for hardware that does not say how it names itself.

use std::borrow::Cow;

use provost_catalog::{Catalog, Fact, Firmware, Handset, Hardware, Model};

use crate::facts::FactsError;

/// The model with this id, or the one that stands in for hardware that is none.
pub(crate) fn model<'a>(catalog: &'a Catalog, id: &str) -> Result<Cow<'a, Model>, FactsError> {
    if let Some(model) = catalog.model(id) {
        return Ok(Cow::Borrowed(model));
    }
    let unknown = || FactsError::UnknownModel { id: id.to_owned() };
    let hardware = catalog.hardware(id).ok_or_else(unknown)?;
    let handset = catalog.handset(id).ok_or_else(unknown)?;
    let like = handset.boots_like.as_ref().and_then(|like| catalog.model(&like.value)).ok_or_else(unknown)?;
    stand_in(hardware, handset, like).map(Cow::Owned)
}

fn stand_in(hardware: &Hardware, handset: &Handset, like: &Model) -> Result<Model, FactsError> {
    let missing = |what| FactsError::Hardware { id: hardware.id.clone(), what };
    let token = hardware.user_agent_tokens.first().ok_or_else(|| missing("User-Agent"))?;
    if hardware.part_numbers.is_empty() {
        return Err(missing("part number"));
    }
    let version = hardware.last.as_ref().or(handset.firmware.as_ref()).ok_or_else(|| missing("version"))?;
    let concluded = |value: String| Fact {
        value,
        source: hardware.source.clone(),
        evidence: provost_catalog::Evidence::Inferred,
        note: None,
    };
    Ok(Model {
        id: hardware.id.clone(),
        name: concluded(hardware.name.clone()),
        part_numbers: hardware.part_numbers.clone(),
        user_agent_family: handset.user_agent_family.clone().unwrap_or_else(|| like.user_agent_family.clone()),
        user_agent_tokens: hardware.user_agent_tokens.clone(),
        // `VVX_500` is `VVX500` in names of files, on every phone of which both are known.
        model_token: concluded(token.value.replace('_', "")),
        line_keys: None,
        registrations: None,
        reset_keys: handset.reset_keys.clone(),
        // Which updater belongs to it nobody recorded.
        firmware: Firmware { reference: version.clone(), reference_updater: version.clone() },
        ..like.clone()
    })
}
