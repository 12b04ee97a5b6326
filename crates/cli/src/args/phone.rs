//! The commands of the virtual phone.

use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Phone {
    #[command(subcommand)]
    pub(crate) action: PhoneAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PhoneAction {
    /// Boot a virtual phone against a server, as the real one does
    #[command(
        after_help = "Example:\n  provost phone boot --server https://127.0.0.1:8443 --model vvx450 --mac 0004f2a00001 --data DIR --json"
    )]
    Boot(Boot),
    /// Make a firmware image that virtual phones flash; it is a stand-in and nothing for a real phone
    #[command(
        after_help = "Example:\n  provost phone image --part 3111-44500-001 --version 5.9.8.5760 --updater 5.9.8.4127 --data DIR sip.ld\n  provost phone image --part 2345-12500-001 --version 4.4.0 --kind updater --data DIR bootrom.ld"
    )]
    Image(Image),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Boot {
    /// The server address as typed into the phone
    #[arg(long, value_name = "URL")]
    pub(crate) server: String,
    /// Model id (`provost models`)
    #[arg(long)]
    pub(crate) model: String,
    /// MAC address
    #[arg(long)]
    pub(crate) mac: String,
    /// Application version of the first start, instead of the catalog's reference version; then --flash knows
    #[arg(long, value_name = "VERSION")]
    pub(crate) firmware: Option<String>,
    /// Updater or BootROM version of the first start; by default the one that belongs to the application
    #[arg(long, value_name = "VERSION")]
    pub(crate) updater: Option<String>,
    /// Part number; by default the model's first
    #[arg(long, value_name = "PART")]
    pub(crate) part: Option<String>,
    /// Hardware revision, which some images name
    #[arg(long, value_name = "REVISION")]
    pub(crate) revision: Option<String>,
    /// Public key of the image maker (PEM); by default DATA/lab's. Without one the phone takes no image
    #[arg(long, value_name = "FILE")]
    pub(crate) image_key: Option<PathBuf>,
    /// Factory certificate chain (PEM); by default that of this MAC in DATA/lab
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,
    /// Its key (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
    /// Authorities the phone trusts for servers (PEM); by default DATA/lab's, else the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Time server; without one the phone takes this machine's clock
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) sntp: Option<String>,
    /// The phone's memory; without one it is fresh out of the box
    #[arg(long, value_name = "DIR")]
    pub(crate) flash: Option<PathBuf>,
    /// One JSON line per request
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Image {
    /// Part number the image is for
    #[arg(long, value_name = "PART")]
    pub(crate) part: String,
    /// Version the phone has afterwards
    #[arg(long, value_name = "VERSION")]
    pub(crate) version: String,
    /// Updater version the phone has afterwards; by default that of --version
    #[arg(long, value_name = "VERSION")]
    pub(crate) updater: Option<String>,
    /// What the image holds
    #[arg(long, value_enum, default_value_t = Kind::Application)]
    pub(crate) kind: Kind,
    /// Lowest updater that takes it
    #[arg(long, value_name = "VERSION")]
    pub(crate) needs_updater: Option<String>,
    /// Hardware revision it is for; by default any
    #[arg(long, value_name = "REVISION")]
    pub(crate) revision: Option<String>,
    /// Size of the payload for each part, in bytes
    #[arg(long, value_name = "N", default_value_t = 1_048_576)]
    pub(crate) bytes: u64,
    /// More part numbers the image is for, with commas
    #[arg(long, value_name = "PARTS", value_delimiter = ',')]
    pub(crate) combined: Vec<String>,
    /// Sign it with a key no phone knows, to see it refused
    #[arg(long)]
    pub(crate) rogue: bool,
    /// Where it is written
    #[arg(value_name = "OUT")]
    pub(crate) out: PathBuf,
}

/// What an image holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// The telephone itself, with the updater that comes with it
    Application,
    /// The updater or BootROM alone
    Updater,
}
