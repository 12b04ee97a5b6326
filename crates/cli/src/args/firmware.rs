//! The commands about firmware images.

use super::{FirmwarePolicy, Target};
use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Firmware {
    /// List the images at hand, the models that may take each, and whether their bytes are still what came
    #[command(after_help = "Example:\n  provost firmware images\n  provost firmware images --model vvx450")]
    Images {
        /// Those that this model may take (`provost models`)
        #[arg(long)]
        model: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Put an image into the store, or every image of the maker's zip
    #[command(
        after_help = "Example:\n  provost firmware upload Polycom-UC-Software-6-4-8-rts44-release-sig-split.zip\n  provost firmware upload 3111-48840-001.sip.ld --version 6.4.8.1234"
    )]
    Upload(UploadImage),
    /// Remove an image; phones that were to take it keep what they have
    #[command(after_help = "Example:\n  provost firmware remove image_01j… --reason 'wrong release'")]
    Remove {
        /// The image's id
        id: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        target: Target,
    },
    #[command(flatten)]
    Policy(FirmwarePolicy),
}

#[derive(Debug, clap::Args)]
pub(crate) struct UploadImage {
    /// The maker's zip or .ld file, under the name the maker gave it
    pub(crate) file: PathBuf,
    /// The version it brings, with all its numbers, where neither name nor zip tells it
    #[arg(long)]
    pub(crate) version: Option<String>,
    /// A model, or the line, that an image without a part number is for
    #[arg(long)]
    pub(crate) model: Option<String>,
    /// The SHA-256 it must have
    #[arg(long, value_name = "HEX")]
    pub(crate) sha256: Option<String>,
    /// What it replaces, where its name does not tell
    #[arg(long, value_enum)]
    pub(crate) kind: Option<ImageKind>,
    /// The updater it brings
    #[arg(long, value_name = "VERSION")]
    pub(crate) updater: Option<String>,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// What an image replaces.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ImageKind {
    /// The application, and from 4.0 on the updater with it
    Application,
    /// The updater alone: the BootROM of firmware before 4.0
    Updater,
}
