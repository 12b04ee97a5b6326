//! Arguments of backups.

use super::Target;
use std::path::PathBuf;

/// `provost backup`.
#[derive(Debug, clap::Args)]
pub(crate) struct Backup {
    /// Where to write it; must not exist yet
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// `provost restore`.
#[derive(Debug, clap::Args)]
pub(crate) struct Restore {
    /// The backup; the server must be stopped, and its database empty
    #[arg(required_unless_present = "confirm", conflicts_with = "confirm")]
    pub(crate) file: Option<PathBuf>,
    /// Say that what was restored is right: phones it does not know are as any other from now on
    #[arg(long)]
    pub(crate) confirm: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}
