//! The catalog's models as shown: by the API, the page and `provost models`.

use crate::{Actor, App, AppError};
use provost_catalog::{Catalog, Fact, Model, Version};
use provost_core::rights::Right;
use serde::Serialize;
use std::collections::BTreeMap;

/// A model as shown.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ModelView {
    /// Id.
    pub id: String,
    /// Name on the case.
    pub name: String,
    /// Family.
    pub family: String,
    /// Part numbers.
    pub part_numbers: Vec<String>,
    /// Line keys, where known.
    pub line_keys: Option<u32>,
    /// Lowest firmware served well, where known.
    pub firmware_floor: Option<String>,
    /// The newest firmware known, where one is.
    pub firmware_target: Option<String>,
    /// What nobody sourced, field by field with the reason.
    pub gaps: Vec<GapView>,
}

/// A field without a source.
#[derive(Debug, Clone, Serialize, schemars::JsonSchema)]
pub struct GapView {
    /// Field.
    pub field: String,
    /// Why it is empty.
    pub why: String,
}

impl App {
    /// How many devices there are of each model, by its id, as far as the actor's scope reaches; a model without any is
    /// left out.
    ///
    /// # Errors
    /// [`AppError::Forbidden`], [`AppError::Store`].
    pub async fn devices_by_model(&self, by: &Actor) -> Result<BTreeMap<String, i64>, AppError> {
        by.has(Right::Read)?;
        let within = self.store.within(&by.scope).await?;
        Ok(self.store.devices_by_model(&within).await?)
    }
}

/// All models, by id.
pub fn model_views(catalog: &Catalog) -> Vec<ModelView> {
    catalog.models().map(|model| model_view(catalog, model)).collect()
}

fn model_view(catalog: &Catalog, model: &Model) -> ModelView {
    let hardware = catalog.hardware(&model.id);
    let version = |fact: Option<&Fact<Version>>| fact.map(|fact| fact.value.to_string());
    let gap = |gap: &provost_catalog::Gap| GapView { field: gap.field.clone(), why: gap.why.clone() };
    ModelView {
        id: model.id.clone(),
        name: model.name.value.clone(),
        family: model.family.clone(),
        part_numbers: model.part_numbers.iter().map(|part| part.value.clone()).collect(),
        line_keys: model.line_keys.as_ref().map(|fact| fact.value),
        firmware_floor: version(hardware.and_then(|known| known.floor.as_ref())),
        firmware_target: version(hardware.and_then(|known| known.last.as_ref())),
        gaps: model.gaps.iter().map(gap).collect(),
    }
}
