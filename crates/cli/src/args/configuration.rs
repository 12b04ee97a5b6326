//! The commands about what phones are told.

use super::Target;
use clap::Subcommand;

/// Which layer a command is about.
#[derive(Debug, clap::Args)]
pub(crate) struct LayerOf {
    /// Every phone here; the default
    #[arg(long, conflicts_with_all = ["account", "site", "device"])]
    pub(crate) platform: bool,
    /// The phones of a customer and of those below
    #[arg(long, value_name = "ID", conflicts_with_all = ["site", "device"])]
    pub(crate) account: Option<String>,
    /// The phones of a location
    #[arg(long, value_name = "ID", conflicts_with_all = ["device", "model"])]
    pub(crate) site: Option<String>,
    /// The phones of a model; with --account those of that customer only
    #[arg(long, value_name = "MODEL", conflicts_with = "device")]
    pub(crate) model: Option<String>,
    /// One device
    #[arg(long, value_name = "ID")]
    pub(crate) device: Option<String>,
}

/// What is set and taken away.
#[derive(Debug, clap::Args)]
pub(crate) struct SetEntries {
    /// A setting by the catalog's word; an @ and a number is for that line only
    #[arg(value_name = "NAME=VALUE")]
    pub(crate) settings: Vec<String>,
    /// A parameter by the maker's name, told as it stands
    #[arg(long = "raw", value_name = "PARAMETER=VALUE")]
    pub(crate) raw: Vec<String>,
    /// A setting that is taken away
    #[arg(long = "unset", value_name = "NAME")]
    pub(crate) unset: Vec<String>,
    /// A parameter that is taken away
    #[arg(long = "unset-raw", value_name = "PARAMETER")]
    pub(crate) unset_raw: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Configuration {
    /// Show a layer
    #[command(after_help = "Example:\n  provost configuration show --account account_01…")]
    Show {
        #[command(flatten)]
        of: LayerOf,
        /// Show values that may be secrets; who asked and why goes into the audit log
        #[arg(long, value_name = "WHY")]
        reveal: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Change a layer: what is named is set or taken away, all else stays
    #[command(
        after_help = "Example:\n  provost configuration set --site site_01… nat.keepalive=15 line.keys@2=3 --reason 'new router'\n  provost configuration set --device device_01… --raw own.parameter=1\n  provost configuration set --platform --unset nat.keepalive"
    )]
    Set {
        #[command(flatten)]
        of: LayerOf,
        #[command(flatten)]
        entries: SetEntries,
        /// Why, for the history
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// List the revisions of a layer with what each changed
    #[command(after_help = "Example:\n  provost configuration history --site site_01…")]
    History {
        #[command(flatten)]
        of: LayerOf,
        #[command(flatten)]
        target: Target,
    },
    /// Take the last change of a layer back, or everything behind an earlier revision
    #[command(
        after_help = "Example:\n  provost configuration revert --site site_01…\n  provost configuration revert --site site_01… --to 3"
    )]
    Revert {
        #[command(flatten)]
        of: LayerOf,
        /// The revision whose content comes back; 0 is the empty layer
        #[arg(long)]
        to: Option<i64>,
        /// Why, for the history
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Show everything a device's phone is told, where it comes from, and what the phone has on top
    #[command(after_help = "Example:\n  provost configuration effective device_01…")]
    Effective {
        /// The device's id
        id: String,
        /// Show secrets; who asked and why goes into the audit log
        #[arg(long, value_name = "WHY")]
        reveal: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Show what a device's phone would be told if a layer were changed; nothing is stored
    #[command(
        after_help = "Example:\n  provost configuration preview device_01… --layer site nat.keepalive=15\n  provost configuration preview device_01… --layer site nat.keepalive=15 --files"
    )]
    Preview {
        /// The device's id
        id: String,
        /// platform, account, site, model or device
        #[arg(long, default_value = "device")]
        layer: String,
        /// Which of the device's accounts, for account and model
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        #[command(flatten)]
        entries: SetEntries,
        /// The files as the phone would get them, instead of what is different
        #[arg(long)]
        files: bool,
        /// Show secrets; who asked and why goes into the audit log
        #[arg(long, value_name = "WHY")]
        reveal: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Show what the next fetch of a device's phone brings that the last one did not
    #[command(after_help = "Example:\n  provost configuration diff device_01…")]
    Diff {
        /// The device's id
        id: String,
        #[command(flatten)]
        target: Target,
    },
    /// Show what was set on a device's phone itself
    #[command(after_help = "Example:\n  provost configuration overrides device_01…")]
    Overrides {
        /// The device's id
        id: String,
        #[command(flatten)]
        target: Target,
    },
    /// Clear what was set on a device's phone itself; the phone fetches the emptied files at its next start
    #[command(after_help = "Example:\n  provost configuration clear device_01… --reason 'back to our settings'")]
    Clear {
        /// The device's id
        id: String,
        /// Why, for the audit log
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        target: Target,
    },
}
