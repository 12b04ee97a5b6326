//! Firmware images of the lab: what virtual phones flash in place of the maker's.
//!
//! Decides the form of an image, who may sign one, and what a phone makes of the bytes. The maker's own form
//! is not public, so this one is a stand-in and says so in its first line; only virtual phones read it.
//!
//! An image is, one after another: the line `PROVOST LAB IMAGE 1`; the length of the header (32 bits, big
//! end first); the header as JSON; an Ed25519 signature over all of that (64 bytes); and the payloads, each
//! at the offset the header gives, counted from the end of the signature.

mod build;
mod header;
mod intake;
mod key;

pub use build::{ImageError, LabEntry, LabImage};
pub use header::{ImageFault, ImageKind};
pub use key::{ImageKey, ImageKeyError, ImageSigner};

pub(crate) use header::Entry;
pub(crate) use intake::{Board, Intake, Taking, Verdict};
