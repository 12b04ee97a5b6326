//! The commands of the virtual phone.

use clap::{Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(after_help = USEFUL)]
pub(crate) struct Phone {
    #[command(subcommand)]
    pub(crate) action: PhoneAction,
}

const USEFUL: &str = "Ten useful things:
  a phone in this terminal, at a server (? shows the keys)
    provost phone run --model vvx450 --mac 0004f2a00009 --server https://127.0.0.1:8443 --data DIR
  the same phone in a browser
    provost phone run --model vvx450 --mac 0004f2a00009 --server URL --face 127.0.0.1:8090
  its own web pages, as an administrator reaches them on the desk
    provost phone run --model vvx450 --mac 0004f2a00009 --server URL --web 127.0.0.1:8449
  a phone that remembers, as one on a desk does
    provost phone run --model spip550 --mac 0004f2a00002 --server URL --flash desk
  a network that answers option 160 and tells the time, and no server that was typed in
    provost phone run --model vvx500 --mac 0004f2a00003 --option 160=https://127.0.0.1:8443 --sntp 127.0.0.1:1123 --data DIR
  waits that pass fifty times as fast
    provost phone run --model vvx500 --mac 0004f2a00003 --server URL --pace 50
  one boot, with every request as a line
    provost phone boot --model vvx450 --mac 0004f2a00009 --server URL --json
  a procedure, step by step
    provost phone script reset.script --mac 0004f2a00001 --set server=URL --sntp 127.0.0.1:1123 --pace 50 --data DIR
  a firmware image that virtual phones flash
    provost phone image --part 3111-44500-001 --version 5.9.8.5760 --data DIR sip.ld
  three hundred phones at once
    provost fleet --phones 300 --server URL --models vvx450,vvx500,spip550 --data DIR";

#[derive(Debug, Subcommand)]
pub(crate) enum PhoneAction {
    /// A phone with display and keys, in this terminal or in a browser
    #[command(
        after_help = "Example:\n  provost phone run --model vvx450 --mac 0004f2a00009 --server https://127.0.0.1:8443 --data DIR\n  provost phone run --model vvx450 --mac 0004f2a00009 --server https://127.0.0.1:8443 --face 127.0.0.1:8090"
    )]
    Run(Box<RunPhone>),
    /// Carry out procedures that are written as scripts; exit 0 when every step came true, 1 when one did not
    #[command(
        after_help = "Example:\n  provost phone script reset.script --mac 0004f2a00001 --set server=https://127.0.0.1:8443 --sntp 127.0.0.1:1123 --pace 50 --data DIR\n  provost phone script --check crates/phone/scripts/*.script"
    )]
    Script(Box<RunScripts>),
    /// Boot a virtual phone against a server, as the real one does
    #[command(
        after_help = "Example:\n  provost phone boot --server https://127.0.0.1:8443 --model vvx450 --mac 0004f2a00009 --data DIR --json"
    )]
    Boot(Box<Boot>),
    /// Make a firmware image that virtual phones flash; it is a stand-in and nothing for a real phone
    #[command(
        after_help = "Example:\n  provost phone image --part 3111-44500-001 --version 5.9.8.5760 --updater 5.9.8.4127 --data DIR sip.ld\n  provost phone image --part 2345-12500-001 --version 4.4.0 --kind updater --data DIR bootrom.ld"
    )]
    Image(Image),
}

/// What a virtual phone is made of.
#[derive(Debug, clap::Args)]
pub(crate) struct Parts {
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
    /// Time server. Without one a phone with --server takes this machine's clock; one in a network of its own, as every
    /// phone of a script, is told no time and shows an SNTP Error
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) sntp: Option<String>,
    /// The phone's memory; without one it is fresh out of the box
    #[arg(long, value_name = "DIR")]
    pub(crate) flash: Option<PathBuf>,
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
    #[command(flatten)]
    pub(crate) parts: Parts,
    /// One JSON line per request
    #[arg(long)]
    pub(crate) json: bool,
}

/// What is around a phone with keys.
#[derive(Debug, clap::Args)]
pub(crate) struct Around {
    /// An option that the phone's DHCP server answers; repeat for more. --sntp is then its option 42. A phone from the
    /// factory reads 160 and 66
    #[arg(long = "option", value_name = "N=VALUE")]
    pub(crate) options: Vec<String>,
    /// How many times as fast the phone's own waits pass; networks and calls stay real
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) pace: u32,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunPhone {
    /// Model id (`provost models`; more models have keys than a server offers)
    #[arg(long)]
    pub(crate) model: String,
    /// MAC address
    #[arg(long)]
    pub(crate) mac: String,
    /// The server address as it was typed into a new phone, whose Setup shows it; not together with --option
    #[arg(long, value_name = "URL", conflicts_with = "options")]
    pub(crate) server: Option<String>,
    #[command(flatten)]
    pub(crate) around: Around,
    #[command(flatten)]
    pub(crate) parts: Parts,
    /// Show the phone in a browser too, on this address of this machine
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) face: Option<SocketAddr>,
    /// Let whoever reaches --face press the keys
    #[arg(long, requires = "face")]
    pub(crate) face_for_anyone: bool,
    /// Serve the phone's own web pages over HTTPS on this address
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) web: Option<SocketAddr>,
    /// Draw nothing in the terminal; say what the phone does, a line each
    #[arg(long)]
    pub(crate) no_terminal: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunScripts {
    /// The scripts, carried out one after the other, each on a phone of its own
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Model id; by default the first that the script names
    #[arg(long)]
    pub(crate) model: Option<String>,
    /// MAC address
    #[arg(long, default_value = "0004f2a00001")]
    pub(crate) mac: String,
    /// A variable of the scripts; repeat for more. `mac` and `model` are set already
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) variables: Vec<String>,
    #[command(flatten)]
    pub(crate) around: Around,
    #[command(flatten)]
    pub(crate) parts: Parts,
    /// Read the scripts and carry nothing out
    #[arg(long)]
    pub(crate) check: bool,
    /// One JSON line per step and script
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
