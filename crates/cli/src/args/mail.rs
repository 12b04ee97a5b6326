//! The commands about mail.

use super::Target;
use clap::Subcommand;
use std::path::PathBuf;

/// Thin clients of the API's part about mail.
#[derive(Debug, Subcommand)]
pub(crate) enum Mail {
    /// Send the welcome mail, with the activation codes, to one or many
    #[command(
        after_help = "Example:\n  provost mail welcome user_01…\n  provost mail welcome --site site_01… --not-yet-sent"
    )]
    Welcome(Welcome),
    /// List mails and what became of them
    #[command(after_help = "Example:\n  provost mail list --state doubtful")]
    List {
        /// Those about this user
        #[arg(long)]
        user: Option<String>,
        /// waiting, handing-over, sent, refused, given-up, doubtful or replaced
        #[arg(long)]
        state: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Show a mail: where it is and what the mail server said
    #[command(after_help = "Example:\n  provost mail show mail_01…")]
    Show(MailId),
    /// Try a mail again that was not sent, as it is
    #[command(after_help = "Example:\n  provost mail again mail_01…")]
    Again(MailId),
    /// Templates of mails, of the whole server or of a customer
    #[command(subcommand)]
    Template(MailTemplate),
    /// Show or set who is written to when an alarm begins
    #[command(
        after_help = "Example:\n  provost mail alarms\n  provost mail alarms --to phones@example.com --to night@example.com\n  provost mail alarms --account account_01… --nobody"
    )]
    Alarms {
        /// Of this customer; by default of the whole server
        #[arg(long)]
        account: Option<String>,
        /// An address; repeat for more
        #[arg(long = "to", value_name = "ADDRESS", conflicts_with = "nobody")]
        to: Vec<String>,
        /// Write to nobody any more
        #[arg(long)]
        nobody: bool,
        #[command(flatten)]
        target: Target,
    },
}

/// Which mail.
#[derive(Debug, clap::Args)]
pub(crate) struct MailId {
    /// The mail's id
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) target: Target,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Welcome {
    /// The users' ids
    #[arg(required_unless_present_any = ["account", "site"], conflicts_with_all = ["account", "site"])]
    pub(crate) users: Vec<String>,
    /// Everybody of this customer and of those below
    #[arg(long, conflicts_with = "site")]
    pub(crate) account: Option<String>,
    /// Everybody at this location
    #[arg(long)]
    pub(crate) site: Option<String>,
    /// Only those to whom none was sent yet, or who were given a device since
    #[arg(long)]
    pub(crate) not_yet_sent: bool,
    /// Also those who have no device yet
    #[arg(long)]
    pub(crate) without_device: bool,
    /// Go on after this user, the `next` of the answer before
    #[arg(long, value_name = "USER")]
    pub(crate) after: Option<String>,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// Which template.
#[derive(Debug, clap::Args)]
pub(crate) struct TemplateOf {
    /// Of this customer; by default of the whole server
    #[arg(long)]
    pub(crate) account: Option<String>,
    /// The kind of mail
    #[arg(long, default_value = "welcome")]
    pub(crate) kind: String,
    /// A language tag, or any
    #[arg(long, default_value = "any")]
    pub(crate) language: String,
    #[command(flatten)]
    pub(crate) target: Target,
}

/// The three parts of a template, each in a file.
#[derive(Debug, clap::Args)]
pub(crate) struct TemplateFiles {
    /// File with the subject in its first line
    #[arg(long, value_name = "FILE")]
    pub(crate) subject: Option<PathBuf>,
    /// File with the text part
    #[arg(long, value_name = "FILE")]
    pub(crate) text: Option<PathBuf>,
    /// File with the HTML part
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MailTemplate {
    /// List the templates that hold, the nearest first
    #[command(after_help = "Example:\n  provost mail template list --account account_01…")]
    List(TemplateOf),
    /// Show the template that holds
    #[command(after_help = "Example:\n  provost mail template show --account account_01… --language de")]
    Show(TemplateOf),
    /// Set a template; it is taken only if it can be filled in for everybody
    #[command(
        after_help = "Example:\n  provost mail template set --account account_01… --subject subject.txt --text body.txt --html body.html"
    )]
    Set {
        #[command(flatten)]
        of: TemplateOf,
        #[command(flatten)]
        files: TemplateFiles,
    },
    /// Remove a template: the next one up holds
    #[command(after_help = "Example:\n  provost mail template remove --account account_01… --language de")]
    Remove(TemplateOf),
    /// Show what comes of a draft, or of what holds; nothing is stored or sent
    #[command(
        after_help = "Example:\n  provost mail template preview --text body.txt\n  provost mail template preview --account account_01… --user user_01… --reveal 'the customer asked'"
    )]
    Preview {
        #[command(flatten)]
        of: TemplateOf,
        #[command(flatten)]
        files: TemplateFiles,
        /// For this user instead of somebody made up
        #[arg(long)]
        user: Option<String>,
        /// Show the user's codes; who asked and why goes into the audit log
        #[arg(long, value_name = "WHY", requires = "user")]
        reveal: Option<String>,
    },
}
