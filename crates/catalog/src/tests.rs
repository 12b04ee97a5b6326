//! What the catalog promises, by topic.

mod built_in;
mod files;
mod lookups;
mod mistakes;
mod overlay;
mod phone_web;
mod values;
mod versions;

use crate::{Catalog, CatalogErrors, SourceText};

fn catalog() -> Catalog {
    Catalog::built_in().unwrap_or_else(|errors| panic!("{errors}"))
}

fn overlay(text: &str) -> Result<Catalog, CatalogErrors> {
    Catalog::with_overlay(&[SourceText { name: "own.toml", text }])
}

/// The mistakes of one operator file, as an operator reads them.
fn mistakes(text: &str) -> Vec<String> {
    let errors = overlay(text).expect_err("the file has no mistake");
    errors.0.iter().map(ToString::to_string).collect()
}
