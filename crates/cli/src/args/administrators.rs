//! The commands about administrators: people who sign in at the console.

use super::Target;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Administrator {
    /// Add a person who signs in; the one-time password is shown this once
    #[command(
        after_help = "Example:\n  provost administrator create --email ada@example.com --name 'Ada Byron' --role owner\n  provost administrator create --email bob@example.com --name Bob --role installer --account account_01…"
    )]
    Create(NewAdministrator),
    /// List the people who sign in
    #[command(after_help = "Example:\n  provost administrator list")]
    List {
        #[command(flatten)]
        target: Target,
    },
    /// Show a person who signs in
    #[command(after_help = "Example:\n  provost administrator show administrator_01…")]
    Show(AdministratorId),
    /// Change who somebody is, what they may and where; what is not named stays
    #[command(after_help = "Example:\n  provost administrator change administrator_01… --role support")]
    Change(ChangedAdministrator),
    /// Let somebody sign in no more; their sessions end
    #[command(after_help = "Example:\n  provost administrator disable administrator_01…")]
    Disable(AdministratorId),
    /// Let somebody sign in again
    #[command(after_help = "Example:\n  provost administrator enable administrator_01…")]
    Enable(AdministratorId),
    /// Take somebody away
    #[command(after_help = "Example:\n  provost administrator remove administrator_01…")]
    Remove(AdministratorId),
    /// Give somebody a one-time password, shown this once; their sessions end
    #[command(
        after_help = "Example:\n  provost administrator reset-password administrator_01…\n  provost administrator reset-password administrator_01… --turn-off-totp"
    )]
    ResetPassword {
        /// The administrator's id (`provost administrator list`)
        id: String,
        /// They lost their authenticator and its recovery codes: turn it off as well
        #[arg(long)]
        turn_off_totp: bool,
        #[command(flatten)]
        target: Target,
    },
    /// End the sessions somebody has open
    #[command(after_help = "Example:\n  provost administrator end-sessions administrator_01…")]
    EndSessions(AdministratorId),
}

#[derive(Debug, clap::Args)]
pub(crate) struct AdministratorId {
    /// The administrator's id (`provost administrator list`)
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, clap::Args)]
pub(crate) struct NewAdministrator {
    /// Mail address, which they sign in with
    #[arg(long)]
    pub(crate) email: String,
    /// Name
    #[arg(long)]
    pub(crate) name: String,
    /// owner, administrator, support, installer or read-only
    #[arg(long)]
    pub(crate) role: String,
    /// The account they are for, with all below it; by default the whole server
    #[arg(long)]
    pub(crate) account: Option<String>,
    /// The one site they are for
    #[arg(long)]
    pub(crate) site: Option<String>,
    /// Language tag
    #[arg(long)]
    pub(crate) language: Option<String>,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ChangedAdministrator {
    /// The administrator's id (`provost administrator list`)
    pub(crate) id: String,
    /// Mail address, which they sign in with
    #[arg(long)]
    pub(crate) email: Option<String>,
    /// Name
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// owner, administrator, support, installer or read-only
    #[arg(long)]
    pub(crate) role: Option<String>,
    /// The account they are for, with all below it
    #[arg(long, conflicts_with = "whole_server")]
    pub(crate) account: Option<String>,
    /// The one site they are for
    #[arg(long, conflicts_with = "whole_server")]
    pub(crate) site: Option<String>,
    /// For as far as you reach yourself: for an owner of the whole server, all of it
    #[arg(long)]
    pub(crate) whole_server: bool,
    /// Language tag
    #[arg(long)]
    pub(crate) language: Option<String>,
    #[command(flatten)]
    pub(crate) target: Target,
}
