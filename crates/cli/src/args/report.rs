//! The commands about reports.

use super::Target;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Report {
    /// Every device with its phone, user, state and last contact
    #[command(
        after_help = "Example:\n  provost report devices --status assigned --sort user\n  provost report devices --csv --columns mac-address,extension-number,status > devices.csv\n  provost report devices --secrets --reason 'moving to another provider' > secrets.csv"
    )]
    Devices(DeviceReport),
}

#[derive(Debug, clap::Args)]
pub(crate) struct DeviceReport {
    /// added, assigned, contacted, activated, quarantined, disabled or released
    #[arg(long)]
    pub(crate) status: Option<String>,
    /// The site's id
    #[arg(long)]
    pub(crate) site: Option<String>,
    /// Model id (`provost models`)
    #[arg(long)]
    pub(crate) model: Option<String>,
    /// The customer's id; with it those below it
    #[arg(long)]
    pub(crate) account: Option<String>,
    /// What the MAC, the extension or the user's name begins with
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    /// Phones that were not here since then, such as 2026-01-31T09:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) missed_contact_since: Option<String>,
    /// device, mac, extension, status, site, user or last-contact; with - in front the last first
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    pub(crate) sort: Option<String>,
    /// Columns with commas between them; by default all
    #[arg(long, value_name = "LIST")]
    pub(crate) columns: Option<String>,
    /// As CSV, for spreadsheets; without secrets
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
    /// As CSV with admin passwords and activation codes; who asked and why goes into the audit log
    #[arg(long, requires = "reason", conflicts_with = "json")]
    pub(crate) secrets: bool,
    /// Why the secrets are needed
    #[arg(long, requires = "secrets")]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) target: Target,
}
