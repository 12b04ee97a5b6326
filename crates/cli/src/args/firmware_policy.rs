//! The commands about which firmware phones are led to, and when.

use super::Target;
use clap::Subcommand;

/// Thin clients of the API's firmware part, but for the images.
#[derive(Debug, Subcommand)]
pub(crate) enum FirmwarePolicy {
    /// Which version phones are led to, and when
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Rings: which devices get a version first
    #[command(subcommand)]
    Ring(RingCommand),
    /// List the attempts to lead phones to other firmware, newest first
    #[command(after_help = "Example:\n  provost firmware steps --state failed")]
    Steps {
        /// offered, loading, sent, done, failed or withdrawn
        #[arg(long)]
        state: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// How many phones run which firmware
    #[command(after_help = "Example:\n  provost firmware spread")]
    Spread {
        #[command(flatten)]
        target: Target,
    },
    /// Pause a version under a policy
    #[command(
        after_help = "Example:\n  provost firmware pause 01j… --version 6.4.8.1000 --reason 'no audio on two phones'"
    )]
    Pause(OfVersion),
    /// Resume a version that was paused
    #[command(after_help = "Example:\n  provost firmware resume 01j… --version 6.4.8.1000 --reason 'a broken switch'")]
    Resume(OfVersion),
    /// Let a device's step begin now, whatever window and ring say
    #[command(after_help = "Example:\n  provost firmware now device_01… --reason 'the user waits for it'")]
    Now {
        /// The device's id
        device: String,
        /// Why it cannot wait
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        target: Target,
    },
    /// Show what a device's phone runs, is to run, and what happens next
    #[command(after_help = "Example:\n  provost firmware device device_01…")]
    Device {
        /// The device's id
        device: String,
        #[command(flatten)]
        target: Target,
    },
    /// Show every step from a version to another, or why there is none
    #[command(after_help = "Example:\n  provost firmware ladder vvx450 --from 6.4.3.1 --to 6.4.8.1000")]
    Ladder {
        /// The model's id in the catalog
        model: String,
        /// What a phone runs
        #[arg(long)]
        from: String,
        /// Its updater or BootROM, where that matters
        #[arg(long)]
        updater: Option<String>,
        /// What it is to run
        #[arg(long)]
        to: String,
        #[command(flatten)]
        target: Target,
    },
    /// Firmware over plain HTTP, for one phone that cannot prove who it is
    #[command(subcommand)]
    Door(DoorCommand),
}

/// A version under a policy.
#[derive(Debug, clap::Args)]
pub(crate) struct OfVersion {
    /// The policy's id
    pub(crate) policy: String,
    /// The version
    #[arg(long)]
    pub(crate) version: String,
    /// Why
    #[arg(long)]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Make a policy, or change the one for the same phones
    #[command(
        after_help = "Example:\n  provost firmware policy set --account account_01… --version newest --window 22:00-05:00 --reason 'as agreed'\n  provost firmware policy set --site site_01… --version keep --reason 'freeze over the holidays'\n  provost firmware policy set --version newest --after-ring canary --hours 48 --reason 'look first'"
    )]
    Set(Box<SetPolicy>),
    /// List policies, with the versions that are paused
    #[command(after_help = "Example:\n  provost firmware policy list")]
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Take a policy away
    #[command(after_help = "Example:\n  provost firmware policy remove 01j… --reason 'the freeze is over'")]
    Remove {
        /// The policy's id
        id: String,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        target: Target,
    },
}

/// A policy; without account and site it is for the whole server.
#[derive(Debug, clap::Args)]
pub(crate) struct SetPolicy {
    /// For this account and all below it
    #[arg(long, conflicts_with = "site")]
    pub(crate) account: Option<String>,
    /// For this site
    #[arg(long)]
    pub(crate) site: Option<String>,
    /// For this model only
    #[arg(long)]
    pub(crate) model: Option<String>,
    /// For this ring only
    #[arg(long)]
    pub(crate) ring: Option<String>,
    /// newest, keep, or a version
    #[arg(long)]
    pub(crate) version: String,
    /// When steps may begin, in the site's time: 22:00-05:00 or always; by default at night
    #[arg(long)]
    pub(crate) window: Option<String>,
    /// Downloads at a time at one site; by default 5
    #[arg(long)]
    pub(crate) slots: Option<u32>,
    /// The ring that goes first
    #[arg(long)]
    pub(crate) after_ring: Option<String>,
    /// For how many hours; by default 24
    #[arg(long)]
    pub(crate) hours: Option<u32>,
    /// From so many failures on a version is paused; by default 1
    #[arg(long)]
    pub(crate) most_failures: Option<u32>,
    /// Why
    #[arg(long)]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RingCommand {
    /// Put a device into a ring; general is the one of all that are in no other
    #[command(after_help = "Example:\n  provost firmware ring set device_01… canary")]
    Set {
        /// The device's id
        device: String,
        /// The ring
        ring: String,
        #[command(flatten)]
        target: Target,
    },
    /// List the devices in other rings than general
    #[command(after_help = "Example:\n  provost firmware ring list")]
    List {
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DoorCommand {
    /// Open it
    #[command(
        after_help = "Example:\n  provost firmware door open 0004f2a1b2c3 --model spip550 --hours 2 --reason 'phone from the store room'"
    )]
    Open {
        /// The phone
        mac: String,
        /// Its model's id in the catalog
        #[arg(long)]
        model: String,
        /// How long, at most 24
        #[arg(long)]
        hours: u32,
        /// Why
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        target: Target,
    },
    /// List what is open
    #[command(after_help = "Example:\n  provost firmware door list")]
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Close it before its end
    #[command(after_help = "Example:\n  provost firmware door close 01j…")]
    Close {
        /// The door's id
        id: String,
        #[command(flatten)]
        target: Target,
    },
}
