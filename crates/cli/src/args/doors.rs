//! The commands about references and emergency routes.

use super::Target;
use clap::Subcommand;

/// Thin clients of the API's part about activation.
#[derive(Debug, Subcommand)]
pub(crate) enum Doors {
    /// Show what happened when somebody was told a reference
    #[command(after_help = "Example:\n  provost reference R-7KM4QX")]
    Reference {
        /// The reference; letter case and the R- do not matter
        reference: String,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("where").required(true).args(["to", "none"]))]
pub(crate) struct EmergencyRoute {
    /// The site's id
    pub(crate) site: String,
    /// Where the site's phones are, as 10.1.0.0/16; repeat for more networks
    #[arg(long = "network", value_name = "RANGE", requires = "to")]
    pub(crate) networks: Vec<String>,
    /// The SIP server that places emergency calls
    #[arg(long, value_name = "HOST[:PORT]", requires = "networks")]
    pub(crate) to: Option<String>,
    /// Take the route away
    #[arg(long)]
    pub(crate) none: bool,
    #[command(flatten)]
    pub(crate) target: Target,
}
