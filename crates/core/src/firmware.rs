//! Firmware: how a version stands, and which steps lead a phone from what it runs to what it is to run.
//!
//! Decides from versions and the catalog's facts alone. Never reads an image's bytes beyond what names it, and never
//! offers what a phone may not take: where no legal step is known, that is said instead.

pub mod heard;
pub mod image;
pub mod ladder;
pub mod policy;
pub mod step;
mod verdict;

pub use provost_catalog::{ImageKind, Version};
pub use verdict::{FirmwareLevel, FirmwareVerdict, judge};
