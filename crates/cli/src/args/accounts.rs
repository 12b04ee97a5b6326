//! The commands about accounts and tokens.

use super::Target;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Account {
    /// Add a customer, at the top or below another
    #[command(
        after_help = "Example:\n  provost account create --name 'Example Ltd'\n  provost account create --name 'Branch' --parent account_01…"
    )]
    Create {
        /// Name
        #[arg(long)]
        name: String,
        /// The id of the account it is below
        #[arg(long)]
        parent: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// List customers
    #[command(after_help = "Example:\n  provost account list")]
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Show a customer
    #[command(after_help = "Example:\n  provost account show account_01…")]
    Show {
        /// The customer's id
        id: String,
        #[command(flatten)]
        target: Target,
    },
    /// Give a customer another name
    #[command(after_help = "Example:\n  provost account rename account_01… --name 'Example Inc'")]
    Rename {
        /// The customer's id
        id: String,
        /// The new name
        #[arg(long)]
        name: String,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Make a token, shown this once
    #[command(
        after_help = "Example:\n  provost token create --role owner\n  provost token create --role installer --name 'Front desk' --account account_01… --days 30"
    )]
    Create(NewToken),
    /// List tokens, revoked and expired ones too; the words themselves are not kept
    #[command(after_help = "Example:\n  provost token list")]
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Let a token open nothing any more
    #[command(after_help = "Example:\n  provost token revoke token_01…")]
    Revoke {
        /// The token's id (`provost token list`)
        id: String,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct NewToken {
    /// owner, administrator, support, installer or read-only
    #[arg(long)]
    pub(crate) role: String,
    /// Whom it is for, as the audit log will say
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The account it is for, with all below it; by default the whole server
    #[arg(long)]
    pub(crate) account: Option<String>,
    /// The one site it is for
    #[arg(long)]
    pub(crate) site: Option<String>,
    /// After how many days it ends; by default never
    #[arg(long)]
    pub(crate) days: Option<u32>,
    #[command(flatten)]
    pub(crate) target: Target,
}
